"""`t.reduce(op)`: a thread's elements by halves, a warp's by shuffles, a block's by a tree."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from tensorlib.ir.builder import current_builder, fail
from tensorlib.ir.types import Placement
from tensorlib.lang.explicit import loop
from tensorlib.lang.grid import (
    barrier,
    block_dim,
    lane_id,
    thread_id,
    threads_of_block,
    warp_barrier,
)
from tensorlib.lang.rewrite import rewritten
from tensorlib.lang.warp import WARP_SIZE, shuffle_down, shuffle_index
from tensorlib.simd import SIMD
from tensorlib.tiles.arithmetic import loaded, places, static_shape, vector_of, wide

if TYPE_CHECKING:
    from tensorlib.tile import Tile

__all__ = [
    "Ready",
    "folded",
    "members_of",
    "operator_of",
    "reduced",
    "reduced_along",
    "thread_number",
]

Operator = Callable[[Any, Any], Any]
OPERATORS: dict[str, Operator] = {
    "add": lambda a, b: a + b,
    "multiply": lambda a, b: a * b,
    "min": lambda a, b: a.min(b),
    "max": lambda a, b: a.max(b),
}


class Ready(SIMD):
    """A value that may be awaited, as the sum over a block is in the talk: it is there already."""

    __slots__ = ()

    def __await__(self) -> Generator[None, None, SIMD]:
        return SIMD(self.value, self.dtype, self.width)
        yield


def operator_of(where: str, operator: Any) -> Operator:
    """Return the function of an operator's name; a function is its own."""
    if isinstance(operator, str) and operator in OPERATORS:
        return OPERATORS[operator]
    if not callable(operator):
        known = ", ".join(OPERATORS)
        raise fail(f"{where}: got operator {operator!r}, needed a function or one of {known}")
    found: Operator = rewritten(operator) if current_builder() is not None else operator
    return found


def reduced(tile: Tile, operator: Any) -> Ready:
    """Return all elements of a tile folded; every thread that shares its memory takes part."""
    function = operator_of("reduce", operator)
    if tile.placement in (Placement.SHARED, Placement.CLUSTER):  # a cluster is a block here
        found = _block(tile, function)
    elif tile.placement is Placement.WARP:
        found = _warp(tile, function)
    else:
        found = _thread(tile, function)
    return Ready(found.value, found.dtype, found.width)


def folded(value: SIMD, function: Operator) -> SIMD:
    """Return the lanes of a vector folded by halves: lanes [0, w/2) with [w/2, w), and so on."""
    while value.width > 1:
        value = function(*value.split())
    return value


def _thread(tile: Tile, function: Operator) -> SIMD:
    """Fold vectors in the order of the elements, and then the lanes."""
    shape = static_shape("reduce", tile)
    width = vector_of(shape, tile)
    found: SIMD | None = None
    for at in places(shape, width):
        part = loaded(tile, at, width)
        found = part if found is None else function(found, part)
    if found is None:
        raise fail(f"reduce: got {tile!r}, needed an element")
    return folded(found, function)


def reduced_along(tile: Tile, operator: Any, axis: int) -> Tile:
    """Return the tile of an axis folded, element after element."""
    from tensorlib.tile import stack_allocation

    function = operator_of("reduce", operator)
    shape = static_shape("reduce", tile)
    if not -tile.rank <= axis < tile.rank or tile.lanes[0] > 1 or not shape[axis]:
        raise fail(f"reduce: got axis {axis} of {tile!r}, needed an axis with elements")
    axis %= tile.rank
    kept = (*shape[:axis], *shape[axis + 1 :])
    is_shared = tile.placement in _OF_MANY
    placement = tile.placement if is_shared else Placement.REGISTER
    made: Tile = stack_allocation[tile.dtype, placement](*kept)

    def line(at: tuple[Any, ...], width: int = 1) -> SIMD:
        def element(n: Any) -> SIMD:
            return loaded(tile, (*at[:axis], n, *at[axis:]), width)

        if tile.placement is Placement.REGISTER:  # registers have no run-time numbers
            return functools.reduce(function, map(element, range(shape[axis])))
        found: SIMD = loop(
            (1, shape[axis]), lambda n, found: function(found, element(n)), element(0)
        )
        return found

    if is_shared:
        _lines_together(made, kept, line)
        return made
    width = wide(kept, made, tile) if axis < tile.rank - 1 else 1
    for at in places(kept, width):
        made.store[width](*at, line(at, width))
    return made


