"""Pictures as SVG: well-formed, self-contained, the same bytes for the same picture."""

from __future__ import annotations

from collections.abc import Iterator

from tensorlib.layouts.draw.grid import Drawable
from tensorlib.layouts.draw.page import FONT, HEADING, LINE, MARGIN, TITLE, Page, Spot, page_of
from tensorlib.layouts.draw.picture import Cell, Picture
from tensorlib.layouts.draw.table import layout_picture

__all__ = ["layout_svg", "svg_text", "to_svg"]

FAMILY = "ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace"
INK, HEADINGS, THIN = "#111111", "#555555", "#8a8a8a"
RAISE = 0.35  # from the middle of a letter down to its base line, in heights of it


def to_svg(
    layout: Drawable,
    color: str = "offset",
    *,
    label: str = "offset",
    element_bytes: int = 4,
    title: str | None = None,
) -> str:
    """Return an SVG picture of a layout, or of a layout under a swizzle; needs no other package.

    Mode 0 goes down, mode 1 to the right, and every coordinate of further modes is a panel of its
    own; thick lines close the inner modes of nested ones. `color`: `offset` (the darker, the later
    in memory), `thread` (mode 0), `value` (mode 1), `bank` (of 32, 4 bytes wide; elements have
    `element_bytes`) or `none`. `label`, what cells say: `offset`, `index`, `coordinate`, `bank`.
    Raises LayoutError for symbols, past 16,384 cells, and for an unknown color or label.

    >>> from tensorlib.layouts import Layout
    >>> to_svg(Layout((4, 8)), color="bank").count("<rect")
    33
    """
    return svg_text(layout_picture("to_svg", layout, color, label, element_bytes, title))


def layout_svg(layout: Drawable) -> str:
    """Return `to_svg(layout)`: what notebooks show.

    >>> from tensorlib.layouts import Layout
    >>> layout_svg(Layout((2, 2))).startswith("<svg xmlns=")
    True
    """
    return svg_text(layout_picture("layout_svg", layout))


def svg_text(picture: Picture) -> str:
    """Return the picture as the text of an SVG file."""
    page = page_of(picture)
    return "\n".join([*_head(picture, page), *_body(page), "</svg>", ""])


def escaped(text: str) -> str:
    """Return the text as XML holds it; characters that XML can't hold show as U+FFFD.

    >>> escaped("a < b & c")
    'a &lt; b &amp; c'
    """
    plain = "".join(c if c.isprintable() else "\ufffd" for c in text)
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _head(picture: Picture, page: Page) -> Iterator[str]:
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {page.width} {page.height}" '
        f'width="{page.width}" height="{page.height}" font-family="{FAMILY}">'
    )
    if picture.title:
        yield f"<title>{escaped(picture.title)}</title>"
    yield f'<rect width="{page.width}" height="{page.height}" fill="#ffffff"/>'
    if picture.title:
        yield _words(picture.title, MARGIN, MARGIN + TITLE, f'font-size="{TITLE}" fill="{INK}"')


def _body(page: Page) -> Iterator[str]:
    for spot in page.spots:
        yield from _headings(spot, page)
        yield f'<g stroke="{THIN}" stroke-width="0.75">'
        yield from (_square(cell, spot, page) for cell in spot.panel.cells)
        yield "</g>"
        yield f'<g font-size="{FONT}" text-anchor="middle" fill="{INK}">'
        yield from (_label(cell, spot, page) for cell in spot.panel.cells if cell.lines)
        yield "</g>"
        yield from _lines(spot, page)


def _headings(spot: Spot, page: Page) -> Iterator[str]:
    panel, style = spot.panel, f'font-size="{HEADING}" fill="{HEADINGS}"'
    if panel.title:
        above = HEADING + 14 if panel.column_labels else 8
        yield _words(panel.title, spot.x, spot.y - above, f'font-size="{HEADING}" fill="{INK}"')
    yield f'<g {style} text-anchor="middle">'
    for j, label in enumerate(panel.column_labels):
        yield _words(label, spot.x + page.cell_width * (j + 0.5), spot.y - 6)
    yield "</g>"
    yield f'<g {style} text-anchor="end">'
    for i, label in enumerate(panel.row_labels):
        middle = spot.y + page.cell_height * (i + 0.5)
        yield _words(label, spot.x - 7, middle + RAISE * HEADING)
    yield "</g>"


def _square(cell: Cell, spot: Spot, page: Page) -> str:
    x, y = spot.x + cell.column * page.cell_width, spot.y + cell.row * page.cell_height
    size = f'width="{page.cell_width}" height="{page.cell_height}"'
    return f'<rect x="{x}" y="{y}" {size} fill="{cell.fill}"/>'


def _label(cell: Cell, spot: Spot, page: Page) -> str:
    x = spot.x + (cell.column + 0.5) * page.cell_width
    middle = spot.y + (cell.row + 0.5) * page.cell_height
    first = middle + RAISE * FONT - LINE * (len(cell.lines) - 1) / 2
    if len(cell.lines) == 1:
        return _words(cell.lines[0], x, first)
    spans = (
        f'<tspan x="{x:g}" y="{first + LINE * k:g}">{escaped(line)}</tspan>'
        for k, line in enumerate(cell.lines)
    )
    return f"<text>{''.join(spans)}</text>"


def _words(text: str, x: float, y: float, style: str = "") -> str:
    return f'<text x="{x:g}" y="{y:g}"{" " * bool(style)}{style}>{escaped(text)}</text>'


def _lines(spot: Spot, page: Page) -> Iterator[str]:
    """The edges of nested modes, thicker level by level, and the frame, the thickest."""
    panel = spot.panel
    wide, high = panel.columns * page.cell_width, panel.rows * page.cell_height
    levels = [level for _, level in panel.row_edges + panel.column_edges]
    yield f'<g stroke="{INK}" fill="none" stroke-linecap="square">'
    for i, level in panel.row_edges:
        yield f'<path d="M{spot.x} {spot.y + i * page.cell_height}h{wide}" {_stroke(level)}/>'
    for j, level in panel.column_edges:
        yield f'<path d="M{spot.x + j * page.cell_width} {spot.y}v{high}" {_stroke(level)}/>'
    frame = _stroke(max(levels, default=0) + 1)
    yield f'<path d="M{spot.x} {spot.y}h{wide}v{high}h{-wide}z" {frame}/>'
    yield "</g>"


def _stroke(level: int) -> str:
    return f'stroke-width="{0.75 + 1.25 * level:g}"'
