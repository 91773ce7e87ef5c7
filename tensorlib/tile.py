"""`Tile`: memory with a layout and a placement; `.tile`, `.load[width]`, `.store[width]`,
`.prefetch`.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tensorlib.dtypes import DType, as_dtype
from tensorlib.ir.builder import current_builder, fail
from tensorlib.ir.core import Value
from tensorlib.ir.interpreter import Memory
from tensorlib.ir.types import INDEX, Placement, VectorType
from tensorlib.layouts.dim import Size
from tensorlib.simd import SIMD, SIMDType, lift

__all__ = ["Tile", "TileType", "stack_allocation"]

Index = int | SIMD


@dataclass(frozen=True, slots=True)
class TileType:
    """The type of a tile parameter: sizes and strides are ints, or Dims bound at launch.

    Sizes and strides count elements of `dtype`; Dims of one name are one argument of the kernel.
    """

    dtype: DType
    shape: tuple[Size, ...]
    stride: tuple[Size, ...]
    offset: Size = 0
    placement: Placement = Placement.GLOBAL


class Tile:
    """A view of memory: pointer, offset, shape and strides (ints, or scalars known at run time).

    `t[i, j]` loads a scalar and `t[i, j] = v` stores one; `t.load[8](i, j)` loads 8 elements along
    the last axis, `t.store[8](i, j, v)` stores them. `t.tile[M, N](i, j)` is the M x N tile at
    tile coordinate (i, j), without moving data.
    """

    __slots__ = ("dtype", "offset", "placement", "pointer", "shape", "stride")

    def __init__(
        self,
        pointer: Value | Memory,
        dtype: DType,
        shape: Sequence[Index],
        stride: Sequence[Index],
        offset: Index = 0,
        placement: Placement = Placement.GLOBAL,
    ) -> None:
        self.pointer, self.dtype = pointer, dtype
        self.shape, self.stride = tuple(shape), tuple(stride)
        self.offset, self.placement = offset, placement

    @classmethod
    def over(cls, array: np.ndarray[Any, Any], name: str = "tile") -> Tile:
        """Return a tile over a C-contiguous NumPy array, to run a kernel in plain Python."""
        if not array.flags.c_contiguous:
            raise fail(f"Tile.over: {name} is not C-contiguous; try np.ascontiguousarray")
        strides = [s // array.itemsize for s in array.strides]
        return cls(Memory(array, name), as_dtype(array.dtype), array.shape, strides)

    def __tree__(self) -> tuple[list[Any], Any]:
        """What a loop carries of a tile: its offset, sizes and strides, behind one pointer."""

        def make(parts: list[Any]) -> Tile:
            pointer, offset, *rest = parts
            shape, stride = rest[: self.rank], rest[self.rank :]
            return Tile(pointer, self.dtype, shape, stride, offset, self.placement)

        return [self.pointer, self.offset, *self.shape, *self.stride], make

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> Any:
        """The number of elements."""
        total: Any = 1
        for n in self.shape:
            total = total * n
        return total

    @property
    def load(self) -> _Access:
        """`t.load[width](i, j, mask=None, other=0)`: elements along the last axis."""
        return _Access(self, _load)

    @property
    def store(self) -> _Access:
        """`t.store[width](i, j, value, mask=None)`: write along the last axis."""
        return _Access(self, _store)

    @property
    def tile(self) -> _SubTile:
        """`t.tile[M, N](i, j)`: the tile of shape (M, N) at tile coordinate (i, j)."""
        return _SubTile(self)

    def __getitem__(self, coordinates: Index | tuple[Index, ...]) -> SIMD:
        return _load(self, 1, *_tuple(coordinates))

    def __setitem__(self, coordinates: Index | tuple[Index, ...], value: Any) -> None:
        _store(self, 1, *_tuple(coordinates), value)

    def prefetch(self, *coordinates: Index) -> None:
        """Ask for the cache line of an element; changes nothing but time."""
        builder = current_builder()
        if builder is not None and isinstance(self.pointer, Value):
            builder.emit("prefetch", [self.pointer, _index(_offset(self, coordinates))])

    def bytes(self) -> Tile:
        """Return the memory as a rank-1 tile of uint8 without a size, for packed formats."""
        if self.dtype is not DType.uint8:
            raise fail(f"bytes: got a tile of {self.dtype.name}, needed uint8")
        return Tile(self.pointer, DType.uint8, (self.size,), (1,), self.offset, self.placement)

    def __repr__(self) -> str:
        shape, stride = (",".join(map(str, x)) for x in (self.shape, self.stride))
        return f"Tile[{self.dtype.name}, ({shape}):({stride}), {self.placement.value}]"


class _Access:
    """`t.load` or `t.store`, waiting for its width in brackets."""

    __slots__ = ("function", "tile")

    def __init__(self, tile: Tile, function: Any) -> None:
        self.tile, self.function = tile, function

    def __getitem__(self, width: Any) -> Any:
        """Bind the width; `load[dtype, width]` reads bytes of a uint8 tile as another dtype."""
        dtype, lanes = width if isinstance(width, tuple) else (None, width)

        def call(*arguments: Any, **keywords: Any) -> Any:
            if dtype is not None:
                keywords["dtype"] = as_dtype(dtype)
            return self.function(self.tile, int(lanes), *arguments, **keywords)

        return call

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return self.function(self.tile, 1, *arguments, **keywords)


class _SubTile:
    """`t.tile`, waiting for the tile's shape in brackets."""

    __slots__ = ("tile",)

    def __init__(self, tile: Tile) -> None:
        self.tile = tile

    def __getitem__(self, shape: int | tuple[int, ...]) -> Any:
        whole, sizes = self.tile, shape if isinstance(shape, tuple) else (shape,)
        if len(sizes) != whole.rank:
            raise fail(f"tile: got {len(sizes)} sizes {sizes}, needed {whole.rank} for {whole!r}")

        def at(*coordinates: Index) -> Tile:
            if len(coordinates) != len(sizes):
                raise fail(f"tile: got {len(coordinates)} coordinates, needed {len(sizes)}")
            start = [_times(c, n) for c, n in zip(coordinates, sizes, strict=True)]
            offset = _offset(whole, start)
            return Tile(whole.pointer, whole.dtype, sizes, whole.stride, offset, whole.placement)

        return at


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
    if not all(isinstance(n, int) and n > 0 for n in shape) or not VectorType(dtype).is_regular:
        raise fail(f"stack_allocation: got {dtype.name} {shape}, needed numbers and whole sizes")
    strides = [math.prod(shape[i + 1 :]) for i in range(len(shape))]
    builder = current_builder()
    if builder is None:
        memory = Memory(np.zeros(math.prod(shape), dtype.numpy), "stack_allocation", written=False)
        return Tile(memory, dtype, shape, strides, 0, placement)
    attributes = {"dtype": dtype, "size": math.prod(shape), "placement": placement}
    pointer = builder.emit("alloc", (), attributes)[0]
    pointer.name = "stack_allocation"
    return Tile(pointer, dtype, shape, strides, 0, placement)


