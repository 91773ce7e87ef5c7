"""Division and product of layouts: tiles and the layout of tiles, in CuTe's four arrangements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from tensorlib.errors import LayoutError
from tensorlib.layouts.algebra import (
    Tiler,
    complement_modes,
    composition,
    modes_to_tile,
    nested,
    through,
)
from tensorlib.layouts.composing import Mode, closed_form, leaf_of, refused
from tensorlib.layouts.dim import Dim, Size, dim_equal, known_nonnegative
from tensorlib.layouts.exact import exact_layout, flat_layout
from tensorlib.layouts.layout import Layout, make_layout, make_ordered_layout
from tensorlib.layouts.memo import memoised
from tensorlib.layouts.overload import over_inner, overloaded
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

Nest: TypeAlias = tuple[Any, Any]  # a shape and a stride that nest alike
Split = Callable[[Layout, Layout], tuple[Nest, Nest]]  # the tile and the rest


def _as_layout(tiler: Tiler) -> Layout:
    if isinstance(tiler, Layout):
        return tiler
    if tiler.__class__ is int and tiler > 0:
        return flat_layout([(tiler, 1)])
    return Layout(tiler, 1)


def _by_mode(where: str, split: Split, a: Layout, tiler: Tiler) -> Nest:
    """Split whole layouts, or mode by mode where the tiler is a tuple; other modes are kept."""
    if tiler is None:
        return a.shape, a.stride
    if isinstance(tiler, tuple):
        modes = modes_to_tile(where, a, tiler)
        parts = [_by_mode(where, split, m, t) for m, t in zip(modes, tiler, strict=False)]
        return _joined(*parts, *map(_nest, modes[len(tiler) :]))
    return _joined(*split(a, _as_layout(tiler)))


def _zipped(where: str, split: Split, a: Layout, tiler: Tiler) -> tuple[Nest, Nest]:
    """Gather ((tile, rest), ...) into (tiles), (rests and modes without a tiler)."""
    if tiler is None:
        return (1, 0), (a.shape, a.stride)
    if isinstance(tiler, tuple):
        modes = modes_to_tile(where, a, tiler)
        parts = [_zipped(where, split, m, t) for m, t in zip(modes, tiler, strict=False)]
        tiles = _joined(*(tile for tile, _ in parts))
        return tiles, _joined(*(rest for _, rest in parts), *map(_nest, modes[len(tiler) :]))
    return split(a, _as_layout(tiler))


def _nest(layout: Layout) -> Nest:
    return layout.shape, layout.stride


def _joined(*parts: Nest) -> Nest:
    """Return shape and stride of the layout whose modes these are."""
    return tuple([shape for shape, _ in parts]), tuple([stride for _, stride in parts])


def _modes(nest: Nest) -> list[Nest]:
    """Return the top-level modes: a leaf is its own single mode."""
    shape, stride = nest
    return list(zip(shape, stride, strict=True)) if isinstance(shape, tuple) else [nest]


def _divided(a: Layout, b: Layout) -> tuple[Nest, Nest]:
    try:
        gaps, past = complement_modes(b, a.size)
        rest = gaps + past
        if gaps:
            _check_cover(a, b, rest)
        leaves = [*zip(b.flat_shape, b.flat_stride, strict=True), *rest]
        parts = through(a, leaves, lambda: make_layout(b, flat_layout(rest)))
    except LayoutError as error:
        raise refused("logical_divide", a, b, str(error)) from None
    tile = len(b.flat_shape)
    return nested(parts[:tile], b.shape), leaf_or_modes(parts[tile:])


def leaf_or_modes(parts: list[list[Mode]]) -> Nest:
    """Return the nest of a flat layout's modes: one mode is not wrapped, none is 1:0."""
    leaves = [leaf_of(part) for part in parts]
    if len(leaves) > 1:
        return _joined(*leaves)
    return leaves[0] if leaves else (1, 0)


