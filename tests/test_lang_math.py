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
from tensorlib.passes.legalise import legalise
from tensorlib.simd import SIMD, SIMDType
from tensorlib.tests.compiled_kernels import agree, compile_kernel, same
from tensorlib.tests.random_kernels import hostile
from tensorlib.tile import Tile, TileType

Array = np.ndarray[Any, Any]
F32, F64 = DType.float32, DType.float64
CHUNK = 1 << 22


def erf(x: Array) -> Array:
    """The error function by a series of positive terms."""
    x = np.clip(x, -7, 7)
    term = 2 * x * np.exp(-x * x) / np.sqrt(4 * np.arctan(x.dtype.type(1)))
    total = term.copy()
    for n in range(1, 180):
        term = term * (2 * x * x / (2 * n + 1))
        total += term
    return np.asarray(np.where(np.isnan(x), x, np.clip(total, -1, 1)))


NOTHING: tuple[float, Any] = (0.0, ())

# name -> (largest error in ulps of float32 and float64, reference over a wider type, error allowed
# beyond that, per dtype)
Reference = Callable[..., Array]
BOUNDS: dict[str, tuple[float, float, Reference, dict[DType, float]]] = {
    "exp": (1.0, 1.0, np.exp, {}),
    "exp2": (1.0, 1.0, np.exp2, {}),
    "expm1": (1.25, 1.25, np.expm1, {}),
    "log": (1.0, 1.0, np.log, {}),
    "log2": (1.0, 1.0, np.log2, {}),
    "log10": (1.0, 1.0, np.log10, {}),
    "log1p": (1.5, 1.5, np.log1p, {}),
    "sigmoid": (3.0, 3.0, lambda x: 1 / (1 + np.exp(-x)), {}),
    "silu": (4.0, 4.0, lambda x: x / (1 + np.exp(-x)), {F32: 2.0**-142, F64: 2.0**-1064}),
    "tanh": (1.0, 1.5, np.tanh, {}),
    "sinh": (2.0, 2.0, np.sinh, {}),
    "cosh": (2.0, 2.0, np.cosh, {}),
    "erf": (1.5, 1.5, erf, {}),
    "rsqrt": (1.5, 1.5, lambda x: 1 / np.sqrt(x), {}),
    "cbrt": (1.0, 1.0, np.cbrt, {}),
    "sin": (1.0, 1.0, np.sin, {}),
    "cos": (1.0, 1.0, np.cos, {}),
    "tan": (1.0, 1.0, np.tan, {}),
    "asin": (1.0, 1.0, np.arcsin, {}),
    "acos": (1.0, 1.0, np.arccos, {}),
    "atan": (2.0, 2.0, np.arctan, {}),
}
OF_TWO: dict[str, tuple[float, float, Reference]] = {
    "pow": (1.0, 1.5, np.power),
    "hypot": (1.25, 1.25, np.hypot),
    "atan2": (2.5, 2.5, np.arctan2),
}


def compiled(name: str, dtype: DType) -> Callable[..., Array]:
    """Return a function of the language as a C kernel over an array of CHUNK elements at most."""
    tile = TileType(dtype, (CHUNK,), (1,))
    types = {"out": tile, "x": tile, "n": SIMDType(DType.int64)}

    def one(out: Tile, x: Tile, n: SIMD) -> None:
        for i in range(0, n, 8):
            out.store[8](i, getattr(m, name)(x.load[8](i)))

    def two(out: Tile, x: Tile, y: Tile, n: SIMD) -> None:
        for i in range(0, n, 8):
            out.store[8](i, getattr(m, name)(x.load[8](i), y.load[8](i)))

    kernel = trace(one, types) if name in BOUNDS else trace(two, {**types, "y": tile})
    run = compile_kernel(run_passes(kernel))

    def call(x: Array, y: Array | None = None) -> Array:
        out = np.empty_like(x)
        run({"out": out, "x": x, "y": y, "n": SIMD[DType.int64, 1](x.size)}, 1)
        return out

    return call


def worst(name: str, dtype: DType, got: Array, *xs: Array) -> tuple[float, Any]:
    """Return the largest error in ulps beyond what is allowed, and where it is."""
    _, _, reference, *absolute = BOUNDS[name] if name in BOUNDS else OF_TWO[name]
    allowed = absolute[0].get(dtype, 0) if absolute else 0
    with np.errstate(all="ignore"):
        exact = reference(*(x.astype(np.float64 if dtype is F32 else np.longdouble) for x in xs))
        rounded = exact.astype(dtype.numpy)
        special = ~np.isfinite(rounded) | ~np.isfinite(got)
        wrong = special & (rounded != got) & ~(np.isnan(rounded) & np.isnan(got))
        at_the_top = np.isinf(rounded) != np.isinf(got)  # one of them overflowed, and just so
        top = np.abs(np.where(np.isinf(rounded), got, rounded))
        wrong &= ~(at_the_top & (top > np.finfo(dtype.numpy).max * (1 - 1e-6)))
        assert not wrong.any(), [(*(x[wrong][:3] for x in xs), rounded[wrong][:3], got[wrong][:3])]
        plain = np.where(special, 0, rounded)
        error = np.abs(got - exact).astype(np.float64)
        error = np.where(special, 0, np.maximum(error - allowed, 0))
        ulps = error / np.spacing(np.abs(plain)).astype(np.float64)
    place = int(np.argmax(ulps))
    return float(ulps[place]), tuple(float(x[place]) for x in xs)


