"""Which names statements assign and change, and how they leave the block they stand in."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

__all__ = ["assigned", "contains", "declared", "leaves", "own_nodes", "targets"]

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def own_nodes(body: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """Yield the nodes of statements, without going into functions and classes defined there."""
    todo: list[ast.AST] = list(body)
    while todo:
        node = todo.pop()
        yield node
        if isinstance(node, ast.comprehension):  # its variables are its own
            todo += [node.iter, *node.ifs]
        elif not isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            todo.extend(ast.iter_child_nodes(node))


def assigned(body: Sequence[ast.AST]) -> tuple[set[str], set[str]]:
    """Return the names that statements assign, and those that only `name[...] = v` changes."""
    stored: set[str] = set()
    changed: set[str] = set()
    for node in own_nodes(body):
        if isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Load):
                stored.add(node.id)
        elif isinstance(node, (ast.Subscript, ast.Attribute)):
            if not isinstance(node.ctx, ast.Load):
                changed |= _base(node.value)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            stored.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            stored |= {(a.asname or a.name).partition(".")[0] for a in node.names}
        elif isinstance(node, (ast.MatchAs, ast.MatchStar, ast.ExceptHandler)) and node.name:
            stored.add(node.name)
    return stored, changed - stored


def _base(target: ast.expr) -> set[str]:
    """Return the name at the bottom of `name[i].field[j]`."""
    while isinstance(target, (ast.Subscript, ast.Attribute)):
        target = target.value
    return {target.id} if isinstance(target, ast.Name) else set()


def targets(target: ast.expr) -> set[str]:
    """Return the names that an assignment to `target` binds."""
    return {n.id for n in ast.walk(target) if isinstance(n, ast.Name)}


def declared(body: Sequence[ast.AST], kind: type[ast.Global | ast.Nonlocal]) -> set[str]:
    """Return the names that a function declares global, or nonlocal."""
    return {name for node in own_nodes(body) if isinstance(node, kind) for name in node.names}


def contains(body: Sequence[ast.AST], *kinds: type[ast.AST]) -> bool:
    """Whether a node of one of these kinds is among the own nodes of statements."""
    return any(isinstance(node, kinds) for node in own_nodes(body))


def leaves(body: Sequence[ast.AST]) -> set[str]:
    """Return which of return, break and continue can leave a block of statements."""
    found: set[str] = set()
    for node in body:
        if isinstance(node, ast.Return):
            found.add("return")
        elif isinstance(node, (ast.Break, ast.Continue)):
            found.add("break" if isinstance(node, ast.Break) else "continue")
        elif isinstance(node, (ast.For, ast.AsyncFor, ast.While)):  # it keeps its own
            found |= leaves(node.body) & {"return"} | leaves(node.orelse)
        elif not isinstance(node, (*_FUNCTIONS, ast.ClassDef, ast.expr)):
            found |= leaves(list(ast.iter_child_nodes(node)))
    return found
