"""Builds IR: checks types as operations come, folds constants and shares equal pure values."""

from __future__ import annotations

import math
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import CodeType, FrameType, TracebackType
from typing import Any

import numpy as np

from tensorlib.dtypes import DType
from tensorlib.errors import KernelError, SourceLocation, caret
from tensorlib.ir.core import Block, Operation, Place, Value, located
from tensorlib.ir.meaning import array
from tensorlib.ir.ops import ROWS
from tensorlib.ir.types import INDEX, Type, VectorType

__all__ = [
    "Builder",
    "constant_of",
    "current_builder",
    "fail",
    "traceback_place",
    "user_location",
    "user_place",
]

_STATE = threading.local()
# Frames of these modules are the language itself: an error belongs to the line that called them.
_INTERNAL = (
    "tensorlib.ir.",
    "tensorlib.simd",
    "tensorlib.tile",
    "tensorlib.lang.",
    "tensorlib.layouts.",
)
# Of the library's other modules, these hold kernels: their lines are shown as callers.
_KERNELS = ("tensorlib.kernels.", "tensorlib.tests.", "tensorlib.nn.")
_LANGUAGE, _LIBRARY, _USERS, _TRACER = range(4)
_KINDS: dict[CodeType, int] = {}


def current_builder() -> Builder | None:
    """Return the builder of the kernel being traced in this thread, if any."""
    return getattr(_STATE, "builder", None)


def _kind(frame: FrameType) -> int:
    """Return whose code a frame runs."""
    kind = _KINDS.get(frame.f_code)
    if kind is None:
        name = frame.f_globals.get("__name__", "")
        if name == "tensorlib.lang.trace":
            kind = _TRACER
        elif name.startswith(_INTERNAL):
            kind = _LANGUAGE
        else:
            is_library = name.startswith("tensorlib.") and not name.startswith(_KERNELS)
            kind = _LIBRARY if is_library else _USERS
        _KINDS[frame.f_code] = kind
    return kind


def user_place() -> Place | None:
    """Return the innermost place in Python that is not the kernel language itself.

    While a kernel is traced the place knows the places of the calls that led to it.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and _kind(frame) in (_LANGUAGE, _TRACER):
        frame = frame.f_back
    if frame is None:
        return None
    outer = _calls(frame) if current_builder() is not None else None
    return frame.f_code, frame.f_lasti, outer


def _calls(frame: FrameType) -> Place | None:
    """Return the places of the calls that led to a frame, up to the tracer.

    The body of a statement is a function inside its function: together they are one caller.
    """
    code, found, is_direct = frame.f_code, [], True
    outer = frame.f_back
    while outer is not None:
        kind = _kind(outer)
        if kind == _TRACER:
            break
        if kind != _USERS:
            is_direct = False
        else:
            if is_direct or code not in outer.f_code.co_consts:
                found.append((outer.f_code, outer.f_lasti))
            code, is_direct = outer.f_code, True
        outer = outer.f_back
    place: Place | None = None
    if outer is not None:  # outside the tracer callers are none of the kernel's
        for called, at in reversed(found):
            place = called, at, place
    return place


def traceback_place(trace: TracebackType | None) -> Place | None:
    """Return the innermost user's place of an error, with its callers up to the tracer."""
    steps: list[tuple[FrameType, int]] = []
    while trace is not None:
        steps.append((trace.tb_frame, trace.tb_lasti))
        trace = trace.tb_next
    found: list[tuple[CodeType, int]] = []
    inner, is_direct = None, True
    for frame, at in reversed(steps):
        kind = _kind(frame)
        if kind == _TRACER:
            break
        if kind != _USERS:
            is_direct = False
        else:
            if is_direct or inner is None or inner not in frame.f_code.co_consts:
                found.append((frame.f_code, at))
            inner, is_direct = frame.f_code, True
    place: Place | None = None
    for code, at in reversed(found):
        place = code, at, place
    return place


def user_location() -> SourceLocation | None:
    """Return the innermost line of Python that is not the kernel language itself."""
    place = user_place()
    return located(place) if place is not None else None


