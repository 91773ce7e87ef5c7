"""Builds IR: checks types as operations are emitted, folds constants and shares equal pure values."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from tensorlib.dtypes import DType
from tensorlib.errors import KernelError, SourceLocation
from tensorlib.ir.core import Block, Operation, Value
from tensorlib.ir.meaning import array
from tensorlib.ir.ops import ROWS, result_types
from tensorlib.ir.types import INDEX, Type, VectorType

__all__ = ["Builder", "current_builder", "user_location"]

_STATE = threading.local()
# Frames of these modules are the language itself: an error belongs to the line that called them.
_INTERNAL = ("tensorlib.ir.", "tensorlib.simd", "tensorlib.tile", "tensorlib.lang.")


def current_builder() -> Builder | None:
    """Return the builder of the kernel being traced in this thread, if any."""
    return getattr(_STATE, "builder", None)


def user_location() -> SourceLocation | None:
    """Return the innermost line of Python that is not the kernel language itself."""
    frame = sys._getframe(1)
    while frame is not None:
        if not frame.f_globals.get("__name__", "").startswith(_INTERNAL):
            code = frame.f_code
            return SourceLocation(code.co_filename, frame.f_lineno, function=code.co_name)
        frame = frame.f_back  # type: ignore[assignment]
    return None


def _key(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple(sorted((k, _key(v)) for k, v in value.items()))
    if isinstance(value, np.ndarray):
        return value.tobytes()
    # -0.0 == 0.0 and 1 == True: constants are told apart by their bits.
    return (type(value), np.float64(value).tobytes()) if isinstance(value, float) else value


class Builder:
    """Appends operations to the innermost open block; equal pure operations are emitted once."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.known: list[dict[Any, Value]] = []

    @contextmanager
    def active(self) -> Iterator[Builder]:
        """Make this the builder that traced values record into."""
        previous = current_builder()
        _STATE.builder = self
        try:
            yield self
        finally:
            _STATE.builder = previous

    @contextmanager
    def block(self, parameter_types: Sequence[Type] = ()) -> Iterator[Block]:
        """Open a nested block; what it computes is not known outside it."""
        block = Block([Value(t) for t in parameter_types])
        self.blocks.append(block)
        self.known.append({})
        try:
            yield block
        finally:
            self.blocks.pop()
            self.known.pop()

    def emit(
        self,
        name: str,
        operands: Sequence[Value] = (),
        attributes: dict[str, Any] | None = None,
        blocks: list[Block] | None = None,
    ) -> list[Value]:
        """Append op `name` and return its results; raises KernelError where types don't fit."""
        attributes = attributes or {}
        if ROWS[name].effect != "pure":
            return self._append(name, operands, attributes, blocks)
        folded = self._folded(name, operands, attributes)
        if folded is not None:
            return [folded]
        key = (name, tuple(map(id, operands)), _key(attributes))
        for known in reversed(self.known):
            if key in known:
                return [known[key]]
        results = self._append(name, operands, attributes, blocks)
        self.known[-1][key] = results[0]
        return results

    def value(self, name: str, *operands: Value, **attributes: Any) -> Value:
        """Emit an op of one result and return it."""
        return self.emit(name, operands, attributes)[0]

    def constant(self, value: Any, type: VectorType = INDEX) -> Value:
        """Return a constant; a scalar number given for a vector type fills all its lanes."""
        data = array(value, type.dtype, type.width)
        return self.value("const", type=type, value=_plain(data))

    def _append(
        self,
        name: str,
        operands: Sequence[Value],
        attributes: dict[str, Any],
        blocks: list[Block] | None,
    ) -> list[Value]:
        types = result_types(name, [o.type for o in operands], attributes)
        operation = Operation(name, list(operands), types, attributes, blocks, user_location())
        self.blocks[-1].operations.append(operation)
        return operation.results

    def _folded(self, name: str, operands: Sequence[Value], attributes: Any) -> Value | None:
        """Return the result where constants decide it: integers only, exact by definition."""
        if len(operands) not in (1, 2) or name == "shuffle":
            return None
        constants = [constant_of(o) for o in operands]
        types = result_types(name, [o.type for o in operands], attributes)
        if all(c is not None for c in constants) and isinstance(types[0], VectorType):
            row = ROWS[name].numpy
            if row is None or name == "splat":
                return None
            return self.constant(row(*constants, **attributes), types[0])
        return _identity(name, operands, constants)


def constant_of(value: Value) -> Any:
    """Return the NumPy value of a constant, else None."""
    operation = value.operation
    if operation is None or operation.name != "const":
        return None
    kind = operation.attributes["type"]
    return array(operation.attributes["value"], kind.dtype, kind.width)


def _plain(data: Any) -> Any:
    """Return a hashable Python form of a constant: a number, or a tuple of lanes."""
    if data.dtype.kind == "V" or (data.dtype.itemsize == 2 and data.dtype.kind not in "iu"):
        data = data.astype(np.float64)
    first = data.flat[0]
    if data.ndim and (data.tobytes() == np.full(data.shape, first).tobytes()):
        return first.item()
    return tuple(data.tolist()) if data.ndim else data.item()


def _identity(name: str, operands: Sequence[Value], constants: list[Any]) -> Value | None:
    """x + 0, x - 0, x * 1, x // 1 of integers are x; x * 0 is 0."""
    if len(operands) != 2 or not isinstance(operands[0].type, VectorType):
        return None
    if not operands[0].type.dtype.is_integer:
        return None
    left, right = (c if c is not None and c.ndim == 0 else None for c in constants)
    if right is not None:
        neutral = {"add": 0, "subtract": 0, "multiply": 1, "floor_divide": 1, "shift_left": 0}
        if name in neutral and right == neutral[name]:
            return operands[0]
        if name == "multiply" and right == 0:
            return operands[1]
    if left is not None:
        if {"add": 0, "multiply": 1}.get(name) == left:
            return operands[1]
        if name == "multiply" and left == 0:
            return operands[0]
    return None


def fail(message: str) -> KernelError:
    """Return a KernelError that shows the user's line."""
    from tensorlib.errors import caret

    location = user_location()
    return KernelError(f"{message}\n{caret(location)}" if location else message)


def is_bool(type: Type) -> bool:
    """Whether a value of `type` is a mask or a scalar condition."""
    return isinstance(type, VectorType) and type.dtype is DType.bool
