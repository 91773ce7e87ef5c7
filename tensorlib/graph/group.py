"""Which vertices make one kernel: elementwise ones fuse with each other and into heavy ones.

One pass from the outputs to the inputs decides for each vertex whether it gets memory of its own
(a root: its kernel ends there) or is computed inside its users. A heavy vertex (reduction, matrix
product, softmax, take) absorbs what is computed before it, and hands its result to the elementwise
vertices after it, without memory in between, up to the root that it claims.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tensorlib.graph.rules import lossless
from tensorlib.graph.vertex import HEAVY, Vertex, sorted_vertices
from tensorlib.graph.view import View, product
from tensorlib.layouts.dim import dim_equal
from tensorlib.ops import OPS

__all__ = ["Demands", "Group", "Use", "grouped", "is_located"]

MOST_OPS = 48  # elementwise ops in one part of a kernel
MOST_LOADS = 8  # operands of one part of a kernel
DEEP, DEEPEST = 60, 120  # longest chain of vertices in a kernel; a shared one ends the first
CHEAP = 2  # up to this cost a value is computed again rather than stored
CHEAP_WITHOUT_LOADS = 12
SPREAD_ELEMENTS = 16384  # a reduction over more is not spread by the worker that computed it

COST = {
    **dict.fromkeys(("divide", "sqrt", "floor_divide", "remainder", "reciprocal"), 4),
    **dict.fromkeys(("exp", "log", "sin", "cos", "tanh", "sigmoid", "silu", "rsqrt", "pow"), 16),
    "copy": 0,
}
USERS_COST = 16
PARTS = {"matmul": ("a", "b"), "take": ("operand", "operand")}  # custom: operand; others: inner


@dataclass(frozen=True, slots=True)
class Use:
    """A place where a value is needed: a part of the kernel of `root`, and the movements to it.

    `path` lists the movements from the root's side to the value's side. Parts: `main` (computed
    for each element of the root), `inner` (for each element that is reduced), `a` and `b`
    (operands of a product), `operand` (must lie in memory).
    """

    root: Vertex
    part: str
    path: tuple[Vertex, ...] = ()


@dataclass(slots=True)
class Group:
    """The vertices of one kernel. `root` is what it stores.

    `anchor` is the heavy vertex in it, if there is one; `path` leads from `value` to it. `value` is
    the root, except where a reduction's value is spread back over the reduced axes in the root.
    """

    root: Vertex
    value: Vertex
    anchor: Vertex | None = None
    path: tuple[Vertex, ...] = ()


@dataclass(slots=True)
class Demands:
    """What lowering found out: vertices that need memory, and anchors that must not claim.

    `copies` are (vertex, user): the user needs a copy of a vertex that lies in memory already.
    """

    stored: set[Vertex] = field(default_factory=set)
    alone: set[Vertex] = field(default_factory=set)
    copies: set[tuple[Vertex, Vertex]] = field(default_factory=set)

    @property
    def count(self) -> int:
        return len(self.stored) + len(self.alone) + len(self.copies)


def grouped(outputs: Iterable[Vertex], demands: Demands) -> list[Group]:
    """Return the groups that compute `outputs`, in an order that respects the data flow."""
    grouping = _Grouping(list(outputs), demands)
    for vertex in reversed(grouping.order):
        grouping.visit(vertex)
    return [grouping.groups[v] for v in grouping.order if v in grouping.groups]


def fuses(heavy: Vertex) -> bool:
    """False for users' kernels that read and write memory as it is."""
    return heavy.kind != "custom" or OPS[heavy.op].notes.fuses


def is_located(vertex: Vertex) -> bool:
    """True for what lies in memory before any kernel runs, or is written part by part."""
    return vertex.op in ("data", "input", "update", "concat", "part")


@dataclass(frozen=True, slots=True)
class Content:
    """What computing a vertex takes: ops, stored operands, cost, and the longest chain of ops.

    What several users share is taken for stored here, though one kernel may hold all of them;
    the depth looks through it, so that chains stay bounded.
    """

    ops: frozenset[Vertex] = frozenset()
    loads: frozenset[Vertex] = frozenset()
    cost: int = 0
    depth: int = 0


