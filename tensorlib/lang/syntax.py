"""Makes syntax: names, functions, and calls of the language by its one hidden name."""

from __future__ import annotations

import ast
from typing import Any, TypeVar

from tensorlib.lang.nodes import children

__all__ = [
    "LANG",
    "arguments",
    "asked",
    "call",
    "changed_name",
    "function",
    "is_language",
    "language",
    "load",
    "placed",
    "store",
    "thunk",
]

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
        for child in children(node):
            placed(child, at)
        if "lineno" in node._attributes:
            new: Any = node
            old: Any = at
            new.lineno, new.col_offset = old.lineno, old.col_offset
            new.end_lineno, new.end_col_offset = old.end_lineno, old.end_col_offset
    return node


def changed_name(name: str) -> ast.stmt:
    """A check that a name, whose elements a body assigns, may change there."""
    return ast.Expr(call("changed_at_run_time", ast.Constant(name), thunk(load(name))))


def asked(test: ast.expr, is_inside: bool = False) -> ast.expr:
    """Ask operands of `and` and `or` for their truth only, where that is all that is wanted."""
    if isinstance(test, ast.BoolOp):
        test.values = [asked(value, True) for value in test.values]
    elif is_inside and not isinstance(test, (ast.Compare, ast.UnaryOp)):
        return placed(call("truth", test), test)
    return test


def is_language(called: ast.expr) -> bool:
    """Whether a call needs no rewriting: ours already, or a built-in that looks at its caller."""
    if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name):
        return called.value.id == LANG
    if isinstance(called, ast.Call):  # rewritten(f), but not what f(...) gives
        return isinstance(called.func, ast.Attribute) and is_language(called.func)
    return isinstance(called, ast.Name) and called.id in ("range", "super", "locals")
