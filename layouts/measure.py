"""Measures of layouts and shapes as free functions: size, cosize, rank, depth, compactness."""

from __future__ import annotations

from typing import Any

from tensorlib.errors import LayoutError
from tensorlib.layouts.basis import Basis
from tensorlib.layouts.composed import ComposedLayout
from tensorlib.layouts.dim import Size, dim_equal
from tensorlib.layouts.layout import Layout
from tensorlib.layouts.shape import depth_of, flatten_tuple, product

__all__ = ["cosize", "depth", "flatten", "is_compact", "rank", "size"]

_LAYOUTS = (Layout, ComposedLayout)


def size(value: Any) -> Size:
    """Return the number of elements of a layout or shape.

    >>> size(Layout((4, 8), (1, 5))), size((4, (2, 3)))
    (32, 24)
    """
    return value.size if isinstance(value, _LAYOUTS) else product(value)


def cosize(layout: Layout | ComposedLayout) -> Size:
    """Return one past the greatest offset of a layout.

    >>> cosize(Layout((4, 8), (1, 5)))
    39
    """
    return layout.cosize


def rank(value: Any) -> int:
    """Return the number of top-level modes of a layout or shape.

    >>> rank(Layout(((4, 8), 2))), rank((4, 8, 2)), rank(4)
    (2, 3, 1)
    """
    if isinstance(value, _LAYOUTS):
        return value.rank
    return len(value) if isinstance(value, tuple) else 1


def depth(value: Any) -> int:
    """Return how deep a layout or shape nests: 0 for a single integer.

    >>> depth(Layout(((4, 8), 2))), depth((4, 8)), depth(4)
    (2, 1, 0)
    """
    return value.depth if isinstance(value, _LAYOUTS) else depth_of(value)


def flatten(value: Any) -> Any:
    """Return a layout or a nested tuple with depth <= 1; a single integer stays one.

    >>> flatten(Layout(((4, 8), 2))), flatten(((4, 8), 2))
    ((4,8,2):(1,4,32), (4, 8, 2))
    """
    if isinstance(value, _LAYOUTS):
        return value.flatten()
    return flatten_tuple(value) if isinstance(value, tuple) else value


def is_compact(layout: Layout | ComposedLayout) -> bool:
    """True when the offsets are exactly 0 ... size - 1: injective, and cosize equals size.

    For symbols True means so for all their values. Raises LayoutError where that stays open.

    >>> from tensorlib.layouts import Dim
    >>> n = Dim("n")
    >>> is_compact(Layout((4, n), (n, 1))), is_compact(Layout((4, 8), (1, 5)))
    (True, False)
    """
    if isinstance(layout, ComposedLayout):
        from tensorlib.layouts.composed_inverse import is_bijective

        return is_bijective(layout)
    if isinstance(layout.size, int) and layout.size == 0:
        return True
    leaves = zip(layout.flat_shape, layout.flat_stride, strict=True)
    left = [(size, stride) for size, stride in leaves if not dim_equal(size, 1)]
    if any(isinstance(stride, Basis) for _, stride in left):
        raise LayoutError(f"is_compact: got {layout}, needed strides that are numbers or Dims")
    reached: Size = 1  # the least mode of what is left must begin here
    while found := next((mode for mode in left if dim_equal(mode[1], reached)), None):
        left.remove(found)
        reached = reached * found[0]
    if left and not layout.is_static:
        raise LayoutError(f"is_compact: got {layout}, needed sizes and strides that decide it")
    return not left
