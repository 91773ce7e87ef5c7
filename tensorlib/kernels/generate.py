"""Loops that call functions: what kernels are made of, the library's and those of users.

Each is written in the kernel language and takes Python functions, which it calls while the kernel
is traced: nothing is left of the calls. What comes before (`element`) and after (`store`, or what
is done with the result) is the caller's, so it runs in the same loop.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tensorlib.dtypes import DType, as_dtype
from tensorlib.kernels.fold import fold
from tensorlib.kernels.operands import along, coordinates, product
from tensorlib.lang.control import parallel
from tensorlib.lang.target import simdwidthof
from tensorlib.simd import SIMD

__all__ = ["elementwise", "map", "reduce", "rowwise", "scan"]

Combine = str | Callable[[SIMD, SIMD], SIMD]


def elementwise(shape: Sequence[Any], width: int, body: Callable[[list[Any], int], None]) -> None:
    """Call `body(where, lanes)` for every coordinate of `shape`: whole vectors of `width` lanes
    along the last axis, then single elements. The outer axes, or the only one, run in parallel.
    """
    if len(shape) == 0:
        body([], 1)
    elif len(shape) == 1:
        whole = shape[0] // width * width
        for i in parallel(range(0, whole, width)):
            body([i], width)
        if width > 1:
            for i in range(whole, shape[0]):
                body([i], 1)
    else:
        for row in parallel(range(product(shape[:-1]))):
            along(coordinates(row, shape[:-1]), 0, shape[-1], width, body)


def map(shape: Sequence[Any], body: Callable[..., None]) -> None:
    """Call `body(i, j, ...)` for every coordinate of `shape`, in parallel."""
    for flat in parallel(range(product(shape))):
        body(*coordinates(flat, shape))


def rowwise(outer: Sequence[Any], body: Callable[[list[Any]], None]) -> None:
    """Call `body(where)` for every coordinate of the outer axes, in parallel."""
    for row in parallel(range(product(outer))):
        body(coordinates(row, outer))


def reduce(
    combine: Combine,
    element: Callable[[list[Any], int], SIMD],
    shape: Sequence[Any],
    dtype: Any,
    identity: Any = None,
    width: int | None = None,
) -> SIMD:
    """Return `element(where, lanes)` at all coordinates of `shape` combined into a scalar.

    `combine` is a function of two values, which `identity` leaves as they are, or the name of a
    reduction ("sum", "max", ...). It has to be associative and commutative: see `kernels.fold`.
    """
    kind: DType = as_dtype(dtype)
    sizes = [n if isinstance(n, SIMD) else SIMD[DType.int64, 1](n) for n in shape]
    return fold(combine, kind, element, sizes, width or simdwidthof(kind), identity)


def scan(
    combine: Callable[[SIMD, SIMD], SIMD],
    element: Callable[[Any], SIMD],
    store: Callable[[Any, SIMD], None],
    size: Any,
    start: SIMD,
    exclusive: bool = False,
) -> None:
    """Call `store(i, total)` for i from 0 below `size`, in order: the total of `start` and
    `element(0)` to `element(i)`, without `element(i)` where `exclusive`.
    """
    total = start
    for i in range(size):
        x = element(i)
        if exclusive:
            store(i, total)
            total = combine(total, x)
        else:
            total = combine(total, x)
            store(i, total)
