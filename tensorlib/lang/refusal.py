"""Errors of kernels that leave the tracer: all of them show the user's line and who called it."""

from __future__ import annotations

import linecache
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tensorlib.errors import KernelError, TensorlibError, caret
from tensorlib.ir.builder import fail, traceback_place, user_place
from tensorlib.ir.core import Operation, located

__all__ = [
    "advice",
    "condition_refused",
    "different",
    "index_refused",
    "located_errors",
    "origin",
]


@contextmanager
def located_errors(name: str) -> Iterator[None]:
    """Give errors of tracing kernel `name` the user's line, if they have none.

    Those of the library become KernelErrors; others keep their class and get a note.
    """
    try:
        yield
    except KernelError:
        raise
    except RecursionError as error:
        raise KernelError(
            f"{name}: a function calls itself without an end; a condition that ends it must be "
            f"known at compile time{_shown(error)}"
        ) from None
    except TensorlibError as error:
        raise KernelError(f"{error}{_shown(error)}") from error
    except Exception as error:
        if isinstance(error.__cause__, KernelError):  # NumPy asked a value, and says less than it
            raise error.__cause__ from None
        error.add_note(f"while kernel {name} was traced:{_shown(error)}")
        raise


def _shown(error: BaseException) -> str:
    place = traceback_place(error.__traceback__)
    return f"\n{caret(located(place))}" if place is not None else ""


def condition_refused() -> KernelError:
    """Return the error of a condition that Python itself asks for its truth."""
    if _has_source():
        return fail(
            "bool: this condition is known at run time only, and Python needs one that is known "
            "now; try select, x != 0 for bool(x), or `if` in a function whose source can be read"
        )
    return fail(
        "bool: this condition is known at run time only, and the source of this function can't "
        "be read; try tl.cond(condition, then, otherwise) and tl.loop(count, body)"
    )


def index_refused() -> KernelError:
    """Return the error of a traced value where Python needs a number: `range`, lists, slices."""
    if _has_source():
        return fail(
            "index: this value is known at run time only, and Python needs a number here; a list "
            "takes an index of unroll(range(...)), and `range` belongs in the head of a `for`"
        )
    return fail(
        "index: this value is known at run time only, and the source of this function can't be "
        "read; try tl.loop(count, body)"
    )


def different(name: str, left: Any, right: Any) -> KernelError:
    """Return the error of two operands of different dtypes or widths."""
    given = f"{name}: got {left.type} and {right.type}, needed one dtype and width; try "
    if left.dtype is right.dtype:
        return fail(f"{given}.slice({min(left.width, right.width)}) of the wider, or .join")
    is_right = (right.dtype.is_float and not left.dtype.is_float) or left.dtype.kind == "bool"
    return fail(f"{given}.cast({(right if is_right else left).dtype.name})")


def advice(name: str, operands: Sequence[Any]) -> str:
    """Return what to do about operands whose dtype an operation does not take; empty if unknown."""
    kinds = {operand.dtype.kind for operand in operands}
    if kinds == {"bool"} and name not in ("and", "or", "xor", "not"):
        return "; try .cast(int64) to count with a mask, or &, |, ^ and ~"
    if "float" in kinds:
        return "; try .to_bits(), or .cast(int64)" if name in _OF_BITS else ""
    return f"; try {_OF_FLOATS[name]}.cast(float64)" if name in _OF_FLOATS else ""


_OF_BITS = ("and", "or", "xor", "not", "shift_left", "shift_right")
_OF_FLOATS = {"divide": "//, or ", "sqrt": "", "fma": "x * y + z, or "}


def _has_source() -> bool:
    place = user_place()
    return place is None or bool(linecache.getlines(place[0].co_filename))


def origin(kind: object, operation: Operation | None) -> str:
    """Return lines that say where a value of a type was made, to stand behind a message."""
    location = operation.location if operation is not None else None
    if location is None:
        return ""
    line = caret(location).split("\ncalled from")[0]
    return f"\n{kind} comes from\n{line}"
