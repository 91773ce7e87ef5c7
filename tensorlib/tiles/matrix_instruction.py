"""Matrix instructions of a warp: their meaning through the warp's memory.

Every lane puts what it holds of A and B where all lanes see it; then it adds the products of its
elements of C along K, in order, with fused multiply-adds. Hardware adds in an order of its own.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from tensorlib.dtypes import DType
from tensorlib.ir.builder import fail
from tensorlib.ir.types import Placement
from tensorlib.lang.explicit import loop
from tensorlib.lang.gathering import gather, scatter
from tensorlib.lang.grid import lane_id, warp_barrier
from tensorlib.lang.instruction import Instruction, instruction
from tensorlib.layouts.algebra import composition
from tensorlib.layouts.hardware.atom import MMAAtom
from tensorlib.layouts.hardware.nvidia import mma, mma_names
from tensorlib.layouts.hardware.operand import Operand
from tensorlib.layouts.layout import Layout
from tensorlib.simd import SIMD, SIMDType
from tensorlib.tiles.product import widened
from tensorlib.tiles.ptx import ptx

__all__ = ["along", "is_spelled", "multiply_add", "number_type", "rounded", "tf32"]

Values = Sequence[SIMD]  # what a lane holds, a vector for each instruction
HALVES = (DType.float16, DType.bfloat16)

_NUMBERS = {
    "tf32": DType.float32, "f32": DType.float32, "f16": DType.float16, "bf16": DType.bfloat16,
    "f64": DType.float64, "s8": DType.int8, "u8": DType.uint8, "s32": DType.int32,
    "u32": DType.uint32, "e4m3": DType.float8_e4m3fn, "e5m2": DType.float8_e5m2,
}  # fmt: skip


def number_type(name: str) -> DType:
    """Return the dtype in which numbers are kept that an instruction set calls by this name.

    >>> number_type("tf32").name
    'float32'
    """
    if name not in _NUMBERS:
        raise fail(f"fragment: got numbers of type {name}, needed one of {', '.join(_NUMBERS)}")
    return _NUMBERS[name]


def tf32(x: SIMD) -> SIMD:
    """Return float32 rounded to tf32: 10 bits of mantissa, ties away from zero (cvt.rna.tf32).

    >>> tf32(SIMD["float32", 2](1.0 + 2**-11, 1.0 + 2**-12))
    SIMD[float32, 2](1.0009765625, 1.0)
    """
    bits = (x.bitcast(DType.uint32) + 0x1000) & 0xFFFFE000
    return (x == x).select(bits.bitcast(DType.float32), x)


def multiply_add(
    atom: MMAAtom, c: Values, a: Values, b: Values, repeats: tuple[int, int, int]
) -> list[SIMD]:
    """Return c + A B^T as each lane holds it, of so many instructions along M, N and K.

    Where the target spells the instruction, that is one after the other along K; elsewhere what
    they mean, in one loop for all of them.
    """
    known = _known(atom)
    if atom.threads == 1:
        one: Callable[[SIMD, SIMD, SIMD], SIMD] = functools.partial(_alone, atom)
    elif is_spelled(known):
        one = instruction_of(known)
    else:
        return through_memory(known, c, a, b, repeats)
    rows, columns, steps = repeats
    found = list(c)
    for i, j, k in itertools.product(range(rows), range(columns), range(steps)):
        place = i * columns + j
        found[place] = one(found[place], a[i * steps + k], b[j * steps + k])
    return found


def is_spelled(atom: MMAAtom) -> bool:
    """Return whether the target of the kernel being built has the instruction of a warp."""
    atom = _known(atom)
    return bool(ptx(atom)) and instruction_of(atom).is_native


@cache
def _known(atom: MMAAtom) -> MMAAtom:
    """Return the hardware's own row for an atom with its operands and numbers; else the atom."""
    for name in mma_names():
        row = mma(name)
        same = (row.shape, row.a, row.b, row.c) == (atom.shape, atom.a, atom.b, atom.c)
        if same and _dtypes(row) == _dtypes(atom):
            return row
    return atom


def _dtypes(atom: MMAAtom) -> tuple[str, str, str]:
    return atom.a_dtype, atom.b_dtype, atom.c_dtype


@cache
def instruction_of(atom: MMAAtom) -> Instruction:
    """Return the instruction of an atom that PTX has, its body being the meaning."""

    def multiply(c: SIMD, a: SIMD, b: SIMD) -> SIMD:
        return through_memory(atom, [c], [a], [b], (1, 1, 1))[0]

    multiply.__qualname__ = multiply.__name__ = "mma_" + atom.name.replace(".", "_")
    multiply.__doc__ = f"{atom.name}: c + a @ b, of a warp. Source: {atom.spec}"
    return instruction(cuda=ptx(atom), requires={"cuda": level_of(atom)}, portable=True)(multiply)


# What came before or after sm_80, by the type of A and the rows of C. Source: PTX ISA 9.2, `mma`.
_LEVELS = {("f64", 16): "sm_90", ("e4m3", 16): "sm_89", ("e5m2", 16): "sm_89"}
_TURING = ("m16n8k8.f16", "m16n8k8.f16.f16", "m8n8k16.s8", "m8n8k16.u8")


def level_of(atom: MMAAtom) -> str:
    """Return the first devices that have an `mma.sync`.

    >>> level_of(mma("m16n8k32.e4m3")), level_of(mma("m8n8k16.s8"))
    ('sm_89', 'sm_75')
    """
    level = _LEVELS.get((atom.a_dtype, atom.shape[0]), "sm_80")
    return "sm_75" if atom.name in _TURING else level


# --- the meaning ---


