"""The table of a layout as text, the way CuTe's `print_layout` shows it."""

from __future__ import annotations

from collections.abc import Sequence

from tensorlib.layouts.draw.grid import Drawable, grid_of, slices

__all__ = ["layout_text", "print_layout", "table_lines"]


def layout_text(layout: Drawable) -> str:
    """Return the table of a layout as CuTe's `print_layout` shows it.

    Mode 0 goes down, mode 1 to the right; every coordinate of further modes has a table of its
    own, headed `(_,_,0)`. Raises LayoutError for symbols, and past 16,384 cells.

    >>> from tensorlib.layouts import Layout
    >>> print(layout_text(Layout((2, 3), (3, 1))))
    (2,3):(3,1)
          0   1   2
        +---+---+---+
     0  | 0 | 1 | 2 |
        +---+---+---+
     1  | 3 | 4 | 5 |
        +---+---+---+
    """
    grid = grid_of("print_layout", layout)
    texts = [str(x) for x in (*grid.offsets.flat, grid.offsets.shape[1] - 1)]
    wide = max(map(len, texts))
    lines = [str(layout)]
    for name, offsets in slices(grid):
        rows = [[str(x) for x in row] for row in offsets]
        lines += [name] if name else []
        lines += table_lines(rows, offsets.shape[1], wide)
    return "\n".join(lines)


def print_layout(layout: Drawable) -> None:
    """Print `layout_text(layout)`.

    >>> from tensorlib.layouts import Layout
    >>> print_layout(Layout(3, 2))
    3:2
          0   1   2
        +---+---+---+
     0  | 0 | 2 | 4 |
        +---+---+---+
    """
    print(layout_text(layout))


def table_lines(rows: Sequence[Sequence[str]], columns: int, wide: int) -> list[str]:
    """Return the lines of a table: headings, and cells of `wide` letters between rules."""
    margin = max(2, len(str(len(rows) - 1)))
    left = " " * (margin + 2)
    rule = left + f"+{'-' * (wide + 2)}" * columns + "+"
    lines = [(left + "".join(f"  {j:>{wide}} " for j in range(columns))).rstrip()]
    for i, row in enumerate(rows):
        lines += [rule, f"{i:{margin}d}  " + "".join(f"| {x:>{wide}} " for x in row) + "|"]
    return [*lines, rule]
