"""Rewrites the control flow of a Python function so that it can be traced.

Statements become calls of `lang.control`, whose bodies reach the names of the function as
`nonlocal`; calls of plain functions rewrite those too. The rewritten function keeps the file,
positions, defaults, globals and closure cells of the original.
"""

from __future__ import annotations

import ast
import functools
import inspect
import linecache
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

from tensorlib.lang import awaiting, control
from tensorlib.lang.awaiting import deferred, without_await
from tensorlib.lang.desugar import desugared
from tensorlib.lang.exits import has_exits, without_exits
from tensorlib.lang.naming import named
from tensorlib.lang.nodes import Transformer
from tensorlib.lang.pythons import replaced
from tensorlib.lang.scope import (
    assigned,
    contains,
    declared,
    leaves,
    own_nodes,
    own_statements,
    read_after,
    targets,
)
from tensorlib.lang.source import definition
from tensorlib.lang.syntax import (
    LANG,
    asked,
    call,
    changed_name,
    function,
    is_language,
    language,
    load,
    placed,
    store,
    thunk,
)

__all__ = ["rewritten"]

# By id, since the hash of a code object is made of all its constants; the entries keep it alive.
_CACHE: dict[int, tuple[types.CodeType, types.CodeType | None]] = {}
_DONE: dict[int, types.CodeType] = {}
_SUSPENDED = inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR
# Packages whose functions are the language itself, or work on Python values only.
_WRITTEN = "__written"  # what a function is called while it is compiled
_LEAVE = ("numpy", "ml_dtypes", "pytest", "hypothesis", "_pytest")
_OURS = ("tensorlib.kernels.", "tensorlib.tests.", "tensorlib.nn.")


@functools.cache
def _is_left(module: str) -> bool:
    """Whether a module's functions run as they are: the library's and Python's own."""
    package = module.partition(".")[0]
    if package == "tensorlib":
        return not module.startswith(_OURS)
    return package in _LEAVE or (package in sys.stdlib_module_names and package != "__main__")


def rewritten(function: Any) -> Any:
    """Return `function` with its control flow rewritten; anything but a plain function as it is."""
    if type(function) is not types.FunctionType:
        return _rewritten_callable(function)
    code = function.__code__
    if _is_left(function.__module__ or "") or id(code) in _DONE or code.co_flags & _SUSPENDED:
        return function
    known = _CACHE.get(id(code))
    if known is None:
        known = _CACHE[id(code)] = code, _rewrite(function)
    new = known[1]
    if new is None:
        return function
    made = _with_code(function, new)
    return deferred(made) if code.co_flags & inspect.CO_COROUTINE else made


def _rewritten_callable(function: Any) -> Any:
    """Return a callable that is no plain function with the functions rewritten that it runs."""
    if isinstance(function, types.MethodType):
        new = rewritten(function.__func__)
        return (
            types.MethodType(new, function.__self__) if new is not function.__func__ else function
        )
    if isinstance(function, functools.partial):
        return functools.partial(rewritten(function.func), *function.args, **function.keywords)
    if isinstance(function, (types.BuiltinFunctionType, type)):
        return replaced(function)
    own = getattr(type(function), "__call__", None)  # noqa: B004
    is_users = isinstance(own, types.FunctionType) and not _is_left(own.__module__ or "")
    return types.MethodType(rewritten(own), function) if is_users else function


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


def _rewrite(original: types.FunctionType) -> types.CodeType | None:
    """Return the new code object, or None where the source can't be had."""
    # A module's loader, where it has one, knows sources that are no files: in a zip archive.
    linecache.getlines(original.__code__.co_filename, original.__globals__)
    found = definition(original.__code__)
    if found is None:
        return None
    rewriter = _Rewriter(_class_name(original), original.__code__.co_freevars)
    made = rewriter.visit(_bare(without_await(found)))
    module = ast.Module([_factory(made, original)], [])
    outer = compile(module, original.__code__.co_filename, "exec")
    code = _renamed(_find(outer), original.__code__)
    _DONE.update((id(done), done) for done in _codes(code))
    return code


