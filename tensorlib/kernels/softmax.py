"""Softmax of rows, with what comes before and after: exp(x - max(x)) / sum(exp(x - max(x))).

The largest element is subtracted first, so exp never overflows. Three passes over a row that stays
in cache: maximum, sum, result. The relative error of a result is at most 4 ulp, for exp and the
division, and half an ulp for each of `fold.roundings(n, lanes)` additions and for each unit of
max(x) - x, whose subtraction rounds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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
    """Rows are one parallel loop."""
    this = Softmax(m, out, load, scalar, spec)
    for row in parallel(range(product(n))):
        softmax_row(this, coordinates(row, n))


@dataclass(frozen=True, slots=True)
class Softmax:
    """The operands of a softmax."""

    m: tuple[SIMD, ...]
    out: Tile
    load: tuple[Tile, ...]
    scalar: tuple[SIMD, ...]
    spec: SoftmaxSpec

    def leaf(self, where: list[Any], lanes: int, main: SIMD | None = None) -> Callable[..., SIMD]:
        return leaf_at(self.load, self.scalar, where, lanes, main)


def softmax_row(this: Softmax, outer: list[Any]) -> None:
    """Whole vectors along a row, then single elements."""
    spec, kind = this.spec, this.spec.accumulate
    width = simdwidthof(kind)

    def x(inner: list[Any], lanes: int) -> SIMD:
        return value(spec.prologue, this.leaf([*outer, *inner], lanes), lanes)

    greatest = fold("max", kind, x, this.m, width)

    def power(inner: list[Any], lanes: int) -> SIMD:
        return exp(x(inner, lanes) - greatest)

    total = fold("sum", kind, power, this.m, width)

    def store(where: list[Any], lanes: int) -> None:
        main = power(where[-1:], lanes) / total
        result = value(spec.epilogue, this.leaf(where, lanes, main), lanes)
        this.out.store[lanes](*where, result)

    along(outer, 0, this.m[0], width, store)
