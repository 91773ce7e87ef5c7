"""The NumPy meaning of every value operation: what a kernel computes, without undefined cases.

Integer division by zero gives 0 and the lowest integer divided by -1 wraps; shifts by the width or
more give 0 (-1 for negative values shifted right); a float cast to an integer saturates and NaN
gives 0; `minimum` and `maximum` hand on NaN; `fma` rounds once.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import math
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

import ml_dtypes
import numpy as np

from tensorlib.dtypes import DType

__all__ = [
    "array",
    "cast",
    "compare",
    "floor_divide",
    "floor_modulo",
    "fma",
    "in_float32",
    "maximum",
    "minimum",
    "quietly",
    "reduce_tree",
    "select",
    "shift_left",
    "shift_right",
    "shuffle",
]

Array = np.ndarray[Any, Any]
HALVES = (np.dtype(np.float16), np.dtype(ml_dtypes.bfloat16))


def array(value: Any, dtype: DType, width: int) -> Array:
    """Return `value` as the array of one SIMD value: shape () for width 1, else (width,).

    Whole numbers wrap to the width of an integer dtype, floats saturate in it.
    """
    if isinstance(value, (bool, int, float)):
        return _number(value, type(value).__name__, math.copysign(1.0, value), dtype, width)
    if isinstance(value, np.ndarray) and not value.flags.writeable and value.dtype == dtype.numpy:
        shape = (width,) if width > 1 else ()
        return value if value.shape == shape else _array(value, dtype, width)
    return _array(value, dtype, width)


@lru_cache(maxsize=4096)
def _number(value: Any, kind: str, sign: float, dtype: DType, width: int) -> Array:
    """`array` of a Python number; kind and sign tell True from 1 and -0.0 from 0.0."""
    return _array(value, dtype, width)


def _array(value: Any, dtype: DType, width: int) -> Array:
    shape = (width,) if width > 1 else ()
    with np.errstate(all="ignore"):
        data = _whole(value, dtype) if dtype.is_integer else None
        if data is None:
            data = np.asarray(value)
            if data.dtype.kind in "iub" or not dtype.is_integer:
                data = data.astype(dtype.numpy)
            else:
                data = cast(data, dtype)
        return _filled(data, width) if data.ndim == 0 else np.broadcast_to(data, shape)


def _filled(number: Array, width: int) -> Array:
    """Return `np.broadcast_to` of a number that nobody else has, five times faster."""
    if width > 1:
        if number.dtype.kind == "V":  # those of ml_dtypes are no buffers
            return np.broadcast_to(number, (width,))
        number = np.ndarray((width,), number.dtype, number, 0, (0,))
    number.flags.writeable = False
    return number


def _whole(value: Any, dtype: DType) -> Array | None:
    """Return Python ints wrapped to `dtype`; NumPy would make floats of some. None for others."""
    if isinstance(value, int):
        unsigned = DType.by_name[f"uint{dtype.bits}"].numpy
        return np.array(value & ((1 << dtype.bits) - 1), unsigned).view(dtype.numpy)
    if not isinstance(value, tuple) or not all(isinstance(x, int) for x in value):
        return None
    mask = (1 << dtype.bits) - 1
    unsigned = np.dtype(f"uint{dtype.bits}")
    return np.array([x & mask for x in value], unsigned).view(dtype.numpy)


def quietly(function: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap `function` so that overflow, NaN and division by zero give values, not warnings."""

    def call(*operands: Any, **attributes: Any) -> Any:
        with np.errstate(all="ignore"):
            return np.asarray(function(*operands, **attributes))

    return call


