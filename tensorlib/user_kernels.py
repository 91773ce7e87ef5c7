"""`tl.op`: a user's kernel as an operation on tensors.

It is a row of the op table like the library's: a node of the lazy graph, a step of its plans, and
inside `tl.compile` as good as any other.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, overload

import numpy as np

from tensorlib.dtypes import DType
from tensorlib.errors import DTypeError, KernelError
from tensorlib.graph import build
from tensorlib.graph.host import from_numpy
from tensorlib.graph.node import Node
from tensorlib.graph.several import parts
from tensorlib.kernels.custom import Declared
from tensorlib.lang.extent import Axes, block_shape
from tensorlib.lang.infer import where_defined
from tensorlib.lang.kernel import KernelFunction
from tensorlib.layouts.dim import Dim
from tensorlib.ops.row import Op
from tensorlib.ops.user import ABSENT, Watch, function_key, kind_of, row_of, watch
from tensorlib.registry import REGISTRY
from tensorlib.tensor import Tensor
from tensorlib.user_functions import native
from tensorlib.user_rows import declared_row, merged

__all__ = ["Operation", "op"]

Shapes = Callable[..., Any]
DTypes = Callable[..., Any] | DType | str | Sequence[Any] | None
Grid = Callable[..., Any] | Axes | None


@overload
def op(
    *,
    shapes: Shapes,
    dtypes: DTypes = None,
    outputs: int = 1,
    grid: Grid = None,
    block: Axes | None = None,
    fuses: bool = False,
) -> Callable[[Callable[..., Any]], Operation]: ...
@overload
def op(
    kernel: Callable[..., Any],
    /,
    *,
    shapes: Shapes,
    dtypes: DTypes = None,
    outputs: int = 1,
    grid: Grid = None,
    block: Axes | None = None,
    fuses: bool = False,
) -> Operation: ...
def op(
    kernel: Callable[..., Any] | None = None,
    /,
    *,
    shapes: Shapes,
    dtypes: DTypes = None,
    outputs: int = 1,
    grid: Grid = None,
    block: Axes | None = None,
    fuses: bool = False,
) -> Any:
    """Return a kernel as an operation on tensors; use as a decorator.

    The kernel's first `outputs` parameters are the tiles of the results, of which it writes every
    element; then come its operands, and keyword-only compile-time parameters. An operand is a tile,
    or a number (int, float, bool); one with a default may be left out, and one whose default is
    None is None to the kernel then. `shapes` takes the shapes of the operands (a number stands for
    itself, None for what is left out) and returns that of the result, or a tuple of `outputs` of
    them; `dtypes` takes the dtypes of the tensors and returns that of the result or of each; it may
    be a dtype, and left out it is that of the first tensor. Sizes may be symbolic. Operands are
    read where they lie, whatever their strides. Every access is checked; one out of bounds raises
    KernelError.

    With `block` the kernel is what each thread of such a block runs, on a `grid` of blocks: its
    sizes, or a function that gives them for the shapes of the results and then of the operands.

    The result is a node of the lazy graph, or a tuple of them, and a step of its own in a plan.
    With `fuses` elementwise operations around it become part of it: operands are computed where
    the kernel loads them, and what follows where it stores. It has one result then, of which it
    stores each element once, and loads and stores at whole coordinates, without masks. Raises
    ShapeError, DTypeError or KernelError at the call.

    >>> import tensorlib as tl
    >>> @tl.op(shapes=lambda x: x[:1])
    ... def last(out: tl.Tile, x: tl.Tile) -> None:
    ...     def pick(where, width):
    ...         out[where] = x[where[0], x.shape[1] - 1]
    ...     tl.elementwise(pick, width=1)(out.shape)
    >>> last(tl.asarray([[1, 2], [3, 4]])) * 10
    tensor([20, 40], dtype=int64)
    >>> @tl.op(shapes=lambda x: (x[:1], x[:1]), outputs=2)
    ... def ends(first: tl.Tile, last: tl.Tile, x: tl.Tile) -> None:
    ...     def pick(where, width):
    ...         first[where], last[where] = x[where[0], 0], x[where[0], x.shape[1] - 1]
    ...     tl.elementwise(pick, width=1)(first.shape)
    >>> ends(tl.asarray([[1, 2], [3, 4]]))
    (tensor([1, 3], dtype=int64), tensor([2, 4], dtype=int64))
    """
    options = {
        "shapes": shapes, "dtypes": dtypes, "outputs": outputs, "grid": grid, "block": block,
        "fuses": fuses,
    }  # fmt: skip
    if kernel is None:
        return functools.partial(op, **options)
    return Operation(kernel, **options)


class Operation:
    """What `tl.op` makes of a kernel: call it with tensors."""

    __name__: str

    def __init__(self, kernel: Any, **options: Any) -> None:
        made = kernel if isinstance(kernel, KernelFunction) else KernelFunction(kernel)
        functools.update_wrapper(self, made.function)
        self.kernel, self.options = made, options
        self.where = f"op {made.name}"
        self.block = block_shape(self.where, options["block"])
        self.outputs = options["outputs"]
        self.operands = made.arguments[self.outputs :]
        found = inspect.signature(made.function).parameters
        self._defaults = {
            n: found[n].default for n in self.operands if found[n].default is not found[n].empty
        }
        self._last: tuple[Watch, Op] | None = None
        self._check_declaration()

    def _check_declaration(self) -> None:
        made, options = self.kernel, self.options
        line = where_defined(made.function)
        if self.outputs < 1 or not self.operands:
            what = "the result" if self.outputs == 1 else f"{self.outputs} results"
            raise KernelError(
                f"{self.where}: got parameters {made.arguments}, needed {what} and at least "
                f"one operand{line}"
            )
        if (options["grid"] is None) != (options["block"] is None):
            have, lack = ("grid", "block") if options["block"] is None else ("block", "grid")
            raise KernelError(f"{self.where}: got {have} without {lack}; give both, or none{line}")
        if options["fuses"] and self.outputs > 1:
            raise KernelError(
                f"{self.where}: got fuses=True and {self.outputs} results, needed one{line}"
            )

    def bind(self, **parameters: Any) -> Operation:
        """Return the operation with these compile-time parameters; KernelError for others."""
        return Operation(self.kernel.bind(**parameters), **self.options)

    def __getitem__(self, values: Any) -> Operation:
        """`operation[BM, BN]`: the compile-time parameters in the order of their definition."""
        return Operation(self.kernel[values], **self.options)

    def __call__(self, *operands: Any, **keywords: Any) -> Any:
        parameters = {k: v for k, v in keywords.items() if k not in self.operands}
        if parameters:
            named = {k: v for k, v in keywords.items() if k in self.operands}
            return self.bind(**parameters)(*operands, **named)
        given = self._given(operands, keywords)
        nodes, numbers = [], []
        for name, x in given.items():
            number = self._number(name, x)
            numbers.append(number)
            if number is None:
                nodes.append(_operand(self.where, name, x))
        if not nodes:
            raise KernelError(f"{self.where}: got numbers alone, needed at least one tensor")
        return self._made(tuple(nodes), tuple(numbers))

    def _given(self, operands: Sequence[Any], keywords: Mapping[str, Any]) -> dict[str, Any]:
        """Return the operands by name, in the kernel's order, those left out by their defaults."""
        named = dict(zip(self.operands, operands, strict=False))
        twice = [name for name in keywords if name in named]
        given = {**self._defaults, **named, **keywords}
        if len(operands) > len(self.operands) or twice or len(given) < len(self.operands):
            raise KernelError(
                f"{self.where}: got {len(operands) + len(keywords)} operands, needed "
                f"{len(self.operands)}: {', '.join(self.operands)}"
                f"{where_defined(self.kernel.function)}"
            )
        return {name: given[name] for name in self.operands}

    def _number(self, name: str, x: Any) -> Any:
        """Return the entry of an operand in the attribute `numbers`: None for a tensor."""
        if x is None and self._defaults.get(name, ABSENT) is None:
            return ABSENT
        return x if type(x) in (int, float, bool, Dim) else None

    def _made(self, nodes: tuple[Node, ...], numbers: tuple[Any, ...]) -> Any:
        """Return the result, or the results, as tensors."""
        row = self.row()
        declared: Declared = row.notes
        shapes = [node.shape for node in nodes]
        found = declared.shapes(shapes, numbers)
        dtypes = declared.dtypes(tuple([node.dtype for node in nodes]))
        kinds = (*dtypes, *[node.dtype for node in nodes])
        ranks = tuple([len(shape) for shape in (*found, *shapes)])
        declared.check(ranks, kinds, tuple(map(kind_of, numbers)))
        attributes: dict[str, Any] = {"numbers": numbers}
        if self.block is not None:
            attributes["grid"] = declared.grid((*found, *merged(shapes, numbers)))
        if self.outputs > 1:
            pairs = tuple(zip(found, dtypes, strict=True))
            return tuple([Tensor(n) for n in parts(row.name, nodes, pairs, **attributes)])
        device = build.same_device(self.where, nodes)
        node = Node(row.name, nodes, attributes, found[0], dtypes[0], device)
        return Tensor(build.settled(node))

    def row(self) -> Op:
        """Return the row of the op table for the kernel as it is now."""
        if self._last is not None and self._last[0].holds():
            return self._last[1]
        own, options = self.kernel, tuple(self.options.values())
        kept = watch((own.function, *own.parameters.values(), *options))
        row = row_of(
            "custom", own.function, function_key([own.function, own.parameters, options]), self._row
        )
        self._last = None if kept is None else (kept, row)
        return row

    def _row(self, name: str) -> Op:
        return declared_row(name, self.where, self.kernel, self.outputs, self.block, self.options)


def _operand(where: str, name: str, x: Any) -> Node:
    if isinstance(x, Tensor):
        node = x.node
    elif isinstance(x, np.ndarray | np.generic):
        node = from_numpy(native(np.asarray(x)), REGISTRY.default())
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
