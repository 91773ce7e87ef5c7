"""asin, acos, atan and atan2: polynomials on a part of their range, identities for the rest.

The coefficients are Chebyshev interpolations of the functions divided by x; the last 53 bits of
pi/2 that a float drops enter as in FreeBSD's e_asin.c, e_acos.c and s_atan.c.
"""

from __future__ import annotations

import math

from tensorlib.dtypes import DType
from tensorlib.lang.math_series import BITS, exact_sum, polynomial, widened, with_sign_of
from tensorlib.simd import SIMD

__all__ = ["acos", "asin", "atan", "atan2"]

# pi/2 and what it lacks.
_HALF_PI = {
    DType.float32: (1.5707963705062866, -4.371138828673793e-08),
    DType.float64: (1.5707963267948966, 6.123233995736766e-17),
}
# (atan(t) / t - 1) / t**2 for |t| <= sqrt(2) - 1, in powers of t**2, the highest first.
_ATAN = {
    DType.float32: (-0.06451919, 0.10743728, -0.14263955, 0.1999954, -0.3333333),
    DType.float64: (
        0.016285693223611966, -0.03457050456406089, 0.04551590988049984, -0.05230453781214594,
        0.05878928931381249, -0.06666424879958671, 0.07692296374710354, -0.09090908753489747,
        0.11111111105155223, -0.14285714285659826, 0.19999999999999804, -0.3333333333333333,
    ),
}  # fmt: skip
# (asin(t) / t - 1) / t**2 for |t| <= 1/2.
_ASIN = {
    DType.float32: (0.033690847, 0.017149238, 0.031100662, 0.044599403, 0.07500094, 0.16666666),
    DType.float64: (
        0.028757851367421566, -0.014851887071247204, 0.01740087944269402, 0.005457506718640358,
        0.01032281435018578, 0.011479177415184906, 0.013971212973552933, 0.017352392720869973,
        0.02237217294214989, 0.030381944138531247, 0.04464285714635543, 0.07499999999998433,
        0.16666666666666669,
    ),
}  # fmt: skip


@widened
def atan(x: SIMD) -> SIMD:
    """Arc tangent, at most 2 ulp.

    >>> float(atan(SIMD["float32", 1](1.0)))
    0.7853981852531433
    """
    return with_sign_of(_positive_atan(abs(x), SIMD[x.dtype, x.width](1.0)), x)


def _positive_atan(y: SIMD, x: SIMD) -> SIMD:
    """atan(y / x) for y and x from 0 on, not both 0."""
    high, low = _HALF_PI[x.dtype]
    is_middle = y > x * (math.sqrt(2.0) - 1.0)
    is_high = y > x * (math.sqrt(2.0) + 1.0)
    over = is_high.select(-x, is_middle.select(y - x, y))
    under = is_high.select(y, is_middle.select(y + x, x))
    t = over / under
    zero = SIMD[x.dtype, x.width](0.0)
    base = is_high.select(high, is_middle.select(high / 2, zero))
    rest = is_high.select(low, is_middle.select(low / 2, zero))
    z = t * t
    return base + (t + (t * z).fma(polynomial(z, _ATAN[x.dtype]), rest))


@widened
def atan2(y: SIMD, x: SIMD) -> SIMD:
    """The angle of the point (x, y), from -pi to pi: at most 2.5 ulp; special values are C's.

    >>> float(atan2(SIMD["float32", 1](1.0), SIMD["float32", 1](-1.0)))
    2.356194496154785
    """
    kind = x.dtype
    integer, mantissa, bias = BITS[kind]
    high, low = _HALF_PI[kind]
    a, b = abs(y), abs(x)
    infinite = (a == math.inf) & (b == math.inf)
    # Near either end of the range of floats sums and quotients leave it: come away first.
    large, small = a.max(b), a.min(b)
    factor = (large > 2.0 ** (bias - 2)).select(SIMD[kind, x.width](0.25), 1.0)
    factor = (small < 2.0 ** (1 - bias + mantissa)).select(factor * 2.0 ** (mantissa + 3), factor)
    factor = (large > 2.0 ** (bias // 2)).select(factor.min(1.0), factor)
    one = SIMD[kind, x.width](1.0)
    a, b = infinite.select(one, a * factor), infinite.select(one, b * factor)
    b = ((a == 0.0) & (b == 0.0)).select(1.0, b)
    angle = _positive_atan(a, b)
    is_left = x.bitcast(integer) < 0
    angle = is_left.select(2.0 * high - (angle - 2.0 * low), angle)
    return ((x != x) | (y != y)).select(math.nan, with_sign_of(angle, y))


def _rooted(x: SIMD) -> tuple[SIMD, SIMD, SIMD, SIMD]:
    """Return where |x| > 1/2, s = |x| or sqrt((1 - |x|) / 2), what s lacks, and asin(s) / s - 1."""
    a = abs(x)
    is_large = a > 0.5
    z = is_large.select((1.0 - a) * 0.5, a * a)
    root = z.sqrt()
    lost = root.fma(-root, z) / (root + root).max(2.0**-100)
    s = is_large.select(root, a)
    return is_large, s, is_large.select(lost, 0.0), z * polynomial(z, _ASIN[x.dtype])


@widened
def asin(x: SIMD) -> SIMD:
    """Arc sine, at most 1 ulp; NaN outside [-1, 1].

    >>> float(asin(SIMD["float32", 1](-1.0)))
    -1.5707963705062866
    """
    high, low = _HALF_PI[x.dtype]
    is_large, s, lost, p = _rooted(x)
    beyond = s.fma(p, lost)
    large, rest = exact_sum(SIMD[x.dtype, x.width](high), -2.0 * s)
    large = large + (rest - (2.0 * beyond - low))
    return with_sign_of(is_large.select(large, s + beyond), x)


@widened
def acos(x: SIMD) -> SIMD:
    """Arc cosine, at most 1 ulp; NaN outside [-1, 1].

    >>> float(acos(SIMD["float32", 1](-1.0)))
    3.1415927410125732
    """
    high, low = _HALF_PI[x.dtype]
    is_large, s, lost, p = _rooted(x)
    beyond = s.fma(p, lost)
    right = 2.0 * (s + beyond)
    left = 2.0 * (high - (s + (beyond - low)))
    middle = high - (x - (low - x * p))
    return is_large.select((x > 0.0).select(right, left), middle)
