"""Softmax of rows, with what comes before and after: exp(x - max(x)) / sum(exp(x - max(x))).

The largest element is subtracted first, so exp never overflows. Three passes over a row that stays in cache: maximum, sum,
result; error at most 6 ulp of the result plus the rounding of x - max(x).
"""

from __future__ import annotations

import math
from typing import Any

from tensorlib.dtypes import DType
from tensorlib.ir import Kernel
from tensorlib.kernels.operands import coordinates, leaf_at, operand, product, sizes, trace_spec
from tensorlib.kernels.scalar import value
from tensorlib.kernels.specs import SoftmaxSpec
from tensorlib.lang.control import parallel
from tensorlib.lang.math import exp
from tensorlib.lang.target import simdwidthof
from tensorlib.simd import SIMD
from tensorlib.tile import Tile

__all__ = ["build"]


def build(spec: SoftmaxSpec) -> Kernel:
    """Return the kernel of `spec`."""
    shape = [*sizes("n", spec.outer_rank), *sizes("m", 1)]
    arguments: dict[str, Any] = {
        "n": tuple(sizes("n", spec.outer_rank)),
        "m": tuple(sizes("m", 1)),
        "out": operand("out", spec.store, shape),
        "load": tuple(operand(f"load{k}", a, shape) for k, a in enumerate(spec.loads)),
    }
    return trace_spec(spec, softmax, arguments)


def softmax(
    n: tuple[SIMD, ...],
    m: tuple[SIMD, ...],
    out: Tile,
    load: tuple[Tile, ...],
    scalar: tuple[SIMD, ...],
    *,
    spec: SoftmaxSpec,
) -> None:
    """Rows are one parallel loop; whole vectors along a row, then single elements."""
    neighbours = all(a.strides[-1] in (0, 1) for a in (*spec.loads, spec.store))
    width = simdwidthof(DType.float32) if neighbours else 1
    size, whole = m[0], m[0] // width * width

    def x(where: list[Any], lanes: int) -> SIMD:
        return value(spec.prologue, leaf_at(load, scalar, where, lanes), lanes)

    def store(where: list[Any], lanes: int, greatest: SIMD, total: SIMD) -> None:
        main = exp(x(where, lanes) - greatest) / total
        leaf = leaf_at(load, scalar, where, lanes, main)
        out.store[lanes](*where, value(spec.epilogue, leaf, lanes))

    for row in parallel(range(product(n))):
        outer = coordinates(row, n)
        high = SIMD[spec.accumulate, width](-math.inf)
        high_rest = SIMD[spec.accumulate, 1](-math.inf)
        for i in range(0, whole, width):
            high = high.max(x([*outer, i], width))
        for i in range(whole, size):
            high_rest = high_rest.max(x([*outer, i], 1))
        greatest = high.reduce_max().max(high_rest)
        sums = SIMD[spec.accumulate, width](0.0)
        sums_rest = SIMD[spec.accumulate, 1](0.0)
        for i in range(0, whole, width):
            sums = sums + exp(x([*outer, i], width) - greatest)
        for i in range(whole, size):
            sums_rest = sums_rest + exp(x([*outer, i], 1) - greatest)
        total = sums.reduce_add() + sums_rest
        for i in range(0, whole, width):
            store([*outer, i], width, greatest, total)
        for i in range(whole, size):
            store([*outer, i], 1, greatest, total)
