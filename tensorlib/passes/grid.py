"""Turns a kernel of blocks and threads into an ordinary one, for targets that have no threads.

    kernel k(%x) block=(4, 1, 1) {         kernel k(%x, %grid_x, %grid_y, %grid_z) {
      %t = thread_id {axis=0}                for %0 %blocks %1 {parallel=True} (%b) {
      %v = load %x %t                          %s = alloc {size=4}
      barrier {scope=block}        becomes     for %0 %4 %1 (%t) { load %x %t; store %s %t .. }
      store %x %t %v                           for %0 %4 %1 (%t) { load %s %t; store %x %t .. }
    }                                        }

The blocks are the iterations of a parallel loop. Inside it, what stands between two meetings of
threads is a loop over the threads; what a thread has at a meeting waits in an array of the block.
Branches and loops with meetings in them stay outside the loops over threads where all threads go
the same way; where they don't, a mask says who goes, and a barrier of the block is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tensorlib.errors import KernelError, caret
from tensorlib.ir.core import Block, Kernel, Operation, Value, walk
from tensorlib.ir.instructions import row_of
from tensorlib.ir.types import INDEX, VectorType
from tensorlib.passes.grid_threads import Threads
from tensorlib.passes.grid_uniform import differing
from tensorlib.passes.grid_warps import shuffle, vote
from tensorlib.passes.writer import BOOL

__all__ = ["GRID_PARAMETERS", "without_grid"]

GRID_PARAMETERS = ("grid_x", "grid_y", "grid_z")
MEETINGS = ("barrier", "warp_shuffle", "warp_vote")


def without_grid(kernel: Kernel) -> Kernel:
    """Return a kernel that runs all blocks of a grid: its last parameters are the grid's sizes.

    Raises KernelError, with the user's line, for a barrier that not all threads of a block are
    known to reach, and for blocks that need more memory for their threads than a stack has.
    """
    others = {key: value for key, value in kernel.attributes.items() if key != "block"}
    made = Kernel(kernel.name, Block(), others)
    parameters = [Value(p.type, None, p.name) for p in kernel.parameters]
    sizes = [Value(INDEX, None, name) for name in GRID_PARAMETERS]
    made.body.parameters = [*parameters, *sizes]
    threads = Threads(kernel, made.body)
    threads.fixed.update(
        (id(old), new) for old, new in zip(kernel.parameters, parameters, strict=True)
    )
    with threads.blocks(sizes, parallel=_commute(kernel)):
        _Meetings(kernel, threads).run(kernel.body.operations, None)
    return made


def _commute(kernel: Kernel) -> bool:
    """Whether blocks may change memory in any order, without a bit of the result changing."""
    used = {id(o) for operation in walk(kernel.body) for o in operation.operands}
    return all(_is_orderless(o, used) for o in walk(kernel.body))


def _is_orderless(operation: Operation, used: set[int]) -> bool:
    if operation.name not in ("atomic", "atomic_compare_exchange"):
        return True
    if not _is_global(operation.operands[0]):
        return True
    kind = operation.results[0].type
    assert isinstance(kind, VectorType)
    is_seen = id(operation.results[0]) in used
    return (
        not is_seen
        and operation.attributes.get("operator", "exchange") != "exchange"
        and (not kind.dtype.is_float)
    )


def _is_global(pointer: Value) -> bool:
    return pointer.operation is None


Mask = Value | None  # an array that says which threads of the block go this way; all of them


class _Meetings:
    """Operations at which threads meet, and the branches and loops that have some in them."""

    def __init__(self, kernel: Kernel, threads: Threads) -> None:
        self.kernel, self.threads, self.writer = kernel, threads, threads.writer
        self.differing = differing(kernel)
        self.split: list[Operation] = []  # the branches around that threads take apart
        self.meeting = {
            id(o)
            for o in walk(kernel.body)
            if o.name in MEETINGS or any(n.name in MEETINGS for b in o.blocks for n in walk(b))
        }
        self.lower: dict[str, Callable[[Operation, Mask], None]] = {
            "barrier": self._barrier,
            "warp_shuffle": lambda operation, mask: shuffle(threads, operation, mask),
            "warp_vote": lambda operation, mask: vote(threads, operation, mask),
            "if": self._if,
            "for": self._for,
            "while": self._while,
            "instruction": self._instruction,
        }

    def run(
        self, operations: Sequence[Operation], mask: Mask, then: Callable[[], None] | None = None
    ) -> None:
        """Write operations: a loop over the threads for what stands between two meetings.

        `then` writes what comes behind them, in place of a `yield`.
        """
        together: list[Operation] = []
        ends = _ends(operations)
        done = 0
        for position, operation in enumerate(operations):
            if operation.name == "yield":
                continue
            if id(operation) not in self.meeting:
                together.append(operation)
                continue
            self.threads.run(together, mask)
            together = []
            self.writer.place = operation.place
            self.lower[operation.name](operation, mask)
            for values in ends[done : position + 1]:
                self.threads.forget(values)
            done = position + 1
        self.threads.run(together, mask)
        if then is not None:
            then()
        for values in ends[done:]:
            self.threads.forget(values)

    # meetings
    def _barrier(self, operation: Operation, mask: Mask) -> None:
        if mask is None or operation.attributes["scope"] == "warp":
            return
        lines = [
            f"{self.kernel.name}: barrier: not all threads of a block are known to reach it; "
            "try moving it out of what differs between them"
        ]
        for o in (operation, self.split[-1]):
            lines += [caret(o.location)] if o.location else []
        raise KernelError("\n".join(lines))

    def _instruction(self, operation: Operation, mask: Mask) -> None:
        """An instruction in which threads meet is what its body says."""
        if not row_of(operation).portable:
            shown = f"\n{caret(operation.location)}" if operation.location else ""
            raise KernelError(
                f"instruction: in {operation.attributes['name']} threads meet, and here only its "
                f"body does that; try portable=True to run it{shown}"
            )
        self._side(operation, operation.blocks[0], mask)

    # branches
    def _is_common(self, values: Sequence[Value], mask: Mask) -> bool:
        """Whether all threads of the block come here, and with the same values."""
        return mask is None and not any(id(v) in self.differing for v in values)

    def _if(self, operation: Operation, mask: Mask) -> None:
        condition, write = operation.operands[0], self.writer
        if not self._is_common([condition], mask):
            self._if_apart(operation, mask)
            return
        blocks = []
        test = self.threads.common(condition)
        for block in operation.blocks:
            with write.block() as made:
                self._side(operation, block, None)
                write.emit("yield")
            blocks.append(made)
        write.emit("if", [test], {"types": []}, blocks)

    def _side(self, operation: Operation, block: Block, mask: Mask) -> None:
        values = block.operations[-1].operands
        self.run(
            block.operations, mask, lambda: self.threads.assign(operation.results, values, mask)
        )

    def _if_apart(self, operation: Operation, mask: Mask) -> None:
        """Both sides, one after the other, each for the threads that take it."""
        threads, write = self.threads, self.writer
        sides = [threads.nobody(), threads.nobody()]
        with threads.each(mask):
            test = threads.use(operation.operands[0])
            threads.put(sides[0], test)
            threads.put(sides[1], write.value("not", test))
        self.split.append(operation)
        for block, side in zip(operation.blocks, sides, strict=True):
            self._side(operation, block, side)
        self.split.pop()
        threads.spare(*sides)

    # loops
    def _for(self, operation: Operation, mask: Mask) -> None:
        threads, write, block = self.threads, self.writer, operation.blocks[0]
        counter, *carried = block.parameters
        threads.share(operation.results, carried)
        threads.assign(operation.results, operation.operands[3:], mask)
        if not self._is_common(operation.operands[:3], mask):
            self._for_apart(operation, mask)
            return
        start, stop, step = (threads.common(o) for o in operation.operands[:3])
        with write.loop(start, stop, step, counter.name) as i:
            threads.fixed[id(counter)] = i
            self._side(operation, block, None)

    def _for_apart(self, operation: Operation, mask: Mask) -> None:
        """Count for each thread, until nobody is left in the loop."""
        threads, write, block = self.threads, self.writer, operation.blocks[0]
        start, stop, step = operation.operands[:3]
        going, counter = threads.nobody(), threads.home(block.parameters[0])

        def goes(i: Value) -> Value:
            more = write.value("less", i, threads.use(stop))
            forward = write.value("less", write.constant(0), threads.use(step))
            return write.value("and", more, forward)

        with threads.each(mask):
            threads.put(counter, threads.use(start))
            threads.put(going, goes(threads.use(start)))

        def body() -> None:
            self._side(operation, block, going)
            with threads.each(going):
                i = write.value("add", threads.use(block.parameters[0]), threads.use(step))
                threads.put(counter, i)
                threads.put(going, goes(i))

        self.split.append(operation)
        self._repeat(lambda: threads.any(going), body)
        self.split.pop()
        threads.spare(going, counter)

    def _while(self, operation: Operation, mask: Mask) -> None:
        threads, (head, body) = self.threads, operation.blocks
        threads.share(operation.results, head.parameters)
        threads.share(operation.results, body.parameters)
        threads.assign(operation.results, operation.operands, mask)
        test = head.operations[-1].operands[0]
        if not self._is_common([test], mask):
            self._while_apart(operation, mask)
            return

        def condition() -> Value:
            found: list[Value] = []
            self.run(head.operations, None, lambda: found.append(threads.common(test)))
            return found[0]

        self._repeat(condition, lambda: self._side(operation, body, None))

    def _while_apart(self, operation: Operation, mask: Mask) -> None:
        """Ask each thread that is still in the loop, until nobody is."""
        threads, (head, body) = self.threads, operation.blocks
        going = threads.nobody()
        with threads.each(mask):
            threads.put(going, self.writer.constant(True, BOOL))

        def ask() -> None:
            with threads.each(going):
                threads.put(going, threads.use(head.operations[-1].operands[0]))

        def condition() -> Value:
            self.run(head.operations, going, ask)
            return threads.any(going)

        self.split.append(operation)
        self._repeat(condition, lambda: self._side(operation, body, going))
        self.split.pop()
        threads.spare(going)

    def _repeat(self, condition: Callable[[], Value], body: Callable[[], None]) -> None:
        """Write a `while` of the whole block."""
        with self.writer.block() as head:
            self.writer.emit("yield", [condition()])
        with self.writer.block() as inner:
            body()
            self.writer.emit("yield")
        self.writer.emit("while", [], {}, [head, inner])


def _ends(operations: Sequence[Operation]) -> list[list[Value]]:
    """Return for each operation the values, of those that these make, which it uses last."""
    last: dict[int, int] = {}
    for position, operation in enumerate(operations):
        within = (o for block in operation.blocks for o in walk(block))
        for o in (operation, *within):
            last.update((id(value), position) for value in o.operands)
    ends: list[list[Value]] = [[] for _ in operations]
    for position, operation in enumerate(operations):
        for result in operation.results:
            ends[last.get(id(result), position)].append(result)
    return ends
