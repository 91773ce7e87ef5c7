"""Temporary memory: results that are not needed at the same time share a slot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tensorlib.dtypes import DType
from tensorlib.graph.view import product
from tensorlib.layouts.dim import Dim, Size, dim_equal

__all__ = ["ALIGNMENT", "Lifetime", "Slots", "assigned", "byte_size", "layout"]

ALIGNMENT = 64
TYPICAL = 64  # what a symbol is taken for when the sizes of buffers are compared


@dataclass(frozen=True, slots=True)
class Lifetime:
    """A temporary result: written by step `first`, last read by step `last`."""

    first: int
    last: int
    nbytes: Size


@dataclass(slots=True)
class Slots:
    """The slot of each lifetime, by its number; and for each slot the sizes that it must hold."""

    of: list[int] = field(default_factory=list)
    sizes: list[tuple[Size, ...]] = field(default_factory=list)


def byte_size(shape: Sequence[Size], dtype: DType) -> Size:
    """Return the bytes of a contiguous result of an unpacked dtype."""
    return product(shape) * dtype.itemsize


def assigned(lifetimes: Sequence[Lifetime]) -> Slots:
    """Give each lifetime a slot; those that share one do not overlap.

    Of the free slots the one with the most similar size is taken, an equal one if there is any;
    one that is more than four times too small or too large is left alone.
    """
    found = Slots([-1] * len(lifetimes))
    free_from: list[int] = []  # by slot: the first step that may write into it again
    for k in sorted(range(len(lifetimes)), key=lambda k: lifetimes[k].first):
        life = lifetimes[k]
        free = [s for s, step in enumerate(free_from) if step <= life.first]
        slot = _most_similar(free, found.sizes, life.nbytes)
        if slot is None:
            slot = len(free_from)
            free_from.append(0)
            found.sizes.append(())
        free_from[slot] = life.last + 1
        found.of[k] = slot
        if not any(dim_equal(size, life.nbytes) for size in found.sizes[slot]):
            found.sizes[slot] = (*found.sizes[slot], life.nbytes)
    return found


def _most_similar(
    free: Sequence[int], sizes: Sequence[tuple[Size, ...]], nbytes: Size
) -> int | None:
    wanted = _typical(nbytes)

    def ratio(slot: int) -> float:
        held = max(_typical(size) for size in sizes[slot])
        return max(held, wanted) / max(1, min(held, wanted))

    best = min(free, key=ratio, default=None)
    return best if best is not None and ratio(best) <= 4 else None


def _typical(size: Size) -> int:
    if not isinstance(size, Dim):
        return size
    names: Mapping[str, int] = dict.fromkeys(size.symbols, TYPICAL)
    return max(0, int(size.evaluate(names)))


def layout(capacities: Sequence[int]) -> tuple[list[int], int]:
    """Return the offset of each slot in one arena, and the size of the arena.

    >>> layout([100, 8])
    ([0, 128], 192)
    """
    offsets, total = [], 0
    for capacity in capacities:
        offsets.append(total)
        total += -(-capacity // ALIGNMENT) * ALIGNMENT
    return offsets, total
