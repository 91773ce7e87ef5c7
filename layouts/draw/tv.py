"""Thread-value layouts over their tile: every cell names the thread and value that own it."""

from __future__ import annotations

from typing import Any

from tensorlib.errors import LayoutError
from tensorlib.layouts.draw.colours import palette_colour
from tensorlib.layouts.draw.grid import Drawable, grid_of
from tensorlib.layouts.draw.latex import latex_text
from tensorlib.layouts.draw.picture import Cell, Panel, Picture, checked_size, edges_of
from tensorlib.layouts.draw.svg import svg_text
from tensorlib.layouts.draw.text import table_lines
from tensorlib.layouts.layout import TABLE_LIMIT
from tensorlib.layouts.shape import Shape, flatten_tuple, modes_of, product_each

__all__ = ["tv_latex", "tv_panel", "tv_picture", "tv_svg", "tv_text"]

OWNERS = 4  # the most owners that one cell names


def tv_svg(tv: Drawable, tile: Shape, color: str = "thread", *, title: str | None = None) -> str:
    """Return an SVG picture of a thread-value layout over a tile of shape (rows, columns).

    `tv(thread, value)` is the index in the tile, leftmost mode fastest. A cell shows `T5 V1`, its
    colour follows the `thread` or the `value`; several owners of one cell are listed, `T*` is
    every thread, and a cell without an owner is white. Nested modes of the tile draw thick lines.
    Raises LayoutError unless the layout has two modes and stays inside the tile.

    >>> from tensorlib.layouts import Layout
    >>> tv = Layout(((4, 8), (2, 2)), ((16, 1), (8, 64)))
    >>> tv_svg(tv, (16, 8)).count("T5</tspan>")
    4
    """
    return svg_text(tv_picture("tv_svg", tv, tile, color, title))


def tv_latex(tv: Drawable, tile: Shape, color: str = "thread", *, title: str | None = None) -> str:
    r"""Return the picture of `tv_svg` as a LaTeX document of its own.

    >>> from tensorlib.layouts import Layout
    >>> tv_latex(Layout((2, 2)), (2, 2)).splitlines()[0]
    '\\documentclass[tikz,border=6pt]{standalone}'
    """
    return latex_text(tv_picture("tv_latex", tv, tile, color, title))


def tv_text(tv: Drawable, tile: Shape) -> str:
    """Return the tile as a table of text whose cells name their owners: `T5 V1`.

    >>> from tensorlib.layouts import Layout
    >>> print(tv_text(Layout((2, 2)), (2, 2)))
    (2,2):(1,2) over 2 x 2
              0       1
        +-------+-------+
     0  | T0 V0 | T0 V1 |
        +-------+-------+
     1  | T1 V0 | T1 V1 |
        +-------+-------+
    """
    picture = tv_picture("tv_text", tv, tile)
    panel = picture.panels[0]
    texts = [" ".join(cell.lines) for cell in panel.cells]
    wide = max((len(text) for text in (*texts, *panel.column_labels)), default=1)
    rows = [texts[i * panel.columns :][: panel.columns] for i in range(panel.rows)]
    lines = table_lines(rows, panel.columns, wide)
    return "\n".join([picture.title.replace("×", "x"), *lines])


def tv_picture(
    where: str, tv: Drawable, tile: Shape, color: str = "thread", title: str | None = None
) -> Picture:
    """Return the picture of a thread-value layout over a tile."""
    modes = modes_of(tile)
    if len(modes) != 2:
        raise LayoutError(
            f"{where}: got {tv} over {tile}, needed modes (thread, value) over 2 axes"
        )
    panel = tv_panel(where, tv, tile, color)
    over = f"{tv} over {panel.rows} × {panel.columns}"
    return Picture(over if title is None else title, (panel,))


def tv_panel(where: str, tv: Drawable, tile: Any, color: str = "thread") -> Panel:
    """Return one panel: the tile, with the owners of every cell."""
    if color not in ("thread", "value"):
        raise LayoutError(f"{where}: got color {color!r}, needed thread or value")
    rows, columns = (int(n) for n in product_each(tile))
    checked_size(where, rows, columns)
    owners = _owners(where, tv)
    if owners and not 0 <= min(owners) <= max(owners) < rows * columns:
        raise LayoutError(f"{where}: got {tv} over {tile}, needed offsets inside the tile")
    threads = int(product_each(tv.shape)[0])
    cells = tuple(
        _cell(i, j, owners.get(i + rows * j, []), color, threads)
        for i in range(rows)
        for j in range(columns)
    )
    return Panel(
        rows,
        columns,
        cells,
        row_edges=edges_of(flatten_tuple(tile[0])),
        column_edges=edges_of(flatten_tuple(tile[1])),
        row_labels=tuple(map(str, range(rows))),
        column_labels=tuple(map(str, range(columns))),
    )


def _owners(where: str, tv: Drawable) -> dict[int, list[tuple[int, int]]]:
    """Return the (thread, value) pairs of every index of the tile, in order."""
    if len(modes_of(tv.shape)) != 2:
        raise LayoutError(f"{where}: got {tv}, needed modes (thread, value) over 2 axes")
    grid = grid_of(where, tv, TABLE_LIMIT)  # many owners of few cells, where threads share
    threads, values, _ = grid.offsets.shape
    owners: dict[int, list[tuple[int, int]]] = {}
    for value in range(values):
        for thread in range(threads):
            at = int(grid.offsets[thread, value, 0])
            owners.setdefault(at, []).append((thread, value))
    return owners


def _cell(row: int, column: int, who: list[tuple[int, int]], color: str, threads: int) -> Cell:
    if not who:
        return Cell(row, column, (), "#ffffff")
    fill = palette_colour(who[0][color == "value"])
    if len(who) == threads > 1 and len({value for _, value in who}) == 1:
        return Cell(row, column, ("T*", f"V{who[0][1]}"), fill)
    shown = who if len(who) <= OWNERS else who[: OWNERS - 1]
    lines = [f"{letter}{n}" for owner in shown for letter, n in zip("TV", owner, strict=True)]
    more = [f"+{len(who) - len(shown)}"] if len(shown) < len(who) else []
    return Cell(row, column, (*lines, *more), fill)
