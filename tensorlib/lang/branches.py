"""Branches over traced values: what rewritten `if`, `a if c else b` and `raise` call."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from tensorlib.errors import KernelError, TensorlibError
from tensorlib.ir.builder import Builder, current_builder, fail
from tensorlib.ir.core import Value
from tensorlib.ir.types import VectorType
from tensorlib.lang.carried import (
    EMPTY,
    LEAVES,
    Parts,
    Scope,
    State,
    are_others,
    came_from,
    is_number,
    lifted,
    number_type,
    other_memory,
    zeros_like,
)
from tensorlib.lang.conditions import scalar_condition
from tensorlib.lang.pytree import flatten
from tensorlib.lang.undefined import Undefined, unset
from tensorlib.simd import SIMD

__all__ = ["choose", "raised", "run_if"]

Body = Callable[..., None]
_IS_BRANCH: ContextVar[bool] = ContextVar("branch", default=False)


def raised(error: Any) -> Any:
    """Return what `raise` raises; in a branch of run time that would say nothing about the data."""
    if not _IS_BRANCH.get() or current_builder() is None or isinstance(error, TensorlibError):
        return error
    name = error.__name__ if isinstance(error, type) else f"{type(error).__name__}: {error}"
    return fail(
        f"raise: got {name} in a branch on a value that is known at run time only, where a kernel "
        "can't raise; try assert, or a number in an output"
    )


def run_if(condition: Any, scope: Scope | None, then: Body, otherwise: Body | None = None) -> None:
    """Run one branch, or record both where the condition is a traced scalar."""
    if not (isinstance(condition, SIMD) and condition.is_traced):
        if condition:
            then()
        elif otherwise is not None:
            otherwise()
        return
    builder, state = current_builder(), State(scope)
    assert builder is not None
    test = scalar_condition(condition, "if")
    with state.restored():
        sides = [_Side(builder, state, body) for body in (then, otherwise)]
    _merge(builder, test, state, sides)


class _Side:
    """One branch: its block, and the values that it left, taken apart while they are there."""

    def __init__(self, builder: Builder, state: State, body: Body | None) -> None:
        with state.restored(), builder.block() as block:
            if body is not None:
                token = _IS_BRANCH.set(True)
                try:
                    body()
                finally:
                    _IS_BRANCH.reset(token)
            state.slots.check("if")
            self.after = state.read()
            self.shallow = [_apart(value, set()) for value in self.after]
            self.deep = [_apart(value, {0}) for value in self.after]
        self.block = block


def _apart(value: Any, whole: set[int]) -> Parts | None:
    """Return the leaves of a value now; None for what is a leaf, and can't change."""
    return None if type(value) in LEAVES else Parts([value], whole)


def _merge(builder: Builder, test: Value, state: State, sides: list[_Side]) -> None:
    """Record the `if`, and give names and slots the values after it."""
    final: list[Any] = []
    rows: list[tuple[list[Any], int, VectorType, Any, Any]] = []  # leaves, which, type, both values
    rebuilds: list[tuple[int, Parts, list[Any]]] = []
    for i, (name, old) in enumerate(zip(state.names, state.before, strict=True)):
        a, b = (side.after[i] for side in sides)
        final.append(a)
        if a is b:
            continue
        missing = next((x for x in (a, b) if isinstance(x, Undefined)), None)
        is_local = isinstance(old, Undefined) and not (_is_value(a) and _is_value(b))
        if missing is not None or is_local:
            final[i] = Undefined(name) if missing is None else missing
            continue
        left, right = _alike(sides, i, name)
        leaves = list(left.leaves)
        for k, (x, y) in enumerate(zip(left.leaves, right.leaves, strict=True)):
            kind = _kind_of(name, x, y)
            if kind is not None:
                rows.append((leaves, k, kind, x, y))
        rebuilds.append((i, left, leaves))
    for side, which in zip(sides, (3, 4), strict=True):
        with builder.reopened(side.block):
            builder.emit("yield", [lifted(row[which], row[2], "a value") for row in rows])
    types = [row[2] for row in rows]
    results = builder.emit("if", [test], {"types": types}, [s.block for s in sides])
    for (leaves, k, *_), result in zip(rows, results, strict=True):
        leaves[k] = SIMD.of(result)
    for i, parts, leaves in rebuilds:
        (final[i],) = parts.made(leaves)
    state.write(final)


def _alike(sides: list[_Side], i: int, name: str) -> tuple[Parts, Parts]:
    """Return value i of both branches with the same leaves, zeros for what is not returned yet."""
    left, right = sides
    a, b = left.after[i], right.after[i]
    if a is unset:
        return Parts([zeros_like(b)], {0}), right.deep[i] or Parts([b], {0})
    if b is unset:
        return left.deep[i] or Parts([a], {0}), Parts([zeros_like(a)], {0})
    deep = are_others(a, b)
    x, y = (left.deep[i], right.deep[i]) if deep else (left.shallow[i], right.shallow[i])
    x, y = x or Parts([a], set()), y or Parts([b], set())
    if x.counts != y.counts:
        what = "the result" if name.startswith("__") else name
        raise fail(
            f"if: the branches give {what} {x.counts[0]} and {y.counts[0]} values, needed as many"
        )
    return x, y


def _kind_of(name: str, a: Any, b: Any) -> VectorType | None:
    """Return the type of what two branches give different values; None where they are the same."""
    if a is b or (type(a) is type(b) and not isinstance(a, SIMD) and bool(a == b)):
        return None
    if isinstance(a, Value) and isinstance(b, Value):
        raise other_memory("if", name.removesuffix("_0"))
    kinds = {x.type for x in (a, b) if isinstance(x, SIMD)}
    if not kinds and is_number(a) and is_number(b):
        kinds = {number_type(a, b)}
    if len(kinds) != 1 or not all(isinstance(x, SIMD) or is_number(x) for x in (a, b)):
        what = "the result" if name.startswith("__") else name
        instead = "a number instead of None" if a is None or b is None else ".cast in one of them"
        message = f"if: the branches give {what} the types {_kind(a)} and {_kind(b)}; try {instead}"
        raise KernelError(f"{fail(message)}{came_from(a, b)}")
    return kinds.pop()


def _is_value(value: Any) -> bool:
    return all(isinstance(leaf, SIMD) or is_number(leaf) for leaf in flatten(value)[0])


def _kind(leaf: Any) -> str:
    return str(leaf.type) if isinstance(leaf, SIMD) else type(leaf).__name__


def choose(
    condition: Any,
    then: Callable[[], Any],
    otherwise: Callable[[], Any],
    scope: Scope | None = None,
) -> Any:
    """`then if condition else otherwise`; records an `if` where the condition is traced.

    `scope` has the names that the sides may assign.
    """
    if not (isinstance(condition, SIMD) and condition.is_traced):
        return then() if condition else otherwise()
    value: Any = None
    outer = scope or EMPTY

    def put(state: tuple[Any, ...]) -> None:
        nonlocal value
        value, *rest = state
        outer.put(tuple(rest))

    def assign(thunk: Callable[[], Any]) -> None:
        nonlocal value
        value = thunk()

    both = Scope(("value", *outer.names), lambda: (value, *outer.get()), put)
    run_if(condition, both, lambda: assign(then), lambda: assign(otherwise))
    return value
