"""Packed block formats: one row each, and their exact decoding and quantisation with NumPy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tensorlib.dtypes import DType
from tensorlib.errors import DTypeError, ShapeError

__all__ = ["BLOCK_FORMATS", "BlockFormat", "pack", "row_bytes", "unpack"]

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]
# The float32 scale of each block, and its minimum where the format has one.
Scales = tuple[Floats, Floats | None]


@dataclass(frozen=True, slots=True)
class BlockFormat:
    """How a block lies in memory: float16 scale [, float16 minimum], then the quants.

    An element is `(q - zero) * scale [+ minimum]`, each step rounded to float32. Quants of 8 bits
    are signed bytes. Quants of 4 bits share bytes: byte j holds element j in its low half and
    element j + block_elements / 2 in its high half. `scales` chooses a block's scale and minimum.
    """

    dtype: DType
    bits: int
    zero: int
    has_minimum: bool
    scales: Callable[[Floats], Scales]

    @property
    def header_bytes(self) -> int:
        """Bytes before the quants: the float16 scale and, where there is one, the minimum."""
        return 4 if self.has_minimum else 2


def _signed_maximum_over_minus_8(blocks: Floats) -> Scales:
    largest = np.abs(blocks).argmax(axis=-1)[:, None]
    return np.take_along_axis(blocks, largest, axis=-1) / np.float32(-8), None


def _range_over_15(blocks: Floats) -> Scales:
    minimum = blocks.min(axis=-1, keepdims=True)
    return (blocks.max(axis=-1, keepdims=True) - minimum) / np.float32(15), minimum


def _magnitude_over_127(blocks: Floats) -> Scales:
    return np.abs(blocks).max(axis=-1, keepdims=True) / np.float32(127), None


# The scales are those of ggml's quantize_row_*_ref.
BLOCK_FORMATS: dict[DType, BlockFormat] = {
    row.dtype: row
    for row in (
        #           dtype       bits zero minimum scales
        BlockFormat(DType.q4_0, 4,   8,   False,  _signed_maximum_over_minus_8),
        BlockFormat(DType.q4_1, 4,   0,   True,   _range_over_15),
        BlockFormat(DType.q8_0, 8,   0,   False,  _magnitude_over_127),
    )
}  # fmt: skip


def row_bytes(elements: int, dtype: DType) -> int:
    """Return the bytes of a row of `elements` elements; a row is a whole number of blocks.

    >>> row_bytes(64, DType.q4_1)
    40
    """
    _format(dtype, "row_bytes")
    if elements % dtype.block_elements:
        raise ShapeError(
            f"row_bytes: got rows of {elements} elements, needed a multiple of "
            f"{dtype.block_elements}, the block of {dtype.name}"
        )
    return dtype.nbytes(elements)


def unpack(data: npt.NDArray[Any], dtype: DType, shape: tuple[int, ...]) -> Floats:
    """Return the float32 array of `shape` that the uint8 array `data` of whole rows encodes.

    The same bits as ggml's `dequantize_row_*`: multiply, then add, each rounded to float32.
    Raises DTypeError where `dtype` is not packed or `data` not uint8, ShapeError where the number
    of bytes is not that of `shape`.

    >>> block = np.array([0, 0x3C] + [0x98] * 16, np.uint8)  # scale 1.0, quants 8 and 9
    >>> unpack(block, DType.q4_0, (32,))[[0, 31]]
    array([0., 1.], dtype=float32)
    """
    row = _format(dtype, "unpack")
    if data.dtype != np.uint8:
        raise DTypeError(f"unpack: got data of dtype {data.dtype}, needed uint8")
    needed = _packed_bytes(shape, dtype)
    if data.size != needed:
        raise ShapeError(
            f"unpack: got {data.size} bytes for {dtype.name} of shape {shape}, needed {needed}"
        )
    blocks = data.reshape(-1, dtype.block_bytes)
    values = _quants(blocks[:, row.header_bytes :], row)
    with np.errstate(all="ignore"):  # a damaged file may hold scales that are not finite
        values *= _float16(blocks[:, 0:2])
        if row.has_minimum:
            values += _float16(blocks[:, 2:4])
    return values.reshape(shape)


def pack(array: npt.NDArray[Any], dtype: DType) -> Bytes:
    """Return `array` quantised to `dtype`: uint8 of shape `(*array.shape[:-1], row bytes)`.

    The same bytes as ggml's `quantize_row_*_ref`. Raises DTypeError where `dtype` is not packed
    or a block's scale does not fit float16, ShapeError where rows are not whole blocks.

    >>> pack(np.ones((3, 64), np.float32), DType.q8_0).shape
    (3, 68)
    """
    row = _format(dtype, "pack")
    if array.ndim == 0:
        raise ShapeError("pack: got a scalar, needed an array of at least one axis")
    width = row_bytes(array.shape[-1], dtype)
    blocks = np.ascontiguousarray(array, np.float32).reshape(-1, dtype.block_elements)
    with np.errstate(all="ignore"):
        scale, minimum = row.scales(blocks)
        halves = [part.astype("<f2") for part in (scale, minimum) if part is not None]
        quants = _quantised(blocks, scale, minimum, row)
    if not all(np.isfinite(half).all() for half in halves):
        raise DTypeError(
            f"pack: got values that are not finite or too large, needed ones whose {dtype.name} "
            "scale fits float16"
        )
    packed = np.concatenate([*(half.view(np.uint8) for half in halves), quants], axis=-1)
    return packed.reshape(*array.shape[:-1], width)


def _format(dtype: DType, where: str) -> BlockFormat:
    if dtype not in BLOCK_FORMATS:
        known = ", ".join(known.name for known in BLOCK_FORMATS)
        raise DTypeError(f"{where}: got dtype {dtype.name}, needed a packed one: {known}")
    return BLOCK_FORMATS[dtype]


def _packed_bytes(shape: tuple[int, ...], dtype: DType) -> int:
    if not shape:
        raise ShapeError(f"unpack: got shape () for {dtype.name}, needed at least one axis")
    rows = 1
    for size in shape[:-1]:
        rows *= size
    return rows * row_bytes(shape[-1], dtype)


def _float16(halves: Bytes) -> Floats:
    """Return the little-endian float16 in each row of two bytes, as a float32 column."""
    return np.ascontiguousarray(halves).view("<f2").astype(np.float32)


def _quants(stored: Bytes, row: BlockFormat) -> Floats:
    """Return the quants less their zero point as float32, one block a row."""
    values = np.empty((len(stored), row.dtype.block_elements), np.float32)
    if row.bits == 8:
        values[:] = stored.view(np.int8)
    else:
        half = row.dtype.block_elements // 2
        values[:, :half] = stored & 0x0F
        values[:, half:] = stored >> 4
    if row.zero:
        values -= np.float32(row.zero)
    return values


def _quantised(blocks: Floats, scale: Floats, minimum: Floats | None, row: BlockFormat) -> Bytes:
    """Return the stored quants, one block a row."""
    inverse = np.float32(1) / scale
    inverse[~np.isfinite(inverse)] = 0  # a block of equal values has no scale
    ratios = (blocks if minimum is None else blocks - minimum) * inverse
    if row.bits == 8:
        return _rounded(ratios).astype(np.int8).view(np.uint8)
    whole = np.trunc(ratios + np.float32(row.zero + 0.5))
    quants: Bytes = np.nan_to_num(whole).clip(0, 15).astype(np.uint8)
    half = row.dtype.block_elements // 2
    return quants[:, :half] | quants[:, half:] * np.uint8(16)


def _rounded(values: Floats) -> Floats:
    """Round to the nearest integer, halves away from zero, as C's roundf does."""
    magnitude = np.abs(np.nan_to_num(values))
    whole = np.floor(magnitude)
    whole += (magnitude - whole) >= np.float32(0.5)
    return np.copysign(whole, values)
