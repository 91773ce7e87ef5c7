"""Fragments: a matrix in the registers of a warp, as the operand of a matrix instruction."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tensorlib.dtypes import DType
from tensorlib.errors import LayoutError
from tensorlib.ir.builder import fail
from tensorlib.ir.types import Placement
from tensorlib.lang.gathering import gather, scatter
from tensorlib.lang.grid import lane_id, threads_of_block, warp_id
from tensorlib.lang.warp import WARP_SIZE, warp_reduce
from tensorlib.layouts.algebra import composition
from tensorlib.layouts.divide import zipped_divide
from tensorlib.layouts.hardware.atom import MMAAtom
from tensorlib.layouts.hardware.mma_tile import TiledMMA
from tensorlib.layouts.hardware.operand import Operand
from tensorlib.layouts.layout import Layout, make_layout
from tensorlib.layouts.shape import product_each
from tensorlib.simd import SIMD, SIMDType
from tensorlib.tiles.matrix_instruction import multiply_add, number_type
from tensorlib.tiles.reduction import Ready, folded, operator_of, reduced, thread_number
from tensorlib.tiles.views import layout_of, of_layout

if TYPE_CHECKING:
    from tensorlib.tile import Tile

__all__ = ["Fragment", "FragmentProduct", "FragmentType", "fragment"]


@dataclass(frozen=True, slots=True)
class FragmentType:
    """The layout of a fragment: an operand of an instruction, repeated over a larger tile.

    It stands for a layout in `Tile[dtype, layout, REGISTER](0)` and in `.copy[REGISTER](layout)`.
    """

    atom: MMAAtom | TiledMMA
    operand: Operand
    shape: tuple[int, int]  # of the whole tile: (M, K), (K, N) or (M, N)

    @property
    def instruction(self) -> MMAAtom:
        """The instruction that a warp runs."""
        return self.atom.atom if isinstance(self.atom, TiledMMA) else self.atom

    @property
    def lanes(self) -> int:
        """How many elements of one instruction's operand a thread holds."""
        return int(self.instruction.tv(self.operand).mode(1).size)

    @property
    def repeats(self) -> tuple[int, int]:
        """How many instructions' operands a warp has along rows and columns of the operand."""
        _, _, rows, columns = self._arranged(Layout(self._turned(self.shape))).modes
        return int(rows.size), int(columns.size)

    def _arranged(self, matrix: Layout) -> Layout:
        """Return the layout (thread, value, i, j) over a matrix of this shape, (N, K) for B."""
        if isinstance(self.atom, TiledMMA):
            return self.atom.arrangement(self.operand, matrix)
        parts, rest = zipped_divide(matrix, self.atom.block(self.operand)).modes
        held = composition(parts, self.atom.tv(self.operand))
        return make_layout(*held.modes, *rest.modes)

    def coordinates(self, values: Any, i: Any, j: Any) -> tuple[Any, Any]:
        """Return row and column, (n, k) for B, of this thread's values of instruction (i, j)."""
        shape, thread = self._turned(self.shape), self.thread()
        found = [
            self._arranged(Layout(shape, strides))(thread, values, i, j)
            for strides in ((1, 0), (0, 1))
        ]
        return found[0], found[1]

    def _turned(self, axes: tuple[Any, Any]) -> tuple[Any, Any]:
        """A pair of (rows, columns) as the instruction has it: B is (N, K) there."""
        return (axes[1], axes[0]) if self.operand == "b" else axes

    def made(self, dtype: DType, placement: Placement, value: Any = None) -> Fragment:
        """Return a fragment filled with a number: zeros where none is given."""
        if placement is not Placement.REGISTER:
            raise fail(f"Tile[...]: got a fragment in {placement.value}, needed REGISTER")
        self._check_dtype(dtype)
        one: SIMD = SIMDType(dtype, self.lanes)(0 if value is None else value)
        i, j = self.repeats
        return Fragment(self, [one] * (i * j))

    def loaded(self, tile: Tile, other: Any = None) -> Fragment:
        """Return the elements of a tile as each lane holds them; `other` past its edge."""
        self._check_dtype(tile.dtype)
        at = self._places(tile)
        rows, columns = self.repeats
        found = []
        for i in range(rows):
            for j in range(columns):
                mask = None if other is None else self._mask(tile, i, j)
                view, where = at(i, j)
                if self.lanes == 1:
                    found.append(view.load(*where, mask=mask, other=other or 0))
                else:
                    found.append(gather(view, *where, mask=mask, other=other or 0))
        return Fragment(self, found)

    def _places(self, tile: Tile) -> Callable[..., tuple[Tile, tuple[Any, ...]]]:
        """Return where a tile has the values of the instruction at (i, j): a view, coordinates."""
        matrix = tile.transpose() if self.operand == "b" else tile
        layout, values = layout_of(matrix)
        if layout.rank != 2 or tuple(m.size for m in layout.modes) != self._turned(self.shape):
            raise fail(
                f"fragment: got {tile!r}, needed shape {self.shape} for operand {self.operand!r} "
                f"of {self.atom.name}; try .tile[{self.shape[0]}, {self.shape[1]}](i, j)"
            )
        try:
            whole = self._arranged(layout)
        except LayoutError as error:
            raise fail(f"fragment: {error}") from None
        view, lane = of_layout(matrix, whole, values, 0), self.thread()
        return lambda i, j: (view, (lane, self.numbers(), i, j))

    def numbers(self) -> Any:
        """The numbers of a thread's values, as one coordinate of all of them."""
        return SIMDType(DType.int64, self.lanes)(*range(self.lanes)) if self.lanes > 1 else 0

    def _mask(self, tile: Tile, i: int, j: int) -> SIMD:
        """Return which values lie before the tile's edge."""
        ends = self._turned(tile.extent)
        row, column = self.coordinates(self.numbers(), i, j)
        mask: SIMD = (row < ends[0]) & (column < ends[1])
        return mask

    def thread(self) -> Any:
        """Return the number of this thread among those of the instruction."""
        if self.atom.threads == 1:
            return 0
        if isinstance(self.atom, TiledMMA):
            return self._thread_of_block()
        if self.atom.threads != WARP_SIZE:
            raise fail(f"fragment: got {self.atom.name} of {self.atom.threads} threads, needed 32")
        if threads_of_block("fragment") % WARP_SIZE:
            raise fail(
                f"fragment: got a block of {threads_of_block('fragment')} threads, needed whole "
                f"warps of {WARP_SIZE} for {self.atom.name}"
            )
        return lane_id()

    def _thread_of_block(self) -> SIMD:
        threads = threads_of_block("fragment")
        if self.instruction.threads != WARP_SIZE or threads != self.atom.threads:
            raise fail(
                f"fragment: got a block of {threads} threads, needed the {self.atom.threads} of "
                f"{self.atom.name}"
            )
        return thread_number()

    def _check_dtype(self, dtype: DType) -> None:
        atom = self.instruction
        name = {"a": atom.a_dtype, "b": atom.b_dtype, "c": atom.c_dtype}
        wanted = number_type(name[self.operand])
        if dtype is not wanted:
            raise fail(
                f"fragment: got {dtype.name} for operand {self.operand!r} of {self.atom.name}, "
                f"needed {wanted.name}"
            )

    def __repr__(self) -> str:
        return f"fragment({self.atom.name}, {self.operand!r}, {self.shape})"


