"""Operations that users write: a kernel (`tl.op`), a fold, a scan, a function of rows.

They are rows of the op table like the library's: nodes of the lazy graph, steps of its plans, and
inside `tl.compile` as good as any other.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, overload

import numpy as np

from tensorlib.dtypes import DType, as_dtype
from tensorlib.errors import DTypeError, KernelError, ShapeError
from tensorlib.graph import build
from tensorlib.graph.host import from_numpy
from tensorlib.graph.node import Node
from tensorlib.graph.shaping import flip
from tensorlib.kernels.concrete import folded, scanned
from tensorlib.kernels.rowwise import over_rows, result_of
from tensorlib.lang.infer import result_dtype, where_defined
from tensorlib.lang.kernel import KernelFunction, written
from tensorlib.layouts.dim import Dim, Size
from tensorlib.ops.row import Op, Shape
from tensorlib.ops.shapes import axis_number, axis_numbers, shape_text
from tensorlib.ops.user import frozen, function_key, name_of, row_of
from tensorlib.registry import REGISTRY
from tensorlib.simd import SIMD
from tensorlib.tensor import Axis, Tensor
from tensorlib.tile import TileType
from tensorlib.user_functions import aligned, frozen_kernel

__all__ = ["Operation", "op", "reduce", "rowwise", "scan"]

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
    node = aligned(name_of(function), [x])[0]
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
) -> Tensor:
    """Return, at each place along `axis`, all elements up to it combined by `function`.

    Elements are combined one after the other: `function(total, element)`, from `identity` on.
    `exclusive` leaves the element at the place itself out; `reverse` goes from the last element
    to the first. `axis` may be left out where there is one. float16 and bfloat16 are combined in
    float32. Raises ShapeError, DTypeError or KernelError at the call.

    >>> import tensorlib as tl
    >>> tl.scan(lambda a, b: a.max(b), tl.asarray([2, 1, 3, 0]), identity=-9)
    tensor([2, 2, 3, 3], dtype=int64)
    """
    node = aligned(name_of(function), [x])[0]
    row = _fold_row("scan", function, identity)
    if axis is None and len(node.shape) != 1:
        raise ShapeError(
            f"scan: got shape {shape_text(node.shape)} and no axis, needed an axis; try axis=-1"
        )
    along = axis_number("scan", axis or 0, len(node.shape))
    if reverse:
        node = flip(node, along)
    found = build.apply(row.name, (node,), axis=along, exclusive=exclusive)
    return Tensor(flip(found, along) if reverse else found)


def _fold_row(kind: str, function: Callable[..., Any], identity: float) -> Op:
    key = function_key(function), function_key(identity)
    return row_of(kind, function, key, lambda name: _fold(kind, name, function, identity))


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
            found = np.moveaxis(
                scanned(name, rows, attributes["exclusive"]), -1, attributes["axis"]
            )
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
        nodes = aligned(where, operands)
        if not nodes[0].shape:
            raise ShapeError(f"{where}: got shape (), needed at least one axis")
        row = row_of("rowwise", function, function_key(function), _rowwise)
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


# --- kernels ---


@overload
def op(
    *,
    shapes: Callable[..., Any],
    dtypes: Callable[..., Any] | DType | str | None = None,
) -> Callable[[Callable[..., Any]], Operation]: ...
@overload
def op(
    kernel: Callable[..., Any],
    /,
    *,
    shapes: Callable[..., Any],
    dtypes: Callable[..., Any] | DType | str | None = None,
) -> Operation: ...
def op(
    kernel: Callable[..., Any] | None = None,
    /,
    *,
    shapes: Callable[..., Any],
    dtypes: Callable[..., Any] | DType | str | None = None,
) -> Any:
    """Return a kernel as an operation on tensors; use as a decorator.

    The kernel's first parameter is the tile of the result, of which it writes every element; then
    come tiles of the operands, or numbers, and keyword-only compile-time parameters. `shapes`
    takes the shapes of the operands (a number stands for itself) and returns that of the result;
    `dtypes` takes their dtypes and returns that of the result, or is one; left out it is that of
    the first tensor. Sizes may be symbolic. Operands are read where they lie, whatever their
    strides. Every access is checked; one out of bounds raises KernelError.

    The result is a node of the lazy graph and a step of its own in a plan. Raises ShapeError,
    DTypeError or KernelError at the call.

    >>> import tensorlib as tl
    >>> @tl.op(shapes=lambda x: x[:1])
    ... def last(out: tl.Tile, x: tl.Tile) -> None:
    ...     def pick(where, width):
    ...         out[where] = x[where[0], x.shape[1] - 1]
    ...     tl.elementwise(pick, width=1)(out.shape)
    >>> last(tl.asarray([[1, 2], [3, 4]])) * 10
    tensor([20, 40], dtype=int64)
    """
    if kernel is None:
        return functools.partial(op, shapes=shapes, dtypes=dtypes)
    return Operation(kernel, shapes, dtypes)


class Operation:
    """What `tl.op` makes of a kernel: call it with tensors."""

    __name__: str

    def __init__(self, kernel: Any, shapes: Callable[..., Any], dtypes: Any) -> None:
        made = kernel if isinstance(kernel, KernelFunction) else KernelFunction(kernel)
        functools.update_wrapper(self, made.function)
        self.kernel, self.shapes, self.dtypes = made, shapes, dtypes
        if len(made.arguments) < 2:
            raise KernelError(
                f"op {made.name}: got parameters {made.arguments}, needed the result and at least "
                f"one operand{where_defined(made.function)}"
            )

    def bind(self, **parameters: Any) -> Operation:
        """Return the operation with these compile-time parameters; KernelError for others."""
        return Operation(self.kernel.bind(**parameters), self.shapes, self.dtypes)

    def __getitem__(self, values: Any) -> Operation:
        """`operation[BM, BN]`: the compile-time parameters in the order of their definition."""
        return Operation(self.kernel[values], self.shapes, self.dtypes)

    def __call__(self, *operands: Any, **parameters: Any) -> Tensor:
        if parameters:
            return self.bind(**parameters)(*operands)
        where, names = f"op {self.kernel.name}", self.kernel.arguments[1:]
        if len(operands) != len(names):
            raise KernelError(
                f"{where}: got {len(operands)} operands, needed {len(names)}: {', '.join(names)}"
            )
        named = dict(zip(names, operands, strict=True))
        nodes = {n: _operand(where, n, x) for n, x in named.items() if not _is_number(x)}
        numbers = tuple([x if _is_number(x) else None for x in operands])
        if not nodes:
            raise KernelError(f"{where}: got numbers alone, needed at least one tensor")
        row = self.row()
        made = build.apply(row.name, tuple(nodes.values()), numbers=numbers)
        parts = (made, *nodes.values())
        kinds = tuple([n.dtype for n in parts])
        given = tuple([type(x) for x in numbers])
        row.notes(tuple([len(n.shape) for n in parts]), kinds, given)
        return Tensor(made)

    def row(self) -> Op:
        """Return the row of the op table for the kernel as it is now."""
        own = self.kernel
        parts = [own.function, own.parameters, self.shapes, self.dtypes]
        return row_of("custom", own.function, function_key(parts), self._row)

    def _row(self, name: str) -> Op:
        kernel, where = frozen_kernel(self.kernel), f"op {self.kernel.name}"
        shapes, dtypes = frozen(self.shapes), self.dtypes

        def shape(given: Sequence[Shape], attributes: Any) -> Shape:
            return _shape(where, shapes(*_merged(given, attributes["numbers"])))

        @functools.cache
        def result(given: tuple[DType, ...]) -> DType:
            return _result(where, dtypes, given)

        @functools.cache
        def check(ranks: tuple[int, ...], kinds: tuple[DType, ...], given: Any) -> None:
            numbers = [{type(None): None, float: 1.0}.get(kind, 1) for kind in given]
            _check_kernel(where, kernel, ranks, kinds, numbers)

        def meaning(*arrays: Any, numbers: Any) -> Any:
            out = np.empty(
                shape([a.shape for a in arrays], {"numbers": numbers}),
                result(tuple([as_dtype(a.dtype) for a in arrays])).numpy,
            )
            given = [np.ascontiguousarray(a) for a in arrays]
            kernel.python(out, *_merged(given, numbers))
            return out

        def dtype(given: Sequence[DType], attributes: Any) -> DType:
            return result(tuple(given))

        return Op(name, "custom", shape, dtype, meaning, kernel=kernel, notes=check)


def _is_number(x: Any) -> bool:
    return type(x) in (int, float, Dim)


def _operand(where: str, name: str, x: Any) -> Node:
    if isinstance(x, Tensor):
        node = x.node
    elif isinstance(x, np.ndarray | np.generic):
        node = from_numpy(np.asarray(x), REGISTRY.default())
    else:
        raise DTypeError(
            f"{where}: got {type(x).__name__} for {name}, needed a tensor, an array or a number"
        )
    if node.dtype.is_packed or node.dtype.kind == "complex":
        raise DTypeError(
            f"{where}: got dtype {node.dtype.name} for {name}, needed a bool, integer or float "
            "dtype; try astype(float32)"
        )
    return node


def _merged(tensors: Sequence[Any], numbers: Sequence[Any]) -> list[Any]:
    """Return the operands in their order: a tensor wherever there is no number."""
    rest = iter(tensors)
    return [next(rest) if number is None else number for number in numbers]


def _shape(where: str, found: Any) -> Shape:
    shape = tuple(found) if isinstance(found, tuple | list) else (found,)
    for size in shape:
        if not isinstance(size, int | Dim) or (isinstance(size, int) and size < 0):
            raise ShapeError(
                f"{where}: shapes gave {found!r}, needed the sizes of one result, ints from 0"
            )
    return shape


def _result(where: str, dtypes: Any, given: tuple[DType, ...]) -> DType:
    found = given[0] if dtypes is None else dtypes(*given) if callable(dtypes) else dtypes
    try:
        return as_dtype(found)
    except TypeError:
        raise DTypeError(f"{where}: dtypes gave {found!r}, needed a dtype") from None


def _check_kernel(
    where: str,
    kernel: KernelFunction,
    ranks: tuple[int, ...],
    kinds: tuple[DType, ...],
    numbers: Sequence[Any],
) -> None:
    """Record the kernel for tiles of these ranks: it has to write its result and nothing else."""
    names = [kernel.arguments[0]]
    names += [n for n, x in zip(kernel.arguments[1:], numbers, strict=True) if x is None]
    tiles = [_tile(*known) for known in zip(names, ranks, kinds, strict=True)]
    stored = written(kernel.recorded(tiles[0], *_merged(tiles[1:], numbers)))
    for name in names[1:]:
        if name in stored:
            raise KernelError(
                f"{where}: writes into {name}, an operand, which is a value; needed to write "
                f"{names[0]} alone{where_defined(kernel.function)}"
            )
    if names[0] not in stored:
        raise KernelError(
            f"{where}: writes nothing into {names[0]}, its result{where_defined(kernel.function)}"
        )


def _tile(name: str, rank: int, dtype: DType) -> TileType:
    shape: tuple[Size, ...] = tuple(Dim(f"{name}_n{axis}") for axis in range(rank))
    outer: list[Size] = [Dim(f"{name}_stride{axis}") for axis in range(rank - 1)]
    return TileType(dtype, shape, (*outer, 1)[:rank])
