"""Control flow over traced values: what rewritten `for`, `while`, `if`, `and`, `or`, `not` call.

On Python values a statement runs as Python does; on traced ones it records an IR operation, whose
blocks are traced from the statement's bodies. A `Scope` holds the names that those assign.
"""

from __future__ import annotations

import functools
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from tensorlib.ir.builder import Builder, current_builder, fail
from tensorlib.ir.core import Block, Value
from tensorlib.ir.types import INDEX
from tensorlib.lang.branches import choose, raised, run_if
from tensorlib.lang.carried import EMPTY, Carried, Scope, is_number, scope_of
from tensorlib.lang.conditions import (
    and_,
    asserted,
    compared,
    not_,
    or_,
    scalar_condition,
    truth,
)
from tensorlib.lang.naming import named
from tensorlib.lang.ranges import INDEX_SIMD, Range, checked, runtime_range
from tensorlib.lang.undefined import Undefined, unset
from tensorlib.simd import SIMD, lift

__all__ = [
    "EMPTY",
    "Range",
    "and_",
    "asserted",
    "changed_at_run_time",
    "choose",
    "compared",
    "defined",
    "not_",
    "or_",
    "parallel",
    "raised",
    "returned",
    "run_for",
    "run_if",
    "run_while",
    "runtime_range",
    "scope_of",
    "static",
    "static_iterable",
    "truth",
    "unroll",
    "unset",
]

Body = Callable[..., None]
NOT_READ, READ, ASSIGNED = range(3)  # what becomes of a loop's variable after the loop


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


def changed_at_run_time(name: str, get: Callable[[], Any]) -> None:
    """Refuse to change an array of NumPy in a loop or branch of run time: it changed once, now."""
    builder = current_builder()
    if builder is None or len(builder.blocks) == 1:
        return
    value = defined(get, name)
    if isinstance(value, (np.ndarray, bytearray, array, deque)):
        kind = type(value).__name__
        raise fail(
            f"assignment: {name} is a {kind} of Python, which changes while the kernel is traced, "
            "not in its loops and branches; try a list, or stack_allocation"
        )


def returned(value: Any, flag: Any) -> Any:
    """Return what a function returns, whose `flag` says whether it did."""
    if value is unset or value is None:
        return None
    if isinstance(flag, SIMD) and flag.is_traced:
        raise fail(
            "return: some paths of this function return a value and others return none; try a "
            "return at its end"
        )
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
    iterable: Any,
    body: Body,
    scope: Scope | None,
    flags: Sequence[str],
    targets: Sequence[str],
    after: int = NOT_READ,
) -> None:
    """Run or record a `for` statement, which ends when one of `flags` (names) is set.

    `after` says whether the variable is read after the loop, or assigned in it.
    """
    builder = current_builder()
    if not isinstance(iterable, Range) or builder is None:
        _static_for(iterable, body, scope, flags)
        return
    scope, loop = scope or EMPTY, iterable.upwards()
    known = dict(zip(scope.names, scope.get(), strict=True)) if after == READ else {}
    if after != ASSIGNED:
        _put(scope, {name: Undefined(name) for name in targets})
    last = _record_for(builder, loop, body, scope, flags, targets, after == READ)
    if after == READ and len(targets) == 1:
        (name,) = targets
        _put(scope, {name: _after(loop, last, known.get(name), name)})
    elif after != ASSIGNED:
        why = "is the variable of a run-time loop and has no value after it"
        _put(scope, {name: Undefined(name, why) for name in targets})


def _put(scope: Scope, new: dict[str, Any]) -> None:
    pairs = zip(scope.names, scope.get(), strict=True)
    scope.put(tuple(new.get(name, value) for name, value in pairs))


def _after(loop: Range, last: Any, before: Any, name: str) -> Any:
    """Return what a loop's variable is after the loop: of a loop that never ran, as before."""
    value = loop.item(last) if loop.item is not None else last
    if loop.is_known or (loop.item is not None and isinstance(loop.stop, int)):
        return value if len(loop.python()) else before
    if is_number(before) or isinstance(before, SIMD):
        return (INDEX_SIMD(loop.stop) > loop.start).select(value, before)
    return Undefined(name, "has no value if its loop never runs; give it one before the loop")