class _Grouping:
    def __init__(self, outputs: list[Vertex], demands: Demands) -> None:
        self.order = sorted_vertices(outputs)
        self.alone = demands.alone
        self.pinned = demands.stored | {v for v in outputs if not is_located(v)}
        self.groups: dict[Vertex, Group] = {}
        self.uses: dict[Vertex, set[Use]] = {v: set() for v in self.order}
        self.users = Counter(i for v in self.order for i in dict.fromkeys(v.inputs))
        self.content: dict[Vertex, Content] = {}  # of the vertex itself
        self.seen: dict[Vertex, Content] = {}  # what its users have to take in
        for vertex in self.order:
            self.content[vertex] = self.computed(vertex)
            self.seen[vertex] = self.seen_by_users(vertex)

    def computed(self, vertex: Vertex) -> Content:
        """What computing a vertex takes, from what it has to take in."""
        if is_located(vertex) or vertex.kind in HEAVY:
            return Content(loads=frozenset((vertex,)))
        parts = [self.seen[i] for i in vertex.inputs]
        ops = frozenset[Vertex]().union(*[p.ops for p in parts])
        loads = frozenset[Vertex]().union(*[p.loads for p in parts])
        cost = sum([p.cost for p in parts])
        if vertex.kind == "elementwise" or vertex.op == "arange":
            ops, cost = ops | {vertex}, cost + _cost(vertex.op)
        depth = 1 + max([p.depth for p in parts], default=0)
        return Content(ops, loads, min(cost, 1000), depth)

    def seen_by_users(self, vertex: Vertex) -> Content:
        """A load where the vertex has, or is likely to get, memory of its own."""
        content = self.content[vertex]
        if is_located(vertex) or vertex.kind in HEAVY:
            return content
        large = len(content.ops) > MOST_OPS or len(content.loads) > MOST_LOADS
        deep = content.depth > (DEEP if self.is_shared(vertex) else DEEPEST)
        if vertex.sealed or vertex.placement or large or deep:
            self.pinned.add(vertex)
        if vertex in self.pinned:
            return Content(loads=frozenset((vertex,)))
        if self.is_shared(vertex):
            return Content(loads=frozenset((vertex,)), depth=content.depth)
        return content

    def is_shared(self, vertex: Vertex) -> bool:
        """True for what several vertices use and is not cheap to compute again."""
        if vertex.kind != "elementwise" or self.users[vertex] < 2:
            return False
        return not self.is_cheap(vertex, 1)

    def is_cheap(self, vertex: Vertex, loads: int) -> bool:
        content = self.content[vertex]
        limit = CHEAP if content.loads else CHEAP_WITHOUT_LOADS
        return content.cost <= limit and len(content.loads) <= loads

    def visit(self, vertex: Vertex) -> None:
        """Decide about a vertex all of whose users are decided, and tell its inputs."""
        if vertex.kind in HEAVY:
            self.visit_heavy(vertex)
        elif is_located(vertex):
            self.use_inputs(vertex, Use(vertex, "operand"))
        elif vertex in self.pinned or self.needs_memory(vertex):
            self.groups[vertex] = Group(vertex, vertex)
            self.use_inputs(vertex, Use(vertex, "main", (vertex,) if vertex.is_movement else ()))
        else:
            for use in self.uses[vertex]:
                path = (*use.path, vertex) if vertex.is_movement else use.path
                self.use_inputs(vertex, Use(use.root, use.part, path))

    def use_inputs(self, vertex: Vertex, use: Use) -> None:
        for source in vertex.inputs:
            self.uses[source].add(use)

    def needs_memory(self, vertex: Vertex) -> bool:
        """True when the value is better stored than computed in each of its users."""
        uses = self.uses[vertex]
        if vertex.is_movement:
            return False
        if any(u.part == "operand" for u in uses):
            return True
        factors = [u for u in uses if u.part in ("a", "b")]
        others = [u for u in uses if u.part not in ("a", "b")]
        if factors and not (_widens(vertex) or (not others and self.is_prologue(vertex, factors))):
            return True
        return vertex.kind == "elementwise" and self.is_worth_storing(vertex, others)

    def is_worth_storing(self, vertex: Vertex, uses: list[Use]) -> bool:
        places = {(u.root, u.part) for u in uses}
        if len(places) <= 1 and not any(_expands(u.path) for u in uses):
            return False
        return not self.is_cheap(vertex, 2 if len(places) <= 1 else 1)

    def is_prologue(self, vertex: Vertex, uses: list[Use]) -> bool:
        """True for a cheap function of one left operand, needed nowhere else."""
        if len(uses) > 1 or uses[0].part != "a" or _expands(uses[0].path):
            return False
        content = self.content[vertex]
        ranges = any(v.op == "arange" for v in content.ops)
        return len(content.loads) == 1 and content.cost <= CHEAP and not ranges

    def visit_heavy(self, heavy: Vertex) -> None:
        group = self.claimed(heavy)
        if heavy.kind == "reduce" and heavy.op not in ("argmax", "argmin"):
            group = self.spread(group, heavy)
        part = "inner" if fuses(heavy) else "operand"
        parts = PARTS.get(heavy.op, (part,) * len(heavy.inputs))
        for source, part in zip(heavy.inputs, parts, strict=True):
            self.uses[source].add(Use(group.root, part))

    def claimed(self, heavy: Vertex) -> Group:
        """Return the group of `heavy`: that of its only user's root, or one of its own."""
        use = self.only_use(heavy)
        if use is not None and _reversible(use.path):
            group = self.groups[use.root]
            group.anchor, group.path = heavy, use.path
            return group
        return self.groups.setdefault(heavy, Group(heavy, heavy, heavy))

    def only_use(self, vertex: Vertex) -> Use | None:
        """The only use of a vertex, where it is in the main part of a root without an anchor."""
        if vertex in self.pinned or vertex.sealed or vertex in self.alone:
            return None
        if vertex.kind in HEAVY and not fuses(vertex):
            return None
        if len(self.uses[vertex]) != 1:
            return None
        (use,) = self.uses[vertex]
        group = self.groups.get(use.root)
        return use if group and group.anchor is None and use.part == "main" else None

    def spread(self, group: Group, heavy: Vertex) -> Group:
        """Let a reduction's only user, if it has the shape from before reducing, be its root."""
        value = group.root
        use = self.only_use(value)
        inner = product([heavy.inputs[0].shape[a] for a in heavy.attributes["axes"]])
        if use is None or not isinstance(inner, int) or inner > SPREAD_ELEMENTS:
            return group
        if use.root.kind != "elementwise" or not _spreads(heavy, value, use):
            return group
        del self.groups[value]
        self.groups[use.root] = Group(use.root, value, heavy, group.path)
        return self.groups[use.root]


