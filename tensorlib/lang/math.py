"""Transcendental functions over SIMD: polynomials, the same bits everywhere, and a few of libm's.

`sin`, `cos`, `pow` and float64 `tanh` call the C library for each lane.

Error bounds hold over all of float32 (against float64) and over dense sweeps of float64 (against
long double). float16 and bfloat16 are computed in float32 and rounded once more.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence

from tensorlib.dtypes import DType
from tensorlib.ir.builder import fail
from tensorlib.simd import SIMD, apply

__all__ = ["cos", "exp", "log", "pow", "rsqrt", "sigmoid", "silu", "sin", "tanh"]

# Taylor coefficients of exp from the highest down; |r| <= ln(2)/2 makes the rest negligible.
_EXP = {DType.float32: 7, DType.float64: 13}
# ln(2) in two parts, the first exact in products with |n| < 2**11: Cody and Waite (1980).
_LN2 = {
    DType.float32: (0.693145751953125, 1.42860682030941723212e-6),
    DType.float64: (6.93147180369123816490e-01, 1.90821492927058770002e-10),
}
# Beyond these exp overflows or is zero; clamping keeps the exponent arithmetic in range.
_EXP_RANGE = {DType.float32: (-104.0, 89.0), DType.float64: (-746.0, 710.0)}
_BITS = {  # integer dtype, mantissa bits, exponent bias
    DType.float32: (DType.int32, 23, 127),
    DType.float64: (DType.int64, 52, 1023),
}
# Coefficients of the atanh series of log: FreeBSD's e_logf.c and e_log.c (Sun Microsystems, 1993).
_LOG = {
    DType.float32: (0.66666662693, 0.40000972152, 0.28498786688, 0.24279078841),
    DType.float64: (
        6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01,
        2.222219843214978396e-01, 1.818357216161805012e-01, 1.531383769920937332e-01,
        1.479819860511658591e-01,
    ),
}  # fmt: skip


def polynomial(x: SIMD, coefficients: Sequence[float]) -> SIMD:
    """Evaluate c[0] x^n + ... + c[n] by Horner's rule, each step rounded once."""
    result = SIMD[x.dtype, x.width](coefficients[0])
    for c in coefficients[1:]:
        result = result.fma(x, c)
    return result


def _wide(function: Callable[[SIMD], SIMD]) -> Callable[[SIMD], SIMD]:
    """Compute float16 and bfloat16 in float32 and round once."""

    @functools.wraps(function)
    def call(x: SIMD) -> SIMD:
        if not x.dtype.is_float:
            name = function.__name__
            raise fail(f"{name}: got a {x.dtype.name} value, needed a float; try .cast(float32)")
        if x.dtype.bits == 16:
            return function(x.cast(DType.float32)).cast(x.dtype)
        return function(x)

    return call


@_wide
def exp(x: SIMD) -> SIMD:
    """e**x with at most 1 ulp of error; infinities, NaN and subnormals right.

    >>> exp(SIMD["float32", 2](0.0, 1.0))
    SIMD[float32, 2](1.0, 2.7182817459106445)
    """
    kind, degree = x.dtype, _EXP[x.dtype]
    high, low = _LN2[kind]
    least, most = _EXP_RANGE[kind]
    vanishes = x < least  # computed as exp(0): results below the subnormals take far longer
    x = vanishes.select(0.0, x).min(most)
    # Adding 1.5 * 2**mantissa leaves round(x / ln 2) in the low bits of the sum.
    integer, mantissa, _ = _BITS[kind]
    magic = SIMD[kind, x.width](1.5 * 2.0**mantissa)
    t = x.fma(1.0 / math.log(2.0), magic)
    n = t - magic
    r = n.fma(-low, n.fma(-high, x))
    p = polynomial(r, [1.0 / math.factorial(k) for k in range(degree, -1, -1)])
    return vanishes.select(0.0, _scale(p, t.bitcast(integer) - magic.bitcast(integer)))


