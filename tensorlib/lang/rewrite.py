"""Rewrites the control flow of a Python function so that it can be traced.

Statements become calls of `lang.control` over the names they assign, and calls of plain functions rewrite those too.
The rewritten function keeps the file, line numbers, defaults, globals and closure cells of the original.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
import types
from collections.abc import Callable, Iterator
from typing import Any

from tensorlib.lang import control

__all__ = ["rewritten"]

LANG = "__tensorlib_control"
_CACHE: dict[types.CodeType, types.CodeType | None] = {}
_DONE: set[types.CodeType] = set()
# Modules whose functions are the language itself, or work on Python values only.
_LEAVE = ("tensorlib.simd", "tensorlib.tile", "tensorlib.ir.", "tensorlib.lang.", "numpy", "math")


def rewritten(function: Any) -> Any:
    """Return `function` with its control flow rewritten; anything but a plain function as it is."""
    if isinstance(function, types.MethodType):
        return types.MethodType(rewritten(function.__func__), function.__self__)
    if not isinstance(function, types.FunctionType) or function.__code__ in _DONE:
        return function
    if (function.__module__ or "").startswith(_LEAVE):
        return function
    code = function.__code__
    if code not in _CACHE:
        _CACHE[code] = _rewrite(function)
    new = _CACHE[code]
    return function if new is None else _with_code(function, new)


def _with_code(function: types.FunctionType, code: types.CodeType) -> types.FunctionType:
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    cells[LANG] = types.CellType(_LANGUAGE)
    closure = tuple(cells.get(name, types.CellType()) for name in code.co_freevars)
    made = types.FunctionType(
        code, function.__globals__, function.__name__, function.__defaults__, closure
    )
    made.__kwdefaults__ = function.__kwdefaults__
    made.__module__ = function.__module__
    return made


def _rewrite(function: types.FunctionType) -> types.CodeType | None:
    """Return the new code object, or None where the source can't be had."""
    found = _definition(function)
    if found is None:
        return None
    module = ast.Module([_factory(_Rewriter().visit(found), function)], [])
    ast.fix_missing_locations(module)
    outer = compile(module, function.__code__.co_filename, "exec")
    code = _find(outer, function.__code__.co_name)
    _DONE.update(_codes(code))
    return code


def _definition(function: types.FunctionType) -> ast.FunctionDef | ast.Lambda | None:
    """Return the syntax tree of a function, with the line numbers of its file."""
    code = function.__code__
    try:
        lines, first = inspect.getsourcelines(code)
    except (OSError, TypeError):
        return None
    tree = _parse_fragment("".join(lines))
    if tree is None:
        return None
    ast.increment_lineno(tree, first - 1)
    if code.co_name != "<lambda>":
        nodes = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
        return next((n for n in nodes if n.name == code.co_name), None)
    return _lambda_at(tree, code)


def _parse_fragment(source: str) -> ast.Module | None:
    source = textwrap.dedent(source)
    for text in (source, f"({source.strip()})", f"_({source.strip().rstrip(',)')})"):
        try:
            return ast.parse(text)
        except SyntaxError:
            continue
    return None


