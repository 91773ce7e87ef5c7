"""A kernel of your own as an operation of the lazy graph, and folds, scans and rows besides."""

from __future__ import annotations

import numpy as np

import tensorlib as tl
from tensorlib.lang.math import rsqrt


def valid(x: tuple[int, ...], taps: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of a convolution's result where all taps lie inside."""
    return x[0], x[1] - taps[0] + 1


@tl.op(shapes=valid)
def convolved(out: tl.Tile, x: tl.Tile, taps: tl.Tile, *, width: int = 8) -> None:
    """out[r, i] = sum over k of x[r, i + k] * taps[k]."""

    def window(coords: tuple[tl.SIMD, ...], lanes: int) -> None:
        r, i = coords
        total = tl.SIMD[out.dtype, lanes](0)
        for k in range(taps.shape[0]):
            total = total + x.load[lanes](r, i + k) * taps[k]
        out.store[lanes](r, i, total)

    def at(coords: tuple[tl.SIMD, ...], width: int) -> None:
        window(coords, width)

    tl.elementwise(at, width=width)(out.shape)


@tl.op(shapes=lambda x: (x[:1], x[:1]), outputs=2)
def bounds(low: tl.Tile, high: tl.Tile, x: tl.Tile) -> None:
    """Write the least and the greatest element of each row."""
    for r in tl.parallel(range(x.shape[0])):
        least, most = x[r, 0], x[r, 0]
        for i in range(x.shape[1]):
            least, most = least.min(x[r, i]), most.max(x[r, i])
        low[r] = least
        high[r] = most


@tl.rowwise
def rms_norm(row: tl.Row, weight: tl.Row) -> tl.Row:
    """Return row / sqrt(mean(row**2) + 1e-5) * weight; Zhang and Sennrich 2019."""
    return row * rsqrt((row * row).mean() + 1e-5) * weight


def main() -> None:
    random = np.random.default_rng(0)
    x = random.standard_normal((6, 100), dtype=np.float32)
    taps = np.array([0.25, 0.5, 0.25], np.float32)

    smooth = tl.silu(convolved(tl.asarray(x) * 2, taps))  # three steps of one plan
    rows = [np.convolve(2 * row, taps, "valid") for row in x]
    expected = np.array(rows) / (1 + np.exp(-np.array(rows)))
    print("convolution:", float(abs(smooth.numpy() - expected).max()))

    fused = tl.op(convolved.kernel, shapes=valid, fuses=True)
    again = tl.silu(fused(tl.asarray(x) * 2, taps))  # one kernel
    print("fused:      ", (again.numpy() == smooth.numpy()).all())

    low, high = bounds(x)  # one kernel, two results
    print("bounds:     ", (high.numpy() - low.numpy() == np.ptp(x, axis=1)).all())

    weight = random.standard_normal(100, dtype=np.float32)
    scaled = x / np.sqrt((x * x).mean(axis=1, keepdims=True) + 1e-5) * weight
    print("RMSNorm:    ", float(abs(rms_norm(x, weight).numpy() - scaled).max()))

    bits = random.integers(0, 1 << 40, (4, 1000))
    parity = tl.reduce(lambda a, b: a ^ b, bits, identity=0, axis=1)
    print("exclusive or:", (parity.numpy() == np.bitwise_xor.reduce(bits, axis=1)).all())

    highest = tl.scan(lambda a, b: a.max(b), bits, identity=0, axis=1)
    print("running maximum:", (highest.numpy() == np.maximum.accumulate(bits, axis=1)).all())


if __name__ == "__main__":
    main()