def chunks(step: int) -> Iterator[Array]:
    """Yield every `step`-th float32, positive and negative, subnormal, infinite and NaN."""
    for start in range(0, 1 << 32, CHUNK * step):
        stop = min(start + CHUNK * step, 1 << 32)
        bits = np.arange(start, stop, step, dtype=np.uint64)
        bits = bits[: bits.size // 8 * 8]
        yield bits.astype(np.uint32).view(np.float32)


def error_over_float32(name: str, step: int) -> tuple[float, Any]:
    function, found = compiled(name, F32), NOTHING
    for x in chunks(step):
        found = max(found, worst(name, F32, function(x), x))
    return found


RANGES = [(-1, 1), (-20, 20), (-745, 710), (0.5, 2), (-1e-8, 1e-8), (0, 1e300), (-1e5, 1e5)]


def error_over_float64(name: str, count: int) -> tuple[float, Any]:
    rng, function, found = np.random.default_rng(0), compiled(name, F64), NOTHING
    samples = [rng.uniform(low, high, count) for low, high in RANGES]
    samples.append(rng.integers(0, 1 << 64, count, dtype=np.uint64).view(np.float64))
    samples.append(np.arange(1, count + 1) * (np.pi / 2))  # where sines and cosines vanish
    for x in samples:
        found = max(found, worst(name, F64, function(x), x))
    return found


def pairs(dtype: DType, count: int) -> Iterator[tuple[Array, Array]]:
    """Yield pairs of any floats, of ordinary numbers, and of numbers near 1 with large ones."""
    rng, kind = np.random.default_rng(1), dtype.numpy
    bits = np.dtype(f"uint{dtype.bits}")
    for _ in range(2):
        raw = (rng.integers(0, 1 << dtype.bits, count, dtype=np.uint64) for _ in range(2))
        x, y = (a.astype(bits).view(kind) for a in raw)
        yield x, y
    for low, high in ((-20, 20), (0, 1000), (0.5, 2), (1 - 1e-3, 1 + 1e-3)):
        x = rng.uniform(low, high, count).astype(kind)
        yield x, rng.uniform(-20, 20, count).astype(kind)
        yield x, rng.uniform(-300, 300, count).astype(kind)
        yield x, rng.integers(-9, 10, count).astype(kind)
        with np.errstate(all="ignore"):
            yield x, (rng.uniform(-700, 700, count) / np.log(np.abs(x))).astype(kind)


def error_of_pairs(name: str, dtype: DType, count: int) -> tuple[float, Any]:
    function, found = compiled(name, dtype), NOTHING
    for x, y in pairs(dtype, count):
        found = max(found, worst(name, dtype, function(x, y), x, y))
    return found


def skip_without_long_double() -> None:
    if np.finfo(np.longdouble).nmant < 60:
        pytest.skip("long double is no wider than double here")


@pytest.mark.parametrize("name", BOUNDS)
def test_error_over_a_part_of_float32(name: str) -> None:
    ulps, place = error_over_float32(name, 32771)
    assert ulps <= BOUNDS[name][0], f"{name}: {ulps} ulp at {place!r}"


@pytest.mark.slow
@pytest.mark.parametrize("name", BOUNDS)
def test_error_over_all_of_float32(name: str) -> None:
    ulps, place = error_over_float32(name, 1)
    print(f"{name}: {ulps} ulp at {place!r}")
    assert ulps <= BOUNDS[name][0]


@pytest.mark.parametrize("name", BOUNDS)
def test_error_over_float64(name: str) -> None:
    skip_without_long_double()
    ulps, place = error_over_float64(name, 1 << 12)
    assert ulps <= BOUNDS[name][1], f"{name}: {ulps} ulp at {place!r}"


@pytest.mark.slow
@pytest.mark.parametrize("name", BOUNDS)
def test_error_over_much_of_float64(name: str) -> None:
    skip_without_long_double()
    ulps, place = error_over_float64(name, CHUNK if name != "erf" else CHUNK // 32)
    print(f"{name}: {ulps} ulp at {place!r}")
    assert ulps <= BOUNDS[name][1]


@pytest.mark.parametrize("dtype", [F32, F64])
@pytest.mark.parametrize("name", OF_TWO)
def test_error_of_functions_of_two(name: str, dtype: DType) -> None:
    if dtype is F64:
        skip_without_long_double()
    ulps, place = error_of_pairs(name, dtype, 1 << 11)
    assert ulps <= OF_TWO[name][dtype is F64], f"{name}: {ulps} ulp at {place!r}"


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [F32, F64])
@pytest.mark.parametrize("name", OF_TWO)
def test_error_of_functions_of_two_over_much(name: str, dtype: DType) -> None:
    if dtype is F64:
        skip_without_long_double()
    ulps, place = error_of_pairs(name, dtype, CHUNK // 4)
    print(f"{name} {dtype.name}: {ulps} ulp at {place!r}")
    assert ulps <= OF_TWO[name][dtype is F64]


@pytest.mark.parametrize("dtype", [DType.float16, DType.bfloat16])
@pytest.mark.parametrize("name", ["exp", "tanh", "sin", "log2"])
def test_halves_are_rounded_once_more(name: str, dtype: DType) -> None:
    x = np.arange(1 << 16, dtype=np.uint32).astype(np.uint16).view(dtype.numpy)
    got = compiled(name, dtype)(x)
    wide = compiled(name, F32)(x.astype(np.float32))
    with np.errstate(all="ignore"):
        expected = wide.astype(dtype.numpy)
    assert np.array_equal(got.astype(np.float32), expected.astype(np.float32), equal_nan=True)


@pytest.mark.parametrize("group", range(0, len(BOUNDS), 6))
@pytest.mark.parametrize("dtype", [F32, F64, DType.float16, DType.bfloat16])
def test_three_ways_agree_on_hostile_values(dtype: DType, group: int) -> None:
    names = [*BOUNDS][group : group + 6]

    def kernel(out: Tile, x: Tile) -> None:
        for i in range(0, 64, 4):
            for row, name in enumerate(names):
                out.store[4](64 * row + i, getattr(m, name)(x.load[4](i)))

    x = hostile(dtype, 64, np.random.default_rng(1))
    agree(kernel, {"out": np.zeros(64 * len(names), dtype.numpy), "x": x})


@pytest.mark.parametrize("dtype", [F32, F64, DType.float16])
def test_three_ways_agree_on_functions_of_two(dtype: DType) -> None:
    def kernel(out: Tile, x: Tile, y: Tile) -> None:
        for i in range(0, 64, 4):
            for row, name in enumerate(OF_TWO):
                out.store[4](64 * row + i, getattr(m, name)(x.load[4](i), y.load[4](i)))

    rng = np.random.default_rng(2)
    data = {"out": np.zeros(64 * len(OF_TWO), dtype.numpy)}
    agree(kernel, data | {k: hostile(dtype, 64, rng) for k in ("x", "y")})


@pytest.mark.parametrize("name", ["sin", "log2", "cbrt"])
def test_wide_vectors_are_split(name: str) -> None:
    """A branch that only large angles take, and lanes of two sizes."""

    def kernel(out: Tile, x: Tile) -> None:
        out.store[32](0, getattr(m, name)(x.load[32](0)))

    x = hostile(F32, 32, np.random.default_rng(4))
    tile = TileType(F32, (32,), (1,))
    split = run_passes(trace(kernel, {"out": tile, "x": tile}))
    legalise(split, 32)
    out = np.zeros(32, np.float32)
    compile_kernel(split)({"out": out, "x": x}, 1)
    assert same(out, getattr(m, name)(SIMD(x, F32, 32)).numpy())


def same_number(a: float, b: float) -> bool:
    """Whether numbers are equal, with the sign of zero, or both NaN."""
    return (a != a and b != b) or (a == b and np.signbit(a) == np.signbit(b))


INF, NAN = float("inf"), float("nan")
SPECIAL = {
    "exp": [(0.0, 1.0), (-0.0, 1.0), (INF, INF), (-INF, 0.0), (800.0, INF), (-800.0, 0.0)],
    "exp2": [(0.0, 1.0), (INF, INF), (-INF, 0.0), (-1.0, 0.5), (2000.0, INF), (-2000.0, 0.0)],
    "expm1": [(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -1.0), (-100.0, -1.0), (1e-42, 1e-42)],
    "log": [(1.0, 0.0), (0.0, -INF), (-0.0, -INF), (INF, INF), (-1.0, NAN), (-INF, NAN)],
    "log2": [(1.0, 0.0), (0.0, -INF), (INF, INF), (-1.0, NAN), (8.0, 3.0), (2.0**-140, -140.0)],
    "log10": [(1.0, 0.0), (0.0, -INF), (INF, INF), (-1.0, NAN), (1000.0, 3.0)],
    "log1p": [(0.0, 0.0), (-0.0, -0.0), (-1.0, -INF), (INF, INF), (-2.0, NAN), (-INF, NAN)],
    "sigmoid": [(0.0, 0.5), (INF, 1.0), (-INF, 0.0)],
    "tanh": [(INF, 1.0), (-INF, -1.0), (0.0, 0.0), (-0.0, -0.0)],
    "sinh": [(INF, INF), (-INF, -INF), (0.0, 0.0), (-0.0, -0.0), (-1000.0, -INF)],
    "cosh": [(INF, INF), (-INF, INF), (0.0, 1.0), (-0.0, 1.0), (-1000.0, INF)],
    "erf": [(INF, 1.0), (-INF, -1.0), (0.0, 0.0), (-0.0, -0.0), (9.0, 1.0)],
    "rsqrt": [(0.0, INF), (-0.0, -INF), (4.0, 0.5), (-1.0, NAN), (INF, 0.0)],
    "cbrt": [(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -INF), (27.0, 3.0), (-8.0, -2.0)],
    "sin": [(0.0, 0.0), (-0.0, -0.0), (INF, NAN), (-INF, NAN)],
    "cos": [(0.0, 1.0), (-0.0, 1.0), (INF, NAN), (-INF, NAN)],
    "tan": [(0.0, 0.0), (-0.0, -0.0), (INF, NAN), (-INF, NAN)],
    "asin": [(0.0, 0.0), (-0.0, -0.0), (1.5, NAN), (-INF, NAN)],
    "acos": [(1.0, 0.0), (1.5, NAN), (-INF, NAN)],
    "atan": [(0.0, 0.0), (-0.0, -0.0)],
}


@pytest.mark.parametrize("dtype", [F32, F64])
@pytest.mark.parametrize("name", BOUNDS)
def test_special_values(name: str, dtype: DType) -> None:
    for x, expected in [*SPECIAL.get(name, []), (NAN, NAN)]:
        got = float(getattr(m, name)(SIMD[dtype, 1](x)))
        rounded = float(dtype.numpy.type(expected))
        assert same_number(got, rounded), (name, x, got)


@pytest.mark.parametrize("name", OF_TWO)
@pytest.mark.parametrize("dtype", [F32, F64])
def test_special_values_of_functions_of_two_are_those_of_c(name: str, dtype: DType) -> None:
    # Not 0.5: NumPy's power takes the square root of it, whose zero keeps its sign.
    numbers = [0.0, 0.25, 1.0, 2.0, 3.0, 2.5, 1e30, 2.0**53, 2.0**-140, INF, NAN]
    numbers += [-x for x in numbers]
    x, y = (a.ravel().astype(dtype.numpy) for a in np.meshgrid(numbers, numbers))
    for a, b in zip(x, y, strict=True):
        with np.errstate(all="ignore"):
            expected = OF_TWO[name][2](a, b)
        got = getattr(m, name)(SIMD[dtype, 1](float(a)), SIMD[dtype, 1](float(b))).numpy()
        if np.isfinite(expected) and expected != 0:
            assert abs(got - expected) <= 4 * np.spacing(abs(expected)), (a, b, got)
        else:
            assert same_number(float(got), float(expected)), (a, b, got)


def test_powers_of_two_and_ten_are_exact() -> None:
    for first in (-1074, 0):
        k = np.arange(first, first + 1024, dtype=np.float64)
        powers = np.ldexp(1.0, k.astype(np.int32))
        assert np.array_equal(m.log2(SIMD(powers, F64, 1024)).numpy(), k)
        assert np.array_equal(m.exp2(SIMD(k, F64, 1024)).numpy(), powers)
    for exponent in range(23):
        assert float(m.log10(SIMD[F64, 1](float(10**exponent)))) == exponent


def test_angles_however_large() -> None:
    """Against digits that were computed with 400 bits."""
    rows = [
        (F64, 1e22, -0.8522008497671888, 0.523214785395139),
        (F64, 6381956970095103 * 2.0**797, 1.0, -4.687165924254628e-19),
        (F32, 1e30, -0.7911634385219837, -0.6116047854178966),
    ]
    for dtype, x, *expected in rows:
        got = [float(f(SIMD[dtype, 1](x))) for f in (m.sin, m.cos)]
        assert got == [float(dtype.numpy.type(e)) for e in expected], x


def test_a_function_needs_a_float() -> None:
    with pytest.raises(KernelError) as caught:
        m.exp(SIMD[DType.int32, 1](3))
    assert str(caught.value).splitlines()[0] == (
        "exp: got a int32 value, needed a float; try .cast(float32)"
    )
