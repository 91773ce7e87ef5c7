"""A bounded memo for functions of interned layouts: repeating an operation costs nothing."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TypeVar, cast

__all__ = ["clear_memos", "memoised"]

Function = TypeVar("Function", bound=Callable[..., object])
_clearings: list[Callable[[], None]] = []


def memoised(function: Function) -> Function:
    """Return the function with its last few thousand results kept; arguments are hashable."""
    kept = functools.lru_cache(maxsize=8192, typed=True)(function)  # 1.0 and True are not 1
    _clearings.append(kept.cache_clear)
    return cast(Function, kept)


def clear_memos() -> None:
    """Forget every result: the next call of each operation computes it anew.

    >>> clear_memos()
    """
    for clear in _clearings:
        clear()
