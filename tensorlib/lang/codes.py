"""What the codes of coded dtypes mean: float8, float4 and those that users register.

Codes are decoded to float32 and encoded from it with integer arithmetic of the kernel language, so
every target has them: round to nearest, ties to even, the bits that ml_dtypes gives for float32.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorlib.dtypes import Code, DType

if TYPE_CHECKING:
    from tensorlib.simd import SIMD

__all__ = ["code_of", "decoded", "encoded"]

F32, U32, U8 = DType.float32, DType.uint32, DType.uint8


def _small_float(exponent: int, mantissa: int, most: int, infinity: int | None) -> Code:
    """Return the code of sign, `exponent` and `mantissa` bits, with IEEE's bias and subnormals.

    `most` is the code of the largest number; codes above `infinity` (or `most`) are NaN.
    """
    bias = (1 << (exponent - 1)) - 1
    drop = 23 - mantissa  # bits of float32's mantissa
    sign_bit = 1 << (exponent + mantissa)
    has_nan = most < sign_bit - 1
    overflow = infinity if infinity is not None else most + 1 if has_nan else most

    def decode(code: SIMD) -> SIMD:
        wide = code.cast(U32)
        rest = wide & (sign_bit - 1)
        # As float32 bits the exponent is short of 127 - bias, which a product puts right.
        value = (rest << drop).bitcast(F32) * 2.0 ** (127 - bias)
        if infinity is not None:
            value = (rest == infinity).select(float("inf"), value)
        if has_nan:
            value = (rest > max(most, infinity or 0)).select(float("nan"), value)
        sign = (wide & sign_bit) << (31 - exponent - mantissa)
        return (value.bitcast(U32) | sign).bitcast(F32)

    def encode(x: SIMD) -> SIMD:
        bits = x.bitcast(U32)
        sign = (bits >> (31 - exponent - mantissa)) & sign_bit
        rest = bits & 0x7FFFFFFF
        rounded = (rest + ((1 << (drop - 1)) - 1) + ((rest >> drop) & 1)) >> drop
        normal = rounded - ((127 - bias) << mantissa)
        # Adding this rounds to multiples of the smallest subnormal.
        base = 2.0 ** (drop + 1 - bias)
        least = (128 - bias) << 23
        small = (rest.bitcast(F32) + base).bitcast(U32) - _float_bits(base)
        code = (rest < least).select(small, normal.min(overflow))
        code = (rest >= 0x7F800000).select(overflow, code)
        if has_nan:
            quiet = most + 1 if infinity is None else infinity + (1 << (mantissa - 1))
            code = (rest > 0x7F800000).select(quiet, code)
        else:  # no code is NaN: a zero stands for it
            code = (rest > 0x7F800000).select(0, code)
            sign = (rest > 0x7F800000).select(sign ^ sign_bit, sign)
        return (code | sign).cast(U8)

    return decode, encode


def _float_bits(power: float) -> int:
    """Return the float32 bits of a power of two."""
    mantissa, exponent = power.hex().split("p")
    assert mantissa == "0x1.0000000000000"
    return (int(exponent) + 127) << 23


def _decode_exponent(code: SIMD) -> SIMD:
    bits = code.cast(U32) << 23
    bits = (code == 0).select(1 << 22, bits)  # 2**-127 is subnormal
    return (code == 255).select(0x7FC00000, bits).bitcast(F32)


def _encode_exponent(x: SIMD) -> SIMD:
    """A power of two without a sign; half way between two the greater; NaN for what has none.

    Beside the smallest, 2**-127, what is above it counts as the next one, and what is below as it.
    """
    bits = x.bitcast(U32)
    code = (bits + (1 << 22)) >> 23
    code = (bits < 1 << 23).select((bits + ((1 << 22) - 1)) >> 23, code)  # as NumPy's: up
    return ((bits == 0) | (bits >= 0x7F800000)).select(255, code.min(255)).cast(U8)


_CODES: dict[DType, Code] = {
    #                                 bits of exponent, mantissa; largest number; infinity
    DType.float8_e4m3fn: _small_float(4, 3, 0x7E, None),
    DType.float8_e5m2: _small_float(5, 2, 0x7B, 0x7C),
    DType.float4_e2m1fn: _small_float(2, 1, 0x7, None),
    DType.float8_e8m0fnu: (_decode_exponent, _encode_exponent),
}


def code_of(dtype: DType) -> Code:
    """Return the functions that decode and encode a coded dtype."""
    return dtype.code or _CODES[dtype]


def _bits(dtype: DType) -> DType:
    return DType.by_name[f"uint{dtype.bits}"]


def decoded(x: SIMD, dtype: DType) -> SIMD:
    """Return a coded value as numbers of `dtype`, through float32."""
    decode, _ = code_of(x.dtype)
    numbers: SIMD = decode(x.bitcast(_bits(x.dtype)))
    return numbers.cast(dtype)


def encoded(x: SIMD, dtype: DType) -> SIMD:
    """Return numbers in the codes of `dtype`, rounded once (int64 above 2**53 twice)."""
    _, encode = code_of(dtype)
    is_wide = x.dtype.bits > 16 and x.dtype is not F32
    single = _odd_float32(x.cast(DType.float64)) if is_wide else x.cast(F32)
    code: SIMD = encode(single)
    return code.bitcast(dtype)


def _odd_float32(x: SIMD) -> SIMD:
    """float64 to float32, rounded to odd, so that a second rounding is right."""
    single = x.cast(F32)
    back = single.cast(DType.float64)
    is_inexact = (back != x) & (x == x) & (abs(x) < float("inf"))
    bits = single.bitcast(U32)
    toward_zero = (abs(back) > abs(x)).select(bits - 1, bits)
    return is_inexact.select(toward_zero | 1, bits).bitcast(F32)
