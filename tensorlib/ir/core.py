"""Values, operations, blocks and kernels: the interior of the IR, plain slotted objects."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from types import CodeType
from typing import Any

from tensorlib.errors import SourceLocation
from tensorlib.ir.types import Type

__all__ = [
    "Block",
    "Kernel",
    "Operation",
    "Place",
    "Value",
    "located",
    "operations",
    "value_types",
    "walk",
]

# Where an operation was written: a code object, the offset of the instruction in it, and the place
# of the call that runs it, where that is the user's too.
Place = tuple[CodeType, int, "Place | None"]


class Value:
    """One SSA value: a block parameter, or a result of the operation that defines it.

    `block` is the block that a builder made it in; None where that does not matter any more.
    """

    __slots__ = ("block", "name", "operation", "type")

    def __init__(
        self,
        type: Type,
        operation: Operation | None = None,
        name: str = "",
        block: Block | None = None,
    ) -> None:
        self.type = type
        self.operation = operation
        self.name = name
        self.block = block

    def __repr__(self) -> str:
        return f"<Value {self.name or '?'}: {self.type}>"


class Operation:
    """One row of the op table applied: operands, results, attributes and nested blocks."""

    __slots__ = ("attributes", "blocks", "name", "operands", "place", "results")

    def __init__(
        self,
        name: str,
        operands: list[Value],
        result_types: list[Type],
        attributes: dict[str, Any] | None = None,
        blocks: list[Block] | None = None,
        place: Place | None = None,
        block: Block | None = None,  # that of the results
    ) -> None:
        self.name = name
        self.operands = operands
        if len(result_types) == 1:  # most have one; a comprehension is a call
            self.results = [Value(result_types[0], self, "", block)]
        else:
            self.results = [Value(t, self, "", block) for t in result_types]
        self.attributes = attributes or {}
        self.blocks = blocks or []
        self.place = place

    @property
    def location(self) -> SourceLocation | None:
        """The line of Python that the operation was traced from."""
        return located(self.place) if self.place is not None else None

    def __repr__(self) -> str:
        return f"<Operation {self.name} {self.operands} -> {self.results}>"


def located(place: Place) -> SourceLocation:
    """Return file, line, columns and callers of a place."""
    chain: list[Place] = []
    at: Place | None = place
    while at is not None:
        chain.append(at)
        at = at[2]
    found: SourceLocation | None = None
    for code, offset, _ in reversed(chain):
        found = _located(code, offset, found)
    assert found is not None
    return found


def _located(code: CodeType, offset: int, caller: SourceLocation | None) -> SourceLocation:
    span = next(islice(code.co_positions(), offset // 2, None), (None,) * 4)
    line, end_line, column, end_column = span
    if line is None:
        line, column, end_column = code.co_firstlineno, 0, 0
    elif line != end_line or column is None or end_column is None:
        column, end_column = column or 0, column or 0
    return SourceLocation(code.co_filename, line, column, end_column, code.co_name, caller)


class Block:
    """A list of operations with parameters; nested blocks end in `yield`.

    `is_open` while a builder is filling it: what it defines can be used only then.
    """

    __slots__ = ("is_open", "operations", "parameters")

    def __init__(self, parameters: list[Value] | None = None) -> None:
        self.parameters: list[Value] = parameters or []
        self.operations: list[Operation] = []
        self.is_open = False


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


def operations(block: Block) -> list[Operation]:
    """Return what `walk` yields, as there is now: faster, for a block that is not being changed."""
    found: list[Operation] = []
    here, done = block.operations, 0
    for position, operation in enumerate(here, 1):
        if operation.blocks:
            found += here[done:position]
            done = position
            for nested in operation.blocks:
                found += operations(nested)
    found += here[done:]
    return found


def value_types(kernel: Kernel) -> set[Type]:
    """Return every type that a value of the kernel has; loops carry those of their results."""
    parameters = {parameter.type for parameter in kernel.parameters}
    return parameters | {r.type for operation in operations(kernel.body) for r in operation.results}
