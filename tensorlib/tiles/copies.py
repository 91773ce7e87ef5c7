"""`t.copy[SHARED](layout=...)`: a tile's elements in other memory, brought by all who share it."""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from tensorlib.ir.builder import fail
from tensorlib.ir.types import Placement
from tensorlib.lang.awaiting import awaited
from tensorlib.lang.copying import Copy, copy_async
from tensorlib.lang.explicit import loop
from tensorlib.lang.grid import barrier, warp_barrier
from tensorlib.layouts.layout import row_major
from tensorlib.simd import SIMD
from tensorlib.tiles.access import offset_of
from tensorlib.tiles.arithmetic import places, static_shape, wide
from tensorlib.tiles.reduction import members_of

if TYPE_CHECKING:
    from tensorlib.tile import Tile

__all__ = ["Copying", "Staged", "copied_from", "filled_together", "place_of_part"]


_SHARED = {Placement.WARP, Placement.SHARED, Placement.CLUSTER}  # a cluster is a block here


class Copying:
    """`t.copy`, waiting for a placement: `await t.copy[SHARED]()`, `t.copy[REGISTER]()`.

    Into REGISTER every thread copies all elements for itself, at once. Into memory that threads
    share each of them brings a part, which is on its way until it is awaited; behind the `await`
    all of it is there. `layout` is that of the new memory, or a fragment; `into` is memory to use
    instead of new one; with `other` elements past an edge are that instead of being read.
    """

    __slots__ = ("placement", "tile")

    def __init__(self, tile: Tile, placement: Any = Placement.REGISTER) -> None:
        self.tile, self.placement = tile, placement

    def __getitem__(self, placement: Any) -> Copying:
        if not isinstance(placement, Placement) or placement is Placement.GLOBAL:
            shown = placement.value if isinstance(placement, Placement) else repr(placement)
            raise fail(
                f"copy: got placement {shown}, needed REGISTER, WARP, SHARED or CLUSTER; "
                "memory of the device is an argument: try out.copy_from(tile)"
            )
        return Copying(self.tile, placement)

    def __call__(self, layout: Any = None, *, into: Tile | None = None, other: Any = None) -> Any:
        from tensorlib.tile import Tile

        tile = self.tile
        if hasattr(layout, "made"):
            return layout.loaded(tile, other)
        if into is None:
            shape = static_shape("copy", tile)
            into = Tile[tile.dtype, layout or row_major(shape), self.placement]()
        elif into.placement is not self.placement:
            raise fail(f"copy: got {into!r}, needed memory in {self.placement.value}")
        agreeing(into, tile)
        if self.placement is Placement.REGISTER:
            return _by_one(into, tile, other)
        return staged(into, tile, other)


class Staged:
    """A copy that threads make together: `await` it for the tile; all threads must."""

    __slots__ = ("copies", "placement", "target")

    def __init__(self, target: Tile, copies: list[Copy], placement: Placement) -> None:
        self.target, self.copies, self.placement = target, copies, placement

    def __await__(self) -> Generator[None, None, Tile]:
        for copy in self.copies:
            awaited(copy)
        (warp_barrier if self.placement is Placement.WARP else barrier)()
        return self.target
        yield

    def __tree__(self) -> tuple[list[Any], Any]:
        """What a loop carries: the destination, and what is on its way."""
        return [self.target, self.copies], lambda parts: Staged(parts[0], parts[1], self.placement)

    def __repr__(self) -> str:
        return f"<copy to {self.target!r}, to be awaited>"


def agreeing(target: Tile, source: Tile) -> tuple[int, ...]:
    """Return the shape of two tiles; raise KernelError where they differ."""
    shapes = [static_shape("copy", t) for t in (target, source)]
    if shapes[0] != shapes[1] or target.dtype is not source.dtype:
        raise fail(f"copy: got {source!r} into {target!r}, needed one shape and dtype")
    if target.lanes[0] != source.lanes[0]:
        raise fail(f"copy: got {source!r} into {target!r}, needed as many lanes")
    return shapes[0]