def _class_name(function: types.FunctionType) -> str:
    """Return the class that a method was defined in: names like `__x` belong to it."""
    parts = function.__qualname__.split(".")
    return parts[-2] if len(parts) > 1 and parts[-2] != "<locals>" else ""


def _bare(found: ast.FunctionDef | ast.Lambda) -> ast.FunctionDef | ast.Lambda:
    """Drop what the function object keeps already: decorators, annotations and defaults."""
    inputs = found.args
    for argument in _parameters(inputs):
        argument.annotation = None
    inputs.defaults = [placed(ast.Constant(None), d) for d in inputs.defaults]
    inputs.kw_defaults = [d and placed(ast.Constant(None), d) for d in inputs.kw_defaults]
    if isinstance(found, ast.FunctionDef):
        found.decorator_list, found.returns = [], None
        # A name of its own: the function's may be a global that it calls itself by.
        found.name = _WRITTEN
    return found


def _factory(made: Any, original: types.FunctionType) -> ast.FunctionDef:
    """Wrap the definition in a function whose parameters are its free names."""
    body: list[ast.stmt] = [made] if isinstance(made, ast.stmt) else [placed(ast.Expr(made), made)]
    return placed(function("__factory", [LANG, *original.__code__.co_freevars], body), body[0])


def _codes_in(code: types.CodeType) -> Iterator[types.CodeType]:
    return (c for c in code.co_consts if isinstance(c, types.CodeType))


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    """Yield the code objects that are rewritten: those of classes are not, until one is called."""
    if code.co_flags & inspect.CO_OPTIMIZED:
        yield code
        for inner in _codes_in(code):
            yield from _codes(inner)


def _find(code: types.CodeType) -> types.CodeType:
    factory = next(c for c in _codes_in(code) if c.co_name == "__factory")
    return next(c for c in _codes_in(factory) if c.co_name in (_WRITTEN, "<lambda>"))


def _renamed(code: types.CodeType, original: types.CodeType) -> types.CodeType:
    """Give the functions that bodies of statements became the name of the function around them."""
    is_ours = code.co_name.startswith("__body_") or code.co_name == _WRITTEN
    name = original.co_name if is_ours else code.co_name
    path = code.co_qualname.replace(f"__factory.<locals>.{_WRITTEN}", original.co_qualname)
    consts = tuple(
        _renamed(c, original) if isinstance(c, types.CodeType) else c for c in code.co_consts
    )
    return code.replace(co_consts=consts, co_name=name, co_qualname=path)


