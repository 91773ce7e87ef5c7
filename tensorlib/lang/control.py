"""Control flow over traced values: what rewritten `for`, `while`, `if`, `and`, `or`, `not` call.

On Python values a statement runs as Python does; on traced ones it records an IR operation, whose
blocks are traced from the statement's bodies. A `Scope` holds the names that those assign.
"""

from __future__ import annotations

import builtins
import functools
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from tensorlib.dtypes import DType
from tensorlib.errors import KernelError
from tensorlib.ir.builder import Builder, current_builder, fail
from tensorlib.ir.core import Block, Value
from tensorlib.ir.types import INDEX, VectorType
from tensorlib.lang.carried import (
    EMPTY,
    Carried,
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
from tensorlib.lang.conditions import and_, asserted, compared, not_, or_, scalar_condition
from tensorlib.lang.pytree import flatten
from tensorlib.lang.undefined import Undefined, unset
from tensorlib.simd import SIMD, SIMDType, lift
from tensorlib.tile import Tile

__all__ = [
    "Range",
    "Scope",
    "and_",
    "asserted",
    "choose",
    "compared",
    "defined",
    "not_",
    "or_",
    "parallel",
    "returned",
    "run_for",
    "run_if",
    "run_while",
    "runtime_range",
    "static",
    "static_iterable",
    "static_named",
    "unroll",
    "unset",
]

INDEX_SIMD = SIMDType(DType.int64, 1)
Body = Callable[..., None]


class Range:
    """`range(...)` of a kernel's `for`: a loop at run time, also over constants."""

    __slots__ = ("is_parallel", "start", "step", "stop")

    def __init__(self, *bounds: Any) -> None:
        if not 1 <= len(bounds) <= 3:
            raise fail(f"range: got {len(bounds)} arguments, needed 1 to 3")
        start, stop = (0, bounds[0]) if len(bounds) == 1 else bounds[:2]
        self.start, self.stop = start, stop
        self.step = bounds[2] if len(bounds) == 3 else 1
        self.is_parallel = False
        if isinstance(self.step, int) and self.step <= 0:
            raise fail(f"range: got step {self.step}, needed a positive step in a run-time loop")

    def python(self) -> range:
        """Return the Python range, where the bounds are known now."""
        return builtins.range(*(operator.index(b) for b in (self.start, self.stop, self.step)))

    def __iter__(self) -> Iterator[int]:
        return iter(self.python())


def runtime_range(function: Any) -> Any:
    """Return what a `for` statement's call of `range` makes: a run-time loop for the built-in."""
    return Range if function is builtins.range else function


def parallel(iterable: Any) -> Any:
    """Mark a kernel's outermost `range` loop: its iterations are shared out among the threads."""
    if isinstance(iterable, Range):
        iterable.is_parallel = True
    return iterable


def unroll(iterable: Iterable[Any]) -> Iterable[Any]:
    """Run a loop at compile time: `for m in unroll(range(4))` traces its body four times."""
    return iterable.python() if isinstance(iterable, Range) else iterable


def defined(get: Callable[[], Any], name: str) -> Any:
    """Return the value of a name, or Undefined where it has none yet."""
    try:
        return get()
    except NameError:
        return Undefined(name)


def returned(value: Any, flag: Any) -> Any:
    """Return what a function returns, whose `flag` says whether it did."""
    if value is unset or value is None:
        return None
    if isinstance(flag, SIMD) and flag.is_traced:
        raise fail("return: some paths of this function return a value and others return none")
    return value if flag else None


def static(condition: Any) -> bool:
    """Return a condition that must be known at compile time."""
    if isinstance(condition, SIMD) and condition.is_traced:
        raise fail(
            "if: a return, break or continue inside with, try or match needs a condition known at "
            "compile time; try moving it out of that statement"
        )
    return bool(condition)


def static_named(condition: Any) -> bool:
    """Return the condition of a `while` that gives a name with `:=`, known at compile time."""
    if isinstance(condition, SIMD) and condition.is_traced:
        raise fail(
            "while: := in a condition that is known at run time only; try assigning the name "
            "before the loop and at the end of its body"
        )
    return bool(condition)


def static_iterable(iterable: Any) -> Any:
    """Return the iterable of a loop that must run at compile time."""
    if isinstance(iterable, Range) and current_builder() is not None:
        raise fail(
            "for: return, break and continue inside with, try or match can't leave a run-time "
            "loop; try moving them out of that statement, or unroll(range(...))"
        )
    return iterable


# --- loops ---


def run_for(
    iterable: Any, body: Body, scope: Scope | None, flags: Sequence[str], targets: Sequence[str]
) -> None:
    """Run or record a `for` statement, which ends when one of `flags` (names) is set."""
    builder = current_builder()
    if not isinstance(iterable, Range) or builder is None:
        _static_for(iterable, body, scope, flags)
        return
    scope = scope or EMPTY
    bounds = [_bound(b) for b in (iterable.start, iterable.stop, iterable.step)]
    _record_for(builder, iterable, bounds, body, scope, flags, targets)
    why = "is the variable of a run-time loop and has no value after it"
    pairs = zip(scope.names, scope.get(), strict=True)
    scope.put(tuple(Undefined(n, why) if n in targets else v for n, v in pairs))


def _static_for(
    iterable: Iterable[Any], body: Body, scope: Scope | None, flags: Sequence[str]
) -> None:
    for item in _items(iterable):
        leaving = _leaving(scope, flags)
        if leaving is True:
            return
        if leaving is False:
            body(item)
        else:
            run_if(~leaving, scope, functools.partial(body, item))


def _items(iterable: Iterable[Any]) -> Iterable[Any]:
    if isinstance(iterable, Tile):
        raise fail(f"for: got {iterable!r}; try range(t.size) and t[i], or t.tile[...]")
    return iterable


def _leaving(scope: Scope | None, flags: Sequence[str]) -> Any:
    """Return whether a flag is set: True, False or a traced condition."""
    result: Any = False
    if scope is not None and flags:
        for name, value in zip(scope.names, scope.get(), strict=True):
            if name in flags:
                result = or_(result, lambda value=value: value)  # type: ignore[misc]
    return result if isinstance(result, SIMD) and result.is_traced else bool(result)


def _record_for(
    builder: Builder,
    iterable: Range,
    bounds: list[Value],
    body: Body,
    scope: Scope,
    flags: Sequence[str],
    targets: Sequence[str],
) -> None:
    carried = Carried(scope)

    def trace(block: Block) -> None:
        block.parameters[0].name = targets[0] if len(targets) == 1 else ""
        body(SIMD.of(block.parameters[0]))

    with carried.state.restored():
        block = carried.settle(builder, [INDEX], trace)
        is_left = any(f in flags for f in carried.changing())
        top = iterable.is_parallel and len(builder.blocks) == 1
        if top:
            _check_parallel(carried, is_left)
        if is_left:
            results = _leavable(builder, carried, block, bounds, flags)
    if not is_left:
        attributes = {"parallel": True} if top else {}
        results = builder.emit("for", [*bounds, *carried.initial()], attributes, [block])
    carried.finish(results)


def _check_parallel(carried: Carried, is_left: bool) -> None:
    if is_left:
        raise fail("parallel: break and return can't leave a parallel loop; try a plain range")
    for name in carried.changing():
        raise fail(
            f"parallel: {name} is carried from one iteration to the next; the iterations of a "
            "parallel loop don't know each other: try a plain range"
        )


def _leavable(
    builder: Builder, carried: Carried, block: Block, bounds: list[Value], flags: Sequence[str]
) -> list[Value]:
    """Record a counted loop that a flag ends, as a `while` that carries the counter."""
    start, stop, step = bounds
    last = block.operations.pop()
    with builder.reopened(block):
        following = builder.value("add", block.parameters[0], step)
        builder.emit("yield", [following, *last.operands])
    with builder.block([INDEX, *carried.kinds]) as head:
        carried.enter(head.parameters[1:])
        going = ~_leaving(carried.scope, flags)
        inside = builder.value("less", head.parameters[0], stop)
        builder.emit("yield", [builder.value("and", inside, lift(going))])
    results = builder.emit("while", [start, *carried.initial()], {}, [head, block])
    return results[1:]


def run_while(
    condition: Callable[[], Any], body: Body, scope: Scope | None, flags: Sequence[str]
) -> None:
    """Run or record a `while` statement; it is recorded from where a condition is traced."""
    builder, scope = current_builder(), scope or EMPTY
    while builder is None or not _is_traced(builder, condition, scope, flags):
        if _leaving(scope, flags) or not condition():
            return
        body()
    _record_while(builder, condition, body, scope, flags)


def _is_traced(
    builder: Builder, condition: Callable[[], Any], scope: Scope, flags: Sequence[str]
) -> bool:
    """Whether a loop goes on is known at run time only; tried in a block that is thrown away."""
    leaving = _leaving(scope, flags)
    if isinstance(leaving, SIMD):
        return True
    if leaving:
        return False
    carried = Carried(scope)
    with carried.state.restored(), builder.block(carried.kinds) as block:
        carried.enter(block.parameters)
        test = condition()
    return isinstance(test, SIMD) and test.is_traced


def _record_while(
    builder: Builder,
    condition: Callable[[], Any],
    body: Body,
    scope: Scope,
    flags: Sequence[str],
) -> None:
    carried = Carried(scope)
    with carried.state.restored():
        block = carried.settle(builder, [], lambda block: body())
        with builder.block(carried.kinds) as head:
            carried.enter(head.parameters)
            leaving = _leaving(scope, flags)
            test = condition() if leaving is False else and_(~leaving, condition)
            builder.emit("yield", [scalar_condition(test, "while")])
    carried.finish(builder.emit("while", carried.initial(), {}, [head, block]))


def _bound(bound: Any) -> Value:
    if isinstance(bound, SIMD) and (bound.dtype is not DType.int64 or bound.width != 1):
        raise fail(f"range: got {bound!r}, needed int64 scalars; try .cast(int64)")
    if not isinstance(bound, (int, SIMD, np.integer)):
        raise fail(f"range: got {type(bound).__name__} {bound!r}, needed whole numbers")
    return lift(INDEX_SIMD(bound if isinstance(bound, SIMD) else int(bound)))


# --- branches ---


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
                body()
            self.after = state.read()
            state.slots.check("if")
            self.shallow = [Parts([value], set()) for value in self.after]
            self.deep = [Parts([value], {0}) for value in self.after]
        self.block = block


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
        return Parts([zeros_like(b)], {0}), right.deep[i]
    if b is unset:
        return left.deep[i], Parts([zeros_like(a)], {0})
    deep = are_others(a, b)
    x, y = (left.deep[i], right.deep[i]) if deep else (left.shallow[i], right.shallow[i])
    if x.counts != y.counts:
        what = "the result" if name.startswith("__") else name
        raise fail(f"if: the branches give {what} {x.counts[0]} and {y.counts[0]} values")
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
        message = f"if: the branches give {what} the types {_kind(a)} and {_kind(b)}"
        raise KernelError(f"{fail(message)}{came_from(a, b)}")
    return kinds.pop()


def _is_value(value: Any) -> bool:
    return all(isinstance(leaf, SIMD) or is_number(leaf) for leaf in flatten(value)[0])


def _kind(leaf: Any) -> str:
    return str(leaf.type) if isinstance(leaf, SIMD) else type(leaf).__name__


# --- expressions ---


def choose(condition: Any, then: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
    """`then if condition else otherwise`; records an `if` where the condition is traced."""
    if not (isinstance(condition, SIMD) and condition.is_traced):
        return then() if condition else otherwise()
    value: Any = None

    def put(state: tuple[Any, ...]) -> None:
        nonlocal value
        (value,) = state

    def assign(thunk: Callable[[], Any]) -> None:
        nonlocal value
        value = thunk()

    scope = Scope(("value",), lambda: (value,), put)
    run_if(condition, scope, lambda: assign(then), lambda: assign(otherwise))
    return value
