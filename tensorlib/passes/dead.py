"""Removes operations whose results nobody uses, and what loops and branches carry for nobody.

%2 = add %0 %1
for %3 %4 %5 %0 %1 (%i, %a, %b) {         for %3 %4 %5 %0 (%i, %a) {
  %6 = add %a %b                            %7 = add %a %a
  %7 = add %a %a                            yield %7
  yield %7 %6                     becomes } -> (%8)
} -> (%8, %9)                             store %p %3 %8
store %p %3 %8
"""

from __future__ import annotations

from tensorlib.ir.core import Block, Kernel, Operation, Value, walk
from tensorlib.ir.effects import is_shared, reads
from tensorlib.ir.ops import ROWS

__all__ = ["dead"]


def dead(kernel: Kernel) -> None:
    """Remove dead operations in place, by backward sweeps until there are none."""
    size = 0
    while size != (size := sum(1 + len(o.results) for o in walk(kernel.body))):
        _sweep(kernel.body, set(), _unread(kernel))


def _unread(kernel: Kernel) -> set[int]:
    """Return the local arrays that are only written."""
    read = {id(pointer) for operation in kernel.body.operations for pointer in reads(operation)}
    made = (r for o in walk(kernel.body) if o.name == "alloc" for r in o.results)
    return {id(r) for r in made if id(r) not in read and not is_shared(r)}


def _sweep(block: Block, used: set[int], unread: set[int]) -> None:
    """Remove what does not add to `used`, the values needed behind the block."""
    kept: list[Operation] = []
    for operation in reversed(block.operations):
        if operation.blocks and operation.name != "instruction":
            _carry_less(operation, used)
        if _is_dead(operation, used, unread):
            continue
        for nested in operation.blocks:
            _sweep(nested, used, unread)
        used.update(map(id, operation.operands))
        kept.append(operation)
    block.operations = kept[::-1]


def _is_dead(operation: Operation, used: set[int], unread: set[int]) -> bool:
    if any(id(r) in used for r in operation.results):
        return False
    if operation.operands and id(operation.operands[0]) in unread and not operation.blocks:
        return ROWS[operation.name].effect == "write"
    if operation.name == "instruction" and not operation.results:
        return False  # what it does besides, as configuring a unit, its body can't say
    if operation.name in ("for", "if", "instruction"):
        inner = (o for block in operation.blocks for o in walk(block))
        return all(_is_harmless(o) for o in inner)
    return ROWS[operation.name].effect in ("pure", "read") or operation.name == "alloc"


def _is_harmless(operation: Operation) -> bool:
    if operation.name in ("yield", "alloc", "for", "if"):
        return True
    if operation.name == "instruction":
        return bool(operation.results)
    return ROWS[operation.name].effect in ("pure", "read")


def _carry_less(operation: Operation, used: set[int]) -> None:
    """Drop the carried values that neither the code behind nor the other values need."""
    needed = [id(r) in used for r in operation.results]
    if operation.name != "if":
        needed = _needed(operation, needed, used)
    if all(needed):
        return
    operation.results = _picked(operation.results, needed)
    first = {"for": 3, "while": 0, "if": 1}[operation.name]
    if operation.name == "if":
        types = operation.attributes["types"]
        operation.attributes["types"] = [t for t, n in zip(types, needed, strict=True) if n]
    else:
        carried = _picked(operation.operands[first:], needed)
        operation.operands = [*operation.operands[:first], *carried]
    for number, block in enumerate(operation.blocks):
        if operation.name != "if":
            counter = 1 if operation.name == "for" else 0
            parameters = _picked(block.parameters[counter:], needed)
            block.parameters = [*block.parameters[:counter], *parameters]
        if operation.name != "while" or number == 1:
            last = block.operations[-1]
            last.operands = _picked(last.operands, needed)


def _picked(values: list[Value], needed: list[bool]) -> list[Value]:
    return [value for value, is_needed in zip(values, needed, strict=True) if is_needed]


def _needed(operation: Operation, needed: list[bool], used: set[int]) -> list[bool]:
    """Return which values a loop must carry: those needed behind it, and what they need."""
    counter = 1 if operation.name == "for" else 0
    while True:
        live: set[int] = set()
        for number, block in enumerate(operation.blocks):
            last = block.operations[-1].operands
            is_head = operation.name == "while" and number == 0
            roots = last if is_head else _picked(last, needed)
            _mark(block.operations[:-1], live | used | set(map(id, roots)), live)
            live.update(map(id, roots))
        again = list(needed)
        for block in operation.blocks:
            for i, parameter in enumerate(block.parameters[counter:]):
                again[i] = again[i] or id(parameter) in live
        if again == needed:
            return needed
        needed = again


def _mark(operations: list[Operation], used: set[int], live: set[int]) -> None:
    """Add to `live` what operations use, if they have effects or results that are used."""
    for operation in reversed(operations):
        is_plain = not operation.blocks and ROWS[operation.name].effect in ("pure", "read")
        if is_plain and not any(id(r) in used for r in operation.results):
            continue
        for block in operation.blocks:
            _mark(block.operations, used, live)
        uses = set(map(id, operation.operands))
        used |= uses
        live |= uses
