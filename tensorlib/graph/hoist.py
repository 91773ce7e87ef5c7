"""What a captured function computes from constants alone is computed once, beforehand."""

from __future__ import annotations

from collections.abc import Iterable

from tensorlib.graph.node import Node, topological
from tensorlib.graph.realise import realise
from tensorlib.graph.view import product
from tensorlib.layouts.dim import Dim
from tensorlib.ops import OPS

__all__ = ["hoisted"]

SMALL_BYTES = 1 << 20


def hoisted(outputs: Iterable[Node]) -> list[Node]:
    """Realise the greatest parts of the graph that depend on constants alone, and return them.

    Only where the result is small, or no larger than the data that it is made from: weights are
    not blown up.
    """
    outputs = list(outputs)
    found: dict[Node, None] = {}
    leaves: dict[Node, frozenset[Node] | None] = {}
    for node in topological(outputs):
        leaves[node] = _constant_leaves(node, leaves)
    stack, seen = list(outputs), set(outputs)
    while stack:
        node = stack.pop()
        if _is_worth_it(node, leaves[node]):
            found[node] = None
            continue
        following = [i for i in node.inputs if i not in seen]
        seen.update(following)
        stack.extend(following)
    realise(found)
    return list(found)


def _constant_leaves(
    node: Node, leaves: dict[Node, frozenset[Node] | None]
) -> frozenset[Node] | None:
    """The data that a node is made from, None where it depends on a call's arguments or a state."""
    if node.op in ("input", "update") or node.states or _is_symbolic(node):
        return None
    if node.storage is not None:
        return frozenset((node,))
    parts = [leaves[i] for i in node.inputs]
    if any(part is None for part in parts):
        return None
    return frozenset[Node]().union(*[p for p in parts if p is not None])


def _is_symbolic(node: Node) -> bool:
    values = [*node.shape, *node.attributes.values()]
    flat = [v for value in values for v in (value if isinstance(value, tuple) else (value,))]
    return any(isinstance(v, Dim) for v in flat)


def _is_worth_it(node: Node, data: frozenset[Node] | None) -> bool:
    if data is None or node.storage is not None or node.dtype.is_packed:
        return False
    if "results" in node.attributes:
        return False  # of several results each is a node of its own
    if OPS[node.op].kind in ("create", "movement"):
        return False
    return _bytes(node) <= max(SMALL_BYTES, sum(_bytes(d) for d in data))


def _bytes(node: Node) -> int:
    elements = product(node.shape)
    assert isinstance(elements, int)
    return node.dtype.nbytes(elements)
