"""Scans of rows: every element combined with all before it, with what comes before and after.

The elements of a row are combined one after the other, so a cumulative sum has the error of that
order: at most n half ulps of sum(|x|). Where neighbours in memory lie in neighbouring rows, the
lanes of a vector are rows, each with the order of one.

Of an operator that is declared associative, blocks of a row are combined each by itself, and joined
to what the blocks before them give: BLOCK + n / BLOCK half ulps. So a long row is shared out among
the workers: totals of blocks first, then these joined, then the blocks. The order, so every bit,
depends on the row's size alone.
"""

from __future__ import annotations

from collections.abc import Callable
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

__all__ = ["BLOCK", "build"]

PANEL = 4  # vectors of rows in one task
TOGETHER = 4  # blocks of a row that one worker combines side by side
BLOCK = 1024  # elements of a row that are combined by themselves, of an associative operator


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
    if spec.stage == "totals":
        arguments["out"] = operand("out", spec.store, (*outer, 1))
        return trace_spec(spec, totals, arguments)
    if spec.stage == "blocks":
        assert spec.prefix is not None
        arguments["prefix"] = operand("prefix", spec.prefix, (*outer, 1))
        return trace_spec(spec, blocks, arguments)
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
        if self.spec.stage == "blocked":
            self.run_blocked(outer, lanes, axis)
            return
        generate.scan(
            combining(self.spec.op),
            lambda i: self.element([*outer, i], lanes, axis),
            lambda i, total: self.store([*outer, i], total, lanes, axis),
            self.m[0],
            self.empty(lanes),
            self.spec.exclusive,
        )

    def run_blocked(self, outer: list[Any], lanes: int, axis: int) -> None:
        """Scan rows block by block."""
        combine, prefix = combining(self.spec.op), self.empty(lanes)
        for first in range(0, self.m[0], BLOCK):
            length = BLOCK - (first + BLOCK - self.m[0]).max(0)
            (total,) = self.blocks(outer, [first], length, [prefix], lanes, axis)
            prefix = combine(prefix, total)

    def blocks(
        self,
        outer: list[Any],
        starts: list[Any],
        length: Any,
        prefixes: list[SIMD] | None = None,
        lanes: int = 1,
        axis: int = -1,
    ) -> list[SIMD]:
        """Return the totals of blocks of one length, which are combined side by side; with
        `prefixes` their scans are stored, after these.
        """
        combine, totals = combining(self.spec.op), [self.empty(lanes) for _ in starts]
        for i in range(length):
            before = totals
            elements = [self.element([*outer, start + i], lanes, axis) for start in starts]
            totals = [combine(total, x) for total, x in zip(totals, elements, strict=True)]
            if prefixes is not None:
                found = before if self.spec.exclusive else totals
                for start, prefix, x in zip(starts, prefixes, found, strict=True):
                    self.store([*outer, start + i], combine(prefix, x), lanes, axis)
        return totals

    def share(self, n: tuple[SIMD, ...], body: Callable[[list[Any], Any, int, Any], None]) -> None:
        """Call `body(outer, place, blocks, length)` for blocks of all rows, in parallel: several
        whole ones from `place` on together, whose chains of operations fill the processor.
        """
        size = self.m[0]
        each = (size + (TOGETHER * BLOCK - 1)) // (TOGETHER * BLOCK)
        for task in parallel(range(product(n) * each)):
            outer, place = coordinates(task // each, n), task % each * TOGETHER
            if (place + TOGETHER) * BLOCK <= size:
                body(outer, place, TOGETHER, BLOCK)
            else:
                for last in range(place, (size + (BLOCK - 1)) // BLOCK):
                    body(outer, last, 1, (size - last * BLOCK).min(BLOCK))

    def empty(self, lanes: int) -> SIMD:
        """Return where a scan starts."""
        kind = self.spec.accumulate
        return SIMD[kind, lanes](neutral(self.spec.op, kind))


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


def totals(
    n: tuple[SIMD, ...],
    m: tuple[SIMD, ...],
    out: Tile,
    load: tuple[Tile, ...],
    scalar: tuple[SIMD, ...],
    *,
    spec: ScanSpec,
) -> None:
    """Blocks of rows are one parallel loop: the total of each is stored."""
    this = Scan(m, out, load, scalar, spec)

    def body(outer: list[Any], place: Any, count: int, length: Any) -> None:
        starts = [(place + k) * BLOCK for k in range(count)]
        for k, total in enumerate(this.blocks(outer, starts, length)):
            out.store[1](*outer, place + k, total)

    this.share(n, body)


def blocks(
    n: tuple[SIMD, ...],
    m: tuple[SIMD, ...],
    out: Tile,
    prefix: Tile,
    load: tuple[Tile, ...],
    scalar: tuple[SIMD, ...],
    *,
    spec: ScanSpec,
) -> None:
    """Blocks of rows are one parallel loop: each is scanned after what those before it gave."""
    this = Scan(m, out, load, scalar, spec)

    def body(outer: list[Any], place: Any, count: int, length: Any) -> None:
        starts = [(place + k) * BLOCK for k in range(count)]
        prefixes = [prefix.load[1](*outer, place + k) for k in range(count)]
        this.blocks(outer, starts, length, prefixes)

    this.share(n, body)


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
