"""log, log2, log10 and log1p: an exponent of two plus the logarithm of a mantissa near 1.

The series of log is that of FreeBSD's e_logf.c and e_log.c (Sun Microsystems, 1993): coefficients
and error analysis. log2, log10 and pow take the logarithm of the mantissa as a sum of two float64.
"""

from __future__ import annotations

import math

from tensorlib.dtypes import DType
from tensorlib.lang.math_exponential import LN2
from tensorlib.lang.math_series import (
    BITS,
    exact_product,
    exact_sum,
    in_float64,
    polynomial,
    widened,
)
from tensorlib.simd import SIMD

__all__ = ["log", "log1p", "log2", "log10", "log_of_mantissa", "mantissa_and_exponent"]

# log((1 + s) / (1 - s)) is 2 s + s (c0 s**2 + c1 s**4 + ...).
_SERIES = {
    DType.float32: (0.66666662693, 0.40000972152, 0.28498786688, 0.24279078841),
    DType.float64: (
        6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01,
        2.222219843214978396e-01, 1.818357216161805012e-01, 1.531383769920937332e-01,
        1.479819860511658591e-01,
    ),
}  # fmt: skip
# The same without its first term, 2/3; Chebyshev interpolation, error 2**-65 of log.
_LONG_SERIES = (
    0.4, 0.28571428571428564, 0.2222222222222847, 0.1818181817964499, 0.1538461576290815,
    0.13333296397963834, 0.11766819021629554, 0.10456195110401487, 0.10763621515011304,
)  # fmt: skip
_TWO_THIRDS = (0.6666666666666666, 3.700743415417188e-17)
_LOG2_E = (1.4426950408889634, 2.0355273740931033e-17)
_LOG10_E = (0.4342944819032518, 1.098319650216765e-17)
_LOG10_2 = (0.3010299956639812, -2.8037281277851704e-18)


def mantissa_and_exponent(x: SIMD) -> tuple[SIMD, SIMD]:
    """Return m in [sqrt(1/2), sqrt(2)) and whole k with x = 2**k * m, for x above 0."""
    kind = x.dtype
    integer, mantissa, bias = BITS[kind]
    tiny = x < float(2.0 ** (1 - bias))
    bits = tiny.select(x * float(2.0 ** (mantissa + 2)), x).bitcast(integer)
    root_half = 0x3F3504F3 if kind is DType.float32 else 0x3FE6A09E667F3BCD
    k = (bits - root_half) >> mantissa
    m = (bits - (k << mantissa)).bitcast(kind)
    shift = tiny.select(SIMD[integer, x.width](mantissa + 2), 0)
    return m, (k - shift).cast(kind)


def _with_ends(x: SIMD, result: SIMD) -> SIMD:
    """Put in what logarithms are of 0, infinity, NaN and negative numbers."""
    result = (x == math.inf).select(x, result)
    result = (x == 0.0).select(-math.inf, result)
    return ((x < 0.0) | (x != x)).select(math.nan, result)


@widened
def log(x: SIMD) -> SIMD:
    """Natural logarithm, at most 1 ulp; log(0) is -inf, of a negative number NaN."""
    m, k = mantissa_and_exponent(x)
    return _with_ends(x, _log_near_one(m, k))


def _log_near_one(m: SIMD, k: SIMD) -> SIMD:
    """k ln(2) + log(m): f - f*f/2 + s*(f*f/2 + R(s*s)) with f = m - 1, s = f / (2 + f)."""
    high, low = LN2[m.dtype]
    f = m - 1.0
    s = f / (f + 2.0)
    z = s * s
    rest = polynomial(z, tuple(reversed(_SERIES[m.dtype]))) * z
    half = f * f * 0.5
    return k * high - ((half - (s * (half + rest) + k * low)) - f)


def log_of_mantissa(m: SIMD) -> tuple[SIMD, SIMD]:
    """Return log(m) as a sum of two float64, with a relative error of 2**-64 or less."""
    f = m - 1.0
    d, d_rest = exact_sum(m, SIMD[m.dtype, m.width](1.0))
    s = f / d
    s_rest = (s.fma(-d, f) - s * d_rest) / d
    z, z_rest = exact_product(s, s)
    z_rest = (s + s).fma(s_rest, z_rest)
    t, t_rest = exact_product(z, s)
    t_rest = z.fma(s_rest, z_rest.fma(s, t_rest))
    a, a_rest = exact_product(t, _TWO_THIRDS[0])
    a_rest = t.fma(_TWO_THIRDS[1], t_rest.fma(_TWO_THIRDS[0], a_rest))
    rest = (t * z).fma(polynomial(z, tuple(reversed(_LONG_SERIES))), a_rest)
    high, low = exact_sum(s + s, a)
    return high, low + (s_rest.fma(2.0, rest))


def _in_base(x: SIMD, of_e: tuple[float, float], of_two: tuple[float, float]) -> SIMD:
    """The float64 logarithm in another base, by that base's logarithms of e and of 2."""
    m, k = mantissa_and_exponent(x)
    high, low = log_of_mantissa(m)
    a, a_rest = exact_product(high, of_e[0])
    a_rest = high.fma(of_e[1], low.fma(of_e[0], a_rest))
    b, b_rest = exact_product(k, of_two[0])
    b_rest = k.fma(of_two[1], b_rest)
    total, rest = exact_sum(b, a)
    return _with_ends(x, total + (rest + (a_rest + b_rest)))


@widened
def log2(x: SIMD) -> SIMD:
    """Logarithm to base 2, at most 1 ulp; exact for powers of two. float32 goes through float64.

    >>> log2(SIMD["float32", 2](0.125, 1024.0))
    SIMD[float32, 2](-3.0, 10.0)
    """
    if x.dtype is DType.float32:
        return in_float64(lambda wide: log(wide) * _LOG2_E[0], x)
    return _in_base(x, _LOG2_E, (1.0, 0.0))


@widened
def log10(x: SIMD) -> SIMD:
    """Logarithm to base 10, at most 1 ulp; exact for powers of ten. float32 goes through float64.

    >>> float(log10(SIMD["float64", 1](1e22)))
    22.0
    """
    if x.dtype is DType.float32:
        return in_float64(lambda wide: log(wide) * _LOG10_E[0], x)
    return _in_base(x, _LOG10_E, _LOG10_2)


@widened
def log1p(x: SIMD) -> SIMD:
    """log(1 + x), near 0 as precise as elsewhere: at most 1.5 ulp.

    >>> float(log1p(SIMD["float64", 1](1e-20)))
    1e-20
    """
    u, lost = exact_sum(SIMD[x.dtype, x.width](1.0), x)
    result = log(u) + lost / u
    result = ((x == math.inf) | (u == 0.0)).select(log(u), result)
    return (abs(x) < (2.0**-25 if x.dtype is DType.float32 else 2.0**-54)).select(x, result)
