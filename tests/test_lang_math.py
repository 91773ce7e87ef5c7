"""Transcendental functions keep the error bounds of their docstrings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from tensorlib.dtypes import DType
from tensorlib.errors import KernelError
from tensorlib.lang import math as m
from tensorlib.lang.trace import trace
from tensorlib.passes import run_passes
from tensorlib.simd import SIMD, SIMDType
from tensorlib.tests.compiled_kernels import agree, compile_kernel
from tensorlib.tests.random_kernels import hostile
from tensorlib.tile import Tile, TileType

Array = np.ndarray[Any, Any]
F32, F64 = DType.float32, DType.float64
CHUNK = 1 << 22

# name -> (largest error in ulps, reference over a wider type, error allowed beyond that, per dtype)
BOUNDS: dict[str, tuple[float, Callable[[Array], Array], dict[DType, float]]] = {
    "exp": (1.0, np.exp, {}),
    "log": (1.0, np.log, {}),
    "sigmoid": (3.0, lambda x: 1 / (1 + np.exp(-x)), {}),
    "silu": (4.0, lambda x: x / (1 + np.exp(-x)), {F32: 2.0**-142, F64: 2.0**-1064}),
    "tanh": (1.0, np.tanh, {}),
    "rsqrt": (1.5, lambda x: 1 / np.sqrt(x), {}),
    "sin": (1.0, np.sin, {}),
    "cos": (1.0, np.cos, {}),
}


def compiled(name: str, dtype: DType) -> Callable[[Array], Array]:
    """Return a function of the language as a C kernel over an array of CHUNK elements at most."""

    def kernel(out: Tile, x: Tile, n: SIMD) -> None:
        for i in range(0, n, 8):
            out.store[8](i, getattr(m, name)(x.load[8](i)))

    tile = TileType(dtype, (CHUNK,), (1,))
    traced = trace(kernel, {"out": tile, "x": tile, "n": SIMDType(DType.int64)})
    run = compile_kernel(run_passes(traced))

    def call(x: Array) -> Array:
        out = np.empty_like(x)
        run({"out": out, "x": x, "n": SIMD[DType.int64, 1](x.size)}, 1)
        return out

    return call


def worst(name: str, dtype: DType, x: Array, got: Array) -> tuple[float, float]:
    """Return the largest error in ulps beyond what is allowed, and where it is."""
    _, reference, absolute = BOUNDS[name]
    with np.errstate(all="ignore"):
        exact = reference(x.astype(np.float64 if dtype is F32 else np.longdouble))
        rounded = exact.astype(dtype.numpy)
        special = ~np.isfinite(rounded) | ~np.isfinite(got)
        assert np.array_equal(rounded[special], got[special], equal_nan=True), (
            f"{name}: {x[special][rounded[special] != got[special]][:5]}"
        )
        plain = np.where(special, 0, rounded)
        error = np.abs(got - exact).astype(np.float64)
        error = np.where(special, 0, np.maximum(error - absolute.get(dtype, 0), 0))
        ulps = error / np.spacing(np.abs(plain)).astype(np.float64)
    place = int(np.argmax(ulps))
    return float(ulps[place]), float(x[place])


def chunks(step: int) -> Iterator[Array]:
    """Yield every `step`-th float32, positive and negative, subnormal, infinite and NaN."""
    for start in range(0, 1 << 32, CHUNK * step):
        stop = min(start + CHUNK * step, 1 << 32)
        bits = np.arange(start, stop, step, dtype=np.uint64)
        bits = bits[: bits.size // 8 * 8]
        yield bits.astype(np.uint32).view(np.float32)


def check_float32(name: str, step: int) -> None:
    function, found = compiled(name, F32), (0.0, 0.0)
    for x in chunks(step):
        found = max(found, worst(name, F32, x, function(x)))
    assert found[0] <= BOUNDS[name][0], f"{name}: {found[0]} ulp at {found[1]!r}"


@pytest.mark.parametrize("name", BOUNDS)
def test_error_over_a_part_of_float32(name: str) -> None:
    check_float32(name, 4099)


@pytest.mark.slow
@pytest.mark.parametrize("name", BOUNDS)
def test_error_over_all_of_float32(name: str) -> None:
    check_float32(name, 1)


def check_float64(name: str, count: int) -> None:
    if np.finfo(np.longdouble).nmant < 60:
        pytest.skip("long double is no wider than double here")
    rng, function, found = np.random.default_rng(0), compiled(name, F64), (0.0, 0.0)
    ranges = [(-1, 1), (-20, 20), (-745, 710), (0.5, 2), (-1e-8, 1e-8), (0, 1e300), (-1e5, 1e5)]
    for low, high in ranges:
        x = rng.uniform(low, high, count)
        found = max(found, worst(name, F64, x, function(x)))
    x = rng.integers(0, 1 << 64, count, dtype=np.uint64).view(np.float64)
    found = max(found, worst(name, F64, x, function(x)))
    bound = 3.0 if name == "tanh" else BOUNDS[name][0]
    assert found[0] <= bound, f"{name}: {found[0]} ulp at {found[1]!r}"


@pytest.mark.parametrize("name", BOUNDS)
def test_error_over_float64(name: str) -> None:
    check_float64(name, 1 << 15)


@pytest.mark.slow
@pytest.mark.parametrize("name", BOUNDS)
def test_error_over_much_of_float64(name: str) -> None:
    check_float64(name, CHUNK)


@pytest.mark.parametrize("dtype", [DType.float16, DType.bfloat16])
@pytest.mark.parametrize("name", BOUNDS)
def test_halves_are_rounded_once_more(name: str, dtype: DType) -> None:
    x = np.arange(1 << 16, dtype=np.uint32).astype(np.uint16).view(dtype.numpy)
    got = compiled(name, dtype)(x)
    wide = compiled(name, F32)(x.astype(np.float32))
    with np.errstate(all="ignore"):
        expected = wide.astype(dtype.numpy)
    assert np.array_equal(got.astype(np.float32), expected.astype(np.float32), equal_nan=True)


@pytest.mark.parametrize("dtype", [F32, F64, DType.float16, DType.bfloat16])
@pytest.mark.parametrize("name", BOUNDS)
def test_three_ways_agree_on_hostile_values(name: str, dtype: DType) -> None:
    def kernel(out: Tile, x: Tile) -> None:
        for i in range(0, 64, 4):
            out.store[4](i, getattr(m, name)(x.load[4](i)))

    x = hostile(dtype, 64, np.random.default_rng(1))
    agree(kernel, {"out": np.zeros(64, dtype.numpy), "x": x})


@pytest.mark.parametrize("dtype", [F32, F64])
def test_pow(dtype: DType) -> None:
    def kernel(out: Tile, x: Tile, y: Tile) -> None:
        for i in range(0, 64, 4):
            out.store[4](i, m.pow(x.load[4](i), y.load[4](i)))

    rng = np.random.default_rng(2)
    data = {"out": np.zeros(64, dtype.numpy)} | {k: hostile(dtype, 64, rng) for k in ("x", "y")}
    agree(kernel, data)
    x = SIMD[dtype, 4](2.0, 9.0, -8.0, 10.0)
    assert m.pow(x, SIMD[dtype, 4](10.0, 0.5, 3.0, -2.0)).numpy().tolist() == [
        1024.0, 3.0, -512.0, dtype.numpy.type(0.01),
    ]  # fmt: skip


def test_special_values() -> None:
    inf, nan = np.inf, np.nan
    rows = {
        "exp": [(0.0, 1.0), (-0.0, 1.0), (inf, inf), (-inf, 0.0), (89.0, inf), (-104.0, 0.0)],
        "log": [(1.0, 0.0), (0.0, -inf), (-0.0, -inf), (inf, inf), (-1.0, nan), (-inf, nan)],
        "sigmoid": [(0.0, 0.5), (inf, 1.0), (-inf, 0.0)],
        "tanh": [(inf, 1.0), (-inf, -1.0), (0.0, 0.0)],
        "rsqrt": [(0.0, inf), (-0.0, -inf), (4.0, 0.5), (-1.0, nan), (inf, 0.0)],
    }
    for name, pairs in rows.items():
        for x, expected in [*pairs, (nan, nan)]:
            got = float(getattr(m, name)(SIMD[F32, 1](x)))
            assert got == expected or (got != got and expected != expected), (name, x, got)
    assert str(float(m.tanh(SIMD[F32, 1](-0.0)))) == "-0.0"


def test_a_function_needs_a_float() -> None:
    with pytest.raises(KernelError) as caught:
        m.exp(SIMD[DType.int32, 1](3))
    assert str(caught.value).splitlines()[0] == (
        "exp: got a int32 value, needed a float; try .cast(float32)"
    )
