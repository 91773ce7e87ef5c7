"""Pictures of layouts: text as CuTe prints it, and SVG without any dependency."""

from __future__ import annotations

from collections.abc import Sequence

from tensorlib.errors import LayoutError
from tensorlib.layouts.layout import Layout, static_modes
from tensorlib.layouts.shape import Shape, product_each

__all__ = ["layout_svg", "layout_text", "print_layout", "tv_svg"]

CELL = 36  # pixels
CELL_LIMIT = 1 << 14  # the most cells of one picture
# Eight light colours that stay apart for most colour-blind readers; black text reads on all.
COLOURS = ["#afc7e8", "#f9d9a8", "#b9e0b4", "#f2b8b5", "#d3c4ea", "#f6efa3", "#b5e3e6", "#d9d9d9"]
Cell = tuple[int, int, str, int]  # row, column, label (lines), colour number


def _grid(where: str, layout: Layout) -> tuple[int, int]:
    """Return rows and columns: the sizes of the two top-level modes, one row for a vector."""
    static_modes(where, layout)
    sizes = [int(n) for n in product_each(layout.shape)]
    if len(sizes) > 2:
        raise LayoutError(f"{where}: got {layout} of rank {layout.rank}, needed rank 1 or 2")
    rows, columns = (1, *sizes) if len(sizes) == 1 else (*sizes, 1)[:2]
    return _checked(where, rows, columns)


def _checked(where: str, rows: int, columns: int) -> tuple[int, int]:
    if rows * columns > CELL_LIMIT:
        raise LayoutError(
            f"{where}: got {rows} x {columns} cells, needed at most {CELL_LIMIT}; try one tile"
        )
    return rows, columns


def layout_text(layout: Layout) -> str:
    """Return the table of a layout of rank 1 or 2 as CuTe's `print_layout` shows it.

    >>> print(layout_text(Layout((2, 3), (3, 1))))
    (2,3):(3,1)
          0   1   2
        +---+---+---+
     0  | 0 | 1 | 2 |
        +---+---+---+
     1  | 3 | 4 | 5 |
        +---+---+---+
    """
    rows, columns = _grid("print_layout", layout)
    offsets = layout.table().reshape(columns, rows).T
    wide = max((len(str(x)) for x in (*offsets.flat, columns - 1)), default=1)
    rule = "    " + f"+{'-' * (wide + 2)}" * columns + "+"
    lines = [str(layout), ("    " + "".join(f"  {j:>{wide}} " for j in range(columns))).rstrip()]
    for i in range(rows):
        lines += [rule, f"{i:2d}  " + "".join(f"| {x:>{wide}} " for x in offsets[i]) + "|"]
    return "\n".join([*lines, rule])


def print_layout(layout: Layout) -> None:
    """Print `layout_text(layout)`."""
    print(layout_text(layout))


def layout_svg(layout: Layout) -> str:
    """Return an SVG picture of a layout of rank 1 or 2: one cell a coordinate, with its offset.

    Cells of the same colour have offsets that agree modulo 8.
    """
    rows, columns = _grid("layout_svg", layout)
    offsets = layout.table().reshape(columns, rows).T
    cells = [
        (i, j, str(offsets[i, j]), int(offsets[i, j])) for i in range(rows) for j in range(columns)
    ]
    return _svg(str(layout), rows, columns, cells)


def tv_svg(tv: Layout, tile: Shape) -> str:
    """Return an SVG picture of a thread-value layout over a tile of shape (rows, columns).

    `tv(thread, value)` is the index in the tile, leftmost mode fastest. A cell shows `T5 V1`, its
    colour follows the thread; several owners of one cell are all listed. Raises LayoutError
    unless the layout has two modes and stays inside the tile.
    """
    sizes = [int(n) for n in product_each(tile)]
    static_modes("tv_svg", tv)
    if tv.rank != 2 or len(sizes) != 2:
        raise LayoutError(f"tv_svg: got {tv} over {tile}, needed modes (thread, value) over 2 axes")
    rows, columns = _checked("tv_svg", sizes[0], sizes[1])
    threads, values = (int(n) for n in product_each(tv.shape))
    owners: dict[int, list[tuple[int, int]]] = {}
    for value in range(values):
        for thread in range(threads):
            owners.setdefault(int(tv(thread, value)), []).append((thread, value))
    if owners and not 0 <= min(owners) <= max(owners) < rows * columns:
        raise LayoutError(f"tv_svg: got {tv} over {tile}, needed offsets inside the tile")
    cells = [
        (at % rows, at // rows, "\n".join(f"T{t}\nV{v}" for t, v in who), who[0][0])
        for at, who in owners.items()
    ]
    return _svg(f"{tv} over {rows} x {columns}", rows, columns, cells)


def _svg(title: str, rows: int, columns: int, cells: Sequence[Cell]) -> str:
    width, height = (columns + 1) * CELL, (rows + 1) * CELL
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="monospace" font-size="11" '
        f'text-anchor="middle" dominant-baseline="central">',
        f"<title>{title}</title>",
    ]
    parts += [_words(0, j + 1, str(j)) for j in range(columns)]
    parts += [_words(i + 1, 0, str(i)) for i in range(rows)]
    for i, j, label, colour in sorted(cells):
        fill = COLOURS[colour % len(COLOURS)]
        parts.append(
            f'<rect x="{(j + 1) * CELL}" y="{(i + 1) * CELL}" width="{CELL}" height="{CELL}" '
            f'fill="{fill}" stroke="#333"/>'
        )
        parts.append(_words(i + 1, j + 1, label))
    return "\n".join([*parts, "</svg>\n"])


def _words(row: int, column: int, label: str) -> str:
    """Return the text element of one cell; every line of the label is a tspan."""
    lines = label.split("\n")
    x, top = column * CELL + CELL // 2, row * CELL + CELL / 2 - 6 * (len(lines) - 1)
    if len(lines) == 1:
        return f'<text x="{x}" y="{top:g}">{label}</text>'
    spans = (f'<tspan x="{x}" y="{top + 12 * k:g}">{line}</tspan>' for k, line in enumerate(lines))
    return f"<text>{''.join(spans)}</text>"
