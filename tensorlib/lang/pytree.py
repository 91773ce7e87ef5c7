"""Takes tuples, lists, dicts and dataclasses apart into leaves, and makes them of leaves again."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["flatten", "is_data"]

Rebuild = Callable[[Iterator[Any]], Any]


def flatten(value: Any, opaque: Callable[[Any], bool] | None = None) -> tuple[list[Any], Rebuild]:
    """Return the leaves of `value` and a function that rebuilds it from an iterator of leaves.

    Lists and dicts are rebuilt afresh. Values for which `opaque` holds are leaves whatever they
    are. A class may have `__tree__()`, which returns its parts and a function that makes an object
    of such parts.

    >>> leaves, rebuild = flatten((1, [2, 3]))
    >>> leaves, rebuild(iter([4, 5, 6]))
    ([1, 2, 3], (4, [5, 6]))
    """
    leaves: list[Any] = []
    return leaves, _visit(value, leaves, opaque)


def _visit(value: Any, leaves: list[Any], opaque: Callable[[Any], bool] | None) -> Rebuild:
    kind = type(value)
    if opaque is not None and opaque(value):
        leaves.append(value)
        return next
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
    if hasattr(kind, "__tree__"):
        inner, make = value.__tree__()
        parts = [_visit(v, leaves, opaque) for v in inner]
        return lambda it: make([p(it) for p in parts])
    leaves.append(value)
    return next


def is_data(value: Any) -> bool:
    """Whether `value` is an object of a dataclass."""
    return hasattr(type(value), "__dataclass_fields__")


def _dataclass(value: Any, leaves: list[Any], opaque: Callable[[Any], bool] | None) -> Rebuild:
    names = [f.name for f in dataclasses.fields(value) if f.init]
    parts = {name: _visit(getattr(value, name), leaves, opaque) for name in names}
    return lambda it: dataclasses.replace(value, **{n: p(it) for n, p in parts.items()})