def _lambda_at(tree: ast.Module, code: types.CodeType) -> ast.Lambda | None:
    """Find a lambda by its parameters and body: the one whose code is the same."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Lambda):
            wrapped = ast.Expression(node)
            candidate = next(_codes_in(compile(wrapped, code.co_filename, "eval")))
            if candidate.co_code == code.co_code and candidate.co_consts == code.co_consts:
                found.append(node)
    return found[0] if found else None


def _factory(definition: Any, function: types.FunctionType) -> ast.FunctionDef:
    """Wrap the definition in a function whose parameters are its free names."""
    if isinstance(definition, ast.FunctionDef):
        definition.decorator_list = []
        definition.returns = None
        _drop_annotations(definition.args)
        body: list[ast.stmt] = [definition]
    else:
        body = [ast.Expr(definition)]
    names = [LANG, *function.__code__.co_freevars]
    arguments = ast.arguments([], [ast.arg(n) for n in names], None, [], [], None, [])
    made = ast.FunctionDef("__factory", arguments, body, [], None, None)
    if "type_params" in ast.FunctionDef._fields:
        made.type_params = []
    return made


def _drop_annotations(arguments: ast.arguments) -> None:
    """Defaults are kept by the function object; annotations need names that may be gone."""
    for argument in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]:
        argument.annotation = None
    arguments.defaults = [ast.Constant(None) for _ in arguments.defaults]
    arguments.kw_defaults = [d and ast.Constant(None) for d in arguments.kw_defaults]


def _codes_in(code: types.CodeType) -> Iterator[types.CodeType]:
    return (c for c in code.co_consts if isinstance(c, types.CodeType))


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for inner in _codes_in(code):
        yield from _codes(inner)


def _find(code: types.CodeType, name: str) -> types.CodeType:
    factory = next(c for c in _codes_in(code) if c.co_name == "__factory")
    return next(c for c in _codes_in(factory) if c.co_name == name)


class _Rewriter(ast.NodeTransformer):
    """Turns statements and expressions of control flow into calls of `lang.control`."""

    def __init__(self) -> None:
        self.count = 0

    def visit_For(self, node: ast.For) -> Any:
        iterable = _RangeCalls().visit(node.iter)
        node.iter = self.visit(iterable)
        if _leaves(node.body) or node.orelse:
            node.iter = _call("static_iterable", node.iter)
            node.body = self._statements(node.body)
            node.orelse = self._statements(node.orelse)
            return node
        names = sorted(_assigned(node.body) | _targets(node.target))
        own = [n for n in names if n not in _targets(node.target)]
        item = f"__item_{self._number()}"
        first = _located(ast.Assign([node.target], _name(item)), node)
        body = self._function(node, [item, *own], [first, *self._statements(node.body)], own)
        call = _call("run_for", node.iter, _name(body.name), _strings(own), _state(own))
        return [body, *self._assign(node, own, call)]

    def visit_While(self, node: ast.While) -> Any:
        if _leaves(node.body) or node.orelse:
            node.test = _call("static", self.visit(node.test))
            node.body = self._statements(node.body)
            return node
        names = sorted(_assigned(node.body))
        test = ast.Lambda(_arguments(names), self.visit(node.test))
        body = self._function(node, names, self._statements(node.body), names)
        call = _call("run_while", test, _name(body.name), _strings(names), _state(names))
        return [body, *self._assign(node, names, call)]

    def visit_If(self, node: ast.If) -> Any:
        if _leaves([*node.body, *node.orelse]):
            node.test = _call("static", self.visit(node.test))
            node.body = self._statements(node.body)
            node.orelse = self._statements(node.orelse)
            return node
        names = sorted(_assigned([*node.body, *node.orelse]))
        then = self._function(node, names, self._statements(node.body), names)
        other = self._function(node, names, self._statements(node.orelse), names)
        test = self.visit(node.test)
        call = _call(
            "run_if", test, _name(then.name), _name(other.name), _strings(names), _state(names)
        )
        return [then, other, *self._assign(node, names, call)]

    def visit_IfExp(self, node: ast.IfExp) -> Any:
        self.generic_visit(node)
        call = _call("choose", node.test, _thunk(node.body), _thunk(node.orelse))
        return _located(call, node)

    def visit_BoolOp(self, node: ast.BoolOp) -> Any:
        self.generic_visit(node)
        name = "and_" if isinstance(node.op, ast.And) else "or_"
        result = node.values[-1]
        for value in reversed(node.values[:-1]):
            result = _call(name, value, _thunk(result))
        return _located(result, node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Any:
        self.generic_visit(node)
        if isinstance(node.op, ast.Not):
            return _located(_call("not_", node.operand), node)
        return node

    def visit_Compare(self, node: ast.Compare) -> Any:
        self.generic_visit(node)
        if len(node.ops) == 1:
            return node
        # a < b < c: each operand is evaluated once, from left to right.
        names = [f"__operand_{self._number()}" for _ in node.comparators]
        sides = [node.left, *map(_name, names)]
        result: ast.expr | None = None
        for i in reversed(range(len(node.ops))):
            value = ast.NamedExpr(ast.Name(names[i], ast.Store()), node.comparators[i])
            test = ast.Compare(sides[i], [node.ops[i]], [value])
            result = test if result is None else _call("and_", test, _thunk(result))
        assert result is not None
        return _located(result, node)

    def visit_Call(self, node: ast.Call) -> Any:
        self.generic_visit(node)
        if not _is_ours(node.func):
            node.func = _located(_call("rewritten", node.func), node.func)
        return node

    def _statements(self, body: list[ast.stmt]) -> list[ast.stmt]:
        made: list[ast.stmt] = []
        for statement in body:
            result = self.visit(statement)
            made.extend(result if isinstance(result, list) else [result])
        return made

    def _number(self) -> int:
        self.count += 1
        return self.count

    def _function(
        self, node: ast.stmt, names: list[str], body: list[ast.stmt], returns: list[str]
    ) -> ast.FunctionDef:
        state = ast.Tuple([_defined(n) for n in returns], ast.Load())
        made = ast.FunctionDef(
            f"__body_{self._number()}",
            _arguments(names),
            [*body, ast.Return(state)],
            [],
            None,
            None,
        )
        if "type_params" in ast.FunctionDef._fields:
            made.type_params = []
        return _located(made, node)

    def _assign(self, node: ast.stmt, names: list[str], call: ast.expr) -> list[ast.stmt]:
        if not names:
            return [_located(ast.Expr(call), node)]
        target = ast.Tuple([ast.Name(n, ast.Store()) for n in names], ast.Store())
        return [_located(ast.Assign([target], call), node)]


class _RangeCalls(ast.NodeTransformer):
    """In the head of a `for`, `range(...)` is a run-time loop."""

    def visit_Call(self, node: ast.Call) -> Any:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "range":
            node.func = _located(_call("runtime_range", node.func), node.func)
        return node


def _is_ours(function: ast.expr) -> bool:
    """Whether a call needs no rewriting: ours already, or a built-in that looks at its caller."""
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
        return function.value.id == LANG
    if isinstance(function, ast.Call):
        return _is_ours(function.func)
    return isinstance(function, ast.Name) and function.id in ("range", "super")


def _located(made: Any, node: Any) -> Any:
    """Give a new node the place of an old one: its first line only, where its call is reported."""
    made.lineno, made.col_offset = node.lineno, node.col_offset
    made.end_lineno = node.lineno
    same_line = node.end_lineno == node.lineno
    made.end_col_offset = node.end_col_offset if same_line else node.col_offset + 1
    return made


def _name(name: str) -> ast.expr:
    return ast.Name(name, ast.Load())


def _call(function: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Attribute(_name(LANG), function, ast.Load()), list(arguments), [])


def _thunk(value: ast.expr) -> ast.expr:
    return ast.Lambda(_arguments([]), value)


def _arguments(names: list[str]) -> ast.arguments:
    return ast.arguments([], [ast.arg(n) for n in names], None, [], [], None, [])


def _strings(names: list[str]) -> ast.expr:
    return ast.Tuple([ast.Constant(n) for n in names], ast.Load())


def _defined(name: str) -> ast.expr:
    return _call("defined", _thunk(_name(name)), ast.Constant(name))


def _state(names: list[str]) -> ast.expr:
    return ast.Tuple([_defined(n) for n in names], ast.Load())


def _targets(target: ast.expr) -> set[str]:
    return {n.id for n in ast.walk(target) if isinstance(n, ast.Name)}


def _assigned(body: list[ast.stmt]) -> set[str]:
    """Return the names that statements assign, also by `name[...] = value`."""
    names: set[str] = set()
    for node in _own_nodes(body):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            names |= _base(node.value)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            names.add(node.name)
    return names


def _base(target: ast.expr) -> set[str]:
    """Return the name at the bottom of `name[i][j]`."""
    while isinstance(target, ast.Subscript):
        target = target.value
    return {target.id} if isinstance(target, ast.Name) else set()


def _leaves(body: list[ast.stmt]) -> bool:
    """Whether statements leave by return, break, continue or raise at their own level."""
    kinds = (ast.Return, ast.Break, ast.Continue)
    return any(isinstance(n, kinds) for n in _own_nodes(body))


def _own_nodes(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """Yield the nodes of statements, without going into functions defined there."""
    todo: list[ast.AST] = list(body)
    while todo:
        node = todo.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            todo.extend(ast.iter_child_nodes(node))


class _Language:
    """What rewritten code reaches under the one name that is added to its closure."""

    rewritten: Callable[[Any], Any] = staticmethod(rewritten)


for _function in control.__all__:
    setattr(_Language, _function, staticmethod(getattr(control, _function)))
_LANGUAGE = _Language()
