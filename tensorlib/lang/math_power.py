"""pow, roots and hypot."""

from __future__ import annotations

import math

from tensorlib.dtypes import DType
from tensorlib.lang.math_exponential import exp_of_sum
from tensorlib.lang.math_logarithm import log, log_of_mantissa, mantissa_and_exponent
from tensorlib.lang.math_series import (
    BITS,
    exact_product,
    exact_sum,
    in_float64,
    widened,
    with_sign_of,
)
from tensorlib.simd import SIMD

__all__ = ["cbrt", "hypot", "pow", "rsqrt"]

# ln(2) in two parts, the first exact in products with exponents.
_LN2 = (0.6931471805598903, 5.497923018708371e-14)
# What the bits of a float divided by three lack of those of its cube root.
_CUBE_BITS = {DType.float32: 0x2A5119F2, DType.float64: 0x2A9F7893782DA1CE}


@widened
def rsqrt(x: SIMD) -> SIMD:
    """1 / sqrt(x), both rounded: at most 1.5 ulp."""
    return 1.0 / x.sqrt()


@widened
def pow(x: SIMD, y: SIMD) -> SIMD:
    """x**y: at most 1 ulp of float32, which goes through float64; 1.5 of float64.

    Special values are those of C's `pow`.

    >>> pow(SIMD["float32", 2](2.0, -8.0), SIMD["float32", 2](0.5, 3.0))
    SIMD[float32, 2](1.4142135381698608, -512.0)
    """
    if x.dtype is DType.float32:
        return in_float64(lambda a, b: _signed(a, b, exp_of_sum(b * log(abs(a)))), x, y)
    high, low = _log_pair(abs(x))
    product, rest = exact_product(high, y)
    rest = low.fma(y, rest)
    rest = (abs(product) < 1e4).select(rest, 0.0)
    return _signed(x, y, exp_of_sum(product, rest))


def _log_pair(x: SIMD) -> tuple[SIMD, SIMD]:
    """log(x) as a sum of two float64; of 0 and infinity the first is infinite."""
    m, k = mantissa_and_exponent(x)
    high, low = log_of_mantissa(m)
    total, rest = exact_sum(k * _LN2[0], high)
    rest = rest + k.fma(_LN2[1], low)
    total = (x == 0.0).select(-math.inf, (x == math.inf).select(x, total))
    return total, rest


def _signed(x: SIMD, y: SIMD, power: SIMD) -> SIMD:
    """Return |x|**y with the sign of x**y, NaN where none is real, 1 where C says so."""
    half = y * 0.5
    is_whole = y.trunc() == y
    is_odd = is_whole & (half.trunc() != half)
    integer, _, _ = BITS[x.dtype]
    is_negative = x.bitcast(integer) < 0
    power = (abs(x) == 1.0).select(1.0, power)
    power = (is_negative & is_odd).select(-power, power)
    has_none = is_negative & ~is_whole & (x != 0.0) & (x != -math.inf)
    power = (has_none | (x != x) | (y != y)).select(math.nan, power)
    return ((y == 0.0) | (x == 1.0)).select(1.0, power)


@widened
def cbrt(x: SIMD) -> SIMD:
    """The cube root, of negative numbers too: at most 1 ulp. Halley's iterations, then Newton's.

    >>> cbrt(SIMD["float32", 2](27.0, -0.125))
    SIMD[float32, 2](3.0, -0.5)
    """
    kind = x.dtype
    integer, mantissa, bias = BITS[kind]
    up = mantissa - mantissa % 3 + 3
    is_tiny, is_huge = abs(x) < 2.0 ** (1 - bias), abs(x) > 2.0 ** (bias - 2)
    one = SIMD[kind, x.width](1.0)
    a = abs(x) * is_tiny.select(2.0**up, is_huge.select(2.0**-6, one))
    bits = a.bitcast(integer)
    third = (bits >> 2) + (bits >> 4)  # times (1/4 + 1/16) (1 + 1/16) (1 + 1/256) ... is 1/3
    for shift in (4, 8, 16, 32)[: 3 if kind is DType.float32 else 4]:
        third = third + (third >> shift)
    t = (third + _CUBE_BITS[kind]).bitcast(kind)
    for _ in range(1 if kind is DType.float32 else 2):
        cube = t * t * t
        t = t * ((cube + a + a) / (cube + cube + a))
    square, rest = exact_product(t, t)
    residue = rest.fma(t, square.fma(t, -a))
    t = t - residue / (square * 3.0)
    t = t * is_tiny.select(2.0 ** (-up // 3), is_huge.select(4.0, one))
    is_itself = (x == 0.0) | (abs(x) == math.inf) | (x != x)
    return is_itself.select(x, with_sign_of(t, x))


@widened
def hypot(x: SIMD, y: SIMD) -> SIMD:
    """sqrt(x*x + y*y) without overflow on the way: at most 1.25 ulp; infinite where either is.

    >>> float(hypot(SIMD["float32", 1](3e30), SIMD["float32", 1](4e30)))
    4.9999999241216036e+30
    """
    kind = x.dtype
    _, mantissa, bias = BITS[kind]
    large, small = abs(x).max(abs(y)), abs(x).min(abs(y))
    # One power of two for all large numbers and one for all small ones keep squares in range.
    edge = 2.0 ** (bias // 2 - 1)
    up = 2.0 ** (bias // 2 + mantissa)
    is_large, is_small = large > edge, large < 1.0 / edge
    factor = is_large.select(1.0 / up, is_small.select(SIMD[kind, x.width](up), 1.0))
    back = is_large.select(up, is_small.select(SIMD[kind, x.width](1.0 / up), 1.0))
    a, b = large * factor, small * factor
    result = a.fma(a, b * b).sqrt() * back
    return ((abs(x) == math.inf) | (abs(y) == math.inf)).select(math.inf, result)
