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
from tensorlib.passes.invariant import invariant
from tensorlib.passes.parallel import parallel
from tensorlib.passes.trail import Trail

__all__ = ["PASSES", "for_workers", "run_passes"]

Pass = Callable[[Kernel], None]

PASSES: list[Pass] = [
    coded,
    parallel,
    invariant,
    half,  # before dead: its casts may be of values that nobody uses
    dead,
]


def run_passes(kernel: Kernel, trail: Trail | None = None) -> Kernel:
    """Run every pass on `kernel` in place, verifying after each, and return it.

    TENSORLIB_DEBUG=3 prints the result to stderr, 5 also what each pass changed; `trail` keeps it.
    """
    verify(kernel)
    level = knob("TENSORLIB_DEBUG")
    if trail is None and level >= 5:
        trail = Trail(kernel)
        print(text(kernel), file=sys.stderr)
    for function in PASSES:
        function(kernel)
        verify(kernel)
        change = trail.after(function.__name__) if trail is not None else None
        if change is not None and level >= 5:
            print(change, file=sys.stderr)
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
