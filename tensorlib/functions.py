"""The functions of the Array API over tensors, and a few that neural networks need."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

from tensorlib.dtypes import DType, as_dtype
from tensorlib.errors import DTypeError
from tensorlib.graph import build, folding, indexing, shaping
from tensorlib.graph.node import Node
from tensorlib.layouts.dim import Size
from tensorlib.ops.promotion import promote
from tensorlib.tensor import Axis, Tensor, operand

__all__ = [
    "abs", "add", "all", "any", "argmax", "argmin", "astype", "bitwise_and", "bitwise_invert",
    "bitwise_left_shift", "bitwise_or", "bitwise_right_shift", "bitwise_xor", "broadcast_to",
    "ceil", "concat", "cos", "divide", "equal", "exp", "expand_dims", "flip", "floor",
    "floor_divide", "greater", "greater_equal", "isfinite", "isinf", "isnan", "less",
    "less_equal", "log", "logical_and", "logical_not", "logical_or", "logical_xor", "matmul",
    "matrix_transpose", "max", "maximum", "mean", "min", "minimum", "multiply", "negative",
    "not_equal", "permute_dims", "positive", "pow", "prod", "reciprocal", "remainder",
    "reshape", "result_type", "round", "rsqrt", "sigmoid", "sign", "silu", "sin", "softmax",
    "sqrt", "square", "squeeze", "stack", "subtract", "sum", "take", "tanh", "trunc", "update",
    "where",
]  # fmt: skip


def _node(where: str, x: Any) -> Node:
    if isinstance(x, Tensor):
        return x.node
    _of_lanes(where, x)
    from tensorlib.creation import asarray

    if isinstance(x, bool | int | float | complex) or hasattr(x, "__array__"):
        return asarray(x).node
    raise DTypeError(f"{where}: got {type(x).__name__}, needed a tensor; try tl.asarray")


def _of_lanes(op: str, *operands: Any) -> Any:
    """Return what a function gives in a kernel, for SIMD values; None for tensors and numbers."""
    from tensorlib.simd import SIMD

    if not builtins.any(isinstance(x, SIMD) for x in operands):
        return None
    from tensorlib.lang.numpys import of_simd

    return of_simd(op, *operands)


def _unary(op: str, x: Any) -> Tensor:
    if not isinstance(x, Tensor) and (lanes := _of_lanes(op, x)) is not None:
        return lanes  # type: ignore[no-any-return]
    return Tensor(build.unary(op, _node(op, x)))


def _binary(op: str, x1: Any, x2: Any) -> Tensor:
    if not isinstance(x1, Tensor) and (lanes := _of_lanes(op, x1, x2)) is not None:
        return lanes  # type: ignore[no-any-return]
    first = x1 if isinstance(x1, Tensor) else x2 if isinstance(x2, Tensor) else None
    if first is None:
        first = Tensor(_node(op, x1))
        x1 = first
    a, b = operand(x1, first.device), operand(x2, first.device)
    if a is None or b is None:
        wrong = type(x1 if a is None else x2).__name__
        raise DTypeError(f"{op}: got {wrong}, needed a tensor or a number; try tl.asarray")
    return Tensor(build.binary(op, a, b))


# --- one input, element by element ---


def abs(x: Any, /) -> Tensor:
    """Return the absolute value, real for complex elements."""
    return _unary("abs", x)


def bitwise_invert(x: Any, /) -> Tensor:
    """Return every bit inverted."""
    return _unary("bitwise_invert", x)


def ceil(x: Any, /) -> Tensor:
    """Return the smallest whole number that is not below."""
    return _unary("ceil", x)


def cos(x: Any, /) -> Tensor:
    """Return the cosine of radians."""
    return _unary("cos", x)


def exp(x: Any, /) -> Tensor:
    """Return e to the power of each element."""
    return _unary("exp", x)


def floor(x: Any, /) -> Tensor:
    """Return the largest whole number that is not above."""
    return _unary("floor", x)


def isfinite(x: Any, /) -> Tensor:
    """Return True where neither infinite nor NaN."""
    return _unary("isfinite", x)


def isinf(x: Any, /) -> Tensor:
    """Return True where infinite."""
    return _unary("isinf", x)


def isnan(x: Any, /) -> Tensor:
    """Return True where NaN."""
    return _unary("isnan", x)


def log(x: Any, /) -> Tensor:
    """Return the natural logarithm."""
    return _unary("log", x)


def logical_not(x: Any, /) -> Tensor:
    """Return True where zero."""
    return _unary("logical_not", x)


def negative(x: Any, /) -> Tensor:
    """Return the number with the other sign."""
    return _unary("negative", x)


def positive(x: Any, /) -> Tensor:
    """Return the elements themselves."""
    return Tensor(_node("positive", x))


def reciprocal(x: Any, /) -> Tensor:
    """Return 1 / x."""
    return _unary("reciprocal", x)


def round(x: Any, /) -> Tensor:
    """Return the nearest whole number, the even one of two."""
    return _unary("round", x)


def rsqrt(x: Any, /) -> Tensor:
    """Return 1 / sqrt(x)."""
    return _unary("rsqrt", x)


def sigmoid(x: Any, /) -> Tensor:
    """Return 1 / (1 + exp(-x))."""
    return _unary("sigmoid", x)


def sign(x: Any, /) -> Tensor:
    """Return -1, 0 or 1 (NaN for NaN)."""
    return _unary("sign", x)


def silu(x: Any, /) -> Tensor:
    """Return x / (1 + exp(-x)); Elfwing et al. 2017, arXiv 1702.03118."""
    return _unary("silu", x)


def sin(x: Any, /) -> Tensor:
    """Return the sine of radians."""
    return _unary("sin", x)


def sqrt(x: Any, /) -> Tensor:
    """Return the square root, NaN below zero."""
    return _unary("sqrt", x)


def square(x: Any, /) -> Tensor:
    """Return x * x."""
    return _unary("square", x)


def tanh(x: Any, /) -> Tensor:
    """Return the hyperbolic tangent."""
    return _unary("tanh", x)


def trunc(x: Any, /) -> Tensor:
    """Return the whole number next to it towards zero."""
    return _unary("trunc", x)


# --- two inputs, element by element; they are broadcast and promoted ---


def add(x1: Any, x2: Any, /) -> Tensor:
    """Return x1 + x2."""
    return _binary("add", x1, x2)


def bitwise_and(x1: Any, x2: Any, /) -> Tensor:
    """Return the bits set in both."""
    return _binary("bitwise_and", x1, x2)


def bitwise_left_shift(x1: Any, x2: Any, /) -> Tensor:
    """Return x1 * 2 ** x2; 0 from the width on."""
    return _binary("bitwise_left_shift", x1, x2)


def bitwise_or(x1: Any, x2: Any, /) -> Tensor:
    """Return the bits set in either."""
    return _binary("bitwise_or", x1, x2)


def bitwise_right_shift(x1: Any, x2: Any, /) -> Tensor:
    """Return x1 // 2 ** x2."""
    return _binary("bitwise_right_shift", x1, x2)


