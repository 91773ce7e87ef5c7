"""OpenCL C and CUDA C of memory: loads, stores, their masked forms, gather, scatter, arrays."""

from __future__ import annotations

from collections.abc import Callable

from tensorlib.dtypes import DType
from tensorlib.ir.core import Operation, Value
from tensorlib.ir.types import PointerType, VectorType
from tensorlib.printers.gpu_dialect import gpu, kept_as
from tensorlib.printers.walker import Emit, Walker, is_mask, vector

__all__ = ["OPERATIONS", "element_type"]


def element_type(pointer: Value) -> DType:
    """Return the dtype of what a pointer points to."""
    assert isinstance(pointer.type, PointerType)
    return pointer.type.dtype


def _kept(kind: VectorType) -> VectorType:
    """Return the type that memory holds: halves as their bits, bools of vectors as bytes."""
    bytes_ = kind.dtype is DType.bool
    return kind.of(DType.uint8 if bytes_ else kept_as(kind.dtype))


def _read(walker: Walker, kind: VectorType, pointer: Value, at: str) -> str:
    """Return what memory holds at an index."""
    if kind.width == 1 and kind.dtype is element_type(pointer):
        return f"{walker.use(pointer)}[{at}]"
    return gpu(walker).loaded(walker, _kept(kind), pointer, at)


def _written(walker: Walker, kind: VectorType, pointer: Value, at: str, value: str) -> str:
    """Return the statement that stores at an index."""
    if kind.width == 1 and kind.dtype is element_type(pointer):
        return f"{walker.use(pointer)}[{at}] = {value};"
    return gpu(walker).stored(walker, _kept(kind), pointer, at, value)


def _load(walker: Walker, operation: Operation) -> None:
    result, (pointer, index) = operation.results[0], operation.operands
    text = _read(walker, vector(result), pointer, walker.use(index))
    _define_bytes(walker, result, text)


def _define_bytes(walker: Walker, result: Value, text: str) -> None:
    """Define a result from what memory holds; bools may be any byte but 0."""
    kind = vector(result)
    if kind.dtype is DType.bool:
        bytes_ = kind.of(DType.uint8)
        sign = gpu(walker).operator(walker, "!=", bytes_)
        text = f"{text} {sign} {gpu(walker).constant(walker, 0, bytes_)}"
    walker.define(result, text, 8)


def _as_memory(walker: Walker, value: Value) -> str:
    """Return a value as it is kept in memory: masks as bytes 0 and 1."""
    kind = vector(value)
    if is_mask(kind):
        return gpu(walker).mask_to_numbers(walker, value, kind.of(DType.uint8))
    return walker.use(value)


def _store(walker: Walker, operation: Operation) -> None:
    pointer, index, value = operation.operands
    kind, text = vector(value), _as_memory(walker, value)
    walker.line(_written(walker, kind, pointer, walker.use(index), text))


Lane = Callable[[int], str]  # text for a lane by its number


def _test(walker: Walker, mask: Value | None) -> Lane:
    """Return the condition in front of a lane's statement."""
    if mask is None:
        return lambda lane: ""
    width = vector(mask).width
    if width == 1:
        return lambda lane: f"if ({walker.use(mask)}) "
    bits = walker.bits_of(mask)
    name = walker.temporary(walker.mask(mask, bits), VectorType(DType.bool, width), bits)
    return lambda lane: f"if ({gpu(walker).lane(name, lane)}) "


def _each_lane(walker: Walker, width: int, statement: Lane) -> None:
    """Write the lanes' statements, a few a line."""
    statements = [statement(lane) for lane in range(width)]
    for first in range(0, width, 4):
        walker.line(" ".join(statements[first : first + 4]))


def _neighbours(walker: Walker, operation: Operation, kind: VectorType) -> Lane:
    """Return the indices of lanes side by side in memory."""
    scale = kind.dtype.itemsize // element_type(operation.operands[0]).itemsize
    start = walker.use(operation.operands[1])
    return lambda lane: f"{start} + {lane * scale}" if lane else start


def _scattered(walker: Walker, operation: Operation, kind: VectorType) -> Lane:
    """Return the indices of lanes, each at its own."""
    indices = operation.operands[1]
    if kind.width == 1:
        return lambda lane: walker.use(indices)
    name = walker.temporary(walker.use(indices), vector(indices))
    return lambda lane: gpu(walker).lane(name, lane)


