"""Reductions against float64: error bounds, columns, empty rows, ties, NaN, spread."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest

from tensorlib.backends.c import CompiledKernel
from tensorlib.dtypes import DType
from tensorlib.kernels.expression import Apply, Expression, Leaf
from tensorlib.kernels.fold import neutral, roundings
from tensorlib.kernels.reduce import along_columns
from tensorlib.kernels.specs import Access, ReduceSpec
from tensorlib.lang.target import simdwidthof
from tensorlib.tests.random_expressions import DTYPES, hostile
from tensorlib.tests.spec_calls import Array, Call, compiled, plain_call, same

F32, F64, INDEX = DType.float32, DType.float64, DType.int64
Strides = tuple[int | None, ...]
ROWS, COLUMNS = ((None, 1), 1), ((1, None), 1)  # strides over (outer, inner), outer rank


def reduction(op: str, dtype: DType, shape: tuple[Strides, int] = ROWS) -> ReduceSpec:
    """out[o] = op over i of load0[o, i]"""
    strides, outer = shape
    result = INDEX if op.startswith("arg") else dtype
    store = Access(result, (1,) * min(outer, 1) if outer < 2 else (None, 1))
    return ReduceSpec(
        op, outer, len(strides) - outer, dtype, Leaf("load", 0, dtype),
        Leaf("main", 0, result), None, (Access(dtype, strides),), (), (), store,
    )  # fmt: skip


def call_over(spec: ReduceSpec, array: Array) -> Call:
    """Reduce the inner axes of `array`, whose axes are the outer and the inner ones."""
    names = [f"n{k}" for k in range(spec.outer_rank)] + [f"m{k}" for k in range(spec.inner_rank)]
    return plain_call(spec, dict(zip(names, array.shape, strict=True)), {"load0": array})


@cache
def kernel(spec: ReduceSpec) -> CompiledKernel:
    return compiled([spec])[spec]


def run(spec: ReduceSpec, array: Array) -> Array:
    return call_over(spec, array).check(kernel(spec))


# --- sums ---


@pytest.mark.parametrize("n", [1, 7, 64, 1000, 49152, 200_003])
@pytest.mark.parametrize("shape", [ROWS, COLUMNS, ((1,), 0)], ids=["rows", "columns", "whole"])
@pytest.mark.parametrize("dtype", [F32, F64], ids=str)
def test_sums_stay_within_the_bound(dtype: DType, shape: Any, n: int) -> None:
    """At most `roundings(n, lanes)` half ulps of sum(|x|), columns as one lane."""
    rng = np.random.default_rng(n)
    spec = reduction("sum", dtype, shape)
    full = (n,) if spec.outer_rank == 0 else (3, n)
    x = (rng.standard_normal(full) * np.exp(rng.normal(0, 3, full))).astype(dtype.numpy)
    got = run(spec, x).astype(np.longdouble)
    want = x.astype(np.longdouble).sum(axis=-1)
    lanes = 1 if along_columns(spec) else simdwidthof(dtype)
    eps = float(np.finfo(dtype.numpy).eps)
    bound = roundings(n, lanes) * eps / 2 * np.abs(x).astype(np.longdouble).sum(axis=-1)
    assert (np.abs(got - want) <= bound + eps * np.abs(want) / 2).all()


def test_sums_over_two_axes_stay_within_the_bound() -> None:
    """Every row adds its blocks to the rest."""
    x = np.random.default_rng(0).standard_normal((3, 300, 1100)).astype(np.float32)
    for strides in ((None, None, 1), (1, None, None)):
        spec = reduction("sum", F32, (strides, 1))
        got, want = run(spec, x), x.astype(np.float64).sum(axis=(1, 2))
        lanes = 1 if along_columns(spec) else simdwidthof(F32)
        bound = roundings(1100, lanes, 300) * 2.0**-24 * np.abs(x).sum(axis=(1, 2))
        assert (np.abs(got - want) <= bound).all()


def test_a_long_sum_of_floats_is_far_better_than_one_by_one() -> None:
    x = np.full((1, 1_000_000), 0.1, np.float32)
    assert abs(float(run(reduction("sum", F32), x)[0]) - 1e6 * float(np.float32(0.1))) < 1


@pytest.mark.parametrize("shape", [ROWS, COLUMNS], ids=["rows", "columns"])
@pytest.mark.parametrize("dtype", [d for d in DTYPES if d.is_integer], ids=str)
def test_integer_sums_and_products_wrap_around(dtype: DType, shape: Any) -> None:
    x = hostile(dtype, 3 * 301, np.random.default_rng(1)).reshape(3, 301)
    for op in ("sum", "prod"):
        spec = reduction(op, dtype, shape)
        with np.errstate(all="ignore"):
            want = getattr(np, op)(x, axis=1, dtype=x.dtype)
        assert same(run(spec, x), want)


# --- which kernel ---


def test_columns_are_chosen_where_the_outer_axis_is_the_contiguous_one() -> None:
    assert not along_columns(reduction("sum", F32, ROWS))
    assert along_columns(reduction("sum", F32, COLUMNS))
    assert along_columns(reduction("sum", F32, ((None, 1, None), 2)))
    assert not along_columns(reduction("argmax", F32, COLUMNS))
    assert not along_columns(reduction("sum", F32, ((None, None), 1)))


@pytest.mark.parametrize("outer", [1, 3, 8, 31, 32, 33, 100])
@pytest.mark.parametrize("op", ["sum", "max", "min", "prod"])
def test_columns_equal_rows(op: str, outer: int) -> None:
    x = np.random.default_rng(outer).integers(-3, 4, (outer, 37)).astype(np.float32)
    across, down = run(reduction(op, F32, ROWS), x), run(reduction(op, F32, COLUMNS), x)
    assert np.array_equal(across, down)


def test_columns_between_other_axes() -> None:
    """The middle axis of three, and two inner axes around the outer one."""
    x = np.random.default_rng(0).integers(-9, 9, (3, 70, 5, 2)).astype(np.float32)
    spec = reduction("sum", F32, ((None, 1, None), 2))
    assert np.array_equal(run(spec, x[..., 0]), x[..., 0].sum(axis=-1))
    spec = reduction("sum", F32, ((1, None, None), 1))
    assert np.array_equal(run(spec, x[0]), x[0].sum(axis=(1, 2)))


def test_strides_change_no_bit_of_a_row() -> None:
    x = np.random.default_rng(4).standard_normal((5, 1001)).astype(np.float32)
    spec = reduction("sum", F32, ((None, None), 1))
    want = run(reduction("sum", F32, ROWS), x)
    assert same(run(spec, x), want)
    call = call_over(spec, np.repeat(x, 3, axis=1)[:, : 3 * 1001])
    call.sizes = {"n0": 5, "m0": 1001}
    call.operands["load0"].strides = (3003, 3)
    assert same(call.check(kernel(spec)), want)
    alone = np.stack([run(spec, x[k : k + 1])[0] for k in range(5)])
    assert same(alone, want)


# --- max, min, any, all ---

ORDERED = [d for d in DTYPES if d is not DType.bool]


@pytest.mark.parametrize("shape", [ROWS, COLUMNS], ids=["rows", "columns"])
@pytest.mark.parametrize("dtype", [d for d in ORDERED if d.bits != 16 or not d.is_float], ids=str)
def test_extremes_are_numpys_with_nan(dtype: DType, shape: Any) -> None:
    rng = np.random.default_rng(2)
    for n in (1, 2, 33, 257):
        x = hostile(dtype, 4 * n, rng).reshape(4, n)
        for op in ("max", "min"):
            with np.errstate(all="ignore"):
                want = getattr(np, op)(x, axis=1)
            assert np.array_equal(
                run(reduction(op, dtype, shape), x), want, equal_nan=dtype.is_float
            )


@pytest.mark.parametrize("shape", [ROWS, COLUMNS], ids=["rows", "columns"])
def test_any_and_all(shape: Any) -> None:
    x = np.zeros((5, 67), bool)
    x[1], x[2, 66], x[3, :66], x[4, 0] = True, True, True, True
    for op in ("any", "all", "max", "min"):
        name = {"max": "any", "min": "all"}.get(op, op)
        want = getattr(np, name)(x, axis=1)
        assert np.array_equal(run(reduction(op, DType.bool, shape), x), want)


@pytest.mark.parametrize("op", ["sum", "prod", "max", "min", "any", "all", "argmax", "argmin"])
@pytest.mark.parametrize("shape", [ROWS, COLUMNS], ids=["rows", "columns"])
def test_over_no_elements(op: str, shape: Any) -> None:
    """The neutral element: also the least and greatest number, and index 0."""
    dtype = DType.bool if op in ("any", "all") else F32
    x = np.zeros((3, 0), dtype.numpy)
    want = 0 if op.startswith("arg") else neutral(op, dtype)
    assert run(reduction(op, dtype, shape), x).tolist() == [want] * 3
    assert run(reduction(op, dtype, shape), np.zeros((0, 5), dtype.numpy)).tolist() == []


def test_neutral_elements_of_integers() -> None:
    assert neutral("max", DType.int8) == -128
    assert neutral("min", DType.uint16) == 65535
    assert (neutral("max", DType.bool), neutral("min", DType.bool)) == (False, True)


# --- argmax, argmin ---


@pytest.mark.parametrize("n", [1, 7, 8, 9, 65, 1000])
@pytest.mark.parametrize("dtype", [*ORDERED, DType.bool], ids=str)
def test_argmax_finds_the_first_of_ties_and_of_nans(dtype: DType, n: int) -> None:
    rng = np.random.default_rng(n)
    rows = [hostile(dtype, n, rng) for _ in range(4)]
    rows.append(rng.integers(0, 2, n).astype(dtype.numpy))  # ties
    rows.append(np.full(n, rows[0][0]))
    if dtype.is_float:
        rows.append(np.where(np.arange(n) >= n - 2, dtype.numpy.type(np.nan), rows[4]))
        rows.append(np.full(n, dtype.numpy.type(-np.inf)))
    x = np.stack(rows)
    with np.errstate(invalid="ignore"):  # of signalling NaNs
        wide = x.astype(np.float64) if dtype.is_float else x
    for op in ("argmax", "argmin"):
        assert np.array_equal(run(reduction(op, dtype), x), getattr(np, op)(wide, axis=1))


@pytest.mark.parametrize("where", [0, 1, 8, 4095, 49144, 49151])
def test_argmax_over_a_vocabulary(where: int) -> None:
    x = np.random.default_rng(where).uniform(-1, 1, (1, 49152)).astype(np.float32)
    x[0, where] = 2
    assert run(reduction("argmax", F32), x)[0] == where
    assert run(reduction("argmin", F32), -x)[0] == where


def test_argmax_counts_inner_axes_in_row_major_order() -> None:
    x = np.random.default_rng(3).uniform(-1, 1, (2, 5, 19)).astype(np.float32)
    x[0, 3, 2], x[1, 4, 18] = 5, 5
    assert run(reduction("argmax", F32, ((None, None, 1), 1)), x).tolist() == [3 * 19 + 2, 94]
    spec = reduction("argmax", F32, ((None, 1, None), 1))  # rows are gathered
    assert run(spec, x).tolist() == [3 * 19 + 2, 94]


# --- with what comes before and after ---


def rms_norm() -> ReduceSpec:
    """x * rsqrt(mean(x * x) + eps) * weight; scalars are the count and eps"""

    def apply(op: str, *arguments: Expression) -> Expression:
        return Apply(op, arguments, F32)

    x, weight, main = Leaf("load", 0, F32), Leaf("load", 1, F32), Leaf("main", 0, F32)
    scalars = [apply("cast", Leaf("scalar", k, d)) for k, d in enumerate((INDEX, F64))]
    value = apply("rsqrt", apply("add", apply("divide", main, scalars[0]), scalars[1]))
    spread = apply("multiply", apply("multiply", x, main), weight)
    loads = (Access(F32, (None, 1)), Access(F32, (0, 1)))
    return ReduceSpec(
        "sum", 1, 1, F32, apply("multiply", x, x), value, spread, loads, (), (INDEX, F64),
        Access(F32, (None, 1)),
    )  # fmt: skip


def norm_call(x: Array, weight: Array, *, in_place: bool = False) -> Call:
    rows, width = x.shape
    arrays = {"load0": x, "load1": weight.reshape(1, -1)}
    scalars: Sequence[int | float] = (width, 1e-5)
    call = plain_call(rms_norm(), {"n0": rows, "m0": width}, arrays, scalars=scalars)
    if in_place:
        call.operands = {**call.operands, "out": call.operands["load0"]}
    return call


@pytest.mark.parametrize("width", [5, 64, 576, 1000])
def test_rms_norm_against_float64(width: int) -> None:
    """A few roundings beside the sum's: 6 ulp."""
    rng = np.random.default_rng(width)
    x, w = rng.standard_normal((7, width)).astype(np.float32), rng.standard_normal(width)
    w = w.astype(np.float32)
    spec = rms_norm()
    got = norm_call(x, w).check(compiled([spec])[spec])
    wide = x.astype(np.float64)
    want = wide / np.sqrt((wide * wide).mean(axis=1, keepdims=True) + 1e-5) * w
    assert np.abs(got / want - 1).max() < (6 + roundings(width, 8) / 4) * 2**-24 * 2
    # Row by row, and in place: the same bits.
    kernel = compiled([spec])[spec]
    alone = [norm_call(x[k : k + 1], w).check(kernel)[0] for k in range(7)]
    assert same(np.stack(alone), got)
    assert same(norm_call(x, w, in_place=True).check(kernel), got)
