"""Grids as ordinary kernels: barriers split loops over threads, masks stand for parted threads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tensorlib as tl
from tensorlib.errors import KernelError
from tensorlib.ir import Kernel, interpret, parse, text, verify, walk
from tensorlib.lang.target import Target, targeting
from tensorlib.passes import for_workers, run_passes
from tensorlib.passes.atomics import atomics
from tensorlib.passes.grid import without_grid
from tensorlib.passes.grid_threads import MOST_BYTES
from tensorlib.passes.grid_uniform import differing
from tensorlib.registry import REGISTRY
from tensorlib.tests.grid_kernels import CASES, Case, reals
from tensorlib.tests.test_sanitizers import needs_sanitizers, run

needs_c = pytest.mark.skipif("c" in REGISTRY.unavailable(), reason="no C compiler")
F32, I32, I64 = np.float32, np.int32, np.int64


def lowered(kernel: Any, *arguments: Any, block: Any) -> Kernel:
    """Return the ordinary kernel that a kernel of a grid becomes."""
    made = without_grid(kernel.trace(*arguments, block=block))
    verify(made)
    return for_workers(made)


@tl.kernel
def turned(out: tl.Tile, x: tl.Tile) -> None:
    t = tl.thread_id()
    shared = tl.stack_allocation[x.dtype, tl.SHARED](4)
    shared[t] = x[t] + 1.0
    tl.barrier()
    out[t] = shared[3 - t]


TURNED = """\
kernel turned(%0.out: pointer<float32>, %1.out_n0: int64, %2.x: pointer<float32>, %3.x_n0: int64, \
%4.grid_x: int64, %5.grid_y: int64, %6.grid_z: int64) {
  %7: float32 = const {type=float32, value=1.0}
  %8: int64 = const {type=int64, value=3}
  %9: int64 = const {type=int64, value=0}
  %10: int64 = const {type=int64, value=1}
  %11: int64 = const {type=int64, value=4}
  %12: int64 = multiply %4.grid_x %5.grid_y
  %13: int64 = multiply %12 %6.grid_z
  for %9 %13 %10 {parallel=True} (%14.block: int64) {
    %15.stack_allocation: pointer<float32, shared> = \
alloc {dtype=float32, placement=@shared, size=4}
    for %9 %11 %10 (%16.thread: int64) {
      %17: float32 = load %2.x %16.thread {type=float32}
      %18: float32 = add %17 %7
      store %15.stack_allocation %16.thread %18
      yield
    } -> ()
    for %9 %11 %10 (%19.thread: int64) {
      %20: int64 = subtract %8 %19.thread
      %21: float32 = load %15.stack_allocation %20 {type=float32}
      store %0.out %19.thread %21
      yield
    } -> ()
    yield
  } -> ()
}
"""


def test_a_barrier_parts_the_loop_over_the_threads() -> None:
    made = lowered(turned, np.zeros(4, F32), np.zeros(4, F32), block=4)
    assert text(made) == TURNED
    assert text(parse(text(made))) == TURNED


def is_plain(case: Case) -> bool:
    return not any(o.name.startswith("atomic") for o in walk(traced(case).body))


def traced(case: Case) -> Kernel:
    kernel: Kernel = case.kernel.trace(*case.arguments(), block=case.block)
    return kernel


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_interpreter_runs_what_a_grid_becomes(case: Case) -> None:
    """It also finds reads of arrays that were never written."""
    before = text(traced(case))
    made = for_workers(traced(case))
    verify(made)
    assert text(traced(case)) == before
    if any(o.name.startswith("atomic") for o in walk(made.body)):
        return
    arguments = case.arguments()
    values = case.kernel.values(tuple(arguments))
    x, y, z = (*(case.grid if isinstance(case.grid, tuple) else (case.grid,)), 1, 1)[:3]
    values.update(grid_x=x, grid_y=y, grid_z=z)
    interpret(made, [values[p.name] for p in made.parameters])
    np.testing.assert_array_equal(arguments[0], case.expected(case.arguments()))


# --- threads that part around a shuffle: undefined on a device, defined here ---


@tl.kernel
def parted(out: tl.Tile, x: tl.Tile) -> None:
    t = tl.thread_id()
    v = x[t]
    if t % 3 != 0:
        v = tl.shuffle_down(v, 1) * 2
        if tl.any_lane(x[t] == 6):
            v = v + 1000
        if tl.all_lanes(x[t] > 0):
            v = v + 10000
    out[t] = v


@needs_c
def test_lanes_that_are_elsewhere_give_a_shuffle_nothing() -> None:
    x = np.arange(8, dtype=I32)
    out = np.zeros(8, I32)
    parted(out, x, grid=1, block=8)
    inside = [t for t in range(8) if t % 3]
    for t in range(8):
        source = t + 1 if t + 1 in inside else t
        assert out[t] == (2 * source + 10000 if t in inside else t)


@tl.kernel
def rounds(out: tl.Tile, x: tl.Tile) -> None:
    """Each thread goes round as often as it likes; a ballot counts who still does."""
    t = tl.thread_id()
    count = tl.SIMD[tl.uint32](0)
    for _ in range(x[t].cast(tl.int64)):
        count = count + tl.ballot(True)
    k = x[t]
    while k > 0:
        k = k - 1
        count = count + (tl.ballot(t >= 0) << 8)
    out[t] = count


@needs_c
def test_loops_go_on_until_nobody_is_left() -> None:
    x = np.array([2, 0, 3, 1], I32)
    out = np.zeros(4, np.uint32)
    rounds(out, x, grid=1, block=4)
    for t in range(4):
        ballots = sum(sum(1 << lane for lane in range(4) if x[lane] > k) for k in range(x[t]))
        assert out[t] == ballots * 257


# --- which threads are known to go the same way ---


def refused(body: Callable[..., None], *arguments: Any, block: Any = 64) -> str:
    """Return the error of a kernel whose barrier not all threads may reach."""
    kernel = tl.kernel(body)
    with pytest.raises(KernelError) as error:
        for_workers(kernel.trace(*arguments, block=block))
    assert error.match("barrier: not all threads of a block are known to reach it; try moving it")
    return str(error.value)


X = np.zeros(64, I32)


def test_conditions_that_may_differ_are_refused() -> None:
    def by_index(x: tl.Tile) -> None:
        if tl.thread_id() > 3:
            tl.barrier()

    def by_data(x: tl.Tile) -> None:
        if x[tl.thread_id()] > 3:
            x[0] = 1
        else:
            tl.barrier()

    def by_trips(x: tl.Tile) -> None:
        for _ in range(tl.warp_id()):
            tl.barrier()

    def by_condition(x: tl.Tile) -> None:
        k = x[tl.thread_id()]
        while k > 0:
            tl.barrier()
            k = k - 1

    def after_return(x: tl.Tile) -> None:
        if tl.thread_id() >= x.size:
            return
        tl.barrier()

    def by_what_a_loop_carries(x: tl.Tile) -> None:
        k = 0 * x[0]
        for _ in range(3):
            if k > 0:
                tl.barrier()
            k = k + x[tl.thread_id()]

    def by_an_atomic(x: tl.Tile) -> None:
        if tl.Atomic(x, 0).fetch_add(1) > 0:
            tl.barrier()

    def by_a_vote(x: tl.Tile) -> None:
        if tl.any_lane(x[tl.thread_id()] > 0):
            tl.barrier()

    def by_registers(x: tl.Tile) -> None:
        own = tl.stack_allocation[tl.int32](1)
        own[0] = x[tl.thread_id()]
        if own[0] > 0:
            tl.barrier()

    def by_warp_memory(x: tl.Tile) -> None:
        own = tl.stack_allocation[tl.int32, tl.WARP](1)
        own[0] = x[tl.thread_id()]
        if own[0] > 0:
            tl.barrier()

    for body, line in [
        (by_index, "if tl.thread_id() > 3:"),
        (by_data, "if x[tl.thread_id()] > 3:"),
        (by_trips, "for _ in range(tl.warp_id()):"),
        (by_condition, "while k > 0:"),
        (after_return, "if tl.thread_id() >= x.size:"),
        (by_what_a_loop_carries, "if k > 0:"),
        (by_an_atomic, "if tl.Atomic(x, 0).fetch_add(1) > 0:"),
        (by_a_vote, "if tl.any_lane(x[tl.thread_id()] > 0):"),
        (by_registers, "if own[0] > 0:"),
        (by_warp_memory, "if own[0] > 0:"),
    ]:  # fmt: skip
        said = refused(body, X)
        assert "tl.barrier()\n" in said
        assert line in said


@tl.kernel
def together(out: tl.Tile, x: tl.Tile, n: tl.Scalar) -> None:
    """All that may stand around a barrier."""
    t = tl.thread_id()
    shared = tl.stack_allocation[tl.int64, tl.SHARED](2)
    if t == 0:
        shared[0] = n
    tl.barrier()
    count = 0 * n
    if n > 2 and tl.block_id() < tl.grid_dim():
        tl.barrier()
        count = count + 1
    if shared[0] > 2:
        tl.barrier()
        count = count + 10
    if x[tl.block_id()] == tl.block_id().cast(tl.int32):
        tl.barrier()
        count = count + 100
    if tl.any_lane(t == 3):
        tl.barrier()
        count = count + 1000
    if tl.thread_id(1) == 0:
        tl.barrier()
        count = count + 10000
    k = count * 0
    while k * k < n:
        for j in range(k):
            if j == 1:
                break
            tl.barrier()
            count = count + 100000
        k = k + 1
    out[tl.block_id() * tl.block_dim() + t] = count


def test_conditions_that_are_the_same_for_all_threads_are_taken_together() -> None:
    results = []
    ways = [together.interpret, together.python]
    for how in [*ways, *([] if "c" in REGISTRY.unavailable() else [together])]:
        out = np.zeros(8, I64)
        how(out, np.array([0, 1], I32), 3, grid=2, block=4)
        results.append(out.tolist())
    assert results == [[111111] * 8] * len(results)


def test_one_thread_never_parts() -> None:
    kernel = parted.trace(X, X, block=1)
    assert differing(kernel) == set()
    assert differing(parted.trace(X, X, block=2)) != set()


# --- memory and order ---


@tl.kernel
def busy(out: tl.Tile, x: tl.Tile, *, steps: int = 60) -> None:
    t = tl.thread_id()
    v = x[t]
    for k in tl.unroll(range(steps)):
        v = v + tl.shuffle_xor(v, 1 + k % 5)
        if tl.thread_id() % 2 == 0:
            v = v + tl.warp_sum(v)
    out[t] = v


def test_arrays_of_threads_are_used_again() -> None:
    """Sixty steps take no more memory than a few."""

    def size(steps: int) -> int:
        made = lowered(busy.bind(steps=steps), X, X, block=64)
        return sum(o.attributes["size"] for o in walk(made.body) if o.name == "alloc")

    assert size(60) == size(3)


@tl.kernel
def greedy(out: tl.Tile) -> None:
    own = tl.stack_allocation[tl.float64](100)
    own[tl.thread_id()] = 1.0
    out[tl.thread_id()] = own[0]


def test_blocks_that_need_too_much_memory_are_refused() -> None:
    lowered(greedy, np.zeros(64), block=64)
    with pytest.raises(KernelError, match=rf"greedy: got blocks of 512 threads, .*{MOST_BYTES} by"):
        lowered(greedy, np.zeros(64), block=512)


def blocks_are_parallel(body: Callable[..., None], *arguments: Any) -> bool:
    made = lowered(tl.kernel(body), *arguments, block=4)
    return any(o.attributes.get("parallel") for o in made.body.operations)


def nothing(value: Any) -> None:
    """Kernels return nothing."""


def test_blocks_run_one_after_the_other_where_order_would_show() -> None:
    floats, numbers = np.zeros(4, F32), np.zeros(4, I32)
    assert blocks_are_parallel(lambda x: nothing(tl.Atomic.add(x, 0, 1)), numbers)
    assert blocks_are_parallel(lambda x: nothing(tl.Atomic.max(x, 0, 1)), numbers)
    assert not blocks_are_parallel(lambda x: nothing(tl.Atomic.add(x, 0, 1)), floats)
    assert not blocks_are_parallel(lambda x: nothing(tl.Atomic.exchange(x, 0, 1)), numbers)
    assert not blocks_are_parallel(
        lambda x: nothing(tl.Atomic.compare_exchange(x, 0, 1, 2)), numbers
    )

    def uses_what_was_there(x: tl.Tile) -> None:
        x[1] = tl.Atomic.add(x, 0, 1)

    def in_shared_memory(x: tl.Tile) -> None:
        shared = tl.stack_allocation[tl.float32, tl.SHARED](1)
        shared[0] = 0.0
        x[0] = tl.Atomic.add(shared, 0, 1.0)

    assert not blocks_are_parallel(uses_what_was_there, numbers)
    assert blocks_are_parallel(in_shared_memory, floats)


@needs_c
def test_the_number_of_workers_changes_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    @tl.kernel
    def sums(out: tl.Tile, counts: tl.Tile, x: tl.Tile) -> None:
        i = tl.block_id() * tl.block_dim() + tl.thread_id()
        tl.Atomic.add(out, 0, x[i])
        tl.Atomic.add(counts, (x[i] > 0).cast(tl.int64), 1)

    x, found = reals(4000), set()
    backend: Any = REGISTRY.backend("c")
    for workers in (1, 2, 3):
        monkeypatch.setattr(backend, "threads", workers)
        out, counts = np.zeros(1, F32), np.zeros(2, I32)
        sums(out, counts, x, grid=500, block=8)
        found.add((out.tobytes(), counts.tobytes()))
    assert len(found) == 1


@needs_c
def test_integer_atomics_of_several_workers_lose_nothing() -> None:
    @tl.kernel
    def counted(out: tl.Tile) -> None:
        tl.Atomic.add(out, 0, 1)
        tl.Atomic.max(out, 1, tl.block_id())
        tl.Atomic.min(out, 2, -tl.block_id())

    out = np.zeros(3, I64)
    counted(out, grid=20000, block=4)
    assert out.tolist() == [80000, 19999, -19999]


def test_atomics_without_an_instruction_become_loops() -> None:
    source = """kernel k(%0.x: pointer<float32>, %1.i: int64, %2.v: float32) {
  %3: float32 = atomic %0.x %1.i %2.v {operator=maximum}
  store %0.x %1.i %3
}"""
    kernel = parse(source.replace("=maximum", "='maximum'"))
    atomics(kernel)
    run_passes(kernel)
    assert text(kernel) == (
        """\
