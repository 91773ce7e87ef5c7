"""Finds the syntax tree of a function or lambda from its code object, with the positions of its
file.
"""

from __future__ import annotations

import ast
import copy
import linecache
from types import CodeType

__all__ = ["definition"]

_LAMBDAS: dict[str, tuple[list[str], list[ast.Lambda]]] = {}


def definition(code: CodeType) -> ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | None:
    """Return a fresh tree of what `code` was compiled from; None where the source can't be had."""
    lines = linecache.getlines(code.co_filename)
    if not 0 < code.co_firstlineno <= len(lines):
        return None
    if code.co_name == "<lambda>":
        return _lambda(code, lines)
    return _function(code, lines)


def _function(code: CodeType, lines: list[str]) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """Parse from the first line of the function to the first line that ends it."""
    first = code.co_firstlineno - 1
    margin = _margin(lines[first])
    # Lines in front keep the numbers, the wrapper keeps the columns.
    before = "\n" * (first - 1) + "if 1:\n" if margin else "\n" * first
    for last in _ends(lines, first, margin):
        try:
            found = ast.parse(before + "".join(lines[first:last])).body[0]
        except SyntaxError:
            continue  # inside a string or parentheses: the function goes on
        found = found.body[0] if isinstance(found, ast.If) else found
        if isinstance(found, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return found if found.name == code.co_name else None
        return None
    return None


def _ends(lines: list[str], first: int, margin: int) -> list[int]:
    """Return the lines, after the `def`, where the function may end: those not indented more."""
    found, inside = [], False
    for number in range(first, len(lines)):
        text = lines[number].strip()
        if not text or text.startswith("#") or _margin(lines[number]) > margin:
            continue
        if inside and text[0] not in ")]}":
            found.append(number)
        inside = inside or text.startswith(("def ", "async def "))
        if len(found) > 50:
            break
    return [*found, len(lines)]


def _margin(line: str) -> int:
    return len(line) - len(line.lstrip())


def _lambda(code: CodeType, lines: list[str]) -> ast.Lambda | None:
    """Find the innermost lambda whose body all instructions lie in."""
    spans = {p for p in code.co_positions() if None not in p and p[2:] != (0, 0)}
    found: ast.Lambda | None = None
    for node in _lambdas(code.co_filename, lines):
        start, end = _start(node.body), _end(node.body)
        inside = all(start <= (p[0], p[2]) and (p[1], p[3]) <= end for p in spans)
        if inside and spans and (found is None or _start(found.body) <= start):
            found = node
    return copy.deepcopy(found)


def _start(node: ast.expr) -> tuple[int, int]:
    return node.lineno, node.col_offset


def _end(node: ast.expr) -> tuple[int, int]:
    return node.end_lineno or 0, node.end_col_offset or 0


def _lambdas(filename: str, lines: list[str]) -> list[ast.Lambda]:
    known = _LAMBDAS.get(filename)
    if known is None or known[0] is not lines:
        try:
            nodes = ast.walk(ast.parse("".join(lines)))
        except SyntaxError:
            return []
        known = lines, [node for node in nodes if isinstance(node, ast.Lambda)]
        _LAMBDAS[filename] = known
    return known[1]
