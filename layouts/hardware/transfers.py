"""The copy instructions: plain vectors, `cp.async`, `ldmatrix` and `stmatrix`."""

from __future__ import annotations

from tensorlib.errors import LayoutError
from tensorlib.layouts.hardware.copy_atom import CopyAtom
from tensorlib.layouts.layout import Layout

__all__ = ["cp_async", "ldmatrix", "stmatrix", "universal_copy"]

PTX = "PTX ISA 9.2, {}, https://docs.nvidia.com/cuda/parallel-thread-execution/"


def universal_copy(vector_bits: int, bits: int) -> CopyAtom:
    """Return a load and store of one thread: `vector_bits` at once, elements of `bits`.

    Raises LayoutError unless the vector is a whole number of elements.

    >>> universal_copy(128, 32).source
    (1,4):(0,1)
    """
    return _plain("universal_copy", vector_bits, bits, "any machine: one thread, one vector")


def cp_async(size: int, bits: int) -> CopyAtom:
    """Return `cp.async` of 4, 8 or 16 bytes from global to shared memory, elements of `bits`.

    Source: PTX ISA 9.2, cp.async. Raises LayoutError for other sizes.

    >>> cp_async(16, 16).elements
    8
    """
    if size not in (4, 8, 16):
        raise LayoutError(f"cp_async: got {size} bytes, needed 4, 8 or 16")
    return _plain("cp.async", size * 8, bits, PTX.format("cp.async"))


def _plain(name: str, vector_bits: int, bits: int, spec: str) -> CopyAtom:
    if bits <= 0 or vector_bits <= 0 or vector_bits % bits:
        raise LayoutError(
            f"{name}: got a vector of {vector_bits} bits, needed a multiple of {bits}"
        )
    tv = Layout((1, vector_bits // bits), (0, 1))
    return CopyAtom(f"{name}.{vector_bits // 8}", tv, tv, bits, spec)


def ldmatrix(count: int, *, transpose: bool = False) -> CopyAtom:
    """Return `ldmatrix.m8n8.x1`, `.x2` or `.x4` of 16-bit elements, also `.trans`.

    Element i is column i % 8 of row i // 8: thread t names row t, of matrix t // 8, and where there
    are fewer rows than threads the rest repeat them. Thread t gets columns 2 (t % 4) and the next
    of row t // 4 of every matrix; transposed, rows 2 (t % 4) and the next of column t // 4. Source:
    PTX ISA 9.2, ldmatrix. Raises LayoutError for other counts.

    >>> ldmatrix(4).destination, ldmatrix(2, transpose=True).destination
    ((32,(2,4)):(2,(1,64)), ((4,8),(2,2)):((16,1),(8,64)))
    """
    name = f"ldmatrix.x{count}" + (".trans" if transpose else "")
    rows, registers = _matrices(name, count, transpose)
    return CopyAtom(name, rows, registers, 16, PTX.format("ldmatrix"))


def stmatrix(count: int, *, transpose: bool = False) -> CopyAtom:
    """Return `stmatrix.m8n8`: `ldmatrix` with its sides exchanged.

    Source: PTX ISA 9.2, stmatrix. Raises LayoutError unless count is 1, 2
    or 4.

    >>> stmatrix(4).source is ldmatrix(4).destination
    True
    """
    name = f"stmatrix.x{count}" + (".trans" if transpose else "")
    rows, registers = _matrices(name, count, transpose)
    return CopyAtom(name, registers, rows, 16, PTX.format("stmatrix"), anchor="source")


def _matrices(name: str, count: int, transpose: bool) -> tuple[Layout, Layout]:
    """Return (rows that threads name, registers that threads hold) of 8 x 8 matrices."""
    if count not in (1, 2, 4):
        raise LayoutError(f"{name}: got {count} matrices, needed 1, 2 or 4")
    named = 8 * count
    rows = Layout((32, 8), (8, 1)) if count == 4 else Layout(((named, 32 // named), 8), ((8, 0), 1))
    values = (2, count) if count > 1 else 2
    if transpose:
        return rows, Layout(((4, 8), values), ((16, 1), (8, 64) if count > 1 else 8))
    return rows, Layout((32, values), (2, (1, 64) if count > 1 else 1))
