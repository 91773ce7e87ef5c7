"""Slices of layouts: some modes kept by `None`, the others fixed at a coordinate."""

from __future__ import annotations

from typing import Any

from tensorlib.errors import LayoutError
from tensorlib.layouts.layout import Layout, make_layout

__all__ = ["dice", "slice_and_offset"]


def slice_and_offset(coordinate: Any, layout: Layout) -> tuple[Layout, Any]:
    """Return (kept, offset): the modes where the coordinate is None, and where they begin.

    Every None gives one mode of the result: kept(i, ...) + offset == layout(coordinate with i, ...
    in place of the Nones). Fixed coordinates may be traced scalars. Raises LayoutError where
    coordinate and shape don't fit.

    >>> slice_and_offset((None, 3), Layout((4, 8)))
    ((4,):(1,), 12)
    """
    kept: list[Layout] = []
    offset = _sliced(coordinate, layout, kept)
    return make_layout(*kept), 0 if offset is None else offset


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
