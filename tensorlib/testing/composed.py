"""Hypothesis strategies for swizzles and composed layouts."""

from __future__ import annotations

from hypothesis import strategies as st

from tensorlib.layouts.composed import ComposedLayout
from tensorlib.layouts.layout import Layout
from tensorlib.layouts.swizzle import Swizzle
from tensorlib.testing.layouts import layouts

__all__ = ["composed_layouts", "swizzled_layouts", "swizzles"]

_PLAIN = layouts(max_size=16, max_depth=2, max_stride=20)


@st.composite
def swizzles(draw: st.DrawFn) -> Swizzle:
    """Draw a swizzle of few bits, to the left or to the right; now and then the identity."""
    bits = draw(st.integers(0, 2))
    base = draw(st.integers(0, 2))
    return Swizzle(bits, base, draw(st.integers(bits, 3)) * draw(st.sampled_from([1, -1])))


@st.composite
def composed_layouts(draw: st.DrawFn, inner: st.SearchStrategy[Layout] = _PLAIN) -> ComposedLayout:
    """Draw a swizzled layout, a layout of offsets, or either of these inside or outside another."""
    outer = draw(swizzles() | layouts(max_size=8, max_depth=1, max_stride=9, min_leaf=2))
    whole = ComposedLayout(outer, draw(st.integers(0, 9)), draw(inner))
    match draw(st.integers(0, 3)):
        case 0:
            return ComposedLayout(draw(swizzles()), draw(st.integers(0, 3)), whole)
        case 1:
            return ComposedLayout(ComposedLayout(draw(swizzles()), 1, Layout(4)), 2, whole.inner)
    return whole


def swizzled_layouts() -> st.SearchStrategy[ComposedLayout]:
    """Draw a swizzle of an offset and a layout."""
    return st.builds(ComposedLayout, swizzles(), st.integers(0, 9), _PLAIN)