def _masked(walker: Walker, operation: Operation, at: Lane) -> None:
    """Read the lanes where the mask holds; the others have the value of the last operand."""
    *_, mask, other = operation.operands
    pointer, result = operation.operands[0], operation.results[0]
    kind, one = vector(result), VectorType(vector(result).dtype)
    test, name = _test(walker, mask), walker.fresh("t")
    declared = _kept(kind) if kind.width > 1 else kind
    walker.line(f"{walker.type(declared)} {name} = {_as_memory(walker, other)};")
    place: Lane = (lambda i: gpu(walker).lane(name, i)) if kind.width > 1 else (lambda i: name)
    _each_lane(
        walker,
        kind.width,
        lambda i: f"{test(i)}{place(i)} = {_read(walker, one, pointer, at(i))};",
    )
    if kind.dtype is DType.bool and kind.width == 1:
        walker.define(result, name)
    else:
        _define_bytes(walker, result, name)


def _masked_load(walker: Walker, operation: Operation) -> None:
    _masked(walker, operation, _neighbours(walker, operation, vector(operation.results[0])))


def _masked_gather(walker: Walker, operation: Operation) -> None:
    _masked(walker, operation, _scattered(walker, operation, vector(operation.results[0])))


def _gather(walker: Walker, operation: Operation) -> None:
    pointer, result = operation.operands[0], operation.results[0]
    kind, one = vector(result), VectorType(vector(result).dtype)
    at = _scattered(walker, operation, kind)
    texts = [_read(walker, one, pointer, at(lane)) for lane in range(kind.width)]
    if kind.width == 1:
        _define_bytes(walker, result, texts[0])
        return
    text = gpu(walker).joined(walker, _kept(kind), [(text, -1) for text in texts])
    _define_bytes(walker, result, text)


def _write(walker: Walker, operation: Operation, mask: Value | None, at: Lane) -> None:
    pointer, value = operation.operands[0], operation.operands[2]
    kind, one = vector(value), VectorType(vector(value).dtype)
    test, text = _test(walker, mask), _as_memory(walker, value)
    if kind.width == 1:
        walker.line(f"{test(0)}{_written(walker, one, pointer, at(0), text)}")
        return
    name, lane = walker.temporary(text, _kept(kind)), gpu(walker).lane
    _each_lane(
        walker,
        kind.width,
        lambda i: f"{test(i)}{_written(walker, one, pointer, at(i), lane(name, i))}",
    )


def _masked_store(walker: Walker, operation: Operation) -> None:
    _, _, value, mask = operation.operands
    _write(walker, operation, mask, _neighbours(walker, operation, vector(value)))


def _scatter(walker: Walker, operation: Operation) -> None:
    value, mask = operation.operands[2], (*operation.operands[3:], None)[0]
    _write(walker, operation, mask, _scattered(walker, operation, vector(value)))


def _prefetch(walker: Walker, operation: Operation) -> None:
    pointer, index = operation.operands
    statement = gpu(walker).prefetched(walker, pointer, walker.use(index))
    if statement:
        walker.line(statement)


def _check(walker: Walker, operation: Operation) -> None:
    """Leave the kernel at an index that is not below the limit, or, as unsigned, below 0."""
    faults, indices, limit = map(walker.use, operation.operands[:3])
    kind, dialect = vector(operation.operands[1]), gpu(walker)
    mask = (*operation.operands[3:], None)[0]
    width = max(kind.width, vector(mask).width if mask is not None else 1)
    unsigned, test = dialect.scalar(DType.uint64), _test(walker, mask)
    name = walker.temporary(indices, kind) if kind.width > 1 else indices
    step, site = operation.attributes["step"], operation.attributes["site"]
    for lane in range(width):
        at = dialect.lane(name, lane) if kind.width > 1 else f"{name} + {lane * step}"
        at = indices if width == 1 else at
        fault = f"{dialect.fault(walker)}({faults}, {site}, {at})"
        condition = test(lane if mask is not None and vector(mask).width > 1 else 0)
        outside = f"({unsigned})({at}) >= ({unsigned}){limit}"
        walker.line(f"{condition}if ({outside}) {{ {fault}; return; }}")


def _alloc(walker: Walker, operation: Operation) -> None:
    """Declare a thread's own array; what several threads share stands at the kernel's head."""
    result = operation.results[0]
    assert isinstance(result.type, PointerType)
    if id(result) in walker.names:
        return
    name = walker.names[id(result)] = walker.fresh("local")
    element = gpu(walker).scalar(result.type.dtype)
    walker.line(gpu(walker).private(element, name, max(1, operation.attributes["size"])))


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
    "check": _check,
}
