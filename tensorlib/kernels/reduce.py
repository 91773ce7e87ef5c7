"""Reductions: sum, prod, max, min, any, all, argmax and argmin, with what comes before and after.

Two shapes of the same reduction, chosen by what is contiguous:

* rows: the lanes of a vector lie along the last inner axis, gathered where strides demand it;
* columns: the lanes are neighbours along the last outer axis, each the reduction of one column.

A float sum or product has an error of at most `fold.roundings` half ulps of sum(|x|), or of the
product; L is the lanes of a vector of `accumulate`, 1 for columns. The others are exact. The order
of adding, so every bit, depends on the inner sizes and the shape alone.

Few long rows would leave most of the workers idle. Such a reduction is two kernels: one folds the
blocks of the rows, in parallel, the other joins them in their order, so the bits are the same.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tensorlib.dtypes import DType
from tensorlib.ir import Kernel
from tensorlib.kernels.fold import (
    BLOCK,
    across,
    combining,
    fold,
    fold_block,
    fold_lanes,
    neutral,
)
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
from tensorlib.kernels.scalar import lanes_of, value
from tensorlib.kernels.specs import ReduceSpec
from tensorlib.lang.control import parallel
from tensorlib.lang.target import simdwidthof
from tensorlib.simd import SIMD
from tensorlib.tile import Tile

__all__ = ["along_columns", "build"]

PANEL = 4  # vectors of columns reduced together


def build(spec: ReduceSpec) -> Kernel:
    """Return the kernel of `spec`."""
    outer, inner = sizes("n", spec.outer_rank), sizes("m", spec.inner_rank)
    whole = (*outer, *inner)
    after = enumerate(spec.epilogue_loads)
    arguments: dict[str, Any] = {
        "n": outer,
        "m": inner,
        "out": operand("out", spec.store, whole if spec.spread is not None else outer),
        "load": tuple(operand(f"load{k}", a, whole) for k, a in enumerate(spec.loads)),
        "epilogue_load": tuple(operand(f"epilogue_load{k}", a, outer) for k, a in after),
    }
    if spec.stage:
        return _staged(spec, arguments)
    return trace_spec(spec, columns if along_columns(spec) else rows, arguments)


def _staged(spec: ReduceSpec, arguments: dict[str, Any]) -> Kernel:
    row = (*sizes("n", spec.outer_rank), 1)  # no access asks how many places there are
    if spec.stage == "blocks":
        arguments["out"] = operand("out", spec.store, row)
        return trace_spec(spec, blocks_of_columns if along_columns(spec) else blocks, arguments)
    assert spec.partial is not None
    arguments["partial"] = operand("partial", spec.partial, row)
    return trace_spec(spec, join if spec.stage == "join" else join_columns, arguments)


def _along_rows(spec: ReduceSpec) -> bool:
    return all(a.strides[-1] in (0, 1) for a in spec.loads)


def along_columns(spec: ReduceSpec) -> bool:
    if _along_rows(spec) or spec.outer_rank == 0 or spec.op in ("argmax", "argmin"):
        return False
    return all(a.strides[spec.outer_rank - 1] in (0, 1) for a in spec.loads)


@dataclass(frozen=True, slots=True)
class Reduction:
    """The operands of a reduction, and its three expressions over them."""

    m: tuple[SIMD, ...]
    out: Tile
    load: tuple[Tile, ...]
    epilogue_load: tuple[Tile, ...]
    scalar: tuple[SIMD, ...]
    spec: ReduceSpec

    def element(self, where: list[Any], lanes: int, axis: int = -1) -> SIMD:
        """What is reduced, at a coordinate of the outer and inner axes."""
        leaf = leaf_at(self.load, self.scalar, where, lanes, axis=axis)
        return value(self.spec.prologue, leaf, lanes)

    def columns(self, starts: list[list[Any]], inner: list[Any], lanes: int) -> list[SIMD]:
        """What is reduced of vectors of columns, at a coordinate of the inner axes."""
        axis = self.spec.outer_rank - 1
        return [self.element([*outer, *inner], lanes, axis) for outer in starts]

    def empty(self, starts: list[list[Any]], lanes: int) -> list[SIMD]:
        """Return where the folds of vectors of columns start."""
        kind = self.spec.accumulate
        return [SIMD[kind, lanes](neutral(self.spec.op, kind)) for _ in starts]

    def finish(self, outer: list[Any], main: SIMD, lanes: int) -> None:
        """Store the reductions of `lanes` outer points, or spread them over the inner axes."""
        leaf = leaf_at(self.epilogue_load, self.scalar, outer, lanes, main)
        result = value(self.spec.epilogue, leaf, lanes)
        if self.spec.spread is None:
            self.out.store[lanes](*outer, result)
        elif lanes == 1:
            self.spread_row(outer, result)
        else:
            self.spread_columns(outer, result, lanes)

    def spread_row(self, outer: list[Any], result: SIMD) -> None:
        """Write a value for each inner element: whole vectors along the last axis."""
        width = lanes_of(self.spec.spread) if self.spec.store.strides[-1] == 1 else 1

        def store(where: list[Any], lanes: int) -> None:
            self.store(where, result, lanes)

        for row in range(product(self.m[:-1])):
            along([*outer, *coordinates(row, self.m[:-1])], 0, self.m[-1], width, store)

    def spread_columns(self, outer: list[Any], result: SIMD, lanes: int) -> None:
        """Write a value for each inner element of `lanes` columns."""
        for i in range(product(self.m)):
            self.store([*outer, *coordinates(i, self.m)], result, lanes, len(outer) - 1)

    def store(self, where: list[Any], result: SIMD, lanes: int, axis: int = -1) -> None:
        """Store the spread value of `lanes` elements along `axis`."""
        assert self.spec.spread is not None
        leaf = leaf_at(self.load, self.scalar, where, lanes, result, axis)
        where = list(where)
        where.append(where.pop(axis))
        turned(self.out, axis).store[lanes](*where, value(self.spec.spread, leaf, lanes))


def rows(
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
    this = Reduction(m, out, load, epilogue_load, scalar, spec)
    for row in parallel(range(product(n))):
        outer = coordinates(row, n)
        if spec.op in ("argmax", "argmin"):
            main = extreme_index(this, outer)
        else:
            main = reduced(this, outer, spec.op)
        this.finish(outer, main, 1)


def reduced(this: Reduction, outer: list[Any], op: str) -> SIMD:
    """Reduce the inner axes at one outer point."""
    lanes = simdwidthof(this.spec.accumulate)
    elements = lambda inner, lanes: this.element([*outer, *inner], lanes)  # noqa: E731
    return fold(op, this.spec.accumulate, elements, this.m, lanes)


def extreme_index(this: Reduction, outer: list[Any]) -> SIMD:
    """The first index of the greatest (least) element: find that element, then where it is.

    A NaN counts as more extreme than any number: the first NaN is found where there is one.
    """
    best = reduced(this, outer, this.spec.op.removeprefix("arg"))
    lanes = simdwidthof(this.spec.accumulate)
    *above, size = this.m
    whole = size // lanes * lanes
    found, index = SIMD[DType.bool, 1](False), SIMD[DType.int64, 1](0)
    row = SIMD[DType.int64, 1](0)
    while (row < product(above)) & ~found:
        where = [*outer, *coordinates(row, above)]
        i = SIMD[DType.int64, 1](0)
        while (i < whole) & ~found:
            found = _is_best(this.element([*where, i], lanes), best).reduce_or()
            i = i + lanes
        i = found.select(i - lanes, i)
        found = SIMD[DType.bool, 1](False)
        while (i < size) & ~found:
            found = _is_best(this.element([*where, i], 1), best)
            i = i + 1
        index = found.select(row * size + (i - 1), index)
        row = row + 1
    return index


def _is_best(x: SIMD, best: SIMD) -> SIMD:
    equal = x == best.splat(x.width)
    return equal | (x != x) if x.dtype.is_float else equal


def blocks(
    n: tuple[SIMD, ...],
    m: tuple[SIMD, ...],
    out: Tile,
    load: tuple[Tile, ...],
    epilogue_load: tuple[Tile, ...],
    scalar: tuple[SIMD, ...],
    *,
    spec: ReduceSpec,
) -> None:
    """Blocks of rows are one parallel loop: each is folded lane by lane, and its lanes stored."""
    this = Reduction(m, out, load, epilogue_load, scalar, spec)
    op, kind = spec.op, spec.accumulate
    lanes = simdwidthof(kind)
    *above, size = m
    count = (size + (BLOCK * lanes - 1)) // (BLOCK * lanes)
    each = product(above) * count
    for task in parallel(range(product(n) * each)):
        outer, place = coordinates(task // each, n), task % each
        inner, first = coordinates(place // count, above), place % count * (BLOCK * lanes)
        empty = SIMD[kind, lanes](neutral(op, kind))
        elements = functools.partial(_element_at, this, outer)
        block = fold_block(combining(op), empty, elements, inner, first, size)
        out.store[lanes](*outer, place * lanes, block)


def _element_at(this: Reduction, outer: list[Any], inner: list[Any], lanes: int) -> SIMD:
    return this.element([*outer, *inner], lanes)


def join(
    n: tuple[SIMD, ...],
    m: tuple[SIMD, ...],
    out: Tile,
    partial: Tile,
    load: tuple[Tile, ...],
    epilogue_load: tuple[Tile, ...],
    scalar: tuple[SIMD, ...],
    *,
    spec: ReduceSpec,
) -> None:
    """Join the blocks of each row in the order in which `rows` would have come to them."""
    this = Reduction(m, out, load, epilogue_load, scalar, spec)
    op, kind = spec.op, spec.accumulate
    lanes, combine = simdwidthof(kind), combining(op)
    count = (m[-1] + (BLOCK * lanes - 1)) // (BLOCK * lanes)
    for row in parallel(range(product(n))):
        outer = coordinates(row, n)
        total = SIMD[kind, lanes](neutral(op, kind))
        for place in range(product(m[:-1]) * count):
            total = combine(total, partial.load[lanes](*outer, place * lanes))
        this.finish(outer, across(op, total), 1)


def columns(
    n: tuple[SIMD, ...],
    m: tuple[SIMD, ...],
    out: Tile,
    load: tuple[Tile, ...],
    epilogue_load: tuple[Tile, ...],
    scalar: tuple[SIMD, ...],
    *,
    spec: ReduceSpec,
) -> None:
    """Panels of columns, neighbours on the last outer axis, are one parallel loop."""
    this = Reduction(m, out, load, epilogue_load, scalar, spec)

    def reduce_columns(starts: list[list[Any]], lanes: int) -> None:
        def elements(inner: list[Any]) -> list[SIMD]:
            return this.columns(starts, inner, lanes)

        totals = fold_lanes(spec.op, this.empty(starts, lanes), elements, m)
        for outer, total in zip(starts, totals, strict=True):
            this.finish(outer, total, lanes)

    for task in parallel(range(panels(this, n))):
        panel_of_columns(this, n, task, reduce_columns)


def blocks_of_columns(
    n: tuple[SIMD, ...],
    m: tuple[SIMD, ...],
    out: Tile,
    load: tuple[Tile, ...],
    epilogue_load: tuple[Tile, ...],
    scalar: tuple[SIMD, ...],
    *,
    spec: ReduceSpec,
) -> None:
    """Like `blocks`: panels of blocks of columns are one parallel loop."""
    this = Reduction(m, out, load, epilogue_load, scalar, spec)
    combine, axis = combining(spec.op), spec.outer_rank - 1
    *above, size = m
    count = (size + (BLOCK - 1)) // BLOCK
    each = product(above) * count
    for task in parallel(range(panels(this, n) * each)):
        place = task % each
        inner, first = coordinates(place // count, above), place % count * BLOCK
        end = (first + BLOCK).min(size)

        def fold_columns(
            starts: list[list[Any]], lanes: int, place: Any = place, inner: Any = inner,
            first: Any = first, end: Any = end,
        ) -> None:  # fmt: skip
            block = this.empty(starts, lanes)
            for i in range(first, end):
                found = this.columns(starts, [*inner, i], lanes)
                block = [combine(a, b) for a, b in zip(block, found, strict=True)]
            for outer, total in zip(starts, block, strict=True):
                where = [*outer[:axis], place, outer[axis]]
                turned(out, axis).store[lanes](*where, total)

        panel_of_columns(this, n, task // each, fold_columns)


def join_columns(
    n: tuple[SIMD, ...],
    m: tuple[SIMD, ...],
    out: Tile,
    partial: Tile,
    load: tuple[Tile, ...],
    epilogue_load: tuple[Tile, ...],
    scalar: tuple[SIMD, ...],
    *,
    spec: ReduceSpec,
) -> None:
    """Join the blocks of each column in the order in which `columns` would have come to them."""
    this = Reduction(m, out, load, epilogue_load, scalar, spec)
    combine, axis = combining(spec.op), spec.outer_rank - 1
    count = product(m[:-1]) * ((m[-1] + (BLOCK - 1)) // BLOCK)

    def join_panel(starts: list[list[Any]], lanes: int) -> None:
        totals = this.empty(starts, lanes)
        for place in range(count):
            found = [
                turned(partial, axis).load[lanes](*outer[:axis], place, outer[axis])
                for outer in starts
            ]
            totals = [combine(a, b) for a, b in zip(totals, found, strict=True)]
        for outer, total in zip(starts, totals, strict=True):
            this.finish(outer, total, lanes)

    for task in parallel(range(panels(this, n))):
        panel_of_columns(this, n, task, join_panel)


def panels(this: Reduction, n: tuple[SIMD, ...]) -> Any:
    """Return how many panels of columns there are."""
    panel = PANEL * simdwidthof(this.spec.accumulate)
    return product(n[:-1]) * ((n[-1] + (panel - 1)) // panel)


def panel_of_columns(
    this: Reduction,
    n: tuple[SIMD, ...],
    task: Any,
    body: Callable[[list[list[Any]], int], None],
) -> None:
    """Call `body(starts, lanes)` for panel `task`: vectors of columns side by side, of which
    `starts` are the outer coordinates; at the end of a row one by one.
    """
    lanes = simdwidthof(this.spec.accumulate)
    *above, last = n
    panel = PANEL * lanes
    across = (last + (panel - 1)) // panel
    outer, first = coordinates(task // across, above), task % across * panel
    if first + panel <= last:
        body([[*outer, first + v * lanes] for v in range(PANEL)], lanes)
    else:
        along(outer, first, last, lanes, lambda where, w: body([where], w))
