"""A kernel as a notebook shows it: its Python, and the IR of what it was traced for."""

from __future__ import annotations

import functools
import html
import inspect
from collections.abc import Callable, Iterable
from typing import Any

from tensorlib.ir import Kernel, text

__all__ = ["KernelMethod", "kernel_html"]


class KernelMethod:
    """A method that takes a kernel's compile-time parameters: its signature, which editors and
    notebooks complete from, names them.
    """

    def __init__(self, method: Callable[..., Any]) -> None:
        self.method, self.__doc__ = method, method.__doc__

    def __get__(self, kernel: Any, owner: Any = None) -> Callable[..., Any]:
        if kernel is None:
            return self.method
        made = functools.partial(self.method, kernel)
        made.__signature__ = _parameters(kernel.function)  # type: ignore[attr-defined]
        made.__doc__ = self.__doc__
        return made


@functools.lru_cache(maxsize=256)
def _parameters(function: Callable[..., Any]) -> inspect.Signature:
    keyword = inspect.Parameter.KEYWORD_ONLY
    given = inspect.signature(function).parameters.values()
    return inspect.Signature([p for p in given if p.kind is keyword])


def kernel_html(title: str, function: Callable[..., Any], traced: Iterable[Kernel]) -> str:
    """Return HTML with a part that folds for the source and for each trace.

    >>> "<summary>IR" in kernel_html("<k>", kernel_html, [])
    False
    """
    try:
        source = inspect.getsource(function)
    except (OSError, TypeError):
        source = ""
    parts = [_part("Python", source, is_open=True)] if source else []
    for kernel in traced:
        types = ", ".join(f"{p.name}: {p.type}" for p in kernel.parameters)
        parts.append(_part(f"IR for {types}", text(kernel)))
    return f"<code>{html.escape(title)}</code>{''.join(parts)}"


def _part(title: str, shown: str, is_open: bool = False) -> str:
    return (
        f"<details{' open' if is_open else ''}><summary>{html.escape(title)}</summary>"
        f"<pre>{html.escape(shown)}</pre></details>"
    )
