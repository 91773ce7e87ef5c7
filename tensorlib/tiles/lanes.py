"""`t.load_tile[WARP](i)`: a vector in each lane of a warp."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from tensorlib.ir.builder import fail
from tensorlib.ir.types import Placement
from tensorlib.lang.warp import warp_reduce
from tensorlib.simd import SIMD
from tensorlib.tiles.reduction import Ready, folded, operator_of

if TYPE_CHECKING:
    from tensorlib.tile import Tile

__all__ = ["LaneTile", "loaded_by_lanes"]


class LaneTile:
    """A vector in each lane of a warp; `reduce` folds all of them."""

    __slots__ = ("value",)

    def __init__(self, value: SIMD) -> None:
        self.value = value

    def __tree__(self) -> tuple[list[Any], Any]:
        """What a loop carries."""
        return [self.value], lambda parts: LaneTile(*parts)

    def reduce(self, operator: Any) -> Ready:
        """Return all elements of all lanes folded, by shuffles; every lane gets the result."""
        function = operator_of("reduce", operator)
        total: Any = warp_reduce(folded(self.value, function), function)
        return Ready(total.value, total.dtype, total.width)

    def __await__(self) -> Generator[None, None, LaneTile]:
        return self
        yield


def loaded_by_lanes(tile: Tile, placement: Any) -> Callable[..., LaneTile]:
    """Return what loads a vector in each lane, from an index that is the thread's own."""
    if placement is not Placement.WARP:
        shown = placement.value if isinstance(placement, Placement) else repr(placement)
        raise fail(f"load_tile: got placement {shown}, needed WARP; try .tile and .copy")

    def call(index: Any, width: int = 1, other: Any = 0) -> LaneTile:
        if tile.rank != 1:
            raise fail(f"load_tile: got {tile!r}, needed one axis")
        first = index * width
        if width == 1:
            return LaneTile(tile.load(first, mask=tile.mask(first), other=other))
        value = tile.load[width](first, mask=tile.mask[width](first), other=other)
        return LaneTile(value)

    return call
