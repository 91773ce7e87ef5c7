"""The short ways into a kernel give what the long way gives, and stand back where they must."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import weakref
from typing import Any

import numpy as np
import pytest

import tensorlib as tl
from tensorlib.backends.c import calls
from tensorlib.backends.c.runtime import runtime
from tensorlib.errors import BackendError, KernelError
from tensorlib.launch import LaunchedKernel
from tensorlib.registry import REGISTRY

pytestmark = pytest.mark.skipif("c" in REGISTRY.unavailable(), reason="no C compiler")
F32 = np.float32


def scale_meaning(out: tl.Tile, x: tl.Tile, a: tl.Scalar, n: tl.Scalar) -> None:
    for i in range(n):
        out[i] = a * x[i]


def rows_meaning(out: tl.Tile, x: tl.Tile) -> None:
    for i in range(x.shape[0]):
        total = tl.SIMD[x.dtype, 1](0)
        for j in range(x.shape[1]):
            total = total + x[i, j]
        out[i] = total


def places_meaning(out: tl.Tile, x: tl.Tile) -> None:
    i = tl.block_id(0) * tl.block_dim(0) + tl.thread_id(0)
    j = tl.block_id(1)
    out[j, i] = x[j, i] + tl.thread_id(0)


def share_meaning(out: tl.Tile, x: tl.Tile) -> None:
    for i in tl.parallel(range(out.size)):
        out[i] = x[i] + 1


def looked_at(kernel: LaunchedKernel) -> list[str]:
    """Return a list that grows by a word whenever the kernel takes the long way."""
    seen: list[str] = []
    run = kernel._run

    def counted(*arguments: Any) -> None:
        seen.append("long")
        run(*arguments)

    kernel._run = counted  # type: ignore[method-assign]
    return seen


@pytest.fixture(params=["objects", "packed"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Calls that C looks at, and those for which Python reads the arguments."""
    if request.param == "packed":
        monkeypatch.setattr(calls.KernelCalls, "objects", lambda *_: None)
    elif runtime().objects is None:
        pytest.skip(runtime().without_objects)
    return str(request.param)


@pytest.fixture
def scale(way: str) -> LaunchedKernel:
    return tl.kernel(scale_meaning)


@pytest.fixture
def rows(way: str) -> LaunchedKernel:
    return tl.kernel(rows_meaning)


def arrays(n: int = 8) -> tuple[np.ndarray, np.ndarray]:
    return np.zeros(n, F32), np.arange(n, dtype=F32)


def test_the_second_call_takes_the_short_way_and_agrees(scale: LaunchedKernel) -> None:
    seen = looked_at(scale)
    for size in (8, 3, 0, 100):
        for factor in (2.0, -0.5, float("inf"), float("-inf"), float("nan"), 1e-42, 1e-300):
            out, x = arrays(size)
            scale(out, x, factor, size)
            with np.errstate(invalid="ignore"):
                np.testing.assert_array_equal(out, F32(factor) * x)
    assert seen == ["long"]


def test_sizes_and_strides_are_those_of_this_call(rows: LaunchedKernel) -> None:
    seen = looked_at(rows)
    for shape in ((2, 3), (5, 7), (1, 1), (4, 0), (0, 4), (300, 2)):
        x = np.random.default_rng(1).standard_normal(shape)
        out = np.zeros(shape[0])
        rows(out, x)
        np.testing.assert_allclose(out, x.sum(1), rtol=1e-12, atol=1e-12)
    assert seen == ["long"]


def test_strides_of_single_elements_may_be_anything(rows: LaunchedKernel) -> None:
    pair = np.zeros((4, 4), [("a", "f8"), ("b", "i4")])
    pair["a"] = np.arange(16).reshape(4, 4)
    for view in (pair["a"][:1, :1], pair["a"][3:2:-1, 3:2:-1], pair["a"][:0, ::-1]):
        if view.flags.c_contiguous and view.flags.aligned:
            out = np.zeros(len(view))
            rows(out, view)
            assert out.tolist() == view.sum(1).tolist()


def test_other_types_take_the_long_way(scale: LaunchedKernel, rows: LaunchedKernel) -> None:
    out, x = arrays()
    scale(out, x, 2.0, 8)
    wide, y = np.zeros(8), np.arange(8.0)
    scale(wide, y, 2.0, 8)
    np.testing.assert_array_equal(wide, 2 * y)
    scale(out, x, F32(3), np.int64(8))
    np.testing.assert_array_equal(out, 3 * x)
    rows(np.zeros(2), np.ones((2, 2)))
    with pytest.raises(KernelError, match="rows_meaning: x is not C-contiguous"):
        rows(np.zeros(2), np.ones((2, 2)).T[::-1])


