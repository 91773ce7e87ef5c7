"""Calls of one compiled kernel with NumPy arrays, at the least cost that Python allows."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any

from tensorlib.backends.c.runtime import Runtime

__all__ = ["MOST_ARRAYS", "packed_call"]

MOST_ARRAYS = 8  # that tl_call_arrays takes


def packed_call(
    runtime: Runtime, address: int, formats: str, workers: int
) -> Callable[[Sequence[Any], Sequence[Any]], tuple[int, int]]:
    """Return a function of (numbers, arrays) that runs the kernel and returns its first fault.

    `formats` has a letter a word of the kernel's arguments, in their order: `*` for the address of
    the next array, `!` for that of the fault record, else the `struct` letter of the next number.
    Arrays are trusted to be what the kernel was compiled for: the caller has looked.
    """
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

    def call(numbers: Sequence[Any], arrays: Sequence[Any]) -> tuple[int, int]:
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
        return 0, 0

    return call
