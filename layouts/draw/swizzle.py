"""Swizzles before and after: the same cells, coloured by the bank where they lie."""

from __future__ import annotations

from dataclasses import replace

from tensorlib.errors import LayoutError
from tensorlib.layouts.composed import ComposedLayout
from tensorlib.layouts.draw.latex import latex_text
from tensorlib.layouts.draw.picture import Panel, Picture, checked_size
from tensorlib.layouts.draw.svg import svg_text
from tensorlib.layouts.draw.table import layout_panels
from tensorlib.layouts.layout import Layout
from tensorlib.layouts.swizzle import Swizzle

__all__ = ["swizzle_latex", "swizzle_picture", "swizzle_svg"]

SIDE = 16  # up to so many columns the panels stand side by side, beyond one above the other


def swizzle_svg(
    swizzled: Swizzle | ComposedLayout, element_bytes: int = 4, *, title: str | None = None
) -> str:
    """Return an SVG picture of a swizzle before and after, coloured by memory bank.

    Of a ComposedLayout every cell shows the offset of its coordinate, first without the swizzle,
    then with it. Of a Swizzle alone a cell is a block of 2^base elements, which stays whole, and
    shows the number of the block; a row has 2^|shift| blocks. A column with one colour is a column
    in one group of four banks (16 bytes): read together, its elements wait for each other. Raises
    LayoutError where the outer function is no Swizzle.

    >>> swizzle_svg(Swizzle(3, 3, 3), element_bytes=2).count("<rect")
    129
    """
    return svg_text(swizzle_picture("swizzle_svg", swizzled, element_bytes, title))


def swizzle_latex(
    swizzled: Swizzle | ComposedLayout, element_bytes: int = 4, *, title: str | None = None
) -> str:
    r"""Return the picture of `swizzle_svg` as a LaTeX document of its own.

    >>> swizzle_latex(Swizzle(1, 0, 1)).count("\\fill")
    8
    """
    return latex_text(swizzle_picture("swizzle_latex", swizzled, element_bytes, title))


def swizzle_picture(
    where: str,
    swizzled: Swizzle | ComposedLayout,
    element_bytes: int = 4,
    title: str | None = None,
) -> Picture:
    """Return the picture of a swizzle before and after."""
    composed, width = swizzled, element_bytes
    if isinstance(swizzled, Swizzle):
        composed, width = _blocks(where, swizzled), element_bytes << swizzled.base
    if not isinstance(composed, ComposedLayout) or not isinstance(composed.outer, Swizzle):
        raise LayoutError(f"{where}: got {swizzled}, needed a Swizzle, or one over a layout")
    plain = ComposedLayout(Swizzle(0, 0, 0), composed.offset, composed.inner)
    before = _named("before", where, plain, width)
    after = _named("after", where, composed, width)
    stacked = before[0].columns > SIDE
    moved = [
        replace(panel, slot=(panel.slot[0] + 1, panel.slot[1]))
        if stacked
        else replace(panel, slot=(panel.slot[0], panel.slot[1] + len(before)))
        for panel in after
    ]
    return Picture(str(swizzled) if title is None else title, (*before, *moved))


def _named(name: str, where: str, layout: ComposedLayout, width: int) -> tuple[Panel, ...]:
    panels = layout_panels(where, layout, "bank", "offset", width)
    return tuple(replace(panel, title=f"{name} {panel.title}".strip()) for panel in panels)


def _blocks(where: str, swizzle: Swizzle) -> ComposedLayout:
    """Return the swizzle of whole blocks over its period, 2^|shift| blocks a row."""
    rows, columns = 1 << swizzle.bits, 1 << abs(swizzle.shift)
    checked_size(where, rows, columns, 2)
    inner = Layout((rows, columns), (columns, 1))
    return ComposedLayout(Swizzle(swizzle.bits, 0, swizzle.shift), 0, inner)
