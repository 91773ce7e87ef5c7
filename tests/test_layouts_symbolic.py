"""Operations on symbolic sizes: whatever is decided holds for every value of the symbols."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from tensorlib.errors import LayoutError
from tensorlib.layouts import (
    Dim,
    Layout,
    coalesce,
    complement,
    composition,
    filter,
    left_inverse,
    logical_divide,
    logical_product,
    max_common_layout,
    nullspace,
    raked_product,
    right_inverse,
    row_major,
    tile_to_shape,
    zipped_divide,
    zipped_product,
)
from tensorlib.tests.layout_oracles import offsets_of

n, m = Dim("n"), Dim("m")
k = Dim("k", divisible_by=8)
VALUES = [{"n": a, "m": b, "k": c} for a, b, c in itertools.product((1, 3, 4), (1, 2), (8, 24))]


def valued(value: Any, numbers: dict[str, int]) -> Any:
    if isinstance(value, Layout):
        return Layout(valued(value.shape, numbers), valued(value.stride, numbers))
    if isinstance(value, tuple):
        return tuple(valued(part, numbers) for part in value)
    return value.evaluate(numbers) if isinstance(value, Dim) else value


@pytest.mark.parametrize(
    ("operation", "operands"),
    [
        (coalesce, (Layout((n, 4, m), (4, 4 * n, 16 * n)),)),
        (filter, (Layout((n, m, 4), (1, 0, n)),)),
        (composition, (Layout((64, n), (n, 1)), Layout((16, 4, n), (1, 16, 64)))),
        (composition, (Layout((k, 4), (4, 1)), Layout((8, k // 8, 4), (k // 8, 1, k)))),
        (composition, (row_major(k, 16), (8, 4))),
        (complement, (Layout((8, 4), (1, 8 * n)), 64 * n)),
        (complement, (Layout(n, 1), n * m)),
        (complement, (Layout(8, 1), k)),
        (complement, (Layout((4, m), (2, 8)), 16 * m)),
        (complement, (Layout((m, 4), (4 * n, n)), 8 * n * m)),
        (logical_divide, (Layout(k, 3), Layout(8))),
        (logical_divide, (Layout(16 * n), Layout(4, 2))),
        (logical_divide, (Layout(n), Layout(4))),  # rounded up
        (zipped_divide, (row_major(k, 64), (8, 16))),
        (zipped_divide, (row_major(n, k), (None, 4))),
        (logical_product, (Layout((2, 2), (4, 1)), Layout(2 * n))),
        (logical_product, (Layout(n), Layout((m, 2), (2, 1)))),
        (zipped_product, (Layout((n, 4)), Layout((m, 2)))),
        (raked_product, (Layout((n, 2)), Layout((3, m)))),
        (tile_to_shape, (Layout((2, 4)), (16 * n, k))),
        (right_inverse, (Layout((64, n), (n, 1)),)),
        (left_inverse, (Layout((k // 8, 8), (8, 1)),)),
        (left_inverse, (Layout((4, n), (1, 8)),)),
        (nullspace, (Layout((n, 4, m), (0, 1, 0)),)),
        (max_common_layout, (Layout((8, n)), Layout((8, n), (1, 16)))),
    ],
)
def test_the_symbolic_answer_is_the_numeric_one(
    operation: Callable[..., Any], operands: tuple[Any, ...]
) -> None:
    answer = operation(*operands)
    for numbers in VALUES:
        expected = offsets_of(operation(*valued(operands, numbers)))
        found = offsets_of(valued(answer, numbers))
        same = len(found) if operation is max_common_layout else len(expected)
        assert found[:same] == expected[:same], (numbers, answer)


def test_what_symbols_leave_open_is_refused() -> None:
    with pytest.raises(LayoutError, match=r"complement: got .*; needed strides of known order"):
        complement(Layout((4, 4), (n, m)), 24)
    with pytest.raises(LayoutError, match=r"complement: got .*; mode 4:2\*n \+ 1 interl"):
        complement(Layout((2, 4), (1, 2 * n + 1)), 24)
    with pytest.raises(LayoutError, match=r"logical_divide: got n:1 and 4:2; its tiles fill"):
        logical_divide(Layout(n), Layout(4, 2))
    with pytest.raises(LayoutError, match=r"logical_divide: got .*; composition: got .*; needed s"):
        logical_divide(Layout((n, m), (m, 1)), Layout(6))
    with pytest.raises(LayoutError, match=r"logical_product: got .*; needed strides of known sign"):
        logical_product(Layout(4), Layout((2, 2), (n - 3, 1)))
    with pytest.raises(LayoutError, match=r"max_common_layout: got .*; composition: got"):
        max_common_layout(Layout((n, m), (m, 1)), Layout(6))