def _tuple(coordinates: Any) -> tuple[Any, ...]:
    return coordinates if isinstance(coordinates, tuple) else (coordinates,)


def _times(a: Any, b: Any) -> Any:
    if (isinstance(a, int) and a == 0) or (isinstance(b, int) and b == 0):
        return 0
    if isinstance(b, int) and b == 1:
        return a
    return b if isinstance(a, int) and a == 1 else a * b


def _offset(tile: Tile, coordinates: Sequence[Any]) -> Any:
    """The layout's function: offset + sum of coordinate * stride."""
    if len(coordinates) != tile.rank:
        raise fail(f"index: got {len(coordinates)} coordinates, needed {tile.rank} for {tile!r}")
    total: Any = tile.offset
    for c, s in zip(coordinates, tile.stride, strict=True):
        step = _times(c, s)
        if not (isinstance(step, int) and step == 0):
            total = step if isinstance(total, int) and total == 0 else total + step
    return total


def _index(offset: Any) -> Value:
    """The IR value of an element offset."""
    if isinstance(offset, SIMD):
        if offset.dtype is not DType.int64 or offset.width != 1:
            raise fail(f"index: got {offset!r}, needed an int64 scalar; try .cast(int64)")
        return lift(offset)
    builder = current_builder()
    assert builder is not None
    return builder.constant(int(offset), INDEX)


def _load(
    tile: Tile,
    width: int,
    *coordinates: Index,
    mask: SIMD | None = None,
    other: Any = 0,
    dtype: DType | None = None,
) -> SIMD:
    kind = _access_type("load", tile, dtype or tile.dtype, width)
    offset = _offset(tile, coordinates)
    mask = _mask("load", mask, width)
    stride = tile.stride[-1] if width > 1 and tile.rank else 1
    if isinstance(stride, int) and stride == 1:
        return _load_at(tile, offset, kind, mask, other)
    if kind.dtype is not tile.dtype:
        raise fail(
            f"load: got a tile with stride {stride} read as {kind.dtype.name}; needed stride 1"
        )
    if isinstance(stride, int) and stride == 0 and mask is None:
        return _load_at(tile, offset, VectorType(kind.dtype)).splat(width)
    return _gather(tile, _lanes(offset, stride, width), mask, other)


def _access_type(where: str, tile: Tile, dtype: DType, width: int) -> VectorType:
    """Check an access: a power of two of elements, of the tile's dtype or from a tile of bytes."""
    kind = VectorType(dtype, width)
    if not kind.is_regular:
        raise fail(f"{where}: got width {width} of {dtype.name}, needed a power of two of numbers")
    if dtype is not tile.dtype and tile.dtype is not DType.uint8:
        raise fail(
            f"{where}: got a tile of {tile.dtype.name} accessed as {dtype.name}; "
            "only a tile of uint8 is read as another dtype"
        )
    return kind


def _mask(where: str, mask: Any, width: int) -> Any:
    """Check a mask; a scalar condition stands for all lanes."""
    if mask is None:
        return None
    if not isinstance(mask, SIMD):
        mask = SIMDType(DType.bool)(bool(mask))
    if mask.dtype is not DType.bool or mask.width not in (1, width):
        raise fail(f"{where}: got a mask of {mask.type}, needed bool and width {width}")
    return mask.splat(width)


