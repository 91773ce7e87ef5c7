"""Matrix instructions: who holds which element of A (left), B (on top) and C (below right)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

from tensorlib.layouts.draw.grid import Drawable
from tensorlib.layouts.draw.latex import latex_text
from tensorlib.layouts.draw.picture import Cell, Panel, Picture
from tensorlib.layouts.draw.svg import svg_text
from tensorlib.layouts.draw.tv import tv_panel
from tensorlib.layouts.hardware.mma_tile import TiledMMA

__all__ = ["Atom", "mma_latex", "mma_picture", "mma_svg"]


class Atom(Protocol):
    """A matrix instruction C(M,N) += A(M,K) * B(N,K), with a thread-value layout an operand."""

    @property
    def name(self) -> str:
        """The instruction's name."""

    @property
    def shape(self) -> Sequence[int]:
        """(M, N, K)."""

    @property
    def a(self) -> Drawable:
        """Thread and value to m + M*k."""

    @property
    def b(self) -> Drawable:
        """Thread and value to n + N*k."""

    @property
    def c(self) -> Drawable:
        """Thread and value to m + M*n."""


def mma_svg(atom: Atom, color: str = "thread", *, title: str | None = None) -> str:
    """Return an SVG picture of a matrix instruction: A left, B on top, C below right.

    Rows of A line up with rows of C, and columns of B, drawn as (K, N), with columns of C. Cells
    show `T5 V1`, their colour follows the `thread` or the `value`. Thick lines part the atoms of a
    tiled product. Raises LayoutError where an
    operand's layout leaves its matrix.
    """
    return svg_text(mma_picture("mma_svg", atom, color, title))


def mma_latex(atom: Atom, color: str = "thread", *, title: str | None = None) -> str:
    """Return the picture of `mma_svg` as a LaTeX document of its own."""
    return latex_text(mma_picture("mma_latex", atom, color, title))


def mma_picture(where: str, atom: Atom, color: str = "thread", title: str | None = None) -> Picture:
    """Return the picture of a matrix instruction."""
    m, n, k = atom.shape
    rows, columns, depth = _nested(atom)
    a = tv_panel(where, atom.a, (rows, depth), color)
    a = replace(a, slot=(1, 0), title=f"A (M × K): {m} × {k}")
    b = _turned(tv_panel(where, atom.b, (columns, depth), color))
    b = replace(b, slot=(0, 1), title=f"B (K × N): {k} × {n}")
    c = tv_panel(where, atom.c, (rows, columns), color)
    c = replace(c, slot=(1, 1), title=f"C (M × N): {m} × {n}")
    return Picture(f"{atom.name}: {m} × {n} × {k}" if title is None else title, (a, b, c))


def _nested(atom: Atom) -> tuple[Any, ...]:
    """Return M, N and K; those of a tiled product as (an atom's, how many atoms)."""
    if not isinstance(atom, TiledMMA):
        return tuple(atom.shape)
    pairs = zip(atom.atom.shape, atom.shape, strict=True)
    return tuple((inner, whole // inner) for inner, whole in pairs)


def _turned(panel: Panel) -> Panel:
    """Return the panel with rows and columns exchanged."""
    cells = sorted((c.column, c.row, c.lines, c.fill) for c in panel.cells)
    return replace(
        panel,
        rows=panel.columns,
        columns=panel.rows,
        cells=tuple(Cell(*cell) for cell in cells),
        row_edges=panel.column_edges,
        column_edges=panel.row_edges,
        row_labels=panel.column_labels,
        column_labels=panel.row_labels,
    )
