"""A copy: what moves bytes and computes nothing, to measure other kernels against."""

from __future__ import annotations

from tensorlib.lang.control import parallel
from tensorlib.tile import Tile

__all__ = ["copied"]


def copied(out: Tile, x: Tile, *, width: int = 32) -> None:
    """Copy `x` to `out`, whose sizes are multiples of `width`."""
    for i in parallel(range(0, out.size, width)):
        out.store[width](i, x.load[width](i))