def _lanes(offset: Any, stride: Any, width: int) -> SIMD:
    """The element number of each lane."""
    numbers: SIMD = SIMDType(DType.int64, width)(*range(width)) * stride + offset
    return numbers


def _load_at(
    tile: Tile, offset: Any, kind: VectorType, mask: SIMD | None = None, other: Any = 0
) -> SIMD:
    if isinstance(tile.pointer, Memory):
        return _load_concrete(tile, int(offset), kind, mask, other)
    builder = current_builder()
    assert builder is not None
    operands = [tile.pointer, _index(offset)]
    if mask is None:
        return SIMD.of(builder.emit("load", operands, {"type": kind})[0])
    operands += [lift(mask), lift(_filler(kind, other))]
    return SIMD.of(builder.emit("masked_load", operands, {"type": kind})[0])


def _filler(kind: VectorType, other: Any) -> SIMD:
    """The value of lanes that a mask leaves out."""
    if isinstance(other, SIMD) and other.dtype is not kind.dtype:
        raise fail(f"load: got other of {other.type}, needed {kind}; try .cast({kind.dtype.name})")
    return SIMDType(kind.dtype, kind.width)(other)


def _load_concrete(
    tile: Tile, offset: int, kind: VectorType, mask: SIMD | None, other: Any
) -> SIMD:
    memory, unit = tile.pointer, tile.dtype.itemsize
    assert isinstance(memory, Memory)
    if mask is None:
        return SIMD(memory.load(kind.dtype, offset, kind.width, unit), kind.dtype, kind.width)
    lanes = np.array(_filler(kind, other).value)
    flat = lanes.reshape(-1)
    for lane in np.flatnonzero(mask.value):
        flat[lane] = memory.load(kind.dtype, offset, 1, unit, int(lane))
    return SIMD(lanes, kind.dtype, kind.width)


def _gather(tile: Tile, lanes: SIMD, mask: SIMD | None, other: Any) -> SIMD:
    kind = VectorType(tile.dtype, lanes.width)
    if isinstance(tile.pointer, Memory):
        value = np.array(_filler(kind, other).value)
        active = range(lanes.width) if mask is None else np.flatnonzero(mask.value)
        for lane in active:
            at = int(lanes.value[lane])
            value[lane] = tile.pointer.load(tile.dtype, at, 1, tile.dtype.itemsize)
        return SIMD(value, tile.dtype, lanes.width)
    builder = current_builder()
    assert builder is not None
    operands = [tile.pointer, lift(lanes)]
    if mask is None:
        return SIMD.of(builder.emit("gather", operands)[0])
    operands += [lift(mask), lift(_filler(kind, other))]
    return SIMD.of(builder.emit("masked_gather", operands)[0])


def _store(tile: Tile, width: int, *arguments: Any, mask: SIMD | None = None) -> None:
    *coordinates, value = arguments
    _access_type("store", tile, tile.dtype, width)
    value = SIMDType(tile.dtype, width)(value) if not isinstance(value, SIMD) else value
    if value.dtype is not tile.dtype:
        raise fail(
            f"store: got {value.dtype.name} for a tile of {tile.dtype.name}; "
            f"try .cast({tile.dtype.name})"
        )
    value, offset, mask = (
        value.splat(width),
        _offset(tile, coordinates),
        _mask("store", mask, width),
    )
    stride = tile.stride[-1] if width > 1 and tile.rank else 1
    if not (isinstance(stride, int) and stride == 1):
        _scatter(tile, _lanes(offset, stride, width), value, mask)
    elif isinstance(tile.pointer, Memory):
        _store_concrete(tile, int(offset), value, mask)
    else:
        _emit("store", tile, _index(offset), value, mask)


def _emit(name: str, tile: Tile, index: Value, value: SIMD, mask: SIMD | None) -> None:
    builder = current_builder()
    assert builder is not None
    assert isinstance(tile.pointer, Value)
    operands = [tile.pointer, index, lift(value)]
    if mask is None:
        builder.emit(name, operands)
    else:
        builder.emit(f"masked_{name}", [*operands, lift(mask)])


def _store_concrete(tile: Tile, offset: int, value: SIMD, mask: SIMD | None) -> None:
    memory, unit = tile.pointer, tile.dtype.itemsize
    assert isinstance(memory, Memory)
    if mask is None:
        memory.store(value.value, tile.dtype, offset, unit)
        return
    for lane in np.flatnonzero(mask.value):
        memory.store(np.atleast_1d(value.value)[lane], tile.dtype, offset, unit, int(lane))


def _scatter(tile: Tile, lanes: SIMD, value: SIMD, mask: SIMD | None) -> None:
    if not isinstance(tile.pointer, Memory):
        _emit("scatter", tile, lift(lanes), value, mask)
        return
    active = range(lanes.width) if mask is None else np.flatnonzero(mask.value)
    for lane in active:
        at = int(lanes.value[lane])
        tile.pointer.store(value.value[lane], tile.dtype, at, tile.dtype.itemsize)