def _cost(op: str) -> int:
    """What an elementwise op costs; a user's function counts as a transcendental one."""
    return COST[op] if op in COST else USERS_COST if OPS[op].kernel is not None else 1


def _widens(vertex: Vertex) -> bool:
    """True for casts that a matrix product does anyway, without rounding."""
    if vertex.op != "cast":
        return False
    source = vertex.inputs[0].dtype
    return source.is_float and lossless(source, vertex.dtype)


def _expands(path: Iterable[Vertex]) -> bool:
    """True when a movement of the path repeats elements."""
    return any(
        m.op == "broadcast_to" and not dim_equal(product(m.shape), product(m.inputs[0].shape))
        for m in path
    )


def _reversible(path: Iterable[Vertex]) -> bool:
    return all(m.op in ("reshape", "permute_dims") for m in path)


def _spreads(heavy: Vertex, value: Vertex, use: Use) -> bool:
    """True when the path from `use.root` gives each reduced row its value at all its elements."""
    full, axes = heavy.inputs[0].shape, heavy.attributes["axes"]
    view: View | None = View.contiguous(value.shape)
    for movement in reversed(use.path):
        view = view and movement.moved(view)
    if view is None or use.root.shape != full:
        return False
    kept = [a for a in range(len(full)) if a not in axes]
    strides = dict(zip(kept, View.contiguous([full[a] for a in kept]).strides, strict=True))
    return all(
        (isinstance(n, int) and n == 1) or dim_equal(view.strides[a], strides.get(a, 0))
        for a, n in enumerate(full)
    )
