"""Long rows, shared out among all workers: several kernels in place of one, with the same bits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tensorlib.dtypes import DType
from tensorlib.graph.assemble import Building, Lowered
from tensorlib.graph.fuse import Scalars
from tensorlib.graph.group import Group
from tensorlib.graph.vertex import Vertex
from tensorlib.graph.view import View, product
from tensorlib.kernels.expression import Leaf
from tensorlib.kernels.fold import BLOCK
from tensorlib.kernels.reduce import along_columns
from tensorlib.kernels.scan import BLOCK as SCAN_BLOCK
from tensorlib.kernels.specs import ReduceSpec, ScanSpec
from tensorlib.layouts.dim import Size

__all__ = ["in_blocks", "is_long", "is_long_scan", "scan_in_blocks"]

LONG = 1 << 16  # elements of a row from which on several workers are faster
FEW = 16  # rows up to which there may be more workers than rows
PANEL_LANES = 32  # columns that one worker takes, as a rule
MOST_LANES = 64  # of any target, of a dtype that is folded


def is_long(kernel: Building, spec: ReduceSpec) -> bool:
    """True for a reduction of few rows of many elements.

    A size that is not known yet counts as long where there is but one row.
    """
    if spec.spread is not None or spec.op in ("argmax", "argmin"):
        return False
    outer, (*above, last) = _sizes(kernel, spec)
    if not all(isinstance(n, int) for n in (*outer, *above)):
        return False
    across = along_columns(spec)
    least = BLOCK if across else BLOCK * MOST_LANES
    if not isinstance(last, int):
        return product(outer) == 1 and not above and not across
    tasks = [*outer[:-1], -(-outer[-1] // PANEL_LANES)] if across else outer
    elements = product((*outer, *above, last)) if across else product((*above, last))
    return product(tasks) <= FEW and elements >= LONG and last >= least


def _sizes(kernel: Building, spec: ReduceSpec) -> tuple[list[Any], list[Any]]:
    """Return the sizes of the outer and the inner axes."""
    return kernel.sizes[: spec.outer_rank], kernel.sizes[spec.outer_rank :]


def in_blocks(kernel: Building, spec: ReduceSpec) -> Lowered:
    """One kernel folds the blocks of all rows, the next joins them and goes on as `spec` does."""
    outer, inner = _sizes(kernel, spec)
    places = product(inner[:-1]) * (inner[-1] // BLOCK + MOST_LANES)
    if along_columns(spec):  # neighbours in memory are neighbouring columns
        partial = _temporary(spec.accumulate, (places, *outer))
        view = View.contiguous(partial.shape).permuted((*range(1, len(outer) + 1), 0))
    else:
        partial = _temporary(spec.accumulate, (*outer, places))
        view = View.contiguous(partial.shape)
    out, loads = kernel.operands[0], kernel.operands[1 : 1 + len(spec.loads)]
    after = kernel.operands[1 + len(spec.loads) :]
    main = Leaf("main", 0, spec.accumulate)

    first = _beside(kernel, partial)
    store = first.operand(partial, view, view.strides)
    first.operands += loads
    blocks = replace(spec, stage="blocks", store=store, epilogue=main, epilogue_loads=())
    kernel.operands = [out]
    access = kernel.operand(partial, view, view.strides)
    kernel.operands += after
    stage = "join_columns" if along_columns(spec) else "join"
    join = replace(spec, stage=stage, prologue=main, loads=(), partial=access)
    return replace(kernel.finished(join), before=(first.finished(blocks),))


def is_long_scan(kernel: Building, spec: ScanSpec) -> bool:
    """True for a scan of few long rows, by an operator that is declared associative."""
    *outer, last = kernel.sizes
    if spec.stage != "blocked" or not all(isinstance(n, int) for n in outer):
        return False
    if not isinstance(last, int):
        return product(outer) == 1
    return product(outer) <= FEW and last >= LONG


def scan_in_blocks(kernel: Building, spec: ScanSpec) -> Lowered:
    """The totals of all blocks, these joined, and the blocks after what those before them give."""
    *outer, last = kernel.sizes
    shape = (*outer, (last + (SCAN_BLOCK - 1)) // SCAN_BLOCK)
    totals, joined = _temporary(spec.accumulate, shape), _temporary(spec.accumulate, shape)
    view = View.contiguous(shape)
    out, loads = kernel.operands[0], kernel.operands[1:]

    first = _beside(kernel, totals)
    store = first.operand(totals, view, view.strides)
    main = Leaf("main", 0, spec.accumulate)
    first.operands += loads
    first_spec = replace(spec, stage="totals", store=store, epilogue=main)

    second = _beside(kernel, joined)
    second.scalars, second.sizes = Scalars(), list(shape)
    store = second.operand(joined, view, view.strides)
    load = second.operand(totals, view, view.strides)
    element = Leaf("load", 0, spec.accumulate)
    second_spec = ScanSpec(
        spec.op, True, len(outer), spec.accumulate, element, main, (load,), (), store
    )

    kernel.operands = [out]
    prefix = kernel.operand(joined, view, view.strides)
    kernel.operands += loads
    before = first.finished(first_spec), second.finished(second_spec)
    third = kernel.finished(replace(spec, stage="blocks", prefix=prefix))
    return replace(third, before=before)


def _temporary(dtype: DType, shape: Sequence[Size]) -> Vertex:
    """Return a vertex for what one kernel hands to the next."""
    return Vertex("copy", (), {}, tuple(shape), dtype)


def _beside(kernel: Building, root: Vertex) -> Building:
    """Return a kernel that stores `root`, over the sizes and scalars of another."""
    made = Building(Group(root, root), kernel.location, kernel.demands)
    made.scalars, made.scopes, made.sizes = kernel.scalars, kernel.scopes, list(kernel.sizes)
    return made
