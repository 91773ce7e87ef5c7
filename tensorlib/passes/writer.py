"""Writes IR in passes: operations with types from the table, nested blocks, the user's places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tensorlib.dtypes import DType
from tensorlib.ir.core import Block, Operation, Place, Value
from tensorlib.ir.ops import ROWS
from tensorlib.ir.types import INDEX, Type, VectorType

__all__ = ["BOOL", "Writer"]

BOOL = VectorType(DType.bool)


class Writer:
    """Appends operations to the innermost open block; `place` is the line they belong to."""

    def __init__(self, body: Block) -> None:
        self.blocks = [body]
        self.place: Place | None = None

    def emit(
        self,
        name: str,
        operands: Sequence[Value] = (),
        attributes: dict[str, Any] | None = None,
        blocks: list[Block] | None = None,
    ) -> list[Value]:
        """Append an operation and return its results."""
        attributes = attributes or {}
        types = ROWS[name].types(name, [o.type for o in operands], attributes)
        made = Operation(name, list(operands), types, attributes, blocks, self.place)
        self.blocks[-1].operations.append(made)
        return made.results

    def value(self, name: str, *operands: Value, **attributes: Any) -> Value:
        """Append an operation of one result and return that."""
        return self.emit(name, operands, attributes)[0]

    def constant(self, value: Any, type: VectorType = INDEX) -> Value:
        """Return a constant."""
        return self.value("const", type=type, value=value)

    def load(self, pointer: Value, index: Value, type: VectorType) -> Value:
        """Return what memory holds from `index` on."""
        return self.value("load", pointer, index, type=type)

    def store(self, pointer: Value, index: Value, value: Value) -> None:
        """Write a value to memory from `index` on."""
        self.emit("store", [pointer, index, value])

    @contextmanager
    def block(self, parameters: Sequence[Type] = ()) -> Iterator[Block]:
        """Open a nested block; whoever opens it ends it with `emit("yield", ...)`."""
        made = Block([Value(kind) for kind in parameters])
        self.blocks.append(made)
        try:
            yield made
        finally:
            self.blocks.pop()

    @contextmanager
    def loop(
        self, start: Value, stop: Value, step: Value, name: str = "", **attributes: Any
    ) -> Iterator[Value]:
        """Open a counted loop that carries nothing; its counter is the value of the block."""
        with self.block([INDEX]) as body:
            body.parameters[0].name = name
            yield body.parameters[0]
            self.emit("yield")
        self.emit("for", [start, stop, step], attributes, [body])

    @contextmanager
    def branch(self, condition: Value) -> Iterator[None]:
        """Open a branch that is taken where `condition` holds."""
        with self.block() as then:
            yield
            self.emit("yield")
        with self.block() as otherwise:
            self.emit("yield")
        self.emit("if", [condition], {"types": []}, [then, otherwise])
