"""tanh, sinh, cosh, sigmoid and silu, from exponentials that do not overflow early."""

from __future__ import annotations

from tensorlib.dtypes import DType
from tensorlib.lang.math_exponential import exp, expm1, half_exp
from tensorlib.lang.math_series import exact_sum, in_float64, widened, with_sign_of
from tensorlib.simd import SIMD

__all__ = ["cosh", "sigmoid", "silu", "sinh", "tanh"]

# From here on e**-x is less than half an ulp of e**x.
_LARGE = {DType.float32: 9.5, DType.float64: 20.0}


@widened
def sigmoid(x: SIMD) -> SIMD:
    """1 / (1 + e**-x), at most 3 ulp."""
    small = exp(-abs(x))  # at most 1, so that nothing overflows
    return (x < 0.0).select(small, 1.0) / (small + 1.0)


@widened
def silu(x: SIMD) -> SIMD:
    """x * sigmoid(x), also called swish (Elfwing et al. 2017): at most 4 ulp.

    Where the result is below the smallest normal number times 128, an error of 2**-142 (float32)
    or 2**-1064 (float64).
    """
    small = exp(-abs(x))
    return (x < 0.0).select(x * small, x) / (small + 1.0)


@widened
def tanh(x: SIMD) -> SIMD:
    """Hyperbolic tangent: at most 1 ulp of float32, which goes through float64; 1.5 of float64."""
    if x.dtype is DType.float32:  # in float64 the cancellation near 0 costs nothing that is seen
        return (abs(x) < 1e-4).select(x, in_float64(_plain_tanh, x))
    t = expm1((abs(x) * 2.0).min(44.0))
    d, lost = exact_sum(t, SIMD[x.dtype, x.width](2.0))
    q = t / d
    return with_sign_of(q + q.fma(-lost, q.fma(-d, t)) / d, x)


def _plain_tanh(x: SIMD) -> SIMD:
    return 1.0 - 2.0 / (exp(x.clamp(-20.0, 20.0) * 2.0) + 1.0)


@widened
def sinh(x: SIMD) -> SIMD:
    """Hyperbolic sine, at most 2 ulp.

    >>> float(sinh(SIMD["float32", 1](-1.0)))
    -1.175201177597046
    """
    a, edge = abs(x), _LARGE[x.dtype]
    t = expm1(a.min(edge))
    is_small = t < 1.0
    part = is_small.select(t * t, t) / (t + 1.0)
    result = is_small.select(t - part * 0.5, (t + part) * 0.5)
    result = (a > edge).select(half_exp(a), result)
    return with_sign_of(result, x)


@widened
def cosh(x: SIMD) -> SIMD:
    """Hyperbolic cosine, at most 2 ulp.

    >>> float(cosh(SIMD["float32", 1](0.0)))
    1.0
    """
    h = half_exp(abs(x))
    return h + 0.25 / h
