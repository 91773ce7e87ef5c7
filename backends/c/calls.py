"""Calls of one compiled kernel with NumPy arrays, at the least cost that Python allows."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tensorlib.backends.c.objects import ArgumentRule, WordRule
from tensorlib.backends.c.runtime import Runtime

__all__ = ["MOST_ARRAYS", "KernelCalls", "packed_call"]

MOST_ARRAYS = 8  # that tl_call_arrays takes
MOST_WORDS = 128  # of a kernel that objects.c calls

Packed = Callable[[Sequence[Any], Sequence[Any]], Any]


@dataclass(frozen=True, slots=True)
class KernelCalls:
    """Two ways of calling one kernel: with the objects themselves, or with what Python read."""

    runtime: Runtime
    address: int
    formats: str
    workers: int

    def objects(
        self,
        block: Sequence[int],
        arguments: Sequence[ArgumentRule],
        words: Sequence[WordRule],
        serial: bool,
    ) -> Any:
        """Return a function of (arguments, grid, block), see `ObjectCalls.quick`.

        None where the runtime has no such calls, or the kernel has too many words. A `serial`
        kernel, which has work for one worker only, does not wake the others.
        """
        calls = self.runtime.objects
        if calls is None or max(len(words), len(arguments)) > MOST_WORDS:
            return None
        return calls.quick(self.address, 1 if serial else self.workers, block, arguments, words)

    def packed(self, serial: bool) -> Packed | None:
        """Return a function of (numbers, arrays) that runs the kernel.

        It returns True, or (site, index) of the first fault. Arrays are trusted to be what the
        kernel was compiled for: the caller has looked. None for more arrays than it takes.
        """
        if self.formats.count("*") > MOST_ARRAYS:
            return None
        return _packed(self.runtime, self.address, self.formats, 1 if serial else self.workers)


def packed_call(runtime: Runtime, address: int, formats: str, workers: int) -> KernelCalls:
    """Return the calls of the kernel at `address`.

    `formats` has a letter a word of the kernel's arguments, in their order: `*` for the address of
    the next array, `!` for that of the fault record, else the `struct` letter of the next number.
    """
    return KernelCalls(runtime, address, formats, workers)


def _packed(runtime: Runtime, address: int, formats: str, workers: int) -> Packed:
    ffi, lib = runtime.ffi, runtime.lib
    letters = {"*": "8x", "!": "8x", "f": "f4x"}
    pack = struct.Struct("=" + "".join(letters.get(c, c) for c in formats)).pack_into
    places = ffi.new("int32_t[]", [i for i, c in enumerate(formats) if c == "*"] or [0])
    count, fault_place = formats.count("*"), formats.find("!")
    function, run, look = runtime.function(address), lib.tl_call_arrays, ffi.from_buffer
    null = ffi.NULL
    padding = (null,) * (MOST_ARRAYS - count)
    idle: list[tuple[Any, Any, Any, int]] = []  # frames that no call is using

    def fresh() -> tuple[Any, Any, Any, int]:
        words, faults = ffi.new("uint64_t[]", max(1, len(formats))), ffi.new("int64_t[2]")
        return words, ffi.buffer(words), faults, int(ffi.cast("uintptr_t", faults))

    def call(numbers: Sequence[Any], arrays: Sequence[Any]) -> Any:
        frame = idle.pop() if idle else fresh()
        words, buffer, faults, where = frame
        pack(buffer, 0, *numbers)
        if fault_place >= 0:
            words[fault_place] = where
        if run(function, words, workers, places, count, *map(look, arrays), *padding):
            runtime.check(-1)
        if faults[0]:
            return int(faults[0]), int(faults[1])  # this frame is not used again
        idle.append(frame)
        return True

    return call
