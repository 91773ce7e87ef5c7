"""Checks a kernel against the rules of the IR and shows the neighbourhood of a fault."""

from __future__ import annotations

from collections.abc import Callable

from tensorlib.dtypes import DType
from tensorlib.errors import KernelError, VerifyError
from tensorlib.ir.core import Block, Kernel, Operation, Value
from tensorlib.ir.ops import ROWS, result_types
from tensorlib.ir.types import INDEX, Type, VectorType

__all__ = ["verify"]


def verify(kernel: Kernel) -> None:
    """Raise VerifyError unless every operand is defined before use and every row's types fit."""
    defined = set(map(id, kernel.parameters))
    _block(kernel, kernel.body, defined, depth=0)


def _block(kernel: Kernel, block: Block, defined: set[int], depth: int) -> None:
    inner = defined | set(map(id, block.parameters))
    for position, operation in enumerate(block.operations):
        _operation(kernel, block, position, operation, inner, depth)
        inner.update(map(id, operation.results))


def _operation(
    kernel: Kernel, block: Block, position: int, operation: Operation, defined: set[int], depth: int
) -> None:
    def fail(message: str) -> VerifyError:
        return VerifyError(f"{kernel.name}: {message}\n{_neighbourhood(block, position)}")

    if operation.name not in ROWS:
        raise fail(f"{operation.name} is not a row of the op table")
    for number, operand in enumerate(operation.operands):
        if id(operand) not in defined:
            raise fail(f"operand {number} of {operation.name} is used before it is defined")
    try:
        types = result_types(
            operation.name, [o.type for o in operation.operands], operation.attributes
        )
    except KernelError as error:
        raise fail(str(error)) from None
    if types != [r.type for r in operation.results]:
        raise fail(f"{operation.name} has results {_types(operation.results)}, needed {types}")
    if operation.name == "yield" and (position != len(block.operations) - 1 or depth == 0):
        raise fail("yield must end a nested block")
    _control(operation, fail)
    for nested in operation.blocks:
        _block(kernel, nested, defined, depth + 1)


def _control(operation: Operation, fail: Callable[[str], VerifyError]) -> None:
    """Check blocks of for, while and if: parameters and yields match what is carried."""
    if operation.name not in ("for", "while", "if"):
        if operation.blocks:
            raise fail(f"{operation.name} has no blocks")
        return
    expected = _expected_blocks(operation)
    if operation.name == "for" and [o.type for o in operation.operands[:3]] != [INDEX] * 3:
        raise fail("for needs int64 start, stop and step")
    if operation.name == "if" and operation.operands[0].type != VectorType(DType.bool):
        raise fail("if needs a scalar bool")
    if len(expected) != len(operation.blocks):
        raise fail(f"{operation.name} needs {len(expected)} blocks")
    for block, (parameters, yields) in zip(operation.blocks, expected, strict=True):
        last = block.operations[-1] if block.operations else None
        if last is None or last.name != "yield":
            raise fail(f"a block of {operation.name} does not end in yield")
        if [p.type for p in block.parameters] != parameters:
            raise fail(f"{operation.name}: block parameters are not {parameters}")
        if [o.type for o in last.operands] != yields:
            raise fail(f"{operation.name}: yields {_types(last.operands)}, needed {_text(yields)}")


def _expected_blocks(operation: Operation) -> list[tuple[list[Type], list[Type]]]:
    results = [r.type for r in operation.results]
    if operation.name == "for":
        return [([INDEX, *results], results)]
    if operation.name == "while":
        return [(results, [VectorType(DType.bool)]), (results, results)]
    return [([], results), ([], results)]


def _types(values: list[Value]) -> str:
    return _text([v.type for v in values])


def _text(types: list[Type]) -> str:
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