def test_types_in_turn_are_each_compiled_once(scale: LaunchedKernel) -> None:
    seen = looked_at(scale)
    for _ in range(5):
        for dtype in (np.float32, np.float64):
            out, x = np.zeros(4, dtype), np.arange(4, dtype=dtype)
            scale(out, x, 2.0, 4)
            assert out.tolist() == [0, 2, 4, 6]
    assert seen == ["long", "long"]


def test_errors_are_those_of_the_long_way(scale: LaunchedKernel) -> None:
    out, x = arrays()
    scale(out, x, 2.0, 8)
    scale(out, x, 2.0, 8)
    for _ in range(3):
        sentence = "x: access from element 8 is outside its 8 elements(.|\n)*a \\* x\\[i\\]"
        with pytest.raises(KernelError, match=sentence):
            scale(out, x, 2.0, 9)
    scale(out, x, 1.0, 8)
    np.testing.assert_array_equal(out, x)
    out.flags.writeable = False
    with pytest.raises(KernelError, match="writes into out, which is read-only"):
        scale(out, x, 2.0, 8)
    with pytest.raises(KernelError, match="got 3 arguments, needed 4"):
        scale(x, x, 2.0)
    with pytest.raises(KernelError, match="got 5 arguments, needed 4"):
        scale(x, x, 2.0, 8, 8)
    with pytest.raises(TypeError, match="unexpected keyword argument 'n'"):
        scale(x, x, 2.0, n=8)
    with pytest.raises(KernelError, match="got grid=1 without block"):
        scale(x, x, 2.0, 8, grid=1)


def test_what_is_read_may_be_read_only_and_may_overlap(scale: LaunchedKernel) -> None:
    seen = looked_at(scale)
    out, x = arrays()
    scale(out, x, 2.0, 8)
    fixed = x.copy()
    fixed.flags.writeable = False
    scale(out, fixed, 3.0, 8)
    assert out.tolist() == (3 * x).tolist()
    scale(x, x, 2.0, 8)
    assert x.tolist() == (2 * fixed).tolist()
    assert seen == ["long"]


@pytest.mark.parametrize("value", [1 << 63, -(1 << 63) - 1, 1 << 70, -(1 << 200)])
def test_a_number_that_does_not_fit_is_refused_as_before(scale: LaunchedKernel, value: int) -> None:
    out, x = arrays()
    scale(out, x, 2.0, 8)
    with pytest.raises(KernelError, match=f"scale_meaning: n is {value}, which does not fit int64"):
        scale(out, x, 2.0, value)
    with pytest.raises(OverflowError, match="float too large to pack"):
        scale(out, x, 1e39, 8)
    scale(out, x, -1.0, -(1 << 63))
    assert out.tolist() == (2 * x).tolist()


class Subclass(np.ndarray):
    """An array of another class."""


def test_unusual_arrays_get_what_the_long_way_gives(scale: LaunchedKernel) -> None:
    out, x = arrays()
    scale(out, x, 2.0, 8)
    seen = looked_at(scale)
    scale(out, x.view(Subclass), 4.0, 8)
    assert out.tolist() == (4 * x).tolist()
    scale(out, x.astype(np.dtype(F32, metadata={"unit": "m"})), 6.0, 8)
    assert out.tolist() == (6 * x).tolist()
    assert seen == ["long"] * 2
    unaligned = np.zeros(4 * 8 + 1, np.uint8)[1:].view(F32)
    sentence = r"scale_meaning: (x|out) is not aligned to elements of 4 bytes; try (x|out).copy\(\)"
    for given in ((out, unaligned), (unaligned, x)):
        with pytest.raises(KernelError, match=sentence):
            scale(*given, 5.0, 8)
    for strange in (x.astype(">f4"), x.astype(object), x.astype("M8[s]"), np.array(["x"] * 8)):
        with pytest.raises(Exception, match="dtype"):
            scale(out, strange, 2.0, 8)
    for strange in (None, "x", b"x", object(), {}, x.dtype, np.ndarray):
        with pytest.raises(KernelError, match="needed an array, a tensor or a number"):
            scale(out, strange, 2.0, 8)


def echo_meaning(out: tl.Tile, value: tl.Scalar) -> None:
    out[0] = value


