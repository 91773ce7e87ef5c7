"""Takes values apart into leaves and puts them together again: tuples, lists, dicts, dataclasses."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["flatten"]

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
    if isinstance(value, opaque):
        leaves.append(value)
        return next
    if isinstance(value, (tuple, list)):
        parts = [_visit(v, leaves, opaque) for v in value]
        kind = type(value)
        if hasattr(kind, "_fields"):  # a named tuple takes its fields one by one
            return lambda it: kind(*[p(it) for p in parts])
        return lambda it: kind([p(it) for p in parts])
    if isinstance(value, dict):
        keyed = {k: _visit(v, leaves, opaque) for k, v in value.items()}
        return lambda it: {k: p(it) for k, p in keyed.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _dataclass(value, leaves, opaque)
    leaves.append(value)
    return next


def _dataclass(value: Any, leaves: list[Any], opaque: tuple[type, ...]) -> Rebuild:
    fields = [f.name for f in dataclasses.fields(value) if f.init]
    parts = {name: _visit(getattr(value, name), leaves, opaque) for name in fields}
    return lambda it: dataclasses.replace(value, **{n: p(it) for n, p in parts.items()})
