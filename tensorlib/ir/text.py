"""The text form of a kernel, and its parser: `parse(text(kernel))` is the same kernel."""

from __future__ import annotations

import ast
import re
from typing import Any

from tensorlib.dtypes import DType
from tensorlib.errors import KernelError
from tensorlib.ir.core import Block, Kernel, Operation, Value
from tensorlib.ir.types import Placement, PointerType, Type, VectorType

__all__ = ["parse", "text"]


def text(kernel: Kernel) -> str:
    """Return the kernel as text, one operation a line, values numbered in order of definition."""
    names: dict[int, str] = {}
    parameters = ", ".join(f"{_define(p, names)}: {p.type}" for p in kernel.parameters)
    lines = [f"kernel {kernel.name}({parameters}) {{"]
    _lines(kernel.body, names, "  ", lines)
    return "\n".join([*lines, "}", ""])


def _define(value: Value, names: dict[int, str]) -> str:
    names[id(value)] = f"%{len(names)}" + (f".{value.name}" if value.name else "")
    return names[id(value)]


def _lines(block: Block, names: dict[int, str], indent: str, lines: list[str]) -> None:
    for operation in block.operations:
        operands = " ".join(names[id(o)] for o in operation.operands)
        body = " ".join(filter(None, [operation.name, operands, _attributes(operation)]))
        blocks = operation.blocks
        # Results of a control operation are named after its blocks, in order of definition.
        if not blocks:
            results = ", ".join(f"{_define(r, names)}: {r.type}" for r in operation.results)
            lines.append(f"{indent}{results} = {body}" if results else f"{indent}{body}")
            continue
        for number, nested in enumerate(blocks):
            head = body if number == 0 else "and"
            parameters = ", ".join(f"{_define(p, names)}: {p.type}" for p in nested.parameters)
            opening = f"{head} ({parameters}) {{"
            if number:
                lines[-1] = f"{indent}}} {opening}"
            else:
                lines.append(f"{indent}{opening}")
            _lines(nested, names, indent + "  ", lines)
            lines.append(f"{indent}}}")
        results = ", ".join(f"{_define(r, names)}: {r.type}" for r in operation.results)
        lines[-1] += f" -> ({results})"


def _attributes(operation: Operation) -> str:
    if not operation.attributes:
        return ""
    items = (f"{k}={_literal(v)}" for k, v in sorted(operation.attributes.items()))
    return "{" + ", ".join(items) + "}"


def _literal(value: Any) -> str:
    if isinstance(value, list):
        return "[" + "; ".join(map(str, value)) + "]"
    if isinstance(value, DType):
        return value.name
    if isinstance(value, Placement):
        return f"@{value.value}"
    return str(value) if isinstance(value, (VectorType, PointerType)) else repr(value)


_OPERATION = re.compile(
    r"^(?:(?P<results>%.*?) = )?(?P<name>[a-z_]+)(?P<operands>(?: %[\w.]+)*)"
    r"(?: \{(?P<attributes>.*?)\})?(?: \((?P<parameters>.*)\) \{)?$"
)


def parse(source: str) -> Kernel:
    """Read the text form; raises KernelError with the line that is at fault."""
    lines = [line.strip() for line in source.strip().splitlines()]
    head = re.match(r"^kernel (\w+)\((.*)\) \{$", lines[0])
    if head is None:
        raise KernelError(f"parse: got {lines[0]!r}, needed 'kernel name(...) {{'")
    values: dict[str, Value] = {}
    body = Block(_parameters(head[2], values))
    rest = _parse_block(body, lines, 1, values)
    if lines[rest] != "}":
        raise KernelError(f"parse: line {rest + 1}: got {lines[rest]!r}, needed '}}'")
    return Kernel(head[1], body)


def _parse_block(block: Block, lines: list[str], at: int, values: dict[str, Value]) -> int:
    """Read operations into `block` until its closing line; return the number of that line."""
    while not lines[at].startswith("}"):
        match = _OPERATION.match(lines[at])
        if match is None:
            raise KernelError(f"parse: line {at + 1}: {lines[at]!r} is not an operation")
        operands = [_lookup(name, values, at) for name in (match["operands"] or "").split()]
        attributes = _parse_attributes(match["attributes"] or "")
        operation = Operation(match["name"], operands, [], attributes)
        block.operations.append(operation)
        if match["parameters"] is not None:
            at = _parse_nested(operation, match["parameters"], lines, at, values)
        else:
            operation.results = _parameters(match["results"] or "", values, operation)
        at += 1
    return at


def _parse_nested(
    operation: Operation, parameters: str, lines: list[str], at: int, values: dict[str, Value]
) -> int:
    while True:
        nested = Block(_parameters(parameters, values))
        operation.blocks.append(nested)
        at = _parse_block(nested, lines, at + 1, values)
        following = re.match(r"^\} and \((.*)\) \{$", lines[at])
        if following is None:
            break
        parameters = following[1]
    closing = re.match(r"^\} -> \((.*)\)$", lines[at])
    if closing is None:
        raise KernelError(f"parse: line {at + 1}: got {lines[at]!r}, needed '}} -> (...)'")
    operation.results = _parameters(closing[1], values, operation)
    return at


def _lookup(name: str, values: dict[str, Value], at: int) -> Value:
    if name not in values:
        raise KernelError(f"parse: line {at + 1}: {name} is not defined")
    return values[name]


def _parameters(
    source: str, values: dict[str, Value], operation: Operation | None = None
) -> list[Value]:
    found = []
    for name, type_text in re.findall(r"(%[\w.]+): (pointer<[^>]*>|\w+)", source):
        value = Value(_type(type_text), operation, name.partition(".")[2])
        values[name] = value
        found.append(value)
    return found


def _type(source: str) -> Type:
    pointer = re.match(r"^pointer<(\w+)(?:, (\w+))?>$", source)
    if pointer:
        placement = Placement(pointer[2]) if pointer[2] else Placement.GLOBAL
        return PointerType(DType.by_name[pointer[1]], placement)
    if source in DType.by_name:
        return VectorType(DType.by_name[source])
    name, _, width = source.rpartition("x")
    return VectorType(DType.by_name[name], int(width))


def _parse_attributes(source: str) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    for key, value in re.findall(r"(\w+)=((?:\([^)]*\)|\[[^\]]*\]|[^,])+)", source):
        value = value.strip()
        attributes[key] = DType.by_name[value] if key == "dtype" else _parse_literal(value)
    return attributes


def _parse_literal(source: str) -> Any:
    if source in ("inf", "-inf", "nan"):
        return float(source)
    if source.startswith("@"):
        return Placement(source[1:])
    if source.startswith("["):
        return [_type(item) for item in source[1:-1].split("; ") if item]
    if re.match(r"^[a-z]", source):
        return _type(source)
    if "inf" in source or "nan" in source:
        return tuple(float(item) for item in source.strip("()").split(",") if item.strip())
    return ast.literal_eval(source)
