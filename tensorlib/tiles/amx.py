"""Intel's AMX: eight tile registers of 16 rows of 64 bytes, each instruction's meaning its body.

Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2 (the operation
sections of TILELOADD, TILESTORED, TILEZERO, TDPBF16PS, TDPBSSD).
"""

from __future__ import annotations

from typing import NamedTuple

from tensorlib.dtypes import DType
from tensorlib.lang.control import unroll
from tensorlib.lang.instruction import instruction
from tensorlib.simd import SIMD
from tensorlib.tile import Tile, stack_allocation

__all__ = [
    "TILE_BYTES",
    "TILE_ROWS",
    "TileRegister",
    "amx_configure",
    "amx_registers",
    "amx_release",
    "tdpbf16ps",
    "tdpbssd",
    "tile_load",
    "tile_store",
    "tile_zero",
]

TILE_ROWS, TILE_BYTES, REGISTERS = 16, 64, 8
# Palette 1; bytes 16 to 31 are the bytes of a row (16 bits each), 48 to 55 the rows.
_CONFIGURATION = [1, *[0] * 15, *[TILE_BYTES, 0] * REGISTERS, *[0] * 16, *[TILE_ROWS] * REGISTERS]
_BYTES = ", ".join(map(str, [*_CONFIGURATION, *[0] * (64 - len(_CONFIGURATION))]))
# gcc 12's _tile_loadconfig loses stores: the instruction itself reads a memory operand.
_CONFIGURE = f"""{{{{
    static const struct {{{{ uint8_t bytes[64]; }}}} configuration = {{{{{{{{{_BYTES}}}}}}}}};
#ifdef __linux__
    static int is_allowed;
    if (!is_allowed) {{{{  // arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA), once a process
      long result = 158;
      __asm__ volatile("syscall" : "+a"(result) : "D"(0x1023L), "S"(18L) : "rcx", "r11", "memory");
      is_allowed = result == 0;
    }}}}
#endif
    __asm__ volatile("ldtilecfg %0" : : "m"(configuration));
  }}}}"""


class TileRegister(NamedTuple):
    """One AMX register: its number, and the bytes that stand for it in the bodies."""

    number: int
    bytes: Tile


def amx_registers() -> list[TileRegister]:
    """Return the eight registers, uninitialised; call `amx_configure` before they are used."""
    return [
        TileRegister(n, stack_allocation[DType.uint8](TILE_ROWS, TILE_BYTES))
        for n in range(REGISTERS)
    ]


@instruction(c=_CONFIGURE, requires="amx_tile", portable=True)
def amx_configure() -> None:
    """LDTILECFG: all eight registers have 16 rows of 64 bytes."""


@instruction(c="_tile_release()", requires="amx_tile", headers="immintrin.h", portable=True)
def amx_release() -> None:
    """TILERELEASE: the unit is idle again."""


@instruction(c="_tile_zero({number})", requires="amx_tile", headers="immintrin.h", portable=True)
def _zero(register: Tile, number: int) -> None:
    for row in range(TILE_ROWS):
        register.store[TILE_BYTES](row, 0, SIMD[DType.uint8, TILE_BYTES](0))


@instruction(
    c="_tile_loadd({number}, {source}, {stride})",
    requires="amx_tile",
    headers="immintrin.h",
    portable=True,
)
def _load(register: Tile, number: int, source: Tile, stride: SIMD | int) -> None:
    width = TILE_BYTES // source.dtype.itemsize
    for row in range(TILE_ROWS):
        register.store[TILE_BYTES](row, 0, source.load[width](row, 0).bitcast(DType.uint8))


@instruction(
    c="_tile_stored({number}, {target}, {stride})",
    requires="amx_tile",
    headers="immintrin.h",
    portable=True,
)
def _store(target: Tile, register: Tile, number: int, stride: SIMD | int) -> None:
    width = TILE_BYTES // target.dtype.itemsize
    for row in range(TILE_ROWS):
        bytes_of_row = register.load[TILE_BYTES](row, 0)
        target.store[width](row, 0, bytes_of_row.bitcast(target.dtype))


def tile_zero(register: TileRegister) -> None:
    """TILEZERO: set a register to zero."""
    _zero(register.bytes, register.number)


def tile_load(register: TileRegister, source: Tile) -> None:
    """TILELOADD: load 16 rows of 64 bytes, from a tile whose rows are contiguous."""
    _load(register.bytes, register.number, source, source.stride[0] * source.dtype.itemsize)


def tile_store(target: Tile, register: TileRegister) -> None:
    """TILESTORED: store 16 rows of 64 bytes, into a tile whose rows are contiguous."""
    _store(target, register.bytes, register.number, target.stride[0] * target.dtype.itemsize)


@instruction(
    c="_tile_dpbf16ps({c_number}, {a_number}, {b_number})",
    requires="amx_bf16",
    headers="immintrin.h",
    portable=True,
)
def _dpbf16ps(c: Tile, a: Tile, b: Tile, c_number: int, a_number: int, b_number: int) -> None:
    lanes = TILE_BYTES // 4
    for m in range(TILE_ROWS):
        even = SIMD[DType.float32, lanes](0.0)
        odd = SIMD[DType.float32, lanes](0.0)
        for k in range(lanes):
            row = a.load[4](m, 4 * k).bitcast(DType.bfloat16).cast(DType.float32)
            pairs = b.load[TILE_BYTES](k, 0).bitcast(DType.bfloat16).cast(DType.float32)
            first, second = pairs.deinterleave()
            even = row[0].splat(lanes).fma(first, even)
            odd = row[1].splat(lanes).fma(second, odd)
        total = c.load[TILE_BYTES](m, 0).bitcast(DType.float32) + (even + odd)
        c.store[TILE_BYTES](m, 0, total.bitcast(DType.uint8))


def tdpbf16ps(c: TileRegister, a: TileRegister, b: TileRegister) -> None:
    """TDPBF16PS: c (16 x 16 float32) += a (16 x 32 bfloat16) @ b, whose rows hold pairs.

    `b[k, 2n + j]` is element (2k + j, n) of the right matrix. Even and odd terms are summed apart,
    with fused multiply-adds. The hardware also takes denormal numbers for zero; the body does not.
    """
    _dpbf16ps(c.bytes, a.bytes, b.bytes, c.number, a.number, b.number)


@instruction(
    c="_tile_dpbssd({c_number}, {a_number}, {b_number})",
    requires="amx_int8",
    headers="immintrin.h",
    portable=True,
)
def _dpbssd(c: Tile, a: Tile, b: Tile, c_number: int, a_number: int, b_number: int) -> None:
    lanes = TILE_BYTES // 4
    for m in range(TILE_ROWS):
        total = c.load[TILE_BYTES](m, 0).bitcast(DType.int32)
        for k in range(lanes):
            row = a.load[4](m, 4 * k).bitcast(DType.int8).cast(DType.int32)
            quads = b.load[TILE_BYTES](k, 0).bitcast(DType.int8).cast(DType.int32)
            for j in unroll(range(4)):
                column = quads.shuffle(*range(j, TILE_BYTES, 4))
                total = total + row[j].splat(lanes) * column
        c.store[TILE_BYTES](m, 0, total.bitcast(DType.uint8))


def tdpbssd(c: TileRegister, a: TileRegister, b: TileRegister) -> None:
    """TDPBSSD: c (16 x 16 int32) += a (16 x 64 int8) @ b, whose rows hold groups of four.

    `b[k, 4n + j]` is element (4k + j, n) of the right matrix.
    """
    _dpbssd(c.bytes, a.bytes, b.bytes, c.number, a.number, b.number)
