"""Rewrites early return, break and continue into flags and branches, before anything else is
rewritten.

    for i in range(n):                  __broken_1 = False
        if x[i] < 0:                    for i in range(n):      # leaves once __broken_1 is true
            break                           if x[i] < 0:
        s = s + x[i]         becomes            __broken_1 = True
                                            else:
                                                s = s + x[i]

What follows a branch that always leaves moves into the other branch; where a branch leaves
sometimes, what follows is guarded by the flags. A function then ends in one return.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from tensorlib.lang.scope import leaves, own_nodes, own_statements
from tensorlib.lang.syntax import call, language, load, placed, store

__all__ = ["has_exits", "without_exits"]

RETURNED, VALUE = "__returned", "__value"
_OPAQUE = (ast.With, ast.AsyncWith, ast.AsyncFor, ast.Try, ast.Match)
Loop = ast.For | ast.While


def has_exits(body: Sequence[ast.stmt]) -> bool:
    """Whether a function's body leaves anywhere but in a return as its last statement."""
    inner = body[:-1] if isinstance(body[-1], ast.Return) else body
    if leaves(inner):
        return True
    loops = [n for n in own_statements(body) if isinstance(n, (ast.For, ast.While))]
    return any(leaves(loop.body) or loop.orelse for loop in loops)


def without_exits(body: list[ast.stmt]) -> list[ast.stmt] | None:
    """Return the body rewritten; None where it leaves from inside with, try or match."""
    if any(isinstance(n, _OPAQUE) and leaves([n]) for n in own_nodes(body)):
        return None
    return _Exits().function(body)


class _Exits:
    """The flags of the loops around the statement being rewritten, and which flags are read."""

    def __init__(self) -> None:
        self.count = 0
        self.read: set[str] = set()
        self.loops: list[dict[str, str]] = []  # kind of exit -> its flag, outermost loop first

    def function(self, body: list[ast.stmt]) -> list[ast.stmt]:
        if not leaves(body[:-1]) and isinstance(body[-1], (ast.Return, ast.Expr)):
            made = self.block(body[:-1]) if body[:-1] else []
            return [*_pruned(made, self.read), body[-1]]
        if not leaves(body):
            return _pruned(self.block(body), self.read)
        first = [
            _set(RETURNED, ast.Constant(False), body[0]),
            _set(VALUE, language("unset"), body[0]),
        ]
        ends = _always(body)  # then the flag is set here, whatever the tracer knows of it
        made = self.block(body)
        last = ast.Return(
            call("returned", load(VALUE), ast.Constant(True) if ends else load(RETURNED))
        )
        return [*first, *_pruned(made, self.read), placed(last, body[-1])]

    def block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """Rewrite statements that run one after the other."""
        made: list[ast.stmt] = []
        for position, node in enumerate(body):
            rest, kinds = body[position + 1 :], leaves([node])
            if isinstance(node, (ast.Return, ast.Break, ast.Continue)):
                return [*made, *self.leave(node)]
            if isinstance(node, ast.If) and (_always(node.body) or _always(node.orelse)):
                return [*made, self.split(node, rest)]
            made += self.statement(node)
            if kinds:
                return [*made, *self.guarded([self.flag(k) for k in sorted(kinds)], rest, node)]
        return made or [placed(ast.Pass(), body[0])]

    def leave(self, node: ast.Return | ast.Break | ast.Continue) -> list[ast.stmt]:
        """Set the flag of an exit; nothing after it in its block runs."""
        if isinstance(node, ast.Return):
            value = node.value or placed(ast.Constant(None), node)
            return [_set(VALUE, value, node), _set(RETURNED, ast.Constant(True), node)]
        kind = "break" if isinstance(node, ast.Break) else "continue"
        return [_set(self.flag(kind), ast.Constant(True), node)]

    def flag(self, kind: str) -> str:
        return RETURNED if kind == "return" else self.loops[-1][kind]

    def split(self, node: ast.If, rest: list[ast.stmt]) -> ast.stmt:
        """One branch always leaves: what follows belongs to the other."""
        then, otherwise = node.body, node.orelse
        node.body = self.block(then if _always(then) else [*then, *rest])
        after = otherwise if _always(otherwise) else [*otherwise, *rest]
        node.orelse = self.block(after) if after else []
        return node

    def guarded(self, flags: list[str], body: list[ast.stmt], at: ast.stmt) -> list[ast.stmt]:
        """Return `body` under the condition that none of the flags is set."""
        if not body:
            return []
        if not flags:
            return self.block(body)
        self.read |= set(flags)
        tests = [load(flag) for flag in flags]
        test = tests[0] if len(tests) == 1 else ast.BoolOp(ast.Or(), tests)
        return [placed(ast.If(ast.UnaryOp(ast.Not(), test), self.block(body), []), at)]

    def statement(self, node: ast.stmt) -> list[ast.stmt]:
        """Rewrite what is inside a statement."""
        if isinstance(node, (ast.For, ast.While)):
            return self.loop(node)
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            parts = [node, *getattr(node, "handlers", []), *getattr(node, "cases", [])]
            for part in parts:
                for name in ("body", "orelse", "finalbody"):
                    if getattr(part, name, None):
                        setattr(part, name, self.block(getattr(part, name)))
        return [node]

    def loop(self, node: Loop) -> list[ast.stmt]:
        """Rewrite a loop: `flags` of its node say when it is left; `else` is what follows then."""
        kinds, otherwise = leaves(node.body), node.orelse
        self.count += 1
        own = {"break": f"__broken_{self.count}", "continue": f"__skipped_{self.count}"}
        self.loops.append(own)
        body = self.block(node.body)
        self.loops.pop()
        if "continue" in kinds:
            body = [_set(own["continue"], ast.Constant(False), node), *body]
        flags = [own["break"]] if "break" in kinds else []
        first = [_set(flag, ast.Constant(False), node) for flag in flags]
        flags += [RETURNED] if "return" in kinds else []
        self.read |= set(flags)
        node.body, node.orelse = body, []
        node.flags = flags  # type: ignore[union-attr]
        return [*first, node, *self.guarded(flags, otherwise, node)]


def _always(body: list[ast.stmt]) -> bool:
    """Whether statements leave on every path."""
    if not body:
        return False
    last = body[-1]
    if isinstance(last, ast.If):
        return _always(last.body) and _always(last.orelse)
    if isinstance(last, ast.While) and isinstance(last.test, ast.Constant) and last.test.value:
        return "break" not in leaves(last.body)
    if isinstance(last, (ast.For, ast.While)) and "break" not in leaves(last.body):
        return _always(last.orelse)
    return isinstance(last, (ast.Return, ast.Break, ast.Continue))


def _pruned(body: list[ast.stmt], read: set[str]) -> list[ast.stmt]:
    """Drop what sets flags that nothing reads."""
    made: list[ast.stmt] = []
    for node in body:
        for name in ("body", "orelse", "finalbody"):
            if isinstance(node, (ast.If, ast.For, ast.While, ast.With)) and getattr(node, name, []):
                setattr(node, name, _pruned(getattr(node, name), read))
        if not _sets_unread(node, read):
            made.append(node)
    return made or ([placed(ast.Pass(), body[0])] if body else [])


def _sets_unread(node: ast.stmt, read: set[str]) -> bool:
    if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
        return False
    name = node.targets[0].id
    return name.startswith(("__broken_", "__skipped_")) and name not in read


def _set(name: str, value: ast.expr, at: ast.stmt) -> ast.stmt:
    return placed(ast.Assign([store(name)], value), at)
