"""Transcendental functions over SIMD: polynomials in the kernel language, the same bits everywhere.

None calls a library. Error bounds hold over sweeps of all float32 (against float64) and of float64
(against long double). float16 and bfloat16 are computed in float32 and rounded once more. The
largest errors that were measured, in ulps:

             float32 float64            float32 float64            float32 float64
    exp         0.88    1.00   silu        2.72    2.79   cos         0.79    0.76
    exp2        0.93    1.00   tanh        0.50    1.46   tan         0.98    0.97
    expm1       1.04    1.12   sinh        1.72    1.73   asin        0.63    0.64
    log         0.78    0.82   cosh        1.34    1.30   acos        0.77    0.76
    log2        0.50    0.51   erf         0.99    1.09   atan        1.85    1.75
    log10       0.50    0.51   rsqrt       1.48    1.49   pow         0.50    1.38
    log1p       1.44    1.44   cbrt        0.81    0.66   hypot       0.99    1.00
    sigmoid     2.15    2.27   sin         0.78    0.78   atan2       1.89    1.83
"""

from __future__ import annotations

from tensorlib.lang.math_error import erf
from tensorlib.lang.math_exponential import exp, exp2, expm1
from tensorlib.lang.math_hyperbolic import cosh, sigmoid, silu, sinh, tanh
from tensorlib.lang.math_inverse import acos, asin, atan, atan2
from tensorlib.lang.math_logarithm import log, log1p, log2, log10
from tensorlib.lang.math_power import cbrt, hypot, pow, rsqrt
from tensorlib.lang.math_series import polynomial
from tensorlib.lang.math_trigonometric import cos, sin, tan

__all__ = [
    "acos", "asin", "atan", "atan2", "cbrt", "cos", "cosh", "erf", "exp", "exp2", "expm1", "hypot",
    "log", "log1p", "log2", "log10", "polynomial", "pow", "rsqrt", "sigmoid", "silu", "sin", "sinh",
    "tan", "tanh",
]  # fmt: skip
