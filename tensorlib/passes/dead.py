"""Removes pure operations and loads whose results nobody uses.

    %2 = add %0 %1
    %3 = multiply %0 %1
    store %p %i %3
becomes
    %3 = multiply %0 %1
    store %p %i %3
"""

from __future__ import annotations

from tensorlib.ir.core import Block, Kernel, Operation
from tensorlib.ir.ops import ROWS

__all__ = ["dead"]


def dead(kernel: Kernel) -> None:
    """Remove dead operations in place, by one backward sweep."""
    _block(kernel.body, set())


def _block(block: Block, used: set[int]) -> None:
    kept: list[Operation] = []
    for operation in reversed(block.operations):
        if _removable(operation) and not any(id(r) in used for r in operation.results):
            continue
        # A loop reads in its first operations what its last ones computed: all inner uses count.
        for nested in operation.blocks:
            _block(nested, used)
        used.update(map(id, operation.operands))
        kept.append(operation)
    block.operations = kept[::-1]


def _removable(operation: Operation) -> bool:
    return ROWS[operation.name].effect in ("pure", "read") or operation.name == "alloc"
