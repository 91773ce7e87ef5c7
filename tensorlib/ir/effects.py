"""What operations do to memory: which pointers they read and write, and who sees it."""

from __future__ import annotations

from tensorlib.ir.core import Operation, Value, operations
from tensorlib.ir.ops import ROWS
from tensorlib.ir.types import Placement, PointerType

__all__ = ["reads", "writes", "writes_shared"]


_PURE = frozenset(row.name for row in ROWS.values() if row.effect == "pure")
_READING = frozenset(row.name for row in ROWS.values() if row.effect == "read").union(
    ("atomic", "atomic_compare_exchange")
)
_WRITING = frozenset(row.name for row in ROWS.values() if row.effect == "write").difference(
    ("alloc", "prefetch")
)


def reads(operation: Operation) -> set[Value]:
    """Return the pointers that an operation, or one nested in it, reads through."""
    found: set[Value] = set()
    if operation.name in _PURE:
        return found
    for o in _within(operation):
        if o.name in _READING:
            found.add(o.operands[0])
        elif o.name == "copy_async":
            found.add(o.operands[2])
    return found


def writes(operation: Operation) -> set[Value]:
    """Return the pointers that an operation, or one nested in it, writes through."""
    if operation.name in _PURE:
        return set()
    return {o.operands[0] for o in _within(operation) if o.name in _WRITING}


def writes_shared(operation: Operation) -> bool:
    """Whether an operation writes memory that is not its own thread's."""
    return any(is_shared(pointer) for pointer in writes(operation))


def is_shared(pointer: Value) -> bool:
    """Whether other threads see the memory of a pointer."""
    assert isinstance(pointer.type, PointerType)
    return pointer.type.placement is not Placement.REGISTER


def _within(operation: Operation) -> list[Operation]:
    return [operation, *(o for block in operation.blocks for o in operations(block))]
