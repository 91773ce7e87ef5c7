"""Kernels of a grid of threads: Python, the interpreter and C compute the same bits."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import tensorlib as tl
from tensorlib.errors import KernelError
from tensorlib.lang.instruction import instruction as tl_instruction
from tensorlib.registry import REGISTRY
from tensorlib.tests.grid_kernels import CASES, Case, copied, reals, sum_reduction, warp_sums
from tensorlib.tests.random_grid import seeded_grid_kernel

needs_c = pytest.mark.skipif("c" in REGISTRY.unavailable(), reason="no C compiler")
F32, I32, I64 = np.float32, np.int32, np.int64
Arrays = list[Any]


def ways(kernel: Any) -> list[Callable[..., None]]:
    """Return every way to run a kernel here."""
    found = [kernel.python, kernel.interpret]
    return found if "c" in REGISTRY.unavailable() else [*found, kernel]


def agree(kernel: Any, make: Callable[[], Arrays], grid: Any, block: Any) -> Arrays:
    """Assert that all ways write the same bits; return the arguments after one."""
    found = []
    for run in ways(kernel):
        arguments = make()
        run(*arguments, grid=grid, block=block)
        found.append(arguments)
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            assert np.asarray(a).tobytes() == np.asarray(b).tobytes()
    return found[0]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_way_computes_what_is_expected(case: Case) -> None:
    found = agree(case.kernel, case.arguments, case.grid, case.block)
    np.testing.assert_array_equal(found[0], case.expected(case.arguments()))


@pytest.mark.parametrize("threads", [1, 7, 32, 33, 50, 64])
def test_rounded_sums_have_the_same_bits(threads: int) -> None:
    agree(warp_sums, lambda: [np.zeros(2 * threads, F32), reals(2 * threads)], 2, threads)
    agree(sum_reduction, lambda: [np.zeros(1, F32), reals(5 * threads)], 5, threads)


def check_random(seed: int) -> None:
    threads = [1, 3, 8, 32, 40, 70][seed % 6]

    def make() -> Arrays:
        x = np.random.default_rng(seed).integers(-50, 50, 3 * threads).astype(I32)
        return [np.zeros_like(x), x, np.array([0, 5, -5, 3, 0], I32), 2]

    agree(seeded_grid_kernel(seed), make, 3, threads)


@pytest.mark.parametrize("seed", range(12))
def test_random_kernels_agree(seed: int) -> None:
    check_random(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1000, 1300))
def test_many_random_kernels_agree(seed: int) -> None:
    check_random(seed)


# --- values that threads exchange ---


class Pair(NamedTuple):
    first: Any
    second: Any


@tl.kernel
def paired(out: tl.Tile, x: tl.Tile) -> None:
    t = tl.thread_id()
    near = tl.shuffle_down(Pair(x[t], t), 1)
    both = tl.warp_reduce(Pair(x[t], t), lambda a, b: Pair(a.first * b.first, a.second + b.second))
    out[t, 0], out[t, 1] = near.first, near.second.cast(tl.float32)
    out[t, 2], out[t, 3] = both.first, both.second.cast(tl.float32)


@pytest.mark.parametrize("threads", [4, 5])
def test_tuples_are_shuffled_and_reduced(threads: int) -> None:
    x = np.arange(1, threads + 1).astype(F32)
    (out, _) = agree(paired, lambda: [np.zeros((threads, 4), F32), x], 1, threads)
    assert out[:, 0].tolist() == [*x[1:], x[-1]]
    assert out[:, 1].tolist() == [*range(1, threads), threads - 1]
    assert set(out[:, 2]) == {np.prod(x)}
    assert set(out[:, 3]) == {sum(range(threads))}


@tl.kernel
def wide(out: tl.Tile, x: tl.Tile) -> None:
    t = tl.thread_id()
    row = x.load[4](t, 0)
    out.store[4](t, 0, tl.warp_sum(row) + tl.shuffle_xor(row > 2, 1).cast(x.dtype))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64", "int8", "uint64"])
def test_vectors_of_every_kind_are_shuffled(dtype: str) -> None:
    kind = tl.DType.by_name[dtype].numpy
    x = (np.arange(24).reshape(6, 4) % 7).astype(kind)
    (out, _) = agree(wide, lambda: [np.zeros_like(x), x], 1, 6)
    swapped = x.reshape(3, 2, 4)[:, ::-1].reshape(6, 4)
    np.testing.assert_array_equal(out, (x.sum(0, dtype=kind) + (swapped > 2)).astype(kind))


@tl.kernel
def marked(out: tl.Tile) -> None:
    assert isinstance(tl.block_dim(), int)
    out[tl.block_id(1), tl.block_id(), tl.warp_id(), tl.lane_id()] = (
        tl.grid_dim(0) * 100 + tl.grid_dim(1) * 10 + tl.block_dim(2)
    )


def test_lanes_and_warps_count_threads_along_the_first_axis_first() -> None:
    (out,) = agree(marked, lambda: [np.zeros((2, 3, 2, 32), I64)], (3, 2), (5, 4, 2))
    flat = out.reshape(6, 64)
    assert (flat[:, :40] == 322).all()
    assert (flat[:, 40:] == 0).all()


# --- awaiting ---


async def sign(x: Any) -> Any:
    if x > 0:
        return x * 0 + 1
    if x < 0:
        return x * 0 - 1
    return x * 0


@tl.kernel
async def signs(out: tl.Tile, x: tl.Tile) -> None:
    """Async functions return early, and stand in loops, branches and closures."""
    t = tl.thread_id()

    async def doubled(v: Any) -> Any:
        once, again = [await sign(w) for w in (v, v)]
        return once + again

    total = x[0] * 0
    for k in range(3):
        if t == k:
            continue
        total = total + await doubled(x[t] - tl.SIMD[tl.int32](k))
        if total > 3:
            break
    out[t] = total


def test_async_functions_are_rewritten() -> None:
    (out, _) = agree(signs, lambda: [np.zeros(8, I32), np.arange(8, dtype=I32) - 2], 1, 8)
    expected = []
    for t in range(8):
        total = 0
        for k in range(3):
            if t != k and total <= 3:
                total += 2 * int(np.sign(t - 2 - k))
        expected.append(total)
    assert out.tolist() == expected


@tl.kernel
async def awaits_in_parallel(out: tl.Tile, x: tl.Tile) -> None:
    for i in tl.parallel(range(out.size)):
        out[i] = await sign(x[i])


def test_kernels_without_a_grid_await_too() -> None:
    for run in ways(awaits_in_parallel):
        out = np.zeros(3, I32)
        run(out, np.array([5, -5, 0], I32))
        assert out.tolist() == [1, -1, 0]


@tl.kernel
async def never_awaited(out: tl.Tile, x: tl.Tile) -> None:
    shared = tl.stack_allocation[x.dtype, tl.SHARED](4)
    tl.copy_async(shared.tile[1](tl.thread_id()), x.tile[1](tl.thread_id()))
    out[tl.thread_id()] = shared[tl.thread_id()]


def test_a_copy_lands_when_it_is_awaited() -> None:
    arguments = np.zeros(4, F32), np.ones(4, F32)
    with pytest.raises(KernelError, match=r"read of \[0\] before anything was written"):
        never_awaited.python(*arguments, grid=1, block=4)
    with pytest.raises(KernelError, match="while an asynchronous copy to it is in flight"):
        never_awaited.interpret(*arguments, grid=1, block=4)


@tl.kernel
async def copied_rows(out: tl.Tile, x: tl.Tile) -> None:
    """Rows of a tile that are not side by side, and whole tiles that are."""
    t = tl.thread_id()
    shared = tl.stack_allocation[x.dtype, tl.SHARED](2, 4, 4)
    block = tl.Tile(x.pointer, x.dtype, (4, 4), x.stride, x.offset + t * 4, x.placement)
    mine = tl.Tile(shared.pointer, x.dtype, (4, 4), (4, 1), t * 16, shared.placement)
    copy = tl.copy_async(mine, block)
    assert "to be awaited" in repr(copy)
    mine = await copy
    for i in range(4):
        for j in range(4):
            out[t, i, j] = mine[i, j]


def test_copies_of_rows() -> None:
    x = reals(4, 8)
    (out, _) = agree(copied_rows, lambda: [np.zeros((2, 4, 4), F32), x], 1, 2)
    np.testing.assert_array_equal(out, np.stack([x[:, :4], x[:, 4:]]))


# --- kernels that kernels call ---


@tl.kernel
def through_another(out: tl.Tile, x: tl.Tile) -> None:
    copied(out, x)
    tl.barrier()
    i = tl.block_id() * tl.block_dim() + tl.thread_id()
    out[i] = out[i] * 2


def test_a_kernel_calls_a_kernel_in_its_own_threads() -> None:
    (out, x) = agree(through_another, lambda: [np.zeros(8, F32), reals(8)], 2, 4)
    np.testing.assert_array_equal(out, x * 2)


# --- atomics ---


@tl.kernel
def totals(out: tl.Tile, x: tl.Tile) -> None:
    """Workers of a parallel loop share memory too."""
    for i in tl.parallel(range(x.size)):
        tl.Atomic.add(out, 0, x[i])
        tl.Atomic(out, 1).max(x[i])


@needs_c
@pytest.mark.parametrize("dtype", [F32, np.float64, I32, np.uint8, np.float16])
def test_atomics_in_a_parallel_loop(dtype: Any) -> None:
    x = (np.arange(1000) % 2 == 0).astype(dtype)
    x[77] = 3
    for run in (totals, totals.python):
        out = np.zeros(2, dtype)
        run(out, x)
        assert out.tolist() == [np.sum(x, dtype=dtype), 3]


@tl.kernel
def every_atomic(out: tl.Tile, old: tl.Tile) -> None:
    place = tl.Atomic(out, 0, 1)
    old[0] = place.exchange(7)
    old[1] = place.compare_exchange(6, 9)
    old[2] = place.compare_exchange(7, 9)
    old[3] = place.fetch_min(3)
    place += 2
    old[4] = place.load()
    old[5] = tl.Atomic.fetch_sub(out, (0, 1), 1)
    old[6] = tl.Atomic.exchange(out, (0, 1), 1)


@pytest.mark.parametrize("dtype", [F32, I32, np.uint16])
def test_atomics_return_what_was_there(dtype: Any) -> None:
    (out, old) = agree(every_atomic, lambda: [np.zeros((1, 2), dtype), np.zeros(7, dtype)], 1, 1)
    assert out.tolist() == [[0, 1]]
    assert old.tolist() == [0, 7, 7, 9, 5, 5, 4]


@tl.kernel
def by_bits(out: tl.Tile) -> None:
    tl.Atomic(out, 0).compare_exchange(0.0, 1.0)
    tl.Atomic(out, 1).compare_exchange(float("nan"), 1.0)


def test_compare_exchange_compares_bits() -> None:
    (out,) = agree(by_bits, lambda: [np.array([-0.0, np.nan], F32)], 1, 1)
    assert out[0] == 0
    assert np.signbit(out[0])
    assert out[1] == 1


# --- debugging ---


@tl.kernel
def stops(out: tl.Tile) -> None:
    out[tl.thread_id()] = 1
    tl.barrier()
    breakpoint()
    out[tl.thread_id()] = 2


def test_a_debugger_stops_in_every_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def hook() -> None:
        seen.append((int(tl.thread_id()), out.tolist()))

    monkeypatch.setattr(sys, "breakpointhook", hook)
    out = np.zeros(3, I64)
    stops.python(out, grid=1, block=3)
    assert seen == [(0, [1, 1, 1]), (1, [2, 1, 1]), (2, [2, 2, 1])]


def test_a_trace_function_follows_all_threads() -> None:
    lines = []

    def follow(frame: Any, event: str, argument: Any) -> Any:
        if frame.f_code is stops.function.__code__ and event == "line":
            lines.append(frame.f_lineno - frame.f_code.co_firstlineno)
        return follow

    before, hook = sys.gettrace(), sys.breakpointhook
    sys.breakpointhook = lambda: None
    sys.settrace(follow)
    try:
        stops.python(np.zeros(2, I64), grid=1, block=2)
    finally:
        sys.settrace(before)
        sys.breakpointhook = hook
    assert lines == [2, 3, 2, 3, 4, 5, 4, 5]


@tl.kernel
def fails_in_one(out: tl.Tile) -> None:
    tl.barrier()
    out[tl.thread_id() + 2] = 1


def assert_threads_end(count: int) -> None:
    for _ in range(500):
        if threading.active_count() <= count:
            return
        time.sleep(0.01)
    raise AssertionError(f"{threading.active_count()} threads are left, not {count}")


def test_an_exception_ends_all_threads_and_comes_out() -> None:
    before = threading.active_count()
    with pytest.raises(KernelError, match=r"out: access to elements \[4, 5\) is outside"):
        fails_in_one.python(np.zeros(4, I64), grid=1, block=8)
    with pytest.raises(ZeroDivisionError):
        tl.kernel(lambda out: 1 // 0).python(np.zeros(4), grid=1, block=8)
    assert_threads_end(before)


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="no signals to threads")
@pytest.mark.parametrize("last", [False, True])
def test_an_interrupt_ends_all_threads(last: bool) -> None:
    def interrupt(out: tl.Tile) -> None:
        if tl.thread_id() == 1 and int(out[0]) == 0:
            out[0] = 1
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
            time.sleep(0.05)

    @tl.kernel
    def interrupted(out: tl.Tile) -> None:
        if not last:  # while thread 0, which the main thread runs, waits at the barrier
            interrupt(out)
        tl.barrier()
        if last:  # while the main thread waits for the other threads to end
            interrupt(out)

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        interrupted.python(np.zeros(1), grid=100, block=3)
    assert_threads_end(before)


# --- what is wrong ---


@tl.kernel
def parts(out: tl.Tile) -> None:
    if tl.thread_id() < 2:
        tl.barrier()
    out[tl.thread_id()] = 1


@tl.kernel
def parts_in_two(out: tl.Tile) -> None:
    if tl.thread_id() < 2:
        tl.barrier()
    else:
        tl.barrier()


@tl.kernel
def parts_in_a_warp(out: tl.Tile) -> None:
    v = tl.thread_id()
    if v < 2:
        out[v] = tl.shuffle_down(v, 1)


@pytest.mark.parametrize(
    ("kernel", "sentences"),
    [
        (parts, ["not all threads", "threads 0, 1 wait at barrier", "threads 2, 3 have ended"]),
        (parts_in_two, ["not all threads", "threads 0, 1 wait", "threads 2, 3 wait at barrier:"]),
        (parts_in_a_warp, ["not all threads", "wait at (warp_)?shuffle", "2, 3 have ended"]),
    ],
)
def test_threads_that_wait_in_vain_are_an_error(kernel: Any, sentences: list[str]) -> None:
    for run in (kernel.python, kernel.interpret):
        with pytest.raises(KernelError) as error:
            run(np.zeros(4, I64), grid=1, block=4)
        for sentence in sentences:
            assert error.match(sentence)
        assert error.match("tl.barrier|tl.shuffle_down")


@needs_c
@pytest.mark.parametrize("kernel", [parts, parts_in_two])
def test_c_refuses_barriers_that_threads_may_miss(kernel: Any) -> None:
    with pytest.raises(KernelError) as error:
        kernel(np.zeros(4, I64), grid=1, block=4)
    assert error.match("barrier: not all threads of a block are known to reach it")
    assert error.match(r"tl\.barrier\(\)")
    assert error.match("if tl.thread_id")


OUT = np.zeros(4, F32)


def traced(body: Callable[[tl.Tile], None], **how: Any) -> None:
    tl.kernel(body).ir(OUT, **how)


def in_python(body: Callable[[tl.Tile], None], threads: int = 1) -> None:
    tl.kernel(body).python(OUT, grid=1, block=threads)


async def one() -> int:
    return 1


async def awaits_twice(out: tl.Tile) -> None:
    call = one()
    await call
    await call


async def awaits_a_number(out: tl.Tile) -> None:
    await out[0]


async def awaits_the_world(out: tl.Tile) -> None:
    await asyncio.sleep(0)


async def loops_over_events(out: tl.Tile) -> None:
    async for _ in out:
        pass


async def comprehends_events(out: tl.Tile) -> None:
    out[0] = [i async for i in out][0]  # noqa: RUF015


async def enters_a_context(out: tl.Tile) -> None:
    async with out:
        pass


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: copied.python(OUT, OUT, block=4), "got block=4 without grid; give both, or none"),
        (lambda: copied(OUT, OUT, grid=4), "copied: got grid=4 without block; give both, or none"),
        (lambda: copied.interpret(OUT, OUT, grid=-1, block=1), "got grid=-1, needed 1 to 3 whole"),
        (lambda: copied(OUT, OUT, grid=1, block=0), "block=0, needed 1 to 3 whole numbers from 1"),
        (lambda: copied(OUT, OUT, grid=1, block=(1, 1, 1, 1)), "needed 1 to 3 whole numbers from"),
        (lambda: copied(OUT, OUT, grid=1.5, block=1), "got grid=1.5, needed 1 to 3 whole numbers"),
        (lambda: copied(OUT, OUT, grid=True, block=1), "got grid=True, needed 1 to 3 whole"),
        (lambda: copied.ir(OUT, OUT, block=(64, 32)), "2048 threads, needed at most 1024; try"),
        (lambda: copied.ir(OUT, OUT), "no grid of threads runs here; call the kernel with grid="),
        (lambda: copied.python(OUT, OUT), "block_id: no grid of threads runs here"),
        (tl.barrier, "barrier: no grid of threads runs here"),
        (tl.block_dim, "block_dim: no grid of threads runs here"),
        (lambda: traced(lambda out: copied(out, out, grid=1, block=1), block=1), "not a grid"),
        (lambda: in_python(lambda out: tl.thread_id(3)), "got axis 3, needed 0, 1 or 2"),
        (lambda: in_python(lambda out: tl.block_dim("x")), "got axis 'x', needed 0, 1 or 2"),
        (lambda: in_python(lambda out: tl.shuffle_up(1, 1)), "shuffle_up: got int, needed SIMD"),
        (lambda: in_python(lambda out: tl.shuffle_up((), 1)), "shuffle_up: got nothing, needed"),
        (lambda: in_python(lambda out: tl.shuffle_up(out[0], 1.5)), "got a lane of type float"),
        (lambda: in_python(lambda out: tl.shuffle_up(out[0], out[0])), "a lane of type float32"),
        (lambda: in_python(lambda out: tl.any_lane(out[0])), "got a condition of type float32"),
        (lambda: in_python(lambda out: tl.ballot(3)), "got a condition of type int, needed a"),
        (
            lambda: in_python(
                lambda out: tl.shuffle_up(out[0] if tl.thread_id() == 0 else out[0] > 0, 1), 2
            ),
            "shuffle_up: got bool and float32 in one warp|float32 and bool in one warp",
        ),
        (lambda: tl.Atomic(OUT, 0), "Atomic: got a ndarray, needed a tile and an index"),
        (lambda: in_python(lambda out: tl.Atomic.fetch_or(out, 0, 1)), "has no atomic or"),
        (lambda: in_python(lambda out: tl.Atomic.add(out, 0, tl.thread_id())), "got int64, needed"),
        (lambda: traced(lambda out: tl.copy_async(out, out), block=1), "needed a known shape"),
        (lambda: in_python(lambda out: tl.copy_async(out, 1)), "got a int as source, needed a"),
        (
            lambda: in_python(
                lambda out: tl.copy_async(tl.stack_allocation(tl.float32, 4), out)
            ),
            "got a target in registers; try load and store",
        ),
        (lambda: in_python(lambda out: tl.copy_async(out, out.tile[2](0))), "needed one shape and"),
        (lambda: traced(awaits_twice), "this call of an async function has been awaited before"),
        (lambda: traced(awaits_a_number), "await: got a SIMD, needed a copy or a call of an async"),
        (lambda: traced(awaits_the_world), "await: got a coroutine, which waits for an event loop"),
        (lambda: traced(loops_over_events), "async for, line .*: a kernel can't wait for an"),
        (lambda: traced(comprehends_events), "async for, line .*: a kernel can't wait for an"),
        (lambda: traced(enters_a_context), "async with, line .*: a kernel can't wait for a"),
    ],
)  # fmt: skip
def test_errors_say_what_was_given(call: Callable[[], Any], sentence: str) -> None:
    with pytest.raises(KernelError, match=sentence):
        call()


def test_too_few_threads_of_the_system_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(KernelError, match="could not start thread 1 of 3 of a block; try a small"):
        fails_in_one.python(np.zeros(5, I64), grid=1, block=3)


@tl.kernel
def kept(out: tl.Tile, x: tl.Tile, *, width: int) -> None:
    """Vectors and masks of each thread wait at a barrier, in a loop, and for each other."""
    t, n = tl.thread_id(), tl.block_dim()
    v = x.load[width](t, 0)
    mask = v != v
    for k in range(2):
        mask = mask | (v > 2)
        tl.barrier()
        v = mask.select(tl.shuffle_xor(v, 1), v)
        if k == 1:
            mask = tl.shuffle_down(mask, 1)
        tl.barrier()
    out.store[width](t, 0, mask.select(v, v * 0), mask=tl.shuffle_up(mask, 1) | (t < n - 1))


@needs_c
@pytest.mark.parametrize("width", [1, 4, 64])
@pytest.mark.parametrize(
    "dtype", ["float16", "bfloat16", "float32", "float64", "int8", "uint16", "int64"]
)
def test_vectors_wait_at_barriers(dtype: str, width: int) -> None:
    kind = tl.DType.by_name[dtype].numpy
    x = (np.random.default_rng(0).integers(0, 6, (6, width))).astype(kind)
    agree(kept.bind(width=width), lambda: [np.zeros_like(x), x], 1, 6)


@tl.kernel
def complex_sums(out: tl.Tile, x: tl.Tile) -> None:
    t = tl.thread_id()
    z = tl.ComplexSIMD(x[t, 0], x[t, 1])
    total = tl.warp_reduce(z, lambda a, b: a * b)
    tl.barrier()
    out[t, 0], out[t, 1] = total.re, total.im


def test_objects_of_values_wait_and_are_reduced() -> None:
    x = np.array([[1, 2], [0, 1], [3, -1], [2, 2]], F32)
    (out, _) = agree(complex_sums, lambda: [np.zeros_like(x), x], 1, 4)
    product = np.prod(x[:, 0] + 1j * x[:, 1])
    assert out.tolist() == [[product.real, product.imag]] * 4


@tl_instruction(cuda="__shfl_down_sync(0xffffffff, {value}, {distance})", portable=True)
def shifted_down(value: tl.Scalar, distance: int) -> tl.Scalar:
    return tl.shuffle_down(value, distance)


@tl_instruction(cuda="next_lane({value})")
def next_lane(value: tl.Scalar) -> tl.Scalar:
    return tl.shuffle_down(value, 1)


@tl.kernel
def by_instruction(out: tl.Tile, x: tl.Tile, *, native: bool = False) -> None:
    t = tl.thread_id()
    if t < 32:
        out[t] = next_lane(x[t]) if native else shifted_down(x[t], 2)


@needs_c
def test_an_instruction_in_which_threads_meet_is_its_body() -> None:
    x = np.arange(8, dtype=F32)
    for run in (by_instruction, by_instruction.python):
        out = np.zeros(8, F32)
        run(out, x, grid=1, block=8)
        assert out.tolist() == [2, 3, 4, 5, 6, 7, 6, 7]
    assert "__shfl_down_sync(0xffffffff, " in by_instruction.source("cuda", x, x, block=8)
    with pytest.raises(KernelError) as error:
        by_instruction.bind(native=True)(x.copy(), x, grid=1, block=8)
    assert error.match("instruction: in .*next_lane threads meet, and here only its body does that")
    assert error.match(r"next_lane\(x\[t\]\)")


@pytest.mark.parametrize("target", ["c", "cuda", "opencl"])
def test_every_target_prints_the_kernels(target: str) -> None:
    for case in CASES:
        assert case.kernel.name in case.kernel.source(target, *case.arguments(), block=case.block)


def turned(v: Any) -> Any:
    """Allocates shared memory of its own at each call."""
    n, t = tl.block_dim(), tl.thread_id()
    shared = tl.stack_allocation[v.dtype, tl.SHARED](n)
    shared[t] = v
    tl.barrier()
    return shared[n - 1 - t]


@tl.kernel
def turned_twice(out: tl.Tile, x: tl.Tile) -> None:
    t = tl.thread_id()
    once = turned(x[t])
    buffers = [tl.stack_allocation[x.dtype, tl.SHARED](tl.block_dim()) for _ in range(2)]
    for k, buffer in enumerate(buffers):
        buffer[t] = once * (k + 1)
    out[t] = turned(once + 100) + buffers[0][t] * 10000


def test_each_call_allocates_its_own_memory() -> None:
    x = np.arange(5, dtype=F32)
    (out, _) = agree(turned_twice, lambda: [np.zeros(5, F32), x], 1, 5)
    np.testing.assert_array_equal(out, x + 100 + x[::-1] * 10000)


@tl.kernel
def turned_apart(out: tl.Tile, x: tl.Tile) -> None:
    t = tl.thread_id()
    out[t] = turned(x[t]) if t < 2 else turned(x[t] + 1)


def test_errors_show_the_calls_that_led_to_a_barrier() -> None:
    for run in (turned_apart.python, turned_apart.interpret):
        with pytest.raises(KernelError) as error:
            run(np.zeros(4, F32), np.zeros(4, F32), grid=1, block=4)
        assert error.match("not all threads")
        assert str(error.value).count("out[t] = turned(x[t]) if t < 2 else") == 2
        assert str(error.value).count("tl.barrier()") == 2
