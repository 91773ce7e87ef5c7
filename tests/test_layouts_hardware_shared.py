"""Shared-memory operands of `wgmma`: addresses by the PTX manual, descriptors, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from tensorlib.errors import LayoutError
from tensorlib.layouts import Layout, local_tile
from tensorlib.layouts.hardware import (
    Descriptor,
    canonical_tile,
    descriptor,
    shared_tile,
    swizzle_atom,
    wgmma,
)
from tensorlib.tests.instruction_models import operand_address

DTYPE = {8: "s8", 16: "bf16", 32: "tf32"}
SWIZZLES = (0, 32, 64, 128)


def whole(bits: int, major: str, swizzle: int) -> tuple[int, int]:
    """A tile of several atoms both ways, and of several instructions along K."""
    rows, columns = swizzle_atom(bits, major, swizzle).shape
    k = wgmma(64, DTYPE[bits]).shape[2]
    return max(128, 2 * rows), max(2 * k, 2 * columns)


@pytest.mark.parametrize("swizzle", SWIZZLES)
@pytest.mark.parametrize("major", ["k", "mn"])
@pytest.mark.parametrize("bits", [8, 16, 32])
def test_the_instruction_reads_what_the_tile_wrote(bits: int, major: str, swizzle: int) -> None:
    """Every instruction of a larger tile, from the descriptor's start and strides alone.

    Of MN-major operands the instruction takes 16 bits only; the layouts are there for all sizes.
    """
    rows, columns = whole(bits, major, swizzle)
    tile = shared_tile((rows, columns), bits, major, swizzle)
    memory = np.full(rows * columns, -1)
    memory[tile.table()] = np.arange(rows * columns)
    check_instructions(memory, tile, bits, major, swizzle)


def check_instructions(memory, tile, bits, major, swizzle):
    atom, size = wgmma(64, DTYPE[bits]), bits // 8
    k = atom.shape[2]
    rows, columns = (mode.size for mode in tile.modes)
    for i in range(rows // 64):
        for j in range(columns // k):
            part, start = local_tile(tile.inner, (64, k), (i, j))
            leading, stride, _ = descriptor(tile.over(part), bits, major, swizzle)
            for row in range(0, 64, 5):
                for step in range(k):
                    address = operand_address(
                        row, step, size, major, swizzle, leading, stride, start * size
                    )
                    element = (64 * i + row) + rows * (k * j + step)
                    assert address % size == 0
                    assert memory[address // size] == element


@pytest.mark.parametrize("swizzle", SWIZZLES)
@pytest.mark.parametrize("major", ["k", "mn"])
@pytest.mark.parametrize("bits", [8, 16, 32, 64])
def test_atoms_are_rows_of_swizzle_bytes(bits: int, major: str, swizzle: int) -> None:
    """PTX table 38: 8 rows of `swizzle` bytes (16 without), a bijection of their 16-byte chunks."""
    atom = swizzle_atom(bits, major, swizzle)
    chunk, width = 128 // bits, max(16, swizzle) * 8 // bits
    assert tuple(mode.size for mode in atom.modes) == ((8, width) if major == "k" else (width, 8))
    assert sorted(atom.table().tolist()) == list(range(8 * width))
    for i in range(8):
        for along in range(width):
            offset = i * width + along
            address = offset * bits // 8
            mask = max(1, swizzle // 16) - 1
            wanted = (address ^ (((address >> 7) & mask) << 4)) * 8 // bits
            at = (i, along) if major == "k" else (along, i)
            assert atom(*at) == wanted
            assert wanted % chunk == along % chunk


def test_chunks_of_a_column_lie_in_eight_different_bank_groups() -> None:
    atom = swizzle_atom(16, "k", 128)
    assert {atom(row, 0) * 2 % 128 // 16 for row in range(8)} == set(range(8))


def test_partition_of_a_swizzled_tile_keeps_the_offset_inside() -> None:
    tile, atom = shared_tile((128, 64), 16), wgmma(64, "bf16")
    values, offset = atom.partition_a(tile, 5)
    assert offset == 0
    for m in range(0, 64, 7):
        for k in range(16):
            assert values((m, k), 1, 2) == tile(64 + m, 32 + k)
    operand = values.sliced((None, 1, 2))
    inner = operand.inner.mode(0)
    assert descriptor(operand.over(inner), 16) == Descriptor(16, 1024)


def test_canonical_layouts_as_the_manual_writes_them() -> None:
    leading, stride = 4096, 512
    shown = {
        ("k", 0): "((8,8),(8,2)):((8,256),(1,2048))",
        ("k", 32): "((8,8),(8,2)):((16,256),(1,8))",
        ("k", 64): "((8,8),(8,2)):((32,256),(1,8))",
        ("k", 128): "((8,8),(8,2)):((64,256),(1,8))",
        ("mn", 0): "((8,1,8),(8,2)):((1,8,256),(8,2048))",
        ("mn", 32): "((8,2,4),(8,2)):((1,8,2048),(16,256))",
        ("mn", 64): "((8,4,2),(8,2)):((1,8,2048),(32,256))",
        ("mn", 128): "((8,8,1),(8,2)):((1,8,2048),(64,256))",
    }
    for (major, swizzle), text in shown.items():
        assert (
            str(canonical_tile((64, 16), 16, major, Descriptor(leading, stride, swizzle)).inner)
            == text
        )


def test_fields_of_a_descriptor() -> None:
    """PTX: start, LBO and SBO without four low bits at 0, 16, 32; swizzle mode at 62."""
    for swizzle, mode in ((0, 0), (128, 1), (64, 2), (32, 3)):
        word = Descriptor(0x230, 0x3FFF0, swizzle).encode(0x12340)
        assert word & 0x3FFF == 0x1234
        assert word >> 16 & 0x3FFF == 0x23
        assert word >> 32 & 0x3FFF == 0x3FFF
        assert word >> 62 == mode
        assert word.bit_count() == sum(field.bit_count() for field in (0x1234, 0x23, 0x3FFF, mode))
    message = r"encode: got start 8 and Descriptor\(.*\), needed multiples of 16 below 2\^18"
    with pytest.raises(LayoutError, match=message):
        Descriptor(16, 1024).encode(8)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: swizzle_atom(4), "swizzle_atom: got 4 bits and swizzle 128, needed 8, 16, 32 or"),
        (lambda: swizzle_atom(16, "k", 16), "swizzle of 0, 32, 64 or 128 bytes"),
        (
            lambda: canonical_tile((4, 16), 16, "k", Descriptor(0, 0, 0)),
            r"canonical_tile: got \(4, 16\), k-major, needed multiples of \(8, 8\)",
        ),
        (
            lambda: canonical_tile((12, 8), 16, "mn", Descriptor(0, 0, 0)),
            r"canonical_tile: got \(12, 8\), mn-major, needed multiples of \(8, 8\)",
        ),
        (lambda: shared_tile((64, 32), 16), r"shared_tile: got \(64, 32\), needed multiples of"),
        (lambda: descriptor(Layout((64, 16)), 16), "needed Sw<3,3,3> .*; try shared_tile"),
        (lambda: descriptor(Layout((64, 16), (16, 1)), 16, "k", 0), "needed Sw<0,3,3> o 0 o"),
        (lambda: descriptor(shared_tile((64, 128), 16), 16), "descriptor: got .* needed Sw<3,3,3>"),
        (lambda: descriptor(shared_tile((64, 64), 16), 16, "k", 64), "k-major, swizzle 64; needed"),
        (lambda: descriptor(Layout(64), 16), r"descriptor: got 64:1, needed a matrix \(row, k\)"),
    ],
)
def test_what_no_descriptor_describes_is_refused(call, message: str) -> None:
    with pytest.raises(LayoutError, match=message):
        call()
