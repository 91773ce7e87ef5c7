"""Makes syntax: names, functions, and calls of the language by its one hidden name."""

from __future__ import annotations

import ast
from typing import TypeVar

__all__ = ["LANG", "arguments", "call", "function", "language", "load", "placed", "store", "thunk"]

LANG = "__tensorlib"
Node = TypeVar("Node", bound=ast.AST)


def load(name: str) -> ast.expr:
    """The value of a name."""
    return ast.Name(name, ast.Load())


def store(name: str) -> ast.expr:
    """A name as the target of an assignment."""
    return ast.Name(name, ast.Store())


def language(name: str) -> ast.expr:
    """What the language has under `name`."""
    return ast.Attribute(load(LANG), name, ast.Load())


def call(name: str, *values: ast.expr) -> ast.Call:
    """A call of the language's function `name`."""
    return ast.Call(language(name), list(values), [])


def arguments(names: list[str]) -> ast.arguments:
    """Plain parameters."""
    return ast.arguments([], [ast.arg(n) for n in names], None, [], [], None, [])


def thunk(value: ast.expr) -> ast.expr:
    """`lambda: value`."""
    return ast.Lambda(arguments([]), value)


def function(name: str, parameters: list[str], body: list[ast.stmt]) -> ast.FunctionDef:
    """`def name(parameters): body`."""
    made = ast.FunctionDef(name, arguments(parameters), body, [], None, None)
    if "type_params" in ast.FunctionDef._fields:  # from Python 3.12 on
        setattr(made, "type_params", [])  # noqa: B010
    return made


def placed(node: Node, at: ast.AST) -> Node:
    """Give new nodes the position of `at`; those that have one, and what is in them, keep it."""
    if not hasattr(node, "lineno"):
        for child in ast.iter_child_nodes(node):
            placed(child, at)
        if "lineno" in node._attributes:
            ast.copy_location(node, at)
    return node
