"""NVIDIA's warpgroup product `wgmma`: 64 rows by N columns, the operands in shared memory."""

from __future__ import annotations

from typing import NamedTuple

from tensorlib.errors import LayoutError
from tensorlib.layouts.hardware.atom import MMAAtom
from tensorlib.layouts.layout import Layout

__all__ = ["wgmma"]

SPEC = "PTX ISA 9.2, 9.7.15.5.1.1, https://docs.nvidia.com/cuda/parallel-thread-execution/"
THREADS, M = 128, 64  # a warpgroup is four warps, each holds 16 rows


class Row(NamedTuple):
    """What a dtype of A and B implies: K, dtypes of C (the first by default), A in registers."""

    k: int
    results: tuple[str, ...]
    a: Layout


K8 = Layout(((4, 8, 4), (2, 2)), ((64, 1, 16), (8, 256)))
K16 = Layout(((4, 8, 4), (2, 2, 2)), ((128, 1, 16), (64, 8, 512)))
K32 = Layout(((4, 8, 4), (4, 2, 2)), ((256, 1, 16), (64, 8, 1024)))

WGMMA_ROWS = {
    "tf32": Row(8, ("f32",), K8),
    "f16": Row(16, ("f32", "f16"), K16),
    "bf16": Row(16, ("f32",), K16),
    "e4m3": Row(32, ("f32", "f16"), K32),
    "e5m2": Row(32, ("f32", "f16"), K32),
    "s8": Row(32, ("s32",), K32),
    "u8": Row(32, ("s32",), K32),
}


def wgmma(
    n: int, dtype: str, c_dtype: str | None = None, *, a_in_registers: bool = False
) -> MMAAtom:
    """Return `wgmma.mma_async` of shape m64 x n x k: C (64, n) += A (64, k) B (n, k)^T.

    n is a multiple of 8 up to 256, for int8 above 32 a multiple of 16; k is 8 of tf32, 16 of f16
    and bf16, 32 of 8-bit dtypes. All 128 threads read A and B in shared memory (stride 0 for
    threads, values in the tile's own order; `shared_tile` gives their layouts in memory) unless A
    is in registers. Source: PTX ISA 9.2, section 9.7.15.5.1.1. Raises LayoutError for other dtypes
    and sizes.

    >>> atom = wgmma(64, "bf16", a_in_registers=True)
    >>> atom.c
    ((4,8,4),(2,2,8)):((128,1,16),(64,8,512))
    >>> atom.a, atom.copies("b")
    (((4,8,4),(2,2,2)):((128,1,16),(64,8,512)), 128)
    """
    if dtype not in WGMMA_ROWS:
        raise LayoutError(f"wgmma: got {dtype!r}, needed one of {', '.join(WGMMA_ROWS)}")
    k, results, registers = WGMMA_ROWS[dtype]
    result = c_dtype or results[0]
    if result not in results:
        raise LayoutError(f"wgmma: got C of {result} for {dtype}, needed {' or '.join(results)}")
    step = 16 if dtype in ("s8", "u8") and n > 32 else 8
    if not 8 <= n <= 256 or n % step:
        raise LayoutError(f"wgmma: got n={n} of {dtype}, needed a multiple of {step} in 8..256")
    return MMAAtom(
        f"wgmma.m64n{n}k{k}.{dtype}" + (f".{result}" if c_dtype else ""),
        (M, n, k),
        a=registers if a_in_registers else _shared(M, k),
        b=_shared(n, k),
        c=Layout(((4, 8, 4), (2, 2, n // 8)), ((2 * M, 1, 16), (M, 8, 8 * M))),
        a_dtype=dtype,
        b_dtype=dtype,
        c_dtype=result,
        threads=THREADS,
        spec=SPEC,
    )


def _shared(rows: int, columns: int) -> Layout:
    return Layout((THREADS, (rows, columns)), (0, (1, rows)))
