"""`vectorize[width](n)`: a loop over n elements as a loop of vectors and one over what is left."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from tensorlib.dtypes import DType
from tensorlib.ir.builder import fail
from tensorlib.lang.control import Range
from tensorlib.simd import SIMD, SIMDType

__all__ = ["Steps", "vectorize"]


class Steps(Range):
    """The steps of one width, to loop over; `mask(i)` says which lanes lie inside, None for all."""

    __slots__ = ("is_ragged", "width")

    def __init__(self, start: Any, stop: Any, width: int, is_ragged: bool = False) -> None:
        super().__init__(start, stop, width)
        self.width, self.is_ragged = width, is_ragged

    def mask(self, i: Any) -> SIMD | None:
        """Return which of the lanes from `i` on lie inside; None where they all do."""
        if not self.is_ragged:
            return None
        inside: SIMD = SIMDType(DType.int64, self.width)(*range(self.width)) + i < self.stop
        return inside


class _Vectorize:
    """`vectorize[width]`, or `vectorize[32, 8]`: the widths to step by, the widest first.

        for steps in tl.vectorize[8](n):       # at compile time: for 8 elements, then for 1
            for i in steps:
                out.store[steps.width](i, 2.0 * x.load[steps.width](i))

    With `masked=True` what is left is one step of the last width; pass `mask=steps.mask(i)`.
    """

    __slots__ = ()

    def __getitem__(self, widths: int | tuple[int, ...]) -> Callable[..., list[Steps]]:
        given = widths if isinstance(widths, tuple) else (widths,)
        if not given or any(type(w) is not int or w < 1 or w & (w - 1) for w in given):
            raise fail(f"vectorize: got widths {widths}, needed powers of two")
        if sorted(given, reverse=True) != list(given):
            raise fail(f"vectorize: got widths {widths}, needed the widest first")
        return functools.partial(_steps, given)


vectorize = _Vectorize()


def _steps(widths: tuple[int, ...], stop: Any, masked: bool = False) -> list[Steps]:
    """Return the loops one after the other; those that a known count leaves empty are left out."""
    found: list[Steps] = []
    start: Any = 0
    last = () if masked or widths[-1] == 1 else (1,)
    for width in (*widths, *last):
        end = stop if width == 1 else stop // width * width
        if not _is_empty(start, end):
            found.append(Steps(start, end, width))
        start = end
    if masked and not _is_empty(start, stop):
        found.append(Steps(start, stop, widths[-1], is_ragged=True))
    return found


def _is_empty(start: Any, stop: Any) -> bool:
    return isinstance(start, int) and isinstance(stop, int) and start >= stop
