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

from tensorlib.ir.core import Block, Kernel, Operation, Value, operations
from tensorlib.ir.effects import is_shared, reads
from tensorlib.ir.ops import ROWS

__all__ = ["dead"]

_PURE = frozenset(row.name for row in ROWS.values() if row.effect == "pure")
_PLAIN = _PURE | {row.name for row in ROWS.values() if row.effect == "read"}


def dead(kernel: Kernel) -> bool:
    """Remove dead operations in place, by backward sweeps until there are none.

    Return whether there were any.
    """
    is_changed = False
    while True:
        sweep = _Sweep(_unread(kernel))
        sweep.block(kernel.body, set())
        is_changed |= sweep.is_changed
        if not sweep.shows_more:
            return is_changed


def _unread(kernel: Kernel) -> set[Value]:
    """Return the local arrays that are only written."""
    made = [o.results[0] for o in operations(kernel.body) if o.name == "alloc"]
    if not made:
        return set()
    read = set().union(*map(reads, kernel.body.operations))
    return {pointer for pointer in made if pointer not in read and not is_shared(pointer)}


class _Sweep:
    """One sweep; `unread` are the arrays that are only written.

    What is pure goes with the last of its users. What else goes may show more to another sweep.
    """

    def __init__(self, unread: set[Value]) -> None:
        self.unread = unread
        self.is_changed = self.shows_more = False

    def block(self, block: Block, used: set[Value]) -> None:
        """Remove what does not add to `used`, the values needed behind the block."""
        kept: list[Operation] = []
        for operation in reversed(block.operations):
            if operation.blocks and operation.name != "instruction":
                self.shows_more |= _carries_less(operation, used)
            if used.isdisjoint(operation.results) and _is_dead(operation, self.unread):
                self.is_changed = True
                self.shows_more |= operation.name not in _PURE
                continue
            for nested in operation.blocks:
                self.block(nested, used)
            used.update(operation.operands)
            kept.append(operation)
        self.is_changed |= self.shows_more
        kept.reverse()
        block.operations = kept


def _is_dead(operation: Operation, unread: set[Value]) -> bool:
    """Whether an operation whose results nobody uses can go."""
    if unread and operation.operands and operation.operands[0] in unread and not operation.blocks:
        return ROWS[operation.name].effect == "write"
    if operation.name == "instruction" and not operation.results:
        return False  # what it does besides, as configuring a unit, its body can't say
    if operation.name in ("for", "if", "instruction"):
        inner = [o for block in operation.blocks for o in operations(block)]
        return all(map(_is_harmless, reversed(inner)))  # what has an effect is near the end
    return operation.name in _PLAIN or operation.name == "alloc"


def _is_harmless(operation: Operation) -> bool:
    if operation.name in ("yield", "alloc", "for", "if"):
        return True
    if operation.name == "instruction":
        return bool(operation.results)
    return operation.name in _PLAIN


def _carries_less(operation: Operation, used: set[Value]) -> bool:
    """Drop the carried values that neither the code behind nor the other values need."""
    needed = [r in used for r in operation.results]
    if operation.name != "if" and not all(needed):
        needed = _needed(operation, needed, used)
    if all(needed):
        return False
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
    return True


def _picked(values: list[Value], needed: list[bool]) -> list[Value]:
    return [value for value, is_needed in zip(values, needed, strict=True) if is_needed]


def _needed(operation: Operation, needed: list[bool], used: set[Value]) -> list[bool]:
    """Return which values a loop must carry: those needed behind it, and what they need."""
    counter = 1 if operation.name == "for" else 0
    while True:
        live: set[Value] = set()
        for number, block in enumerate(operation.blocks):
            last = block.operations[-1].operands
            is_head = operation.name == "while" and number == 0
            roots = last if is_head else _picked(last, needed)
            _mark(block.operations[:-1], live.union(used, roots), live)
            live.update(roots)
        again = list(needed)
        for block in operation.blocks:
            for i, parameter in enumerate(block.parameters[counter:]):
                again[i] = again[i] or parameter in live
        if again == needed:
            return needed
        needed = again


def _mark(block: list[Operation], used: set[Value], live: set[Value]) -> None:
    """Add to `live` what operations use, if they have effects or results that are used."""
    for operation in reversed(block):
        is_plain = not operation.blocks and operation.name in _PLAIN
        if is_plain and used.isdisjoint(operation.results):
            continue
        for nested in operation.blocks:
            _mark(nested.operations, used, live)
        used.update(operation.operands)
        live.update(operation.operands)
