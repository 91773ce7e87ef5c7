"""Layouts from parts that the algebra has just computed: interned without being checked again."""

from __future__ import annotations

from typing import Any

from tensorlib.layouts.dim import Size
from tensorlib.layouts.layout import Layout, interned_layout
from tensorlib.layouts.shape import flatten_tuple

__all__ = ["exact_layout", "exact_modes", "flat_layout"]


def exact_layout(shape: Any, stride: Any) -> Layout:
    """Return the layout of a shape and stride that nest alike; leaves are plain ints and Dims."""
    if shape.__class__ is not tuple:
        return interned_layout(shape, stride, (shape,), (stride,))
    sizes = flatten_tuple(shape)
    return interned_layout(shape, stride, sizes, flatten_tuple(stride))


def exact_modes(layout: Layout) -> list[Layout]:
    """Return the top-level modes.

    >>> exact_modes(Layout((4, (2, 2)))), exact_modes(Layout(4))
    ([4:1, (2,2):(4,8)], [4:1])
    """
    if layout.shape.__class__ is not tuple:
        return [layout]
    return list(map(exact_layout, layout.shape, layout.stride))


def flat_layout(modes: list[tuple[Size, Size]]) -> Layout:
    """Return the layout of flat modes: one mode is not wrapped, none is 1:0.

    >>> flat_layout([(4, 1), (8, 5)]), flat_layout([(4, 2)]), flat_layout([])
    ((4,8):(1,5), 4:2, 1:0)
    """
    if len(modes) < 2:
        size, stride = modes[0] if modes else (1, 0)
        return interned_layout(size, stride, (size,), (stride,))
    sizes, strides = zip(*modes, strict=True)
    return interned_layout(sizes, strides, sizes, strides)