def _static_for(
    iterable: Iterable[Any], body: Body, scope: Scope | None, flags: Sequence[str]
) -> None:
    for item in iterable:
        leaving = _leaving(scope, flags)
        if leaving is True:
            return
        if leaving is False:
            body(item)
        else:
            run_if(~leaving, scope, functools.partial(body, item))


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
    loop: Range,
    body: Body,
    scope: Scope,
    flags: Sequence[str],
    targets: Sequence[str],
    is_read: bool,
) -> Any:
    """Record a loop; return the number that it counted last, where that is read."""
    bounds = [_bound(b) for b in (loop.start, loop.stop, loop.step)]
    carried, name = Carried(scope), targets[0] if len(targets) == 1 else ""

    def trace(block: Block) -> None:
        counter = SIMD.of(block.parameters[0])
        if loop.item is None:
            block.parameters[0].name = name
            body(counter)
        else:
            body(named(loop.item(counter), name))

    with carried.state.restored():
        block = carried.settle(builder, [INDEX], trace)
        is_left = any(f in flags for f in carried.changing())
        top = loop.is_parallel and len(builder.blocks) == 1
        if top:
            _check_parallel(carried, is_left)
        if is_left:
            counted, *results = _leavable(builder, carried, block, bounds, flags)
    if not is_left:
        attributes = {"parallel": True} if top else {}
        results = builder.emit("for", [*bounds, *carried.initial()], attributes, [block])
    carried.finish(results)
    if not is_read:
        return None
    if is_left:
        return SIMD.of(counted) - loop.step
    start, stop, step = map(SIMD.of, bounds)
    return start + (stop - start - 1) // step * step


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
    """Record a counted loop that a flag ends, as a `while` that carries the counter first."""
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
    return builder.emit("while", [start, *carried.initial()], {}, [head, block])


def run_while(
    condition: Callable[[], Any], body: Body, scope: Scope | None, flags: Sequence[str]
) -> None:
    """Run or record a `while` statement; it is recorded from where a condition is traced."""
    builder, scope = current_builder(), scope or EMPTY
    if builder is None:
        while not _leaving(scope, flags) and condition():
            body()
        return
    is_first = bool(flags)

    def step() -> Any:
        body()
        return _leaving(scope, flags)

    while True:
        leaving = _leaving(scope, flags)
        if leaving is True:
            return
        if leaving is not False:
            break
        test = _Trial(builder, scope, condition)
        if test.is_of_run_time():
            test.undo()
            break
        if not test.result:
            return
        if not is_first:
            body()
        elif _Trial(builder, scope, step).is_of_run_time():
            test.undo()  # it is recorded from its first time on, not from its second
            break
        is_first = False
    _record_while(builder, condition, body, scope, flags)


class _Trial:
    """A condition or body that is run before it is known whether the loop is one of run time.

    What it did stays where the loop is not: once more would change Python's own state once more.
    """

    def __init__(self, builder: Builder, scope: Scope, function: Callable[[], Any]) -> None:
        self.builder, self.function = builder, function
        self.carried, self.place = Carried(scope), builder.place()
        self.result = function()

    def is_of_run_time(self) -> bool:
        """Whether the result is traced, or is where the loop changes what is a constant now."""
        return _is_traced(self.result) or _is_traced(self._unknown())

    def _unknown(self) -> Any:
        """Return the result once more, of parameters in place of constants that the loop changes.

        None where there are no such constants, or once more would not be the same.
        """
        carried = self.carried
        pairs = zip(carried.leaves, carried.types, strict=True)
        is_known = all(kind is None or leaf.is_traced for leaf, kind in pairs)
        if is_known or carried.state.slots.changed():
            return None
        after = carried.state.read()
        carried.state.write(carried.state.before)
        with self.builder.block(carried.kinds) as block:
            carried.enter(block.parameters)
            result = self.function()
        carried.state.write(after)
        return result

    def undo(self) -> None:
        """Set everything as it was before; raises KernelError where Python's own state is not."""
        self.carried.state.slots.check("while")
        self.carried.state.write(self.carried.state.before)
        self.builder.go_back(self.place)


def _is_traced(value: Any) -> bool:
    return isinstance(value, SIMD) and value.is_traced


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
            before = carried.state.read()
            leaving = _leaving(scope, flags)
            test = condition() if leaving is False else and_(~leaving, condition)
            builder.emit("yield", [scalar_condition(test, "while")])
            carried.state.slots.check("while")
            pairs = zip(before, carried.state.read(), strict=True)
            changes = any(a is not b for a, b in pairs)
    if changes:
        _record_asking(condition, body, scope, flags)
    else:
        carried.finish(builder.emit("while", carried.initial(), {}, [head, block]))


def _record_asking(
    condition: Callable[[], Any], body: Body, scope: Scope, flags: Sequence[str]
) -> None:
    """Record a `while` whose condition changes something: `while True: if not ...: break`."""
    stopped: Any = False

    def put(state: tuple[Any, ...]) -> None:
        nonlocal stopped
        stopped, *rest = state
        scope.put(tuple(rest))

    def stop() -> None:
        nonlocal stopped
        stopped = True

    both = Scope(("__stopped", *scope.names), lambda: (stopped, *scope.get()), put, scope.changed)
    run_while(
        lambda: True,
        lambda: run_if(condition(), both, body, stop),
        both,
        (*flags, "__stopped"),
    )


def _bound(bound: Any) -> Value:
    builder = current_builder()
    if type(bound) is int and bound.bit_length() < 64 and builder is not None:
        return builder.constant(bound)
    if type(bound) is SIMD and bound.type is INDEX:
        return lift(bound)
    return lift(INDEX_SIMD(bound if isinstance(checked(bound), SIMD) else int(bound)))
