"""Slices, tiles and recasts of composed layouts: fixed coordinates go into the offset."""

from __future__ import annotations

from math import gcd
from typing import Any

from tensorlib.errors import LayoutError
from tensorlib.layouts import partition, recast, slicing
from tensorlib.layouts.composed import AnyLayout, ComposedLayout, Outer
from tensorlib.layouts.dim import Dim
from tensorlib.layouts.layout import Layout
from tensorlib.layouts.swizzle import Swizzle

__all__ = [
    "dice",
    "domain_offset",
    "downcast",
    "local_partition",
    "local_tile",
    "recast_layout",
    "slice_and_offset",
    "upcast",
]


def slice_and_offset(coordinate: Any, layout: ComposedLayout) -> tuple[ComposedLayout, int]:
    """Return (kept, 0): `kept(i, ...) == layout(coordinate with i, ... in place of the Nones)`.

    >>> slice_and_offset((None, 3), ComposedLayout(Swizzle(2, 0, 2), 0, Layout((4, 4))))
    (Sw<2,0,2> o 12 o (4,):(1,), 0)
    """
    return layout.sliced(coordinate), 0


def dice(coordinate: Any, layout: ComposedLayout) -> ComposedLayout:
    """Return the modes where the coordinate is *not* None: what `slice` leaves out."""
    inner: Any = layout.inner
    return layout.over(slicing.dice(coordinate, inner))


def domain_offset(coordinate: Any, layout: ComposedLayout) -> tuple[ComposedLayout, int]:
    """Return (moved, 0) with `moved(x) == layout(x + coordinate)`, modes added each by itself."""
    own: Any = layout.inner
    inner, start = _both(slicing.domain_offset(coordinate, own))
    return layout.over(inner).moved(start), 0


def local_tile(
    layout: ComposedLayout, tiler: Any, coordinate: Any, *, step: tuple[Any, ...] | None = None
) -> tuple[ComposedLayout, int]:
    """Return (tile, 0): the tile at a coordinate over the tiles."""
    inner: Any = layout.inner
    tile, start = _both(partition.local_tile(inner, tiler, coordinate, step=step))
    return layout.over(tile).moved(start), 0


def local_partition(
    layout: ComposedLayout, threads: Layout, thread: Any, *, step: tuple[Any, ...] | None = None
) -> tuple[ComposedLayout, int]:
    """Return (values, 0): what one thread of the arrangement holds."""
    inner: Any = layout.inner
    values, start = _both(partition.local_partition(inner, threads, thread, step=step))
    return layout.over(values).moved(start), 0


def _both(found: Any) -> tuple[AnyLayout, Any]:
    inner, start = found
    return inner, start


def upcast(layout: Outer, n: int) -> Any:
    """Return the swizzle or layout in words of n elements: `upcast(l, n)(c // k) == l(c) // n`.

    c // k as for a Layout. The swizzle's base sinks by log2(n). Raises LayoutError where the
    offset is not whole words, or the outer function is no swizzle.

    >>> upcast(ComposedLayout(Swizzle(3, 3, 3), 0, Layout((8, 64), (64, 1))), 8)
    Sw<3,0,3> o 0 o (8,8):(8,1)
    """
    if isinstance(layout, Swizzle):
        return layout.upcast(n)
    outer, offset, inner = _swizzled("upcast", layout, n)
    if not isinstance(offset, (int, Dim)) or offset % n != 0:
        raise LayoutError(f"upcast: got {layout} by {n}, needed an offset of whole words")
    return ComposedLayout(outer.upcast(n), offset // n, recast.upcast(inner, n))


def downcast(layout: Outer, n: int) -> Any:
    """Return the swizzle or layout in the n parts of every element: D(n*c + r) == n*l(c) + r.

    >>> downcast(ComposedLayout(Swizzle(3, 0, 3), 0, Layout((8, 8), (8, 1))), 8)
    Sw<3,3,3> o 0 o (8,64):(64,1)
    """
    if isinstance(layout, Swizzle):
        return layout.downcast(n)
    outer, offset, inner = _swizzled("downcast", layout, n)
    return ComposedLayout(outer.downcast(n), offset * n, recast.downcast(inner, n))


def recast_layout(layout: Outer, old_bits: int, new_bits: int) -> Any:
    """Return the function of elements of `old_bits` in elements of `new_bits`, same memory.

    >>> recast_layout(Swizzle(3, 4, 3), 8, 32)
    Sw<3,2,3>
    """
    part = gcd(old_bits, new_bits)
    return upcast(downcast(layout, old_bits // part), new_bits // part)


def _swizzled(where: str, layout: Any, n: int) -> tuple[Swizzle, Any, Any]:
    if not isinstance(layout, ComposedLayout) or not isinstance(layout.outer, Swizzle):
        raise LayoutError(f"{where}: got {layout} by {n}, needed a swizzle as the outer function")
    return layout.outer, layout.offset, layout.inner
