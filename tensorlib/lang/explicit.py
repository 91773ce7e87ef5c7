"""Control flow as functions: `loop` and `cond`, for code whose source can't be read, and `alias`.

At a bare prompt, in `python -c` and in what `exec` defines there is no source to rewrite. These
functions record what the statements record.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from tensorlib.ir.builder import fail
from tensorlib.lang.carried import Scope
from tensorlib.lang.control import Range, choose, run_for, run_while
from tensorlib.lang.pytree import flatten
from tensorlib.lang.rewrite import rewritten
from tensorlib.simd import SIMD

__all__ = ["alias", "cond", "loop"]


def cond(
    condition: Any, then: Callable[..., Any], otherwise: Callable[..., Any], *values: Any
) -> Any:
    """Return `then(*values)` where the condition holds, else `otherwise(*values)`.

    Both give values of the same types. Outside a kernel, and for conditions that are known, one
    of them is called and no more.

    >>> cond(2 > 1, lambda x: x + 1, lambda x: x - 1, 5)
    6
    """
    return choose(
        condition, lambda: rewritten(then)(*values), lambda: rewritten(otherwise)(*values)
    )


def loop(bounds: Any, body: Callable[..., Any], *values: Any) -> Any:
    """Run `body(i, *values)`, which returns the values for the next time; return the last ones.

    `bounds` is a count or a tuple (start, stop[, step]) as of `range`; a function makes it a
    `while`: `bounds(*values)` says whether `body(*values)` runs once more. With one value the body
    returns it, with several a tuple, with none nothing.

    >>> loop((1, 4), lambda i, total: total + i, 0)
    6
    >>> loop(lambda x: x < 100, lambda x: x * 2, 7)
    112
    """
    state = list(values)

    def put(new: tuple[Any, ...]) -> None:
        state[:] = new

    if callable(bounds):
        names = _names(body, len(values))
        scope = Scope(names, lambda: tuple(state), put)
        test = rewritten(bounds)
        run_while(lambda: test(*state), lambda: put(_results(body, state)), scope, ())
    else:
        item, *names = _names(body, len(values) + 1)
        scope = Scope(names, lambda: tuple(state), put)
        numbers = Range(*(bounds if isinstance(bounds, tuple) else (bounds,)))
        run_for(numbers, lambda i: put(_results(body, state, i)), scope, (), (item,))
    return state[0] if len(state) == 1 else tuple(state) or None


def _names(body: Callable[..., Any], count: int) -> list[str]:
    """Return the names of a body's parameters: what the IR calls its values."""
    try:
        names = list(inspect.signature(body).parameters)
    except (TypeError, ValueError):
        names = []
    return [*names, *(f"value{n}" for n in range(len(names), count))][:count]


def _results(body: Callable[..., Any], state: Sequence[Any], *first: Any) -> tuple[Any, ...]:
    """Call a body and return the values that it gives, as many as it got."""
    result = rewritten(body)(*first, *state)
    if len(state) == 1:
        return (result,)
    found = () if result is None else result
    if not isinstance(found, tuple) or len(found) != len(state):
        got = f"{len(found)} values" if isinstance(found, tuple) else type(found).__name__
        raise fail(f"loop: the body returns {got}, needed a tuple of {len(state)}")
    return found


def alias(function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
    """Return `function(*arguments)`, called at compile time as plain Python.

    Inside a kernel a function's loops are recorded; behind `alias` they run now, so that lists and
    numbers that ordinary code computes can be used at run time.

    >>> alias(sorted, [3, 1, 2])
    [1, 2, 3]
    """
    leaves = flatten([list(arguments), keywords])[0]
    if any(isinstance(leaf, SIMD) and leaf.is_traced for leaf in leaves):
        raise fail("alias: got a value that is known at run time only, needed compile-time values")
    return function(*arguments, **keywords)
