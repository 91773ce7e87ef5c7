"""Matrix products against float64: error bounds, row invariance, packed weights, odd sizes."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from tensorlib.backends.c import CompiledKernel
from tensorlib.dtypes import DType
from tensorlib.kernels.expression import Apply, Leaf
from tensorlib.kernels.matmul import _shape_of, roundings
from tensorlib.kernels.specs import Access, MatmulSpec
from tensorlib.lang.target import simdwidthof
from tensorlib.ops.packed import pack, unpack
from tensorlib.tests.spec_calls import Array, Call, compiled, plain_call, same

F32, F64 = DType.float32, DType.float64
PACKED = [DType.q4_0, DType.q4_1, DType.q8_0]
HALVES = [DType.float16, DType.bfloat16]
# Strides of a (m, k), b (k, n) and out (m, n) that lead to each kernel.
SHAPES: dict[str, Any] = {
    "dot": ((None, 1), (1, None), (None, 1)),
    "outer": ((None, 1), (None, 1), (None, 1)),
    "sums": ((1, None), (1, None), (None, 1)),
}


def matmul(kind: str, a: DType = F32, b: DType = F32, accumulate: DType = F32) -> MatmulSpec:
    """out = a @ b in `accumulate`"""
    of_a, of_b, of_out = SHAPES[kind]
    main = Leaf("main", 0, accumulate)
    return MatmulSpec(
        0, accumulate, Access(a, of_a), Access(b, of_b), None, main, (), (),
        Access(accumulate, of_out),
    )  # fmt: skip


def product_call(spec: MatmulSpec, a: Array, b: Array, **loads: Array) -> Call:
    sizes = {"M": a.shape[0], "N": b.shape[1], "K": a.shape[1]}
    return plain_call(spec, sizes, {"a": a, "b": b, **loads})


@cache
def kernel(spec: MatmulSpec) -> CompiledKernel:
    return compiled([spec])[spec]


def run(spec: MatmulSpec, a: Array, b: Array, **loads: Array) -> Array:
    return product_call(spec, a, b, **loads).check(kernel(spec))


def rounded(x: Array, dtype: DType, axis: int) -> Array:
    """What an operand of `dtype` holds of x, in float64; packed along `axis`."""
    if not dtype.is_packed:
        return x.astype(dtype.numpy).astype(np.float64)
    rows = np.moveaxis(x, axis, -1).astype(np.float32)
    decoded = unpack(pack(np.ascontiguousarray(rows), dtype), dtype, rows.shape)
    return np.moveaxis(decoded, -1, axis).astype(np.float64)


def check(spec: MatmulSpec, m: int, n: int, k: int) -> None:
    """Error at most `roundings` half ulps of |a| @ |b|; each row alone has the same bits."""
    rng = np.random.default_rng(m * n * k)
    a, b = rng.standard_normal((m, k)), rng.standard_normal((k, n)) * np.exp(rng.normal(0, 2))
    got = run(spec, a, b)
    left, right = rounded(a, spec.a.dtype, 1), rounded(b, spec.b.dtype, 0)
    lanes = min(simdwidthof(spec.accumulate), 16) if _shape_of(spec).__name__ == "dot" else 1
    eps = float(np.finfo(spec.accumulate.numpy).eps)
    steps = roundings(k, lanes)
    bound = steps * eps / 2 * (np.abs(left) @ np.abs(right))
    reference = 0 if spec.accumulate is F32 else k * eps / 2 * (np.abs(left) @ np.abs(right))
    assert (np.abs(got - left @ right) <= bound + reference).all()
    for row in {0, m // 2, m - 1}:
        alone = run(spec, a[row : row + 1], b)
        assert same(alone[0], got[row]), "a row alone has other bits than in a batch"


@pytest.mark.parametrize("m", [1, 3, 4, 5, 64])
@pytest.mark.parametrize("b", [*PACKED, *HALVES, F32], ids=str)
def test_dot_with_weights_of_every_format(b: DType, m: int) -> None:
    spec = matmul("dot", b=b)
    for n, k in ((1, 32), (13, 576), (64, 96)):
        check(spec, m, n, k)


@pytest.mark.parametrize("k", [1, 7, 8, 9, 33, 576])
@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize("accumulate", [F32, F64], ids=str)
def test_every_shape_of_the_sum(kind: str, accumulate: DType, k: int) -> None:
    spec = matmul(kind, a=accumulate, b=accumulate, accumulate=accumulate)
    for m, n in ((1, 1), (5, 7), (4, 33), (9, 16)):
        check(spec, m, n, k)


@pytest.mark.parametrize("a", PACKED, ids=str)
@pytest.mark.parametrize("kind", ["dot", "sums"])
def test_packed_on_the_left(kind: str, a: DType) -> None:
    spec = matmul("dot", a=a)
    if kind == "sums":  # b's rows lie along n, so blocks are decoded element by element
        outer = matmul("outer")
        spec = MatmulSpec(0, F32, spec.a, outer.b, None, spec.epilogue, (), (), spec.store)
    assert _shape_of(spec).__name__ == kind
    for m, n, k in ((1, 3, 32), (5, 7, 96)):
        check(spec, m, n, k)


def test_no_elements() -> None:
    for kind in SHAPES:
        spec = matmul(kind)
        assert run(spec, np.zeros((3, 0)), np.zeros((0, 5))).tolist() == [[0.0] * 5] * 3
        assert run(spec, np.zeros((0, 4)), np.zeros((4, 5))).shape == (0, 5)
        assert run(spec, np.zeros((3, 4)), np.zeros((4, 0))).shape == (3, 0)


@pytest.mark.parametrize("dtype", [DType.int8, DType.int64, DType.uint32], ids=str)
@pytest.mark.parametrize("kind", SHAPES)
def test_integers_wrap_around(kind: str, dtype: DType) -> None:
    limits = np.iinfo(dtype.numpy)
    rng = np.random.default_rng(0)
    a, b = (rng.integers(limits.min, limits.max, s, dtype.numpy) for s in ((5, 40), (40, 21)))
    spec = matmul(kind, dtype, dtype, dtype)
    with np.errstate(all="ignore"):
        assert same(run(spec, a, b), a @ b)


@pytest.mark.parametrize("kind", SHAPES)
def test_infinities_and_nan_come_through(kind: str) -> None:
    a, b = np.ones((3, 40)), np.ones((40, 9))
    a[0, 3], a[1, 39], b[7, 2] = np.inf, np.nan, 0
    a[0, 7] = np.inf
    got = run(matmul(kind), a, b)
    assert np.isinf(np.delete(got[0], 2)).all()
    assert np.isnan(got[0, 2])  # inf * 0
    assert np.isnan(got[1]).all()
    assert np.isfinite(got[2]).all()


def test_prologue_and_epilogue() -> None:
    """out = silu(x) @ w + residual, in place over the residual."""
    x = Leaf("load", 0, F32)
    store = Access(F32, (None, 1))
    plus = Apply("add", (Leaf("main", 0, F32), x), F32)
    plain = matmul("dot", b=DType.q8_0)
    spec = MatmulSpec(0, F32, plain.a, plain.b, Apply("silu", (x,), F32), plus, (store,), (), store)
    rng = np.random.default_rng(5)
    a, b, residual = (rng.standard_normal(s) for s in ((5, 64), (64, 11), (5, 11)))
    call = product_call(spec, a, b, load0=residual)
    got = call.check(kernel(spec))
    wide = a.astype(np.float32).astype(np.float64)
    want = (wide / (1 + np.exp(-wide))) @ rounded(b, DType.q8_0, 0) + residual
    assert np.abs(got - want).max() < 1e-5
    call.operands = {**call.operands, "out": call.operands["load0"]}
    assert same(call.check(kernel(spec)), got)


def test_batches_share_an_operand_by_stride_zero() -> None:
    """Grouped queries: three heads of a use one head of b."""
    strides = (None, None, None, 1)
    main = Leaf("main", 0, F32)
    spec = MatmulSpec(
        2, F32, Access(F32, strides), Access(F32, (None, 0, 1, None)), None, main, (), (),
        Access(F32, strides),
    )  # fmt: skip
    rng = np.random.default_rng(6)
    a, b = rng.standard_normal((2, 3, 5, 64)), rng.standard_normal((2, 1, 64, 7))
    call = plain_call(spec, {"b0": 2, "b1": 3, "M": 5, "N": 7, "K": 64}, {"a": a, "b": b})
    got = call.check(kernel(spec))
    assert np.abs(got - a @ b).max() < 1e-4
