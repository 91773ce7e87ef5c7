"""The NumPy meaning of every row: against float64, and without undefined cases."""

from __future__ import annotations

import warnings
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tensorlib.dtypes import DType, as_dtype
from tensorlib.ops import OPS, PackedArray

FLOATS = ["float16", "bfloat16", "float32", "float64"]
BOUND = {"float16": 2**-10, "bfloat16": 2**-7, "float32": 4e-7, "float64": 1e-15}
ORACLE: dict[str, Any] = {
    "negative": np.negative, "abs": np.abs, "square": np.square, "sqrt": np.sqrt,
    "reciprocal": np.reciprocal, "sign": np.sign, "floor": np.floor, "ceil": np.ceil,
    "trunc": np.trunc, "round": np.round, "exp": np.exp, "log": np.log, "sin": np.sin,
    "cos": np.cos, "tanh": np.tanh, "rsqrt": lambda x: 1 / np.sqrt(x),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)), "silu": lambda x: x / (1 + np.exp(-x)),
    "add": np.add, "subtract": np.subtract, "multiply": np.multiply, "divide": np.divide,
    "maximum": np.maximum, "minimum": np.minimum, "pow": np.power, "remainder": np.remainder,
    "floor_divide": np.floor_divide,
}  # fmt: skip


def run(op: str, *arrays: Any, **attributes: Any) -> Any:
    meaning = OPS[op].meaning
    assert meaning is not None
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # no meaning warns: overflow and NaN are values
        return meaning(*arrays, **attributes)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("op", sorted(ORACLE))
def test_float_meanings_are_near_float64(op: str, dtype: str) -> None:
    """Error at most one unit in the last place of the dtype (four for float32 functions)."""
    generator = np.random.default_rng(0)
    x = generator.uniform(0.1, 4, 500).astype(as_dtype(dtype).numpy)
    y = generator.uniform(0.3, 2, 500).astype(as_dtype(dtype).numpy)
    operands = (x, y)[: OPS[op].arity]
    got = run(op, *operands)
    assert got.dtype == as_dtype(dtype).numpy
    want = ORACLE[op](*(o.astype(np.float64) for o in operands))
    np.testing.assert_allclose(got.astype(np.float64), want, rtol=BOUND[dtype], atol=1e-30)


@pytest.mark.parametrize("op", ["add", "subtract", "multiply", "divide", "sqrt"])
@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_halves_are_rounded_once(op: str, dtype: Any) -> None:
    generator = np.random.default_rng(1)
    x, y = (generator.uniform(0, 9, 300).astype(dtype) for _ in range(2))
    operands = (x, y)[: OPS[op].arity]
    wide = [o.astype(np.float32) for o in operands]
    want = ORACLE[op](*wide).astype(dtype)
    assert np.array_equal(run(op, *operands), want)


INTEGERS = arrays(np.int8, 20, elements=st.integers(-128, 127))


