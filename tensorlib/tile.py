"""`Tile`: memory with a layout and a placement; access to it, views of it, and what is made of it.

What its methods do is in `tensorlib.tiles`, a file a subject.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorlib.dtypes import DType, as_dtype
from tensorlib.ir.builder import current_builder, fail
from tensorlib.ir.core import Value
from tensorlib.ir.interpreter import Memory
from tensorlib.ir.types import Placement, VectorType
from tensorlib.lang.threads import current_thread
from tensorlib.layouts.composed import ComposedLayout
from tensorlib.layouts.dim import Size
from tensorlib.layouts.layout import Layout, row_major
from tensorlib.layouts.shape import flatten_tuple
from tensorlib.simd import SIMD
from tensorlib.tiles.access import Access, Bracket, edge_mask, element, load, prefetch, store
from tensorlib.tiles.python_side import PythonSide
from tensorlib.tiles.views import (
    Shaped,
    distributed,
    grouped,
    layout_of,
    permuted,
    placed_over,
    reshaped,
    row,
    sub_tile,
    tile_layout,
    vectorised,
    window,
)

if TYPE_CHECKING:
    from tensorlib.tiles.copies import Copying

__all__ = ["Tile", "TileType", "element", "stack_allocation"]

Index = int | SIMD


@dataclass(frozen=True, slots=True)
class TileType:
    """The type of a tile parameter: sizes and strides are ints, or Dims bound at launch.

    Sizes and strides count elements of `dtype`; Dims of one name are one argument of the kernel.
    Both may be nested alike, as a layout's are.

    >>> TileType.of("float32", Layout(((2, 4), 8))).stride
    ((1, 2), 8)
    """

    dtype: DType
    shape: tuple[Any, ...]
    stride: tuple[Any, ...]
    offset: Size = 0
    placement: Placement = Placement.GLOBAL

    @classmethod
    def of(cls, dtype: Any, layout: Layout, placement: Placement = Placement.GLOBAL) -> TileType:
        """Return the type of a tile with this layout."""
        shape, stride = _modes(layout)
        return cls(as_dtype(dtype), shape, stride, 0, placement)


def _modes(layout: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Return shape and stride of a layout's modes, the layout of one integer having one."""
    if isinstance(layout.shape, tuple):
        return layout.shape, layout.stride
    return (layout.shape,), (layout.stride,)


class TileSpec:
    """What `Tile[dtype, layout, placement]` is: call it to allocate, to fill, or to view memory.

    `Tile[...]()` is new memory, never written; `Tile[...](0)` is filled; `Tile[...](tile)` is the
    memory of a tile seen through this layout.
    """

    __slots__ = ("dtype", "layout", "placement")

    def __init__(self, dtype: DType, layout: Any, placement: Placement) -> None:
        self.dtype, self.layout, self.placement = dtype, layout, placement

    def __call__(self, value: Any = None) -> Any:
        if hasattr(self.layout, "made"):  # a fragment's, which lives in the registers of a warp
            return self.layout.made(self.dtype, self.placement, value)
        if isinstance(value, Tile):
            return placed_over(value, self.dtype, self.layout, self.placement)
        made = _laid_out(self.dtype, self.layout, self.placement)
        return made if value is None else made.fill(value)

    def __repr__(self) -> str:
        return f"Tile[{self.dtype.name}, {self.layout}, {self.placement.value}]"


class _Bracketed(type):
    """Gives the class its brackets; a metaclass, so that type checkers know what comes out."""

    def __getitem__(cls, parameters: Any) -> TileSpec:
        given = parameters if isinstance(parameters, tuple) else (parameters,)
        if not 2 <= len(given) <= 3:
            raise fail(f"Tile[...]: got {len(given)} values, needed dtype, layout, placement")
        dtype, layout, placement = (*given, Placement.REGISTER)[:3]
        if isinstance(layout, (int, tuple)):
            layout = row_major(layout)
        if not isinstance(placement, Placement):
            raise fail(f"Tile[...]: got placement {placement!r}, needed GLOBAL, SHARED, ...")
        if not isinstance(layout, (Layout, ComposedLayout)) and not hasattr(layout, "made"):
            kind = type(layout).__name__
            raise fail(f"Tile[...]: got a {kind}, needed a layout, a shape or a fragment")
        return TileSpec(as_dtype(dtype), layout, placement)