def bitwise_xor(x1: Any, x2: Any, /) -> Tensor:
    """Return the bits set in one only."""
    return _binary("bitwise_xor", x1, x2)


def divide(x1: Any, x2: Any, /) -> Tensor:
    """Return x1 / x2; float64 for integers."""
    return _binary("divide", x1, x2)


def equal(x1: Any, x2: Any, /) -> Tensor:
    """Return True where equal."""
    return _binary("equal", x1, x2)


def floor_divide(x1: Any, x2: Any, /) -> Tensor:
    """Return the largest whole number not above x1 / x2; integers by zero give 0."""
    return _binary("floor_divide", x1, x2)


def greater(x1: Any, x2: Any, /) -> Tensor:
    """Return True where x1 > x2."""
    return _binary("greater", x1, x2)


def greater_equal(x1: Any, x2: Any, /) -> Tensor:
    """Return True where x1 >= x2."""
    return _binary("greater_equal", x1, x2)


def less(x1: Any, x2: Any, /) -> Tensor:
    """Return True where x1 < x2."""
    return _binary("less", x1, x2)


def less_equal(x1: Any, x2: Any, /) -> Tensor:
    """Return True where x1 <= x2."""
    return _binary("less_equal", x1, x2)


def logical_and(x1: Any, x2: Any, /) -> Tensor:
    """Return True where neither is zero."""
    return _binary("logical_and", x1, x2)


