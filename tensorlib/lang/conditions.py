"""Conditions over traced values: what rewritten `and`, `or`, `not`, `a < b < c`, `assert` call."""

from __future__ import annotations

import builtins
import operator
from collections.abc import Callable, Sequence
from typing import Any

from tensorlib.dtypes import DType
from tensorlib.ir.builder import current_builder, fail
from tensorlib.ir.core import Value
from tensorlib.ir.ops import ROWS
from tensorlib.ir.types import VectorType
from tensorlib.simd import SIMD, lift

__all__ = [
    "and_",
    "asserted",
    "compared",
    "largest",
    "not_",
    "or_",
    "scalar_condition",
    "smallest",
]


def scalar_condition(test: Any, where: str) -> Value:
    if not isinstance(test, SIMD) or test.dtype is not DType.bool or test.width != 1:
        got = test.type if isinstance(test, SIMD) else type(test).__name__
        raise fail(
            f"{where}: got a condition of type {got}, needed a scalar bool; "
            "try .reduce_or() or .reduce_and() for a branch, .select(a, b) to choose by lane"
        )
    return lift(test)


def asserted(condition: Any, message: Callable[[], Any]) -> None:
    """`assert condition, message`: a traced one is checked when the kernel runs, see `checked`."""
    if isinstance(condition, SIMD) and condition.is_traced:
        if __debug__:
            builder = current_builder()
            assert builder is not None
            builder.emit("assert", [scalar_condition(condition, "assert")])
    elif __debug__ and not condition:
        found = message()
        raise AssertionError() if found is None else AssertionError(found)


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
    """Combine conditions; a right side that reads memory only runs where it matters."""
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
        builder.emit("yield", [scalar_condition(value, "or" if decides else "and")])
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


def smallest(*values: Any, **keywords: Any) -> Any:
    """`min(a, b, ...)`, which keeps the first where `b < a` does not hold, as Python does."""
    return _extreme(builtins.min, operator.lt, values, keywords)


def largest(*values: Any, **keywords: Any) -> Any:
    """`max(a, b, ...)`, which keeps the first where `b > a` does not hold, as Python does."""
    return _extreme(builtins.max, operator.gt, values, keywords)


def _extreme(
    plain: Callable[..., Any],
    is_better: Callable[[Any, Any], Any],
    values: Sequence[Any],
    keywords: dict[str, Any],
) -> Any:
    traced = [isinstance(v, SIMD) and v.is_traced and v.width == 1 for v in values]
    if keywords or len(values) < 2 or not any(traced):
        return plain(*values, **keywords)
    best = values[0]
    for value in values[1:]:
        test = is_better(value, best)
        if isinstance(test, SIMD) and test.is_traced:
            best = test.select(value, best)
        elif test:
            best = value
    return best
