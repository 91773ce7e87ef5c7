"""Loads and stores of a tile: one vector where the layout is contiguous, else lane by lane."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorlib.dtypes import DType, as_dtype
from tensorlib.ir.builder import current_builder, fail
from tensorlib.ir.core import Value
from tensorlib.ir.interpreter import Memory
from tensorlib.ir.types import INDEX, VectorType
from tensorlib.layouts.shape import crd2idx
from tensorlib.simd import SIMD, SIMDType, lift
from tensorlib.tiles.coordinates import check_counted_from_start, check_whole

if TYPE_CHECKING:
    from tensorlib.tile import Tile

__all__ = [
    "Access",
    "Bracket",
    "edge_mask",
    "element",
    "load",
    "offset_of",
    "prefetch",
    "store",
    "times",
]

Index = int | SIMD


class Access:
    """`t.load` or `t.store`, waiting for its width in brackets."""

    __slots__ = ("function", "tile")

    def __init__(self, tile: Tile, function: Callable[..., Any]) -> None:
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


class Bracket:
    """A method that waits for what is in its brackets."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __getitem__(self, given: Any) -> Any:
        return self.function(given)

    def __call__(self, *arguments: Any) -> Any:
        return self.function(arguments)


# --- where elements are ---


def times(a: Any, b: Any) -> Any:
    """Return a * b, without recording what is known."""
    if (isinstance(a, int) and a == 0) or (isinstance(b, int) and b == 0):
        return 0
    if isinstance(b, int) and b == 1:
        return a
    return b if isinstance(a, int) and a == 1 else a * b


def offset_of(tile: Tile, coordinates: Sequence[Any]) -> Any:
    """The layout's function: the offset of an element, as the swizzle of the tile has it."""
    total = _plain_offset(tile, coordinates)
    return total if tile.swizzle is None else tile.swizzle(total)


def _plain_offset(tile: Tile, coordinates: Sequence[Any]) -> Any:
    """The offset + the sum of coordinate * stride."""
    if len(coordinates) != tile.rank:
        raise fail(f"index: got {len(coordinates)} coordinates, needed {tile.rank} for {tile!r}")
    total: Any = tile.offset
    for c, n, s in zip(coordinates, tile.shape, tile.stride, strict=True):
        check_whole(c)
        if isinstance(c, tuple) and not isinstance(s, tuple):
            raise fail(
                f"index: got {c} for an axis of {tile!r} that is not nested, needed a number"
            )
        step = times(c, s) if not isinstance(s, tuple) else _nested_offset(c, n, s)
        if not (isinstance(step, int) and step == 0):
            total = step if isinstance(total, int) and total == 0 else total + step
    return total


def _nested_offset(coordinate: Any, shape: Any, stride: Any) -> Any:
    """The offset of an index into a mode that is nested, or of a nested coordinate."""
    try:
        return crd2idx(coordinate, shape, stride)
    except (ValueError, TypeError) as error:
        raise fail(f"index: {error}") from None


def element(tile: Tile, coordinates: Sequence[Index]) -> tuple[Any, Any]:
    """Return memory and place of an element: IR values, or in plain Python a Memory and an int."""
    check_counted_from_start(tile, coordinates)
    offset = offset_of(tile, coordinates)
    if isinstance(tile.pointer, Memory):
        return tile.pointer, int(offset)
    return tile.pointer, _index(offset)


def _index(offset: Any) -> Value:
    """The IR value of an element offset."""
    if isinstance(offset, SIMD):
        if offset.dtype is not DType.int64 or offset.width != 1:
            raise fail(f"index: got {offset!r}, needed an int64 scalar; try .cast(int64)")
        return lift(offset)
    builder = current_builder()
    assert builder is not None
    return builder.constant(int(offset), INDEX)


def _step(tile: Tile, width: int) -> tuple[int, Any]:
    """Return how many lanes an access has, and their distance; None where no number is."""
    lanes, step = tile.lanes
    if lanes > 1:
        if width not in (1, lanes):
            raise fail(f"load: got width {width} of {tile!r}, whose elements have {lanes} lanes")
        return lanes, step
    if width == 1 or not tile.rank:
        return width, 1
    return width, None if isinstance(tile.stride[-1], tuple) else tile.stride[-1]


