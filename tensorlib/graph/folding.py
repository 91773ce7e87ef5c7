"""Nodes that fold axes: reductions, softmax and matmul."""

from __future__ import annotations

from collections.abc import Sequence

from tensorlib.dtypes import DType
from tensorlib.errors import ShapeError
from tensorlib.graph.build import apply, cast, constant
from tensorlib.graph.node import Node
from tensorlib.graph.shaping import reshape, squeeze
from tensorlib.ops import OPS
from tensorlib.ops.promotion import domain_dtype, promote, require_unpacked
from tensorlib.ops.shapes import axis_number, axis_numbers, shape_text

__all__ = ["matmul", "reduce", "softmax"]

_POSITIONS = ("argmax", "argmin")
_ACCUMULATES = ("sum", "prod", "mean", "any", "all")  # compute in the dtype of the result


def reduce(
    op: str,
    x: Node,
    axis: int | Sequence[int] | None = None,
    keepdims: bool = False,
    dtype: DType | None = None,
) -> Node:
    """Return the fold of `x` over `axis` (None: all). sum, prod, mean, any and all cast first.

    So the op's input has the dtype of its result; argmax and argmin fold exactly one axis.
    """
    result = OPS[op].dtype([x.dtype], {})
    if op in _POSITIONS:
        return _position(op, x, axis, keepdims)
    if op in _ACCUMULATES:
        x = cast(x, dtype or result)
    axes = axis_numbers(op, axis, len(x.shape))
    folded = apply(op, (x,), axes=axes, keepdims=keepdims) if axes else x
    return cast(folded, dtype) if dtype else folded


def _position(op: str, x: Node, axis: int | Sequence[int] | None, keepdims: bool) -> Node:
    rank = len(x.shape)
    if axis is not None and not isinstance(axis, int):
        raise ShapeError(f"{op}: got axis {axis!r}, needed one axis or None")
    if axis is None:
        found = apply(op, (reshape(x, (-1,)),), axes=(0,), keepdims=False)
        return reshape(found, (1,) * rank) if keepdims else found
    return apply(op, (x,), axes=(axis_number(op, axis, rank),), keepdims=keepdims)


def softmax(x: Node, axis: int = -1) -> Node:
    """Return exp(x) / sum(exp(x)) along `axis`, computed without overflow."""
    x = cast(x, domain_dtype("softmax", "float", x.dtype))
    if not x.shape:
        return constant(1.0, (), x.dtype, x.device)
    return apply("softmax", (x,), axis=axis_number("softmax", axis, len(x.shape)))


def matmul(a: Node, b: Node) -> Node:
    """Return the matrix product; the op sees operands of at least two axes, of one dtype or packed.

    A packed operand stands for float32 and is decoded inside the kernel, beside float32; beside a
    wider or complex dtype it is decoded first.
    """
    if not a.shape or not b.shape:
        raise ShapeError(
            f"matmul: got shapes {shape_text(a.shape)} and {shape_text(b.shape)}; "
            "each needs at least one axis"
        )
    a, b = _matched(a, b)
    lead, trail = len(a.shape) == 1, len(b.shape) == 1
    if not lead and not trail:
        return apply("matmul", (a, b))
    OPS["matmul"].shape([a.shape, b.shape], {})  # the error shows the shapes as given
    require_unpacked("matmul of a 1-D operand", [n.dtype for n in (a, b) if len(n.shape) == 1])
    if lead:
        a = reshape(a, (1, *a.shape))
    if trail:
        b = reshape(b, (*b.shape, 1))
    result = apply("matmul", (a, b))
    rank = len(result.shape)
    dropped = [rank - 2] * lead + [rank - 1] * trail
    return squeeze(result, dropped)


def _matched(a: Node, b: Node) -> tuple[Node, Node]:
    """Cast the operands to their common dtype, but leave packed ones beside float32 alone."""
    dtype = promote(*(DType.float32 if n.dtype.is_packed else n.dtype for n in (a, b)))
    keep = dtype is DType.float32
    return (
        a if keep and a.dtype.is_packed else cast(a, dtype),
        b if keep and b.dtype.is_packed else cast(b, dtype),
    )
