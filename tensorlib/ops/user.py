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

import numpy as np

from tensorlib.dtypes import DType
from tensorlib.ops import OPS
from tensorlib.ops.row import Op

__all__ = ["cells_of", "frozen", "function_key", "name_of", "row_of", "snapshot", "values_of"]

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


def snapshot(function: Any) -> tuple[Any, ...] | None:
    """Return the very objects that a function depends on; None where they may change inside.

    Two snapshots of the same objects mean that the function has kept its key.
    """
    found: list[Any] = []
    waiting, seen = [function], {id(function)}
    while waiting:
        value = waiting.pop()
        found.append(value)
        if isinstance(value, types.FunctionType):
            if _is_ours(value):
                continue
            new = [*values_of(value).values(), *(value.__defaults__ or ())]
            new += (value.__kwdefaults__ or {}).values()
        elif isinstance(value, tuple):
            new = list(value)
        elif isinstance(value, _ATOMS):
            continue
        else:
            return None
        waiting += [v for v in new if id(v) not in seen]
        seen.update(map(id, new))
    return tuple(found)


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
