"""`TiledMMA`: a matrix instruction repeated over threads and over a tile."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from tensorlib.errors import LayoutError
from tensorlib.layouts.algebra import composition
from tensorlib.layouts.composed import AnyLayout
from tensorlib.layouts.divide import logical_divide, tiled_product, zipped_divide
from tensorlib.layouts.hardware.atom import MMAAtom
from tensorlib.layouts.hardware.operand import Block, Operand, copies, divides, inside
from tensorlib.layouts.inverse import is_bijective, right_inverse
from tensorlib.layouts.layout import Layout, make_layout
from tensorlib.layouts.memo import memoised
from tensorlib.layouts.shape import product_each

__all__ = ["ThreadMMA", "TiledMMA", "tiled_mma"]

Permutation: TypeAlias = "int | Layout | None"
MODES: dict[Operand, tuple[int, int]] = {"a": (0, 2), "b": (1, 2), "c": (0, 1)}


@dataclass(frozen=True, slots=True)
class TiledMMA:
    """An instruction in every group of threads, over a tile of shape (M, N, K).

    `a`, `b` and `c` are layouts (thread, value) -> index in the operand's tile, rows fastest, as an
    atom's: C's is a bijection where one group runs along K; A is held once by every group along N,
    B once by every group along M. Made by `tiled_mma`.

    >>> from tensorlib.layouts.hardware import mma
    >>> tiled = tiled_mma(mma("m16n8k8.tf32"), (2, 2, 1))
    >>> tiled.shape, tiled.threads, tiled.copies("a"), tiled.copies("c")
    ((32, 16, 8), 128, 2, 1)
    """

    atom: MMAAtom
    threads_vmnk: Layout
    permutation: tuple[Permutation, Permutation, Permutation]
    name: str = field(init=False, compare=False)
    shape: tuple[int, int, int] = field(init=False, compare=False)
    a: Layout = field(init=False, compare=False)
    b: Layout = field(init=False, compare=False)
    c: Layout = field(init=False, compare=False)

    def __post_init__(self) -> None:
        groups = product_each(self.threads_vmnk.shape)[1:]
        object.__setattr__(self, "name", f"{self.atom.name} x {groups}")
        object.__setattr__(self, "shape", _tile_shape(self.atom, groups, self.permutation))
        for operand in MODES:
            threads, values = _split(self, operand, Layout(self.block(operand)))
            object.__setattr__(self, operand, make_layout(threads, values))

    @property
    def threads(self) -> int:
        """How many threads run it."""
        return int(self.threads_vmnk.size)

    def tv(self, operand: Operand) -> Layout:
        """Return the (thread, value) layout of operand "a", "b" or "c" over the whole tile."""
        return {"a": self.a, "b": self.b, "c": self.c}[operand]

    def block(self, operand: Operand) -> Block:
        """Return rows and columns of the operand's tile."""
        row, column = MODES[operand]
        return self.shape[row], self.shape[column]

    def copies(self, operand: Operand) -> int:
        """Return how many threads hold each element of the operand's tile."""
        return copies(f"{self.name}.{operand}", self.tv(operand), self.block(operand))

    def arrangement(self, operand: Operand, matrix: Layout) -> Layout:
        """Return the layout (thread, value of the atom, rows, columns, ...) over a matrix.

        `partition` is this for one thread. Sizes must be known, strides may be Dims.

        >>> from tensorlib.layouts.hardware import mma
        >>> tiled = tiled_mma(mma("m16n8k8.tf32"), (2, 2, 1))
        >>> tiled.arrangement("c", Layout((64, 64), (64, 1)))(37, 1, 1, 0)
        3139
        """
        threads, values = _split(self, operand, matrix)
        return make_layout(threads, *values.modes)

    def get_slice(self, thread: Any) -> ThreadMMA:
        """Return what one thread holds; the thread may be a traced scalar."""
        return ThreadMMA(self, thread)

    def partition(self, operand: Operand, matrix: AnyLayout, thread: Any) -> tuple[AnyLayout, Any]:
        """Return (values, offset) of one thread: modes (value of the atom, rows, columns, ...).

        Mode 1 and 2 go over the atoms that the thread's group computes along rows and columns of
        the matrix. Over all threads the elements of C are a disjoint cover where one group runs
        along K. A swizzled matrix keeps its offset inside, see `MMAAtom.partition`. Raises
        LayoutError where the tile doesn't divide the matrix.

        >>> from tensorlib.layouts.hardware import mma
        >>> tiled = tiled_mma(mma("m16n8k8.tf32"), (2, 2, 1))
        >>> tiled.partition("c", Layout((64, 64), (64, 1)), 37)
        (((2,2),2,4):((1,512),2048,16), 1090)
        """

        def part(layout: Layout) -> tuple[Layout, Any]:
            threads, values = _split(self, operand, layout)
            return values, threads(thread)

        return inside(matrix, part)


