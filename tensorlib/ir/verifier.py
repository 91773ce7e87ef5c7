"""Checks a kernel against the rules of the IR and shows the neighbourhood of a fault."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

from tensorlib.dtypes import DType
from tensorlib.errors import KernelError, VerifyError
from tensorlib.ir.core import Block, Kernel, Operation, Value
from tensorlib.ir.grid_ops import GRID_ROWS
from tensorlib.ir.ops import ROWS
from tensorlib.ir.types import INDEX, PointerType, Type, VectorType

__all__ = ["verify"]

_BLOCKS = {"for": 1, "while": 2, "if": 2, "instruction": 1}
_TYPES = (VectorType, PointerType)
_type = attrgetter("type")  # quicker than a comprehension
BOOL = VectorType(DType.bool)
_ANYWHERE = ("atomic", "atomic_compare_exchange")  # the workers of a parallel loop share memory too
_GRID = frozenset(row.name for row in GRID_ROWS if row.name not in _ANYWHERE)
_PLACED = _GRID.union(_BLOCKS, ["yield"])


def verify(kernel: Kernel) -> None:
    """Raise VerifyError unless every operand is defined before use and every row's types fit.

    No value is defined twice, blocks have the parameters and results that are carried, and only a
    loop at the top may be parallel, without carrying anything. What threads do together needs a
    kernel with a block of threads.
    """
    defined: set[Value] = set()
    _define(kernel, kernel.parameters, defined)
    _block(kernel, kernel.body, defined, 0)


class _Fault(Exception):
    """What is wrong with an operation; its place is added where the block is known."""


def _define(kernel: Kernel, values: Sequence[Value], defined: set[Value]) -> None:
    for value in values:
        if value in defined:
            raise VerifyError(f"{kernel.name}: {value!r} is defined twice")
        if type(value.type) not in _TYPES:
            raise VerifyError(f"{kernel.name}: {value!r} has no type")
        defined.add(value)


def _block(kernel: Kernel, block: Block, defined: set[Value], depth: int) -> None:
    """Check a block; what it defines is forgotten behind it."""
    made: list[Value] = []
    if depth:
        _define(kernel, block.parameters, defined)
        made += block.parameters
    for position, operation in enumerate(block.operations):
        try:
            _operation(operation, defined)
            if operation.blocks or operation.name in _PLACED:
                _in_its_place(kernel, block, position, depth)
        except _Fault as fault:
            where = _neighbourhood(block, position)
            raise VerifyError(f"{kernel.name}: {fault}\n{where}") from None
        for nested in operation.blocks:
            _block(kernel, nested, defined, depth + 1)
        results = operation.results
        if operation.blocks or not defined.isdisjoint(results):
            _define(kernel, results, defined)
        defined.update(results)
        made += results
    defined.difference_update(made)


def _operation(operation: Operation, defined: set[Value]) -> None:
    """Check operands and results. It runs for every operation after every pass that changes one."""
    name, operands, results = operation.name, operation.operands, operation.results
    row = ROWS.get(name)
    if row is None:
        raise _Fault(f"{name} is not a row of the op table")
    if not defined.issuperset(operands):
        number = next(n for n, operand in enumerate(operands) if operand not in defined)
        raise _Fault(f"operand {number} of {name} is used before it is defined")
    try:
        types = row.types(name, list(map(_type, operands)), operation.attributes)
    except KernelError as error:
        raise _Fault(str(error)) from None
    except (KeyError, IndexError, AttributeError, TypeError, ValueError) as error:
        raise _Fault(f"{name}: operands or attributes are missing or wrong: {error!r}") from None
    if len(results) == 1 == len(types):  # as most are
        result = results[0]
        if result.operation is operation and result.type is types[0]:
            return
    if any(result.operation is not operation for result in results):
        raise _Fault(f"a result of {name} belongs to another operation")
    if types != [r.type for r in results]:
        raise _Fault(f"{name} has results {_types(results)}, needed {_text(types)}")


def _in_its_place(kernel: Kernel, block: Block, position: int, depth: int) -> None:
    """Check an operation that has blocks, or that not every block and kernel may have."""
    operation = block.operations[position]
    name = operation.name
    if name in _BLOCKS:
        _control(operation, depth)
    elif operation.blocks:
        raise _Fault(f"{name} has no blocks")
    if name in _GRID and "block" not in kernel.attributes:
        raise _Fault(f"{name} stands in a kernel without a block of threads")
    if name == "yield" and (position + 1 < len(block.operations) or not depth):
        raise _Fault("yield must end a nested block")


def _control(operation: Operation, depth: int) -> None:
    """Check blocks of for, while and if: parameters and yields match what is carried."""
    name, operands = operation.name, operation.operands
    if name == "for" and (len(operands) < 3 or any(o.type is not INDEX for o in operands[:3])):
        raise _Fault("for needs int64 start, stop and step")
    if name == "if" and (len(operands) != 1 or operands[0].type is not BOOL):
        raise _Fault("if needs a scalar bool")
    if len(operation.blocks) != _BLOCKS[name]:
        raise _Fault(f"{name} needs {_BLOCKS[name]} blocks, not {len(operation.blocks)}")
    if operation.attributes.get("parallel") and (depth or operation.results):
        raise _Fault("a parallel loop stands at the top and carries nothing")
    for block, (parameters, yields) in zip(operation.blocks, _expected(operation), strict=True):
        last = block.operations[-1] if block.operations else None
        if last is None or last.name != "yield":
            raise _Fault(f"a block of {name} does not end in yield")
        if [p.type for p in block.parameters] != parameters:
            got = _types(block.parameters)
            raise _Fault(f"{name}: a block has parameters {got}, needed {_text(parameters)}")
        if [o.type for o in last.operands] != yields:
            raise _Fault(f"{name}: a block yields {_types(last.operands)}, needed {_text(yields)}")


def _expected(operation: Operation) -> list[tuple[list[Type], list[Type]]]:
    """Return parameters and yields of each block."""
    results = [r.type for r in operation.results]
    if operation.name == "for":
        return [([INDEX, *results], results)]
    if operation.name == "while":
        return [(results, [BOOL]), (results, results)]
    return [([], results)] * _BLOCKS[operation.name]


def _types(values: Sequence[Value]) -> str:
    return _text([v.type for v in values])


def _text(types: Sequence[Type]) -> str:
    return "(" + ", ".join(map(str, types)) + ")"


def _neighbourhood(block: Block, position: int) -> str:
    lines = []
    for number in range(max(0, position - 2), min(len(block.operations), position + 3)):
        operation = block.operations[number]
        mark = ">>" if number == position else "  "
        operands = _types(operation.operands)
        where = f"  line {operation.location.line}" if operation.location else ""
        lines.append(f"{mark} {operation.name}{operands} -> {_types(operation.results)}{where}")
    return "\n".join(lines)
