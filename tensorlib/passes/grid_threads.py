"""Loops over the threads of a block: what each thread has, and where that waits between loops."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tensorlib.errors import KernelError
from tensorlib.ir.core import Block, Kernel, Operation, Value, walk
from tensorlib.ir.grid_ops import WARP_SIZE
from tensorlib.ir.ops import ROWS
from tensorlib.ir.types import INDEX, Placement, PointerType, Type, VectorType
from tensorlib.passes.atomics import exchanged
from tensorlib.passes.writer import BOOL, Writer

__all__ = ["MOST_BYTES", "Threads"]

MOST_BYTES = 3 << 17  # of a block's memory: it lies on the stack of a worker
MOST_STEPS = 12  # a value of so few pure operations is computed again rather than kept
_SIMPLE = ("thread_id", "block_id", "grid_dim")


class Threads:
    """The threads of one block: `each` opens a loop over them, `use` finds a value of theirs.

    A value is `fixed` where it is the same for all threads and known outside the loops; else it is
    computed again from such values and the thread's number, or has a home: an array with its
    value for each thread.
    """

    def __init__(self, kernel: Kernel, body: Block) -> None:
        self.kernel, self.shape = kernel, kernel.attributes["block"]
        self.size = math.prod(self.shape)
        self.writer = Writer(body)
        self.fixed: dict[int, Value] = {}
        self.homes: dict[int, Value] = {}
        self.scopes: list[dict[int, Value]] = []
        self.number: Value | None = None  # of the thread, inside a loop over them
        self.bytes = 0
        self.kinds: dict[int, VectorType] = {}  # of which arrays hold a value for each thread
        self.memory: list[Operation] = []
        self.free: dict[Type, list[Value]] = {}  # arrays that nobody needs any more
        self.grid: list[Value] = []
        self.place: list[Value] = []  # of the block, along each axis
        self.uses = Counter(id(o) for op in walk(kernel.body) for o in op.operands)
        self.again = _computed_again(kernel)

    # the block
    @contextmanager
    def blocks(self, sizes: Sequence[Value], parallel: bool) -> Iterator[None]:
        """Open the loop over the blocks of a grid."""
        write = self.writer
        self._constants()
        self.zero, self.one = write.constant(0), write.constant(1)
        self.count = write.constant(self.size)
        x, y, z = sizes
        area = write.value("multiply", x, y)
        total = write.value("multiply", area, z)
        attributes = {"parallel": True} if parallel else {}
        with write.loop(self.zero, total, self.one, name="block", **attributes) as number:
            self.grid = [x, y, z]
            self.place = [
                write.value("floor_modulo", number, x),
                write.value("floor_modulo", write.value("floor_divide", number, x), y),
                write.value("floor_divide", number, area),
            ]
            position = len(write.blocks[-1].operations)
            self._allocations()
            block = write.blocks[-1]
            yield
            block.operations[position:position] = self.memory

    def _constants(self) -> None:
        for operation in walk(self.kernel.body):
            if operation.name == "const":
                made = self.writer.emit("const", (), operation.attributes)
                self.fixed[id(operation.results[0])] = made[0]

    def _allocations(self) -> None:
        """Make memory of the block for all that its threads allocate."""
        warps = -(-self.size // WARP_SIZE)
        copies = {Placement.REGISTER: self.size, Placement.WARP: warps}
        for operation in walk(self.kernel.body):
            if operation.name == "alloc":
                attributes = operation.attributes
                times = copies.get(attributes["placement"], 1)
                made = self._allocated({**attributes, "size": attributes["size"] * times})
                made.name = operation.results[0].name
                self.fixed[id(operation.results[0])] = made

    def _allocated(self, attributes: dict[str, object]) -> Value:
        kind = PointerType(attributes["dtype"], attributes["placement"])  # type: ignore[arg-type]
        made = Operation("alloc", [], [kind], dict(attributes), place=self.writer.place)
        self.memory.append(made)
        self.bytes += attributes["size"] * kind.dtype.itemsize  # type: ignore[operator]
        if self.bytes > MOST_BYTES:
            raise KernelError(
                f"{self.kernel.name}: got blocks of {self.size} threads, which together need "
                f"more than {MOST_BYTES} bytes beside the arguments; try a smaller block"
            )
        return made.results[0]

    # arrays with an element for each thread
    def array(self, kind: Type) -> Value:
        """Return an array of the block with a value of `kind` for each thread."""
        assert isinstance(kind, VectorType)
        if self.free.get(kind):
            return self.free[kind].pop()
        size = self.size * kind.width
        register = Placement.REGISTER
        made = self._allocated({"dtype": kind.dtype, "size": size, "placement": register})
        self.kinds[id(made)] = kind
        return made

    def spare(self, *arrays: Value) -> None:
        """Let others have arrays that are not needed any more."""
        for array in arrays:
            self.free.setdefault(self.kinds[id(array)], []).append(array)

    def forget(self, values: Sequence[Value]) -> None:
        """Spare the homes of values that are not used any more."""
        self.spare(*(self.homes.pop(id(v)) for v in values if id(v) in self.homes))

    def home(self, value: Value) -> Value:
        """Return the array in which a value of each thread waits."""
        if id(value) not in self.homes:
            self.homes[id(value)] = self.array(value.type)
        return self.homes[id(value)]

    def share(self, results: Sequence[Value], parameters: Sequence[Value]) -> None:
        """Let what a loop carries wait in one array, whatever its name."""
        for result, parameter in zip(results, parameters, strict=True):
            self.homes[id(parameter)] = self.home(result)

    def put(self, array: Value, value: Value) -> None:
        """Write the running thread's element of an array."""
        assert self.number is not None
        self.writer.store(array, self._scaled(self.number, value.type), value)

    def get(self, array: Value, kind: Type, at: Value) -> Value:
        """Return the element of thread number `at`."""
        assert isinstance(kind, VectorType)
        return self.writer.load(array, self._scaled(at, kind), kind)

    def _scaled(self, number: Value, kind: Type) -> Value:
        assert isinstance(kind, VectorType)
        if kind.width == 1:
            return number
        return self.writer.value("multiply", number, self.writer.constant(kind.width))

    def give(self, result: Value, value: Value) -> None:
        """Keep a result of the running thread."""
        self.put(self.home(result), value)

    def nobody(self) -> Value:
        """Return a new mask, for no thread yet."""
        mask = self.array(BOOL)
        with self.each(None):
            self.put(mask, self.writer.constant(False, BOOL))
        return mask

    def any(self, mask: Value) -> Value:
        """Return whether a mask holds for any thread; outside the loops over them."""
        write = self.writer
        with write.block([INDEX, BOOL]) as body:
            number, so_far = body.parameters
            write.emit("yield", [write.value("or", so_far, write.load(mask, number, BOOL))])
        start = write.constant(False, BOOL)
        return write.emit("for", [self.zero, self.count, self.one, start], {}, [body])[0]

    def assign(self, results: Sequence[Value], values: Sequence[Value], mask: Value | None) -> None:
        """Give each thread's results the values that it has; all are read before one is written."""
        if not results:
            return
        with self.each(mask):
            found = [self.use(value) for value in values]
            for result, value in zip(results, found, strict=True):
                self.give(result, value)

    # loops over the threads
    @contextmanager
    def each(self, mask: Value | None) -> Iterator[Value]:
        """Open a loop over the threads, or over those of a mask; its value is their number."""
        write = self.writer
        with write.loop(self.zero, self.count, self.one, name="thread") as number:
            self.number = number
            self.scopes = [{}]
            if mask is None:
                yield number
            else:
                with write.branch(write.load(mask, number, BOOL)):
                    yield number
        self.number, self.scopes = None, []

    def run(self, operations: Sequence[Operation], mask: Value | None) -> None:
        """Write a loop over the threads with these operations; keep what is used behind it."""
        todo = [o for o in operations if not self._is_free(o)]
        if not todo:
            return
        every = [o for operation in todo for o in (operation, *_within(operation))]
        inside = Counter(id(value) for o in every for value in o.operands)
        with self.each(mask):
            for operation in todo:
                self.copy(operation)
            for result in (r for o in todo for r in o.results):
                if self.uses[id(result)] > inside[id(result)]:
                    self.give(result, self.use(result))

    def _is_free(self, operation: Operation) -> bool:
        """Whether an operation needs no place of its own in the loop over the threads."""
        if operation.name in ("const", "alloc", "await_copy", *_SIMPLE):
            return True
        return bool(operation.results) and id(operation.results[0]) in self.again

    # values
    def common(self, value: Value) -> Value:
        """Return a value that is the same for all threads, outside the loops over them."""
        if id(value) in self.again or id(value) in self.fixed or _is_simple(value):
            self.scopes = [{}]
            found = self.use(value)
            self.scopes = []
            return found
        return self.get(self.home(value), value.type, self.zero)

    def use(self, value: Value) -> Value:
        """Return a value of the running thread."""
        key = id(value)
        if key in self.fixed:
            return self.fixed[key]
        for scope in reversed(self.scopes):
            if key in scope:
                return scope[key]
        if _is_simple(value):
            found = self._simple(value)
        elif key in self.again:
            operation = value.operation
            assert operation is not None
            operands = [self.use(o) for o in operation.operands]
            found = self.writer.emit(operation.name, operands, operation.attributes)[0]
            found.name = value.name
        else:
            assert self.number is not None
            found = self.get(self.home(value), value.type, self.number)
        self.scopes[-1][key] = found
        return found

    def _simple(self, value: Value) -> Value:
        """Return an index of the thread, of its block, or a size of the grid."""
        operation = value.operation
        assert operation is not None
        axis: int = operation.attributes["axis"]
        if operation.name != "thread_id":
            return (self.place if operation.name == "block_id" else self.grid)[axis]
        if self.shape[axis] == 1:
            return self.zero
        assert self.number is not None
        before, found = math.prod(self.shape[:axis]), self.number
        if before > 1:
            found = self.writer.value("floor_divide", found, self.writer.constant(before))
        if math.prod(self.shape[axis:]) > self.shape[axis]:
            size = self.writer.constant(self.shape[axis])
            found = self.writer.value("floor_modulo", found, size)
        return found

    # operations of one thread
    def copy(self, operation: Operation) -> None:
        """Write what one thread does."""
        write, name = self.writer, operation.name
        if self._is_free(operation):
            return
        write.place = operation.place
        if name == "copy_async":
            self._copy_elements(operation)
            return
        operands = [self.use(o) for o in operation.operands]
        for position, pointer in enumerate(operation.operands):
            if isinstance(pointer.type, PointerType):  # what follows is an index of its elements
                operands[position + 1] = self._own(pointer, operands[position + 1])
        if name.startswith("atomic") and operation.operands[0].operation is not None:
            results = [exchanged(write, operation, operands)]
        else:
            blocks = [self._nested(block) for block in operation.blocks]
            attributes = {k: v for k, v in operation.attributes.items() if k != "parallel"}
            results = write.emit(name, operands, attributes, blocks)
        for old, new in zip(operation.results, results, strict=True):
            new.name = old.name
            self.scopes[-1][id(old)] = new

    def _nested(self, block: Block) -> Block:
        with self.writer.block([p.type for p in block.parameters]) as made:
            self.scopes.append({})
            for old, new in zip(block.parameters, made.parameters, strict=True):
                new.name = old.name
                self.scopes[-1][id(old)] = new
            for operation in block.operations:
                self.copy(operation)
            self.scopes.pop()
        return made

    def _own(self, pointer: Value, index: Value) -> Value:
        """Return an index into the part of an allocation that is the thread's, or its warp's."""
        operation, write = pointer.operation, self.writer
        if operation is None:
            return index
        placement, size = operation.attributes["placement"], operation.attributes["size"]
        owner = self.number
        assert owner is not None
        if placement not in (Placement.REGISTER, Placement.WARP) or self.size == 1:
            return index
        if placement is Placement.WARP:
            owner = write.value("floor_divide", owner, write.constant(WARP_SIZE))
        start = write.value("multiply", owner, write.constant(size))
        kind = index.type
        assert isinstance(kind, VectorType)
        if kind.width > 1:
            start = write.value("splat", start, width=kind.width)
        return write.value("add", start, index)

    def _copy_elements(self, operation: Operation) -> None:
        """A copy that can be awaited is done at once."""
        write = self.writer
        to, start, origin, first = (self.use(o) for o in operation.operands)
        start = self._own(operation.operands[0], start)
        first = self._own(operation.operands[2], first)
        kind = VectorType(to.type.dtype)
        count = operation.attributes["count"]
        if count == 1:
            write.store(to, start, write.load(origin, first, kind))
        else:
            with write.loop(self.zero, write.constant(count), self.one) as i:
                value = write.load(origin, write.value("add", first, i), kind)
                write.store(to, write.value("add", start, i), value)
        self.scopes[-1][id(operation.results[0])] = self.zero


def _is_simple(value: Value) -> bool:
    return value.operation is not None and value.operation.name in _SIMPLE


def _within(operation: Operation) -> list[Operation]:
    return [o for block in operation.blocks for o in walk(block)]


def _computed_again(kernel: Kernel) -> set[int]:
    """Return the ids of values that are few pure operations away from indices and arguments."""
    steps: dict[int, int] = {id(p): 0 for p in kernel.parameters}
    found: set[int] = set()
    for operation in walk(kernel.body):
        if ROWS[operation.name].effect != "pure":
            continue
        if not all(id(o) in steps for o in operation.operands):
            continue
        result = id(operation.results[0])
        is_free = operation.name in ("const", *_SIMPLE)
        steps[result] = 0 if is_free else 1 + sum(steps[id(o)] for o in operation.operands)
        if not is_free and steps[result] <= MOST_STEPS:
            found.add(result)
        elif not is_free:
            del steps[result]
    return found
