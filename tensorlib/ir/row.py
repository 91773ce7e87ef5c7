"""One row of the IR op table, and what type rules share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tensorlib.errors import KernelError
from tensorlib.ir.types import Type, VectorType

__all__ = ["Attributes", "Row", "TypeRule", "Types", "needed", "simd_types"]

Types = Sequence[Type]
Attributes = dict[str, Any]
TypeRule = Callable[[str, Types, Attributes], list[Type]]


@dataclass(frozen=True, slots=True)
class Row:
    """One IR op. `spelling` is C-like text over `{0}`, `{1}` where one pattern serves all types."""

    name: str
    types: TypeRule
    numpy: Callable[..., Any] | None = None
    spelling: str = ""
    effect: str = "pure"  # pure | read | write | control | barrier (threads meet there)


def needed(name: str, operands: Types, what: str) -> KernelError:
    """Return the error of operands that don't fit a row."""
    got = ", ".join(map(str, operands))
    return KernelError(f"{name}: got ({got}), needed {what}")


def simd_types(name: str, operands: Types, count: int) -> list[VectorType]:
    """Return the operands' types where they are `count` SIMD values."""
    found = [t for t in operands if isinstance(t, VectorType)]
    if len(found) != count or len(operands) != count:
        raise needed(name, operands, f"{count} SIMD values")
    return found
