"""Tiles brought to shared memory while other work goes on: `copy`, other operations, `await`.

python examples/staging.py
"""

from __future__ import annotations

import numpy as np

import tensorlib as tl

SIZE = 8


@tl.kernel
async def transposed(out: tl.Tile, x: tl.Tile) -> None:
    """out = x.T by tiles: rows are read, and rows are written, whichever way memory lies."""
    i, j = tl.block_id(1), tl.block_id(0)
    smem = x.tile[SIZE, SIZE](i, j).copy[tl.SHARED]()
    target = out.tile[SIZE, SIZE](j, i)  # other operations
    tile = await smem
    target.copy_from(tile.transpose())


@tl.kernel
async def smoothed(out: tl.Tile, x: tl.Tile, *, size: int = 32) -> None:
    """Add the neighbours of every element in its block; two buffers, one of them on its way."""
    t, blocks = tl.thread_id(), x.size // size
    rows, written = x.reshape(-1, size), out.reshape(-1, size)
    buffers = tl.Tile[x.dtype, (2, size), tl.SHARED]()
    following = rows.tile[1, size](0, 0).copy[tl.SHARED](into=buffers.tile[1, size](0, 0))
    for step in range(blocks):
        row = await following
        ahead = (step + 1) % blocks
        buffer = buffers.tile[1, size]((step + 1) % 2, 0)
        following = rows.tile[1, size](ahead, 0).copy[tl.SHARED](into=buffer)
        written[step, t] = row[0, (t - 1) % size] + row[0, t] + row[0, (t + 1) % size]
        tl.barrier()  # all have read the row, before the next copy overwrites it
    await following


def main() -> None:
    x = np.random.default_rng(0).standard_normal((16, 24)).astype(np.float32)
    out = np.zeros((24, 16), np.float32)
    transposed(out, x, grid=(3, 2), block=16)
    print("transposed:", bool((out == x.T).all()))

    x = np.random.default_rng(1).standard_normal(128).astype(np.float32)
    out = np.zeros_like(x)
    smoothed(out, x, grid=1, block=32)
    rows = x.astype(np.float64).reshape(-1, 32)
    expected = np.roll(rows, 1, axis=1) + rows + np.roll(rows, -1, axis=1)
    print("smoothed, largest error:", abs(out.reshape(-1, 32) - expected).max())


if __name__ == "__main__":
    main()
