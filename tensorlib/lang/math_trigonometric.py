"""sin, cos and tan: Taylor-like polynomials on an eighth of a turn.

The coefficients are Chebyshev interpolations (error 2**-28 for float32, 2**-57 for float64); the
way that the rest of the reduced angle enters is that of FreeBSD's k_sin.c and k_cos.c.
"""

from __future__ import annotations

import math

from tensorlib.dtypes import DType
from tensorlib.lang.math_reduction import quarter_turns
from tensorlib.lang.math_series import BITS, fast_sum, polynomial, widened
from tensorlib.simd import SIMD

__all__ = ["cos", "sin", "tan"]

# (sin(r) / r - 1) / r**2 and (cos(r) - 1 + r**2 / 2) / r**4 in powers of r**2, the highest first.
_SIN = {
    DType.float32: (2.7246876e-06, -0.00019840064, 0.008333332, -0.16666667),
    DType.float64: (
        -7.58609648091133e-13, 1.6058521378931806e-10, -2.505210616752035e-08,
        2.7557319219151316e-06, -0.00019841269841264821, 0.008333333333333331,
        -0.16666666666666666,
    ),
}  # fmt: skip
_COS = {
    DType.float32: (-2.7298415e-07, 2.480058e-05, -0.0013888888, 0.041666668),
    DType.float64: (
        4.745537957624447e-14, -1.1470455194327547e-11, 2.087675575498225e-09,
        -2.7557319221298385e-07, 2.4801587301584513e-05, -0.0013888888888888887,
        0.041666666666666664,
    ),
}  # fmt: skip


def _sin_and_cos(r: SIMD, rest: SIMD) -> tuple[SIMD, SIMD]:
    """Return sin(r + rest) and cos(r + rest)."""
    (a, b), (c, d) = _sums(r, rest)
    return a + b, c + d


def _sums(r: SIMD, rest: SIMD) -> tuple[tuple[SIMD, SIMD], tuple[SIMD, SIMD]]:
    """Return sin(r + rest) and cos(r + rest), each as a sum of a large and a small number."""
    z = r * r
    half = z * 0.5
    sine = (r * z).fma(polynomial(z, _SIN[r.dtype]), rest.fma(-half, rest))
    near = 1.0 - half
    beyond = (z * z).fma(polynomial(z, _COS[r.dtype]), -(r * rest))
    return (r, sine), (near, ((1.0 - near) - half) + beyond)


def _turned(x: SIMD, n: SIMD, sine: SIMD, cosine: SIMD) -> SIMD:
    """The sine of n quarter turns and the angle of `sine` and `cosine`; NaN for infinite x."""
    integer, _, _ = BITS[x.dtype]
    value = ((n & 1) != 0).select(cosine, sine)
    flipped = value.bitcast(integer) ^ ((n & 2) << (integer.bits - 2))
    return (abs(x) < math.inf).select(flipped.bitcast(x.dtype), math.nan)


@widened
def sin(x: SIMD) -> SIMD:
    """Sine of radians, however many: at most 1 ulp.

    >>> float(sin(SIMD["float64", 1](1e22)))
    -0.8522008497671888
    """
    n, r, rest = quarter_turns(x)
    return (x == 0.0).select(x, _turned(x, n, *_sin_and_cos(r, rest)))


@widened
def cos(x: SIMD) -> SIMD:
    """Cosine of radians, however many: at most 1 ulp.

    >>> float(cos(SIMD["float32", 1](1e30)))
    -0.6116048097610474
    """
    n, r, rest = quarter_turns(x)
    return _turned(x, n + 1, *_sin_and_cos(r, rest))


@widened
def tan(x: SIMD) -> SIMD:
    """Tangent of radians, however many: at most 1 ulp.

    >>> float(tan(SIMD["float32", 1](0.5)))
    0.5463024973869324
    """
    n, r, rest = quarter_turns(x)
    sine, cosine = (fast_sum(*parts) for parts in _sums(r, rest))
    is_odd = (n & 1) != 0
    over, over_rest = (is_odd.select(-c, s) for s, c in zip(sine, cosine, strict=True))
    under, under_rest = (is_odd.select(s, c) for s, c in zip(sine, cosine, strict=True))
    t = over / under
    result = t + (t.fma(-under, over) + t.fma(-under_rest, over_rest)) / under
    result = (abs(x) < math.inf).select(result, math.nan)
    return (x == 0.0).select(x, result)
