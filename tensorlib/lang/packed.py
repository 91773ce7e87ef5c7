"""Two 4-bit numbers in a byte, and blocks of them with a scale: int4, uint4, MXFP4 and NVFP4.

The number in the lower half of a byte comes first. A block is 16 or 32 float4_e2m1fn codes with one
scale, whose dtype tells the format: float8_e8m0fnu for MXFP4 (OCP Microscaling Formats 1.0, 2023,
blocks of 32), float8_e4m3fn for NVFP4 (blocks of 16).
"""

from __future__ import annotations

from typing import Any

from tensorlib.dtypes import DType, as_dtype
from tensorlib.ir.builder import fail
from tensorlib.simd import SIMD

__all__ = ["float4_block", "float4_codes", "pack_halves", "unpack_halves"]

U8, I8, F4 = DType.uint8, DType.int8, DType.float4_e2m1fn
_LARGEST = 6.0  # of float4_e2m1fn
_LARGEST_EXPONENT = 2


def unpack_halves(packed: SIMD, dtype: Any = U8) -> SIMD:
    """Return the halves of bytes as twice as many lanes of uint8, int8 or float4_e2m1fn.

    int8 lanes are the int4 numbers -8 to 7, uint8 lanes the uint4 numbers 0 to 15.

    >>> unpack_halves(SIMD["uint8", 2](0x21, 0xF8), "int8")
    SIMD[int8, 4](1, 2, -8, -1)
    """
    kind = as_dtype(dtype)
    if packed.dtype is not U8 or kind not in (U8, I8, F4):
        raise fail(
            f"unpack_halves: got {packed.type} as {kind.name}, "
            "needed uint8 as uint8, int8 or float4_e2m1fn"
        )
    halves = (packed & 15).interleave(packed >> 4)
    if kind is I8:
        return ((halves ^ 8) - 8).bitcast(I8)
    return halves.bitcast(kind)


def pack_halves(halves: SIMD) -> SIMD:
    """Return lanes of 4-bit numbers as half as many bytes; whole numbers wrap to 4 bits.

    >>> pack_halves(SIMD["int8", 4](1, 2, -8, -1)) == SIMD["uint8", 2](0x21, 0xF8)
    SIMD[bool, 2](True, True)
    """
    if halves.dtype not in (U8, I8, F4) or halves.width == 1:
        raise fail(
            f"pack_halves: got {halves.type}, "
            "needed 2 lanes or more of uint8, int8 or float4_e2m1fn"
        )
    low, high = (halves.bitcast(U8) & 15).deinterleave()
    return low | (high << 4)


def float4_block(packed: SIMD, scale: SIMD) -> SIMD:
    """Return the float32 numbers of a block: those of its packed codes, times its scale.

    >>> one = SIMD["float8_e8m0fnu", 1](0.5)
    >>> float4_block(SIMD["uint8", 2](0x21, 0x9F), one)
    SIMD[float32, 4](0.25, 0.5, -3.0, -0.25)
    """
    if scale.dtype not in (DType.float8_e8m0fnu, DType.float8_e4m3fn) or scale.width != 1:
        raise fail(
            f"float4_block: got a scale of {scale.type}, "
            "needed one float8_e8m0fnu (MXFP4) or float8_e4m3fn (NVFP4)"
        )
    return unpack_halves(packed, F4).cast(DType.float32) * scale.cast(DType.float32)


def float4_codes(numbers: SIMD, scale_dtype: Any) -> tuple[SIMD, SIMD]:
    """Return a block's packed codes and its scale: the way back of `float4_block`, rounded.

    The scale of MXFP4 is the power of two that the specification gives, so that the largest number
    may be cut to 6 times that; the scale of NVFP4 is a sixth of the largest number.

    >>> codes, scale = float4_codes(SIMD["float32", 4](0.25, 0.5, -3.0, -0.25), "float8_e8m0fnu")
    >>> float4_block(codes, scale)
    SIMD[float32, 4](0.25, 0.5, -3.0, -0.25)
    """
    kind = as_dtype(scale_dtype)
    if numbers.dtype is not DType.float32 or numbers.width == 1:
        raise fail(f"float4_codes: got {numbers.type}, needed 2 lanes or more of float32")
    largest = abs(numbers).reduce_max()
    if kind is DType.float8_e8m0fnu:
        code = (largest.to_bits() >> 23).max(_LARGEST_EXPONENT) - _LARGEST_EXPONENT
        scale = code.cast(U8).bitcast(kind)
    elif kind is DType.float8_e4m3fn:
        scale = (largest / _LARGEST).min(448.0).cast(kind)
    else:
        raise fail(
            f"float4_codes: got a scale of {kind.name}, "
            "needed float8_e8m0fnu (MXFP4) or float8_e4m3fn (NVFP4)"
        )
    factor = scale.cast(DType.float32)
    scaled = (factor == 0.0).select(0.0, numbers / factor)
    return pack_halves(scaled.cast(F4)), scale
