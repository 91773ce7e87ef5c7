"""Takes values apart into leaves and puts them together again: tuples, lists, dicts, dataclasses."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["flatten", "is_container", "refilled"]

Rebuild = Callable[[Iterator[Any]], Any]


def flatten(value: Any, opaque: tuple[type, ...] = ()) -> tuple[list[Any], Rebuild]:
    """Return the leaves of `value` and a function that rebuilds it from an iterator of leaves.

    Lists and dicts are rebuilt afresh, so that a loop body may change its own copy. Values of the
    `opaque` types are leaves whatever they are.

    >>> leaves, rebuild = flatten((1, [2, 3]))
    >>> leaves, rebuild(iter([4, 5, 6]))
    ([1, 2, 3], (4, [5, 6]))
    """
    leaves: list[Any] = []
    return leaves, _visit(value, leaves, opaque)


def _visit(value: Any, leaves: list[Any], opaque: tuple[type, ...]) -> Rebuild:
    if opaque and isinstance(value, opaque):
        leaves.append(value)
        return next
    kind = type(value)
    if isinstance(value, (tuple, list)):
        parts = [_visit(v, leaves, opaque) for v in value]
        if hasattr(kind, "_fields"):  # a named tuple takes its fields one by one
            return lambda it: kind(*[p(it) for p in parts])
        return lambda it: kind([p(it) for p in parts])
    if isinstance(value, dict):
        keyed = {k: _visit(v, leaves, opaque) for k, v in value.items()}
        return lambda it: {k: p(it) for k, p in keyed.items()}
    if is_data(value):
        return _dataclass(value, leaves, opaque)
    leaves.append(value)
    return next


def is_data(value: Any) -> bool:
    """Whether `value` is an object of a dataclass."""
    return hasattr(type(value), "__dataclass_fields__")


def is_container(value: Any) -> bool:
    """Whether `value` is taken apart by `flatten`."""
    return isinstance(value, (tuple, list, dict)) or is_data(value)


def _fields(value: Any) -> list[str]:
    return [f.name for f in dataclasses.fields(value) if f.init]


def _dataclass(value: Any, leaves: list[Any], opaque: tuple[type, ...]) -> Rebuild:
    parts = {name: _visit(getattr(value, name), leaves, opaque) for name in _fields(value)}
    return lambda it: dataclasses.replace(value, **{n: p(it) for n, p in parts.items()})


def refilled(old: Any, new: Any) -> Any:
    """Return `old` holding what `new` holds, changed in place where it can be, else `new`.

    >>> old = [1, [2]]
    >>> inner = old[1]
    >>> refilled(old, [3, [4]]) is old, inner
    (True, [4])
    """
    if type(old) is not type(new):
        return new
    if isinstance(old, list) and len(old) == len(new):
        old[:] = [refilled(a, b) for a, b in zip(old, new, strict=True)]
        return old
    if isinstance(old, dict) and old.keys() == new.keys():
        for key in old:
            old[key] = refilled(old[key], new[key])
        return old
    if is_data(old) and not type(old).__dataclass_params__.frozen:  # type: ignore[attr-defined]
        for name in _fields(old):
            setattr(old, name, refilled(getattr(old, name), getattr(new, name)))
        return old
    if isinstance(old, tuple) and len(old) == len(new):
        parts = [refilled(a, b) for a, b in zip(old, new, strict=True)]
        same = all(a is b for a, b in zip(parts, old, strict=True))
        return old if same else type(old)(*parts) if hasattr(old, "_fields") else type(old)(parts)
    return new
