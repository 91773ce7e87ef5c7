"""The table of graph rules, the library's and those of users: what rewrites which nodes."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, TypeAlias

from tensorlib.errors import TensorlibError
from tensorlib.graph.node import Node
from tensorlib.ops import OPS
from tensorlib.ops.registered import Registered
from tensorlib.ops.user import name_of

__all__ = ["RULES", "Make", "Rule", "RuleTable", "graph_rule", "op_name", "register_rule"]

Make: TypeAlias = Callable[..., Node]
Rule: TypeAlias = Callable[[Node, Make], Node | None]


class RuleTable:
    """Rules by op, those of the highest priority first, of equal ones the earliest.

    `generation` is a number for the rules that users added: plans are kept for each by itself.
    """

    def __init__(self) -> None:
        self.generation = 0
        self._rows: dict[str, list[tuple[int, Rule]]] = {}
        self._added: list[tuple[Rule, tuple[str, ...], int]] = []
        self._numbers: dict[Any, int] = {(): 0}

    def of(self, op: str) -> list[Rule]:
        """Return the rules for nodes of `op`, in the order they are tried."""
        return [rule for _, rule in self._rows.get(op, ())]

    def put(self, rule: Rule, ops: tuple[str, ...], priority: int) -> None:
        """Add a rule behind those of its priority."""
        for op in ops:
            rows = self._rows.setdefault(op, [])
            rows.append((priority, rule))
            rows.sort(key=lambda row: -row[0])  # stable: of equal ones the earliest is first

    def add(self, rule: Rule, ops: tuple[str, ...], priority: int) -> None:
        """Add a user's rule."""
        self.put(rule, ops, priority)
        self._added.append((rule, ops, priority))
        self._count()

    def remove(self, rule: Rule, ops: tuple[str, ...], priority: int) -> None:
        """Take a user's rule out."""
        for op in ops:
            self._rows[op].remove((priority, rule))
        self._added.remove((rule, ops, priority))
        self._count()

    def _count(self) -> None:
        self.generation = self._numbers.setdefault(tuple(self._added), len(self._numbers))


RULES = RuleTable()


def register_rule(*ops: str) -> Callable[[Rule], Rule]:
    """Put a rule of the library into the table; see `graph_rule`."""

    def registered(rule: Rule) -> Rule:
        RULES.put(rule, ops, 0)
        return rule

    return registered


def graph_rule(*ops: Any, priority: int = 0) -> Callable[[Rule], Registered]:
    """Add `rule(node, make) -> Node | None` for nodes of these ops; use as a decorator.

    `ops` are names of the op table, or operations made by `tl.elementwise` or `tl.op`. The rule
    sees a node (`op`, `inputs`, `attributes`, `shape`, `dtype`) whose inputs are simplified
    already, and returns a node of the same shape and dtype to take its place, or None where it does
    not apply. `make(op, inputs, attributes=None, shape=None, dtype=None)` builds and simplifies a
    node; shape and dtype come from the op table where left out. A rule of higher `priority` is
    tried first; the library's have 0, and of equal ones the earliest comes first.

    Graphs that are computed from now on go through the rule; functions that `tl.compile` has
    recorded already stay as they are. Returns the rule with `remove()` and `add()`; in a `with` it
    is there inside only. Raises TensorlibError for an unknown op.

    >>> import tensorlib as tl
    >>> @tl.graph_rule("log")
    ... def log_of_exp(node, make):
    ...     source = node.inputs[0]
    ...     return source.inputs[0] if source.op == "exp" else None
    >>> with log_of_exp:
    ...     tl.log(tl.exp(tl.asarray([1000.0])))
    tensor([1000.], dtype=float64)
    >>> tl.log(tl.exp(tl.asarray([1000.0])))
    tensor([inf], dtype=float64)
    """
    names = tuple(_known(op) for op in ops)
    if not names:
        raise TensorlibError("graph_rule: got no ops, needed the names of those it rewrites")

    def registered(rule: Rule) -> Registered:
        return Registered(
            rule,
            lambda function: RULES.add(function, names, priority),
            lambda function: RULES.remove(function, names, priority),
        )

    return registered


def op_name(op: Any) -> str:
    """Return the name of an op: a name as it is, that of an operation that a user made."""
    if isinstance(op, str):
        return op
    name: str = op.row().name
    return name


def _known(op: Any) -> str:
    name = op_name(op) if isinstance(op, str) or hasattr(op, "row") else repr(op)
    if name not in OPS:
        near = get_close_matches(name, OPS, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise TensorlibError(f"graph_rule: got {name}, needed the name of an op{hint}")
    if getattr(op, "outputs", 1) > 1:
        raise TensorlibError(
            f"graph_rule: got {name_of(op)}, which has {op.outputs} results, needed an op with one"
        )
    return name
