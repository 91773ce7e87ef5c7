"""Between nodes and NumPy: arrays become data nodes, realised nodes are copied out."""

from __future__ import annotations

import struct
from math import prod
from typing import Any

import numpy as np

from tensorlib.backend import Backend, Device, lends, op_level
from tensorlib.dtypes import DType, as_dtype
from tensorlib.errors import DTypeError
from tensorlib.graph.node import Node, Storage, data_node
from tensorlib.layouts.dim import Size
from tensorlib.registry import REGISTRY

__all__ = [
    "contiguous_strides",
    "from_bytes",
    "from_numpy",
    "require_dtype",
    "to_numpy",
    "to_scalar",
]

Array = np.ndarray[Any, Any]


def contiguous_strides(shape: tuple[Size, ...]) -> tuple[int, ...]:
    """Return the row-major strides of a static `shape`, in elements.

    >>> contiguous_strides((2, 3, 4))
    (12, 4, 1)
    """
    sizes = [int(n) for n in shape]
    return tuple(prod(sizes[axis + 1 :]) for axis in range(len(sizes)))


def require_dtype(dtype: DType, device: Device) -> None:
    """Raise DTypeError where `device` does not compute in `dtype`; of the dtypes, only complex
    ones.
    """
    if dtype.kind == "complex":
        backend = REGISTRY.backend(device.backend)
        if dtype not in backend.features(device).dtypes:
            raise DTypeError(
                f"dtype: got {dtype.name}, which backend {backend.name} does not have; "
                "try device='reference'"
            )


def from_numpy(array: Array, device: Device, *, lend: bool = False) -> Node:
    """Return a data node with the elements of `array`; with `lend` over its own memory where
    possible.
    """
    return from_bytes(array, array.shape, as_dtype(array.dtype), device, lend=lend)


def from_bytes(
    raw: Array, shape: tuple[int, ...], dtype: DType, device: Device, *, lend: bool = False
) -> Node:
    """Return a data node that reads the bytes of `raw` as `shape` elements of `dtype`.

    With `lend` a backend over the host's memory uses the bytes where they are, and keeps them
    alive.
    """
    require_dtype(dtype, device)
    backend = REGISTRY.backend(device.backend)
    source = np.ascontiguousarray(raw)
    if lend and (host := lends(backend)) is not None:
        buffer = host.borrow(source)
    else:
        buffer = backend.allocate(source.nbytes, device)
        backend.copy_in(buffer, source)
    if (runner := op_level(backend)) is not None:
        typed = runner.run("data", buffer, shape=shape, dtype=dtype)
        return data_node(shape, dtype, Storage(typed, device))
    return data_node(shape, dtype, Storage(buffer, device, 0, contiguous_strides(shape)))


def to_numpy(node: Node) -> Array:
    """Return a new array with the elements of a realised node of an unpacked dtype."""
    if node.dtype.is_packed:
        raise DTypeError(f"numpy: got packed dtype {node.dtype.name}; try astype(float32) first")
    assert node.storage is not None, node
    shape = tuple(int(n) for n in node.shape)
    backend = REGISTRY.backend(node.device.backend)
    backend.synchronise(node.device)
    if op_level(backend) is not None:
        target = np.empty(shape, node.dtype.numpy)
        backend.copy_out(node.storage.buffer, target)
        return target
    return _copied(backend, node.storage, shape, node.dtype)


def to_scalar(node: Node) -> Any:
    """Return the one element of a realised node as a Python number."""
    storage, backend = node.storage, REGISTRY.backend(node.device.backend)
    assert storage is not None, node
    host, code = lends(backend), _STRUCT.get(node.dtype)
    if host is None or code is None or op_level(backend) is not None:
        return to_numpy(node).reshape(()).item()
    backend.synchronise(node.device)
    size = node.dtype.itemsize
    return struct.unpack(code, host.peek(storage.buffer, storage.offset * size, size))[0]


# How the struct module spells dtypes; what it has no letter for goes through NumPy.
_STRUCT = {
    DType.bool: "?", DType.int8: "b", DType.int16: "h", DType.int32: "i", DType.int64: "q",
    DType.uint8: "B", DType.uint16: "H", DType.uint32: "I", DType.uint64: "Q",
    DType.float16: "e", DType.float32: "f", DType.float64: "d",
}  # fmt: skip


def _copied(backend: Backend, storage: Storage, shape: tuple[int, ...], dtype: DType) -> Array:
    """Copy the span that a strided view touches, then pick its elements."""
    if 0 in shape:
        return np.empty(shape, dtype.numpy)
    reach = [(n - 1) * s for n, s in zip(shape, storage.strides, strict=True)]
    low, high = sum(min(r, 0) for r in reach), sum(max(r, 0) for r in reach)
    span = np.empty(high - low + 1, dtype.numpy)
    backend.copy_out(storage.buffer, span, (storage.offset + low) * dtype.itemsize)
    if storage.strides == contiguous_strides(shape):
        return span.reshape(shape)
    steps = tuple(s * dtype.itemsize for s in storage.strides)
    return np.ndarray(shape, span.dtype, span, -low * span.itemsize, steps).copy()
