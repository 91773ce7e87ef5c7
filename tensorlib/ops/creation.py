"""Creation rows: constants, ranges, placeholders and data that is there already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorlib.dtypes import DType
from tensorlib.ops.elementwise import cast
from tensorlib.ops.packed_array import PackedArray
from tensorlib.ops.row import EXACT, Array, Attributes, Op, Shape, listed

__all__ = ["ROWS"]


def _shape(shapes: Sequence[Shape], attributes: Attributes) -> Shape:
    return tuple(attributes["shape"])


def _count(shapes: Sequence[Shape], attributes: Attributes) -> Shape:
    return (attributes["n"],)


def _dtype(dtypes: Sequence[DType], attributes: Attributes) -> DType:
    dtype: DType = attributes["dtype"]
    return dtype


def constant(value: Any, shape: Sequence[int], dtype: DType) -> Array:
    """`value` everywhere, as a view of one element."""
    return np.broadcast_to(cast(np.asarray(value), dtype), tuple(shape))


def arange(start: Any, step: Any, n: int, dtype: DType) -> Array:
    """`start + i * step` for i in range(n), computed in int64 or float64 and cast once."""
    return cast(start + np.arange(n) * step, dtype)


def data(raw: Array, shape: Sequence[int], dtype: DType) -> Array | PackedArray:
    """Read raw bytes as an array; a view."""
    if dtype.is_packed:
        return PackedArray(raw.reshape(-1).view(np.uint8), dtype, tuple(shape))
    return raw.reshape(-1).view(dtype.numpy).reshape(tuple(shape))


ROWS: dict[str, Op] = listed([
    Op("constant", "create", _shape, _dtype, constant, 0, exact=EXACT),
    Op("arange",   "create", _count, _dtype, arange,   0, exact=EXACT),
    Op("input",    "create", _shape, _dtype, None,     0),
    Op("data",     "create", _shape, _dtype, data,     0),
])  # fmt: skip
