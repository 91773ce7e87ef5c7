"""Inverses of composed layouts, and whether they are injective or bijective."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorlib.errors import LayoutError
from tensorlib.layouts import common, inverse
from tensorlib.layouts.composed import AnyLayout, ComposedLayout, tabulated
from tensorlib.layouts.composed_algebra import composition
from tensorlib.layouts.composing import refused
from tensorlib.layouts.exact import flat_layout
from tensorlib.layouts.layout import Layout, merged
from tensorlib.layouts.right_search import longest
from tensorlib.layouts.swizzle import Swizzle

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "is_bijective",
    "is_injective",
    "left_inverse",
    "max_common_layout",
    "max_common_vector",
    "nullspace",
    "right_inverse",
]


def right_inverse(layout: ComposedLayout) -> ComposedLayout:
    """Return R with `l(R(i)) == i` for every i below R's size, as long as inner parts allow.

    Raises LayoutError where 0 is not reached.

    >>> right_inverse(ComposedLayout(Swizzle(2, 0, 2), 0, Layout((4, 4), (4, 1))))
    (4,4):(4,1) o 0 o (Sw<2,0,2> o 0 o 16:1)
    """
    own: Any = layout.inner
    inner: Any = inverse.right_inverse(own)
    outer = _undone("right_inverse", layout, inverse.right_inverse, inner.size)
    inside = tabulated("right_inverse", outer) - layout.offset
    wrong = np.flatnonzero((inside < 0) | (inside >= inner.size))
    size = int(wrong[0]) if wrong.size else outer.size
    if size == 0:
        raise LayoutError(f"right_inverse: got {layout}, needed one that reaches 0")
    part = outer if size == outer.size else composition(outer, Layout(size))
    assert not isinstance(part, Swizzle)
    return ComposedLayout(inner, -layout.offset, part)


def left_inverse(layout: ComposedLayout) -> ComposedLayout:
    """Return L' with `l(L'(l(i))) == l(i)`, and `L'(l(i)) == i` for an injective l.

    >>> left_inverse(ComposedLayout(Swizzle(2, 0, 2), 0, Layout((4, 4), (4, 1))))
    (4,4):(4,1) o 0 o (Sw<2,0,2> o 0 o 16:1)
    """
    offsets = tabulated("left_inverse", layout)
    own: Any = layout.inner
    inner: Any = inverse.left_inverse(own)
    outer = _undone("left_inverse", layout, inverse.left_inverse, layout.cosize)
    found = ComposedLayout(inner, -layout.offset, outer)
    if not isinstance(layout.outer, Swizzle) and not np.array_equal(
        layout(found(offsets)), offsets
    ):
        raise LayoutError(f"left_inverse: got {layout}; its parts' inverses do not invert it")
    return found


def _undone(where: str, layout: ComposedLayout, invert: Any, size: Any) -> AnyLayout:
    """Return the inverse of the outer function, as a layout; a swizzle undoes itself."""
    if not layout.is_static:
        raise LayoutError(f"{where}: got {layout}, needed sizes and strides without symbols")
    if isinstance(layout.outer, Swizzle):
        return ComposedLayout(layout.outer, 0, Layout(size))
    found: AnyLayout = invert(layout.outer)
    return found


def is_injective(layout: ComposedLayout) -> bool:
    """True when no two indices have the same offset."""
    offsets = tabulated("is_injective", layout)
    return bool(np.unique(offsets).size == offsets.size)


def is_bijective(layout: ComposedLayout) -> bool:
    """True when the offsets are exactly 0 ... size - 1."""
    offsets = np.sort(tabulated("is_bijective", layout))
    return bool(np.array_equal(offsets, np.arange(offsets.size)))


def nullspace(layout: ComposedLayout) -> Layout:
    """Return N with `l(N(i)) == 0` for every i, as large as possible: the inner layout's.

    Raises LayoutError unless the outer function is a swizzle and the offset 0, so that 0 comes
    from 0 alone.
    """
    if not isinstance(layout.outer, Swizzle) or not isinstance(layout.offset, int) or layout.offset:
        raise LayoutError(f"nullspace: got {layout}, needed a swizzle as outer function, offset 0")
    own: Any = layout.inner
    found: Any = inverse.nullspace(own)
    assert isinstance(found, Layout)
    return found


def max_common_layout(a: AnyLayout, b: AnyLayout) -> Layout:
    """Return the longest layout R with `a(R(i)) == b(R(i)) == i`, from the tables of both.

    It is empty, 0:0, where a or b does not begin at 0.

    >>> smem = ComposedLayout(Swizzle(2, 2, 2), 0, Layout((4, 16), (16, 1)))
    >>> max_common_layout(smem, Layout((4, 16), (16, 1)))
    16:4
    """
    where = "max_common_layout"
    tables = [_numbers(where, layout) for layout in (a, b)]
    size = min(table.size for table in tables)
    if size == 0 or any(offsets[0] for offsets in tables):
        return Layout(0, 0)
    offsets = tables[0][:size].copy()
    offsets[offsets != tables[1][:size]] = -1
    return flat_layout(merged(longest(offsets).modes or []))


def _numbers(where: str, layout: object) -> NDArray[np.int64]:
    if not isinstance(layout, (Layout, ComposedLayout)):
        raise LayoutError(f"{where}: got {layout}, needed a layout; try composition with one")
    return tabulated(where, layout)


def max_common_vector(a: AnyLayout, b: AnyLayout) -> int:
    """Return how many elements lie together at the same indices of both, wherever they begin.

    What the inner layouts have in common, cut to what the swizzles leave whole: blocks of 2^base
    offsets, where the offset and the strides outside of the vector keep them aligned. A power of
    two, unless both are Layouts. Source: CuTe, `max_common_vector`.

    >>> smem = ComposedLayout(Swizzle(2, 2, 2), 0, Layout((4, 16), (16, 1)))
    >>> max_common_vector(smem, Layout((4, 16), (16, 1)))
    4
    """
    inner = [_swizzled_inner(layout) for layout in (a, b)]
    size = common.max_common_vector(*inner)
    limits = [_block(layout) for layout in (a, b) if isinstance(layout, ComposedLayout)]
    if not isinstance(size, int) or not all(isinstance(limit, int) for limit in limits):
        raise refused("max_common_vector", a, b, "needed sizes that are numbers")
    vector = math.gcd(size, *limits)
    vector &= -vector
    while not all(_aligned(layout, vector) for layout in inner):
        vector //= 2
    return vector


def _swizzled_inner(layout: AnyLayout) -> Layout:
    if isinstance(layout, Layout):
        return layout
    if not isinstance(layout.outer, Swizzle) or not isinstance(layout.inner, Layout):
        raise LayoutError(f"max_common_vector: got {layout}, needed a swizzle of a layout")
    return layout.inner


def _block(layout: ComposedLayout) -> Any:
    """Return what divides the starts of the blocks that the swizzle leaves whole."""
    base = layout.outer.base if isinstance(layout.outer, Swizzle) and layout.outer.bits else 62
    return math.gcd(1 << base, layout.offset) if isinstance(layout.offset, int) else None


def _aligned(layout: Layout, vector: int) -> bool:
    """True when vectors begin at multiples of their size: other leaves step over whole ones."""
    leaves = list(zip(layout.flat_shape, layout.flat_stride, strict=True))
    left = [(size, stride) for size, stride in leaves if size != 1]
    reached: Any = 1
    while reached < vector:
        leaf = next((leaf for leaf in left if leaf[1] == reached), None)
        if leaf is None:
            return False
        left.remove(leaf)
        reached = reached * leaf[0]
    return reached % vector == 0 and all(stride % vector == 0 for _, stride in left)
