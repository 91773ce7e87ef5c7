"""`Row`: a row of numbers in a kernel, computed where it is needed and never stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorlib.dtypes import DType, as_dtype
from tensorlib.ir import current_builder
from tensorlib.ir.builder import fail
from tensorlib.kernels.fold import across, fold, neutral
from tensorlib.lang.rewrite import rewritten
from tensorlib.lang.target import simdwidthof
from tensorlib.simd import SIMD

__all__ = ["Row"]

At = Callable[[Any, int], SIMD]


class Row:
    """`size` elements of `dtype`; `at(i, lanes)` are those from i on. As many as `lanes` fill a
    vector register with the widest dtype that they are computed with.

    Operators and `map` work element by element, on rows, scalars and numbers. `sum`, `mean`,
    `max`, `min`, `any` and `all` fold the row into a scalar: they go over its elements, in the
    order of `tensorlib.kernels.fold`. float16 and bfloat16 are folded in float32.
    """

    __slots__ = ("at", "dtype", "lanes", "size")

    def __init__(self, at: At, dtype: DType, size: Any, lanes: int = 1) -> None:
        self.at, self.dtype, self.size, self.lanes = at, dtype, size, lanes

    # element by element
    def map(self, function: Callable[..., SIMD], *others: Any) -> Row:
        """Return `function` of each element, and of those of `others`."""
        operands = [self, *others]

        def at(i: Any, lanes: int) -> SIMD:
            values = [x.at(i, lanes) if isinstance(x, Row) else x for x in operands]
            called = rewritten(function) if current_builder() is not None else function
            result = called(*values)
            if not isinstance(result, SIMD):
                raise fail(f"map: got {type(result).__name__}, needed a SIMD value for each row")
            return result.splat(lanes)

        kind = at(0, 1).dtype
        widths = [x.lanes for x in operands if isinstance(x, Row)]
        return Row(at, kind, self.size, min(simdwidthof(kind), *widths))

    def cast(self, dtype: Any) -> Row:
        """Return the elements as `dtype`."""
        kind = as_dtype(dtype)
        return self if kind is self.dtype else self.map(lambda x: x.cast(kind))

    def select(self, a: Any, b: Any) -> Row:
        """Take elements of `a` where this row of bool is true, else of `b`."""
        return self.map(lambda mask, x, y: mask.select(x, y), a, b)

    def __add__(self, other: Any) -> Row:
        return self.map(lambda x, y: x + y, other)

    def __radd__(self, other: Any) -> Row:
        return self.map(lambda x, y: y + x, other)

    def __sub__(self, other: Any) -> Row:
        return self.map(lambda x, y: x - y, other)

    def __rsub__(self, other: Any) -> Row:
        return self.map(lambda x, y: y - x, other)

    def __mul__(self, other: Any) -> Row:
        return self.map(lambda x, y: x * y, other)

    def __rmul__(self, other: Any) -> Row:
        return self.map(lambda x, y: y * x, other)

    def __truediv__(self, other: Any) -> Row:
        return self.map(lambda x, y: x / y, other)

    def __rtruediv__(self, other: Any) -> Row:
        return self.map(lambda x, y: y / x, other)

    def __neg__(self) -> Row:
        return self.map(lambda x: -x)

    def __abs__(self) -> Row:
        return self.map(abs)

    def __eq__(self, other: object) -> Row:  # type: ignore[override]
        return self.map(lambda x, y: x == y, other)

    def __ne__(self, other: object) -> Row:  # type: ignore[override]
        return self.map(lambda x, y: x != y, other)

    def __lt__(self, other: Any) -> Row:
        return self.map(lambda x, y: x < y, other)

    def __le__(self, other: Any) -> Row:
        return self.map(lambda x, y: x <= y, other)

    def __gt__(self, other: Any) -> Row:
        return self.map(lambda x, y: x > y, other)

    def __ge__(self, other: Any) -> Row:
        return self.map(lambda x, y: x >= y, other)

    __hash__ = None  # type: ignore[assignment]

    # all elements
    def sum(self) -> SIMD:
        """Return the sum; 0 of no elements."""
        return self._folded("sum")

    def max(self) -> SIMD:
        """Return the largest element; NaN wins."""
        return self._folded("max")

    def min(self) -> SIMD:
        """Return the smallest element; NaN wins."""
        return self._folded("min")

    def any(self) -> SIMD:
        """Return whether an element is not zero."""
        return self.cast(DType.bool)._folded("any")

    def all(self) -> SIMD:
        """Return whether no element is zero."""
        return self.cast(DType.bool)._folded("all")

    def mean(self) -> SIMD:
        """Return the arithmetic mean; NaN of no elements."""
        if not self.dtype.is_float:
            raise fail(f"mean: got a row of {self.dtype.name}, needed floats; try .cast(float64)")
        wide = self._wide()
        size = self.size if isinstance(self.size, SIMD) else SIMD[DType.int64, 1](self.size)
        return (wide.sum() / size.cast(wide.dtype)).cast(self.dtype)

    def _wide(self) -> Row:
        return self.cast(DType.float32) if self.dtype.is_float and self.dtype.bits == 16 else self

    def _folded(self, op: str) -> SIMD:
        wide = self._wide()
        if current_builder() is None:
            total = across(op, wide.whole(neutral(op, wide.dtype)))
        else:
            elements = lambda inner, w: wide.at(inner[-1], w)  # noqa: E731
            total = rewritten(fold)(op, wide.dtype, elements, [self.size], wide.lanes)
        return total.cast(self.dtype)

    def whole(self, rest: Any) -> SIMD:
        """Return all elements of a row of numbers as one vector, filled up with `rest`."""
        lanes = 1 << max(int(self.size) - 1, 0).bit_length()
        places = SIMD[DType.int64, lanes](*range(lanes))
        return (places < int(self.size)).select(self.at(0, lanes), rest)
