"""A kernel-level backend for tests: plans run by the NumPy meaning of their specs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tensorlib.backend import API_VERSION, Device, Features
from tensorlib.dtypes import DType, as_dtype
from tensorlib.graph.compile import BoundPlan
from tensorlib.graph.evaluate import Evaluator
from tensorlib.graph.node import Node, Storage, data_node, input_node, topological
from tensorlib.graph.plan import KernelPlan
from tensorlib.graph.schedule import Externals, scheduled
from tensorlib.graph.view import View
from tensorlib.layouts.dim import Dim
from tensorlib.ops import OPS, PackedArray

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
    span = raw.data.view(node.dtype.numpy)
    steps = tuple(s * node.dtype.itemsize for s in node.storage.strides)
    shape = tuple(int(n) for n in node.shape)
    return np.ndarray(shape, span.dtype, span, node.storage.offset * span.itemsize, steps).copy()


def node(op: str, *inputs: Node, **attributes: Any) -> Node:
    """Return a node whose shape and dtype come from the op table."""
    row = OPS[op]
    shape = tuple(row.shape([i.shape for i in inputs], attributes))
    dtype = row.dtype([i.dtype for i in inputs], attributes)
    return Node(op, inputs, attributes, shape, dtype, DEVICE)


def floats(*shape: int, seed: int = 0) -> Node:
    return data(np.random.default_rng(seed).standard_normal(shape).astype(np.float32))


def number(value: Any, shape: tuple[Any, ...] = (), dtype: DType = DType.float32) -> Node:
    attributes = {"value": value, "shape": shape, "dtype": dtype}
    return Node("constant", (), attributes, shape, dtype, DEVICE)


def span(start: Any, step: Any, n: Any, dtype: DType = DType.int64) -> Node:
    attributes = {"start": start, "step": step, "n": n, "dtype": dtype}
    return Node("arange", (), attributes, (n,), dtype, DEVICE)


def wide(x: Node, shape: tuple[Any, ...]) -> Node:
    return node("broadcast_to", x, shape=shape)


def evaluated(value: Any, values: Mapping[str, int]) -> Any:
    """Return an attribute or a shape with every Dim replaced by its value."""
    if isinstance(value, Dim):
        return value.evaluate(values)
    if isinstance(value, tuple | list):
        return tuple(evaluated(v, values) for v in value)
    return value


def meaning(
    outputs: Sequence[Node],
    values: Mapping[str, int] | None = None,
    inputs: Mapping[str, Array] | None = None,
) -> list[Array]:
    """Return the arrays that nodes stand for, node by node through NumPy; an update copies."""
    found: dict[Node, Any] = {}
    for n in topological(outputs):
        attributes = {k: evaluated(v, values or {}) for k, v in n.attributes.items()}
        operands = [found[i] for i in n.inputs]
        if n.op == "data":
            found[n] = packed_array(n) if n.dtype.is_packed else array_of(n)
        elif n.op == "input":
            found[n] = (inputs or {})[n.attributes["name"]]
        else:
            if n.op == "update":
                operands[0] = operands[0].copy()
            function = OPS[n.op].meaning
            assert function is not None
            found[n] = function(*operands, **attributes)
    return [np.asarray(found[n]) for n in outputs]


def packed_array(n: Node) -> PackedArray:
    """Return the packed elements of a data node."""
    assert n.storage is not None
    raw: Any = n.storage.buffer
    return PackedArray(raw.data, n.dtype, n.shape)  # type: ignore[arg-type]


class Planned:
    """A graph compiled for the test backend: call it with its inputs and its symbols' values."""

    def __init__(self, outputs: Sequence[Node], **symbols: int) -> None:
        self.backend, self.outputs, self.symbols = PlanBackend(), list(outputs), tuple(symbols)
        order = topological(outputs)
        self.inputs = [n for n in order if n.op == "input"]
        self.kept = list(
            {id(n.storage.buffer): n.storage.buffer for n in order if n.storage}.values()
        )
        names = [n.attributes["name"] for n in self.inputs]
        made = scheduled(self.outputs, Externals(self.kept, names), self.symbols)
        addresses = [b.address for b in self.kept]  # type: ignore[attr-defined]
        self.plan = BoundPlan(made, self.backend, DEVICE, addresses)

    @property
    def steps(self) -> list[str]:
        """The kinds of kernels: elementwise, reduce, matmul, softmax, take."""
        return self.backend.steps

    @property
    def specs(self) -> list[Any]:
        return [step.spec for step in self.backend.plans[-1].steps]

    def __call__(self, inputs: Mapping[str, Array] | None = None, **values: int) -> list[Any]:
        """Return the outputs as arrays; None for a state, which was updated in place."""
        arrays = [np.ascontiguousarray((inputs or {})[n.attributes["name"]]) for n in self.inputs]
        addresses = [int(a.ctypes.data) for a in arrays]
        made: list[Any] = self.plan.run(addresses, [values[s] for s in self.symbols])
        found: list[Any] = []
        for n, place in zip(self.outputs, self.plan.results, strict=True):
            shape = evaluated(n.shape, values)
            raw = None if place is None else made[place].data
            count = int(np.prod(shape)) * n.dtype.itemsize
            found.append(
                None if raw is None else raw[:count].view(n.dtype.numpy).reshape(shape).copy()
            )
        return found


def same(actual: Sequence[Array], expected: Sequence[Array]) -> None:
    """Assert equal arrays: bit for bit but for rounding in floats."""
    for a, e in zip(actual, expected, strict=True):
        assert a.shape == e.shape
        assert a.dtype == e.dtype
        if e.dtype.kind in "fV":
            wide = np.float64
            np.testing.assert_allclose(a.astype(wide), e.astype(wide), rtol=2e-5, atol=2e-5)
        else:
            np.testing.assert_array_equal(a, e)
