"""The sizes of a launch: how many blocks, and how many threads each has, along up to three axes."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from tensorlib.errors import KernelError

__all__ = ["MOST_THREADS", "Axes", "block_shape", "launch_shapes"]

Axes = int | Sequence[int]
Shape = tuple[int, int, int]
MOST_THREADS = 1024


def launch_shapes(kernel: str, grid: Axes | None, block: Axes | None) -> tuple[Shape, Shape] | None:
    """Return grid and block along three axes; None for a kernel that is called without.

    >>> launch_shapes("k", 4, (8, 2)), launch_shapes("k", None, None)
    (((4, 1, 1), (8, 2, 1)), None)
    """
    if grid is None and block is None:
        return None
    if grid is None or block is None:
        have, lack = ("block", "grid") if grid is None else ("grid", "block")
        given = block if grid is None else grid
        raise KernelError(f"{kernel}: got {have}={given!r} without {lack}; give both, or none")
    shape = block_shape(kernel, block)
    assert shape is not None
    return _three(kernel, "grid", grid, 0), shape


def block_shape(kernel: str, block: Axes | None) -> Shape | None:
    """Return the threads of a block along three axes; raises KernelError for more than 1024.

    >>> block_shape("k", 32), block_shape("k", (8, 4))
    ((32, 1, 1), (8, 4, 1))
    """
    if block is None:
        return None
    x, y, z = shape = _three(kernel, "block", block, 1)
    if x * y * z > MOST_THREADS:
        raise KernelError(
            f"{kernel}: got block={block!r}, which is {x * y * z} threads, "
            f"needed at most {MOST_THREADS}; try a larger grid of smaller blocks"
        )
    return shape


def _three(kernel: str, what: str, given: Any, least: int) -> Shape:
    axes = tuple(given) if isinstance(given, Sequence) and not isinstance(given, str) else (given,)
    try:
        sizes = [operator.index(n) for n in axes if not isinstance(n, bool)]
    except TypeError:
        sizes = []
    if not 1 <= len(axes) <= 3 or len(sizes) != len(axes) or min(sizes) < least:
        raise KernelError(
            f"{kernel}: got {what}={given!r}, needed 1 to 3 whole numbers from {least}"
        )
    x, y, z = (*sizes, 1, 1)[:3]
    return x, y, z
