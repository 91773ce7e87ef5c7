"""Inverses of layouts, their nullspace, and whether a layout is injective or bijective."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np

from tensorlib.errors import LayoutError
from tensorlib.layouts.algebra import sorted_by_stride
from tensorlib.layouts.composing import refused
from tensorlib.layouts.dim import Dim, Size, dim_equal, is_static, known_nonnegative
from tensorlib.layouts.exact import flat_layout
from tensorlib.layouts.layout import TABLE_LIMIT, Layout, merged, static_modes
from tensorlib.layouts.left_search import left_modes
from tensorlib.layouts.memo import memoised
from tensorlib.layouts.overload import overloaded
from tensorlib.layouts.right_search import longest

__all__ = ["is_bijective", "is_injective", "left_inverse", "nullspace", "right_inverse"]

Row: TypeAlias = tuple[Size, Size, Size]  # size, stride, and what one step adds to the index


@memoised
@overloaded("composed_inverse")
def right_inverse(layout: Layout) -> Layout:
    """Return the longest layout R with `layout(R(i)) == i` and R(i) an index, for i < size(R).

    A bijective layout's is its inverse, a layout without offset 1 has 1:0. Whole modes are enough
    for an injective layout without negative strides; any other up to 2^20 elements is searched.
    With symbols, R is as long as whole modes provably reach.

    >>> right_inverse(Layout((4, 8), (8, 1))), right_inverse(Layout((4, 2), (1, 3)))
    ((8,4):(4,1), (3,2):(1,4))
    """
    if _is_empty(layout):
        return Layout(0, 0)
    rows = _rows(layout)
    found, reached = _whole_modes(rows)
    if _may_be_longer(layout, rows, reached):
        longer = longest(layout.table(), int(reached)).modes
        found = [*longer] if longer else found
    return flat_layout(merged(found))


def _is_empty(layout: Layout) -> bool:
    return isinstance(layout.size, int) and layout.size == 0


def _rows(layout: Layout) -> list[Row]:
    """Return the modes that change the offset."""
    return [row for row in _all_rows(layout) if row[1] != 0]


def _all_rows(layout: Layout) -> list[Row]:
    rows: list[Row] = []
    start: Size = 1
    for size, stride in zip(layout.flat_shape, layout.flat_stride, strict=True):
        if size != 1:
            rows.append((size, stride, start))
            start = start * size
    return rows


def _whole_modes(rows: list[Row]) -> tuple[list[tuple[Size, Size]], Size]:
    """Chain modes whose stride is exactly the size reached so far."""
    if any(row[1].__class__ is not int or row[0].__class__ is not int for row in rows):
        return _provable_modes(rows)
    longest_of = {row[1]: row for row in sorted(rows)}  # of equal strides the greatest size
    found: list[tuple[Size, Size]] = []
    current: Size = 1
    while (row := longest_of.get(current)) is not None:
        found.append((row[0], row[2]))
        current = current * row[0]
    return found, current


def _provable_modes(rows: list[Row]) -> tuple[list[tuple[Size, Size]], Size]:
    left, found = list(rows), []
    current: Size = 1
    while fitting := [row for row in left if dim_equal(row[1], current)]:
        numbers = [row for row in fitting if is_static(row[0])]
        row = max(numbers, key=lambda row: int(row[0])) if numbers else fitting[0]
        left.remove(row)
        found.append((row[0], row[2]))
        current = current * row[0]
    return found, current


def _may_be_longer(layout: Layout, rows: list[Row], reached: Size) -> bool:
    """True where modes that overlap or go down may reach further than whole modes do."""
    if math.prod([row[0] for row in rows]) == reached:
        return False
    modes = [(s, d) for s, d, _ in rows if is_static(s) and is_static(d)]
    if len(modes) < len(rows) or not is_static(layout.size) or layout.size > TABLE_LIMIT:
        return False
    starts = any(d == 1 for _, d in modes) and not _apart(modes)
    return starts or any(d < 0 for _, d in modes)


def _apart(modes: list[tuple[int, int]]) -> bool:
    """True when every stride is past all that smaller ones reach: then offsets are distinct."""
    reach = 0
    for size, stride in sorted(((s, abs(d)) for s, d in modes), key=lambda mode: mode[1]):
        if stride <= reach:
            return False
        reach += stride * (size - 1)
    return True


@memoised
@overloaded("composed_inverse")
def left_inverse(layout: Layout) -> Layout:
    """Return L' with `L'(L(i)) == i` for an injective L, and `L(L'(L(i))) == L(i)` for any.

    Where strides divide each other it is CuTe's; otherwise every layout is searched. Raises
    LayoutError where there is none, where the search is too long, or where symbols leave it open.

    >>> left_inverse(Layout((4, 8), (8, 1))), left_inverse(Layout((2, 2), (1, 3)))
    ((8,4):(4,1), (3,2):(1,2))
    >>> left_inverse(Layout((2, 2), (3, 5)))
    (2,4,2):(0,1,3)
    """
    if _is_empty(layout):
        return Layout(0, 0)
    modes = sorted_by_stride("left_inverse", layout, None, _rows(layout))
    failing = _first_interleaved(modes)
    if failing is None:
        return flat_layout(merged(_between(modes)))
    mode = f"mode {failing[0]}:{failing[1]} interleaves or is negative"
    if not layout.is_static:
        raise refused("left_inverse", layout, None, f"{mode}, needed strides without symbols")
    return _searched(layout, mode)


def _first_interleaved(modes: list[Row]) -> Row | None:
    """Return the first mode that doesn't fit whole below the next stride."""
    for place, row in enumerate(modes):
        size, stride, _ = row
        limit = modes[place + 1][1] if place + 1 < len(modes) else stride * size
        if not known_nonnegative(stride - 1) and not _unknown_positive(stride):
            return row
        if limit % stride != 0 or not known_nonnegative(limit // stride - size):
            return row
    return None


def _unknown_positive(stride: Size) -> bool:
    return isinstance(stride, Dim) and known_nonnegative(stride)  # a symbol counts as >= 1


def _between(modes: list[Row]) -> list[tuple[Size, Size]]:
    found: list[tuple[Size, Size]] = [(modes[0][1], 0)] if modes else []
    for place, (size, stride, start) in enumerate(modes):
        limit = modes[place + 1][1] if place + 1 < len(modes) else stride * size
        found.append((limit // stride, start))
    return found


def _searched(layout: Layout, mode: str) -> Layout:
    if int(layout.size) > TABLE_LIMIT:
        needed = f"{mode}, needed at most {TABLE_LIMIT} offsets to decide it"
        raise refused("left_inverse", layout, None, needed)
    static_modes("left_inverse", layout)
    try:
        modes = left_modes(layout.table())
    except LayoutError as error:
        raise refused("left_inverse", layout, None, f"{mode}, {error}") from None
    if modes is None:
        raise refused("left_inverse", layout, None, f"{mode}, and no layout inverts it")
    return _unmerged(modes)


def _unmerged(modes: list[tuple[int, int]]) -> Layout:
    """Return the layout of the modes; a last mode of size 1 stays: negative offsets need it."""
    *others, last = modes
    kept = merged(others)
    if last[0] != 1:
        return flat_layout(merged(modes))
    return flat_layout([*kept, last])


@memoised
@overloaded("composed_inverse")
def nullspace(layout: Layout) -> Layout:
    """Return the layout N of the modes with stride 0: `layout(N(i)) == 0`.

    `size(N) == size(layout) / size(filter(layout))`.

    >>> nullspace(Layout((2, 4, 8), (0, 1, 0))), nullspace(Layout((4, 8)))
    ((2,8):(1,8), 1:0)
    """
    if _is_empty(layout):
        return Layout(0, 0)
    return flat_layout([(row[0], row[2]) for row in _all_rows(layout) if row[1] == 0])


@memoised
@overloaded("composed_inverse")
def is_injective(layout: Layout) -> bool:
    """True when no two indices have the same offset.

    Raises LayoutError for symbols, and where only a table past the limit could tell.

    >>> is_injective(Layout((4, 8), (8, 1))), is_injective(Layout((4, 8), (1, 2)))
    (True, False)
    """
    modes = [(s, d) for s, d in static_modes("is_injective", layout) if s != 1]
    if layout.size == 0 or _apart(modes):
        return True
    size = layout.size
    assert isinstance(size, int)
    if any(d == 0 for _, d in modes):
        return False
    if size > TABLE_LIMIT:
        raise refused("is_injective", layout, None, f"needed at most {TABLE_LIMIT} offsets")
    return bool(np.unique(layout.table()).size == size)


@overloaded("composed_inverse")
def is_bijective(layout: Layout) -> bool:
    """True when the offsets are exactly 0 ... size - 1.

    >>> is_bijective(Layout((4, 8), (8, 1))), is_bijective(Layout((4, 8), (1, 5)))
    (True, False)
    """
    negative = any(d < 0 for s, d in static_modes("is_bijective", layout) if s > 1)
    if layout.size == 0:
        return True
    return not negative and layout.cosize == layout.size and is_injective(layout)
