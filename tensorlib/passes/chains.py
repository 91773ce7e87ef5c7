"""Puts what does not depend on each other one after the other, chain by chain.

    %2 = multiply %x0 %x0                   %2 = multiply %x0 %x0
    %3 = multiply %x1 %x1                   %4 = add %2 %y
    %4 = add %2 %y             becomes      %3 = multiply %x1 %x1
    %5 = add %3 %y                          %5 = add %3 %y

Compilers mostly keep the order that they find: with all parts of a wide vector side by side, every
intermediate value takes as many registers as there are parts. A processor that executes out of
order overlaps the chains all the same.
"""

from __future__ import annotations

from tensorlib.ir.core import Block, Kernel, Operation
from tensorlib.ir.ops import ROWS

__all__ = ["chains"]


def chains(kernel: Kernel) -> None:
    """Order `kernel` in place; writes, loops and branches stay where they are."""
    _block(kernel.body)


def _block(block: Block) -> None:
    made: list[Operation] = []
    run: list[Operation] = []
    for operation in block.operations:
        if ROWS[operation.name].effect in ("pure", "read"):
            run.append(operation)
            continue
        made += _by_chain(run)
        made.append(operation)
        run = []
        for nested in operation.blocks:
            _block(nested)
    block.operations = made + _by_chain(run)


def _by_chain(run: list[Operation]) -> list[Operation]:
    """Return the operations with each chain together, chains in the order of their first."""
    if len(run) < 3:
        return run
    chain: dict[int, list[Operation]] = {}  # by the number of its first; constants in front
    made = {id(r): number for number, o in enumerate(run) for r in o.results if o.name != "const"}
    first: dict[int, int] = {}  # what reads the same part of a value that a loop carries
    parents = list(range(len(run)))

    def root(number: int) -> int:
        while parents[number] != number:
            parents[number] = number = parents[parents[number]]
        return number

    for number, operation in enumerate(run):
        for operand in operation.operands:
            other = made.get(id(operand), number)
            if operand.operation is None and getattr(operand.type, "width", 1) > 1:
                other = first.setdefault(id(operand), number)
            a, b = sorted((root(number), root(other)))
            parents[b] = a
    for number, operation in enumerate(run):
        key = -1 if operation.name == "const" else root(number)
        chain.setdefault(key, []).append(operation)
    return [operation for key in sorted(chain) for operation in chain[key]]