class Tile(PythonSide, metaclass=_Bracketed):
    """A view of memory: pointer, offset, shape and strides (ints, or scalars known at run time).

    `t[i, j]` loads a scalar and `t[i, j] = v` stores one; `t.load[8](i, j)` loads 8 elements along
    the last axis, `t.store[8](i, j, v)` stores them. `t.tile[M, N](i, j)` is the M x N tile at
    tile coordinate (i, j), without moving data. Shape and stride may be nested, as those of a
    layout; a coordinate of a nested axis is an index into it, or nested alike.

    >>> x = np.arange(12, dtype=np.float32).reshape(3, 4)
    >>> t = Tile.over(x)
    >>> t, t.tile[1, 2](2, 1).load[2](0, 0)
    (Tile[float32, (3,4):(4,1), global], SIMD[float32, 2](10.0, 11.0))
    """

    __slots__ = (
        "dtype", "edges", "lanes", "offset", "placement", "pointer", "shape", "stride", "swizzle",
    )  # fmt: skip

    def __init__(
        self,
        pointer: Value | Memory,
        dtype: DType,
        shape: Sequence[Any],
        stride: Sequence[Any],
        offset: Index = 0,
        placement: Placement = Placement.GLOBAL,
        *,
        lanes: tuple[int, Any] = (1, 1),
        edges: tuple[Any, ...] | None = (),
        swizzle: Any = None,
    ) -> None:
        self.pointer, self.dtype = pointer, dtype
        self.shape, self.stride = tuple(shape), tuple(stride)
        self.offset, self.placement = offset, placement
        self.lanes = lanes  # how many lanes an element has, and their distance: see vectorize
        # For each axis the size of what this was cut from, and where; () is all of something,
        # None a view for which nobody can say.
        self.edges = edges
        self.swizzle = swizzle  # a function of offsets, or None

    @classmethod
    def over(cls, array: np.ndarray[Any, Any], name: str = "tile") -> Tile:
        """Return a tile over a C-contiguous NumPy array, to run a kernel in plain Python."""
        if not array.flags.c_contiguous:
            raise fail(f"Tile.over: {name} is not C-contiguous; try np.ascontiguousarray")
        strides = [s // array.itemsize for s in array.strides]
        return cls(Memory(array, name), as_dtype(array.dtype), array.shape, strides)

    def viewed(self, shape: Sequence[Any], stride: Sequence[Any], offset: Any, **new: Any) -> Tile:
        """Return a tile of the same memory with another shape, stride and offset."""
        kept = {"lanes": self.lanes, "swizzle": self.swizzle, **new}
        return Tile(self.pointer, self.dtype, shape, stride, offset, self.placement, **kept)

    def __tree__(self) -> tuple[list[Any], Any]:
        """What a loop carries of a tile: its offset, sizes and strides, behind one pointer."""

        def make(parts: list[Any]) -> Tile:
            pointer, offset, shape, stride, lanes, edges = parts
            edges = None if self.edges is None else edges
            new = {"lanes": lanes, "edges": edges, "swizzle": self.swizzle}
            return Tile(pointer, self.dtype, shape, stride, offset, self.placement, **new)

        edges = self.edges or ()
        return [self.pointer, self.offset, self.shape, self.stride, self.lanes, edges], make

    # what it is
    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> Any:
        """The number of elements."""
        first, *rest = flatten_tuple(self.shape) or (1,)
        return functools.reduce(operator.mul, rest, first)

    @property
    def layout(self) -> Layout:
        """Shape and strides as a Layout; what is known at run time is a Dim of it.

        >>> Tile.over(np.zeros((2, 3))).layout
        (2,3):(3,1)
        """
        return layout_of(self)[0]

    @property
    def extent(self) -> tuple[Any, ...]:
        """How many elements there are along each axis: more or fewer than the shape, at an edge."""
        if self.edges is None:
            raise fail(
                f"mask: got {self!r}, a view in which an edge has no place; try the mask of the "
                "tile that it was made of, or copy that with other="
            )
        if not self.edges:
            return self.shape
        return tuple(functools.reduce(lambda a, b: a - b, starts, n) for n, *starts in self.edges)

    # access
    @property
    def load(self) -> Access:
        """`t.load[width](i, j, mask=None, other=0)`: elements along the last axis."""
        return Access(self, load)

    @property
    def store(self) -> Access:
        """`t.store[width](i, j, value, mask=None)`: write along the last axis."""
        return Access(self, store)

    @property
    def mask(self) -> Access:
        """`t.mask[width](i, j)`: which elements there are, where a tile reaches past an edge."""
        return Access(self, edge_mask)

    def __getitem__(self, coordinates: Any) -> Any:
        given = _tuple(coordinates)
        if any(isinstance(c, slice) for c in given):
            return row(self, given)
        return load(self, 1, *given)

    def __setitem__(self, coordinates: Any, value: Any) -> None:
        store(self, 1, *_tuple(coordinates), value)

    def prefetch(self, *coordinates: Index) -> None:
        """Ask for the cache line of an element; changes nothing but time."""
        prefetch(self, *coordinates)

    def bytes(self) -> Tile:
        """Return the memory as a rank-1 tile of uint8 without a size, for packed formats."""
        if self.dtype is not DType.uint8:
            raise fail(f"bytes: got a tile of {self.dtype.name}, needed uint8")
        return Tile(self.pointer, DType.uint8, (self.size,), (1,), self.offset, self.placement)

    # views
    @property
    def tile(self) -> Shaped:
        """`t.tile[M, N](i, j)`: the tile of shape (M, N) at tile coordinate (i, j).

        `t.tile[M, N](i, j, layout=...)` takes another layout of (tile, tiles) than the one that
        `_compute_tile_layout(M, N)` gives. A tile may reach past the edge: see `mask`.
        """
        return Shaped(self, sub_tile)

    def _compute_tile_layout(self, *tiler: Any) -> Layout:
        """Return the layout (tile, tiles) of this tile divided: mode 0 and where each begins."""
        return tile_layout(self, tiler)[0]

    @property
    def slice(self) -> Shaped:
        """`t.slice[M, N](i, j)`: the tile of shape (M, N) that begins at element (i, j)."""
        return Shaped(self, window)

    @property
    def vectorize(self) -> Callable[..., Tile]:
        """`t.vectorize[w]`: the tile whose elements are w lanes along the last axis.

        `t.vectorize[w, 1]` takes them along another axis.
        """
        return Bracket(functools.partial(vectorised, self))

    def distribute(self, threads: Layout, thread: Index) -> Tile:
        """Return what one thread holds of this tile, shared out in the arrangement `threads`."""
        return distributed(self, threads, thread)

    def transpose(self, *axes: Any) -> Tile:
        """Return the tile with its axes in another order, or reversed."""
        return permuted(self, _spread(axes))

    def reshape(self, *shape: Any) -> Tile:
        """Return the same elements in row-major order with another shape."""
        return reshaped(self, _spread(shape))

    def grouped(self, group: int) -> Tile:
        """Return a packed matrix, groups of neighbours along K in its rows, as (K, N).

        Element (k, n) is [k // group, n * group + k % group] of this tile: what AMX and VNNI want
        of the right factor of `@`, with 2 of bfloat16 and 4 of int8.

        >>> packed = Tile.over(np.arange(8, dtype=np.int8).reshape(2, 4))  # 2 groups, 2 columns
        >>> packed.grouped(2), packed.grouped(2)[3, 1]
        (Tile[int8, ((2,2),2):((1,4),2), global], SIMD[int8, 1](7))
        """
        return grouped(self, group)

    # contents
    def fill(self, value: Any) -> Tile:
        """Write `value` to every element; return the tile.

        Memory that threads share is filled by all of them, who meet there.
        """
        from tensorlib.tiles.arithmetic import filled

        return filled(self, value)

    @property
    def copy(self) -> Copying:
        """`t.copy[SHARED](layout=None)`: the elements in new memory; `await` it."""
        from tensorlib.tiles.copies import Copying

        return Copying(self)

    def copy_from(self, source: Any, *, masked: bool = False) -> Tile:
        """Copy every element of `source`, a tile of this shape and dtype; return this tile.

        With `masked` what lies past the edge that this tile was cut at is left out.
        """
        from tensorlib.tiles.copies import copied_from

        return copied_from(self, source, masked)

    @property
    def load_tile(self) -> Callable[..., Any]:
        """`t.load_tile[WARP](i, width=1, other=0)`: a vector for each lane, element i and on."""
        from tensorlib.tiles.lanes import loaded_by_lanes

        return Bracket(functools.partial(loaded_by_lanes, self))

    def reduce(self, operator: Any, axis: int | None = None) -> Any:
        """Fold all elements: by a thread, or by the threads that share this placement together.

        `operator` is "add", "multiply", "min", "max", or a function of two values that must not
        care about their order. Every thread gets the result; a tile in SHARED gives it to those
        that `await` it, as a sum is not there before all threads meet.

        With `axis` that axis is folded, in order, to a tile without it: in the same memory where
        threads share that, else in registers.
        """
        from tensorlib.tiles.reduction import reduced, reduced_along

        return reduced(self, operator) if axis is None else reduced_along(self, operator, axis)

    def __await__(self) -> Generator[None, None, Tile]:
        """A tile is there already."""
        return self
        yield

    def __add__(self, other: Any) -> Any:
        return _arithmetic("add", self, other)

    def __radd__(self, other: Any) -> Any:
        return _arithmetic("add", other, self)

    def __sub__(self, other: Any) -> Any:
        return _arithmetic("subtract", self, other)

    def __rsub__(self, other: Any) -> Any:
        return _arithmetic("subtract", other, self)

    def __mul__(self, other: Any) -> Any:
        return _arithmetic("multiply", self, other)

    def __rmul__(self, other: Any) -> Any:
        return _arithmetic("multiply", other, self)

    def __truediv__(self, other: Any) -> Any:
        return _arithmetic("divide", self, other)

    def __iadd__(self, other: Any) -> Tile:
        from tensorlib.tiles.arithmetic import accumulated

        return accumulated(self, other)

    def __matmul__(self, other: Any) -> Any:
        """Return the product of two tiles, to be added to a tile or taken with `.tile()`."""
        from tensorlib.tiles.product import product

        return product(self, other)

    def __repr__(self) -> str:
        shape, stride = (_text(x) for x in (self.shape, self.stride))
        lanes = f" of {self.lanes[0]} lanes" if self.lanes[0] > 1 else ""
        swizzle = f"{self.swizzle} o " if self.swizzle is not None else ""
        kind = f"{self.dtype.name}{lanes}, {swizzle}{shape}:{stride}"
        return f"Tile[{kind}, {self.placement.value}]"


class _StackAllocation:
    """`stack_allocation[dtype, placement](*shape)`: local memory, which starts uninitialised.

    The tile is row-major and its shape static; `stack_allocation(dtype, *shape)` is the same in
    registers.
    """

    __slots__ = ()

    def __getitem__(self, what: Any) -> Callable[..., Tile]:
        dtype, placement = what if isinstance(what, tuple) else (what, Placement.REGISTER)
        return functools.partial(_allocated, as_dtype(dtype), placement)

    def __call__(self, dtype: Any, *shape: int, placement: Placement = Placement.REGISTER) -> Tile:
        return _allocated(as_dtype(dtype), placement, *shape)


stack_allocation = _StackAllocation()


def _allocated(dtype: DType, placement: Placement, *shape: int) -> Tile:
    if not all(isinstance(n, int) and n >= 0 for n in shape) or not VectorType(dtype).is_regular:
        raise fail(f"stack_allocation: got {dtype.name} {shape}, needed numbers and whole sizes")
    strides = [math.prod(shape[i + 1 :]) for i in range(len(shape))]
    pointer = _memory(dtype, placement, max(1, math.prod(shape)))
    return Tile(pointer, dtype, shape, strides, 0, placement)


def _laid_out(dtype: DType, layout: Any, placement: Placement) -> Tile:
    """Return new memory with a layout, as large as that needs."""
    inner, swizzle = layout, None
    if isinstance(layout, ComposedLayout):
        inner, swizzle = layout.inner, layout.outer
    is_known = isinstance(inner, Layout) and inner.is_static
    if not is_known or min(inner.flat_stride, default=0) < 0:
        raise fail(f"Tile[...]: got {layout}, needed sizes and strides that are known and >= 0")
    if placement is Placement.GLOBAL or not VectorType(dtype).is_regular:
        raise fail(
            f"Tile[...]: got {dtype.name} in {placement.value} memory, needed numbers, and memory "
            "of the kernel's own: REGISTER, WARP, SHARED or CLUSTER"
        )
    size = max(1, int(layout.cosize))  # memory without elements has a place too
    offset = layout.offset if swizzle is not None else 0
    pointer = _memory(dtype, placement, size)
    return Tile(pointer, dtype, *_modes(inner), offset, placement, swizzle=swizzle)


def _memory(dtype: DType, placement: Placement, size: int) -> Value | Memory:
    """Return memory that was never written: a thread's own, or one for its warp or block."""
    builder = current_builder()
    if builder is not None:
        attributes = {"dtype": dtype, "size": size, "placement": placement}
        pointer = builder.emit("alloc", (), attributes)[0]
        pointer.name = "stack_allocation"
        return pointer

    def make() -> Memory:
        return Memory(np.zeros(size, dtype.numpy), "stack_allocation", written=False)

    thread = current_thread()
    if thread is None or placement is Placement.REGISTER:
        return make()
    return thread.memory("warp" if placement is Placement.WARP else "block", make)


def _arithmetic(name: str, left: Any, right: Any) -> Any:
    from tensorlib.tiles.arithmetic import elementwise

    return elementwise(name, left, right)


def _tuple(coordinates: Any) -> tuple[Any, ...]:
    return coordinates if isinstance(coordinates, tuple) else (coordinates,)


def _spread(given: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return axes or sizes that may be given as one tuple, as NumPy takes them."""
    return given[0] if len(given) == 1 and isinstance(given[0], tuple) else given


def _text(nested: Any) -> str:
    """Return a nest as layouts are printed, with ? for what is known at run time."""
    if isinstance(nested, tuple):
        return f"({','.join(map(_text, nested))})"
    if isinstance(nested, SIMD):
        return "?" if nested.is_traced else str(int(nested))
    return str(nested)
