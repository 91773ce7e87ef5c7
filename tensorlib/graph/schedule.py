"""From output nodes to a plan: simplify, place, group, lower, order and give memory."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tensorlib.backend import Buffer
from tensorlib.graph.assemble import Lowered
from tensorlib.graph.group import Demands, Group, grouped
from tensorlib.graph.lower import lowered
from tensorlib.graph.memory import Lifetime, assigned, byte_size
from tensorlib.graph.node import Node, topological
from tensorlib.graph.packed import decode_rows
from tensorlib.graph.plan import Address, Buffers, KernelPlan, planned
from tensorlib.graph.several import own_results
from tensorlib.graph.simplify import simplified
from tensorlib.graph.states import Edge, base, place_results, protect_states
from tensorlib.graph.vertex import Vertex, copied, vertices
from tensorlib.graph.view import View
from tensorlib.layouts.dim import Dim, Size, known_nonnegative

__all__ = ["Externals", "Scheduled", "scheduled"]


@dataclass(frozen=True, slots=True)
class Externals:
    """The buffers that a plan is given: those of data nodes, and those of named inputs.

    With `moving` the data's buffers are given at every call, before the inputs.
    """

    buffers: Sequence[Buffer]
    inputs: Sequence[str] = ()
    moving: bool = False


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A plan and what is needed around it.

    `results` says of each output where it lies: output buffer k, or None for a state in place.
    `guards` must not be negative: (size, what it protects).
    """

    plan: KernelPlan
    results: tuple[int | None, ...]
    guards: tuple[tuple[Dim, str], ...]


def scheduled(outputs: Sequence[Node], externals: Externals, symbols: Sequence[str]) -> Scheduled:
    """Return the plan that computes `outputs`; states that they update are written in place."""
    guards = tuple(_guards(topological(outputs)))
    roots = own_results(vertices(simplified(outputs)))
    decode_rows(roots)
    roots = place_results(roots)
    calls, locations = _settled(roots)
    addresses = _Addresses(locations, externals)
    results = tuple(addresses.output(v) for v in roots)
    buffers = addresses.buffers(calls)
    return Scheduled(planned(calls, buffers, symbols), results, guards)


# --- bounds of symbolic slices ---


def _guards(order: Iterable[Node]) -> Iterator[tuple[Dim, str]]:
    """Yield the sizes that must not be negative for slices and updates to stay inside."""
    seen = set()
    for node in order:
        for size, what in _bounds(node):
            if isinstance(size, Dim) and size not in seen and not known_nonnegative(size):
                seen.add(size)
                yield size, what


def _bounds(node: Node) -> Iterator[tuple[Size, str]]:
    if node.op == "update":
        axis, start = node.attributes["axis"], node.attributes["start"]
        n, end = node.inputs[0].shape[axis], start + node.inputs[1].shape[axis]
        what = f"update: positions {start} to {end} of axis {axis} of size {n}"
        yield from ((start, what), (n - end, what))
    if node.op == "slice":
        starts, steps = node.attributes["starts"], node.attributes["steps"]
        for n, start, step, count in zip(
            node.inputs[0].shape, starts, steps, node.shape, strict=True
        ):
            what = f"slice: {count} elements from {start}, step {step}, of an axis of size {n}"
            last = start + (count - 1) * step
            low, high = (start, last) if step > 0 else (last, start)
            yield from ((count, what), (low, what), (n - 1 - high, what))


# --- groups, until all of them can be lowered ---


class _Locations:
    """Where stored vertices lie, for one grouping."""

    def __init__(self, groups: Iterable[Group]) -> None:
        self.roots = {group.root for group in groups}
        self._views: dict[Vertex, View | None] = {}

    def __call__(self, vertex: Vertex) -> View | None:
        """Return the view of a stored vertex, None for one that is computed in its users."""
        if vertex not in self._views:
            self._views[vertex] = self._view(vertex)
        return self._views[vertex]

    def _view(self, vertex: Vertex) -> View | None:
        if vertex.op == "data":
            assert vertex.storage is not None
            return View(vertex.storage.offset, vertex.shape, vertex.storage.strides)
        if vertex.op == "update":
            return self._of_state(vertex.inputs[0])
        if vertex in self.roots and vertex.placement is not None:
            return self._within(vertex)
        if vertex in self.roots or vertex.op in ("input", "concat", "part"):
            return View.contiguous(vertex.shape)
        return None

    def _of_state(self, state: Vertex) -> View:
        view = self(state)
        if view is None:
            assert state.is_movement, state
            view = state.moved(self._of_state(state.inputs[0]))
        assert view is not None, state
        return view

    def _within(self, vertex: Vertex) -> View | None:
        place = vertex.placement
        assert place is not None
        whole = self(place.owner)
        assert whole is not None
        starts: list[Size] = [0] * len(vertex.shape)
        starts[place.axis] = place.start
        return whole.sliced(starts, [1] * len(starts), vertex.shape)


def _settled(outputs: list[Vertex]) -> tuple[list[Lowered], _Locations]:
    """Group and lower until every group is one kernel, and return the kernels in running order."""
    demands = Demands()
    calls: dict[Vertex, Lowered | None] = {}
    roots: set[Vertex] = set()
    while True:
        found = demands.count
        edges = protect_states(outputs)
        groups = grouped(outputs, demands)
        locations = _Locations(groups)
        changed = roots ^ locations.roots
        calls = {g.root: _reused(calls.get(g.root), g, changed) for g in groups}
        for group in groups:
            calls[group.root] = calls[group.root] or lowered(group, locations, demands)
        if all(calls.values()):
            steps = [s for call in calls.values() if call for s in (*call.before, call)]
            return _in_order(steps, edges), locations
        assert demands.count > found, "a group can't be lowered"
        _insert_copies(demands)
        roots = locations.roots