def fragment(
    atom: MMAAtom | TiledMMA, operand: Operand, shape: tuple[int, int] | None = None
) -> FragmentType:
    """Return the layout of operand "a", "b" or "c" of a matrix instruction, as `a @ b` has it.

    Shapes are (M, K), (K, N) and (M, N); a larger one than the instruction's repeats it. Of a
    `tiled_mma`, which has a group of threads for each part of the matrix, all threads of a block
    hold the fragment together. Raises KernelError where the instruction does not divide the shape.

    >>> from tensorlib.layouts.hardware import mma
    >>> fragment(mma("m16n8k8.tf32"), "b", (16, 16)).repeats
    (2, 2)
    """
    if operand not in ("a", "b", "c"):
        raise fail(f"fragment: got operand {operand!r}, needed 'a', 'b' or 'c'")
    if isinstance(atom, TiledMMA) and product_each(atom.threads_vmnk.shape)[3] != 1:
        raise fail(f"fragment: got {atom.name}, needed one group of threads along K")
    rows, columns = atom.block(operand)
    own = (columns, rows) if operand == "b" else (rows, columns)
    shape = own if shape is None else shape
    if len(shape) != 2 or any(n % part or n < 1 for n, part in zip(shape, own, strict=True)):
        raise fail(
            f"fragment: got shape {shape} for operand {operand!r} of {atom.name}, "
            f"needed multiples of {own}"
        )
    return FragmentType(atom, operand, shape)


