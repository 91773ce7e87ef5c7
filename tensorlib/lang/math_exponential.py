"""exp, exp2 and expm1: a power of two times the exponential of what is left, by Taylor's series."""

from __future__ import annotations

import math

from tensorlib.dtypes import DType
from tensorlib.lang.math_series import BITS, exact_sum, polynomial, scaled, widened
from tensorlib.simd import SIMD

__all__ = ["LN2", "exp", "exp2", "exp_of_sum", "expm1", "half_exp"]

# The degree of the series; |r| <= ln(2)/2 makes the rest negligible.
_DEGREE = {DType.float32: 7, DType.float64: 13}
# ln(2) in two parts, the first exact in products with |n| < 2**11: Cody and Waite (1980).
LN2 = {
    DType.float32: (0.693145751953125, 1.42860682030941723212e-6),
    DType.float64: (6.93147180369123816490e-01, 1.90821492927058770002e-10),
}
# Beyond these exp overflows or is zero; clamping keeps the exponent arithmetic in range.
_RANGE = {DType.float32: (-104.0, 89.0), DType.float64: (-746.0, 710.0)}
_RANGE_OF_TWO = {DType.float32: (-150.0, 128.0), DType.float64: (-1075.0, 1024.0)}
# exp(x) - 1 is -1 below the first; below the second, x itself.
_NEAR_ONE = {DType.float32: (-30.0, 2.0**-25), DType.float64: (-60.0, 2.0**-54)}


@widened
def exp(x: SIMD) -> SIMD:
    """e**x with at most 1 ulp of error; infinities, NaN and subnormals right.

    >>> exp(SIMD["float32", 2](0.0, 1.0))
    SIMD[float32, 2](1.0, 2.7182817459106445)
    """
    return exp_of_sum(x)


def exp_of_sum(x: SIMD, small: SIMD | None = None) -> SIMD:
    """e**(x + small), where |small| is below an ulp of x: given that, at most 0.7 ulp."""
    least, most = _RANGE[x.dtype]
    vanishes = x < least  # computed as exp(0): results below the subnormals take far longer
    x = vanishes.select(0.0, x).min(most)
    r, t = _remainder(x)
    if small is None:
        return vanishes.select(0.0, scaled(_series(r), _whole(t)))
    r, rest = exact_sum(r, small + _rest(x, r, t))
    one = SIMD[x.dtype, x.width](1.0)
    return vanishes.select(0.0, scaled(_one_and_more(one, r, rest), _whole(t)))


def half_exp(x: SIMD) -> SIMD:
    """e**x / 2 for x from 0 on, which overflows later than e**x."""
    r, t = _remainder(x.min(_RANGE[x.dtype][1] + 1.0))
    return scaled(_series(r), _whole(t) - 1)


def _magic(x: SIMD) -> SIMD:
    """Return what leaves the nearest whole number in the low bits of a sum."""
    _, mantissa, _ = BITS[x.dtype]
    return SIMD[x.dtype, x.width](1.5 * 2.0**mantissa)


def _whole(t: SIMD) -> SIMD:
    """Return the whole number in the low bits of t."""
    integer, _, _ = BITS[t.dtype]
    return t.bitcast(integer) - _magic(t).bitcast(integer)


def _remainder(x: SIMD) -> tuple[SIMD, SIMD]:
    """Return r and t, which has n in its low bits: x = n ln(2) + r with |r| <= ln(2)/2."""
    high, low = LN2[x.dtype]
    t = x.fma(1.0 / math.log(2.0), _magic(x))
    n = t - _magic(x)
    return n.fma(-low, n.fma(-high, x)), t


def _rest(x: SIMD, r: SIMD, t: SIMD) -> SIMD:
    """Return what r lacks of the exact remainder."""
    high, low = LN2[x.dtype]
    n = t - _magic(x)
    return n.fma(-low, n.fma(-high, x) - r)


def _one_and_more(one: SIMD, r: SIMD, rest: SIMD) -> SIMD:
    """Return one + (e**(r + rest) - 1), the sum with r exact."""
    degree = _DEGREE[r.dtype] + 1
    beyond = polynomial(r, [1.0 / math.factorial(k) for k in range(degree, 1, -1)])
    total, lost = exact_sum(one, r)
    return total + (lost + (r * r).fma(beyond, rest))


def _series(r: SIMD) -> SIMD:
    return polynomial(r, [1.0 / math.factorial(k) for k in range(_DEGREE[r.dtype], -1, -1)])


@widened
def exp2(x: SIMD) -> SIMD:
    """2**x with at most 1 ulp of error; exact for whole numbers.

    >>> exp2(SIMD["float32", 2](-1.0, 10.0))
    SIMD[float32, 2](0.5, 1024.0)
    """
    least, most = _RANGE_OF_TWO[x.dtype]
    vanishes = x < least
    x = vanishes.select(0.0, x).min(most)
    t = x + _magic(x)
    r = (x - (t - _magic(x))) * math.log(2.0)
    return vanishes.select(0.0, scaled(_series(r), _whole(t)))


@widened
def expm1(x: SIMD) -> SIMD:
    """e**x - 1, near 0 as precise as elsewhere: at most 1.25 ulp.

    >>> float(expm1(SIMD["float64", 1](1e-20)))
    1e-20
    """
    kind = x.dtype
    _, mantissa, bias = BITS[kind]
    least, tiny = _NEAR_ONE[kind]
    inside = x.clamp(least, _RANGE[kind][1])
    r, t = _remainder(inside)
    rest, n = _rest(inside, r, t), _whole(t)
    inverse = ((bias - n.min(2 * mantissa)) << mantissa).bitcast(kind)  # 2**-n
    return (abs(x) < tiny).select(x, scaled(_one_and_more(1.0 - inverse, r, rest), n))
