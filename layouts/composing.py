"""What the modes of one layout become through another: in closed form, else by its table."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from tensorlib.errors import LayoutError
from tensorlib.layouts.dim import Dim, Size, dim_equal, known_nonnegative
from tensorlib.layouts.division import whole_and_rest
from tensorlib.layouts.exact import flat_layout
from tensorlib.layouts.layout import TABLE_LIMIT, Layout, merged
from tensorlib.layouts.recognise import recognised

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Mode", "closed_form", "extended", "leaf_of", "refused", "tabulated"]

Mode: TypeAlias = tuple[Size, Size]


def refused(where: str, a: object, b: object, reason: str) -> LayoutError:
    """Return the error of an operation that has no answer for one operand (b is None) or two."""
    operands = str(a) if b is None else f"{a} and {b}"
    return LayoutError(f"{where}: got {operands}; {reason}")


def leaf_of(modes: list[Mode]) -> tuple[Any, Any]:
    """Return shape and stride of flat modes: not wrapped where it is one mode, none is 1:0."""
    if len(modes) == 1:
        return modes[0]
    if not modes:
        return 1, 0
    shape, stride = zip(*modes, strict=True)
    return shape, stride


def extended(modes: list[Mode]) -> list[Mode]:
    """Return merged modes that agree with the given ones at every integer, also past their end.

    The last mode is unbounded, so it stays even where its size is 1.
    """
    if len(modes) < 2:
        return modes
    inner = merged(modes[:-1])
    size, stride = modes[-1]
    if inner and dim_equal(stride, inner[-1][0] * inner[-1][1]):
        inner[-1] = (inner[-1][0] * size, inner[-1][1])
    else:
        inner.append((size, stride))
    return inner


def closed_form(modes: list[Mode], leaves: list[Mode]) -> list[list[Mode]] | None:
    """Return the modes that every leaf of b becomes through a's, or None where that's not proved.

    Offsets of b are numbers in the mixed radix of a's shape. a(x + y) == a(x) + a(y) where no
    digit overflows, so it is enough that the greatest digits of all leaves together fit a's
    sizes; the last digit has no bound.
    """
    if len(modes) <= 1:
        step = modes[0][1] if modes else 0
        return [[] if s.__class__ is int and s == 1 else [(s, d * step)] for s, d in leaves]
    loads: list[Size] = [0] * (len(modes) - 1)
    found: list[list[Mode]] = []
    for size, stride in leaves:
        part = _through(modes, size, stride, loads)
        if part is None:
            return None
        found.append(part if len(part) < 2 else merged(part))
    return found if _fit(loads, modes) else None


def _through(modes: list[Mode], size: Size, stride: Size, loads: list[Size]) -> list[Mode] | None:
    """Split one leaf of b where it crosses from one mode of a into the next.

    Adds the greatest value that each digit takes to `loads`.
    """
    parts: list[Mode] = []
    while size != 1:
        digits = _digits(modes, stride)
        if digits is None:
            return None
        last = size - 1
        spans = [digit * last for digit in digits[:-1]]
        if _fit(spans, modes):
            loads[:] = map(operator.add, loads, spans)
            parts.append((size, _dot(digits, modes)))
            return parts
        place = next(k for k, digit in enumerate(digits) if digit != 0)
        steps = _steps(modes[place][0], digits, place, size)
        if steps is None:
            return None
        parts.append((steps, digits[place] * modes[place][1]))
        loads[place] = loads[place] + modes[place][0] - digits[place]
        size, stride = size // steps, stride * steps
    return parts


def _steps(limit: Size, digits: list[Size], place: int, size: Size) -> Size | None:
    """Return how many steps fill the digit exactly, where they divide the leaf's size."""
    if any(digit != 0 for digit in digits[place + 1 :]) or limit % digits[place] != 0:
        return None
    steps = limit // digits[place]
    return steps if steps != 1 and size % steps == 0 else None


def _digits(modes: list[Mode], value: Size) -> list[Size] | None:
    """Write a stride in the mixed radix of the modes; digits need not be below their size yet."""
    digits: list[Size] = []
    if not known_nonnegative(value):
        return None
    for size, _ in modes[:-1]:
        if isinstance(value, int) and isinstance(size, int):
            value, digit = divmod(value, size)
            digits.append(digit)
            continue
        value, rest = whole_and_rest(value, size)
        if not known_nonnegative(rest):
            return None
        digits.append(rest)
    digits.append(value)
    return digits if known_nonnegative(value) else None


def _fit(digits: list[Size], modes: list[Mode]) -> bool:
    """True when every digit is provably below the size of its mode; sizes are at least 1."""
    for digit, (size, _) in zip(digits, modes):  # noqa: B905 - the last mode has no bound
        if digit.__class__ is int and size.__class__ is int:
            if digit >= size:
                return False
        elif not (digit == 0 or known_nonnegative(size - digit - 1)):
            return False
    return True


def _dot(digits: list[Size], modes: list[Mode]) -> Any:
    total: Any = 0
    for digit, (_, stride) in zip(digits, modes):  # noqa: B905 - of one length
        if digit.__class__ is not int or digit:
            total = total + digit * stride
    return total


def tabulated(where: str, a: Layout, b: Layout) -> list[list[Mode]]:
    """Decide by the table: recognise every leaf of b through a, then check that they add up."""
    if not (a.is_static and b.is_static):
        raise refused(where, a, b, "needed sizes whose divisibility can be proved")
    if int(b.size) > TABLE_LIMIT:
        raise refused(where, a, b, f"needed at most {TABLE_LIMIT} offsets to decide it")
    reach = sum(abs(d) * (s - 1) for s, d in _numbers(b)) * (
        1 + sum(abs(d) for _, d in _numbers(a))
    )
    if reach >= 1 << 62:
        raise refused(where, a, b, "needed offsets that fit int64")
    parts: list[list[Mode]] = []
    for place, (size, stride) in enumerate(_numbers(b)):
        modes = recognised(_applied(a, np.arange(size, dtype=np.int64) * stride))
        if modes is None:
            raise refused(where, a, b, f"mode {place} of the right one leaves no layout")
        parts.append([(s, d) for s, d in modes])
    whole = flat_layout([mode for part in parts for mode in part]).table()
    wrong = np.flatnonzero(whole != _applied(a, b.table()))
    if wrong.size:
        place = _first_mode(b, int(wrong[0]))
        raise refused(where, a, b, f"mode {place} of the right one does not add up")
    return parts


def _numbers(layout: Layout) -> list[tuple[int, int]]:
    leaves = zip(layout.flat_shape, layout.flat_stride, strict=True)
    return [(s, d) for s, d in leaves if not isinstance(s, Dim) and not isinstance(d, Dim)]


def _applied(a: Layout, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.broadcast_to(a(offsets), offsets.shape)


def _first_mode(b: Layout, index: int) -> int:
    """Return the last leaf whose coordinate is not 0 at the index."""
    place = 0
    for k, (size, _) in enumerate(_numbers(b)):
        if index % size:
            place = k
        index //= size
    return place
