"""Tensors are lazy: what is written in three lines runs as one kernel, when its result is read."""

from __future__ import annotations

import numpy as np

import tensorlib as tl


def gated(x: tl.Tensor, y: tl.Tensor) -> tl.Tensor:
    """Return silu(x) * y, the gate of a Llama's feed-forward layer."""
    return tl.silu(x) * y


def main() -> None:
    numbers = np.random.default_rng(0).standard_normal((2, 1000, 1000), dtype=np.float32)
    x, y = tl.asarray(numbers[0]), tl.asarray(numbers[1])
    result = gated(x, y)  # nothing is computed yet
    expected = numbers[0] / (1 + np.exp(-numbers[0])) * numbers[1]
    print("largest difference from NumPy:", float(abs(result.numpy() - expected).max()))


if __name__ == "__main__":
    main()