kernel k(%0.x: pointer<float32>, %1.i: int64, %2.v: float32) {
  %3: float32 = load %0.x %1.i {type=float32}
  %4: bool = const {type=bool, value=True}
  while %3 %4 (%5: float32, %6: bool) {
    yield %6
  } and (%7: float32, %8: bool) {
    %9: float32 = maximum %7 %2.v
    %10: float32 = atomic_compare_exchange %0.x %1.i %7 %9
    %11: uint32 = bitcast %10 {dtype=uint32}
    %12: uint32 = bitcast %7 {dtype=uint32}
    %13: bool = equal %11 %12
    %14: bool = not %13
    yield %10 %14
  } -> (%15: float32, %16: bool)
  store %0.x %1.i %15
}
"""
    )


# --- C ---


def test_the_source_of_a_grid_kernel_can_be_seen() -> None:
    source = turned.source("c", np.zeros(4, F32), np.zeros(4, F32), block=4)
    assert "worker" in source
    assert source.count("for (int64_t thread_") == 2


def test_vectors_are_as_wide_as_the_target_has_them() -> None:
    @tl.kernel
    def doubled(out: tl.Tile) -> None:
        width = tl.simdwidthof(out.dtype)
        i = tl.thread_id() * width
        out.store[width](i, out.load[width](i) * 2.0)

    with targeting(Target("c", 16)):
        assert "float32x4" in doubled.ir(np.zeros(64, F32), block=4)


SANITIZED = """
import sys
import numpy as np
from tensorlib.registry import REGISTRY
from tensorlib.tests.grid_kernels import CASES
from tensorlib.tests.random_grid import seeded_grid_kernel

