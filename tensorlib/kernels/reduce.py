"""Reductions: sum, prod, max, min, any, all, argmax and argmin, with what comes before and after.

Sums run in blocks: each block of BLOCK vectors is added up by itself, so the rounding error of a sum of n
elements grows with n / (BLOCK * width) + BLOCK instead of n (Higham, 1993, "The accuracy of floating point summation").
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorlib.dtypes import DType
from tensorlib.ir import Kernel
from tensorlib.kernels.operands import coordinates, leaf_at, operand, product, sizes, trace_spec
from tensorlib.kernels.scalar import value
from tensorlib.kernels.specs import ReduceSpec
from tensorlib.lang.control import parallel
from tensorlib.lang.target import simdwidthof
from tensorlib.simd import SIMD
from tensorlib.tile import Tile

__all__ = ["build"]

BLOCK = 128

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


def neutral(op: str, dtype: DType) -> Any:
    """Return the value that changes nothing: where a reduction starts."""
    if op in ("sum", "prod", "any", "all"):
        return {"sum": 0, "prod": 1, "any": False, "all": True}[op]
    greatest = op in ("min", "argmin")
    if dtype.is_float:
        return math.inf if greatest else -math.inf
    if dtype is DType.bool:
        return greatest
    limits = np.iinfo(dtype.numpy)
    return int(limits.max if greatest else limits.min)


def build(spec: ReduceSpec) -> Kernel:
    """Return the kernel of `spec`."""
    outer, inner = sizes("n", spec.outer_rank), sizes("m", spec.inner_rank)
    whole = [*outer, *inner]
    after = enumerate(spec.epilogue_loads)
    arguments: dict[str, Any] = {
        "n": tuple(sizes("n", spec.outer_rank)),
        "m": tuple(sizes("m", spec.inner_rank)),
        "out": operand("out", spec.store, whole if spec.spread is not None else outer),
        "load": tuple(operand(f"load{k}", a, whole) for k, a in enumerate(spec.loads)),
        "epilogue_load": tuple(operand(f"epilogue_load{k}", a, outer) for k, a in after),
    }
    return trace_spec(spec, reduce, arguments)


def reduce(
    n: tuple[SIMD, ...],
    m: tuple[SIMD, ...],
    out: Tile,
    load: tuple[Tile, ...],
    epilogue_load: tuple[Tile, ...],
    scalar: tuple[SIMD, ...],
    *,
    spec: ReduceSpec,
) -> None:
    """One reduction for each point of the outer axes, which are one parallel loop."""
    for row in parallel(range(product(n))):
        outer = coordinates(row, n)
        if spec.op in ("argmax", "argmin"):
            main = extreme_index(outer, m, load, scalar, spec=spec)
        else:
            main = reduced(outer, m, load, scalar, spec=spec)
        leaf = leaf_at(epilogue_load, scalar, outer, 1, main)
        result = value(spec.epilogue, leaf, 1)
        if spec.spread is None:
            out.store(*outer, result)
        else:
            spread(outer, m, out, load, scalar, result, spec=spec)


def _width(spec: ReduceSpec) -> int:
    """Vectors along the last inner axis, unless its elements are not neighbours."""
    last = [a.strides[-1] for a in spec.loads]
    return simdwidthof(DType.float32) if all(s in (0, 1) for s in last) else 1


def reduced(
    outer: list[Any], m: tuple[SIMD, ...], load: tuple[Tile, ...], scalar: Any, *, spec: ReduceSpec
) -> SIMD:
    """Reduce the inner axes at one outer point: vectors in blocks, then the rest."""
    width, start = _width(spec), neutral(spec.op, spec.accumulate)
    combine = COMBINE[spec.op]

    def element(where: list[Any], lanes: int) -> SIMD:
        leaf = leaf_at(load, scalar, [*outer, *where], lanes)
        return value(spec.prologue, leaf, lanes)

    total = SIMD[spec.accumulate, width](start)
    rest = SIMD[spec.accumulate, 1](start)
    step = BLOCK * width
    whole = m[-1] // width * width
    for row in range(product(m[:-1])):
        inner = coordinates(row, m[:-1])
        for first in range(0, whole, step):
            last = _smaller(first + step, whole)
            block = SIMD[spec.accumulate, width](start)
            for i in range(first, last, width):
                block = combine(block, element([*inner, i], width))
            total = combine(total, block)
        for i in range(whole, m[-1]):
            rest = combine(rest, element([*inner, i], 1))
    return combine(ACROSS[spec.op](total), rest)


def _smaller(a: Any, b: Any) -> Any:
    return a.min(b)


def extreme_index(
    outer: list[Any], m: tuple[SIMD, ...], load: tuple[Tile, ...], scalar: Any, *, spec: ReduceSpec
) -> SIMD:
    """The first index of the greatest (least) element; NaN counts as more extreme than any."""
    best = SIMD[spec.accumulate, 1](neutral(spec.op, spec.accumulate))
    index = SIMD[DType.int64, 1](0)
    found = SIMD[DType.bool, 1](False)
    for i in range(product(m)):
        where = [*outer, *coordinates(i, m)]
        x = value(spec.prologue, leaf_at(load, scalar, where, 1), 1)
        beats = _beats(spec.op, x, best) | ~found
        best = beats.select(x, best)
        index = beats.select(i, index)
        found = found | beats
    return index


def _beats(op: str, x: SIMD, best: SIMD) -> SIMD:
    if x.dtype is DType.bool:
        return x & ~best if op == "argmax" else ~x & best
    beats = x > best if op == "argmax" else x < best
    # A NaN is not beaten: x must be a NaN where best is none, or better than a number.
    return beats | ((x != x) & (best == best)) if x.dtype.is_float else beats


def spread(
    outer: list[Any],
    m: tuple[SIMD, ...],
    out: Tile,
    load: tuple[Tile, ...],
    scalar: Any,
    result: SIMD,
    *,
    spec: ReduceSpec,
) -> None:
    """Write a value for each inner element, from the row's result and the element itself."""
    assert spec.spread is not None
    formula = spec.spread
    width = simdwidthof(DType.float32) if spec.store.strides[-1] == 1 else 1

    def store(where: list[Any], lanes: int) -> None:
        leaf = leaf_at(load, scalar, where, lanes, result)
        out.store[lanes](*where, value(formula, leaf, lanes))

    whole = m[-1] // width * width
    for row in range(product(m[:-1])):
        inner = [*outer, *coordinates(row, m[:-1])]
        for i in range(0, whole, width):
            store([*inner, i], width)
        if width > 1:
            for i in range(whole, m[-1]):
                store([*inner, i], 1)