def fail(message: str) -> KernelError:
    """Return a KernelError that shows the user's line."""
    location = user_location()
    return KernelError(f"{message}\n{caret(location)}" if location else message)


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
        """Open a nested block; what it computes can't be used outside it."""
        block = Block([Value(t) for t in parameter_types])
        for parameter in block.parameters:
            parameter.block = block
        with self.reopened(block):
            yield block

    @contextmanager
    def reopened(self, block: Block) -> Iterator[Block]:
        """Append to a block once more."""
        self.blocks.append(block)
        self.known.append({})
        block.is_open = True
        try:
            yield block
        finally:
            block.is_open = False
            self.blocks.pop()
            self.known.pop()

    def inline(self, block: Block) -> None:
        """Move the operations of a finished nested block to the end of the open one."""
        target = self.blocks[-1]
        for operation in block.operations:
            for result in operation.results:
                result.block = target
        target.operations.extend(block.operations)
        block.operations = []

    def emit(
        self,
        name: str,
        operands: Sequence[Value] = (),
        attributes: dict[str, Any] | None = None,
        blocks: list[Block] | None = None,
    ) -> list[Value]:
        """Append op `name` and return its results; raises KernelError where types don't fit."""
        row, attributes = ROWS[name], attributes or {}
        for operand in operands:
            if operand.block is not None and not operand.block.is_open:
                raise _escaped(operand)
        types = row.types(name, [o.type for o in operands], attributes)
        if row.effect != "pure":
            return self._append(name, operands, types, attributes, blocks)
        folded = self._folded(name, operands, types, attributes)
        if folded is not None:
            return [folded]
        key = (name, *map(id, operands), _key(attributes))
        for known in reversed(self.known):
            if key in known:
                return [known[key]]
        results = self._append(name, operands, types, attributes, None)
        self.known[-1][key] = results[0]
        return results

    def value(self, name: str, *operands: Value, **attributes: Any) -> Value:
        """Emit an op of one result and return it."""
        return self.emit(name, operands, attributes)[0]

    def constant(self, value: Any, type: VectorType = INDEX) -> Value:
        """Return a constant; a scalar number given for a vector type fills all its lanes."""
        data = array(value, type.dtype, type.width)
        return self.emit("const", (), {"type": type, "value": _plain(data)})[0]

    def _append(
        self,
        name: str,
        operands: Sequence[Value],
        types: list[Type],
        attributes: dict[str, Any],
        blocks: list[Block] | None,
    ) -> list[Value]:
        operation = Operation(name, list(operands), types, attributes, blocks, user_place())
        block = self.blocks[-1]
        for result in operation.results:
            result.block = block
        block.operations.append(operation)
        return operation.results

    def _folded(
        self, name: str, operands: Sequence[Value], types: list[Type], attributes: Any
    ) -> Value | None:
        """Return the result where constants decide it; the NumPy meaning is exact by definition."""
        if not 1 <= len(operands) <= 2 or name == "shuffle":
            return None
        known = [_is_constant(o) for o in operands]
        if not any(known):
            return None
        kind, meaning = types[0], ROWS[name].numpy
        if all(known) and meaning is not None and isinstance(kind, VectorType):
            return self.constant(meaning(*map(constant_of, operands), **attributes), kind)
        if len(operands) == 2 and isinstance(kind, VectorType) and kind.dtype.is_integer:
            return _identity(name, operands, known)
        return None


def _escaped(value: Value) -> KernelError:
    name = f"{value.name} is" if value.name else "this uses a value that is"
    return fail(
        f"{name} computed inside a loop or branch, and has ended with it; "
        "give a name a value before the loop or branch, and assign that name in it"
    )


def _is_constant(value: Value) -> bool:
    return value.operation is not None and value.operation.name == "const"


def constant_of(value: Value) -> Any:
    """Return the NumPy value of a constant, else None."""
    operation = value.operation
    if operation is None or operation.name != "const":
        return None
    kind = operation.attributes["type"]
    return array(operation.attributes["value"], kind.dtype, kind.width)


def _key(value: Any) -> Any:
    """Return what tells attributes apart: -0.0 == 0.0 and 1 == True, but they are not the same."""
    if isinstance(value, dict):
        return tuple((k, _key(value[k])) for k in value)
    if isinstance(value, tuple):
        return tuple(map(_key, value))
    if isinstance(value, float):
        return float, value, math.copysign(1.0, value)
    return (type(value), value) if isinstance(value, (bool, int)) else value


def _plain(data: Any) -> Any:
    """Return a hashable Python form of a constant: a number, or a tuple of lanes."""
    if data.dtype.kind == "V" or (data.dtype.itemsize == 2 and data.dtype.kind not in "iu"):
        data = data.astype(np.float64)
    if data.ndim == 0:
        return data.item()
    first = data[0]
    if data.tobytes() == first.tobytes() * len(data):
        return first.item()
    return tuple(data.tolist())


_NEUTRAL_RIGHT = {"add": 0, "subtract": 0, "multiply": 1, "floor_divide": 1, "shift_left": 0}
_NEUTRAL_LEFT = {"add": 0, "multiply": 1}


def _identity(name: str, operands: Sequence[Value], known: list[bool]) -> Value | None:
    """x + 0, x - 0, x * 1, x // 1 of integers are x; x * 0 is 0."""
    side = 1 if known[1] else 0
    operation = operands[side].operation
    number = operation.attributes["value"] if operation is not None else None
    neutral = (_NEUTRAL_RIGHT if side else _NEUTRAL_LEFT).get(name)
    if neutral is not None and number == neutral:
        return operands[1 - side]
    return operands[side] if name == "multiply" and number == 0 else None


def is_bool(type: Type) -> bool:
    """Whether a value of `type` is a mask or a scalar condition."""
    return isinstance(type, VectorType) and type.dtype is DType.bool
