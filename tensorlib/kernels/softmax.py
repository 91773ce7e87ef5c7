"""Softmax of rows, with what comes before and after: exp(x - max(x)) / sum(exp(x - max(x))).

The largest element is subtracted first, so exp never overflows. Three passes over a row that stays
in cache: maximum, sum, result. The relative error of a result is at most 4 ulp, for exp and the
division, and half an ulp for each of `fold.roundings(n, lanes)` additions and for each unit of
max(x) - x, whose subtraction rounds.
"""

from __future__ import annotations

from typing import Any

from tensorlib.ir import Kernel
from tensorlib.kernels.fold import fold
from tensorlib.kernels.operands import (
    along,
    coordinates,
    leaf_at,
    operand,
    product,
    sizes,
    trace_spec,
)
from tensorlib.kernels.scalar import lanes_of, value
from tensorlib.kernels.specs import SoftmaxSpec
from tensorlib.lang.control import parallel
from tensorlib.lang.math import exp
from tensorlib.simd import SIMD
from tensorlib.tile import Tile

__all__ = ["build"]


def build(spec: SoftmaxSpec) -> Kernel:
    """Return the kernel of `spec`."""
    outer, inner = sizes("n", spec.outer_rank), sizes("m", 1)
    shape = (*outer, *inner)
    arguments: dict[str, Any] = {
        "n": outer,
        "m": inner,
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
    kind = spec.accumulate
    width = lanes_of(spec.prologue, spec.epilogue, dtypes=(kind,)) if neighbours else 1

    for row in parallel(range(product(n))):
        outer = coordinates(row, n)

        def x(inner: list[Any], lanes: int) -> SIMD:
            leaf = leaf_at(load, scalar, [*outer, *inner], lanes)
            return value(spec.prologue, leaf, lanes)

        def power(inner: list[Any], lanes: int) -> SIMD:
            return exp(x(inner, lanes) - greatest)

        def store(i: SIMD, lanes: int) -> None:
            leaf = leaf_at(load, scalar, [*outer, i], lanes, power([i], lanes) / total)
            out.store[lanes](*outer, i, value(spec.epilogue, leaf, lanes))

        greatest = fold("max", kind, x, m, width)
        total = fold("sum", kind, power, m, width)
        along(m[0], width, store)
