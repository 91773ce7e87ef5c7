"""`a @ b` where b keeps groups along K together: AMX and VNNI, or the same sums in portable form.

The layout says what is computed, the target only how: pairs of bfloat16 are summed as TDPBF16PS
sums them on every target, and sums of int8 have one value in any order.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tensorlib.dtypes import DType
from tensorlib.lang.explicit import loop
from tensorlib.lang.target import target_has
from tensorlib.simd import SIMD, SIMDType
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
)
from tensorlib.tiles.arithmetic import known_shape
from tensorlib.tiles.memory_product import MemoryProduct, are_many
from tensorlib.tiles.vnni import dot4, dpbusd_8, dpbusd_16

if TYPE_CHECKING:
    from tensorlib.tile import Tile

__all__ = ["GroupedProduct", "is_grouped"]

# Dtypes of A and B: how many neighbours along K lie together, and of what M, N and K are multiples.
_KINDS: dict[tuple[DType, DType], tuple[int, tuple[int, int, int]]] = {
    (DType.bfloat16, DType.bfloat16): (2, (16, 16, 32)),
    (DType.int8, DType.int8): (4, (1, 8, 4)),
    (DType.uint8, DType.int8): (4, (1, 8, 4)),
}


def is_grouped(a: Tile, b: Tile) -> bool:
    """Return whether these are operands of AMX or VNNI: rows of A in order, B in groups along K."""
    group, (m, n, k) = _KINDS.get((a.dtype, b.dtype), (0, (1, 1, 1)))
    if not group or any(t.swizzle is not None or t.lanes[0] > 1 for t in (a, b)):
        return False
    (rows, depth), columns = known_shape(a), known_shape(b)[1]
    if rows is None or depth is None or columns is None:
        return False
    in_groups = (
        isinstance(b.shape[0], tuple)
        and len(b.shape[0]) == 2
        and b.shape[0][0] == group
        and isinstance(b.stride[0][0], int)
        and b.stride[0][0] == 1
        and not isinstance(b.shape[1], tuple)
        and isinstance(b.stride[1], int)
        and b.stride[1] == group
    )
    return in_groups and _in_rows(a) and not (rows % m or columns % n or depth % k)


def _in_rows(tile: Tile) -> bool:
    last = tile.stride[-1]
    flat = not any(isinstance(n, tuple) for n in tile.shape)
    return flat and isinstance(last, int) and last == 1 and tile.swizzle is None


class GroupedProduct(MemoryProduct):
    """The product of a tile of rows with one of groups along K, as `vnni_packed` has them."""

    __slots__ = ()

    def _by_one(self, tile: Tile) -> None:
        if _is_native(self.a.dtype, self.b.dtype) and self._fits_amx(tile):
            self._by_amx(tile, _AMX[self.a.dtype])
        elif self.a.dtype is DType.bfloat16:
            self._by_pairs(tile)
        else:
            self._by_fours(tile)

    def _memory(self) -> Tile:
        """B as it lies: a row for each group along K."""
        (group, rows), columns = self.b.shape[0], self.b.shape[1]
        return self.b.viewed((rows, columns * group), (self.b.stride[0][1], 1), self.b.offset)

    # AMX
    def _fits_amx(self, tile: Tile) -> bool:
        (m, n), step = self.shape, TILE_BYTES // self.a.dtype.itemsize
        return not (m % 16 or n % 16 or self.depth % step) and _in_rows(tile)

    def _by_amx(self, tile: Tile, dot: Callable[..., None]) -> None:
        """Up to 2 x 2 tile registers of sums, two of A and two of B."""
        (m, n), registers = self.shape, amx_registers()
        rows, columns = (1 if size % (2 * TILE_ROWS) else 2 for size in (m, n))
        made = registers[:4], registers[4 : 4 + rows], registers[6 : 6 + columns]
        amx_configure()
        block = functools.partial(self._amx_block, tile, dot, made)
        loop(
            m // (TILE_ROWS * rows),
            lambda i: loop(n // (TILE_ROWS * columns), lambda j: block(i * rows, j * columns)),
        )
        amx_release()

    def _amx_block(
        self,
        tile: Tile,
        dot: Callable[..., None],
        made: tuple[list[TileRegister], list[TileRegister], list[TileRegister]],
        i: Any,
        j: Any,
    ) -> None:
        registers, lefts, rights = made
        step, memory = TILE_BYTES // self.a.dtype.itemsize, self._memory()
        places = [(r, c) for r in range(len(lefts)) for c in range(len(rights))]
        sums = dict(zip(places, registers, strict=False))
        for (r, c), total in sums.items():
            tile_load(total, tile.tile[TILE_ROWS, TILE_ROWS](i + r, j + c))

        def along(k: Any) -> None:
            for r, left in enumerate(lefts):
                tile_load(left, self.a.tile[TILE_ROWS, step](i + r, k))
            for c, right in enumerate(rights):
                tile_load(right, memory.tile[TILE_ROWS, step](k, j + c))
            for (r, c), total in sums.items():
                dot(total, lefts[r], rights[c])

        loop(self.depth // step, along)
        for (r, c), total in sums.items():
            tile_store(tile.tile[TILE_ROWS, TILE_ROWS](i + r, j + c), total)

    # the same in portable form
    def _by_pairs(self, tile: Tile) -> None:
        """Even and odd products of 32 steps along K are summed apart, as TDPBF16PS does."""
        (m, n), memory = self.shape, self._memory()
        zeros = SIMDType(DType.float32, 16)(0.0)

        def pairs(i: Any, j: Any, k: Any, even: SIMD, odd: SIMD) -> tuple[SIMD, SIMD]:
            wide = memory.load[32](k, j * 2).cast(DType.float32)
            first, second = wide.deinterleave()
            a = [self.a[i, k * 2 + n].cast(DType.float32).splat(16) for n in (0, 1)]
            return a[0].fma(first, even), a[1].fma(second, odd)

        def part(i: Any, j: Any, step: Any, total: SIMD) -> SIMD:
            bounds = (step * 16, step * 16 + 16)
            even, odd = loop(bounds, functools.partial(pairs, i, j), zeros, zeros)
            found: SIMD = total + (even + odd)
            return found

        def element(i: Any, j: Any) -> None:
            start = tile.load[16](i, j)
            total = loop(self.depth // 32, functools.partial(part, i, j), start)
            tile.store[16](i, j, total)

        loop(m, lambda i: loop((0, n, 16), lambda j: element(i, j)))

    def _by_fours(self, tile: Tile) -> None:
        """Sums of four products a lane: VPDPBUSD where the target has it."""
        (m, n), memory = self.shape, self._memory()
        dot, lanes = self._dot(n)
        rows = math.gcd(m, 4)
        spread = [0, 1, 2, 3] * lanes

        def fours(i: Any, j: Any, k: Any, *totals: SIMD) -> Any:
            b = memory.load[4 * lanes](k, j * 4)
            a = [self.a.load[4](i + r, k * 4).shuffle(*spread) for r in range(rows)]
            found = [dot(total, x, b) for total, x in zip(totals, a, strict=True)]
            return tuple(found) if rows > 1 else found[0]

        def block(i: Any, j: Any) -> None:
            start = [tile.load[lanes](i + r, j) for r in range(rows)]
            found = loop(self.depth // 4, functools.partial(fours, i, j), *start)
            for r, total in enumerate(found if rows > 1 else [found]):
                tile.store[lanes](i + r, j, total)

        loop((0, m, rows), lambda i: loop((0, n, lanes), lambda j: block(i, j)))

    def _dot(self, columns: int) -> tuple[Callable[..., SIMD], int]:
        """Return what sums groups of four, and for how many columns."""
        is_mixed = self.a.dtype is DType.uint8
        if is_mixed and dpbusd_16.is_native and columns % 16 == 0:
            return dpbusd_16, 16
        if is_mixed and dpbusd_8.is_native:
            return dpbusd_8, 8
        return dot4, 8 if columns % 16 else 16


_AMX = {DType.bfloat16: tdpbf16ps, DType.int8: tdpbssd}


def _is_native(a: DType, b: DType) -> bool:
    """Whether the target has AMX for these; threads of a grid share the unit with others."""
    feature = {(DType.bfloat16,) * 2: "amx_bf16", (DType.int8,) * 2: "amx_int8"}.get((a, b), "")
    return bool(feature) and not are_many() and target_has(feature, "amx_tile")
