"""Walks a kernel's blocks and writes C-like lines: names, variables and control flow.

What differs between C, CUDA C and OpenCL C is a `Dialect`: names of types, constants, and a table
of operations.
"""

from __future__ import annotations

import linecache
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import PurePath
from typing import Any, Protocol

from tensorlib.dtypes import DType
from tensorlib.ir.core import Block, Operation, Value
from tensorlib.ir.types import VectorType

__all__ = ["Dialect", "Emit", "Walker", "identifier", "is_mask", "lanes", "noted", "vector"]

_NOTED: ContextVar[bool] = ContextVar("noted", default=False)


class Dialect(Protocol):
    """How one target spells types and constants; `operations` emits all but control flow.

    A mask (bool, width > 1) is a vector of signed lanes that hold 0 or -1; its lanes are as wide
    as those of the values that were compared, so the walker remembers `bits` for each. Where a
    target has vectors of bools, it leaves `bits` alone.
    """

    @property
    def index(self) -> str: ...

    @property
    def operations(self) -> Mapping[str, Emit]: ...

    def type(self, walker: Walker, kind: VectorType) -> str: ...

    def mask_type(self, walker: Walker, bits: int, width: int) -> str: ...

    def constant(self, walker: Walker, data: Any, kind: VectorType) -> str: ...

    def mask_constant(self, walker: Walker, data: Any, bits: int, width: int) -> str: ...

    def mask_as(self, walker: Walker, name: str, bits: int, width: int) -> str: ...

    def share(self, walker: Walker, start: str, stop: str, step: str) -> tuple[str, str, str]: ...


Emit = Callable[["Walker", Operation], None]


def vector(value: Value) -> VectorType:
    """Return the type of a value that is no pointer."""
    assert isinstance(value.type, VectorType)
    return value.type


def is_mask(kind: Any) -> bool:
    """Whether values of this type are vectors of bools."""
    return isinstance(kind, VectorType) and kind.dtype is DType.bool and kind.width > 1


def identifier(name: str) -> str:
    """Return `name` with everything replaced that C does not allow in identifiers."""
    return re.sub(r"\W", "_", name, flags=re.ASCII)


@contextmanager
def noted() -> Iterator[None]:
    """Print a comment in front of what each line of Python became, within the block.

    What is compiled has none, since a line that moves would change the key of its cache.
    """
    token = _NOTED.set(True)
    try:
        yield
    finally:
        _NOTED.reset(token)


