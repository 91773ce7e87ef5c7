"""Matrix products become specs: batches are broadcast and merged, casts and prologues absorbed."""

from __future__ import annotations

from collections.abc import Sequence

from tensorlib.dtypes import DType
from tensorlib.graph.assemble import HALVES, Building, Lowered, Part, Strides, bare_read, part
from tensorlib.graph.fuse import NeedsMemory, Read, converted, rebuilt
from tensorlib.graph.states import base
from tensorlib.graph.vertex import Vertex
from tensorlib.graph.view import View, coalesced
from tensorlib.kernels.expression import Expression, Leaf
from tensorlib.kernels.specs import Access, MatmulSpec
from tensorlib.layouts.dim import Size, dim_equal

__all__ = ["matmul"]


def matmul(kernel: Building) -> Lowered:
    """out[p, m, n] = epilogue(sum over k of f(a[p, m, k]) * b[p, k, n])."""
    heavy, root = kernel.anchor, kernel.group.root
    accumulate = DType.float32 if heavy.dtype in HALVES else heavy.dtype
    batch, (m, n) = heavy.shape[:-2], heavy.shape[-2:]
    k = heavy.inputs[0].shape[-1]
    a, prologue = _left(kernel, heavy.inputs[0], accumulate)
    b = kernel.in_memory(heavy.inputs[1])
    a_view, b_view = a.view.broadcast((*batch, m, k)), b.view.broadcast((*batch, k, n))
    scope = kernel.scope(heavy, converted(Leaf("main", 0, accumulate), heavy.dtype))
    epilogue = part(scope, scope.expression(root), kernel.to_anchor)
    store = kernel.to_anchor(kernel.stored(root))
    axes = _BatchAxes(batch, m, [store, *epilogue.views], a_view, b_view)
    kernel.sizes = [*axes.sizes, axes.m, n, k]
    assert a.source is not None
    assert b.source is not None
    out = kernel.operand(root, store, axes.strides(store))
    left = kernel.operand(a.source, a_view, axes.strides(a_view))
    right = kernel.operand(b.source, b_view, axes.strides_of_b(b_view))
    loads: list[Access] = []
    value = kernel.bound(epilogue, axes.strides, loads, {})
    spec = MatmulSpec(
        len(axes.sizes), accumulate, left, right, prologue, value,
        tuple(loads), kernel.dtypes, out,
    )  # fmt: skip
    return kernel.finished(spec)


def _left(kernel: Building, vertex: Vertex, accumulate: DType) -> tuple[Read, Expression | None]:
    """Return where the left operand lies, and what is computed from each of its elements."""
    scope = kernel.scope()
    value = scope.value(vertex)
    bare = bare_read(scope, value)
    if bare is not None and bare.source is not None:
        return bare, None
    body = part(scope, converted(value, accumulate))
    reads = list(body.reads.values())
    if len(reads) != 1 or reads[0].source is None:
        raise NeedsMemory(base(vertex), kernel.anchor)
    return reads[0], _over_first(body)


def _over_first(body: Part) -> Expression:
    """The expression with its only load as number 0."""

    def leaf(found: Leaf) -> Expression:
        return Leaf("load", 0, found.dtype) if found.kind == "load" else found

    return rebuilt(body.expression, leaf)


class _BatchAxes:
    """The batch axes of a product, merged; the last one joins the rows where b does not vary."""

    def __init__(
        self, batch: Sequence[Size], m: Size, views: Sequence[View], a: View, b: View
    ) -> None:
        self._rank, self.m = len(batch), m
        unique = list(dict.fromkeys(self._batch(view) for view in (*views, a, b)))
        self.sizes, merged, _ = coalesced(batch, unique)
        self._merged = dict(zip(unique, merged, strict=True))
        self._joined = self._joins([*views, a], b)
        if self._joined:
            self._single = isinstance(m, int) and m == 1
            self.m = self.sizes[-1] * m
            self.sizes = self.sizes[:-1]

    def _batch(self, view: View) -> Strides:
        return view.strides[: self._rank]

    def _joins(self, views: Sequence[View], b: View) -> bool:
        if not self.sizes or not dim_equal(self._merged[self._batch(b)][-1], 0):
            return False
        single = isinstance(self.m, int) and self.m == 1
        return single or all(
            dim_equal(self._merged[self._batch(v)][-1], v.strides[-2] * self.m) for v in views
        )

    def strides(self, view: View) -> Strides:
        """The strides of an operand with rows: batch, row, column."""
        *batch, last = (*self._merged[self._batch(view)], view.strides[-2])
        if self._joined:
            joined = batch.pop()
            last = joined if self._single else last
        return (*batch, last, view.strides[-1])

    def strides_of_b(self, view: View) -> Strides:
        """The strides of b: batch, k, column."""
        batch = self._merged[self._batch(view)]
        return (*(batch[:-1] if self._joined else batch), *view.strides[-2:])
