"""Finds integer arithmetic and loads that are written where they are read.

    const int64_t v1 = row * stride;
    const int64_t v2 = v1 + column;
    out[v2] = x;                         becomes    out[row * stride + column] = x;

An operation is, whose 64-bit result has no name from the source and is read once, in its own
block, by a row that spells the operand once. So is the load of an element that a store reads
before anything else is written.
"""

from __future__ import annotations

from collections import Counter

from tensorlib.dtypes import DType
from tensorlib.ir.core import Block, Kernel, Operation, Value, walk
from tensorlib.ir.ops import ROWS
from tensorlib.ir.types import PointerType, VectorType

__all__ = ["Inlined", "inlined", "within"]

Inlined = dict[int, tuple[Operation, int]]  # by the id of a value, its reader and the position

_SUMS = ("add", "subtract")
_SHIFTS = ("shift_left", "shift_right")
_WHOLE = ("floor_divide", "floor_modulo")
_MADE = frozenset([*_SUMS, "multiply", "and", "or", "xor", *_SHIFTS, *_WHOLE])
_COMPARED = ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal")
_MASKED = ("masked_load", "masked_store")  # of elements
_MEMORY = ("load", "store", "prefetch", *_MASKED)
_READERS = {
    False: _MADE.union(_COMPARED),
    # Of unsigned operands these give the same bits as of signed ones.
    True: _MADE - {*_SHIFTS, "floor_divide"},
}

# How tightly C binds what is written, and how tightly a place needs it to.
_LOOSE, _SUM, _PRODUCT, _OPERAND = range(4)
_BINDS = {**dict.fromkeys(_SUMS, _SUM), "multiply": _PRODUCT, "load": _OPERAND}
_NEEDS = {
    **dict.fromkeys(_SUMS, (_SUM, _PRODUCT)),
    "multiply": (_PRODUCT, _OPERAND),
    **dict.fromkeys(_COMPARED, (_SUM, _SUM)),
}


def inlined(kernel: Kernel, uses: Counter[int], is_unsigned: bool) -> Inlined:
    """Return the values that are written where they are read, with the readers.

    `is_unsigned` tells that the target spells arithmetic of signed integers by unsigned ones.
    """
    found: Inlined = {}
    _block(kernel.body, uses, is_unsigned, found)
    for operation in walk(kernel.body):
        for block in operation.blocks:
            _block(block, uses, is_unsigned, found)
    return found


def _block(block: Block, uses: Counter[int], is_unsigned: bool, found: Inlined) -> None:
    readers = _READERS[is_unsigned]
    made: set[int] = set()  # integers that may be written where they are read
    loaded: set[int] = set()  # elements; nothing was written since
    for operation in block.operations:
        name = operation.name
        if name in _MEMORY:
            if id(operation.operands[1]) in made and _spells_once(operation, is_unsigned):
                found[id(operation.operands[1])] = operation, 1
            _memory(operation, uses, made, loaded, found)
        elif name in _MADE:
            if _is_infix(operation):
                if made and name in readers:
                    _note(operation, made, found)
                if _is_read_once(operation, uses):
                    made.add(id(operation.results[0]))
        elif made and name in readers:
            _note(operation, made, found)
        elif loaded and ROWS[name].effect not in ("pure", "read"):
            loaded.clear()


def _memory(
    operation: Operation, uses: Counter[int], made: set[int], loaded: set[int], found: Inlined
) -> None:
    """Note what a store writes; a load, if nothing was written since."""
    operands, is_element = operation.operands, _is_element(operation)
    if operation.name == "load":
        is_bool = is_element and _kind(operation).dtype is DType.bool  # any byte but 0
        if is_element and not is_bool and _is_read_once(operation, uses):
            loaded.add(id(operation.results[0]))
    elif operation.name != "masked_load":
        value = id(operands[2]) if is_element and operation.name == "store" else 0
        if value in made or value in loaded:
            found[value] = operation, 2
        loaded.clear()


def _note(operation: Operation, made: set[int], found: Inlined) -> None:
    for position, operand in enumerate(operation.operands):
        if id(operand) in made:
            found[id(operand)] = operation, position


def _is_read_once(operation: Operation, uses: Counter[int]) -> bool:
    (result,) = operation.results
    return not result.name and uses[id(result)] == 1


def _is_infix(operation: Operation) -> bool:
    """Whether C spells this `a sign b`, of 64-bit integers of which not both are constants."""
    a, b = operation.operands
    kind, first, second = a.type, _number(a), _number(b)
    if not isinstance(kind, VectorType) or kind.width > 1:
        return False
    if kind.dtype.bits != 64 or not kind.dtype.is_integer:
        return False
    if operation.name in _SHIFTS:
        return first is None and second is not None and 0 <= second < 64
    if operation.name in _WHOLE:
        return first is None and second is not None and second > 0 and not second & (second - 1)
    return first is None or second is None


def _number(value: Value) -> int | None:
    """Return the number of a scalar constant; None for other values."""
    made = value.operation
    if made is None or made.name != "const":
        return None
    number = made.attributes["value"]
    return number if isinstance(number, int) else None


def _is_element(operation: Operation) -> bool:
    """Whether this loads or stores one element, so that a subscript says where."""
    return operation.name != "prefetch" and _kind(operation).width == 1 and not _is_cast(operation)


def _spells_once(operation: Operation, is_unsigned: bool) -> bool:
    """Whether the index stands in the text once: not for each lane, or each part of a vector."""
    if operation.name in _MASKED and _kind(operation).width > 1:
        return False
    return not (is_unsigned and _is_cast(operation))


def _is_cast(operation: Operation) -> bool:
    """Whether bytes are read or written as another dtype: a target may do so by parts."""
    if operation.name == "prefetch":
        return False
    pointer = operation.operands[0].type
    assert isinstance(pointer, PointerType)
    return _kind(operation).dtype is not pointer.dtype


def _kind(operation: Operation) -> VectorType:
    """Return the type of what is loaded or stored."""
    kind = (operation.results or operation.operands[2:])[0].type
    assert isinstance(kind, VectorType)
    return kind


def within(text: str, made: Operation, reader: Operation, position: int) -> str:
    """Return what spells `made` as an operand of its reader: in parentheses where C needs them."""
    name = reader.name
    if name in _MEMORY:
        is_loose = position == 2 or _is_element(reader)
        needed = _LOOSE if is_loose else _PRODUCT  # behind the + of an address
    else:
        needed = _NEEDS.get(name, (_OPERAND, _OPERAND))[position]
    binds = _BINDS.get(made.name, _LOOSE)
    if made.name in _SHIFTS and text.startswith("(int64_t)("):
        binds = _OPERAND
    return text if binds >= needed else f"({text})"
