"""Values, operations, blocks and kernels: the interior of the IR, plain slotted objects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tensorlib.errors import SourceLocation
from tensorlib.ir.types import Type

__all__ = ["Block", "Kernel", "Operation", "Value", "walk"]


class Value:
    """One SSA value: a block parameter, or a result of the operation that defines it."""

    __slots__ = ("name", "operation", "type")

    def __init__(self, type: Type, operation: Operation | None = None, name: str = "") -> None:
        self.type, self.operation, self.name = type, operation, name

    def __repr__(self) -> str:
        return f"<Value {self.name or '?'}: {self.type}>"


class Operation:
    """One row of the op table applied: operands, results, attributes and nested blocks."""

    __slots__ = ("attributes", "blocks", "location", "name", "operands", "results")

    def __init__(
        self,
        name: str,
        operands: list[Value],
        result_types: list[Type],
        attributes: dict[str, Any] | None = None,
        blocks: list[Block] | None = None,
        location: SourceLocation | None = None,
    ) -> None:
        self.name, self.operands = name, operands
        self.results = [Value(t, self) for t in result_types]
        self.attributes = attributes or {}
        self.blocks = blocks or []
        self.location = location

    def __repr__(self) -> str:
        return f"<Operation {self.name} {self.operands} -> {self.results}>"


class Block:
    """A list of operations with parameters; nested blocks end in `yield`."""

    __slots__ = ("operations", "parameters")

    def __init__(self, parameters: list[Value] | None = None) -> None:
        self.parameters: list[Value] = parameters or []
        self.operations: list[Operation] = []


class Kernel:
    """A named function over pointers and scalars: what backends compile and launch."""

    __slots__ = ("attributes", "body", "name")

    def __init__(self, name: str, body: Block, attributes: dict[str, Any] | None = None) -> None:
        self.name, self.body = name, body
        self.attributes = attributes or {}

    @property
    def parameters(self) -> list[Value]:
        """The kernel's arguments in calling order: pointers and scalars."""
        return self.body.parameters

    def __repr__(self) -> str:
        return f"<Kernel {self.name}({', '.join(p.name for p in self.parameters)})>"


def walk(block: Block) -> Iterator[Operation]:
    """Yield every operation of `block` and of the blocks nested in it, outermost first."""
    for operation in block.operations:
        yield operation
        for nested in operation.blocks:
            yield from walk(nested)
