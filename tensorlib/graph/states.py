"""Writes in place: concat and update become placed copies, and old values are read before a write.

An `update` writes into its state's memory, and its result is that memory. Every reader of the old
state has to run before the write, every reader of the result after it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

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
    if output.op == "update" and output.inputs[0].is_movement:
        is_state = memory_root(output).op in ("data", "input")
        return output if is_state else copied(output)
    return copied(output) if output.op in ("data", "input") else output


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
    return located and _version(memory_root(a)) == _version(memory_root(b))


def protect_states(outputs: list[Vertex]) -> list[Edge]:
    """Return the edges from readers of old states to the copies that overwrite them.

    Where no order can serve (a reader of the old state needs the new one), the reader gets a copy
    of the old state. The readers that remain are sealed. `outputs` may be replaced in place.
    """
    while True:
        order = sorted_vertices(outputs)
        if not any(v.op == "update" for v in order):
            return []
        _copy_outputs(outputs, order)
        _copy_forks(order)
        hazards = list(_hazards(sorted_vertices(outputs)))
        at_fault = _on_cycle(outputs, hazards)
        if at_fault is None:
            break
        reader, place, _ = at_fault
        reader.inputs[place] = copied(reader.inputs[place])
    for reader, _, _ in hazards:
        reader.sealed = True
    return [(reader, write) for reader, _, write in hazards]


def _copy_outputs(outputs: list[Vertex], order: list[Vertex]) -> None:
    """An output that a later update overwrites is copied first."""
    overwritten = {base(v.inputs[0]) for v in order if v.op == "update"}
    for k, output in enumerate(outputs):
        if output in overwritten:
            outputs[k] = copied(output)


def _copy_forks(order: list[Vertex]) -> None:
    """Of two updates of one version of a state, the second gets a copy of the version."""
    written: set[object] = set()
    for update in (v for v in order if v.op == "update"):
        version = _version(base(update.inputs[0]))
        if version in written:
            update.inputs[0] = copied(update.inputs[0])
        written.add(version)


Hazard = tuple[Vertex, int, Vertex]  # reader, which of its inputs, the copy that overwrites


def _hazards(order: list[Vertex]) -> Iterator[Hazard]:
    """Yield (reader, input number, write) for each read of a state version that is overwritten."""
    writes: dict[object, Vertex] = {}
    readers: defaultdict[object, list[tuple[Vertex, int]]] = defaultdict(list)
    for vertex in order:
        if vertex.is_movement:
            continue
        for place, source in enumerate(vertex.inputs):
            version = _version(base(source))
            if vertex.op == "update" and place == 0:
                writes[version] = vertex
            elif vertex.op not in ("update", "concat"):
                readers[version].append((vertex, place))
    for version, update in writes.items():
        for reader, place in readers[version]:
            yield reader, place, update.inputs[1]


def _version(vertex: Vertex) -> object:
    return id(vertex.storage.buffer) if vertex.storage is not None else vertex


def _on_cycle(outputs: list[Vertex], hazards: list[Hazard]) -> Hazard | None:
    """Return a hazard whose edge, with the others and the data flow, closes a cycle."""
    before: defaultdict[Vertex, list[Hazard]] = defaultdict(list)
    for hazard in hazards:
        before[hazard[2]].append(hazard)
    for write in before:
        for hazard in before[write]:
            if _needs(hazard[0], write, before):
                return hazard
    return None


def _needs(vertex: Vertex, write: Vertex, before: dict[Vertex, list[Hazard]]) -> bool:
    """True when `vertex` has to run after `write`."""
    stack, seen = [vertex], {vertex}
    while stack:
        following = stack.pop()
        if following is write:
            return True
        earlier = [*following.inputs, *(h[0] for h in before.get(following, ()))]
        if following.placement is not None and following.placement.owner.op == "update":
            earlier.append(following.placement.owner.inputs[0])
        stack.extend(v for v in earlier if v not in seen)
        seen.update(earlier)
    return False
