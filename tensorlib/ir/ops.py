"""The IR op table: one row an op with its type rule, its NumPy meaning, C spelling and effect.

Rows marked `control` (for, while, if, yield) and memory rows have their meaning in the interpreter,
since it needs more than values.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorlib.dtypes import DType
from tensorlib.errors import KernelError
from tensorlib.ir import meaning as m
from tensorlib.ir.grid_ops import GRID_ROWS
from tensorlib.ir.row import Attributes, Row, TypeRule, Types, needed, simd_types
from tensorlib.ir.types import INDEX, PointerType, Type, VectorType

__all__ = ["ROWS", "Row", "broken_assertion", "result_types"]


_REGULAR: set[VectorType] = set()  # types that have been checked


def result_types(name: str, operands: Types, attributes: Attributes) -> list[Type]:
    """Return the result types of op `name`, or raise KernelError for operands that don't fit."""
    return ROWS[name].types(name, operands, attributes)


def _same(count: int, kinds: str) -> TypeRule:
    """All operands have one type, whose dtype is of one of `kinds`; so has the result."""
    fit: set[Type] = set()  # what has passed: types are one object each

    def rule(name: str, operands: Types, attributes: Attributes) -> list[Type]:
        first = operands[0] if len(operands) == count else None
        if first in fit and operands.count(first) == count:
            return [operands[0]]
        found = simd_types(name, operands, count)
        if any(v != found[0] for v in found):
            raise needed(name, operands, "operands of one dtype and width; cast one of them")
        if found[0].dtype.kind not in kinds.split():
            raise needed(name, operands, f"a dtype of kind {kinds.replace(' ', ' or ')}")
        fit.add(found[0])
        return [found[0]]

    return rule


def _comparison(name: str, operands: Types, attributes: Attributes) -> list[Type]:
    left, right = simd_types(name, operands, 2)
    if left != right or left.dtype.is_coded:
        raise needed(name, operands, "operands of one dtype and width; cast one of them")
    return [left.of(DType.bool)]


def _select(name: str, operands: Types, attributes: Attributes) -> list[Type]:
    mask, a, b = simd_types(name, operands, 3)
    if mask.dtype is not DType.bool or mask.width != a.width or a != b:
        raise needed(name, operands, "(bool mask, a, b) of one width, a and b of one dtype")
    return [a]


def _regular(name: str, kind: VectorType) -> VectorType:
    """Check a type that attributes name."""
    if type(kind) is VectorType and kind in _REGULAR:
        return kind
    if not isinstance(kind, VectorType) or not kind.is_regular:
        raise KernelError(f"{name}: got type {kind}, needed numbers and a power of two of lanes")
    _REGULAR.add(kind)
    return kind


def _const(name: str, operands: Types, attributes: Attributes) -> list[Type]:
    return [_regular(name, attributes["type"])]


def _cast(name: str, operands: Types, attributes: Attributes) -> list[Type]:
    (a,) = simd_types(name, operands, 1)
    if a.dtype.is_coded or attributes["dtype"].is_coded:
        raise needed(name, operands, "numbers; casts of codes are traced as arithmetic on them")
    return [_regular(name, a.of(attributes["dtype"]))]


