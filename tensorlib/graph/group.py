"""Which vertices make one kernel: elementwise ones fuse with each other and into heavy ones.

One pass from the outputs to the inputs decides for each vertex whether it gets memory of its own
(a root: its kernel ends there) or is computed inside its users. A heavy vertex (reduction, matrix
product, softmax, take) absorbs what is computed before it, and hands its result to the elementwise
vertices after it, without memory in between, up to the root that it claims.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tensorlib.graph.rules import lossless
from tensorlib.graph.vertex import HEAVY, Vertex, sorted_vertices
from tensorlib.graph.view import View, product
from tensorlib.layouts.dim import dim_equal

__all__ = ["Demands", "Group", "Use", "grouped"]

MOST_OPS = 48  # elementwise ops in one kernel
MOST_LOADS = 10  # operands of one kernel
CHEAP = 2  # up to this cost a value is computed again rather than stored
CHEAP_WITHOUT_LOADS = 12
SPREAD_ELEMENTS = 16384  # a reduction over more is not spread by the worker that computed it

COST = {
    **dict.fromkeys(("divide", "sqrt", "floor_divide", "remainder", "reciprocal"), 4),
    **dict.fromkeys(("exp", "log", "sin", "cos", "tanh", "sigmoid", "silu", "rsqrt", "pow"), 16),
    "copy": 0,
}


@dataclass(frozen=True, slots=True)
class Use:
    """A place where a value is needed: a part of the kernel of `root`, and the movements to it.

    `path` lists the movements from the root's side to the value's side.
    """

    root: Vertex
    part: str
    path: tuple[Vertex, ...] = ()


@dataclass(slots=True)
class Group:
    """The vertices of one kernel. `root` is what it stores.

    `anchor` is the heavy vertex in it, if there is one, and `path` leads from the root to it.
    With `spread` (reductions only) the value of `spread` goes back over the reduced axes.
    """

    root: Vertex
    anchor: Vertex | None = None
    path: tuple[Vertex, ...] = ()
    spread: Vertex | None = None


@dataclass(slots=True)
class Demands:
    """What lowering found out: vertices that need memory, and anchors that must not claim."""

    stored: set[Vertex] = field(default_factory=set)
    alone: set[Vertex] = field(default_factory=set)


def grouped(outputs: Iterable[Vertex], demands: Demands) -> list[Group]:
    """Return the groups that compute `outputs`, in an order that respects the data flow."""
    outputs = list(outputs)
    return _Grouping(outputs, demands).groups()


@dataclass(frozen=True, slots=True)
class Content:
    """What computing a vertex inside its users takes, at most."""

    ops: frozenset[Vertex] = frozenset()
    loads: frozenset[Vertex] = frozenset()
    cost: int = 0


class _Grouping:
    def __init__(self, outputs: list[Vertex], demands: Demands) -> None:
        self.order = sorted_vertices(outputs)
        self.alone = demands.alone
        self.roots: dict[Vertex, Group] = {}
        self.stored = demands.stored | {v for v in outputs if not located(v)}
        self.uses: dict[Vertex, set[Use]] = {v: set() for v in self.order}
        self.content: dict[Vertex, Content] = {}
        for vertex in self.order:
            self.content[vertex] = self._content(vertex)

    def groups(self) -> list[Group]:
        for vertex in reversed(self.order):
            self._visit(vertex)
        return [self.roots[v] for v in self.order if v in self.roots]

    # contents, from the inputs on

    def _content(self, vertex: Vertex) -> Content:
        if located(vertex) or vertex.kind in HEAVY:
            return Content(loads=frozenset((vertex,)))
        parts = [self.content[i] for i in vertex.inputs]
        ops = frozenset().union(*(p.ops for p in parts))
        loads = frozenset().union(*(p.loads for p in parts))
        cost = sum(p.cost for p in parts)
        if vertex.kind == "elementwise":
            ops |= {vertex}
            cost += COST.get(vertex.op, 1)
        found = Content(ops, loads, min(cost, 1000))
        forced = vertex.sealed or vertex.placement is not None or vertex in self.stored
        if forced or len(ops) > MOST_OPS or len(loads) > MOST_LOADS:
            self.stored.add(vertex)
            found = Content(loads=frozenset((vertex,)))
        return found

    # decisions, from the outputs on

    def _visit(self, vertex: Vertex) -> None:
        if vertex.kind in HEAVY:
            self._visit_heavy(vertex)
        elif located(vertex):
            self._pass_located(vertex)
        elif vertex in self.stored or self._needs_memory(vertex):
            self.stored.add(vertex)
            self.roots[vertex] = Group(vertex)
            path = (vertex,) if vertex.is_movement else ()
            self._pass(vertex, Use(vertex, "main", path))
        else:
            for use in self.uses[vertex]:
                path = (*use.path, vertex) if vertex.is_movement else use.path
                self._pass(vertex, Use(use.root, use.part, path))

    def _pass(self, vertex: Vertex, use: Use) -> None:
        for source in vertex.inputs:
            self.uses[source].add(use)

    def _pass_located(self, vertex: Vertex) -> None:
        for k, source in enumerate(vertex.inputs):
            self.uses[source].add(Use(vertex, "operand" if vertex.op == "update" and not k else "x"))

    def _needs_memory(self, vertex: Vertex) -> bool:
        uses = self.uses[vertex]
        if vertex.is_movement:
            return False
        plain = {(u.root, u.part) for u in uses if u.part != "operand" and u.part not in ("a", "b")}
        products = [u for u in uses if u.part in ("a", "b")]
        if any(u.part == "operand" for u in uses):
            return True
        if products and not self._goes_into_product(vertex, products, alone=not plain):
            return True
        if vertex.kind == "create":
            return False
        if vertex.op == "cast" and vertex.inputs[0].dtype.is_packed and plain:
            return True
        expands = any(_expands(u.path) for u in uses if u.part not in ("a", "b"))
        if len(plain) <= 1 and not expands:
            return False
        return not self._is_cheap(vertex, 2 if len(plain) <= 1 else 1)

    def _is_cheap(self, vertex: Vertex, loads: int) -> bool:
        content = self.content[vertex]
        limit = CHEAP if content.loads else CHEAP_WITHOUT_LOADS
        return content.cost <= limit and len(content.loads) <= loads

    def _goes_into_product(self, vertex: Vertex, uses: list[Use], alone: bool) -> bool:
        """A lossless cast of stored data, or a cheap function of the left operand."""
        if vertex.kind == "elementwise" and vertex.op == "cast" and _widens(vertex):
            return True
        content = self.content[vertex]
        once = alone and len(uses) == 1 and uses[0].part == "a" and not _expands(uses[0].path)
        simple = content.cost <= CHEAP and len(content.loads) == 1
        return once and simple and not any(v.op == "arange" for v in _fused(vertex))

    # heavy vertices

    def _visit_heavy(self, heavy: Vertex) -> None:
        group = self._claimed(heavy)
        self._spread(group)
        for k, source in enumerate(heavy.inputs):
            self.uses[source].add(Use(group.root, _part(heavy, k)))

    def _claimed(self, heavy: Vertex) -> Group:
        """Return the group of `heavy`: that of its only user's root, or one of its own."""
        uses = self.uses[heavy]
        free = heavy not in self.stored and not heavy.sealed and heavy not in self.alone
        if free and len(uses) == 1:
            (use,) = uses
            group = self.roots.get(use.root)
            if group and group.anchor is None and use.part == "main" and _reversible(use.path):
                group.anchor, group.path = heavy, use.path
                return group
        group = self.roots[heavy] = Group(heavy, heavy)
        return group

    def _spread(self, group: Group) -> None:
        """Let a reduction's only user, if it has the shape from before reducing, be its root."""
        heavy, root = group.anchor, group.root
        assert heavy is not None
        if heavy.kind != "reduce" or heavy.op.startswith("arg") or not self._may_spread(group):
            return
        (use,) = self.uses[root]
        wide = self.roots.get(use.root)
        if wide is None or wide.anchor is not None or use.part != "main":
            return
        if _spreads(heavy, root, use):
            del self.roots[root]
            self.roots[use.root] = Group(use.root, heavy, group.path, root)

    def _may_spread(self, group: Group) -> bool:
        heavy, root = group.anchor, group.root
        assert heavy is not None
        inner = product([heavy.inputs[0].shape[a] for a in heavy.attributes["axes"]])
        if not isinstance(inner, int) or inner > SPREAD_ELEMENTS or root.placement is not None:
            return False
        free = heavy is not root or (heavy not in self.stored and heavy not in self.alone)
        sealed = root.sealed or heavy.sealed
        return free and not sealed and len(self.uses[root]) == 1 and root not in self.outputs_only

    @property
    def outputs_only(self) -> set[Vertex]:
        return self._outputs


def located(vertex: Vertex) -> bool:
    """True for what lies in memory before any kernel runs, or is written part by part."""
    return vertex.op in ("data", "input", "update", "concat")
