"""What a coordinate of a tile may be: a whole number; one that Python knows is not below 0."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorlib.dtypes import DType
from tensorlib.errors import KernelError
from tensorlib.ir.builder import fail
from tensorlib.simd import SIMD

if TYPE_CHECKING:
    from tensorlib.tile import Tile

__all__ = ["check_counted_from_start", "check_whole"]

_NOT_WHOLE = (bool, np.bool_, np.ndarray)  # which Python takes for numbers all the same


def check_whole(coordinate: Any) -> None:
    """Raise KernelError for a coordinate that is no whole number: a float, a bool, an array."""
    if type(coordinate) is int:
        return
    if isinstance(coordinate, SIMD):
        if coordinate.dtype is not DType.int64:
            raise _not_int64(coordinate)
    elif isinstance(coordinate, tuple):
        for part in coordinate:
            check_whole(part)
    elif isinstance(coordinate, _NOT_WHOLE) or not hasattr(coordinate, "__index__"):
        kind = type(coordinate).__name__
        raise fail(
            f"index: got {coordinate!r} of type {kind}, needed an integer; try int(...) for a "
            "number, and `:` for a whole axis"
        )


def _not_int64(coordinate: SIMD) -> KernelError:
    needed = "an int64 scalar" if coordinate.width == 1 else "int64 lanes"
    return fail(f"index: got {coordinate!r}, needed {needed}; try .cast(int64)")


def check_counted_from_start(tile: Tile, coordinates: Sequence[Any]) -> None:
    """Raise KernelError for a Python number below 0, which Python would count from the end.

    A tile that was cut from another has neighbours there, which it may read.
    """
    for axis, c in enumerate(coordinates):
        if isinstance(c, (int, np.integer)) and c < 0 and tile.edges == ():
            raise fail(
                f"index: got {c} along axis {axis} of {tile!r}; tiles do not count from the end: "
                f"try tile.shape[{axis}] - {-c}"
            )
