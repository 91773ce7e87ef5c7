"""A kernel as a notebook shows it: its Python, and the IR of what it was traced for."""

from __future__ import annotations

import html
import inspect
from collections.abc import Callable, Iterable
from typing import Any

from tensorlib.ir import Kernel, text

__all__ = ["kernel_html"]


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
