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


def text(kernel: Kernel, names: dict[int, str] | None = None) -> str:
    """Return the kernel as text, one operation a line, values numbered in order of definition.

    `names`, by the ids of values, keeps their numbers from one call to the next.
    """
    names = {} if names is None else names
    parameters = ", ".join(f"{_define(p, names)}: {p.type}" for p in kernel.parameters)
    block = kernel.attributes.get("block")
    grid = f" block={block}" if block else ""
    lines = [f"kernel {kernel.name}({parameters}){grid} {{"]
    _lines(kernel.body, names, "  ", lines)
    return "\n".join([*lines, "}", ""])


def _define(value: Value, names: dict[int, str]) -> str:
    if id(value) not in names:
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
    if isinstance(value, str):
        return f"'{''.join(map(_letter, value))}'"
    if isinstance(value, list):
        return "[" + "; ".join(map(str, value)) + "]"
    if isinstance(value, DType):
        return value.name
    if isinstance(value, Placement):
        return f"@{value.value}"
    return str(value) if isinstance(value, (VectorType, PointerType)) else repr(value)


def _letter(letter: str) -> str:
    """Return a letter of a text as it stands in a line: nothing that the form itself uses."""
    return letter if re.match(r"[\w .:<>=+*/-]", letter, re.ASCII) else f"\\U{ord(letter):08x}"


_OPERATION = re.compile(
    r"^(?:(?P<results>%.*?) = )?(?P<name>[a-z_]+)(?P<operands>(?: %[\w.]+)*)"
    r"(?: \{(?P<attributes>.*?)\})?(?: \((?P<parameters>.*)\) \{)?$"
)


def parse(source: str) -> Kernel:
    """Read the text form; raises KernelError with the line that is at fault."""
    reader = _Reader([line.strip() for line in source.strip().splitlines()])
    try:
        return reader.kernel()
    except (KeyError, ValueError, SyntaxError, AttributeError) as error:
        raise reader.fault(f"{error}") from None


class _Reader:
    """The lines of a text, which of them is being read, and the values defined so far."""

    def __init__(self, lines: list[str]) -> None:
        self.lines, self.at = lines, 0
        self.values: dict[str, Value] = {}

    def fault(self, needed: str) -> KernelError:
        if self.at >= len(self.lines):
            return KernelError(f"parse: the text ends after line {self.at}, inside a block")
        return KernelError(f"parse: line {self.at + 1}: got {self.lines[self.at]!r}; {needed}")

    def line(self) -> str:
        if self.at >= len(self.lines):
            raise self.fault("")
        return self.lines[self.at]

    def kernel(self) -> Kernel:
        head = re.match(r"^kernel (\w+)\((.*?)\)(?: block=(\(.*\)))? \{$", self.line())
        if head is None:
            raise self.fault("needed 'kernel name(...) {'")
        attributes = {"block": ast.literal_eval(head[3])} if head[3] else {}
        body = Block(self.defined(head[2]))
        self.block(body)
        if self.line() != "}":
            raise self.fault("needed '}'")
        return Kernel(head[1], body, attributes)

    def block(self, block: Block) -> None:
        """Read operations into `block`, up to the line that closes it."""
        self.at += 1
        while not self.line().startswith("}"):
            match = _OPERATION.match(self.line())
            if match is None:
                raise self.fault("that is not an operation")
            operands = [self.value(name) for name in (match["operands"] or "").split()]
            attributes = _attributes_of(match["attributes"] or "")
            operation = Operation(match["name"], operands, [], attributes)
            block.operations.append(operation)
            if match["parameters"] is not None:
                self.nested(operation, match["parameters"])
            else:
                operation.results = self.defined(match["results"] or "", operation)
            self.at += 1

    def nested(self, operation: Operation, parameters: str) -> None:
        """Read the blocks of an operation, then its results."""
        while True:
            block = Block(self.defined(parameters))
            operation.blocks.append(block)
            self.block(block)
            following = re.match(r"^\} and \((.*)\) \{$", self.line())
            if following is None:
                break
            parameters = following[1]
        closing = re.match(r"^\} -> \((.*)\)$", self.line())
        if closing is None:
            raise self.fault("needed '} -> (...)'")
        operation.results = self.defined(closing[1], operation)

    def value(self, name: str) -> Value:
        if name not in self.values:
            raise self.fault(f"{name} is not defined")
        return self.values[name]

    def defined(self, source: str, operation: Operation | None = None) -> list[Value]:
        """Read `%0.name: type, ...` and define those values."""
        found = []
        for name, type_text in re.findall(r"(%[\w.]+): (pointer<[^>]*>|\w+)", source):
            if name in self.values:
                raise self.fault(f"{name} is defined twice")
            value = Value(_type(type_text), operation, name.partition(".")[2])
            self.values[name] = value
            found.append(value)
        return found


def _type(source: str) -> Type:
    pointer = re.match(r"^pointer<(\w+)(?:, (\w+))?>$", source)
    if pointer:
        placement = Placement(pointer[2]) if pointer[2] else Placement.GLOBAL
        return PointerType(_dtype(pointer[1]), placement)
    if source in DType.by_name:
        return VectorType(DType.by_name[source])
    wide = re.match(r"^(\w+)x(\d+)$", source)
    return VectorType(_dtype(wide[1]), int(wide[2])) if wide else VectorType(_dtype(source))


def _dtype(name: str) -> DType:
    if name not in DType.by_name:
        raise ValueError(f"{name!r} is no dtype")
    return DType.by_name[name]


def _attributes_of(source: str) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    for key, value in re.findall(r"(\w+)=((?:\([^)]*\)|\[[^\]]*\]|[^,])+)", source):
        value = value.strip()
        attributes[key] = _dtype(value) if key == "dtype" else _read_literal(value)
    return attributes


def _read_literal(source: str) -> Any:
    if source.startswith("'"):
        return ast.literal_eval(source)
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
