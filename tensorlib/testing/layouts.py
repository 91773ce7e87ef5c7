"""Hypothesis strategies for shapes, layouts, coordinates, tilers and symbolic sizes."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tensorlib.layouts.dim import Dim, Size
from tensorlib.layouts.layout import Layout, make_ordered_layout
from tensorlib.layouts.shape import flatten_tuple, unflatten_tuple

__all__ = [
    "compact_layouts",
    "coordinates",
    "dims",
    "injective_layouts",
    "layouts",
    "power_of_two_layouts",
    "shapes",
    "tilers",
]


@st.composite
def shapes(draw: st.DrawFn, *, max_size: int = 64, max_depth: int = 3, min_leaf: int = 1) -> Any:
    """Draw a nested shape of at most `max_size` elements; leaves are `min_leaf` and up."""
    profile = draw(_profiles(max_depth))
    left = max_size
    leaves = []
    for _ in flatten_tuple(profile):
        leaf = draw(st.integers(min_leaf, max(min_leaf, min(left, 8))))
        leaves.append(leaf)
        left //= max(leaf, 1)
    return unflatten_tuple(iter(leaves), profile)


def _profiles(depth: int) -> st.SearchStrategy[Any]:
    if depth == 0:
        return st.just(0)
    return st.just(0) | st.lists(_profiles(depth - 1), min_size=1, max_size=3).map(tuple)


@st.composite
def layouts(
    draw: st.DrawFn,
    *,
    max_size: int = 64,
    max_depth: int = 3,
    min_stride: int = 0,
    max_stride: int = 30,
    min_leaf: int = 1,
) -> Layout:
    """Draw any layout: strides may repeat, vanish, interleave, and be negative where allowed.

    Half of the strides are products of sizes, as in layouts that people write.
    """
    shape = draw(shapes(max_size=max_size, max_depth=max_depth, min_leaf=min_leaf))
    sizes = flatten_tuple(shape)
    natural = {0, 1, *sizes}
    for size in sizes:
        natural |= {n * size for n in natural if n * size <= max_size}
    stride = st.integers(min_stride, max_stride) | st.sampled_from(sorted(natural))
    strides = [draw(stride) for _ in sizes]
    return Layout(shape, unflatten_tuple(iter(strides), shape))


@st.composite
def compact_layouts(draw: st.DrawFn, *, max_size: int = 64, max_depth: int = 3) -> Layout:
    """Draw a bijective layout: its modes in some order, without gaps."""
    shape = draw(shapes(max_size=max_size, max_depth=max_depth))
    order = draw(st.permutations(range(len(flatten_tuple(shape)))))
    return make_ordered_layout(shape, unflatten_tuple(iter(order), shape))


@st.composite
def injective_layouts(
    draw: st.DrawFn, *, max_size: int = 64, max_depth: int = 3, max_gap: int = 3
) -> Layout:
    """Draw an injective layout: its modes in some order, with gaps between them.

    Half of them are chains, every stride a multiple of the one before; in the others a stride is
    any number past the reach of the modes below it.
    """
    shape = draw(shapes(max_size=max_size, max_depth=max_depth))
    sizes = flatten_tuple(shape)
    chain = draw(st.booleans())
    strides, reach, step = [0] * len(sizes), 0, 1
    for place in draw(st.permutations(range(len(sizes)))):
        gap = draw(st.integers(0, max_gap))
        step = step * (gap + 1) if chain else reach + 1 + gap
        strides[place] = step
        reach += step * (sizes[place] - 1)
        step *= sizes[place]
    return Layout(shape, unflatten_tuple(iter(strides), shape))


@st.composite
def power_of_two_layouts(
    draw: st.DrawFn, *, max_bits: int = 6, max_depth: int = 3, max_stride_bits: int = 7
) -> Layout:
    """Draw a layout whose sizes and strides are powers of two, or stride 0: linear over F2.

    Offsets of different modes may overlap, so not each of them is linear: the strategy promises
    the powers alone.
    """
    profile = draw(_profiles(max_depth))
    left, sizes = max_bits, []
    for _ in flatten_tuple(profile):
        bits = draw(st.integers(0, min(left, 3)))
        left -= bits
        sizes.append(1 << bits)
    stride = st.just(0) | st.integers(0, max_stride_bits).map(lambda bits: 1 << bits)
    strides = [draw(stride) for _ in sizes]
    return Layout(unflatten_tuple(iter(sizes), profile), unflatten_tuple(iter(strides), profile))


@st.composite
def coordinates(draw: st.DrawFn, shape: Any) -> Any:
    """Draw a coordinate inside a shape of sizes >= 1: an index or, mode by mode, coordinates."""
    if not isinstance(shape, tuple) or not shape or draw(st.booleans()):
        size = 1
        for leaf in flatten_tuple(shape):
            size *= leaf
        return draw(st.integers(0, size - 1))
    return tuple(draw(coordinates(part)) for part in shape)


def tilers(layout: Layout, *, max_tile: int = 8) -> st.SearchStrategy[Any]:
    """Return a strategy for tilers of a layout: a size, a small layout, or a tuple by mode."""
    one = st.integers(1, max_tile) | layouts(max_size=max_tile, max_depth=1, max_stride=max_tile)
    whole = one | st.none()
    if layout.rank < 2:
        return one
    return one | st.tuples(*[whole] * layout.rank) | st.tuples(*[whole] * (layout.rank - 1))


@st.composite
def dims(draw: st.DrawFn, names: tuple[str, ...] = ("n", "m")) -> Size:
    """Draw a small non-negative size over the names: a Dim, now and then a number."""
    total: Size = draw(st.integers(0, 4))
    for name in names:
        total = total + Dim(name) * draw(st.integers(0, 3))
    return total
