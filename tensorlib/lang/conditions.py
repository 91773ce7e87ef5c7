"""Conditions over traced values: what rewritten `and`, `or`, `not`, `a < b < c`, `in`, `assert`
call.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

from tensorlib.dtypes import DType
from tensorlib.ir.builder import current_builder, fail
from tensorlib.ir.core import Value
from tensorlib.ir.ops import ROWS
from tensorlib.ir.types import VectorType
from tensorlib.lang.carried import Scope, State, zeros_like
from tensorlib.lang.undefined import Undefined
from tensorlib.simd import SIMD, lift

__all__ = [
    "ONCE",
    "and_",
    "asserted",
    "compared",
    "is_traced",
    "not_",
    "or_",
    "scalar_condition",
    "truth",
]

# The scope of a right side that can be asked for once: nothing but its result may come of it.
ONCE = Scope((), lambda: (), lambda state: None)


def is_traced(value: Any) -> bool:
    """Whether a value is known at run time only."""
    return isinstance(value, SIMD) and isinstance(value.value, Value)


def truth(value: Any) -> Any:
    """Return whether a traced number is not 0; other values as they are."""
    is_number = is_traced(value) and value.width == 1 and value.dtype is not DType.bool
    return value != 0 if is_number and not value.dtype.is_coded else value


def scalar_condition(test: Any, where: str) -> Value:
    """Return the IR value of a condition; of a number, whether it is not 0."""
    test = truth(test)
    if not isinstance(test, SIMD) or test.dtype is not DType.bool or test.width != 1:
        got = test.type if isinstance(test, SIMD) else type(test).__name__
        raise fail(
            f"{where}: got a condition of type {got}, needed a scalar bool; "
            "try .reduce_or() or .reduce_and() for a branch, .select(a, b) to choose by lane"
        )
    return lift(test)


def _one(test: SIMD, where: str, sign: str) -> SIMD:
    """Return a condition after checking that it is one, not one a lane."""
    if test.width != 1:
        raise fail(
            f"{where}: got {test.width} lanes, needed a scalar condition; try {sign}, which works "
            "by lane, or .reduce_or() and .reduce_and()"
        )
    return test


def asserted(condition: Any, message: Callable[[], Any]) -> None:
    """`assert condition, message`: a traced one is checked when the kernel runs, see `checked`."""
    if isinstance(condition, SIMD) and condition.is_traced:
        if __debug__:
            builder = current_builder()
            assert builder is not None
            said = _said(message)
            builder.emit(
                "assert",
                [scalar_condition(condition, "assert")],
                {"message": said} if said else None,
            )
    elif __debug__ and not condition:
        found = message()
        raise AssertionError() if found is None else AssertionError(found)


def _said(message: Callable[[], Any]) -> str:
    """Return the message of an assertion as far as it is known before the kernel runs."""
    try:
        found = message()
    except Exception:  # it is for values that are there only when the kernel runs
        return ""
    return "" if found is None else str(found)


def and_(left: Any, right: Callable[[], Any], scope: Scope | None = None) -> Any:
    """`left and right`; on traced conditions `&`, where the right side may be computed anyway.

    `scope` has what the right side may change, None where it can change nothing.
    """
    if not is_traced(left):
        return left and right()
    if left.dtype is not DType.bool:
        return _choose(truth(_one(left, "and", "&")), right, lambda: left, scope)
    return _logic(_one(left, "and", "&"), right, False, scope)


def or_(left: Any, right: Callable[[], Any], scope: Scope | None = None) -> Any:
    """`left or right`; on traced conditions `|`, where the right side may be computed anyway."""
    if not is_traced(left):
        return left or right()
    if left.dtype is not DType.bool:
        return _choose(truth(_one(left, "or", "|")), lambda: left, right, scope)
    return _logic(_one(left, "or", "|"), right, True, scope)


def not_(value: Any) -> Any:
    """`not value`; on a traced condition its complement."""
    return ~truth(_one(value, "not", "~")) if is_traced(value) else not value


def _choose(test: Any, then: Callable[[], Any], other: Callable[[], Any], scope: Any) -> Any:
    from tensorlib.lang.branches import choose  # which needs the conditions here

    return choose(test, then, other, scope)


def _logic(left: SIMD, right: Callable[[], Any], decides: bool, scope: Scope | None) -> Any:
    """Combine conditions; a right side that reads memory only runs where it matters."""
    builder = current_builder()
    assert builder is not None
    name = "or" if decides else "and"
    state = State(scope) if scope is not None else None
    with builder.block() as block, state.restored() if state is not None else nullcontext():
        value = truth(right())
        changes = state is not None and state.changes()
        given = scope.get() if scope is not None else ()
    if changes:
        if scope is None or scope is ONCE:
            raise fail(f"{name}: the values that are asked change a list or object; try a `for`")
        other = _decided(decides, scope, given)
        then, otherwise = (other, right) if decides else (right, other)
        return _choose(left, then, otherwise, scope)
    is_pure = all(ROWS[o.name].effect == "pure" for o in block.operations)
    if isinstance(value, bool):
        builder.inline(block)
        return left if value is not decides else SIMD[DType.bool, 1](decides)
    if is_pure:
        builder.inline(block)
        scalar_condition(value, name)
        return left | value if decides else left & value
    kind = VectorType(DType.bool)
    with builder.reopened(block):
        builder.emit("yield", [scalar_condition(value, name)])
    with builder.block() as known:
        builder.emit("yield", [builder.constant(decides, kind)])
    blocks = [known, block] if decides else [block, known]
    return SIMD.of(builder.emit("if", [lift(left)], {"types": [kind]}, blocks)[0])


def _decided(decides: bool, scope: Scope, given: tuple[Any, ...]) -> Callable[[], bool]:
    """Return the side without the right one: names that only that gives are zeros here."""

    def known() -> bool:
        pairs = zip(scope.get(), given, strict=True)
        scope.put(tuple(zeros_like(b) if isinstance(a, Undefined) else a for a, b in pairs))
        return decides

    return known


def compared(
    signs: Sequence[str], scope: Scope | None, left: Any, *rights: Callable[[], Any]
) -> Any:
    """`a < b < c`: each operand is computed once, and only as long as the result is open."""
    right = rights[0]()
    test = _COMPARE[signs[0]](left, right)
    if len(signs) == 1:
        return test
    if isinstance(test, SIMD) and test.width != 1:
        raise fail(
            f"comparison: got {test.width} lanes, which a chain can't compare; try "
            "(a < b) & (b < c)"
        )
    return and_(test, lambda: compared(signs[1:], scope, right, *rights[1:]), scope)


def _within(value: Any, values: Any) -> Any:
    """`value in values`: of a traced one whether it equals an element of a list or range."""
    if not is_traced(value) or not isinstance(values, (tuple, list, range)):
        return value in values
    if isinstance(values, range) and len(values):
        low, high = min(values[0], values[-1]), max(values[0], values[-1])
        inside = (value >= low) & (value <= high)
        return inside & ((value - low) % abs(values.step) == 0) if high - low else inside
    found: Any = False
    for element in values:
        found = or_(found, lambda element=element: value == element)  # type: ignore[misc]
    return found


_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "Lt": operator.lt,
    "LtE": operator.le,
    "Gt": operator.gt,
    "GtE": operator.ge,
    "Eq": operator.eq,
    "NotEq": operator.ne,
    "Is": operator.is_,
    "IsNot": operator.is_not,
    "In": _within,
    "NotIn": lambda a, b: not_(_within(a, b)),
}
