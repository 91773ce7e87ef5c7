"""Grid-shaped kernels with arguments and what they compute: every printer and mode runs these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import tensorlib as tl
from tensorlib.tests import grid_expected as expected
from tensorlib.tile import stack_allocation

__all__ = ["CASES", "Case"]

SHARED, WARP, REGISTER = tl.SHARED, tl.WARP, tl.REGISTER
F32, I32 = np.float32, np.int32
Arrays = list[Any]


@dataclass(frozen=True)
class Case:
    """A kernel, its launch, its arguments, and what the first of them holds afterwards."""

    name: str
    kernel: Any
    grid: Any
    block: Any
    arguments: Callable[[], Arrays]
    expected: Callable[[Arrays], Any]

    def run(self, how: Callable[..., Any]) -> Arrays:
        """Run one way, `kernel`, `kernel.interpret` or `kernel.python`; return the arguments."""
        arguments = self.arguments()
        how(*arguments, grid=self.grid, block=self.block)
        return arguments


def values(*shape: int, seed: int = 0) -> Any:
    """Return float32 numbers that add exactly in any order."""
    return np.random.default_rng(seed).integers(-64, 64, shape).astype(F32)


def reals(*shape: int, seed: int = 0) -> Any:
    """Return float32 numbers whose sums are rounded."""
    return np.random.default_rng(seed).standard_normal(shape).astype(F32)


# --- indices ---


@tl.kernel
def copied(out: tl.Tile, x: tl.Tile) -> None:
    i = tl.block_id() * tl.block_dim() + tl.thread_id()
    if i < out.size:
        out[i] = x[i]


@tl.kernel
def strided(out: tl.Tile, x: tl.Tile, scale: tl.Scalar) -> None:
    for i in range(
        tl.block_id() * tl.block_dim() + tl.thread_id(), out.size, tl.grid_dim() * tl.block_dim()
    ):
        out[i] = x[i] * scale


@tl.kernel
def places(out: tl.Tile) -> None:
    x, y, z = (tl.block_id(a) * tl.block_dim(a) + tl.thread_id(a) for a in (0, 1, 2))
    out[z, y, x] = (x + y * 100 + z * 10000).cast(tl.int32)


@tl.kernel
def vectors(out: tl.Tile, x: tl.Tile, *, width: int = 4) -> None:
    i = (tl.block_id() * tl.block_dim() + tl.thread_id()) * width
    out.store[width](i, x.load[width](i) * 2.0)


# --- barriers ---


@tl.kernel
def reversed_blocks(out: tl.Tile, x: tl.Tile) -> None:
    n, t = tl.block_dim(), tl.thread_id()
    shared = stack_allocation[x.dtype, SHARED](n)
    start = tl.block_id() * n
    shared[t] = x[start + t]
    tl.barrier()
    out[start + t] = shared[n - 1 - t]


@tl.kernel
def transposed(out: tl.Tile, x: tl.Tile, *, size: int = 8) -> None:
    rows, columns = x.shape
    shared = stack_allocation[x.dtype, SHARED](size, size + 1)
    i, j = tl.thread_id(1), tl.thread_id(0)
    row, column = tl.block_id(1) * size + i, tl.block_id(0) * size + j
    if row < rows and column < columns:
        shared[i, j] = x[row, column]
    tl.barrier()
    row, column = tl.block_id(0) * size + i, tl.block_id(1) * size + j
    if row < columns and column < rows:
        out[row, column] = shared[j, i]


@tl.kernel
def block_sums(out: tl.Tile, x: tl.Tile) -> None:
    n, t = tl.block_dim(), tl.thread_id()
    shared = stack_allocation[x.dtype, SHARED](n)
    shared[t] = x[tl.block_id() * n + t]
    tl.barrier()
    offset = n // 2
    while offset:
        if t < offset:
            shared[t] = shared[t] + shared[t + offset]
        tl.barrier()
        offset //= 2
    if t == 0:
        out[tl.block_id()] = shared[0]


@tl.kernel
def block_sums_in_a_loop(out: tl.Tile, x: tl.Tile, steps: tl.Scalar) -> None:
    """The trip count is known at run time, and the same for all threads."""
    n, t = tl.block_dim(), tl.thread_id()
    shared = stack_allocation[x.dtype, SHARED](n)
    shared[t] = x[tl.block_id() * n + t]
    tl.barrier()
    offset = n // 2 + 0 * steps
    for _ in range(steps):
        mine = shared[t] + (t + offset < n).select(shared[(t + offset) % n], 0)
        tl.barrier()
        shared[t] = mine
        tl.barrier()
        offset = offset // 2
    if t == 0:
        out[tl.block_id()] = shared[0]


@tl.kernel
def smoothed(out: tl.Tile, x: tl.Tile, rounds: tl.Scalar) -> None:
    """Carries values of each thread through a loop of barriers, in a branch of the block."""
    n, t = tl.block_dim(), tl.thread_id()
    shared = stack_allocation[x.dtype, SHARED](n)
    start = tl.block_id() * n
    mine, total = x[start + t], x[start + t] * 0.0
    if tl.block_id() % 2 == 0:
        for k in range(rounds):
            shared[t] = mine
            tl.barrier()
            near = shared[(t + 1) % n]
            tl.barrier()
            mine, total = near, total + mine * tl.SIMD[tl.float32](k)
        mine = mine + 100.0
    out[start + t] = mine + total


@tl.kernel
def converged(out: tl.Tile, x: tl.Tile) -> None:
    """Halves shared values until all are small: the condition is read from shared memory."""
    n, t = tl.block_dim(), tl.thread_id()
    shared, going = stack_allocation[x.dtype, SHARED](n), stack_allocation[tl.int32, SHARED](1)
    shared[t] = x[tl.block_id() * n + t].max(0.0)
    if t == 0:
        going[0] = 1
    tl.barrier()
    while going[0] > 0:
        tl.barrier()
        if t == 0:
            going[0] = 0
        tl.barrier()
        if shared[t] > 1.0:
            shared[t] = shared[t] * 0.5
            tl.Atomic.max(going, 0, 1)
        tl.barrier()
    out[tl.block_id() * n + t] = shared[t]


# --- registers, warps ---


@tl.kernel
def in_registers(out: tl.Tile, x: tl.Tile) -> None:
    """Each thread's own array lives through a barrier."""
    n, t = tl.block_dim(), tl.thread_id()
    own = stack_allocation[x.dtype, REGISTER](4)
    shared = stack_allocation[x.dtype, SHARED](n)
    for k in range(4):
        own[k] = x[tl.block_id() * n + t] * tl.SIMD[tl.float32](k)
    shared[t] = own[1]
    tl.barrier()
    lanes = own.load[4](0)
    out[tl.block_id() * n + t] = lanes.reduce_add() + shared[(t + 1) % n]