def copied_from(target: Tile, source: Any, is_masked: bool = False) -> Tile:
    """Copy every element; memory that threads share is copied by all of them together."""
    if hasattr(source, "store_into"):
        source.store_into(target, (), is_masked)
        return target
    if hasattr(source, "accumulate_into"):
        source = source.tile()
    if not hasattr(source, "placement"):
        raise fail(f"copy_from: got a {type(source).__name__}, needed a tile or a fragment")
    agreeing(target, source)
    found = {target.placement, source.placement}
    if Placement.REGISTER in found or not found & _SHARED:
        return _by_one(target, source, None, is_masked)
    awaited(staged(target, source, None, is_masked))
    return target


def _by_one(target: Tile, source: Tile, other: Any, is_masked: bool = False) -> Tile:
    """Copy by one thread; `is_masked` leaves out what lies past the target's edge."""
    shape = static_shape("copy", target)
    width = wide(shape, target, source)
    for at in places(shape, width):
        mask = None if other is None else source.mask[width](*at)
        value = source.load[width](*at, mask=mask, other=0 if other is None else other)
        target.store[width](*at, value, mask=target.mask[width](*at) if is_masked else None)
    return target


# --- by threads together ---


def staged(target: Tile, source: Tile, other: Any, is_masked: bool = False) -> Staged:
    """Begin to copy: thread t brings parts t, t + n, ... of n threads."""
    placement = (
        Placement.WARP if Placement.WARP in _placements(target, source) else Placement.SHARED
    )
    me, members = members_of("copy", placement)
    shape = static_shape("copy", target)
    width = wide(shape, target, source, is_run=other is None and not is_masked)
    parts = math.prod(shape) // width
    copies: list[Copy] = []

    def at_once(first: Any) -> None:
        at, is_there = place_of_part(shape, width, me + first), me + first < parts
        _at_once(target, source, at, width, is_there, other, is_masked)

    if other is not None or is_masked or target.lanes[0] > 1:
        loop((0, parts, members), at_once)
        return Staged(target, copies, placement)
    for first in range(0, parts, members):
        if first + members <= parts:
            at = place_of_part(shape, width, me + first)
            copies.append(copy_async(_run(target, at, width), _run(source, at, width)))
        else:
            at_once(first)
    return Staged(target, copies, placement)


def filled_together(tile: Tile, shape: tuple[int, ...], value: Any) -> Tile:
    """Write a value to every element: a part by each thread of those that share the memory."""
    me, members = members_of("fill", tile.placement)
    met = warp_barrier if tile.placement is Placement.WARP else barrier
    width, parts = wide(shape, tile), math.prod(shape)
    parts //= width
    met()  # nobody uses what was there

    def fill(first: Any) -> None:
        at, is_there = place_of_part(shape, width, me + first), me + first < parts
        tile.store[width](*at, value, mask=is_there.splat(max(width, tile.lanes[0])))

    loop((0, parts, members), fill)
    met()
    return tile


def _placements(*tiles: Tile) -> set[Placement]:
    return {t.placement for t in tiles}


def place_of_part(shape: tuple[int, ...], width: int, part: Any) -> tuple[Any, ...]:
    """Return the coordinates where a part of `width` elements begins, in row-major order."""
    found: list[Any] = []
    for axis, n in enumerate(reversed(shape)):
        count = n // width if axis == 0 else n
        place = part % count if axis < len(shape) - 1 else part
        found.append(place * width if axis == 0 and width > 1 else place)
        part = part // count
    return tuple(reversed(found))


def _run(tile: Tile, at: tuple[Any, ...], width: int) -> Tile:
    """Return `width` elements that lie side by side as a tile."""
    return tile.viewed((width,), (1,), offset_of(tile, at), swizzle=None, lanes=(1, 1))


def _at_once(
    target: Tile,
    source: Tile,
    at: tuple[Any, ...],
    width: int,
    is_there: SIMD,
    other: Any,
    is_masked: bool,
) -> None:
    """Copy a part that not every thread has, or that reaches past an edge."""
    mask = is_there
    if other is not None:
        mask = source.mask[width](*at) & is_there
    lanes = source.lanes[0] if source.lanes[0] > 1 else width
    mask, keep = mask.splat(lanes) if mask.width == 1 else mask, is_there.splat(lanes)
    if is_masked:
        keep = target.mask[width](*at) & keep
    value = source.load[width](*at, mask=mask, other=0 if other is None else other)
    target.store[width](*at, value, mask=keep)
