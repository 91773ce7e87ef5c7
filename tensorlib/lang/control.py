"""Control flow over traced values: what rewritten `for`, `while`, `if`, `and`, `or`, `not` call.

On Python values a statement runs as Python does; on traced ones it records an IR operation, whose blocks are
traced from the statement's bodies. A `Scope` holds the names that those assign.
"""

from __future__ import annotations

import builtins
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from tensorlib.dtypes import DType
from tensorlib.ir.builder import Builder, current_builder, fail
from tensorlib.ir.core import Block, Value
from tensorlib.ir.ops import ROWS
from tensorlib.ir.types import INDEX, VectorType
from tensorlib.lang.carried import (
    EMPTY,
    Carried,
    Scope,
    Watched,
    is_number,
    lifted,
    number_type,
    zeros_like,
)
from tensorlib.lang.pytree import flatten, is_container, refilled
from tensorlib.lang.undefined import Undefined, unset
from tensorlib.simd import SIMD, lift
from tensorlib.tile import Tile

__all__ = [
    "Range",
    "Scope",
    "and_",
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
    "unroll",
    "unset",
]

INDEX_SIMD = SIMD[DType.int64, 1]
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
    """Run or record a `for` statement; it is left when one of `flags`, names of its scope, is set."""
    builder = current_builder()
    if not isinstance(iterable, Range) or builder is None:
        _static_for(iterable, body, scope, flags)
        return
    scope = scope or EMPTY
    bounds = [_bound(b) for b in (iterable.start, iterable.stop, iterable.step)]
    with scope.restored():
        after = _record_for(builder, iterable, bounds, body, scope, flags, targets)
    why = "is the variable of a run-time loop and has no value after it"
    scope.put(
        tuple(Undefined(n, why) if n in targets else v for n, v in zip(scope.names, after, strict=True))
    )


def _static_for(
    iterable: Iterable[Any], body: Body, scope: Scope | None, flags: Sequence[str]
) -> None:
    for item in iterable:
        _run_unless(_leaving(scope, flags), lambda item=item: body(item), scope)  # type: ignore[misc]
        if flags and _leaving(scope, flags) is True:
            return


def _run_unless(leaving: Any, body: Callable[[], None], scope: Scope | None) -> None:
    """Run a body, or record it under the condition that no flag is set."""
    if leaving is False:
        body()
    elif leaving is not True:
        run_if(~leaving, scope, body)


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
) -> tuple[Any, ...]:
    carried = Carried(scope)
    kept: list[Any] = []

    def trace(block: Block) -> None:
        block.parameters[0].name = targets[0] if len(targets) == 1 else ""
        body(SIMD.of(block.parameters[0]))
        kept[:] = scope.get()

    block = carried.settle(builder, [INDEX], trace)
    is_left = any(f in flags for f in carried.changing())
    top = iterable.is_parallel and len(builder.blocks) == 1
    if top:
        _check_parallel(carried, is_left)
    if is_left:
        return carried.after(_leavable(builder, carried, block, bounds, flags), tuple(kept))
    attributes = {"parallel": True} if top else {}
    results = builder.emit("for", [*bounds, *carried.initial()], attributes, [block])
    return carried.after(results, tuple(kept))


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
    with scope.restored():
        after = _record_while(builder, condition, body, scope, flags)
    scope.put(after)


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
    with scope.restored(), builder.block(carried.kinds) as block:
        carried.enter(block.parameters)
        test = condition()
    return isinstance(test, SIMD) and test.is_traced


def _record_while(
    builder: Builder,
    condition: Callable[[], Any],
    body: Body,
    scope: Scope,
    flags: Sequence[str],
) -> tuple[Any, ...]:
    carried = Carried(scope)
    kept: list[Any] = []

    def trace(block: Block) -> None:
        body()
        kept[:] = scope.get()

    block = carried.settle(builder, [], trace)
    with builder.block(carried.kinds) as head:
        carried.enter(head.parameters)
        leaving = _leaving(scope, flags)
        test = condition() if leaving is False else and_(~leaving, condition)
        builder.emit("yield", [_scalar_condition(test, "while")])
    results = builder.emit("while", carried.initial(), {}, [head, block])
    return carried.after(results, tuple(kept))


