"""Intel AMX: tile products, their operands as layouts, and the VNNI packing that B needs."""

from __future__ import annotations

from tensorlib.errors import LayoutError
from tensorlib.layouts.hardware.atom import MMAAtom
from tensorlib.layouts.layout import Layout

__all__ = ["amx", "vnni_packed"]

SDM = "Intel SDM volume 2, {}, https://www.felixcloutier.com/x86/{}"

# names of A and B, instruction, name of C, bytes of one element of A and B
AMX_ROWS = {
    ("bf16", "bf16"): ("TDPBF16PS", "f32", 2),
    ("f16", "f16"): ("TDPFP16PS", "f32", 2),
    ("s8", "s8"): ("TDPBSSD", "s32", 1),
    ("s8", "u8"): ("TDPBSUD", "s32", 1),
    ("u8", "s8"): ("TDPBUSD", "s32", 1),
    ("u8", "u8"): ("TDPBUUD", "s32", 1),
}
ROWS, ROW_BYTES = 16, 64  # the largest tile


def amx(
    a_dtype: str, b_dtype: str | None = None, *, m: int = 16, n: int = 16, k: int | None = None
) -> MMAAtom:
    """Return the tile product C (m, n) += A (m, k) B (n, k)^T of these dtypes.

    One core is the one thread; value i of an operand is element i of its tile register, row after
    row: A holds m rows of k elements, C m rows of n, and B (VNNI) k / 2 rows of n pairs or k / 4
    rows of n fours along k. k is 32 of bf16 and f16 or 64 of int8 unless given; m and n at most 16.
    Source: Intel SDM volume 2, TDPBF16PS and its likes. Raises LayoutError for other dtypes and
    sizes.

    >>> amx("bf16").b
    (1,(2,16,16)):(0,(16,1,32))
    >>> amx("s8", "u8", m=8).name
    'TDPBSUD.m8n16k64'
    """
    types = (a_dtype, b_dtype or a_dtype)
    if types not in AMX_ROWS:
        known = ", ".join(" x ".join(row) for row in AMX_ROWS)
        raise LayoutError(f"amx: got {' x '.join(types)}, needed one of {known}")
    instruction, result, size = AMX_ROWS[types]
    group = 4 // size
    k = ROW_BYTES // size if k is None else k
    if not (1 <= m <= ROWS and 1 <= n <= ROWS and 1 <= k <= ROW_BYTES // size and k % group == 0):
        raise LayoutError(
            f"amx: got m={m}, n={n}, k={k} of {types[0]}, needed m and n in 1..{ROWS} and k a "
            f"multiple of {group} in {group}..{ROW_BYTES // size}"
        )
    return MMAAtom(
        f"{instruction}.m{m}n{n}k{k}",
        (m, n, k),
        a=Layout((1, (k, m)), (0, (m, 1))),
        b=Layout((1, (group, n, k // group)), (0, (n, 1, n * group))),
        c=Layout((1, (n, m)), (0, (m, 1))),
        a_dtype=types[0],
        b_dtype=types[1],
        c_dtype=result,
        threads=1,
        spec=SDM.format(instruction, instruction.lower()),
    )


def vnni_packed(n: int, k: int, group: int, block: int = 16) -> Layout:
    """Return the layout (n, k) -> offset of B packed for tiles and lanes of `block` columns.

    `group` neighbours along k lie together (2 of bf16, 4 of int8), then the block's columns, then
    k, then the blocks: every tile of B is one run of memory. Raises LayoutError where group and
    block don't divide k and n.

    >>> vnni_packed(32, 64, 2)
    ((16,2),(2,32)):((2,1024),(1,32))
    """
    if n % block or k % group:
        raise LayoutError(
            f"vnni_packed: got n={n}, k={k}, needed multiples of {block} and {group}; try padding"
        )
    shape = ((block, n // block), (group, k // group))
    return Layout(shape, ((group, block * k), (1, block * group)))