NUMBERS = [
    *(getattr(np, name)(v) for name in ("int8", "int16", "int32", "int64") for v in (-3, 100)),
    *(getattr(np, name)(v) for name in ("uint8", "uint16", "uint32", "uint64") for v in (0, 200)),
    np.uint64(2**64 - 1), np.int64(-(2**63)), np.bool_(True), np.bool_(False),
    F32(1.5), F32("-inf"), np.float64(-0.1), np.longlong(-5), np.ulonglong(5),
    True, False, -1, 0, 1 << 62, 2.5, -0.0,
]  # fmt: skip


@pytest.mark.parametrize("number", NUMBERS, ids=lambda n: f"{type(n).__name__}({n})")
def test_numbers_of_every_class_keep_their_value(way: str, number: Any) -> None:
    kernel = tl.kernel(echo_meaning)
    seen = looked_at(kernel)
    for _ in range(3):
        out = np.zeros(1, np.asarray(number).dtype)
        kernel(out, number)
        assert out.tobytes() == np.asarray(number).tobytes()
    assert len(seen) == 1 or (way == "packed" and type(number) not in (int, float))


def test_a_truth_is_no_integer_and_no_float_is_an_integer(way: str) -> None:
    kernel = tl.kernel(echo_meaning)
    for number in (1, True, 1.0, F32(1), np.int32(1), np.bool_(True), 1, True):
        out = np.zeros(1, np.asarray(number).dtype)
        kernel(out, number)
        assert out.tolist() == [1]


@pytest.mark.parametrize("grid", [(2, 3), (2, 3, 1)])
def test_a_grid_goes_the_short_way_in_every_spelling(grid: tuple[int, ...]) -> None:
    if runtime().objects is None:
        pytest.skip(runtime().without_objects)
    kernel = tl.kernel(places_meaning)
    seen = looked_at(kernel)
    x = np.arange(24, dtype=np.int64).reshape(3, 8)
    for block in (4, (4,), (4, 1), (4, 1, 1)):
        out = np.zeros_like(x)
        kernel(out, x, grid=grid, block=block)
        assert (out == x + np.arange(8) % 4).all()
    assert seen == ["long"]
    kernel(out, x, grid=(1, 1), block=8)
    assert out[0].tolist() == (x[0] + np.arange(8)).tolist()
    assert seen == ["long"] * 2
    out[:] = 0
    kernel(out, x, grid=(0, 3), block=8)
    assert not out.any()
    kernel(out, x, grid=[2, 3], block=np.int64(4))
    assert (out == x + np.arange(8) % 4).all()
    assert seen == ["long"] * 2
    with pytest.raises(KernelError, match=r"grid=True, needed 1 to 3 whole numbers from 0"):
        kernel(out, x, grid=True, block=4)
    with pytest.raises(KernelError, match=r"grid=\(2, -1\), needed 1 to 3 whole numbers from 0"):
        kernel(out, x, grid=(2, -1), block=4)
    with pytest.raises(KernelError, match=r"grid=\(1, 1, 1, 1\), needed 1 to 3"):
        kernel(out, x, grid=(1, 1, 1, 1), block=4)
    with pytest.raises(KernelError, match=r"got grid=2 without block; give both, or none"):
        kernel(out, x, grid=2)
    with pytest.raises(KernelError, match="x: access from element"):
        kernel(out, x, grid=(2, 4), block=4)


def test_inside_another_kernel_it_is_recorded(scale: LaunchedKernel) -> None:
    out, x = arrays()
    scale(out, x, 2.0, 8)

    @tl.kernel
    def outer(out: tl.Tile, x: tl.Tile) -> None:
        scale(out, x, 5.0, 8)

    outer(out, x)
    np.testing.assert_array_equal(out, 5 * x)
    outer.python(out, x)
    scale(out, x, 2.0, 8)
    np.testing.assert_array_equal(out, 2 * x)


def test_tensors_and_arrays_in_turn(scale: LaunchedKernel) -> None:
    out, x = arrays()
    state, y = tl.state((8,), dtype="float32"), tl.asarray(x) + 1
    seen = looked_at(scale)
    for factor in (2.0, 3.0):
        scale(out, x, factor, 8)
        scale(state, y, factor, 8)
        assert out.tolist() == (F32(factor) * x).tolist()
        assert state.numpy().tolist() == (F32(factor) * (x + 1)).tolist()
    with pytest.raises(KernelError, match="writes into out, a tensor; tensors are values"):
        scale(y, x, 2.0, 8)
    with pytest.raises(KernelError, match="x: access from element 8 is outside its 8 elements"):
        scale(out, y, 2.0, 9)
    assert seen == ["long"]


