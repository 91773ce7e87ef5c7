"""Takes vectors apart that are wider than a target's: into parts of as many lanes as it has.

    %2: float32x32 = add %0 %1
becomes, for 16 lanes,
    %4: float32x16 = add %0 %2
    %5: float32x16 = add %1 %3

What is wide in memory is accessed part by part, a reduction first folds the parts by halves (the
order that it has anyway), and loops and branches carry the parts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tensorlib.ir.core import Block, Kernel, Operation, Value, walk
from tensorlib.ir.types import INDEX, PointerType, Type, VectorType

__all__ = ["split"]


def split(kernel: Kernel, lanes: int) -> Kernel:
    """Return `kernel` with no value wider than `lanes`; the kernel itself where there is none.

    `lanes` is a power of two from 8: a value of 8 bytes may be seen as so many.

    >>> from tensorlib.ir import parse, text
    >>> kernel = parse("kernel copy(%0: pointer<int8>, %1: int64) {\\n"
    ...                "  %2: int8x16 = load %0 %1 {type=int8x16}\\n  store %0 %1 %2\\n}")
    >>> print(text(split(kernel, 8)).count("int8x8 = load"))
    2
    """
    if not any(_is_wide(v.type, lanes) for v in _values(kernel)):
        return kernel
    writer = _Writer(lanes)
    body = Block([writer.kept(p) for p in kernel.parameters])
    writer.fill(body, kernel.body)
    return Kernel(kernel.name, body, dict(kernel.attributes))


def _values(kernel: Kernel) -> list[Value]:
    return [r for o in walk(kernel.body) for r in (*o.results, *o.operands)]


def _is_wide(kind: Type, lanes: int) -> bool:
    return isinstance(kind, VectorType) and kind.width > lanes


class _Writer:
    """Writes operations on parts; `parts` has the new values for each old one."""

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes
        self.parts: dict[int, list[Value]] = {}
        self.block = Block()

    # values
    def kept(self, value: Value) -> Value:
        """Return a value that stands for an old one as a whole."""
        new = Value(value.type, None, value.name)
        self.parts[id(value)] = [new]
        return new

    def types(self, kind: Type) -> list[Type]:
        """Return the types of the parts of a value."""
        if not isinstance(kind, VectorType) or kind.width <= self.lanes:
            return [kind]
        return [VectorType(kind.dtype, self.lanes)] * (kind.width // self.lanes)

    def of(self, value: Value, count: int = 1) -> list[Value]:
        """Return the parts of a value; one that is a scalar `count` times."""
        parts = self.parts[id(value)]
        return parts * count if len(parts) == 1 else parts

    def new(
        self, like: Operation, name: str, operands: Sequence[Value], kind: Type, **attributes: Any
    ) -> Value:
        """Append an operation of one result."""
        made = Operation(name, list(operands), [kind], attributes, place=like.place)
        self.block.operations.append(made)
        return made.results[0]

    def define(self, result: Value, parts: list[Value]) -> None:
        """Let `parts` stand for a result; they have its name."""
        for part in parts:
            part.name = part.name or result.name
        self.parts[id(result)] = parts

    # blocks
    def fill(self, block: Block, old: Block) -> None:
        """Write the operations of an old block into a new one."""
        outer, self.block = self.block, block
        for operation in old.operations:
            self.operation(operation)
        self.block = outer

    def operation(self, operation: Operation) -> None:
        wide = any(_is_wide(v.type, self.lanes) for v in (*operation.operands, *operation.results))
        if operation.blocks:
            self.control(operation)
        elif wide and operation.name != "yield":
            rule = _RULES.get(operation.name, _each)
            rule(self, operation)
        else:
            self.copy(operation)

    def copy(self, operation: Operation) -> None:
        operands = [part for o in operation.operands for part in self.of(o)]
        types = [t for r in operation.results for t in self.types(r.type)]
        made = Operation(
            operation.name, operands, types, dict(operation.attributes), place=operation.place
        )
        self.block.operations.append(made)
        self.results(operation.results, made)

    def results(self, old: list[Value], made: Operation) -> None:
        at = 0
        for result in old:
            count = len(self.types(result.type))
            self.define(result, made.results[at : at + count])
            at += count

    def control(self, operation: Operation) -> None:
        """Write a loop or branch that carries parts."""
        blocks = []
        for old in operation.blocks:
            block = Block()
            for parameter in old.parameters:
                new = [Value(t, None, parameter.name) for t in self.types(parameter.type)]
                self.parts[id(parameter)] = new
                block.parameters += new
            self.fill(block, old)
            blocks.append(block)
        self.copy(operation)
        made = self.block.operations[-1]
        made.blocks = blocks
        if operation.name == "if":
            made.attributes["types"] = [r.type for r in made.results]


Rule = Callable[[_Writer, Operation], None]


def _each(writer: _Writer, operation: Operation) -> None:
    """Apply the operation to parts."""
    (result,) = operation.results
    types = writer.types(result.type)
    columns = [writer.of(o, len(types)) for o in operation.operands]
    parts = [
        writer.new(operation, operation.name, operands, kind, **operation.attributes)
        for kind, *operands in zip(types, *columns, strict=True)
    ]
    writer.define(result, parts)


def _const(writer: _Writer, operation: Operation) -> None:
    data, (result,) = operation.attributes["value"], operation.results
    parts = []
    for number, kind in enumerate(writer.types(result.type)):
        first = number * writer.lanes
        value = data[first : first + writer.lanes] if isinstance(data, tuple) else data
        parts.append(writer.new(operation, "const", (), kind, type=kind, value=value))
    writer.define(result, parts)


def _splat(writer: _Writer, operation: Operation) -> None:
    (operand,), (result,) = operation.operands, operation.results
    types = writer.types(result.type)
    part = writer.new(operation, "splat", writer.of(operand), types[0], width=writer.lanes)
    writer.define(result, [part] * len(types))


def _shuffle(writer: _Writer, operation: Operation) -> None:
    indices, (result,) = operation.attributes["indices"], operation.results
    sources = [part for o in operation.operands for part in writer.of(o)]
    every = [(part, lane) for part in sources for lane in range(_width(part))]
    parts = []
    for number, kind in enumerate(writer.types(result.type)):
        first = number * writer.lanes
        picked = [every[i] for i in indices[first : first + writer.lanes]]
        parts.append(_picked(writer, operation, picked, kind))
    writer.define(result, parts)


def _width(value: Value) -> int:
    assert isinstance(value.type, VectorType)
    return value.type.width


def _picked(writer: _Writer, like: Operation, picked: list[tuple[Value, int]], kind: Type) -> Value:
    """Return the vector of these lanes, from the parts that have them."""
    used = list({id(part): part for part, _ in picked}.values())
    starts, total = {}, 0
    for part in used:
        starts[id(part)] = total
        total += _width(part)
    indices = tuple(starts[id(part)] + lane for part, lane in picked)
    if len(used) == 1 and kind is used[0].type and indices == tuple(range(total)):
        return used[0]
    return writer.new(like, "shuffle", used, kind, indices=indices)


def _bitcast(writer: _Writer, operation: Operation) -> None:
    (operand,), (result,) = operation.operands, operation.results
    sources, targets = writer.of(operand), writer.types(result.type)
    dtype, count = operation.attributes["dtype"], max(len(sources), len(targets))
    assert isinstance(result.type, VectorType)
    piece = VectorType(dtype, result.type.width // count)
    pieces = [
        writer.new(operation, "bitcast", [p], piece, dtype=dtype)
        for source in sources
        for p in _cut(writer, operation, source, count // len(sources))
    ]
    every = [(part, lane) for part in pieces for lane in range(_width(part))]
    parts = []
    for number, kind in enumerate(targets):
        width = len(every) // len(targets)
        parts.append(_picked(writer, operation, every[number * width :][:width], kind))
    writer.define(result, parts)


def _cut(writer: _Writer, like: Operation, value: Value, count: int) -> list[Value]:
    """Return `count` equal pieces of a vector."""
    assert isinstance(value.type, VectorType)
    width = value.type.width // count
    kind = VectorType(value.type.dtype, width)
    lanes = [(value, lane) for lane in range(value.type.width)]
    return [_picked(writer, like, lanes[n * width :][:width], kind) for n in range(count)]


def _reduce(writer: _Writer, operation: Operation) -> None:
    (operand,), (result,) = operation.operands, operation.results
    parts, row = writer.of(operand), operation.name.removeprefix("reduce_")
    while len(parts) > 1:
        half = len(parts) // 2
        pairs = zip(parts[:half], parts[half:], strict=True)
        parts = [writer.new(operation, row, pair, pair[0].type) for pair in pairs]
    writer.define(result, [writer.new(operation, operation.name, parts, result.type)])


def _places(writer: _Writer, operation: Operation, kind: VectorType) -> list[Value]:
    """Return the index of each part in memory."""
    pointer, index = operation.operands[:2]
    assert isinstance(pointer.type, PointerType)
    step = writer.lanes * kind.dtype.itemsize // pointer.type.dtype.itemsize
    (start,) = writer.of(index)
    return _stepped(writer, operation, start, step, len(writer.types(kind)))


def _stepped(
    writer: _Writer, operation: Operation, start: Value, step: int, count: int
) -> list[Value]:
    """Return `count` indices from `start` on."""
    places = [start]
    for number in range(1, count):
        offset = writer.new(operation, "const", (), INDEX, type=INDEX, value=number * step)
        places.append(writer.new(operation, "add", [start, offset], INDEX))
    return places


def _load(writer: _Writer, operation: Operation) -> None:
    (result,) = operation.results
    assert isinstance(result.type, VectorType)
    pointer, _, *others = operation.operands
    columns = [writer.of(o) for o in others]
    places = _places(writer, operation, result.type)
    parts = []
    for number, kind in enumerate(writer.types(result.type)):
        operands = [*writer.of(pointer), places[number], *(c[number] for c in columns)]
        parts.append(writer.new(operation, operation.name, operands, kind, type=kind))
    writer.define(result, parts)


def _store(writer: _Writer, operation: Operation) -> None:
    pointer, _, value, *others = operation.operands
    assert isinstance(value.type, VectorType)
    columns = [writer.of(o) for o in (value, *others)]
    places = _places(writer, operation, value.type)
    for at, *rest in zip(places, *columns, strict=True):
        operands = [*writer.of(pointer), at, *rest]
        made = Operation(operation.name, operands, [], place=operation.place)
        writer.block.operations.append(made)


def _scatter(writer: _Writer, operation: Operation) -> None:
    pointer, *others = operation.operands
    for operands in zip(*map(writer.of, others), strict=True):
        made = Operation(
            operation.name, [*writer.of(pointer), *operands], [], place=operation.place
        )
        writer.block.operations.append(made)


def _check(writer: _Writer, operation: Operation) -> None:
    """Check the indices of each part; lanes behind one index have a `step` between them."""
    faults, index, limit, *mask = operation.operands
    masks = writer.of(mask[0]) if mask else []
    indices = writer.of(index)
    if len(indices) == 1:
        step = operation.attributes["step"] * writer.lanes
        indices = _stepped(writer, operation, indices[0], step, len(masks))
    elif len(masks) == 1:
        masks *= len(indices)
    for number, at in enumerate(indices):
        operands = [*writer.of(faults), at, *writer.of(limit), *masks[number : number + 1]]
        made = Operation("check", operands, [], dict(operation.attributes), place=operation.place)
        writer.block.operations.append(made)


_RULES: dict[str, Rule] = {
    "const": _const,
    "splat": _splat,
    "shuffle": _shuffle,
    "bitcast": _bitcast,
    **{
        f"reduce_{name}": _reduce
        for name in ("add", "multiply", "minimum", "maximum", "and", "or", "xor")
    },
    "load": _load,
    "masked_load": _load,
    "store": _store,
    "masked_store": _store,
    "check": _check,
    "scatter": _scatter,
    "masked_scatter": _scatter,
}
