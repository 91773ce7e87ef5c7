"""Runs a grid-shaped kernel: blocks in turn, the threads of a block by turns between meetings.

It finds what a device lets pass: races between barriers, barriers and shuffles that some threads
do not reach, reads of memory that nobody wrote or that a copy is still on its way to, misaligned
vectors, and accesses out of bounds; each named with the user's line.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any

import numpy as np

from tensorlib.errors import KernelError, caret
from tensorlib.ir.core import Block, Kernel, Operation, walk
from tensorlib.ir.grid_ops import WARP_SIZE
from tensorlib.ir.interpreter import MEMORY, Frame, Memory, Special, evaluate, kernel_values
from tensorlib.ir.types import Placement
from tensorlib.ir.watched import Watch, WatchedMemory

__all__ = ["interpret_grid", "source_lane"]

# What a thread says when it stops: the operation at which it meets others, and its operands.
Meeting = tuple[Operation, list[Any]]
Running = Generator[Meeting, list[Any], list[Any]]
_MEETING = ("barrier", "warp_shuffle", "warp_vote")


def interpret_grid(
    kernel: Kernel,
    arguments: Sequence[Any],
    grid: int | Sequence[int],
    *,
    seed: int | None = None,
) -> None:
    """Run `kernel` for every thread of every block; arrays are written in place.

    `grid` is the number of blocks along up to three axes; the threads of a block are the kernel's
    own attribute. Threads take turns in order, or with a `seed` in random order. Raises KernelError
    with the line of Python for every defect that the module's docstring names.
    """
    if "block" not in kernel.attributes:
        raise KernelError(f"{kernel.name}: got a grid for a kernel without blocks; try interpret")
    blocks = sizes("grid", grid)
    shape = sizes("block", kernel.attributes["block"])
    watch = Watch(int(np.prod(shape)), WARP_SIZE)
    values = kernel_values(kernel, arguments, lambda data, name: WatchedMemory(data, name, watch))
    order = None if seed is None else np.random.default_rng(seed)
    meets = {
        id(o)
        for o in walk(kernel.body)
        if any(n.name in _MEETING for b in o.blocks for n in walk(b))
    }
    for number in range(int(np.prod(blocks))):
        _Block(kernel, values, meets, watch, number, blocks, shape).run(order)


def sizes(what: str, given: int | Sequence[int]) -> tuple[int, int, int]:
    """Return sizes along three axes: missing ones are 1. Raises KernelError unless they are >= 0.

    >>> sizes("grid", 4), sizes("block", (8, 4))
    ((4, 1, 1), (8, 4, 1))
    """
    axes = tuple(given) if isinstance(given, Sequence) else (given,)
    least = 0 if what == "grid" else 1
    whole = all(isinstance(n, (int, np.integer)) and n >= least for n in axes)
    if not 1 <= len(axes) <= 3 or not whole:
        raise KernelError(f"{what}: got {given!r}, needed 1 to 3 sizes from {least}")
    x, y, z = (*map(int, axes), 1, 1)[:3]
    return x, y, z


def coordinates(number: int, shape: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return where a block or thread lies; the first axis is fastest."""
    x, y, _ = shape
    return number % x, number // x % y, number // (x * y)


def source_lane(mode: str, lane: int, offset: int, lanes: int) -> int:
    """Return the lane whose value a shuffle gives to `lane`; its own where there is no such lane.

    >>> source_lane("down", 3, 2, 32), source_lane("up", 3, 4, 32), source_lane("xor", 5, 1, 32)
    (5, 3, 4)
    """
    source = {
        "down": lane + offset,
        "up": lane - offset,
        "xor": lane ^ offset,
        "index": offset,
    }[mode]
    return source if 0 <= source < lanes else lane


class _Thread:
    """One thread: where it stands, and what it waits for."""

    __slots__ = ("frame", "lane", "number", "pending", "running", "waiting", "warp")

    def __init__(self, number: int) -> None:
        self.number = number
        self.warp, self.lane = divmod(number, WARP_SIZE)
        self.frame = Frame()
        self.running: Running
        self.waiting: Meeting | None = None
        self.pending: list[Callable[[], None] | None] = []  # copies, until they land