def _check_cover(a: Layout, b: Layout, rest: list[Mode]) -> None:
    """Raise where the size of b divides a's, and yet b's tiles reach past the end of a."""
    if any(d == 0 and s != 1 for s, d in zip(b.flat_shape, b.flat_stride, strict=True)):
        return
    count: Size = b.size
    for size, _ in rest:
        count = count * size
    known = not isinstance(a.size, Dim) and not isinstance(b.size, Dim)
    if not (known and a.size % b.size) and not dim_equal(count, a.size):
        raise LayoutError(f"its tiles fill {count} elements, needed {a.size}")


def _multiplied(a: Layout, b: Layout) -> tuple[Nest, Nest]:
    try:
        gaps, past = complement_modes(a, a.size * _span(b))
        rest = gaps + past
        leaves = list(zip(b.flat_shape, b.flat_stride, strict=True))
        parts = closed_form(rest, leaves) if b.size != 0 else None
        if not parts:
            return _nest(a), _nest(composition(flat_layout(rest), b))
    except LayoutError as error:
        raise refused("logical_product", a, b, str(error)) from None
    return _nest(a), nested(parts, b.shape)


def _span(layout: Layout) -> Size:
    """Return greatest offset - least offset + 1, 0 for an empty layout."""
    if layout.size.__class__ is int and layout.size == 0:
        return 0
    total: Size = 1
    for size, stride in zip(layout.flat_shape, layout.flat_stride, strict=True):
        if isinstance(stride, Dim) and not known_nonnegative(stride):
            raise LayoutError(f"needed strides of known sign, got {stride}")
        total = total + (size - 1) * (abs(stride) if isinstance(stride, int) else stride)
    return total


@memoised
@overloaded("composed_divide")
def logical_divide(a: Layout, tiler: Tiler) -> Layout:
    """Return a o (tiler, complement of tiler): mode 0 is a tile, mode 1 goes over the tiles.

    `logical_divide(a, b).mode(0) == composition(a, b)`; a permutation of a's table where b is
    injective and its size divides a's: raises LayoutError where b's tiles would reach past a's
    end all the same, as 4:2 in 12 do. A size that doesn't divide is rounded up to whole tiles.
    A tuple divides by mode and keeps the modes it lacks.

    >>> logical_divide(Layout(24), Layout(4, 2))
    (4,(2,3)):(2,(1,8))
    """
    return exact_layout(*_by_mode("logical_divide", _divided, a, tiler))


@memoised
@overloaded("composed_divide")
def zipped_divide(a: Layout, tiler: Tiler) -> Layout:
    """Return ((tile modes), (rest modes)) of the division.

    >>> zipped_divide(Layout((8, 6)), (4, 2))
    ((4,2),(2,3)):((1,8),(4,16))
    """
    return exact_layout(*_joined(*_zipped("zipped_divide", _divided, a, tiler)))


@memoised
@overloaded("composed_divide")
def tiled_divide(a: Layout, tiler: Tiler) -> Layout:
    """Return ((tile modes), rest, rest, ...) of the division.

    >>> tiled_divide(Layout((8, 6)), (4, 2))
    ((4,2),2,3):((1,8),4,16)
    """
    tile, rest = _zipped("tiled_divide", _divided, a, tiler)
    return exact_layout(*_joined(tile, *_modes(rest)))


@memoised
@overloaded("composed_divide")
def flat_divide(a: Layout, tiler: Tiler) -> Layout:
    """Return (tile, tile, ..., rest, rest, ...) of the division.

    >>> flat_divide(Layout((8, 6)), (4, 2))
    (4,2,2,3):(1,8,4,16)
    """
    tile, rest = _zipped("flat_divide", _divided, a, tiler)
    return exact_layout(*_joined(*_modes(tile), *_modes(rest)))


