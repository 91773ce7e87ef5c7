"""The order of the passes between the tracer and a printer."""

from __future__ import annotations

import sys
from collections.abc import Callable

from tensorlib.ir.core import Kernel
from tensorlib.ir.text import text
from tensorlib.ir.verifier import verify
from tensorlib.knobs import knob
from tensorlib.passes.atomics import atomics
from tensorlib.passes.coded import coded
from tensorlib.passes.dead import dead
from tensorlib.passes.grid import without_grid
from tensorlib.passes.half import half
from tensorlib.passes.increments import increments
from tensorlib.passes.invariant import invariant
from tensorlib.passes.parallel import parallel
from tensorlib.passes.trail import Trail

__all__ = ["PASSES", "for_workers", "run_passes"]

# What it returns says whether it changed the kernel; None is for a pass that does not know.
Pass = Callable[[Kernel], bool | None]

PASSES: list[Pass] = [
    coded,
    parallel,
    invariant,
    increments,
    half,  # before dead: its casts may be of values that nobody uses
    dead,
]


def run_passes(kernel: Kernel, trail: Trail | None = None, *, is_new: bool = False) -> Kernel:
    """Run every pass on `kernel` in place, verifying after each that changes it, and return it.

    One that the tracer has just recorded `is_new`: its builder has checked each operation, so that
    it is verified as a whole once a pass has changed it. With TENSORLIB_DEBUG nothing is left out.
    TENSORLIB_DEBUG=3 prints the result to stderr, 5 also what each pass changed; `trail` keeps it.
    """
    level = knob("TENSORLIB_DEBUG")
    is_verified = not is_new or bool(level)
    if is_verified:
        verify(kernel)
    if trail is None and level >= 5:
        trail = Trail(kernel)
        print(text(kernel), file=sys.stderr)
    for function in PASSES:
        is_changed = function(kernel) is not False
        if is_changed or level:  # where somebody debugs, a pass is not taken at its word
            verify(kernel)
            is_verified = True
        change = trail.after(function.__name__) if trail is not None else None
        if change is not None and level >= 5:
            print(change, file=sys.stderr)
    if not is_verified:
        verify(kernel)
    if 3 <= level < 5:
        print(text(kernel), file=sys.stderr)
    return kernel


def for_workers(kernel: Kernel) -> Kernel:
    """Return the kernel for a target whose workers share out one loop; a grid becomes that loop.

    The kernel of a grid stays as it is; any other is changed in place.
    """
    ready = without_grid(kernel) if "block" in kernel.attributes else kernel
    atomics(ready)
    return run_passes(ready)
