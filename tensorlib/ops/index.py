"""Rows that pick, join and write: take, concat and update."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorlib.dtypes import DType
from tensorlib.errors import DTypeError, ShapeError
from tensorlib.layouts.dim import is_static
from tensorlib.ops.packed_array import PackedArray, decoded
from tensorlib.ops.promotion import require_unpacked
from tensorlib.ops.row import EXACT, Array, Attributes, Op, Shape, listed
from tensorlib.ops.shapes import shape_text

__all__ = ["ROWS"]


def _take_shape(shapes: Sequence[Shape], attributes: Attributes) -> Shape:
    (x, indices), axis = shapes, attributes["axis"]
    if x[axis] == 0:
        raise ShapeError(f"take: got shape {shape_text(x)}; axis {axis} has nothing to take")
    return x[:axis] + indices + x[axis + 1 :]


def _take_dtype(dtypes: Sequence[DType], attributes: Attributes) -> DType:
    x, indices = dtypes
    if not indices.is_integer:
        raise DTypeError(f"take: got indices of dtype {indices.name}, needed an integer dtype")
    return DType.float32 if x.is_packed else x


def take(x: Array | PackedArray, indices: Array, axis: int) -> Any:
    """Pick along `axis`: negative indices count from the end, what lies outside the axis is NaN,
    or 0 for integers.
    """
    count = x.shape[axis]
    whole = indices.astype(np.int64)
    whole = np.where(whole < 0, whole + count, whole)
    inside = (whole >= 0) & (whole < count)
    if count == 0:
        shape = x.shape[:axis] + indices.shape + x.shape[axis + 1 :]
        return _missing(np.empty(shape, np.float32 if isinstance(x, PackedArray) else x.dtype))
    if isinstance(x, PackedArray) and axis == 0 and not x.axes and len(x.shape) > 1:
        picked = x.rows(np.where(inside, whole, 0))
    else:
        picked = np.take(decoded(x), np.where(inside, whole, 0), axis=axis)
    if inside.all():
        return picked
    after = (1,) * (len(x.shape) - axis - 1)
    return np.where(inside.reshape(inside.shape + after), picked, _missing(picked))


def _missing(like: Array) -> Array:
    """Return what stands where there is no element: NaN, or 0 for dtypes that have none."""
    has_nan = like.dtype.kind not in "iub"
    return np.full(like.shape, np.nan if has_nan else 0).astype(like.dtype)


def _concat_shape(shapes: Sequence[Shape], attributes: Attributes) -> Shape:
    axis, first = attributes["axis"], shapes[0]
    for shape in shapes[1:]:
        if shape[:axis] + shape[axis + 1 :] != first[:axis] + first[axis + 1 :]:
            raise ShapeError(
                f"concat: got shapes {' and '.join(map(shape_text, (first, shape)))}; "
                f"all sizes but those of axis {axis} must be equal"
            )
    total = first[axis]
    for shape in shapes[1:]:
        total = total + shape[axis]
    return (*first[:axis], total, *first[axis + 1 :])


def _concat_dtype(dtypes: Sequence[DType], attributes: Attributes) -> DType:
    require_unpacked("concat", dtypes)
    if any(d is not dtypes[0] for d in dtypes):
        raise DTypeError(f"concat: got dtypes {', '.join(d.name for d in dtypes)}, needed one")
    return dtypes[0]


def concat(*arrays: Array, axis: int) -> Array:
    return np.concatenate(arrays, axis=axis)


def _update_shape(shapes: Sequence[Shape], attributes: Attributes) -> Shape:
    (state, value), axis, start = shapes, attributes["axis"], attributes["start"]
    if state[:axis] + state[axis + 1 :] != value[:axis] + value[axis + 1 :]:
        raise ShapeError(
            f"update: got state {shape_text(state)} and value {shape_text(value)}; "
            f"all sizes but those of axis {axis} must be equal"
        )
    sizes = state[axis], start, start + value[axis]
    if all(map(is_static, sizes)) and not 0 <= sizes[1] <= sizes[2] <= sizes[0]:
        raise ShapeError(
            f"update: got positions {sizes[1]} to {sizes[2]} of axis {axis}, "
            f"needed them inside 0 to {sizes[0]}"
        )
    return state


def _update_dtype(dtypes: Sequence[DType], attributes: Attributes) -> DType:
    require_unpacked("update", dtypes)
    state, value = dtypes
    if state is not value:
        raise DTypeError(
            f"update: got a {value.name} value for a {state.name} state; try astype({state.name})"
        )
    return state


def update(state: Array, value: Array, axis: int, start: int) -> Array:
    """Write `value` into `state` itself at [start : start + len) of `axis`, and return `state`."""
    key = (slice(None),) * axis + (slice(start, start + value.shape[axis]),)
    state[key] = value
    return state


ROWS: dict[str, Op] = listed([
    Op("take",   "index", _take_shape,   _take_dtype,   take,   2,    exact=EXACT),
    Op("concat", "join",  _concat_shape, _concat_dtype, concat, None, exact=EXACT),
    Op("update", "state", _update_shape, _update_dtype, update, 2),
])  # fmt: skip
