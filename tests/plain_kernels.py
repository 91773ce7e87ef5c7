"""Kernels that are plain Python too: over NumPy arrays the same function gives the same numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["PLAIN", "plain"]

PLAIN: list[tuple[Callable[..., None], tuple[Any, ...]]] = []


def plain(*arguments: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Keep a kernel with arguments to call it with; the first is what it writes."""

    def keep(function: Callable[..., None]) -> Callable[..., None]:
        PLAIN.append((function, arguments))
        return function

    return keep


def copies(arguments: tuple[Any, ...]) -> list[Any]:
    return [a.copy() if isinstance(a, np.ndarray) else a for a in arguments]
