"""Compiled kernels of users: an access out of bounds is an error with its line, never a crash."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorlib as tl
from tensorlib.errors import KernelError
from tensorlib.ir import interpret, parse, text, walk
from tensorlib.passes.checked import checked
from tensorlib.tile import stack_allocation

F32 = np.float32


@tl.kernel
def shift(out: tl.Tile, x: tl.Tile, by: tl.Scalar, *, width: int = 8) -> None:
    for i in tl.parallel(range(0, out.size, width)):
        out.store[width](i, x.load[width](i + by))


@tl.kernel
def pick(out: tl.Tile, x: tl.Tile, at: tl.Tile) -> None:
    for i in range(out.size):
        out[i] = x[at[i]]


@tl.kernel
def masked(out: tl.Tile, x: tl.Tile, *, width: int = 8) -> None:
    lanes = tl.SIMD["int64", width](*range(width))
    for i in range(0, out.size, width):
        inside = lanes + i < out.size
        out.store[width](i, x.load[width](i, mask=inside), mask=inside)


@tl.kernel
def local(out: tl.Tile, n: tl.Scalar) -> None:
    scratch = stack_allocation[tl.float32](4)
    for i in range(4):
        scratch[i] = 1.0
    out[0] = scratch[n]


@tl.kernel
def strided(out: tl.Tile, x: tl.Tile) -> None:
    for i in range(out.shape[0]):
        column = x.tile[8, 1](0, i)
        out[i] = column.load[1](7, 0)


def test_a_load_behind_the_end_is_found_at_its_line() -> None:
    out, x = np.zeros(64, F32), np.zeros(64, F32)
    shift(out, x, 0)
    with pytest.raises(KernelError) as error:
        shift(out, x, 1)
    message = str(error.value)
    assert "shift: x: access from element 57 is outside its 64 elements" in message
    assert "out.store[width](i, x.load[width](i + by))" in message
    shift(out, x, 0)  # and the kernel is as good as before


def test_an_index_below_zero_is_found() -> None:
    out, x = np.zeros(64, F32), np.zeros(64, F32)
    with pytest.raises(KernelError, match="x: access from element -3 is outside its 64 elements"):
        shift(out, x, -3)
    with pytest.raises(KernelError, match="x: access from element -92233720368547"):
        shift(out, x, -(2**63))


def test_indices_from_memory_are_checked() -> None:
    out, x = np.zeros(3, F32), np.arange(5, dtype=F32)
    pick(out, x, np.array([4, 0, 2]))
    assert out.tolist() == [4, 0, 2]
    with pytest.raises(KernelError, match="x: access from element 5 is outside its 5 elements"):
        pick(out, x, np.array([4, 5, 2]))


@pytest.mark.parametrize("size", [1, 7, 8, 13, 64])
def test_lanes_that_a_mask_leaves_out_are_not_checked(size: int) -> None:
    out, x = np.zeros(size, F32), np.arange(size, dtype=F32)
    masked(out, x)
    np.testing.assert_array_equal(out, x)
    if size > 1:
        with pytest.raises(KernelError, match=f"x: access from element {size - 1} is outside"):
            masked(out, x[:-1].copy())


def test_local_memory_is_checked_too() -> None:
    out = np.zeros(1, F32)
    local(out, 3)
    with pytest.raises(
        KernelError, match="stack_allocation: access from element 4 is outside its 4"
    ):
        local(out, 4)


def test_empty_arrays_have_no_element() -> None:
    with pytest.raises(KernelError, match="x: access from element 0 is outside its 0 elements"):
        pick(np.zeros(1, F32), np.zeros(0, F32), np.zeros(1, np.int64))


def test_tiles_of_matrices_are_checked_against_the_array() -> None:
    x = np.arange(32, dtype=F32).reshape(8, 4)
    out = np.zeros(4, F32)
    strided(out, x)
    np.testing.assert_array_equal(out, x[7])
    with pytest.raises(KernelError, match="x: access from element 28 is outside its 28 elements"):
        strided(out, x[:7].copy())


def test_a_kernel_can_go_without_checks() -> None:
    kernel = shift.unchecked
    out, x = np.zeros(64, F32), np.arange(64, dtype=F32)
    kernel(out, x, 0)
    np.testing.assert_array_equal(out, x)
    assert not shift.is_unchecked
    assert kernel.bind(width=4).is_unchecked


def test_checks_are_operations_and_equal_ones_stand_once() -> None:
    @tl.kernel
    def twice(x: tl.Tile) -> None:
        for i in range(x.size):
            x[i] = x[i] + x[i]

    kernel = twice.trace(np.zeros(4, F32))
    made = checked(kernel)
    names = [o.name for o in walk(made.kernel.body)]
    assert names.count("check") == 1
    assert not [o for o in walk(kernel.body) if o.name == "check"]
    assert made.sizes == {"x_size": "x"}
    assert text(parse(text(made.kernel))) == text(made.kernel)


def run(size: int, limit: int) -> Any:
    @tl.kernel
    def reads(out: tl.Tile, x: tl.Tile) -> None:
        out.store[4](0, x.load[4](0))

    kernel = checked(reads.trace(np.zeros(4, F32), np.zeros(4, F32))).kernel
    faults = np.zeros(2, np.int64)
    values = {"out": np.zeros(4, F32), "x": np.ones(size, F32), "out_size": 4, "x_size": limit}
    values["faults"] = faults
    interpret(kernel, [values.get(p.name, 4) for p in kernel.parameters])
    return values["out"]


def test_the_interpreter_runs_checks_as_well() -> None:
    assert run(4, 4).tolist() == [1] * 4
    with pytest.raises(KernelError, match="check: index 0 is not below 0"):
        run(4, 3)
