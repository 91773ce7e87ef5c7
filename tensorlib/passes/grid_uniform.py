"""Finds which values differ between the threads of a block, as far as their definitions show.

%0 = thread_id {axis=0}     differs
%1 = block_id {axis=0}      is the same
%2 = add %0 %1              differs, since %0 does
%3 = load %shared %1        is the same: threads that read one place between two barriers get
                            one value, or the kernel has a race
"""

from __future__ import annotations

import math

from tensorlib.ir.core import Block, Kernel, Operation, Value
from tensorlib.ir.grid_ops import WARP_SIZE
from tensorlib.ir.ops import ROWS
from tensorlib.ir.types import Placement, PointerType

__all__ = ["differing"]


def differing(kernel: Kernel) -> set[int]:
    """Return the ids of values that may differ between threads of one block of `kernel`."""
    shape = kernel.attributes["block"]
    found: set[int] = set()
    if math.prod(shape) == 1:
        return found
    size = -1
    while size != (size := len(found)):  # what loops carry may come to differ in a later round
        _block(kernel.body, found, shape)
    return found


def _block(block: Block, found: set[int], shape: tuple[int, ...]) -> None:
    for operation in block.operations:
        for nested in operation.blocks:
            _block(nested, found, shape)
        if operation.name in ("for", "while", "if"):
            _control(operation, found)
        elif _differs(operation, found, shape):
            found.update(map(id, operation.results))


def _any(values: list[Value], found: set[int]) -> bool:
    return any(id(v) in found for v in values)


def _differs(operation: Operation, found: set[int], shape: tuple[int, ...]) -> bool:
    name, one_warp = operation.name, math.prod(shape) <= WARP_SIZE
    if name == "thread_id":
        return bool(shape[operation.attributes["axis"]] > 1)
    if name in ("atomic", "atomic_compare_exchange"):
        return True
    if name == "warp_vote":
        whole = operation.attributes["mode"] != "ballot"
        return not one_warp and not (whole and not _any(operation.operands, found))
    if name == "warp_shuffle":
        return id(operation.operands[0]) in found
    if ROWS[name].effect == "read":
        kind = operation.operands[0].type
        assert isinstance(kind, PointerType)
        if kind.placement is Placement.REGISTER:
            return True
        if kind.placement is Placement.WARP and not one_warp:
            return True
    return _any(operation.operands, found)


def _control(operation: Operation, found: set[int]) -> None:
    """What a branch gives differs with its condition; what a loop carries, with its trips."""
    name, blocks = operation.name, operation.blocks
    yields = [block.operations[-1].operands for block in blocks]
    if name == "if":
        split = id(operation.operands[0]) in found
        for result, *values in zip(operation.results, *yields, strict=True):
            if split or _any(values, found):
                found.add(id(result))
        return
    first = 3 if name == "for" else 0
    split = _any(operation.operands[:3] if name == "for" else yields[0], found)
    if name == "for" and _any([operation.operands[0], operation.operands[2]], found):
        found.add(id(blocks[0].parameters[0]))
    counter = 1 if name == "for" else 0
    for k, result in enumerate(operation.results):
        parameters = [block.parameters[counter + k] for block in blocks]
        values = [operation.operands[first + k], yields[-1][k], *parameters]
        if split or _any(values, found):
            found.update(map(id, [result, *parameters]))
