"""The recogniser: which layout, if any, has a given table of offsets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorlib.errors import LayoutError
from tensorlib.layouts.layout import Layout, from_modes

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["from_table", "recognised"]


def from_table(offsets: Sequence[int] | NDArray[Any]) -> Layout:
    """Return the coalesced layout L with L(i) == offsets[i] for every i; it is unique.

    Raises LayoutError where no layout has these offsets.

    >>> from_table([0, 1, 8, 9, 2, 3, 10, 11])
    (2,2,2):(1,8,2)
    """
    table = np.asarray(offsets)
    if table.ndim != 1 or (table.size and table.dtype.kind not in "iu"):
        raise LayoutError(
            f"from_table: got {table.dtype} offsets of shape {table.shape}, needed a row of ints"
        )
    table = table.astype(np.int64)
    if table.size and table[0] != 0:
        raise LayoutError(f"from_table: got first offset {table[0]}, needed 0")
    modes = recognised(table)
    if modes is None:
        shown = ", ".join(map(str, table[:16])) + (", ..." if table.size > 16 else "")
        raise LayoutError(f"from_table: got offsets {shown}; no layout has them")
    return from_modes(modes)


def recognised(table: NDArray[np.int64]) -> list[tuple[int, int]] | None:
    """Return the merged modes whose table this is, or None. `table[0]` is 0.

    The first mode of a merged layout is exactly the longest run 0, d, 2d, ...: the next mode's
    stride breaks it. Every later run must repeat it, and their first offsets are the rest.
    """
    modes: list[tuple[int, int]] = []
    if table.size == 0:
        return [(0, 0)]
    while table.size > 1:
        step = int(table[1])
        run = np.arange(table.size, dtype=np.int64) * step
        breaks = np.flatnonzero(table != run)
        size = int(breaks[0]) if breaks.size else table.size
        if table.size % size:
            return None
        rows = table.reshape(-1, size)
        if not np.array_equal(rows, rows[:, :1] + run[:size]):
            return None
        modes.append((size, step))
        table = rows[:, 0]
    return modes
