"""The talk's matrix product of fragments: the next ones are loaded while these are multiplied.

    python examples/fragment_matmul.py

The slide's loop goes

    for i in range(16, K, 16):
        next_a_frag = a[i, aCol, shape=(16,16), layout=a_layout]
        next_b_frag = b[bRow, i, shape=(16,16), layout=b_layout]
        acc_frag += (await a_frag) @ (await b_frag)
        swap(a_frag, next_a_frag)
        swap(b_frag, next_b_frag)
        acc_frag += (await a_frag) @ (await b_frag)

In Python, which has no keywords in brackets, a[aRow, i, shape=(16,16), layout=a_layout] is
a.tile[16, 16](row, i).copy[tl.REGISTER](layout=a_layout), and two names are swapped by assigning
both. Two things are corrected. The second product stands behind the loop: in the loop it adds
every tile but the first and last twice. And K runs along the columns of A and the rows of B, as
it does where the first fragments are loaded; in the slide's loop rows and columns are exchanged.
"""

from __future__ import annotations

import numpy as np

import tensorlib as tl
from tensorlib.layouts.hardware import mma

atom = mma("m16n8k8.tf32")
a_layout, b_layout, c_layout = (tl.fragment(atom, x, (16, 16)) for x in ("a", "b", "c"))


@tl.kernel
async def matmul(c: tl.Tile, a: tl.Tile, b: tl.Tile) -> None:
    """c = a @ b: a warp for each 16 x 16 tile of c. Shapes are multiples of 16."""
    row, column = tl.block_id(0), tl.block_id(1)
    steps = a.shape[1] // 16
    a_frag = a.tile[16, 16](row, 0).copy[tl.REGISTER](layout=a_layout)
    b_frag = b.tile[16, 16](0, column).copy[tl.REGISTER](layout=b_layout)
    acc_frag = tl.Tile[tl.float32, c_layout](0)
    for i in range(1, steps):
        next_a_frag = a.tile[16, 16](row, i).copy[tl.REGISTER](layout=a_layout)
        next_b_frag = b.tile[16, 16](i, column).copy[tl.REGISTER](layout=b_layout)
        acc_frag += (await a_frag) @ (await b_frag)
        a_frag, next_a_frag = next_a_frag, a_frag
        b_frag, next_b_frag = next_b_frag, b_frag
    acc_frag += (await a_frag) @ (await b_frag)
    c.store(row, column, acc_frag)


def main() -> None:
    m, n, k = 32, 48, 64
    rng = np.random.default_rng(0)
    a, b = (rng.integers(-8, 9, shape).astype(np.float32) for shape in ((m, k), (k, n)))
    c = np.zeros((m, n), np.float32)
    matmul(c, a, b, grid=(m // 16, n // 16), block=32)
    print("whole numbers are exact in tf32:", bool((c == a.astype(np.float64) @ b).all()))


if __name__ == "__main__":
    main()