@tl.kernel
def warp_sums(out: tl.Tile, x: tl.Tile) -> None:
    i = tl.block_id() * tl.block_dim() + tl.thread_id()
    out[i] = tl.warp_sum(x[i])


@tl.kernel
def shuffled(out: tl.Tile, x: tl.Tile) -> None:
    i = tl.block_id() * tl.block_dim() + tl.thread_id()
    v = x[i]
    total = tl.shuffle_down(v, 3) + tl.shuffle_up(v, 1) * 2.0 + tl.shuffle_xor(v, 5) * 4.0
    out[i] = total + tl.shuffle_index(v, tl.thread_id() % 7) * 8.0


@tl.kernel
def voted(out: tl.Tile, x: tl.Tile) -> None:
    i = tl.block_id() * tl.block_dim() + tl.thread_id()
    positive = x[i] > 0.0
    some, every = tl.any_lane(x[i] > 60.0), tl.all_lanes(x[i] > -63.0)
    bits = tl.ballot(positive)
    out[i] = bits + some.cast(tl.uint32) * 3 + every.cast(tl.uint32) * 5


@tl.kernel
def warps_apart(out: tl.Tile, x: tl.Tile) -> None:
    """Each warp goes its own way, and shuffles on it."""
    t = tl.thread_id()
    i = tl.block_id() * tl.block_dim() + t
    v = x[i]
    if tl.warp_id() == 0:
        v = tl.warp_sum(v)
    else:
        for _ in range(tl.warp_id() + 1):
            v = tl.shuffle_xor(v, 1) + v
    out[i] = v


@tl.kernel
def through_warp_memory(out: tl.Tile, x: tl.Tile) -> None:
    t, lane = tl.thread_id(), tl.lane_id()
    i = tl.block_id() * tl.block_dim() + t
    own = stack_allocation[x.dtype, WARP](tl.WARP_SIZE)
    own[lane] = x[i]
    tl.warp_barrier()
    last = (tl.block_dim() - tl.warp_id() * tl.WARP_SIZE).min(tl.WARP_SIZE) - 1
    out[i] = own[last - lane]


