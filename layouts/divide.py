"""Division and product of layouts: tiles and the layout of tiles, in CuTe's four arrangements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorlib.errors import LayoutError
from tensorlib.layouts.algebra import (
    Tiler,
    complement,
    composition,
    modes_to_tile,
    refused,
)
from tensorlib.layouts.dim import Size
from tensorlib.layouts.layout import Layout, make_layout, make_ordered_layout
from tensorlib.layouts.memo import memoised
from tensorlib.layouts.shape import ceil_div, checked_shape, modes_of, product_each

__all__ = [
    "blocked_product",
    "flat_divide",
    "flat_product",
    "logical_divide",
    "logical_product",
    "raked_product",
    "tile_to_shape",
    "tiled_divide",
    "tiled_product",
    "zipped_divide",
    "zipped_product",
]

Split = Callable[[Layout, Layout], Layout]


def _as_layout(tiler: Tiler) -> Layout:
    return tiler if isinstance(tiler, Layout) else Layout(tiler)


def _by_mode(where: str, split: Split, a: Layout, tiler: Tiler) -> Layout:
    """Split whole layouts, or mode by mode where the tiler is a tuple; other modes are kept."""
    if tiler is None:
        return a
    if isinstance(tiler, tuple):
        tiled = modes_to_tile(where, a, tiler)
        parts = [_by_mode(where, split, m, t) for m, t in zip(tiled, tiler, strict=True)]
        return make_layout(*parts, *a.modes[len(tiler) :])
    return split(a, _as_layout(tiler))


def _zipped(where: str, split: Split, a: Layout, tiler: Tiler) -> Layout:
    """Gather ((tile, rest), ...) into ((tiles), (rests and modes without a tiler))."""
    if tiler is None:
        return make_layout(Layout(1, 0), a)
    if isinstance(tiler, tuple):
        tiled = modes_to_tile(where, a, tiler)
        parts = [_zipped(where, split, m, t) for m, t in zip(tiled, tiler, strict=True)]
        rests = [part.mode(1) for part in parts]
        tiles = make_layout(*(part.mode(0) for part in parts))
        return make_layout(tiles, make_layout(*rests, *a.modes[len(tiler) :]))
    return split(a, _as_layout(tiler))


def _divided(a: Layout, b: Layout) -> Layout:
    try:
        return composition(a, make_layout(b, complement(b, a.size)))
    except LayoutError as error:
        raise refused("logical_divide", a, b, str(error)) from None


def _multiplied(a: Layout, b: Layout) -> Layout:
    try:
        return make_layout(a, composition(complement(a, a.size * b.cosize), b))
    except LayoutError as error:
        raise refused("logical_product", a, b, str(error)) from None


@memoised
def logical_divide(a: Layout, tiler: Tiler) -> Layout:
    """Return a o (tiler, complement of tiler): mode 0 is a tile, mode 1 goes over the tiles.

    `logical_divide(a, b).mode(0) == composition(a, b)`; a permutation of a's table where b is
    injective and its size divides a's. A tuple divides by mode and keeps the modes it lacks.

    >>> logical_divide(Layout(24), Layout(4, 2))
    (4,(2,3)):(2,(1,8))
    """
    return _by_mode("logical_divide", _divided, a, tiler)


@memoised
def zipped_divide(a: Layout, tiler: Tiler) -> Layout:
    """Return ((tile modes), (rest modes)) of the division.

    >>> zipped_divide(Layout((8, 6)), (4, 2))
    ((4,2),(2,3)):((1,8),(4,16))
    """
    return _zipped("zipped_divide", _divided, a, tiler)


@memoised
def tiled_divide(a: Layout, tiler: Tiler) -> Layout:
    """Return ((tile modes), rest, rest, ...) of the division.

    >>> tiled_divide(Layout((8, 6)), (4, 2))
    ((4,2),2,3):((1,8),4,16)
    """
    tile, rest = _zipped("tiled_divide", _divided, a, tiler).modes
    return make_layout(tile, *rest.modes)


@memoised
def flat_divide(a: Layout, tiler: Tiler) -> Layout:
    """Return (tile, tile, ..., rest, rest, ...) of the division.

    >>> flat_divide(Layout((8, 6)), (4, 2))
    (4,2,2,3):(1,8,4,16)
    """
    tile, rest = _zipped("flat_divide", _divided, a, tiler).modes
    return make_layout(*tile.modes, *rest.modes)


@memoised
def logical_product(a: Layout, tiler: Tiler) -> Layout:
    """Return (a, complement(a) o tiler): mode 0 is a, mode 1 repeats it as the tiler says.

    Injective where both are.

    >>> logical_product(Layout((2, 2), (4, 1)), Layout(6))
    ((2,2),(2,3)):((4,1),(2,8))
    """
    return _by_mode("logical_product", _multiplied, a, tiler)


@memoised
def zipped_product(a: Layout, tiler: Tiler) -> Layout:
    """Return ((block modes), (repeat modes)) of the product."""
    return _zipped("zipped_product", _multiplied, a, tiler)


@memoised
def tiled_product(a: Layout, tiler: Tiler) -> Layout:
    """Return ((block modes), repeat, repeat, ...) of the product."""
    block, repeat = _zipped("tiled_product", _multiplied, a, tiler).modes
    return make_layout(block, *repeat.modes)


@memoised
def flat_product(a: Layout, tiler: Tiler) -> Layout:
    """Return (block, block, ..., repeat, repeat, ...) of the product."""
    block, repeat = _zipped("flat_product", _multiplied, a, tiler).modes
    return make_layout(*block.modes, *repeat.modes)


@memoised
def blocked_product(block: Layout, tiler: Layout) -> Layout:
    """Return the product whose mode i is (block mode i, tiler mode i): blocks stay together.

    >>> blocked_product(Layout((2, 2)), Layout((3, 4)))
    ((2,3),(2,4)):((1,4),(2,12))
    """
    return _interleaved("blocked_product", block, tiler, block_first=True)


@memoised
def raked_product(block: Layout, tiler: Layout) -> Layout:
    """Return the product whose mode i is (tiler mode i, block mode i): blocks are spread out.

    >>> raked_product(Layout((2, 2)), Layout((3, 4)))
    ((3,2),(4,2)):((4,1),(12,2))
    """
    return _interleaved("raked_product", block, tiler, block_first=False)


def _interleaved(where: str, block: Layout, tiler: Layout, *, block_first: bool) -> Layout:
    rank = max(block.rank, tiler.rank)
    try:
        whole = _multiplied(_padded(block, rank), _padded(tiler, rank))
    except LayoutError as error:
        raise refused(where, block, tiler, str(error)) from None
    pairs = zip(whole.mode(0).modes, whole.mode(1).modes, strict=True)
    return make_layout(*[make_layout(b, t) if block_first else make_layout(t, b) for b, t in pairs])


def _padded(layout: Layout, rank: int) -> Layout:
    return make_layout(*layout.modes, *[Layout(1, 0)] * (rank - layout.rank))


def tile_to_shape(block: Layout, shape: Any, order: tuple[int, ...] | None = None) -> Layout:
    """Return the block repeated over a shape; `order[i]` is the rank of mode i, 0 the fastest.

    Sizes that the block does not divide are rounded up to whole blocks.

    >>> tile_to_shape(Layout((2, 2)), (4, 6))
    ((2,2),(2,3)):((1,4),(2,8))
    """
    sizes = product_each(checked_shape("tile_to_shape", shape))
    if block.rank > len(sizes):
        raise refused("tile_to_shape", block, shape, f"needed at most {len(sizes)} block modes")
    padded = _padded(block, len(sizes))
    counts: list[Size] = [
        ceil_div(size, part) for size, part in zip(sizes, product_each(padded.shape), strict=True)
    ]
    ranks = tuple(range(len(sizes))) if order is None else order
    return blocked_product(padded, make_ordered_layout(tuple(counts), modes_of(ranks)))
