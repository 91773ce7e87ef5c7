"""C of operations on values: arithmetic, bits, comparison, choice, lanes and reductions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tensorlib.dtypes import DType
from tensorlib.ir.core import Operation, Value
from tensorlib.ir.ops import ROWS
from tensorlib.ir.types import VectorType
from tensorlib.printers.c_helpers import call
from tensorlib.printers.c_types import SCALAR, SHORT, declared, literal, vector_name
from tensorlib.printers.walker import Emit, Walker, is_mask, lanes, vector

__all__ = ["OPERATIONS", "choose"]

_ORDERINGS = ("less", "less_equal", "greater", "greater_equal")


def _spelled(walker: Walker, operation: Operation) -> None:
    """Write an operation whose row has one spelling for all types."""
    kind, result = vector(operation.operands[0]), operation.results[0]
    spelling = ROWS[operation.name].spelling
    if is_mask(kind):
        bits = walker.bits_for(result, operation.operands[0])
        masks = [walker.mask(o, bits) for o in operation.operands]
        if operation.name in _ORDERINGS:  # True is -1 in a mask: the other way round
            masks.reverse()
        walker.define(result, spelling.format(*masks), bits)
        return
    text = spelling.format(*_operands(walker, operation))
    if is_mask(result.type):  # a comparison: lanes as wide as what is compared
        bits = kind.dtype.bits
        walker.define(result, f"({walker.mask_type(bits, kind.width)})({text})", bits)
    else:
        walker.define(result, _narrow(kind, text) if vector(result).dtype.is_integer else text)


def _operands(walker: Walker, operation: Operation) -> list[str]:
    """Return operands as text; a constant with equal lanes is a scalar beside a vector."""
    texts = [walker.use(o) for o in operation.operands]
    if len(texts) == 2 and vector(operation.operands[0]).width > 1:
        for i, operand in enumerate(operation.operands):
            number = _constant(operand)
            if number is not None and _constant(operation.operands[1 - i]) is None:
                texts[i] = literal(number, VectorType(vector(operand).dtype))
    return texts


def _constant(value: Value) -> Any:
    """Return the number of a constant that has it in all lanes."""
    if value.operation is None or value.operation.name != "const":
        return None
    number = value.operation.attributes["value"]
    return None if isinstance(number, tuple) else number


def _narrow(kind: VectorType, text: str) -> str:
    """C computes small integers as int: take its result back."""
    small = kind.width == 1 and kind.dtype.bits < 32
    return f"({SCALAR[SHORT[kind.dtype]]})({text})" if small else text


def _called(walker: Walker, operation: Operation) -> None:
    """Write an operation as a call of the helper function of its name."""
    kind = vector(operation.operands[0])
    operands = map(walker.use, operation.operands)
    walker.define(operation.results[0], call(walker, operation.name, kind, *operands))


def _fma(walker: Walker, operation: Operation) -> None:
    kind, result = vector(operation.operands[0]), operation.results[0]
    a, b, c = map(walker.use, operation.operands)
    if kind.dtype.is_integer:
        walker.define(result, _narrow(kind, f"{a} * {b} + {c}"))
        return
    name = f"fma_{kind.dtype.name}" if kind.dtype.bits == 16 else "fma"
    walker.define(result, call(walker, name, kind, a, b, c))


def _not(walker: Walker, operation: Operation) -> None:
    (operand,), (result,) = operation.operands, operation.results
    kind = vector(operand)
    if is_mask(kind):
        bits = walker.bits_for(result, operand)
        walker.define(result, f"~{walker.mask(operand, bits)}", bits)
    elif kind.dtype is DType.bool:
        walker.define(result, f"!{walker.use(operand)}")
    else:
        walker.define(result, _narrow(kind, f"~{walker.use(operand)}"))


def _absolute(walker: Walker, operation: Operation) -> None:
    (operand,), (result,) = operation.operands, operation.results
    kind, a = vector(operand), walker.use(operand)
    if not kind.dtype.is_float:
        walker.define(result, choose(walker, f"{a} < 0", f"-{a}", a, kind))
    elif kind.width == 1:
        suffix = "f" if kind.dtype is DType.float32 else ""
        walker.define(result, f"__builtin_fabs{suffix}({a})")
    else:
        bits = kind.dtype.bits
        integer = declared(walker, vector_name(f"i{bits}", kind.width))
        rest = 2 ** (bits - 1) - 1
        number = f"INT64_C({rest})" if bits == 64 else str(rest)
        walker.define(result, f"({walker.type(kind)})(({integer}){a} & {number})")


def _extreme(sign: str) -> Emit:
    def emit(walker: Walker, operation: Operation) -> None:
        a, b = map(walker.use, operation.operands)
        kind = vector(operation.operands[0])
        sides = _operands(walker, operation)
        text = _extreme_text(walker, kind, sign, a, b, f"{sides[0]} {sign} {sides[1]}")
        walker.define(operation.results[0], text)

    return emit


def _extreme_text(
    walker: Walker, kind: VectorType, sign: str, a: str, b: str, test: str = ""
) -> str:
    """`a` where it is smaller (greater) or NaN, else `b`."""
    test = test or f"{a} {sign} {b}"
    return choose(walker, f"({test}) | ({a} != {a})" if kind.dtype.is_float else test, a, b, kind)


def choose(walker: Walker, test: str, a: str, b: str, kind: VectorType) -> str:
    """Return `test ? a : b` by lane; C has no vector ?:, so vectors blend bits."""
    if kind.width == 1:
        return f"({test}) ? {a} : {b}"
    bits = kind.dtype.bits
    if not test.isidentifier():
        mask = walker.mask_type(bits, kind.width)
        test = walker.temporary(f"({mask})({test})", kind, bits)
    picked, other = (_seen_as_mask(walker, x, kind) for x in (a, b))
    if b == f"({walker.type(kind)}){{}}":  # all bits zero
        return _seen_as(walker, f"{test} & {picked}", kind)
    return _seen_as(walker, f"({test} & {picked}) | (~{test} & {other})", kind)


def _seen_as_mask(walker: Walker, text: str, kind: VectorType) -> str:
    """Return a vector with its bits seen as the lanes of a mask."""
    mask = walker.mask_type(kind.dtype.bits, kind.width)
    if mask == walker.type(kind):
        return text
    return f"({mask})({text})" if text.startswith("-") else f"({mask}){text}"


def _seen_as(walker: Walker, text: str, kind: VectorType) -> str:
    """Return the lanes of a mask with their bits seen as a vector."""
    is_same = walker.mask_type(kind.dtype.bits, kind.width) == walker.type(kind)
    return text if is_same else f"({walker.type(kind)})({text})"


def _sum(opposite: str) -> Emit:
    """A sum; one with a mask as a number subtracts it, since True is -1 there."""

    def emit(walker: Walker, operation: Operation) -> None:
        number, made = operation.operands[0], operation.operands[1].operation
        if made is None or id(made) not in walker.silent:
            _spelled(walker, operation)
            return
        kind = vector(number)
        mask = _seen_as(walker, walker.mask(made.operands[0], kind.dtype.bits), kind)
        walker.define(operation.results[0], f"{walker.use(number)} {opposite} {mask}")

    return emit


def _select(walker: Walker, operation: Operation) -> None:
    (mask, a, b), (result,) = operation.operands, operation.results
    kind = vector(a)
    if kind.width == 1:
        walker.define(result, f"{walker.use(mask)} ? {walker.use(a)} : {walker.use(b)}")
    elif kind.dtype is DType.bool:
        bits = walker.bits_for(result, mask)
        m, x, y = (walker.mask(o, bits) for o in operation.operands)
        walker.define(result, f"({m} & {x}) | (~{m} & {y})", bits)
    else:
        test = walker.mask(mask, kind.dtype.bits)
        text = choose(walker, test, walker.use(a), walker.use(b), kind)
        walker.define(result, text)


def _shift(sign: str) -> Emit:
    def emit(walker: Walker, operation: Operation) -> None:
        value, count = operation.operands
        kind, number = vector(value), _constant(count)
        if not isinstance(number, int) or not 0 <= number < kind.dtype.bits:
            _called(walker, operation)
            return
        text = f"{walker.use(value)} {sign} {number}"
        if sign == "<<" and kind.dtype.kind == "signed":
            unsigned = declared(walker, vector_name(f"u{kind.dtype.bits}", kind.width))
            text = f"({unsigned}){text}"
        walker.define(operation.results[0], f"({walker.type(kind)})({text})")

    return emit


def _whole(sign: str) -> Emit:
    """Floor division and remainder: a shift and a mask where the divisor is a power of two."""

    def emit(walker: Walker, operation: Operation) -> None:
        value, divisor = operation.operands
        kind, number = vector(value), _constant(divisor)
        if not isinstance(number, int) or number < 1 or number & (number - 1):
            _called(walker, operation)
            return
        amount = number.bit_length() - 1 if sign == ">>" else number - 1
        right = literal(amount, VectorType(kind.dtype)) if sign == "&" else str(amount)
        text = f"{walker.use(value)} {sign} {right}"
        walker.define(operation.results[0], _narrow(kind, text))

    return emit


def _splat(walker: Walker, operation: Operation) -> None:
    (operand,), (result,) = operation.operands, operation.results
    kind, scalar = vector(result), walker.use(operand)
    if kind.width == 1:
        walker.define(result, scalar)
    elif is_mask(kind):
        bits = walker.bits_for(result)
        one = f"(int{bits}_t){scalar}" if bits < 32 else scalar
        walker.define(result, f"({walker.mask_type(bits, kind.width)}){{}} - {one}", bits)
    else:
        # x - 0 folds to one broadcast, x + 0 does not (-0.0 + 0.0 is 0.0).
        walker.define(result, f"{scalar} - ({walker.type(kind)}){{}}")


def _shuffle(walker: Walker, operation: Operation) -> None:
    indices: Sequence[int] = operation.attributes["indices"]
    result, operands = operation.results[0], operation.operands
    kind = vector(operands[0])
    bits = walker.bits_for(result, operands[0]) if kind.dtype is DType.bool else 0
    same_width = len({vector(o).width for o in operands}) == 1 and kind.width > 1
    if len(indices) > 1 and len(operands) <= 2 and same_width:
        names = [walker.mask(o, bits) if bits else walker.use(o) for o in operands]
        picks = ", ".join(map(str, indices))
        text = f"__builtin_shufflevector({names[0]}, {names[-1]}, {picks})"
        walker.define(result, text, bits)
        return
    every = [(o, i) for o in operands for i in range(vector(o).width)]
    texts = [_lane(walker, *every[i], bits) for i in indices]
    if len(texts) == 1:
        walker.define(result, texts[0])
    elif bits:
        signed = ", ".join(f"-({t} != 0)" for t in texts)
        walker.define(result, f"({walker.mask_type(bits, len(texts))}){{{signed}}}", bits)
    else:
        walker.define(result, f"({walker.type(vector(result))}){{{', '.join(texts)}}}")


def _lane(walker: Walker, value: Value, lane: int, bits: int) -> str:
    if vector(value).width == 1:
        return walker.use(value)
    if bits:
        return f"({walker.mask(value, bits)}[{lane}] != 0)"
    text = walker.use(value)
    return f"{text if text.isidentifier() else f'({text})'}[{lane}]"


_SIGNED = {d.bits: d for d in (DType.int8, DType.int16, DType.int32, DType.int64)}


def _reduce(walker: Walker, operation: Operation) -> None:
    """Fold by halves, in the order that `ir.meaning.reduce_tree` gives."""
    (operand,), (result,) = operation.operands, operation.results
    kind = vector(operand)
    if kind.width == 1:
        walker.define(result, walker.use(operand))
        return
    bits = walker.bits_of(operand) if kind.dtype is DType.bool else 0
    name = walker.mask(operand, bits) if bits else walker.use(operand)
    if bits and operation.name in ("reduce_or", "reduce_and"):
        lane = VectorType(_SIGNED[bits], kind.width)
        is_or = operation.name == "reduce_or"
        test = call(walker, "any", lane, name if is_or else f"~{name}")
        walker.define(result, test if is_or else f"!{test}")
        return
    width = kind.width
    while width > 1:
        width //= 2
        of = VectorType(kind.dtype, width)
        name = walker.named(name, kind, bits)
        parts = [_part(name, start, width) for start in (0, width)]
        if width > 1 or operation.name.endswith("imum"):  # read more than once
            parts = [walker.temporary(part, of, bits) for part in parts]
        name = _fold(walker, operation.name, of, *parts)
        kind = of
    walker.define(result, f"({name}) != 0" if bits else name)


def _part(name: str, start: int, count: int) -> str:
    if count == 1:
        return f"{name}[{start}]"
    return f"__builtin_shufflevector({name}, {name}, {lanes(start, start + count)})"


def _fold(walker: Walker, name: str, kind: VectorType, a: str, b: str) -> str:
    signs = {"add": "+", "multiply": "*", "and": "&", "or": "|", "xor": "^"}
    which = name.removeprefix("reduce_")
    if which in signs:
        return (
            _narrow(kind, f"{a} {signs[which]} {b}")
            if kind.dtype.is_integer
            else (f"{a} {signs[which]} {b}")
        )
    return _extreme_text(walker, kind, "<" if which == "minimum" else ">", a, b)


def _table() -> dict[str, Callable[[Walker, Operation], None]]:
    table: dict[str, Callable[[Walker, Operation], None]] = {
        name: _spelled for name, row in ROWS.items() if row.spelling
    }
    table |= {name: _reduce for name in ROWS if name.startswith("reduce_")}
    called = "float_modulo sqrt floor ceil trunc round"
    table |= dict.fromkeys(called.split(), _called)
    return table


OPERATIONS: dict[str, Emit] = {
    **_table(),
    "add": _sum("-"),
    "subtract": _sum("+"),
    "fma": _fma,
    "not": _not,
    "absolute": _absolute,
    "minimum": _extreme("<"),
    "maximum": _extreme(">"),
    "select": _select,
    "floor_divide": _whole(">>"),
    "floor_modulo": _whole("&"),
    "shift_left": _shift("<<"),
    "shift_right": _shift(">>"),
    "splat": _splat,
    "shuffle": _shuffle,
}
