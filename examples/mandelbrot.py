"""The Mandelbrot set: SIMD lanes of complex numbers that leave the loop when all have escaped.

    python examples/mandelbrot.py [picture.png]

prints how long the picture of 1920 x 1080 points took, and saves it where matplotlib is installed.
"""

from __future__ import annotations

import sys
import time

import numpy as np

import tensorlib as tl
from tensorlib import SIMD, ComplexSIMD, DType

LEFT, RIGHT, BOTTOM, TOP = -2.0, 0.7, -1.12, 1.12


def escape_times(c: ComplexSIMD, iterations: int) -> SIMD:
    """Return after how many steps of z = z * z + c each lane has left the circle of radius 2."""
    width, kind = c.re.width, c.re.dtype
    z = ComplexSIMD[kind, width](0, 0)
    count = SIMD[DType.int64 if kind is DType.float64 else DType.int32, width](0)
    mask = SIMD[DType.bool, width](True)
    for _ in range(iterations):
        if not mask.reduce_or():
            break
        mask = z.squared_norm() <= 4
        count = mask.select(count + 1, count)
        z = z.squared_add(c)
    return count


@tl.kernel
def mandelbrot(
    out: tl.Tile,
    left: tl.Scalar,
    bottom: tl.Scalar,
    dx: tl.Scalar,
    dy: tl.Scalar,
    *,
    iterations: int = 1000,
    width: int = 0,
) -> None:
    """Write the escape time of every point of a grid to out[row, column], int32."""
    kind = left.dtype
    # Four vectors side by side hide the latency of a multiply-add.
    width = width or 4 * tl.simdwidthof(kind)
    lanes = SIMD[kind, width](*range(width))
    for row in tl.parallel(range(out.shape[0])):
        im = SIMD[kind, width](bottom + dy * SIMD[kind, 1](row))
        for column in range(0, out.shape[1], width):
            c = ComplexSIMD(left + dx * (lanes + SIMD[kind, 1](column)), im)
            counts = escape_times(c, iterations).cast(DType.int32)
            inside = lanes.cast(DType.int64) + column < out.shape[1]
            out.store[width](row, column, counts, mask=inside)


def picture(height: int, width: int, dtype: str = "float32", iterations: int = 1000) -> np.ndarray:
    """Return the escape times of a grid of points, int32 of shape (height, width)."""
    number = np.dtype(dtype).type
    out = np.zeros((height, width), np.int32)
    steps = (RIGHT - LEFT) / width, (TOP - BOTTOM) / height
    mandelbrot.bind(iterations=iterations)(out, *map(number, (LEFT, BOTTOM, *steps)))
    return out


def main(file: str = "") -> None:
    picture(8, 8)  # compile
    start = time.perf_counter()
    counts = picture(1080, 1920)
    print(f"computed 1920 x 1080 points in {(time.perf_counter() - start) * 1e3:.1f} ms")
    if not file:
        return
    from matplotlib import pyplot  # pip install matplotlib

    pyplot.imsave(file, np.log(counts), cmap="inferno")
    print(f"saved {file}")


if __name__ == "__main__":
    main(*sys.argv[1:])
