"""Microseconds a call, against both peers in one process: medians of interleaved runs."""

from __future__ import annotations

import functools
import statistics
import time
from collections.abc import Callable
from typing import Any

import pytest

from tensorlib import layouts as tl
from tensorlib.layouts.layout import forget_recent
from tensorlib.layouts.memo import clear_memos

pycute = pytest.importorskip("pycute")
tensor_layouts = pytest.importorskip("tensor_layouts")

ROUNDS = 300
TV = (((4, 8), (2, 2)), ((16, 1), (8, 64)))
ROWS = ((64, 64), (64, 1))
Call = Callable[[], Any]
LIBRARIES: dict[str, Any] = {
    "tensorlib": tl,
    "pycute": pycute,
    "tensor-layouts": tensor_layouts,
}
OPERATIONS: dict[str, Callable[[Any], tuple[Any, ...]]] = {
    "composition": lambda library: (library.Layout(*ROWS), library.Layout(*TV)),
    "complement": lambda library: (library.Layout((2, 2), (1, 6)), 24),
    "logical_divide": lambda library: (library.Layout(*ROWS), library.Layout(*TV)),
    "zipped_divide": lambda library: (library.Layout(*ROWS), (16, 8)),
    "logical_product": lambda library: (library.Layout(*TV), library.Layout(*ROWS)),
    "left_inverse": lambda library: (library.Layout(*ROWS),),
    "right_inverse": lambda library: (library.Layout(*ROWS),),
}


def calls_of(name: str) -> dict[str, Call]:
    """The operation on its operands, bound for every library."""
    found: dict[str, Call] = {}
    for label, library in LIBRARIES.items():
        function = getattr(library, name, None) or library.compose
        found[label] = functools.partial(function, *OPERATIONS[name](library))
    return found


def cold() -> None:
    clear_memos()
    forget_recent()


def nothing() -> None:
    """Keep what earlier calls remembered."""


def timed(call: Call, before: Call, times: int) -> float:
    before()
    start = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - start) / times * 1e6


def report(
    name: str,
    calls: dict[str, Call],
    before: Call = nothing,
    times: int = 1,
    rounds: int = ROUNDS,
) -> None:
    """Print the median of every library, and how many times faster than the others ours is."""
    taken: dict[str, list[float]] = {library: [] for library in calls}
    for _ in range(rounds):
        for library, call in calls.items():
            quiet = before if library == "tensorlib" else nothing
            taken[library].append(timed(call, quiet, times))
    medians = {library: statistics.median(values) for library, values in taken.items()}
    ours = medians["tensorlib"]
    shown = [f"{library} {median:10.3f} us" for library, median in medians.items()]
    shown += [f"{m / ours:7.1f}x vs {k}" for k, m in medians.items() if k != "tensorlib"]
    print(f"\n{name:24}" + "  ".join(shown), end="")


def test_construction() -> None:
    calls = {label: functools.partial(library.Layout, *TV) for label, library in LIBRARIES.items()}
    report("construct", calls, times=1000, rounds=15)
    report("construct, cold", calls, before=cold)


@pytest.mark.parametrize("name", OPERATIONS)
def test_cold(name: str) -> None:
    report(f"{name}, cold", calls_of(name), before=cold)


@pytest.mark.parametrize("name", OPERATIONS)
def test_repeated(name: str) -> None:
    report(f"{name}, again", calls_of(name), times=100, rounds=15)


def test_repeated_with_keywords() -> None:
    call = functools.partial(tl.composition, tl.Layout(*ROWS), b=tl.Layout(*TV))
    report("composition, keywords", {"tensorlib": call}, times=1000, rounds=15)


def test_table_of_4096_offsets() -> None:
    def table(layout: Any) -> list[int]:
        return [layout(i) for i in range(4096)]

    calls = {
        label: functools.partial(table, library.Layout(*ROWS))
        for label, library in LIBRARIES.items()
    }
    report("4,096 calls", calls, rounds=5)
    report("4,096 offsets, table()", {"tensorlib": tl.Layout(*ROWS).table})


def test_calls() -> None:
    layouts = {label: library.Layout(*TV) for label, library in LIBRARIES.items()}
    for name, coordinate in (("l(i)", (37,)), ("l(i, j)", (5, 1))):
        calls = {label: functools.partial(l, *coordinate) for label, l in layouts.items()}
        report(name, calls, times=1000, rounds=15)
        fast = functools.partial(tl.Layout(*TV).compiled(), *coordinate)
        report(f"compiled {name}", {**calls, "tensorlib": fast}, times=1000, rounds=15)
    print()
