"""Fragments: a matrix in the registers of a warp, as the operand of a matrix instruction."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tensorlib.dtypes import DType
from tensorlib.errors import LayoutError
from tensorlib.ir.builder import fail
from tensorlib.ir.types import Placement
from tensorlib.lang.grid import lane_id, threads_of_block
from tensorlib.lang.warp import WARP_SIZE, warp_reduce
from tensorlib.layouts.algebra import composition
from tensorlib.layouts.divide import zipped_divide
from tensorlib.layouts.hardware.atom import MMAAtom
from tensorlib.layouts.hardware.operand import Operand
from tensorlib.layouts.layout import Layout, make_layout
from tensorlib.simd import SIMD, SIMDType
from tensorlib.tiles.matrix_instruction import multiply_add, number_type
from tensorlib.tiles.reduction import Ready, folded, operator_of
from tensorlib.tiles.views import layout_of, of_layout

if TYPE_CHECKING:
    from tensorlib.tile import Tile

__all__ = ["Fragment", "FragmentProduct", "FragmentType", "fragment", "loaded_by_lanes"]


@dataclass(frozen=True, slots=True)
class FragmentType:
    """The layout of a fragment: an operand of an instruction, repeated over a larger tile.

    It stands for a layout in `Tile[dtype, layout, REGISTER](0)` and in `.copy[REGISTER](layout)`.
    """

    atom: MMAAtom
    operand: Operand
    shape: tuple[int, int]  # of the whole tile: (M, K), (K, N) or (M, N)

    @property
    def layout(self) -> Layout:
        """The instruction's layout (thread, value) -> index, rows fastest."""
        return self.atom.tv(self.operand)

    @property
    def lanes(self) -> int:
        """How many elements of one instruction's operand a thread holds."""
        return int(self.layout.mode(1).size)

    @property
    def repeats(self) -> tuple[int, int]:
        """How many instructions' operands there are along rows and columns of the operand."""
        rows, columns = self.atom.block(self.operand)
        m, n = self._turned(self.shape)
        return m // rows, n // columns

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
                masks = None if other is None else self._masks(tile, i, j)
                lanes = [self._element(at, i, j, v, masks, other) for v in range(self.lanes)]
                found.append(SIMD.join(*lanes))
        return Fragment(self, found)

    def _element(
        self, at: Callable[..., Any], i: int, j: int, v: int, masks: Any, other: Any
    ) -> SIMD:
        tile, where = at(i, j, v)
        if masks is None:
            return tile.load(*where)  # type: ignore[no-any-return]
        return tile.load(*where, mask=masks[v], other=other)  # type: ignore[no-any-return]

    def _places(self, tile: Tile) -> Callable[..., tuple[Tile, tuple[Any, ...]]]:
        """Return where a tile has value v of the instruction at (i, j): a view and coordinates."""
        matrix = tile.transpose() if self.operand == "b" else tile
        layout, values = layout_of(matrix)
        if layout.rank != 2 or tuple(m.size for m in layout.modes) != self._turned(self.shape):
            raise fail(
                f"fragment: got {tile!r}, needed shape {self.shape} for operand {self.operand!r} "
                f"of {self.atom.name}; try .tile[{self.shape[0]}, {self.shape[1]}](i, j)"
            )
        try:
            parts, rest = zipped_divide(layout, self.atom.block(self.operand)).modes
            held = composition(parts, self.layout)
        except LayoutError as error:
            raise fail(f"fragment: {error}") from None
        whole = make_layout(held.mode(0), held.mode(1), *rest.modes)
        view, lane = of_layout(matrix, whole, values, 0), self.thread()
        return lambda i, j, v: (view, (lane, v, i, j))

    def _masks(self, tile: Tile, i: int, j: int) -> list[SIMD]:
        """Return which values lie before the tile's edge."""
        ends = self._turned(tile.extent)
        rows, columns = self.atom.block(self.operand)
        lane, found = self.thread(), []
        for v in range(self.lanes):
            row, column = place_of(self.layout, rows, lane, v)
            found.append((row + i * rows < ends[0]) & (column + j * columns < ends[1]))
        return found

    def thread(self) -> Any:
        """Return the number of this thread among those of the instruction."""
        if self.atom.threads == 1:
            return 0
        if self.atom.threads != WARP_SIZE:
            raise fail(f"fragment: got {self.atom.name} of {self.atom.threads} threads, needed 32")
        if threads_of_block("fragment") % WARP_SIZE:
            raise fail(
                f"fragment: got a block of {threads_of_block('fragment')} threads, needed whole "
                f"warps of {WARP_SIZE} for {self.atom.name}"
            )
        return lane_id()

    def _check_dtype(self, dtype: DType) -> None:
        name = {"a": self.atom.a_dtype, "b": self.atom.b_dtype, "c": self.atom.c_dtype}
        wanted = number_type(name[self.operand])
        if dtype is not wanted:
            raise fail(
                f"fragment: got {dtype.name} for operand {self.operand!r} of {self.atom.name}, "
                f"needed {wanted.name}"
            )

    def __repr__(self) -> str:
        return f"fragment({self.atom.name}, {self.operand!r}, {self.shape})"