class Walker:
    """Names each value of a kernel and collects the lines of its body and its declarations."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.declarations: dict[str, str] = {}
        self.names: dict[int, str] = {}
        self.mask_bits: dict[int, int] = {}
        self.lines: list[str] = []
        self.indent = 1
        self.count = 0
        self.is_noted = _NOTED.get()
        self.noted_line: tuple[str, int] | None = None

    # text
    def line(self, text: str) -> None:
        """Add a line at the current depth."""
        self.lines.append("  " * self.indent + text)

    def fresh(self, stem: str = "v") -> str:
        """Return a name that no other value has; never one that ends in an underscore."""
        self.count += 1
        return f"{stem}{self.count}"

    # types
    def type(self, kind: VectorType) -> str:
        """Return the name of the type of a value that is no mask, declaring it."""
        return self.dialect.type(self, kind)

    def mask_type(self, bits: int, width: int) -> str:
        """Return the name of the type of a mask with lanes of `bits`, declaring it."""
        return self.dialect.mask_type(self, bits, width)

    # values
    def use(self, value: Value) -> str:
        """Return the expression of a value: its name, or a constant's literal."""
        operation = value.operation
        if operation is None or operation.name != "const":
            return self.names[id(value)]
        return self.dialect.constant(self, operation.attributes["value"], vector(value))

    def mask(self, value: Value, bits: int) -> str:
        """Return a mask with lanes of `bits`, converted if it has others."""
        width, operation = vector(value).width, value.operation
        if operation is not None and operation.name == "const":
            return self.dialect.mask_constant(self, operation.attributes["value"], bits, width)
        name = self.names[id(value)]
        if self.mask_bits.get(id(value)) == bits:
            return name
        return self.dialect.mask_as(self, name, bits, width)

    def bits_of(self, value: Value) -> int:
        """Return the lane bits of a mask, 32 for constants."""
        return self.mask_bits.get(id(value), 32)

    def define(self, result: Value, text: str, bits: int = 0) -> None:
        """Declare `result` as a new constant of the target; `bits` are the lanes of a mask."""
        kind = vector(result)
        name = self.names[id(result)] = self.fresh(_stem(result, "v"))
        if is_mask(kind):
            self.mask_bits[id(result)] = bits
            self.line(f"const {self.mask_type(bits, kind.width)} {name} = {text};")
        else:
            self.line(f"const {self.type(kind)} {name} = {text};")

    def temporary(self, text: str, kind: VectorType, bits: int = 0) -> str:
        """Name `text`, a mask of `bits` unless they are 0, and return the name."""
        name = self.fresh("t")
        type_name = self.mask_type(bits, kind.width) if bits else self.type(kind)
        self.line(f"const {type_name} {name} = {text};")
        return name

    # operations
    def block(self, block: Block) -> None:
        """Write the operations of a block."""
        for operation in block.operations:
            self.operation(operation)

    def operation(self, operation: Operation) -> None:
        """Write one operation; constants are written where they are used."""
        name = operation.name
        if name in ("const", "yield", "assert"):
            return
        if self.is_noted:
            self._note(operation)
        control = _CONTROL.get(name)
        (control or self.dialect.operations[name])(self, operation)

    def _note(self, operation: Operation) -> None:
        """Write a comment where the line of Python is another one: `// file:12  out[i] = v`."""
        location = operation.location
        here = (location.filename, location.line) if location is not None else None
        if here is None or here == self.noted_line:
            return
        self.noted_line = here
        text = linecache.getline(*here).strip().rstrip("\\ ")  # a \\ would go on in the next line
        self.line(f"// {PurePath(here[0]).name}:{here[1]}  {text}")

    # what control flow carries
    def variable(self, result: Value, text: str = "", bits: int = 32) -> None:
        """Declare the variable of a value that a loop or branch assigns."""
        kind, name = vector(result), self.fresh(_stem(result, "c"))
        if is_mask(kind):
            self.mask_bits[id(result)] = bits
        type_name = self.mask_type(bits, kind.width) if is_mask(kind) else self.type(kind)
        self.line(f"{type_name} {name}{' = ' if text else ''}{text};")
        self.names[id(result)] = name

    def variables(self, results: list[Value], initial: list[Value]) -> None:
        """Declare the variables that a loop carries."""
        for result, value in zip(results, initial, strict=True):
            bits = self.bits_of(value)
            text = self.mask(value, bits) if is_mask(result.type) else self.use(value)
            self.variable(result, text, bits)

    def bind(self, parameters: list[Value], results: list[Value]) -> None:
        """Let block parameters stand for the variables of the loop's results."""
        for parameter, result in zip(parameters, results, strict=True):
            self.names[id(parameter)] = self.names[id(result)]
            if id(result) in self.mask_bits:
                self.mask_bits[id(parameter)] = self.mask_bits[id(result)]

    def nested(self, block: Block, results: list[Value]) -> None:
        """Write a block one step further in, then assign what it yields."""
        self.indent += 1
        self.block(block)
        self._assign(block, results)
        self.indent -= 1

    def _assign(self, block: Block, results: list[Value]) -> None:
        """Assign what a block yields; through temporaries where it reads other variables."""
        variables = {self.names[id(r)] for r in results}
        pairs = []
        for result, value in zip(results, block.operations[-1].operands, strict=True):
            bits = self.mask_bits.get(id(result), 0)
            text = self.mask(value, bits) if bits else self.use(value)
            name, source = self.names[id(result)], self.names.get(id(value))
            if source in variables and source != name:
                text = self.temporary(text, vector(result), bits)
            if source != name:
                pairs.append((name, text))
        for name, text in pairs:
            self.line(f"{name} = {text};")


def _stem(value: Value, otherwise: str) -> str:
    return f"{identifier(value.name)}_" if value.name else otherwise


def _for(walker: Walker, operation: Operation) -> None:
    start, stop, step = map(walker.use, operation.operands[:3])
    block, results = operation.blocks[0], operation.results
    walker.variables(results, operation.operands[3:])
    walker.bind(block.parameters[1:], results)
    item = block.parameters[0]
    i = walker.names[id(item)] = walker.fresh(_stem(item, "i"))
    # A step that is only known now runs nothing unless it is positive.
    step_value = operation.operands[2].operation
    is_known = step_value is not None and step_value.name == "const"
    guard = "" if is_known else f" && {step} > 0"
    if operation.attributes.get("parallel"):
        start, stop, step = walker.dialect.share(walker, start, stop, step)
    index = walker.dialect.index
    walker.line(f"for ({index} {i} = {start}; {i} < {stop}{guard}; {i} += {step}) {{")
    walker.nested(block, results)
    walker.line("}")


def _while(walker: Walker, operation: Operation) -> None:
    head, body = operation.blocks
    walker.variables(operation.results, operation.operands)
    walker.bind(head.parameters, operation.results)
    walker.bind(body.parameters, operation.results)
    walker.line("for (;;) {")
    walker.indent += 1
    walker.block(head)
    walker.line(f"if (!{walker.use(head.operations[-1].operands[0])}) break;")
    walker.indent -= 1
    walker.nested(body, operation.results)
    walker.line("}")


def _if(walker: Walker, operation: Operation) -> None:
    for result in operation.results:
        walker.variable(result)
    then, otherwise = operation.blocks
    walker.line(f"if ({walker.use(operation.operands[0])}) {{")
    walker.nested(then, operation.results)
    if operation.results or len(otherwise.operations) > 1:
        walker.line("} else {")
        walker.nested(otherwise, operation.results)
    walker.line("}")


_CONTROL: dict[str, Emit] = {"for": _for, "while": _while, "if": _if}


def lanes(start: int, stop: int) -> str:
    """Return lane numbers as text: `0, 1, 2, 3`."""
    return ", ".join(map(str, range(start, stop)))
