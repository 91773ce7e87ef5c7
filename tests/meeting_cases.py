"""Kernels of blocks for printers of devices: what threads do to each other, for every dtype."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import tensorlib as tl
from tensorlib.dtypes import DType
from tensorlib.ir.builder import current_builder
from tensorlib.ir.grid_ops import ATOMIC_OPERATORS
from tensorlib.ir.types import Placement
from tensorlib.simd import SIMD, apply, lift
from tensorlib.tests.device_cases import DeviceCase
from tensorlib.tests.random_kernels import hostile
from tensorlib.tile import Tile, stack_allocation

__all__ = ["atomic_case", "copy_case", "exchange_case", "staged_case", "vote_case"]

THREADS = 40  # one warp, and a part of another


def _case(name: str, function: Callable[..., None], arrays: list[Any], threads: int) -> DeviceCase:
    kernel = tl.kernel(function)
    made = kernel.trace(*arrays, block=threads)
    return DeviceCase(name, made, kernel.values(tuple(arrays)))


def _emitted(name: str, tile: Tile, at: Any, *values: SIMD, **attributes: Any) -> SIMD:
    """Emit an atomic row, and return what the element was."""
    builder = current_builder()
    assert builder is not None
    operands = [tile.pointer, lift(SIMD[tl.int64, 1](at)), *map(lift, values)]
    return SIMD.of(builder.emit(name, operands, attributes)[0])


def _operators(dtype: DType) -> list[str]:
    bits = ["and", "or", "xor"]
    if dtype is DType.bool:
        return bits
    return [o for o in ATOMIC_OPERATORS if not (dtype.is_float and o in bits)]


def atomic_case(dtype: DType, placement: Placement) -> DeviceCase:
    """Every atomic operator: each thread on an element of its own, and all on one.

    Values are small whole numbers, which floats add exactly in any order.
    """
    names, row = _operators(dtype), THREADS + 1
    count = row * (len(names) + 1)

    def atomics(out: Tile, old: Tile, x: Tile) -> None:
        t = tl.thread_id()
        own = out if placement is Placement.GLOBAL else stack_allocation[dtype, placement](count)
        is_own = placement is Placement.REGISTER
        if is_own:  # a thread reads no other elements of its memory
            for k in tl.unroll(range(len(names) + 1)):
                own[k * row + t], own[k * row + THREADS] = x[t], x[0]
        elif placement is not Placement.GLOBAL:
            for i in range(t, count, THREADS):
                own[i] = x[i % row]
            tl.barrier()
        value, other = x[t], x[t + 1]
        for k, name in enumerate(names):
            old[k * row + t] = _emitted("atomic", own, t + k * row, value, operator=name)
            if name != "exchange":
                _emitted("atomic", own, k * row + THREADS, value, operator=name)
        at = t + len(names) * row
        old[at] = _emitted("atomic_compare_exchange", own, at, value, other)
        if placement is not Placement.GLOBAL:
            tl.barrier()
            for i in range(t, count, row if is_own else THREADS):
                out[i] = own[i]

    rng = np.random.default_rng(1)
    low, high = (0, 2) if dtype is DType.bool else (0 if dtype.kind == "unsigned" else -3, 4)
    sizes = (count, count, THREADS + 1)
    arrays = [rng.integers(low, high, size).astype(dtype.numpy) for size in sizes]
    return _case(f"{placement.value} {dtype.name}", atomics, arrays, THREADS)


_DISTANCES = (1, 31, 32, -1, None)


def exchange_case(dtype: DType, width: int, threads: int, modes: Sequence[str]) -> DeviceCase:
    """Exchanges values between lanes, by distances known and not, in range and not."""
    ways = [(mode, distance) for mode in modes for distance in _DISTANCES]

    def exchange(out: Tile, x: Tile, by: Tile) -> None:
        t = tl.thread_id()
        value = x.load[width](t * width)
        for k, (mode, distance) in enumerate(ways):
            offset = by[t] if distance is None else SIMD[tl.int32, 1](distance)
            got = apply("warp_shuffle", value, offset, mode=mode)
            out.store[width]((t + k * threads) * width, got)

    rng = np.random.default_rng(2)
    arrays = [
        np.zeros(width * threads * len(ways), dtype.numpy),
        hostile(dtype, width * threads, rng),
        rng.integers(-40, 40, threads).astype(np.int32),
    ]
    return _case(f"{dtype.name}x{width} by {threads}", exchange, arrays, threads)


def vote_case(threads: int) -> DeviceCase:
    """All three votes, of lanes that say yes, no and both."""

    def votes(out: Tile, x: Tile) -> None:
        t = tl.thread_id()
        for k in tl.unroll(range(3)):
            test = x[t + k * threads]
            for number, mode in enumerate(("any", "all", "ballot")):
                got = apply("warp_vote", test, mode=mode).cast(tl.uint32)
                out[t + (3 * k + number) * threads] = got

    rng = np.random.default_rng(3)
    x = np.concatenate([np.ones(threads), np.zeros(threads), rng.integers(0, 2, threads)])
    arrays = [np.zeros(9 * threads, np.uint32), x.astype(np.bool_)]
    return _case(f"votes by {threads}", votes, arrays, threads)


def copy_case(dtype: DType, count: int, offset: int) -> DeviceCase:
    """Copies of `count` elements a thread, two in flight, from an offset that may be unaligned."""
    size = THREADS * count

    async def copies(out: Tile, x: Tile) -> None:
        t = tl.thread_id()
        shared = stack_allocation[dtype, Placement.SHARED](2 * size)
        pending = [
            tl.copy_async(
                shared.tile[count](t + part * THREADS),
                Tile(x.pointer, dtype, (count,), (1,), offset + (t + part * THREADS) * count),
            )
            for part in range(2)
        ]
        for part, copy in enumerate(pending):
            await copy
            tl.barrier()
            for i in range(t, size, THREADS):
                out[part * size + i] = shared[part * size + i]

    x = hostile(dtype, 2 * size + offset, np.random.default_rng(4))
    return _case(f"{count} of {dtype.name}", copies, [np.zeros(2 * size, dtype.numpy), x], THREADS)


def staged_case(steps: int) -> DeviceCase:
    """Sums tiles while the next two are on their way, in a ring of three."""

    async def staged(out: Tile, x: Tile) -> None:
        t = tl.thread_id()
        ring = stack_allocation[DType.float32, Placement.SHARED](3 * THREADS * 4)

        def fetch(step: Any) -> Any:
            source = Tile(x.pointer, x.dtype, (4,), (1,), (step * THREADS + t) * 4)
            return tl.copy_async(ring.tile[4](step % 3 * THREADS + t), source)

        first, second = fetch(tl.SIMD[tl.int64, 1](0)), fetch(tl.SIMD[tl.int64, 1](1))
        total = x.load[4](t * 4) * 0.0
        for step in range(steps):
            await first
            total = total + ring.load[4]((step % 3 * THREADS + t) * 4)
            third = fetch(step + 2)
            first, second = second, third
        await first
        await second
        out.store[4](t * 4, total)

    x = np.random.default_rng(5).integers(-9, 9, (steps + 2) * THREADS * 4).astype(np.float32)
    return _case("staged", staged, [np.zeros(THREADS * 4, np.float32), x], THREADS)
