"""Laziness can't be seen: nodes wait, long chains and small work don't, state is written in
order.
"""

from __future__ import annotations

import doctest
import importlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import tensorlib as tl
from tensorlib.backend import Device, Features
from tensorlib.backends.reference import ReferenceBackend
from tensorlib.errors import BackendError, DTypeError
from tensorlib.graph.build import MAX_PENDING, SMALL
from tensorlib.graph.host import contiguous_strides, from_numpy, to_numpy
from tensorlib.graph.node import (
    CAPTURING,
    Node,
    Recording,
    Storage,
    data_node,
    input_node,
    topological,
)
from tensorlib.graph.realise import realise
from tensorlib.layouts.dim import Dim
from tensorlib.registry import REGISTRY
from tensorlib.tests.chosen_backend import backend  # noqa: F401


def data(size: int = 2 * SMALL) -> tl.Tensor:
    """A tensor too big to be small work."""
    return tl.asarray(np.ones(size, np.float32))


def test_operations_wait_until_a_value_is_looked_at() -> None:
    x = data()
    y = tl.exp(x * 2 + 1)
    assert y.node.storage is None
    assert y.node.op == "exp"
    assert y.node.inputs[0].op == "add"
    y.numpy()
    assert y.node.op == "data"
    assert y.node.inputs == ()


def test_a_shared_part_is_computed_once_and_let_go() -> None:
    shared = data() + 1
    one, other = shared * 2, shared * 3
    one.numpy()
    assert shared.node.storage is not None or one.node.inputs == ()
    assert float(other[0]) == 6.0


def test_long_chains_are_realised_on_the_way() -> None:
    x = y = data(4)
    for _ in range(3 * MAX_PENDING):
        x = x + y
        assert x.node.depth <= MAX_PENDING
    assert x.numpy().tolist() == [1.0 + 3 * MAX_PENDING] * 4


def test_topological_order_of_a_deep_graph() -> None:
    leaf = data().node
    node = leaf
    for _ in range(5000):
        node = Node("add", (node, node), {}, node.shape, node.dtype, node.device)
    order = topological([node])
    assert len(order) == 5001
    assert order[0] is leaf
    assert order[-1] is node


def test_movements_that_change_nothing_make_no_node() -> None:
    x = data()
    assert x.reshape(-1).node is x.node
    assert x[:].node is x.node
    assert x.T.node is x.node
    assert x.astype("float32").node is x.node
    assert tl.broadcast_to(x, x.shape).node is x.node


def test_constants_stay_constants_under_movement() -> None:
    x = tl.zeros((2, 3)).T[1:].reshape(-1)
    assert x.node.op == "constant"
    assert tl.broadcast_to(tl.asarray(2.0), (3,)).node.op == "constant"
    assert (data() * 2).node.inputs[1].op == "constant"


def test_placeholders_have_no_values() -> None:
    place = input_node("x", (4,), tl.float32, tl.asarray(0).device)
    y = tl.Tensor(place) * 2
    message = (
        "realise: got a value that depends on 'x', an argument of a function being compiled; "
        "its elements are not known yet; try returning the tensor instead"
    )
    with pytest.raises(BackendError, match=message):
        y.numpy()
    symbolic = tl.Tensor(input_node("n", (Dim("n"), 2), tl.float32, place.device))
    assert repr(symbolic) == "tensor(<not shown>, shape=(n, 2), dtype=float32)"
    assert (symbolic.sum(axis=1) * 2).shape == (Dim("n"),)


def test_nothing_is_realised_while_capturing() -> None:
    token = CAPTURING.set(Recording())
    try:
        x = y = data(4)
        for _ in range(2 * MAX_PENDING):
            x = x + y
        assert x.node.depth == 2 * MAX_PENDING
        assert repr(x).startswith("tensor(<not shown>")
        assert tl.take(y, tl.asarray([9]), axis=0).shape == (1,)  # bounds are clamped, not read
    finally:
        CAPTURING.reset(token)
    assert float(x[0]) == 1 + 2 * MAX_PENDING


# --- state ---


def test_update_writes_in_place_after_pending_readers() -> None:
    cache = tl.state((4,), dtype="float32")
    before, view = cache + 1, cache[1:3]
    after = tl.update(cache, tl.ones(2, dtype="float32"), 1)
    assert before.tolist() == [1, 1, 1, 1]
    assert view.tolist() == [1, 1]
    assert after.tolist() == cache.tolist() == [0, 1, 1, 0]


def test_readers_through_views_keep_what_they_read() -> None:
    cache = tl.state((2, 3), dtype="float32")
    view = tl.update(cache, tl.ones((2, 1), dtype="float32"), 0, axis=1).T[1:]
    total = view * 1
    tl.update(cache, tl.full((2, 3), 9.0, dtype="float32"), 0, axis=-1)
    assert total.tolist() == [[0, 0], [0, 0]]
    assert view.tolist() == [[9, 9], [9, 9]]


def test_a_write_happens_even_if_nobody_looks() -> None:
    cache = tl.state((3,), dtype="int64")
    tl.update(cache, tl.asarray([5]), 2)
    assert cache.tolist() == [0, 0, 5]
    copy = tl.asarray(cache, copy=True)
    tl.update(cache, tl.asarray([7]), 0)
    assert copy.tolist() == [0, 0, 5]


# --- backends with kernels ---


