"""Groups become kernel specs with their arguments."""

from __future__ import annotations

from collections.abc import Callable

from tensorlib.dtypes import DType
from tensorlib.graph.assemble import (
    HALVES,
    Building,
    Location,
    Lowered,
    MergedAxes,
    Part,
    Strides,
    part,
)
from tensorlib.graph.fuse import NeedsMemory, Read, Scalars, applied, converted
from tensorlib.graph.group import Demands, Group, is_located
from tensorlib.graph.lower_custom import custom
from tensorlib.graph.lower_long import in_blocks, is_long, is_long_scan, scan_in_blocks
from tensorlib.graph.lower_matmul import matmul
from tensorlib.graph.vertex import Vertex
from tensorlib.graph.view import View, product
from tensorlib.kernels.expression import Expression, Leaf
from tensorlib.kernels.specs import (
    Access,
    ElementwiseSpec,
    ReduceSpec,
    RowwiseSpec,
    ScanSpec,
    SoftmaxSpec,
    TakeSpec,
)
from tensorlib.layouts.dim import Size

__all__ = ["lowered"]

MOST_ARGUMENTS = 128  # words of one kernel's arguments


def lowered(group: Group, location: Location, demands: Demands) -> Lowered | None:
    """Return the kernel of a group; None where it can't be one: then `demands` has grown."""
    kind = group.anchor.kind if group.anchor is not None else "elementwise"
    before = demands.count
    try:
        found = LOWERINGS[kind](Building(group, location, demands))
    except NeedsMemory as need:
        if is_located(need.vertex):
            demands.copies.add((need.vertex, need.user))
        else:
            demands.stored.add(need.vertex)
        return None
    if len(found.arguments) > MOST_ARGUMENTS:
        demands.stored.update(_largest_parts(found, location))
    return found if demands.count == before else None


def _largest_parts(call: Lowered, location: Location) -> list[Vertex]:
    """What to store so that a kernel gets fewer operands: computed parts, late ones first."""
    inside = [v for v in call.met if v.kind == "elementwise" and location(v) is None]
    return [v for v in inside if v in call.group.root.inputs] or inside


def elementwise(kernel: Building) -> Lowered:
    """One expression over all elements of the root."""
    root = kernel.group.root
    source, store = _unreshaped(kernel, root)
    scope = kernel.scope()
    body = part(scope, scope.expression(source))
    axes = MergedAxes(source.shape, [store, *body.views])
    kernel.sizes = list(axes.sizes)
    out = kernel.operand(root, store, axes.strides(store))
    loads: list[Access] = []
    expression = kernel.bound(body, axes.strides, loads, {})
    spec = ElementwiseSpec(len(axes.sizes), expression, tuple(loads), kernel.dtypes, out)
    return kernel.finished(spec)


def _unreshaped(kernel: Building, root: Vertex) -> tuple[Vertex, View]:
    """Return what a root that only reshapes computes, and the root's memory in that shape.

    Any memory that holds the root can be split the way its source was before the reshape, while
    the source's operands can't always be merged.
    """
    source, view = root, kernel.stored(root)
    while source.op in ("copy", "reshape"):
        inner = source.inputs[0]
        split = view.reshaped(inner.shape)
        if kernel.location(inner) is not None or split is None:
            break
        source, view = inner, split
    return source, view


class _Rows:
    """Merged axes of which the inner ones, at least one, follow the outer ones."""

    def __init__(self, shape: list[Size], views: list[View], outer: int) -> None:
        self.axes = MergedAxes(shape, views, (outer,))
        (self.outer_rank,) = self.axes.places
        self.missing = (1,) if len(self.axes.sizes) == self.outer_rank else ()
        self.sizes = [*self.axes.sizes, *self.missing]

    def all(self, view: View) -> Strides:
        """Strides along all axes."""
        return (*self.axes.strides(view), *[0] * len(self.missing))

    def outer(self, view: View) -> Strides:
        """Strides along the outer axes."""
        return self.axes.strides(view)[: self.outer_rank]


# --- reductions ---