class _Rewriter(Transformer):
    """Turns statements and expressions of control flow into calls of `lang.control`."""

    def __init__(self, class_name: str, free: tuple[str, ...]) -> None:
        self.class_name = class_name.lstrip("_")
        self.count = 0
        self.visible: list[set[str]] = [set(free)]  # local names, for each function around
        self.lifted: list[set[str]] = []  # of those, the ones that a lifted body assigns
        self.shared: list[set[str]] = []  # and the ones that a function defined inside assigns
        self.globals: set[str] = set()
        self.first: list[ast.stmt] = []  # definitions to stand before the statement at hand
        self.lambdas = 0  # how many are around
        self.read: set[int] = set()  # loops (ids of nodes) whose variables are read after them

    # functions
    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        if contains(node.body, ast.Yield, ast.YieldFrom):
            return node
        node.decorator_list = [self.visit(d) for d in node.decorator_list]
        node.args = self.visit(node.args)
        node.body = desugared(node.body)
        if has_exits(node.body):
            node.body = without_exits(node.body) or node.body
        self.read |= read_after(node.body)
        outer, self.globals = self.globals, declared(node.body, ast.Global)
        parameters = {a.arg for a in _parameters(node.args)}
        self.visible.append((parameters | assigned(node.body)[0]) - self.globals)
        self.lifted.append(set())
        self.shared.append(_shared(node) & self.visible[-1])
        nonlocals = declared(node.body, ast.Nonlocal)
        node.body = self._statements(node.body)
        unbound = self.lifted.pop() & self.visible.pop() - parameters - nonlocals
        self.shared.pop()
        self.globals = outer
        if unbound:  # `nonlocal` needs an assignment in the function itself; this one never runs
            bind = ast.Assign([store(n) for n in sorted(unbound)], ast.Constant(None))
            node.body.insert(0, placed(ast.If(ast.Constant(False), [bind], []), node.body[0]))
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> Any:
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> Any:
        return node

    # statements
    def visit_For(self, node: ast.For) -> Any:
        node.iter = self.visit(_RangeCalls().visit(node.iter))
        if leaves(node.body) or node.orelse:
            return self._static(node, "iter", "static_iterable")
        item = f"__item_{self._number()}"
        own = sorted(targets(node.target))
        after = int(id(node) in self.read)
        if after and assigned(node.body)[0] & set(own):
            after = 2
        first = placed(ast.Assign([node.target], load(item)), node.target)
        body, made, scope = self._lift(node, [[first, *node.body]], set(own), [item])
        flags = _strings(getattr(node, "flags", []))
        run = call("run_for", node.iter, *body, scope, flags, _strings(own), ast.Constant(after))
        return [*made, placed(ast.Expr(run), node.iter)]

    def visit_While(self, node: ast.While) -> Any:
        test = self.visit(asked(node.test))
        if leaves(node.body) or node.orelse:
            node.test = test
            return self._static(node, "test", "static")
        shared = self.shared[-1] if contains([test], ast.Call) else set()
        body, made, scope = self._lift(node, [node.body], shared, [])
        flags = _strings(getattr(node, "flags", []))
        run = call("run_while", thunk(test), *body, scope, flags)
        return [*made, placed(ast.Expr(run), test)]

    def visit_If(self, node: ast.If) -> Any:
        node.test = self.visit(asked(node.test))
        if leaves([node]):
            return self._static(node, "test", "static")
        bodies = [node.body, node.orelse] if node.orelse else [node.body]
        functions, made, scope = self._lift(node, bodies, set(), [])
        run = call("run_if", node.test, scope, *functions)
        return [*made, placed(ast.Expr(run), node.test)]

    def visit_Assign(self, node: ast.Assign) -> Any:
        self.generic_visit(node)
        target = node.targets[0]
        is_plain = isinstance(node.value, (ast.Constant, ast.Lambda, ast.Tuple, ast.List))
        is_plain = is_plain or not isinstance(target, ast.Name) or target.id.startswith("__")
        if len(node.targets) == 1 and isinstance(target, ast.Name) and not is_plain:
            name = placed(ast.Constant(target.id), node.value)
            node.value = placed(call("named", node.value, name), node.value)
        return node

    def visit_Raise(self, node: ast.Raise) -> Any:
        self.generic_visit(node)
        if node.exc is not None:
            node.exc = placed(call("raised", node.exc), node.exc)
        return node

    def visit_Assert(self, node: ast.Assert) -> Any:
        self.generic_visit(node)
        message = node.msg or placed(ast.Constant(None), node)
        return placed(ast.Expr(call("asserted", node.test, thunk(message))), node.test)

    def _static(self, node: Any, field: str, check: str) -> Any:
        """Keep a statement as it is, for compile time only."""
        head = getattr(node, field)
        setattr(node, field, placed(call(check, head), head))
        node.body, node.orelse = self._statements(node.body), self._statements(node.orelse)
        return node

    def _lift(
        self, node: ast.stmt, bodies: list[list[ast.stmt]], own: set[str], parameters: list[str]
    ) -> tuple[list[ast.expr], list[ast.stmt], ast.expr]:
        """Make functions of bodies: return their names, definitions and common scope."""
        found = [assigned(body) for body in bodies]
        stored = {name for names, _ in found for name in names}
        changed = {name for _, names in found for name in names} - stored
        names = stored | own
        if contains([statement for body in bodies for statement in body], ast.Call):
            names |= self.shared[-1]
        self.lifted[-1] |= names
        functions: list[ast.expr] = []
        made: list[ast.stmt] = []
        for body, (_, changes) in zip(bodies, found, strict=True):
            name = f"__body_{self._number()}"
            checks = map(changed_name, sorted(changes & changed))
            inner = [*self._reach(names), *checks, *self._statements(body)]
            made.append(function(name, parameters, inner))
            functions.append(load(name))
        scope: ast.expr = ast.Constant(None)
        if names or changed:
            scope = self._scope(functions[0], names, changed)
        return functions, [placed(m, node) for m in made], scope

    def _scope(self, body: ast.expr, names: set[str], changed: set[str]) -> ast.expr:
        """The Scope of `names`, of which a function that reaches them all knows the cells.

        Of names in `changed` only elements are assigned: `name[i] = value`.
        """
        return call("scope_of", body, _strings(sorted(names)), _strings(sorted(changed)))

    def _reach(self, names: set[str]) -> list[ast.stmt]:
        """Declarations by which an inner function assigns names of the one around it."""
        local = {n for n in names if n not in self.globals and any(n in v for v in self.visible)}
        inner, outer = sorted(local), sorted(names - local)
        return [
            *([ast.Nonlocal(inner)] if inner else []),
            *([ast.Global(outer)] if outer else []),
        ]

    # expressions
    def visit_Lambda(self, node: ast.Lambda) -> Any:
        self.lambdas += 1
        self.generic_visit(node)
        self.lambdas -= 1
        return node

    def visit_IfExp(self, node: ast.IfExp) -> Any:
        node.test = asked(node.test)
        scope = self._effects(node, node.body, node.orelse)
        if scope is None:
            return self.generic_visit(node)
        self.generic_visit(node)
        then, otherwise = map(thunk, self._unnamed([node.body, node.orelse]))
        return placed(call("choose", node.test, then, otherwise, scope), node)

    def visit_BoolOp(self, node: ast.BoolOp) -> Any:
        scope = self._effects(node, *node.values[1:])
        self.generic_visit(node)
        if scope is None:
            return node
        name = "and_" if isinstance(node.op, ast.And) else "or_"
        values = [node.values[0], *self._unnamed(node.values[1:])]
        result = values[-1]
        for value in reversed(values[:-1]):
            result = placed(call(name, value, thunk(result), scope), node)
        return result

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Any:
        if not isinstance(node.op, ast.Not):
            return self.generic_visit(node)
        node.operand = asked(node.operand)
        self.generic_visit(node)
        return placed(call("not_", node.operand), node)

    def visit_Compare(self, node: ast.Compare) -> Any:
        """`a < b < c` evaluates each operand once, from left to right, and stops early."""
        if len(node.ops) == 1 and not isinstance(node.ops[0], (ast.In, ast.NotIn)):
            return self.generic_visit(node)
        scope = self._effects(node, *node.comparators[1:])
        self.generic_visit(node)
        if scope is None:
            return node
        signs = _strings([type(op).__name__ for op in node.ops])
        operands = [node.comparators[0], *self._unnamed(node.comparators[1:])]
        return placed(call("compared", signs, scope, node.left, *map(thunk, operands)), node)

    def _effects(self, node: ast.expr, *parts: ast.expr) -> ast.expr | None:
        """Return the Scope of what `parts`, which may not run, can change; None where they can't.

        A lambda's own names are out of reach: where it gives names in such a part it stays Python.
        """
        given = {n.target.id for n in own_nodes(parts) if isinstance(n, ast.NamedExpr)}
        if given and self.lambdas:
            return None
        called = (n.func for n in own_nodes(parts) if isinstance(n, ast.Call))
        if not given and all(map(is_language, called)):
            return ast.Constant(None)
        names = given | self.shared[-1] if self.shared else given
        if not names:
            return language("EMPTY")
        self.lifted[-1] |= names
        name = f"__names_{self._number()}"
        reach: list[ast.stmt] = [*self._reach(names), ast.Pass()]
        self.first.append(placed(function(name, [], reach), node))
        return self._scope(load(name), names, set())

    def _unnamed(self, parts: list[ast.expr]) -> list[ast.expr]:
        """Let functions give the names of `:=`, since a thunk's names would be its own."""
        return [_Setters(self).visit(part) for part in parts]

    def visit_Call(self, node: ast.Call) -> Any:
        self.generic_visit(node)
        if not is_language(node.func):
            node.func = placed(call("rewritten", node.func), node.func)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        self.generic_visit(node)
        if self.class_name and node.attr.startswith("__") and not node.attr.endswith("__"):
            node.attr = f"_{self.class_name}{node.attr}"
        return node

    def _statements(self, body: list[ast.stmt]) -> list[ast.stmt]:
        made: list[ast.stmt] = []
        outer, self.first = self.first, []
        for statement in body:
            result = self.visit(statement)
            made += self.first
            made.extend(result if isinstance(result, list) else [result])
            self.first = []
        self.first = outer
        return made

    def setter(self, node: ast.NamedExpr) -> ast.expr:
        """Return a call that does what `name := value` does."""
        name = f"__put_{self._number()}"
        give = ast.Assign([store(node.target.id)], load("__given"))
        body = [*self._reach({node.target.id}), give, ast.Return(load("__given"))]
        self.first.append(placed(function(name, ["__given"], body), node))
        return placed(ast.Call(load(name), [node.value], []), node)

    def _number(self) -> int:
        self.count += 1
        return self.count


