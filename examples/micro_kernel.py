"""A matrix product of unrolled register tiles, with the next row of B on its way to the cache.

C (M, N) = A (M, K) @ B (K, N): each step of the inner loop adds the product of a column of MR
numbers and a row of NR numbers to MR x NR numbers that stay in registers.
"""

from __future__ import annotations

import numpy as np

import tensorlib as tl
from tensorlib import SIMD, Scalar, Tile, unroll

AHEAD = 4  # rows of B


def micro_kernel(c: Tile, a_tile: Tile, b_row: Tile, depth: int | Scalar, MR: int, NR: int) -> None:
    """Write the product of an MR x K and a K x NR tile to the MR x NR tile `c`."""
    simd_size = tl.simdwidthof(c.dtype)
    c_cache = tuple(SIMD[c.dtype, NR](0) for _ in range(MR))
    for k in range(depth):
        b_next_tile = b_row.tile[1, NR](k + AHEAD, 0)
        for n in unroll(range(0, NR, simd_size)):
            b_next_tile.prefetch(0, n)

        b_tile = b_row.tile[1, NR](k, 0)
        b = b_tile.load[NR](0, 0)
        # The slide writes +=; a fused multiply-add is asked for by its name.
        c_cache = tuple(SIMD[c.dtype, NR](a_tile[m, k]).fma(b, c_cache[m]) for m in range(MR))
    for m in unroll(range(MR)):
        c.store[NR](m, 0, c_cache[m])


@tl.kernel
def matmul(c: Tile, a: Tile, b: Tile, *, MR: int = 4, NR: int = 16) -> None:
    """Write a @ b to c; MR divides its rows and NR its columns."""
    depth = a.shape[1]
    for i in tl.parallel(range(c.shape[0] // MR)):
        for j in range(c.shape[1] // NR):
            rows = a.tile[MR, 1](i, 0)
            columns = b.tile[1, NR](0, j)
            micro_kernel(c.tile[MR, NR](i, j), rows, columns, depth, MR, NR)


def main() -> None:
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal(shape).astype(np.float32) for shape in ((64, 48), (48, 64)))
    c = np.zeros((64, 64), np.float32)
    matmul(c, a, b)
    print("largest error:", abs(c - a.astype(float) @ b.astype(float)).max())


if __name__ == "__main__":
    main()
