"""NVIDIA's warp-wide `mma.sync` instructions: one row an instruction, its fragments as layouts."""

from __future__ import annotations

from functools import cache

from tensorlib.errors import LayoutError
from tensorlib.layouts.hardware.atom import MMAAtom
from tensorlib.layouts.layout import Layout

__all__ = ["mma", "mma_names"]

PTX = "https://docs.nvidia.com/cuda/parallel-thread-execution/"

# Fragments, (lane, value) -> index with rows fastest, named operand_rowsXcolumns_pack. Lane is
# 4 x group + place: the group is the row of A and C (the column of B), the place says which part of
# a row it holds; `pack` neighbours along K fill a register: 1 of tf32, 2 of f16, 4 of int8.
A_16X4_1 = Layout(((4, 8), 2), ((16, 1), 8))
A_16X8_1 = Layout(((4, 8), (2, 2)), ((16, 1), (8, 64)))
A_16X8_2 = Layout(((4, 8), (2, 2)), ((32, 1), (16, 8)))
A_16X16_1 = Layout(((4, 8), (2, 4)), ((16, 1), (8, 64)))
A_16X16_2 = Layout(((4, 8), (2, 2, 2)), ((32, 1), (16, 8, 128)))
A_16X16_4 = Layout(((4, 8), (4, 2)), ((64, 1), (16, 8)))
A_16X32_4 = Layout(((4, 8), (4, 2, 2)), ((64, 1), (16, 8, 256)))
A_8X4_1 = Layout(((4, 8), 1), ((8, 1), 0))
A_8X16_4 = Layout(((4, 8), 4), ((32, 1), 8))

B_8X4_1 = Layout(((4, 8), 1), ((8, 1), 0))
B_8X8_1 = Layout(((4, 8), 2), ((8, 1), 32))
B_8X8_2 = Layout(((4, 8), 2), ((16, 1), 8))
B_8X16_1 = Layout(((4, 8), 4), ((8, 1), 32))
B_8X16_2 = Layout(((4, 8), (2, 2)), ((16, 1), (8, 64)))
B_8X16_4 = Layout(((4, 8), 4), ((32, 1), 8))
B_8X32_4 = Layout(((4, 8), (4, 2)), ((32, 1), (8, 128)))

C_16X8 = Layout(((4, 8), (2, 2)), ((32, 1), (16, 8)))
C_8X8 = Layout(((4, 8), 2), ((16, 1), 8))

# (M, N, K), names of A and B, names of C, fragments, section of the PTX manual, version 9.2
MMA_ROWS: tuple[tuple[tuple[int, int, int], str, str, tuple[Layout, Layout, Layout], str], ...] = (
    # tf32: 32-bit registers with one value each
    ((16, 8, 4), "tf32", "f32", (A_16X4_1, B_8X4_1, C_16X8), "9.7.14.5.6"),
    ((16, 8, 8), "tf32", "f32", (A_16X8_1, B_8X8_1, C_16X8), "9.7.14.5.7"),
    # f16 and bf16: pairs along K
    ((16, 8, 8), "f16", "f16 f32", (A_16X8_2, B_8X8_2, C_16X8), "9.7.14.5.7"),
    ((16, 8, 8), "bf16", "f32", (A_16X8_2, B_8X8_2, C_16X8), "9.7.14.5.7"),
    ((16, 8, 16), "f16", "f16 f32", (A_16X16_2, B_8X16_2, C_16X8), "9.7.14.5.8"),
    ((16, 8, 16), "bf16", "f32", (A_16X16_2, B_8X16_2, C_16X8), "9.7.14.5.8"),
    # int8: fours along K
    ((8, 8, 16), "s8 u8", "s32", (A_8X16_4, B_8X16_4, C_8X8), "9.7.14.5.3"),
    ((16, 8, 16), "s8 u8", "s32", (A_16X16_4, B_8X16_4, C_16X8), "9.7.14.5.9"),
    ((16, 8, 32), "s8 u8", "s32", (A_16X32_4, B_8X32_4, C_16X8), "9.7.14.5.10"),
    # fp8: fours along K
    ((16, 8, 16), "e4m3 e5m2", "f16 f32", (A_16X16_4, B_8X16_4, C_16X8), "9.7.14.5.9"),
    ((16, 8, 32), "e4m3 e5m2", "f16 f32", (A_16X32_4, B_8X32_4, C_16X8), "9.7.14.5.10"),
    # f64: 64-bit registers with one value each
    ((8, 8, 4), "f64", "f64", (A_8X4_1, B_8X4_1, C_8X8), "9.7.14.5.2"),
    ((16, 8, 4), "f64", "f64", (A_16X4_1, B_8X4_1, C_16X8), "9.7.14.5.6"),
    ((16, 8, 8), "f64", "f64", (A_16X8_1, B_8X8_1, C_16X8), "9.7.14.5.7"),
    ((16, 8, 16), "f64", "f64", (A_16X16_1, B_8X16_1, C_16X8), "9.7.14.5.8"),
)


@cache
def _atoms() -> dict[str, MMAAtom]:
    found = {}
    for shape, operands, results, (a, b, c), section in MMA_ROWS:
        for dtype in operands.split():
            for place, result in enumerate(reversed(results.split())):
                name = "m{}n{}k{}.".format(*shape) + dtype + (f".{result}" if place else "")
                spec = f"PTX ISA 9.2, {section}, {PTX}"
                found[name] = MMAAtom(name, shape, a, b, c, dtype, dtype, result, 32, spec)
    return found


def mma(name: str) -> MMAAtom:
    """Return the `mma.sync` instruction of this name, as "m16n8k16.bf16".

    The name gives the shape and the type of A and B; C is f32 or s32, and "m16n8k16.f16.f16"
    collects in f16. Both multiplicands have one type here: the mixed instructions (s8 with u8,
    e4m3 with e5m2) have the same layouts. Source: PTX ISA 9.2, section 9.7.14.5. Raises LayoutError
    for unknown names.

    >>> atom = mma("m16n8k16.bf16")
    >>> atom.shape, atom.a, atom.c_dtype
    ((16, 8, 16), ((4,8),(2,2,2)):((32,1),(16,8,128)), 'f32')
    """
    atoms = _atoms()
    if name not in atoms:
        raise LayoutError(f"mma: got {name!r}, needed one of {', '.join(sorted(atoms))}")
    return atoms[name]


def mma_names() -> tuple[str, ...]:
    """Return the names that `mma` knows.

    >>> len(mma_names()), mma_names()[0]
    (26, 'm16n8k4.tf32')
    """
    return tuple(_atoms())
