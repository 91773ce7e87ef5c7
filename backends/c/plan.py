"""A plan as one C program: a table of argument words, filled at each call, and one foreign call."""

from __future__ import annotations

import struct
import sys
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tensorlib.backend import BufferArgument, Plan, Step
from tensorlib.backends.c.memory import Memory
from tensorlib.backends.c.runtime import Program, ProgramStep
from tensorlib.errors import BackendError
from tensorlib.knobs import knob
from tensorlib.layouts.dim import Dim, Size, compiled

if TYPE_CHECKING:
    from tensorlib.backends.c import CBackend

__all__ = ["PlanProgram"]

MASK = 0xFFFF_FFFF_FFFF_FFFF


class PlanProgram:
    """A plan made ready to run, with its arena.

    The table of words holds, in this order: addresses of external buffers, addresses of the
    arena's buffers, values of symbolic sizes, and constants, which are written once.
    """

    def __init__(self, backend: CBackend, plan: Plan, kernels: Sequence[int]) -> None:
        self.backend, self.plan = backend, plan
        buffers = range(len(plan.buffers))
        self.external = [i for i in buffers if plan.buffers[i].offset is None]
        self.inner = [i for i in buffers if plan.buffers[i].offset is not None]
        table = _Table([*self.external, *self.inner], plan.steps)
        steps = [
            ProgramStep(address, [table.index(a) for a in step.arguments])
            for step, address in zip(plan.steps, kernels, strict=True)
        ]
        self._prepare(table)
        self.program = Program(backend.runtime, steps)
        self.arena = Memory(0)
        self._lock = threading.Lock()
        self._addresses: list[int] = []

    def _prepare(self, table: _Table) -> None:
        """Lay out the words, and make the function that evaluates all sizes of a call."""
        plan, first = self.plan, len(self.plan.buffers)
        self._sizes_at = slice(first, first + len(table.sizes))
        offsets = [plan.buffers[i].offset or 0 for i in self.inner]
        external = [plan.buffers[i].nbytes for i in self.external]
        wanted: list[Size] = [*table.sizes, *offsets, plan.arena, *external]
        self._evaluate = compiled(wanted, plan.symbols)
        self._counts = len(table.sizes), len(offsets)
        self.words = self.backend.runtime.words(first + len(table.sizes) + len(table.constants))
        self.words[self._sizes_at.stop : len(self.words)] = table.constants

    def run(self, buffers: Sequence[Any], symbols: Sequence[int]) -> None:
        """Run over the plan's external buffers, in order, and the values of its symbols."""
        values = self._evaluate(symbols)
        sizes, offsets = self._counts
        if len(buffers) != len(self.external):
            raise BackendError(f"plan: got {len(buffers)} buffers, needed {len(self.external)}")
        with self._lock:
            self._bind(buffers, values[sizes + offsets + 1 :])
            self._place(values[sizes : sizes + offsets], values[sizes + offsets])
            words = self.words
            words[self._sizes_at.start : self._sizes_at.stop] = [v & MASK for v in values[:sizes]]
            if knob("TENSORLIB_DEBUG") >= 2:
                self._report(self.program.run_timed(words, self.backend.threads))
            else:
                self.program.run(words, self.backend.threads)

    def _bind(self, buffers: Sequence[Any], needed: Sequence[int]) -> None:
        """Write the addresses of external buffers; each must hold the bytes that the plan uses."""
        addresses = []
        for position, (buffer, nbytes) in enumerate(zip(buffers, needed, strict=True)):
            if buffer.nbytes < nbytes:
                raise BackendError(
                    f"plan: buffer {position} has {buffer.nbytes} bytes, needed {nbytes}"
                )
            addresses.append(buffer.address)
        if addresses != self._addresses:
            self.words[0 : len(addresses)] = addresses
            self._addresses = addresses

    def _place(self, offsets: Sequence[int], arena: int) -> None:
        """Write the addresses of the buffers in the arena, which grows but never shrinks."""
        if arena > self.arena.nbytes:
            self.arena = Memory(arena)
        base, first = self.arena.address, len(self.external)
        self.words[first : first + len(offsets)] = [base + offset for offset in offsets]

    def _report(self, nanoseconds: Sequence[int]) -> None:
        """Print the time of each step."""
        for step, time in zip(self.plan.steps, nanoseconds, strict=True):
            print(f"{time / 1e3:10.1f} us  {step.kernel.name}", file=sys.stderr)


class _Table:
    """Which word of the table holds each argument; equal arguments share one."""

    def __init__(self, buffers: Sequence[int], steps: Sequence[Step]) -> None:
        arguments = [a for step in steps for a in step.arguments]
        self.sizes: list[Dim] = list(dict.fromkeys(a for a in arguments if isinstance(a, Dim)))
        words = [_word(a) for a in arguments if isinstance(a, (int, float))]
        self.constants = list(dict.fromkeys(words))
        order = (*(BufferArgument(i) for i in buffers), *self.sizes)
        self._index: dict[Any, int] = {key: at for at, key in enumerate(order)}
        for word in self.constants:
            self._index["constant", word] = len(self._index)

    def index(self, argument: Any) -> int:
        """Return the index of an argument's word."""
        if isinstance(argument, (int, float)):
            return self._index["constant", _word(argument)]
        return self._index[argument]


def _word(argument: float) -> int:
    """Return the 8 bytes of a constant; a float is passed as a float64."""
    if isinstance(argument, float):
        return int(struct.unpack("<Q", struct.pack("<d", argument))[0])
    return argument & MASK
