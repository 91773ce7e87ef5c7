"""The reference backend keeps the protocol."""

from __future__ import annotations

import numpy as np

from tensorlib.backend import HostMemory, KernelBackend, OpBackend, Spec
from tensorlib.backends.reference import ReferenceBackend
from tensorlib.dtypes import DType
from tensorlib.ops import OPS, PackedArray

BACKEND = ReferenceBackend()
(DEVICE,) = BACKEND.devices()


def test_levels() -> None:
    assert isinstance(BACKEND, OpBackend)
    assert isinstance(BACKEND, HostMemory)
    assert not isinstance(BACKEND, KernelBackend)


def test_buffers_are_aligned_bytes() -> None:
    for nbytes in (1, 63, 64, 1000):
        buffer = BACKEND.allocate(nbytes, DEVICE)
        assert buffer.nbytes == nbytes
        assert np.asarray(buffer).ctypes.data % 64 == 0


def test_bytes_go_in_and_out_at_offsets() -> None:
    buffer = BACKEND.allocate(24, DEVICE)
    BACKEND.copy_in(buffer, np.arange(3.0))
    BACKEND.copy_in(buffer, np.array([9.0]), offset=8)
    target = np.empty(2)
    BACKEND.copy_out(buffer, target, offset=8)
    assert target.tolist() == [9, 2]
    BACKEND.synchronise(DEVICE)


def test_borrowed_memory_is_the_callers() -> None:
    array = np.arange(3, dtype=np.int16)
    buffer = BACKEND.borrow(array)
    typed = BACKEND.run("data", buffer, shape=(3,), dtype=DType.int16)
    array[0] = 7
    assert typed.tolist() == [7, 1, 2]


def test_packed_data_stays_packed() -> None:
    raw = np.zeros(2 * 34, np.uint8)
    packed = BACKEND.run("data", BACKEND.borrow(raw), shape=(2, 32), dtype=DType.q8_0)
    assert isinstance(packed, PackedArray)
    assert packed.nbytes == 68
    out = np.ones(68, np.uint8)
    BACKEND.copy_out(packed, out)
    assert not out.any()


def test_every_op_but_the_placeholder_runs() -> None:
    able = {op for op in OPS if BACKEND.can_run(op, Spec((2,), DType.float32))}
    assert able == OPS.keys() - {"input"}
    assert not BACKEND.can_run("no_such_op")


def test_update_writes_into_the_state() -> None:
    state = np.zeros((2, 4))
    got = BACKEND.run("update", state, np.ones((2, 2)), axis=1, start=1)
    assert np.shares_memory(got, state)
    assert state.tolist() == [[0, 1, 1, 0], [0, 1, 1, 0]]


def test_features() -> None:
    features = BACKEND.features(DEVICE)
    assert features.cores >= 1
    assert DType.bfloat16 in features.dtypes
