"""C of memory operations: loads, stores, their masked forms, gather, scatter, local arrays."""

from __future__ import annotations

from collections.abc import Callable

from tensorlib.dtypes import DType
from tensorlib.ir.core import Operation, Value
from tensorlib.ir.types import PointerType, VectorType
from tensorlib.printers.c_types import SCALAR, SHORT, scalar_memory
from tensorlib.printers.walker import Emit, Walker, is_mask, stem, vector

__all__ = ["OPERATIONS"]


def _element(walker: Walker, pointer: Value, at: str, dtype: DType) -> str:
    """Return the lvalue of one element; bytes may be read as any dtype, at any address."""
    assert isinstance(pointer.type, PointerType)
    base = walker.use(pointer)
    if dtype is pointer.type.dtype:
        return f"{base}[{at}]"
    short = SHORT[dtype]
    walker.declarations.setdefault(f"{short}_memory", scalar_memory(short))
    return f"*({short}_memory *)({base} + {at})"


def _place(walker: Walker, operation: Operation, kind: VectorType) -> str:
    """Return the lvalue of a vector or scalar in memory."""
    pointer, index = operation.operands[:2]
    if kind.width == 1:
        return _element(walker, pointer, walker.use(index), kind.dtype)
    return f"*({walker.type(kind)}_memory *)({walker.use(pointer)} + {walker.use(index)})"


def _load(walker: Walker, operation: Operation) -> None:
    result = operation.results[0]
    _define_bytes(walker, result, _place(walker, operation, vector(result)))


def _as_memory(walker: Walker, value: Value) -> str:
    """Return a value as it is kept in memory: masks as bytes 0 and 1."""
    kind = vector(value)
    if is_mask(kind):
        return f"({walker.type(kind)})({walker.mask(value, 8)} & 1)"
    return walker.use(value)


def _store(walker: Walker, operation: Operation) -> None:
    value = operation.operands[2]
    place = _place(walker, operation, vector(value))
    walker.line(f"{place} = {_as_memory(walker, value)};")


Lane = Callable[[int], str]  # C text for a lane by its number


def _test(walker: Walker, mask: Value | None) -> Lane:
    """Return the condition in front of a lane's statement."""
    if mask is None:
        return lambda lane: ""
    width = vector(mask).width
    if width == 1:
        return lambda lane: f"if ({walker.use(mask)}) "
    bits = walker.bits_of(mask)
    name = walker.named(walker.mask(mask, bits), vector(mask), bits)
    return lambda lane: f"if ({name}[{lane}]) "


def _each_lane(walker: Walker, width: int, statement: Lane) -> None:
    """Write the lanes' statements, four a line: gcc 12 fails on some loops that it vectorises."""
    statements = [statement(lane) for lane in range(width)]
    for first in range(0, width, 4):
        walker.line(" ".join(statements[first : first + 4]))


def _neighbours(walker: Walker, operation: Operation, kind: VectorType) -> Lane:
    """Return the lvalues of lanes side by side in memory."""
    pointer, index = operation.operands[:2]
    assert isinstance(pointer.type, PointerType)
    scale = kind.dtype.itemsize // pointer.type.dtype.itemsize
    start = walker.use(index)
    return lambda lane: _element(
        walker, pointer, f"{start} + {lane * scale}" if lane else start, kind.dtype
    )


def _scattered(walker: Walker, operation: Operation, kind: VectorType) -> Lane:
    """Return the lvalues of lanes each at its own index."""
    pointer, indices = operation.operands[:2]
    if kind.width == 1:
        return lambda lane: _element(walker, pointer, walker.use(indices), kind.dtype)
    at = walker.named(walker.use(indices), vector(indices))
    return lambda lane: _element(walker, pointer, f"{at}[{lane}]", kind.dtype)


def _define_bytes(walker: Walker, result: Value, text: str) -> None:
    """Define a result from what memory holds; bools may be any byte but 0."""
    kind = vector(result)
    if kind.dtype is not DType.bool and text.isidentifier():
        walker.names[id(result)] = text
    elif kind.dtype is not DType.bool:
        walker.define(result, text)
    elif kind.width == 1:
        walker.define(result, f"{text} != 0")
    else:
        walker.define(result, f"({walker.mask_type(8, kind.width)})({text} != 0)", 8)


def _masked(walker: Walker, operation: Operation, element: Lane) -> None:
    """Read the lanes where the mask holds; the others have the value of the last operand."""
    *_, mask, other = operation.operands
    result, kind = operation.results[0], vector(operation.results[0])
    test, name = _test(walker, mask), walker.fresh(stem(result, "t"))
    walker.line(f"{walker.type(kind)} {name} = {_as_memory(walker, other)};")
    place: Lane = (lambda lane: f"{name}[{lane}]") if kind.width > 1 else (lambda lane: name)
    _each_lane(walker, kind.width, lambda i: f"{test(i)}{place(i)} = {element(i)};")
    _define_bytes(walker, result, name)


def _masked_load(walker: Walker, operation: Operation) -> None:
    _masked(walker, operation, _neighbours(walker, operation, vector(operation.results[0])))


def _masked_gather(walker: Walker, operation: Operation) -> None:
    _masked(walker, operation, _scattered(walker, operation, vector(operation.results[0])))


def _gather(walker: Walker, operation: Operation) -> None:
    result, kind = operation.results[0], vector(operation.results[0])
    element = _scattered(walker, operation, kind)
    if kind.width == 1:
        _define_bytes(walker, result, element(0))
        return
    texts = ", ".join(element(lane) for lane in range(kind.width))
    _define_bytes(walker, result, f"({walker.type(kind)}){{{texts}}}")


def _write(walker: Walker, value: Value, mask: Value | None, element: Lane) -> None:
    kind, text = vector(value), _as_memory(walker, value)
    test = _test(walker, mask)
    if kind.width == 1:
        walker.line(f"{test(0)}{element(0)} = {text};")
        return
    name = walker.named(text, VectorType(DType.uint8, kind.width) if is_mask(kind) else kind)
    _each_lane(walker, kind.width, lambda i: f"{test(i)}{element(i)} = {name}[{i}];")


def _masked_store(walker: Walker, operation: Operation) -> None:
    _, _, value, mask = operation.operands
    _write(walker, value, mask, _neighbours(walker, operation, vector(value)))


def _scatter(walker: Walker, operation: Operation) -> None:
    value, mask = operation.operands[2], (*operation.operands[3:], None)[0]
    _write(walker, value, mask, _scattered(walker, operation, vector(value)))


def _prefetch(walker: Walker, operation: Operation) -> None:
    pointer, index = map(walker.use, operation.operands)
    walker.line(f"__builtin_prefetch({pointer} + {index});")


def _alloc(walker: Walker, operation: Operation) -> None:
    name = walker.names[id(operation.results[0])] = walker.fresh("local")
    element = SCALAR[SHORT[operation.attributes["dtype"]]]
    size = max(1, operation.attributes["size"])
    walker.line(f"{element} {name}[{size}] __attribute__((aligned(64)));")


OPERATIONS: dict[str, Emit] = {
    "load": _load,
    "store": _store,
    "masked_load": _masked_load,
    "masked_store": _masked_store,
    "gather": _gather,
    "masked_gather": _masked_gather,
    "scatter": _scatter,
    "masked_scatter": _scatter,
    "prefetch": _prefetch,
    "alloc": _alloc,
}
