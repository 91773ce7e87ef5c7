"""Functions of rows, with what comes before and after: each row is read from memory once, and
again from cache for each fold that the function takes of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tensorlib.dtypes import DType, as_dtype
from tensorlib.errors import KernelError
from tensorlib.ir import Kernel
from tensorlib.kernels import generate
from tensorlib.kernels.expression import Expression
from tensorlib.kernels.operands import (
    along,
    leaf_at,
    operand,
    sizes,
    trace_spec,
)
from tensorlib.kernels.row import Row
from tensorlib.kernels.scalar import lanes_of, value
from tensorlib.kernels.specs import RowwiseSpec
from tensorlib.lang.infer import check_arguments, recorded, where_defined
from tensorlib.ops import OPS
from tensorlib.ops.user import name_of
from tensorlib.simd import SIMD, SIMDType
from tensorlib.tile import Tile

__all__ = ["build", "over_rows", "result_of"]

Array = np.ndarray[Any, Any]


def build(spec: RowwiseSpec) -> Kernel:
    """Return the kernel of `spec`."""
    outer, inner = sizes("n", spec.outer_rank), sizes("m", 1)
    shape = (*outer, *inner)
    arguments: dict[str, Any] = {
        "n": outer,
        "m": inner,
        "out": operand("out", spec.store, shape if spec.is_row else outer),
        "load": tuple(operand(f"load{k}", a, shape) for k, a in enumerate(spec.loads)),
    }
    return trace_spec(spec, rowwise, arguments)


def rowwise(
    n: tuple[SIMD, ...],
    m: tuple[SIMD, ...],
    out: Tile,
    load: tuple[Tile, ...],
    scalar: tuple[SIMD, ...],
    *,
    spec: RowwiseSpec,
) -> None:
    """Rows are one parallel loop."""
    function: Any = OPS[spec.op].kernel

    def one(outer: list[Any]) -> None:
        rows = [_computed(part, load, scalar, outer, m[0]) for part in spec.inputs]
        result = function(*rows)

        def store(where: list[Any], lanes: int) -> None:
            main = result.at(where[-1], lanes) if spec.is_row else result
            element = value(spec.epilogue, leaf_at(load, scalar, where, lanes, main), lanes)
            out.store[lanes](*(where if spec.is_row else outer), element)

        if spec.is_row:
            along(outer, 0, m[0], result.lanes, store)
        else:
            store([*outer, 0], 1)

    generate.rowwise(n, one)


def _computed(
    part: Expression, load: Sequence[Tile], scalar: Sequence[SIMD], outer: list[Any], size: Any
) -> Row:
    """Return the row of an expression at a coordinate of the outer axes."""

    def at(i: Any, lanes: int) -> SIMD:
        return value(part, leaf_at(load, scalar, [*outer, i], lanes), lanes)

    return Row(at, part.dtype, size, lanes_of(part))


# --- what a function of rows returns, and its meaning ---


def result_of(function: Callable[..., Any], dtypes: Sequence[DType]) -> tuple[DType, bool]:
    """Return the dtype of what `function` returns for rows of these dtypes, and whether it is a
    row; it is recorded once, to see. Raises KernelError where it is neither a row nor a scalar.

    >>> result_of(lambda row: row / row.sum(), [DType.float32])
    (tensorlib.float32, True)
    """
    check_arguments("rowwise", function, len(dtypes))
    kinds = tuple(SIMDType(dtype) for dtype in dtypes)
    types = {"size": SIMDType(DType.int64), "values": kinds}
    result = recorded(function, types, _recording)
    if isinstance(result, Row):
        return result.dtype, True
    if isinstance(result, SIMD) and result.width == 1:
        return result.dtype, False
    raise KernelError(
        f"rowwise: {name_of(function)} returned {type(result).__name__}, needed a row or a "
        f"scalar{where_defined(function)}"
    )


def _recording(size: SIMD, values: tuple[SIMD, ...]) -> list[Row]:
    return [_constant(x, size) for x in values]


def _constant(x: SIMD, size: SIMD) -> Row:
    return Row(lambda i, lanes: x.splat(lanes), x.dtype, size)


def over_rows(function: Callable[..., Any], arrays: Sequence[Array], result: DType) -> Array:
    """Return `function` of the rows of arrays of one shape, along the last axis.

    >>> over_rows(lambda row: row.sum(), [np.ones((2, 3))], DType.float64)
    array([3., 3.])
    """
    shape, is_row = arrays[0].shape, result_of(function, [as_dtype(a.dtype) for a in arrays])[1]
    out = np.empty(shape if is_row else shape[:-1], result.numpy)
    for where in np.ndindex(*shape[:-1]):
        with np.errstate(all="ignore"):
            found = function(*[_concrete(a[where]) for a in arrays])
            out[where] = found.whole(0).numpy().reshape(-1)[: shape[-1]] if is_row else found.value
    return out


def _concrete(elements: Array) -> Row:
    kind = as_dtype(elements.dtype)

    def at(i: int, lanes: int) -> SIMD:
        found = elements[int(i) : int(i) + lanes]
        full = np.zeros(lanes, elements.dtype)
        full[: found.size] = found
        return SIMD(full.reshape(() if lanes == 1 else (lanes,)), kind, lanes)

    return Row(at, kind, elements.size)
