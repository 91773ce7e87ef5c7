"""Says some statements in simpler ones, before anything else is rewritten.

    match n % 4:                          __subject_1 = n % 4
        case 0 | 2: a()                   if __subject_1 == 0 or __subject_1 == 2: a()
        case k if k > limit: b()    ->    else:
        case _: c()                           k = __subject_1
                                              if k > limit: b()
                                              else: c()

    while (v := x[i]) > 0:                while True:
        i += 1                      ->        if not (v := x[i]) > 0: break
                                              i += 1

    total: Scalar = 0               ->    total = 0

A `match` on structure stays as it is, and so does what stands in functions and classes inside.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from tensorlib.lang.nodes import Transformer
from tensorlib.lang.scope import contains, leaves
from tensorlib.lang.syntax import load, placed, store

__all__ = ["desugared"]

Test = ast.expr | None  # None: it always holds


def desugared(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    """Return the statements of a function in simpler ones."""
    sugar, made = _Sugar(), []
    for node in body:
        found = sugar.visit(node)
        made += found if isinstance(found, list) else [found]
    return made


class _Sugar(Transformer):
    def __init__(self) -> None:
        self.count = 0

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> Any:
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> Any:
        return node

    def visit_Lambda(self, node: ast.Lambda) -> Any:
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        """Annotations inside a function mean nothing, and can't stand beside `nonlocal`."""
        if node.value is None:
            return placed(ast.Pass(), node)
        return ast.copy_location(ast.Assign([node.target], node.value), node)

    def visit_While(self, node: ast.While) -> Any:
        self.generic_visit(node)
        otherwise = node.orelse
        if contains([node.test], ast.NamedExpr) and not leaves(otherwise) & {"break", "continue"}:
            ends = [*otherwise, ast.Break()]
            leave = ast.If(ast.UnaryOp(ast.Not(), node.test), ends, [])
            node.body = [placed(leave, node.test), *node.body]
            node.test, node.orelse = placed(ast.Constant(True), node.test), []
        return node

    def visit_Match(self, node: ast.Match) -> Any:
        self.generic_visit(node)
        found = [_test(case.pattern) for case in node.cases]
        if any(map(_is_structure, node.cases, found)):
            return node
        self.count += 1
        name = f"__subject_{self.count}"
        made: list[ast.stmt] = []
        for case, pair in zip(reversed(node.cases), reversed(found), strict=True):
            assert pair is not None
            made = _case(case, *pair, name, made)
        first = placed(ast.Assign([store(name)], node.subject), node.subject)
        return [first, *(made or [placed(ast.Pass(), node)])]


def _case(
    case: ast.match_case, tests: list[Test], names: list[str], subject: str, rest: list[ast.stmt]
) -> list[ast.stmt]:
    """Return one case as an `if`, with the cases behind it as its `else`."""
    at = case.pattern
    given: list[ast.expr] = [_compared(subject, test, at) for test in tests if test is not None]
    bound: list[ast.stmt] = [ast.Assign([store(n)], load(subject)) for n in names]
    if len(given) == len(tests):  # no pattern that always holds
        test = given[0] if len(given) == 1 else ast.BoolOp(ast.Or(), given)
        if case.guard is not None:
            test = ast.BoolOp(ast.And(), [test, case.guard])
        return [placed(ast.If(test, [*bound, *case.body], rest), at)]
    bound = [placed(b, at) for b in bound]
    if case.guard is not None:
        return [*bound, placed(ast.If(case.guard, case.body, rest), at)]
    return [*bound, *case.body]


def _is_structure(case: ast.match_case, found: tuple[list[Test], list[str]] | None) -> bool:
    """Whether a case is no plain `if`: `3 as n` with a guard gives n between two tests."""
    return found is None or bool(case.guard and found[1] and None not in found[0])


def _compared(subject: str, test: ast.expr, at: ast.AST) -> ast.expr:
    single = isinstance(test, ast.Constant) and isinstance(test.value, (bool, type(None)))
    sign: ast.cmpop = ast.Is() if single else ast.Eq()
    return placed(ast.Compare(load(subject), [sign], [test]), at)


def _test(pattern: ast.pattern) -> tuple[list[Test], list[str]] | None:
    """Return what a pattern compares with and the names that it gives; None for structure."""
    if isinstance(pattern, ast.MatchValue):
        return [pattern.value], []
    if isinstance(pattern, ast.MatchSingleton):
        return [placed(ast.Constant(pattern.value), pattern)], []
    if isinstance(pattern, ast.MatchOr):
        found = [_test(p) for p in pattern.patterns]
        if any(pair is None or pair[1] for pair in found):
            return None
        return [test for pair in found if pair is not None for test in pair[0]], []
    if isinstance(pattern, ast.MatchAs):
        inner = _test(pattern.pattern) if pattern.pattern is not None else ([None], [])
        return inner and (inner[0], [*inner[1], *([pattern.name] if pattern.name else [])])
    return None
