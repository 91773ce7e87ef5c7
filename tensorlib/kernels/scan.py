"""Scans of rows: every element combined with all before it, with what comes before and after.

The elements of a row are combined one after the other, so a cumulative sum has the error of that
order: at most n half ulps of sum(|x|). Where neighbours in memory lie in neighbouring rows, the
lanes of a vector are rows, each with the order of one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tensorlib.ir import Kernel
from tensorlib.kernels import generate
from tensorlib.kernels.fold import combining, neutral
from tensorlib.kernels.operands import (
    along,
    coordinates,
    leaf_at,
    operand,
    product,
    sizes,
    trace_spec,
    turned,
)
from tensorlib.kernels.scalar import value
from tensorlib.kernels.specs import ScanSpec
from tensorlib.lang.control import parallel
from tensorlib.lang.target import simdwidthof
from tensorlib.simd import SIMD
from tensorlib.tile import Tile

__all__ = ["build"]

PANEL = 4  # vectors of rows in one task


def build(spec: ScanSpec) -> Kernel:
    """Return the kernel of `spec`."""
    outer, inner = sizes("n", spec.outer_rank), sizes("m", 1)
    shape = (*outer, *inner)
    arguments: dict[str, Any] = {
        "n": outer,
        "m": inner,
        "out": operand("out", spec.store, shape),
        "load": tuple(operand(f"load{k}", a, shape) for k, a in enumerate(spec.loads)),
    }
    return trace_spec(spec, side_by_side if _across(spec) else scan, arguments)


def _across(spec: ScanSpec) -> bool:
    """True where vectors of neighbouring rows can be loaded and stored, but not along rows."""
    axis = spec.outer_rank - 1
    if axis < 0 or spec.store.strides[axis] != 1:
        return False
    return all(a.strides[axis] in (0, 1) for a in spec.loads)


@dataclass(frozen=True, slots=True)
class Scan:
    """The operands of a scan."""

    m: tuple[SIMD, ...]
    out: Tile
    load: tuple[Tile, ...]
    scalar: tuple[SIMD, ...]
    spec: ScanSpec

    def element(self, where: list[Any], lanes: int, axis: int) -> SIMD:
        leaf = leaf_at(self.load, self.scalar, where, lanes, axis=axis)
        return value(self.spec.prologue, leaf, lanes)

    def store(self, where: list[Any], main: SIMD, lanes: int, axis: int) -> None:
        leaf = leaf_at(self.load, self.scalar, where, lanes, main, axis)
        result = value(self.spec.epilogue, leaf, lanes)
        where = list(where)
        where.append(where.pop(axis))
        turned(self.out, axis).store[lanes](*where, result)

    def run(self, outer: list[Any], lanes: int, axis: int) -> None:
        """Scan `lanes` neighbouring rows; `axis` is that of the lanes."""
        op, kind = self.spec.op, self.spec.accumulate
        generate.scan(
            combining(op),
            lambda i: self.element([*outer, i], lanes, axis),
            lambda i, total: self.store([*outer, i], total, lanes, axis),
            self.m[0],
            SIMD[kind, lanes](neutral(op, kind)),
            self.spec.exclusive,
        )


def scan(
    n: tuple[SIMD, ...],
    m: tuple[SIMD, ...],
    out: Tile,
    load: tuple[Tile, ...],
    scalar: tuple[SIMD, ...],
    *,
    spec: ScanSpec,
) -> None:
    """Rows are one parallel loop."""
    this = Scan(m, out, load, scalar, spec)
    generate.rowwise(n, lambda outer: this.run(outer, 1, -1))


def side_by_side(
    n: tuple[SIMD, ...],
    m: tuple[SIMD, ...],
    out: Tile,
    load: tuple[Tile, ...],
    scalar: tuple[SIMD, ...],
    *,
    spec: ScanSpec,
) -> None:
    """Panels of neighbouring rows are one parallel loop; a lane of a vector is a row."""
    this = Scan(m, out, load, scalar, spec)
    lanes = simdwidthof(spec.accumulate)
    *above, last = n
    panel = PANEL * lanes
    across = (last + (panel - 1)) // panel
    for task in parallel(range(product(above) * across)):
        outer, first = coordinates(task // across, above), task % across * panel
        end = (first + panel).min(last)
        along(outer, first, end, lanes, lambda where, w: this.run(where, w, len(where) - 1))
