"""Gather: embeddings, packed rows, negative indices, and indices outside the axis."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from tensorlib.backends.c import CompiledKernel
from tensorlib.dtypes import DType
from tensorlib.kernels.expression import Apply, Leaf
from tensorlib.kernels.specs import Access, TakeSpec
from tensorlib.ops.packed import pack, unpack
from tensorlib.tests.random_expressions import DTYPES, hostile
from tensorlib.tests.spec_calls import Array, Call, compiled, plain_call, same

F32, INDEX = DType.float32, DType.int64
INTEGERS = [d for d in DTYPES if d.is_integer]


def rows_of(dtype: DType, index: DType = INDEX) -> TakeSpec:
    """out[i, k] = x[indices[i], k]"""
    result = F32 if dtype.is_packed else dtype
    return TakeSpec(
        2, Access(dtype, (0, 1)), Access(index, (1, 0)), Leaf("main", 0, result), (), (),
        Access(result, (None, 1)),
    )  # fmt: skip


def take_call(spec: TakeSpec, x: Array, indices: Array) -> Call:
    """Rows `indices` of a matrix, which lies in memory as the one row that the spec describes."""
    size, width = x.shape
    sizes = {"n0": len(indices), "n1": width, "size": size}
    arrays = {"x": x.reshape(1, -1), "indices": indices.reshape(-1, 1)}
    return plain_call(spec, sizes, arrays, strides={"axis_stride": width})


@cache
def kernel(spec: TakeSpec) -> CompiledKernel:
    return compiled([spec])[spec]


def run(spec: TakeSpec, x: Array, indices: Array) -> Array:
    return take_call(spec, x, indices).check(kernel(spec))


@pytest.mark.parametrize("width", [1, 8, 37, 576])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_rows_are_copied(dtype: DType, width: int) -> None:
    rng = np.random.default_rng(width)
    x = hostile(dtype, 11 * width, rng).reshape(11, width)
    at = rng.integers(-11, 11, 9)
    assert same(run(rows_of(dtype), x, at), x[at])


@pytest.mark.parametrize("dtype", [DType.q4_0, DType.q4_1, DType.q8_0], ids=str)
@pytest.mark.parametrize("width", [32, 576])
def test_packed_rows_are_decoded_exactly(dtype: DType, width: int) -> None:
    x = np.random.default_rng(0).standard_normal((7, width)).astype(np.float32)
    decoded = unpack(pack(x, dtype), dtype, x.shape)
    at = np.array([0, 6, -1, 3, -7])
    assert same(run(rows_of(dtype), x, at), decoded[at])


@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
def test_indices_of_every_dtype(dtype: DType) -> None:
    x = np.arange(100, dtype=np.float32).reshape(20, 5)
    at = np.array([0, 19, 7] if dtype.kind == "unsigned" else [0, 19, 7, -1, -20], dtype.numpy)
    assert same(run(rows_of(F32, dtype), x, at), x[at])


OUTSIDE = np.array([5, -6, 2**62, -(2**63), 2**63 - 1, 4, -5])


@pytest.mark.parametrize("dtype", [*DTYPES, DType.q4_1], ids=str)
def test_what_lies_outside_is_missing_and_is_not_read(dtype: DType) -> None:
    """NaN for floats, else 0; the interpreter finds any read outside of x."""
    width = 32
    x = np.ones((5, width), np.float32 if dtype.is_packed else dtype.numpy)
    spec = rows_of(dtype)
    call = take_call(spec, x, OUTSIDE)
    got = call.check(kernel(spec))
    missing = got[:5]
    assert np.isnan(missing).all() if got.dtype.kind in "fV" else not missing.any()
    assert (got[5:] == 1).all()
    assert same(call.result(call.by_interpreter()), got)
    nothing = take_call(spec, x[:0], OUTSIDE)
    empty = nothing.result(nothing.by_interpreter())
    assert np.isnan(empty).all() if got.dtype.kind in "fV" else not empty.any()
    assert same(nothing.check(kernel(spec)), empty)


def test_one_index_an_element() -> None:
    """Along the last axis every element has an index of its own."""
    spec = TakeSpec(
        2, Access(F32, (None, 0)), Access(INDEX, (0, 1)), Leaf("main", 0, F32), (), (),
        Access(F32, (None, 1)),
    )  # fmt: skip
    x = np.random.default_rng(1).standard_normal((4, 9)).astype(np.float32)
    at = np.array([8, 0, -1, 3, 9, 3])
    sizes = {"n0": 4, "n1": 6, "size": 9}
    call = plain_call(spec, sizes, {"x": x[:, :1], "indices": at.reshape(1, -1)})
    call.memories[call.operands["x"].memory] = take_call(rows_of(F32), x, at).memories[1]
    x_operand = call.operands["x"]
    x_operand.strides = (9, 0)
    call.strides = {"axis_stride": 1}
    got = call.check(compiled([spec])[spec])
    want = x[:, [8, 0, 8, 3, 0, 3]]
    want[:, 4] = np.nan
    assert same(got, want)


def test_an_epilogue_over_rows() -> None:
    """Rows scaled and narrowed as they are gathered."""
    plain = rows_of(DType.q8_0)
    scaled = Apply("multiply", (Leaf("main", 0, F32), Leaf("load", 0, F32)), F32)
    result = Apply("cast", (scaled,), DType.bfloat16)
    spec = TakeSpec(
        2, plain.x, plain.indices, result, (Access(F32, (0, 1)),), (),
        Access(DType.bfloat16, (None, 1)),
    )  # fmt: skip
    rng = np.random.default_rng(2)
    x, scale = rng.standard_normal((6, 64)).astype(np.float32), rng.standard_normal((1, 64))
    at = np.array([5, 0])
    sizes = {"n0": 2, "n1": 64, "size": 6}
    arrays = {"x": x.reshape(1, -1), "indices": at.reshape(-1, 1), "load0": scale}
    call = plain_call(spec, sizes, arrays, strides={"axis_stride": 64})
    decoded = unpack(pack(x, DType.q8_0), DType.q8_0, x.shape)
    want = (decoded[at] * scale.astype(np.float32)).astype(DType.bfloat16.numpy)
    assert same(call.check(compiled([spec])[spec]), want)
