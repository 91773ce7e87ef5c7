"""The types of IR values: SIMD vectors (width 1 is a scalar) and pointers with a placement."""

from __future__ import annotations

from enum import Enum
from typing import Any, ClassVar

from tensorlib.dtypes import DType

__all__ = ["INDEX", "Placement", "PointerType", "Type", "VectorType"]


class Placement(Enum):
    """Where memory lives: seen by the device, a cluster, a block, a warp or one thread."""

    GLOBAL = "global"
    CLUSTER = "cluster"
    SHARED = "shared"
    WARP = "warp"
    REGISTER = "register"


class VectorType:
    """`width` elements of `dtype`; a power of two. Width 1 is a scalar. Equal types are one object.

    >>> str(VectorType(DType.float32, 8)), str(VectorType(DType.int64, 1))
    ('float32x8', 'int64')
    """

    __slots__ = ("dtype", "width")

    _made: ClassVar[dict[tuple[DType, int], VectorType]] = {}
    dtype: DType
    width: int

    def __new__(cls, dtype: DType, width: int = 1) -> VectorType:
        found = cls._made.get((dtype, width))
        if found is None:
            found = super().__new__(cls)
            object.__setattr__(found, "dtype", dtype)
            object.__setattr__(found, "width", width)
            found = cls._made.setdefault((dtype, width), found)
        return found

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{name}: a type can't be changed")

    def __reduce__(self) -> tuple[Any, ...]:
        return VectorType, (self.dtype, self.width)

    def __str__(self) -> str:
        return self.dtype.name if self.width == 1 else f"{self.dtype.name}x{self.width}"

    __repr__ = __str__

    def of(self, dtype: DType) -> VectorType:
        """Return the type of the same width over `dtype`."""
        return VectorType(dtype, self.width)

    @property
    def is_regular(self) -> bool:
        """Whether the width is a power of two and the dtype one that SIMD values can have."""
        width, kind = self.width, self.dtype.kind
        return width > 0 and not width & (width - 1) and kind not in ("packed", "complex")


class PointerType:
    """A pointer to elements of `dtype` in memory of one placement. Equal types are one object."""

    __slots__ = ("dtype", "placement")

    _made: ClassVar[dict[tuple[DType, Placement], PointerType]] = {}
    dtype: DType
    placement: Placement

    def __new__(cls, dtype: DType, placement: Placement = Placement.GLOBAL) -> PointerType:
        found = cls._made.get((dtype, placement))
        if found is None:
            found = super().__new__(cls)
            object.__setattr__(found, "dtype", dtype)
            object.__setattr__(found, "placement", placement)
            found = cls._made.setdefault((dtype, placement), found)
        return found

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{name}: a type can't be changed")

    def __reduce__(self) -> tuple[Any, ...]:
        return PointerType, (self.dtype, self.placement)

    def __str__(self) -> str:
        suffix = "" if self.placement is Placement.GLOBAL else f", {self.placement.value}"
        return f"pointer<{self.dtype.name}{suffix}>"

    __repr__ = __str__


Type = VectorType | PointerType
INDEX = VectorType(DType.int64, 1)
