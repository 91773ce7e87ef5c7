"""Mandelbrot, 1920 x 1080 points, 1000 iterations: ours and numba's, one thread, one process.

pip install -e '.[bench]' && TENSORLIB_NUM_THREADS=1 pytest benchmarks/test_mandelbrot.py -s
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.compare import interleaved, report

HEIGHT, WIDTH, ITERATIONS = 1080, 1920, 1000


def example() -> Any:
    """Return examples/mandelbrot.py as a module."""
    path = Path(__file__).parents[1] / "examples" / "mandelbrot.py"
    spec = importlib.util.spec_from_file_location("mandelbrot_example", path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["mandelbrot_example"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def numba_kernel() -> Any:
    numba = pytest.importorskip("numba")

    @numba.njit
    def kernel(out: Any, left: Any, bottom: Any, dx: Any, dy: Any, iterations: Any) -> None:
        four, two = left * 0 + 4, left * 0 + 2
        for row in range(out.shape[0]):
            im = bottom + dy * row
            for column in range(out.shape[1]):
                re = left + dx * column
                x, y, n = left * 0, left * 0, 0
                while n < iterations and x * x + y * y <= four:
                    x, y = x * x - y * y + re, two * x * y + im
                    n += 1
                out[row, column] = n

    return kernel


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_mandelbrot(dtype: str, benchmark: Any) -> None:
    made, peer = example(), numba_kernel()
    number = np.dtype(dtype).type
    steps = (made.RIGHT - made.LEFT) / WIDTH, (made.TOP - made.BOTTOM) / HEIGHT
    arguments = [number(v) for v in (made.LEFT, made.BOTTOM, *steps)]
    mine, theirs = (np.zeros((HEIGHT, WIDTH), np.int32) for _ in range(2))
    kernel = made.mandelbrot.bind(iterations=ITERATIONS)
    kernel(mine, *arguments)
    peer(theirs, *arguments, ITERATIONS)
    assert (mine == theirs).mean() > 0.99  # rounding differs at the border of the set

    times = interleaved(
        {
            "tensorlib": lambda: kernel(mine, *arguments),
            "numba": lambda: peer(theirs, *arguments, ITERATIONS),
        }
    )
    print(report(f"Mandelbrot {dtype}", times, "tensorlib"))
    benchmark.pedantic(kernel, (mine, *arguments), rounds=3)
