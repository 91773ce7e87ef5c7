"""A matrix product by blocks: tiles in shared memory, two buffers, all warps, ragged edges.

    python examples/tiled_matmul.py

`tiled_mma` gives each warp of a block its part of the block's tile. The sum is a fragment of it,
which all warps hold together, and `a_tile @ b_tile` is the product of two tiles in shared memory:
matrix instructions where the device has them, their meaning elsewhere. While it runs, the next two
tiles go to the other buffers. What lies past an edge of A and B comes as zeros, and what lies past
an edge of C is not stored, so M, N and K need not be multiples of anything.
"""

from __future__ import annotations

import numpy as np

import tensorlib as tl
from tensorlib.layouts.hardware import mma, tiled_mma

TILED = tiled_mma(mma("m16n8k8.tf32"), (2, 1, 1))  # two warps, one below the other
M, N, K = 32, 16, 16  # what a block computes, and how far it goes in a step


@tl.kernel
async def matmul(c: tl.Tile, a: tl.Tile, b: tl.Tile) -> None:
    """c = a @ b, of any sizes: a block for each 32 x 16 tile of c."""
    row, column = tl.block_id(1), tl.block_id(0)
    a_memory = tl.Tile[a.dtype, (2, M, K), tl.SHARED]()
    b_memory = tl.Tile[b.dtype, (2, K, N), tl.SHARED]()
    next_a = a.tile[M, K](row, 0).copy[tl.SHARED](into=a_memory[0, :, :], other=0.0)
    next_b = b.tile[K, N](0, column).copy[tl.SHARED](into=b_memory[0, :, :], other=0.0)
    acc = tl.Tile[tl.float32, tl.fragment(TILED, "c", (M, N))](0)
    for k in range(1, (a.shape[1] + K - 1) // K):
        a_tile, b_tile = await next_a, await next_b
        next_a = a.tile[M, K](row, k).copy[tl.SHARED](into=a_memory[k % 2, :, :], other=0.0)
        next_b = b.tile[K, N](k, column).copy[tl.SHARED](into=b_memory[k % 2, :, :], other=0.0)
        acc += a_tile @ b_tile
        tl.barrier()  # all have read these tiles, before others overwrite them
    acc += (await next_a) @ (await next_b)
    c.tile[M, N](row, column).copy_from(acc, masked=True)


def main() -> None:
    m, n, k = 45, 23, 37
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal(shape).astype(np.float32) for shape in ((m, k), (k, n)))
    c = np.zeros((m, n), np.float32)
    matmul(c, a, b, grid=(-(-n // N), -(-m // M)), block=TILED.threads)
    print("largest error, with 10 bits of a and b:", abs(c - a.astype(np.float64) @ b).max())


if __name__ == "__main__":
    main()
