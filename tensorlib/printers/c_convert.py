"""C of conversions: casts between all dtypes and masks, and bits seen as another dtype."""

from __future__ import annotations

from tensorlib.dtypes import DType
from tensorlib.ir.core import Operation
from tensorlib.ir.types import VectorType
from tensorlib.printers.c_helpers import call
from tensorlib.printers.c_types import SCALAR, SHORT
from tensorlib.printers.walker import Emit, Walker, is_mask, vector

__all__ = ["OPERATIONS"]


def _bitcast(walker: Walker, operation: Operation) -> None:
    (operand,), (result,) = operation.operands, operation.results
    source, target = vector(operand), vector(result)
    if (source.width > 1 and target.width > 1) or SHORT[source.dtype] == SHORT[target.dtype]:
        walker.define(result, f"({walker.type(target)}){walker.use(operand)}")
        return
    union = f"union {{ {walker.type(source)} a; {walker.type(target)} b; }}"
    walker.define(result, f"(({union}){{ .a = {walker.use(operand)} }}).b")


def _cast(walker: Walker, operation: Operation) -> None:
    (operand,), (result,) = operation.operands, operation.results
    source, target = vector(operand), vector(result)
    if is_mask(source):
        bits = target.dtype.bits if target.dtype.is_integer else 32
        one = VectorType(DType.by_name[f"int{bits}"], source.width)
        text = f"({walker.mask(operand, bits)} & 1)"
        walker.define(result, _converted(walker, text, one, target))
    elif is_mask(target):
        bits = source.dtype.bits
        text = _is_nonzero(walker.use(operand), source, f"({walker.type(source)}){{}}")
        walker.define(result, f"({walker.mask_type(bits, source.width)})({text})", bits)
    else:
        walker.define(result, _converted(walker, walker.use(operand), source, target))


def _is_half(kind: VectorType) -> bool:
    return kind.dtype.is_float and kind.dtype.bits == 16


def _is_nonzero(text: str, source: VectorType, zero: str = "0") -> str:
    if _is_half(source):
        return f"({text} & 0x7fff) != {zero}"  # any bit but the sign
    return f"{text} != {zero}"


def _converted(walker: Walker, text: str, source: VectorType, target: VectorType) -> str:
    """Return the C expression that converts `text` (no masks)."""
    if target.dtype is DType.bool:
        return _is_nonzero(text, source)
    if _is_half(source):
        single = source.of(DType.float32)
        return _converted(walker, _from_half(walker, text, source), single, target)
    if _is_half(target):
        return _to_half(walker, text, source, target)
    if source.dtype.is_float and target.dtype.is_integer:
        return call(walker, "saturate", source, text, extra=SHORT[target.dtype])
    return _plain(walker, text, source, target)


def _plain(walker: Walker, text: str, source: VectorType, target: VectorType) -> str:
    """What C converts as the IR does: integers wrap, integers and floats round to floats."""
    if source.dtype is target.dtype:
        return text
    if source.width == 1:
        return f"({SCALAR[SHORT[target.dtype]]}){text}"
    return _convert_lanes(walker, text, source, target)


def _convert_lanes(walker: Walker, text: str, source: VectorType, target: VectorType) -> str:
    """Convert vectors. gcc takes integers apart lane by lane when their size more than doubles."""
    a, b = source.dtype, target.dtype
    if a.is_integer and a.bits == 8 and (b.bits >= 32 or not b.is_integer):
        wide = source.of(DType.int32)
        text = call(walker, "widen", source, text)
        return text if b is DType.int32 else _convert_lanes(walker, text, wide, target)
    if a.is_integer and a.bits < 32 and not b.is_integer:
        wide = source.of(DType.int32)
        text = _convert_lanes(walker, text, source, wide)
        return _convert_lanes(walker, text, wide, target)
    for kind in (*_between(source, target), target):
        text = f"__builtin_convertvector({text}, {walker.type(kind)})"
    return text


def _between(source: VectorType, target: VectorType) -> list[VectorType]:
    """Return the integer types to pass through, so that no step more than doubles or halves."""
    a, b = source.dtype, target.dtype
    if not (a.is_integer and b.is_integer):
        return []
    sizes = [8, 16, 32, 64]
    first, last = sizes.index(a.bits), sizes.index(b.bits)
    steps = sizes[first + 1 : last] if first < last else sizes[last + 1 : first][::-1]
    sign = "u" if a.kind == "unsigned" else ""
    return [source.of(DType.by_name[f"{sign}int{bits}"]) for bits in steps]


def _from_half(walker: Walker, text: str, source: VectorType) -> str:
    if source.dtype is DType.float16:
        return call(walker, "float16_to_float32", source, text)
    words = source.of(DType.uint16), source.of(DType.uint32)
    bits = f"({_plain(walker, text, *words)} << 16)"
    if source.width > 1:
        return f"({walker.type(source.of(DType.float32))}){bits}"
    return f"((union {{ uint32_t a; float b; }}){{ .a = {bits} }}).b"


def _to_half(walker: Walker, text: str, source: VectorType, target: VectorType) -> str:
    """Through float32; float64 to float16 rounds to odd there, so that it rounds once."""
    single = source.of(DType.float32)
    if source.dtype is DType.float64 and target.dtype is DType.float16:
        text = call(walker, "float64_to_odd", source, text)
    else:
        text = _plain(walker, text, source, single)
    return call(walker, f"float32_to_{target.dtype.name}", single, text)


OPERATIONS: dict[str, Emit] = {"cast": _cast, "bitcast": _bitcast}
