"""`tl.elementwise`: a function over SIMD values as an operation on tensors, or over an index space.

On tensors it is one more operation of the lazy graph: it fuses with its neighbours, and is
broadcast and promoted like the library's own.
"""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable, Sequence
from typing import Any, overload

import numpy as np

from tensorlib.backend import Device
from tensorlib.dtypes import DType, as_dtype
from tensorlib.errors import BackendError, DTypeError, KernelError, ShapeError
from tensorlib.graph.build import broadcast_to, cast, constant, same_device, settled
from tensorlib.graph.host import from_numpy
from tensorlib.graph.node import Node
from tensorlib.ir import current_builder
from tensorlib.kernels import generate
from tensorlib.kernels.concrete import over_arrays
from tensorlib.lang.infer import result_dtype, where_defined
from tensorlib.lang.kernel import KernelFunction
from tensorlib.lang.rewrite import rewritten
from tensorlib.lang.target import simdwidthof
from tensorlib.launch import LaunchedKernel
from tensorlib.ops.promotion import domain_dtype, promote, weak_dtype
from tensorlib.ops.row import EXACT, Op
from tensorlib.ops.shapes import broadcast_shapes
from tensorlib.ops.user import (
    Watch,
    cells_of,
    frozen,
    function_key,
    name_of,
    row_of,
    values_of,
    watch,
)
from tensorlib.registry import REGISTRY
from tensorlib.simd import SIMD
from tensorlib.tensor import Tensor
from tensorlib.tile import Tile

__all__ = ["Elementwise", "elementwise"]


@overload
def elementwise(
    *, width: int | None = None, target: Device | str | None = None
) -> Callable[[Callable[..., Any]], Elementwise]: ...
@overload
def elementwise(
    function: Callable[..., Any],
    /,
    *,
    width: int | None = None,
    target: Device | str | None = None,
) -> Elementwise: ...
@overload
def elementwise(
    function: Callable[..., Any],
    operand: Any,
    /,
    *operands: Any,
    width: int | None = None,
    target: Device | str | None = None,
) -> Tensor: ...
def elementwise(
    function: Callable[..., Any] | None = None,
    /,
    *operands: Any,
    width: int | None = None,
    target: Device | str | None = None,
) -> Any:
    """Return `function` of each element of the operands; without operands, as an operation.

    `function` takes SIMD values of one dtype and any number of lanes, one for each operand, and
    returns one: it is written in the kernel language. Operands are tensors, NumPy arrays and
    numbers; they are broadcast and promoted, and the result is a tensor, computed when it is looked
    at. `width` is the most lanes that the function takes at once, `target` the device it runs on.
    Raises ShapeError, DTypeError or KernelError at the call.

    >>> import tensorlib as tl
    >>> tl.elementwise(lambda x, y: x.max(y) - 1, tl.asarray([1.0, 5.0]), 3.0)
    tensor([2., 4.], dtype=float64)

    Called with a shape, the operation runs over an index space: `function(coords, width=lanes)` is
    called with the coordinates of the first of `lanes` elements along the last axis. Inside a
    kernel it may use its tiles; outside, the NumPy arrays that it closes over are tiles to it.

    >>> a, c = np.arange(6.0).reshape(2, 3), np.zeros((2, 3))
    >>> def halve(coords, width):
    ...     c.store[width](*coords, a.load[width](*coords) * 0.5)
    >>> tl.elementwise(halve, width=2)(a.shape)
    >>> c
    array([[0. , 0.5, 1. ],
           [1.5, 2. , 2.5]])
    """
    if function is None:
        return functools.partial(elementwise, width=width, target=target)
    made = Elementwise(function, width, target)
    return made(*operands) if operands else made