@tl.kernel
def warp_maxima(out: tl.Tile, x: tl.Tile) -> None:
    """Loops until no lane of the warp goes on; warps take different numbers of rounds."""
    i = tl.block_id() * tl.block_dim() + tl.thread_id()
    v, rounds = x[i], tl.SIMD[tl.int32, 1](0)
    while tl.any_lane(v > 4.0):
        v = (v > 4.0).select(v * 0.5, v)
        rounds = rounds + 1
    out[i] = v + rounds.cast(tl.float32) * 100.0


# --- atomics ---


@tl.kernel
def histogram(out: tl.Tile, x: tl.Tile) -> None:
    i = tl.block_id() * tl.block_dim() + tl.thread_id()
    if i < x.size:
        tl.Atomic.add(out, x[i].cast(tl.int64), 1)


@tl.kernel
def shared_histogram(out: tl.Tile, x: tl.Tile) -> None:
    """Counts in shared memory first, as large histograms do."""
    n, t = tl.block_dim(), tl.thread_id()
    counts = stack_allocation[out.dtype, SHARED](16)
    for k in range(t, 16, n):
        counts[k] = 0
    tl.barrier()
    for i in range(tl.block_id() * n + t, x.size, tl.grid_dim() * n):
        tl.Atomic.add(counts, x[i].cast(tl.int64), 1)
    tl.barrier()
    for k in range(t, 16, n):
        tl.Atomic.add(out, k, counts[k])


@tl.kernel
def extremes(out: tl.Tile, x: tl.Tile) -> None:
    i = tl.block_id() * tl.block_dim() + tl.thread_id()
    tl.Atomic.min(out, 0, x[i])
    tl.Atomic(out, 1).max(x[i])
    tl.Atomic(out, 2).fetch_add(x[i])


@tl.kernel
def bits(out: tl.Tile, x: tl.Tile) -> None:
    i = tl.block_id() * tl.block_dim() + tl.thread_id()
    tl.Atomic(out, 0).fetch_or(x[i])
    tl.Atomic(out, 1).fetch_and(x[i])
    tl.Atomic(out, 2).fetch_xor(x[i])
    tl.Atomic(out, 3).fetch_sub(x[i])


@tl.kernel
def appended(out: tl.Tile, count: tl.Tile, x: tl.Tile) -> None:
    """Threads take places in a list: what an atomic returns is used."""
    i = tl.block_id() * tl.block_dim() + tl.thread_id()
    if x[i] > 0.0:
        at = tl.Atomic(count, 0).fetch_add(1)
        out[at.cast(tl.int64)] = x[i]


@tl.kernel
def multiplied(out: tl.Tile, x: tl.Tile) -> None:
    """A product of all elements by compare and exchange."""
    i = tl.block_id() * tl.block_dim() + tl.thread_id()
    place = tl.Atomic(out, 0)
    seen, done = place.load(), tl.SIMD[tl.bool, 1](False)
    while not done:
        found = place.compare_exchange(seen, seen * x[i])
        done = found == seen
        seen = found