@given(INTEGERS, INTEGERS)
def test_integer_division_is_pythons_and_never_traps(a: Any, b: Any) -> None:
    quotients, remainders = run("floor_divide", a, b), run("remainder", a, b)
    for x, y, q, r in zip(a.tolist(), b.tolist(), quotients, remainders, strict=True):
        wide = (x // y, x % y) if y else (0, 0)
        assert (int(q), int(r)) == ((wide[0] + 128) % 256 - 128, wide[1])


@given(INTEGERS, INTEGERS)
def test_integer_powers_are_pythons_truncated_and_wrapped(a: Any, b: Any) -> None:
    b = np.where(b > 20, np.int8(20), b)
    for x, n, p in zip(a.tolist(), b.tolist(), run("pow", a, b), strict=True):
        exact = x**n if n >= 0 else 0 if x == 0 else int(x**n)
        assert int(p) == (exact + 128) % 256 - 128


@given(INTEGERS, INTEGERS)
def test_shifts_outside_the_width(a: Any, b: Any) -> None:
    left, right = run("bitwise_left_shift", a, b), run("bitwise_right_shift", a, b)
    for x, n, shifted, halved in zip(a.tolist(), b.tolist(), left, right, strict=True):
        inside = 0 <= n < 8
        assert int(shifted) == (((x << n) + 128) % 256 - 128 if inside else 0)
        assert int(halved) == (x >> n if inside else -1 if x < 0 else 0)


def test_unsigned_shifts_and_division_by_zero() -> None:
    x, y = np.array([200, 7], np.uint8), np.array([9, 0], np.uint8)
    assert run("bitwise_right_shift", x, y).tolist() == [0, 7]
    assert run("floor_divide", x, y).tolist() == [22, 0]
    assert run("remainder", x, y).tolist() == [2, 0]


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64", "uint64"])
def test_floats_saturate_into_integers(dtype: str) -> None:
    limits = np.iinfo(dtype)
    x = np.array([np.nan, np.inf, -np.inf, 1e30, -1e30, -1.9, 2.9])
    low = 0 if limits.min == 0 else -1
    want = [0, limits.max, limits.min, limits.max, limits.min, low, 2]
    assert run("cast", x, dtype=as_dtype(dtype)).tolist() == want


def test_casts_to_bool_and_of_integers() -> None:
    assert run("cast", np.array([0.0, -0.0, np.nan, 0.5]), dtype=DType.bool).tolist() == [
        False, False, True, True,
    ]  # fmt: skip
    assert run("cast", np.array([300, -1]), dtype=DType.uint8).tolist() == [44, 255]
    assert run("cast", np.array([True, False]), dtype=DType.float32).tolist() == [1.0, 0.0]


def test_nan_wins_in_maximum_and_max() -> None:
    a, b = np.array([np.nan, 1.0, 2.0]), np.array([1.0, np.nan, 3.0])
    assert np.array_equal(run("maximum", a, b), [np.nan, np.nan, 3.0], equal_nan=True)
    assert np.array_equal(run("minimum", a, b), [np.nan, np.nan, 2.0], equal_nan=True)
    assert np.isnan(run("max", a, axes=(0,), keepdims=False))
    assert run("argmax", b, axes=(0,), keepdims=False) == 1


def test_rounding_leaves_integers_alone() -> None:
    x = np.array([-3, 4], np.int16)
    for op in ("floor", "ceil", "trunc", "round"):
        assert run(op, x) is x
    assert run("round", np.array([0.5, 1.5, -2.5])).tolist() == [0.0, 2.0, -2.0]


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
@pytest.mark.parametrize("op", ["sum", "mean"])
def test_halves_are_accumulated_in_float32(op: str, dtype: Any) -> None:
    x = np.full(5000, 0.1, dtype)
    got = run(op, x, axes=(0,), keepdims=False)
    want = getattr(np, op)(x.astype(np.float64))
    assert got.dtype == dtype
    assert abs(float(got) - want) <= BOUND["bfloat16"] * want


def test_small_integers_are_summed_in_64_bits() -> None:
    x = np.full((2, 3), 100, np.int8)
    assert run("sum", x, axes=(1,), keepdims=True).tolist() == [[300], [300]]
    assert run("sum", x, axes=(0, 1), keepdims=False).dtype == np.int64
    assert run("prod", x.astype(np.uint8), axes=(1,), keepdims=False).dtype == np.uint64


def test_softmax_is_stable_and_sums_to_one() -> None:
    x = np.array([[1000.0, 1001.0], [-np.inf, 0.0]])
    got = run("softmax", x, axis=1)
    np.testing.assert_allclose(got, np.array([[0.26894142, 0.73105858], [0, 1]]), rtol=1e-7)
    assert run("softmax", x.astype(ml_dtypes.bfloat16), axis=0).dtype == ml_dtypes.bfloat16


def test_matmul_of_halves_accumulates_in_float32() -> None:
    a = np.full((1, 4096), 0.1, np.float16)
    got = run("matmul", a, a.T)
    np.testing.assert_allclose(float(got[0, 0]), 4096 * float(a[0, 0]) ** 2, rtol=1e-3)
    assert got.dtype == np.float16


def test_take_wraps_and_marks_what_is_outside() -> None:
    x = np.arange(6.0).reshape(3, 2)
    got = run("take", x, np.array([-1, 0, 7, -9]), axis=0)
    assert got[:2].tolist() == [[4, 5], [0, 1]]
    assert np.isnan(got[2:]).all()
    assert run("take", np.array([3, 4]), np.array([2, -1]), axis=0).tolist() == [0, 4]


def test_slices_of_both_directions() -> None:
    x = np.arange(10)
    for start, step, count in [(0, 1, 10), (9, -1, 10), (8, -3, 3), (1, 4, 3), (3, 1, 0)]:
        got = run("slice", x, starts=(start,), steps=(step,), shape=(count,))
        assert got.tolist() == [start + k * step for k in range(count)]


def q8_0(values: Any) -> Any:
    """Pack rows of whole numbers with the scale 0.5."""
    blocks = values.reshape(-1, 32).astype(np.int8)
    scales = np.full((len(blocks), 1), 0.5, np.float16).view(np.uint8)
    return np.concatenate([scales, blocks.view(np.uint8)], axis=1).reshape(-1)


def test_packed_operands_are_decoded() -> None:
    whole = np.random.default_rng(2).integers(-100, 100, (4, 64))
    packed = PackedArray(q8_0(whole), DType.q8_0, (4, 64))
    want = whole.astype(np.float32) * 0.5
    assert np.array_equal(run("cast", packed, dtype=DType.float32), want)
    flipped = run("permute_dims", packed, axes=(1, 0))
    assert flipped.shape == (64, 4)
    assert run("permute_dims", flipped, axes=(1, 0)).shape == (4, 64)
    x = np.ones((2, 64), np.float32)
    np.testing.assert_allclose(run("matmul", x, flipped), x @ want.T)
    rows = np.array([[3, 0], [-1, 1]])
    assert np.array_equal(run("take", packed, rows, axis=0), want[rows])
    assert np.array_equal(run("take", packed, np.array([5]), axis=1), want[:, [5]])
    line = PackedArray(q8_0(whole[:1]), DType.q8_0, (64,))
    assert np.array_equal(run("take", line, np.array([7]), axis=0), want[0, [7]])
