"""What swizzles and composed layouts mean, written out by definition."""

from __future__ import annotations

import math

from tensorlib.layouts import ComposedLayout, Swizzle
from tensorlib.testing.composed import composed_layouts as composed
from tensorlib.testing.composed import swizzled_layouts, swizzles
from tensorlib.testing.layouts import layouts

__all__ = [
    "at",
    "composed",
    "index_of",
    "innermost",
    "leaves",
    "plain",
    "swizzled",
    "swizzles",
    "table",
]

plain, swizzled = layouts(max_size=16, max_depth=2, max_stride=20), swizzled_layouts()


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
