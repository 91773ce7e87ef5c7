"""What all lowerings share: operands, scalars and merged axes, put together into a kernel call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tensorlib.dtypes import DType
from tensorlib.graph.fuse import NeedsMemory, Number, Read, Scalars, Scope, rebuilt
from tensorlib.graph.group import Demands, Group
from tensorlib.graph.rules import lossless
from tensorlib.graph.states import base
from tensorlib.graph.vertex import Vertex
from tensorlib.graph.view import View, coalesced
from tensorlib.kernels.expression import Apply, Expression, Leaf, leaves
from tensorlib.kernels.specs import Access, Spec
from tensorlib.layouts.dim import Size

__all__ = [
    "HALVES",
    "Argument",
    "Building",
    "Location",
    "Lowered",
    "MergedAxes",
    "Part",
    "Report",
    "Strides",
    "bare_read",
    "part",
]

Argument: TypeAlias = "Vertex | Number | Report"  # a vertex stands for the address of its memory
Location: TypeAlias = Callable[[Vertex], View | None]
Strides: TypeAlias = tuple[Size, ...]

HALVES = (DType.float16, DType.bfloat16)


@dataclass(frozen=True, slots=True)
class Report:
    """The address where the kernel of a vertex reports a fault."""

    vertex: Vertex


@dataclass(frozen=True, slots=True)
class Lowered:
    """One kernel call: what it computes, its arguments, and the stored vertices that it reads.

    `met` are all vertices that it depends on, computed inside or stored. `writes` are what it
    stores besides the group's root, `before` the calls that have to run first.
    """

    group: Group
    spec: Spec
    arguments: tuple[Argument, ...]
    reads: tuple[Vertex, ...]
    met: frozenset[Vertex]
    writes: tuple[Vertex, ...] = ()
    before: tuple[Lowered, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """An expression of a kernel, with what its loads stand for in the kernel's coordinates."""

    expression: Expression
    reads: dict[int, Read]

    @property
    def views(self) -> list[View]:
        return [read.view for read in self.reads.values()]


def part(
    scope: Scope, expression: Expression, transform: Callable[[View], View] = lambda view: view
) -> Part:
    """Return the expression with what it reads, the views turned by `transform`."""
    used = {leaf.index: scope.reads[leaf.index] for leaf in leaves(expression, "load")}
    reads = {k: Read(read.source, transform(read.view)) for k, read in used.items()}
    return Part(expression, reads)