def through_memory(
    atom: MMAAtom, c: Values, a: Values, b: Values, repeats: tuple[int, int, int]
) -> list[SIMD]:
    """Return c + A B^T of so many instructions along M, N and K: one loop along K for all of them.

    Registers have no addresses, so the loop goes over the warp's memory.
    """
    rows, columns, steps = repeats
    left = _shared(atom, "a", a, (rows, steps))
    right = _shared(atom, "b", b, (columns, steps))
    warp_barrier()
    read_left = _reader(atom, 0, left, rows)
    read_right = _reader(atom, 1, right, columns)

    def added(k: Any, *totals: SIMD) -> Any:
        x, y = read_left(k), read_right(k)
        pairs = [(p, q) for p in x for q in y]
        found = [widened(p, q, t) for (p, q), t in zip(pairs, totals, strict=True)]
        return tuple(found) if len(found) > 1 else found[0]

    found = along(atom, added, c, steps)
    warp_barrier()
    return found


def along(atom: MMAAtom, added: Callable[..., Any], totals: Values, steps: int) -> list[SIMD]:
    """Run the loop along K; halves are added in float32 and rounded behind each instruction."""
    depth = atom.shape[2]
    if totals[0].dtype not in HALVES:
        return _listed(loop(depth * steps, added, *totals))

    def instruction_(step: Any, *halves: SIMD) -> Any:
        wide = [half.cast(DType.float32) for half in halves]
        found = _listed(loop((step * depth, step * depth + depth), added, *wide))
        narrow = [total.cast(halves[0].dtype) for total in found]
        return tuple(narrow) if len(narrow) > 1 else narrow[0]

    return _listed(loop(steps, instruction_, *totals))


def _listed(found: Any) -> list[SIMD]:
    return list(found) if isinstance(found, tuple) else [found]


def _shared(atom: MMAAtom, operand: Operand, held: Values, repeats: tuple[int, int]) -> Any:
    """Return an operand's matrix in memory of the warp, with rows fastest: what lanes hold of it.

    It can be read when all have met.
    """
    from tensorlib.tile import Tile

    (rows, columns), (down, along) = atom.block(operand), repeats
    values = [rounded(atom, operand, value) for value in held]
    memory = Tile[values[0].dtype, Layout(rows * columns * down * along), Placement.WARP]()
    stride = rows * down
    places = composition(Layout((rows, columns), (1, stride)), atom.tv(operand))
    first, offsets = places.mode(0)(lane_id()), _numbers(places.mode(1))
    for n, value in enumerate(values):
        i, k = divmod(n, along)
        _put(memory, first + (offsets + (i * rows + k * columns * stride)), value)
    return memory


def _numbers(layout: Layout) -> SIMD:
    """Return a layout's table as a vector."""
    return SIMDType(DType.int64, int(layout.size))(*(int(n) for n in layout.table()))


def rounded(atom: MMAAtom, operand: Operand, held: SIMD) -> SIMD:
    """Return what the instruction makes of an operand before it multiplies."""
    if held.dtype.is_coded:  # codes compute nothing
        return held.cast(DType.float32)
    is_tf32 = (atom.a_dtype if operand == "a" else atom.b_dtype) == "tf32"
    return tf32(held) if is_tf32 else held


def _reader(atom: MMAAtom, axis: int, memory: Any, count: int) -> Callable[[Any], list[SIMD]]:
    """Return what reads, at step k, the factors of each value of C that a lane holds.

    That is a row of A for axis 0, a column of B for axis 1, and of `count` instructions.
    """
    strides = (1, 0) if axis == 0 else (0, 1)
    lines = composition(Layout(atom.block("c"), strides), atom.c)
    own = [int(n) for n in lines.mode(1).table()]
    known = sorted(set(own))
    if len(known) & (len(known) - 1):
        known = own  # a vector has 1, 2, 4 ... lanes
    where = lines.mode(0)(lane_id()) + SIMDType(DType.int64, len(known))(*known)
    picked = [known.index(n) for n in own]
    size = atom.shape[axis]

    def read(k: Any) -> list[SIMD]:
        found = [_taken(memory, where + (k * (size * count) + i * size)) for i in range(count)]
        return found if picked == list(range(len(known))) else [f.shuffle(*picked) for f in found]

    return read


def _taken(memory: Any, places: SIMD) -> SIMD:
    """Return the elements at places."""
    found: SIMD = memory[places] if places.width == 1 else gather(memory, places)
    return found


def _put(memory: Any, places: SIMD, value: SIMD) -> None:
    """Write the elements at places."""
    if places.width == 1:
        memory[places] = value
    else:
        scatter(memory, places, value)


def _summed(total: SIMD, x: list[SIMD], y: list[SIMD]) -> SIMD:
    """Return total + the sum of x[k] * y[k]; halves are added in float32."""
    found = total.cast(DType.float32) if total.dtype in HALVES else total
    for p, q in zip(x, y, strict=True):
        found = widened(p, q, found)
    return found.cast(total.dtype)


def _alone(atom: MMAAtom, c: SIMD, a: SIMD, b: SIMD) -> SIMD:
    """The meaning for one thread, which holds all of it: no memory is needed."""
    a, b = rounded(atom, "a", a), rounded(atom, "b", b)
    places: dict[str, Any] = {"a": atom.inverse("a"), "b": atom.inverse("b")}
    m, _, depth = atom.shape
    found = []
    for v in range(c.width):
        row, column = int(atom.c(0, v)) % m, int(atom.c(0, v)) // m
        x = [a[int(places["a"](row, k))] for k in range(depth)]
        y = [b[int(places["b"](column, k))] for k in range(depth)]
        found.append(_summed(c[v], x, y))
    return SIMD.join(*found)
