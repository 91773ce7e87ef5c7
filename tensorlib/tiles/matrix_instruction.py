"""Matrix instructions of a warp: their meaning through the warp's memory, and CUDA's spelling.

Every lane puts what it holds of A and B where all lanes see it; then it adds the products of its
elements of C along K, in order, with fused multiply-adds. Hardware adds in an order of its own.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from tensorlib.dtypes import DType
from tensorlib.ir.builder import fail
from tensorlib.ir.types import Placement
from tensorlib.lang.grid import lane_id, warp_barrier
from tensorlib.lang.instruction import Instruction, instruction
from tensorlib.layouts.algebra import composition
from tensorlib.layouts.hardware.atom import MMAAtom
from tensorlib.layouts.hardware.nvidia import mma, mma_names
from tensorlib.layouts.hardware.operand import Operand
from tensorlib.layouts.layout import Layout
from tensorlib.simd import SIMD
from tensorlib.tiles.product import widened

__all__ = ["multiply_add", "number_type", "ptx", "tf32"]

_NUMBERS = {
    "tf32": DType.float32, "f32": DType.float32, "f16": DType.float16, "bf16": DType.bfloat16,
    "f64": DType.float64, "s8": DType.int8, "u8": DType.uint8, "s32": DType.int32,
    "u32": DType.uint32,
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


def multiply_add(atom: MMAAtom, c: SIMD, a: SIMD, b: SIMD) -> SIMD:
    """Return c + A B^T as each lane holds it: the instruction, where the target spells it."""
    if atom.threads == 1:
        return _alone(atom, c, a, b)
    atom = _known(atom)
    if not ptx(atom):  # nobody spells it
        return _through_memory(atom, c, a, b)
    found: SIMD = instruction_of(atom)(c, a, b)
    return found


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
        return _through_memory(atom, c, a, b)

    multiply.__qualname__ = multiply.__name__ = "mma_" + atom.name.replace(".", "_")
    multiply.__doc__ = f"{atom.name}: c + a @ b, of a warp. Source: {atom.spec}"
    # m16 of float64 came with sm_90 (PTX ISA 7.8), what else there is with sm_80
    level = "sm_90" if atom.a_dtype == "f64" and atom.shape[0] == 16 else "sm_80"
    return instruction(cuda=ptx(atom), requires={"cuda": level}, portable=True)(multiply)


# --- the meaning ---


def _through_memory(atom: MMAAtom, c: SIMD, a: SIMD, b: SIMD) -> SIMD:
    left, right = _shared(atom, "a", a), _shared(atom, "b", b)
    warp_barrier()
    rows = _lines(atom, 0)
    columns = _lines(atom, 1)
    lane, k = lane_id(), atom.shape[2]
    lefts = {v: _line(left, rows, lane, v, k) for v in _firsts(rows, c.width)}
    rights = {v: _line(right, columns, lane, v, k) for v in _firsts(columns, c.width)}
    found = []
    for v in range(c.width):
        x, y = lefts[_first(rows, v)], rights[_first(columns, v)]
        found.append(_summed(c[v], x, y))
    warp_barrier()
    return SIMD.join(*found)


def _shared(atom: MMAAtom, operand: Operand, held: SIMD) -> Any:
    """Return the operand's matrix in memory of the warp, with rows fastest, when all have met."""
    from tensorlib.tile import Tile

    held = rounded(atom, operand, held)
    memory = Tile[held.dtype, Layout(atom.block(operand)), Placement.WARP]()
    flat = memory.viewed((memory.size,), (1,), 0)
    lane, layout = lane_id(), atom.tv(operand)
    for v in range(held.width):
        flat[layout(lane, v)] = held[v]
    return memory


def rounded(atom: MMAAtom, operand: Operand, held: SIMD) -> SIMD:
    """Return what the instruction makes of an operand before it multiplies."""
    is_tf32 = (atom.a_dtype if operand == "a" else atom.b_dtype) == "tf32"
    return tf32(held) if is_tf32 else held


def _lines(atom: MMAAtom, axis: int) -> Layout:
    """Return the layout (thread, value) -> row of C, or column of C for axis 1."""
    stride = (1, 0) if axis == 0 else (0, 1)
    return composition(Layout(atom.block("c"), stride), atom.c)


def _first(lines: Layout, value: int) -> int:
    """Return the first value that lies in the same row or column as `value`."""
    return next(v for v in range(value + 1) if lines(0, v) == lines(0, value))


def _firsts(lines: Layout, values: int) -> list[int]:
    return sorted({_first(lines, v) for v in range(values)})


def _line(matrix: Any, lines: Layout, lane: Any, value: int, count: int) -> list[SIMD]:
    """Return the elements of a row of A, or a column of B, that a value of C needs."""
    line = lines(lane, value)
    return [matrix[line, k] for k in range(count)]


