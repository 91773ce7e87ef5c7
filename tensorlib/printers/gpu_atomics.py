"""Atomic updates that a device has no instruction for: a loop over compare and exchange."""

from __future__ import annotations

from dataclasses import dataclass

from tensorlib.dtypes import DType
from tensorlib.ir.core import Operation
from tensorlib.ir.types import PointerType, VectorType
from tensorlib.printers.gpu_convert import narrowed_half, widened_half
from tensorlib.printers.gpu_values import folded
from tensorlib.printers.walker import Walker

__all__ = ["AtomicWords", "loop", "operator_of", "update_own"]


@dataclass(frozen=True, slots=True)
class AtomicWords:
    """How a target exchanges words of 32 or 64 bits, in which elements of up to that size lie."""

    head: str  # in front of a function
    space: str  # in front of a pointer's type
    element: str  # the type of an element
    word: str  # the type of a word
    part: str  # the unsigned type of an element smaller than a word
    exchange: str
    to_word: str  # functions between the bits of an element and a word
    from_word: str


_LOOP = """\
{head} {element} {name}(volatile {space}{element} *p, {parameters}) {{
  {words}
  {word} old = *word, seen;
  do {{
    seen = old;
    const {element} now = {seen}, next = {next};
    old = {exchange}(word, seen, {into});
  }} while (old != seen);
  return {old};
}}
"""


def operator_of(operation: Operation) -> str:
    """Return what an atomic row does: an atomic operator, or compare_exchange."""
    return str(operation.attributes.get("operator", "compare_exchange"))


def loop(walker: Walker, operation: Operation, words: AtomicWords) -> str:
    """Return the name of a function that updates an element in a loop, after declaring it."""
    kind, operator = operation.operands[0].type, operator_of(operation)
    assert isinstance(kind, PointerType)
    dtype, space = kind.dtype, words.space.strip()
    name = f"tl_atomic_{operator}_{dtype.name}{space}"
    if name not in walker.declarations:
        names = ["a", "b"] if operator == "compare_exchange" else ["a"]
        text = _LOOP.format(
            name=name,
            parameters=", ".join(f"{words.element} {n}" for n in names),
            next=_updated(walker, operator, dtype, "now", names, words.to_word),
            head=words.head, space=words.space, element=words.element, word=words.word,
            exchange=words.exchange, **_places(dtype, words),
        )  # fmt: skip
        walker.declarations[name] = f"#ifndef {name}_\n#define {name}_\n{text}#endif\n"
    return name


def _places(dtype: DType, words: AtomicWords) -> dict[str, str]:
    """Return the texts of a loop that say how an element lies in a word."""
    pointer = f"volatile {words.space}{words.word} *"
    if dtype.bits >= 32:
        return {
            "words": f"{pointer}word = ({pointer})p;",
            "seen": f"{words.from_word}(seen)",
            "old": f"{words.from_word}(old)",
            "into": f"{words.to_word}(next)",
        }
    mask = "0xffu" if dtype.bits == 8 else "0xffffu"
    return {
        "words": f"{pointer}word = ({pointer})((size_t)p & ~(size_t)3);\n"
        f"  const {words.word} shift = ((size_t)p & 3) * 8, mask = {mask} << shift;",
        "seen": f"({words.element})(seen >> shift)",
        "old": f"({words.element})(old >> shift)",
        "into": f"(seen & ~mask) | ({words.word})({words.part})next << shift",
    }


def update_own(walker: Walker, operation: Operation) -> None:
    """Update memory that no other thread sees."""
    pointer, index, *values = operation.operands
    assert isinstance(pointer.type, PointerType)
    place, result = f"{walker.use(pointer)}[{walker.use(index)}]", operation.results[0]
    walker.define(result, place)
    texts = [walker.use(value) for value in values]
    dtype, old = pointer.type.dtype, walker.use(result)
    walker.line(f"{place} = {_updated(walker, operator_of(operation), dtype, old, texts)};")


def _updated(
    walker: Walker, operator: str, dtype: DType, old: str, values: list[str], to_word: str = ""
) -> str:
    """Return the new element; halves are kept as their bits, and bits are what is compared."""
    kind = VectorType(dtype)
    if operator == "exchange":
        return values[0]
    if operator == "compare_exchange":
        bits = to_word if dtype.bits >= 32 else ""
        return f"{bits}({old}) == {bits}({values[0]}) ? {values[1]} : {old}"
    if not (dtype.is_float and dtype.bits == 16):
        return folded(walker, operator, kind, old, values[0])
    a, b = (widened_half(walker, text, kind) for text in (old, values[0]))
    text = folded(walker, operator, kind.of(DType.float32), a, b)
    return narrowed_half(walker, text, kind)
