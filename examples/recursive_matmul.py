"""A matrix product that is the same at every scale: tiles of tiles, down to the registers.

`multiply` adds A @ B to C. At each level it cuts all three into tiles and calls itself on every
triple of them; where no level is left, the tiles fit registers and a micro-kernel ends it. The
recursion is over a list known at compile time, so what is compiled is a nest of loops.
"""

from __future__ import annotations

import numpy as np

import tensorlib as tl
from tensorlib import SIMD, Tile, unroll

Level = tuple[int, int, int]  # rows of A, columns of B, and what is summed over


def multiply(c: Tile, a: Tile, b: Tile, levels: list[Level]) -> None:
    """Add a @ b to c, tile by tile of the first level; every level divides the one before it."""
    if not levels:
        register_tile(c, a, b)
        return
    (M, N, K), *finer = levels
    for m in range(c.shape[0] // M):
        for n in range(c.shape[1] // N):
            for k in range(a.shape[1] // K):
                multiply(c.tile[M, N](m, n), a.tile[M, K](m, k), b.tile[K, N](k, n), finer)


def register_tile(c: Tile, a: Tile, b: Tile) -> None:
    """Add a @ b to c with all of c in registers."""
    (rows, width), depth = c.shape, a.shape[1]
    total = [c.load[width](m, 0) for m in range(rows)]
    for k in unroll(range(depth)):
        row = b.load[width](k, 0)
        total = [SIMD[c.dtype, width](a[m, k]).fma(row, total[m]) for m in range(rows)]
    for m in unroll(range(rows)):
        c.store[width](m, 0, total[m])


@tl.kernel
def matmul(
    c: Tile, a: Tile, b: Tile, *, levels: tuple[Level, ...] = ((32, 32, 32), (4, 8, 4))
) -> None:
    """Add a @ b to c; the sizes are multiples of the first level's."""
    rows = levels[0][0]
    columns, depth = c.shape[1], a.shape[1]
    for block in tl.parallel(range(c.shape[0] // rows)):
        stripe = c.tile[rows, columns](block, 0)
        multiply(stripe, a.tile[rows, depth](block, 0), b, list(levels))


def main() -> None:
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal(shape).astype(np.float32) for shape in ((64, 96), (96, 128)))
    c = np.zeros((64, 128), np.float32)
    matmul(c, a, b)
    print("largest error:", abs(c - a.astype(float) @ b.astype(float)).max())
    three = matmul.bind(levels=((64, 64, 32), (16, 16, 16), (4, 8, 4)))
    c[:] = 0
    three(c, a, b[:, :128])
    print("with three levels:", abs(c - a.astype(float) @ b.astype(float)).max())


if __name__ == "__main__":
    main()
