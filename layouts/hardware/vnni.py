"""Dot products within a SIMD lane: AVX-512 VNNI and BF16, and Arm's dot and matrix products."""

from __future__ import annotations

from typing import NamedTuple

from tensorlib.errors import LayoutError
from tensorlib.layouts.hardware.atom import MMAAtom
from tensorlib.layouts.layout import Layout

__all__ = ["lane_dot", "register_product"]

X86 = "Intel SDM volume 2, {0}, https://www.felixcloutier.com/x86/{1}"
ARM = "Arm A64 instruction set, {0}, https://developer.arm.com/documentation/ddi0602/latest/"


class Dot(NamedTuple):
    """A row of the tables: k elements of A and B a step, dtypes, lanes of 32 bits, manual."""

    k: int
    a_dtype: str
    b_dtype: str
    c_dtype: str
    lanes: tuple[int, ...]
    spec: str


# C[lane] += A[0 .. k) . B[lane, 0 .. k): A is one group of k, broadcast to all lanes
DOT_ROWS = {
    "vpdpbusd": Dot(4, "s8", "u8", "s32", (4, 8, 16), X86),
    "vpdpwssd": Dot(2, "s16", "s16", "s32", (4, 8, 16), X86),
    "vdpbf16ps": Dot(2, "bf16", "bf16", "f32", (4, 8, 16), X86),
    "sdot": Dot(4, "s8", "s8", "s32", (4,), ARM),
    "udot": Dot(4, "u8", "u8", "u32", (4,), ARM),
    "bfdot": Dot(2, "bf16", "bf16", "f32", (4,), ARM),
}
# C (2, 2) += A (2, k) B (2, k)^T, all three in 128-bit registers, row after row
PRODUCT_ROWS = {
    "smmla": Dot(8, "s8", "s8", "s32", (4,), ARM),
    "ummla": Dot(8, "u8", "u8", "u32", (4,), ARM),
    "usmmla": Dot(8, "u8", "s8", "s32", (4,), ARM),
    "bfmmla": Dot(4, "bf16", "bf16", "f32", (4,), ARM),
}


def lane_dot(name: str, lanes: int | None = None) -> MMAAtom:
    """Return a dot-product instruction as C (1, lanes) += A (1, k) B (lanes, k)^T.

    Threads are the lanes of 32 bits: a lane holds k neighbours along K of one column of B and one
    sum; A's k elements are broadcast to all. B is "vnni_packed" with blocks of `lanes` columns. Of
    `vpdpbusd` the broadcast A is the signed operand, the one that may come from memory. Without
    `lanes` the widest register counts. Source: Intel SDM volume 2; Arm A64, SDOT (by element).
    Raises LayoutError for unknown names and widths.

    >>> atom = lane_dot("vpdpbusd")
    >>> atom.shape, atom.a, atom.b, atom.c
    ((1, 16, 4), (16,4):(0,1), (16,4):(1,16), (16,1):(1,0))
    """
    row = _row("lane_dot", DOT_ROWS, name)
    lanes = row.lanes[-1] if lanes is None else lanes
    if lanes not in row.lanes:
        widths = ", ".join(map(str, row.lanes))
        raise LayoutError(f"lane_dot: got {lanes} lanes for {name}, needed one of {widths}")
    return MMAAtom(
        f"{name}.m1n{lanes}k{row.k}",
        (1, lanes, row.k),
        a=Layout((lanes, row.k), (0, 1)),
        b=Layout((lanes, row.k), (1, lanes)),
        c=Layout((lanes, 1), (1, 0)),
        a_dtype=row.a_dtype,
        b_dtype=row.b_dtype,
        c_dtype=row.c_dtype,
        threads=lanes,
        spec=row.spec.format(name.upper(), name),
    )


def register_product(name: str) -> MMAAtom:
    """Return Arm's 2 x 2 product C (2, 2) += A (2, k) B (2, k)^T within 128-bit registers.

    One thread; value i is element i of the register, row after row. Source: Arm A64, SMMLA and
    BFMMLA. Raises LayoutError for unknown names.

    >>> atom = register_product("bfmmla")
    >>> atom.shape, atom.a, atom.c
    ((2, 2, 4), (1,(4,2)):(0,(2,1)), (1,(2,2)):(0,(2,1)))
    """
    row = _row("register_product", PRODUCT_ROWS, name)
    operand = Layout((1, (row.k, 2)), (0, (2, 1)))
    return MMAAtom(
        f"{name}.m2n2k{row.k}",
        (2, 2, row.k),
        a=operand,
        b=operand,
        c=Layout((1, (2, 2)), (0, (2, 1))),
        a_dtype=row.a_dtype,
        b_dtype=row.b_dtype,
        c_dtype=row.c_dtype,
        threads=1,
        spec=row.spec.format(name.upper(), name),
    )


def _row(where: str, rows: dict[str, Dot], name: str) -> Dot:
    if name not in rows:
        raise LayoutError(f"{where}: got {name!r}, needed one of {', '.join(rows)}")
    return rows[name]
