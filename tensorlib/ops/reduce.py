"""Reduction rows: `axes` are folded, and kept as size 1 where `keepdims`.

float16 and bfloat16 are accumulated in float32 and rounded once. sum and prod of small integers and
bool are int64 (uint64 for unsigned ones), the mean of integers is float64, argmax and argmin are
int64, of one axis or all of them; NaN wins in max, min, argmax and argmin, and of equal elements
the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorlib.dtypes import DType
from tensorlib.errors import DTypeError, ShapeError
from tensorlib.ops.elementwise import HALVES
from tensorlib.ops.promotion import require_unpacked
from tensorlib.ops.row import (
    EXACT,
    EXACT_INTEGERS,
    Array,
    Attributes,
    DTypeRule,
    Meaning,
    Op,
    Shape,
    ShapeRule,
    listed,
)
from tensorlib.ops.shapes import shape_text

__all__ = ["ROWS"]


def _folded(shape: Shape, attributes: Attributes) -> Shape:
    axes = attributes["axes"]
    if attributes["keepdims"]:
        return tuple(1 if a in axes else n for a, n in enumerate(shape))
    return tuple(n for a, n in enumerate(shape) if a not in axes)


def _shape(shapes: Sequence[Shape], attributes: Attributes) -> Shape:
    return _folded(shapes[0], attributes)


def _filled(name: str) -> ShapeRule:
    """Reductions without a neutral element need at least one element."""

    def rule(shapes: Sequence[Shape], attributes: Attributes) -> Shape:
        (shape,) = shapes
        if any(shape[a] == 0 for a in attributes["axes"]):
            raise ShapeError(f"{name}: got shape {shape_text(shape)}, needed at least one element")
        return _folded(shape, attributes)

    return rule


def _sum_dtype(name: str) -> DTypeRule:
    def rule(dtypes: Sequence[DType], attributes: Attributes) -> DType:
        require_unpacked(name, dtypes)
        (dtype,) = dtypes
        if dtype.kind in ("bool", "signed"):
            return DType.int64
        return DType.uint64 if dtype.kind == "unsigned" else dtype

    return rule


def _mean_dtype(dtypes: Sequence[DType], attributes: Attributes) -> DType:
    require_unpacked("mean", dtypes)
    return dtypes[0] if dtypes[0].kind in ("float", "complex") else DType.float64


def _ordered(name: str, result: DType | None) -> DTypeRule:
    def rule(dtypes: Sequence[DType], attributes: Attributes) -> DType:
        require_unpacked(name, dtypes)
        if dtypes[0].kind == "complex":
            raise DTypeError(f"{name}: got dtype {dtypes[0].name}, which has no order")
        return result or dtypes[0]

    return rule


def _bool(name: str) -> DTypeRule:
    def rule(dtypes: Sequence[DType], attributes: Attributes) -> DType:
        require_unpacked(name, dtypes)
        return DType.bool

    return rule


def _meaning(function: Any) -> Meaning:
    """Fold with a NumPy function; half floats in float32."""

    def call(x: Array, axes: Sequence[int], keepdims: bool) -> Any:
        wide = x.astype(np.float32) if x.dtype in HALVES else x
        with np.errstate(all="ignore"):
            result = function(wide, axis=tuple(axes), keepdims=keepdims)
        return result.astype(x.dtype) if x.dtype in HALVES else result

    return call


def _total(function: Any) -> Any:
    """sum and prod accumulate small integers in 64 bits."""

    def call(x: Array, **attributes: Any) -> Any:
        dtype = {"b": np.int64, "i": np.int64, "u": np.uint64}.get(x.dtype.kind, x.dtype)
        return function(x, dtype=dtype, **attributes)

    return call


def _position(function: Any) -> Meaning:
    """argmax and argmin over one axis, or over the flattened array for all axes."""

    def call(x: Array, axes: Sequence[int], keepdims: bool) -> Any:
        wide = x.astype(np.float32) if x.dtype in HALVES else x
        if len(axes) == 1:
            return function(wide, axis=axes[0], keepdims=keepdims)
        result = np.asarray(function(wide))
        return result.reshape((1,) * x.ndim) if keepdims else result

    return call


def _truth(function: Any) -> Meaning:
    return lambda x, axes, keepdims: function(x != 0, axis=tuple(axes), keepdims=keepdims)


def _row(name: str, shape: ShapeRule, dtype: DTypeRule, meaning: Meaning, exact: Any) -> Op:
    return Op(name, "reduce", shape, dtype, meaning, 1, exact=exact)


INDEX, WHOLE, NEVER = DType.int64, EXACT_INTEGERS, frozenset[str]()
ROWS: dict[str, Op] = listed([
    _row("sum",    _shape,            _sum_dtype("sum"),         _meaning(_total(np.sum)),  WHOLE),
    _row("prod",   _shape,            _sum_dtype("prod"),        _meaning(_total(np.prod)), WHOLE),
    _row("mean",   _shape,            _mean_dtype,               _meaning(np.mean),         NEVER),
    _row("max",    _filled("max"),    _ordered("max", None),     _meaning(np.max),          WHOLE),
    _row("min",    _filled("min"),    _ordered("min", None),     _meaning(np.min),          WHOLE),
    _row("argmax", _filled("argmax"), _ordered("argmax", INDEX), _position(np.argmax),      EXACT),
    _row("argmin", _filled("argmin"), _ordered("argmin", INDEX), _position(np.argmin),      EXACT),
    _row("any",    _shape,            _bool("any"),              _truth(np.any),            EXACT),
    _row("all",    _shape,            _bool("all"),              _truth(np.all),            EXACT),
])  # fmt: skip
