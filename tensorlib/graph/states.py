"""Writes in place: concat and update become placed copies, and old values are read before a write.

An `update` writes into its state's memory, and its result is that memory. Every reader of the old
state has to run before the write, every reader of the result after it.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

from tensorlib.graph.vertex import HEAVY, Placement, Vertex, copied, sorted_vertices

__all__ = ["Edge", "place_results", "protect_states"]

Edge = tuple[Vertex, Vertex]  # the first runs before the second


def place_results(outputs: list[Vertex]) -> list[Vertex]:
    """Turn what concat joins and update writes into placed copies, and return the new outputs.

    Outputs become results with memory of their own: inputs and data given back are copied.
    """
    for vertex in sorted_vertices(outputs):
        if vertex.op == "concat":
            _place_parts(vertex)
        elif vertex.op == "update":
            _place_value(vertex)
    return [_owned(v) for v in outputs]


def _place_parts(concat: Vertex) -> None:
    axis, start = concat.attributes["axis"], 0
    for k, part in enumerate(concat.inputs):
        concat.inputs[k] = copied(part, Placement(concat, axis, start))
        start = start + part.shape[axis]


def _place_value(update: Vertex) -> None:
    state, value = update.inputs
    if _may_read(value, base(state)):
        value = copied(value)
        value.sealed = True
    axis, start = update.attributes["axis"], update.attributes["start"]
    update.inputs[1] = copied(value, Placement(update, axis, start))


def _may_read(vertex: Vertex, state: Vertex) -> bool:
    """True when the kernel that ends in `vertex` could read the memory of `state`.

    A kernel holds at most one heavy op, so the walk ends at a second one.
    """
    stack, seen = [(vertex, 1)], {(vertex, 1)}
    while stack:
        found, heavy = stack.pop()
        if shares_memory(found, state):
            return True
        heavy -= found.kind in HEAVY
        if found.op in ("update", "concat") or heavy < 0:
            continue
        following = {(i, heavy) for i in found.inputs} - seen
        seen |= following
        stack.extend(following)
    return False


def _owned(output: Vertex) -> Vertex:
    if output.op == "update":
        return output if _is_state(output) or not output.inputs[0].is_movement else copied(output)
    return copied(output) if output.op in ("data", "input") or output.is_movement else output


def base(vertex: Vertex) -> Vertex:
    """Return what `vertex` is a view of: itself, or the source of its movements."""
    while vertex.is_movement:
        vertex = vertex.inputs[0]
    return vertex


def memory_root(vertex: Vertex) -> Vertex:
    """Return what `vertex` is a view or a later version of, looking through updates."""
    vertex = base(vertex)
    while vertex.op == "update":
        vertex = base(vertex.inputs[0])
    return vertex


def shares_memory(a: Vertex, b: Vertex) -> bool:
    """True when `a` is a view of (a version of) the memory that `b` lies in."""
    located = base(a).op in ("update", "data", "input")
    return located and _memory(a) == _memory(b)


def protect_states(outputs: list[Vertex]) -> list[Edge]:
    """Return the edges that keep reads and writes of states in order.

    Writes of one state keep the order of the graph; a reader of the state runs before the next
    write. Where no order can serve (a reader of the old state needs the new one), the reader gets a
    copy of the old state. The readers that remain are sealed. `outputs` may be replaced in place.
    """
    while True:
        order = sorted_vertices(outputs)
        if not any(v.op == "update" for v in order):
            return []
        _copy_outputs(outputs, order)
        _copy_values(order)
        order = sorted_vertices(outputs)
        hazards, writes = _hazards(order)
        at_fault = _on_cycle(hazards, writes)
        if at_fault is None:
            break
        reader, place, _ = at_fault
        reader.inputs[place] = copied(reader.inputs[place])
    for reader, _, _ in hazards:
        reader.sealed = True
    return [*((reader, write) for reader, _, write in hazards), *writes]


def _copy_outputs(outputs: list[Vertex], order: list[Vertex]) -> None:
    """An output that a later update overwrites is copied first."""
    overwritten = {base(v.inputs[0]) for v in order if v.op == "update"}
    for k, output in enumerate(outputs):
        if output in overwritten:
            outputs[k] = copied(output)


def _copy_values(order: list[Vertex]) -> None:
    """A value that is no state belongs to each of its updates alone: a second one gets a copy."""
    updated: set[Vertex] = set()
    for update in (v for v in order if v.op == "update"):
        source = base(update.inputs[0])
        if source in updated and not _is_state(source):
            update.inputs[0] = copied(update.inputs[0])
        updated.add(source)


Hazard = tuple[Vertex, int, Vertex]  # reader, which of its inputs, the copy that overwrites


def _hazards(order: list[Vertex]) -> tuple[list[Hazard], list[Edge]]:
    """Return the reads of versions of memory that get overwritten, and the order of the writes."""
    updates: defaultdict[object, list[Vertex]] = defaultdict(list)
    for update in (v for v in order if v.op == "update"):
        updates[_memory(update)].append(update)
    number = {u: k + 1 for found in updates.values() for k, u in enumerate(found)}
    hazards: list[Hazard] = []
    for reader in order:
        if reader.is_movement or reader.op in ("concat", "part"):
            continue
        for place, source in enumerate(reader.inputs):
            version = base(source)
            following = updates.get(_memory(version), ())[number.get(version, 0) :]
            if following and not (reader.op == "update" and place == 0):
                hazards.append((reader, place, following[0].inputs[1]))
    writes = [(a.inputs[1], b.inputs[1]) for found in updates.values() for a, b in pairwise(found)]
    return hazards, writes


def _on_cycle(hazards: list[Hazard], writes: list[Edge]) -> Hazard | None:
    """Return a hazard whose edge, with the others and the data flow, closes a cycle.

    Copies of a version can always run right after its write, so some other reader is at fault.
    """
    before: defaultdict[Vertex, list[Vertex]] = defaultdict(list)
    for reader, _, write in hazards:
        before[write].append(reader)
    for earlier, later in writes:
        before[later].append(earlier)
    others = (h for h in hazards if h[0].op != "copy" or h[0].placement is not None)
    return next((h for h in others if _needs(h[0], h[2], before)), None)


def _needs(vertex: Vertex, write: Vertex, before: dict[Vertex, list[Vertex]]) -> bool:
    """True when `vertex` has to run after `write`."""
    stack, seen = [vertex], {vertex}
    while stack:
        following = stack.pop()
        if following is write:
            return True
        earlier = [*following.inputs, *before.get(following, ())]
        stack.extend(v for v in earlier if v not in seen)
        seen.update(earlier)
    return False


def _is_state(vertex: Vertex) -> bool:
    return memory_root(vertex).op in ("data", "input")


def _memory(vertex: Vertex) -> object:
    """A key of the memory that `vertex` lies in: that of a buffer, or a vertex."""
    root = memory_root(vertex)
    return id(root.storage.buffer) if root.storage is not None else root