def _summed(total: SIMD, x: list[SIMD], y: list[SIMD]) -> SIMD:
    """Return total + the sum of x[k] * y[k]; halves are added in float32."""
    half = total.dtype.is_float and total.dtype.bits == 16
    found = total.cast(DType.float32) if half else total
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


# --- CUDA ---


@cache
def ptx(atom: MMAAtom) -> str:
    """Return the CUDA C expression of an `mma.sync`; empty where PTX has none for the atom.

    tf32 operands are rounded first, as the meaning does. Source: PTX ISA, `mma`.
    """
    if atom.name not in mma_names() or mma(atom.name) != atom or atom.a_dtype not in _REGISTERS:
        return ""
    count = {x: int(atom.tv(x).mode(1).size) for x in OPERANDS}
    numbers: dict[Operand, str] = {"a": atom.a_dtype, "b": atom.b_dtype, "c": atom.c_dtype}
    packed = {x: _REGISTERS[numbers[x]] for x in OPERANDS}
    totals = count["c"] // packed["c"]
    names = [f"%{n}" for n in range(sum(count[x] // packed[x] for x in OPERANDS))]
    held: dict[Operand, list[str]] = {"c": names[:totals]}
    held["a"] = names[totals : totals + count["a"] // packed["a"]]
    held["b"] = names[totals + len(held["a"]) :]
    lines, used = _rounding(held) if atom.a_dtype == "tf32" else ([], held)
    shape, _, _ = atom.name.partition(".")
    kinds = f"{numbers['c']}.{numbers['a']}.{numbers['b']}.{numbers['c']}"
    texts = ", ".join(_braced(used[x]) for x in ("c", *OPERANDS))
    lines.append(f"mma.sync.aligned.{shape}.row.col.{kinds} {texts};")
    body = " ".join(lines)
    return _expression(body, numbers, count, packed)


OPERANDS: tuple[Operand, ...] = ("a", "b", "c")
# How many numbers a register holds, by the name of their type.
_REGISTERS = {"tf32": 1, "f32": 1, "f64": 1, "s32": 1, "f16": 2, "bf16": 2, "s8": 4, "u8": 4}
_LETTERS = {"f32": "f", "f64": "d", "tf32": "f", "s32": "r"}


def _braced(names: list[str]) -> str:
    return "{{" + ", ".join(names) + "}}"


def _rounding(
    held: dict[Operand, list[str]],
) -> tuple[list[str], dict[Operand, list[str]]]:
    """Return PTX lines that round A and B to tf32, and the registers that hold them then."""
    lines: list[str] = []
    used: dict[Operand, list[str]] = {"c": held["c"]}
    for x in OPERANDS[:2]:
        used[x] = [f"t{x}{n}" for n in range(len(held[x]))]
        lines.append(f".reg .b32 {', '.join(used[x])};")
        pairs = zip(used[x], held[x], strict=True)
        lines += [f"cvt.rna.tf32.f32 {new}, {old};" for new, old in pairs]
    return lines, used


def _expression(
    body: str, numbers: dict[Operand, str], count: dict[Operand, int], packed: dict[Operand, int]
) -> str:
    """Return a lambda that is called at once: it packs, runs and unpacks."""
    registers = {x: _packed(x, numbers[x], count[x], packed[x]) for x in OPERANDS}
    whole = packed["c"] == 1
    results = registers["c"] if not whole else [f"d[{n}]" for n in range(count["c"])]
    letters = {x: _LETTERS.get(numbers[x], "r") for x in OPERANDS}
    before = "" if whole else f"uint32_t r[] = {{{{{', '.join(results)}}}}}; "
    places = results if whole else [f"r[{n}]" for n in range(len(results))]
    outputs = ", ".join(f'"+{letters["c"]}"({p})' for p in places)
    inputs = ", ".join(f'"{letters[x]}"({p})' for x in OPERANDS[:2] for p in registers[x])
    after = "" if whole else _unpacked(count["c"], packed["c"])
    return (
        f"[&] {{{{ {{type}} d = {{c}}; {before}"
        f'asm volatile("{{{{ {body} }}}}" : {outputs} : {inputs}); {after}return d; }}}}()'
    )


def _packed(name: str, numbers: str, count: int, each: int) -> list[str]:
    """Return the registers of an operand: numbers themselves, or several as the bits of one."""
    if count == 1:
        return [f"{{{name}}}"]
    if each == 1:
        return [f"{{{name}}}[{n}]" for n in range(count)]
    bits = 32 // each
    return [
        " | ".join(
            f"(uint32_t)(uint{bits}_t){{{name}}}[{n + i}] << {bits * i}" for i in range(each)
        )
        for n in range(0, count, each)
    ]


def _unpacked(count: int, each: int) -> str:
    """Return what takes results apart: 16-bit numbers, two in a register."""
    texts = (f"d[{n}] = (uint16_t)(r[{n // each}] >> {16 * (n % each)});" for n in range(count))
    return " ".join(texts) + " "
