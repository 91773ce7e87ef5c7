"""Splits SIMD values that are wider than the target's vectors into parts that fit.

    %1 = load %p %0 {type=float32x16}       %1 = load %p %0 {type=float32x8}
    %2 = add %1 %1                          %3 = add %0 8
    store %p %0 %2                becomes   %2 = load %p %3 {type=float32x8}
                                            %4 = add %1 %1
                                            %5 = add %2 %2
                                            store %p %0 %4
                                            store %p %3 %5

A C compiler keeps vectors wider than its registers in memory; parts stay in registers, and are the
independent chains that hide an operation's latency. A part has as many lanes as a vector register
holds of its dtype, a mask as many as the values it was compared from; what joins values of several
dtypes works on the fewest lanes of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tensorlib.dtypes import DType
from tensorlib.ir.core import Block, Kernel, Operation, Place, Value
from tensorlib.ir.ops import ROWS
from tensorlib.ir.types import INDEX, PointerType, Type, VectorType
from tensorlib.ir.verifier import verify
from tensorlib.passes.chains import chains

__all__ = ["Fitting", "in_parts", "legalise", "legalised"]

Fitting = Callable[[DType], int]  # how many lanes of a dtype fit; 0 where any number does
Parts = list[Value]  # the parts of one value, lanes in order; a value that fits is its only part
Lane = tuple[Value, int]  # a lane of a part

_JOINED = ("add", "multiply", "minimum", "maximum", "and", "or", "xor")
_JOINS = {f"reduce_{name}": name for name in _JOINED}
_MEMORY = ("load", "masked_load", "store", "masked_store")
_CARRIED = {"for": 3, "while": 0, "if": 1}  # the first operand that is handed on


def legalised(kernel: Kernel, vector_bytes: int) -> Kernel:
    """Return `kernel` with no vector of more than `vector_bytes` bytes; itself where it has none.

    What an `instruction` takes and gives stays whole; the bits of every result stay the same.
    """

    def fitting(dtype: DType) -> int:
        return 0 if dtype is DType.bool else max(1, vector_bytes * 8 // dtype.bits)

    made = in_parts(kernel, fitting)
    if made is not kernel:
        chains(made)
        verify(made)
    return made


def legalise(kernel: Kernel, vector_bytes: int) -> None:
    """Rewrite `kernel` in place as `legalised` does."""
    kernel.body = legalised(kernel, vector_bytes).body


def in_parts(kernel: Kernel, fitting: Fitting) -> Kernel:
    """Return `kernel` with parts for values that do not fit; the kernel itself where all do."""
    splitter = _Splitter(fitting)
    if not splitter.is_needed(kernel.body):
        return kernel
    for parameter in kernel.parameters:
        splitter.parts[id(parameter)] = [parameter]
    body = splitter.block(kernel.body, kernel.parameters)
    return Kernel(kernel.name, body, dict(kernel.attributes))


class _Splitter:
    """The parts of every value met so far, and the operations of the block being written."""

    def __init__(self, fitting: Fitting) -> None:
        self.fitting = fitting
        self.parts: dict[int, Parts] = {}
        self.made: list[Operation] = []
        self.place: Place | None = None
        self.carried: list[int] = []  # lanes of the parts that the yields of this block hand on

    def is_needed(self, block: Block) -> bool:
        return any(
            any(self.is_wide(v.type) for v in (*o.operands, *o.results))
            or any(map(self.is_needed, o.blocks))
            for o in block.operations
        )

    def is_wide(self, kind: Type) -> bool:
        return isinstance(kind, VectorType) and kind.width > self.lanes(kind)

    def lanes(self, kind: VectorType) -> int:
        """Return the lanes of the parts of a value of this type; a mask may have fewer."""
        return min(kind.width, self.fitting(kind.dtype) or kind.width)

    # making operations
    def emit(self, name: str, operands: Sequence[Value], **attributes: Any) -> Value:
        """Append an operation of one result and return that."""
        return self.append(name, operands, attributes).results[0]

    def append(self, name: str, operands: Sequence[Value], attributes: dict[str, Any]) -> Operation:
        types = ROWS[name].types(name, [o.type for o in operands], attributes)
        made = Operation(name, list(operands), types, attributes, None, self.place)
        self.made.append(made)
        return made

    def stepped(self, start: Value, offset: int) -> Value:
        """Return an index some elements further on."""
        if not offset:
            return start
        return self.emit("add", [start, self.emit("const", [], type=INDEX, value=offset)])

    # parts of values
    def of(self, value: Value, lanes: int) -> Parts:
        """Return a value as parts of `lanes` each."""
        found = self.parts[id(value)]
        if _width(found[0]) == lanes:
            return found
        starts = range(0, _width(value), lanes)
        if value.operation is not None and value.operation.name == "const":
            return [self._cut(value.operation, start, lanes) for start in starts]
        every = _lanes_of(found)
        return [self.picked(every[start : start + lanes]) for start in starts]

    def one(self, value: Value) -> Value:
        """Return a value as one, for what can't take parts."""
        found = self.parts[id(value)]
        return found[0] if len(found) == 1 else self.picked(_lanes_of(found))

    def _cut(self, constant: Operation, start: int, lanes: int) -> Value:
        """Return some lanes of a constant."""
        data, kind = constant.attributes["value"], constant.attributes["type"]
        if isinstance(data, tuple):
            data = data[start : start + lanes] if lanes > 1 else data[start]
        return self.emit("const", [], type=VectorType(kind.dtype, lanes), value=data)

    def picked(self, lanes: Sequence[Lane]) -> Value:
        """Return the vector of these lanes, from the parts that have them."""
        used = list({id(part): part for part, _ in lanes}.values())
        if len(used) == 1 and [lane for _, lane in lanes] == list(range(_width(used[0]))):
            return used[0]
        starts, total = {}, 0
        for part in used:
            starts[id(part)] = total
            total += _width(part)
        indices = tuple(starts[id(part)] + lane for part, lane in lanes)
        return self.emit("shuffle", used, indices=indices)

    def grouped(self, lanes: Sequence[Lane], width: int) -> Parts:
        """Return the vectors of each `width` lanes."""
        return [self.picked(lanes[start : start + width]) for start in range(0, len(lanes), width)]

    def keep(self, value: Value, parts: Parts) -> None:
        """Let parts stand for a value from now on."""
        numbered = len({id(part) for part in parts}) > 1
        between = "_" if value.name[-1:].isdigit() else ""
        for number, part in enumerate(parts):
            part.name = value.name and f"{value.name}{f'{between}{number}' if numbered else ''}"
        self.parts[id(value)] = parts

    # operations
    def block(self, old: Block, parameters: list[Value]) -> Block:
        """Return the block that an old one becomes."""
        outer, self.made = self.made, []
        for operation in old.operations:
            self.place = operation.place
            self.operation(operation)
        block = Block(parameters)
        block.operations, self.made = self.made, outer
        return block

    def operation(self, operation: Operation) -> None:
        name = operation.name
        if name in _CARRIED:
            self._control(operation)
        elif name == "instruction":
            self._instruction(operation)
        elif name == "yield":
            operands = self._handed_on(operation.operands, self.carried)
            self.made.append(Operation("yield", operands, [], place=self.place))
        elif not any(
            len(self.parts.get(id(v), ())) > 1 or self.is_wide(v.type)
            for v in (*operation.operands, *operation.results)
        ):
            self._copy(operation, [])
        elif name in _MEMORY:
            self._memory(operation)
        elif name in _JOINS:
            self._reduction(operation)
        elif name in _RULES:
            _RULES[name](self, operation)
        else:
            self._elementwise(operation)

    def _copy(self, operation: Operation, blocks: list[Block]) -> None:
        operands = [self.one(o) for o in operation.operands]
        types = [r.type for r in operation.results]
        attributes = dict(operation.attributes)
        made = Operation(operation.name, operands, types, attributes, blocks, self.place)
        self.made.append(made)
        for old, new in zip(operation.results, made.results, strict=True):
            self.keep(old, [new])

    def _instruction(self, operation: Operation) -> None:
        kinds = [r.type for r in operation.results]
        outer, self.carried = self.carried, [k.width for k in kinds if isinstance(k, VectorType)]
        place, block = self.place, self.block(operation.blocks[0], [])
        self.carried, self.place = outer, place
        self._copy(operation, [block])

    def common(self, values: Iterable[Value]) -> int:
        """Return the lanes that fit of every vector that an operation joins."""
        found = []
        for value in values:
            if isinstance(value.type, VectorType) and value.type.width > 1:
                found.append(self.lanes(value.type))
                found += [_width(part) for part in self.parts.get(id(value), ())[:1]]
        return min(found)

    def _elementwise(self, operation: Operation) -> None:
        """Lanes do not see each other: one operation a part."""
        values = (*operation.operands, *operation.results)
        lanes = self.common(values)
        count = max(_width(v) for v in values) // lanes
        columns = [
            self.of(o, lanes) if _width(o) > 1 else self.parts[id(o)] * count
            for o in operation.operands
        ]
        found: Parts = []
        for number in range(count):
            attributes = _attributes(operation, number, lanes)
            made = self.append(operation.name, [c[number] for c in columns], attributes)
            found += made.results
        for result in operation.results:
            self.keep(result, found)

    def splat(self, operation: Operation) -> None:
        """One part stands for all."""
        (operand,), (result,) = operation.operands, operation.results
        lanes = self.common([result])
        part = self.emit("splat", [self.one(operand)], width=lanes)
        self.keep(result, [part] * (_width(result) // lanes))

    def _memory(self, operation: Operation) -> None:
        """Contiguous lanes: each part at its own index."""
        pointer, start, *rest = operation.operands
        value = operation.results[0] if operation.results else rest[0]
        lanes = self.common((*rest, *operation.results))
        assert isinstance(pointer.type, PointerType)
        assert isinstance(value.type, VectorType)
        dtype = value.type.dtype
        step = lanes * (dtype.itemsize if dtype is not pointer.type.dtype else 1)  # or bytes
        columns = [self.of(o, lanes) for o in rest]
        first, base = self.one(start), self.one(pointer)
        found: Parts = []
        for number in range(value.type.width // lanes):
            attributes = dict(operation.attributes)
            if "type" in attributes:
                attributes["type"] = VectorType(dtype, lanes)
            operands = [base, self.stepped(first, number * step), *(c[number] for c in columns)]
            found += self.append(operation.name, operands, attributes).results
        for result in operation.results:
            self.keep(result, found)

    def check(self, operation: Operation) -> None:
        """Each part at its own index: lanes behind one index have a `step` between them."""
        faults, index, limit, *mask = operation.operands
        lanes = self.common((index, *mask))
        count = max(_width(v) for v in (index, *mask)) // lanes
        step = operation.attributes["step"] * lanes
        for number in range(count):
            at = self.of(index, lanes)[number] if _width(index) > 1 else self.one(index)
            if _width(index) == 1:
                at = self.stepped(at, number * step)
            operands = [self.one(faults), at, self.one(limit)]
            for value in mask:
                operands += [
                    self.of(value, lanes)[number] if _width(value) > 1 else self.one(value)
                ]
            self.append("check", operands, dict(operation.attributes))

    def _reduction(self, operation: Operation) -> None:
        """The tree by halves joins part i with part i + half before any lanes of one part."""
        parts = self.parts[id(operation.operands[0])]
        while len(parts) > 1:
            half = len(parts) // 2
            pairs = zip(parts[:half], parts[half:], strict=True)
            parts = [self.emit(_JOINS[operation.name], pair) for pair in pairs]
        if _width(parts[0]) > 1:
            parts = [self.emit(operation.name, parts)]
        self.keep(operation.results[0], parts)

    def shuffle(self, operation: Operation) -> None:
        (result,) = operation.results
        assert isinstance(result.type, VectorType)
        every = [lane for o in operation.operands for lane in _lanes_of(self.parts[id(o)])]
        chosen = [every[i] for i in operation.attributes["indices"]]
        self.keep(result, self.grouped(chosen, self.lanes(result.type)))

    def bitcast(self, operation: Operation) -> None:
        """Parts of as many bytes on both sides."""
        (value,), (result,) = operation.operands, operation.results
        source, target = value.type, result.type
        assert isinstance(source, VectorType)
        assert isinstance(target, VectorType)
        room = self.lanes(target) * target.dtype.bits // source.dtype.bits
        lanes = min(self.lanes(source), max(1, room))
        pieces = [self.emit("bitcast", [p], dtype=target.dtype) for p in self.of(value, lanes)]
        self.keep(result, self.grouped(_lanes_of(pieces), self.lanes(target)))

    # control flow: carried values become their parts
    def _control(self, operation: Operation) -> None:
        first, place = _CARRIED[operation.name], self.place
        lanes = self._carried_lanes(operation, operation.operands[first:])
        operands = [self.one(o) for o in operation.operands[:first]]
        if operation.name != "if":
            operands += self._handed_on(operation.operands[first:], lanes)
        outer, blocks = self.carried, []
        for number, old in enumerate(operation.blocks):
            is_head = operation.name == "while" and number == 0
            self.carried = [1] if is_head else lanes
            sizes = [1] * (len(old.parameters) - len(lanes)) + lanes if old.parameters else []
            blocks.append(self.block(old, self._fresh(old.parameters, sizes)))
        self.carried, self.place = outer, place
        results = self._fresh(operation.results, lanes)
        attributes = dict(operation.attributes)
        if operation.name == "if":
            attributes["types"] = [r.type for r in results]
        made = Operation(operation.name, operands, [], attributes, blocks, place)
        made.results = results
        for result in results:
            result.operation = made
        self.made.append(made)

    def _carried_lanes(self, operation: Operation, initial: Sequence[Value]) -> list[int]:
        """Return the lanes of the parts of each carried value."""
        found = []
        for number, result in enumerate(operation.results):
            assert isinstance(result.type, VectorType)
            lanes = self.lanes(result.type)
            if result.type.dtype is DType.bool:
                yields = [b.operations[-1].operands for b in operation.blocks]
                sources = [y[number] for y in yields if len(y) == len(operation.results)]
                made = [self._made_with(v, 8) for v in (*initial[number : number + 1], *sources)]
                lanes = min([lanes, *(n for n in made if n)])
            found.append(lanes)
        return found

    def _made_with(self, mask: Value, depth: int) -> int:
        """Return the lanes of the comparisons that make a mask; 0 where none is near."""
        if id(mask) in self.parts:
            return _width(self.parts[id(mask)][0])
        operation = mask.operation
        if operation is None or not depth:
            return 0
        sources = operation.operands
        if operation.blocks:
            place = operation.results.index(mask)
            ends = [block.operations[-1].operands for block in operation.blocks]
            sources = [end[place] for end in ends if len(end) == len(operation.results)]
        sources = [v for v in sources if _width(v) == _width(mask)]
        numbers = [v.type for v in sources if isinstance(v.type, VectorType) and not _is_bool(v)]
        if numbers:
            return min(map(self.lanes, numbers))
        found = [self._made_with(v, depth - 1) for v in sources]
        return min((n for n in found if n), default=0)

    def _fresh(self, values: Sequence[Value], lanes: Sequence[int]) -> list[Value]:
        """Return new values for the parts of carried ones."""
        found: list[Value] = []
        for value, size in zip(values, lanes, strict=True):
            assert isinstance(value.type, VectorType)
            kind = VectorType(value.type.dtype, size)
            self.keep(value, [Value(kind) for _ in range(value.type.width // size)])
            found += self.parts[id(value)]
        return found

    def _handed_on(self, values: Sequence[Value], lanes: Sequence[int]) -> list[Value]:
        """Return what stands for values where control flow hands them on."""
        pairs = zip(values, lanes, strict=True)
        return [part for value, size in pairs for part in self.of(value, size)]


_RULES: dict[str, Callable[[_Splitter, Operation], None]] = {
    "splat": _Splitter.splat,
    "shuffle": _Splitter.shuffle,
    "bitcast": _Splitter.bitcast,
    "check": _Splitter.check,
}


def _attributes(operation: Operation, number: int, lanes: int) -> dict[str, Any]:
    """Return the attributes of one part: a constant is cut to size."""
    attributes = dict(operation.attributes)
    if operation.name == "const":
        value = attributes["value"]
        attributes["type"] = VectorType(attributes["type"].dtype, lanes)
        if isinstance(value, tuple):
            cut = value[number * lanes : (number + 1) * lanes]
            attributes["value"] = cut if lanes > 1 else cut[0]
    return attributes


def _lanes_of(parts: Parts) -> list[Lane]:
    return [(part, lane) for part in parts for lane in range(_width(part))]


def _is_bool(value: Value) -> bool:
    return isinstance(value.type, VectorType) and value.type.dtype is DType.bool


def _width(value: Value) -> int:
    """Return the lanes of a value; a pointer has one."""
    return value.type.width if isinstance(value.type, VectorType) else 1
