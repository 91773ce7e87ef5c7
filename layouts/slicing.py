"""Slices of layouts, some modes kept by `None`, and layouts that begin at a coordinate."""

from __future__ import annotations

from typing import Any

from tensorlib.errors import LayoutError
from tensorlib.layouts.basis import Basis
from tensorlib.layouts.dim import Dim
from tensorlib.layouts.layout import Layout, extended_modes, make_layout
from tensorlib.layouts.overload import overloaded
from tensorlib.layouts.shape import finished, product

__all__ = ["dice", "domain_offset", "slice_and_offset"]


@overloaded("composed_modes")
def slice_and_offset(coordinate: Any, layout: Layout) -> tuple[Layout, Any]:
    """Return (kept, offset): the modes where the coordinate is None, and where they begin.

    Every None gives one mode of the result: kept(i, ...) + offset == layout(coordinate with i, ...
    in place of the Nones). Fixed coordinates may be traced scalars. Raises LayoutError where
    coordinate and shape don't fit.

    >>> slice_and_offset((None, 3), Layout((4, 8)))
    ((4,):(1,), 12)
    >>> slice_and_offset(((None, 1), (0, None)), Layout(((2, 2), (4, 3))))
    ((2,3):(1,16), 2)
    """
    kept: list[Layout] = []
    offset = _sliced(coordinate, layout, kept)
    return make_layout(*kept), placed(layout, 0 if offset is None else offset)


def placed(layout: Layout, offset: Any) -> Any:
    """Return the offset; in a layout of coordinates, with every place of them."""
    places = [stride * 0 for stride in layout.flat_stride if isinstance(stride, Basis)]
    return finished(sum(places)) + offset if places else offset


def _sliced(coordinate: Any, layout: Layout, kept: list[Layout]) -> Any:
    if coordinate is None:
        kept.append(layout)
        return None
    if not isinstance(coordinate, tuple):
        return layout(coordinate)
    _fits("slice", coordinate, layout)
    total = None
    for part, mode in zip(coordinate, layout.modes, strict=True):
        offset = _sliced(part, mode, kept)
        if offset is not None:
            total = offset if total is None else total + offset
    return total


@overloaded("composed_modes")
def dice(coordinate: Any, layout: Layout) -> Layout:
    """Return the modes where the coordinate is *not* None: what `slice` leaves out.

    >>> dice((None, 3), Layout((4, 8)))
    (8,):(4,)
    """
    kept: list[Layout] = []
    _diced(coordinate, layout, kept)
    return make_layout(*kept)


def _diced(coordinate: Any, layout: Layout, kept: list[Layout]) -> None:
    if isinstance(coordinate, tuple):
        _fits("dice", coordinate, layout)
        for part, mode in zip(coordinate, layout.modes, strict=True):
            _diced(part, mode, kept)
    elif coordinate is not None:
        kept.append(layout)


def _fits(where: str, coordinate: tuple[Any, ...], layout: Layout) -> None:
    if not isinstance(layout.shape, tuple) or len(coordinate) != layout.rank:
        raise LayoutError(
            f"{where}: got coordinate {coordinate} for {layout}, needed one entry a mode"
        )


@overloaded("composed_modes")
def domain_offset(coordinate: Any, layout: Layout) -> tuple[Layout, Any]:
    """Return (layout, offset) of the layout that begins at a coordinate.

    `offset + layout(x) == layout(x + coordinate)`, modes added each by itself. Leaves may be
    traced. Raises LayoutError where a coordinate for a whole nested mode would carry from one
    part of it into the next: no layout is that function.

    >>> domain_offset((2, 3), Layout((4, 8)))
    ((4,8):(1,4), 14)
    >>> domain_offset((2, 0), Layout(((2, 4), 3), ((8, 1), 16)))
    (((2,4),3):((8,1),16), 1)
    """
    _carries_nothing(coordinate, layout, coordinate, layout)
    return layout, placed(layout, layout(coordinate))


def _carries_nothing(part: Any, mode: Layout, coordinate: Any, layout: Layout) -> None:
    if isinstance(part, tuple):
        _fits("domain_offset", part, mode)
        for inner, own in zip(part, mode.modes, strict=True):
            _carries_nothing(inner, own, coordinate, layout)
        return
    *inner, _ = extended_modes(mode) or [(1, 0)]
    aligned = isinstance(part, (int, Dim)) and part % product(tuple(size for size, _ in inner)) == 0
    if inner and not aligned:
        raise LayoutError(
            f"domain_offset: got {coordinate} for {layout}; {part} carries within the mode {mode}, "
            "try a coordinate for each of its parts"
        )