class _Setters(Transformer):
    """Makes calls of `:=`; what stands in a lambda is that lambda's."""

    def __init__(self, rewriter: _Rewriter) -> None:
        self.rewriter = rewriter

    def visit_Lambda(self, node: ast.Lambda) -> Any:
        return node

    def visit_NamedExpr(self, node: ast.NamedExpr) -> Any:
        self.generic_visit(node)
        return self.rewriter.setter(node)


class _RangeCalls(Transformer):
    """In the head of a `for`, `range(...)` is a run-time loop."""

    def visit_Call(self, node: ast.Call) -> Any:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "range":
            node.func = placed(call("runtime_range", node.func), node.func)
        return node


def _shared(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> set[str]:
    """Return the names of functions around that functions defined inside `node` assign."""
    found: set[str] = set()
    for inner in own_statements(node.body):
        if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found |= _shared(inner)
            if isinstance(inner, ast.FunctionDef):
                found |= declared(inner.body, ast.Nonlocal)
    return found


def _parameters(inputs: ast.arguments) -> list[ast.arg]:
    every = [*inputs.posonlyargs, *inputs.args, *inputs.kwonlyargs, inputs.vararg, inputs.kwarg]
    return [a for a in every if a is not None]


def _strings(names: list[str]) -> ast.expr:
    return ast.Tuple([ast.Constant(n) for n in names], ast.Load())


class _Language:
    """What rewritten code reaches under the one name that is added to its closure."""

    rewritten: Callable[[Any], Any] = staticmethod(rewritten)


_Language.named = staticmethod(named)  # type: ignore[attr-defined]
for _name in (*control.__all__, "await_", "deferred"):
    _value = getattr(control if hasattr(control, _name) else awaiting, _name)
    setattr(_Language, _name, staticmethod(_value) if callable(_value) else _value)
_LANGUAGE = _Language()
