"""Replaces portable instructions that a target lacks by their bodies, and refuses other ones.

instruction %a {name='m.dot'} () {
  %1 = multiply %a %a             becomes   %1 = multiply %a %a
  yield %1                                  store %p %0 %1
} -> (%2)
store %p %0 %2
"""

from __future__ import annotations

from tensorlib.errors import KernelError, caret
from tensorlib.ir.core import Block, Kernel, Operation, Value, operations
from tensorlib.ir.instructions import missing, row_of
from tensorlib.ir.verifier import verify
from tensorlib.knobs import knob

__all__ = ["instructions"]


def instructions(kernel: Kernel, target: str, features: frozenset[str] = frozenset()) -> None:
    """Make every instruction one that `target`, the name of a printer, has with these features.

    Raises KernelError, with the user's line, for one that the device lacks and that is not
    portable.
    """
    has_any = any(operation.name == "instruction" for operation in operations(kernel.body))
    if has_any:
        _block(kernel.body, target, features, {})
    if has_any or knob("TENSORLIB_DEBUG"):
        verify(kernel)


def _block(block: Block, target: str, features: frozenset[str], new: dict[int, Value]) -> None:
    kept: list[Operation] = []
    for operation in block.operations:
        operation.operands = [new.get(id(o), o) for o in operation.operands]
        for nested in operation.blocks:
            _block(nested, target, features, new)
        if operation.name != "instruction" or not _replaced(operation, target, features):
            kept.append(operation)
            continue
        *body, last = operation.blocks[0].operations
        kept += body
        for result, value in zip(operation.results, last.operands, strict=True):
            new[id(result)] = value
    block.operations = kept


def _replaced(operation: Operation, target: str, features: frozenset[str]) -> bool:
    row = row_of(operation)
    reason = missing(row, target, features)
    if not reason or row.portable:
        return bool(reason)
    location = operation.location
    shown = f"\n{caret(location)}" if location else ""
    raise KernelError(
        f"instruction: {reason}; try another way where tl.target_has(...) is false, "
        f"or portable=True to run its body{shown}"
    )