class Building:
    """A kernel being made from a group: its sizes, operands and scalars."""

    def __init__(self, group: Group, location: Location, demands: Demands) -> None:
        self.group, self.location, self.demands = group, location, demands
        self.scalars = Scalars()
        self.sizes: list[Size] = []
        self.operands: list[tuple[Vertex, Size, Strides]] = []
        self.before_scalars: list[Size] = []
        self.reports = False  # whether the kernel reports faults
        self.scopes: list[Scope] = []

    @property
    def anchor(self) -> Vertex:
        assert self.group.anchor is not None
        return self.group.anchor

    @property
    def dtypes(self) -> tuple[DType, ...]:
        """The dtypes of the scalars so far."""
        return tuple(self.scalars.dtypes)

    def scope(self, main: Vertex | None = None, value: Expression | None = None) -> Scope:
        self.scopes.append(Scope(self.location, self.scalars, main, value))
        return self.scopes[-1]

    def stored(self, vertex: Vertex) -> View:
        """Return where a vertex lies that has memory."""
        view = self.location(vertex)
        assert view is not None
        return view

    def in_memory(self, vertex: Vertex) -> Read:
        """Return the read of `vertex`, which is a view of memory up to lossless casts."""
        scope = self.scope()
        read = bare_read(scope, scope.value(vertex))
        if read is None or read.source is None:
            raise NeedsMemory(base(vertex), self.anchor)
        return read

    def exactly(self, vertex: Vertex) -> Read:
        """Return the read of `vertex`, which is a view of memory of its own dtype."""
        read = self.in_memory(vertex)
        assert read.source is not None
        if read.source.dtype is not vertex.dtype:
            raise NeedsMemory(base(vertex), self.anchor)
        return read

    def to_anchor(self, view: View) -> View:
        """Turn a view in the coordinates of the group's value into one in the anchor's."""
        for movement in self.group.path:
            if movement.op == "permute_dims":
                axes = list(movement.attributes["axes"])
                view = view.permuted([axes.index(k) for k in range(len(axes))])
                continue
            turned = view.reshaped(movement.inputs[0].shape)
            if turned is None:
                self.demands.alone.add(self.anchor)
                return View.contiguous(self.anchor.shape)
            view = turned
        return view

    def operand(self, vertex: Vertex, view: View, strides: Strides) -> Access:
        """Add an operand with its arguments, and return how the kernel accesses it."""
        self.operands.append((vertex, view.offset, strides))
        return Access(vertex.dtype, tuple(fixed(s) for s in strides))

    def bound(
        self,
        body: Part,
        strides: Callable[[View], Strides],
        loads: list[Access],
        known: dict[Read, int],
    ) -> Expression:
        """Return the part's expression with its loads numbered as in `loads`, which grows."""

        def leaf(found: Leaf) -> Expression:
            if found.kind != "load":
                return found
            read = body.reads[found.index]
            if read.source is None:
                return affine(read.view.offset, strides(read.view), self.scalars)
            if read not in known:
                known[read] = len(loads)
                loads.append(self.operand(read.source, read.view, strides(read.view)))
            return Leaf("load", known[read], found.dtype)

        return rebuilt(body.expression, leaf)

    def finished(
        self, spec: Spec, writes: tuple[Vertex, ...] = (), after: Sequence[Argument] = ()
    ) -> Lowered:
        """Return the kernel with its arguments in the order of `spec.parameters`, `after` last.

        `writes` are the vertices that it stores besides the group's root; they come behind it.
        """
        arguments: list[Argument] = list(self.sizes)
        for vertex, offset, strides in self.operands:
            arguments += [vertex, offset, *[s for s in strides if fixed(s) is None]]
        arguments += self.before_scalars
        if self.reports:
            arguments.append(Report(self.group.root))
        arguments += [*self.scalars.values, *after]
        assert len(arguments) == len(spec.parameters), (spec, arguments)
        reads = tuple(dict.fromkeys(vertex for vertex, _, _ in self.operands[1 + len(writes) :]))
        met = frozenset[Vertex]().union(*[scope.met for scope in self.scopes])
        return Lowered(self.group, spec, tuple(arguments), reads, met, writes)


class MergedAxes:
    """The axes of a kernel after coalescing over the views of all its operands.

    Views over the first axes only do not vary along the others.
    """

    def __init__(
        self, shape: Sequence[Size], views: Sequence[View], barriers: Sequence[int] = ()
    ) -> None:
        self._rank = len(shape)
        unique = list(dict.fromkeys(self._padded(view) for view in views))
        self.sizes, merged, self.places = coalesced(shape, unique, barriers)
        self._merged = dict(zip(unique, merged, strict=True))

    def _padded(self, view: View) -> Strides:
        return (*view.strides, *[0] * (self._rank - len(view.strides)))

    def strides(self, view: View) -> Strides:
        """Return the strides of one of the views along the merged axes."""
        return self._merged[self._padded(view)]


def fixed(stride: Size) -> int | None:
    """Return a stride that is built into the kernel (0 or 1), None for one that is an argument."""
    return stride if isinstance(stride, int) and stride in (0, 1) else None


def affine(offset: Size, strides: Strides, scalars: Scalars) -> Expression:
    """Return offset + sum(stride[k] * iota[k]) as an int64 expression."""

    def number(size: Size) -> Expression:
        if isinstance(size, int) and size in (-1, 0, 2):
            return Leaf("constant", 0, DType.int64, size)
        return scalars.leaf(size)

    total = None if isinstance(offset, int) and offset == 0 else number(offset)
    for axis, stride in enumerate(strides):
        if fixed(stride) == 0:
            continue
        term: Expression = Leaf("iota", axis, DType.int64)
        if fixed(stride) != 1:
            term = Apply("multiply", (term, number(stride)), DType.int64)
        total = term if total is None else Apply("add", (total, term), DType.int64)
    return number(0) if total is None else total


def bare_read(scope: Scope, expression: Expression) -> Read | None:
    """Return the read that an expression is, up to lossless casts; None for anything else."""
    while isinstance(expression, Apply) and expression.op == "cast":
        (source,) = expression.arguments
        if not (source.dtype.is_float and lossless(source.dtype, expression.dtype)):
            return None
        expression = source
    if isinstance(expression, Leaf) and expression.kind == "load":
        return scope.reads[expression.index]
    return None
