"""The interpreter names what goes wrong with the user's line: bounds, uninitialised reads,
arguments.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tensorlib.dtypes import DType
from tensorlib.errors import KernelError
from tensorlib.ir import interpret, parse
from tensorlib.lang.trace import trace
from tensorlib.simd import SIMD, SIMDType
from tensorlib.tests.compiled_kernels import run_python
from tensorlib.tile import Tile, TileType, stack_allocation

F32 = DType.float32
TYPES = {"x": TileType(F32, (8,), (1,)), "n": SIMDType(DType.int64)}


def fault(function: Callable[..., None], n: int, line: str) -> str:
    """Run in the interpreter and in Python: both report; return the interpreter's first line."""
    kernel = trace(function, TYPES)
    x = np.arange(8, dtype=np.float32)
    arrays: list[Any] = [x if p.name == "x" else n for p in kernel.parameters]
    with pytest.raises(KernelError) as caught:
        interpret(kernel, arrays)
    shown = str(caught.value)
    assert line in shown, shown
    assert re.search(r"^ +\^+$", shown, re.MULTILINE), shown
    with pytest.raises(KernelError, match=re.escape(shown.splitlines()[0])):
        run_python(function, {"x": x.copy(), "n": SIMD[DType.int64, 1](n)})
    return shown.splitlines()[0]


def test_a_load_outside() -> None:
    def kernel(x: Tile, n: SIMD) -> None:
        x[0] = x[n]

    assert fault(kernel, 8, "x[0] = x[n]") == (
        "x: access to elements [8, 9) is outside its 8 elements"
    )
    assert fault(kernel, -1, "x[0] = x[n]").startswith("x: access to elements [-1, 0)")


def test_a_store_outside() -> None:
    def kernel(x: Tile, n: SIMD) -> None:
        x.store[4](n, SIMD[F32, 4](1))

    assert fault(kernel, 5, "x.store[4](n, SIMD[F32, 4](1))") == (
        "x: access to elements [5, 9) is outside its 8 elements"
    )


def test_a_masked_access_outside() -> None:
    def kernel(x: Tile, n: SIMD) -> None:
        mask = SIMD["bool", 4](True, False, False, True)
        x.store[4](0, x.load[4](n, mask=mask))

    message = "x: access to elements [5, 9) is outside its 8 elements"
    assert fault(kernel, 5, "x.load[4](n, mask=mask)") == message


def test_a_gather_and_a_scatter_outside() -> None:
    def gather(x: Tile, n: SIMD) -> None:
        x[0] = Tile(x.pointer, F32, (4,), (2,), n).load[4](0).reduce_add()

    def scatter(x: Tile, n: SIMD) -> None:
        Tile(x.pointer, F32, (4,), (2,), n).store[4](0, SIMD[F32, 4](1))

    message = "x: access to elements [8, 9) is outside its 8 elements"
    assert fault(gather, 2, "x[0] = Tile(") == message
    assert fault(scatter, 2, "Tile(x.pointer, F32") == message


def test_a_read_of_what_was_never_written() -> None:
    def kernel(x: Tile, n: SIMD) -> None:
        t = stack_allocation(F32, 4)
        t[0] = 1.0
        x[0] = t.load[2](n)[1]

    message = fault(kernel, 0, "x[0] = t.load[2](n)[1]")
    assert message.endswith(": read of [0] before anything was written there")
    with pytest.raises(AssertionError):
        fault(kernel, 3, "no such line")


STEPS = parse(
    """\
kernel steps(%0.n: int64) {
  %1: int64 = const {type=int64, value=0}
  %2: int64 = const {type=int64, value=4}
  for %1 %2 %0.n (%i: int64) {
    yield
  } -> ()
}
"""
)


def test_a_step_that_is_not_positive() -> None:
    interpret(STEPS, [3])
    for step in (0, -1):
        with pytest.raises(KernelError, match=f"for: got step {step}, needed a positive step"):
            interpret(STEPS, [step])


COPY = parse(
    """\
kernel copy(%0.x: pointer<float32>, %1.n: int64) {
  %2: float32 = load %0.x %1.n {type=float32}
  store %0.x %1.n %2
}
"""
)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([np.zeros(4, np.float32)], "copy: got 1 arguments, needed 2"),
        ([np.zeros(4), 0], "copy: x: got float64, needed an array of float32"),
        ([[0.0], 0], "copy: x: got list, needed an array of float32"),
        ([np.zeros((4, 4), np.float32).T, 0], "copy: x: got a strided array; try np.ascontig"),
    ],
)
def test_arguments_are_checked(arguments: list[Any], message: str) -> None:
    with pytest.raises(KernelError, match=re.escape(message)):
        interpret(COPY, arguments)


def test_a_read_only_array_is_not_written() -> None:
    x = np.zeros(4, np.float32)
    x.flags.writeable = False
    with pytest.raises(KernelError, match="x: got a read-only array, but the kernel writes it"):
        interpret(COPY, [x, 0])


def test_bytes_other_than_one_are_true() -> None:
    def kernel(x: Tile, out: Tile) -> None:
        out.store[4](0, x.load[4](0).cast(DType.int32))

    x = np.array([0, 1, 2, 255], np.uint8).view(np.bool_)
    out = np.zeros(4, np.int32)
    traced = trace(
        kernel, {"x": TileType(DType.bool, (4,), (1,)), "out": TileType(DType.int32, (4,), (1,))}
    )
    interpret(traced, [x, out])
    assert out.tolist() == [0, 1, 1, 1]