def _scale(p: SIMD, whole: SIMD) -> SIMD:
    """p * 2**whole in two steps, so that the result may be subnormal or overflow to infinity."""
    _, mantissa, bias = _BITS[p.dtype]
    half = whole >> 1
    first = ((half + bias) << mantissa).bitcast(p.dtype)
    second = ((whole - half + bias) << mantissa).bitcast(p.dtype)
    return p * first * second


@_wide
def log(x: SIMD) -> SIMD:
    """Natural logarithm, at most 1 ulp; log(0) is -inf, of a negative number NaN."""
    kind = x.dtype
    integer, mantissa, bias = _BITS[kind]
    smallest = float(2.0 ** (1 - bias))
    tiny = x < smallest
    scaled = tiny.select(x * float(2.0 ** (mantissa + 2)), x)
    # Split into 2**k * m with m in [sqrt(1/2), sqrt(2)).
    bits = scaled.bitcast(integer)
    offset = bits - _root_half(kind)
    k = offset >> mantissa
    m = (bits - (k << mantissa)).bitcast(kind)
    shift = tiny.select(SIMD[integer, x.width](mantissa + 2), 0)
    result = _log_near_one(m, (k - shift).cast(kind))
    result = (x == math.inf).select(x, result)
    result = (x == 0.0).select(-math.inf, result)
    return ((x < 0.0) | (x != x)).select(math.nan, result)


def _root_half(kind: DType) -> int:
    return 0x3F3504F3 if kind is DType.float32 else 0x3FE6A09E667F3BCD


def _log_near_one(m: SIMD, k: SIMD) -> SIMD:
    """k ln(2) + log(m): f - f*f/2 + s*(f*f/2 + R(s*s)) with f = m - 1, s = f / (2 + f)."""
    high, low = _LN2[m.dtype]
    f = m - 1.0
    s = f / (f + 2.0)
    z = s * s
    rest = polynomial(z, tuple(reversed(_LOG[m.dtype]))) * z
    half = f * f * 0.5
    return k * high - ((half - (s * (half + rest) + k * low)) - f)


@_wide
def sigmoid(x: SIMD) -> SIMD:
    """1 / (1 + e**-x), at most 3 ulp."""
    small = exp(-abs(x))  # at most 1, so that nothing overflows
    return (x < 0.0).select(small, 1.0) / (small + 1.0)


@_wide
def silu(x: SIMD) -> SIMD:
    """x * sigmoid(x), also called swish (Elfwing et al. 2017): at most 4 ulp.

    Where the result is below the smallest normal number times 128, an error of 2**-142 (float32)
    or 2**-1064 (float64).
    """
    small = exp(-abs(x))
    return (x < 0.0).select(x * small, x) / (small + 1.0)


@_wide
def tanh(x: SIMD) -> SIMD:
    """Hyperbolic tangent: 1 - 2 / (e**2x + 1) in float64, at most 1 ulp of float32.

    float64 goes through the C library: at most 3 ulp.
    """
    if x.dtype is DType.float32:  # in float64 the cancellation near 0 costs nothing that is seen
        wide = x.cast(DType.float64)
        y = wide.clamp(-20.0, 20.0)
        result = (1.0 - 2.0 / (exp(y * 2.0) + 1.0)).cast(DType.float32)
        return (abs(x) < 1e-4).select(x, result)
    return _library("tanh", x)


@_wide
def rsqrt(x: SIMD) -> SIMD:
    """1 / sqrt(x), both rounded: at most 1.5 ulp."""
    return 1.0 / x.sqrt()


@_wide
def sin(x: SIMD) -> SIMD:
    """Sine through the C library, lane by lane: at most 1 ulp."""
    return _library("sin", x)


@_wide
def cos(x: SIMD) -> SIMD:
    """Cosine through the C library, lane by lane: at most 1 ulp."""
    return _library("cos", x)


def pow(x: SIMD, y: SIMD) -> SIMD:
    """x**y through the C library, lane by lane: at most 1 ulp."""
    return _library("pow", x, y)


def _library(name: str, *operands: SIMD) -> SIMD:
    """Call a float64 function of the C library for each lane."""
    kind = operands[0].dtype
    wide = [x.cast(DType.float64) for x in operands]
    return apply("library", *wide, function=name).cast(kind)
