"""Rows of the op table that users add at run time, one for each function that they write.

A function is taken as it is when it is first used: the values that it closes over, and those of the
global names that it reads, are kept. Two functions of the same code over the same values are one
row, so that a lambda in a loop compiles once.
"""

from __future__ import annotations

import functools
import re
import struct
import sys
import threading
import types
from collections.abc import Callable, Iterator
from typing import Any
from weakref import WeakKeyDictionary, ref

import numpy as np

from tensorlib.dtypes import DType
from tensorlib.layouts.dim import Dim
from tensorlib.ops import OPS
from tensorlib.ops.row import Op

__all__ = [
    "ABSENT",
    "cells_of",
    "frozen",
    "function_key",
    "kept_row",
    "kind_of",
    "name_of",
    "row_of",
    "values_of",
    "watch",
]

ABSENT = "absent"  # in place of an operand of a user's kernel that was left out

_ROWS: dict[Any, Op] = {}
_LOCK = threading.Lock()
_ATOMS = (
    bool, int, float, complex, str, bytes, type(None), DType, type, types.ModuleType, np.generic,
)  # fmt: skip
_PLAIN = (bool, int, str, bytes, type(None), DType, type, types.ModuleType, types.CodeType)


def row_of(kind: str, function: Any, key: Any, make: Callable[[str], Op]) -> Op:
    """Return the row of `key`; where there is none yet, `make(name)` with a name of its own.

    The name is that of the function with a number, which no row of the library has: `swish#1`.
    """
    with _LOCK:
        found = _ROWS.get((kind, key))
        if found is None:
            found = _ROWS[kind, key] = make(_unused(name_of(function)))
            OPS[found.name] = found
        return found


def _unused(name: str) -> str:
    number = 1
    while f"{name}#{number}" in OPS:
        number += 1
    return f"{name}#{number}"


def name_of(function: Any) -> str:
    """Return what to call a function: its own name.

    >>> name_of(functools.partial(len)), name_of(lambda x: x)
    ('len', 'lambda')
    """
    if isinstance(function, functools.partial):
        return name_of(function.func)
    name = getattr(function, "__name__", type(function).__name__)
    return re.sub(r"\W", "", name) or "function"


# --- what a function depends on ---


def kind_of(number: Any) -> str:
    """Return what an operand of a user's kernel is: tile, none, int, float or bool.

    `number` is its entry in the attribute `numbers`: None for a tensor.

    >>> kind_of(None), kind_of(ABSENT), kind_of(2.0)
    ('tile', 'none', 'float')
    """
    if number is None:
        return "tile"
    if number is ABSENT:
        return "none"
    return "int" if isinstance(number, Dim) else type(number).__name__


def function_key(function: Any) -> Any:
    """Return a hashable form of a function's code and of the values that it closes over and reads.

    >>> def times(k):
    ...     return lambda x: x * k
    >>> function_key(times(2)) == function_key(times(2)), times(2) == times(2)
    (True, False)
    >>> function_key(times(2)) == function_key(times(2.0))
    False
    """
    return _value_key(function, ())


def _value_key(value: Any, above: tuple[Any, ...]) -> Any:
    if isinstance(value, float | complex):
        number = complex(value)
        return type(value), struct.pack("<dd", number.real, number.imag)
    if isinstance(value, np.generic):
        return type(value), value.tobytes()
    if isinstance(value, _PLAIN):
        return type(value), value
    if any(value is v for v in above):
        return "recursive", above.index(value)
    above = (*above, value)
    if isinstance(value, tuple | list):
        return type(value), tuple(_value_key(v, above) for v in value)
    if isinstance(value, dict):
        return dict, tuple((k, _value_key(v, above)) for k, v in value.items())
    if isinstance(value, functools.partial):
        parts = (value.func, value.args, value.keywords)
        return functools.partial, tuple(_value_key(v, above) for v in parts)
    if isinstance(value, types.FunctionType) and not _is_ours(value):
        names = tuple((n, _value_key(v, above)) for n, v in values_of(value).items())
        defaults = _value_key([value.__defaults__, value.__kwdefaults__], above)
        return value.__code__, value.__code__.co_filename, defaults, names
    return _Same(value)


