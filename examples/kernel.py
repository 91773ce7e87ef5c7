"""A kernel, a * x + y over vectors, run three ways: in Python, interpreted as IR, compiled as C."""

from __future__ import annotations

import numpy as np

import tensorlib as tl
from tensorlib.ir.interpreter import interpret
from tensorlib.ir.text import text
from tensorlib.lang.control import parallel
from tensorlib.lang.trace import trace
from tensorlib.registry import REGISTRY
from tensorlib.simd import Scalar, SIMDType
from tensorlib.tile import Tile, TileType


def scale_add(out: Tile, x: Tile, y: Tile, a: Scalar, width: int) -> None:
    """Write a * x + y to `out`, whose size is a multiple of `width`."""
    for i in parallel(range(0, out.size, width)):
        out.store[width](i, a * x.load[width](i) + y.load[width](i))


def main() -> None:
    tile = TileType(tl.float32, (tl.Dim("n"),), (1,))  # n is known when the kernel is called
    types = {"out": tile, "x": tile, "y": tile, "a": SIMDType(tl.float32, 1)}
    kernel = trace(scale_add, types, {"width": 16}, order=["out", "x", "y", "a", "n"])
    print(text(kernel))

    n = 4096
    x, y = np.arange(n, dtype=np.float32), np.ones(n, dtype=np.float32)
    plain, interpreted, compiled = (np.empty_like(x) for _ in range(3))

    scale_add(Tile.over(plain), Tile.over(x), Tile.over(y), 2.0, 16)
    interpret(kernel, [interpreted, x, y, 2.0, n])
    c = REGISTRY.backend("c")
    buffers = [c.borrow(array) for array in (compiled, x, y)]
    c.launch(c.compile(kernel, c.devices()[0]), (), (), [*buffers, 2.0, n])

    assert (plain == interpreted).all()
    assert (plain == compiled).all()
    print("the same bits in Python, as IR and as C")


if __name__ == "__main__":
    main()
