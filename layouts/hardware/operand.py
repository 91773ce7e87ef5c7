"""Operands of tiled instructions: laws and questions of a (thread, value) layout over its tile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import numpy as np

from tensorlib.errors import LayoutError
from tensorlib.layouts.algebra import composition
from tensorlib.layouts.composed import AnyLayout, ComposedLayout
from tensorlib.layouts.dim import Size
from tensorlib.layouts.divide import zipped_divide
from tensorlib.layouts.inverse import right_inverse
from tensorlib.layouts.layout import Layout, make_layout, row_major
from tensorlib.layouts.memo import memoised

__all__ = [
    "Block",
    "Operand",
    "copies",
    "divides",
    "inside",
    "inverse",
    "partition",
    "registers",
    "row_major_twin",
]

Operand: TypeAlias = Literal["a", "b", "c"]
Block: TypeAlias = tuple[int, int]  # rows and columns of an operand's tile


@memoised
def copies(where: str, tv: Layout, block: Block) -> int:
    """Return how many (thread, value) places hold each element of the tile.

    Raises LayoutError unless tv has modes (thread, value) and reaches every element equally often.

    >>> copies("example", Layout(((4, 8), 2), ((8, 1), 32)), (8, 8))
    1
    """
    if tv.rank != 2:
        raise LayoutError(f"{where}: got {tv}, needed modes (thread, value)")
    size, offsets = block[0] * block[1], tv.table()
    if offsets.min() < 0 or offsets.max() >= size:
        raise LayoutError(f"{where}: got {tv}, needed indices into a tile of {block}")
    counts = np.bincount(offsets, minlength=size)
    if counts.min() != counts.max():
        at = int(np.argmin(counts))
        raise LayoutError(
            f"{where}: got {tv} over a tile of {block}; element {at} has {counts[at]} owners, "
            f"another has {counts.max()}"
        )
    return int(counts[0])


@memoised
def inverse(tv: Layout, block: Block) -> Layout:
    """Return the layout from (row, column) to thread + threads * value, the least owner.

    >>> inverse(Layout(((4, 8), 2), ((8, 1), 32)), (8, 8))
    (8,(4,2)):(4,(1,32))
    """
    found = right_inverse(tv)
    if found.size != block[0] * block[1]:
        raise LayoutError(f"inverse: got {tv}, needed an owner for each element of {block}")
    return composition(found, Layout(block))


def row_major_twin(tv: Layout, block: Block) -> Layout:
    """Return tv over the tile whose *column* is fastest, where tv counts the row as fastest.

    >>> row_major_twin(Layout(((4, 8), 2), ((8, 1), 32)), (8, 8))
    ((4,8),2):((1,8),4)
    """
    return composition(row_major(block), tv)


def registers(tv: Layout) -> Layout:
    """Return the compact layout of one thread's values: value i lies in register i.

    >>> registers(Layout(((4, 8), (2, 2)), ((16, 1), (8, 64))))
    (2,2):(1,2)
    """
    return Layout(tv.mode(1).shape)


def partition(
    where: str, tv: Layout, block: Block, matrix: AnyLayout, thread: Any
) -> tuple[AnyLayout, Any]:
    """Return (values, offset) of what one thread holds of a matrix, cut into tiles of `block`.

    `values` has modes (value, row tile, column tile, and further modes of the matrix as they are).
    Raises LayoutError where the tile does not divide the matrix.
    """

    def part(layout: Layout) -> tuple[Layout, Any]:
        divides(where, layout, block)
        tiles, rest = zipped_divide(layout, block).modes
        held = composition(tiles, tv)
        return make_layout(held.mode(1), *rest.modes), held.mode(0)(thread)

    return inside(matrix, part)


def inside(
    matrix: AnyLayout, part: Callable[[Layout], tuple[Layout, Any]]
) -> tuple[AnyLayout, Any]:
    """Return the part (values, offset) of a matrix; a swizzled one takes the offset inside."""
    if isinstance(matrix, Layout):
        return part(matrix)
    values, offset = inside(matrix.inner, part)
    return ComposedLayout(matrix.outer, matrix.offset + offset, values), 0


def divides(where: str, layout: Layout, block: tuple[Size, ...]) -> None:
    """Raise LayoutError unless the first modes of the layout are whole multiples of the block."""
    sizes = [mode.size for mode in layout.modes]
    pairs = zip(sizes, block, strict=False)
    if len(sizes) < len(block) or any(size % part != 0 for size, part in pairs):
        raise LayoutError(f"{where}: got {layout}, needed sizes that are multiples of {block}")