def _reused(call: Lowered | None, group: Group, changed: set[Vertex]) -> Lowered | None:
    """The kernel from the last round, where the group is the same and nothing it meets changed."""
    return call if call and call.group == group and changed.isdisjoint(call.met) else None


def _insert_copies(demands: Demands) -> None:
    for vertex, user in demands.copies:
        for k, source in enumerate(user.inputs):
            if base(source) is vertex:
                copy = copied(source)
                user.inputs[k] = copy
                demands.stored.add(copy)
    demands.copies.clear()


# --- the order of the kernels ---


def _in_order(calls: list[Lowered], edges: Sequence[Edge]) -> list[Lowered]:
    """Sort the kernels: writers before readers, readers of an old state before its next write."""
    number = {call.group.root: k for k, call in enumerate(calls)}
    before = [_needed(call, number) for call in calls]
    for reader, write in edges:
        before[number[write]].add(number[_kernel_root(reader, calls, number)])
    after: defaultdict[int, list[int]] = defaultdict(list)
    for k, earlier in enumerate(before):
        earlier.discard(k)
        for e in earlier:
            after[e].append(k)
    waiting = [len(earlier) for earlier in before]
    ready = [k for k, count in enumerate(waiting) if count == 0]
    order = []
    while ready:
        k = heapq.heappop(ready)
        order.append(calls[k])
        for user in after[k]:
            waiting[user] -= 1
            if waiting[user] == 0:
                heapq.heappush(ready, user)
    assert len(order) == len(calls), "the kernels wait for each other"
    return order


def _kernel_root(vertex: Vertex, calls: list[Lowered], number: dict[Vertex, int]) -> Vertex:
    if vertex in number:
        return vertex
    return next(c.group.root for c in calls if c.group.anchor is vertex)


def _needed(call: Lowered, number: dict[Vertex, int]) -> set[int]:
    """The kernels that write what `call` reads, or wrote the state that it writes into."""
    stack = list(call.reads)
    place = call.group.root.placement
    if place is not None and place.owner.op == "update":
        stack.append(base(place.owner.inputs[0]))
    found: set[int] = set()
    while stack:
        vertex = stack.pop()
        if vertex.op in ("concat", "part"):
            stack.extend(vertex.inputs)
        elif vertex.op == "update":
            stack.extend((vertex.inputs[1], base(vertex.inputs[0])))
        elif vertex in number:
            found.add(number[vertex])
    return found


# --- memory ---


class _Addresses:
    """The buffers of a plan: external ones, outputs, and slots for all else."""

    def __init__(self, locations: _Locations, externals: Externals) -> None:
        self.locations, self.role = locations, "input" if externals.moving else "constant"
        self.data = {id(buffer): k for k, buffer in enumerate(externals.buffers)}
        first = len(externals.buffers) if externals.moving else 0
        self.inputs = {name: first + k for k, name in enumerate(externals.inputs)}
        self.known: dict[Vertex, Address] = {}
        self.output_bytes: list[Size] = []

    def output(self, vertex: Vertex) -> int | None:
        """Give an output a buffer of its own; None where it lies in a state."""
        if vertex.op == "update" and self.owner(vertex).op in ("data", "input"):
            return None
        owner = self.owner(vertex)
        if owner not in self.known:
            self.known[owner] = Address("output", len(self.output_bytes))
            self.output_bytes.append(byte_size(owner.shape, owner.dtype))
        return self.known[owner].index

    def owner(self, vertex: Vertex) -> Vertex:
        """Return the vertex whose memory `vertex` lies in."""
        while True:
            if vertex.op == "update":
                vertex = base(vertex.inputs[0])
            elif vertex.placement is not None:
                vertex = vertex.placement.owner
            else:
                return vertex

    def buffers(self, calls: Sequence[Lowered]) -> Buffers:
        """Return the addresses of all vertices that the kernels read and write."""
        touched: dict[Vertex, list[int]] = {}
        owners: dict[Vertex, Vertex] = {}
        for step, call in enumerate(calls):
            for vertex in (call.group.root, *call.writes, *call.reads):
                owners[vertex] = owner = self.owner(vertex)
                touched.setdefault(owner, []).append(step)
        temporary = [v for v in touched if v not in self.known and self._external(v) is None]
        lives = [
            Lifetime(min(touched[v]), max(touched[v]), byte_size(v.shape, v.dtype))
            for v in temporary
        ]
        slots = assigned(lives)
        for vertex, slot in zip(temporary, slots.of, strict=True):
            self.known[vertex] = Address("slot", slot)
        addresses = {v: self._external(o) or self.known[o] for v, o in owners.items()}
        return Buffers(addresses, tuple(self.output_bytes), slots)

    def _external(self, vertex: Vertex) -> Address | None:
        if vertex.op == "data":
            assert vertex.storage is not None
            return Address(self.role, self.data[id(vertex.storage.buffer)])
        if vertex.op == "input":
            return Address("input", self.inputs[vertex.attributes["name"]])
        return None