class Elementwise:
    """What `tl.elementwise` makes of a function: call it with tensors, SIMD values or a shape."""

    __name__: str

    def __init__(
        self,
        function: Callable[..., Any],
        width: int | None = None,
        target: Device | str | None = None,
    ) -> None:
        if not callable(function):
            raise KernelError(f"elementwise: got {type(function).__name__}, needed a function")
        if width is not None and (width < 1 or width & (width - 1)):
            raise KernelError(f"elementwise: got width {width}, needed a power of two")
        functools.update_wrapper(self, function)
        self.function, self.width, self.target = function, width, target
        self._name = name_of(function)
        self._last: tuple[Watch, Op] | None = None

    def __call__(self, *operands: Any) -> Any:
        first = operands[0] if operands else None
        if len(operands) == 1 and isinstance(first, (tuple, list)):
            return self._over(tuple(first))
        if isinstance(first, SIMD) and all(isinstance(x, SIMD) for x in operands):
            return self._in_kernel(*operands)
        return Tensor(self._node(operands))

    def _in_kernel(self, *values: SIMD) -> Any:
        traced = current_builder() is not None
        return (rewritten(self.function) if traced else self.function)(*values)

    # --- on tensors ---

    def _node(self, operands: Sequence[Any]) -> Node:
        if not operands:
            raise KernelError(f"{self._name}: got no operands, needed at least one tensor")
        nodes = named(self._name, self.function, operands, self.target)
        row, first = self.row(), nodes[0]
        dtype = row.dtype([node.dtype for node in nodes], {})
        return settled(Node(row.name, tuple(nodes), {}, first.shape, dtype, first.device))

    def row(self) -> Op:
        """Return the row of the op table for the function as it is now."""
        if self._last is not None and self._last[0].holds():
            return self._last[1]
        kept, key = watch(self.function), (function_key(self.function), self.width)
        row = row_of("elementwise", self.function, key, self._row)
        self._last = None if kept is None else (kept, row)
        return row

    def _row(self, name: str) -> Op:
        function, width = frozen(self.function), self.width
        _refuse_tensors(self.function)

        @functools.cache
        def result(*dtypes: DType) -> DType:
            return result_dtype("elementwise", function, dtypes, width)

        def meaning(*arrays: Any) -> Any:
            kinds = [as_dtype(a.dtype) for a in arrays]
            return over_arrays(function, width, arrays, result(*kinds))

        return Op(
            name, "elementwise", lambda shapes, _: shapes[0], lambda dtypes, _: result(*dtypes),
            meaning, exact=EXACT, kernel=function, width=width,
        )  # fmt: skip

    # --- over an index space ---

    def _over(self, shape: tuple[Any, ...]) -> None:
        function = self.function
        if not isinstance(function, KernelFunction):
            _require_width(function)
        is_python = bool(
            closed_over(function, (Tile,), nested=True)
        )  # in a kernel that runs in Python
        if current_builder() is not None or is_python:
            over_space(function, shape, self.width or _natural(function))
            return
        device = REGISTRY.default()
        if self.target is not None and REGISTRY.device(self.target) != device:
            raise BackendError(
                f"elementwise: got target {self.target}, needed the default device {device} for an "
                "index space; try TENSORLIB_BACKEND"
            )
        arrays = closed_over(function, (np.ndarray, Tensor))
        if not arrays:
            raise KernelError(
                f"elementwise: {name_of(function)} closes over no array; outside a kernel those "
                f"arrays are what it reads and writes{where_defined(function)}"
            )
        sizes = [int(n) for n in shape]
        _kernel_over(function, arrays, len(sizes), self.width)(*arrays.values(), *sizes)


def over_space(function: Any, shape: Sequence[Any], width: int) -> None:
    """Call `function` at every coordinate of `shape`, `width` lanes at a time."""
    in_language = rewritten if current_builder() is not None else _as_it_is

    def body(where: list[Any], lanes: int) -> None:
        if isinstance(function, KernelFunction):
            in_language(function[lanes].function)(tuple(where), **function[lanes].parameters)
        else:
            in_language(function)(tuple(where), width=lanes)

    in_language(generate.elementwise)(shape, width, body)


def _as_it_is(function: Any) -> Any:
    return function


# --- operands ---


def aligned(where: str, operands: Sequence[Any], target: Device | str | None = None) -> list[Node]:
    """Return the operands as nodes of one shape, dtype and device; numbers take a tensor's dtype.

    >>> import tensorlib as tl
    >>> aligned("f", [tl.asarray([1, 2]), 0.5])[1].dtype
    tensorlib.float64
    """
    if len(operands) == 1 and target is None and isinstance(operands[0], Tensor):
        only = operands[0].node
        domain_dtype(where, "real", only.dtype)
        return [only]
    device = _device(operands, target)
    nodes = [None if _is_number(x) else _node(where, x, device) for x in operands]
    tensors = [n for n in nodes if n is not None]
    if target is not None and any(n.device != device for n in tensors):
        wrong = next(n.device for n in tensors if n.device != device)
        raise BackendError(
            f"{where}: got a tensor on {wrong} and target {device}, needed one device; "
            "try to_device"
        )
    dtype = functools.reduce(promote, [n.dtype for n in tensors]) if tensors else None
    for x in filter(_is_number, operands):
        weak = weak_dtype(dtype, x)
        dtype = weak if dtype is None else promote(dtype, weak)
    assert dtype is not None
    domain_dtype(where, "real", dtype)
    shape = broadcast_shapes(where, *[n.shape for n in tensors])
    same_device(where, tensors or [constant(0, (), dtype, device)])
    return [
        constant(x, shape, dtype, device) if n is None else broadcast_to(cast(n, dtype), shape)
        for x, n in zip(operands, nodes, strict=True)
    ]


def named(
    where: str, function: Any, operands: Sequence[Any], target: Device | str | None = None
) -> list[Node]:
    """Return `aligned` operands of a user's function; errors show the line where it starts."""
    try:
        return aligned(where, operands, target)
    except (ShapeError, DTypeError, BackendError) as error:
        raise type(error)(f"{error}{where_defined(function)}") from None


