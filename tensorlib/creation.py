"""Functions that make tensors: from data, from a value, from a range, or as mutable state."""

from __future__ import annotations

import math
import mmap
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from tensorlib.backend import Device
from tensorlib.dtypes import DType, as_dtype
from tensorlib.errors import DTypeError, ShapeError, TensorlibError
from tensorlib.graph import build
from tensorlib.graph.host import from_bytes, from_numpy
from tensorlib.graph.node import CAPTURING
from tensorlib.graph.realise import realise
from tensorlib.layouts.dim import Dim, Size
from tensorlib.ops import Shape
from tensorlib.ops.promotion import weak_dtype
from tensorlib.ops.shapes import elements, is_static_shape, shape_text
from tensorlib.registry import REGISTRY
from tensorlib.tensor import Tensor

__all__ = [
    "arange",
    "asarray",
    "empty",
    "empty_like",
    "eye",
    "from_packed",
    "full",
    "full_like",
    "linspace",
    "ones",
    "ones_like",
    "state",
    "zeros",
    "zeros_like",
]

DeviceLike: TypeAlias = "Device | str | None"
ShapeLike: TypeAlias = "Size | Sequence[Size]"


def asarray(
    obj: Any, /, *, dtype: Any = None, device: DeviceLike = None, copy: bool | None = None
) -> Tensor:
    """Return `obj` (a tensor, array, number or nested sequence) as a tensor.

    NumPy's dtypes are kept: Python floats are float64, ints int64. NumPy arrays are copied, unless
    copy=False: then the tensor uses the array's memory, which must not be written to afterwards.

    >>> asarray([1, 2, 3], dtype="float32")
    tensor([1., 2., 3.], dtype=float32)
    """
    wanted = None if dtype is None else as_dtype(dtype)
    if isinstance(obj, Tensor):
        return _from_tensor(obj, wanted, device, copy)
    target = REGISTRY.device(device)
    if type(obj) in (bool, int, float, complex):
        own = weak_dtype(wanted if wanted and wanted.is_integer else None, obj)
        node = build.constant(obj, (), own, target)
        return Tensor(build.cast(node, wanted or own))
    if isinstance(obj, Dim):
        position = build.arange(obj, 1, 1, wanted or DType.int64, target)
        return Tensor(build.apply("reshape", (position,), shape=()))
    array = _native(np.asarray(obj))
    if copy is False and (not isinstance(obj, np.ndarray) or not array.flags.c_contiguous):
        raise TensorlibError("asarray: got copy=False for data that must be copied; try copy=None")
    node = from_numpy(array, target, lend=copy is False)
    return Tensor(build.cast(node, wanted or node.dtype))


