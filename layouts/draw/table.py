"""The picture of one layout: every cell is a coordinate, coloured by what is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorlib.errors import LayoutError
from tensorlib.layouts.draw.colours import Place, bank_of, colouring
from tensorlib.layouts.draw.grid import Drawable, Grid, grid_of, slices
from tensorlib.layouts.draw.picture import Cell, Panel, Picture, edges_of
from tensorlib.layouts.shape import flatten_tuple, idx2crd
from tensorlib.layouts.text import shape_text

__all__ = ["LABELS", "layout_panels", "layout_picture"]


def _offset(grid: Grid, part: int, place: Place, element_bytes: int) -> str:
    return str(place[2])


def _index(grid: Grid, part: int, place: Place, element_bytes: int) -> str:
    rows, columns, _ = grid.offsets.shape
    return str(place[0] + rows * (place[1] + columns * part))


def _coordinate(grid: Grid, part: int, place: Place, element_bytes: int) -> str:
    row: Any = idx2crd(place[0], grid.row_shape)
    column: Any = idx2crd(place[1], grid.column_shape)
    return shape_text(column if grid.is_vector else (row, column))


def _bank(grid: Grid, part: int, place: Place, element_bytes: int) -> str:
    return str(bank_of(place[2], element_bytes))


# What a cell can show.
LABELS: dict[str, Callable[[Grid, int, Place, int], str]] = {
    "offset": _offset,
    "index": _index,
    "coordinate": _coordinate,
    "bank": _bank,
}


def layout_picture(
    where: str,
    layout: Drawable,
    color: str = "offset",
    label: str = "offset",
    element_bytes: int = 4,
    title: str | None = None,
) -> Picture:
    """Return the picture of a layout: mode 0 down, mode 1 to the right, a panel for every slice."""
    panels = layout_panels(where, layout, color, label, element_bytes)
    return Picture(str(layout) if title is None else title, panels)


def layout_panels(
    where: str, layout: Drawable, color: str, label: str, element_bytes: int
) -> tuple[Panel, ...]:
    """Return the panels of a layout, in one row."""
    colours_of = colouring(where, color)
    if label not in LABELS:
        raise LayoutError(f"{where}: got label {label!r}, needed one of {', '.join(LABELS)}")
    if element_bytes < 1:
        raise LayoutError(f"{where}: got element_bytes {element_bytes}, needed at least 1")
    grid = grid_of(where, layout)
    rows, columns, count = grid.offsets.shape
    places = [
        (i, j, int(grid.offsets[i, j, part]))
        for part in range(count)
        for i in range(rows)
        for j in range(columns)
    ]
    owners = [(j, i, offset) for i, j, offset in places] if grid.is_vector else places
    fills = colours_of(owners, element_bytes)
    size = rows * columns
    panels = []
    for part, (name, _) in enumerate(slices(grid)):
        cells = [
            Cell(*place[:2], (LABELS[label](grid, part, place, element_bytes),), fill)
            for place, fill in list(zip(places, fills, strict=True))[part * size :][:size]
        ]
        panels.append(_panel(grid, tuple(cells), name, part))
    return tuple(panels)


def _panel(grid: Grid, cells: tuple[Cell, ...], name: str, part: int) -> Panel:
    rows, columns, _ = grid.offsets.shape
    return Panel(
        rows,
        columns,
        cells,
        title=name,
        slot=(0, part),
        row_edges=edges_of(flatten_tuple(grid.row_shape)),
        column_edges=edges_of(flatten_tuple(grid.column_shape)),
        row_labels=() if grid.is_vector else tuple(map(str, range(rows))),
        column_labels=tuple(map(str, range(columns))),
    )
