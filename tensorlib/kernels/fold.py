"""Folds over the inner axes of a kernel: any number of elements combined into one.

Elements are combined in blocks: each run of BLOCK vectors is folded by itself and then joined to
the rest, lane by lane, and the lanes are folded by halves. The order depends on sizes alone. So a
sum of n numbers in vectors of L lanes passes through at most `roundings(n, L)` additions, and its
error is at most that many half ulps of sum(|x|) (Higham, 1993, "The accuracy of floating point
summation"), instead of n of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tensorlib.dtypes import DType
from tensorlib.ir.builder import fail
from tensorlib.kernels.operands import coordinates, product
from tensorlib.ops import OPS
from tensorlib.simd import SIMD

__all__ = [
    "BLOCK",
    "across",
    "combining",
    "fold",
    "fold_block",
    "fold_lanes",
    "neutral",
    "roundings",
]

BLOCK = 128

Elements = Callable[[list[Any], int], SIMD]  # at an inner coordinate, so many lanes
Op = str | Callable[[SIMD, SIMD], SIMD]  # an op by its name, or a function of two elements

COMBINE: dict[str, Callable[[SIMD, SIMD], SIMD]] = {
    "sum": lambda a, b: a + b,
    "prod": lambda a, b: a * b,
    "max": lambda a, b: a | b if a.dtype is DType.bool else a.max(b),
    "min": lambda a, b: a & b if a.dtype is DType.bool else a.min(b),
    "any": lambda a, b: a | b,
    "all": lambda a, b: a & b,
}
ACROSS: dict[str, Callable[[SIMD], SIMD]] = {
    "sum": SIMD.reduce_add,
    "prod": SIMD.reduce_multiply,
    "max": lambda a: a.reduce_or() if a.dtype is DType.bool else a.reduce_max(),
    "min": lambda a: a.reduce_and() if a.dtype is DType.bool else a.reduce_min(),
    "any": SIMD.reduce_or,
    "all": SIMD.reduce_and,
}


def neutral(op: Op, dtype: DType) -> Any:
    """Return the value that changes nothing: where a fold starts."""
    if not isinstance(op, str):
        raise fail("reduce: got a function without its identity, needed the value to start from")
    if op not in COMBINE:
        return OPS[op].identity
    if op in ("sum", "prod", "any", "all"):
        return {"sum": 0, "prod": 1, "any": False, "all": True}[op]
    greatest = op == "min"
    if dtype.is_float:
        return math.inf if greatest else -math.inf
    if dtype is DType.bool:
        return greatest
    limits = np.iinfo(dtype.numpy)
    return int(limits.max if greatest else limits.min)


def combining(op: Op) -> Callable[[SIMD, SIMD], SIMD]:
    """Return the function that combines two elements: of the library's ops, or a user's own."""
    if callable(op):
        return op
    if op in COMBINE:
        return COMBINE[op]
    own = OPS[op].kernel
    assert own is not None, op
    return own


def across(op: Op, vector: SIMD) -> SIMD:
    """Combine the lanes of a vector into one: lanes [0, w/2) with [w/2, w), and so on."""
    if isinstance(op, str) and op in ACROSS:
        return ACROSS[op](vector)
    combine = combining(op)
    while vector.width > 1:
        vector = combine(*vector.split())
    return vector


def roundings(n: int, lanes: int, rows: int = 1) -> int:
    """Return how many additions an element passes through at most in a sum of `rows` rows of n.

    >>> roundings(1000, 8), roundings(1_000_000, 8)
    (132, 1108)
    """
    blocks = -(-n // (BLOCK * lanes))
    return min(n * rows, BLOCK + blocks * rows + int(math.log2(lanes)))


def fold(
    op: Op, dtype: DType, elements: Elements, m: Sequence[SIMD], lanes: int, identity: Any = None
) -> SIMD:
    """Combine the elements at all coordinates of `m` into a scalar: vectors along the last axis.

    Element i of a row goes into lane i % lanes, those after the last whole vector too. So neutral
    elements after the end of a row change no bit: a masked row gives what a shorter one gives.
    """
    combine = combining(op)
    empty = SIMD[dtype, lanes](neutral(op, dtype) if identity is None else identity)
    total = empty
    for row in range(product(m[:-1])):
        outer = coordinates(row, m[:-1])
        for first in range(0, m[-1], BLOCK * lanes):
            block = fold_block(combine, empty, elements, outer, first, m[-1])
            total = combine(total, block)
    return across(op, total)


def fold_block(
    combine: Callable[[SIMD, SIMD], SIMD],
    empty: SIMD,
    elements: Elements,
    outer: list[Any],
    first: Any,
    size: Any,
) -> SIMD:
    """Combine the block of a row that begins at `first`, lane by lane; the row has `size`."""
    lanes = empty.width
    places = SIMD[DType.int64, lanes](*range(lanes))
    end = (first + BLOCK * lanes).min(size)
    whole = first + (end - first) // lanes * lanes
    block = empty
    for i in range(first, whole, lanes):
        block = combine(block, elements([*outer, i], lanes))
    if lanes > 1:
        for i in range(whole, end):
            one = elements([*outer, i], 1).splat(lanes)
            block = combine(block, (places == i - whole).select(one, empty))
    return block


def fold_lanes(
    op: str,
    start: list[SIMD],
    elements: Callable[[list[Any]], list[SIMD]],
    m: Sequence[Any],
    step: int = 1,
) -> list[SIMD]:
    """Combine lane by lane the vectors at all coordinates of `m`, `step` apart on the last axis."""
    combine = combining(op)
    total = start
    for row in range(product(m[:-1])):
        inner = coordinates(row, m[:-1])
        for first in range(0, m[-1], BLOCK * step):
            block = start
            for i in range(first, (first + BLOCK * step).min(m[-1]), step):
                block = [combine(a, b) for a, b in zip(block, elements([*inner, i]), strict=True)]
            total = [combine(a, b) for a, b in zip(total, block, strict=True)]
    return total