def reduction(kernel: Building) -> Lowered:
    """Prologue over all elements, epilogue over the kept axes, and back over all with spread."""
    heavy, group = kernel.anchor, kernel.group
    full, axes = heavy.inputs[0].shape, tuple(heavy.attributes["axes"])
    kept = tuple(a for a in range(len(full)) if a not in axes)

    def all_axes(view: View) -> View:
        return view.permuted((*kept, *axes))

    def kept_axes(view: View) -> View:
        view = kernel.to_anchor(view)
        narrow = view.reshaped([full[a] for a in kept])
        assert narrow is not None
        return narrow

    op, accumulate, main = reduced(heavy, kernel.scalars)
    scope = kernel.scope()
    prologue = part(scope, converted(scope.value(heavy.inputs[0]), accumulate), all_axes)
    scope = kernel.scope(heavy, main)
    epilogue = part(scope, scope.expression(group.value), kept_axes)
    body, store = None, kernel.stored(group.root)
    if group.root is group.value:
        store = kept_axes(store)
    else:
        scope = kernel.scope(group.value, Leaf("main", 0, group.value.dtype))
        body = part(scope, scope.expression(group.root), all_axes)
        store = all_axes(store)
    views = [store, *prologue.views, *epilogue.views, *(body.views if body else ())]
    rows = _Rows([full[a] for a in (*kept, *axes)], views, len(kept))
    return _reduction(kernel, rows, (op, accumulate), (prologue, epilogue, body), store)


def _reduction(
    kernel: Building,
    rows: _Rows,
    meaning: tuple[str, DType],
    parts: tuple[Part, Part, Part | None],
    store: View,
) -> Lowered:
    prologue, epilogue, body = parts
    kernel.sizes = rows.sizes
    out = kernel.operand(kernel.group.root, store, (rows.all if body else rows.outer)(store))
    loads: list[Access] = []
    known: dict[Read, int] = {}
    first = kernel.bound(prologue, rows.all, loads, known)
    spread = kernel.bound(body, rows.all, loads, known) if body else None
    after: list[Access] = []
    value = kernel.bound(epilogue, rows.outer, after, {})
    inner_rank = len(rows.sizes) - rows.outer_rank
    spec = ReduceSpec(
        meaning[0], rows.outer_rank, inner_rank, meaning[1], first, value, spread,
        tuple(loads), tuple(after), kernel.dtypes, out,
    )  # fmt: skip
    return in_blocks(kernel, spec) if is_long(kernel, spec) else kernel.finished(spec)


def reduced(heavy: Vertex, scalars: Scalars) -> tuple[str, DType, Expression]:
    """Return the spec's op, the dtype it reduces in, and the vertex's value from its `main`."""
    source = heavy.inputs[0].dtype
    wide = DType.float32 if source in HALVES else source
    op = heavy.op
    if op in ("argmax", "argmin"):
        return op, DType.uint8 if wide is DType.bool else wide, Leaf("main", 0, DType.int64)
    if op in ("any", "all") or (wide is DType.bool and op in ("max", "min")):
        op = {"max": "any", "min": "all"}.get(op, op)
        return op, DType.bool, Leaf("main", 0, DType.bool)
    if op in ("max", "min"):
        return op, wide, converted(Leaf("main", 0, wide), heavy.dtype)
    total = DType.float32 if heavy.dtype in HALVES else heavy.dtype
    main: Expression = Leaf("main", 0, total)
    if op == "mean":
        full = heavy.inputs[0].shape
        count = scalars.leaf(product([full[a] for a in heavy.attributes["axes"]]))
        op, main = "sum", applied("divide", (main, converted(count, total)), total)
    return op, total, converted(main, heavy.dtype)


# --- softmax ---


def softmax(kernel: Building) -> Lowered:
    """Rows over the last axis of the kernel, whichever axis of the tensor it is."""
    heavy = kernel.anchor
    accumulate = DType.float32 if heavy.dtype in HALVES else heavy.dtype
    main = converted(Leaf("main", 0, accumulate), heavy.dtype)
    rows = RowsOfAxis(kernel, [accumulate], main)
    (first,) = rows.inputs
    spec = SoftmaxSpec(
        rows.outer_rank, accumulate, first, rows.epilogue, tuple(rows.loads), kernel.dtypes,
        rows.out,
    )  # fmt: skip
    return kernel.finished(spec)


# --- take ---


