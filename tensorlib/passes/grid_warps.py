"""What the lanes of a warp exchange, where threads are iterations of a loop: through an array.

    %2 = warp_shuffle %0 %1 {mode=xor}
becomes, behind the loop that left %0 of every thread in an array,
    for threads (%t) { %s = number of the source thread, else %t; load %array %s; store ... }
"""

from __future__ import annotations

import functools

from tensorlib.ir.builder import constant_of
from tensorlib.ir.core import Operation, Value
from tensorlib.ir.grid_ops import WARP_SIZE
from tensorlib.ir.types import INDEX, VectorType
from tensorlib.passes.grid_threads import Threads
from tensorlib.passes.writer import BOOL

__all__ = ["shuffle", "vote"]

_WIDE = {"dtype": INDEX.dtype}


def shuffle(threads: Threads, operation: Operation, mask: Value | None) -> None:
    """Take the value of the source lane, where that is there; all values lie in an array."""
    write = threads.writer
    value, by = operation.operands
    laid = threads.homes.get(id(value))
    if laid is None:
        laid = threads.array(value.type)
        with threads.each(mask):
            threads.put(laid, threads.use(value))
    with threads.each(mask) as t:
        source, is_there = _source(threads, operation.attributes["mode"], threads.use(by), t, mask)
        at = write.value("select", is_there, source, t)
        threads.give(operation.results[0], threads.get(laid, value.type, at))
    if id(value) not in threads.homes:
        threads.spare(laid)


def _source(
    threads: Threads, mode: str, by: Value, t: Value, mask: Value | None
) -> tuple[Value, Value]:
    """Return the number of a source thread, and whether the warp has it."""
    write = threads.writer
    size, zero = write.constant(WARP_SIZE), write.constant(0)
    lane = write.value("floor_modulo", t, size)
    first = write.value("subtract", t, lane)
    known = constant_of(by)
    by = write.constant(int(known)) if known is not None else write.value("cast", by, **_WIDE)
    rows = {"down": "add", "up": "subtract", "xor": "xor"}
    source = by if mode == "index" else write.value(rows[mode], lane, by)
    thread = write.value("add", first, source)
    checks = [
        write.value("greater_equal", source, zero),
        write.value("less", source, size),
    ]
    if threads.size % WARP_SIZE:
        checks.append(write.value("less", thread, threads.count))
    inside = functools.reduce(lambda a, b: write.value("and", a, b), checks)
    if mask is not None:
        at = write.value("select", inside, thread, t)
        inside = write.value("and", inside, write.load(mask, at, BOOL))
    return thread, inside


def vote(threads: Threads, operation: Operation, mask: Value | None) -> None:
    """Lay all conditions out, then go through those of the warp."""
    write, mode = threads.writer, operation.attributes["mode"]
    laid, result = threads.array(BOOL), operation.results[0]
    kind = result.type
    assert isinstance(kind, VectorType)
    missing = write.constant(mode == "all", BOOL)
    if mask is not None:
        with threads.each(None):
            threads.put(laid, missing)
    with threads.each(mask):
        threads.put(laid, threads.use(operation.operands[0]))
    with threads.each(mask) as t:
        start = write.constant(0 if mode == "ballot" else mode == "all", kind)
        threads.give(result, _counted(threads, laid, t, mode, start))
    threads.spare(laid)


def _counted(threads: Threads, laid: Value, t: Value, mode: str, start: Value) -> Value:
    """Return a loop's result over the lanes of a warp."""
    write, count, one = threads.writer, threads.count, threads.one
    size = write.constant(WARP_SIZE)
    first = write.value("subtract", t, write.value("floor_modulo", t, size))
    last = write.value("minimum", write.value("add", first, size), count)
    with write.block([INDEX, start.type]) as body:
        lane, so_far = body.parameters
        held = write.load(laid, lane, BOOL)
        if mode == "ballot":
            bit = write.value("subtract", lane, first)
            held = write.value(
                "shift_left",
                write.value("cast", held, dtype=start.type.dtype),
                write.value("cast", bit, dtype=start.type.dtype),
            )
        write.emit("yield", [write.value("and" if mode == "all" else "or", so_far, held)])
    return write.emit("for", [first, last, one, start], {}, [body])[0]
