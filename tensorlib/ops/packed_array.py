"""An array in a block format, as the NumPy meanings see it: raw bytes, decoded when an op needs
numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tensorlib.dtypes import DType

__all__ = ["PackedArray", "decoded"]


@dataclass(frozen=True, slots=True)
class PackedArray:
    """`data` holds rows of whole blocks of `dtype`; `stored` is their logical shape, `axes` a
    permutation of it.
    """

    data: np.ndarray[Any, Any]  # uint8, C-contiguous
    packing: DType
    stored: tuple[int, ...]
    axes: tuple[int, ...] = field(default=())

    @property
    def shape(self) -> tuple[int, ...]:
        """The logical shape, after the permutation."""
        return tuple(self.stored[a] for a in self.axes) if self.axes else self.stored

    @property
    def nbytes(self) -> int:
        return int(self.data.nbytes)

    def permuted(self, axes: tuple[int, ...]) -> PackedArray:
        """Return the same bytes with their logical axes permuted."""
        before = self.axes or tuple(range(len(self.stored)))
        return PackedArray(self.data, self.packing, self.stored, tuple(before[a] for a in axes))

    def rows(self, indices: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Return the decoded rows `indices` of the first stored axis, as float32."""
        count = max(1, self.stored[0])
        rows = self.data.reshape(count, -1)[indices]
        return _unpack(rows, self.packing, indices.shape + self.stored[1:])

    def decoded(self) -> np.ndarray[Any, Any]:
        """Return all elements as a float32 array of `shape`."""
        array = _unpack(self.data, self.packing, self.stored)
        return np.transpose(array, self.axes) if self.axes else array


def _unpack(data: Any, dtype: DType, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    from tensorlib.ops.packed import unpack

    return unpack(np.ascontiguousarray(data).reshape(-1), dtype, shape)


def decoded(array: Any) -> np.ndarray[Any, Any]:
    """Return `array`, decoded where it is packed."""
    return array.decoded() if isinstance(array, PackedArray) else array
