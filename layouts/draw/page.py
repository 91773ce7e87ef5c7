"""Where everything of a picture lies on the page: sizes of cells, panels and their headings."""

from __future__ import annotations

from dataclasses import dataclass

from tensorlib.layouts.draw.picture import Panel, Picture

__all__ = ["FONT", "HEADING", "LINE", "TITLE", "Page", "Spot", "page_of"]

FONT, HEADING, TITLE = 12, 11, 14  # heights of the letters in cells, headings and titles, pixels
LINE = 14  # from one line in a cell to the next
WIDTH = 0.61  # of a letter of a monospace font, in heights of it
LEAST, PAD, MARGIN, GAP = 32, 10, 12, 28


@dataclass(frozen=True, slots=True)
class Spot:
    """A panel, and where the corner of its first cell lies."""

    panel: Panel
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Page:
    """The size of a page and of the cells on it, and the spots of its panels."""

    width: int
    height: int
    cell_width: int
    cell_height: int
    spots: tuple[Spot, ...]


def page_of(picture: Picture) -> Page:
    """Return where the picture's parts lie. All cells are alike; panels of a slot row align."""
    wide, high = _cell_size(picture)
    panels = picture.panels
    columns = sorted({p.slot[1] for p in panels})
    rows = sorted({p.slot[0] for p in panels})
    x, lefts = MARGIN, {}
    for column in columns:
        mine = [p for p in panels if p.slot[1] == column]
        lefts[column] = x + max(_left(p) for p in mine)
        x = lefts[column] + max(_reach(p, wide) for p in mine) + GAP
    y, tops = MARGIN + (TITLE + 12 if picture.title else 0), {}
    for row in rows:
        mine = [p for p in panels if p.slot[0] == row]
        tops[row] = y + max(_top(p) for p in mine)
        y = tops[row] + max(p.rows for p in mine) * high + GAP
    width = max(x - GAP, MARGIN + text_width(picture.title, TITLE)) + MARGIN
    spots = tuple(Spot(p, lefts[p.slot[1]], tops[p.slot[0]]) for p in panels)
    return Page(width, y - GAP + MARGIN, wide, high, spots)


def text_width(text: str, height: int) -> int:
    """Return the pixels that a text of letters of this height takes at most."""
    return round(len(text) * height * WIDTH + 0.5)


def _cell_size(picture: Picture) -> tuple[int, int]:
    cells = [cell for panel in picture.panels for cell in panel.cells]
    longest = max((len(line) for cell in cells for line in cell.lines), default=1)
    lines = max((len(cell.lines) for cell in cells), default=1)
    headings = max((len(t) for p in picture.panels for t in p.column_labels), default=1)
    wide = max(text_width("0" * longest, FONT), text_width("0" * headings, HEADING)) + PAD
    return max(LEAST, wide), max(LEAST, lines * LINE + PAD)


def _left(panel: Panel) -> int:
    longest = max((text_width(label, HEADING) for label in panel.row_labels), default=0)
    return longest + 8 if longest else 0


def _top(panel: Panel) -> int:
    return (HEADING + 8 if panel.column_labels else 0) + (HEADING + 12 if panel.title else 0)


def _reach(panel: Panel, wide: int) -> int:
    return max(panel.columns * wide, text_width(panel.title, HEADING))
