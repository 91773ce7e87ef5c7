"""What a kernel computes and moves, read off its IR: operations on floats, and bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tensorlib.ir.core import Block, Kernel, Operation, Value
from tensorlib.ir.meaning import array
from tensorlib.ir.ops import ROWS
from tensorlib.ir.types import Placement, PointerType, VectorType

__all__ = ["Cost", "loops", "total"]

# Operations of one float each; what is not named here is free.
_FLOPS = {
    **dict.fromkeys(("add", "subtract", "multiply", "divide", "sqrt", "minimum", "maximum"), 1),
    **dict.fromkeys(("negative", "absolute", "floor", "ceil", "trunc", "round"), 1),
    **dict.fromkeys(("reduce_add", "reduce_multiply", "reduce_minimum", "reduce_maximum"), 1),
    "fma": 2,
}


@dataclass(frozen=True, slots=True)
class Cost:
    """Float operations, bytes read and bytes written; those of registers are not counted."""

    flops: int = 0
    read: int = 0
    written: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.flops + other.flops, self.read + other.read, self.written + other.written)

    def __mul__(self, times: int) -> Cost:
        return Cost(self.flops * times, self.read * times, self.written * times)


def loops(kernel: Kernel) -> list[tuple[Operation, Cost]]:
    """Return the innermost loops and what one iteration costs; of a branch, the dearer side."""
    found: list[tuple[Operation, Cost]] = []
    _innermost(kernel.body, found)
    return found


def _innermost(block: Block, found: list[tuple[Operation, Cost]]) -> bool:
    """Add the innermost loops of a block; return whether it has any."""
    has_loops = False
    for operation in block.operations:
        inner = [_innermost(nested, found) for nested in operation.blocks]
        if operation.name in ("for", "while"):
            if not any(inner):
                costs = [_cost(nested, {}) or Cost() for nested in operation.blocks]
                found.append((operation, sum(costs, Cost())))
            has_loops = True
        has_loops = has_loops or any(inner)
    return has_loops


def total(kernel: Kernel, values: Mapping[str, Any]) -> Cost | None:
    """Return what a run costs, given the scalar arguments by name; None where data decide that."""
    known = {id(p): values[p.name] for p in kernel.parameters if isinstance(p.type, VectorType)}
    return _cost(kernel.body, known)


def _cost(block: Block, known: Mapping[int, Any]) -> Cost | None:
    found = Cost()
    for operation in block.operations:
        cost = _one(operation, known)
        if cost is None:
            return None
        found = found + cost
    return found


def _one(operation: Operation, known: Mapping[int, Any]) -> Cost | None:
    name = operation.name
    if name == "if":
        sides = [_cost(block, known) for block in operation.blocks]
        known_sides = [s for s in sides if s is not None]
        both = len(known_sides) == len(sides)
        return max(known_sides, key=lambda c: (c.flops, c.read + c.written)) if both else None
    if name == "for":
        start, stop, step = (_value(o, known) for o in operation.operands[:3])
        body = _cost(operation.blocks[0], known)
        if start is None or stop is None or step is None or body is None:
            return None
        return body * len(range(int(start), int(stop), int(step)))
    if operation.blocks:
        return None if name == "while" else _cost(operation.blocks[0], known)
    if ROWS[name].effect in ("read", "write") and name not in ("alloc", "prefetch"):
        return _moved(operation)
    return Cost(_FLOPS.get(name, 0) * _lanes(operation))


def _lanes(operation: Operation) -> int:
    kind = operation.operands[0].type if operation.operands else None
    is_float = isinstance(kind, VectorType) and kind.dtype.is_float
    return kind.width if is_float and isinstance(kind, VectorType) else 0


def _moved(operation: Operation) -> Cost:
    pointer = operation.operands[0].type
    assert isinstance(pointer, PointerType)
    if pointer.placement is Placement.REGISTER:
        return Cost()
    values = operation.results or operation.operands[2:3]
    kind = values[0].type if values else None
    size = kind.width * kind.dtype.itemsize if isinstance(kind, VectorType) else 0
    return Cost(read=size) if ROWS[operation.name].effect == "read" else Cost(written=size)


def _value(value: Value, known: Mapping[int, Any]) -> Any:
    """Return a value that arguments and constants decide, else None."""
    if id(value) in known:
        return known[id(value)]
    operation = value.operation
    if operation is None or operation.blocks or len(operation.results) != 1:
        return None
    if operation.name == "const":
        return operation.attributes["value"]
    row, operands = ROWS[operation.name], [_value(o, known) for o in operation.operands]
    if row.numpy is None or row.effect != "pure" or any(o is None for o in operands):
        return None
    pairs = zip(operands, operation.operands, strict=True)
    return row.numpy(*(_lanes_of(o, of.type) for o, of in pairs), **operation.attributes)


def _lanes_of(value: Any, kind: Any) -> Any:
    """Return a number as an operation gets it: an array of its type."""
    return array(value, kind.dtype, kind.width) if isinstance(kind, VectorType) else value
