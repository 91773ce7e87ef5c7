"""Walks a kernel's blocks and writes C-like lines: names, variables and what is assigned to them.

What differs between C, CUDA C and OpenCL C is a `Dialect`: names of types, constants, and a table
of operations.
"""

from __future__ import annotations

import linecache
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import PurePath
from typing import Any, Protocol

from tensorlib.dtypes import DType
from tensorlib.ir.core import Block, Kernel, Operation, Value
from tensorlib.ir.types import VectorType
from tensorlib.printers.inline import inlined, within
from tensorlib.printers.leaving import Break, read_once, uses_of
from tensorlib.printers.naming import MACROS, identifier

__all__ = ["Dialect", "Emit", "Walker", "is_mask", "lanes", "noted", "stem", "vector"]

_CALL = re.compile(r"\w+(\([^()]*\))?")
_WIDEST = 100  # columns of a line that holds what is written where it is read
_NOTED: ContextVar[bool] = ContextVar("noted", default=False)


class Dialect(Protocol):
    """How one target spells types and constants; `operations` emits what blocks consist of.

    A mask (bool, width > 1) is a vector of signed lanes that hold 0 or -1; its lanes are as wide
    as those of the values that were compared, so the walker remembers `bits` for each. Where a
    target has vectors of bools, it leaves `bits` alone.
    """

    @property
    def index(self) -> str: ...

    @property
    def is_unsigned(self) -> bool:
        """Whether arithmetic of signed integers is spelled by unsigned ones."""

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

    def __init__(self, dialect: Dialect, kernel: Kernel) -> None:
        self.dialect = dialect
        self.uses = uses_of(kernel)
        self.texts: dict[int, str] = dict.fromkeys(read_once(kernel, self.uses), "")
        self.inlined = inlined(kernel, self.uses, dialect.is_unsigned)
        self.widths: dict[int, int] = {}  # of lines that read what has none itself
        self.false: set[int] = set()  # flags of loops that are not set where they are read
        self.silent: set[int] = set()  # operations that the heads of loops say
        self.breaks: dict[int, tuple[Break, Operation]] = {}  # an `if`, how and which loop it ends
        self.declarations: dict[str, str] = {}
        self.names: dict[int, str] = {}
        self.mask_bits: dict[int, int] = {}
        self.wanted_bits: dict[int, int] = {}  # of masks whose lanes may be as wide as one likes
        self.lines: list[str] = []
        self.indent = 1
        self.count = 0
        self.is_noted = _NOTED.get()
        self.noted_line: tuple[str, int] | None = None
        self.unnoted: Operation | None = None  # whose comment stands in front of its first line

    # text
    def line(self, text: str) -> None:
        """Add a line at the current depth."""
        if self.unnoted is not None:
            self._note(self.unnoted)
        self.lines.append("  " * self.indent + text)

    def fresh(self, start: str = "v") -> str:
        """Return a name that no other value has; never one that ends in an underscore."""
        self.count += 1
        name = f"{start}{self.count}"
        return self.fresh(start) if name in MACROS else name

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

    def bits_for(self, result: Value, like: Value | None = None) -> int:
        """Return the lane bits that a mask should get: those wanted, else those of another."""
        known = 32 if like is None else self.bits_of(like)
        return self.wanted_bits.get(id(result), known)

    def define(self, result: Value, text: str, bits: int = 0) -> None:
        """Declare `result` as a new constant of the target; `bits` are the lanes of a mask."""
        kind = vector(result)
        if id(result) in self.texts:
            self.texts[id(result)] = text
            self.names[id(result)] = text if _CALL.fullmatch(text) else f"({text})"
            return
        if id(result) in self.inlined and self._is_inlined(result, text):
            return
        name = self.names[id(result)] = self.fresh(stem(result, "v"))
        if is_mask(kind):
            self.mask_bits[id(result)] = bits
            self.line(f"const {self.mask_type(bits, kind.width)} {name} = {text};")
        else:
            self.line(f"const {self.type(kind)} {name} = {text};")

    def _is_inlined(self, result: Value, text: str) -> bool:
        """Let `text` stand for a value, unless the line of its reader would become too long."""
        (reader, position), made = self.inlined[id(result)], result.operation
        assert made is not None
        text = within(text, made, reader, position)
        head = 2 * self.indent + (30 if reader.results else 16)
        width = self.widths.get(id(reader), head) + len(text)
        if width <= _WIDEST:
            self.widths[id(reader)] = width
            self.names[id(result)] = text
        return width <= _WIDEST

    def temporary(self, text: str, kind: VectorType, bits: int = 0) -> str:
        """Name `text`, a mask of `bits` unless they are 0, and return the name."""
        name = self.fresh("t")
        type_name = self.mask_type(bits, kind.width) if bits else self.type(kind)
        self.line(f"const {type_name} {name} = {text};")
        return name

    def named(self, text: str, kind: VectorType, bits: int = 0) -> str:
        """Return a name that stands for `text`: itself, or that of a temporary."""
        return text if text.isidentifier() else self.temporary(text, kind, bits)

    # operations
    def block(self, block: Block) -> None:
        """Write the operations of a block."""
        for operation in block.operations:
            self.operation(operation)

    def operation(self, operation: Operation) -> None:
        """Write one operation; constants are written where they are used."""
        name = operation.name
        if name in ("const", "yield", "assert") or id(operation) in self.silent:
            return
        if self.is_noted:
            self.unnoted = operation
        self.dialect.operations[name](self, operation)
        self.unnoted = None

    def _note(self, operation: Operation) -> None:
        """Write a comment where the line of Python is another one: `// file:12  out[i] = v`."""
        self.unnoted, location = None, operation.location
        here = (location.filename, location.line) if location is not None else None
        if here is None or here == self.noted_line:
            return
        self.noted_line = here
        text = linecache.getline(*here).strip().rstrip("\\ ")  # a \\ would go on in the next line
        self.line(f"// {PurePath(here[0]).name}:{here[1]}  {text}")

    # what control flow carries
    def variable(self, result: Value, text: str = "", bits: int = 32) -> None:
        """Declare the variable of a value that a loop or branch assigns."""
        kind, name = vector(result), self.fresh(stem(result, "c"))
        if is_mask(kind):
            self.mask_bits[id(result)] = bits
        type_name = self.mask_type(bits, kind.width) if is_mask(kind) else self.type(kind)
        self.line(f"{type_name} {name}{' = ' if text else ''}{text};")
        self.names[id(result)] = name

    def variables(self, results: list[Value], initial: list[Value]) -> None:
        """Declare the variables that a loop carries."""
        for result, value in zip(results, initial, strict=True):
            bits = self.bits_for(result, value)
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
        self.assign(results, block.operations[-1].operands)
        self.indent -= 1

    def assign(self, results: Iterable[Value], values: Iterable[Value]) -> None:
        """Assign variables; through temporaries where a value reads one of the others."""
        rows = [(r, v) for r, v in zip(results, values, strict=True) if id(r) not in self.false]
        variables = {self.names[id(r)] for r, _ in rows}
        pairs = []
        for result, value in rows:
            bits = self.mask_bits.get(id(result), 0)
            text = self.mask(value, bits) if bits else self.use(value)
            name, source = self.names[id(result)], self.names.get(id(value))
            if source in variables and source != name:
                text = self.temporary(text, vector(result), bits)
            if source != name:
                pairs.append((name, text))
        for name, text in pairs:
            self.line(f"{name} = {text};")

    def condition(self, value: Value) -> str:
        """Return the text of a condition between the parentheses of a statement."""
        return self.texts.get(id(value)) or self.use(value)

    def unset(self, values: Iterable[int]) -> None:
        """Let values, by id, be flags that are not set."""
        self.false.update(values)
        self.names.update(dict.fromkeys(values, "0"))

    def is_false(self, value: Value) -> bool:
        """Whether a scalar bool is known to be false."""
        made = value.operation
        if made is None or made.name != "const":
            return id(value) in self.false
        return not made.attributes["value"]

    def same(self, result: Value, value: Value) -> None:
        """Let the name of a value stand for a result too."""
        if id(result) in self.false or not self.uses[id(result)]:
            return
        if id(value) not in self.names:
            bits = self.bits_for(result) if is_mask(result.type) else 0
            self.define(result, self.mask(value, bits) if bits else self.use(value), bits)
            return
        self.names[id(result)] = self.names[id(value)]
        if id(value) in self.mask_bits:
            self.mask_bits[id(result)] = self.mask_bits[id(value)]


def stem(value: Value, otherwise: str) -> str:
    """Return what the name of a value in C begins with."""
    name = value.name
    if not name:
        return otherwise
    if not (name.isascii() and name.isidentifier()):
        name = identifier(name)
    name = name.lstrip("_")
    return f"{name}_" if name else otherwise


def lanes(start: int, stop: int) -> str:
    """Return lane numbers as text: `0, 1, 2, 3`."""
    return ", ".join(map(str, range(start, stop)))
