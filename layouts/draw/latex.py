r"""Pictures as LaTeX: documents of their own in TikZ, with the geometry of the SVG pictures."""

from __future__ import annotations

from collections.abc import Iterator

from tensorlib.layouts.draw.grid import Drawable
from tensorlib.layouts.draw.page import HEADING, MARGIN, TITLE, Page, Spot, page_of
from tensorlib.layouts.draw.picture import Cell, Picture
from tensorlib.layouts.draw.table import layout_picture

__all__ = ["latex_text", "to_latex"]

SCALE = 0.6  # points of paper for a pixel of the screen
SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "×": r"$\times$",
    **{c: "\\" + c for c in "#$%&_{}"},
}


def to_latex(
    layout: Drawable,
    color: str = "offset",
    *,
    label: str = "offset",
    element_bytes: int = 4,
    title: str | None = None,
) -> str:
    r"""Return the picture of `to_svg` as a LaTeX document that compiles by itself.

    Needs the class `standalone` and TikZ; the `tikzpicture` can be copied into another document
    together with the colours above it.

    >>> from tensorlib.layouts import Layout
    >>> to_latex(Layout((2, 2))).count(r"\fill")
    4
    """
    return latex_text(layout_picture("to_latex", layout, color, label, element_bytes, title))


def latex_text(picture: Picture) -> str:
    """Return the picture as the text of a LaTeX file."""
    page = page_of(picture)
    fills = sorted({cell.fill for panel in picture.panels for cell in panel.cells})
    names = {fill: f"cell{number}" for number, fill in enumerate(fills)}
    lines = [
        r"\documentclass[tikz,border=6pt]{standalone}",
        r"\begin{document}",
        *(rf"\definecolor{{{name}}}{{HTML}}{{{fill[1:].upper()}}}" for fill, name in names.items()),
        rf"\begin{{tikzpicture}}[x={SCALE}pt,y=-{SCALE}pt,inner sep=0pt,font=\ttfamily\scriptsize]",
        *_body(picture, page, names),
        r"\end{tikzpicture}",
        r"\end{document}",
    ]
    return "\n".join([*lines, ""])


def escaped(text: str) -> str:
    r"""Return the text as LaTeX sets it; characters beyond ASCII show as `?`.

    >>> escaped("50% of a_b")
    '50\\% of a\\_b'
    """
    return "".join(SPECIAL.get(c, c if " " <= c <= "~" else "?") for c in text)


def _body(picture: Picture, page: Page, names: dict[str, str]) -> Iterator[str]:
    if picture.title:
        yield _words(picture.title, MARGIN, MARGIN + TITLE, "base west", r"\small\ttfamily")
    for spot in page.spots:
        yield from _headings(spot, page)
        for cell in spot.panel.cells:
            yield from _square(cell, spot, page, names[cell.fill])
        yield from _lines(spot, page)


def _headings(spot: Spot, page: Page) -> Iterator[str]:
    panel = spot.panel
    if panel.title:
        above = HEADING + 14 if panel.column_labels else 8
        yield _words(panel.title, spot.x, spot.y - above, "base west")
    for j, label in enumerate(panel.column_labels):
        yield _words(label, spot.x + page.cell_width * (j + 0.5), spot.y - 6, "base")
    for i, label in enumerate(panel.row_labels):
        yield _words(label, spot.x - 7, spot.y + page.cell_height * (i + 0.5), "east")


def _square(cell: Cell, spot: Spot, page: Page, colour: str) -> Iterator[str]:
    x, y = spot.x + cell.column * page.cell_width, spot.y + cell.row * page.cell_height
    corner = f"({x + page.cell_width},{y + page.cell_height})"
    yield rf"\fill[{colour}] ({x},{y}) rectangle {corner};"
    yield rf"\draw[gray,line width=0.3pt] ({x},{y}) rectangle {corner};"
    if cell.lines:
        text = r"\\".join(map(escaped, cell.lines))
        middle = f"({x + page.cell_width / 2:g},{y + page.cell_height / 2:g})"
        yield rf"\node[align=center] at {middle} {{{text}}};"


def _words(text: str, x: float, y: float, anchor: str, font: str = "") -> str:
    style = f"anchor={anchor}" + (f",font={font}" if font else "")
    return rf"\node[{style}] at ({x:g},{y:g}) {{{escaped(text)}}};"


def _lines(spot: Spot, page: Page) -> Iterator[str]:
    panel = spot.panel
    right = spot.x + panel.columns * page.cell_width
    bottom = spot.y + panel.rows * page.cell_height
    levels = [level for _, level in panel.row_edges + panel.column_edges]
    for i, level in panel.row_edges:
        y = spot.y + i * page.cell_height
        yield rf"\draw[{_stroke(level)}] ({spot.x},{y}) -- ({right},{y});"
    for j, level in panel.column_edges:
        x = spot.x + j * page.cell_width
        yield rf"\draw[{_stroke(level)}] ({x},{spot.y}) -- ({x},{bottom});"
    frame = _stroke(max(levels, default=0) + 1)
    yield rf"\draw[{frame}] ({spot.x},{spot.y}) rectangle ({right},{bottom});"


def _stroke(level: int) -> str:
    return f"line width={0.4 + 0.6 * level:g}pt"
