"""The order of the passes between the tracer and a printer."""

from __future__ import annotations

import sys
from collections.abc import Callable

from tensorlib.ir.core import Kernel
from tensorlib.ir.text import text
from tensorlib.ir.verifier import verify
from tensorlib.knobs import knob
from tensorlib.passes.dead import dead
from tensorlib.passes.half import half
from tensorlib.passes.invariant import invariant
from tensorlib.passes.parallel import parallel

__all__ = ["PASSES", "run_passes"]

Pass = Callable[[Kernel], None]

PASSES: list[Pass] = [
    parallel,
    invariant,
    half,  # before dead: its casts may be of values that nobody uses
    dead,
]


def run_passes(kernel: Kernel) -> Kernel:
    """Run every pass on `kernel` in place, verifying after each, and return it.

    TENSORLIB_DEBUG=3 prints the result to stderr, 5 also what each pass made of it.
    """
    verify(kernel)
    level = knob("TENSORLIB_DEBUG")
    before = text(kernel) if level >= 5 else ""
    for function in PASSES:
        function(kernel)
        verify(kernel)
        if level >= 5 and (after := text(kernel)) != before:
            print(f"# after {function.__name__}\n{after}", file=sys.stderr)
            before = after
    if 3 <= level < 5:
        print(text(kernel), file=sys.stderr)
    return kernel