def logical_or(x1: Any, x2: Any, /) -> Tensor:
    """Return True where not both are zero."""
    return _binary("logical_or", x1, x2)


def logical_xor(x1: Any, x2: Any, /) -> Tensor:
    """Return True where exactly one is zero."""
    return _binary("logical_xor", x1, x2)


def maximum(x1: Any, x2: Any, /) -> Tensor:
    """Return the larger one; NaN wins."""
    return _binary("maximum", x1, x2)


def minimum(x1: Any, x2: Any, /) -> Tensor:
    """Return the smaller one; NaN wins."""
    return _binary("minimum", x1, x2)


def multiply(x1: Any, x2: Any, /) -> Tensor:
    """Return x1 * x2."""
    return _binary("multiply", x1, x2)


def not_equal(x1: Any, x2: Any, /) -> Tensor:
    """Return True where not equal."""
    return _binary("not_equal", x1, x2)


def pow(x1: Any, x2: Any, /) -> Tensor:
    """Return x1 to the power of x2."""
    return _binary("pow", x1, x2)


def remainder(x1: Any, x2: Any, /) -> Tensor:
    """Return x1 - x2 * floor(x1 / x2), with the sign of x2; integers by zero give 0."""
    return _binary("remainder", x1, x2)


def subtract(x1: Any, x2: Any, /) -> Tensor:
    """Return x1 - x2."""
    return _binary("subtract", x1, x2)


def where(condition: Any, x1: Any, x2: Any, /) -> Tensor:
    """Return x1 where `condition` is not zero, else x2.

    >>> import tensorlib as tl
    >>> where(tl.asarray([True, False]), 1.0, tl.asarray([7.0, 8.0]))
    tensor([1., 8.], dtype=float64)
    """
    if not isinstance(condition, Tensor):
        lanes = _of_lanes("where", condition, x1, x2)
        if lanes is not None:
            return lanes  # type: ignore[no-any-return]
    chosen = _node("where", condition)
    a, b = operand(x1, chosen.device), operand(x2, chosen.device)
    if a is None or b is None:
        wrong = type(x1 if a is None else x2).__name__
        raise DTypeError(f"where: got {wrong}, needed a tensor or a number; try tl.asarray")
    return Tensor(build.where(chosen, a, b))


