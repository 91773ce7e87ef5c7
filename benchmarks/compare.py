"""Times alternatives in turn, A B A B, so that what else runs on the machine hits all alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

__all__ = ["interleaved", "report"]


def interleaved(
    functions: Mapping[str, Callable[[], object]], rounds: int = 7, warm: int = 1
) -> dict[str, list[float]]:
    """Return the seconds of each function in each round; the order turns from round to round."""
    names = list(functions)
    times: dict[str, list[float]] = {name: [] for name in names}
    for number in range(-warm, rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            start = time.perf_counter()
            functions[name]()
            elapsed = time.perf_counter() - start
            if number >= 0:
                times[name].append(elapsed)
    return times


def report(title: str, times: Mapping[str, list[float]], ours: str) -> str:
    """Return a table: medians, how far the middle half of the rounds spreads, and the ratios.

    A ratio is the median over the rounds of peer / ours: above 1, ours is faster.
    """
    lines = [f"\n{title}"]
    for name, row in times.items():
        low, middle, high = statistics.quantiles(row, n=4) if len(row) > 1 else row * 3
        ratio = statistics.median(a / b for a, b in zip(row, times[ours], strict=True))
        shown = "" if name == ours else f"   {ratio:6.2f} x ours"
        spread = (high - low) / middle
        lines.append(f"  {name:24} {middle * 1e3:10.3f} ms  spread {spread:5.1%}{shown}")
    return "\n".join(lines)
