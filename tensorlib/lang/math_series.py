"""What the transcendental functions share: polynomials, powers of two, exact sums and products."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from tensorlib.dtypes import DType
from tensorlib.ir.builder import fail
from tensorlib.simd import SIMD

__all__ = [
    "BITS",
    "exact_product",
    "exact_sum",
    "fast_sum",
    "in_float64",
    "polynomial",
    "scaled",
    "widened",
    "with_sign_of",
]

BITS = {  # integer dtype, mantissa bits, exponent bias
    DType.float32: (DType.int32, 23, 127),
    DType.float64: (DType.int64, 52, 1023),
}


def polynomial(x: SIMD, coefficients: Sequence[float]) -> SIMD:
    """Evaluate c[0] x^n + ... + c[n] by Horner's rule, each step rounded once."""
    result = SIMD[x.dtype, x.width](coefficients[0])
    for c in coefficients[1:]:
        result = result.fma(x, c)
    return result


def widened(function: Callable[..., SIMD]) -> Callable[..., SIMD]:
    """Compute float16 and bfloat16 in float32 and round once; refuse what is no float."""

    @functools.wraps(function)
    def call(*xs: SIMD) -> SIMD:
        for x in xs:
            if not x.dtype.is_float:
                name = function.__name__
                raise fail(
                    f"{name}: got a {x.dtype.name} value, needed a float; try .cast(float32)"
                )
        kind = xs[0].dtype
        if kind.bits == 16:
            return function(*(x.cast(DType.float32) for x in xs)).cast(kind)
        return function(*xs)

    return call


def in_float64(function: Callable[..., Any], *xs: SIMD) -> SIMD:
    """Compute float32 in float64 and round once."""
    result: SIMD = function(*(x.cast(DType.float64) for x in xs)).cast(xs[0].dtype)
    return result


def scaled(p: SIMD, whole: SIMD) -> SIMD:
    """p * 2**whole in two steps, so that the result may be subnormal or overflow to infinity."""
    _, mantissa, bias = BITS[p.dtype]
    half = whole >> 1
    first = ((half + bias) << mantissa).bitcast(p.dtype)
    second = ((whole - half + bias) << mantissa).bitcast(p.dtype)
    return p * first * second


def with_sign_of(magnitude: SIMD, x: SIMD) -> SIMD:
    """Return |magnitude| with the sign bit of x."""
    integer, _, _ = BITS[x.dtype]
    sign = -(1 << (integer.bits - 1))
    bits = (magnitude.bitcast(integer) & ~sign) | (x.bitcast(integer) & sign)
    return bits.bitcast(x.dtype)


def exact_sum(a: SIMD, b: SIMD) -> tuple[SIMD, SIMD]:
    """Return a + b rounded, and the error of it: Knuth's TwoSum."""
    total = a + b
    virtual = total - a
    return total, (a - (total - virtual)) + (b - virtual)


def fast_sum(a: SIMD, b: SIMD) -> tuple[SIMD, SIMD]:
    """Return a + b rounded, and the error of it, for |a| >= |b|: Dekker's."""
    total = a + b
    return total, b - (total - a)


def exact_product(a: SIMD, b: SIMD | float) -> tuple[SIMD, SIMD]:
    """Return a * b rounded, and the error of it."""
    product = a * b
    return product, a.fma(b, -product)
