"""Memory that several threads share, with a shadow that finds races and copies still in flight."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tensorlib.dtypes import DType
from tensorlib.errors import KernelError, caret
from tensorlib.ir.core import Operation
from tensorlib.ir.interpreter import Memory

__all__ = ["Stamp", "Watch", "WatchedMemory"]

Array = np.ndarray[Any, Any]
_FIELDS = [("who", "i8"), ("epoch", "i4"), ("warp_epoch", "i4"), ("line", "i4")]
_SHADOW = np.dtype([*_FIELDS, ("atomic", "?")])


@dataclass(slots=True)
class Stamp:
    """Who accesses memory now, and when: barriers of the block and of the warp passed so far."""

    who: int  # 1 + the thread's number in the whole grid
    epoch: int
    warp_epoch: int
    line: int
    atomic: bool = False


class Watch:
    """The thread that runs now, and what was run so far: shared by all memories of a launch."""

    def __init__(self, threads: int, warp_size: int) -> None:
        self.threads, self.warp_size = threads, warp_size
        self.who, self.epoch, self.warp_epoch = 0, 0, 0
        self.operation: Operation | None = None
        self._lines: dict[int, int] = {}
        self._operations: list[Operation] = []

    def stamp(self, atomic: bool = False) -> Stamp:
        """Return the stamp of an access that the running operation makes."""
        assert self.operation is not None
        line = self._lines.setdefault(id(self.operation), len(self._operations))
        if line == len(self._operations):
            self._operations.append(self.operation)
        return Stamp(self.who, self.epoch, self.warp_epoch, line, atomic)

    def before(self, shadow: Array, now: Stamp) -> Array:
        """Return where an earlier access is ordered before one by the running thread."""
        then, here = shadow["who"] - 1, now.who - 1
        same_block = then // self.threads == here // self.threads
        warp, mine = ((n % self.threads) // self.warp_size for n in (then, here))
        ordered = (shadow["epoch"] < now.epoch) | (
            (warp == mine) & (shadow["warp_epoch"] < now.warp_epoch)
        )
        found: Array = (shadow["who"] == 0) | (then == here) | (same_block & ordered)
        return found

    def thread(self, who: int) -> str:
        """Return how messages name a thread."""
        block, thread = divmod(who - 1, self.threads)
        return f"thread {thread} of block {block}"

    def lines(self, line: int) -> str:
        """Return the user's lines of the running access and of an earlier one."""
        assert self.operation is not None
        here, other = self.operation.location, self._operations[line].location
        text = f"\n{caret(here)}" if here else ""
        return f"{text}\nthe other access:\n{caret(other)}" if other else text


