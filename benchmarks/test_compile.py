"""Compiling: one small kernel, twenty in one translation unit, and numba's compiler beside them.

pip install -e '.[bench]' && pytest benchmarks/test_compile.py -s
"""

from __future__ import annotations

import re
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
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


def milliseconds(functions: Sequence[Callable[[], object]]) -> list[list[float]]:
    """Return the times of calls that take turns; what the first ones load is not counted."""
    times: list[list[float]] = [[] for _ in functions]
    for number in range(ROUNDS + 1):
        for function, found in zip(functions, times, strict=True):
            start = time.perf_counter()
            function()
            if number:
                found.append((time.perf_counter() - start) * 1e3)
    return times


def shown(times: Sequence[float]) -> str:
    return f"smallest {min(times):5.1f} ms, median {statistics.median(times):5.1f}"


def test_compile(benchmark: Any) -> None:
    x = np.zeros(64, np.float32)
    text = scaled.source("c", x, x, x, 2.0)
    one = re.sub(r"\n *//.*", "", text)
    twenty = "\n".join(re.sub(r"\bscaled\b", f"scaled{i}", one) for i in range(20))
    toolchain = Toolchain.find()
    with tempfile.TemporaryDirectory() as folder:
        object_file = Path(folder) / "kernels.so"

        def build(source: str) -> None:
            toolchain.compile(source, object_file, toolchain.libraries)

        small, unit, empty, theirs = milliseconds(
            [lambda: build(one), lambda: build(twenty), lambda: build("\n"), numba_compile]
        )
        print(f"\n{toolchain.version}")
        print(f"one small kernel:   {shown(small)}")
        print(f"an empty file:      {shown(empty)}")
        print(f"twenty in one unit: {shown(unit)}, {min(unit) / 20:.1f} each")
        ratio = statistics.median(theirs) / statistics.median(small)
        print(f"numba, one kernel:  {shown(theirs)}, {ratio:.1f} times ours")
        benchmark.pedantic(lambda: build(one), rounds=3)
