"""Types as parameters: one sum of squares for every dtype and width, by aliases of SIMD types."""

from __future__ import annotations

import numpy as np

import tensorlib as tl
from tensorlib import SIMD, DType


@tl.kernel
def sum_of_squares(
    out: tl.Tile, x: tl.Tile, *, dtype: DType = DType.float32, width: int = 0
) -> None:
    """Write the sum of x * x, added in `dtype` by `width` lanes, to out[0]."""
    Vector = SIMD[dtype, width or tl.simdwidthof(dtype)]  # an alias is an ordinary name
    total = Vector(0)
    for steps in tl.vectorize[Vector.width](x.size, masked=True):
        for i in steps:
            v = x.load[steps.width](i, mask=steps.mask(i)).cast(Vector.dtype)
            total = v.fma(v, total)
    out[0] = total.reduce_add()


def main() -> None:
    x = np.linspace(-1, 1, 1003, dtype=np.float32)
    for dtype in (DType.float32, DType.float64):
        for width in (1, 4, 32):
            kernel = sum_of_squares[dtype, width]
            found = []
            for run in (kernel.python, kernel.interpret, kernel):
                out = np.zeros(1, dtype.numpy)
                run(out, x)
                found.append(out[0])
            assert found[0] == found[1] == found[2]
            print(f"{dtype.name:8} {width:2} lanes: {found[0]!r}")


if __name__ == "__main__":
    main()
