"""The algebra: coalesce, filter, composition and complement; each states its law."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias, TypeVar

from tensorlib.errors import LayoutError
from tensorlib.layouts.composing import Mode, closed_form, extended, leaf_of, refused, tabulated
from tensorlib.layouts.dim import Dim, Size, is_static, known_nonnegative
from tensorlib.layouts.exact import exact_layout, exact_modes, flat_layout
from tensorlib.layouts.layout import Layout, from_modes, make_layout, merged
from tensorlib.layouts.memo import memoised
from tensorlib.layouts.overload import over_inner, overloaded
from tensorlib.layouts.shape import ceil_div, depth_of, product, unflatten_tuple

__all__ = ["Tiler", "coalesce", "complement", "composition", "filter", "filter_zeros"]

Tiler: TypeAlias = "Layout | Size | tuple[Tiler, ...] | None"
Row = TypeVar("Row", bound=tuple[Size, ...])
_SIZES = frozenset((int, Dim))
_stride = operator.itemgetter(1)


@memoised
@over_inner
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
@over_inner
def filter_zeros(layout: Layout) -> Layout:
    """Return the layout with shape 1 in place of every mode of stride 0.

    >>> filter_zeros(Layout((4, 8), (0, 1)))
    (1,8):(0,1)
    """
    leaves = zip(layout.flat_shape, layout.flat_stride, strict=True)
    sizes = [1 if isinstance(d, int) and d == 0 and s != 0 else s for s, d in leaves]
    return Layout(unflatten_tuple(iter(sizes), layout.shape), layout.stride)


@memoised
@over_inner
def filter(layout: Layout) -> Layout:
    """Return the coalesced layout without stride-0 and size-1 modes: the same set of offsets.

    >>> filter(Layout((4, 2, 8), (0, 1, 2)))
    16:1
    """
    return coalesce(filter_zeros(layout))


@memoised
@overloaded("composed_algebra")
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
    modes = modes_to_tile("composition", a, b)
    return make_layout(*[composition(m, t) for m, t in zip(modes, b, strict=False)])


def modes_to_tile(where: str, a: Layout, tiler: tuple[Any, ...]) -> list[Layout]:
    """Return the modes of `a`, at least as many as the tuple has."""
    if len(tiler) > a.rank:
        raise refused(where, a, tiler, f"needed a tiler of at most {a.rank} modes")
    return exact_modes(a)


def _composed(a: Layout, b: Layout) -> Layout:
    if not all(isinstance(stride, (int, Dim)) for stride in b.flat_stride):
        raise refused("composition", a, b, "needed strides that are numbers or Dims")
    if b.size.__class__ is int and b.size == 0:
        return Layout(b.shape, unflatten_tuple(iter([0] * len(b.flat_shape)), b.shape))
    leaves = list(zip(b.flat_shape, b.flat_stride, strict=True))
    return exact_layout(*nested(through(a, leaves, lambda: b), b.shape))


def through(a: Layout, leaves: list[Mode], b: Callable[[], Layout]) -> list[list[Mode]]:
    """Return the modes that every leaf of b, a layout that is not empty, becomes through a."""
    if a.size.__class__ is int and a.size == 0:
        raise refused("composition", a, b(), "needed a left operand that is not empty")
    modes = extended(list(zip(a.flat_shape, a.flat_stride, strict=True)))
    return closed_form(modes, leaves) or tabulated("composition", a, b())


def nested(parts: list[list[Mode]], profile: Any) -> tuple[Any, Any]:
    """Return shape and stride that put the modes of every part in place of the profile's leaves."""
    if profile.__class__ is not tuple:
        return leaf_of(parts[0])
    if not parts:
        return profile, profile
    shapes, strides = zip(*map(leaf_of, parts), strict=True)
    if depth_of(profile) == 1:
        return shapes, strides
    return unflatten_tuple(iter(shapes), profile), unflatten_tuple(iter(strides), profile)


@memoised
@overloaded("composed_algebra")
def complement(layout: Layout, target: Any = None) -> Layout:
    """Return the ordered layout A* that fills what A leaves out of `target` offsets.

    Every offset below N is A's plus A*'s in exactly one way, for the least possible N >= target:
    so A* is disjoint from A except at 0, (A, A*) is injective, `cosize((A, A*)) >= target`, and
    there is only one; modes of stride 0 don't count. The target is a number or a shape, by
    default A's cosize. Raises LayoutError where there is none, that is where A's strides
    interleave or are negative, and where symbols leave their order open.

    >>> complement(Layout(4), 24), complement(Layout(4, 2), 24), complement(Layout((2, 4), (1, 6)))
    (6:4, (2,3):(1,8), 3:2)
    """
    if target.__class__ is not int:
        target = layout.cosize if target is None else product(target)
    gaps, past = complement_modes(layout, target)
    return flat_layout(gaps + past)


def complement_modes(layout: Layout, goal: Size) -> tuple[list[Mode], list[Mode]]:
    """Return the modes of the complement that fill gaps of the layout, and those past it."""
    if goal.__class__ is int and goal < 0:
        raise refused("complement", layout, goal, "needed a target >= 0")
    if layout.size.__class__ is int and layout.size == 0:
        raise refused("complement", layout, goal, "needed a layout that is not empty")
    leaves = zip(layout.flat_shape, layout.flat_stride, strict=True)
    moving = [mode for mode in leaves if mode[0] != 1 and mode[1] != 0]
    if len(moving) == 1 and moving[0][1].__class__ is int:
        pass
    elif all(stride.__class__ is int for _, stride in moving):
        moving.sort(key=_stride)
    else:
        moving = sorted_by_stride("complement", layout, goal, moving)
    gaps: list[Mode] = []
    current: Size = 1
    for size, stride in moving:
        is_up = stride > 0 if stride.__class__ is int else known_nonnegative(stride)
        if stride % current != 0 or not is_up:
            raise refused("complement", layout, goal, f"mode {size}:{stride} interleaves")
        if stride != current:
            gaps.append((stride // current, current))
        current = stride * size
    count = ceil_div(goal, current)
    return gaps, [] if count.__class__ is int and count < 2 else [(count, current)]


def sorted_by_stride(where: str, a: Layout, b: object, modes: Iterable[Row]) -> list[Row]:
    """Return modes (size, stride, ...) by ascending stride; LayoutError where symbols hide it."""
    rows = list(modes)
    if len(rows) == 1 and rows[0][1].__class__ not in _SIZES:  # Basis has no order
        raise refused(where, a, b, "needed strides that are numbers or Dims")
    try:
        return sorted(rows, key=_stride)
    except LayoutError:  # strides that can't be compared may still divide each other
        pass
    try:
        return sorted(rows, key=functools.cmp_to_key(_compared))
    except LayoutError as error:
        raise refused(where, a, b, f"needed strides of known order: {error}") from None


def _compared(x: tuple[Size, ...], y: tuple[Size, ...]) -> int:
    if x[1] == y[1]:
        return 0
    if not (is_static(x[1]) and is_static(y[1])):
        if y[1] % (x[0] * x[1]) == 0:
            return -1
        if x[1] % (y[0] * y[1]) == 0:
            return 1
    return -1 if x[1] < y[1] else 1
