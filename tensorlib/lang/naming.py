"""Names of the source for traced values, so that what is printed of a kernel reads like it."""

from __future__ import annotations

from typing import Any

from tensorlib.ir.core import Value
from tensorlib.simd import SIMD

__all__ = ["named"]


def named(value: Any, name: str) -> Any:
    """Return what a kernel assigns to `name`, which a traced value without a name takes."""
    if type(value) is SIMD and type(value.value) is Value:
        traced = value.value
        if not traced.name and traced.operation is not None and traced.operation.name != "const":
            traced.name = name
    return value
