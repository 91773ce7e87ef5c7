"""Decoding of GGUF's packed formats inside kernels: exact float32 values, block by block.

A block holds 32 elements: a float16 scale d (and minimum m), then the quants. Q4_0: (q - 8) * d;
Q4_1: q * d + m; in both the low nibbles are elements 0 to 15, the high ones 16 to 31. Q8_0: q * d.
The products are exact in float32 (11 bits by 8), so `fma` and multiply-then-add round alike.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorlib.dtypes import DType
from tensorlib.simd import SIMD
from tensorlib.tile import Tile

__all__ = ["decode_block", "decode_element"]

F16, F32, U8, I32 = DType.float16, DType.float32, DType.uint8, DType.int32
BLOCK = 32


def decode_block(dtype: DType, data: Tile, at: Any, width: int) -> list[SIMD]:
    """Return the 32 values of the block at byte `at` as vectors of `width` (at most 16) lanes."""
    return _DECODE[dtype](data, at, width)


def _scale(data: Tile, at: Any) -> SIMD:
    return _bytes(data, at, F16, 1).cast(F32)


def _bytes(data: Tile, at: Any, dtype: DType, width: int) -> SIMD:
    """Load from a byte offset that already counts the tile's own offset."""
    plain = Tile(data.pointer, U8, (0,), (1,), 0, data.placement)
    return plain.load[dtype, width](at)


def _nibbles(data: Tile, at: Any, width: int) -> list[SIMD]:
    """Return the low nibbles of 16 bytes, then the high ones."""
    parts = [_bytes(data, at + i, U8, width).cast(I32) for i in range(0, BLOCK // 2, width)]
    return [part & 15 for part in parts] + [part >> 4 for part in parts]


def _q4_0(data: Tile, at: Any, width: int) -> list[SIMD]:
    d = _scale(data, at)
    return [(q - 8).cast(F32) * d for q in _nibbles(data, at + 2, width)]


def _q4_1(data: Tile, at: Any, width: int) -> list[SIMD]:
    d, m = _scale(data, at).splat(width), _scale(data, at + 2).splat(width)
    return [q.cast(F32).fma(d, m) for q in _nibbles(data, at + 4, width)]


def _q8_0(data: Tile, at: Any, width: int) -> list[SIMD]:
    d = _scale(data, at)
    offsets = range(0, BLOCK, width)
    quants = [_bytes(data, at + 2 + i, DType.int8, width).cast(I32) for i in offsets]
    return [q.cast(F32) * d for q in quants]


_DECODE: dict[DType, Callable[[Tile, Any, int], list[SIMD]]] = {
    DType.q4_0: _q4_0,
    DType.q4_1: _q4_1,
    DType.q8_0: _q8_0,
}


def decode_element(dtype: DType, data: Tile, element: Any) -> SIMD:
    """Return the value of one element, by its number in the tensor."""
    block, i = element // BLOCK, element % BLOCK
    at = block * dtype.block_bytes
    d = _scale(data, at)
    if dtype is DType.q8_0:
        return _bytes(data, at + 2 + i, DType.int8, 1).cast(F32) * d
    header = 4 if dtype is DType.q4_1 else 2
    byte = _bytes(data, at + header + i % 16, U8, 1).cast(I32)
    q = (i < 16).select(byte & 15, byte >> 4)
    if dtype is DType.q4_0:
        return (q - 8).cast(F32) * d
    return q.cast(F32).fma(d, _scale(data, at + 2))