def _bound(bound: Any) -> Value:
    if isinstance(bound, SIMD) and (bound.dtype is not DType.int64 or bound.width != 1):
        raise fail(f"range: got {bound!r}, needed int64 scalars; try .cast(int64)")
    if not isinstance(bound, (int, SIMD, np.integer)):
        raise fail(f"range: got {type(bound).__name__} {bound!r}, needed whole numbers")
    return lift(INDEX_SIMD(bound))


# --- branches ---


def run_if(
    condition: Any, scope: Scope | None, then: Body, otherwise: Body | None = None
) -> None:
    """Run one branch, or record both where the condition is a traced scalar."""
    if not (isinstance(condition, SIMD) and condition.is_traced):
        if condition:
            then()
        elif otherwise is not None:
            otherwise()
        return
    builder, scope = current_builder(), scope or EMPTY
    assert builder is not None
    test = _scalar_condition(condition, "if")
    with scope.restored() as before:
        sides = [_branch(builder, b, scope, before) for b in (then, otherwise or _nothing)]
    leaves = _merged(builder, test, scope.names, before, sides)
    scope.put(leaves)


def _nothing() -> None:
    """The branch that is not there."""


class _Side:
    """One branch: its block, the copies that it got and the state that it left."""

    __slots__ = ("after", "block", "copies")

    def __init__(self, block: Block, copies: tuple[Any, ...], after: tuple[Any, ...]) -> None:
        self.block, self.copies, self.after = block, copies, after


def _branch(builder: Builder, body: Body, scope: Scope, before: tuple[Any, ...]) -> _Side:
    leaves, rebuild = flatten(before, (Tile,))
    copies = tuple(rebuild(iter(leaves)))
    watched = Watched(scope.names)
    with builder.block() as block:
        scope.put(copies)
        body()
        after = scope.get()
    watched.check()
    return _Side(block, copies, after)


def _merged(
    builder: Builder, test: Value, names: Sequence[str], before: tuple[Any, ...], sides: list[_Side]
) -> tuple[Any, ...]:
    """Record the `if` and return the state after it."""
    states = _alike(names, before, sides)
    flat = [flatten(state, (Tile,)) for state in states]
    if any(isinstance(x, Tile) and x is not y for x, y in zip(flat[0][0], flat[1][0])):  # noqa: B905
        flat = [flatten(state) for state in states]
    (left, rebuild), (right, _) = flat
    if len(left) != len(right):
        raise fail(f"if: the branches give {', '.join(names)} different structures")
    positions, types = _differing(names, left, right)
    for side, leaves in zip(sides, (left, right), strict=True):
        with builder.reopened(side.block):
            pairs = zip(positions, types, strict=True)
            builder.emit("yield", [lifted(leaves[i], t, "a value") for i, t in pairs])
    results = builder.emit("if", [test], {"types": types}, [s.block for s in sides])
    for i, result in zip(positions, results, strict=True):
        left[i] = SIMD.of(result)
    final = rebuild(iter(left))
    return tuple(
        refilled(old, new) if is_container(old) and _in_place(sides, i) else new
        for i, (old, new) in enumerate(zip(before, final, strict=True))
    )


def _in_place(sides: list[_Side], i: int) -> bool:
    return all(side.after[i] is side.copies[i] for side in sides)


def _alike(
    names: Sequence[str], before: tuple[Any, ...], sides: list[_Side]
) -> list[tuple[Any, ...]]:
    """Return the states of both branches, where each name has a value in both or in none.

    A name without a value before, which one branch only gives one, is local to that branch.
    """
    kept: list[tuple[Any, Any]] = []
    for name, old, a, b in zip(names, before, *(s.after for s in sides), strict=True):
        if a is unset or b is unset:
            kept.append((zeros_like(b) if a is unset else a, zeros_like(a) if b is unset else b))
        elif isinstance(old, Undefined) and not (_is_value(a) and _is_value(b)):
            kept.append((Undefined(name), Undefined(name)) if a is not b else (a, b))
        else:
            kept.append((a, b))
    return [tuple(a for a, _ in kept), tuple(b for _, b in kept)]


