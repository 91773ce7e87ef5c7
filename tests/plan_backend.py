"""A kernel-level backend for tests: plans run by the NumPy meaning of their specs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorlib.backend import API_VERSION, Device, Features
from tensorlib.graph.evaluate import Evaluator
from tensorlib.graph.node import Node, Storage, data_node, input_node
from tensorlib.graph.plan import KernelPlan
from tensorlib.graph.view import View

Array = np.ndarray[Any, Any]


class HostBuffer:
    """Aligned memory of a NumPy array; freed memory is overwritten, so that stale reads show."""

    def __init__(self, nbytes: int) -> None:
        self.nbytes = nbytes
        raw = np.full(nbytes + 64, 0xA5, np.uint8)
        start = -raw.ctypes.data % 64
        self.data = raw[start : start + nbytes]
        self.address = int(self.data.ctypes.data)

    def __del__(self) -> None:
        self.data[:] = 0x5A


class PlanBackend:
    """Keeps the plans that it compiled, in order."""

    name = "plan"
    api_version = API_VERSION

    def __init__(self) -> None:
        self.plans: list[KernelPlan] = []

    def devices(self) -> Sequence[Device]:
        return (Device("plan"),)

    def features(self, device: Device) -> Features:
        return Features()

    def allocate(self, nbytes: int, device: Device) -> HostBuffer:
        return HostBuffer(nbytes)

    def copy_in(self, buffer: Any, source: Array, offset: int = 0) -> None:
        buffer.data[offset : offset + source.nbytes] = source.reshape(-1).view(np.uint8)

    def copy_out(self, buffer: Any, target: Array, offset: int = 0) -> None:
        flat = target.reshape(-1).view(np.uint8)
        flat[:] = buffer.data[offset : offset + target.nbytes]

    def synchronise(self, device: Device) -> None:
        """Every call is done when it returns."""

    def compile(self, kernel: Any, device: Device) -> Any:
        raise AssertionError("plans only")

    def launch(self, executable: Any, grid: Any, block: Any, arguments: Any) -> None:
        raise AssertionError("plans only")

    def compile_plan(self, plan: KernelPlan, device: Device) -> Evaluator:
        self.plans.append(plan)
        return Evaluator(plan)

    @property
    def steps(self) -> list[str]:
        """The kinds of kernels of the last plan: elementwise, reduce, matmul, softmax, take."""
        return [type(s.spec).__name__.removesuffix("Spec").lower() for s in self.plans[-1].steps]


DEVICE = Device("plan")


def data(array: Array, *, dtype: Any = None, shape: tuple[int, ...] | None = None) -> Node:
    """Return a data node over a copy of `array`."""
    from tensorlib.dtypes import as_dtype

    source = np.ascontiguousarray(array)
    buffer = HostBuffer(source.nbytes)
    buffer.data[:] = source.reshape(-1).view(np.uint8)
    sizes = source.shape if shape is None else shape
    strides = View.contiguous(sizes).strides
    storage = Storage(buffer, DEVICE, 0, strides)  # type: ignore[arg-type]
    return data_node(sizes, as_dtype(source.dtype) if dtype is None else dtype, storage)


def placeholder(name: str, shape: tuple[Any, ...], dtype: Any) -> Node:
    """Return an input node."""
    return input_node(name, shape, dtype, DEVICE)


def array_of(node: Node) -> Array:
    """Return the elements of a realised node."""
    assert node.storage is not None
    raw: Any = node.storage.buffer
    base = raw.data.view(node.dtype.numpy)[node.storage.offset :]
    steps = tuple(s * node.dtype.itemsize for s in node.storage.strides)
    return np.array(np.lib.stride_tricks.as_strided(base, node.shape, steps))  # type: ignore[arg-type]
