"""`TiledCopy`: a copy instruction repeated over threads and values of a tile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tensorlib.errors import LayoutError
from tensorlib.layouts.algebra import coalesce, composition
from tensorlib.layouts.composed import AnyLayout
from tensorlib.layouts.dim import Size
from tensorlib.layouts.divide import zipped_divide
from tensorlib.layouts.hardware.copy_atom import CopyAtom, Side
from tensorlib.layouts.hardware.mma_tile import TiledMMA
from tensorlib.layouts.hardware.operand import Block, Operand, copies, divides, inside
from tensorlib.layouts.layout import Layout, make_layout
from tensorlib.layouts.memo import memoised
from tensorlib.layouts.partition import make_layout_tv
from tensorlib.layouts.shape import product_each

__all__ = ["ThreadCopy", "TiledCopy", "tiled_copy", "tiled_copy_for"]


@dataclass(frozen=True, slots=True)
class TiledCopy:
    """A copy instruction over a tile of shape `block`: `tv` (thread, value) -> index, rows fastest.

    `tv` says what the threads hold in registers, the atom's anchor; what they read or write on the
    other side follows from the atom. Made by `tiled_copy` and `tiled_copy_for`. Raises LayoutError
    unless threads and values are whole atoms and reach every element equally often.

    >>> from tensorlib.layouts.hardware import universal_copy
    >>> copy = tiled_copy(universal_copy(128, 32), Layout((16, 8), (8, 1)), Layout((1, 4)))
    >>> copy.block, copy.partition("source", Layout((32, 64), (64, 1)), 9)
    ((16, 32), (((4,1),2,2):((1,0),1024,32), 68))
    """

    atom: CopyAtom
    tv: Layout
    block: Block

    def __post_init__(self) -> None:
        where = f"tiled_copy({self.atom.name})"
        copies(where, self.tv, self.block)
        threads, values = (mode.size for mode in self.tv.modes)
        if threads % self.atom.threads or values % self.atom.values(self.atom.anchor):
            raise LayoutError(
                f"{where}: got {threads} threads with {values} values, needed multiples of "
                f"{self.atom.threads} and {self.atom.values(self.atom.anchor)}"
            )

    @property
    def threads(self) -> int:
        """How many threads run it."""
        return int(self.tv.mode(0).size)

    def layout(self, side: Side) -> Layout:
        """Return (thread, value) -> index in the tile of a side, rows fastest.

        >>> from tensorlib.layouts.hardware import ldmatrix, mma, tiled_mma
        >>> copy = tiled_copy_for(ldmatrix(4), tiled_mma(mma("m16n8k16.f16")), "a")
        >>> copy.layout("source")
        ((16,2),(8,1)):((1,128),(16,0))
        """
        threads, values = _split(self, side, Layout(self.block))
        return make_layout(threads, values.mode(0))

    def get_slice(self, thread: Any) -> ThreadCopy:
        """Return what one thread moves; the thread may be a traced scalar."""
        return ThreadCopy(self, thread)

    def partition(self, side: Side, matrix: AnyLayout, thread: Any) -> tuple[AnyLayout, Any]:
        """Return (values, offset) of one thread: modes ((value of the atom, atoms), tiles, ...).

        Over all threads the elements are a disjoint cover on the anchor's side. A swizzled matrix
        keeps its offset inside, see `MMAAtom.partition`. Raises LayoutError where the tile doesn't
        divide the matrix.
        """

        def part(layout: Layout) -> tuple[Layout, Any]:
            threads, values = _split(self, side, layout)
            return values, threads(thread)

        return inside(matrix, part)

    def vector_bits(self, side: Side, matrix: AnyLayout) -> int:
        """Return how many bits every access of an atom has side by side, and aligned, in a matrix.

        The instruction needs at least `atom.vector_bits(side)` on the sides that are memory.

        >>> from tensorlib.layouts.hardware import cp_async
        >>> copy = tiled_copy(cp_async(16, 32), Layout((16, 8), (8, 1)), Layout((1, 4)))
        >>> [copy.vector_bits("source", Layout((32, 64), (pitch, 1))) for pitch in (64, 65, 66)]
        [128, 32, 64]
        """
        parts = (self.partition(side, matrix, thread) for thread in range(self.threads))
        return self.atom.bits * min(_aligned_run(values, offset) for values, offset in parts)

    def retile(self, fragment: Layout) -> Layout:
        """Return a fragment of registers as ((value of the atom, atoms), row tiles, ...).

        The fragment is laid out as `TiledMMA.partition` or this copy's own counts values. The
        registers stay where they are: `retile(f)` finds in the copy's order, as partitions of the
        anchor's side count, the register of each element. Raises LayoutError unless the fragment is
        whole tiles of this copy.

        >>> from tensorlib.layouts.hardware import ldmatrix, mma, tiled_mma
        >>> copy = tiled_copy_for(ldmatrix(2), tiled_mma(mma("m16n8k16.f16")), "a")
        >>> copy.retile(Layout(((2, 2, 2), 4, 2)))
        ((4,2),4,2):((1,4),8,32)
        """
        values, each = self.tv.mode(1), self.atom.values(self.atom.anchor)
        block: tuple[Size, ...] = (values.size, *(1,) * (fragment.rank - 1))
        if fragment.mode(0).size != values.size:  # a product's: (value, row tiles, column tiles)
            block = product_each(values.shape) if values.rank > 1 else block
        divides("retile", fragment, block)
        if fragment.mode(0).size != block[0]:
            raise LayoutError(f"retile: got {fragment}, needed {block[0]} values in its first mode")
        tile, rest = zipped_divide(fragment, block).modes
        atoms = composition(tile, Layout((each, values.size // each)))
        return make_layout(atoms, *rest.modes[1:])


@dataclass(frozen=True, slots=True)
class ThreadCopy:
    """One thread of a tiled copy: its part of source and destination."""

    tiled: TiledCopy
    thread: Any

    def partition_s(self, matrix: AnyLayout) -> tuple[AnyLayout, Any]:
        """Return (values, offset) that the thread reads of the source."""
        return self.tiled.partition("source", matrix, self.thread)

    def partition_d(self, matrix: AnyLayout) -> tuple[AnyLayout, Any]:
        """Return (values, offset) that the thread writes of the destination."""
        return self.tiled.partition("destination", matrix, self.thread)


def tiled_copy(atom: CopyAtom, threads: Layout, values: Layout) -> TiledCopy:
    """Return the copy in which threads are laid out as `threads`, each with a block of `values`.

    The tile's shape is the product of both, mode by mode: `make_layout_tv(threads, values)`.
    Source: CuTe, `make_tiled_copy`. Raises LayoutError unless both layouts are compact and hold
    whole atoms.

    >>> from tensorlib.layouts.hardware import cp_async
    >>> tiled_copy(cp_async(16, 16), Layout((16, 8), (8, 1)), Layout((1, 8))).block
    (16, 64)
    """
    shape, tv = make_layout_tv(threads, values)
    if len(shape) != 2:
        raise LayoutError(f"tiled_copy: got {threads} and {values}, needed modes (row, column)")
    return TiledCopy(atom, tv, (int(shape[0]), int(shape[1])))


def tiled_copy_for(atom: CopyAtom, tiled: TiledMMA, operand: Operand) -> TiledCopy:
    """Return the copy that brings operand "a", "b" or "c" of a tiled product to its registers.

    Source: CuTe, `make_tiled_copy_A` and its likes.

    >>> from tensorlib.layouts.hardware import ldmatrix, mma, tiled_mma
    >>> tiled_copy_for(ldmatrix(4), tiled_mma(mma("m16n8k16.f16"), (2, 2, 1)), "a").block
    (32, 16)
    """
    return TiledCopy(atom, tiled.tv(operand), tiled.block(operand))


@memoised
def _split(tiled: TiledCopy, side: Side, matrix: Layout) -> tuple[Layout, Layout]:
    """Return the matrix as (layout of threads, layout of one thread's values)."""
    divides(f"tiled_copy({tiled.atom.name})", matrix, tiled.block)
    tiles, rest = zipped_divide(matrix, tiled.block).modes
    atom = tiled.atom
    parts = zipped_divide(tiled.tv, (atom.threads, atom.values(atom.anchor)))
    held = composition(parts.mode(0), atom.from_anchor(side))
    others = parts.mode(1)
    threads = composition(tiles, coalesce(make_layout(held.mode(0), others.mode(0))))
    values = composition(tiles, make_layout(*map(coalesce, (held.mode(1), others.mode(1)))))
    return threads, make_layout(values, *rest.modes)


def _aligned_run(values: AnyLayout, offset: int) -> int:
    """Return the largest power of two of neighbours that start on a multiple of it."""
    vectors = values.table().reshape(-1, values.mode(0).mode(0).size) + offset
    width = 1
    while vectors.shape[1] % (2 * width) == 0:
        groups = vectors.reshape(-1, 2 * width)
        starts = groups[:, :1]
        if (starts % (2 * width)).any() or (groups != starts + np.arange(2 * width)).any():
            break
        width *= 2
    return width
