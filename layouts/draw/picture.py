"""What a picture is made of before it is SVG or LaTeX: cells in panels, panels in a picture."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tensorlib.errors import LayoutError

__all__ = ["CELL_LIMIT", "Cell", "Panel", "Picture", "checked_size", "edges_of"]

CELL_LIMIT = 1 << 14  # the most cells of one picture


@dataclass(frozen=True, slots=True)
class Cell:
    """One square: where it is, the lines of text in it, and its colour as `#rrggbb`."""

    row: int
    column: int
    lines: tuple[str, ...]
    fill: str


@dataclass(frozen=True, slots=True)
class Panel:
    """A grid of cells with headings; `slot` is its (row, column) among the panels of a picture.

    An edge (place, level) is a thicker line before row or column `place`, level 1 the thinnest.
    """

    rows: int
    columns: int
    cells: tuple[Cell, ...]
    title: str = ""
    slot: tuple[int, int] = (0, 0)
    row_edges: tuple[tuple[int, int], ...] = ()
    column_edges: tuple[tuple[int, int], ...] = ()
    row_labels: tuple[str, ...] = ()
    column_labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """Panels under one title."""

    title: str
    panels: tuple[Panel, ...]


def checked_size(
    where: str, rows: int, columns: int, panels: int = 1, limit: int = CELL_LIMIT
) -> None:
    """Raise LayoutError where a picture would have more cells than the limit."""
    if rows * columns * panels > limit:
        many = f"{panels} x " * (panels != 1) + f"{rows} x {columns}"
        raise LayoutError(f"{where}: got {many} cells, needed at most {limit}; try one tile")


def edges_of(sizes: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Return the edges that a mode of nested sizes has: where each inner mode is through.

    >>> edges_of((2, 2, 3))
    ((2, 1), (4, 2), (6, 1), (8, 2), (10, 1))
    """
    steps = [1]
    for size in sizes:
        steps.append(steps[-1] * size)
    levels: dict[int, int] = {}
    for level, step in enumerate(sorted(set(steps) - {0, 1, steps[-1]}), 1):
        levels |= dict.fromkeys(range(step, steps[-1], step), level)
    return tuple(sorted(levels.items()))