def _lanes(tile: Tile, coordinates: Sequence[Any], width: int, step: Any) -> Any:
    """Return the offset of the first lane where lanes lie side by side, else of each as a SIMD."""
    if isinstance(step, int) and step == 1 and tile.swizzle is None:
        return _plain_offset(tile, coordinates)
    if width == 1:
        return offset_of(tile, coordinates)
    lanes: SIMD = SIMDType(DType.int64, width)(*range(width))
    if step is None:
        *outer, last = coordinates
        offsets = _plain_offset(tile, [*outer, lanes + last])
    else:
        offsets = lanes * step + _plain_offset(tile, coordinates)
    if tile.swizzle is not None:
        offsets = tile.swizzle(offsets)
    return _side_by_side(tile, offsets)


def _side_by_side(tile: Tile, offsets: SIMD) -> Any:
    """Return the first offset where it is known that all are successive, else the offsets."""
    if offsets.is_traced:
        return offsets
    first = int(offsets.value[0])
    successive = (np.diff(offsets.value) == 1).all()
    # An index of a nested or swizzled layout may be known; memory asks for whole vectors then.
    return first if successive and first % offsets.width == 0 else offsets


# --- loads ---


def load(
    tile: Tile,
    width: int,
    *coordinates: Index,
    mask: SIMD | None = None,
    other: Any = 0,
    dtype: DType | None = None,
) -> SIMD:
    """Return `width` elements along the last axis, or one element of a vectorised tile."""
    if mask is None:
        check_counted_from_start(tile, coordinates)
    width, step = _step(tile, width)
    kind = _access_type("load", tile, dtype or tile.dtype, width)
    if kind.dtype is not tile.dtype and not (isinstance(step, int) and step == 1):
        raise fail(
            f"load: got a tile with stride {step} read as {kind.dtype.name}; needed stride 1"
        )
    if isinstance(step, int) and step == 0 and mask is None:
        return _load_at(tile, offset_of(tile, coordinates), VectorType(kind.dtype)).splat(width)
    offset = _lanes(tile, coordinates, width, step)
    mask = _mask("load", mask, width)
    if isinstance(offset, SIMD) and offset.width > 1:
        return _gather(tile, offset, mask, other)
    return _load_at(tile, offset, kind, mask, other)


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


# --- stores ---


def store(tile: Tile, width: int, *arguments: Any, mask: SIMD | None = None) -> None:
    """Write `width` elements along the last axis, or one element of a vectorised tile."""
    *coordinates, value = arguments
    if mask is None:
        check_counted_from_start(tile, coordinates)
    if hasattr(value, "store_into"):
        value.store_into(tile, coordinates)
        return
    width, step = _step(tile, width)
    _access_type("store", tile, tile.dtype, width)
    value = _value(tile, value, width)
    offset, mask = _lanes(tile, coordinates, width, step), _mask("store", mask, width)
    if isinstance(offset, SIMD) and offset.width > 1:
        _scatter(tile, offset, value, mask)
    elif isinstance(tile.pointer, Memory):
        _store_concrete(tile, int(offset), value, mask)
    else:
        _emit("store", tile, _index(offset), value, mask)


def _value(tile: Tile, value: Any, width: int) -> SIMD:
    if not isinstance(value, SIMD):
        return SIMDType(tile.dtype, width)(value)
    if value.dtype is not tile.dtype:
        raise fail(
            f"store: got {value.dtype.name} for a tile of {tile.dtype.name}; "
            f"try .cast({tile.dtype.name})"
        )
    return value.splat(width)


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


# --- beside them ---


def prefetch(tile: Tile, *coordinates: Index) -> None:
    """Ask for the cache line of an element; changes nothing but time."""
    builder = current_builder()
    if builder is not None and isinstance(tile.pointer, Value):
        builder.emit("prefetch", [tile.pointer, _index(offset_of(tile, coordinates))])


def edge_mask(tile: Tile, width: int, *coordinates: Index) -> SIMD:
    """Return which of `width` elements along the last axis there are in the memory around a tile.

    A tile cut from a larger one reaches past its edge where its shape doesn't divide it.
    """
    if len(coordinates) != tile.rank:
        raise fail(f"mask: got {len(coordinates)} coordinates, needed {tile.rank} for {tile!r}")
    if tile.lanes[0] > 1:
        raise fail(f"mask: got {tile!r}; try the mask of the tile that was vectorised")
    mask: SIMD | None = None
    last = tile.rank - 1
    lanes = SIMDType(DType.int64, width)(*range(width))
    for axis, (c, n) in enumerate(zip(coordinates, tile.extent, strict=True)):
        is_there = (lanes + c if axis == last else lanes * 0 + c) < n
        mask = is_there if mask is None else mask & is_there
    return SIMDType(DType.bool, width)(True) if mask is None else mask
