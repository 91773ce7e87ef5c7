"""Inverses of layouts, and the questions whether a layout is injective or bijective."""

from __future__ import annotations

import numpy as np

from tensorlib.errors import LayoutError
from tensorlib.layouts.algebra import refused
from tensorlib.layouts.dim import Size, dim_equal, is_static
from tensorlib.layouts.layout import (
    TABLE_LIMIT,
    Layout,
    from_modes,
    merged,
    static_modes,
)
from tensorlib.layouts.memo import memoised
from tensorlib.layouts.shape import prefix_product

__all__ = ["is_bijective", "is_injective", "left_inverse", "right_inverse"]


@memoised
def right_inverse(layout: Layout) -> Layout:
    """Return the layout R with `layout(R(i)) == i` for every i below R's size.

    R is as long as whole modes of the layout reach without a gap: a bijective layout's is its
    inverse, a layout without stride 1 has 1:0.

    >>> right_inverse(Layout((4, 8), (8, 1))), right_inverse(Layout((4, 8), (1, 5)))
    ((8,4):(4,1), 4:1)
    """
    strides = prefix_product(layout.flat_shape)
    left = list(zip(layout.flat_shape, layout.flat_stride, strides, strict=True))
    found: list[tuple[Size, Size]] = []
    current: Size = 1
    while rows := [row for row in left if dim_equal(row[1], current) and row[0] != 1]:
        numbers = [row for row in rows if is_static(row[0])]
        row = max(numbers, key=lambda row: int(row[0])) if numbers else rows[0]
        left.remove(row)
        found.append((row[0], row[2]))
        current = current * row[0]
    return from_modes(merged(found))


@memoised
def left_inverse(layout: Layout) -> Layout:
    """Return L' with `L(L'(L(i))) == L(i)`, and `L'(L(i)) == i` for an injective L.

    Raises LayoutError where strides are negative or don't divide each other: then no layout is
    known to invert.

    >>> left_inverse(Layout((4, 8), (8, 1))), left_inverse(Layout((2, 2), (1, 3)))
    ((8,4):(4,1), (3,2):(1,2))
    """
    starts = prefix_product(layout.flat_shape)
    modes = zip(static_modes("left_inverse", layout), starts, strict=True)
    rows = sorted((d, s, p) for (s, d), p in modes if d != 0 and s != 1)
    found: list[tuple[Size, Size]] = [(rows[0][0], 0)] if rows else []
    for place, (stride, size, start) in enumerate(rows):
        limit = rows[place + 1][0] if place + 1 < len(rows) else stride * size
        if stride < 0 or limit % stride or limit // stride < size:
            raise LayoutError(
                f"left_inverse: got {layout}; mode {size}:{stride} interleaves or is negative"
            )
        found.append((limit // stride, start))
    return from_modes(merged(found))


@memoised
def is_injective(layout: Layout) -> bool:
    """True when no two indices have the same offset.

    Raises LayoutError for symbols, and where only a table past the limit could tell.

    >>> is_injective(Layout((4, 8), (8, 1))), is_injective(Layout((4, 8), (1, 2)))
    (True, False)
    """
    modes = [(s, abs(d)) for s, d in static_modes("is_injective", layout) if s != 1]
    if layout.size == 0:
        return True
    reach = 0
    for size, stride in sorted(modes, key=lambda mode: mode[1]):
        if stride <= reach:
            return _injective_table(layout)
        reach += stride * (size - 1)
    return True


def _injective_table(layout: Layout) -> bool:
    size = layout.size
    assert isinstance(size, int)
    if size > TABLE_LIMIT:
        raise refused("is_injective", layout, size, f"needed at most {TABLE_LIMIT} offsets")
    return bool(np.unique(layout.table()).size == size)


def is_bijective(layout: Layout) -> bool:
    """True when the offsets are exactly 0 ... size - 1.

    >>> is_bijective(Layout((4, 8), (8, 1))), is_bijective(Layout((4, 8), (1, 5)))
    (True, False)
    """
    negative = any(d < 0 for s, d in static_modes("is_bijective", layout) if s > 1)
    return not negative and layout.cosize == layout.size and is_injective(layout)
