"""`mma.sync` of PTX: the matrix instructions of a warp, spelled as a CUDA C expression."""

from __future__ import annotations

from functools import cache

from tensorlib.layouts.hardware.atom import MMAAtom
from tensorlib.layouts.hardware.nvidia import mma, mma_names
from tensorlib.layouts.hardware.operand import Operand

__all__ = ["ptx"]


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
_REGISTERS = {
    "tf32": 1, "f32": 1, "f64": 1, "s32": 1, "f16": 2, "bf16": 2, "s8": 4, "u8": 4,
    "e4m3": 4, "e5m2": 4,
}  # fmt: skip
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
