"""A bounded memo for functions of interned layouts: repeating an operation costs nothing."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TypeVar, cast

__all__ = ["memoised"]

Function = TypeVar("Function", bound=Callable[..., object])


def memoised(function: Function) -> Function:
    """Return the function with its last few thousand results kept; arguments are hashable."""
    return cast(Function, functools.lru_cache(maxsize=8192)(function))
