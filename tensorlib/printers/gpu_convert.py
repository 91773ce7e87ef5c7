"""OpenCL C and CUDA C of conversions: casts between all dtypes and masks, and bits seen as another
dtype.
"""

from __future__ import annotations

from tensorlib.dtypes import DType
from tensorlib.ir.core import Operation
from tensorlib.ir.types import VectorType
from tensorlib.printers.gpu_dialect import gpu, kept_as
from tensorlib.printers.walker import Emit, Walker, is_mask, vector

__all__ = ["OPERATIONS", "narrowed_half", "widened_half"]


def _bitcast(walker: Walker, operation: Operation) -> None:
    (operand,), (result,) = operation.operands, operation.results
    source, target = (k.of(kept_as(k.dtype)) for k in (vector(operand), vector(result)))
    text = walker.use(operand)
    if source is not target:
        text = gpu(walker).reinterpreted(walker, text, source, target)
    walker.define(result, text)


def _cast(walker: Walker, operation: Operation) -> None:
    (operand,), (result,) = operation.operands, operation.results
    source, target = vector(operand), vector(result)
    if is_mask(source) and is_mask(target):
        bits = walker.bits_of(operand)
        walker.define(result, walker.mask(operand, bits), bits)
    elif is_mask(source):
        single = target.of(DType.float32) if _is_half(target) else target
        text = gpu(walker).mask_to_numbers(walker, operand, single)
        walker.define(result, _converted(walker, text, single, target))
    elif target.dtype is DType.bool:
        text = _is_nonzero(walker, walker.use(operand), source)
        walker.define(result, text, kept_as(source.dtype).bits)
    else:
        walker.define(result, _converted(walker, walker.use(operand), source, target))


def _is_half(kind: VectorType) -> bool:
    return kind.dtype.is_float and kind.dtype.bits == 16


def _is_nonzero(walker: Walker, text: str, source: VectorType) -> str:
    dialect, kind = gpu(walker), source.of(kept_as(source.dtype))
    if _is_half(source):  # any bit but the sign
        rest = dialect.constant(walker, 0x7FFF, kind)
        text = f"({text} {dialect.operator(walker, '&', kind)} {rest})"
    return f"{text} {dialect.operator(walker, '!=', kind)} {dialect.constant(walker, 0, kind)}"


def _converted(walker: Walker, text: str, source: VectorType, target: VectorType) -> str:
    """Return the expression that converts `text` (no masks)."""
    if source.dtype is target.dtype:
        return text
    if _is_half(source):
        single = source.of(DType.float32)
        return _converted(walker, widened_half(walker, text, source), single, target)
    if _is_half(target):
        return _to_half(walker, text, source, target)
    saturate = source.dtype.is_float and target.dtype.is_integer
    return gpu(walker).converted(walker, text, source, target, saturate)


def widened_half(walker: Walker, text: str, kind: VectorType) -> str:
    """Return float16 or bfloat16 as float32."""
    return f"{gpu(walker).function(walker, f'{kind.dtype.name}_to_float32', kind)}({text})"


def narrowed_half(walker: Walker, text: str, kind: VectorType) -> str:
    """Return float32 as float16 or bfloat16."""
    name = f"float32_to_{kind.dtype.name}"
    return f"{gpu(walker).function(walker, name, kind.of(DType.float32))}({text})"


def _to_half(walker: Walker, text: str, source: VectorType, target: VectorType) -> str:
    """Through float32; float64 to float16 rounds to odd there, so that it rounds once."""
    if source.dtype is DType.float64 and target.dtype is DType.float16:
        text = f"{gpu(walker).function(walker, 'float64_to_odd', source)}({text})"
    else:
        text = _converted(walker, text, source, source.of(DType.float32))
    return narrowed_half(walker, text, target)


OPERATIONS: dict[str, Emit] = {"cast": _cast, "bitcast": _bitcast}
