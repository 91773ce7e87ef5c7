"""OpenCL C and CUDA C of operations on values: arithmetic, bits, comparison, choice, lanes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tensorlib.dtypes import DType
from tensorlib.ir.core import Operation, Value
from tensorlib.ir.ops import ROWS
from tensorlib.ir.types import VectorType
from tensorlib.printers.gpu_dialect import constant_of, gpu, scalar_constant
from tensorlib.printers.walker import Emit, Walker, is_mask, vector

__all__ = ["OPERATIONS", "folded"]

_SIGNS = {"add": "+", "subtract": "-", "multiply": "*", "negative": "-"}
_BITS = {"and": "&", "or": "|", "xor": "^"}
_ORDERINGS = {"less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">="}
_COMPARISONS = {**_ORDERINGS, "equal": "==", "not_equal": "!="}
# Functions that both languages have, by the IR's name.
_FUNCTIONS = {"sqrt": "sqrt", "floor": "floor", "ceil": "ceil", "trunc": "trunc", "round": "rint",
              "float_modulo": "fmod"}  # fmt: skip


def _arithmetic(walker: Walker, operation: Operation) -> None:
    kind, sign = vector(operation.operands[0]), _SIGNS[operation.name]
    text = gpu(walker).wrapped(walker, kind, sign, _used(walker, operation))
    walker.define(operation.results[0], text)


def _used(walker: Walker, operation: Operation) -> list[str]:
    return [walker.use(o) for o in operation.operands]


def _divide(walker: Walker, operation: Operation) -> None:
    kind = vector(operation.operands[0])
    text = gpu(walker).wrapped(walker, kind, "/", _used(walker, operation))
    walker.define(operation.results[0], text)


def _fma(walker: Walker, operation: Operation) -> None:
    kind, texts = vector(operation.operands[0]), _used(walker, operation)
    dialect = gpu(walker)
    if kind.dtype.is_integer:
        product = walker.temporary(dialect.wrapped(walker, kind, "*", texts[:2]), kind)
        text = dialect.wrapped(walker, kind, "+", [product, texts[2]])
    else:
        name = f"fma_{kind.dtype.name}" if kind.dtype.bits == 16 else "fma"
        text = f"{dialect.function(walker, name, kind)}({', '.join(texts)})"
    walker.define(operation.results[0], text)


def _called(walker: Walker, operation: Operation) -> None:
    """Write an operation as a call of the function of its name."""
    kind = vector(operation.operands[0])
    name = _FUNCTIONS.get(operation.name, operation.name)
    function = gpu(walker).function(walker, name, kind)
    walker.define(operation.results[0], f"{function}({', '.join(_used(walker, operation))})")


def _bits(walker: Walker, operation: Operation) -> None:
    """Write `and`, `or`, `xor` and comparisons of masks, whose lanes are of one size."""
    kind = vector(operation.operands[0])
    sign = gpu(walker).operator(walker, {**_BITS, **_COMPARISONS}[operation.name], kind)
    bits = walker.bits_of(operation.operands[0]) if is_mask(kind) else kind.dtype.bits
    both = (walker.mask(o, bits) if is_mask(kind) else walker.use(o) for o in operation.operands)
    walker.define(operation.results[0], f" {sign} ".join(both), bits)


def _not(walker: Walker, operation: Operation) -> None:
    (operand,), (result,) = operation.operands, operation.results
    kind = vector(operand)
    sign = gpu(walker).operator(walker, "!" if kind.dtype is DType.bool else "~", kind)
    bits = walker.bits_of(operand) if is_mask(kind) else 0
    text = walker.mask(operand, bits) if bits else walker.use(operand)
    walker.define(result, f"{sign}{text}", bits)


def _absolute(walker: Walker, operation: Operation) -> None:
    kind, a = vector(operation.operands[0]), walker.use(operation.operands[0])
    dialect = gpu(walker)
    if kind.dtype.is_float:
        text = f"{dialect.function(walker, 'fabs', kind)}({a})"
    elif kind.dtype.kind == "unsigned":
        text = a
    else:
        zero = dialect.constant(walker, 0, kind)
        negative = dialect.wrapped(walker, kind, "-", [a])
        test = f"{a} {dialect.operator(walker, '<', kind)} {zero}"
        text = dialect.choose(walker, kind, test, negative, a)
    walker.define(operation.results[0], text)


def _extreme(walker: Walker, operation: Operation) -> None:
    kind = vector(operation.operands[0])
    a, b = _used(walker, operation)
    walker.define(operation.results[0], _extreme_text(walker, kind, operation.name, a, b))


def _extreme_text(walker: Walker, kind: VectorType, name: str, a: str, b: str) -> str:
    """`a` where it is smaller (greater) or NaN, else `b`."""
    dialect = gpu(walker)
    test = f"{a} {dialect.operator(walker, '<' if name == 'minimum' else '>', kind)} {b}"
    if kind.dtype.is_float:
        unequal = dialect.operator(walker, "!=", kind)
        test = f"({test}) {_either(walker, kind)} ({a} {unequal} {a})"
    return dialect.choose(walker, kind, test, a, b)


def _either(walker: Walker, kind: VectorType) -> str:
    return gpu(walker).operator(walker, "|", kind.of(DType.bool)) if kind.width > 1 else "||"


def _select(walker: Walker, operation: Operation) -> None:
    (mask, a, b), (result,) = operation.operands, operation.results
    kind = vector(a)
    if is_mask(kind):
        bits = walker.bits_of(mask)
        m, x, y = (walker.mask(o, bits) for o in operation.operands)
        walker.define(result, gpu(walker).choose(walker, kind, m, x, y), bits)
        return
    test = walker.mask(mask, kind.dtype.bits) if kind.width > 1 else walker.use(mask)
    text = gpu(walker).choose(walker, kind, test, walker.use(a), walker.use(b))
    walker.define(result, text)


def _shift(sign: str) -> Emit:
    def emit(walker: Walker, operation: Operation) -> None:
        value, count = operation.operands
        kind, number = vector(value), constant_of(count)
        if not isinstance(number, int) or not 0 <= number < kind.dtype.bits:
            _called(walker, operation)
            return
        text = gpu(walker).shifted(walker, kind, walker.use(value), sign, number)
        walker.define(operation.results[0], text)

    return emit


def _whole(sign: str) -> Emit:
    """Floor division and remainder: a shift and a mask where the divisor is a power of two."""

    def emit(walker: Walker, operation: Operation) -> None:
        value, divisor = operation.operands
        kind, number = vector(value), constant_of(divisor)
        if not isinstance(number, int) or number < 1 or number & (number - 1):
            _called(walker, operation)
            return
        a, dialect = walker.use(value), gpu(walker)
        if sign == ">>":
            text = dialect.shifted(walker, kind, a, ">>", number.bit_length() - 1)
        else:
            rest = dialect.constant(walker, number - 1, kind)
            text = f"{a} {dialect.operator(walker, '&', kind)} {rest}"
        walker.define(operation.results[0], text)

    return emit


def _splat(walker: Walker, operation: Operation) -> None:
    (operand,), (result,) = operation.operands, operation.results
    kind, scalar = vector(result), walker.use(operand)
    text = scalar if kind.width == 1 else gpu(walker).filled(walker, kind, scalar)
    walker.define(result, text, 32)


def _shuffle(walker: Walker, operation: Operation) -> None:
    indices: Sequence[int] = operation.attributes["indices"]
    result, operands = operation.results[0], operation.operands
    every = [(o, i) for o in operands for i in range(vector(o).width)]
    picked, kind = [every[i] for i in indices], vector(result)
    if kind.dtype is DType.bool:
        _shuffle_mask(walker, result, picked)
        return
    if len(picked) == 1:
        walker.define(result, _lane(walker, *picked[0]))
        return
    lanes = []
    for value, lane in picked:
        is_lane = vector(value).width > 1 and scalar_constant(value, lane) is None
        text = walker.use(value) if is_lane else _lane(walker, value, lane)
        lanes.append((text, lane if is_lane else -1))
    walker.define(result, gpu(walker).joined(walker, kind, lanes))


def _shuffle_mask(walker: Walker, result: Value, picked: list[tuple[Value, int]]) -> None:
    texts = [_lane(walker, *pick) for pick in picked]
    if len(texts) == 1:
        walker.define(result, texts[0])
    else:
        walker.define(result, gpu(walker).joined_mask(walker, 32, texts), 32)


def _lane(walker: Walker, value: Value, lane: int) -> str:
    """Return one lane as a scalar."""
    kind, dialect = vector(value), gpu(walker)
    number = scalar_constant(value, lane)
    if number is not None:
        return dialect.literal(number, kind.dtype)
    if kind.width == 1:
        return walker.use(value)
    if kind.dtype is DType.bool:
        return f"({dialect.lane(walker.mask(value, walker.bits_of(value)), lane)} != 0)"
    return dialect.lane(walker.use(value), lane)


def _reduce(walker: Walker, operation: Operation) -> None:
    """Fold by halves, in the order that `ir.meaning.reduce_tree` gives."""
    (operand,), (result,) = operation.operands, operation.results
    kind, which = vector(operand), operation.name.removeprefix("reduce_")
    if kind.width == 1:
        walker.define(result, walker.use(operand))
        return
    if is_mask(kind):
        _reduce_mask(walker, operand, result, which)
        return
    name = _named(walker, operand)
    for width in _halves(kind.width):
        of = VectorType(kind.dtype, width)
        low, high = gpu(walker).low_and_high(walker, name, width * 2)
        text = folded(walker, which, of, low, high)
        if width == 1:
            walker.define(result, text)
        else:
            name = walker.temporary(text, of)


def _halves(width: int) -> list[int]:
    return [width >> n for n in range(1, width.bit_length())]


def _named(walker: Walker, value: Value) -> str:
    text = walker.use(value)
    return text if text.isidentifier() else walker.temporary(text, vector(value))


def folded(walker: Walker, name: str, kind: VectorType, a: str, b: str) -> str:
    """Return `a` and `b` put together by the row `name`."""
    if name in ("minimum", "maximum"):
        return _extreme_text(walker, kind, name, a, b)
    if name in _BITS:
        return f"{a} {gpu(walker).operator(walker, _BITS[name], kind)} {b}"
    return gpu(walker).wrapped(walker, kind, _SIGNS[name], [a, b])


def _reduce_mask(walker: Walker, operand: Value, result: Value, which: str) -> None:
    bits, kind = walker.bits_of(operand), vector(operand)
    mask = walker.mask(operand, bits)
    function = gpu(walker).function(walker, f"reduce_{which}", kind, str(bits))
    walker.define(result, f"{function}({mask})")


def _table() -> dict[str, Callable[[Walker, Operation], None]]:
    table: dict[str, Any] = dict.fromkeys(_SIGNS, _arithmetic)
    table |= dict.fromkeys((*_BITS, *_COMPARISONS), _bits)
    table |= {name: _reduce for name in ROWS if name.startswith("reduce_")}
    table |= dict.fromkeys(_FUNCTIONS, _called)
    return table


OPERATIONS: dict[str, Emit] = {
    **_table(),
    "divide": _divide,
    "fma": _fma,
    "not": _not,
    "absolute": _absolute,
    "minimum": _extreme,
    "maximum": _extreme,
    "select": _select,
    "floor_divide": _whole(">>"),
    "floor_modulo": _whole("&"),
    "shift_left": _shift("<<"),
    "shift_right": _shift(">>"),
    "splat": _splat,
    "shuffle": _shuffle,
}
