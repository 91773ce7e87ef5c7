"""swish(x) = x / (1 + exp(-x)): a function over SIMD values, on tensors and over an index space."""

from __future__ import annotations

import numpy as np

import tensorlib as tl
from tensorlib.lang.math import exp


@tl.elementwise
def swish(vec: tl.SIMD) -> tl.SIMD:
    """Return vec / (1 + exp(-vec)), for any number of lanes."""
    return vec / (1 + exp(-vec))


@tl.kernel
def swish_into(C: tl.Tile, A: tl.Tile) -> None:
    """Write swish(A) into C, a vector at each of the coordinates."""

    def do_swish(coords: tuple[tl.SIMD, ...], width: int) -> None:
        vec = A.load[width](*coords)
        C.store[width](*coords, vec / (1 + exp(-vec)))

    tl.elementwise(do_swish, width=tl.simdwidthof(A.dtype))(A.shape)


def main() -> None:
    A = np.random.default_rng(0).standard_normal((300, 1001), dtype=np.float32)
    expected = A / (1 + np.exp(-A))

    # One more operation of the lazy graph: this is one kernel.
    y = swish(tl.asarray(A)) * 2 + 1
    print("on tensors:          ", float(abs(y.numpy() - (expected * 2 + 1)).max()))

    # Inside a kernel, over an index space: vectors along the rows, then single elements.
    C = np.empty_like(A)
    swish_into(C, A)
    print("inside a kernel:     ", float(abs(C - expected).max()))

    # The same outside: the arrays that the function closes over are tiles to it.
    C[:] = 0

    def do_swish(coords: tuple[tl.SIMD, ...], width: int) -> None:
        vec = A.load[width](*coords)
        C.store[width](*coords, vec / (1 + exp(-vec)))

    tl.elementwise(do_swish, width=tl.simdwidthof("float32"))(A.shape)
    print("over an index space: ", float(abs(C - expected).max()))


if __name__ == "__main__":
    main()