def take(kernel: Building) -> Lowered:
    """Elements of x displaced along one axis by the indices."""
    heavy, root = kernel.anchor, kernel.group.root
    axis, shape = heavy.attributes["axis"], heavy.shape
    x, indices = kernel.in_memory(heavy.inputs[0]), kernel.in_memory(heavy.inputs[1])
    before, after = x.view.strides[:axis], x.view.strides[axis + 1 :]
    none = (0,) * len(indices.view.strides)
    x_view = View(x.view.offset, shape, (*before, *none, *after))
    around = (*[0] * len(before), *indices.view.strides, *[0] * len(after))
    index_view = View(indices.view.offset, shape, around)
    gathered = DType.float32 if heavy.inputs[0].dtype.is_packed else heavy.inputs[0].dtype
    scope = kernel.scope(heavy, converted(Leaf("main", 0, gathered), heavy.dtype))
    epilogue = part(scope, scope.expression(root), kernel.to_anchor)
    store = kernel.to_anchor(kernel.stored(root))
    axes = MergedAxes(shape, [store, x_view, index_view, *epilogue.views])
    kernel.sizes = [*axes.sizes, heavy.inputs[0].shape[axis]]
    kernel.before_scalars = [x.view.strides[axis]]
    assert x.source is not None
    assert indices.source is not None
    out = kernel.operand(root, store, axes.strides(store))
    rows = kernel.operand(x.source, x_view, axes.strides(x_view))
    at = kernel.operand(indices.source, index_view, axes.strides(index_view))
    loads: list[Access] = []
    value = kernel.bound(epilogue, axes.strides, loads, {})
    spec = TakeSpec(len(axes.sizes), rows, at, value, tuple(loads), kernel.dtypes, out)
    return kernel.finished(spec)


# --- scans, functions of rows ---


def scan(kernel: Building) -> Lowered:
    """Like softmax: rows over one axis of the tensor."""
    heavy = kernel.anchor
    accumulate = DType.float32 if heavy.dtype in HALVES else heavy.dtype
    main = converted(Leaf("main", 0, accumulate), heavy.dtype)
    rows = RowsOfAxis(kernel, [accumulate], main)
    (first,) = rows.inputs
    spec = ScanSpec(
        heavy.op, heavy.attributes["exclusive"], rows.outer_rank, accumulate, first,
        rows.epilogue, tuple(rows.loads), kernel.dtypes, rows.out,
        "blocked" if heavy.attributes.get("associative") else "",
    )  # fmt: skip
    return scan_in_blocks(kernel, spec) if is_long_scan(kernel, spec) else kernel.finished(spec)


def rowwise(kernel: Building) -> Lowered:
    """A function of rows along the last axis."""
    heavy = kernel.anchor
    is_row = len(heavy.shape) == len(heavy.inputs[0].shape)
    kinds = [source.dtype for source in heavy.inputs]
    rows = RowsOfAxis(kernel, kinds, Leaf("main", 0, heavy.dtype), is_row)
    return kernel.finished(
        RowwiseSpec(
            heavy.op, rows.outer_rank, is_row, rows.inputs, rows.epilogue, tuple(rows.loads),
            kernel.dtypes, rows.out,
        )
    )  # fmt: skip


class RowsOfAxis:
    """A kernel over rows along one axis of its inputs: their expressions, and what comes after."""

    def __init__(
        self, kernel: Building, kinds: list[DType], main: Expression, is_row: bool = True
    ) -> None:
        heavy, root = kernel.anchor, kernel.group.root
        shape = heavy.inputs[0].shape
        axis = heavy.attributes["axis"]
        order = (*[a for a in range(len(shape)) if a != axis], axis)

        def turned(view: View) -> View:
            view = kernel.to_anchor(view)
            return view.permuted(order) if is_row else view

        parts = []
        for source, kind in zip(heavy.inputs, kinds, strict=True):
            scope = kernel.scope()
            value = converted(scope.value(source), kind)
            parts.append(part(scope, value, lambda view: view.permuted(order)))
        scope = kernel.scope(heavy, main)
        after = part(scope, scope.expression(root), turned)
        store = turned(kernel.stored(root))
        views = [store, *[v for p in parts for v in p.views], *after.views]
        rows = _Rows([shape[a] for a in order], views, len(shape) - 1)
        self.outer_rank = rows.outer_rank
        kernel.sizes = rows.sizes
        self.out = kernel.operand(root, store, (rows.all if is_row else rows.outer)(store))
        self.loads: list[Access] = []
        known: dict[Read, int] = {}
        self.inputs = tuple([kernel.bound(p, rows.all, self.loads, known) for p in parts])
        self.epilogue = kernel.bound(after, rows.all, self.loads, known)


LOWERINGS: dict[str, Callable[[Building], Lowered]] = {
    "elementwise": elementwise,
    "reduce": reduction,
    "softmax": softmax,
    "index": take,
    "contract": matmul,
    "scan": scan,
    "rowwise": rowwise,
    "custom": custom,
}