def fragment(atom: MMAAtom, operand: Operand, shape: tuple[int, int] | None = None) -> FragmentType:
    """Return the layout of operand "a", "b" or "c" of a matrix instruction, as `a @ b` has it.

    Shapes are (M, K), (K, N) and (M, N); a larger one than the instruction's repeats it. Raises
    KernelError where the instruction does not divide the shape.

    >>> from tensorlib.layouts.hardware import mma
    >>> fragment(mma("m16n8k8.tf32"), "b", (16, 16)).repeats
    (2, 2)
    """
    if operand not in ("a", "b", "c"):
        raise fail(f"fragment: got operand {operand!r}, needed 'a', 'b' or 'c'")
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
                masks = self.type._masks(tile, i, j) if is_masked else None
                self._store_part(at, i, j, masks)

    def _store_part(self, at: Callable[..., Any], i: int, j: int, masks: Any) -> None:
        value = self.values[i * self.type.repeats[1] + j]
        for v in range(self.type.lanes):
            tile, where = at(i, j, v)
            tile.store(*where, value[v], mask=None if masks is None else masks[v])

    def reduce(self, operator: Any) -> Ready:
        """Return all elements folded, by shuffles between the lanes; every lane gets the result."""
        function = operator_of("reduce", operator)
        total = self.values[0]
        for value in self.values[1:]:
            total = function(total, value)
        total = folded(total, function)
        if self.type.atom.threads > 1:
            total = warp_reduce(total, function)
        return Ready(total.value, total.dtype, total.width)

    def __await__(self) -> Generator[None, None, Fragment]:
        """A fragment is there already."""
        return self
        yield

    def __add__(self, other: Any) -> Any:
        if isinstance(other, FragmentProduct):
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
            raise fail(f"@: got a fragment and a {type(other).__name__}, needed two fragments")
        a, b = self.type, other.type
        if (a.operand, b.operand) != ("a", "b") or a.atom != b.atom or a.shape[1] != b.shape[0]:
            raise fail(
                f"@: got {a} and {b}, needed operands 'a' (M, K) and 'b' (K, N) of one instruction"
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
        return self.added_to(kind.made(number_type(kind.atom.c_dtype), Placement.REGISTER))

    def added_to(self, addend: Fragment) -> Fragment:
        """Return addend + a @ b, one instruction after the other along K."""
        kind = self.type
        if addend.type != kind:
            raise fail(f"@: got {addend.type} to add {kind} to, needed one layout")
        found = list(addend.values)
        (_, columns), steps = kind.repeats, self.a.type.repeats[1]
        for place, total in enumerate(found):
            i, j = divmod(place, columns)
            for k in range(steps):
                a, b = self.a.values[i * steps + k], self.b.values[j * steps + k]
                total = multiply_add(kind.atom, total, a, b)
            found[place] = total
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


def place_of(layout: Layout, rows: int, lane: Any, value: int) -> tuple[Any, Any]:
    """Return row and column of an element that a lane holds, by a layout with rows fastest."""
    index = layout(lane, value)
    return index % rows, index // rows


# --- a vector for each lane ---


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
