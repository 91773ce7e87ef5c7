"""Elementwise rows as kernels: bit for bit where the op table says exact, else within bounds."""

from __future__ import annotations

from functools import cache
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from tensorlib.backends.c import CompiledKernel
from tensorlib.dtypes import DType
from tensorlib.errors import BackendError, DTypeError
from tensorlib.kernels.expression import Apply, Leaf
from tensorlib.kernels.scalar import SCALAR, lanes_of
from tensorlib.kernels.specs import Access, ElementwiseSpec
from tensorlib.lang.target import Target, targeting
from tensorlib.ops import OPS
from tensorlib.ops.promotion import domain_dtype
from tensorlib.tests.random_expressions import DTYPES, hostile
from tensorlib.tests.spec_calls import Array, Call, compiled, plain_call, same

FLOATS = [d for d in DTYPES if d.is_float]
ELEMENTWISE = {name: op for name, op in OPS.items() if op.kind == "elementwise" and name != "cast"}
COUNT = 1013  # whole vectors and some elements more, whatever the width


def computes_in(name: str) -> list[DType]:
    """The dtypes in which an elementwise op computes."""
    found = []
    for dtype in DTYPES:
        try:
            if domain_dtype(name, ELEMENTWISE[name].domain, dtype) is dtype:
                found.append(dtype)
        except DTypeError:
            pass
    return found


def is_exact(name: str, dtype: DType) -> bool:
    return dtype.kind in ELEMENTWISE[name].exact


def spec_of(name: str, dtype: DType) -> ElementwiseSpec:
    """The kernel out[i] = op(load0[i], ...) over operands of one dtype; where has a mask first."""
    dtypes = [dtype] * (ELEMENTWISE[name].arity or 0)
    if name == "where":
        dtypes[0] = DType.bool
    result = ELEMENTWISE[name].dtype(dtypes, {})
    loads = tuple(Leaf("load", k, d) for k, d in enumerate(dtypes))
    accesses = tuple(Access(d, (1,)) for d in dtypes)
    return ElementwiseSpec(1, Apply(name, loads, result), accesses, (), Access(result, (1,)))


def cast_spec(source: DType, target: DType) -> ElementwiseSpec:
    value = Apply("cast", (Leaf("load", 0, source),), target)
    return ElementwiseSpec(1, value, (Access(source, (1,)),), (), Access(target, (1,)))


def hostile_call(spec: ElementwiseSpec, count: int, seed: int = 0) -> Call:
    rng = np.random.default_rng(seed)
    arrays = {f"load{k}": hostile(a.dtype, count, rng) for k, a in enumerate(spec.loads)}
    return plain_call(spec, {"n0": count}, arrays)


def test_every_elementwise_row_has_a_kernel() -> None:
    assert SCALAR.keys() == ELEMENTWISE.keys()


# --- exact rows ---

EXACT = [(name, d) for name in ELEMENTWISE for d in computes_in(name) if is_exact(name, d)]


@pytest.mark.parametrize("name", sorted({name for name, _ in EXACT}))
def test_interpreter_agrees_on_exact_rows(name: str) -> None:
    for dtype in computes_in(name):
        if is_exact(name, dtype):
            call = hostile_call(spec_of(name, dtype), 100)
            after = call.by_interpreter()
            assert same(call.result(after), call.result(call.by_meaning())), dtype


@cache
def kernels_of(dtype: DType) -> dict[ElementwiseSpec, CompiledKernel]:
    """Every row that computes in `dtype`, and every cast from it, compiled."""
    rows = [spec_of(name, dtype) for name in ELEMENTWISE if dtype in computes_in(name)]
    return compiled([*rows, *(cast_spec(dtype, d) for d in DTYPES)])  # type: ignore[return-value]


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: d.name)
def test_c_agrees_on_exact_rows(dtype: DType) -> None:
    for name, kind in EXACT:
        if kind is dtype:
            spec = spec_of(name, dtype)
            call = hostile_call(spec, COUNT)
            got = call.check(kernels_of(dtype)[spec], threads=(1, 3))
            want = call.result(call.by_meaning())
            assert same(got, want), f"{spec}: {differences(call, want, got)}"


