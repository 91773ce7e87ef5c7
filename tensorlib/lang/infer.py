"""What functions over SIMD values return: they are recorded once, to see."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tensorlib.dtypes import DType
from tensorlib.errors import DTypeError, KernelError, SourceLocation, caret
from tensorlib.lang.rewrite import rewritten
from tensorlib.lang.trace import trace
from tensorlib.ops.user import name_of
from tensorlib.simd import SIMD, SIMDType

__all__ = ["calling", "check_arguments", "recorded", "result_dtype", "where_defined"]


def where_defined(function: Any) -> str:
    """Return the line that a function starts at, with its file; empty where that isn't known."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return ""
    return "\n" + caret(SourceLocation(code.co_filename, code.co_firstlineno))


def check_arguments(where: str, function: Callable[..., Any], count: int) -> None:
    """Raise KernelError where `function` can't be called with so many arguments."""
    try:
        inspect.signature(function).bind(*range(count))
    except TypeError as error:
        raise KernelError(
            f"{where}: {name_of(function)} was given {count} values: {error}"
            f"{where_defined(function)}"
        ) from None
    except ValueError:  # it has no signature: calling it will tell
        return


def calling(function: Callable[..., Any], prepare: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function to trace: it calls `function(*prepare(**arguments))`.

    It belongs to the language: errors show the lines of `function`, not this call.
    """

    def call(**arguments: Any) -> Any:
        return rewritten(function)(*prepare(**arguments))

    return call


def recorded(
    function: Callable[..., Any], types: Mapping[str, Any], prepare: Callable[..., Any]
) -> Any:
    """Return what `function(*prepare(**arguments))` returns for traced arguments of these types."""
    results: list[Any] = []
    call = calling(function, prepare)
    trace(lambda **arguments: results.append(call(**arguments)), types, name=name_of(function))
    return results[0]


def result_dtype(
    where: str, function: Callable[..., Any], dtypes: Sequence[DType], width: int | None = None
) -> DType:
    """Return the dtype of what `function` computes from vectors of these dtypes.

    It is recorded for single values and, without a `width` of its own, for vectors. Raises
    DTypeError where it does not return one SIMD value for each, KernelError where it can't be
    recorded.

    >>> result_dtype("elementwise", lambda x: x > 0, [DType.float32])
    tensorlib.bool
    """
    check_arguments(where, function, len(dtypes))
    found = DType.bool
    for lanes in dict.fromkeys((1, width or 4)):
        types = {"values": tuple(SIMDType(dtype, lanes) for dtype in dtypes)}
        result = recorded(function, types, lambda values: values)
        if not isinstance(result, SIMD) or result.width not in (1, lanes):
            got = repr(result.type) if isinstance(result, SIMD) else type(result).__name__
            raise DTypeError(
                f"{where}: {name_of(function)} returned {got} for {lanes} lanes, needed a SIMD "
                f"value of {lanes} lanes{where_defined(function)}"
            )
        found = result.dtype
    return found
