"""The algebra: coalesce, filter, composition and complement; each states its law."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np

from tensorlib.errors import LayoutError
from tensorlib.layouts.dim import Dim, Size, is_static, known_nonnegative
from tensorlib.layouts.division import whole_and_rest
from tensorlib.layouts.layout import (
    TABLE_LIMIT,
    Layout,
    extended_modes,
    from_modes,
    make_layout,
    merged,
)
from tensorlib.layouts.memo import memoised
from tensorlib.layouts.recognise import recognised
from tensorlib.layouts.shape import ceil_div, product, unflatten_tuple

__all__ = ["Tiler", "coalesce", "complement", "composition", "filter", "filter_zeros"]

Tiler: TypeAlias = "Layout | Size | tuple[Tiler, ...] | None"
Mode: TypeAlias = tuple[Size, Size]


@memoised
def coalesce(layout: Layout, profile: Any = None) -> Layout:
    """Return the shortest flat layout with the same table: `coalesce(L)(i) == L(i)`.

    With a profile, a nested tuple, every part of it names a mode that is coalesced by itself.

    >>> coalesce(Layout((2, (1, 6)), (1, (6, 2)))), coalesce(Layout(((2, 2), 8)), (1, 1))
    (12:1, (4,8):(1,4))
    """
    if isinstance(profile, tuple):
        if not isinstance(layout.shape, tuple) or len(profile) > layout.rank:
            raise LayoutError(f"coalesce: got {layout} and profile {profile}, needed fewer modes")
        parts = [coalesce(m, p) for m, p in zip(layout.modes, profile, strict=False)]
        return make_layout(*parts, *layout.modes[len(profile) :])
    if isinstance(layout.size, int) and layout.size == 0:
        return Layout(0, 0)
    return from_modes(merged(zip(layout.flat_shape, layout.flat_stride, strict=True)))


@memoised
def filter_zeros(layout: Layout) -> Layout:
    """Return the layout with shape 1 in place of every mode of stride 0.

    >>> filter_zeros(Layout((4, 8), (0, 1)))
    (1,8):(0,1)
    """
    leaves = zip(layout.flat_shape, layout.flat_stride, strict=True)
    sizes = [1 if isinstance(d, int) and d == 0 else s for s, d in leaves]
    return Layout(unflatten_tuple(iter(sizes), layout.shape), layout.stride)


@memoised
def filter(layout: Layout) -> Layout:
    """Return the coalesced layout without stride-0 and size-1 modes: the same set of offsets.

    >>> filter(Layout((4, 2, 8), (0, 1, 2)))
    16:1
    """
    return coalesce(filter_zeros(layout))


@memoised
def composition(a: Layout, b: Tiler) -> Layout:
    """Return a o b: `composition(a, b)(i) == a(b(i))` for every i below the size of b.

    The shape refines b's. A tuple goes by mode, n stands for n:1, None keeps its mode, and modes
    past a short tuple are dropped. Raises LayoutError where no layout obeys the law, or where
    symbols leave it open.

    >>> composition(Layout((6, 2), (8, 2)), Layout((4, 3), (3, 1)))
    ((2,2),3):((24,2),8)
    >>> composition(Layout((8, 8), (8, 1)), (4, Layout(2, 4)))
    (4,2):(8,4)
    """
    if b is None:
        return a
    if isinstance(b, Layout):
        return _composed(a, b)
    if not isinstance(b, tuple):
        return _composed(a, Layout(b, 1))
    return make_layout(*map(composition, modes_to_tile("composition", a, b), b))


def modes_to_tile(where: str, a: Layout, tiler: tuple[Any, ...]) -> tuple[Layout, ...]:
    """Return the modes of `a` that the tuple speaks of."""
    if len(tiler) > a.rank:
        raise refused(where, a, tiler, f"needed a tiler of at most {a.rank} modes")
    return a.modes[: len(tiler)]


def refused(where: str, a: object, b: object, reason: str) -> LayoutError:
    """Return the error of an operation that has no answer for these operands."""
    return LayoutError(f"{where}: got {a} and {b}; {reason}")


def _composed(a: Layout, b: Layout) -> Layout:
    if isinstance(b.size, int) and b.size == 0:
        return Layout(b.shape, unflatten_tuple(iter([0] * len(b.flat_shape)), b.shape))
    if isinstance(a.size, int) and a.size == 0:
        raise refused("composition", a, b, "needed a left operand that is not empty")
    leaves = list(zip(b.flat_shape, b.flat_stride, strict=True))
    parts = _closed_form(extended_modes(a), leaves) or _tabulated(a, b, leaves)
    shapes = unflatten_tuple((from_modes(part).shape for part in parts), b.shape)
    strides = unflatten_tuple((from_modes(part).stride for part in parts), b.shape)
    return Layout(shapes, strides)


def _closed_form(modes: list[Mode], leaves: list[Mode]) -> list[list[Mode]] | None:
    """Return the modes that every leaf of b becomes, or None where that is not proved.

    Offsets of b are numbers in the mixed radix of a's shape. a(x + y) == a(x) + a(y) where no
    digit overflows, so it is enough that the greatest digits of all leaves together fit a's
    sizes; the last digit has no bound.
    """
    if len(modes) <= 1:
        step = modes[0][1] if modes else 0
        return [merged([(size, stride * step)]) for size, stride in leaves]
    loads: list[Size] = [0] * (len(modes) - 1)
    parts = [_through(modes, size, stride, loads) for size, stride in leaves]
    if not _fit(loads, modes):
        return None
    found = [merged(part) for part in parts if part is not None]
    return found if len(found) == len(parts) else None


def _through(modes: list[Mode], size: Size, stride: Size, loads: list[Size]) -> list[Mode] | None:
    """Split one leaf of b where it crosses from one mode of a into the next.

    Adds the greatest value that each digit takes to `loads`.
    """
    parts: list[Mode] = []
    while not (isinstance(size, int) and size == 1):
        digits = _digits(modes, stride)
        if digits is None:
            return None
        spans = [digit * (size - 1) for digit in digits[:-1]]
        if _fit(spans, modes):
            loads[:] = [load + span for load, span in zip(loads, spans, strict=True)]
            return [*parts, (size, _dot(digits, modes))]
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
    for size, _ in modes[:-1]:
        value, digit = whole_and_rest(value, size)
        digits.append(digit)
    digits.append(value)
    return digits if all(map(known_nonnegative, digits)) else None


def _fit(digits: list[Size], modes: list[Mode]) -> bool:
    """True when every digit is provably below the size of its mode; sizes are at least 1."""
    pairs = zip(digits, modes, strict=False)
    return all(digit == 0 or known_nonnegative(mode[0] - digit - 1) for digit, mode in pairs)


def _dot(digits: list[Size], modes: list[Mode]) -> Size:
    total: Size = 0
    for digit, (_, stride) in zip(digits, modes, strict=True):
        total = total + digit * stride
    return total


def _tabulated(a: Layout, b: Layout, leaves: list[Mode]) -> list[list[Mode]]:
    """Decide by the table: recognise every leaf of b through a, then check that they add up."""
    if not (a.is_static and b.is_static):
        raise refused("composition", a, b, "needed sizes whose divisibility can be proved")
    if b.size > TABLE_LIMIT:
        raise refused("composition", a, b, f"needed at most {TABLE_LIMIT} offsets to decide it")
    offsets = b.table()
    reach = int(np.abs(offsets).max()) * (1 + sum(map(abs, a.flat_stride)))  # type: ignore[arg-type]
    if reach >= 1 << 62:
        raise refused("composition", a, b, "needed offsets that fit int64")
    parts: list[list[Mode]] = []
    for place, (size, stride) in enumerate(leaves):
        modes = recognised(_applied(a, Layout(size, stride).table()))
        if modes is None:
            raise refused("composition", a, b, f"mode {place} of the right one leaves no layout")
        parts.append([(s, d) for s, d in modes])
    whole = from_modes([mode for part in parts for mode in part]).table()
    wrong = np.flatnonzero(whole != _applied(a, offsets))
    if wrong.size:
        place = _first_mode(b, int(wrong[0]))
        raise refused("composition", a, b, f"mode {place} of the right one does not add up")
    return parts


def _applied(a: Layout, offsets: Any) -> Any:
    return np.broadcast_to(a(offsets), offsets.shape)


def _first_mode(b: Layout, index: int) -> int:
    """Return the last leaf whose coordinate is not 0 at the index."""
    place = 0
    for k, size in enumerate(b.flat_shape):
        assert isinstance(size, int)
        if index % size:
            place = k
        index //= size
    return place


@memoised
def complement(layout: Layout, target: Any = None) -> Layout:
    """Return the ordered layout A* that fills what A leaves out of `target` offsets.

    A* is disjoint from A except at 0, (A, A*) is injective, and `cosize((A, A*)) >= target`. The
    target is a number or a shape, by default A's cosize. Raises LayoutError where A's strides
    interleave, are negative, or have an order that symbols leave open.

    >>> complement(Layout(4), 24), complement(Layout(4, 2), 24), complement(Layout((2, 4), (1, 6)))
    (6:4, (2,3):(1,8), 3:2)
    """
    goal = layout.cosize if target is None else product(target)
    if isinstance(layout.size, int) and layout.size == 0:
        raise refused("complement", layout, goal, "needed a layout that is not empty")
    modes = merged_without_zeros(layout)
    found: list[Mode] = []
    current: Size = 1
    for size, stride in _sorted_by_stride("complement", layout, goal, modes):
        if stride % current != 0 or not known_nonnegative(stride):
            raise refused("complement", layout, goal, f"mode {size}:{stride} interleaves")
        found.append((stride // current, current))
        current = stride * size
    found.append((ceil_div(goal, current), current))
    if isinstance(goal, int) and goal == 0:
        found.pop()
    return from_modes(merged(found))


def merged_without_zeros(layout: Layout) -> list[Mode]:
    """Return the flat modes of `filter(layout)`."""
    leaves = zip(layout.flat_shape, layout.flat_stride, strict=True)
    return merged((s, d) for s, d in leaves if isinstance(d, Dim) or d != 0)


def _sorted_by_stride(where: str, a: Layout, b: object, modes: Iterable[Mode]) -> list[Mode]:
    def before(x: Mode, y: Mode) -> int:
        if x[1] == y[1]:
            return 0
        if not (is_static(x[1]) and is_static(y[1])):
            if y[1] % (x[0] * x[1]) == 0:
                return -1
            if x[1] % (y[0] * y[1]) == 0:
                return 1
        return -1 if x[1] < y[1] else 1

    try:
        return sorted(modes, key=functools.cmp_to_key(before))
    except LayoutError as error:
        raise refused(where, a, b, f"needed strides of known order: {error}") from None
