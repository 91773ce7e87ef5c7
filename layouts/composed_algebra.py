"""Composition and complement of swizzles and composed layouts."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorlib.errors import LayoutError
from tensorlib.layouts import algebra
from tensorlib.layouts.composed import AnyLayout, ComposedLayout, Outer, is_identity
from tensorlib.layouts.composing import refused
from tensorlib.layouts.layout import TABLE_LIMIT, Layout
from tensorlib.layouts.swizzle import Swizzle, make_swizzle, swizzle_between

__all__ = ["complement", "composition"]


def composition(a: Outer, b: Any) -> Outer:
    """Return a o b: `composition(a, b)(c) == a(b(c))` for every coordinate c of b.

    * Swizzle o layout is a ComposedLayout; the identity swizzle leaves the layout as it is.
    * (f o offset o L) o b is f o offset o (L o b), with every form of tiler.
    * Swizzle o Swizzle is the swizzle that does both; LayoutError where none does.
    * Layout o Swizzle has the layout's coordinates: R(i) == a(b(i)) for every i below its size.
      Here and in Layout o (Swizzle o offset o L) the swizzle passes to the left where one does
      the same behind `a`; else the parts stay nested.

    >>> composition(Swizzle(2, 0, 2), Layout((4, 4), (4, 1)))
    Sw<2,0,2> o 0 o (4,4):(4,1)
    >>> composition(Layout((8, 8), (8, 1)), Swizzle(3, 0, 3))
    Sw<3,0,-3> o 0 o (8,8):(8,1)
    """
    if b is None:
        return a
    if isinstance(a, ComposedLayout):
        inner = composition(a.inner, b)
        assert not isinstance(inner, Swizzle)
        return a.over(inner)
    if isinstance(b, Swizzle):
        return _both(a, b) if isinstance(a, Swizzle) else _before_layout(a, b)
    if isinstance(b, ComposedLayout):
        return _swizzle_first(a, b) if isinstance(a, Swizzle) else _passed_left(a, b)
    if isinstance(a, Layout):
        plain: Layout = algebra.composition(a, b)
        return plain
    if isinstance(b, tuple):
        raise refused("composition", a, b, "needed a layout or a size, a swizzle has no modes")
    layout = b if isinstance(b, Layout) else Layout(b, 1)
    return ComposedLayout(a, 0, layout) if a.bits else layout


def _both(a: Swizzle, b: Swizzle) -> Swizzle:
    """Return a o b. Both are linear over bits, so agreement on powers of two is agreement."""
    try:
        found = make_swizzle(a.yyy ^ b.yyy, a.zzz ^ b.zzz)
    except LayoutError:
        found = Swizzle(0, 0, 0)
    powers = [1 << place for place in range(max(a.size, b.size).bit_length())]
    if any(found(power) != a(b(power)) for power in powers):
        raise refused("composition", a, b, "no one swizzle does both")
    return found


def _swizzle_first(a: Swizzle, b: ComposedLayout) -> AnyLayout:
    if isinstance(b.outer, Swizzle):
        try:
            merged = ComposedLayout(_both(a, b.outer), b.offset, b.inner)
        except LayoutError:
            return ComposedLayout(a, 0, b)
        plain = is_identity(merged.outer) and isinstance(b.offset, int) and b.offset == 0
        return b.inner if plain else merged
    return ComposedLayout(a, 0, b) if a.bits else b


def _before_layout(a: Layout, b: Swizzle) -> AnyLayout:
    whole = ComposedLayout(b, 0, Layout(a.shape))
    if not b.bits:
        return a
    found = _swizzled(a, 0, ComposedLayout(a, 0, whole), _image(a, b))
    return ComposedLayout(a, 0, whole) if found is None else found


def _passed_left(a: Layout, b: ComposedLayout) -> AnyLayout:
    """Return s' o a(offset) o (a o L) for a o (s o offset o L), or a o 0 o b."""
    whole = ComposedLayout(a, 0, b)
    if is_identity(a):
        return b
    if not isinstance(b.outer, Swizzle) or not isinstance(b.inner, Layout) or not whole.is_static:
        return whole
    try:
        inner = algebra.composition(a, b.inner)
    except LayoutError:
        return whole
    found = _swizzled(inner, a(b.offset), whole, _image(a, b.outer))
    return whole if found is None else found


def _image(a: Layout, b: Swizzle) -> Swizzle | None:
    """Return the swizzle of the places where `a` puts the bits of b's masks."""
    try:
        return make_swizzle(int(a(b.yyy)), int(a(b.zzz)))
    except (LayoutError, TypeError):  # TypeError: symbolic strides
        return None


def _swizzled(
    inner: Layout, offset: int, wanted: ComposedLayout, guess: Swizzle | None
) -> AnyLayout | None:
    """Return s o offset o inner with the table of `wanted`, for the guess or the least s."""
    size = inner.size
    if not wanted.is_static or not isinstance(size, int) or size > TABLE_LIMIT:
        return None
    before, after = inner.table() + offset, wanted.table()
    if before.size and (before.min() < 0 or after.min() < 0):
        return None
    if guess is not None and np.array_equal(guess(before), after):
        return ComposedLayout(guess, offset, inner)
    least = swizzle_between(before, after) if before.size else Swizzle(0, 0, 0)
    if least is None:
        return None
    return inner if not least.bits and offset == 0 else ComposedLayout(least, offset, inner)


def complement(layout: ComposedLayout, target: Any = None) -> Layout:
    """Return A* such that `l.over(make_layout(l.inner, A*))` is injective and fills the target.

    The target bounds the offsets inside, by default the inner layout's cosize. Raises LayoutError
    where the outer function is no swizzle: it may put different offsets on one.

    >>> complement(ComposedLayout(Swizzle(1, 0, 2), 0, Layout(4, 2)), 16)
    (2,2):(1,8)
    """
    if not isinstance(layout, ComposedLayout) or not isinstance(layout.outer, Swizzle):
        raise LayoutError(f"complement: got {layout}, needed a swizzle as the outer function")
    found: Layout = algebra.complement(layout.inner, target)
    return found
