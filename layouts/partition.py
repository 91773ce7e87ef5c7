"""Tiles of a layout, and thread-value layouts: which elements each thread holds."""

from __future__ import annotations

from typing import Any

from tensorlib.layouts.algebra import Tiler, composition, refused
from tensorlib.layouts.dim import dim_equal
from tensorlib.layouts.divide import raked_product, zipped_divide
from tensorlib.layouts.inverse import right_inverse
from tensorlib.layouts.layout import Layout
from tensorlib.layouts.shape import product_each
from tensorlib.layouts.slicing import slice_and_offset

__all__ = ["local_partition", "local_tile", "make_layout_tv"]


def local_tile(layout: Layout, tiler: Tiler, coordinate: Any) -> tuple[Layout, Any]:
    """Return (tile, offset): the tile at a coordinate over the tiles.

    The coordinate may hold traced scalars; None keeps that mode of tiles behind the tile's own.
    Over all coordinates the tiles are a disjoint cover of an injective layout whose sizes the
    tiler divides.

    >>> local_tile(Layout((8, 6)), (4, 2), (1, 2))
    ((4,2):(1,8), 36)
    >>> local_tile(Layout((8, 6)), (4, 2), (1, None))
    (((4,2),3):((1,8),16), 4)
    """
    tiles, rest = zipped_divide(layout, tiler).modes
    kept, offset = slice_and_offset(coordinate, rest)
    if not kept.shape:
        return tiles, offset
    return Layout((tiles.shape, *kept.shape), (tiles.stride, *kept.stride)), offset


def local_partition(layout: Layout, threads: Layout, thread: Any) -> tuple[Layout, Any]:
    """Return (values, offset): what one thread of the arrangement holds, in strides of it.

    The layout is cut into tiles of the threads' shape; every thread has one element of each tile,
    at its own place. `thread` is an index below the threads' size, possibly traced.

    >>> local_partition(Layout((4, 6)), Layout((2, 3)), 4)
    ((2,2):(2,12), 8)
    """
    tiles, rest = zipped_divide(layout, product_each(threads.shape)).modes
    place = right_inverse(threads)
    if not dim_equal(place.size, threads.size):
        raise refused("local_partition", layout, threads, "needed threads that are a bijection")
    return rest, tiles(place(thread))


def make_layout_tv(threads: Layout, values: Layout) -> tuple[tuple[Any, ...], Layout]:
    """Return (tile shape, TV): TV(thread, value) is the index in the tile, leftmost mode fastest.

    The values of a thread lie together: TV is `right_inverse(raked_product(threads, values))` with
    shape (threads, values). Raises LayoutError unless both are compact, so that every element of
    the tile has one owner.

    >>> make_layout_tv(Layout((4, 8), (8, 1)), Layout((2, 2)))
    ((8, 16), ((8,4),(2,2)):((16,2),(1,8)))
    """
    tile = raked_product(threads, values)
    inverse = right_inverse(tile)
    if not dim_equal(inverse.size, tile.size):
        raise refused("make_layout_tv", threads, values, "needed compact layouts")
    return product_each(tile.shape), composition(inverse, Layout((threads.size, values.size)))
