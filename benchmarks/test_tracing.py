"""Python's share of a new kernel: its first trace, another specialisation, and where time goes.

pip install -e '.[bench]' && pytest benchmarks/test_tracing.py -s
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import tensorlib as tl
from tensorlib.ir import verify, walk
from tensorlib.passes import PASSES, run_passes

PROCESSES, REPEATS = 9, 100


@tl.kernel
def forty(out: tl.Tile, x: tl.Tile, y: tl.Tile, a: tl.Scalar, *, width: int = 8) -> None:
    """Forty operations, with a loop and a branch."""
    for i in tl.parallel(range(0, out.size, width)):
        v, w = x.load[width](i), y.load[width](i)
        t = v * w + a
        t = t.max(w) - v
        t = t * t + w * w
        t = (t > 0.0).select(t, v)
        u = (t + v) * 2.0 - w
        u = u.sqrt().fma(v, w)
        u = abs(u) + 1.0
        if a > 1.0:
            u = u * a + v
        s = (u + t) / (w + 3.0)
        s = s.min(100.0) - u * 0.5 + t * 0.25
        q = s * s + u * u
        out.store[width](i, q + s)


@tl.kernel
def small(out: tl.Tile, x: tl.Tile) -> None:
    """What is traced before, so that no import is counted."""
    for i in range(out.size):
        if x[i] > 0.0:
            out[i] = x[i] * 2.0


def arguments() -> tuple[Any, ...]:
    return (*(np.zeros(64, np.float32) for _ in range(3)), 2.0)


def milliseconds(call: Callable[[], Any]) -> float:
    """Return what a call takes of this thread's processor: other work does not count."""
    start = time.thread_time()
    call()
    return (time.thread_time() - start) * 1e3


def first_and_next() -> None:
    """Print what the first trace in this process takes, and one for another width."""
    given = arguments()
    small.trace(*given[:2])
    print(milliseconds(lambda: forty.trace(*given)))
    print(milliseconds(lambda: forty.bind(width=16).trace(*given)))


def in_a_fresh_process() -> list[float]:
    command = "from benchmarks.test_tracing import first_and_next; first_and_next()"
    done = subprocess.run(
        [sys.executable, "-c", command],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1],
    )  # fmt: skip
    return [float(line) for line in done.stdout.splitlines()]


def test_fresh_process() -> None:
    first, following = zip(*(in_a_fresh_process() for _ in range(PROCESSES)), strict=True)
    print(f"\nfirst trace in a process, smallest of {PROCESSES}: {min(first):.2f} ms")
    print(f"then another width of it:                {min(following):.2f} ms")


def shares() -> dict[str, float]:
    """Return the smallest times of the parts of a trace, in milliseconds."""
    given, found = arguments(), dict[str, list[float]]()

    def timed(name: str, call: Callable[[], Any]) -> Any:
        made: list[Any] = []
        found.setdefault(name, []).append(milliseconds(lambda: made.append(call())))
        return made[0]

    for number in range(REPEATS):
        kernel = timed("recording", lambda n=number: bound(n).recorded(*given))
        timed("verifier", lambda k=kernel: verify(k))
        for function in PASSES:
            timed(f"pass {function.__name__}", lambda f=function, k=kernel: f(k))
    return {name: min(values) for name, values in found.items()}


def bound(number: int) -> Any:
    return forty.bind(width=(2, 4, 8, 16, 32)[number % 5]).bind()  # a copy: traced anew


def test_another_specialisation(benchmark: Any) -> None:
    given = arguments()
    count = sum(o.name != "const" for o in walk(forty.trace(*given).body))
    calls = [lambda n=number: bound(n).trace(*given) for number in range(REPEATS)]
    times = [milliseconds(call) for call in calls]
    print(f"\nanother specialisation of {count} operations, of {REPEATS}:")
    print(f"  smallest {min(times):.2f} ms, median {statistics.median(times):.2f} ms, of which")
    for name, value in shares().items():
        print(f"  {name:16} {value:6.3f} ms  {value / min(times):4.0%}")
    kernels = [bound(number).recorded(*given) for number in range(REPEATS)]
    whole = min(milliseconds(lambda k=kernel: run_passes(k, is_new=True)) for kernel in kernels)
    print(f"  {'all passes':16} {whole:6.3f} ms  {whole / min(times):4.0%}, verified")
    benchmark.pedantic(lambda: forty.bind(width=4).bind().trace(*given), rounds=REPEATS)
