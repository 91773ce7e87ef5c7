"""Strategies for swizzles and composed layouts, and what they mean, written out by definition."""

from __future__ import annotations

import math

from hypothesis import strategies as st

from tensorlib.layouts import ComposedLayout, Layout, Swizzle
from tensorlib.testing.layouts import layouts


@st.composite
def swizzles(draw: st.DrawFn) -> Swizzle:
    bits = draw(st.integers(0, 2))
    return Swizzle(
        bits,
        draw(st.integers(0, 2)),
        draw(st.integers(bits, 3)) * draw(st.sampled_from([1, -1])),
    )


plain = layouts(max_size=16, max_depth=2, max_stride=20)


@st.composite
def composed(draw: st.DrawFn, inner: st.SearchStrategy = plain) -> ComposedLayout:
    """Swizzled, or a layout of offsets, or either of these inside or outside another."""
    outer = draw(swizzles() | layouts(max_size=8, max_depth=1, max_stride=9, min_leaf=2))
    whole = ComposedLayout(outer, draw(st.integers(0, 9)), draw(inner))
    match draw(st.integers(0, 3)):
        case 0:
            return ComposedLayout(draw(swizzles()), draw(st.integers(0, 3)), whole)
        case 1:
            return ComposedLayout(ComposedLayout(draw(swizzles()), 1, Layout(4)), 2, whole.inner)
    return whole


swizzled = st.builds(
    ComposedLayout, swizzles(), st.integers(0, 9), layouts(max_size=16, max_depth=2, max_stride=20)
)


def leaves(nested):
    return [x for part in nested for x in leaves(part)] if isinstance(nested, tuple) else [nested]


def at(function, index):
    """The offset of an index, by definition, past the end along the last mode."""
    if isinstance(function, Swizzle):
        bits, base, shift = function.bits, function.base, function.shift
        field = index >> base + max(shift, 0) & (1 << bits) - 1
        return index ^ field << base + max(-shift, 0)
    if isinstance(function, ComposedLayout):
        return at(function.outer, function.offset + at(function.inner, index))
    sizes, strides, total = leaves(function.shape), leaves(function.stride), 0
    for size, stride in zip(sizes[:-1], strides[:-1], strict=True):
        total, index = total + index % size * stride, index // size
    return total + (index * strides[-1] if strides else 0)


def table(function):
    return [at(function, i) for i in range(math.prod(leaves(function.shape)))]


def index_of(coordinate, shape):
    """The colexicographic index of a flat coordinate."""
    total, step = 0, 1
    for x, size in zip(coordinate, leaves(shape), strict=True):
        total, step = total + x * step, step * size
    return total


def innermost(c):
    return innermost(c.inner) if isinstance(c, ComposedLayout) else c
