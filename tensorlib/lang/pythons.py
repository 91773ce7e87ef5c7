"""What kernels call in place of Python's own functions, which know no values of run time.

`min`, `max`, `any`, `all`, `sorted` record what they do where a value is traced; functions of
`math` say which function of the language to take.
"""

from __future__ import annotations

import builtins
import functools
import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tensorlib.ir.builder import fail
from tensorlib.lang.conditions import ONCE, and_, is_traced, or_, truth
from tensorlib.lang.ranges import enumerated, zipped

__all__ = ["replaced"]


def replaced(function: Any) -> Any:
    """Return what a kernel calls for one of Python's functions; any other as it is."""
    found = _REPLACED.get(function, function)
    return _of_math(found) if getattr(found, "__module__", "") == "math" else found


def _smallest(*values: Any, **keywords: Any) -> Any:
    """`min(a, b, ...)`, which keeps the first where `b < a` does not hold, as Python does."""
    return _extreme(builtins.min, operator.lt, values, keywords)


def _largest(*values: Any, **keywords: Any) -> Any:
    """`max(a, b, ...)`, which keeps the first where `b > a` does not hold, as Python does."""
    return _extreme(builtins.max, operator.gt, values, keywords)


def _extreme(
    plain: Callable[..., Any],
    is_better: Callable[[Any, Any], Any],
    given: Sequence[Any],
    keywords: dict[str, Any],
) -> Any:
    values = given
    if len(given) == 1 and not is_traced(given[0]) and hasattr(given[0], "__iter__"):
        values = list(given[0])
        given = [values]
    if not any(map(is_traced, values)) or len(values) < 2:
        return plain(*given, **keywords)
    key = keywords.get("key") or (lambda value: value)
    best, rank = values[0], key(values[0])
    for value in values[1:]:
        other = key(value)
        test = is_better(other, rank)
        if is_traced(test):
            if test.width != 1:
                name = plain.__name__
                raise fail(f"{name}: got {test.width} lanes, needed scalars; try .{name}(other)")
            best, rank = test.select(value, best), test.select(other, rank)
        elif test:
            best, rank = value, other
    return best


def _any(values: Any) -> Any:
    """`any(values)`: asks for one value after the other, as long as the result is open."""
    return _first(iter(values), True)


def _all(values: Any) -> Any:
    """`all(values)`: asks for one value after the other, as long as the result is open."""
    return _first(iter(values), False)


def _first(values: Iterator[Any], decides: bool) -> Any:
    """Return whether a value decides."""
    for value in values:
        if is_traced(value):
            logic = or_ if decides else and_
            return logic(truth(value), lambda: _first(values, decides), ONCE)
        if bool(value) is decides:
            return decides
    return not decides


def _sorted(values: Any, *, key: Any = None, reverse: Any = False) -> Any:
    """`sorted(values)`: traced whole numbers go through a network of comparisons."""
    found = list(values)
    if not any(map(is_traced, found)):
        return sorted(found, key=key, reverse=reverse)
    if key is not None or any(not _is_whole(v) for v in found):
        raise fail(
            "sorted: got values known at run time only, needed whole numbers, and no key; try "
            "a.min(b) and a.max(b) for each pair to put in order"
        )
    for end in range(len(found), 1, -1):
        for i in range(end - 1):
            a, b = found[i : i + 2]
            found[i : i + 2] = _smallest(a, b), _largest(a, b)
    return found[::-1] if reverse else found


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) or (is_traced(value) and value.dtype.is_integer)


@functools.cache
def _of_math(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of `math` that says what to do where a value is traced."""
    name = function.__name__
    if name in ("floor", "ceil", "trunc"):  # these ask the value
        return function

    @functools.wraps(function)
    def of_numbers(*values: Any, **keywords: Any) -> Any:
        if any(map(is_traced, values)):
            raise fail(
                f"math.{name}: got a value that is known at run time only, needed a Python "
                f"number{_instead(name)}"
            )
        return function(*values, **keywords)

    return of_numbers


def _instead(name: str) -> str:
    """Return what says the same in the language, to stand behind a message."""
    from tensorlib.lang import math as ours  # it is written in the language

    if name in ours.__all__:
        return f"; try tensorlib.lang.math.{name}"
    return f"; try {_INSTEAD[name]}" if name in _INSTEAD else ""


_INSTEAD = {
    "copysign": "x.copysign(y)",
    "dist": "(x - y).sqrt of sums of squares",
    "fabs": "abs(x)",
    "fma": "x.fma(y, z)",
    "fmod": "x - (x / y).trunc() * y",
    "isfinite": "abs(x) < math.inf",
    "isinf": "abs(x) == math.inf",
    "isnan": "x != x",
    "isqrt": "x.cast(float64).sqrt()",
    "prod": "a loop",
    "sqrt": "x.sqrt()",
}
_REPLACED: dict[Any, Any] = {
    min: _smallest,
    max: _largest,
    any: _any,
    all: _all,
    sorted: _sorted,
    enumerate: enumerated,
    zip: zipped,
}
