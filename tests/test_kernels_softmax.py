"""Softmax rows: against float64 within the stated bound, masked, hostile and strided ones."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from tensorlib.backends.c import CompiledKernel
from tensorlib.dtypes import DType
from tensorlib.kernels.expression import Apply, Expression, Leaf
from tensorlib.kernels.fold import roundings
from tensorlib.kernels.specs import Access, SoftmaxSpec
from tensorlib.lang.target import simdwidthof
from tensorlib.tests.spec_calls import Array, compiled, plain_call, same

F32, F64, INDEX = DType.float32, DType.float64, DType.int64


def softmax(dtype: DType = F32, prologue: Expression | None = None) -> SoftmaxSpec:
    """Rows of a matrix; halves are computed in float32."""
    kind = F64 if dtype is F64 else F32
    x, main = Leaf("load", 0, dtype), Leaf("main", 0, kind)
    row = Access(dtype, (None, 1))
    first = prologue or (x if kind is dtype else Apply("cast", (x,), kind))
    last = main if kind is dtype else Apply("cast", (main,), dtype)
    return SoftmaxSpec(1, kind, first, last, (row,), (), row)


@cache
def kernel(spec: SoftmaxSpec) -> CompiledKernel:
    return compiled([spec])[spec]


def run(spec: SoftmaxSpec, x: Array) -> Array:
    rows, n = x.shape
    return plain_call(spec, {"n0": rows, "m0": n}, {"load0": x}).check(kernel(spec))


def wide_softmax(x: Array) -> Array:
    x = x.astype(np.longdouble)
    with np.errstate(all="ignore"):
        powers = np.exp(x - x.max(axis=-1, keepdims=True))
        return powers / powers.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("n", [1, 2, 7, 8, 64, 1000, 49152])
@pytest.mark.parametrize("dtype", [F32, F64], ids=str)
def test_rows_stay_within_the_bound(dtype: DType, n: int) -> None:
    """4 ulp, and half an ulp for each addition and each unit below the greatest."""
    x = (np.random.default_rng(n).standard_normal((5, n)) * 8).astype(dtype.numpy)
    spec = softmax(dtype)
    got, want = run(spec, x).astype(np.longdouble), wide_softmax(x)
    steps = roundings(n, simdwidthof(dtype)) / 2 + (x.max(axis=1, keepdims=True) - x) / 2
    eps = float(np.finfo(dtype.numpy).eps)
    least = float(np.finfo(dtype.numpy).smallest_subnormal)
    reference = 1 if dtype is F64 and np.finfo(np.longdouble).nmant < 60 else 0
    assert (np.abs(got - want) <= (4 + steps * (1 + reference)) * eps * want + least).all()


@pytest.mark.parametrize("dtype", [DType.float16, DType.bfloat16], ids=str)
def test_halves_are_rounded_once(dtype: DType) -> None:
    x = (np.random.default_rng(1).standard_normal((3, 100)) * 4).astype(dtype.numpy)
    got, want = run(softmax(dtype), x), wide_softmax(x)
    distance = np.abs(got.astype(np.float64) - want.astype(np.float64))
    eps = 2.0**-10 if dtype is DType.float16 else 2.0**-7
    assert (distance <= 0.51 * eps * want.astype(np.float64) * 2 + 2.0**-25).all()


def test_hostile_rows_follow_the_formula() -> None:
    inf, nan, most = np.inf, np.nan, np.finfo(np.float32).max
    rows = [
        ([0, -inf, 0, -inf], [0.5, 0, 0.5, 0]),
        ([-inf] * 4, [nan] * 4),
        ([0, inf, 1, 2], [nan] * 4),
        ([0, nan, 1, 2], [nan] * 4),
        ([most, most, -most, 0], [0.5, 0.5, 0, 0]),
        ([-most] * 4, [0.25] * 4),
        ([1e-45, 0, -0.0, 0], [0.25] * 4),
        ([100, 0, -100, 100], [0.5, 0.5 * np.exp(-100), 0, 0.5]),
    ]
    for padding in (0, 1, 13):  # within a vector, and across several
        x = np.array([[*row, *[-inf] * padding] for row, _ in rows], np.float32)
        want = np.array([[*row, *[0.0] * padding] for _, row in rows], np.float32)
        want[1:4] = nan
        got = run(softmax(), x)
        np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-44)


def test_a_row_has_the_same_bits_alone_and_in_place() -> None:
    x = np.random.default_rng(2).standard_normal((9, 301)).astype(np.float32)
    spec = softmax()
    got = run(spec, x)
    assert same(np.stack([run(spec, x[k : k + 1])[0] for k in range(9)]), got)
    call = plain_call(spec, {"n0": 9, "m0": 301}, {"load0": x})
    call.operands = {**call.operands, "out": call.operands["load0"]}
    assert same(call.check(kernel(spec)), got)


def test_a_causal_mask_in_the_prologue() -> None:
    """Row r sees the columns up to r, as attention has it."""
    row, column = Leaf("iota", 0, INDEX), Leaf("iota", 1, INDEX)
    seen = Apply("less_equal", (column, row), DType.bool)
    least = Leaf("constant", 0, F32, -np.inf)
    spec = softmax(prologue=Apply("where", (seen, Leaf("load", 0, F32), least), F32))
    x = np.random.default_rng(3).standard_normal((40, 40)).astype(np.float32)
    masked = np.where(np.tri(40, dtype=bool), x, -np.inf).astype(np.float32)
    got = run(spec, x)
    np.testing.assert_allclose(got, wide_softmax(masked).astype(np.float32), rtol=2e-6)
    assert same(got, run(softmax(), masked))
    for row in range(40):  # what is masked changes no bit
        assert same(got[row, : row + 1], run(softmax(), x[row : row + 1, : row + 1])[0])


def test_no_rows_and_no_columns() -> None:
    assert run(softmax(), np.zeros((0, 5), np.float32)).shape == (0, 5)
    assert run(softmax(), np.zeros((5, 0), np.float32)).shape == (5, 0)