def in_float32(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compute float16 and bfloat16 in float32 and round once, as the compiled kernels do."""

    def call(*operands: Array) -> Any:
        dtype = operands[0].dtype
        if dtype in HALVES:
            return function(*(x.astype(np.float32) for x in operands)).astype(dtype)
        return function(*operands)

    return quietly(call)


def floor_divide(a: Array, b: Array) -> Array:
    """Floor division of integers; x // 0 == 0."""
    safe = np.where(b == 0, b.dtype.type(1), b)
    if a.dtype.kind == "i":  # lowest // -1 overflows in C: negate with wrap instead
        minus = safe == -1
        quotient = np.floor_divide(a, np.where(minus, a.dtype.type(1), safe))
        quotient = np.where(minus, np.negative(a), quotient)
    else:
        quotient = np.floor_divide(a, safe)
    return np.where(b == 0, a.dtype.type(0), quotient)


def floor_modulo(a: Array, b: Array) -> Array:
    """Remainder with the sign of the divisor; x % 0 == 0."""
    safe = np.where(b == 0, b.dtype.type(1), b)
    if a.dtype.kind == "i":
        safe = np.where(safe == -1, b.dtype.type(1), safe)
    return np.where(b == 0, a.dtype.type(0), np.remainder(a, safe))


def shift_left(a: Array, b: Array) -> Array:
    """Shift left; by the width or more, or by a negative count, gives 0."""
    bits = a.dtype.itemsize * 8
    inside = (b >= 0) & (b < bits)
    shifted = np.left_shift(a, np.where(inside, b, b.dtype.type(0)))
    return np.where(inside, shifted, a.dtype.type(0))


def shift_right(a: Array, b: Array) -> Array:
    """Shift right, arithmetic for signed types; by the width or more gives 0 or -1."""
    bits = a.dtype.itemsize * 8
    inside = (b >= 0) & (b < bits)
    count = np.where(inside, b, b.dtype.type(bits - 1))
    shifted = np.right_shift(a, count)
    return shifted if a.dtype.kind == "i" else np.where(inside, shifted, a.dtype.type(0))


def minimum(a: Array, b: Array) -> Array:
    return np.where((a < b) | (a != a), a, b)


def maximum(a: Array, b: Array) -> Array:
    return np.where((a > b) | (a != a), a, b)


def select(mask: Array, a: Array, b: Array) -> Array:
    return np.where(mask, a, b)


def compare(function: Callable[..., Any]) -> Callable[..., Any]:
    return quietly(function)


def cast(a: Array, dtype: DType) -> Array:
    """Convert to `dtype`: integers wrap, floats saturate into integers (NaN gives 0)."""
    with np.errstate(all="ignore"):
        if dtype is DType.bool:
            return np.asarray(a != 0)
        if a.dtype.kind in "iub" or not dtype.is_integer:
            return np.asarray(a.astype(dtype.numpy))
        limits = np.iinfo(dtype.numpy)
        wide = np.trunc(a.astype(np.float64))
        wide = np.where(np.isnan(wide), 0.0, wide)
        inside = np.clip(wide, float(limits.min), _below(float(limits.max), limits.max))
        result = inside.astype(dtype.numpy)
        result = np.where(wide >= float(limits.max), dtype.numpy.type(limits.max), result)
        return np.where(wide <= float(limits.min), dtype.numpy.type(limits.min), result)


def _below(value: float, limit: int) -> float:
    return value if value <= limit else float(np.nextafter(value, 0.0))


@cache
def _libm(name: str, operands: int) -> Any:
    """Return a function of the C library over arrays, element by element."""
    handle = ctypes.CDLL(ctypes.util.find_library("m") or None)
    function = getattr(handle, name)
    function.restype, function.argtypes = ctypes.c_double, [ctypes.c_double] * operands
    return np.frompyfunc(function, operands, 1)


def _odd_sum(product: Array, addend: Array) -> Array:
    """product + addend in float64, rounded to odd, so that rounding it once more is right."""
    total = product + addend
    virtual = total - product
    error = (product - (total - virtual)) + (addend - virtual)
    bits = np.asarray(total).view(np.int64)
    even_inexact = (error != 0) & ((bits & 1) == 0) & np.isfinite(total)
    away = (error > 0) == (total > 0)
    odd = np.where(even_inexact, np.where(away, bits + 1, bits - 1), bits)
    return np.asarray(odd).view(np.float64)


def _odd_float32(a: Array) -> Array:
    """float64 to float32, rounded to odd."""
    rounded = a.astype(np.float32)
    inexact = (rounded.astype(np.float64) != a) & np.isfinite(a)
    bits = np.asarray(rounded).view(np.uint32)
    toward_zero = np.where(np.abs(rounded.astype(np.float64)) > np.abs(a), bits - 1, bits)
    return np.asarray(np.where(inexact, toward_zero | 1, bits).astype(np.uint32)).view(np.float32)


def fma(a: Array, b: Array, c: Array) -> Array:
    """a*b + c rounded once; integers wrap."""
    with np.errstate(all="ignore"):
        if a.dtype == np.float64:
            return np.asarray(_libm("fma", 3)(a, b, c), dtype=np.float64)
        if a.dtype == np.float32 or a.dtype in HALVES:  # the product is exact in float64
            wide = (x.astype(np.float64) for x in (a, b, c))
            total = _odd_sum(next(wide) * next(wide), next(wide))
            half = a.dtype in HALVES
            return np.asarray((_odd_float32(total) if half else total).astype(a.dtype))
        return np.asarray(a * b + c)


def reduce_tree(function: Callable[..., Any]) -> Callable[..., Any]:
    """Fold a vector by halves: lanes [0, w/2) with [w/2, w), until one is left."""

    def call(a: Array) -> Array:
        while a.ndim and a.shape[0] > 1:
            half = a.shape[0] // 2
            a = np.asarray(function(a[:half], a[half:]))
        return a.reshape(())

    return quietly(call)


def shuffle(*vectors: Array, indices: tuple[int, ...]) -> Array:
    """Pick lanes by number from the operands laid side by side."""
    joined = np.concatenate([np.atleast_1d(v) for v in vectors])
    return joined[list(indices)] if len(indices) > 1 else joined[indices[0]].reshape(())
