"""Buffers of the C backend: memory of our own allocator, and memory borrowed from others."""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tensorlib.backends.c.runtime import runtime
from tensorlib.dtypes import as_dtype
from tensorlib.errors import BackendError

__all__ = ["Borrowed", "Memory"]

Array = npt.NDArray[Any]
LARGEST = 1 << 62  # of what a request may ask; the allocator refuses far earlier


class Memory:
    """`nbytes` of fresh memory, 64-byte aligned, content undefined, freed with the object.

    `address` is the word that kernels take. Raises MemoryError where there isn't so much.

    >>> memory = Memory(32)
    >>> memory.view("float32", (2, 4)).shape, memory.address % 64
    ((2, 4), 0)
    """

    __slots__ = ("__weakref__", "_free", "address", "nbytes")

    address: int
    writable = True

    def __init__(self, nbytes: int) -> None:
        self.address, self.nbytes = 0, nbytes
        if nbytes < 0:
            raise BackendError(f"memory: got {nbytes} bytes, needed 0 or more")
        library = runtime().lib
        self._free = library.tl_free
        self.address = library.tl_alloc(nbytes) if nbytes < LARGEST else 0
        if not self.address:
            raise MemoryError(f"memory: {nbytes} bytes are not to be had")

    def __del__(self) -> None:
        if self.address:
            self._free(self.address, self.nbytes)

    @property
    def __array_interface__(self) -> dict[str, Any]:
        data = (self.address, False)
        return {"version": 3, "shape": (self.nbytes,), "typestr": "|u1", "data": data}

    def view(
        self,
        dtype: Any,
        shape: Sequence[int],
        offset: int = 0,
        strides: Sequence[int] | None = None,
    ) -> Array:
        """Return an array over this memory, which keeps it alive; offset and strides in bytes."""
        return _view(np.asarray(self), dtype, shape, offset, strides)

    def __repr__(self) -> str:
        return f"Memory({self.nbytes})"


class Borrowed:
    """Memory of an array, a memory map or another object with a buffer, kept alive from here.

    `address` is that of the first element; nothing is copied.

    >>> array = np.arange(4.0)
    >>> Borrowed(array).view("float64", (4,)) is array
    False
    >>> bool(np.shares_memory(Borrowed(array).view("float64", (4,)), array))
    True
    """

    __slots__ = ("__weakref__", "_bytes", "address", "nbytes", "owner", "writable")

    address: int

    def __init__(self, owner: Array | mmap.mmap | memoryview | bytes) -> None:
        self.owner = owner
        array = owner if isinstance(owner, np.ndarray) else np.frombuffer(owner, np.uint8)
        self._bytes = _contiguous_bytes(array)
        self.nbytes, self.writable = self._bytes.nbytes, self._bytes.flags.writeable
        self.address = self._bytes.__array_interface__["data"][0]

    def view(
        self,
        dtype: Any,
        shape: Sequence[int],
        offset: int = 0,
        strides: Sequence[int] | None = None,
    ) -> Array:
        """Return an array over this memory, which keeps it alive; offset and strides in bytes."""
        return _view(self._bytes, dtype, shape, offset, strides)

    def __repr__(self) -> str:
        return f"Borrowed({self.nbytes} bytes of {type(self.owner).__name__})"


def _contiguous_bytes(array: Array) -> Array:
    """Return the bytes of an array that is contiguous in some order of its axes."""
    for candidate in (array, array.T):
        if candidate.flags.c_contiguous:
            return candidate.reshape(-1).view(np.uint8)
    raise BackendError(
        f"borrow: got an array of shape {array.shape} with strides {array.strides}, "
        "needed a contiguous one; try its base"
    )


def _view(
    data: Array, dtype: Any, shape: Sequence[int], offset: int, strides: Sequence[int] | None
) -> Array:
    try:
        return np.ndarray(
            tuple(shape), as_dtype(dtype).numpy, data, offset, strides and tuple(strides)
        )
    except (TypeError, ValueError) as error:
        raise BackendError(
            f"view: got shape {tuple(shape)} of {as_dtype(dtype).name} at byte {offset}, "
            f"needed one within {data.nbytes} bytes ({error})"
        ) from None