def test_a_pass_of_the_user_is_not_passed_by(scale: LaunchedKernel) -> None:
    out, x = arrays()
    seen = looked_at(scale)
    scale(out, x, 2.0, 8)
    with tl.ir_pass(lambda kernel: None):
        scale(out, x, 3.0, 8)
        scale(out, x, 4.0, 8)
    scale(out, x, 5.0, 8)
    assert out.tolist() == (5 * x).tolist()
    assert seen == ["long", "long"]


def test_bound_and_unchecked_kernels_have_short_ways_of_their_own(scale: LaunchedKernel) -> None:
    for kernel in (scale, scale.unchecked, scale.bind()):
        seen = looked_at(kernel)
        for factor in (2.0, 3.0):
            out, x = arrays()
            kernel(out, x, factor, 8)
            assert out.tolist() == (F32(factor) * x).tolist()
        assert seen == ["long"]


def test_threads_share_a_kernel(scale: LaunchedKernel) -> None:
    out, x = arrays(1000)
    scale(out, x, 2.0, 1000)
    wrong: list[object] = []

    def run(factor: float) -> None:
        mine = np.zeros(1000, F32)
        for k in range(200):
            scale(mine, x, factor, 1000)
            if not (mine == F32(factor) * x).all():
                wrong.append(factor)
            if k % 50 == int(factor):
                with pytest.raises(KernelError, match="access from element 1000"):
                    scale(mine, x, factor, 1000 + int(factor) + 1)

    threads = [threading.Thread(target=run, args=(float(k),)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_workers_share_the_loop_and_a_fault_of_any_is_seen(way: str) -> None:
    kernel = tl.kernel(share_meaning)
    for n in (0, 1, 7, 10_000):
        out, x = np.zeros(n), np.arange(float(n))
        kernel(out, x)
        assert (out == x + 1).all()
    for _ in range(3):
        with pytest.raises(KernelError, match=r"x: access from element .* is outside its 3 el"):
            kernel(np.zeros(10_000), np.zeros(3))


def test_arguments_are_let_go_and_kernels_too(way: str) -> None:
    kernel = tl.kernel(scale_meaning)
    out, x = arrays()
    kernel(out, x, 2.0, 8)
    counts = sys.getrefcount(out), sys.getrefcount(x), sys.getrefcount(x.dtype)
    for _ in range(100):
        kernel(out, x, 2.0, 8)
    assert (sys.getrefcount(out), sys.getrefcount(x), sys.getrefcount(x.dtype)) == counts
    kept, held = weakref.ref(x), weakref.ref(kernel)
    del x, kernel
    gc.collect()
    assert kept() is None
    assert held() is None


FORK = """
import os, sys, warnings
import numpy as np
import tensorlib as tl
from tensorlib.backends.c import calls
from tensorlib.tests.test_quick import share_meaning

if sys.argv[1] == "packed":
    calls.KernelCalls.objects = lambda *_: None
warnings.simplefilter("ignore")
kernel = tl.kernel(share_meaning)
out, x = np.zeros(1000), np.arange(1000.0)
kernel(out, x)
child = os.fork()
if child == 0:
    try:
        kernel(out, x + 1)
    finally:
        os._exit(not (out == x + 2).all())
assert os.waitpid(child, 0) == (child, 0)
kernel(out, x + 2)
assert (out == x + 3).all()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_calls_on(way: str) -> None:
    command = [sys.executable, "-c", FORK, way]  # this process has threads that are nobody's here
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def test_an_array_that_changes_meanwhile_is_never_half_read(scale: LaunchedKernel) -> None:
    out, x = np.zeros(64, F32), np.arange(64, dtype=F32)
    scale(out, x, 2.0, 64)
    stop = threading.Event()

    changing = x.copy()

    def turn() -> None:
        while not stop.is_set():
            changing.resize((8, 8), refcheck=False)  # the same bytes, other shape and strides
            changing.resize((64,), refcheck=False)

    thread = threading.Thread(target=turn)
    thread.start()
    try:
        for _ in range(2000):
            try:
                scale(out, changing, 2.0, 64)
            except KernelError:  # it was 8 x 8 just then
                continue
    finally:
        stop.set()
        thread.join()
    assert out.tolist() == (2 * x).tolist()


def test_what_the_pool_refuses_is_raised(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = tl.kernel(share_meaning)
    backend: Any = REGISTRY.backend("c")
    out, x = np.zeros(8), np.arange(8.0)
    kernel(out, x)
    monkeypatch.setattr(backend, "threads", 1025)
    fresh = tl.kernel(share_meaning)
    with pytest.raises(BackendError, match="c runtime: workers: needed a number from 1 to 1024"):
        fresh(out, x)
