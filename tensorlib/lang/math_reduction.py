"""Reduction of an angle to a number of quarter turns and a rest, as exact for 1e30 as for 1.

Small angles by three parts of pi/2 (Cody and Waite 1980), with fused multiply-adds; large ones by
the bits of 2/pi that matter to them (Payne and Hanek 1983), in integers.
"""

from __future__ import annotations

import math
from typing import Any

from tensorlib.dtypes import DType
from tensorlib.lang.control import choose
from tensorlib.lang.math_series import BITS, exact_product, exact_sum
from tensorlib.simd import SIMD

__all__ = ["quarter_turns"]

U64, I64, F64 = DType.uint64, DType.int64, DType.float64

# pi/2 as a sum of three floats.
_HALF_PI = {
    DType.float32: (1.5707963705062866, -4.371138828673793e-08, -1.7151245100058819e-15),
    DType.float64: (1.5707963267948966, 6.123233995736766e-17, -1.4973849048591698e-33),
}
# Where the quotient by pi/2 rounds to a whole number near enough: |rest| < pi/4 + 2**-9.
_SMALL = {DType.float32: 2.0**15, DType.float64: 2.0**30}
# The bits of 2/pi behind the point.
_TWO_OVER_PI = int(
    "a2f9836e4e441529fc2757d1f534ddc0db6295993c439041fe5163abdebbc561b7246e3a424dd2e006492eea09d1921c"
    "fe1deb1cb129a73ee88235f52ebb4484e99c7026b45f7e413991d639835339f49c845f8bbdf9283b1ff897ffde05980f"
    "ef2f118b5a0a6d1f6d367ecf27cb09b74f463f669e5fea2d7527bac7ebe5f17b3d0739f78a5292ea6bfb5fb11f8d5d08"
    "56033046fc7b6babf0cfbc209af4361d",
    16,
)
_BITS_KNOWN = 1280


def quarter_turns(x: SIMD) -> tuple[SIMD, SIMD, SIMD]:
    """Return whole n and r + rest with x = n pi/2 + r + rest, |r| < pi/4 + 2**-9, n modulo 4.

    Of infinities and NaN the results mean nothing.
    """
    large = (abs(x) > _SMALL[x.dtype]) & (abs(x) < math.inf)
    n, r, rest = _small(x)

    def reduced() -> tuple[SIMD, SIMD, SIMD]:
        of = _large_float32 if x.dtype is DType.float32 else _large_float64
        found = of(abs(x))
        sign = x < 0.0
        m, s, t = (sign.select(-part, part) for part in found)
        return large.select(m, n), large.select(s, r), large.select(t, rest)

    made: tuple[SIMD, SIMD, SIMD] = choose(large.reduce_or(), reduced, lambda: (n, r, rest))
    return made


def _small(x: SIMD) -> tuple[SIMD, SIMD, SIMD]:
    first, second, third = _HALF_PI[x.dtype]
    integer, mantissa, _ = BITS[x.dtype]
    magic = SIMD[x.dtype, x.width](1.5 * 2.0**mantissa)
    t = x.fma(2.0 / math.pi, magic)
    n = t - magic
    r = n.fma(-first, x)  # exact
    product, product_rest = exact_product(n, second)
    r, rest = exact_sum(r, -product)
    rest = n.fma(-third, rest - product_rest)
    return t.bitcast(integer) - magic.bitcast(integer), r, rest


def _window(start: SIMD, zeros: int, word: int, count: int, levels: int) -> list[SIMD]:
    """Return `count` words of the bits of 2/pi from bit `start` on, in uint64 lanes.

    Before bit 0 there are `zeros` of them. The word that the bits begin in is found by as many
    selections as its number has bits, `levels`.
    """
    length = (1 << levels) + count
    bits = _TWO_OVER_PI << max(0, length * word - zeros - _BITS_KNOWN)
    bits >>= max(0, zeros + _BITS_KNOWN - length * word)
    mask = (1 << word) - 1
    words: list[Any] = [(bits >> (word * (length - 1 - i))) & mask for i in range(length)]
    at = start + zeros
    number = at >> (word.bit_length() - 1)
    for level in reversed(range(levels)):
        step = 1 << level
        taken = ((number >> level) & 1) != 0
        words = [_choice(taken, words[i + step], words[i]) for i in range(step + count)]
    shift = (at & (word - 1)).cast(U64)
    return [_joined(words[i], words[i + 1], shift, word) for i in range(count)]


def _choice(mask: SIMD, a: Any, b: Any) -> SIMD:
    return mask.select(a if isinstance(a, SIMD) else SIMD[U64, mask.width](a), b)


def _joined(a: SIMD, b: SIMD, shift: SIMD, word: int) -> SIMD:
    """`word` bits from bit `shift` of a and b side by side."""
    joined = (a << shift) | (b >> (word - shift))
    return joined if word == 64 else joined & ((1 << word) - 1)


def _large_float32(x: SIMD) -> tuple[SIMD, SIMD, SIMD]:
    bits = x.bitcast(DType.int32)
    whole = ((bits & 0x7FFFFF) | 0x800000).cast(U64)
    e = ((bits >> 23) - 150).cast(I64)
    w = _window(e - 2, 10, 32, 3, 2)  # e is -8 or more
    # The product with the window, modulo 4 turns: two bits of quarters, 62 of their fraction.
    product = ((whole * w[0]) << 32) + whole * w[1] + ((whole * w[2]) >> 32)
    quarters = (product + (1 << 61)) >> 62
    fraction = (product - (quarters << 62)).bitcast(I64).cast(F64)
    angle = fraction * (math.pi / 2 * 2.0**-62)
    r = angle.cast(DType.float32)
    rest = (angle - r.cast(F64)).cast(DType.float32)
    return quarters.cast(DType.int32), r, rest


def _large_float64(x: SIMD) -> tuple[SIMD, SIMD, SIMD]:
    bits = x.bitcast(I64)
    whole = ((bits & ((1 << 52) - 1)) | (1 << 52)).bitcast(U64)
    w = _window((bits >> 52) - 1077, 24, 64, 3, 4)  # the exponent less 1075 is -22 or more
    low, carried = _product(whole, w[1])
    tail, _ = _product(whole, w[2])
    high = whole * w[0] + low
    low = carried + tail
    high = high + (low < tail).cast(U64)
    quarters = (high + (1 << 61)) >> 62
    high = high - (quarters << 62)
    return quarters.bitcast(I64), *_angle(high.bitcast(I64), low)


def _product(a: SIMD, b: SIMD) -> tuple[SIMD, SIMD]:
    """Return the upper and the lower 64 bits of a * b, from products of 32-bit halves."""
    mask = (1 << 32) - 1
    a0, a1, b0, b1 = a & mask, a >> 32, b & mask, b >> 32
    middle = a1 * b0 + ((a0 * b0) >> 32)
    other = a0 * b1 + (middle & mask)
    return a1 * b1 + (middle >> 32) + (other >> 32), a * b


def _angle(high: SIMD, low: SIMD) -> tuple[SIMD, SIMD]:
    """Return (high * 2**64 + low) * 2**-126 * pi/2 as a sum of two floats."""
    first, second, _ = _HALF_PI[F64]
    a = high.cast(F64)
    b = low.cast(F64).fma(2.0**-64, (high - a.cast(I64)).cast(F64))
    a, b = exact_sum(a, b)
    a, b = a * 2.0**-62, b * 2.0**-62
    r, rest = exact_product(a, first)
    return exact_sum(r, a.fma(second, b.fma(first, rest)))
