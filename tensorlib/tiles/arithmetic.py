"""Arithmetic on tiles in registers, element by element, and tiles filled with a value."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorlib.ir.builder import current_builder, fail
from tensorlib.ir.types import Placement
from tensorlib.lang.target import current_block, current_target
from tensorlib.simd import SIMD

if TYPE_CHECKING:
    from tensorlib.tile import Tile

__all__ = [
    "accumulated",
    "agreeing",
    "elementwise",
    "filled",
    "in_registers",
    "known_shape",
    "loaded",
    "places",
    "static_shape",
    "stored",
    "vector_of",
    "wide",
]

Place = tuple[int, ...]


def static_shape(where: str, tile: Tile) -> tuple[int, ...]:
    """Return the number of elements along each axis; raise KernelError where it is not known."""
    found = known_shape(tile)
    if None in found:
        raise fail(f"{where}: got {tile!r}, needed a known shape; try .tile[M, N](m, n)")
    return tuple(n for n in found if n is not None)


def known_shape(tile: Tile) -> tuple[int | None, ...]:
    """Return the number of elements along each axis, None where it is known at run time only."""
    return tuple(math.prod(_leaves(n)) if _is_known(n) else None for n in tile.shape)


def _leaves(nested: Any) -> list[Any]:
    return [x for part in nested for x in _leaves(part)] if isinstance(nested, tuple) else [nested]


def _is_known(nested: Any) -> bool:
    return all(isinstance(n, int) for n in _leaves(nested))


def wide(shape: tuple[int, ...], *tiles: Tile, is_run: bool = False) -> int:
    """Return how many elements along the last axis are one access in every tile.

    In kernels of blocks a vector must be known to lie at a multiple of its size, a run need not.
    """
    width = vector_of(shape, *tiles, size=_vector_bytes())
    while width > 1 and not all(_is_vector(t, width, is_run) for t in tiles):
        width //= 2
    return width


def _vector_bytes() -> int:
    """Return the bytes of one access: the target's vectors, and 16 for each thread of many."""
    return 16 if current_block() is not None else max(16, current_target().vector_bytes)


def vector_of(shape: tuple[int, ...], *tiles: Tile, size: int = 16) -> int:
    """Return how many elements along the last axis `size` bytes hold, as far as they divide it."""
    if not shape or any(t.lanes[0] > 1 for t in tiles):
        return 1
    return math.gcd(shape[-1], max(1, size // max(t.dtype.itemsize for t in tiles)))


def _is_vector(tile: Tile, width: int, is_run: bool) -> bool:
    *outer, last = tile.stride
    if not isinstance(last, int) or last != 1 or tile.swizzle is not None:
        return False
    if is_run or current_builder() is None or current_block() is None:
        return True
    return all(isinstance(n, int) and n % width == 0 for n in (tile.offset, *_leaves(tuple(outer))))


def loaded(tile: Tile, at: Place, width: int) -> SIMD:
    """Return `width` elements along the last axis, one by one where no vector is known to be."""
    if width == 1 or _is_vector(tile, width, False):
        return tile.load[width](*at)  # type: ignore[no-any-return]
    *outer, last = at
    return SIMD.join(*(tile.load[1](*outer, last + i) for i in range(width)))


def stored(tile: Tile, at: Place, value: SIMD) -> None:
    """Write a vector along the last axis, one by one where no vector is known to be."""
    if value.width == 1 or _is_vector(tile, value.width, False):
        tile.store[value.width](*at, value)
        return
    *outer, last = at
    for i in range(value.width):
        tile.store[1](*outer, last + i, value[i])


def places(shape: tuple[int, ...], width: int = 1) -> Iterator[Place]:
    """Yield the coordinates of all elements, or of every `width` along the last axis."""
    if not shape:
        yield ()
        return
    *outer, last = (range(n) for n in shape)
    yield from itertools.product(*outer, last[::width])


def in_registers(where: str, tile: Tile, *others: Tile) -> Tile:
    """Return new memory of a thread for elements like those of a tile; check that all agree."""
    from tensorlib.tile import stack_allocation

    agreeing(where, tile, *others)
    shape, lanes = static_shape(where, tile), tile.lanes[0]
    made: Tile = stack_allocation[tile.dtype, Placement.REGISTER](*shape, lanes)
    return made.viewed(made.shape[:-1], made.stride[:-1], 0, lanes=(lanes, 1))


def filled(tile: Tile, value: Any) -> Tile:
    """Write `value` to every element; memory that threads share is filled by all of them."""
    shape = static_shape("fill", tile)
    if tile.placement in (Placement.WARP, Placement.SHARED, Placement.CLUSTER):
        from tensorlib.tiles.copies import filled_together

        return filled_together(tile, shape, value)
    width = wide(shape, tile)
    for at in places(shape, width):
        tile.store[width](*at, value)
    return tile


def elementwise(name: str, left: Any, right: Any) -> Any:
    """Return a tile in registers of what an operation makes of two tiles, or a tile and a scalar.

    A product is added with one rounding an element: see `tensorlib.tiles.product`.
    """
    tiles = [t for t in (left, right) if hasattr(t, "placement")]
    if not all(hasattr(t, "placement") or _is_scalar(t) for t in (left, right)):
        return NotImplemented
    made = in_registers(name, *tiles)
    shape = static_shape(name, made)
    width = wide(shape, made, *tiles)
    for at in places(shape, width):
        a, b = (_part(t, at, width) for t in (left, right))
        made.store[width](*at, _APPLIED[name](a, b))
    return made


_APPLIED: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
}


def _is_scalar(value: Any) -> bool:
    return isinstance(value, (int, float, np.number)) or (
        isinstance(value, SIMD) and value.width == 1
    )


def _part(value: Any, at: Place, width: int) -> Any:
    return value.load[width](*at) if hasattr(value, "placement") else value


def accumulated(tile: Tile, other: Any) -> Tile:
    """Add to every element of a tile in registers: another tile's, a product's, or a scalar."""
    if hasattr(other, "accumulate_into"):
        other.accumulate_into(tile)
        return tile
    others = [other] if hasattr(other, "placement") else []
    if not others and not _is_scalar(other):
        kind = type(other).__name__
        raise fail(f"+=: got a {kind}, needed a tile, a product of tiles or a scalar")
    agreeing("+=", tile, *others)
    shape = static_shape("+=", tile)
    width = wide(shape, tile, *others)
    for at in places(shape, width):
        tile.store[width](*at, tile.load[width](*at) + _part(other, at, width))
    return tile


def agreeing(where: str, tile: Tile, *others: Tile) -> None:
    """Raise KernelError unless all are tiles of one shape and dtype in registers."""
    for t in (tile, *others):
        if t.placement is not Placement.REGISTER:
            raise fail(
                f"{where}: got {t!r}, needed tiles in registers; try .copy[REGISTER]() first"
            )
        if (t.shape, t.lanes[0]) != (tile.shape, tile.lanes[0]) or t.dtype is not tile.dtype:
            raise fail(f"{where}: got {tile!r} and {t!r}, needed one shape and dtype")
