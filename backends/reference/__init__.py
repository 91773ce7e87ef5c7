"""The reference backend: every operation by its NumPy meaning, one at a time."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorlib.backend import API_VERSION, Buffer, Device, Features, Spec
from tensorlib.backends.reference.info import INFO
from tensorlib.ops import OPS, Array, PackedArray

__all__ = ["ReferenceBackend"]

ALIGNMENT = 64


class ReferenceBackend:
    """An op-level backend; its buffers are NumPy arrays (`PackedArray` for block formats).

    >>> ReferenceBackend().run("add", np.array([1, 2]), np.array([10, 20]))
    array([11, 22])
    """

    name = "reference"
    api_version = API_VERSION

    def devices(self) -> Sequence[Device]:
        return (Device("reference"),)

    def features(self, device: Device) -> Features:
        return Features(dtypes=INFO.dtypes, cores=os.cpu_count() or 1)

    def allocate(self, nbytes: int, device: Device) -> Buffer:
        raw = np.empty(nbytes + ALIGNMENT, np.uint8)
        start = -raw.ctypes.data % ALIGNMENT
        return raw[start : start + nbytes]

    def borrow(self, source: Array) -> Buffer:
        return source.reshape(-1).view(np.uint8)

    def peek(self, buffer: Any, offset: int, nbytes: int) -> bytes:
        array = buffer.data if isinstance(buffer, PackedArray) else buffer
        return np.ascontiguousarray(array).tobytes()[offset : offset + nbytes]

    def copy_in(self, buffer: Any, source: Array, offset: int = 0) -> None:
        buffer[offset : offset + source.nbytes] = source.reshape(-1).view(np.uint8)

    def copy_out(self, buffer: Any, target: Array, offset: int = 0) -> None:
        array = buffer.data if isinstance(buffer, PackedArray) else buffer
        flat = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        target.reshape(-1).view(np.uint8)[:] = flat[offset : offset + target.nbytes]

    def synchronise(self, device: Device) -> None:
        """Every call is done when it returns."""

    def can_run(self, op: str, *specs: Spec) -> bool:
        return op in OPS and OPS[op].meaning is not None

    def run(self, op: str, *buffers: Any, **attributes: Any) -> Any:
        meaning = OPS[op].meaning
        assert meaning is not None, op
        result = meaning(*buffers, **attributes)
        return result if isinstance(result, PackedArray) else np.asarray(result)
