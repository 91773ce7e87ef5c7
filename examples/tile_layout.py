"""Tiles of a matrix: where `x.tile[M, N](m, n)` comes from, and how to choose other tiles.

    python examples/tile_layout.py

On the talk's slide `tile` takes a layout of two modes, the tile and the tiles, which
`_compute_tile_layout` gives unless the caller does. So here.
"""

from __future__ import annotations

import numpy as np

import tensorlib as tl
from tensorlib.layouts import Layout, layout_text

ROWS, COLUMNS = 4, 8
SHAPE = Layout((16, 32), (32, 1))


@tl.kernel
def tile_sums(out: tl.Tile, x: tl.Tile) -> None:
    """Sum tiles of 4 x 8 neighbours to out[m, n]."""
    for m in range(out.shape[0]):
        for n in range(out.shape[1]):
            tile = x.tile[ROWS, COLUMNS](m, n)
            out[m, n] = tile.reduce("add")


@tl.kernel
def every_other_row(out: tl.Tile, x: tl.Tile) -> None:
    """Sum tiles of four rows with one between them: a layout in the place of a size."""
    matrix = tl.Tile[x.dtype, SHAPE, tl.GLOBAL](x)  # of a size that the tiles are known to divide
    for m in range(out.shape[0]):
        for n in range(out.shape[1]):
            tile = matrix.tile[Layout(ROWS, 2), COLUMNS](m, n)
            out[m, n] = tile.reduce("add")


@tl.kernel
def transposed_tiles(out: tl.Tile, x: tl.Tile) -> None:
    """Sum the tile at (n, m) to out[m, n]: the tiles of a layout of the caller's own."""
    matrix = tl.Tile[x.dtype, SHAPE, tl.GLOBAL](x)
    tile, tiles = matrix._compute_tile_layout(ROWS, COLUMNS)
    swapped = Layout((tile.shape, tiles.shape), (tile.stride, tiles.stride[::-1]))
    for m in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[m, n] = matrix.tile[ROWS, COLUMNS](m, n, layout=swapped).reduce("add")


def blocks(x: np.ndarray) -> np.ndarray:
    """Return the sums of tiles of 4 x 8 elements in float64, with NumPy."""
    rows, columns = x.shape[0] // ROWS, x.shape[1] // COLUMNS
    return x.astype(np.float64).reshape(rows, ROWS, columns, COLUMNS).sum(axis=(1, 3))


def main() -> None:
    x = np.random.default_rng(0).standard_normal((16, 32)).astype(np.float32)
    out = np.zeros((4, 4), np.float32)

    tile_sums(out, x)
    print("largest error:", abs(out - blocks(x)).max())

    every_other_row(out, x)
    order = [block * 8 + first + 2 * i for block in (0, 1) for first in (0, 1) for i in range(4)]
    print("largest error:", abs(out - blocks(x[order])).max())

    transposed_tiles(out, x)
    print("largest error:", abs(out - blocks(x).T).max())

    layout = tl.Tile.over(x)._compute_tile_layout(ROWS, COLUMNS)
    print("tile and tiles:", layout[0], layout[1])
    print(layout_text(layout[0]))


if __name__ == "__main__":
    main()
