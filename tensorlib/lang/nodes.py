"""Walks and rewrites syntax trees as `ast` does, without what makes that slow."""

from __future__ import annotations

import ast
import functools
from typing import Any, ClassVar

__all__ = ["LEAVES", "Transformer", "children"]

# Fields that hold names, and those that only say which operator or context.
_NAMES = frozenset({"attr", "arg", "id", "kind", "type_comment", "ctx", "op", "ops"})
LEAVES = frozenset({ast.Name, ast.Constant, ast.Pass, ast.Break, ast.Continue})
# Nodes with lists that hold names or None too.
_MIXED = frozenset(
    {ast.arguments, ast.Dict, ast.Global, ast.Nonlocal, ast.MatchMapping, ast.MatchClass}
)


def children(node: ast.AST) -> list[ast.AST]:
    """Return what `ast.iter_child_nodes` yields, but for operators and contexts.

    >>> [type(n).__name__ for n in children(ast.parse("a + f(b)").body[0].value)]
    ['Name', 'Call']
    """
    found: list[ast.AST] = []
    kind: Any = type(node)
    if kind in LEAVES:
        return found
    for name in _inner(kind):
        value = getattr(node, name, None)
        if isinstance(value, ast.AST):
            found.append(value)
        elif isinstance(value, list):
            found += value
    return found if kind not in _MIXED else [n for n in found if isinstance(n, ast.AST)]


@functools.cache
def _inner(kind: Any) -> tuple[str, ...]:
    """Return the fields of a kind of node that may hold nodes."""
    return tuple(name for name in kind._fields if name not in _NAMES)


class Transformer(ast.NodeTransformer):
    """An `ast.NodeTransformer` that looks its methods up once a class, and stays out of leaves."""

    methods: ClassVar[dict[type, Any]]

    def __init_subclass__(cls) -> None:
        names = [name for name in dir(cls) if name.startswith("visit_") and name[6:] in vars(ast)]
        kinds: dict[Any, Any] = {getattr(ast, name[6:]): getattr(cls, name) for name in names}
        if cls.visit_Constant is ast.NodeVisitor.visit_Constant:  # which asks for older names
            kinds.pop(ast.Constant, None)
        cls.methods = kinds

    def visit(self, node: ast.AST) -> Any:
        """Return what stands for a node: the node itself, another, several or None."""
        kind = type(node)
        method = self.methods.get(kind)
        if method is not None:
            return method(self, node)
        return node if kind in LEAVES else self.generic_visit(node)

    def generic_visit(self, node: ast.AST) -> Any:
        """Visit what is in a node, and return the node."""
        kind: Any = type(node)
        for name in _inner(kind):
            old = getattr(node, name, None)
            if isinstance(old, list):
                setattr(node, name, self._several(old))
            elif isinstance(old, ast.AST):
                new = self.visit(old)
                if new is None:
                    delattr(node, name)
                elif new is not old:
                    setattr(node, name, new)
        return node

    def _several(self, nodes: list[Any]) -> list[Any]:
        made: list[Any] = []
        for node in nodes:
            new = self.visit(node) if isinstance(node, ast.AST) else node
            if isinstance(new, list):
                made += new
            elif new is not None or not isinstance(node, ast.AST):
                made.append(new)
        return made
