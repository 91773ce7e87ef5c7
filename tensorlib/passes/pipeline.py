"""The order of the passes between the tracer and a printer."""

from __future__ import annotations

from collections.abc import Callable

from tensorlib.ir.core import Kernel
from tensorlib.ir.verifier import verify
from tensorlib.passes.dead import dead
from tensorlib.passes.half import half

__all__ = ["PASSES", "run_passes"]

Pass = Callable[[Kernel], None]

PASSES: list[Pass] = [
    half,  # before dead: its casts may be of values that nobody uses
    dead,
]


def run_passes(kernel: Kernel) -> Kernel:
    """Run every pass on `kernel` in place, verifying after each, and return it."""
    verify(kernel)
    for function in PASSES:
        function(kernel)
        verify(kernel)
    return kernel
