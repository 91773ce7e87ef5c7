# ruff: noqa: E501, PLW0108  (one row an error)
"""SIMD values that hold numbers: laws against NumPy, lanes, conversions, and every error sentence."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tensorlib.dtypes import DType
from tensorlib.errors import DTypeError, KernelError
from tensorlib.lang.trace import trace
from tensorlib.simd import SIMD, Scalar, SIMDType, apply
from tensorlib.tests.compiled_kernels import same
from tensorlib.tests.random_kernels import DTYPES, hostile
from tensorlib.tile import Tile, TileType

F32, I32, U8 = DType.float32, DType.int32, DType.uint8
COMPARED = [d for d in DTYPES if not d.is_coded]
INTEGERS = [d for d in DTYPES if d.is_integer]
FLOATS = [d for d in DTYPES if d.is_float]
seeds = st.integers(0, 2**32)


def vector(dtype: DType, width: int, seed: int) -> SIMD:
    data = hostile(dtype, width, np.random.default_rng(seed))
    return SIMD(data if width > 1 else data.reshape(()), dtype, width)


def error_of(call: Callable[[], Any]) -> str:
    with pytest.raises((KernelError, DTypeError)) as caught:
        call()
    return str(caught.value).splitlines()[0]


# --- arithmetic ---


@given(st.sampled_from(INTEGERS), seeds)
def test_whole_numbers_wrap_and_floor(dtype: DType, seed: int) -> None:
    x, y = vector(dtype, 8, seed), vector(dtype, 8, seed + 1)
    low, span = int(np.iinfo(dtype.numpy).min), 1 << dtype.bits

    def wrapped(value: int) -> int:
        return (value - low) % span + low

    a, b = x.numpy().tolist(), y.numpy().tolist()
    pairs = list(zip(a, b, strict=True))
    assert (x + y).numpy().tolist() == [wrapped(p + q) for p, q in pairs]
    assert (x - y).numpy().tolist() == [wrapped(p - q) for p, q in pairs]
    assert (x * y).numpy().tolist() == [wrapped(p * q) for p, q in pairs]
    assert (x // y).numpy().tolist() == [wrapped(p // q) if q else 0 for p, q in pairs]
    assert (x % y).numpy().tolist() == [p % q if q else 0 for p, q in pairs]
    assert x.fma(y, y).numpy().tolist() == [wrapped(p * q + q) for p, q in pairs]
    assert abs(x).numpy().tolist() == [wrapped(abs(p)) for p in a]
    assert x.min(y).numpy().tolist() == [min(p, q) for p, q in pairs]


@given(st.sampled_from(INTEGERS), seeds, st.integers(-2, 70))
def test_shifts_past_the_width(dtype: DType, seed: int, count: int) -> None:
    assume(count >= 0 or dtype.kind == "signed")
    x = vector(dtype, 4, seed)
    inside, bits = 0 <= count < dtype.bits, dtype.bits
    low = int(np.iinfo(dtype.numpy).min)
    for value, left, right in zip(
        x.numpy().tolist(),
        (x << count).numpy().tolist(),
        (x >> count).numpy().tolist(),
        strict=True,
    ):
        assert left == (((value << count) - low) % (1 << bits) + low if inside else 0)
        assert right == (value >> count if inside else -1 if value < 0 else 0)


def rounded(value: Fraction, dtype: DType) -> Any:
    """Return the nearest float of `dtype`, ties to even: found by bisection over its floats."""
    kind = dtype.numpy
    if value == 0:
        return kind.type(0)
    top = Fraction(float(ml_dtypes.finfo(kind).max))
    bits = np.dtype(f"uint{dtype.bits}")
    infinity = int(np.array(np.inf, kind).view(bits))

    def at(number: int) -> Fraction:
        if number == infinity:  # as if it were one step past the largest
            return top + (top - at(infinity - 2))
        return Fraction(float(np.array(number, bits).view(kind)))

    magnitude, low, high = abs(value), 0, infinity
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if at(middle) <= magnitude else (low, middle)
    below, above = magnitude - at(low), at(high) - magnitude
    chosen = low if below < above or (below == above and low % 2 == 0) else high
    result = np.array(chosen, bits).view(kind)
    return np.negative(result) if value < 0 else result


@given(st.sampled_from(FLOATS), seeds)
def test_fma_rounds_once(dtype: DType, seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b, c = (hostile(dtype, 8, rng) for _ in range(3))
    got = SIMD(a, dtype, 8).fma(SIMD(b, dtype, 8), SIMD(c, dtype, 8)).numpy()
    for x, y, z, result in zip(a, b, c, got, strict=True):
        if all(map(math.isfinite, map(float, (x, y, z)))):
            exact = Fraction(float(x)) * Fraction(float(y)) + Fraction(float(z))
            assert result == rounded(exact, dtype), (x, y, z)


def test_fma_of_halves_at_a_tie() -> None:
    # The product is half way between two floats, the addend too small for float32 to see.
    tie = ml_dtypes.bfloat16(1 + 2**-4)
    x = SIMD(np.array(tie), DType.bfloat16, 1)
    exact = Fraction(float(tie)) ** 2
    for addend in (2.0**-120, -(2.0**-120)):
        got = float(x.fma(x, addend))
        assert got == float(rounded(exact + Fraction(addend), DType.bfloat16))


@given(st.sampled_from(FLOATS), seeds)
def test_min_and_max_hand_on_nan(dtype: DType, seed: int) -> None:
    x, y = vector(dtype, 8, seed), vector(dtype, 8, seed + 1)
    with np.errstate(invalid="ignore"):
        a, b = x.numpy().astype(np.float64), y.numpy().astype(np.float64)
        for got, function in ((x.min(y), np.minimum), (x.max(y), np.maximum)):
            expected = function(a, b)
            assert np.array_equal(got.numpy().astype(np.float64), expected, equal_nan=True)


@given(st.sampled_from(DTYPES), st.sampled_from(DTYPES), seeds)
def test_casts(source: DType, target: DType, seed: int) -> None:
    x = vector(source, 8, seed)
    got = x.cast(target)
    assert got.dtype is target
    for value, result in zip(x.numpy(), got.numpy(), strict=True):
        if source.is_float and target.is_integer:
            limits = np.iinfo(target.numpy)
            number = float(value)
            if math.isnan(number):
                assert result == 0
            else:
                low, high = int(limits.min), int(limits.max)
                assert int(result) == (
                    high if number >= high else low if number <= low else math.trunc(number)
                )
        elif target.is_integer and source.is_integer:
            assert (int(result) - int(value)) % (1 << target.bits) == 0
        elif target is DType.bool:
            assert bool(result) == (value != 0)


@given(st.sampled_from(COMPARED), seeds)
def test_comparison_and_select(dtype: DType, seed: int) -> None:
    x, y = vector(dtype, 8, seed), vector(dtype, 8, seed + 1)
    a, b = x.numpy(), y.numpy()
    with np.errstate(invalid="ignore"):
        pairs = [
            (x < y, a < b), (x <= y, a <= b), (x > y, a > b), (x >= y, a >= b), (x == y, a == b),
            (x != y, a != b),
        ]  # fmt: skip
    for mask, expected in pairs:
        assert mask.dtype is DType.bool
        assert np.array_equal(mask.numpy(), expected)
        assert same(mask.select(x, y).numpy(), np.where(expected, a, b))


# --- lanes ---


@given(seeds, st.sampled_from([2, 4, 8, 16]))
def test_lanes(seed: int, width: int) -> None:
    x, y = vector(I32, width, seed), vector(I32, width, seed + 1)
    a, b = x.numpy().tolist(), y.numpy().tolist()
    assert [int(x[i]) for i in range(width)] == a
    assert SIMD.join(x, y).numpy().tolist() == a + b
    assert SIMD.join(*x.split()).numpy().tolist() == a
    assert x.interleave(y).deinterleave()[1].numpy().tolist() == b
    assert x.rotate(1).numpy().tolist() == a[1:] + a[:1]
    assert x.slice(width // 2, width // 2).numpy().tolist() == a[width // 2 :] or width == 2
    assert SIMD[I32, width](*(x[i] for i in range(width))).numpy().tolist() == a
    assert x.bitcast("uint8").bitcast(I32).numpy().tolist() == a


@given(seeds, st.sampled_from([1, 2, 4, 8, 16, 32]))
def test_reductions(seed: int, width: int) -> None:
    x, mask = vector(I32, width, seed), vector(DType.bool, width, seed)
    a, bits = np.atleast_1d(x.numpy()), np.atleast_1d(mask.numpy())
    assert int(x.reduce_add()) == int(np.add.reduce(a, dtype=np.int32))
    assert int(x.reduce_multiply()) == int(np.multiply.reduce(a, dtype=np.int32))
    assert int(x.reduce_min()) == a.min()
    assert int(x.reduce_max()) == a.max()
    assert int(x.reduce_xor()) == np.bitwise_xor.reduce(a)
    assert bool(mask.reduce_or()) == bits.any()
    assert bool(mask.reduce_and()) == bits.all()


def test_a_sum_is_by_halves() -> None:
    x = SIMD[F32, 4](1e8, 1.0, -1e8, 1.0)  # (x0 + x2) + (x1 + x3)
    assert float(x.reduce_add()) == 2.0


def test_a_sum_of_halves_rounds_once() -> None:
    x = SIMD["float16", 4](2048.0, 0.75, 0.75, 0.75)
    assert float(x.reduce_add()) == 2050.0


# --- Python numbers ---


def test_numbers_take_the_dtype_of_their_partner() -> None:
    x = SIMD[U8, 2](250, 3)
    assert (x + 10).numpy().tolist() == [4, 13]
    assert (1 - x).numpy().tolist() == [7, 254]
    assert (7 // x).numpy().tolist() == [0, 2]
    assert (1 << SIMD[I32, 2](3, 40)).numpy().tolist() == [8, 0]
    assert (256 >> SIMD[I32, 2](3, 40)).numpy().tolist() == [32, 0]
    assert (x**3).numpy().tolist() == [250**3 % 256, 27]
    assert (x**0).numpy().tolist() == [1, 1]
    assert (2.0 / SIMD[F32, 2](4, 8)).numpy().tolist() == [0.5, 0.25]
    assert SIMD[U8, 1](-1).numpy() == 255
    assert SIMD[F32, 4](2).clamp(0.5, 1.5).numpy().tolist() == [1.5] * 4
    assert (5 & SIMD[I32, 1](4) | 1 ^ SIMD[I32, 1](3)).numpy() == 6
    assert (-5 % SIMD[I32, 1](3)).numpy() == 1


def test_scalars_spread() -> None:
    x, one = SIMD[F32, 4](1, 2, 3, 4), SIMD[F32, 1](1)
    assert (x + one).numpy().tolist() == (one + x).numpy().tolist() == [2, 3, 4, 5]
    assert one.fma(one, x).numpy().tolist() == [2, 3, 4, 5]
    assert SIMD["bool", 1](True).select(x, 0.0).numpy().tolist() == [1, 2, 3, 4]


def test_back_to_python() -> None:
    x = SIMD[I32, 1](3)
    assert (int(x), float(x), bool(x), [10, 11, 12, 13][x]) == (3, 3.0, True, 13)
    assert repr(SIMD[F32, 2](1, 2)) == "SIMD[float32, 2](1.0, 2.0)"
    assert repr(Scalar[F32]) == "SIMD[float32, 1]"
    assert SIMD[F32, 2] == SIMDType(F32, 2) != SIMD[F32, 4]
    assert len({SIMD[F32, 2], SIMD["float32", 2]}) == 1


# --- errors ---

ERRORS: list[tuple[Callable[[], Any], str]] = [
    (lambda: SIMD[F32, 3], "SIMD: got width 3, needed a power of two"),
    (lambda: SIMD["complex64", 2], "SIMD: got dtype complex64, needed a bool, integer or float dtype"),
    (lambda: SIMD[F32, 4](1, 2), "SIMD[float32, 4]: got 2 values, needed 1 or 4"),
    (lambda: SIMD[F32, 4]("a"), "SIMD[float32, 4]: got str, needed a number or a SIMD value"),  # type: ignore[arg-type]
    (lambda: SIMD[U8, 1](256), "SIMD[uint8, 1]: got 256, which does not fit 8 bits"),
    (lambda: SIMD[U8, 1](1) + 300, "SIMD[uint8, 1]: got 300, which does not fit 8 bits"),
    (lambda: SIMD[I32, 1](2) ** 0.5, "**: got exponent 0.5, needed a Python int from 0; try math.pow"),
    (lambda: SIMD[I32, 1](2) ** -1, "**: got exponent -1, needed a Python int from 0; try math.pow"),
    (lambda: SIMD[F32, 2](1) + SIMD[I32, 2](1), "add: got float32x2 and int32x2, needed one dtype and width; try .cast(float32)"),
    (lambda: SIMD[F32, 2](1) + SIMD[F32, 4](1), "add: got float32x2 and float32x4, needed one dtype and width; try .slice(2) of the wider, or .join"),
    (lambda: SIMD[I32, 1](1) * 0.5, "multiply: got 0.5 with a int32 value; cast that to a float dtype"),
    (lambda: SIMD[I32, 1](1) / 2, "divide: got (int32, int32), needed a dtype of kind float; try //, or .cast(float64)"),
    (lambda: SIMD[F32, 1](1) & 1, "and: got (float32, float32), needed a dtype of kind bool or signed or unsigned; try .to_bits(), or .cast(int64)"),
    (lambda: SIMD[F32, 2](1).select(1, 2), "select: got a float32 value, needed a bool mask"),
    (lambda: SIMD["bool", 2](True).select(1, 2), "select: got two Python numbers, needed a SIMD value to give the dtype"),
    (lambda: SIMD[F32, 2](1).splat(4), "splat: got width 2, needed a scalar or width 4"),
    (lambda: SIMD[F32, 2](1)[2], "lane: got 2, needed a Python int from 0 to 1"),
    (lambda: SIMD[F32, 2](1).shuffle(0, 5), "shuffle: got (float32x2), needed vectors of one dtype and lane numbers below 2"),
    (lambda: SIMD[F32, 4](1).shuffle(0, 1, 2), "shuffle: got type float32x3, needed numbers and a power of two of lanes"),
    (lambda: SIMD[F32, 1](1).bitcast("float64"), "bitcast: got (float32), needed a number of bits that float64 divides"),
    (lambda: SIMD[F32, 1](1).cast("q4_0"), "cast: got type q4_0, needed numbers and a power of two of lanes"),
    (lambda: bool(SIMD[F32, 2](1)), "bool: got 2 lanes; try reduce_or(), reduce_and() or select, and &, |, ~ for and, or, not"),
    (lambda: int(SIMD[F32, 2](1)), "int(): got 2 lanes, needed a scalar; try v[i]"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "message"), ERRORS, ids=[m[:40] for _, m in ERRORS])
def test_errors(call: Callable[[], Any], message: str) -> None:
    assert error_of(call) == message


NO_INDEX = (
    "index: this value is known at run time only, and Python needs a number here; a list takes an "
    "index of unroll(range(...)), and `range` belongs in the head of a `for`"
)
TRACED: list[tuple[Callable[[SIMD], Any], str]] = [
    (lambda x: x.numpy(), "numpy(): this value is known at run time only; try storing it into a tile"),
    (lambda x: int(x), "int(): this value is known at run time only; try .cast(int64)"),
    (lambda x: float(x), "float(): this value is known at run time only; try .cast(float64)"),
    (lambda x: [1, 2][x], NO_INDEX),
    (lambda x: bool(x == x), "bool: this condition is known at run time only, and Python needs one that is known now; try select, x != 0 for bool(x), or `if` in a function whose source can be read"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "message"), TRACED, ids=[m[:20] for _, m in TRACED])
def test_errors_of_traced_values(call: Callable[[SIMD], Any], message: str) -> None:
    assert error_of(lambda: trace(lambda n: call(n), {"n": SIMDType(DType.int64)})) == message


def test_a_traced_value_is_not_used_outside() -> None:
    held: list[SIMD] = []
    trace(lambda n: held.append(n), {"n": SIMDType(F32)})
    assert error_of(lambda: held[0] + 1.0) == (
        "add: a traced value was used outside the kernel that traced it"
    )
    assert repr(held[0]) == "<traced SIMD[float32, 1]>"


def test_an_index_is_a_whole_number() -> None:
    with pytest.raises(TypeError, match=r"index: got SIMD\[float32, 1\]\(1.0\), needed an integer"):
        [1, 2][SIMD[F32, 1](1)]


def test_other_types_are_left_to_python() -> None:
    with pytest.raises(TypeError):
        SIMD[F32, 1](1) + "a"
    assert (SIMD[F32, 1](1) == "a") is False
    assert apply("add", SIMD[F32, 1](1), SIMD[F32, 1](2)).numpy() == 3


def test_an_error_shows_the_line_and_the_column() -> None:
    def kernel(x: Tile) -> None:
        x[0] = x[1] + SIMD[I32, 1](2)

    with pytest.raises(KernelError) as caught:
        trace(kernel, {"x": TileType(F32, (4,), (1,))})
    lines = str(caught.value).splitlines()
    assert lines[1].endswith("in kernel")
    assert lines[2] == "    x[0] = x[1] + SIMD[I32, 1](2)"
    assert lines[3] == "           ^^^^^^^^^^^^^^^^^^^^^^"
