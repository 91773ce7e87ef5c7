"""What two layouts have in common: the offsets that both reach at the same indices."""

from __future__ import annotations

from tensorlib.errors import LayoutError
from tensorlib.layouts.algebra import coalesce, composition
from tensorlib.layouts.composing import refused
from tensorlib.layouts.dim import Size
from tensorlib.layouts.exact import flat_layout
from tensorlib.layouts.inverse import right_inverse
from tensorlib.layouts.layout import TABLE_LIMIT, Layout, merged
from tensorlib.layouts.memo import memoised
from tensorlib.layouts.overload import overloaded
from tensorlib.layouts.right_search import longest

__all__ = ["max_common_layout", "max_common_vector"]


@memoised
@overloaded("composed_inverse")
def max_common_layout(a: Layout, b: Layout) -> Layout:
    """Return the longest layout R with `a(R(i)) == b(R(i)) == i` for i < size(R).

    R(i) is an index of both. Raises LayoutError past 2^20 elements, unless a and b are the same;
    with symbols, R is as long as the right inverse of b and a provably agree.

    >>> max_common_layout(Layout((4, 8), (8, 1)), Layout((4, 2, 4), (16, 1, 2)))
    8:4
    >>> max_common_layout(Layout((4, 8)), Layout((4, 8), (8, 1)))
    1:0
    """
    if a is b:
        return right_inverse(a)
    if not (a.is_static and b.is_static):
        return _provable(a, b)
    size = min(int(a.size), int(b.size))
    if size == 0:
        return Layout(0, 0)
    if max(int(a.size), int(b.size)) > TABLE_LIMIT:
        raise refused("max_common_layout", a, b, f"needed at most {TABLE_LIMIT} offsets")
    offsets = a.table()[:size]
    offsets[offsets != b.table()[:size]] = -1
    return flat_layout(merged(longest(offsets).modes or []))


def _provable(a: Layout, b: Layout) -> Layout:
    inverse = right_inverse(b)
    try:
        common = coalesce(composition(a, inverse))
    except LayoutError as error:
        raise refused("max_common_layout", a, b, str(error)) from None
    if common.flat_stride[0] != 1:
        return Layout(1, 0)
    return coalesce(composition(inverse, Layout(common.flat_shape[0], 1)))


@overloaded("composed_inverse")
def max_common_vector(a: Layout, b: Layout) -> Size:
    """Return how many elements, in order, lie together at the same indices of both.

    That is the size of `max_common_layout(a, b)`: so many can be copied at once.

    >>> max_common_vector(Layout((4, 8), (8, 1)), Layout((4, 8), (9, 1)))
    8
    """
    return max_common_layout(a, b).size
