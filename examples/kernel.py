"""A kernel in the kernel language: a * x + y, over vectors, on all cores."""

from __future__ import annotations

import numpy as np

import tensorlib as tl
from tensorlib.lang import Scalar, Tile, parallel


@tl.kernel
def scale_add(out: Tile, x: Tile, y: Tile, a: Scalar, *, width: int = 16) -> None:
    """Write a * x + y to `out`; the size is a multiple of `width`."""
    for i in parallel(range(0, out.size, width)):
        out.store[width](i, a * x.load[width](i) + y.load[width](i))


def main() -> None:
    x, y = np.arange(4096, dtype=np.float32), np.ones(4096, dtype=np.float32)
    out = np.empty_like(x)
    scale_add.bind(width=32)(out, x, y, 2.0)
    print("equal to NumPy:", bool((out == 2 * x + y).all()))


if __name__ == "__main__":
    main()