class _Block:
    """The threads of one block, their shared memory, and the meetings between them."""

    def __init__(
        self,
        kernel: Kernel,
        values: dict[int, Any],
        meets: set[int],
        watch: Watch,
        number: int,
        blocks: tuple[int, int, int],
        shape: tuple[int, int, int],
    ) -> None:
        self.kernel, self.meets, self.watch, self.number = kernel, meets, watch, number
        self.blocks, self.shape = blocks, shape
        self.place = coordinates(number, blocks)
        self.memories: dict[tuple[int, int], Memory] = {}
        self.epoch, self.warp_epochs = 0, [0] * (-(-watch.threads // WARP_SIZE))
        self.threads = [self._thread(n, values) for n in range(watch.threads)]

    def _thread(self, number: int, values: dict[int, Any]) -> _Thread:
        thread = _Thread(number)
        thread.frame.special = _meanings(self, thread)
        thread.frame.update(values)
        thread.running = self._run(self.kernel.body, thread.frame)
        return thread

    def run(self, order: np.random.Generator | None) -> None:
        """Run until all threads are done: each to its next meeting, then the meetings."""
        ready = list(self.threads)
        results: dict[int, list[Any]] = {}
        while ready:
            if order is not None:
                order.shuffle(ready)
            for thread in ready:
                self._advance(thread, results.get(thread.number))
            results = self._met()
            ready = [self.threads[number] for number in results]

    def _advance(self, thread: _Thread, result: list[Any] | None) -> None:
        watch = self.watch
        watch.who = 1 + self.number * watch.threads + thread.number
        watch.epoch, watch.warp_epoch = self.epoch, self.warp_epochs[thread.warp]
        try:
            thread.waiting = thread.running.send(result)  # type: ignore[arg-type]
        except StopIteration:
            thread.waiting = None

    # control flow around meetings
    def _run(self, block: Block, frame: Frame) -> Running:
        for operation in block.operations:
            operands = [frame[id(o)] for o in operation.operands]
            if operation.name == "yield":
                return operands
            if operation.name in _MEETING:
                results = yield operation, operands
            elif id(operation) in self.meets:
                results = yield from _CONTROL[operation.name](self, operation, operands, frame)
            else:
                results = evaluate(operation, operands, frame)
            for result, value in zip(operation.results, results, strict=True):
                frame[id(result)] = value
        return []

    def _for(self, operation: Operation, operands: list[Any], frame: Frame) -> Running:
        start, stop, step = (int(o) for o in operands[:3])
        if step <= 0:
            raise KernelError(f"for: got step {step}, needed a positive step")
        carried, block = operands[3:], operation.blocks[0]
        for i in range(start, stop, step):
            _bind(block, [np.int64(i), *carried], frame)
            carried = yield from self._run(block, frame)
        return carried

    def _while(self, operation: Operation, operands: list[Any], frame: Frame) -> Running:
        condition, body = operation.blocks
        carried = operands
        while True:
            _bind(condition, carried, frame)
            if not (yield from self._run(condition, frame))[0]:
                return carried
            _bind(body, carried, frame)
            carried = yield from self._run(body, frame)

    def _if(self, operation: Operation, operands: list[Any], frame: Frame) -> Running:
        return (yield from self._run(operation.blocks[0 if operands[0] else 1], frame))

    def _instruction(self, operation: Operation, operands: list[Any], frame: Frame) -> Running:
        return (yield from self._run(operation.blocks[0], frame))

    # meetings
    def _met(self) -> dict[int, list[Any]]:
        """Return the results of the meetings that can take place now, by thread."""
        results: dict[int, list[Any]] = {}
        for warp in range(len(self.warp_epochs)):
            lanes = self.threads[warp * WARP_SIZE : (warp + 1) * WARP_SIZE]
            if all(_scope(t) == "warp" for t in lanes):
                results.update(self._warp_met(warp, lanes))
            elif any(_scope(t) == "warp" for t in lanes):
                raise _divergent(self, lanes, "warp")
        if results:
            return results
        waiting = [t for t in self.threads if t.waiting is not None]
        if not waiting:
            return {}
        places = {id(t.waiting[0]) for t in waiting if t.waiting is not None}
        if len(waiting) < len(self.threads) or len(places) > 1:
            raise _divergent(self, self.threads, "block")
        self.epoch += 1
        return {t.number: [] for t in waiting}

    def _warp_met(self, warp: int, lanes: list[_Thread]) -> dict[int, list[Any]]:
        meetings = [t.waiting for t in lanes if t.waiting is not None]
        operation = meetings[0][0]
        if any(o is not operation for o, _ in meetings):
            raise _divergent(self, lanes, "warp")
        operands = [given for _, given in meetings]
        if operation.name == "barrier":
            self.warp_epochs[warp] += 1
            found: list[list[Any]] = [[] for _ in lanes]
        elif operation.name == "warp_vote":
            found = [[_vote(operation, [bool(o[0]) for o in operands])]] * len(lanes)
        else:
            mode = operation.attributes["mode"]
            sources = (source_lane(mode, k, int(o[1]), len(lanes)) for k, o in enumerate(operands))
            found = [[operands[source][0]] for source in sources]
        return {t.number: result for t, result in zip(lanes, found, strict=True)}

    # memory that is not a thread's own
    def memory(self, operation: Operation, thread: _Thread) -> Memory:
        """Return the memory of an allocation: one for each thread, warp or block."""
        placement, dtype = operation.attributes["placement"], operation.attributes["dtype"]
        data = np.zeros(operation.attributes["size"], dtype.numpy)
        name = operation.results[0].name or "allocation"
        if placement is Placement.REGISTER:
            return Memory(data, name, written=False)
        owner = thread.warp if placement is Placement.WARP else -1
        key = (id(operation), owner)
        if key not in self.memories:
            self.memories[key] = WatchedMemory(data, name, self.watch, written=False)
        return self.memories[key]


_CONTROL: dict[str, Callable[[_Block, Operation, list[Any], Frame], Running]] = {
    "for": _Block._for,
    "while": _Block._while,
    "if": _Block._if,
    "instruction": _Block._instruction,
}


def _bind(block: Block, arguments: list[Any], frame: Frame) -> None:
    for parameter, argument in zip(block.parameters, arguments, strict=True):
        frame[id(parameter)] = argument


def _scope(thread: _Thread) -> str:
    """Return who must reach the operation that a thread waits at; empty where it waits at none."""
    if thread.waiting is None:
        return ""
    operation = thread.waiting[0]
    return operation.attributes["scope"] if operation.name == "barrier" else "warp"


def _vote(operation: Operation, lanes: list[bool]) -> Any:
    mode = operation.attributes["mode"]
    if mode == "ballot":
        return np.uint32(sum(1 << k for k, lane in enumerate(lanes) if lane))
    return np.bool_(any(lanes) if mode == "any" else all(lanes))


def _divergent(block: _Block, threads: list[_Thread], scope: str) -> KernelError:
    """Return the error of threads that should meet but stand at different places."""
    places: dict[int, tuple[Operation | None, list[int]]] = {}
    for thread in threads:
        operation = thread.waiting[0] if thread.waiting else None
        places.setdefault(id(operation), (operation, []))[1].append(thread.number)
    first = next(o for o, _ in places.values() if o is not None)
    lines = [
        f"{first.name}: not all threads of the {scope} reach it in block {block.place}; "
        "try moving it out of the condition"
    ]
    for operation, numbers in places.values():
        shown = ", ".join(map(str, numbers[:8])) + (", ..." if len(numbers) > 8 else "")
        if operation is None:
            lines.append(f"threads {shown} have ended")
            continue
        lines.append(f"threads {shown} wait at {operation.name}:")
        if operation.location is not None:
            lines.append(caret(operation.location))
    return KernelError("\n".join(lines))


def _meanings(block: _Block, thread: _Thread) -> dict[str, Special]:
    """Return what operations mean to one thread of a grid."""
    here, watch = coordinates(thread.number, block.shape), block.watch

    def noted(meaning: Special) -> Special:
        def run(operation: Operation, operands: list[Any]) -> list[Any]:
            watch.operation = operation
            return meaning(operation, operands)

        return run

    def at(place: tuple[int, int, int]) -> Any:
        return lambda operation, operands: [np.int64(place[operation.attributes["axis"]])]

    meanings: dict[str, Special] = {
        **{name: noted(meaning) for name, meaning in MEMORY.items()},
        "block_id": at(block.place),
        "thread_id": at(here),
        "grid_dim": at(block.blocks),
        "alloc": lambda operation, operands: [block.memory(operation, thread)],
        "copy_async": noted(lambda operation, operands: _copy_async(thread, operation, operands)),
        "await_copy": noted(lambda operation, operands: _await_copy(thread, operands)),
    }
    meanings["alloc"] = lambda operation, operands: [block.memory(operation, thread)]
    return meanings


def _copy_async(thread: _Thread, operation: Operation, operands: list[Any]) -> list[Any]:
    """Begin a copy; the elements are read now and written when the token is awaited."""
    pointer, index, source, source_index = operands
    for memory in (pointer, source):
        if not isinstance(memory, WatchedMemory):
            raise KernelError(f"copy_async: {memory.name} is a thread's own; try load and store")
    dtype, count = operation.operands[0].type.dtype, operation.attributes["count"]
    elements = source.load_unaligned(dtype, int(source_index), count)
    pointer.launch(dtype, int(index), count)
    thread.pending.append(lambda: pointer.land(elements, dtype, int(index)))
    return [np.int64(len(thread.pending) - 1)]


def _await_copy(thread: _Thread, operands: list[Any]) -> list[Any]:
    """Let a copy land; awaiting it again does nothing."""
    token = int(operands[0])
    if not 0 <= token < len(thread.pending):
        raise KernelError(f"await: got token {token}, which no copy of this thread has given")
    land, thread.pending[token] = thread.pending[token], None
    if land is not None:
        land()
    return []