@tl.kernel
def sum_reduction(total: tl.Atomic, buf: tl.Tile) -> None:
    """The sum of all elements: warps by shuffles, blocks by shared memory, the grid by atomics."""
    n, t = tl.block_dim(), tl.thread_id()
    warps = -(-n // tl.WARP_SIZE)
    partial = stack_allocation[buf.dtype, SHARED](warps)
    i = tl.block_id() * n + t
    value = buf[i.min(buf.size - 1)]
    value = tl.warp_sum((i < buf.size).select(value, 0))
    if tl.lane_id() == 0:
        partial[tl.warp_id()] = value
    tl.barrier()
    if t == 0:
        block = partial[0]
        for w in range(1, warps):
            block = block + partial[w]
        total += block


# --- copies that are awaited ---


@tl.kernel
async def staged(out: tl.Tile, x: tl.Tile) -> None:
    n, t = tl.block_dim(), tl.thread_id()
    shared = stack_allocation[x.dtype, SHARED](n, 4)
    rows = x.tile[1, 4](tl.block_id() * n + t, 0)
    mine = shared.tile[1, 4](t, 0)
    copy = tl.copy_async(mine, rows)
    for k in range(4):
        out[tl.block_id() * n + t, k] = rows[0, k]
    await copy
    tl.barrier()
    for k in range(4):
        near = shared[(t + 1) % n, k]
        out[tl.block_id() * n + t, k] = out[tl.block_id() * n + t, k] + near


async def fetched(shared: tl.Tile, x: tl.Tile, step: tl.Scalar) -> tl.Tile:
    """Bring one element a thread into shared memory: a helper that kernels await."""
    t, n = tl.thread_id(), tl.block_dim()
    tile = await tl.copy_async(shared.tile[1](t), x.tile[1](step * n + t))
    tl.barrier()
    return tile


@tl.kernel
async def by_a_helper(out: tl.Tile, x: tl.Tile) -> None:
    n, t = tl.block_dim(), tl.thread_id()
    shared = stack_allocation[x.dtype, SHARED](n)
    total = x[0] * 0.0
    for step in range(x.size // n):
        if step % 2 == 0:
            mine = await fetched(shared, x, step)
            total = total + mine[0] * 100.0
        else:
            await fetched(shared, x, step)
        total = total + shared[n - 1 - t]
        tl.barrier()
    out[t] = total


@tl.kernel
async def double_buffered(out: tl.Tile, x: tl.Tile) -> None:
    """Sums a row of tiles; the next one is on its way while this one is added."""
    n, t = tl.block_dim(), tl.thread_id()
    both = stack_allocation[x.dtype, SHARED](2, n)
    steps = x.size // n
    total = x[0] * 0.0
    pending = tl.copy_async(both.tile[1, 1](0, t), _as_rows(x, n).tile[1, 1](0, t))
    for step in range(steps):
        await pending
        tl.barrier()
        following = (step + 1) % steps
        pending = tl.copy_async(
            both.tile[1, 1]((step + 1) % 2, t), _as_rows(x, n).tile[1, 1](following, t)
        )
        total = total + both[step % 2, (t + 1) % n]
        tl.barrier()
    await pending
    out[t] = total


def _as_rows(x: tl.Tile, n: int) -> tl.Tile:
    return tl.Tile(x.pointer, x.dtype, (x.size // n, n), (n, 1), x.offset, x.placement)


# --- with arguments ---


def _zeros(*shape: int, dtype: Any = F32) -> Any:
    return np.zeros(shape, dtype)


def _numbers(n: int, limit: int, dtype: Any = I32) -> Any:
    return np.random.default_rng(1).integers(0, limit, n).astype(dtype)


def _like(x: Any) -> Arrays:
    return [np.zeros_like(x), x]


def _sized(
    kernel: Any, sizes: dict[int, int], result: Any, make: Any = lambda n: _like(values(n))
) -> list[Case]:
    """The same kernel for several blocks; `result` takes the threads of a block."""
    return [
        Case(
            f"{kernel.name}_{threads}", kernel, grid, threads,
            lambda n=grid * threads: make(n), result(threads),
        )
        for threads, grid in sizes.items()
    ]  # fmt: skip


CASES: list[Case] = [
    Case("copied", copied, 4, 10, lambda: _like(reals(37)), lambda a: a[1]),
    Case("copied_by_one", copied, 5, 1, lambda: _like(reals(5)), lambda a: a[1]),
    Case("copied_nowhere", copied, 0, 8, lambda: _like(reals(5)), lambda a: a[1] * 0),
    Case("strided", strided, 3, 7, lambda: [*_like(reals(50)), 1.5], lambda a: a[1] * F32(1.5)),
    Case("places_1", places, 3, 5, lambda: [_zeros(1, 1, 15, dtype=I32)], expected.places),
    Case("places_2", places, (2, 3), (4, 2), lambda: [_zeros(1, 6, 8, dtype=I32)], expected.places),
    Case(
        "places_3", places, (2, 1, 3), (3, 4, 2),
        lambda: [_zeros(6, 4, 6, dtype=I32)], expected.places,
    ),
    Case("vectors", vectors, 2, 4, lambda: _like(reals(32)), lambda a: a[1] * 2),
    *_sized(
        reversed_blocks, {1: 3, 6: 2, 33: 2, 64: 1},
        lambda n: lambda a: expected.of_blocks(a[1], n)[:, ::-1].reshape(-1),
    ),
    Case(
        "transposed", transposed, (2, 3), (8, 8),
        lambda: [_zeros(11, 20), reals(20, 11)], lambda a: a[1].T,
    ),
    Case("block_sums", block_sums, 3, 16, lambda: [_zeros(3), values(48)], expected.row_sums(16)),
    Case(
        "block_sums_in_a_loop", block_sums_in_a_loop, 3, 16,
        lambda: [_zeros(3), values(48), 4], expected.row_sums(16),
    ),
    Case("smoothed", smoothed, 3, 5, lambda: [*_like(values(15)), 3], expected.smoothed(3, 5)),
    Case(
        "smoothed_never", smoothed, 3, 5,
        lambda: [*_like(values(15)), 0], expected.smoothed(0, 5),
    ),
    Case("converged", converged, 2, 12, lambda: _like(values(24)), expected.converged),
    *_sized(
        in_registers, {1: 2, 6: 2, 40: 1},
        lambda n: lambda a: a[1] * 6 + np.roll(expected.of_blocks(a[1], n), -1, axis=1).reshape(-1),
    ),
    *_sized(
        warp_sums, {1: 2, 2: 2, 20: 2, 32: 2, 45: 1, 64: 1},
        lambda n: expected.by_warps(lambda lanes: np.full_like(lanes, lanes.sum()), n),
    ),
    *_sized(shuffled, {1: 1, 8: 2, 32: 1, 45: 2}, expected.shuffled),
    *_sized(
        voted, {1: 1, 8: 2, 32: 1, 45: 1}, lambda n: expected.by_warps(expected.voted, n),
        lambda n: [_zeros(n, dtype=np.uint32), values(n)],
    ),
    *_sized(warps_apart, {8: 1, 64: 1, 101: 1}, expected.warps_apart),
    *_sized(
        through_warp_memory, {5: 2, 64: 1, 45: 1},
        lambda n: expected.by_warps(lambda lanes: lanes[::-1], n),
    ),
    *_sized(warp_maxima, {8: 2, 45: 1, 64: 1}, lambda n: expected.by_warps(expected.maxima, n)),
    Case(
        "histogram", histogram, 5, 20,
        lambda: [_zeros(16, dtype=I32), _numbers(93, 16)], expected.counts,
    ),
    Case(
        "shared_histogram", shared_histogram, 3, 10,
        lambda: [_zeros(16, dtype=np.int64), _numbers(93, 16)], expected.counts,
    ),
    Case(
        "extremes", extremes, 3, 8, lambda: [_zeros(3), values(24)],
        lambda a: [min(a[1].min(), 0), max(a[1].max(), 0), a[1].sum()],
    ),
    Case(
        "extremes_of_integers", extremes, 3, 8,
        lambda: [_zeros(3, dtype=np.int64), _numbers(24, 100, np.int64) - 50],
        lambda a: [min(a[1].min(), 0), max(a[1].max(), 0), a[1].sum()],
    ),
    Case(
        "bits", bits, 2, 6,
        lambda: [np.array([1, 255, 7, 9], np.uint8), _numbers(12, 256, np.uint8)],
        lambda a: [
            np.bitwise_or.reduce(a[1], initial=1), np.bitwise_and.reduce(a[1], initial=255),
            np.bitwise_xor.reduce(a[1], initial=7), np.uint8((9 - int(a[1].sum())) & 255),
        ],
    ),
    Case(
        "appended", appended, 3, 8, lambda: [_zeros(24), _zeros(1, dtype=I32), values(24)],
        lambda a: expected.filled(a, 24),
    ),
    Case(
        "multiplied", multiplied, 2, 4,
        lambda: [np.ones(1, np.float64), np.arange(1.0, 9.0)], lambda a: [40320.0],
    ),
    *(
        Case(
            f"sum_reduction_{threads}", sum_reduction, 4, threads,
            lambda n=threads: [_zeros(1), values(3 * n + 1)], lambda a: [a[1].sum()],
        )
        for threads in (1, 24, 32, 64, 100)
    ),
    Case("staged", staged, 2, 40, lambda: _like(reals(80, 4)), expected.staged),
    Case("by_a_helper", by_a_helper, 1, 6, lambda: [_zeros(6), values(30)], expected.by_a_helper),
    Case(
        "double_buffered", double_buffered, 1, 6, lambda: [_zeros(6), values(30)],
        lambda a: np.roll(expected.of_blocks(a[1], 6), -1, axis=1).sum(0),
    ),
]  # fmt: skip
