"""Adds a masked number where a vector chooses between a sum and what it adds to.

    %2 = add %x %1                          %2 = add %x %1
    %3 = select %m %2 %x       becomes      %4 = cast %m {dtype=int32}
                                            %3 = add %x %4

for integers, whose sums with zero are what they were, and a constant 1; another number is chosen
against zero. A mask is 0 or -1 in C, so this is one subtraction where a choice is three operations.
"""

from __future__ import annotations

from typing import Any

from tensorlib.ir.core import Block, Kernel, Operation, Value
from tensorlib.ir.types import VectorType

__all__ = ["increments"]


def increments(kernel: Kernel) -> bool:
    """Rewrite `kernel` in place; `dead` drops the sums that are not used any more.

    Return whether anything was rewritten.
    """
    return _block(kernel.body)


def _block(block: Block) -> bool:
    made: list[Operation] = []
    is_changed = False
    for operation in block.operations:
        for nested in operation.blocks:
            is_changed |= _block(nested)
        if operation.name == "select":
            made += _addend(operation)
            is_changed |= operation.name != "select"
        made.append(operation)
    block.operations = made
    return is_changed


def _addend(operation: Operation) -> list[Operation]:
    """Make a choice of a sum that sum, and return the operations that make what it adds."""
    mask, then, otherwise = operation.operands
    kind, add = then.type, then.operation
    assert isinstance(kind, VectorType)
    if kind.width == 1 or not kind.dtype.is_integer or add is None:
        return []
    terms = list(add.operands)
    if add.name == "add" and terms[1] is otherwise:
        terms.reverse()
    if add.name not in ("add", "subtract") or terms[0] is not otherwise:
        return []

    def new(name: str, operands: list[Value], **attributes: Any) -> Operation:
        return Operation(name, operands, [kind], attributes, place=operation.place)

    number = terms[1]
    if _is_one(number):
        made = [new("cast", [mask], dtype=kind.dtype)]
    else:
        zero = new("const", [], type=kind, value=0)
        made = [zero, new("select", [mask, number, zero.results[0]])]
    operation.name, operation.operands = add.name, [otherwise, made[-1].results[0]]
    return made


def _is_one(value: Value) -> bool:
    made = value.operation
    return made is not None and made.name == "const" and made.attributes["value"] == 1
