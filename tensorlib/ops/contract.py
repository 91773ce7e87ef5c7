"""Rows over whole rows of numbers: matmul and softmax.

float16 and bfloat16 are computed and accumulated in float32 and rounded once. An operand of matmul
may be packed: it stands for its decoded float32 values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorlib.dtypes import DType
from tensorlib.errors import DTypeError, ShapeError
from tensorlib.ops.elementwise import HALVES
from tensorlib.ops.packed_array import PackedArray, decoded
from tensorlib.ops.promotion import promote
from tensorlib.ops.row import Array, Attributes, Op, Shape, listed
from tensorlib.ops.shapes import broadcast_shapes, shape_text

__all__ = ["ROWS"]


def _matmul_shape(shapes: Sequence[Shape], attributes: Attributes) -> Shape:
    a, b = shapes
    if not a or not b:
        raise ShapeError(
            f"matmul: got shapes {shape_text(a)} and {shape_text(b)}; each needs at least one axis"
        )
    inner = b[-2] if len(b) > 1 else b[0]
    if a[-1] != inner:
        raise ShapeError(
            f"matmul: got shapes {shape_text(a)} and {shape_text(b)}; "
            f"the inner sizes {a[-1]} and {inner} must be equal"
        )
    batch = broadcast_shapes("matmul", a[:-2], b[:-2])
    return batch + a[-2:-1] + (b[-1:] if len(b) > 1 else ())


def _matmul_dtype(dtypes: Sequence[DType], attributes: Attributes) -> DType:
    a, b = (DType.float32 if d.is_packed else d for d in dtypes)
    result = promote(a, b)
    if result.kind == "bool":
        raise DTypeError("matmul: got bool and bool, needed numbers; try astype(int64)")
    return result


def matmul(a: Array | PackedArray, b: Array | PackedArray) -> Any:
    """The matrix product with NumPy's rules for 1-D operands and for batches."""
    a, b = decoded(a), decoded(b)
    with np.errstate(all="ignore"):
        if a.dtype in HALVES and a.dtype == b.dtype:
            return np.matmul(a.astype(np.float32), b.astype(np.float32)).astype(a.dtype)
        return np.matmul(a, b)


def _softmax_dtype(dtypes: Sequence[DType], attributes: Attributes) -> DType:
    if not dtypes[0].is_float:
        raise DTypeError(f"softmax: got dtype {dtypes[0].name}, needed a float dtype")
    return dtypes[0]


def _softmax_shape(shapes: Sequence[Shape], attributes: Attributes) -> Shape:
    return shapes[0]


def softmax(x: Array, axis: int) -> Any:
    """exp(x - max) / sum(exp(x - max)) along `axis`."""
    wide = x.astype(np.float32) if x.dtype in HALVES else x
    with np.errstate(all="ignore"):
        powers = np.exp(wide - np.max(wide, axis=axis, keepdims=True, initial=-np.inf))
        return (powers / np.sum(powers, axis=axis, keepdims=True)).astype(x.dtype)


ROWS: dict[str, Op] = listed([
    Op("matmul",  "contract", _matmul_shape,  _matmul_dtype,  matmul,  2),
    Op("softmax", "softmax",  _softmax_shape, _softmax_dtype, softmax, 1),
])  # fmt: skip
