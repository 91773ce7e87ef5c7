"""Instructions of x86 processors, each with its meaning as the body; AMX and VNNI are `@`'s too.

Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2 (the operation
sections of VCVTPH2PS and VCVTPS2PH).
"""

from __future__ import annotations

from tensorlib.dtypes import DType
from tensorlib.lang.instruction import instruction
from tensorlib.simd import SIMD
from tensorlib.tile import Tile
from tensorlib.tiles.amx import (
    TILE_BYTES,
    TILE_ROWS,
    TileRegister,
    amx_configure,
    amx_registers,
    amx_release,
    tdpbf16ps,
    tdpbssd,
    tile_load,
    tile_store,
    tile_zero,
)
from tensorlib.tiles.vnni import dpbusd_8, dpbusd_16

__all__ = [
    "TILE_BYTES",
    "TILE_ROWS",
    "TileRegister",
    "amx_configure",
    "amx_registers",
    "amx_release",
    "cvtph_ps",
    "cvtps_ph",
    "dpbusd_8",
    "dpbusd_16",
    "prefetch_l1",
    "prefetch_l2",
    "tdpbf16ps",
    "tdpbssd",
    "tile_load",
    "tile_store",
    "tile_zero",
]

# --- vectors ---


@instruction(
    c="({type})_mm256_cvtph_ps((__m128i){bits})",
    requires="f16c",
    headers="immintrin.h",
    portable=True,
)
def cvtph_ps(bits: SIMD) -> SIMD:
    """VCVTPH2PS: the float32x8 of eight float16, given as uint16x8."""
    return bits.bitcast(DType.float16).cast(DType.float32)


@instruction(
    c="({type})_mm256_cvtps_ph((__m256){x}, _MM_FROUND_TO_NEAREST_INT)",
    requires="f16c",
    headers="immintrin.h",
    portable=True,
)
def cvtps_ph(x: SIMD) -> SIMD:
    """VCVTPS2PH: the bits, as uint16x8, of float32x8 rounded to the nearest float16."""
    return x.cast(DType.float16).bitcast(DType.uint16)


# --- memory ---


@instruction(c="__builtin_prefetch({tile}, 0, 3)", portable=True)
def prefetch_l1(tile: Tile) -> None:
    """PREFETCHT0: bring the line of a tile's first element into every cache."""
    tile.prefetch(*[0] * tile.rank)


@instruction(c="__builtin_prefetch({tile}, 0, 2)", portable=True)
def prefetch_l2(tile: Tile) -> None:
    """PREFETCHT1: bring the line of a tile's first element into the second cache."""
    tile.prefetch(*[0] * tile.rank)