def _is_value(value: Any) -> bool:
    return all(isinstance(leaf, SIMD) or is_number(leaf) for leaf in flatten(value)[0])


def _differing(
    names: Sequence[str], left: list[Any], right: list[Any]
) -> tuple[list[int], list[VectorType]]:
    """Return which leaves differ between two branches, and the type each result has."""
    positions, types = [], []
    for i, (a, b) in enumerate(zip(left, right, strict=True)):
        if a is b or isinstance(a, Undefined) or isinstance(b, Undefined):
            continue
        if type(a) is type(b) and not isinstance(a, SIMD) and a == b:
            continue
        kinds = {x.type for x in (a, b) if isinstance(x, SIMD)}
        if not kinds and is_number(a) and is_number(b):
            kinds = {number_type(a, b)}
        if len(kinds) != 1 or not all(isinstance(x, SIMD) or is_number(x) for x in (a, b)):
            what = ", ".join(n for n in names if not n.startswith("__")) or "the result"
            raise fail(f"if: the branches give {what} the types {_kind(a)}, {_kind(b)}")
        positions.append(i)
        types.append(kinds.pop())
    return positions, types


def _kind(leaf: Any) -> str:
    return str(leaf.type) if isinstance(leaf, SIMD) else type(leaf).__name__


def _scalar_condition(test: Any, where: str) -> Value:
    if not isinstance(test, SIMD) or test.dtype is not DType.bool or test.width != 1:
        got = test.type if isinstance(test, SIMD) else type(test).__name__
        raise fail(
            f"{where}: got a condition of type {got}, needed a scalar bool; "
            "try .reduce_or() or .reduce_and() for a branch, .select(a, b) to choose by lane"
        )
    return lift(test)


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


def and_(left: Any, right: Callable[[], Any]) -> Any:
    """`left and right`; on traced conditions `&`, where the right side may be computed anyway."""
    return _logic(left, right, False) if _is_condition(left) else left and right()


def or_(left: Any, right: Callable[[], Any]) -> Any:
    """`left or right`; on traced conditions `|`, where the right side may be computed anyway."""
    return _logic(left, right, True) if _is_condition(left) else left or right()


def not_(value: Any) -> Any:
    """`not value`; on a traced mask or condition, its complement."""
    return ~value if _is_condition(value) else not value


def _logic(left: SIMD, right: Callable[[], Any], decides: bool) -> Any:
    """Combine conditions; a right side that reads memory is computed where `left` is not `decides`."""
    builder = current_builder()
    assert builder is not None
    with builder.block() as block:
        value = right()
    is_pure = all(ROWS[o.name].effect == "pure" for o in block.operations)
    if isinstance(value, bool):
        builder.inline(block)
        return left if value is not decides else SIMD[DType.bool, left.width](decides)
    if is_pure or left.width > 1:
        builder.inline(block)
        return left | value if decides else left & value
    kind = VectorType(DType.bool)
    with builder.reopened(block):
        builder.emit("yield", [_scalar_condition(value, "or" if decides else "and")])
    with builder.block() as known:
        builder.emit("yield", [builder.constant(decides, kind)])
    blocks = [known, block] if decides else [block, known]
    return SIMD.of(builder.emit("if", [lift(left)], {"types": [kind]}, blocks)[0])


def compared(signs: Sequence[str], left: Any, *rights: Callable[[], Any]) -> Any:
    """`a < b < c`: each operand is computed once, and only as long as the result is open."""
    right = rights[0]()
    test = _COMPARE[signs[0]](left, right)
    if len(signs) == 1:
        return test
    return and_(test, lambda: compared(signs[1:], right, *rights[1:]))


_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "Lt": operator.lt,
    "LtE": operator.le,
    "Gt": operator.gt,
    "GtE": operator.ge,
    "Eq": operator.eq,
    "NotEq": operator.ne,
    "Is": operator.is_,
    "IsNot": operator.is_not,
    "In": lambda a, b: a in b,
    "NotIn": lambda a, b: a not in b,
}


def _is_condition(value: Any) -> bool:
    return isinstance(value, SIMD) and value.is_traced and value.dtype is DType.bool
