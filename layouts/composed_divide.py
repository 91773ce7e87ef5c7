"""Division and product where an operand is a composed layout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorlib.layouts import algebra, divide
from tensorlib.layouts.composed import AnyLayout, ComposedLayout, tabulated
from tensorlib.layouts.composed_algebra import complement, composition
from tensorlib.layouts.composing import refused
from tensorlib.layouts.layout import Layout, make_layout
from tensorlib.layouts.swizzle import Swizzle, swizzle_between

__all__ = [
    "blocked_product",
    "flat_divide",
    "flat_product",
    "logical_divide",
    "logical_product",
    "raked_product",
    "tiled_divide",
    "tiled_product",
    "zipped_divide",
    "zipped_product",
]


def logical_divide(a: AnyLayout, tiler: Any) -> AnyLayout:
    """Return the layout of tiles: `logical_divide(a, b)(i, 0) == a(b(i))`.

    For a composed `a` the inner layout is divided, so every offset of `a` stays. A composed tiler
    s o 0 o L gives a o s o (L, complement of L): raises LayoutError where s leaves the range of a.

    >>> logical_divide(ComposedLayout(Swizzle(2, 0, 2), 0, Layout(16)), 4)
    Sw<2,0,2> o 0 o (4,4):(1,4)
    """
    return _divided("logical_divide", divide.logical_divide, a, tiler, lambda tile, rest: None)


def zipped_divide(a: AnyLayout, tiler: Any) -> AnyLayout:
    """Return ((tile modes), (rest modes)) of the division of the inner layout."""
    return _divided("zipped_divide", divide.zipped_divide, a, tiler, lambda tile, rest: None)


def tiled_divide(a: AnyLayout, tiler: Any) -> AnyLayout:
    """Return ((tile modes), rest, rest, ...) of the division of the inner layout."""
    return _divided("tiled_divide", divide.tiled_divide, a, tiler, _tiled)


def flat_divide(a: AnyLayout, tiler: Any) -> AnyLayout:
    """Return (tile, tile, ..., rest, rest, ...) of the division of the inner layout."""
    return _divided("flat_divide", divide.flat_divide, a, tiler, _flat)


Arrange = Callable[[Layout, Layout], Layout | None]


def _tiled(tile: Layout, rest: Layout) -> Layout:
    return make_layout(tile, *rest.modes)


def _flat(tile: Layout, rest: Layout) -> Layout:
    return make_layout(*tile.modes, *rest.modes)


def _blocked(block: Layout, rest: Layout) -> Layout:
    return make_layout(*(make_layout(b, t) for b, t in _pairs(block, rest)))


def _raked(block: Layout, rest: Layout) -> Layout:
    return make_layout(*(make_layout(t, b) for b, t in _pairs(block, rest)))


def _pairs(a: Layout, b: Layout) -> list[tuple[Layout, Layout]]:
    one, rank = Layout(1, 0), max(a.rank, b.rank)
    padded = [[*part.modes, *[one] * (rank - part.rank)] for part in (a, b)]
    return list(zip(*padded, strict=True))


def _arranged(layout: Any, arrange: Arrange) -> AnyLayout:
    """Arrange the two modes of the innermost layout."""
    if isinstance(layout, ComposedLayout):
        return layout.over(_arranged(layout.inner, arrange))
    found: AnyLayout = arrange(*layout.modes) or layout
    return found


def _divided(
    where: str, plain: Callable[..., Any], a: Any, tiler: Any, arrange: Arrange
) -> AnyLayout:
    if not isinstance(tiler, ComposedLayout):
        if not isinstance(a, ComposedLayout):
            raise refused(where, a, tiler, "needed a layout and a tiler")
        return a.over(plain(a.inner, tiler))
    whole = _with_rest(where, a, tiler)
    found = composition(a, whole)
    assert not isinstance(found, Swizzle)
    return _arranged(found, arrange)


def _with_rest(where: str, a: AnyLayout, tiler: ComposedLayout) -> ComposedLayout:
    """Return s o 0 o (L, complement of L), which must permute what (L, complement of L) reaches."""
    if not isinstance(tiler.offset, int) or tiler.offset or not isinstance(tiler.inner, Layout):
        raise refused(where, a, tiler, "needed a tiler of a layout, with offset 0")
    whole = tiler.over(make_layout(tiler.inner, complement(tiler, a.size)))
    offsets = np.sort(tabulated(where, whole))
    if not np.array_equal(offsets, np.sort(tabulated(where, whole.inner))):
        raise refused(where, a, tiler, "the tiler's swizzle moves offsets out of the layout")
    return whole


def logical_product(a: AnyLayout, tiler: Any) -> AnyLayout:
    """Return a repeated as the tiler says: `logical_product(a, b)(i, 0) == a(i)`.

    For a composed `a` the inner layout is repeated, and offsets are what the outer function makes
    of it. A composed tiler s o offset o L of a Layout gives s' o a*(offset) o (a, a* o L) with
    R(i, j) == a(i) + a*(tiler(j)); raises LayoutError where no swizzle s' does that.

    >>> logical_product(ComposedLayout(Swizzle(2, 0, 2), 0, Layout(16)), 2)
    Sw<2,0,2> o 0 o (16,2):(1,16)
    >>> logical_product(Layout(4), ComposedLayout(Swizzle(2, 0, 2), 0, Layout((4, 4))))
    Sw<2,2,2> o 0 o (4,(4,4)):(1,(4,16))
    """
    return _multiplied("logical_product", divide.logical_product, a, tiler, lambda a, b: None)


def zipped_product(a: AnyLayout, tiler: Any) -> AnyLayout:
    """Return ((block modes), (repeat modes)) of the product."""
    return _multiplied("zipped_product", divide.zipped_product, a, tiler, lambda a, b: None)


def tiled_product(a: AnyLayout, tiler: Any) -> AnyLayout:
    """Return ((block modes), repeat, repeat, ...) of the product."""
    return _multiplied("tiled_product", divide.tiled_product, a, tiler, _tiled)


def flat_product(a: AnyLayout, tiler: Any) -> AnyLayout:
    """Return (block, block, ..., repeat, repeat, ...) of the product."""
    return _multiplied("flat_product", divide.flat_product, a, tiler, _flat)


def blocked_product(a: AnyLayout, tiler: Any) -> AnyLayout:
    """Return the product whose mode i is (block mode i, tiler mode i)."""
    return _multiplied("blocked_product", divide.blocked_product, a, tiler, _blocked)


def raked_product(a: AnyLayout, tiler: Any) -> AnyLayout:
    """Return the product whose mode i is (tiler mode i, block mode i)."""
    return _multiplied("raked_product", divide.raked_product, a, tiler, _raked)


def _multiplied(
    where: str, plain: Callable[..., Any], a: Any, tiler: Any, arrange: Arrange
) -> AnyLayout:
    if isinstance(a, ComposedLayout) and not isinstance(tiler, (ComposedLayout, Swizzle)):
        return a.over(plain(a.inner, tiler))
    if not isinstance(a, Layout) or not isinstance(tiler, ComposedLayout):
        raise refused(where, a, tiler, "needed a layout and a tiler, one of them composed")
    if not isinstance(tiler.inner, Layout) or not (a.is_static and tiler.is_static):
        raise refused(where, a, tiler, "needed a tiler of a layout, without symbols")
    repeat = algebra.complement(a, a.size * tiler.cosize)
    starts = np.broadcast_to(repeat(tiler.table()), tiler.inner.table().shape)
    wanted = (starts[:, None] + a.table()).reshape(-1)
    inner = divide.logical_product(a, tiler.inner)
    offset = int(repeat(tiler.offset))
    found = swizzle_between(inner.table() + offset, wanted) if wanted.size else Swizzle(0, 0, 0)
    if found is None:
        raise refused(where, a, tiler, "no swizzle of the product repeats as the tiler does")
    return _arranged(ComposedLayout(found, offset, inner), arrange)