@memoised
@overloaded("composed_divide")
def logical_product(a: Layout, tiler: Tiler) -> Layout:
    """Return (a, complement(a) o tiler): mode 0 is a, mode 1 repeats it as the tiler says.

    The complement is that up to size(a) times the tiler's span, greatest offset - least + 1.
    Mode 1 refines the tiler's shape, and the product is injective where both are.

    >>> logical_product(Layout((2, 2), (4, 1)), Layout(6))
    ((2,2),(2,3)):((4,1),(2,8))
    """
    return exact_layout(*_by_mode("logical_product", _multiplied, a, tiler))


@memoised
@overloaded("composed_divide")
def zipped_product(a: Layout, tiler: Tiler) -> Layout:
    """Return ((block modes), (repeat modes)) of the product.

    >>> zipped_product(Layout((2, 2)), Layout((3, 4)))
    ((2,2),(3,4)):((1,2),(4,12))
    """
    return exact_layout(*_joined(*_zipped("zipped_product", _multiplied, a, tiler)))


@memoised
@overloaded("composed_divide")
def tiled_product(a: Layout, tiler: Tiler) -> Layout:
    """Return ((block modes), repeat, repeat, ...) of the product.

    >>> tiled_product(Layout((2, 2)), Layout((3, 4)))
    ((2,2),3,4):((1,2),4,12)
    """
    block, repeat = _zipped("tiled_product", _multiplied, a, tiler)
    return exact_layout(*_joined(block, *_modes(repeat)))


@memoised
@overloaded("composed_divide")
def flat_product(a: Layout, tiler: Tiler) -> Layout:
    """Return (block, block, ..., repeat, repeat, ...) of the product.

    >>> flat_product(Layout((2, 2)), Layout((3, 4)))
    (2,2,3,4):(1,2,4,12)
    """
    block, repeat = _zipped("flat_product", _multiplied, a, tiler)
    return exact_layout(*_joined(*_modes(block), *_modes(repeat)))


@memoised
@overloaded("composed_divide")
def blocked_product(block: Layout, tiler: Layout) -> Layout:
    """Return the product whose mode i is (block mode i, tiler mode i): blocks stay together.

    >>> blocked_product(Layout((2, 2)), Layout((3, 4)))
    ((2,3),(2,4)):((1,4),(2,12))
    """
    return _interleaved("blocked_product", block, tiler, block_first=True)


@memoised
@overloaded("composed_divide")
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
    pairs = zip(*map(_modes, whole), strict=True)
    return exact_layout(
        *_joined(*[_joined(b, t) if block_first else _joined(t, b) for b, t in pairs])
    )


def _padded(layout: Layout, rank: int) -> Layout:
    return make_layout(*layout.modes, *[Layout(1, 0)] * (rank - layout.rank))


@over_inner
def tile_to_shape(block: Layout, shape: Any, order: tuple[int, ...] | None = None) -> Layout:
    """Return the block repeated over a shape; `order[i]` is the rank of mode i, 0 the fastest.

    Sizes that the block does not divide are rounded up to whole blocks.

    >>> tile_to_shape(Layout((2, 2)), (4, 6))
    ((2,2),(2,3)):((1,4),(2,8))
    """
    sizes = product_each(checked_shape("tile_to_shape", shape))
    if block.rank > len(sizes):
        raise refused("tile_to_shape", block, shape, f"needed at most {len(sizes)} block modes")
    ranks = tuple(range(len(sizes))) if order is None else modes_of(order)
    padded = _padded(block, len(sizes))
    parts = product_each(padded.shape)
    if block.size.__class__ is int and block.size == 0:
        raise refused("tile_to_shape", block, shape, "needed a block that is not empty")
    counts = tuple([ceil_div(size, part) for size, part in zip(sizes, parts, strict=True)])
    try:
        return blocked_product(padded, make_ordered_layout(counts, ranks))
    except LayoutError as error:
        raise refused("tile_to_shape", block, shape, str(error)) from None
