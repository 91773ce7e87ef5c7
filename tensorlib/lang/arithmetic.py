"""Arithmetic of SIMD that is made of several operations: powers, floor division of floats."""

from __future__ import annotations

from typing import Any

from tensorlib import simd
from tensorlib.dtypes import DType
from tensorlib.ir.builder import fail

__all__ = [
    "copysign",
    "floored",
    "power",
    "whole_power",
]


def power(x: simd.SIMD, y: simd.SIMD) -> simd.SIMD:
    """x**y of floats."""
    from tensorlib.lang.math_power import pow  # it is written with SIMD itself

    return pow(x, y)


def whole_power(x: simd.SIMD, exponent: Any) -> simd.SIMD:
    """Multiply repeatedly, by squaring; 1 over that where the exponent is negative."""
    if not isinstance(exponent, int) or (exponent < 0 and not x.dtype.is_float):
        raise fail(f"**: got exponent {exponent!r}, needed a Python int from 0; try math.pow")
    result: Any = None
    left, square = abs(exponent), x
    while left:
        if left & 1:
            result = square if result is None else result * square
        left >>= 1
        square = square * square if left else square
    if result is None:
        result = simd.SIMDType(x.dtype, x.width)(1)
    made: simd.SIMD = 1.0 / result if exponent < 0 else result
    return made


def floored(name: str, x: simd.SIMD, y: simd.SIMD) -> simd.SIMD:
    """Floor division of floats or its remainder, with NumPy's bits; halves in float32."""
    function = _floor_divide if name == "floor_divide" else _remainder
    if x.dtype.bits == 16:
        return function(x.cast(DType.float32), y.cast(DType.float32)).cast(x.dtype)
    return function(x, y)


def _floor_divide(x: simd.SIMD, y: simd.SIMD) -> simd.SIMD:
    """The quotient rounded down, from the exact remainder."""
    remainder = simd.apply("float_modulo", x, y)
    quotient = (x - remainder) / y  # a whole number but for one rounding
    quotient = _is_of_wrong_sign(remainder, y).select(quotient - 1.0, quotient)
    whole = quotient.floor()
    whole = (quotient - whole > 0.5).select(whole + 1.0, whole)
    whole = (quotient == 0.0).select(_zero_like(x / y), whole)
    return (y == 0.0).select(x / y, whole)


def _remainder(x: simd.SIMD, y: simd.SIMD) -> simd.SIMD:
    """The remainder with the sign of the divisor."""
    remainder = simd.apply("float_modulo", x, y)
    remainder = _is_of_wrong_sign(remainder, y).select(remainder + y, remainder)
    return (remainder == 0.0).select(_zero_like(y), remainder)


def _is_of_wrong_sign(remainder: simd.SIMD, divisor: simd.SIMD) -> simd.SIMD:
    return (remainder != 0.0) & ((remainder < 0.0) != (divisor < 0.0))


def _zero_like(x: simd.SIMD) -> simd.SIMD:
    """0.0 or -0.0, by the sign of x."""
    return (x.to_bits() & (1 << (x.dtype.bits - 1))).bitcast(x.dtype)


def copysign(x: simd.SIMD, sign: simd.SIMD) -> simd.SIMD:
    """Return |x| with the sign bits of `sign`."""
    if not x.dtype.is_float:
        raise fail(f"copysign: got {x.dtype.name} values, needed floats")
    top = 1 << (x.dtype.bits - 1)
    return ((x.to_bits() & (top - 1)) | (sign.to_bits() & top)).bitcast(x.dtype)
