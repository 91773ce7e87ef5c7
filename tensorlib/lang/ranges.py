"""`range(...)` in the head of a kernel's `for`: a loop at run time, upwards or downwards."""

from __future__ import annotations

import builtins
import operator
from collections.abc import Callable, Iterator
from typing import Any

from tensorlib.dtypes import DType
from tensorlib.ir.builder import current_builder, fail
from tensorlib.ir.core import Value
from tensorlib.simd import SIMD, SIMDType, lift

__all__ = ["INDEX_SIMD", "Range", "enumerated", "runtime_range", "zipped"]

INDEX_SIMD = SIMDType(DType.int64, 1)
Item = Callable[[Any], Any]


class Range:
    """`range(...)` of a kernel's `for`: a loop at run time, also over constants.

    `item` makes of the number that the loop counts what the body gets; None where that is it.
    """

    __slots__ = ("is_parallel", "item", "start", "step", "stop")

    item: Item | None

    def __init__(self, *bounds: Any) -> None:
        if not 1 <= len(bounds) <= 3:
            raise fail(f"range: got {len(bounds)} arguments, needed 1 to 3")
        start, stop = (0, bounds[0]) if len(bounds) == 1 else bounds[:2]
        self.start, self.stop = start, stop
        self.step = bounds[2] if len(bounds) == 3 else 1
        self.is_parallel = False
        self.item = None
        if isinstance(self.step, int) and self.step == 0:
            raise fail("range: got step 0, needed any other")

    @property
    def is_known(self) -> bool:
        """Whether Python knows how often the loop runs."""
        return self.item is None and all(
            hasattr(b, "__index__") and not (isinstance(b, SIMD) and b.is_traced)
            for b in (self.start, self.stop, self.step)
        )

    def python(self) -> range:
        """Return the Python range, where the bounds are known now."""
        return builtins.range(*(operator.index(b) for b in (self.start, self.stop, self.step)))

    def __iter__(self) -> Iterator[int]:
        return iter(self.python())

    def __reversed__(self) -> Range:
        count = self.count()
        return self.mapped(lambda k: self.start + (count - 1 - k) * self.step, count)

    def count(self) -> Any:
        """Return how often the loop runs; less than 0 stands for 0, and so does step 0."""
        if self.is_known:
            return len(self.python())
        for bound in (self.start, self.stop, self.step):
            checked(bound)
        if isinstance(self.step, int) and self.step == 1:
            return self.stop - self.start if not is_zero(self.start) else self.stop
        if isinstance(self.step, SIMD) and self.step.is_traced:
            _assert(self.step != 0, "range: got step 0, needed another")
        return 0 - (self.start - self.stop) // self.step

    def mapped(self, item: Item, count: Any = None) -> Range:
        """Return a loop that counts from 0, and what its body gets."""
        inner = self.item
        made = Range(self.count() if count is None else count)
        made.item = item if inner is None else lambda k: item(inner(k))
        made.is_parallel = self.is_parallel
        return made

    def upwards(self) -> Range:
        """Return the loop as one whose step is more than 0."""
        is_up = self.step > 0 if isinstance(self.step, int) else _is_positive(self.step)
        if is_up:
            return self
        return self.mapped(lambda k: self.start + k * self.step)


def is_zero(value: Any) -> bool:
    """Whether a value is the number 0."""
    return isinstance(value, int) and value == 0


def checked(bound: Any) -> Any:
    """Return a bound after checking that it is a whole number."""
    if isinstance(bound, SIMD) and (bound.dtype is not DType.int64 or bound.width != 1):
        raise fail(f"range: got {bound!r}, needed int64 scalars; try .cast(int64)")
    if not isinstance(bound, SIMD) and not hasattr(bound, "__index__"):
        raise fail(f"range: got {type(bound).__name__} {bound!r}, needed whole numbers")
    return bound


def _assert(condition: SIMD, message: str) -> None:
    builder = current_builder()
    assert builder is not None
    builder.emit("assert", [lift(condition)], {"message": message})


def _is_positive(step: Any) -> bool:
    """Whether a step that is known at run time is a product of sizes of the grid."""
    if not isinstance(step, SIMD):
        return bool(operator.index(step) > 0)
    if not isinstance(step.value, Value):
        return bool(step.value > 0)
    return _is_size(step.value)


def _is_size(value: Value) -> bool:
    operation = value.operation
    if operation is None:
        return False
    if operation.name == "const":
        return bool(operation.attributes["value"] > 0)
    is_product = operation.name in ("multiply", "add", "maximum")
    return operation.name == "grid_dim" or (is_product and all(map(_is_size, operation.operands)))


def runtime_range(function: Any) -> Any:
    """Return what a `for` statement's call of `range` makes: a run-time loop for the built-in."""
    return Range if function is builtins.range else function


def enumerated(values: Any, start: int = 0) -> Any:
    """`enumerate(values)`; over a `range` that is known at run time a loop at run time."""
    if not isinstance(values, Range) or values.is_known:
        return enumerate(values, start)
    loop = values.upwards()
    if loop.item is None:
        return loop.mapped(lambda k: (k + start, loop.start + k * loop.step))
    item = loop.item
    return Range(loop.stop).mapped(lambda k: (k + start, item(k)))


def zipped(*values: Any, **keywords: Any) -> Any:
    """`zip(...)`; of ranges that are known at run time a loop at run time."""
    if all(not isinstance(v, Range) or v.is_known for v in values):
        return zip(*values, **keywords)  # noqa: B905
    if keywords or not all(isinstance(v, Range) for v in values):
        kinds = ", ".join(type(v).__name__.lower() for v in values)
        raise fail(f"zip: got {kinds}, of which a range is known at run time; needed ranges only")
    counts = [v.count() if v.item is None else v.stop for v in values]
    items = [v.item or (lambda k, v=v: v.start + k * v.step) for v in values]
    fewest = counts[0]
    for count in counts[1:]:
        fewest = count.min(fewest) if isinstance(count, SIMD) else _fewer(fewest, count)
    return Range(fewest).mapped(lambda k: tuple(item(k) for item in items))


def _fewer(a: Any, b: int) -> Any:
    return a.min(b) if isinstance(a, SIMD) else min(a, b)
