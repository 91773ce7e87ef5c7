"""The types of IR values: SIMD vectors (width 1 is a scalar) and pointers with a placement."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tensorlib.dtypes import DType

__all__ = ["INDEX", "Placement", "PointerType", "Type", "VectorType"]


class Placement(Enum):
    """Where memory lives: seen by the device, a cluster, a block, a warp or one thread."""

    GLOBAL = "global"
    CLUSTER = "cluster"
    SHARED = "shared"
    WARP = "warp"
    REGISTER = "register"


@dataclass(frozen=True, slots=True)
class VectorType:
    """`width` elements of `dtype`; a power of two. Width 1 is a scalar.

    >>> str(VectorType(DType.float32, 8)), str(VectorType(DType.int64, 1))
    ('float32x8', 'int64')
    """

    dtype: DType
    width: int = 1

    def __str__(self) -> str:
        return self.dtype.name if self.width == 1 else f"{self.dtype.name}x{self.width}"

    def of(self, dtype: DType) -> VectorType:
        """Return the type of the same width over `dtype`."""
        return VectorType(dtype, self.width)


@dataclass(frozen=True, slots=True)
class PointerType:
    """A pointer to elements of `dtype` in memory of one placement."""

    dtype: DType
    placement: Placement = Placement.GLOBAL

    def __str__(self) -> str:
        suffix = "" if self.placement is Placement.GLOBAL else f", {self.placement.value}"
        return f"pointer<{self.dtype.name}{suffix}>"


Type = VectorType | PointerType
INDEX = VectorType(DType.int64, 1)