def astype(x: Tensor, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Tensor:
    """Return the elements as `dtype`: floats are cut and clamped into integers, blocks decoded."""
    moved = x if device is None else x.to_device(device)
    return moved.astype(dtype)


def result_type(*arrays_and_dtypes: Any) -> DType:
    """Return the dtype in which the arguments meet.

    >>> result_type(DType.int32, DType.float32)
    tensorlib.float64
    """
    dtypes = [x.dtype if isinstance(x, Tensor) else as_dtype(x) for x in arrays_and_dtypes]
    if not dtypes:
        raise DTypeError("result_type: got nothing, needed at least one tensor or dtype")
    result = dtypes[0]
    for dtype in dtypes[1:]:
        result = promote(result, dtype)
    return result


# --- folds ---


def sum(x: Any, /, *, axis: Axis = None, dtype: Any = None, keepdims: bool = False) -> Tensor:
    """Return the sum over `axis` (None: over all); int64 for smaller integers and bool."""
    return Tensor(_node("sum", x)).sum(axis, dtype=dtype, keepdims=keepdims)


def prod(x: Any, /, *, axis: Axis = None, dtype: Any = None, keepdims: bool = False) -> Tensor:
    """Return the product over `axis` (None: over all); int64 for smaller integers and bool."""
    return Tensor(_node("prod", x)).prod(axis, dtype=dtype, keepdims=keepdims)


def mean(x: Any, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the arithmetic mean over `axis` (None: over all)."""
    return Tensor(folding.reduce("mean", _node("mean", x), axis, keepdims))


def max(x: Any, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the largest element over `axis` (None: over all); NaN wins."""
    return Tensor(folding.reduce("max", _node("max", x), axis, keepdims))


def min(x: Any, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the smallest element over `axis` (None: over all); NaN wins."""
    return Tensor(folding.reduce("min", _node("min", x), axis, keepdims))


def argmax(x: Any, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Return the position of the first largest element along `axis` (None: flattened)."""
    return Tensor(folding.reduce("argmax", _node("argmax", x), axis, keepdims))


def argmin(x: Any, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Return the position of the first smallest element along `axis` (None: flattened)."""
    return Tensor(folding.reduce("argmin", _node("argmin", x), axis, keepdims))


def any(x: Any, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return whether an element over `axis` is not zero."""
    return Tensor(folding.reduce("any", _node("any", x), axis, keepdims))


def all(x: Any, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return whether no element over `axis` is zero."""
    return Tensor(folding.reduce("all", _node("all", x), axis, keepdims))


def softmax(x: Any, /, *, axis: int = -1) -> Tensor:
    """Return exp(x - max(x)) / sum(exp(x - max(x))) along `axis`."""
    return Tensor(folding.softmax(_node("softmax", x), axis))


def matmul(x1: Any, x2: Any, /) -> Tensor:
    """Return the matrix product (..., M, K) @ (..., K, N) -> (..., M, N).

    Batch axes broadcast, one-dimensional operands are vectors. An operand may be packed. Raises
    ShapeError where the inner sizes differ.
    """
    return Tensor(folding.matmul(_node("matmul", x1), _node("matmul", x2)))


# --- the same elements under another shape; views ---


def reshape(x: Any, /, shape: Sequence[Size], *, copy: bool | None = None) -> Tensor:
    """Return the elements in row-major order under `shape`, of which one size may be -1."""
    return Tensor(shaping.reshape(_node("reshape", x), shape))


def permute_dims(x: Any, /, axes: Sequence[int]) -> Tensor:
    """Return the tensor whose axis k is axis `axes[k]` of `x`."""
    return Tensor(shaping.permute_dims(_node("permute_dims", x), axes))


def matrix_transpose(x: Any, /) -> Tensor:
    """Return the tensor with its last two axes exchanged."""
    return Tensor(shaping.transposed(_node("matrix_transpose", x)))


def broadcast_to(x: Any, /, shape: Sequence[Size]) -> Tensor:
    """Return `x` repeated along new axes and along those of size 1 until it has `shape`."""
    return Tensor(shaping.broadcast_to(_node("broadcast_to", x), tuple(shape)))


def squeeze(x: Any, /, axis: int | Sequence[int]) -> Tensor:
    """Return the tensor without the axes `axis`, whose sizes must be 1."""
    return Tensor(shaping.squeeze(_node("squeeze", x), axis))


def expand_dims(x: Any, /, axis: int | Sequence[int] = 0) -> Tensor:
    """Return the tensor with new axes of size 1, which are `axis` of the result."""
    return Tensor(shaping.expand_dims(_node("expand_dims", x), axis))


def flip(x: Any, /, *, axis: Axis = None) -> Tensor:
    """Return the elements in reverse order along `axis` (None: along every axis)."""
    return Tensor(shaping.flip(_node("flip", x), axis))


# --- picking, joining, writing ---


def take(x: Any, indices: Any, /, *, axis: int | None = None) -> Tensor:
    """Return the elements, or rows, `indices` along `axis`; packed rows come decoded as float32.

    Negative indices count from the end. Others outside the axis raise IndexingError; inside a
    compiled function they give NaN, or 0 for integers.
    """
    return Tensor(indexing.take(_node("take", x), _node("take", indices), axis))


def concat(arrays: Sequence[Any], /, *, axis: int | None = 0) -> Tensor:
    """Return the tensors one after the other along `axis` (None: flattened first)."""
    return Tensor(indexing.concat([_node("concat", x) for x in arrays], axis))


def stack(arrays: Sequence[Any], /, *, axis: int = 0) -> Tensor:
    """Return tensors of one shape side by side along a new axis."""
    return Tensor(indexing.stack([_node("stack", x) for x in arrays], axis))


def update(state: Tensor, value: Any, start: Size, /, *, axis: int = 0) -> Tensor:
    """Write `value` into `state` (of `tl.state`) at [start : start + len) of `axis`, in place.

    Returns the state after the write, over the same memory. What was computed from the state before
    keeps its values, slices of it show the new ones. Inside a compiled function read the state
    through the tensor returned.
    """
    written = _node("update", value)
    return Tensor(indexing.update(state.node, written, start, axis))
