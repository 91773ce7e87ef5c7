"""Hypothesis strategies for shapes, layouts and symbolic sizes."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tensorlib.layouts.dim import Dim, Size
from tensorlib.layouts.layout import Layout, make_ordered_layout
from tensorlib.layouts.shape import flatten_tuple, unflatten_tuple

__all__ = ["compact_layouts", "dims", "layouts", "shapes"]


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
def dims(draw: st.DrawFn, names: tuple[str, ...] = ("n", "m")) -> Size:
    """Draw a small non-negative size over the names: a Dim, now and then a number."""
    total: Size = draw(st.integers(0, 4))
    for name in names:
        total = total + Dim(name) * draw(st.integers(0, 3))
    return total
