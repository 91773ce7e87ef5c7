"""Errors of kernels that leave the tracer: all of them show the user's line and who called it."""

from __future__ import annotations

import linecache
from collections.abc import Iterator
from contextlib import contextmanager

from tensorlib.errors import KernelError, TensorlibError, caret
from tensorlib.ir.builder import fail, traceback_place, user_place
from tensorlib.ir.core import Operation, located

__all__ = ["condition_refused", "located_errors", "origin"]


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
        error.add_note(f"while kernel {name} was traced:{_shown(error)}")
        raise


def _shown(error: BaseException) -> str:
    place = traceback_place(error.__traceback__)
    return f"\n{caret(located(place))}" if place is not None else ""


def condition_refused() -> KernelError:
    """Return the error of a condition that Python itself asks for its truth."""
    if _has_source():
        return fail(
            "bool: this condition is known at run time only; try select, or `if` in a function "
            "whose source can be read"
        )
    return fail(
        "bool: this condition is known at run time only, and the source of this function can't "
        "be read; try tl.cond(condition, then, otherwise) and tl.loop(count, body)"
    )


def index_refused() -> KernelError:
    """Return the error of a traced value where Python needs a number: `range`, lists, slices."""
    if _has_source():
        return fail("index: a loop index is known at run time only; try unroll(...) in the loop")
    return fail(
        "index: this value is known at run time only, and the source of this function can't be "
        "read; try tl.loop(count, body)"
    )


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
