"""`Vertex`: the graph compiler's own copy of a node, which its passes may rewire and mark."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tensorlib.dtypes import DType
from tensorlib.graph.node import Node, Storage, topological
from tensorlib.graph.view import View, moved
from tensorlib.layouts.dim import Size
from tensorlib.ops import OPS

__all__ = ["HEAVY", "Placement", "Vertex", "copied", "is_view", "sorted_vertices", "vertices"]

# Ops with a kernel of their own, which may absorb elementwise ones before and after.
HEAVY = ("reduce", "contract", "softmax", "index", "scan", "rowwise", "custom")


@dataclass(frozen=True, slots=True)
class Placement:
    """A result that is written into part of another's memory: from `start` on along `axis`."""

    owner: Vertex
    axis: int
    start: Size


class Vertex:
    """One operation of the graph being compiled.

    `kind` is the op's kind in the op table; the ops added here are `copy` (kind elementwise): its
    input's value in memory of its own or, with a `placement`, in part of another's memory.
    `sealed` forbids fusing it into its users: it reads a state before the state is written. `parts`
    are its results behind the first, of an op with several.
    """

    __slots__ = (
        "attributes", "dtype", "inputs", "kind", "op", "parts", "placement", "sealed", "shape",
        "storage",
    )  # fmt: skip

    def __init__(
        self,
        op: str,
        inputs: Sequence[Vertex],
        attributes: dict[str, Any],
        shape: tuple[Size, ...],
        dtype: DType,
        storage: Storage | None = None,
    ) -> None:
        self.op, self.inputs, self.attributes = op, list(inputs), attributes
        self.shape, self.dtype, self.storage = shape, dtype, storage
        self.kind = "elementwise" if op == "copy" else OPS[op].kind
        self.placement: Placement | None = None
        self.sealed = False
        self.parts: tuple[Vertex, ...] = ()

    @property
    def is_movement(self) -> bool:
        return self.kind == "movement"

    def moved(self, view: View) -> View | None:
        """Return the view of this movement over its input's `view`; None where it needs a copy."""
        return moved(view, self.op, self.attributes)

    def __repr__(self) -> str:
        names = ", ".join(v.op for v in self.inputs)
        return f"{self.op}({names}) -> {self.dtype.name}{list(map(str, self.shape))}"


def vertices(roots: Iterable[Node]) -> list[Vertex]:
    """Return the vertices of `roots`, in that order, over private copies of all they need."""
    roots = list(roots)
    new: dict[Node, Vertex] = {}
    for node in topological(roots):
        inputs = [new[i] for i in node.inputs]
        new[node] = Vertex(node.op, inputs, node.attributes, node.shape, node.dtype, node.storage)
    return [new[node] for node in roots]


def copied(vertex: Vertex, placement: Placement | None = None) -> Vertex:
    """Return a new copy of `vertex`."""
    copy = Vertex("copy", (vertex,), {}, vertex.shape, vertex.dtype)
    copy.placement = placement
    return copy


def sorted_vertices(roots: Iterable[Vertex]) -> list[Vertex]:
    """Return all vertices that `roots` need, inputs first."""
    order: list[Vertex] = []
    seen: set[Vertex] = set()
    stack: list[tuple[Vertex, Iterator[Vertex]]] = []
    for root in roots:
        if root not in seen:
            seen.add(root)
            stack.append((root, iter(root.inputs)))
        while stack:
            vertex, rest = stack[-1]
            following = next(rest, None)
            if following is None:
                order.append(vertex)
                stack.pop()
            elif following not in seen:
                seen.add(following)
                stack.append((following, iter(following.inputs)))
    return order


def is_view(node: Node) -> bool:
    """True for a pending movement."""
    return node.storage is None and OPS[node.op].kind == "movement"
