"""Computes float16 and bfloat16 arithmetic in float32, rounding after each operation.

    %2: float16x8 = add %0 %1
becomes
    %2: float32x8 = cast %0 {dtype=float32}
    %3: float32x8 = cast %1 {dtype=float32}
    %4: float32x8 = add %2 %3
    %5: float16x8 = cast %4 {dtype=float16}

float32 has more than twice the bits, so rounding twice gives what rounding once gives.
"""

from __future__ import annotations

from tensorlib.dtypes import DType
from tensorlib.ir.core import Block, Kernel, Operation, Value, value_types
from tensorlib.ir.types import Type, VectorType

__all__ = ["half"]

# Operations that move values without computing on them, or convert.
_MOVES = {
    "const", "splat", "shuffle", "select", "cast", "bitcast",
    "load", "masked_load", "gather", "masked_gather",
    "warp_shuffle", "atomic", "atomic_compare_exchange",
}  # fmt: skip


def half(kernel: Kernel) -> bool:
    """Rewrite `kernel` in place; return whether it computes on such values."""
    return any(map(_is_half_type, value_types(kernel))) and _block(kernel.body, {})


def _block(block: Block, replaced: dict[int, Value]) -> bool:
    made: list[Operation] = []
    is_changed = False
    for operation in block.operations:
        operation.operands = [replaced.get(id(o), o) for o in operation.operands]
        for nested in operation.blocks:
            is_changed |= _block(nested, replaced)
        if _computes_on_half(operation):
            made.extend(_widened(operation, replaced))
            is_changed = True
        else:
            made.append(operation)
    block.operations = made
    return is_changed


def _is_half_type(kind: Type) -> bool:
    return isinstance(kind, VectorType) and kind.dtype.kind == "float" and kind.dtype.bits == 16


def _is_half(value: Value) -> bool:
    return _is_half_type(value.type)


def _computes_on_half(operation: Operation) -> bool:
    if operation.blocks or operation.name in _MOVES or not operation.results:
        return False
    if operation.name == "fma":  # rounds once: printers have a function of their own for it
        return False
    return any(map(_is_half, operation.operands))


def _widened(operation: Operation, replaced: dict[int, Value]) -> list[Operation]:
    casts, operands = [], []
    for operand in operation.operands:
        if _is_half(operand):
            casts.append(_cast(operand, DType.float32, operation))
            operands.append(casts[-1].results[0])
        else:
            operands.append(operand)
    result = operation.results[0]
    kind = result.type
    assert isinstance(kind, VectorType)
    if not _is_half(result):  # a comparison
        operation.operands = operands
        return [*casts, operation]
    wide = Operation(
        operation.name,
        operands,
        [kind.of(DType.float32)],
        operation.attributes,
        place=operation.place,
    )
    narrow = _cast(wide.results[0], kind.dtype, operation)
    replaced[id(result)] = narrow.results[0]
    return [*casts, wide, narrow]


def _cast(value: Value, dtype: DType, at: Operation) -> Operation:
    kind, made = value.type, value.operation
    assert isinstance(kind, VectorType)
    if made is not None and made.name == "const" and dtype is DType.float32:  # exact in it
        wide = {"type": kind.of(dtype), "value": made.attributes["value"]}
        return Operation("const", [], [kind.of(dtype)], wide, place=at.place)
    return Operation("cast", [value], [kind.of(dtype)], {"dtype": dtype}, place=at.place)
