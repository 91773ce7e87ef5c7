"""`Tensor`: the NumPy-like array; lazy inside, eager to look at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tensorlib.backend import Device
from tensorlib.dtypes import DType, as_dtype
from tensorlib.errors import DTypeError, IndexingError, ShapeError
from tensorlib.graph import folding, shaping
from tensorlib.graph.build import Operand, binary, cast, is_known, unary
from tensorlib.graph.host import from_numpy, to_numpy, to_scalar
from tensorlib.graph.indexing import basic, picked
from tensorlib.graph.node import Node
from tensorlib.graph.realise import realise
from tensorlib.layouts.dim import Dim, Size
from tensorlib.ops import Shape
from tensorlib.ops.shapes import elements, shape_text
from tensorlib.registry import REGISTRY

__all__ = ["Tensor", "operand"]

Axis = int | Sequence[int] | None
_RANK = {"bool": 0, "signed": 1, "unsigned": 1, "float": 2, "complex": 3}
_SCALARS = (int, float, bool, complex, Dim)


def operand(value: Any, device: Device) -> Operand | None:
    """Return `value` as an operand beside tensors on `device`; None where it is of no use."""
    if isinstance(value, Tensor):
        return value.node
    if type(value) in _SCALARS:
        return value  # type: ignore[no-any-return]
    if isinstance(value, np.ndarray | np.generic):
        return from_numpy(np.asarray(value), device)
    return None


def _operator(op: str, x: Tensor, other: Any) -> Tensor:
    y = other.node if other.__class__ is Tensor else operand(other, x.node.device)
    return NotImplemented if y is None else Tensor(binary(op, x.node, y))


def _reflected(op: str, other: Any, y: Tensor) -> Tensor:
    x = operand(other, y.node.device)
    return NotImplemented if x is None else Tensor(binary(op, x, y.node))


class Tensor:
    """An array of one dtype on one device.

    Operations are recorded and computed when a value is looked at: `numpy()`, `print`, `float()`.
    Errors of shape and dtype are raised at the call. Tensors are values: `x += y` makes `x` name
    the new values, and what was computed or sliced from the old ones keeps them. Sizes may be
    symbolic (`Dim`) inside a compiled function. Made by `tl.asarray`, `tl.zeros` and their kin.

    >>> import tensorlib as tl
    >>> x = tl.asarray([[1.0, 2.0], [3.0, 4.0]])
    >>> (x @ x + 1).sum(axis=0)
    tensor([24., 34.], dtype=float64)
    """

    __slots__ = ("__weakref__", "node")
    __array_ufunc__ = None  # so that NumPy arrays leave mixed operators to us
    __hash__ = None  # type: ignore[assignment]

    node: Node

    def __init__(self, node: Node) -> None:
        self.node = node

    # --- what it is ---

    @property
    def shape(self) -> Shape:
        """The sizes, one an axis; ints, but for Dims inside a compiled function."""
        return self.node.shape

    @property
    def dtype(self) -> DType:
        """The dtype of the elements."""
        return self.node.dtype

    @property
    def device(self) -> Device:
        """The device that holds, or will hold, the elements."""
        return self.node.device

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.node.shape)

    @property
    def size(self) -> Size:
        """The number of elements."""
        return elements(self.node.shape)

    @property
    def T(self) -> Tensor:
        """The tensor with its axes reversed; a view."""
        return Tensor(shaping.permute_dims(self.node, range(self.ndim)[::-1]))

    @property
    def mT(self) -> Tensor:
        """The tensor with its last two axes exchanged; a view."""
        return Tensor(shaping.transposed(self.node))

    # --- its values ---

    def numpy(self) -> np.ndarray[Any, Any]:
        """Return the elements as a new NumPy array, which is the caller's own."""
        realise((self.node,))
        return to_numpy(self.node)

    def item(self) -> Any:
        """Return the one element as a Python number."""
        if self.size != 1:
            raise ShapeError(
                f"item: got shape {shape_text(self.shape)}, needed exactly one element; "
                "try any() or all() for a truth value, numpy() for all elements"
            )
        realise((self.node,))
        return to_scalar(self.node)

    def tolist(self) -> Any:
        """Return the elements as nested lists of Python numbers."""
        return self.numpy().tolist()

    def realise(self) -> Tensor:
        """Compute the elements now, where that has not happened yet; return the tensor."""
        realise((self.node,))
        return self

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        if copy is False:
            raise ValueError("array: got copy=False, but the elements must be copied to NumPy")
        array = self.numpy()
        return array if dtype is None else array.astype(dtype, copy=False)

    def __bool__(self) -> bool:
        return bool(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __complex__(self) -> complex:
        return complex(self.item())

    def __index__(self) -> int:
        if not self.dtype.is_integer or self.ndim:
            raise DTypeError(
                f"index: got dtype {self.dtype.name} and shape {shape_text(self.shape)}, "
                "needed an integer tensor without axes"
            )
        return int(self.item())

    def __len__(self) -> int:
        if not self.shape:
            raise DTypeError("len: got a tensor without axes, needed at least one axis")
        return int(self.shape[0])

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        shape, dtype = shape_text(self.shape), self.dtype.name
        if self.dtype.is_packed or not is_known(self.node):
            return f"tensor(<not shown>, shape={shape}, dtype={dtype})"
        array = self.numpy()
        if dtype == "bfloat16":
            array = array.astype(np.float32)
        body = np.array2string(array, separator=", ", prefix="tensor(", threshold=1000)
        empty = f", shape={shape}" if array.size == 0 else ""
        return f"tensor({body}{empty}, dtype={dtype})"

    # --- the same elements, otherwise ---

    def astype(self, dtype: Any, /) -> Tensor:
        """Return the elements as `dtype`; packed blocks are decoded."""
        return Tensor(cast(self.node, as_dtype(dtype)))

    def to_device(self, device: Device | str, /) -> Tensor:
        """Return the tensor on `device`, copied where it lies on another."""
        target = REGISTRY.device(device)
        if target == self.device:
            return self
        return Tensor(from_numpy(self.numpy(), target))

    def reshape(self, *shape: Size | Sequence[Size]) -> Tensor:
        """Return the elements in row-major order under another shape; one size may be -1."""
        first = shape[0] if len(shape) == 1 else shape
        sizes = (first,) if isinstance(first, int | Dim) else first
        return Tensor(shaping.reshape(self.node, sizes))  # type: ignore[arg-type]

    def transpose(self, *axes: int) -> Tensor:
        """Return the tensor with axis `axes[k]` as axis k; without arguments, reversed."""
        return Tensor(shaping.permute_dims(self.node, axes)) if axes else self.T

    def squeeze(self, axis: int | Sequence[int]) -> Tensor:
        """Return the tensor without the axes `axis`, of size 1."""
        return Tensor(shaping.squeeze(self.node, axis))

    def __getitem__(self, key: Any, /) -> Tensor:
        items = key if isinstance(key, tuple) else (key,)
        for place, item in enumerate(items):
            if isinstance(item, Tensor | np.ndarray | list) and not _is_point(item):
                return self._picked(items, place)
        return Tensor(basic(self.node, items))

    def _picked(self, items: tuple[Any, ...], place: int) -> Tensor:
        """Index by one tensor: first the basic indices around it, then along its axis."""
        _refuse_scattered(items, place)
        index = items[place]
        if not isinstance(index, Tensor):
            array = np.asarray(index)
            index = Tensor(from_numpy(array if array.size else array.astype(int), self.device))
        covered = index.ndim if index.dtype is DType.bool else 1
        whole = (slice(None),) * covered
        outer = basic(self.node, (*items[:place], *whole, *items[place + 1 :]))
        axis = _axes_before(items[:place], self.ndim - _axes_used(items[place + 1 :]) - covered)
        return Tensor(picked(outer, index.node, axis))

    # --- folds ---

    def sum(self, axis: Axis = None, *, dtype: Any = None, keepdims: bool = False) -> Tensor:
        """Return the sum over `axis` (None: over all axes)."""
        wanted = None if dtype is None else as_dtype(dtype)
        return Tensor(folding.reduce("sum", self.node, axis, keepdims, wanted))

    def prod(self, axis: Axis = None, *, dtype: Any = None, keepdims: bool = False) -> Tensor:
        """Return the product over `axis` (None: over all axes)."""
        wanted = None if dtype is None else as_dtype(dtype)
        return Tensor(folding.reduce("prod", self.node, axis, keepdims, wanted))

    def mean(self, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
        """Return the arithmetic mean over `axis` (None: over all axes)."""
        return Tensor(folding.reduce("mean", self.node, axis, keepdims))

    def max(self, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
        """Return the largest element over `axis` (None: over all axes); NaN wins."""
        return Tensor(folding.reduce("max", self.node, axis, keepdims))

    def min(self, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
        """Return the smallest element over `axis` (None: over all axes); NaN wins."""
        return Tensor(folding.reduce("min", self.node, axis, keepdims))

    def argmax(self, axis: int | None = None, *, keepdims: bool = False) -> Tensor:
        """Return the position of the first largest element (None: in the flattened tensor)."""
        return Tensor(folding.reduce("argmax", self.node, axis, keepdims))

    def argmin(self, axis: int | None = None, *, keepdims: bool = False) -> Tensor:
        """Return the position of the first smallest element (None: in the flattened tensor)."""
        return Tensor(folding.reduce("argmin", self.node, axis, keepdims))

    def any(self, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
        """Return whether an element over `axis` is not zero."""
        return Tensor(folding.reduce("any", self.node, axis, keepdims))

    def all(self, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
        """Return whether no element over `axis` is zero."""
        return Tensor(folding.reduce("all", self.node, axis, keepdims))

    # --- operators ---

    def __neg__(self) -> Tensor:
        return Tensor(unary("negative", self.node))

    def __pos__(self) -> Tensor:
        return self

    def __abs__(self) -> Tensor:
        return Tensor(unary("abs", self.node))

    def __invert__(self) -> Tensor:
        return Tensor(unary("bitwise_invert", self.node))

    def __add__(self, other: Any, /) -> Tensor:
        return _operator("add", self, other)

    def __radd__(self, other: Any, /) -> Tensor:
        return _reflected("add", other, self)

    def __sub__(self, other: Any, /) -> Tensor:
        return _operator("subtract", self, other)

    def __rsub__(self, other: Any, /) -> Tensor:
        return _reflected("subtract", other, self)

    def __mul__(self, other: Any, /) -> Tensor:
        return _operator("multiply", self, other)

    def __rmul__(self, other: Any, /) -> Tensor:
        return _reflected("multiply", other, self)

    def __truediv__(self, other: Any, /) -> Tensor:
        return _operator("divide", self, other)

    def __rtruediv__(self, other: Any, /) -> Tensor:
        return _reflected("divide", other, self)

    def __floordiv__(self, other: Any, /) -> Tensor:
        return _operator("floor_divide", self, other)

    def __rfloordiv__(self, other: Any, /) -> Tensor:
        return _reflected("floor_divide", other, self)

    def __mod__(self, other: Any, /) -> Tensor:
        return _operator("remainder", self, other)

    def __rmod__(self, other: Any, /) -> Tensor:
        return _reflected("remainder", other, self)

    def __pow__(self, other: Any, /) -> Tensor:
        return _operator("pow", self, other)

    def __rpow__(self, other: Any, /) -> Tensor:
        return _reflected("pow", other, self)

    def __and__(self, other: Any, /) -> Tensor:
        return _operator("bitwise_and", self, other)

    def __rand__(self, other: Any, /) -> Tensor:
        return _reflected("bitwise_and", other, self)

    def __or__(self, other: Any, /) -> Tensor:
        return _operator("bitwise_or", self, other)

    def __ror__(self, other: Any, /) -> Tensor:
        return _reflected("bitwise_or", other, self)

    def __xor__(self, other: Any, /) -> Tensor:
        return _operator("bitwise_xor", self, other)

    def __rxor__(self, other: Any, /) -> Tensor:
        return _reflected("bitwise_xor", other, self)

    def __lshift__(self, other: Any, /) -> Tensor:
        return _operator("bitwise_left_shift", self, other)

    def __rlshift__(self, other: Any, /) -> Tensor:
        return _reflected("bitwise_left_shift", other, self)

    def __rshift__(self, other: Any, /) -> Tensor:
        return _operator("bitwise_right_shift", self, other)

    def __rrshift__(self, other: Any, /) -> Tensor:
        return _reflected("bitwise_right_shift", other, self)

    def __eq__(self, other: Any, /) -> Tensor:  # type: ignore[override]
        return _operator("equal", self, other)

    def __ne__(self, other: Any, /) -> Tensor:  # type: ignore[override]
        return _operator("not_equal", self, other)

    def __lt__(self, other: Any, /) -> Tensor:
        return _operator("less", self, other)

    def __le__(self, other: Any, /) -> Tensor:
        return _operator("less_equal", self, other)

    def __gt__(self, other: Any, /) -> Tensor:
        return _operator("greater", self, other)

    def __ge__(self, other: Any, /) -> Tensor:
        return _operator("greater_equal", self, other)

    def __matmul__(self, other: Any, /) -> Tensor:
        y = operand(other, self.device)
        if not isinstance(y, Node):
            return NotImplemented
        return Tensor(folding.matmul(self.node, y))

    def __rmatmul__(self, other: Any, /) -> Tensor:
        x = operand(other, self.device)
        if not isinstance(x, Node):
            return NotImplemented
        return Tensor(folding.matmul(x, self.node))

    # --- in place: the same Tensor, new values, the dtype and shape it had ---

    def _become(self, sign: str, result: Tensor) -> Tensor:
        if _RANK[result.dtype.kind] > _RANK[self.dtype.kind]:
            raise DTypeError(
                f"{sign}: got a {result.dtype.name} result for a {self.dtype.name} tensor, which "
                "keeps its dtype; try writing it out, as in x = x + y"
            )
        if result.shape != self.shape:
            raise ShapeError(
                f"{sign}: got a result of shape {shape_text(result.shape)} for a tensor of shape "
                f"{shape_text(self.shape)}, which keeps its shape"
            )
        self.node = cast(result.node, self.dtype)
        return self

    def __iadd__(self, other: Any, /) -> Tensor:
        return self._become("+=", self + other)

    def __isub__(self, other: Any, /) -> Tensor:
        return self._become("-=", self - other)

    def __imul__(self, other: Any, /) -> Tensor:
        return self._become("*=", self * other)

    def __itruediv__(self, other: Any, /) -> Tensor:
        return self._become("/=", self / other)

    def __ifloordiv__(self, other: Any, /) -> Tensor:
        return self._become("//=", self // other)

    def __imod__(self, other: Any, /) -> Tensor:
        return self._become("%=", self % other)

    def __ipow__(self, other: Any, /) -> Tensor:
        return self._become("**=", self**other)

    def __imatmul__(self, other: Any, /) -> Tensor:
        return self._become("@=", self @ other)

    def __iand__(self, other: Any, /) -> Tensor:
        return self._become("&=", self & other)

    def __ior__(self, other: Any, /) -> Tensor:
        return self._become("|=", self | other)

    def __ixor__(self, other: Any, /) -> Tensor:
        return self._become("^=", self ^ other)

    def __ilshift__(self, other: Any, /) -> Tensor:
        return self._become("<<=", self << other)

    def __irshift__(self, other: Any, /) -> Tensor:
        return self._become(">>=", self >> other)


def _is_point(item: Any) -> bool:
    """True for an integer tensor without axes, which indexes like an int."""
    return isinstance(item, Tensor | np.ndarray) and item.ndim == 0 and _is_static_integer(item)


def _is_static_integer(item: Any) -> bool:
    if isinstance(item, np.ndarray):
        return item.dtype.kind in "iu"
    return bool(item.dtype.is_integer) and is_known(item.node)


def _refuse_scattered(items: Sequence[Any], place: int) -> None:
    """Raise where an int is parted from the index tensor: NumPy moves axes to the front then."""
    points = [k for k, i in enumerate(items) if k == place or isinstance(i, int) or _is_point(i)]
    if points != list(range(points[0], points[0] + len(points))):
        raise IndexingError(
            "index: got an int and an index tensor apart from each other; "
            "try two steps, as in x[0][:, indices]"
        )


def _axes_used(items: Sequence[Any]) -> int:
    """Return how many axes of the tensor `items` index."""
    return sum(item is not None and item is not Ellipsis for item in items)


def _axes_before(items: Sequence[Any], available: int) -> int:
    """Return how many axes of the result come before an index that follows `items`."""
    spread = available - _axes_used(items) if any(i is Ellipsis for i in items) else 0
    kept = sum(item is None or isinstance(item, slice) for item in items)
    return kept + spread
