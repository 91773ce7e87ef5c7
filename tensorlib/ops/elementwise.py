"""Elementwise rows: every input has the shape of the result, and a dtype that `domain` allows.

No operation has undefined cases: integer division by zero gives 0, the lowest integer divided by -1
wraps, integer powers with a negative exponent truncate 1/x to an integer (0 ** -1 is 0), shifts by
the width or more (or by a negative count) give 0, or -1 for negative values shifted right, a float
cast to an integer saturates and NaN gives 0, minimum and maximum hand on NaN. float16 and bfloat16
are computed in float32 and rounded once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ml_dtypes
import numpy as np

from tensorlib.dtypes import DType
from tensorlib.errors import DTypeError, ShapeError
from tensorlib.ops.packed_array import PackedArray
from tensorlib.ops.row import (
    EXACT,
    EXACT_INTEGERS,
    Array,
    Attributes,
    DTypeRule,
    Meaning,
    Op,
    Shape,
    listed,
)

__all__ = ["HALVES", "ROWS", "cast", "widened"]

HALVES = (np.dtype(np.float16), np.dtype(ml_dtypes.bfloat16))
NONE: frozenset[str] = frozenset()


def widened(function: Meaning) -> Meaning:
    """Run `function` without warnings; float16 and bfloat16 go through float32 and are rounded
    once.
    """

    def call(*arrays: Array) -> Any:
        dtype = arrays[-1].dtype
        with np.errstate(all="ignore"):
            if dtype in HALVES:
                wide = (x.astype(np.float32) if x.dtype in HALVES else x for x in arrays)
                result = function(*wide)
                return result if result.dtype.kind in "biu" else result.astype(dtype)
            return function(*arrays)

    return call


def _one(dtype: np.dtype[Any]) -> Any:
    return dtype.type(1)


def _sigmoid(x: Array) -> Any:
    return _one(x.dtype) / (_one(x.dtype) + np.exp(-x))


def _silu(x: Array) -> Any:
    return x / (_one(x.dtype) + np.exp(-x))


def _rsqrt(x: Array) -> Any:
    return _one(x.dtype) / np.sqrt(x)


def _reciprocal(x: Array) -> Any:
    return _one(x.dtype) / x


def _whole(function: Any) -> Meaning:
    """Rounding functions leave integers and bool as they are."""
    return lambda x: function(x) if x.dtype.kind in "fcV" else x


def _maximum(a: Array, b: Array) -> Any:
    return np.where((a > b) | (a != a), a, b)


def _minimum(a: Array, b: Array) -> Any:
    return np.where((a < b) | (a != a), a, b)


def _floor_divide(a: Array, b: Array) -> Any:
    if a.dtype.kind not in "iu":
        return np.floor_divide(a, b)
    zero, one = a.dtype.type(0), _one(a.dtype)
    safe = np.where(b == 0, one, b)
    if a.dtype.kind == "u":
        return np.where(b == 0, zero, np.floor_divide(a, safe))
    quotient = np.floor_divide(a, np.where(safe == -1, one, safe))
    return np.where(b == 0, zero, np.where(safe == -1, np.negative(a), quotient))


def _remainder(a: Array, b: Array) -> Any:
    if a.dtype.kind not in "iu":
        return np.remainder(a, b)
    zero, one = a.dtype.type(0), _one(a.dtype)
    safe = np.where(b == 0, one, b)
    if a.dtype.kind == "i":
        safe = np.where(safe == -1, one, safe)
    return np.where(b == 0, zero, np.remainder(a, safe))


def _pow(a: Array, b: Array) -> Any:
    if a.dtype.kind != "i":
        return np.power(a, b)
    zero, one = a.dtype.type(0), _one(a.dtype)
    power = np.power(a, np.maximum(b, zero))
    odd = (b & one).astype(bool)
    inverse = np.where(a == 1, one, np.where(a == -1, np.where(odd, -one, one), zero))
    return np.where(b < 0, inverse, power)


def _inside(b: Array) -> Array:
    return np.asarray((b >= 0) & (b < b.dtype.itemsize * 8))


def _shift_left(a: Array, b: Array) -> Any:
    zero = a.dtype.type(0)
    return np.where(_inside(b), np.left_shift(a, np.where(_inside(b), b, zero)), zero)


def _shift_right(a: Array, b: Array) -> Any:
    last = a.dtype.type(a.dtype.itemsize * 8 - 1)
    shifted = np.right_shift(a, np.where(_inside(b), b, last))
    return shifted if a.dtype.kind == "i" else np.where(_inside(b), shifted, a.dtype.type(0))


def cast(x: Array | PackedArray, dtype: DType) -> Array:
    """Convert to `dtype`: integers wrap, floats saturate into integers (NaN gives 0), blocks
    decode.
    """
    if isinstance(x, PackedArray):
        x = x.decoded()
    with np.errstate(all="ignore"):
        if dtype is DType.bool:
            return np.asarray(x != 0)
        if dtype.is_coded:
            return _odd_float32(x).astype(dtype.numpy)
        if x.dtype.kind in "iub" or not dtype.is_integer:
            return x.astype(dtype.numpy)
        return _saturated(x.astype(np.float64), dtype)


def _odd_float32(x: Array) -> Array:
    """float32, rounded to odd from what is wider, so that rounding it once more is right."""
    if x.dtype.itemsize < 4 or x.dtype == np.float32:
        return x.astype(np.float32)
    x = x.astype(np.float64)
    rounded = x.astype(np.float32)
    bits, back = rounded.view(np.uint32), rounded.astype(np.float64)
    odd = np.where(np.abs(back) > np.abs(x), bits - np.uint32(1), bits) | np.uint32(1)
    is_inexact = (back != x) & np.isfinite(x)
    return np.asarray(np.where(is_inexact, odd, bits)).view(np.float32)


def _saturated(x: Array, dtype: DType) -> Array:
    limits = np.iinfo(dtype.numpy)
    low, high = float(limits.min), float(limits.max)  # high may be one above the largest integer
    x = np.where(np.isnan(x), 0.0, np.trunc(x))
    inside = np.where((x > low) & (x < high), x, 0.0).astype(dtype.numpy)
    inside = np.where(x >= high, dtype.numpy.type(limits.max), inside)
    return np.where(x <= low, dtype.numpy.type(limits.min), inside)


# --- rules ---


def _same_shape(shapes: Sequence[Shape], attributes: Attributes) -> Shape:
    if any(s != shapes[0] for s in shapes):
        raise ShapeError(f"elementwise: got shapes {', '.join(map(str, shapes))}, needed one shape")
    return shapes[0]


def _last(dtypes: Sequence[DType], attributes: Attributes) -> DType:
    return dtypes[-1]


def _bool(dtypes: Sequence[DType], attributes: Attributes) -> DType:
    return DType.bool


def _real_part(dtypes: Sequence[DType], attributes: Attributes) -> DType:
    if dtypes[0].kind != "complex":
        return dtypes[0]
    return DType.float32 if dtypes[0] is DType.complex64 else DType.float64


def _attribute(dtypes: Sequence[DType], attributes: Attributes) -> DType:
    dtype: DType = attributes["dtype"]
    if dtype.is_packed:
        raise DTypeError(f"cast: got packed dtype {dtype.name}, needed an unpacked one")
    if dtype.code is not None:
        raise DTypeError(
            f"cast: got dtype {dtype.name}, which kernels alone know; keep its codes as "
            f"{dtype.numpy.name}, and try tl.elementwise of its decode and encode"
        )
    if dtypes[0].kind == "complex" and dtype.kind not in ("complex", "bool"):
        raise DTypeError(
            f"cast: got {dtypes[0].name} to {dtype.name}; complex casts to complex only"
        )
    return dtype


def _row(
    name: str,
    arity: int,
    domain: str,
    meaning: Meaning,
    exact: frozenset[str] = NONE,
    dtype: DTypeRule = _last,
) -> Op:
    return Op(name, "elementwise", _same_shape, dtype, widened(meaning), arity, domain, exact)


ROWS: dict[str, Op] = listed([
    # one input, exact
    _row("negative",        1, "number",  np.negative,                 EXACT),
    _row("abs",             1, "number",  np.abs,                      EXACT, _real_part),
    _row("square",          1, "number",  np.square,                   EXACT),
    _row("sqrt",            1, "float",   np.sqrt,                     EXACT),
    _row("reciprocal",      1, "float",   _reciprocal,                 EXACT),
    _row("sign",            1, "number",  np.sign,                     EXACT),
    _row("floor",           1, "real",    _whole(np.floor),            EXACT),
    _row("ceil",            1, "real",    _whole(np.ceil),             EXACT),
    _row("trunc",           1, "real",    _whole(np.trunc),            EXACT),
    _row("round",           1, "number",    _whole(np.rint),             EXACT),
    _row("isnan",           1, "any",     np.isnan,                    EXACT, _bool),
    _row("isinf",           1, "any",     np.isinf,                    EXACT, _bool),
    _row("isfinite",        1, "any",     np.isfinite,                 EXACT, _bool),
    _row("logical_not",     1, "bool",    np.logical_not,              EXACT),
    _row("bitwise_invert",  1, "bits",    np.invert,                   EXACT),
    # one input, within an error bound
    _row("exp",             1, "float",   np.exp),
    _row("log",             1, "float",   np.log),
    _row("sin",             1, "float",   np.sin),
    _row("cos",             1, "float",   np.cos),
    _row("tanh",            1, "float",   np.tanh),
    _row("rsqrt",           1, "float",   _rsqrt),
    _row("sigmoid",         1, "float",   _sigmoid),
    _row("silu",            1, "float",   _silu),
    # two inputs
    _row("add",             2, "number",  np.add,                      EXACT),
    _row("subtract",        2, "number",  np.subtract,                 EXACT),
    _row("multiply",        2, "number",  np.multiply,                 EXACT),
    _row("divide",          2, "float",   np.divide,                   EXACT),
    _row("floor_divide",    2, "number",  _floor_divide,               EXACT_INTEGERS),
    _row("remainder",       2, "number",  _remainder,                  EXACT_INTEGERS),
    _row("pow",             2, "number",  _pow,                        EXACT_INTEGERS),
    _row("maximum",         2, "real",    _maximum,                    EXACT),
    _row("minimum",         2, "real",    _minimum,                    EXACT),
    _row("equal",           2, "any",     np.equal,                    EXACT, _bool),
    _row("not_equal",       2, "any",     np.not_equal,                EXACT, _bool),
    _row("less",            2, "real",    np.less,                     EXACT, _bool),
    _row("less_equal",      2, "real",    np.less_equal,               EXACT, _bool),
    _row("greater",         2, "real",    np.greater,                  EXACT, _bool),
    _row("greater_equal",   2, "real",    np.greater_equal,            EXACT, _bool),
    _row("logical_and",     2, "bool",    np.logical_and,              EXACT),
    _row("logical_or",      2, "bool",    np.logical_or,               EXACT),
    _row("logical_xor",     2, "bool",    np.logical_xor,              EXACT),
    _row("bitwise_and",     2, "bits",    np.bitwise_and,              EXACT),
    _row("bitwise_or",      2, "bits",    np.bitwise_or,               EXACT),
    _row("bitwise_xor",     2, "bits",    np.bitwise_xor,              EXACT),
    _row("bitwise_left_shift",  2, "integer", _shift_left,             EXACT),
    _row("bitwise_right_shift", 2, "integer", _shift_right,            EXACT),
    # choice and conversion
    _row("where",           3, "any",     np.where,                    EXACT),
    Op("cast", "elementwise", _same_shape, _attribute, cast, 1, "any", EXACT),
])  # fmt: skip
