"""Movement rows: the same elements under another shape; views, without arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorlib.dtypes import DType
from tensorlib.errors import ShapeError
from tensorlib.layouts.dim import Size, is_static
from tensorlib.ops.packed_array import PackedArray
from tensorlib.ops.promotion import require_unpacked
from tensorlib.ops.row import (
    EXACT,
    Array,
    Attributes,
    DTypeRule,
    Meaning,
    Op,
    Shape,
    ShapeRule,
    listed,
)
from tensorlib.ops.shapes import broadcasts, elements, shape_text

__all__ = ["ROWS"]


def _reshape(shapes: Sequence[Shape], attributes: Attributes) -> Shape:
    (shape,), target = shapes, tuple(attributes["shape"])
    if elements(shape) != elements(target):
        raise ShapeError(
            f"reshape: got shape {shape_text(shape)} to {shape_text(target)}; "
            f"{elements(shape)} elements don't fill {elements(target)}"
        )
    return target


def _permute_dims(shapes: Sequence[Shape], attributes: Attributes) -> Shape:
    (shape,), axes = shapes, attributes["axes"]
    if sorted(axes) != list(range(len(shape))):
        raise ShapeError(
            f"permute_dims: got axes {tuple(axes)} for shape {shape_text(shape)}; "
            f"needed each of 0 to {len(shape) - 1} once"
        )
    return tuple(shape[a] for a in axes)


def _broadcast_to(shapes: Sequence[Shape], attributes: Attributes) -> Shape:
    (shape,), target = shapes, tuple(attributes["shape"])
    if not broadcasts(shape, target):
        raise ShapeError(
            f"broadcast_to: got shape {shape_text(shape)} to {shape_text(target)}; "
            "sizes must be equal or 1, counted from the last axis"
        )
    return target


def _slice(shapes: Sequence[Shape], attributes: Attributes) -> Shape:
    (shape,), starts, steps = shapes, attributes["starts"], attributes["steps"]
    target: Shape = tuple(attributes["shape"])
    if not len(shape) == len(target) == len(starts) == len(steps):
        raise ShapeError(f"slice: got {len(starts)} starts for shape {shape_text(shape)}")
    for n, start, step, count in zip(shape, starts, steps, target, strict=True):
        if not _inside(n, start, step, count):
            raise ShapeError(
                f"slice: got start {start}, step {step} and size {count} on an axis of size {n}; "
                "every index must lie inside"
            )
    return target


def _inside(n: Size, start: Size, step: int, count: Size) -> bool:
    """False where a static slice leaves its axis; symbolic ones are checked when they are bound."""
    if not (is_static(n) and is_static(start) and is_static(count)) or count == 0:
        return step != 0
    last = start + (count - 1) * step
    return step != 0 and count > 0 and 0 <= start < n and 0 <= last < n


def _same(dtypes: Sequence[DType], attributes: Attributes) -> DType:
    return dtypes[0]


def _unpacked(name: str) -> DTypeRule:
    def rule(dtypes: Sequence[DType], attributes: Attributes) -> DType:
        require_unpacked(name, dtypes)
        return dtypes[0]

    return rule


def permute_dims(x: Array | PackedArray, axes: Sequence[int]) -> Any:
    if isinstance(x, PackedArray):
        return x.permuted(tuple(axes))
    return np.transpose(x, axes)


def slice_(x: Array, starts: Sequence[int], steps: Sequence[int], shape: Sequence[int]) -> Array:
    """Take `shape[k]` elements from `starts[k]` on, every `steps[k]`-th, on every axis."""
    key = []
    for start, step, count in zip(starts, steps, shape, strict=True):
        stop = start + count * step
        key.append(slice(start, stop if stop >= 0 else None, step) if count else slice(0, 0))
    return x[tuple(key)]


def _row(name: str, shape: ShapeRule, dtype: DTypeRule, meaning: Meaning) -> Op:
    return Op(name, "movement", shape, dtype, meaning, 1, exact=EXACT)


ROWS: dict[str, Op] = listed([
    _row("reshape",      _reshape,      _unpacked("reshape"),      np.reshape),
    _row("permute_dims", _permute_dims, _same,                     permute_dims),
    _row("broadcast_to", _broadcast_to, _unpacked("broadcast_to"), np.broadcast_to),
    _row("slice",        _slice,        _unpacked("slice"),        slice_),
])  # fmt: skip
