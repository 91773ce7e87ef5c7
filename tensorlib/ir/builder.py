"""Builds IR: checks types as operations come, folds constants and shares equal pure values."""

from __future__ import annotations

import functools
import math
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR
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
    "tensorlib.functions",
    "tensorlib.simd",
    "tensorlib.tile",
    "tensorlib.lang.",
    "tensorlib.layouts.",
)
# Of the library's other modules, these hold kernels: their lines are shown as callers.
_KERNELS = ("tensorlib.kernels.", "tensorlib.tests.", "tensorlib.nn.")
_LANGUAGE, _TRACER, _LIBRARY, _USERS = range(4)
_KINDS: dict[str, int] = {}  # by the name of the module
_WORD = 1 << 63  # an int64 is from -_WORD on, and below _WORD
# Dtypes whose elements are Python numbers to NumPy.
_ITEMS = frozenset(
    d
    for d in DType.by_name.values()
    if d.kind in ("bool", "signed", "unsigned") or (d.is_float and d.bits >= 32)
)
_NONE: dict[str, Any] = {}
_SUSPENDED = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR


def current_builder() -> Builder | None:
    """Return the builder of the kernel being traced in this thread, if any."""
    return getattr(_STATE, "builder", None)


def _kind(frame: FrameType) -> int:
    """Return whose code a frame runs."""
    name = frame.f_globals.get("__name__", "")
    kind = _KINDS.get(name)
    if kind is None:
        if name == "tensorlib.lang.trace":
            kind = _TRACER
        elif name.startswith(_INTERNAL):
            kind = _LANGUAGE
        else:
            is_library = name.startswith("tensorlib.") and not name.startswith(_KERNELS)
            kind = _LIBRARY if is_library else _USERS
        _KINDS[name] = kind
    return kind


def user_place() -> Place | None:
    """Return the innermost place in Python that is not the kernel language itself.

    While a kernel is traced the place knows the places of the calls that led to it.
    """
    frame, builder = _user_frame(sys._getframe(1)), current_builder()
    if frame is None:
        return None
    outer = builder.callers(frame) if builder is not None else None
    return frame.f_code, frame.f_lasti, outer