def differences(call: Call, want: Array, got: Array) -> str:
    rows = [i for i in range(len(want)) if not same(want[i : i + 1], got[i : i + 1])][:4]
    given = [o for name, o in call.operands.items() if name != "out"]
    data = [call.memories[o.memory].bytes.view(o.access.dtype.numpy)[rows] for o in given]
    return f"{data} gave {got[rows]}, not {want[rows]}"


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: d.name)
def test_casts_agree_with_the_op_table(dtype: DType) -> None:
    for target in DTYPES:
        spec = cast_spec(dtype, target)
        call = hostile_call(spec, COUNT)
        want = call.result(call.by_meaning())
        got = call.check(kernels_of(dtype)[spec], threads=(1,))
        assert same(got, want), f"{spec}: {differences(call, want, got)}"
        small = hostile_call(spec, 50)
        after = small.by_interpreter()
        assert same(small.result(after), small.result(small.by_meaning())), spec


@pytest.mark.parametrize("name", ["floor_divide", "remainder"])
@pytest.mark.parametrize("dtype", FLOATS, ids=lambda d: d.name)
def test_float_division_with_remainder_is_numpys(name: str, dtype: DType) -> None:
    """Not promised by the op table, yet the same bits: q and r belong together."""
    call = hostile_call(spec_of(name, dtype), COUNT)
    got = call.check(kernels_of(dtype)[call.spec], threads=(1,))  # type: ignore[index]
    want = call.result(call.by_meaning())
    assert same(got, want), differences(call, want, got)


# --- rows within a bound ---

# Largest error in units of the last place of the result; tanh of float64 is the C library's.
BOUNDS = {
    "exp": 1.0, "log": 1.0, "sin": 1.0, "cos": 1.0, "tanh": 2.0, "rsqrt": 1.5,
    "sigmoid": 3.0, "silu": 4.0, "pow": 1.0,
}  # fmt: skip
SLACK = {DType.bfloat16: 2.0**-133, DType.float32: 2.0**-142, DType.float64: 2.0**-1064}
WIDE: dict[str, Any] = {
    "exp": np.exp, "log": np.log, "sin": np.sin, "cos": np.cos, "tanh": np.tanh,
    "rsqrt": lambda x: 1 / np.sqrt(x), "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "silu": lambda x: x / (1 + np.exp(-x)), "pow": np.power,
}  # fmt: skip


def test_every_row_is_exact_or_bounded() -> None:
    floats = {name for name in ELEMENTWISE if not is_exact(name, DType.float32)}
    assert floats - {"floor_divide", "remainder"} <= BOUNDS.keys() | {"bitwise_invert"} | {
        name for name in floats if DType.float32 not in computes_in(name)
    }


def ulps(got: Array, want: Array, dtype: DType) -> Array:
    """The distance of `got` from the wider `want`, in units of the last place of `want`."""
    limits = ml_dtypes.finfo(dtype.numpy)
    least, eps = (np.longdouble(float(x)) for x in (limits.smallest_subnormal, limits.eps))
    with np.errstate(all="ignore"):
        exponent = np.frexp(np.abs(want))[1]
        unit = np.maximum(np.ldexp(eps, exponent - 1), least)
        distance = np.abs(got.astype(np.longdouble) - want) / unit
    overflow = np.abs(want) > np.longdouble(float(limits.max))
    agree = (np.isnan(got) & np.isnan(want)) | (got.astype(np.longdouble) == want)
    agree |= np.isinf(got) & overflow & (np.signbit(got) == np.signbit(want))
    return np.where(agree, 0, distance)


