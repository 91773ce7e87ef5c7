"""Elementwise kernels: views of all strides, tails, masks over other widths, in place."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from tensorlib.backends.c import CompiledKernel
from tensorlib.dtypes import DType
from tensorlib.kernels.expression import Apply, Expression, Leaf
from tensorlib.kernels.specs import Access, ElementwiseSpec
from tensorlib.tests.random_expressions import DTYPES, hostile
from tensorlib.tests.spec_calls import Memory, Operand, compiled, plain_call, same

F32, F64, INDEX = DType.float32, DType.float64, DType.int64


@cache
def kernel(spec: ElementwiseSpec) -> CompiledKernel:
    return compiled([spec])[spec]


def unary(op: str, dtype: DType = F32) -> ElementwiseSpec:
    access = Access(dtype, (1,))
    return ElementwiseSpec(1, Apply(op, (Leaf("load", 0, dtype),), dtype), (access,), (), access)


@pytest.mark.parametrize("n", [0, 1, 7, 8, 9, 31, 32, 33, 1000, 100_001])
def test_every_size_on_every_number_of_threads(n: int) -> None:
    x = np.random.default_rng(n).standard_normal(n).astype(np.float32)
    spec = unary("square")
    assert same(plain_call(spec, {"n0": n}, {"load0": x}).check(kernel(spec)), x * x)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_copies_move_bits(dtype: DType) -> None:
    """NaN payloads apart, an element that is only moved keeps its bits."""
    access = Access(dtype, (1,))
    spec = ElementwiseSpec(1, Leaf("load", 0, dtype), (access,), (), access)
    x = hostile(dtype, 777, np.random.default_rng(1))
    assert same(plain_call(spec, {"n0": 777}, {"load0": x}).check(kernel(spec)), x)


def test_a_scalar_is_rank_0() -> None:
    access = Access(F64, ())
    value = Apply("add", (Leaf("load", 0, F64), Leaf("scalar", 0, F64)), F64)
    spec = ElementwiseSpec(0, value, (access,), (F64,), access)
    call = plain_call(spec, {}, {"load0": np.array(2.5)}, scalars=(0.25,))
    assert call.check(kernel(spec)) == 2.75


# --- views ---


def test_reversed_and_transposed_reads_and_writes() -> None:
    """out.T[::-1] = x[:, ::-2] over one buffer each, with gaps that stay as they were."""
    access = Access(F32, (None, None))
    spec = ElementwiseSpec(2, Leaf("load", 0, F32), (access,), (), access)
    x = np.arange(70, dtype=np.float32)
    call = plain_call(spec, {"n0": 5, "n1": 7}, {"load0": x.reshape(5, 14)[:, :7]})
    source, target = Memory(280, 4), Memory(400, 4)
    source.bytes[:] = x.view(np.uint8)
    call.memories = [target, source]
    call.operands = {
        "out": Operand(access, (5, 7), 0, 96, (-2, -13)),
        "load0": Operand(access, (5, 7), 1, 13, (14, -2)),
    }
    want = x.reshape(5, 14)[:, ::-2]
    assert same(call.check(kernel(spec)), want)
    assert same(call.result(call.by_interpreter()), want)


def test_a_row_and_a_column_are_broadcast() -> None:
    store = Access(F32, (None, 1))
    value = Apply("subtract", (Leaf("load", 0, F32), Leaf("load", 1, F32)), F32)
    loads = (Access(F32, (None, 0)), Access(F32, (0, 1)))
    spec = ElementwiseSpec(2, value, loads, (), store)
    rng = np.random.default_rng(2)
    column, row = (rng.standard_normal(s).astype(np.float32) for s in ((6, 1), (1, 45)))
    call = plain_call(spec, {"n0": 6, "n1": 45}, {"load0": column, "load1": row})
    assert same(call.check(kernel(spec)), column - row)


@pytest.mark.parametrize("rank", [1, 2, 3, 4])
def test_in_place(rank: int) -> None:
    axes = (None,) * (rank - 1) + (1,)
    access = Access(F32, axes)
    x = np.random.default_rng(rank).standard_normal((3, 2, 2, 37)[-rank:]).astype(np.float32)
    value = Apply("exp", (Leaf("load", 0, F32),), F32)
    spec = ElementwiseSpec(rank, value, (access,), (), access)
    sizes = {f"n{k}": n for k, n in enumerate(x.shape)}
    call = plain_call(spec, sizes, {"load0": x})
    want = call.check(kernel(spec))
    call.operands = {**call.operands, "out": call.operands["load0"]}
    assert same(call.check(kernel(spec)), want)


# --- masks, coordinates, scalars ---

MASKED = [(a, b) for a in (DType.int8, DType.float16, F32, F64) for b in DTYPES]


@pytest.mark.parametrize("compared", [DType.int8, DType.float16, F32, F64], ids=str)
def test_masks_choose_among_elements_of_other_widths(compared: DType) -> None:
    """where(a < b, x, y) for x and y of every dtype, the mask also combined with a stored one."""
    rng = np.random.default_rng(3)
    a, b = (hostile(compared, 99, rng) for _ in "ab")
    stored = rng.integers(0, 2, 99).astype(bool)
    with np.errstate(all="ignore"):
        mask = (a < b) ^ stored
    for dtype in DTYPES:
        less = Apply("less", (Leaf("load", 0, compared), Leaf("load", 1, compared)), DType.bool)
        chosen = Apply("logical_xor", (less, Leaf("load", 2, DType.bool)), DType.bool)
        value = Apply("where", (chosen, Leaf("load", 3, dtype), Leaf("load", 4, dtype)), dtype)
        kinds = (compared, compared, DType.bool, dtype, dtype)
        loads = tuple(Access(d, (1,)) for d in kinds)
        spec = ElementwiseSpec(1, value, loads, (), Access(dtype, (1,)))
        x, y = (hostile(dtype, 99, rng) for _ in "xy")
        arrays = dict(zip([f"load{k}" for k in range(5)], (a, b, stored, x, y), strict=True))
        got = plain_call(spec, {"n0": 99}, arrays).check(kernel(spec), threads=(1,))
        assert same(got, np.where(mask, x, y)), dtype


def test_coordinates_count_along_every_axis() -> None:
    """A range in several axes: 100 * i + 10 * j + k"""

    def term(axis: int, factor: int) -> Expression:
        number = Leaf("constant", 0, INDEX, factor)
        return Apply("multiply", (Leaf("iota", axis, INDEX), number), INDEX)

    pair = Apply("add", (term(0, 100), term(1, 10)), INDEX)
    value = Apply("cast", (Apply("add", (pair, Leaf("iota", 2, INDEX)), INDEX),), F32)
    spec = ElementwiseSpec(3, value, (), (), Access(F32, (None, None, 1)))
    got = plain_call(spec, {"n0": 3, "n1": 4, "n2": 9}, {}).check(kernel(spec))
    i, j, k = np.indices((3, 4, 9))
    assert np.array_equal(got, 100 * i + 10 * j + k)


def test_scalars_are_arguments() -> None:
    """One kernel serves every value of its scalars, int64 and float64."""
    scaled = Apply("multiply", (Leaf("load", 0, F64), Leaf("scalar", 1, F64)), F64)
    shift = Apply("cast", (Leaf("scalar", 0, INDEX),), F64)
    spec = ElementwiseSpec(
        1, Apply("add", (scaled, shift), F64), (Access(F64, (1,)),), (INDEX, F64), Access(F64, (1,))
    )
    x = np.arange(21.0)
    for shift_by, scale in ((0, 1.0), (-(2**53), 0.5), (3, float("inf"))):
        call = plain_call(spec, {"n0": 21}, {"load0": x}, scalars=(shift_by, scale))
        with np.errstate(all="ignore"):
            assert same(call.check(kernel(spec)), x * scale + shift_by)