class KernelsOnly:
    """A kernel-level backend over host memory that can't compile anything."""

    name, api_version = "kernels_only", 1

    def __init__(self) -> None:
        self.memory = ReferenceBackend()

    def devices(self) -> Sequence[Device]:
        return (Device("kernels_only"),)

    def features(self, device: Device) -> Features:
        return Features(dtypes=(tl.float32, tl.float64))

    def allocate(self, nbytes: int, device: Device) -> Any:
        return self.memory.allocate(nbytes, device)

    def copy_in(self, buffer: Any, source: Any, offset: int = 0) -> None:
        self.memory.copy_in(buffer, source, offset)

    def copy_out(self, buffer: Any, target: Any, offset: int = 0) -> None:
        self.memory.copy_out(buffer, target, offset)

    def synchronise(self, device: Device) -> None:
        pass

    def compile(self, kernel: Any, device: Device) -> Any:
        raise AssertionError("nothing should be compiled")

    def launch(self, executable: Any, grid: Any, block: Any, arguments: Any) -> None:
        raise AssertionError("nothing should be launched")


@pytest.fixture
def kernels_only(monkeypatch: pytest.MonkeyPatch) -> Device:
    made: Any = KernelsOnly()
    monkeypatch.setitem(REGISTRY._backends, "kernels_only", made)
    monkeypatch.setenv("TENSORLIB_SMALL", "1")
    return Device("kernels_only")


def test_small_exact_work_runs_at_once(kernels_only: Device) -> None:
    x = tl.asarray([[1.0, 2.0], [3.0, 4.0]], device=kernels_only)
    y = (x[::-1] * 2 + 1).T
    assert y.node.op == "data"
    assert y.tolist() == [[7, 3], [9, 5]]
    assert (x > 2).astype("int8").sum().tolist() == 2


def test_inexact_or_large_work_waits_for_kernels(kernels_only: Device) -> None:
    x = tl.asarray([1.0, 2.0], device=kernels_only)
    assert tl.exp(x).node.storage is None
    assert x.sum().node.storage is None
    big = tl.asarray(np.ones(SMALL + 1), device=kernels_only)
    assert (big + 1).node.storage is None


def test_small_work_can_be_switched_off(
    kernels_only: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENSORLIB_SMALL", "0")
    assert (tl.asarray([1.0], device=kernels_only) + 1).node.storage is None


@pytest.mark.parametrize("key", [np.s_[:], np.s_[::-1], np.s_[1:, ::-2], np.s_[:, 1], np.s_[2:2]])
def test_strided_storage_is_copied_out(kernels_only: Device, key: Any) -> None:
    array = np.arange(12.0).reshape(3, 4)
    storage = from_numpy(array, kernels_only).storage
    assert storage is not None
    assert storage.strides == contiguous_strides((3, 4)) == (4, 1)
    view = array[key]
    offset = (view.ctypes.data - array.ctypes.data) // 8 if view.size else 0
    strides = tuple(s // 8 for s in view.strides)
    node = data_node(view.shape, tl.float64, storage.view(storage.buffer, offset, strides))
    assert np.array_equal(to_numpy(node), view)


def test_dtypes_that_a_backend_lacks_are_refused(kernels_only: Device) -> None:
    message = "dtype: got complex128, which backend kernels_only does not have; try device='refer"
    x = tl.asarray([1.0], device=kernels_only)
    calls: list[Callable[[], Any]] = [
        lambda: x * 1j,
        lambda: x.astype("complex128"),
        lambda: x + np.array([1j]),
    ]
    for call in calls:
        with pytest.raises(DTypeError, match=message):
            call()


def test_tensors_on_two_devices_are_refused(kernels_only: Device) -> None:
    x, y = tl.asarray([1.0], device=kernels_only), tl.asarray([1.0])
    with pytest.raises(
        BackendError, match=r"add: got tensors on kernels_only:0 and .*; try to_dev"
    ):
        x + y
    assert (x.to_device(y.device) + y).tolist() == [2]


def test_a_backend_needs_a_level(monkeypatch: pytest.MonkeyPatch) -> None:
    class Core:
        name = "core"

    core: Any = Core()
    monkeypatch.setitem(REGISTRY._backends, "core", core)
    device = Device("core")
    node = data_node((), tl.float32, Storage(np.zeros(1), device))
    pending = Node("exp", (node,), {}, (), tl.float32, device)
    with pytest.raises(BackendError, match="backend core has neither op level nor kernel level"):
        realise((pending,))


# --- documentation ---

MODULES = [
    "", ".tensor", ".functions", ".creation", ".ops", ".ops.promotion", ".ops.shapes",
    ".graph.host", ".backends.reference", ".nn", ".nn.module", ".nn.linear", ".nn.embedding",
    ".nn.rope", ".nn.cache",
]  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_docstrings_hold(name: str) -> None:
    module = importlib.import_module(f"tensorlib{name}")
    failed, tried = doctest.testmod(module)
    assert tried
    assert not failed


def test_every_public_name_is_exported_once() -> None:
    for module, names in tl._NAMES.items():
        listed = names.split()
        assert len(set(listed)) == len(listed)
        exported = importlib.import_module(module).__all__
        if module in ("tensorlib.functions", "tensorlib.creation"):
            assert sorted(listed) == sorted(exported)
        assert set(listed) <= set(exported)