# --- threads together ---

_OF_MANY = (Placement.WARP, Placement.SHARED, Placement.CLUSTER)


def _lines_together(made: Tile, shape: tuple[int, ...], line: Callable[..., SIMD]) -> None:
    """Fold lines, each by a thread of those that share the memory, when all have met."""
    met = warp_barrier if made.placement is Placement.WARP else barrier
    me, members = members_of("reduce", made.placement)
    met()
    size = math.prod(shape)
    for first in range(0, size, members):
        is_there = me + first < size
        at = _element(made, shape, (me + first).min(size - 1))
        made.store(*at, line(at), mask=is_there)
    met()


def members_of(where: str, placement: Placement) -> tuple[SIMD, int]:
    """Return this thread's number among those who share memory, and how many they are."""
    threads = threads_of_block(where)
    if placement is not Placement.WARP:
        return thread_number(), threads
    if threads > WARP_SIZE and threads % WARP_SIZE:
        raise fail(f"{where}: got a block of {threads} threads, needed whole warps")
    return lane_id(), min(threads, WARP_SIZE)


def thread_number() -> SIMD:
    """Return the number of this thread in its block, the first axis fastest."""
    number = thread_id(0)
    size = 1
    for axis in (1, 2):
        size = size * block_dim(axis - 1)
        if block_dim(axis) > 1:
            number = number + thread_id(axis) * size
    return number


def _element(tile: Tile, shape: tuple[int, ...], index: Any) -> tuple[Any, ...]:
    """Return the coordinates of an element counted in row-major order."""
    found: list[Any] = []
    for n in reversed(shape):
        found.append(index % n if len(found) < len(shape) - 1 else index)
        index = index // n
    return tuple(reversed(found))


def _share(tile: Tile, function: Operator, me: SIMD, members: int) -> SIMD:
    """Fold elements me, me + members, ...: the share of a thread below `members`."""
    shape, size = static_shape("reduce", tile), int(tile.size)
    value: SIMD = tile[_element(tile, shape, me.min(members - 1))]
    for first in range(members, size, members):
        is_there = me.min(members - 1) + first < size
        other = tile[_element(tile, shape, (me.min(members - 1) + first).min(size - 1))]
        both = function(value, other)
        value = both if first + members <= size else is_there.select(both, value)
    return value


def _halves(members: int) -> list[int]:
    """Return 2**k, ..., 2, 1 below `members`."""
    return [1 << k for k in reversed(range((members - 1).bit_length()))]


def _warp(tile: Tile, function: Operator) -> SIMD:
    lane, members = members_of("reduce", Placement.WARP)
    members = min(int(tile.size), members)
    warp_barrier()
    value = _share(tile, function, lane, members)
    for offset in _halves(members):
        both = function(value, shuffle_down(value, offset))
        value = (lane + offset < members).select(both, value)
    return shuffle_index(value, 0)  # type: ignore[no-any-return]


def _block(tile: Tile, function: Operator) -> SIMD:
    """Fold by a tree in shared memory of its own, with barriers between its levels."""
    from tensorlib.tile import stack_allocation

    members = min(int(tile.size), threads_of_block("reduce"))
    me = thread_number()
    partial: Tile = stack_allocation[tile.dtype, Placement.SHARED](members)
    barrier()  # what threads have written to the tile is there
    value = _share(tile, function, me, members)
    for offset in _halves(members):
        partial.store(me, value, mask=me < members)
        barrier()
        is_there = me + offset < members
        other = partial.load(me + offset, mask=is_there, other=0)
        value = is_there.select(function(value, other), value)
        barrier()
    partial.store(me, value, mask=me == 0)
    barrier()
    total: SIMD = partial[0]
    barrier()  # nobody writes it again before all have read
    return total
