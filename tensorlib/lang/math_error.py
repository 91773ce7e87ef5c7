"""erf: a polynomial near 0, one minus e**(-x*x) times a polynomial beyond."""

from __future__ import annotations

from tensorlib.dtypes import DType
from tensorlib.lang.math_exponential import exp_of_sum
from tensorlib.lang.math_series import polynomial, widened, with_sign_of
from tensorlib.simd import SIMD

__all__ = ["erf"]

# erf(x) / x - 1 for |x| < 0.84, in powers of x**2, the highest first: Chebyshev interpolation.
_NEAR = {
    DType.float32: (
        8.8593144e-05, -0.00082491426, 0.0052096816, -0.026862621, 0.11283749, -0.37612638,
        0.12837917,
    ),
    DType.float64: (
        -8.847223918560384e-10, 1.41933794487106e-08, -1.6301115555811785e-07,
        1.6457733512818286e-06, -1.4925453340176486e-05, 0.000120553270506432,
        -0.0008548326905656577, 0.005223977623956974, -0.026866170645020646, 0.112837916709547,
        -0.3761263890318375, 0.1283791670955126,
    ),
}  # fmt: skip
# e**(x*x) * (1 - erf(x)) from there on, in powers of (x - 2) / (x + 2).
_BEYOND = {
    DType.float32: (
        -0.000942924, -0.0008377673, 0.006994623, 0.0037323493, -0.078978516, 0.2416582,
        -0.42718583, 0.25539568,
    ),
    DType.float64: (
        -8.469886212899869e-07, 9.110330631788787e-07, 4.016450488902189e-06,
        1.4564734129776817e-06, -1.4033932072114561e-05, -2.7586971992189837e-05,
        2.753537935649886e-05, 0.00017436150335075105, 4.355477729603138e-05,
        -0.000981977027282319, -0.0008471432134507336, 0.006997461738760835, 0.003732892403487454,
        -0.07897858101572143, 0.24165819424247367, -0.42718584741395843, 0.25539567631050575,
    ),
}  # fmt: skip
# Where 1 is the nearest float.
_ONE = {DType.float32: 4.0, DType.float64: 6.0}


@widened
def erf(x: SIMD) -> SIMD:
    """The error function, at most 1.5 ulp.

    >>> float(erf(SIMD["float32", 1](0.5)))
    0.5204998850822449
    """
    a = abs(x).min(_ONE[x.dtype])
    near = a.fma(polynomial(a * a, _NEAR[x.dtype]), a)
    t = (a - 2.0) / (a + 2.0)
    beyond = 1.0 - exp_of_sum(-(a * a)) * polynomial(t, _BEYOND[x.dtype])
    return with_sign_of((a < 0.84).select(near, beyond), x)
