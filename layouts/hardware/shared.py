"""Operands of `wgmma` in shared memory: swizzled tiles, and the strides of their descriptors."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from tensorlib.errors import LayoutError
from tensorlib.layouts.composed import AnyLayout, ComposedLayout
from tensorlib.layouts.divide import tile_to_shape
from tensorlib.layouts.layout import Layout
from tensorlib.layouts.swizzle import Swizzle

__all__ = ["Descriptor", "Major", "canonical_tile", "descriptor", "shared_tile", "swizzle_atom"]

Major: TypeAlias = Literal["k", "mn"]
CHUNK = 128  # bits: what stays together under every swizzle
SWIZZLES = {0: 0, 32: 1, 64: 2, 128: 3}  # bytes a row -> bits of the swizzle
MODES = {0: 0, 128: 1, 64: 2, 32: 3}  # bytes a row -> field of the descriptor


class Descriptor(NamedTuple):
    """The matrix descriptor of an operand: strides in bytes (LBO, SBO) and swizzle bytes a row."""

    leading: int
    stride: int
    swizzle: int = 128

    def encode(self, start: int) -> int:
        """Return the 64-bit descriptor of the operand at a shared-memory address in bytes.

        Bits 0-13, 16-29 and 32-45 hold start, LBO and SBO in units of 16 bytes, 62-63 the swizzle.
        Source: PTX ISA 9.2, "Matrix Descriptor Format". Raises LayoutError unless all three are
        multiples of 16 below 2^18.

        >>> hex(Descriptor(16, 1024).encode(0x400))
        '0x4000004000010040'
        """
        fields = (start, self.leading, self.stride)
        if any(not 0 <= field < 1 << 18 or field % 16 for field in fields):
            raise LayoutError(
                f"encode: got start {start} and {self}, needed multiples of 16 below 2^18"
            )
        words = sum(field >> 4 << shift for field, shift in zip(fields, (0, 16, 32), strict=True))
        return words | MODES[self.swizzle] << 62


def swizzle_atom(bits: int, major: Major = "k", swizzle: int = 128) -> ComposedLayout:
    """Return the swizzled block of 8 rows that shared tiles repeat, for elements of `bits`.

    A row is `swizzle` bytes along the major axis: 128, 64 or 32, or 0 for 16 bytes without a
    swizzle. Coordinates are (row, k); "mn" swaps which of them is contiguous. Offsets are in
    elements. Source: PTX ISA 9.2, table 38; CUTLASS, `GMMA::Layout_K_SW128_Atom`. Raises
    LayoutError for other widths.

    >>> swizzle_atom(16), swizzle_atom(32, "mn", 64)
    (Sw<3,3,3> o 0 o (8,64):(64,1), Sw<2,2,3> o 0 o (16,8):(1,16))
    """
    chunk, width = _widths("swizzle_atom", bits, swizzle)
    inner = Layout((8, width), (width, 1)) if major == "k" else Layout((width, 8), (1, width))
    return ComposedLayout(Swizzle(SWIZZLES[swizzle], chunk.bit_length() - 1, 3), 0, inner)


def shared_tile(
    shape: tuple[int, int],
    bits: int,
    major: Major = "k",
    swizzle: int = 128,
    order: tuple[int, int] | None = None,
) -> ComposedLayout:
    """Return the layout (row, k) -> element of a tile that `wgmma` reads, blocks in `order`.

    Raises LayoutError unless the tile is whole swizzle atoms.

    >>> shared_tile((64, 64), 16)
    Sw<3,3,3> o 0 o ((8,8),(64,1)):((64,512),(1,0))
    """
    atom = swizzle_atom(bits, major, swizzle)
    assert isinstance(atom.inner, Layout)
    if any(size % part for size, part in zip(shape, atom.shape, strict=True)):
        raise LayoutError(f"shared_tile: got {shape}, needed multiples of {atom.shape}")
    return atom.over(tile_to_shape(atom.inner, shape, order))


def canonical_tile(
    shape: tuple[int, int], bits: int, major: Major, offsets: Descriptor
) -> ComposedLayout:
    """Return the layout (row, k) -> element that a descriptor means for an operand of this shape.

    K-major: ((8, m), (T, 2)) : ((W T, SBO), (1, T or LBO)); MN-major: ((T, W, m), (8, k)) :
    ((1, T, LBO), (W T, SBO)), without a swizzle ((T, 1, m), (8, k)) : ((1, T, SBO), (T, LBO)),
    where T elements are 16 bytes and W such chunks a row of the swizzle. Source: PTX ISA 9.2,
    section 9.7.15.5.1.2 (canonical layouts); CUTLASS, `make_gmma_desc`. Raises LayoutError unless
    the shape is whole rows of chunks.

    >>> canonical_tile((64, 16), 16, "k", Descriptor(16, 1024))
    Sw<3,3,3> o 0 o ((8,8),(8,2)):((64,512),(1,8))
    """
    swizzle = offsets.swizzle
    chunk, width = _widths("canonical_tile", bits, swizzle)
    leading, stride = offsets.leading * 8 // bits, offsets.stride * 8 // bits
    across = max(chunk, min(width, shape[0]))  # of a row of the swizzle, MN-major
    unit = (8, chunk) if major == "k" else (across, 8)
    if any(size <= 0 or size % part for size, part in zip(shape, unit, strict=True)):
        raise LayoutError(f"canonical_tile: got {shape}, {major}-major, needed multiples of {unit}")
    if major == "k":
        sizes = ((8, shape[0] // 8), (chunk, shape[1] // chunk))
        inner = Layout(sizes, ((width, stride), (1, chunk if swizzle else leading)))
    else:
        parts = ((chunk, across // chunk, shape[0] // across), (8, shape[1] // 8))
        row, column = (leading, stride) if swizzle else (stride, leading)
        inner = Layout(parts, ((1, chunk, row), (width, column)))
    return ComposedLayout(Swizzle(SWIZZLES[swizzle], chunk.bit_length() - 1, 3), 0, inner)


def descriptor(tile: AnyLayout, bits: int, major: Major = "k", swizzle: int = 128) -> Descriptor:
    """Return the descriptor strides of one instruction's operand (rows, k) in shared memory.

    `tile` is the whole operand or the `partition` of a larger tile, without its start address.
    A stride that the instruction doesn't use is 0, or 16 as CUTLASS has it. Raises LayoutError
    unless the tile is canonical: then no descriptor describes it.

    >>> descriptor(shared_tile((64, 64), 16), 16)
    Descriptor(leading=16, stride=1024, swizzle=128)
    >>> descriptor(shared_tile((128, 16), 16, "mn"), 16, "mn")
    Descriptor(leading=1024, stride=2048, swizzle=128)
    """
    inner = tile.inner if isinstance(tile, ComposedLayout) else tile
    if inner.rank != 2 or isinstance(inner, ComposedLayout):
        raise LayoutError(f"descriptor: got {tile}, needed a matrix (row, k)")
    rows, columns = (int(mode.size) for mode in inner.modes)
    chunk, width = _widths("descriptor", bits, swizzle)
    size = bits // 8
    if major == "k":
        leading = inner(0, chunk) if columns > chunk and not swizzle else chunk
        stride = inner(8, 0) if rows > 8 else 0
    else:
        row_step = inner(width, 0) if rows > width else 0
        column_step = inner(0, 8) if columns > 8 else 0
        leading, stride = (row_step, column_step) if swizzle else (column_step, row_step)
    found = Descriptor(leading * size, stride * size, swizzle)
    _require_canonical(tile, (rows, columns), bits, major, found)
    return found


def _require_canonical(
    tile: AnyLayout, shape: tuple[int, int], bits: int, major: Major, found: Descriptor
) -> None:
    wanted = canonical_tile(shape, bits, major, found)
    inner, outer = (tile.inner, tile.outer) if isinstance(tile, ComposedLayout) else (tile, None)
    same_outer = outer == wanted.outer or (outer is None and not found.swizzle)
    if not (same_outer and np.array_equal(inner.table(), wanted.inner.table())):
        raise LayoutError(
            f"descriptor: got {tile} of {bits} bits, {major}-major, swizzle {found.swizzle}; "
            f"needed {wanted}; try shared_tile"
        )


def _widths(where: str, bits: int, swizzle: int) -> tuple[int, int]:
    """Return elements a 16-byte chunk and a row."""
    if bits not in (8, 16, 32, 64) or swizzle not in SWIZZLES:
        raise LayoutError(
            f"{where}: got {bits} bits and swizzle {swizzle}, needed 8, 16, 32 or 64 bits and a "
            "swizzle of 0, 32, 64 or 128 bytes"
        )
    chunk = CHUNK // bits
    return chunk, chunk * max(1, swizzle // 16)
