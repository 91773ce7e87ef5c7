"""How long a call of a kernel takes, and how near it comes to what memory gives."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tensorlib.kernels.copying import copied
from tensorlib.launch import LaunchedKernel, kernel

__all__ = ["measured"]

_SECONDS, _ROUNDS = 0.3, 200


def measured(
    subject: LaunchedKernel,
    arguments: Sequence[Any],
    grid: tuple[int, ...] | None,
    block: tuple[int, ...] | None,
    cost: dict[str, int] | None,
) -> dict[str, Any]:
    """Return the shortest and the middle time of a call, its rates, and its share of a roof.

    The roof is the time that a kernel takes now that copies as many bytes, on the same threads.
    """
    keywords = {} if block is None and grid is None else {"grid": grid, "block": block}
    times = _times(lambda: subject(*arguments, **keywords))
    best = min(times)
    found: dict[str, Any] = {
        "seconds": best,
        "median_seconds": float(np.median(times)),
        "runs": len(times),
    }
    if cost is not None:
        moved = cost["bytes_read"] + cost["bytes_written"]
        found["gflops"] = cost["flops"] / best / 1e9
        found["gbytes"] = moved / best / 1e9
        if moved >= 1 << 16:  # below that a call's own time is measured
            found["roofline"] = _copying(moved) / best
    return found


def _times(call: Callable[[], Any]) -> list[float]:
    """Return the times of many calls, without the first, which compiles."""
    call()
    times: list[float] = []
    end = time.perf_counter() + _SECONDS
    while len(times) < 3 or (time.perf_counter() < end and len(times) < _ROUNDS):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return times


def _copying(moved: int) -> float:
    """Return how long a kernel takes that reads and writes so many bytes, half of them each."""
    source = np.ones(max(1, min(moved, 1 << 28) // 256) * 32, np.float32)
    target = np.zeros_like(source)
    copying = kernel(copied).unchecked
    best = min(_times(lambda: copying(target, source)))
    return best * moved / (2 * source.nbytes)
