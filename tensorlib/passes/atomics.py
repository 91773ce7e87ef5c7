"""Spells atomics by what a C compiler has: whole numbers' sums and bits, compare and exchange.

    %0 = atomic %p %i %x {operator=maximum}
becomes
    %1 = load %p %i
    while %1 (%seen) { yield until exchanged } and (%seen) {
      %2 = maximum %seen %x
      %3 = atomic_compare_exchange %p %i %seen %2
      yield %3
    }
"""

from __future__ import annotations

from tensorlib.dtypes import DType
from tensorlib.ir.core import Block, Kernel, Operation, Value, operations
from tensorlib.ir.types import VectorType
from tensorlib.passes.writer import BOOL, Writer

__all__ = ["atomics", "exchanged"]

_NATIVE = ("add", "and", "or", "xor", "exchange")


def atomics(kernel: Kernel) -> None:
    """Rewrite in place what has no instruction of its own into a loop of compare and exchange."""
    every = operations(kernel.body)
    if not any(o.name == "atomic" for o in every):
        return
    for block in [kernel.body, *(b for o in every for b in o.blocks)]:
        if any(map(_needs_loop, block.operations)):
            _block(block)


def _needs_loop(operation: Operation) -> bool:
    if operation.name != "atomic":
        return False
    operator, kind = operation.attributes["operator"], operation.results[0].type
    assert isinstance(kind, VectorType)
    return operator not in _NATIVE or (kind.dtype.is_float and operator == "add")


def _block(block: Block) -> None:
    """Write the operations of a block anew."""
    before, block.operations = block.operations, []
    write = Writer(block)
    for operation in before:
        if not _needs_loop(operation):
            block.operations.append(operation)
            continue
        write.place = operation.place
        _loop(write, operation)


def _loop(write: Writer, operation: Operation) -> None:
    """Exchange until nobody came between; the results of the loop are the operation's."""
    pointer, index, operand = operation.operands
    kind = operation.results[0].type
    assert isinstance(kind, VectorType)
    seen, open_ = write.load(pointer, index, kind), write.constant(True, BOOL)
    with write.block([kind, BOOL]) as head:
        write.emit("yield", [head.parameters[1]])
    with write.block([kind, BOOL]) as body:
        old = body.parameters[0]
        new = write.value(operation.attributes["operator"], old, operand)
        found = write.value("atomic_compare_exchange", pointer, index, old, new)
        write.emit("yield", [found, write.value("not", same_bits(write, found, old))])
    write.emit("while", [seen, open_], {}, [head, body])
    made = write.blocks[-1].operations[-1]
    made.results[0] = operation.results[0]
    made.results[0].operation = made


def same_bits(write: Writer, a: Value, b: Value) -> Value:
    """Return whether two scalars have the same bits, as NaNs have and zeros of both signs have
    not.
    """
    kind = a.type
    assert isinstance(kind, VectorType)
    if kind.dtype.is_float:
        whole = DType.by_name[f"uint{kind.dtype.bits}"]
        a, b = (write.value("bitcast", x, dtype=whole) for x in (a, b))
    return write.value("equal", a, b)


def exchanged(write: Writer, operation: Operation, operands: list[Value]) -> Value:
    """Write an atomic on memory that one worker alone has; return the element as it was."""
    pointer, index, *values = operands
    kind = operation.results[0].type
    assert isinstance(kind, VectorType)
    old = write.load(pointer, index, kind)
    if operation.name == "atomic_compare_exchange":
        new = write.value("select", same_bits(write, old, values[0]), values[1], old)
    elif operation.attributes["operator"] == "exchange":
        new = values[0]
    else:
        new = write.value(operation.attributes["operator"], old, values[0])
    write.store(pointer, index, new)
    return old