def _user_frame(frame: FrameType | None) -> FrameType | None:
    """Return the innermost frame from `frame` on that is not the kernel language itself."""
    while frame is not None:
        try:
            kind = _KINDS[frame.f_globals["__name__"]]  # as _kind does, without a call
        except KeyError:
            kind = _kind(frame)
        if kind >= _LIBRARY:
            break
        frame = frame.f_back
    return frame


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
            around = outer.f_code
            if is_direct or code not in around.co_consts:
                found.append((around, outer.f_lasti))
            code, is_direct = around, True
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
        self.known: dict[Any, Value] = {}  # pure operations in open blocks
        self.added: list[list[Any]] = []  # which of them each open block has
        self._frame: FrameType | None = None  # the user's, that the last operation came from
        self._calls: Place | None = None  # what led to it

    @contextmanager
    def active(self) -> Iterator[Builder]:
        """Make this the builder that traced values record into."""
        previous = current_builder()
        _STATE.builder = self
        try:
            yield self
        finally:
            _STATE.builder = previous
            self._frame = None

    def block(self, parameter_types: Sequence[Type] = ()) -> _Open:
        """Open a nested block; what it computes can't be used outside it."""
        block = Block()
        block.parameters = [Value(t, None, "", block) for t in parameter_types]
        return _Open(self, block)

    def reopened(self, block: Block) -> _Open:
        """Append to a block once more."""
        return _Open(self, block)

    def inline(self, block: Block) -> None:
        """Move the operations of a finished nested block to the end of the open one."""
        target = self.blocks[-1]
        for operation in block.operations:
            for result in operation.results:
                result.block = target
        target.operations.extend(block.operations)
        block.operations = []

    def place(self) -> tuple[int, int]:
        """Return where the open block ends now, for `go_back`."""
        return len(self.blocks[-1].operations), len(self.added[-1])

    def go_back(self, place: tuple[int, int]) -> None:
        """Remove what the open block got since `place`; nothing of it may be used any more."""
        operations, added = place
        del self.blocks[-1].operations[operations:]
        for key in self.added[-1][added:]:
            del self.known[key]
        del self.added[-1][added:]

    def emit(
        self,
        name: str,
        operands: Sequence[Value] = (),
        attributes: dict[str, Any] | None = None,
        blocks: list[Block] | None = None,
        depth: int = 2,
    ) -> list[Value]:
        """Append op `name` and return its results; raises KernelError where types don't fit.

        `depth` is how many frames, from `_append`'s outwards, are the language's own for sure: they
        are not looked at for the user's place.
        """
        row, given, is_any_known = ROWS[name], [], False
        for operand in operands:
            block, made = operand.block, operand.operation
            if block is not None and not block.is_open:
                raise _escaped(operand)
            if made is not None and made.name == "const":
                is_any_known = True
            given.append(operand.type)
        types = row.types(name, given, attributes or _NONE)
        if row.effect != "pure":
            return self._append(name, list(operands), types, attributes, blocks, depth)
        if is_any_known:
            folded = self._folded(name, operands, types, attributes or _NONE)
            if folded is not None:
                return [folded]
        key = (name, *operands, _key(attributes)) if attributes else (name, *operands)
        found = self.known.get(key)
        if found is not None:
            return [found]
        results = self._append(name, list(operands), types, attributes, None, depth)
        self.known[key] = results[0]
        self.added[-1].append(key)
        return results

    def _append(
        self,
        name: str,
        operands: list[Value],
        types: list[Type],
        attributes: dict[str, Any] | None,
        blocks: list[Block] | None = None,
        depth: int = 2,
    ) -> list[Value]:
        frame: FrameType | None = sys._getframe(depth)
        block, place = self.blocks[-1], None
        if frame is self._frame:  # as most often
            assert frame is not None
            place = frame.f_code, frame.f_lasti, self._calls
        else:
            frame = _user_frame(frame)
            if frame is not None:
                place = frame.f_code, frame.f_lasti, self.callers(frame)
        operation = Operation(name, operands, types, attributes, blocks, place, block)
        block.operations.append(operation)
        return operation.results

    def value(self, name: str, *operands: Value, **attributes: Any) -> Value:
        """Emit an op of one result and return it."""
        return self.emit(name, operands, attributes)[0]

    def constant(self, value: Any, type: VectorType = INDEX) -> Value:
        """Return a constant; a scalar number given for a vector type fills all its lanes."""
        if type is not INDEX or value.__class__ is not int or not -_WORD <= value < _WORD:
            data = array(value, type.dtype, type.width)
            value = _lanes(data, type)
        return self._constant(value, type)

    def number(self, number: int | float, sign: float, type: VectorType) -> Value:
        """Return the constant of a Python number in all lanes; its sign tells 0.0 from -0.0."""
        kind: Any = number.__class__
        return self._constant(_rounded(kind, number, sign, type), type)

    def _constant(self, value: Any, type: VectorType) -> Value:
        key = "const", type, value if value.__class__ is int else _key(value)
        found = self.known.get(key)
        if found is not None:
            return found
        attributes = {"type": type, "value": value}
        (made,) = self._append(
            "const", [], ROWS["const"].types("const", (), attributes), attributes
        )
        self.known[key] = made
        self.added[-1].append(key)
        return made

    def callers(self, frame: FrameType) -> Place | None:
        """Return the places of the calls that led to the user's function that runs in a frame.

        They stay as they are for as long as it runs, unless it is one that stops between.
        """
        if frame is not self._frame:
            self._calls = _calls(frame)
            self._frame = None if frame.f_code.co_flags & _SUSPENDED else frame
        return self._calls

    def _folded(
        self, name: str, operands: Sequence[Value], types: list[Type], attributes: Any
    ) -> Value | None:
        """Return the result where constants decide it; the NumPy meaning is exact by definition."""
        if not 1 <= len(operands) <= 2 or name == "shuffle":
            return None
        known = [_is_constant(o) for o in operands]
        kind, meaning = types[0], ROWS[name].numpy
        if all(known) and meaning is not None and isinstance(kind, VectorType):
            return self.constant(meaning(*map(constant_of, operands), **attributes), kind)
        if len(operands) == 2 and isinstance(kind, VectorType) and kind.dtype.is_integer:
            return _identity(name, operands, known)
        return None


class _Open:
    """Has a block open within a `with`: written out, since each takes as long as an operation."""

    __slots__ = ("block", "builder")

    def __init__(self, builder: Builder, block: Block) -> None:
        self.builder, self.block = builder, block

    def __enter__(self) -> Block:
        self.builder.blocks.append(self.block)
        self.builder.added.append([])
        self.block.is_open = True
        return self.block

    def __exit__(self, *_: object) -> None:
        self.block.is_open = False
        self.builder.blocks.pop()
        for key in self.builder.added.pop():
            del self.builder.known[key]


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


def _lanes(data: Any, type: VectorType) -> Any:
    """Return the Python form of an array of constants: one number where all lanes have it."""
    is_filled = not data.ndim or data.strides == (0,)
    return data.item(0) if is_filled and type.dtype in _ITEMS else _plain(data)


@functools.lru_cache(maxsize=4096)
def _rounded(kind: type, number: int | float, sign: float, type: VectorType) -> Any:
    """Return a number as the dtype holds it. Equal keys are one number: 1 and 1.0 are not."""
    return _lanes(array(number, type.dtype, type.width), type)


def _plain(data: Any) -> Any:
    """Return a hashable Python form of a constant: a number, or a tuple of lanes."""
    if data.dtype.kind == "V" or (data.dtype.itemsize == 2 and data.dtype.kind not in "iu"):
        data = data.astype(np.float64)
    if data.ndim == 0:
        return data.item()
    first = data[0]
    if data.strides == (0,) or data.tobytes() == first.tobytes() * len(data):
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
