"""Mandelbrot, 1920 x 1080 points, 1000 iterations: ours and numba's in one process.

pip install -e '.[bench]' && pytest benchmarks/test_mandelbrot.py -s

prints a line for one thread and one for two: how many times numba's seconds are ours. One thread
is counted in seconds of that thread, so what else runs on the machine does not matter much. On a
machine of fewer than two free cores the second line says what that machine can do, not more.
"""

from __future__ import annotations

import importlib.util
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

HEIGHT, WIDTH, ITERATIONS, ROUNDS = 1080, 1920, 1000, 5


def example() -> Any:
    """Return examples/mandelbrot.py as a module."""
    path = Path(__file__).parents[1] / "examples" / "mandelbrot.py"
    spec = importlib.util.spec_from_file_location("mandelbrot_example", path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["mandelbrot_example"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def numba_kernel(threads: int) -> Any:
    numba = pytest.importorskip("numba")
    numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
    rows = numba.prange if threads > 1 else range

    @numba.njit(parallel=threads > 1)
    def kernel(out: Any, left: Any, bottom: Any, dx: Any, dy: Any, iterations: Any) -> None:
        four, two = left * 0 + 4, left * 0 + 2
        for row in rows(out.shape[0]):
            im = bottom + dy * row
            for column in range(out.shape[1]):
                re = left + dx * column
                x, y, n = left * 0, left * 0, 0
                while n < iterations and x * x + y * y <= four:
                    x, y = x * x - y * y + re, two * x * y + im
                    n += 1
                out[row, column] = n

    return kernel


def seconds(clock: Callable[[], float], function: Callable[[], object]) -> float:
    start = clock()
    function()
    return clock() - start


def compared(dtype: str, threads: int) -> tuple[list[float], list[float]]:
    """Return the seconds of ours and of numba's in turn, after checking that they agree."""
    made, peer = example(), numba_kernel(threads)
    number = np.dtype(dtype).type
    steps = (made.RIGHT - made.LEFT) / WIDTH, (made.TOP - made.BOTTOM) / HEIGHT
    arguments = [number(v) for v in (made.LEFT, made.BOTTOM, *steps)]
    mine, theirs = (np.zeros((HEIGHT, WIDTH), np.int32) for _ in range(2))
    kernel = made.mandelbrot.bind(iterations=ITERATIONS)
    kernel(mine, *arguments)
    peer(theirs, *arguments, ITERATIONS)
    assert (mine == theirs).mean() > 0.99  # rounding differs at the border of the set
    clock = time.thread_time if threads == 1 else time.perf_counter
    rounds = [
        (
            seconds(clock, lambda: kernel(mine, *arguments)),
            seconds(clock, lambda: peer(theirs, *arguments, ITERATIONS)),
        )
        for _ in range(ROUNDS)
    ]
    return [a for a, _ in rounds], [b for _, b in rounds]


def line(dtype: str, threads: int) -> str:
    """Return one line of the result: medians and the median of the ratios of each round."""
    ours, theirs = compared(dtype, threads)
    ratio = statistics.median(b / a for a, b in zip(ours, theirs, strict=True))
    mine, peer = (statistics.median(row) * 1e3 for row in (ours, theirs))
    what = f"{dtype}, {threads} thread{'s' if threads > 1 else ''}"
    return f"Mandelbrot {what}: {mine:.1f} ms, numba {peer:.1f} ms, {ratio:.1f} x"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("threads", [1, 2])
def test_mandelbrot(dtype: str, threads: int) -> None:
    """The number of threads is settled when a process starts: each has its own."""
    pytest.importorskip("numba")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    environment = {**os.environ, "TENSORLIB_NUM_THREADS": str(threads)}
    root = str(Path(__file__).parents[1])
    code = f"from benchmarks.test_mandelbrot import line; print(line({dtype!r}, {threads}))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment, cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    limit = f"  ({cores} cores{load})" if threads > 1 else ""
    print(f"\n{done.stdout.strip()}{limit}")
    assert "Mandelbrot" in done.stdout
