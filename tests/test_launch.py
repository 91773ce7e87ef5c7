"""`tl.kernel`: one function in Python, in the interpreter and as C."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorlib as tl
from tensorlib.errors import BackendError, KernelError
from tensorlib.lang.target import Target, targeting
from tensorlib.launch import default_device
from tensorlib.registry import REGISTRY

needs_c = pytest.mark.skipif("c" in REGISTRY.unavailable(), reason="no C compiler")


@tl.kernel
def scale_add(out: tl.Tile, x: tl.Tile, y: tl.Tile, a: tl.Scalar, *, width: int = 16) -> None:
    for i in tl.parallel(range(0, out.size, width)):
        out.store[width](i, a * x.load[width](i) + y.load[width](i))


@tl.kernel
def transpose(out: tl.Tile, x: tl.Tile) -> None:
    rows, columns = x.shape
    for i in tl.parallel(range(rows)):
        for j in range(columns):
            out[j, i] = x[i, j]


@tl.kernel
def twice_transposed(out: tl.Tile, middle: tl.Tile, x: tl.Tile) -> None:
    transpose(middle, x)
    transpose(out, middle)


def arrays(n: int = 64) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, n)).astype(np.float32)
    return np.zeros(n, np.float32), x, y


def every_way(kernel: Any) -> list[Any]:
    return [kernel.python, kernel.interpret, *([] if "c" in REGISTRY.unavailable() else [kernel])]


@pytest.mark.parametrize("width", [1, 4, 16])
def test_all_ways_of_running_give_the_same_bits(width: int) -> None:
    found = []
    for run in every_way(scale_add.bind(width=width)):
        out, x, y = arrays()
        run(out, x, y, 1.5)
        found.append(out)
    expected = np.float32(1.5) * x + y
    for out in found:
        np.testing.assert_array_equal(out, expected)


@needs_c
def test_sizes_are_arguments_so_one_kernel_serves_all() -> None:
    traced = set()
    for n in (16, 160, 1600):
        out, x, y = arrays(n)
        scale_add(out, x, y, 2.0)
        np.testing.assert_array_equal(out, 2 * x + y)
        traced.add(id(scale_add.trace(out, x, y, 2.0)))
    assert len(traced) == 1


@pytest.mark.parametrize("shape", [(3, 5), (1, 1), (0, 4)])
def test_tiles_of_any_rank(shape: tuple[int, int]) -> None:
    x = np.arange(np.prod(shape), dtype=np.int16).reshape(shape)
    for run in every_way(transpose):
        out = np.zeros(shape[::-1], np.int16)
        run(out, x)
        np.testing.assert_array_equal(out, x.T)


@needs_c
def test_kernels_call_kernels() -> None:
    x = np.arange(12.0).reshape(3, 4)
    out, middle = np.zeros((3, 4)), np.zeros((4, 3))
    twice_transposed(out, middle, x)
    np.testing.assert_array_equal(out, x)


@needs_c
def test_tensors_are_read_and_states_are_written() -> None:
    state = tl.state((16,), dtype="float32")
    x = tl.arange(16, dtype=tl.float32) + 1
    scale_add(state, x, x, 2.0)
    np.testing.assert_array_equal(state.numpy(), 3 * x.numpy())


def test_brackets_set_parameters_in_order() -> None:
    assert scale_add[8].parameters == scale_add.bind(width=8).parameters == {"width": 8}


def test_the_same_parameters_give_the_same_kernel() -> None:
    assert scale_add[8] is scale_add.bind(width=8) is not scale_add.bind(width=4)
    assert scale_add.unchecked[8] is scale_add.unchecked[8] is not scale_add[8]
    assert scale_add.unchecked[8].is_unchecked
    # Equal, and not the same; or of a kind whose content can change.
    for one, other in [(1, True), (0.0, -0.0), ((1,), (1.0,)), ([1], [1])]:
        assert scale_add.bind(width=one) is not scale_add.bind(width=other)
    assert scale_add.bind(width=-0.0).parameters["width"].hex() == "-0x0.0p+0"


@needs_c
def test_source_is_what_runs_on_the_device() -> None:
    given = (*arrays(), 1.0)
    lanes = default_device()[3].vector_bytes // 4
    assert f"f32x{lanes} " in (shown := scale_add.bind(width=64).source("c", *given))
    assert f"f32x{2 * lanes} " not in shown
    with targeting(Target("c", 16)):
        assert "f32x8 " not in scale_add.bind(width=64).source("c", *given)


@tl.kernel
def sized(out: tl.Tile, x: tl.Tile, x_size: tl.Scalar) -> None:
    out[0] = x[0] + x_size


def test_a_name_that_the_compiled_kernel_needs_is_refused() -> None:
    x = np.ones(3)
    for run in (sized, sized.trace, sized.interpret, sized.python):
        with pytest.raises(
            KernelError, match="sized: got an argument called x_size, which is what the compiled"
        ):
            run(np.zeros(1), x, 5)


def test_ir_and_source_can_be_seen() -> None:
    arguments = (*arrays(), 1.0)
    assert "for" in scale_add.ir(*arguments)
    assert "float32x16" in scale_add.ir(*arguments)
    assert "void scale_add(const uint64_t *args" in scale_add.source("c", *arguments)


def test_the_interpreter_finds_an_access_out_of_bounds() -> None:
    out, x, y = arrays(20)  # not a multiple of 16
    with pytest.raises(KernelError, match=r"outside its 20 elements(.|\n)*load"):
        scale_add.interpret(out, x, y, 1.0)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: scale_add(np.zeros(16)), "scale_add: got 1 arguments, needed 4: out, x, y, a"),
        (lambda: scale_add.bind(wide=3), "got parameter 'wide', needed one of: width"),
        (lambda: scale_add[1, 2], "got 2 values in brackets, needed at most 1"),
        (lambda: transpose(np.zeros((2, 2)), np.zeros((4, 4))[::2, ::2]), "x is not C-contiguous"),
        (lambda: transpose(np.zeros((2, 2)), "x"), "x is a str, needed an array, a tensor or a"),
        (
            lambda: scale_add.source("metal", *arrays(), 1.0),
            "target 'metal', needed one of: c, cuda",
        ),
        (
            lambda: transpose(tl.zeros((2, 2)), np.zeros((2, 2))),
            "writes into out, a tensor; tensors are values",
        ),
        (
            lambda: transpose(np.broadcast_to(0.0, (1, 1)), np.zeros((1, 1))),
            "writes into out, which is read-only",
        ),
    ],
)
def test_what_does_not_fit_is_refused(call: Any, sentence: str) -> None:
    with pytest.raises(KernelError, match=sentence):
        call()


def test_a_backend_without_kernels_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENSORLIB_BACKEND", "reference")
    with pytest.raises(BackendError, match="backend reference does not run kernels"):
        scale_add(*arrays(), 1.0)


@tl.kernel
def shifted(out: tl.Tile, x: tl.Tile, by: tl.Scalar, n: tl.Scalar) -> None:
    width = tl.simdwidthof(out.dtype)
    lanes = tl.SIMD[tl.int64, 2 * width](*range(2 * width))
    view = tl.Tile(out.pointer, out.dtype, (2 * width,), (2,), 0, out.placement)
    view.store[width](0, x.load[width](0), mask=lanes.slice(width) < n)
    for i in range(n):
        out[i] = out[i] + by.cast(tl.float32)


def test_scalars_are_simd_values_in_every_mode() -> None:
    found = []
    for run in every_way(shifted):
        out = np.zeros(64, np.float32)
        run(out, np.arange(32, dtype=np.float32), 0.5, 3)
        found.append(out)
    for out in found:
        assert out[:8].tolist() == [0.5, 0.5, 1.5, 0, 2.0, 0, 0, 0]


@needs_c
def test_a_masked_scatter_writes() -> None:
    fixed = np.zeros(64, np.float32)
    fixed.flags.writeable = False
    with pytest.raises(KernelError, match="shifted: writes into out, which is read-only"):
        shifted(fixed, np.zeros(32, np.float32), 0.5, 3)


@needs_c
def test_a_second_call_only_launches(monkeypatch: pytest.MonkeyPatch) -> None:
    out, x, y = arrays()
    scale_add(out, x, y, 1.0)
    monkeypatch.setattr(type(scale_add), "trace", None)
    scale_add(out, x, y, 3.0)
    np.testing.assert_array_equal(out, 3 * x + y)
