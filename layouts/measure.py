"""Measures of layouts and shapes as free functions: size, cosize, rank, depth, flatten."""

from __future__ import annotations

from typing import Any

from tensorlib.layouts.dim import Size
from tensorlib.layouts.layout import Layout
from tensorlib.layouts.shape import depth_of, flatten_tuple, product

__all__ = ["cosize", "depth", "flatten", "rank", "size"]


def size(value: Any) -> Size:
    """Return the number of elements of a layout or shape.

    >>> size(Layout((4, 8), (1, 5))), size((4, (2, 3)))
    (32, 24)
    """
    return value.size if isinstance(value, Layout) else product(value)


def cosize(layout: Layout) -> Size:
    """Return one past the greatest offset of a layout.

    >>> cosize(Layout((4, 8), (1, 5)))
    39
    """
    return layout.cosize


def rank(value: Any) -> int:
    """Return the number of top-level modes of a layout or shape."""
    if isinstance(value, Layout):
        return value.rank
    return len(value) if isinstance(value, tuple) else 1


def depth(value: Any) -> int:
    """Return how deep a layout or shape nests: 0 for a single integer."""
    return value.depth if isinstance(value, Layout) else depth_of(value)


def flatten(value: Any) -> Any:
    """Return a layout or a nested tuple with depth <= 1; a single integer stays one."""
    if isinstance(value, Layout):
        return value.flatten()
    return flatten_tuple(value) if isinstance(value, tuple) else value
