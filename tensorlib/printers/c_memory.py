"""C of memory operations: loads, stores, their masked forms, gather, scatter, local arrays."""

from __future__ import annotations

from collections.abc import Callable

from tensorlib.dtypes import DType
from tensorlib.ir.core import Operation, Value
from tensorlib.ir.types import PointerType, VectorType
from tensorlib.printers.c_types import SCALAR, SHORT, scalar_memory
from tensorlib.printers.walker import Emit, Walker, is_mask, vector

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
    kind = vector(result)
    place = _place(walker, operation, kind)
    if kind.dtype is not DType.bool:
        walker.define(result, place)
    elif kind.width == 1:
        walker.define(result, f"{place} != 0")
    else:
        walker.define(result, f"({walker.mask_type(8, kind.width)})({place} != 0)", 8)


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


def _lane_mask(walker: Walker, mask: Value) -> str:
    """Return the test of lane l of a mask, or of a scalar condition."""
    width = vector(mask).width
    if width == 1:
        return f"if ({walker.use(mask)}) "
    name = walker.temporary(walker.mask(mask, 32), VectorType(DType.int32, width), 32)
    return f"if ({name}[l]) "


def _each_lane(walker: Walker, width: int, statement: str) -> None:
    head = f"for (int l = 0; l < {width}; ++l) " if width > 1 else ""
    walker.line(f"{head}{statement}")


def _filled(
    walker: Walker, result: Value, initial: str, test: str, element: Callable[[str], str]
) -> None:
    """Define a result that is read lane by lane where `test` holds, else `initial`."""
    kind = vector(result)
    name, lane = walker.fresh("t"), "[l]" if kind.width > 1 else ""
    walker.line(f"{walker.type(kind)} {name} = {initial};")
    _each_lane(walker, kind.width, f"{test}{name}{lane} = {element('l')};")
    if kind.dtype is not DType.bool:
        walker.define(result, name)
    elif kind.width == 1:
        walker.define(result, f"{name} != 0")
    else:
        walker.define(result, f"({walker.mask_type(8, kind.width)})({name} != 0)", 8)


def _run(walker: Walker, operation: Operation, kind: VectorType) -> Callable[[str], str]:
    """Return the lvalue of lane l of neighbours in memory."""
    pointer, index = operation.operands[:2]
    assert isinstance(pointer.type, PointerType)
    scale = kind.dtype.itemsize // pointer.type.dtype.itemsize
    step = "" if kind.width == 1 else " + l" if scale == 1 else f" + {scale} * l"
    at = f"{walker.use(index)}{step}"
    return lambda lane: _element(walker, pointer, at, kind.dtype)


def _scattered(walker: Walker, operation: Operation, kind: VectorType) -> Callable[[str], str]:
    """Return the lvalue of lane l at its own index."""
    pointer, indices = operation.operands[:2]
    if kind.width == 1:
        return lambda lane: _element(walker, pointer, walker.use(indices), kind.dtype)
    at = walker.temporary(walker.use(indices), vector(indices))
    return lambda lane: _element(walker, pointer, f"{at}[{lane}]", kind.dtype)


def _masked_load(walker: Walker, operation: Operation) -> None:
    _, _, mask, other = operation.operands
    result = operation.results[0]
    element = _run(walker, operation, vector(result))
    test = _lane_mask(walker, mask)
    _filled(walker, result, _as_memory(walker, other), test, element)


def _gather(walker: Walker, operation: Operation) -> None:
    result = operation.results[0]
    element = _scattered(walker, operation, vector(result))
    if operation.name == "gather":
        initial, test = "0" if vector(result).width == 1 else "{}", ""
    else:
        test = _lane_mask(walker, operation.operands[2])
        initial = _as_memory(walker, operation.operands[3])
    _filled(walker, result, initial, test, element)


def _write_lanes(
    walker: Walker, value: Value, mask: Value | None, element: Callable[[str], str]
) -> None:
    kind, text = vector(value), _as_memory(walker, value)
    test = _lane_mask(walker, mask) if mask is not None else ""
    if kind.width > 1:
        name = walker.fresh("t")
        walker.line(f"const {walker.type(kind)} {name} = {text};")
        text = f"{name}[l]"
    _each_lane(walker, kind.width, f"{test}{element('l')} = {text};")


def _masked_store(walker: Walker, operation: Operation) -> None:
    _, _, value, mask = operation.operands
    _write_lanes(walker, value, mask, _run(walker, operation, vector(value)))


def _scatter(walker: Walker, operation: Operation) -> None:
    value, mask = operation.operands[2], (*operation.operands[3:], None)[0]
    _write_lanes(walker, value, mask, _scattered(walker, operation, vector(value)))


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
    "masked_gather": _gather,
    "scatter": _scatter,
    "masked_scatter": _scatter,
    "prefetch": _prefetch,
    "alloc": _alloc,
}
