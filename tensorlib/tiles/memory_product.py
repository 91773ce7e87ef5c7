"""`a @ b` of tiles in memory: a thread, a warp or a block goes along K in a loop.

What it is added to says who computes what. A tile in registers: each thread all of it. A fragment:
the threads that hold it, with matrix instructions where the target has them. Other memory: the
threads that share it, an element each in turn.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

from tensorlib.dtypes import DType
from tensorlib.ir.builder import fail
from tensorlib.ir.types import Placement
from tensorlib.lang.explicit import loop
from tensorlib.lang.gathering import gather
from tensorlib.lang.grid import barrier, warp_barrier
from tensorlib.lang.target import current_block
from tensorlib.lang.threads import current_thread
from tensorlib.layouts.hardware.nvidia import mma, mma_names
from tensorlib.simd import SIMD
from tensorlib.tiles.arithmetic import known_shape, places, static_shape, wide
from tensorlib.tiles.copies import place_of_part
from tensorlib.tiles.matrix_instruction import (
    along,
    is_spelled,
    multiply_add,
    number_type,
    rounded,
)
from tensorlib.tiles.product import accumulator_of, widened
from tensorlib.tiles.reduction import members_of

if TYPE_CHECKING:
    from tensorlib.tile import Tile
    from tensorlib.tiles.fragments import Fragment, FragmentType

__all__ = ["MemoryProduct", "are_many"]


class MemoryProduct:
    """The product of two tiles of which one is in memory: read when it is added to something."""

    __slots__ = ("a", "b", "depth", "dtype", "shape")

    def __init__(self, a: Tile, b: Tile) -> None:
        self.a, self.b = a, b
        (m, k), (_, n) = known_shape(a), known_shape(b)
        if m is None or n is None:
            raise fail(f"@: got {a!r} and {b!r}, needed known M and N; try .tile[M, N](i, j)")
        self.shape, self.depth = (m, n), a.shape[1] if k is None else k
        self.dtype = accumulator_of(a.dtype)

    # sums in tiles
    def accumulate_into(self, tile: Tile) -> None:
        """Add to a tile of shape (M, N), element by element in the order of K."""
        if static_shape("@", tile) != self.shape or tile.dtype is not self.dtype:
            raise fail(
                f"@: got {tile!r} for a product of shape {self.shape} in {self.dtype.name}, "
                "needed that shape and dtype"
            )
        if tile.placement is Placement.REGISTER or not are_many():
            self._by_one(tile)
        else:
            self._together(tile)

    def _by_one(self, tile: Tile) -> None:
        """Keep sums in registers: a block of them at a time, where the tile is in memory."""
        (m, n), width = self.shape, wide(self.shape, tile, self.b)
        rows, columns = (m, n) if tile.placement is Placement.REGISTER else (1, width)

        def block(i: Any, j: Any) -> None:
            at = list(places((rows, columns), width))
            totals = [tile.load[width](i + r, j + c) for r, c in at]
            totals = _listed(loop(self.depth, functools.partial(self._step, i, j, at), *totals))
            for (r, c), total in zip(at, totals, strict=True):
                tile.store[width](i + r, j + c, total)

        if (rows, columns) == (m, n):
            block(0, 0)
        else:
            loop(m, lambda i: loop((0, n, columns), lambda j: block(i, j)))

    def _step(self, i: Any, j: Any, at: list[tuple[int, ...]], k: Any, *totals: SIMD) -> Any:
        """Add the products of step k to sums at places of a block that begins at (i, j)."""
        width = totals[0].width
        a = {r: self.a[i + r, k] for r in sorted({r for r, _ in at})}
        b = {c: self.b.load[width](k, j + c) for c in sorted({c for _, c in at})}
        pairs = zip(at, totals, strict=True)
        return _one_or_all([widened(a[r].splat(width), b[c], t) for (r, c), t in pairs])

    def _together(self, tile: Tile) -> None:
        """Share elements out to the threads that share the memory."""
        met = warp_barrier if tile.placement is Placement.WARP else barrier
        me, members = members_of("@", tile.placement)
        parts = math.prod(self.shape)
        met()

        def element(first: Any) -> None:
            at = place_of_part(self.shape, 1, me + first)
            is_there = me + first < parts
            i, j = (is_there.select(n, 0) for n in at)
            total = tile.load(i, j, mask=is_there, other=0)
            total = loop(self.depth, functools.partial(self._step, i, j, [(0, 0)]), total)
            tile.store(i, j, total, mask=is_there)

        loop((0, parts, members), element)
        met()

    # sums in fragments
    def added_to(self, addend: Fragment) -> Fragment:
        """Return addend + a @ b: the instruction, or its meaning read from the tiles themselves."""
        from tensorlib.tiles.fragments import Fragment, fragment

        kind = addend.type
        (m, n), k = self.shape, self.depth
        self._check_fragment(kind)
        if not is_spelled(kind.instruction):
            return Fragment(kind, self._meaning(addend))
        found, step = addend, kind.instruction.shape[2]
        a_kind, b_kind = fragment(kind.atom, "a", (m, step)), fragment(kind.atom, "b", (step, n))
        for part in range(k // step):
            a = a_kind.loaded(self.a.tile[m, step](0, part)).values
            b = b_kind.loaded(self.b.tile[step, n](part, 0)).values
            made = multiply_add(kind.instruction, found.values, a, b, (*kind.repeats, 1))
            found = Fragment(kind, made)
        return found

    def _check_fragment(self, kind: FragmentType) -> None:
        atom = kind.instruction
        wanted = tuple(number_type(name) for name in (atom.a_dtype, atom.b_dtype))
        m, n, step = *kind.shape, atom.shape[2]
        if (self.a.dtype, self.b.dtype) != wanted:
            names = _instructions_of(self.a.dtype, self.b.dtype) or "none: cast them first"
            raise fail(
                f"@: got {self.a!r} and {self.b!r} to add to {kind}, which multiplies "
                f"{wanted[0].name} and {wanted[1].name}; instructions for these: {names}"
            )
        is_whole = isinstance(self.depth, int) and not self.depth % step
        if (kind.operand, kind.shape) != ("c", self.shape) or not is_whole:
            raise fail(
                f"@: got {self.a!r} and {self.b!r} to add to {kind}, needed shapes ({m}, K) and "
                f"(K, {n}), K a multiple of {step}, and a sum of operand 'c'; try "
                f"tl.fragment(atom, 'c', {self.shape}), and tiles padded with other=0"
            )

    def _meaning(self, addend: Fragment) -> list[SIMD]:
        kind, atom = addend.type, addend.type.instruction
        rows, columns = kind.repeats
        values = kind.numbers()
        tops = [kind.coordinates(values, i, 0)[0] for i in range(rows)]
        sides = [kind.coordinates(values, 0, j)[1] for j in range(columns)]

        def added(k: Any, *totals: SIMD) -> Any:
            x = [rounded(atom, "a", _taken(self.a, top, k)) for top in tops]
            y = [rounded(atom, "b", _taken(self.b, k, side)) for side in sides]
            pairs = [(p, q) for p in x for q in y]
            return _one_or_all([widened(p, q, t) for (p, q), t in zip(pairs, totals, strict=True)])

        return along(atom, added, addend.values, self.depth // atom.shape[2])

    # by itself
    def tile(self) -> Tile:
        """Return the product as a tile in registers."""
        from tensorlib.tile import stack_allocation

        made: Tile = stack_allocation[self.dtype, Placement.REGISTER](*self.shape)
        self.accumulate_into(made.fill(0))
        return made

    def __add__(self, other: Any) -> Any:
        if hasattr(other, "values"):
            return self.added_to(other)
        from tensorlib.tile import stack_allocation

        made: Tile = stack_allocation[self.dtype, Placement.REGISTER](*self.shape)
        self.accumulate_into(made.copy_from(other))
        return made

    __radd__ = __add__

    def __await__(self) -> Any:
        return self.tile()
        yield

    def __repr__(self) -> str:
        return f"<product of shape {self.shape} in {self.dtype.name}>"


def _instructions_of(a: DType, b: DType) -> str:
    """Return the names of a warp's instructions for these dtypes."""
    atoms = {name: mma(name) for name in mma_names()}
    kinds = {n: (number_type(x.a_dtype), number_type(x.b_dtype)) for n, x in atoms.items()}
    return ", ".join(name for name, kind in kinds.items() if kind == (a, b))


def are_many() -> bool:
    """Whether the kernel is one of blocks and threads."""
    return current_block() is not None or current_thread() is not None


def _taken(tile: Tile, row: Any, column: Any) -> SIMD:
    """Return the elements at coordinates of which one is a vector, or none."""
    if max(getattr(c, "width", 1) for c in (row, column)) == 1:
        return tile[row, column]  # type: ignore[no-any-return]
    return gather(tile, row, column)


def _one_or_all(found: list[SIMD]) -> Any:
    return tuple(found) if len(found) > 1 else found[0]


def _listed(found: Any) -> list[SIMD]:
    return list(found) if isinstance(found, tuple) else [found]