names = NAMES
cases = [case for case in CASES if not names or case.name in names]
traced = [case.kernel.trace(*case.arguments(), block=case.block) for case in cases]
x = np.arange(80, dtype=np.int32) - 9
calls = [(seeded_grid_kernel(seed), (np.zeros_like(x), x, np.zeros(5, np.int32), 2))
         for seed in range(SEEDS)]
traced += [kernel.trace(*given, block=40) for kernel, given in calls]
REGISTRY.backend("c").compile_all(traced)  # by few runs of the compiler
for case in cases:
    found = case.run(case.kernel)
    np.testing.assert_array_equal(found[0], case.expected(case.arguments()))
for kernel, given in calls:
    kernel(*given, grid=2, block=40)
print("clean")
"""
SOME = [
    "transposed",
    "converged",
    "through_warp_memory_45",
    "shared_histogram",
    "staged",
    "shuffled_45",
]


def check_sanitized(folder: Path, names: list[str], seeds: int) -> None:
    done = run(SANITIZED.replace("NAMES", repr(names)).replace("SEEDS", str(seeds)), folder)
    assert done.returncode == 0, done.stderr[-4000:]
    assert done.stdout == "clean\n"


@needs_sanitizers
def test_grid_kernels_run_clean_under_sanitizers(tmp_path: Path) -> None:
    check_sanitized(tmp_path, SOME, 1)


@pytest.mark.slow
@needs_sanitizers
def test_all_grid_kernels_run_clean_under_sanitizers(tmp_path: Path) -> None:
    check_sanitized(tmp_path, [], 8)