def inputs(name: str, dtype: DType) -> list[Array]:
    """Dense ranges of what is usual, and hostile values."""
    rng = np.random.default_rng(7)
    most = np.log(float(ml_dtypes.finfo(dtype.numpy).max)) * 1.1
    usual = [rng.uniform(-most, most, 20_000), rng.normal(0, 1, 20_000)]
    x = np.concatenate(usual).astype(dtype.numpy)
    rough = hostile(dtype, 20_000, rng)
    with np.errstate(invalid="ignore"):  # quiet NaNs only
        rough[np.isnan(rough)] = np.nan
    x = np.concatenate([x, rough])
    if name != "pow":
        return [x]
    y = np.concatenate([rng.uniform(-3, 3, len(x) // 2), rng.integers(-4, 5, len(x) // 2)])
    return [np.abs(x), y.astype(dtype.numpy)[: len(x)]]


@pytest.mark.parametrize("dtype", FLOATS, ids=lambda d: d.name)
@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_functions_stay_within_their_bounds(name: str, dtype: DType) -> None:
    """float64 against long double, where there is one, the others against float64."""
    spec, arrays = spec_of(name, dtype), inputs(name, dtype)
    if name in ("sin", "cos"):  # far from 0 the reference itself is the C library's
        arrays[0] = np.clip(np.nan_to_num(arrays[0].astype(np.float64)), -1e4, 1e4)
        arrays[0] = arrays[0].astype(dtype.numpy)
    data = {f"load{k}": x for k, x in enumerate(arrays)}
    call = plain_call(spec, {"n0": len(arrays[0])}, data)
    got = call.check(kernels_of(dtype)[spec], threads=(1,))
    wide = np.longdouble if dtype is DType.float64 else np.float64
    with np.errstate(all="ignore"):
        want = WIDE[name](*(x.astype(wide) for x in arrays)).astype(np.longdouble)
    error = ulps(got, want, dtype)
    if name == "silu":  # the smallest results are products of subnormals
        with np.errstate(invalid="ignore"):
            error[np.abs(got.astype(np.longdouble) - want) <= SLACK.get(dtype, 0)] = 0
    reference = 1.0 if dtype is DType.float64 and np.finfo(np.longdouble).nmant < 60 else 0.0
    worst = int(np.argmax(error))
    given = [x[worst] for x in arrays]
    assert error[worst] <= BOUNDS[name] + reference, f"{given}: {got[worst]}, not {want[worst]}"


# --- widths and errors ---


def test_lanes_fill_a_register_with_the_widest_dtype() -> None:
    x, y = Leaf("load", 0, DType.float32), Leaf("load", 1, DType.int8)
    half = Leaf("load", 0, DType.float16)
    wide = Apply("cast", (x,), DType.float64)
    with targeting(Target("c", 32)):
        assert [lanes_of(e) for e in (x, y, wide, half)] == [8, 32, 4, 16]
        assert lanes_of(x, None, dtypes=[DType.int64]) == 4
        assert lanes_of(Apply("exp", (half,), DType.float16)) == 8  # computed in float32
        assert lanes_of(Apply("pow", (x, x), DType.float32)) == 4  # in float64 inside


def test_an_operation_without_a_kernel_is_named() -> None:
    access = Access(DType.float32, (1,))
    value = Apply("erfinv", (Leaf("load", 0, DType.float32),), DType.float32)
    with pytest.raises(BackendError, match="erfinv: has no kernel; try device='reference'"):
        ElementwiseSpec(1, value, (access,), (), access).build()


def test_complex_dtypes_have_no_kernels() -> None:
    access = Access(DType.complex64, (1,))
    spec = ElementwiseSpec(1, Leaf("load", 0, DType.complex64), (access,), (), access)
    message = "out: got dtype complex64, for which there are no kernels yet; try device='reference'"
    with pytest.raises(DTypeError, match=message):
        spec.build()
