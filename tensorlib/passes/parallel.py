"""Keeps a loop parallel only where sharing it out among workers can't be seen in the result.

    for %0 %n %1 {parallel=True} (%i) {       for %0 %n %1 (%i) {
      store %p %i %2                            store %p %i %2
    } -> ()                         becomes   } -> ()
    %3 = load %p %0                           %3 = load %p %0

Each worker runs its share of the loop and the rest of the kernel, without waiting for the others;
what writes memory beside the loop runs on worker 0. So nothing beside the loop may touch what the
loop writes, or write what the loop reads. A loop over the elements that whole vectors leave over is
told apart from the loop before it.
"""

from __future__ import annotations

from collections.abc import Iterator

from tensorlib.ir.core import Kernel, Operation, Value, operations, walk
from tensorlib.ir.effects import is_shared, reads, writes, writes_shared

__all__ = ["parallel"]


def parallel(kernel: Kernel) -> bool:
    """Take the mark from nested loops, and from all where one could see another's writes.

    In a grid's kernel each thread runs its loops alone. Return whether a mark was taken.
    """
    marked = [o for o in operations(kernel.body) if "parallel" in o.attributes]
    if not marked:
        return False
    top = kernel.body.operations
    loops = [o for o in top if o.attributes.get("parallel")]
    is_grid = "block" in kernel.attributes
    if is_grid or not loops or any(_meet(a, b) for a, b in _pairs(top)) or _hands_on(top):
        loops = []
    lost = [operation for operation in marked if operation not in loops]
    for operation in lost:
        del operation.attributes["parallel"]
    return bool(lost)


def _is_parallel(operation: Operation) -> bool:
    return bool(operation.attributes.get("parallel"))


def _pairs(top: list[Operation]) -> Iterator[tuple[Operation, Operation]]:
    """Yield every two operations that different workers may run at the same time."""
    touching = [o for o in top if reads(o) or writes(o)]
    for number, first in enumerate(touching):
        for second in touching[number + 1 :]:
            once = not _is_parallel(first) and not _is_parallel(second)
            if not once or writes_shared(first) != writes_shared(second):
                yield first, second


def _meet(first: Operation, second: Operation) -> bool:
    """Whether one writes memory that the other reads or writes."""
    a, b = (writes(o) | reads(o) for o in (first, second))
    shared = {p for p in a & b if is_shared(p) and p in writes(first) | writes(second)}
    return any(not _goes_on(first, second, pointer) for pointer in shared)


def _hands_on(top: list[Operation]) -> bool:
    """Whether what only worker 0 runs has results, or fills local memory, for the others."""
    alone = [o for o in top if not _is_parallel(o) and writes_shared(o)]
    local = any(not is_shared(pointer) for o in alone for pointer in writes(o))
    return local or any(o.results for o in alone)


def _goes_on(first: Operation, second: Operation, pointer: Value) -> bool:
    """Whether `second` counts on where `first` stops, and each touches its own elements only."""
    if first.name != "for" or second.name != "for" or second.operands[0] is not first.operands[1]:
        return False
    step = _number(first.operands[2])
    if step is None or _number(first.operands[0]) != 0 or not _is_multiple(first.operands[1], step):
        return False
    starts = {_start(first, o, step) for o in _accesses(first, pointer)}
    starts |= {_start(second, o, 1 << 30) for o in _accesses(second, pointer)}
    return len(starts) == 1 and None not in starts


def _accesses(loop: Operation, pointer: Value) -> list[Operation]:
    return [o for o in walk(loop.blocks[0]) if o.operands and o.operands[0] is pointer]


def _start(loop: Operation, access: Operation, most: int) -> int | None:
    """Return which value the loop's counter is added to in an access of at most `most` lanes."""
    if access.name not in ("load", "store", "masked_load", "masked_store"):
        return None
    kind = access.results[0].type if access.results else access.operands[2].type
    if getattr(kind, "width", most + 1) > most or kind.dtype is not access.operands[0].type.dtype:
        return None
    counter, index = loop.blocks[0].parameters[0], access.operands[1]
    if index is counter:
        return 0
    operation = index.operation
    if operation is None or operation.name != "add" or counter not in operation.operands:
        return None
    left, right = operation.operands
    return id(right if left is counter else left)


def _number(value: Value) -> int | None:
    operation = value.operation
    if operation is None or operation.name != "const":
        return None
    number = operation.attributes["value"]
    return number if isinstance(number, int) else None


def _is_multiple(value: Value, of: int) -> bool:
    """Whether a value is a multiple of `of`, as far as its definition shows."""
    number = _number(value)
    if number is not None or of == 1:
        return of == 1 or number % of == 0  # type: ignore[operator]
    operation = value.operation
    if operation is None or operation.name != "multiply":
        return False
    return any((n := _number(o)) is not None and n % of == 0 for o in operation.operands)
