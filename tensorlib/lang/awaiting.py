"""`async def` and `await` in kernels: an async function runs when it is awaited, and without stops.

async def staged(t):                  @deferred
    return await t.copy()   becomes   def staged(t):
                                          return awaited(t.copy())
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable
from typing import Any, cast

from tensorlib.ir.builder import fail
from tensorlib.lang.nodes import Transformer
from tensorlib.lang.syntax import call, language, placed

__all__ = ["Deferred", "await_", "awaited", "deferred", "without_await"]


Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


class Deferred:
    """The call of an async function, which has not begun; `await` runs it, once."""

    __slots__ = ("call",)

    def __init__(self, function: Callable[..., Any], *arguments: Any, **keywords: Any) -> None:
        self.call: Callable[[], Any] | None = functools.partial(function, *arguments, **keywords)

    def run(self) -> Any:
        """Run the function and return its result."""
        begun, self.call = self.call, None
        if begun is None:
            raise fail("await: this call of an async function has been awaited before")
        return begun()


def deferred(function: Callable[..., Any]) -> Callable[..., Deferred]:
    """Return a function whose calls wait to be awaited.

    >>> call = deferred(print)("now")
    >>> awaited(call)
    now
    """
    return functools.partial(Deferred, function)


def awaited(value: Any) -> Any:
    """Return what awaiting `value` gives; a value that a kernel returned at once is its own.

    >>> async def two():
    ...     return 2
    >>> awaited(two()), awaited(3)
    (2, 3)
    """
    if isinstance(value, Deferred):
        return value.run()
    if not hasattr(value, "__await__"):
        return value
    steps = value.__await__()
    try:
        next(steps)
    except StopIteration as end:
        return end.value
    steps.close()
    raise fail(
        f"await: got a {type(value).__name__}, which waits for an event loop; "
        "a kernel can await copies and its own async functions"
    )


def await_(value: Any) -> Any:
    """`await value` in a kernel."""
    if isinstance(value, Deferred) or hasattr(value, "__await__"):
        return awaited(value)
    raise fail(f"await: got a {type(value).__name__}, needed a copy or a call of an async function")


class _Awaits(Transformer):
    """Makes functions of async functions, and calls of their `await`."""

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> Any:
        self.generic_visit(node)
        made = ast.FunctionDef(**{name: getattr(node, name) for name in ast.FunctionDef._fields})
        made.decorator_list = [placed(language("deferred"), node), *node.decorator_list]
        return ast.copy_location(made, node)

    def visit_Await(self, node: ast.Await) -> Any:
        self.generic_visit(node)
        return placed(call("await_", node.value), node)

    def visit_AsyncFor(self, node: ast.AsyncFor) -> Any:
        raise fail(f"async for, line {node.lineno}: a kernel can't wait for an iterator; try for")

    def visit_comprehension(self, node: ast.comprehension) -> Any:
        if node.is_async:
            raise fail(f"async for, line {node.iter.lineno}: a kernel can't wait for an iterator")
        self.generic_visit(node)
        return node

    def visit_AsyncWith(self, node: ast.AsyncWith) -> Any:
        raise fail(f"async with, line {node.lineno}: a kernel can't wait for a context; try with")


def without_await(found: Definition) -> ast.FunctionDef | ast.Lambda:
    """Return a definition in which all async functions are plain ones, that are deferred."""
    is_async = isinstance(found, ast.AsyncFunctionDef)
    made: Any = _Awaits().visit(found)
    if is_async:
        del made.decorator_list[0]  # the caller defers it
    return cast("ast.FunctionDef | ast.Lambda", made)
