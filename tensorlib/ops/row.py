"""What a row of the op table holds: name, kind, shape and dtype rule, and the NumPy meaning."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from tensorlib.dtypes import DType
from tensorlib.layouts.dim import Size

__all__ = ["Array", "Attributes", "DTypeRule", "Meaning", "Op", "Shape", "ShapeRule", "listed"]

Shape: TypeAlias = tuple[Size, ...]
Array: TypeAlias = np.ndarray[Any, Any]
Attributes: TypeAlias = Mapping[str, Any]
ShapeRule: TypeAlias = Callable[[Sequence[Shape], Attributes], Shape]
DTypeRule: TypeAlias = Callable[[Sequence[DType], Attributes], DType]
Meaning: TypeAlias = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Op:
    """One tensor operation, as backends and the graph both speak of it.

    `shape` and `dtype` map those of the inputs (and the attributes) to those of the result and
    raise ShapeError or DTypeError. `meaning` computes the result with NumPy: arrays as positional,
    attributes as keyword arguments; packed operands are `PackedArray`s. `exact` names the dtype
    kinds for which the meaning is bit-identical to every backend's kernel. `domain` says which
    dtypes an elementwise op computes in: `any`, `number` (no bool), `float`, `real` (no complex),
    `integer`, `bits` (integers and bool) or `bool`.

    The rows of operations that users define (`tensorlib.ops.user`) hold what theirs is made of:
    `kernel` is the function in the kernel language, `width` the most lanes it takes at once (None:
    any number), `identity` where its fold starts, and `notes` what else its kernel depends on.
    """

    name: str
    kind: str
    shape: ShapeRule
    dtype: DTypeRule
    meaning: Meaning | None = None
    arity: int | None = None  # None: any number of inputs
    domain: str = "any"
    exact: frozenset[str] = frozenset()
    kernel: Callable[..., Any] | None = None
    width: int | None = None
    identity: Any = None
    notes: Any = None


EXACT = frozenset(("bool", "signed", "unsigned", "float"))
EXACT_INTEGERS = frozenset(("bool", "signed", "unsigned"))


def listed(rows: Iterable[Op]) -> dict[str, Op]:
    """Return the rows by name."""
    return {row.name: row for row in rows}
