"""Operations with several results: a node `part` for each, and one kernel that writes them all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from weakref import WeakKeyDictionary, WeakSet

from tensorlib.dtypes import DType
from tensorlib.graph.build import same_device, settled
from tensorlib.graph.node import Node
from tensorlib.graph.vertex import Vertex, sorted_vertices
from tensorlib.ops import Shape

__all__ = ["Results", "own_results", "parts", "with_siblings"]

Results = tuple[tuple[Shape, DType], ...]

_SIBLINGS: WeakKeyDictionary[Node, WeakSet[Node]] = WeakKeyDictionary()


def parts(op: str, inputs: tuple[Node, ...], results: Results, **attributes: object) -> list[Node]:
    """Return the results of `op`, of these shapes and dtypes: nodes that share its computation."""
    shape, dtype = results[0]
    attributes["results"] = results
    node = Node(op, inputs, attributes, shape, dtype, same_device(op, inputs))
    found = []
    for index, (shape, dtype) in enumerate(results):
        given = {"index": index, "shape": shape, "dtype": dtype}
        found.append(Node("part", (node,), given, shape, dtype, node.device))
    _SIBLINGS[node] = WeakSet(found)
    return [settled(part) for part in found]


def with_siblings(nodes: Iterable[Node]) -> Iterable[Node]:
    """Yield the nodes, and with a pending result the others that somebody still holds."""
    for node in nodes:
        yield node
        if node.op == "part":
            yield from sorted(_SIBLINGS.get(node.inputs[0], ()), key=_index)


def _index(node: Node) -> int:
    index: int = node.attributes.get("index", 0)
    return index


def own_results(outputs: Sequence[Vertex]) -> list[Vertex]:
    """Tell every vertex with several results which vertices these are, and return the outputs.

    The first result is the vertex itself. The others are its `parts`: there is one for each result
    even where nobody reads it, since the kernel writes it all the same.
    """
    order = sorted_vertices(outputs)
    first: dict[Vertex, Vertex] = {}
    for vertex in order:
        if vertex.op == "part":
            _note(vertex, first)
    for vertex in order:
        vertex.inputs = [first.get(source, source) for source in vertex.inputs]
    return [first.get(output, output) for output in outputs]


def _note(part: Vertex, first: dict[Vertex, Vertex]) -> None:
    (owner,), index = part.inputs, part.attributes["index"]
    if not owner.parts:
        owner.parts = tuple(_unread(owner))
    if index == 0:
        first[part] = owner
    else:
        owner.parts = (*owner.parts[: index - 1], part, *owner.parts[index:])


def _unread(owner: Vertex) -> Iterable[Vertex]:
    for index, (shape, dtype) in enumerate(owner.attributes["results"]):
        if index:
            attributes = {"index": index, "shape": shape, "dtype": dtype}
            yield Vertex("part", (owner,), attributes, shape, dtype)
