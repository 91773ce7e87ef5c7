"""Which names statements assign and change, and how they leave the block they stand in."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Any

from tensorlib.lang.nodes import LEAVES, children

__all__ = [
    "assigned",
    "contains",
    "declared",
    "leaves",
    "own_nodes",
    "own_statements",
    "read_after",
    "targets",
]

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_DEFINITIONS = (*_FUNCTIONS, ast.ClassDef)
# Nodes other than names that give a name something, or may change what it has.
_NAMING = frozenset(
    {
        ast.Subscript, ast.Attribute, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef,
        ast.Import, ast.ImportFrom, ast.MatchAs, ast.MatchStar, ast.ExceptHandler,
    }
)  # fmt: skip
_SIMPLE = frozenset({ast.Assign, ast.AugAssign, ast.Expr, ast.Return, ast.Pass})


def own_nodes(body: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """Yield the nodes of statements, without going into functions and classes defined there."""
    todo: list[ast.AST] = list(body)
    while todo:
        node = todo.pop()
        yield node
        kind = type(node)
        if kind in LEAVES or kind in _DEFINITIONS:
            continue
        # A comprehension's variables are its own.
        todo += [node.iter, *node.ifs] if isinstance(node, ast.comprehension) else children(node)


def own_statements(body: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """Yield the statements among `own_nodes`, which are far fewer."""
    todo = list(body)
    while todo:
        node = todo.pop()
        yield node
        if not isinstance(node, _DEFINITIONS):
            todo += statements_in(node)


def statements_in(node: Any) -> list[ast.AST]:
    """Return the statements that stand directly in a compound one."""
    found: list[ast.AST] = []
    if type(node) in _SIMPLE:
        return found
    for part in (node, *getattr(node, "handlers", ()), *getattr(node, "cases", ())):
        for name in ("body", "orelse", "finalbody"):
            found += getattr(part, name, ())
    return found


def assigned(body: Sequence[ast.AST]) -> tuple[set[str], set[str]]:
    """Return the names that statements assign, and those that only `name[...] = v` changes."""
    stored: set[str] = set()
    changed: set[str] = set()
    for node in own_nodes(body):
        if isinstance(node, ast.Name):
            if type(node.ctx) is not ast.Load:
                stored.add(node.id)
        elif type(node) not in _NAMING:
            continue
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
    return {name for node in own_statements(body) if isinstance(node, kind) for name in node.names}


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
            found |= leaves(statements_in(node))
    return found


def read_after(body: Sequence[ast.AST]) -> set[int]:
    """Return the ids of `for` loops over a name that something outside of them reads.

    What reads the name inside another loop over it, which does not hold this one, reads another's.
    """
    reads: set[tuple[str, tuple[int, ...]]] = set()  # names, with the loops over them around
    loops: list[tuple[str, tuple[int, ...], int]] = []

    def visit(node: ast.AST, around: dict[str, tuple[int, ...]], hidden: set[str]) -> None:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            if node.id not in hidden:
                reads.add((node.id, around.get(node.id, ())))
            return
        parts = children(node)
        if isinstance(node, ast.For) and isinstance(node.target, ast.Name):
            name, path = node.target.id, around.get(node.target.id, ())
            loops.append((name, path, id(node)))
            inner = {**around, name: (*path, id(node))}
            for child in node.body:
                visit(child, inner, hidden)
            parts = [node.iter, *node.orelse]
        elif isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)):
            hidden = hidden.union(*(targets(g.target) for g in node.generators))
        elif isinstance(node, (*_FUNCTIONS,)):
            inputs = node.args
            hidden = hidden | {
                a.arg for a in (*inputs.posonlyargs, *inputs.args, *inputs.kwonlyargs)
            }
        for part in parts:
            visit(part, around, hidden)

    for node in body:
        visit(node, {}, set())
    return {
        number
        for name, path, number in loops
        if any((name, path[:n]) in reads for n in range(len(path) + 1))
    }
