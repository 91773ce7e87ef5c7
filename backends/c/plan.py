"""A plan as one C program: its kernels by address, over one table of words, in one foreign call."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tensorlib.backends.c.runtime import Program, ProgramStep
from tensorlib.knobs import knob
from tensorlib.lang.target import Target, targeting

if TYPE_CHECKING:
    from tensorlib.backends.c.backend import CBackend

__all__ = ["PlanProgram"]


class PlanProgram:
    """A plan (see `tensorlib.graph.plan`) whose kernels are compiled and loaded."""

    def __init__(self, backend: CBackend, plan: Any) -> None:
        self.backend, self.plan = backend, plan
        with targeting(Target(backend.name, backend.cpu.vector_bytes, backend.cpu.names)):
            kernels = [step.spec.build() for step in plan.steps]
        unique = list({id(kernel): kernel for kernel in kernels}.values())
        addresses = {id(c.kernel): c.address for c in backend.compile_all(unique)}
        self.program = Program(
            backend.runtime,
            [
                ProgramStep(addresses[id(kernel)], step.arguments)
                for kernel, step in zip(kernels, plan.steps, strict=True)
            ],
        )
        self._words: array[int] | None = None
        self._pointer: Any = None

    def run(self, words: array[int]) -> None:
        """Run all steps over the table of words: one foreign call."""
        if words is not self._words:
            # The view keeps the array from being resized while C holds its address.
            self._words = words
            self._pointer = self.backend.runtime.ffi.from_buffer("uint64_t[]", words)
        if knob("TENSORLIB_DEBUG") >= 2:
            self._report(self.program.run_timed(self._pointer, self.backend.threads))
        else:
            self.program.run(self._pointer, self.backend.threads)

    def _report(self, nanoseconds: Sequence[int]) -> None:
        """Print the time of each step."""
        for step, time in zip(self.plan.steps, nanoseconds, strict=True):
            print(f"{time / 1e3:10.1f} us  {step.spec}", file=sys.stderr)
        print(f"{sum(nanoseconds) / 1e3:10.1f} us  in all", file=sys.stderr)
