"""The talk's sum of all elements: warps by shuffles, blocks through shared memory, then atomics.

    python examples/sum_reduction.py

The slide waits for `smem.reduce(add)` inside `if not threadIdx.x`. The reduction meets at barriers,
which all threads of a block must reach, so here all of them wait for it and one adds the result.
Its `smem` has an element a warp, which is all that is stored.
"""

from __future__ import annotations

from operator import add

import numpy as np

import tensorlib as tl


@tl.kernel
async def sum_reduction(buf: tl.Tile, global_atomic: tl.Atomic) -> None:
    """Add all elements of buf to an element of memory; those past its end count as 0."""
    tid = tl.block_id() * tl.block_dim() + tl.thread_id()
    warps = -(-tl.block_dim() // tl.WARP_SIZE)
    smem = tl.stack_allocation[buf.dtype, tl.SHARED](warps)
    tile = buf.load_tile[tl.WARP](tid)
    result = tile.reduce(add)
    if tl.lane_id() == 0:
        smem[tl.warp_id()] = result
    result = await smem.reduce(add)
    if tl.thread_id() == 0:
        global_atomic += result


def main() -> None:
    x = np.random.default_rng(0).standard_normal(10_000).astype(np.float32)
    total = np.zeros(1, np.float32)
    sum_reduction(x, total, grid=-(-x.size // 128), block=128)
    print("sum:", total[0], "error:", abs(total[0] - x.astype(np.float64).sum()))


if __name__ == "__main__":
    main()
