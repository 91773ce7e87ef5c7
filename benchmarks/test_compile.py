"""Compiling: one small kernel, twenty in one translation unit, and numba's compiler beside them.

pip install -e '.[bench]' && pytest benchmarks/test_compile.py -s
"""

from __future__ import annotations

import re
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tensorlib as tl
from tensorlib.backends.c.toolchain import Toolchain

ROUNDS = 9


@tl.kernel
def scaled(out: tl.Tile, x: tl.Tile, y: tl.Tile, a: tl.Scalar, *, width: int = 8) -> None:
    for i in range(0, out.size, width):
        out.store[width](i, a * x.load[width](i) + y.load[width](i))


def numba_compile() -> None:
    """Compile the same loop with numba, from its Python text to a callable."""
    numba = pytest.importorskip("numba")

    def plain(out: Any, x: Any, y: Any, a: Any) -> None:
        for i in range(out.size):
            out[i] = a * x[i] + y[i]

    ones = np.ones(8, np.float32)
    numba.njit(plain)(ones.copy(), ones, ones, np.float32(2))


def milliseconds(function: Callable[[], object]) -> float:
    """Return the median time of a call; what the first call loads is not counted."""
    function()
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e3


def test_compile(benchmark: Any) -> None:
    x = np.zeros(64, np.float32)
    text = scaled.source("c", x, x, x, 2.0)
    one = re.sub(r"\n *//.*", "", text)
    twenty = "\n".join(re.sub(r"\bscaled\b", f"scaled{i}", one) for i in range(20))
    toolchain = Toolchain.find()
    with tempfile.TemporaryDirectory() as folder:
        object_file = Path(folder) / "kernels.so"
        small = milliseconds(lambda: toolchain.compile(one, object_file))
        unit = milliseconds(lambda: toolchain.compile(twenty, object_file))
        empty = milliseconds(lambda: toolchain.compile("\n", object_file))
        theirs = milliseconds(numba_compile)
        print(f"\n{toolchain.version}")
        print(f"one small kernel: {small:.1f} ms (an empty file {empty:.1f})")
        print(f"twenty in one unit: {unit:.1f} ms, {unit / 20:.1f} each")
        print(f"numba, one kernel: {theirs:.1f} ms, {theirs / small:.1f} times ours")
        benchmark.pedantic(lambda: toolchain.compile(one, object_file), rounds=3)
