"""`gather` and `scatter`: elements of a tile at any coordinates, one a lane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tensorlib.dtypes import DType
from tensorlib.ir.builder import current_builder, fail
from tensorlib.ir.interpreter import Memory
from tensorlib.simd import SIMD, SIMDType, lift
from tensorlib.tiles.access import offset_of

if TYPE_CHECKING:
    from tensorlib.tile import Tile

__all__ = ["compressed_load", "compressed_store", "gather", "scatter"]


def gather(tile: Tile, *coordinates: Any, mask: SIMD | None = None, other: Any = 0) -> SIMD:
    """Return the elements at `coordinates`, one an axis, of which some are int64 lane by lane.

    Lanes where `mask` is false read nothing and have `other`.

    >>> from tensorlib.tile import Tile
    >>> squares = Tile.over(np.arange(8, dtype=np.int32) ** 2)
    >>> gather(squares, SIMD["int64", 4](7, 0, 2, 2))
    SIMD[int32, 4](49, 0, 4, 4)
    """
    at = _offsets("gather", tile, coordinates)
    mask = _checked("gather", mask, at.width)
    filler = SIMDType(tile.dtype, at.width)(other)
    if isinstance(tile.pointer, Memory):
        found = np.array(filler.value)
        flat = found.reshape(-1)
        for lane, place in _active(at, mask):
            flat[lane] = tile.pointer.load(tile.dtype, place, 1, tile.dtype.itemsize)
        return SIMD(found, tile.dtype, at.width)
    builder = current_builder()
    assert builder is not None
    operands = [tile.pointer, lift(at)]
    if mask is None:
        return SIMD.of(builder.value("gather", *operands))
    return SIMD.of(builder.value("masked_gather", *operands, lift(mask), lift(filler)))


def scatter(tile: Tile, *coordinates: Any, mask: SIMD | None = None) -> None:
    """Write the lanes of a value at coordinates: `scatter(tile, i, j, value)`.

    Lanes where `mask` is false write nothing; of lanes with one place the last one stays.

    >>> from tensorlib.tile import Tile
    >>> data = np.zeros(4, np.int32)
    >>> scatter(Tile.over(data), SIMD["int64", 2](3, 0), SIMD["int32", 2](5, 6))
    >>> data.tolist()
    [6, 0, 0, 5]
    """
    *places, given = coordinates
    at = _offsets("scatter", tile, places)
    mask = _checked("scatter", mask, at.width)
    value = given if isinstance(given, SIMD) else SIMDType(tile.dtype)(given)
    if value.dtype is not tile.dtype:
        raise fail(
            f"scatter: got {value.dtype.name} for a tile of {tile.dtype.name}; "
            f"try .cast({tile.dtype.name})"
        )
    value = value.splat(at.width)
    if isinstance(tile.pointer, Memory):
        lanes = np.atleast_1d(value.value)
        for lane, place in _active(at, mask):
            tile.pointer.store(lanes[lane], tile.dtype, place, tile.dtype.itemsize)
        return
    builder = current_builder()
    assert builder is not None
    operands = [tile.pointer, lift(at), lift(value)]
    if mask is None:
        builder.emit("scatter", operands)
    else:
        builder.emit("masked_scatter", [*operands, lift(mask)])


def compressed_store(tile: Tile, *coordinates: Any, mask: SIMD) -> SIMD:
    """Write the lanes where `mask` is true side by side; return how many there are, an int64.

    `compressed_store(tile, i, value, mask=m)` writes along the last axis, from `i` on.

    >>> from tensorlib.tile import Tile
    >>> data, mask = np.zeros(4, np.int32), SIMD["bool", 4](True, False, False, True)
    >>> compressed_store(Tile.over(data), 1, SIMD["int32", 4](5, 6, 7, 8), mask=mask)
    SIMD[int64, 1](2)
    >>> data.tolist()
    [0, 5, 8, 0]
    """
    *outer, start, value = coordinates
    scatter(tile, *outer, _places("compressed_store", mask) + start, value, mask=mask)
    return mask.reduce_bit_count()


def compressed_load(tile: Tile, *coordinates: Any, mask: SIMD, other: Any = 0) -> SIMD:
    """Read elements that lie side by side into the lanes where `mask` is true; `other` elsewhere.

    >>> from tensorlib.tile import Tile
    >>> squares = Tile.over(np.arange(8, dtype=np.int32) ** 2)
    >>> compressed_load(squares, 2, mask=SIMD["bool", 4](False, True, False, True))
    SIMD[int32, 4](0, 4, 0, 9)
    """
    *outer, start = coordinates
    places = _places("compressed_load", mask) + start
    return gather(tile, *outer, places, mask=mask, other=other)


def _places(where: str, mask: SIMD) -> SIMD:
    """Return for each lane how many lanes before it are true."""
    if mask.dtype is not DType.bool:
        raise fail(f"{where}: got a mask of {mask.type}, needed bool")
    count, by = mask.cast(DType.int64).shift_right(1), 1
    while by < mask.width:
        count, by = count + count.shift_right(by), 2 * by
    return count


def _offsets(where: str, tile: Tile, coordinates: Any) -> SIMD:
    """Return the element numbers of the lanes."""
    for c in coordinates:
        if isinstance(c, SIMD) and c.dtype is not DType.int64:
            raise fail(f"{where}: got {c.type} coordinates, needed int64; try .cast(int64)")
    at = offset_of(tile, coordinates)
    return at if isinstance(at, SIMD) else SIMDType(DType.int64)(at)


def _checked(where: str, mask: SIMD | None, width: int) -> SIMD | None:
    if mask is None:
        return None
    if mask.dtype is not DType.bool or mask.width not in (1, width):
        raise fail(f"{where}: got a mask of {mask.type}, needed bool and width {width}")
    return mask.splat(width)


def _active(at: SIMD, mask: SIMD | None) -> list[tuple[int, int]]:
    """Return the lanes that are not masked out, with their element numbers."""
    places = np.atleast_1d(at.value).tolist()
    if mask is None:
        return list(enumerate(places))
    return [(i, places[i]) for i in np.flatnonzero(mask.value).tolist()]
