"""Simplification of graphs: every node goes through the rules, and equal nodes become one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tensorlib.backend import Device
from tensorlib.dtypes import DType
from tensorlib.errors import ShapeError, TensorlibError
from tensorlib.graph.node import Node, Storage, topological
from tensorlib.graph.rule_table import Make, Rule, op_name
from tensorlib.graph.rules import RULES
from tensorlib.kernels.expression import number_key
from tensorlib.layouts.dim import Dim, Size
from tensorlib.ops import OPS
from tensorlib.ops.user import name_of

__all__ = ["attributes_key", "simplified"]

DEEPEST = 100  # rewritings inside one another


def simplified(roots: Iterable[Node]) -> list[Node]:
    """Return nodes of the same values as `roots`, in the same order, after all rules."""
    roots = list(roots)
    simplifier = _Simplifier()
    new: dict[int, Node] = {}
    for node in topological(roots):
        inputs = tuple([new[id(i)] for i in node.inputs])
        new[id(node)] = simplifier.simplify(node, inputs)
    return [new[id(node)] for node in roots]


class _Simplifier:
    def __init__(self) -> None:
        self.known: dict[Any, Node] = {}
        self.rules: list[Rule] = []  # at work, each inside the one before

    def simplify(self, node: Node, inputs: tuple[Node, ...]) -> Node:
        if node.op in ("input", "data", "update"):
            return self._leaf(node, inputs)
        key = (
            node.op, tuple([id(i) for i in inputs]), attributes_key(node), node.shape, node.dtype
        )  # fmt: skip
        found = self.known.get(key)
        if found is None:
            if inputs != node.inputs:
                attributes = node.attributes
                node = _node(node.op, inputs, attributes, node.shape, node.dtype, node.device)
            found = self.known[key] = self._rewritten(node)
            self.known.setdefault(("kept", id(node)), node)  # its id must stay its own
        return found

    def _leaf(self, node: Node, inputs: tuple[Node, ...]) -> Node:
        if node.op == "update" and inputs != node.inputs:
            return _node("update", inputs, node.attributes, node.shape, node.dtype, node.device)
        if node.storage is None:
            return node
        if node.dtype.is_packed:
            return self._packed(node, node.storage)
        return self._data(node, node.storage)

    def _data(self, node: Node, storage: Storage) -> Node:
        place = (id(storage.buffer), storage.offset, storage.strides)
        return self.known.setdefault(("data", *place, node.shape, node.dtype), node)

    def _packed(self, node: Node, storage: Storage) -> Node:
        """Show a permuted view of blocks as a permutation of the rows that are in memory."""
        strides, shape = storage.strides, node.shape
        order = sorted(range(len(shape)), key=lambda k: -strides[k])
        if order == list(range(len(shape))):
            return self._data(node, storage)
        rows = storage.view(storage.buffer, storage.offset, tuple([strides[k] for k in order]))
        source = _node("data", (), {}, tuple([shape[k] for k in order]), node.dtype, node.device)
        source.storage = rows
        axes = {"axes": tuple([order.index(k) for k in range(len(order))])}
        found = self._data(source, rows)
        return self.simplify(
            _node("permute_dims", (found,), axes, shape, node.dtype, node.device), (found,)
        )

    def _rewritten(self, node: Node) -> Node:
        for rule in RULES.of(node.op):
            result = self._applied(rule, node)
            if result is not None and result is not node:
                return result
        return node

    def _applied(self, rule: Rule, node: Node) -> Node | None:
        """Return what a rule makes of a node, with its shape and dtype; None where it doesn't."""
        if len(self.rules) >= DEEPEST:
            last = ", ".join(dict.fromkeys(name_of(r) for r in self.rules[-10:]))
            raise TensorlibError(
                f"rules {last}: got {DEEPEST} rewritings inside one another, needed an end; a rule "
                "must not make what it, or another, rewrites back"
            )
        self.rules.append(rule)
        try:
            result = rule(node, self._maker(node))
        finally:
            self.rules.pop()
        if result is None:
            return None
        if not isinstance(result, Node):
            raise TensorlibError(
                f"rule {name_of(rule)}: returned {type(result).__name__}, needed a node or None"
            )
        if (result.shape, result.dtype) != (node.shape, node.dtype):
            raise ShapeError(
                f"rule {name_of(rule)}: got {result.dtype.name}{list(result.shape)} for "
                f"{node.op}, needed {node.dtype.name}{list(node.shape)}"
            )
        return result

    def _maker(self, origin: Node) -> Make:
        def make(
            op: Any,
            inputs: Sequence[Node],
            attributes: dict[str, Any] | None = None,
            shape: tuple[Size, ...] | None = None,
            dtype: DType | None = None,
        ) -> Node:
            op, given = op_name(op), attributes or {}
            if shape is None:
                shape = tuple(OPS[op].shape([i.shape for i in inputs], given))
            if dtype is None:
                dtype = OPS[op].dtype([i.dtype for i in inputs], given)
            node = _node(op, tuple(inputs), given, shape, dtype, origin.device)
            return self.simplify(node, node.inputs)

        return make


def _node(
    op: str,
    inputs: tuple[Node, ...],
    attributes: dict[str, Any],
    shape: tuple[Size, ...],
    dtype: DType,
    device: Device,
) -> Node:
    """A node that nobody waits for: it is not noted as a reader of the states that it needs."""
    node = Node.__new__(Node)
    node.op, node.inputs, node.attributes = op, inputs, attributes
    node.shape, node.dtype, node.device = shape, dtype, device
    node.storage, node.states, node.depth = None, (), 0
    return node


_SIZES = frozenset((int, Dim))


def attributes_key(node: Node) -> tuple[Any, ...]:
    """Return a hashable form of the attributes that tells 0.0, -0.0, 0 and False apart."""
    return tuple([(name, _value_key(value)) for name, value in node.attributes.items()])


def _value_key(value: Any) -> Any:
    if isinstance(value, bool | int | float | complex):
        return number_key(value)
    if isinstance(value, (tuple, list)):
        plain = _SIZES.issuperset(map(type, value))
        return tuple(value) if plain else tuple(map(_value_key, value))
    return value