def _is_number(x: Any) -> bool:
    return type(x) in (bool, int, float, complex)


def _device(operands: Sequence[Any], target: Device | str | None) -> Device:
    if target is not None:
        return REGISTRY.device(target)
    return next((x.device for x in operands if isinstance(x, Tensor)), REGISTRY.default())


def _node(where: str, x: Any, device: Device) -> Node:
    if isinstance(x, Tensor):
        return x.node
    if isinstance(x, np.ndarray | np.generic):
        return from_numpy(native(np.asarray(x)), device)
    raise DTypeError(
        f"{where}: got {type(x).__name__}, needed a tensor, an array or a number; try tl.asarray"
    )


def native(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return `array` in the byte order of this machine."""
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


# --- functions and what they close over ---


def closed_over(function: Any, kinds: tuple[type, ...], nested: bool = False) -> dict[str, Any]:
    """Return what `function` closes over, or reads as a global name, of some types, by name; with
    `nested` also what the functions that it reaches so close over.

    >>> scale = np.ones(2)
    >>> def f(i):
    ...     return scale[i]
    >>> closed_over(f, (np.ndarray,))
    {'scale': array([1., 1.])}
    """
    found: dict[str, Any] = {}
    stack, seen = [getattr(function, "function", function)], set()
    while stack:
        plain = stack.pop()
        if not isinstance(plain, types.FunctionType) or id(plain) in seen:
            continue
        seen.add(id(plain))
        for name, value in values_of(plain).items():
            if isinstance(value, kinds):
                found.setdefault(name, value)
        stack += [v for v in cells_of(plain).values() if nested]
    return found


def _with_values(function: Any, values: dict[str, Any]) -> Any:
    """Return `function` with other values for some of the names that it closes over or reads."""
    if isinstance(function, KernelFunction):
        return type(function)(_with_values(function.function, values), function.parameters)
    code = function.__code__
    cells = tuple(
        types.CellType(values[n]) if n in values else cell
        for n, cell in zip(code.co_freevars, function.__closure__ or (), strict=True)
    )
    known = function.__globals__
    if any(n in known for n in values if n in code.co_names):
        known = {**known, **{n: v for n, v in values.items() if n in code.co_names}}
    made = types.FunctionType(code, known, function.__name__, function.__defaults__, cells or None)
    made.__kwdefaults__, made.__module__ = function.__kwdefaults__, function.__module__
    made.__qualname__ = function.__qualname__
    return made


def _refuse_tensors(function: Any) -> None:
    for name, value in closed_over(function, (Tensor, np.ndarray, Tile)).items():
        raise KernelError(
            f"elementwise: {name_of(function)} closes over {name}, a {type(value).__name__}; "
            f"pass it as an operand{where_defined(function)}"
        )


def _require_width(function: Any) -> None:
    try:
        if "width" in inspect.signature(function).parameters:
            return
    except ValueError:
        pass
    raise KernelError(
        f"elementwise: {name_of(function)} has no parameter width; over an index space it is "
        f"called as {name_of(function)}(coords, width=lanes){where_defined(function)}"
    )


def _natural(function: Any) -> int:
    """Return the lanes that fill a vector with the widest of the tiles that `function` uses."""
    tiles = closed_over(function, (Tile, np.ndarray, Tensor), nested=True).values()
    return min((simdwidthof(as_dtype(tile.dtype)) for tile in tiles), default=1)


_KERNELS: dict[Any, LaunchedKernel] = {}


def _kernel_over(
    function: Any, arrays: dict[str, Any], rank: int, width: int | None
) -> LaunchedKernel:
    """Return the kernel of an index space: its arguments are the arrays, then the sizes."""
    lanes = width or _natural(function)
    bare = _with_values(function, {name: name for name in arrays})
    plain = bare.function if isinstance(bare, KernelFunction) else bare
    key = function_key(plain), type(bare), tuple(arrays), rank, lanes
    if key not in _KERNELS:
        _KERNELS[key] = LaunchedKernel(_space_function(_frozen_kernel(bare), arrays, rank, lanes))
    return _KERNELS[key]


def _frozen_kernel(function: Any) -> Any:
    """Return a function, or the function of a kernel, as it is now; see `ops.user.frozen`."""
    if isinstance(function, KernelFunction):
        return type(function)(frozen(function.function), function.parameters)
    return frozen(function)


def _space_function(
    function: Any, names: dict[str, Any], rank: int, width: int
) -> Callable[..., None]:
    sizes = [f"n{axis}" for axis in range(rank)]

    def space(**given: Any) -> None:
        tiles = {name: given[name] for name in names}
        over_space(_with_values(function, tiles), [given[n] for n in sizes], width)

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter(name, kind) for name in (*names, *sizes)]
    space.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    space.__name__ = space.__qualname__ = name_of(function)
    return space