def _bitcast(name: str, operands: Types, attributes: Attributes) -> list[Type]:
    (a,) = simd_types(name, operands, 1)
    dtype: DType = attributes["dtype"]
    bits = a.dtype.bits * a.width
    if bits % dtype.bits or DType.bool in (dtype, a.dtype):
        raise needed(name, operands, f"a number of bits that {dtype.name} divides")
    return [_regular(name, VectorType(dtype, bits // dtype.bits))]


def _splat(name: str, operands: Types, attributes: Attributes) -> list[Type]:
    (a,) = simd_types(name, operands, 1)
    if a.width != 1:
        raise needed(name, operands, "a scalar")
    return [_regular(name, VectorType(a.dtype, attributes["width"]))]


def _shuffle(name: str, operands: Types, attributes: Attributes) -> list[Type]:
    found = simd_types(name, operands, len(operands))
    indices = attributes["indices"]
    lanes = sum(v.width for v in found)
    if len({v.dtype for v in found}) != 1 or not all(0 <= i < lanes for i in indices):
        raise needed(name, operands, f"vectors of one dtype and lane numbers below {lanes}")
    return [_regular(name, VectorType(found[0].dtype, len(indices)))]


def _reduction(kinds: str) -> TypeRule:
    def rule(name: str, operands: Types, attributes: Attributes) -> list[Type]:
        (a,) = simd_types(name, operands, 1)
        if a.dtype.kind not in kinds.split():
            raise needed(name, operands, f"a dtype of kind {kinds.replace(' ', ' or ')}")
        return [VectorType(a.dtype)]

    return rule


def _address(name: str, operands: Types) -> PointerType:
    pointer, index = operands[0], operands[1]
    if not isinstance(pointer, PointerType) or index != INDEX:
        raise needed(name, operands, "(pointer, int64 index, ...)")
    return pointer


def _load(name: str, operands: Types, attributes: Attributes) -> list[Type]:
    pointer = _address(name, operands)
    kind = _regular(name, attributes["type"])
    if kind.dtype is not pointer.dtype and pointer.dtype is not DType.uint8:
        raise needed(name, operands, f"a pointer to {kind.dtype.name} or to uint8 bytes")
    if name == "masked_load" and (
        operands[2] != kind.of(DType.bool) or operands[3] != kind or len(operands) != 4
    ):
        raise needed(name, operands, f"(pointer, index, mask, other) for {kind}")
    return [kind]


def _store(name: str, operands: Types, attributes: Attributes) -> list[Type]:
    pointer, value = _address(name, operands), operands[2]
    if not isinstance(value, VectorType) or (
        value.dtype is not pointer.dtype and pointer.dtype is not DType.uint8
    ):
        raise needed(name, operands, f"a value of dtype {pointer.dtype.name}")
    if name == "masked_store" and operands[3] != value.of(DType.bool):
        raise needed(name, operands, f"(pointer, index, value, mask) for {value}")
    return []


def _indexed(name: str, operands: Types, count: int) -> tuple[PointerType, VectorType]:
    pointer, indices = (*operands, None, None)[:2]
    if (
        not isinstance(pointer, PointerType)
        or not isinstance(indices, VectorType)
        or indices.dtype is not DType.int64
        or len(operands) != count
    ):
        raise needed(name, operands, f"(pointer, int64 indices, ...), {count} operands")
    return pointer, indices


def _gather(name: str, operands: Types, attributes: Attributes) -> list[Type]:
    pointer, indices = _indexed(name, operands, 4 if name == "masked_gather" else 2)
    kind = indices.of(pointer.dtype)
    if name == "masked_gather" and tuple(operands[2:]) != (indices.of(DType.bool), kind):
        raise needed(name, operands, f"(pointer, int64 indices, mask, other) for {kind}")
    return [kind]


def _scatter(name: str, operands: Types, attributes: Attributes) -> list[Type]:
    pointer, indices = _indexed(name, operands, 4 if name == "masked_scatter" else 3)
    kind = indices.of(pointer.dtype)
    if tuple(operands[2:]) not in ((kind,), (kind, indices.of(DType.bool))):
        raise needed(name, operands, f"(pointer, int64 indices, value) for {kind}")
    return []


def _prefetch(name: str, operands: Types, attributes: Attributes) -> list[Type]:
    _address(name, operands)
    return []


def _alloc(name: str, operands: Types, attributes: Attributes) -> list[Type]:
    return [PointerType(attributes["dtype"], attributes["placement"])]


def _check(name: str, operands: Types, attributes: Attributes) -> list[Type]:
    """(faults, index or indices, limit[, mask]): attributes `site`, and `step` between lanes."""
    faults, indices, limit, *mask = operands
    lanes = indices.of(DType.int64) if isinstance(indices, VectorType) else None
    fits = len(mask) <= 1 and all(isinstance(m, VectorType) and m.dtype is DType.bool for m in mask)
    if faults != PointerType(DType.int64) or indices is not lanes or limit != INDEX or not fits:
        raise needed(name, operands, "(pointer<int64>, int64 indices, int64 limit[, bool mask])")
    return []


def broken_assertion(attributes: Attributes) -> str:
    """Return what is said where the condition of an `assert` does not hold."""
    return f"assert: {attributes.get('message', 'the condition does not hold')}"


def _assert(name: str, operands: Types, attributes: Attributes) -> list[Type]:
    if list(operands) != [VectorType(DType.bool)]:
        raise needed(name, operands, "a scalar bool")
    return []


def _carried(name: str, operands: Types, attributes: Attributes) -> list[Type]:
    first = {"for": 3, "while": 0, "if": 1}[name]
    if name == "if":
        return list(attributes["types"])
    return list(operands[first:])


def _none(name: str, operands: Types, attributes: Attributes) -> list[Type]:
    return []


def _reinterpret(a: Any, dtype: DType) -> Any:
    data = np.ascontiguousarray(np.atleast_1d(a)).view(dtype.numpy)
    return data if len(data) > 1 else data.reshape(())


NUMBER, INTEGER = "signed unsigned float", "signed unsigned"
LOGIC = "bool signed unsigned"
ARITHMETIC, WHOLE, FLOAT = _same(2, NUMBER), _same(2, INTEGER), _same(2, "float")
BITS, UNARY, UNARY_FLOAT = _same(2, LOGIC), _same(1, NUMBER), _same(1, "float")

_TABLE = [
    # constants and lanes
    Row("const", _const),
    Row("splat", _splat, lambda a, width: np.broadcast_to(a, (width,) if width > 1 else ())),
    Row("shuffle", _shuffle, m.shuffle),
    # arithmetic
    Row("add", ARITHMETIC, m.in_float32(np.add), "{0} + {1}"),
    Row("subtract", ARITHMETIC, m.in_float32(np.subtract), "{0} - {1}"),
    Row("multiply", ARITHMETIC, m.in_float32(np.multiply), "{0} * {1}"),
    Row("divide", FLOAT, m.in_float32(np.divide), "{0} / {1}"),
    Row("floor_divide", WHOLE, m.quietly(m.floor_divide)),
    Row("floor_modulo", WHOLE, m.quietly(m.floor_modulo)),
    Row("float_modulo", FLOAT, m.in_float32(np.fmod)),
    Row("fma", _same(3, NUMBER), m.fma),
    Row("minimum", ARITHMETIC, m.quietly(m.minimum)),
    Row("maximum", ARITHMETIC, m.quietly(m.maximum)),
    Row("negative", UNARY, m.quietly(np.negative), "-{0}"),
    Row("absolute", UNARY, m.quietly(np.abs)),
    Row("sqrt", UNARY_FLOAT, m.in_float32(np.sqrt)),
    Row("floor", UNARY_FLOAT, m.in_float32(np.floor)),
    Row("ceil", UNARY_FLOAT, m.in_float32(np.ceil)),
    Row("trunc", UNARY_FLOAT, m.in_float32(np.trunc)),
    Row("round", UNARY_FLOAT, m.in_float32(np.rint)),
    # bits
    Row("and", BITS, m.quietly(np.bitwise_and), "{0} & {1}"),
    Row("or", BITS, m.quietly(np.bitwise_or), "{0} | {1}"),
    Row("xor", BITS, m.quietly(np.bitwise_xor), "{0} ^ {1}"),
    Row("not", _same(1, LOGIC), m.quietly(np.invert)),
    Row("shift_left", WHOLE, m.quietly(m.shift_left)),
    Row("shift_right", WHOLE, m.quietly(m.shift_right)),
    # comparison and choice
    Row("equal", _comparison, m.compare(np.equal), "{0} == {1}"),
    Row("not_equal", _comparison, m.compare(np.not_equal), "{0} != {1}"),
    Row("less", _comparison, m.compare(np.less), "{0} < {1}"),
    Row("less_equal", _comparison, m.compare(np.less_equal), "{0} <= {1}"),
    Row("greater", _comparison, m.compare(np.greater), "{0} > {1}"),
    Row("greater_equal", _comparison, m.compare(np.greater_equal), "{0} >= {1}"),
    Row("select", _select, m.quietly(m.select)),
    # conversion
    Row("cast", _cast, m.cast),
    Row("bitcast", _bitcast, _reinterpret),
    # reduction over the lanes, by halves
    Row("reduce_add", _reduction(NUMBER), m.in_float32(m.reduce_tree(np.add))),
    Row("reduce_multiply", _reduction(NUMBER), m.in_float32(m.reduce_tree(np.multiply))),
    Row("reduce_minimum", _reduction(NUMBER), m.reduce_tree(m.minimum)),
    Row("reduce_maximum", _reduction(NUMBER), m.reduce_tree(m.maximum)),
    Row("reduce_and", _reduction(LOGIC), m.reduce_tree(np.bitwise_and)),
    Row("reduce_or", _reduction(LOGIC), m.reduce_tree(np.bitwise_or)),
    Row("reduce_xor", _reduction(LOGIC), m.reduce_tree(np.bitwise_xor)),
    # memory: indices count elements of the pointer's dtype
    Row("load", _load, effect="read"),
    Row("masked_load", _load, effect="read"),
    Row("gather", _gather, effect="read"),
    Row("masked_gather", _gather, effect="read"),
    Row("store", _store, effect="write"),
    Row("masked_store", _store, effect="write"),
    Row("scatter", _scatter, effect="write"),
    Row("masked_scatter", _scatter, effect="write"),
    Row("prefetch", _prefetch, effect="write"),
    Row("alloc", _alloc, effect="write"),
    # control
    Row("for", _carried, effect="control"),
    Row("while", _carried, effect="control"),
    Row("if", _carried, effect="control"),
    Row("yield", _none, effect="control"),
    # ends the kernel where an index is not below a limit: see passes/checked.py
    Row("check", _check, effect="control"),
    # ends the kernel where a condition does not hold; only the interpreter and checks know of it
    Row("assert", _assert, effect="control"),
    # a hardware instruction over its meaning: see ir/instructions.py
    Row(
        "instruction",
        lambda name, operands, attributes: list(attributes["types"]),
        effect="control",
    ),
]

ROWS: dict[str, Row] = {row.name: row for row in (*_TABLE, *GRID_ROWS)}