def _native(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return `array` in the byte order of this machine."""
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def _from_tensor(x: Tensor, dtype: DType | None, device: DeviceLike, copy: bool | None) -> Tensor:
    changes = (dtype or x.dtype) is not x.dtype or REGISTRY.device(device or x.device) != x.device
    if copy is False and changes:
        raise TensorlibError("asarray: got copy=False with another dtype or device; try copy=None")
    if copy and not changes and CAPTURING.get() is None and not x.dtype.is_packed:
        return Tensor(from_numpy(x.numpy(), x.device))
    moved = x if device is None else x.to_device(device)
    return moved if dtype is None else moved.astype(dtype)


def _shape(where: str, shape: ShapeLike) -> Shape:
    sizes = (shape,) if isinstance(shape, int | Dim) else tuple(shape)
    sizes = tuple(n if isinstance(n, Dim) else n.__index__() for n in sizes)
    if any(isinstance(n, int) and n < 0 for n in sizes):
        raise ShapeError(f"{where}: got shape {shape_text(sizes)}, needed sizes from 0")
    return sizes


def full(
    shape: ShapeLike, fill_value: Any, *, dtype: Any = None, device: DeviceLike = None
) -> Tensor:
    """Return a tensor of `shape` with `fill_value` everywhere; its dtype is that of the value."""
    own = weak_dtype(None, fill_value) if dtype is None else as_dtype(dtype)
    if own.is_packed:
        raise DTypeError(f"full: got packed dtype {own.name}, needed an unpacked one")
    sizes = _shape("full", shape)
    return Tensor(build.constant(fill_value, sizes, own, REGISTRY.device(device)))


def zeros(shape: ShapeLike, *, dtype: Any = None, device: DeviceLike = None) -> Tensor:
    """Return a tensor of zeros, float64 unless `dtype` says otherwise.

    >>> zeros((2, 2), dtype="int8")
    tensor([[0, 0],
            [0, 0]], dtype=int8)
    """
    return full(shape, 0, dtype=dtype or DType.float64, device=device)


def ones(shape: ShapeLike, *, dtype: Any = None, device: DeviceLike = None) -> Tensor:
    """Return a tensor of ones, float64 unless `dtype` says otherwise."""
    return full(shape, 1, dtype=dtype or DType.float64, device=device)


def empty(shape: ShapeLike, *, dtype: Any = None, device: DeviceLike = None) -> Tensor:
    """Return a tensor whose values don't matter; they are zeros."""
    return zeros(shape, dtype=dtype, device=device)


def full_like(
    x: Tensor, /, fill_value: Any, *, dtype: Any = None, device: DeviceLike = None
) -> Tensor:
    """Return `fill_value` everywhere, with the shape and by default the dtype of `x`."""
    return full(x.shape, fill_value, dtype=dtype or x.dtype, device=device or x.device)


def zeros_like(x: Tensor, /, *, dtype: Any = None, device: DeviceLike = None) -> Tensor:
    """Return zeros with the shape and by default the dtype of `x`."""
    return full_like(x, 0, dtype=dtype, device=device)


def ones_like(x: Tensor, /, *, dtype: Any = None, device: DeviceLike = None) -> Tensor:
    """Return ones with the shape and by default the dtype of `x`."""
    return full_like(x, 1, dtype=dtype, device=device)


def empty_like(x: Tensor, /, *, dtype: Any = None, device: DeviceLike = None) -> Tensor:
    """Return a tensor with the shape and by default the dtype of `x`; it holds zeros."""
    return full_like(x, 0, dtype=dtype, device=device)


def arange(
    start: Any,
    /,
    stop: Any = None,
    step: Any = 1,
    *,
    dtype: Any = None,
    device: DeviceLike = None,
) -> Tensor:
    """Return start, start + step, ... below `stop`; start and stop may be symbolic sizes.

    >>> arange(2, 10, 3)
    tensor([2, 5, 8], dtype=int64)
    """
    if stop is None:
        start, stop = 0, start
    if step == 0:
        raise ShapeError("arange: got step 0, needed another step")
    whole = not any(isinstance(v, float) for v in (start, stop, step))
    own = as_dtype(dtype) if dtype is not None else DType.int64 if whole else DType.float64
    distance = stop - start
    count = -(-distance // step) if whole else int(np.ceil(distance / step))
    count = max(count, 0) if isinstance(count, int) else count
    return Tensor(build.arange(start, step, count, own, REGISTRY.device(device)))


def linspace(
    start: float,
    stop: float,
    /,
    num: int,
    *,
    dtype: Any = None,
    device: DeviceLike = None,
    endpoint: bool = True,
) -> Tensor:
    """Return `num` evenly spaced numbers from `start` to `stop`."""
    own = DType.float64 if dtype is None else as_dtype(dtype)
    values = np.linspace(start, stop, num, endpoint=endpoint)
    return asarray(values, dtype=own, device=device)


def eye(
    n_rows: int,
    n_cols: int | None = None,
    /,
    *,
    k: int = 0,
    dtype: Any = None,
    device: DeviceLike = None,
) -> Tensor:
    """Return ones on the diagonal `k` of an (n_rows, n_cols) matrix of zeros."""
    columns = n_rows if n_cols is None else n_cols
    rows = arange(n_rows, device=device).reshape(n_rows, 1)
    return (rows + k == arange(columns, device=device)).astype(dtype or DType.float64)


def state(shape: ShapeLike, *, dtype: Any = None, device: DeviceLike = None) -> Tensor:
    """Return mutable state: zeros that `update` may overwrite in place (caches, running values).

    >>> import tensorlib as tl
    >>> cache = state((4,), dtype="int64")
    >>> tl.update(cache, tl.asarray([7, 8]), 1)
    tensor([0, 7, 8, 0], dtype=int64)
    """
    own = DType.float64 if dtype is None else as_dtype(dtype)
    sizes = _shape("state", shape)
    if not is_static_shape(sizes):
        raise ShapeError(f"state: got shape {shape_text(sizes)}, needed sizes that are numbers")
    node = from_numpy(_untouched(tuple(map(int, sizes)), own), REGISTRY.device(device), lend=True)
    realise((node,))
    node.become_state()
    return Tensor(node)


def _untouched(shape: tuple[int, ...], dtype: DType) -> np.ndarray[Any, Any]:
    """Return zeros whose pages take memory one by one, when they are written.

    A mapping of our own: np.zeros asks for huge pages, and a cache touches a little of each.
    """
    nbytes = dtype.nbytes(math.prod(shape))
    if nbytes == 0:
        return np.zeros(shape, dtype.numpy)
    return np.frombuffer(mmap.mmap(-1, nbytes), dtype.numpy).reshape(shape)


def from_packed(
    blocks: Any, dtype: Any, shape: Sequence[int], /, *, device: DeviceLike = None
) -> Tensor:
    """Return a tensor over the bytes of GGUF blocks, used where they lie and kept packed.

    `blocks` is a C-contiguous buffer (a NumPy array, memoryview, bytes) that must not change
    afterwards. matmul, take and permute_dims read a packed tensor directly; `astype` decodes it.
    Any dtype serves: of an unpacked one the bytes are its elements.
    """
    own, sizes = as_dtype(dtype), tuple(shape)
    raw = blocks if isinstance(blocks, np.ndarray) else np.frombuffer(blocks, np.uint8)
    if own.is_packed and (not sizes or sizes[-1] % own.block_elements):
        raise ShapeError(
            f"from_packed: got shape {shape_text(sizes)}, needed a last axis in blocks of "
            f"{own.block_elements}"
        )
    needed = own.nbytes(int(elements(sizes)))
    if raw.nbytes != needed:
        raise ShapeError(f"from_packed: got {raw.nbytes} bytes, needed {needed}")
    flat = np.ascontiguousarray(raw).reshape(-1).view(np.uint8)
    return Tensor(from_bytes(flat, sizes, own, REGISTRY.device(device), lend=True))