class Fragment:
    """A matrix in the registers of a warp: each lane has some elements of it, as SIMD values.

    A fragment is a value, as a number is: `acc += a @ b` gives the name a new one, loops carry it,
    and two names can be swapped. Arithmetic goes element by element.
    """

    __slots__ = ("type", "values")

    def __init__(self, kind: FragmentType, values: Sequence[SIMD]) -> None:
        self.type, self.values = kind, list(values)

    def __tree__(self) -> tuple[list[Any], Any]:
        """What a loop carries."""
        return list(self.values), lambda values: Fragment(self.type, values)

    @property
    def dtype(self) -> DType:
        """The dtype of its elements."""
        return self.values[0].dtype

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the whole matrix."""
        return self.type.shape

    def map(self, function: Callable[..., SIMD], *others: Fragment) -> Fragment:
        """Return a function of every element, and of those of other fragments beside it."""
        for other in others:
            if other.type != self.type:
                raise fail(f"fragment: got {self!r} and {other!r}, needed one layout")
        parts = zip(self.values, *(other.values for other in others), strict=True)
        return Fragment(self.type, [function(*part) for part in parts])

    def store_into(
        self, tile: Tile, coordinates: Sequence[Any] = (), is_masked: bool = False
    ) -> None:
        """Write to a tile of this shape, or to the one at a coordinate of such tiles."""
        if coordinates:
            tile = tile.tile[self.shape](*coordinates)
        if tile.dtype is not self.dtype:
            raise fail(
                f"store: got {self.dtype.name} for a tile of {tile.dtype.name}; try .map with cast"
            )
        at = self.type._places(tile)
        rows, columns = self.type.repeats
        for i in range(rows):
            for j in range(columns):
                mask = self.type._mask(tile, i, j) if is_masked else None
                value = self.values[i * columns + j]
                view, where = at(i, j)
                if value.width == 1:
                    view.store(*where, value, mask=mask)
                else:
                    scatter(view, *where, value, mask=mask)

    def reduce(self, operator: Any) -> Ready:
        """Return all elements folded, by shuffles between the lanes; every lane gets the result."""
        function = operator_of("reduce", operator)
        total = self.values[0]
        for value in self.values[1:]:
            total = function(total, value)
        total = folded(total, function)
        if self.type.atom.threads > 1:
            total = warp_reduce(total, function)
        if isinstance(self.type.atom, TiledMMA):
            total = self._over_warps(total, function)
        return Ready(total.value, total.dtype, total.width)

    def _over_warps(self, total: SIMD, function: Callable[[Any, Any], Any]) -> SIMD:
        """Fold the totals of the warps of a block, through shared memory."""
        from tensorlib.tile import stack_allocation

        if self.type.atom.copies(self.type.operand) > 1:
            raise fail(f"reduce: got {self.type}, which several warps hold; needed operand 'c'")
        totals: Tile = stack_allocation[total.dtype, Placement.SHARED](
            self.type.atom.threads // WARP_SIZE
        )
        totals.store(warp_id(), total, mask=lane_id() == 0)
        found: SIMD = reduced(totals, function)
        return found

    def __await__(self) -> Generator[None, None, Fragment]:
        """A fragment is there already."""
        return self
        yield

    def __add__(self, other: Any) -> Any:
        if hasattr(other, "added_to"):
            return other.added_to(self)
        return self._with(other, lambda a, b: a + b)

    def __sub__(self, other: Any) -> Any:
        return self._with(other, lambda a, b: a - b)

    def __mul__(self, other: Any) -> Any:
        return self._with(other, lambda a, b: a * b)

    __rmul__ = __mul__

    def _with(self, other: Any, function: Callable[[SIMD, Any], SIMD]) -> Any:
        if isinstance(other, Fragment):
            return self.map(function, other)
        if isinstance(other, (int, float, SIMD)):
            return self.map(lambda value: function(value, other))
        return NotImplemented

    def __matmul__(self, other: Any) -> FragmentProduct:
        """Return the product, to be added to a fragment or taken with `.fragment()`."""
        if not isinstance(other, Fragment):
            shown = repr(other) if hasattr(other, "placement") else f"a {type(other).__name__}"
            raise fail(
                f"@: got {self.type} and {shown}, needed two fragments or two tiles; "
                "try .copy[REGISTER](layout=tl.fragment(atom, 'b', shape))"
            )
        a, b = self.type, other.type
        if (a.operand, b.operand) != ("a", "b") or a.atom != b.atom or a.shape[1] != b.shape[0]:
            raise fail(
                f"@: got {a} and {b}, needed operands 'a' (M, K) and 'b' (K, N) of one "
                "instruction; try tl.fragment(atom, 'a', (M, K)) and tl.fragment(atom, 'b', (K, N))"
            )
        return FragmentProduct(self, other)

    def __repr__(self) -> str:
        return f"<fragment of {self.dtype.name}: {self.type}>"


class FragmentProduct:
    """A product of two fragments, as they are: `acc += a @ b` is the matrix instruction."""

    __slots__ = ("a", "b")

    def __init__(self, a: Fragment, b: Fragment) -> None:
        self.a, self.b = a, b

    def __tree__(self) -> tuple[list[Any], Any]:
        """What a loop carries."""
        return [self.a, self.b], lambda parts: FragmentProduct(*parts)

    @property
    def type(self) -> FragmentType:
        """The layout of the product."""
        atom, shape = self.a.type.atom, (self.a.shape[0], self.b.shape[1])
        return fragment(atom, "c", shape)

    def fragment(self) -> Fragment:
        """Return the product by itself, added to zeros."""
        kind = self.type
        zeros = kind.made(number_type(kind.instruction.c_dtype), Placement.REGISTER)
        return self.added_to(zeros)

    def added_to(self, addend: Fragment) -> Fragment:
        """Return addend + a @ b, one instruction after the other along K."""
        kind = self.type
        if addend.type != kind:
            raise fail(
                f"@: got {addend.type} to add {kind} to, needed one layout; try Tile[dtype, "
                f"tl.fragment(atom, 'c', {kind.shape})](0) for the sum"
            )
        repeats = *kind.repeats, self.a.type.repeats[1]
        found = multiply_add(kind.instruction, addend.values, self.a.values, self.b.values, repeats)
        return Fragment(kind, found)

    def __add__(self, other: Any) -> Any:
        return self.added_to(other) if isinstance(other, Fragment) else self.fragment() + other

    __radd__ = __add__

    def store_into(
        self, tile: Tile, coordinates: Sequence[Any] = (), is_masked: bool = False
    ) -> None:
        """Write the product by itself."""
        self.fragment().store_into(tile, coordinates, is_masked)

    def __await__(self) -> Generator[None, None, Fragment]:
        return self.fragment()
        yield
