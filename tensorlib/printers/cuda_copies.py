"""How many asynchronous copies may still be in flight behind an `await_copy`.

Each copy_async is a group of its own, and `cp.async.wait_group N` waits for all but the last N
groups of the thread. So N is how many copies were surely begun behind the awaited one: too few
waits longer, too many would be wrong.
"""

from __future__ import annotations

from tensorlib.ir.core import Block, Operation, Value

__all__ = ["later_copies"]

_MOST = 63  # what the instruction takes


def later_copies(body: Block) -> dict[int, int]:
    """Return for each await_copy, by its id, how many later copies are surely begun before it."""
    found: dict[int, int] = {}
    _block(body, {}, found)
    return found


def _block(block: Block, ages: dict[int, int], found: dict[int, int]) -> None:
    """Follow the tokens through a block; `ages` are the copies begun behind each."""
    for operation in block.operations:
        if operation.name == "await_copy":
            found[id(operation)] = min(_MOST, ages.get(id(operation.operands[0]), 0))
        elif operation.name == "copy_async":
            _older(ages, 1)
            ages[id(operation.results[0])] = 0
        elif operation.name == "for":
            _loop(operation, ages, found)
        elif operation.blocks:
            for nested in operation.blocks:
                _block(nested, _inside(ages, nested.parameters), found)
            _older(ages, min(_begun(nested) for nested in operation.blocks))


def _older(ages: dict[int, int], count: int) -> None:
    for token in ages:
        ages[token] += count


def _inside(ages: dict[int, int], parameters: list[Value]) -> dict[int, int]:
    """Return the ages that hold in a nested block; a carried token may be any."""
    return {**ages, **{id(p): 0 for p in parameters}}


def _loop(operation: Operation, ages: dict[int, int], found: dict[int, int]) -> None:
    """A carried token is as old as the younger of what the loop is given and what it yields."""
    (block,) = operation.blocks
    carried, given = block.parameters[1:], operation.operands[3:]
    yielded = block.operations[-1].operands
    inside = _inside(ages, block.parameters)
    for parameter, first in zip(carried, given, strict=True):
        inside[id(parameter)] = ages.get(id(first), 0)
    while True:  # ages only fall, so this ends
        ends = dict(inside)
        _block(block, ends, found)
        falls = False
        for parameter, last in zip(carried, yielded, strict=True):
            age = min(inside[id(parameter)], ends.get(id(last), 0))
            falls |= age < inside[id(parameter)]
            inside[id(parameter)] = age
        if not falls:
            break
    for result, parameter in zip(operation.results, carried, strict=True):
        ages[id(result)] = inside[id(parameter)]


def _begun(block: Block) -> int:
    """Return how many copies a block surely begins."""
    count = 0
    for operation in block.operations:
        if operation.name == "copy_async":
            count += 1
        elif operation.name == "if":
            count += min(_begun(nested) for nested in operation.blocks)
    return count