class _Same:
    """Equal for one and the same object only, which it keeps alive."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.value is self.value

    def __hash__(self) -> int:
        return id(self.value)


def _is_ours(function: types.FunctionType) -> bool:
    """True for the library's own functions that a module holds: they don't change."""
    module = function.__module__ or ""
    if not module.startswith("tensorlib.") or module.startswith("tensorlib.tests."):
        return False
    return getattr(sys.modules.get(module), function.__name__, None) is function


class Watch:
    """The objects that a function depends on, as they were; None of them may change inside.

    `holds()` says whether they are the same objects still: then the function has kept its key.
    """

    __slots__ = ("_cells", "_functions", "_names")

    def __init__(self) -> None:
        self._names: list[tuple[dict[str, Any], str, Any]] = []
        self._cells: list[tuple[types.CellType, Any]] = []
        self._functions: list[tuple[ref[types.FunctionType], Any, Any]] = []  # not kept alive

    def holds(self) -> bool:
        """Return whether nothing has changed."""
        for known, name, value in self._names:
            if known.get(name, _MISSING) is not value:
                return False
        for cell, value in self._cells:
            if cell.cell_contents is not value:
                return False
        for reference, code, defaults in self._functions:
            function = reference()
            if function is None or function.__code__ is not code:
                return False
            if function.__defaults__ is not defaults or function.__kwdefaults__:
                return False
        return True

    def add(self, function: types.FunctionType) -> list[Any] | None:
        """Watch what a function depends on, and return it; None where that can't be watched."""
        if function.__kwdefaults__:
            return None
        code, known = function.__code__, function.__globals__
        self._functions.append((ref(function), code, function.__defaults__))
        names = [(known, name, known.get(name, _MISSING)) for name in _names(code)]
        self._names += names
        found = [value for _, _, value in names if value is not _MISSING]
        for cell in function.__closure__ or ():
            try:
                self._cells.append((cell, cell.cell_contents))
            except ValueError:  # it has no value yet
                return None
            found.append(cell.cell_contents)
        return [*found, *(function.__defaults__ or ())]


_MISSING = object()


def watch(function: Any) -> Watch | None:
    """Return what tells that a function has kept its key; None where what it depends on may change
    inside.

    >>> k = 2.0
    >>> def times(x):
    ...     return x * k
    >>> kept = watch(times)
    >>> kept is not None and kept.holds()
    True
    """
    made, waiting, seen = Watch(), [function], {id(function)}
    while waiting:
        value = waiting.pop()
        if isinstance(value, types.FunctionType):
            new = [] if _is_ours(value) else made.add(value)
        elif isinstance(value, tuple):
            new = list(value)
        else:
            new = [] if isinstance(value, _ATOMS) else None
        if new is None:
            return None
        waiting += [v for v in new if id(v) not in seen]
        seen.update(map(id, new))
    return made


_SEEN: WeakKeyDictionary[Any, dict[Any, tuple[Watch, Op]]] = WeakKeyDictionary()


def kept_row(kind: str, function: Any, rest: Any, make: Callable[[str], Op]) -> Op:
    """Return `row_of` a function and a hashable `rest`; found at once where the same function comes
    again and nothing that it depends on has changed.
    """
    known = _SEEN.get(function) if isinstance(function, types.FunctionType) else None
    found = known.get((kind, rest)) if known is not None else None
    if found is not None and found[0].holds():
        return found[1]
    row = row_of(kind, function, (function_key(function), rest), make)
    kept = watch(function) if isinstance(function, types.FunctionType) else None
    if kept is not None:
        _SEEN.setdefault(function, {})[kind, rest] = kept, row
    return row


def cells_of(function: types.FunctionType) -> dict[str, Any]:
    """Return the values that a function closes over; names without a value yet are left out."""
    found = {}
    names = function.__code__.co_freevars
    for name, cell in zip(names, function.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:
            continue
    return found


def values_of(function: types.FunctionType) -> dict[str, Any]:
    """Return what a function closes over and the global names that it reads, by name."""
    return {**_globals(function), **cells_of(function)}


def _globals(function: types.FunctionType) -> dict[str, Any]:
    """Return the values of the global names that a function reads."""
    known = function.__globals__
    return {n: known[n] for n in _names(function.__code__) if n in known}


@functools.lru_cache(maxsize=4096)
def _names(code: types.CodeType) -> list[str]:
    """Return the global names, and those of attributes, that a code object reads."""
    return sorted({n for inner in _codes(code) for n in inner.co_names})


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)


# --- a function as it is now ---


def frozen(function: Any) -> Any:
    """Return the function over copies of its closure and of the globals that it reads, so that
    assigning to those later changes nothing.
    """
    return _frozen(function, {})


def _frozen(value: Any, done: dict[int, Any]) -> Any:
    if id(value) in done:
        return done[id(value)]
    if isinstance(value, list):
        return [_frozen(v, done) for v in value]
    if isinstance(value, functools.partial):
        words = {k: _frozen(v, done) for k, v in value.keywords.items()}
        args = [_frozen(v, done) for v in value.args]
        return functools.partial(_frozen(value.func, done), *args, **words)
    if not isinstance(value, types.FunctionType) or _is_ours(value):
        return value
    cells = tuple(types.CellType() for _ in value.__code__.co_freevars)
    known: dict[str, Any] = {
        "__builtins__": value.__globals__.get("__builtins__", __builtins__),
        "__name__": value.__module__,
    }
    made = types.FunctionType(
        value.__code__, known, value.__name__, value.__defaults__, cells or None
    )
    done[id(value)] = made
    made.__kwdefaults__, made.__module__ = value.__kwdefaults__, value.__module__
    made.__qualname__, made.__doc__ = value.__qualname__, value.__doc__
    now = cells_of(value)
    for name, cell in zip(value.__code__.co_freevars, cells, strict=True):
        if name in now:
            cell.cell_contents = _frozen(now[name], done)
    known.update((name, _frozen(v, done)) for name, v in _globals(value).items())
    return made
