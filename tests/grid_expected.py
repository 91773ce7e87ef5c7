"""What the kernels of `grid_kernels` compute, in NumPy: each takes the kernel's arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

F32, I32 = np.float32, np.int32
Arrays = list[Any]

__all__ = [
    "by_a_helper",
    "by_warps",
    "converged",
    "counts",
    "filled",
    "maxima",
    "of_blocks",
    "places",
    "row_sums",
    "shuffled",
    "smoothed",
    "staged",
    "voted",
    "warps_apart",
]


def of_blocks(x: Any, threads: int) -> Any:
    return x.reshape(-1, threads)


def _warps(x: Any, threads: int) -> list[Any]:
    """The lanes of each warp."""
    rows = of_blocks(x, threads)
    return [row[k : k + 32] for row in rows for k in range(0, threads, 32)]


def by_warps(function: Callable[..., Any], threads: int) -> Callable[[Arrays], Any]:
    return lambda a: np.concatenate([function(w) for w in _warps(a[1], threads)])


def places(a: Arrays) -> Any:
    z, y, x = np.indices(a[0].shape)
    return (x + y * 100 + z * 10000).astype(I32)


def smoothed(rounds: int, n: int) -> Callable[[Arrays], Any]:
    def expected(a: Arrays) -> Any:
        x = of_blocks(a[1], n).copy()
        total = np.zeros_like(x)
        for k in range(rounds):
            x[::2] = np.roll(x[::2], -1, axis=1)
            total[::2] += x[::2] * 0 + np.roll(x[::2], 1, axis=1) * k
        x[::2] += 100
        return (x + total).reshape(-1)

    return expected


def converged(a: Arrays) -> Any:
    x = np.maximum(a[1], 0)
    while (x > 1).any():
        x = np.where(x > 1, x * F32(0.5), x)
    return x


def _of_lanes(lanes: Any) -> Any:
    n, i = len(lanes), np.arange(len(lanes))

    def pick(source: Any) -> Any:
        return lanes[np.where((source >= 0) & (source < n), source, i)]

    return pick(i + 3) + pick(i - 1) * 2 + pick(i ^ 5) * 4


def shuffled(threads: int) -> Callable[[Arrays], Any]:
    def expected(a: Arrays) -> Any:
        found = []
        for number, lanes in enumerate(_warps(a[1], threads)):
            first = number * 32 % (-(-threads // 32) * 32)
            source = (first + np.arange(len(lanes))) % 7
            inside = np.where(source < len(lanes), source, np.arange(len(lanes)))
            found.append(_of_lanes(lanes) + lanes[inside] * 8)
        return np.concatenate(found)

    return expected


def voted(lanes: Any) -> Any:
    ballot = sum(1 << k for k, v in enumerate(lanes) if v > 0)
    total = ballot + 3 * int((lanes > 60).any()) + 5 * int((lanes > -63).all())
    return np.full(len(lanes), total & 0xFFFFFFFF, np.uint32)


def warps_apart(threads: int) -> Callable[[Arrays], Any]:
    def expected(a: Arrays) -> Any:
        found = []
        for number, lanes in enumerate(_warps(a[1], threads)):
            warp = number % (-(-threads // 32))
            if warp == 0:
                found.append(np.full_like(lanes, lanes.sum()))
                continue
            for _ in range(warp + 1):
                source = np.arange(len(lanes)) ^ 1
                lanes = lanes + lanes[np.where(source < len(lanes), source, source ^ 1)]
            found.append(lanes)
        return np.concatenate(found)

    return expected


def maxima(lanes: Any) -> Any:
    rounds = 0
    while (lanes > 4).any():
        lanes, rounds = np.where(lanes > 4, lanes * F32(0.5), lanes), rounds + 1
    return lanes + F32(rounds * 100)


def staged(a: Arrays) -> Any:
    blocks = a[1].reshape(-1, 40, 4)
    return (blocks + np.roll(blocks, -1, axis=1)).reshape(a[1].shape)


def by_a_helper(a: Arrays) -> Any:
    rows = a[1].reshape(-1, len(a[0]))
    return rows[:, ::-1].sum(0) + F32(100) * rows[::2].sum(0)


def filled(a: Arrays, n: int) -> Any:
    found = a[2][a[2] > 0]
    return np.concatenate([found, np.zeros(n - len(found), F32)])


def counts(a: Arrays) -> Any:
    return np.bincount(a[1], minlength=len(a[0])).astype(a[0].dtype)


def row_sums(threads: int) -> Callable[[Arrays], Any]:
    return lambda a: of_blocks(a[1], threads).sum(1)
