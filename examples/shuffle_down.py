"""An instruction that the library need not know: `__shfl_down_sync`, declared by its user.

The body says what the instruction does, through memory that the lanes of a warp share; the spelling
says what CUDA calls it. In Python, in the interpreter and on targets without the instruction, the
body runs.
"""

from __future__ import annotations

import numpy as np

import tensorlib as tl
from tensorlib import Scalar, Tile
from tensorlib.tile import stack_allocation


@tl.instruction(cuda="__shfl_down_sync(0xffffffffu, {value}, {offset})", portable=True)
def shuffle_down(value: Scalar, offset: int) -> Scalar:
    """Return the value of the lane `offset` above; the last lanes of a warp keep their own."""
    lane = tl.lane_id()
    values = stack_allocation[value.dtype, tl.WARP](tl.WARP_SIZE)
    values[lane] = value
    tl.warp_barrier()
    source = lane + offset
    found = values[(source < tl.WARP_SIZE).select(source, lane)]
    tl.warp_barrier()
    return found


@tl.kernel
def warp_sums(out: Tile, x: Tile) -> None:
    """Write the sum of each warp's elements; blocks are whole warps."""
    i = tl.block_id() * tl.block_dim() + tl.thread_id()
    total = x[i]
    for offset in (16, 8, 4, 2, 1):
        total = total + shuffle_down(total, offset)
    if tl.lane_id() == 0:
        out[i // tl.WARP_SIZE] = total


def main() -> None:
    x = np.arange(256, dtype=np.float32)
    sums = np.zeros(8, np.float32)
    warp_sums(sums, x, grid=4, block=64)
    assert (sums == x.reshape(8, 32).sum(1)).all()
    source = warp_sums.source("cuda", sums, x, block=64)
    print(next(line.strip() for line in source.splitlines() if "__shfl_down_sync" in line))


if __name__ == "__main__":
    main()
