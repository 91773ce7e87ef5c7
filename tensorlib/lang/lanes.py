"""What SIMD's methods do with lanes, where it takes more than one operation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorlib import simd
from tensorlib.dtypes import DType
from tensorlib.ir.builder import fail

__all__ = ["insert", "lane", "mask", "reduce", "shifted"]


def mask(where: str, value: simd.SIMD) -> simd.SIMD:
    """Return a mask after checking that it is one."""
    if value.dtype is not DType.bool:
        raise fail(f"{where}: got a {value.dtype.name} value, needed a bool mask")
    return value


def _is_at(width: int, number: simd.SIMD) -> simd.SIMD:
    """Return the mask that is true at one lane."""
    if number.width != 1 or not number.dtype.is_integer:
        raise fail(f"lane: got {number.type}, needed an integer scalar")
    lanes = simd.SIMDType(DType.int64, width)(*range(width))
    return lanes == number.cast(DType.int64)


def lane(x: simd.SIMD, number: simd.SIMD) -> simd.SIMD:
    """Return a lane whose number is known at run time: the others are masked out of an or."""
    hit = _is_at(x.width, number)
    if x.dtype is DType.bool:
        return (x & hit).reduce_or()
    return hit.select(x.to_bits(), 0).reduce_or().bitcast(x.dtype)


def insert(x: simd.SIMD, value: Any, offset: Any) -> simd.SIMD:
    """Put `value` in from lane `offset` on: one lane where that is known at run time only."""
    value = value if isinstance(value, simd.SIMD) else simd.SIMDType(x.dtype)(value)
    if value.dtype is not x.dtype:
        raise fail(f"insert: got {value.dtype.name}, needed {x.dtype.name}; try .cast")
    if isinstance(offset, simd.SIMD):
        if value.width != 1:
            raise fail(f"insert: got {value.width} lanes at a run-time offset, needed a scalar")
        return _is_at(x.width, offset).select(value, x)
    if not isinstance(offset, int) or not 0 <= offset <= x.width - value.width:
        most = x.width - value.width
        raise fail(f"insert: got offset {offset!r}, needed a Python int from 0 to {most}")
    inside = range(offset, offset + value.width)
    order = (i - offset + x.width if i in inside else i for i in range(x.width))
    return x.shuffle(*order, other=value)


def shifted(x: simd.SIMD, by: int) -> simd.SIMD:
    """Lane i of the result is lane i + by, or 0 where there is none."""
    bits = simd.SIMDType(DType.by_name[f"uint{x.dtype.bits}"])(0)
    zero = simd.SIMDType(x.dtype)(False) if x.dtype is DType.bool else bits.bitcast(x.dtype)
    order = (i + by if 0 <= i + by < x.width else x.width for i in range(x.width))
    return x.shuffle(*order, other=zero)


def reduce(
    x: simd.SIMD, function: Callable[[simd.SIMD, simd.SIMD], simd.SIMD], width: int
) -> simd.SIMD:
    """Fold by halves until `width` lanes are left."""
    if width < 1 or x.width % width or width & (width - 1):
        raise fail(f"reduce: got width {width}, needed a power of two up to {x.width}")
    while x.width > width:
        x = function(*x.split())
    return x