@dataclass(frozen=True, slots=True)
class ThreadMMA:
    """One thread of a tiled product: its part of A, B and C."""

    tiled: TiledMMA
    thread: Any

    def partition_a(self, matrix: AnyLayout) -> tuple[AnyLayout, Any]:
        """Return (values, offset) in A of shape (m M, k K, ...)."""
        return self.tiled.partition("a", matrix, self.thread)

    def partition_b(self, matrix: AnyLayout) -> tuple[AnyLayout, Any]:
        """Return (values, offset) in B of shape (n N, k K, ...)."""
        return self.tiled.partition("b", matrix, self.thread)

    def partition_c(self, matrix: AnyLayout) -> tuple[AnyLayout, Any]:
        """Return (values, offset) in C of shape (m M, n N, ...)."""
        return self.tiled.partition("c", matrix, self.thread)


def tiled_mma(
    atom: MMAAtom,
    atom_layout: Layout | tuple[int, ...] = (1, 1, 1),
    tile: tuple[Permutation, ...] = (None, None, None),
) -> TiledMMA:
    """Return the instruction repeated over groups of threads: (2, 2, 1) along M, N and K.

    `atom_layout` may be a layout, to number the groups in another order. `tile` makes the tile
    larger than one atom a group: per mode a size, or a layout that permutes the tile's rows (mode i
    of A's tile comes from row `layout(i)`). Source: CuTe, `make_tiled_mma`. Raises LayoutError
    unless groups are a bijection and every tile mode is whole atoms of every group.

    >>> from tensorlib.layouts.hardware import mma
    >>> tiled_mma(mma("m16n8k16.f16"), (2, 2, 1), (32, 32, 16)).c
    ((4,8,2,2),((2,2),1,2)):((64,1,16,256),((32,8),0,512))
    """
    groups = atom_layout if isinstance(atom_layout, Layout) else Layout(atom_layout)
    groups = make_layout(*groups.modes, *[Layout(1, 0)] * (3 - groups.rank))
    if groups.rank != 3 or not is_bijective(groups):
        raise LayoutError(f"tiled_mma: got groups {groups}, needed a bijection over (m, n, k)")
    m, n, k = (*tile, None, None, None)[:3]
    return TiledMMA(atom, tiled_product(Layout(atom.threads), groups), (m, n, k))


def _tile_shape(
    atom: MMAAtom, groups: tuple[Any, ...], permutation: tuple[Permutation, ...]
) -> tuple[int, int, int]:
    sizes = []
    for axis, part, count, mode in zip("MNK", atom.shape, groups, permutation, strict=True):
        step = part * count
        size = step if mode is None else mode.size if isinstance(mode, Layout) else mode
        if size <= 0 or size % step:
            raise LayoutError(f"tiled_mma: got {axis} of {size}, needed a multiple of {step}")
        if isinstance(mode, Layout) and not is_bijective(mode):
            raise LayoutError(f"tiled_mma: got {mode} along {axis}, needed a permutation")
        sizes.append(int(size))
    return sizes[0], sizes[1], sizes[2]


@memoised
def _split(tiled: TiledMMA, operand: Operand, matrix: Layout) -> tuple[Layout, Layout]:
    """Return the matrix as (layout of threads, layout of one thread's values)."""
    where = f"{tiled.name}.{operand}"
    divides(where, matrix, tiled.block(operand))
    try:
        return _threads_and_values(tiled, operand, matrix)
    except LayoutError as error:
        raise LayoutError(f"{where}: got {matrix}; {error}") from None


def _threads_and_values(tiled: TiledMMA, operand: Operand, matrix: Layout) -> tuple[Layout, Layout]:
    axes, block = MODES[operand], tiled.block(operand)
    modes = tuple(tiled.permutation[axis] or size for axis, size in zip(axes, block, strict=True))
    atoms = zipped_divide(logical_divide(matrix, modes), tiled.atom.block(operand))
    held = composition(atoms.mode(0), tiled.atom.tv(operand))
    counts = product_each(tiled.threads_vmnk.shape)
    groups = zipped_divide(atoms.mode(1), (counts[1 + axes[0]], counts[1 + axes[1]]))
    axis_modes = [Layout(count, 0) for count in counts[1:]]
    for axis, mode in zip(axes, groups.mode(0).modes, strict=True):
        axis_modes[axis] = mode
    threads = make_layout(held.mode(0), *axis_modes)
    values = make_layout(held.mode(1), *groups.mode(1).modes)
    return composition(threads, right_inverse(tiled.threads_vmnk)), values
