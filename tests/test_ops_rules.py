"""Shape and dtype rules of the table, on sizes that are numbers or symbols; every error
sentence.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorlib.dtypes import DType
from tensorlib.errors import DTypeError, ShapeError
from tensorlib.layouts.dim import Dim
from tensorlib.ops import OPS
from tensorlib.ops.shapes import axis_number, axis_numbers, broadcast_shapes, broadcasts, elements

n = Dim("n")


def shape(op: str, *shapes: Any, **attributes: Any) -> Any:
    return OPS[op].shape(shapes, attributes)


def dtype(op: str, *dtypes: DType, **attributes: Any) -> DType:
    return OPS[op].dtype(dtypes, attributes)


def test_every_row_is_named_and_complete() -> None:
    kinds = [
        "elementwise",
        "create",
        "movement",
        "reduce",
        "contract",
        "softmax",
        "index",
        "join",
        "part",
        "state",
        "scan",
    ]
    for name, row in OPS.items():
        if row.kernel is not None:
            continue  # a user's function
        assert row.name == name
        assert row.kind in kinds
        assert (row.meaning is None) == (name == "input")


SIZES = st.lists(st.sampled_from([1, 2, 3]), max_size=4).map(tuple)


@given(SIZES, SIZES)
def test_broadcasting_agrees_with_numpy(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    try:
        want = np.broadcast_shapes(a, b)
    except ValueError:
        with pytest.raises(ShapeError):
            broadcast_shapes("add", a, b)
    else:
        assert broadcast_shapes("add", a, b) == want
        assert broadcasts(a, want)
        assert broadcasts(b, want)


def test_symbolic_sizes_pass_the_rules() -> None:
    assert broadcast_shapes("add", (n, 1), (1, 4)) == (n, 4)
    assert shape("matmul", (n, 8), (8, 3)) == (n, 3)
    assert shape("matmul", (2, 1, n, 8), (5, 8, n + 1)) == (2, 5, n, n + 1)
    assert shape("reshape", (n, 6), shape=(2, 3 * n)) == (2, 3 * n)
    assert shape("concat", (n, 2), (3, 2), axis=0) == (n + 3, 2)
    assert shape("slice", (10, 4), starts=(n, 0), steps=(1, 1), shape=(2, 4)) == (2, 4)
    assert shape("update", (10, 4), (n, 4), axis=0, start=Dim("p")) == (10, 4)
    assert shape("take", (7, 4), (n,), axis=0) == (n, 4)
    assert elements((n, n, 2)) == 2 * n * n


def test_result_dtypes() -> None:
    f32, i8 = DType.float32, DType.int8
    assert dtype("matmul", f32, DType.q4_1) is f32
    assert dtype("matmul", DType.bfloat16, DType.q4_1) is f32
    assert dtype("take", DType.q8_0, DType.int64) is f32
    assert dtype("equal", f32, f32) is DType.bool
    assert dtype("abs", DType.complex64) is f32
    assert dtype("mean", i8) is DType.float64
    assert dtype("sum", DType.uint8) is DType.uint64
    assert dtype("argmax", f32) is DType.int64


ERRORS = [
    (ShapeError, lambda: shape("add", (2,), (3,)), "elementwise: got shapes (2,), (3,), needed one shape"),  # noqa: E501
    (ShapeError, lambda: broadcast_shapes("add", (4, 2), (3, 2)), "add: got shapes (4, 2) and (3, 2); sizes 4 and 3 on axis -2 must be equal or 1"),  # noqa: E501
    (ShapeError, lambda: axis_number("sum", 2, 2), "sum: got axis 2, needed -2 to 1 for 2 axes"),
    (ShapeError, lambda: axis_numbers("sum", (0, -2), 2), "sum: got axes (0, -2), which name one axis twice"),  # noqa: E501
    (ShapeError, lambda: shape("reshape", (n, 4), shape=(n, 3)), "reshape: got shape (n, 4) to (n, 3); 4*n elements don't fill 3*n"),  # noqa: E501
    (ShapeError, lambda: shape("permute_dims", (2, 3), axes=(0, 0)), "permute_dims: got axes (0, 0) for shape (2, 3); needed each of 0 to 1 once"),  # noqa: E501
    (ShapeError, lambda: shape("broadcast_to", (2,), shape=(3,)), "broadcast_to: got shape (2,) to (3,); sizes must be equal or 1, counted from the last axis"),  # noqa: E501
    (ShapeError, lambda: shape("slice", (4,), starts=(2,), steps=(1,), shape=(3,)), "slice: got start 2, step 1 and size 3 on an axis of size 4; every index must lie inside"),  # noqa: E501
    (ShapeError, lambda: shape("slice", (4, 4), starts=(2,), steps=(1,), shape=(3,)), "slice: got 1 starts for shape (4, 4)"),  # noqa: E501
    (ShapeError, lambda: shape("max", (0, 2), axes=(0,), keepdims=False), "max: got shape (0, 2), needed at least one element"),  # noqa: E501
    (ShapeError, lambda: shape("matmul", (4, 8), (7, 3)), "matmul: got shapes (4, 8) and (7, 3); the inner sizes 8 and 7 must be equal"),  # noqa: E501
    (ShapeError, lambda: shape("matmul", (), (7, 3)), "matmul: got shapes () and (7, 3); each needs at least one axis"),  # noqa: E501
    (ShapeError, lambda: shape("take", (0, 2), (1,), axis=0), "take: got shape (0, 2); axis 0 has nothing to take"),  # noqa: E501
    (ShapeError, lambda: shape("concat", (2, 3), (2, 4), axis=0), "concat: got shapes (2, 3) and (2, 4); all sizes but those of axis 0 must be equal"),  # noqa: E501
    (ShapeError, lambda: shape("update", (8, 3), (2, 4), axis=0, start=0), "update: got state (8, 3) and value (2, 4); all sizes but those of axis 0 must be equal"),  # noqa: E501
    (ShapeError, lambda: shape("update", (8, 3), (2, 3), axis=0, start=7), "update: got positions 7 to 9 of axis 0, needed them inside 0 to 8"),  # noqa: E501
    (DTypeError, lambda: dtype("cast", DType.float32, dtype=DType.q4_0), "cast: got packed dtype q4_0, needed an unpacked one"),  # noqa: E501
    (DTypeError, lambda: dtype("cast", DType.complex64, dtype=DType.float32), "cast: got complex64 to float32; complex casts to complex only"),  # noqa: E501
    (DTypeError, lambda: dtype("max", DType.complex64), "max: got dtype complex64, which has no order"),  # noqa: E501
    (DTypeError, lambda: dtype("matmul", DType.bool, DType.bool), "matmul: got bool and bool, needed numbers; try astype(int64)"),  # noqa: E501
    (DTypeError, lambda: dtype("softmax", DType.int8), "softmax: got dtype int8, needed a float dtype"),  # noqa: E501
    (DTypeError, lambda: dtype("take", DType.int8, DType.bool), "take: got indices of dtype bool, needed an integer dtype"),  # noqa: E501
    (DTypeError, lambda: dtype("concat", DType.int8, DType.bool), "concat: got dtypes int8, bool, needed one"),  # noqa: E501
    (DTypeError, lambda: dtype("update", DType.float16, DType.float32), "update: got a float32 value for a float16 state; try astype(float16)"),  # noqa: E501
    (DTypeError, lambda: dtype("reshape", DType.q4_0), "reshape: got packed dtype q4_0"),
]  # fmt: skip


@pytest.mark.parametrize(("error", "call", "sentence"), ERRORS, ids=[e[2][:40] for e in ERRORS])
def test_error_sentences(error: type[Exception], call: Any, sentence: str) -> None:
    with pytest.raises(error, match=re.escape(sentence)):
        call()
