"""Operations that users write: a fold, a scan, a function of rows.

They are rows of the op table like the library's: nodes of the lazy graph, steps of its plans, and
inside `tl.compile` as good as any other.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tensorlib.dtypes import DType, as_dtype
from tensorlib.errors import DTypeError, KernelError, ShapeError
from tensorlib.graph import build
from tensorlib.graph.shaping import flip
from tensorlib.kernels.concrete import folded, scanned
from tensorlib.kernels.rowwise import over_rows, result_of
from tensorlib.kernels.scan import BLOCK
from tensorlib.lang.infer import result_dtype, where_defined
from tensorlib.ops.row import Op, Shape
from tensorlib.ops.shapes import axis_number, axis_numbers, shape_text
from tensorlib.ops.user import frozen, function_key, kept_row, name_of
from tensorlib.simd import SIMD
from tensorlib.tensor import Axis, Tensor
from tensorlib.user_functions import named

__all__ = ["reduce", "rowwise", "scan"]

HALVES = (DType.float16, DType.bfloat16)


# --- folds and scans ---


def reduce(
    function: Callable[[SIMD, SIMD], SIMD],
    x: Any,
    /,
    *,
    identity: float,
    axis: Axis = None,
    keepdims: bool = False,
) -> Tensor:
    """Return the elements of `x` along `axis` (None: all) combined by `function`, two at a time.

    `function(a, b)` takes and returns SIMD values of the dtype of `x` (float32 for float16 and
    bfloat16, rounded at the end); `identity` is what it starts from and changes nothing:
    `function(identity, a) == a`. Elements are combined in an order of the kernel's own, so
    `function` has to be associative and commutative. What is computed before and after fuses with
    it. Raises ShapeError, DTypeError or KernelError at the call.

    >>> import tensorlib as tl
    >>> tl.reduce(lambda a, b: a ^ b, tl.asarray([3, 5, 6]), identity=0)
    tensor(0, dtype=int64)
    """
    (node,) = named(name_of(function), function, [x])
    row = _fold_row("reduce", function, identity)
    axes = axis_numbers(row.name, axis, len(node.shape))
    if not axes:
        return Tensor(node)
    return Tensor(build.apply(row.name, (node,), axes=axes, keepdims=keepdims))


def scan(
    function: Callable[[SIMD, SIMD], SIMD],
    x: Any,
    /,
    *,
    identity: float,
    axis: int | None = None,
    exclusive: bool = False,
    reverse: bool = False,
    associative: bool = False,
) -> Tensor:
    """Return, at each place along `axis`, all elements up to it combined by `function`.

    Elements are combined one after the other: `function(total, element)`, from `identity` on.
    `exclusive` leaves the element at the place itself out; `reverse` goes from the last element
    to the first. `axis` may be left out where there is one. float16 and bfloat16 are combined in
    float32. Rows are computed in parallel; with `associative`, which says that
    `function(function(a, b), c) == function(a, function(b, c))`, so are blocks of a long row: each
    block of 1024 elements is combined by itself, then joined to what those before it give. The bits
    depend on the length of a row alone. Raises ShapeError, DTypeError or KernelError at the call.

    >>> import tensorlib as tl
    >>> tl.scan(lambda a, b: a.max(b), tl.asarray([2, 1, 3, 0]), identity=-9)
    tensor([2, 2, 3, 3], dtype=int64)
    """
    (node,) = named(name_of(function), function, [x])
    row = _fold_row("scan", function, identity)
    if axis is None and len(node.shape) != 1:
        raise ShapeError(
            f"scan: got shape {shape_text(node.shape)} and no axis, needed an axis; try axis=-1"
        )
    along = axis_number("scan", axis or 0, len(node.shape))
    if reverse:
        node = flip(node, along)
    options = {"associative": True} if associative else {}
    found = build.apply(row.name, (node,), axis=along, exclusive=exclusive, **options)
    return Tensor(flip(found, along) if reverse else found)


def _fold_row(kind: str, function: Callable[..., Any], identity: float) -> Op:
    def make(name: str) -> Op:
        return _fold(kind, name, function, identity)

    return kept_row(kind, function, function_key(identity), make)


def _fold(kind: str, name: str, original: Callable[..., Any], identity: float) -> Op:
    function = frozen(original)

    @functools.cache
    def check(dtype: DType) -> DType:
        wide = DType.float32 if dtype in HALVES else dtype
        SIMD[wide, 1](identity)
        result = result_dtype(kind, function, [wide, wide])
        if result is not wide:
            raise DTypeError(
                f"{kind}: {name_of(function)} of two {wide.name} values returned {result.name}, "
                f"needed {wide.name}{where_defined(function)}"
            )
        return dtype

    def shape(shapes: Sequence[Shape], attributes: Any) -> Shape:
        if kind == "scan":
            return shapes[0]
        axes, keep = attributes["axes"], attributes["keepdims"]
        pairs = enumerate(shapes[0])
        return tuple(1 if a in axes else n for a, n in pairs if keep or a not in axes)

    def meaning(x: Any, **attributes: Any) -> Any:
        wide = x.astype(np.float32) if as_dtype(x.dtype) in HALVES else x
        if kind == "scan":
            rows = np.moveaxis(wide, attributes["axis"], -1)
            block = BLOCK if attributes.get("associative") else 0
            found = scanned(name, rows, attributes["exclusive"], block)
            found = np.moveaxis(found, -1, attributes["axis"])
        else:
            found = _reduced(name, wide, **attributes)
        return found.astype(x.dtype)

    return Op(
        name, kind, shape, lambda dtypes, _: check(dtypes[0]), meaning, 1,
        kernel=function, identity=identity,
    )  # fmt: skip


def _reduced(name: str, x: Any, axes: Sequence[int], keepdims: bool) -> Any:
    kept = [n for a, n in enumerate(x.shape) if a not in axes]
    count = math.prod(x.shape[a] for a in axes)
    rows = np.moveaxis(x, axes, range(-len(axes), 0)).reshape(*kept, count)
    found = folded(name, rows)
    return np.expand_dims(found, tuple(axes)) if keepdims else found


# --- functions of rows ---


def rowwise(function: Callable[..., Any], /) -> Callable[..., Tensor]:
    """Return `function` of each row along the last axis of its operands, as an operation.

    `function` takes a `Row` for each operand and returns a row, or a scalar. Rows have operators,
    `map`, `cast`, `select`, and the folds `sum`, `mean`, `max`, `min`, `any`, `all`. Operands are
    broadcast and promoted. One kernel computes it, whatever comes before and after included.

    >>> import tensorlib as tl
    >>> @tl.rowwise
    ... def centred(row):
    ...     return row - row.mean()
    >>> centred(tl.asarray([[1.0, 3.0], [5.0, 9.0]]))
    tensor([[-1.,  1.],
            [-2.,  2.]], dtype=float64)
    """

    @functools.wraps(function)
    def call(*operands: Any) -> Tensor:
        where = name_of(function)
        if not operands:
            raise KernelError(f"{where}: got no operands, needed at least one tensor")
        nodes = named(where, function, operands)
        if not nodes[0].shape:
            raise ShapeError(f"{where}: got shape (), needed at least one axis")
        row = kept_row("rowwise", function, None, _rowwise)
        axis = len(nodes[0].shape) - 1
        is_row = row.notes(*[node.dtype for node in nodes])[1]
        return Tensor(build.apply(row.name, tuple(nodes), axis=axis, is_row=is_row))

    def _rowwise(name: str) -> Op:
        return _rowwise_row(name, frozen(function))

    return call


def _rowwise_row(name: str, function: Callable[..., Any]) -> Op:
    @functools.cache
    def result(*dtypes: DType) -> tuple[DType, bool]:
        return result_of(function, dtypes)

    def shape(shapes: Sequence[Shape], attributes: Any) -> Shape:
        return shapes[0] if attributes["is_row"] else shapes[0][:-1]

    def meaning(*arrays: Any, **_: Any) -> Any:
        kinds = [as_dtype(a.dtype) for a in arrays]
        return over_rows(function, arrays, result(*kinds)[0])

    return Op(
        name, "rowwise", shape, lambda dtypes, _: result(*dtypes)[0], meaning,
        kernel=function, notes=result,
    )  # fmt: skip