class WatchedMemory(Memory):
    """Memory that knows the last writer and two readers of each byte (all that a race needs)."""

    __slots__ = ("flying", "readers", "watch", "writer")

    def __init__(self, data: Array, name: str, watch: Watch, written: bool = True) -> None:
        super().__init__(data, name, written)
        self.watch = watch
        self.writer = np.zeros(len(self.bytes), _SHADOW)
        self.readers = np.zeros((2, len(self.bytes)), _SHADOW)
        self.flying: Array | None = None

    def load(self, dtype: DType, start: int, width: int, unit: int, lane: int = 0) -> Array:
        first, last = self._accessed("read", dtype, start, width, unit, lane)
        self._read(first, last, unit)
        return super().load(dtype, start, width, unit, lane)

    def store(self, value: Array, dtype: DType, start: int, unit: int, lane: int = 0) -> None:
        first, last = self._accessed("write", dtype, start, np.size(value), unit, lane)
        self._write(first, last, unit, self.watch.stamp())
        super().store(value, dtype, start, unit, lane)

    def exchange(self, dtype: DType, start: int, new: Callable[[Array], Array]) -> Array:
        """Replace one element by a function of itself at once, and return what it was."""
        unit = dtype.itemsize
        first, last = self._accessed("update", dtype, start, 1, unit, 0)
        self._write(first, last, unit, self.watch.stamp(atomic=True))
        old = super().load(dtype, start, 1, unit)
        super().store(np.asarray(new(old)), dtype, start, unit)
        return old

    def launch(self, dtype: DType, start: int, count: int) -> None:
        """Begin a copy into these elements: until it lands nobody may touch them."""
        first, last = self._accessed("copy to", dtype, start, count, dtype.itemsize, 0, aligned=1)
        self._write(first, last, dtype.itemsize, self.watch.stamp())
        if self.flying is None:
            self.flying = np.zeros(len(self.bytes), np.bool_)
        self.flying[first:last] = True

    def land(self, value: Array, dtype: DType, start: int) -> None:
        """End a copy: its elements are written now, by the thread that awaits it."""
        assert self.flying is not None
        unit = dtype.itemsize
        self.flying[start * unit : start * unit + value.size * unit] = False
        self.store_unaligned(value, dtype, start)

    def store_unaligned(self, value: Array, dtype: DType, start: int) -> None:
        """Write elements one after the other, as copies do."""
        unit = dtype.itemsize
        first, last = self._span(dtype, start, np.size(value), unit, 0)
        self._write(first, last, unit, self.watch.stamp())
        super().store(value, dtype, start, unit)

    def load_unaligned(self, dtype: DType, start: int, count: int) -> Array:
        """Read elements one after the other, as copies do."""
        unit = dtype.itemsize
        first, last = self._accessed("read", dtype, start, count, unit, 0, aligned=1)
        self._read(first, last, unit)
        return np.atleast_1d(super().load(dtype, start, count, unit))

    def _accessed(
        self,
        verb: str,
        dtype: DType,
        start: int,
        width: int,
        unit: int,
        lane: int,
        aligned: int = 16,
    ) -> tuple[int, int]:
        """Return the bytes of an access, after checking bounds, alignment and copies in flight."""
        first, last = self._span(dtype, start, width, unit, lane)
        needed = min(last - first, aligned)
        if width > 1 and first % needed:
            raise KernelError(
                f"{self.name}: {verb} of {width} elements at [{start}] is misaligned: "
                f"byte {first} is no multiple of {needed}; try scalars, or pad the rows"
            )
        if self.flying is not None and self.flying[first:last].any():
            raise KernelError(
                f"{self.name}: {verb} of [{start}] while an asynchronous copy to it is in flight; "
                "try awaiting the copy first"
            )
        return first, last

    def _read(self, first: int, last: int, unit: int) -> None:
        now = self.watch.stamp()
        self._ordered(self.writer[first:last], now, first, unit, "written", "read")
        left = np.ones(last - first, np.bool_)
        for reader in self.readers:
            shadow = reader[first:last]
            free = left & self.watch.before(shadow, now)
            shadow[free] = (now.who, now.epoch, now.warp_epoch, now.line, False)
            left &= ~free

    def _write(self, first: int, last: int, unit: int, now: Stamp) -> None:
        verb = "updated" if now.atomic else "written"
        self._ordered(self.writer[first:last], now, first, unit, "written", verb)
        for reader in self.readers:
            self._ordered(reader[first:last], now, first, unit, "read", verb)
        self.writer[first:last] = (now.who, now.epoch, now.warp_epoch, now.line, now.atomic)

    def _ordered(
        self, shadow: Array, now: Stamp, first: int, unit: int, then: str, verb: str
    ) -> None:
        """Raise for an earlier access that nothing orders before this one."""
        loose = ~self.watch.before(shadow, now)
        if now.atomic:
            loose &= ~shadow["atomic"]
        if not loose.any():
            return
        at = int(np.flatnonzero(loose)[0])
        other, watch = shadow[at], self.watch
        raise KernelError(
            f"{self.name}: race at [{(first + at) // unit}]: {then} by "
            f"{watch.thread(int(other['who']))}, {verb} by {watch.thread(now.who)}, "
            f"and no barrier between them{watch.lines(int(other['line']))}"
        )
