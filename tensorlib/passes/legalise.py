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

from collections.abc import Sequence
from typing import Any

from tensorlib.dtypes import DType
from tensorlib.ir.core import Block, Kernel, Operation, Place, Value
from tensorlib.ir.ops import ROWS
from tensorlib.ir.types import INDEX, Type, VectorType
from tensorlib.ir.verifier import verify

__all__ = ["legalise"]

Parts = list[Value]  # the parts of one value, lanes in order; a value that fits is its only part

# How two parts are joined by the halving tree of a reduction.
_JOINS = {
    **{f"reduce_{name}": name for name in ("add", "multiply", "minimum", "maximum")},
    **{f"reduce_{name}": name for name in ("and", "or", "xor")},
}
_MEMORY = ("load", "masked_load", "store", "masked_store")


def legalise(kernel: Kernel, vector_bytes: int) -> None:
    """Rewrite `kernel` in place so that no vector has more than `vector_bytes` bytes.

    What an `instruction` takes and gives stays whole; the bits of every result stay the same.
    """
    splitter = _Splitter(vector_bytes * 8)
    if splitter.is_needed(kernel.body):
        splitter.block(kernel.body)
        verify(kernel)


class _Splitter:
    """The parts of every wide value met so far, and the operations that replace a block's."""

    def __init__(self, bits: int) -> None:
        self.bits = bits
        self.parts: dict[int, Parts] = {}
        self.made: list[Operation] = []
        self.place: Place | None = None
        self.alive: list[Value] = []  # keys of `parts`: an id must not be used again
        self.carried: list[int] = []  # lanes of the parts that the yields of this block hand on

    def is_needed(self, block: Block) -> bool:
        return any(
            any(self._is_wide(v.type) for v in (*o.operands, *o.results))
            or any(self.is_needed(nested) for nested in o.blocks)
            for o in block.operations
        )

    def _is_wide(self, kind: Type) -> bool:
        return isinstance(kind, VectorType) and kind.width > self._fitting(kind)

    def _fitting(self, kind: VectorType) -> int:
        """Return how many lanes of this dtype fit; a mask alone always fits."""
        if kind.dtype is DType.bool:
            return kind.width
        return min(kind.width, max(1, self.bits // kind.dtype.bits))

    # making operations
    def emit(
        self, name: str, operands: Sequence[Value], attributes: dict[str, Any] | None = None
    ) -> Value:
        """Append an operation of one result and return that."""
        return self.append(name, operands, attributes).results[0]

    def append(
        self, name: str, operands: Sequence[Value], attributes: dict[str, Any] | None = None
    ) -> Operation:
        types = ROWS[name].types(name, [o.type for o in operands], attributes or {})
        made = Operation(name, list(operands), types, attributes, None, self.place)
        self.made.append(made)
        return made

    def index(self, start: Value, offset: int) -> Value:
        if not offset:
            return start
        return self.emit("add", [start, self.constant(offset)])

    def constant(self, value: int) -> Value:
        return self.emit("const", [], {"type": INDEX, "value": value})

    # parts of values
    def of(self, value: Value, lanes: int) -> Parts:
        """Return a value as parts of `lanes` each."""
        kind = value.type
        assert isinstance(kind, VectorType)
        found = self.parts.get(id(value), [value])
        if _lanes(found[0]) == lanes:
            return found
        return [
            self._gathered(found, range(start, start + lanes))
            for start in range(0, kind.width, lanes)
        ]

    def whole(self, value: Value) -> Value:
        """Return a value as one, for what can't take parts."""
        if id(value) not in self.parts:
            return value
        assert isinstance(value.type, VectorType)
        return self._gathered(self.parts[id(value)], range(value.type.width))

    def _gathered(self, parts: Parts, indices: Sequence[int]) -> Value:
        """Return the vector of the lanes named by their numbers over all parts."""
        lanes = _lanes(parts[0])
        needed = list(dict.fromkeys(i // lanes for i in indices))
        if len(needed) == 1 and [i % lanes for i in indices] == list(range(lanes)):
            return parts[needed[0]]
        at = {part: k * lanes for k, part in enumerate(needed)}
        chosen = tuple(at[i // lanes] + i % lanes for i in indices)
        return self.emit("shuffle", [parts[k] for k in needed], {"indices": chosen})

    def keep(self, value: Value, parts: Parts) -> None:
        """Remember the parts that stand for a value from now on."""
        for number, part in enumerate(parts):
            part.name = value.name and f"{value.name}{number if len(parts) > 1 else ''}"
        self.parts[id(value)] = parts
        self.alive.append(value)

    # operations
    def block(self, block: Block) -> None:
        """Replace the operations of a block."""
        outer, self.made = self.made, []
        for operation in block.operations:
            self.place = operation.place
            self.operation(operation)
        block.operations, self.made = self.made, outer

    def operation(self, operation: Operation) -> None:
        name = operation.name
        operation.operands = [self._alone(o) for o in operation.operands]
        if name in ("for", "while", "if"):
            self._control(operation)
        elif name == "yield":
            operation.operands = self._handed_on(operation.operands, self.carried)
            self.made.append(operation)
        elif name == "check":
            operation.operands = [self.whole(o) for o in operation.operands]
            self.made.append(operation)
        elif name == "instruction":
            operation.operands = [self.whole(o) for o in operation.operands]
            kinds = [r.type for r in operation.results]
            outer, self.carried = (
                self.carried,
                [k.width for k in kinds if isinstance(k, VectorType)],
            )
            self.block(operation.blocks[0])
            self.carried = outer
            self.made.append(operation)
        elif not any(
            id(v) in self.parts or self._is_wide(v.type)
            for v in (*operation.operands, *operation.results)
        ):
            self.made.append(operation)
        elif name in _MEMORY:
            self._memory(operation)
        elif name in _JOINS:
            self._reduction(operation)
        elif name == "shuffle":
            self._shuffle(operation)
        elif name == "bitcast":
            self._bitcast(operation)
        else:
            self._elementwise(operation)

    def _alone(self, value: Value) -> Value:
        """Return the only part of a value, or the value itself."""
        parts = self.parts.get(id(value), ())
        return parts[0] if len(parts) == 1 else value

    def _common(self, operation: Operation) -> int:
        """Return the lanes that fit of every dtype that an operation joins."""
        kinds = [v.type for v in (*operation.operands, *operation.results)]
        vectors = [k for k in kinds if isinstance(k, VectorType) and k.width > 1]
        lanes = min(self._fitting(kind) for kind in vectors)
        masks = [self.parts[id(v)] for v in operation.operands if id(v) in self.parts]
        return min([lanes, *(_lanes(parts[0]) for parts in masks)])

    def _elementwise(self, operation: Operation) -> None:
        """Lanes do not see each other: one operation a part."""
        lanes = self._common(operation)
        count = max(
            v.type.width // lanes
            for v in (*operation.operands, *operation.results)
            if isinstance(v.type, VectorType) and v.type.width > 1
        )
        columns = [
            self.of(o, lanes)
            if isinstance(o.type, VectorType) and o.type.width > 1
            else [o] * count
            for o in operation.operands
        ]
        found = []
        for number in range(count):
            attributes = self._attributes(operation, number, lanes)
            made = self.append(operation.name, [c[number] for c in columns], attributes)
            found += made.results
        if operation.results:
            self.keep(operation.results[0], found)

    def _attributes(self, operation: Operation, number: int, lanes: int) -> dict[str, Any]:
        """Return the attributes of one part: what names types or lanes is cut to size."""
        attributes = dict(operation.attributes)
        if operation.name == "const":
            value = attributes["value"]
            attributes["type"] = VectorType(attributes["type"].dtype, lanes)
            if isinstance(value, tuple):
                cut = value[number * lanes : (number + 1) * lanes]
                attributes["value"] = cut if lanes > 1 else cut[0]
        elif operation.name == "splat":
            attributes["width"] = lanes
        return attributes

    def _memory(self, operation: Operation) -> None:
        """Contiguous lanes: each part at its own index."""
        pointer, start, *rest = operation.operands
        lanes = self._common(operation)
        value = operation.results[0] if operation.results else rest[0]
        kind = value.type
        assert isinstance(kind, VectorType)
        step = lanes
        if kind.dtype is not pointer.type.dtype:  # a pointer to bytes: indices count those
            step = lanes * kind.dtype.itemsize
        columns = [self.of(o, lanes) for o in rest]
        found = []
        for number in range(kind.width // lanes):
            attributes = dict(operation.attributes)
            if "type" in attributes:
                attributes["type"] = VectorType(kind.dtype, lanes)
            operands = [pointer, self.index(start, number * step), *(c[number] for c in columns)]
            found += self.append(operation.name, operands, attributes).results
        if operation.results:
            self.keep(operation.results[0], found)

    def _reduction(self, operation: Operation) -> None:
        """The tree by halves joins part i with part i + half before any lanes of one part."""
        (value,) = operation.operands
        assert isinstance(value.type, VectorType)
        parts = self.parts.get(id(value)) or self.of(value, self._fitting(value.type))
        while len(parts) > 1:
            half = len(parts) // 2
            pairs = zip(parts[:half], parts[half:], strict=True)
            parts = [self.emit(_JOINS[operation.name], pair) for pair in pairs]
        if _lanes(parts[0]) > 1:
            parts = [self.emit(operation.name, parts)]
        self.keep(operation.results[0], parts)

    def _shuffle(self, operation: Operation) -> None:
        kind = operation.results[0].type
        assert isinstance(kind, VectorType)
        lanes = self._fitting(kind)
        width = min(_lanes(self.parts.get(id(o), [o])[0]) for o in operation.operands)
        sources = [part for o in operation.operands for part in self.of(o, width)]
        indices = operation.attributes["indices"]
        found = [
            self._gathered(sources, indices[start : start + lanes])
            for start in range(0, kind.width, lanes)
        ]
        self.keep(operation.results[0], found)

    def _bitcast(self, operation: Operation) -> None:
        """Parts of as many bytes on both sides."""
        (value,), (result,) = operation.operands, operation.results
        assert isinstance(value.type, VectorType)
        parts = self.of(value, self._fitting(value.type))
        found = [self.emit("bitcast", [p], dict(operation.attributes)) for p in parts]
        self.keep(result, found)

    # control flow: carried values become their parts
    def _control(self, operation: Operation) -> None:
        first = {"for": 3, "while": 0, "if": 1}[operation.name]
        head, carried = operation.operands[:first], operation.operands[first:]
        lanes = self._carried_lanes(operation, carried)
        if operation.name != "if":
            operation.operands = [*map(self.whole, head), *self._handed_on(carried, lanes)]
        outer = self.carried
        for number, block in enumerate(operation.blocks):
            is_head = operation.name == "while" and number == 0
            self.carried = [1] if is_head else lanes
            if operation.name != "if":
                counters = len(block.parameters) - len(lanes)
                fresh = self._fresh(block.parameters[counters:], lanes)
                block.parameters = block.parameters[:counters] + fresh
            self.block(block)
        self.carried = outer
        operation.results = self._fresh(operation.results, lanes)
        for result in operation.results:
            result.operation = operation
        if operation.name == "if":
            operation.attributes["types"] = [r.type for r in operation.results]
        self.made.append(operation)

    def _carried_lanes(self, operation: Operation, initial: Sequence[Value]) -> list[int]:
        """Return the lanes of the parts of each carried value."""
        found = []
        for number, result in enumerate(operation.results):
            assert isinstance(result.type, VectorType)
            lanes = self._fitting(result.type)
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
            return _lanes(self.parts[id(mask)][0])
        operation = mask.operation
        if operation is None or not depth:
            return 0
        sources = operation.operands
        if operation.blocks:
            place = operation.results.index(mask)
            ends = [block.operations[-1].operands for block in operation.blocks]
            sources = [end[place] for end in ends if len(end) == len(operation.results)]
        sources = [v for v in sources if getattr(v.type, "width", 1) == _lanes(mask)]
        numbers = [v.type for v in sources if isinstance(v.type, VectorType) and not _is_bool(v)]
        if numbers:
            return min(map(self._fitting, numbers))
        found = [self._made_with(v, depth - 1) for v in sources]
        return min((n for n in found if n), default=0)

    def _fresh(self, values: Sequence[Value], lanes: Sequence[int]) -> list[Value]:
        """Return new values for the parts of carried values; those that fit as they are."""
        found: list[Value] = []
        for value, size in zip(values, lanes, strict=True):
            assert isinstance(value.type, VectorType)
            if size < value.type.width:
                kind = VectorType(value.type.dtype, size)
                self.keep(value, [Value(kind) for _ in range(value.type.width // size)])
            found += self.parts.get(id(value), [value])
        return found

    def _handed_on(self, values: Sequence[Value], lanes: Sequence[int]) -> list[Value]:
        """Return what stands for values where control flow hands them on."""
        found: list[Value] = []
        for value, size in zip(values, lanes, strict=True):
            found += self.of(value, size) if size > 1 else [self.whole(value)]
        return found


def _is_bool(value: Value) -> bool:
    return isinstance(value.type, VectorType) and value.type.dtype is DType.bool


def _lanes(value: Value) -> int:
    assert isinstance(value.type, VectorType)
    return value.type.width
