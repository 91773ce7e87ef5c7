"""Tiles of a layout, and thread-value layouts: which elements each thread holds."""

from __future__ import annotations

from typing import Any

from tensorlib.errors import LayoutError
from tensorlib.layouts.algebra import Tiler, composition
from tensorlib.layouts.composing import refused
from tensorlib.layouts.dim import dim_equal
from tensorlib.layouts.divide import raked_product, zipped_divide
from tensorlib.layouts.inverse import right_inverse
from tensorlib.layouts.layout import Layout
from tensorlib.layouts.overload import overloaded
from tensorlib.layouts.shape import idx2crd, product_each
from tensorlib.layouts.slicing import placed, slice_and_offset

__all__ = ["local_partition", "local_tile", "make_layout_tv"]


@overloaded("composed_modes")
def local_tile(
    layout: Layout, tiler: Tiler, coordinate: Any, *, step: tuple[Any, ...] | None = None
) -> tuple[Layout, Any]:
    """Return (tile, offset): the tile at a coordinate over the tiles.

    The coordinate may hold traced scalars; None keeps that mode of tiles behind the tile's own.
    Over all coordinates the tiles are a disjoint cover of an injective layout whose sizes the
    tiler divides. A step keeps the entries of tiler and coordinate where it is not None: the A of
    a product with tiler (M, N, K) has step (1, None, 1).

    >>> local_tile(Layout((8, 6)), (4, 2), (1, 2))
    ((4,2):(1,8), 36)
    >>> local_tile(Layout((8, 6)), (4, 2), (1, None))
    (((4,2),3):((1,8),16), 4)
    >>> local_tile(Layout((8, 6)), (4, 5, 2), (1, 9, 2), step=(1, None, 1))
    ((4,2):(1,8), 36)
    """
    if step is not None:
        tiler, coordinate = (_stepped("local_tile", x, step) for x in (tiler, coordinate))
    tiles, rest = _divided("local_tile", layout, tiler).modes
    kept, offset = slice_and_offset(coordinate, rest)
    offset = placed(layout, offset)
    if not kept.shape:
        return tiles, offset
    return Layout((tiles.shape, *kept.shape), (tiles.stride, *kept.stride)), offset


@overloaded("composed_modes")
def local_partition(
    layout: Layout, threads: Layout, thread: Any, *, step: tuple[Any, ...] | None = None
) -> tuple[Layout, Any]:
    """Return (values, offset): what one thread of the arrangement holds, in strides of it.

    The layout is cut into tiles of the threads' shape; every thread has one element of each tile,
    at its own place. `thread` is an index below the threads' size, possibly traced. A step keeps
    the modes of the threads where it is not None: threads that differ in the others alone hold
    the same elements.

    >>> local_partition(Layout((4, 6)), Layout((2, 3)), 4)
    ((2,2):(2,12), 8)
    >>> local_partition(Layout((4, 6)), Layout((2, 5, 3)), 24, step=(1, None, 1))
    ((2,2):(2,12), 8)
    """
    place = right_inverse(threads)
    if not dim_equal(place.size, threads.size):
        raise refused("local_partition", layout, threads, "needed threads that are a bijection")
    sizes = product_each(threads.shape)
    where = idx2crd(place(thread), sizes)
    if step is not None:
        sizes, where = (_stepped("local_partition", x, step) for x in (sizes, where))
    tiles, rest = _divided("local_partition", layout, sizes).modes
    return rest, placed(layout, tiles(where))


def _divided(where: str, layout: Layout, tiler: Tiler) -> Layout:
    try:
        return zipped_divide(layout, tiler)
    except LayoutError as error:
        raise refused(where, layout, tiler, str(error)) from None


def _stepped(where: str, entries: Any, step: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the entries whose step is not None."""
    if not isinstance(entries, tuple) or len(entries) != len(step):
        raise LayoutError(f"{where}: got step {step} for {entries}, needed one entry for each")
    return tuple(entry for entry, own in zip(entries, step, strict=True) if own is not None)


def make_layout_tv(threads: Layout, values: Layout) -> tuple[tuple[Any, ...], Layout]:
    """Return (tile shape, TV): TV(thread, value) is the index in the tile, leftmost mode fastest.

    The values of a thread lie together: TV is `right_inverse(raked_product(threads, values))` with
    shape (threads, values). Raises LayoutError unless both are compact, so that every element of
    the tile has one owner.

    >>> make_layout_tv(Layout((4, 8), (8, 1)), Layout((2, 2)))
    ((8, 16), ((8,4),(2,2)):((16,2),(1,8)))
    """
    try:
        tile = raked_product(threads, values)
    except LayoutError as error:
        raise refused("make_layout_tv", threads, values, str(error)) from None
    inverse = right_inverse(tile)
    if not dim_equal(inverse.size, tile.size):
        raise refused("make_layout_tv", threads, values, "needed compact layouts")
    return product_each(tile.shape), composition(inverse, Layout((threads.size, values.size)))
