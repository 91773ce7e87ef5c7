"""The interpreter: runs a kernel on NumPy buffers, and so is the meaning of a kernel.

It checks what compiled code does not: accesses out of bounds and reads of memory that was never
written, named with the user's line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tensorlib.dtypes import DType, as_dtype
from tensorlib.errors import KernelError, caret
from tensorlib.ir.core import Block, Kernel, Operation, Value
from tensorlib.ir.meaning import array
from tensorlib.ir.ops import ROWS, broken_assertion
from tensorlib.ir.types import PointerType, VectorType

__all__ = [
    "MEMORY",
    "Frame",
    "Memory",
    "Special",
    "evaluate",
    "interpret",
    "kernel_values",
    "run_block",
]

Array = np.ndarray[Any, Any]
Special = Callable[[Operation, list[Any]], list[Any]]


class Frame(dict[int, Any]):
    """The values of a kernel that runs, by the ids of its IR values.

    `special` gives operations another meaning: those of a grid, which need to know the thread.
    """

    __slots__ = ("special",)

    def __init__(self, special: Mapping[str, Special] | None = None) -> None:
        super().__init__()
        self.special: Mapping[str, Special] = special or {}


class Memory:
    """Bytes behind a pointer, with a mark on each byte that has been written."""

    __slots__ = ("bytes", "name", "written")

    def __init__(self, data: Array, name: str = "memory", written: bool = True) -> None:
        self.bytes = data.reshape(-1).view(np.uint8)
        self.name = name
        self.written = None if written else np.zeros(len(self.bytes), np.bool_)

    def load(self, dtype: DType, start: int, width: int, unit: int, lane: int = 0) -> Array:
        """Return `width` elements of `dtype`, `lane` elements behind `start` units of bytes."""
        first, last = self._span(dtype, start, width, unit, lane)
        if self.written is not None and not self.written[first:last].all():
            raise KernelError(f"{self.name}: read of [{start}] before anything was written there")
        raw = self.bytes[first:last]
        data = raw != 0 if dtype is DType.bool else raw.copy().view(dtype.numpy)
        return data if width > 1 else data.reshape(())

    def store(self, value: Array, dtype: DType, start: int, unit: int, lane: int = 0) -> None:
        """Write the lanes of `value`, `lane` elements behind `start` units of bytes."""
        flat = np.atleast_1d(value).astype(dtype.numpy)
        first, last = self._span(dtype, start, len(flat), unit, lane)
        if not self.bytes.flags.writeable:
            raise KernelError(f"{self.name}: got a read-only array, but the kernel writes it")
        self.bytes[first:last] = np.ascontiguousarray(flat).view(np.uint8)
        if self.written is not None:
            self.written[first:last] = True

    def exchange(self, dtype: DType, start: int, new: Callable[[Array], Array]) -> Array:
        """Replace one element by a function of itself, and return what it was."""
        old = self.load(dtype, start, 1, dtype.itemsize)
        self.store(np.asarray(new(old)), dtype, start, dtype.itemsize)
        return old

    def _span(self, dtype: DType, start: int, width: int, unit: int, lane: int) -> tuple[int, int]:
        first = start * unit + lane * dtype.itemsize
        last = first + width * dtype.itemsize
        if first < 0 or last > len(self.bytes):
            size = len(self.bytes) // unit
            reach = last / unit
            raise KernelError(
                f"{self.name}: access to elements [{start}, {reach:g}) "
                f"is outside its {size} elements"
            )
        return first, last


def interpret(kernel: Kernel, arguments: Sequence[Any]) -> None:
    """Run `kernel`: pointers are C-contiguous NumPy arrays (written in place), scalars numbers.

    Raises KernelError, with the line of Python it was traced from, for an access outside an array
    and for a read of local memory that nothing was written to.
    """
    if "block" in kernel.attributes:
        raise KernelError(f"{kernel.name}: got no grid for a kernel of blocks; try interpret_grid")
    frame = Frame()
    frame.update(kernel_values(kernel, arguments, Memory))
    run_block(kernel.body, frame)


def kernel_values(
    kernel: Kernel, arguments: Sequence[Any], memory: Callable[[Array, str], Memory]
) -> dict[int, Any]:
    """Return the checked arguments by the ids of the parameters; `memory` wraps arrays."""
    if len(arguments) != len(kernel.parameters):
        raise KernelError(
            f"{kernel.name}: got {len(arguments)} arguments, needed {len(kernel.parameters)}"
        )
    values: dict[int, Any] = {}
    for parameter, given in zip(kernel.parameters, arguments, strict=True):
        argument = _codes(given, parameter.type.dtype)
        if isinstance(parameter.type, PointerType):
            values[id(parameter)] = memory(_checked(kernel, parameter, argument), parameter.name)
        else:
            values[id(parameter)] = array(argument, parameter.type.dtype, parameter.type.width)
    return values


def _codes(argument: Any, dtype: DType) -> Any:
    """Return an array of a coded dtype as the integers that passes made of its codes."""
    if dtype.kind != "unsigned" or not isinstance(argument, np.ndarray):
        return argument
    is_coded = argument.dtype != dtype.numpy and as_dtype(argument.dtype).is_coded
    return argument.view(dtype.numpy) if is_coded else argument


def _checked(kernel: Kernel, parameter: Value, argument: Any) -> Array:
    dtype, where = parameter.type.dtype, f"{kernel.name}: {parameter.name}"
    if not isinstance(argument, np.ndarray) or argument.dtype != dtype.numpy:
        got = getattr(argument, "dtype", type(argument).__name__)
        raise KernelError(f"{where}: got {got}, needed an array of {dtype.name}")
    if not argument.flags.c_contiguous:
        raise KernelError(f"{where}: got a strided array; try np.ascontiguousarray")
    return argument


def run_block(block: Block, values: Frame) -> list[Any]:
    """Run the operations of a block; return what its `yield` gives."""
    for operation in block.operations:
        operands = [values[id(o)] for o in operation.operands]
        if operation.name == "yield":
            return operands
        results = evaluate(operation, operands, values)
        for result, value in zip(operation.results, results, strict=True):
            values[id(result)] = value
    return []


def evaluate(operation: Operation, operands: list[Any], values: Frame) -> list[Any]:
    """Return the results of one operation; errors show the line of Python it came from."""
    try:
        return _evaluate(operation, operands, values)
    except KernelError as error:
        location = operation.location
        if location is None or "\n  File" in str(error):
            raise
        raise KernelError(f"{error}\n{caret(location)}") from None


def _evaluate(operation: Operation, operands: list[Any], values: Frame) -> list[Any]:
    name = operation.name
    if name in values.special:
        return values.special[name](operation, operands)
    if name == "const":
        kind = operation.attributes["type"]
        return [array(operation.attributes["value"], kind.dtype, kind.width)]
    if name in _CONTROL:
        return _CONTROL[name](operation, operands, values)
    if name in MEMORY:
        return MEMORY[name](operation, operands)
    numpy = ROWS[name].numpy
    if numpy is None:
        raise KernelError(f"{name}: got no grid to run it in; try interpret_grid")
    return [numpy(*operands, **operation.attributes)]


def _for(operation: Operation, operands: list[Any], values: Frame) -> list[Any]:
    start, stop, step = (int(o) for o in operands[:3])
    if step <= 0:
        raise KernelError(f"for: got step {step}, needed a positive step")
    carried, block = operands[3:], operation.blocks[0]
    for i in range(start, stop, step):
        _bind(block, [np.int64(i), *carried], values)
        carried = run_block(block, values)
    return carried


def _while(operation: Operation, operands: list[Any], values: Frame) -> list[Any]:
    condition, body = operation.blocks
    carried = operands
    while True:
        _bind(condition, carried, values)
        if not run_block(condition, values)[0]:
            return carried
        _bind(body, carried, values)
        carried = run_block(body, values)


def _if(operation: Operation, operands: list[Any], values: Frame) -> list[Any]:
    return run_block(operation.blocks[0 if operands[0] else 1], values)


def _bind(block: Block, arguments: list[Any], values: Frame) -> None:
    parameters: list[Value] = block.parameters
    for parameter, argument in zip(parameters, arguments, strict=True):
        values[id(parameter)] = argument


def _unit(operation: Operation) -> int:
    pointer = operation.operands[0].type
    assert isinstance(pointer, PointerType)
    return pointer.dtype.itemsize


def _load(operation: Operation, operands: list[Any]) -> list[Any]:
    kind: VectorType = operation.attributes["type"]
    return [operands[0].load(kind.dtype, int(operands[1]), kind.width, _unit(operation))]


def _masked_load(operation: Operation, operands: list[Any]) -> list[Any]:
    memory, start, mask, other = operands
    kind: VectorType = operation.attributes["type"]
    lanes = np.atleast_1d(other).copy()
    for lane in np.flatnonzero(np.atleast_1d(mask)):
        lanes[lane] = memory.load(kind.dtype, int(start), 1, _unit(operation), int(lane))
    return [lanes if kind.width > 1 else lanes.reshape(())]


def _gather(operation: Operation, operands: list[Any]) -> list[Any]:
    memory, indices = operands[:2]
    dtype = operation.operands[0].type.dtype
    if operation.name == "gather":
        mask, lanes = np.ones_like(indices, np.bool_), np.zeros(np.shape(indices), dtype.numpy)
    else:
        mask, lanes = operands[2], np.array(operands[3])
    flat = lanes.reshape(-1)
    for lane in np.flatnonzero(mask):
        flat[lane] = memory.load(dtype, int(np.atleast_1d(indices)[lane]), 1, _unit(operation))
    return [flat.reshape(np.shape(indices))]


def _store(operation: Operation, operands: list[Any]) -> list[Any]:
    memory, start, value = operands
    dtype = operation.operands[2].type.dtype
    memory.store(value, dtype, int(start), _unit(operation))
    return []


def _masked_store(operation: Operation, operands: list[Any]) -> list[Any]:
    memory, start, value, mask = operands
    dtype = operation.operands[2].type.dtype
    for lane in np.flatnonzero(np.atleast_1d(mask)):
        element = np.atleast_1d(value)[lane]
        memory.store(element, dtype, int(start), _unit(operation), int(lane))
    return []


def _scatter(operation: Operation, operands: list[Any]) -> list[Any]:
    memory, indices, value = operands[:3]
    dtype = operation.operands[2].type.dtype
    mask = operands[3] if operation.name == "masked_scatter" else np.ones_like(indices, np.bool_)
    at, lanes = np.atleast_1d(indices), np.atleast_1d(value)
    for lane in np.flatnonzero(mask):
        memory.store(lanes[lane], dtype, int(at[lane]), _unit(operation))
    return []


def _alloc(operation: Operation, operands: list[Any]) -> list[Any]:
    dtype: DType = operation.attributes["dtype"]
    name = operation.results[0].name or "allocation"
    data = np.zeros(operation.attributes["size"], dtype.numpy)
    return [Memory(data, name, written=False)]


def _instruction(operation: Operation, operands: list[Any], values: Frame) -> list[Any]:
    return run_block(operation.blocks[0], values)


# The rows that atomic operators mean; an exchange stores the value itself.
_OPERATORS = {
    **{name: name for name in ("add", "minimum", "maximum", "and", "or", "xor")},
    "exchange": "",
}


def _atomic(operation: Operation, operands: list[Any]) -> list[Any]:
    pointer, index, value = operands
    operator = _OPERATORS[operation.attributes["operator"]]
    meaning = ROWS[operator].numpy if operator else None
    return [
        _exchanged(operation, pointer, index, lambda old: meaning(old, value) if meaning else value)
    ]


def _compare_exchange(operation: Operation, operands: list[Any]) -> list[Any]:
    pointer, index, expected, value = operands
    return [
        _exchanged(operation, pointer, index, lambda old: value if _same(old, expected) else old)
    ]


def _same(a: Any, b: Any) -> bool:
    """Whether two elements have the same bits, which is what hardware compares."""
    return bool(np.asarray(a).tobytes() == np.asarray(b).tobytes())


def _exchanged(operation: Operation, pointer: Memory, index: Any, new: Any) -> Any:
    dtype = operation.results[0].type.dtype
    return pointer.exchange(dtype, int(index), new)


def _check(operation: Operation, operands: list[Any], values: Frame) -> list[Any]:
    """Every access is checked here; what is left is to say so where the limit is a lower one."""
    indices, limit, *mask = operands[1:]
    lanes = np.atleast_1d(indices)
    if mask and np.size(mask[0]) > 1 == lanes.size:
        lanes = lanes + np.arange(np.size(mask[0])) * operation.attributes["step"]
    active = np.broadcast_to(mask[0], lanes.shape) if mask else np.ones(lanes.shape, np.bool_)
    wrong = active & ((lanes < 0) | (lanes >= limit))
    if wrong.any():
        raise KernelError(f"check: index {lanes[wrong][0]} is not below {limit}")
    return []


def _assert(operation: Operation, operands: list[Any], values: Frame) -> list[Any]:
    if not operands[0]:
        raise KernelError(broken_assertion(operation.attributes))
    return []


_CONTROL = {
    "assert": _assert,
    "check": _check,
    "for": _for,
    "while": _while,
    "if": _if,
    "instruction": _instruction,
}
MEMORY: dict[str, Callable[[Operation, list[Any]], list[Any]]] = {
    "load": _load,
    "masked_load": _masked_load,
    "gather": _gather,
    "masked_gather": _gather,
    "store": _store,
    "masked_store": _masked_store,
    "scatter": _scatter,
    "masked_scatter": _scatter,
    "alloc": _alloc,
    "atomic": _atomic,
    "atomic_compare_exchange": _compare_exchange,
    "prefetch": lambda operation, operands: [],
}
