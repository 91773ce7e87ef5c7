"""A kernel, a * x + y over vectors, run three ways: in Python, interpreted as IR, compiled as C."""

from __future__ import annotations

import numpy as np

import tensorlib as tl


@tl.kernel
def scale_add(out: tl.Tile, x: tl.Tile, y: tl.Tile, a: tl.Scalar, *, width: int = 16) -> None:
    """Write a * x + y to `out`, whose size is a multiple of `width`."""
    for i in tl.parallel(range(0, out.size, width)):
        out.store[width](i, a * x.load[width](i) + y.load[width](i))


def main() -> None:
    n = 4096
    x, y = np.arange(n, dtype=np.float32), np.ones(n, dtype=np.float32)
    plain, interpreted, compiled = (np.empty_like(x) for _ in range(3))
    print(scale_add.ir(plain, x, y, 2.0))

    scale_add.python(plain, x, y, 2.0)
    scale_add.interpret(interpreted, x, y, 2.0)
    scale_add.bind(width=8)(compiled, x, y, 2.0)

    assert (plain == interpreted).all()
    assert (plain == compiled).all()
    print("the same bits in Python, as IR and as C")


if __name__ == "__main__":
    main()
