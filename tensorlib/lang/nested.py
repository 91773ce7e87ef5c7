"""Arguments that are dataclasses or tuples: a kernel of them is one of their parts, put together.

window(out, Window(tile, total)) runs as window(out, window_tile, window_total).
"""

from __future__ import annotations

import copy
import dataclasses
import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tensorlib.ir.builder import current_builder
from tensorlib.lang.pytree import flatten, is_data
from tensorlib.lang.rewrite import rewritten

__all__ = ["is_nested", "parts_of", "spread"]


def is_nested(argument: Any) -> bool:
    """Whether an argument is made of others: a tuple, or an object of a user's dataclass."""
    inner = type(argument).__module__.startswith("tensorlib.")
    return isinstance(argument, (tuple, list)) or (is_data(argument) and not inner)


def parts_of(name: str, argument: Any) -> Iterator[tuple[str, Any]]:
    """Yield the parts of an argument, each named after the way to it.

    >>> list(parts_of("x", (1, [2.0, 3])))
    [('x_0', 1), ('x_1_0', 2.0), ('x_1_1', 3)]
    """
    if not is_nested(argument):
        yield name, argument
        return
    if is_data(argument):
        fields = [f.name for f in dataclasses.fields(argument) if f.init]
        pairs = [(field, getattr(argument, field)) for field in fields]
    else:
        kind = type(argument)
        names = getattr(kind, "_fields", range(len(argument)))
        pairs = [(str(key), part) for key, part in zip(names, argument, strict=True)]
    for key, part in pairs:
        yield from parts_of(f"{name}_{key}", part)


def spread(
    function: Callable[..., Any], names: Sequence[str], arguments: Sequence[Any]
) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """Return a function of all parts of the arguments, and the parts.

    Its keyword-only parameters are those of `function`.
    """
    found = [list(parts_of(*pair)) for pair in zip(names, arguments, strict=True)]
    rebuilds = [flatten(_emptied(argument), _is_part)[1] for argument in arguments]

    def of_parts(*parts: Any, **parameters: Any) -> Any:
        named = [parameters.pop(n) for n, _ in made[len(parts) :]]
        rest = iter((*parts, *named))
        whole = [rebuild(rest) for rebuild in rebuilds]
        call = function if current_builder() is None else rewritten(function)
        return call(*whole, **parameters)

    known = inspect.signature(function).parameters
    annotations = getattr(function, "__annotations__", {})
    made = [(n, annotations.get(n)) for group in found for n, _ in group]
    positional = [inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n, _ in made]
    others = [p for p in known.values() if p.kind is inspect.Parameter.KEYWORD_ONLY]
    of_parts.__name__, of_parts.__qualname__ = function.__name__, function.__qualname__
    of_parts.__signature__ = inspect.Signature([*positional, *others])  # type: ignore[attr-defined]
    of_parts.__annotations__ = {n: kind for n, kind in made if kind is not None}
    return of_parts, tuple(part for group in found for _, part in group)


def _emptied(argument: Any) -> Any:
    """Return an argument like this one without its parts, so that no array is kept alive."""
    if not is_nested(argument):
        return None
    if is_data(argument):
        made = copy.copy(argument)
        for field in dataclasses.fields(argument):
            if field.init:
                object.__setattr__(made, field.name, _emptied(getattr(argument, field.name)))
        return made
    parts, kind = [_emptied(part) for part in argument], type(argument)
    return kind(*parts) if hasattr(kind, "_fields") else kind(parts)


def _is_part(value: Any) -> bool:
    return not is_nested(value)
