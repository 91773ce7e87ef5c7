"""What a call of a compiled kernel costs above the foreign call, beside numba's and NumPy's calls.

pip install -e '.[bench]' && pytest benchmarks/test_calls.py -s

The foreign call is of the same kernel in the caller's thread, with its words filled beforehand.
With the pool it also wakes workers, which our call does only for work that is worth it.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

import tensorlib as tl
from benchmarks.compare import interleaved
from tensorlib.backends.c.features import thread_count
from tensorlib.backends.c.runtime import runtime
from tensorlib.passes.checked import FAULTS

CALLS, ROUNDS, SIZE = 200, 301, 64


@tl.kernel
def parallel_add(out: tl.Tile, x: tl.Tile, y: tl.Tile, a: tl.Scalar) -> None:
    for i in tl.parallel(range(0, out.size, 16)):
        out.store[16](i, a * x.load[16](i) + y.load[16](i))


@tl.kernel
def serial_add(out: tl.Tile, x: tl.Tile, y: tl.Tile, a: tl.Scalar) -> None:
    for i in range(0, out.size, 16):
        out.store[16](i, a * x.load[16](i) + y.load[16](i))


def numba_kernel() -> Any:
    numba = pytest.importorskip("numba")

    @numba.njit
    def kernel(out: Any, x: Any, y: Any, a: Any) -> None:
        for i in range(out.size):
            out[i] = a * x[i] + y[i]

    return kernel


def foreign(kernel: Any, arguments: Mapping[str, Any], workers: int) -> Callable[[], object]:
    """Return the bare foreign call of a kernel that has run, its words filled once and for all."""
    made, (ready,) = runtime(), kernel._ready.values()
    faults = np.zeros(2, np.int64)
    known = {FAULTS: faults.ctypes.data}
    for name, value in arguments.items():
        if isinstance(value, np.ndarray):
            known |= {name: value.ctypes.data, f"{name}_size": value.size, f"{name}_n0": value.size}
        else:
            known[name] = int(np.float32(value).view(np.uint32))
    words = made.words([known[p.name] for p in ready.executable.kernel.parameters])
    function, call = made.function(ready.executable.address), made.lib.tl_call

    def bare(kept: object = faults) -> object:
        return call(function, words, workers)

    return bare


def repeated(function: Callable[[], object]) -> Callable[[], None]:
    def run() -> None:
        for _ in range(CALLS):
            function()

    return run


def report(title: str, times: Mapping[str, list[float]]) -> str:
    """Return a table of nanoseconds a call: the median, the least, and the median above foreign."""
    lines = [f"\n{title}: ns a call       median    least   above the foreign call"]
    for name, row in times.items():
        above = statistics.median(a - b for a, b in zip(row, times["foreign call"], strict=True))
        middle, least, more = (t / CALLS * 1e9 for t in (statistics.median(row), min(row), above))
        lines.append(f"  {name:24} {middle:10.0f} {least:8.0f} {more:10.0f}")
    return "\n".join(lines)


@pytest.mark.parametrize("is_checked", [True, False], ids=["checked", "unchecked"])
@pytest.mark.parametrize("kernel", [parallel_add, serial_add], ids=["parallel", "serial"])
def test_a_cached_call(kernel: Any, is_checked: bool, benchmark: Any) -> None:
    used = kernel if is_checked else kernel.unchecked
    x, y = np.random.default_rng(0).standard_normal((2, SIZE)).astype(np.float32)
    out, theirs = np.zeros_like(x), np.zeros_like(x)
    peer = numba_kernel()
    for _ in range(2):
        used(out, x, y, 2.0)
        peer(theirs, x, y, 2.0)
    assert np.allclose(out, theirs)

    given, workers = {"out": out, "x": x, "y": y, "a": 2.0}, thread_count()
    calls: dict[str, Callable[[], object]] = {
        "foreign call": foreign(used, given, 1),
        f"foreign call, pool of {workers}": foreign(used, given, workers),
        "tensorlib": lambda: used(out, x, y, 2.0),
        "numba": lambda: peer(out, x, y, 2.0),
        "NumPy, np.add(out=)": lambda: np.add(x, y, out=out),
    }
    times = interleaved({name: repeated(f) for name, f in calls.items()}, ROUNDS)
    checks = "with checks" if is_checked else "without checks"
    print(report(f"{kernel.name}, {SIZE} elements, {checks}", times))
    benchmark(used, out, x, y, 2.0)
