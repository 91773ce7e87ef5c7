"""Promotion: the Array API's table within a kind, NumPy's answers between kinds, weak scalars."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tensorlib.dtypes import DType, as_dtype
from tensorlib.errors import DTypeError
from tensorlib.ops.promotion import domain_dtype, promote, weak_dtype

PLAIN = [d for d in DType.by_name.values() if not d.is_packed and not d.is_coded]
SHARED = [d for d in PLAIN if d is not DType.bfloat16]


@pytest.mark.parametrize(("a", "b"), list(itertools.product(SHARED, SHARED)))
def test_promotion_agrees_with_numpy(a: DType, b: DType) -> None:
    assert promote(a, b) is as_dtype(np.promote_types(a.numpy, b.numpy))


@pytest.mark.parametrize(("a", "b"), list(itertools.product(PLAIN, PLAIN)))
def test_promotion_is_commutative_and_absorbs(a: DType, b: DType) -> None:
    assert promote(a, b) is promote(b, a)
    assert promote(promote(a, b), a) is promote(a, b)


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ("bool", "bfloat16"),
        ("int8", "bfloat16"),
        ("uint8", "bfloat16"),
        ("int16", "float32"),
        ("uint32", "float64"),
        ("float16", "float32"),
        ("float32", "float32"),
        ("float64", "float64"),
        ("complex64", "complex64"),
    ],
)
def test_promotion_of_bfloat16(other: str, expected: str) -> None:
    assert promote(DType.bfloat16, as_dtype(other)) is as_dtype(expected)


@pytest.mark.parametrize(
    ("dtype", "scalar", "expected"),
    [
        ("float32", 2, "float32"),
        ("float32", 2.5, "float32"),
        ("bfloat16", 2.5, "bfloat16"),
        ("int8", 2, "int8"),
        ("int8", True, "int8"),
        ("int8", 2.5, "float64"),
        ("bool", 2, "int64"),
        ("bool", 2.5, "float64"),
        ("float32", 1j, "complex64"),
        ("float64", 1j, "complex128"),
        ("int8", 1j, "complex128"),
    ],
)
def test_python_scalars_are_weak(dtype: str, scalar: complex, expected: str) -> None:
    assert weak_dtype(as_dtype(dtype), scalar) is as_dtype(expected)


def test_scalars_outside_the_dtype_are_refused() -> None:
    message = r"scalar: got 300, outside int8 \(-128 to 127\); try astype of a wider dtype"
    with pytest.raises(DTypeError, match=message):
        weak_dtype(DType.int8, 300)
    with pytest.raises(DTypeError, match="scalar: got 'a', needed a bool, int, float or complex"):
        weak_dtype(DType.int8, "a")


def test_domains_cast_or_refuse() -> None:
    assert domain_dtype("exp", "float", DType.int8) is DType.float64
    assert domain_dtype("exp", "float", DType.bfloat16) is DType.bfloat16
    assert domain_dtype("logical_and", "bool", DType.float32) is DType.bool
    with pytest.raises(DTypeError, match=r"add: got dtype bool, needed a number; try astype"):
        domain_dtype("add", "number", DType.bool)
    with pytest.raises(DTypeError, match="less: got dtype complex64, needed a real dtype"):
        domain_dtype("less", "real", DType.complex64)
    with pytest.raises(
        DTypeError, match="bitwise_or: got dtype float32, needed an integer dtype or"
    ):
        domain_dtype("bitwise_or", "bits", DType.float32)
    with pytest.raises(DTypeError, match="bitwise_left_shift: got dtype bool, needed an integer d"):
        domain_dtype("bitwise_left_shift", "integer", DType.bool)


def test_packed_dtypes_have_no_arithmetic() -> None:
    message = (
        "add: got packed dtype q4_0; packed tensors serve matmul, take and permute_dims, "
        r"for the rest try astype\(float32\)"
    )
    with pytest.raises(DTypeError, match=message):
        domain_dtype("add", "number", DType.q4_0)
    with pytest.raises(DTypeError, match="promote: got packed dtype q8_0"):
        promote(DType.q8_0, DType.float32)
