"""Threads of a block in plain Python: they run one at a time, in order, and stop where they meet.

The thread of the operating system that starts a block runs thread 0 and every thread that meets
nobody; others take the baton only while a thread waits. So a debugger stops in any of them.
"""

from __future__ import annotations

import contextvars
import functools
import sys
import threading
from collections.abc import Callable, Sequence
from itertools import chain
from types import CodeType, FrameType
from typing import Any

from tensorlib.errors import KernelError, caret
from tensorlib.ir.core import Place, located
from tensorlib.ir.grid_interpreter import coordinates
from tensorlib.ir.grid_ops import WARP_SIZE
from tensorlib.ir.interpreter import Memory

__all__ = ["Thread", "current_thread", "run_grid"]

Axes = tuple[int, int, int]
_LOCAL = threading.local()
_LANGUAGE = ("tensorlib.lang.", "tensorlib.simd", "tensorlib.tile")


def current_thread() -> Thread | None:
    """Return the thread of a block that is running here, if any."""
    return getattr(_LOCAL, "thread", None)


def run_grid(function: Callable[[], Any], grid: Axes, block: Axes) -> list[Any]:
    """Call `function` once for every thread of every block; return what the calls gave, in order.

    >>> run_grid(lambda: current_thread().coordinates, (1, 1, 1), (2, 1, 2))
    [(0, 0, 0), (1, 0, 0), (0, 0, 1), (1, 0, 1)]
    """
    found: list[Any] = []
    for number in range(grid[0] * grid[1] * grid[2]):
        block_of_threads = _Block(function, coordinates(number, grid), grid, block)
        block_of_threads.run()
        found += [thread.result for thread in block_of_threads.threads]
    return found


class Thread:
    """One thread of a block: its number, and where it waits."""

    __slots__ = (
        "baton", "block", "given", "is_ready", "number", "place", "result", "seen", "state", "what",
    )  # fmt: skip

    def __init__(self, block: _Block, number: int) -> None:
        self.block, self.number = block, number
        self.state = "new"  # new | running | waiting | done
        self.is_ready = True
        self.baton: threading.Semaphore | None = None
        self.place: Place | None = None  # where it waits, for what, and what it gave
        self.what = ""
        self.given: Any = None
        self.result: Any = None
        self.seen: dict[Any, int] = {}

    @property
    def warp(self) -> int:
        """The number of its warp in the block."""
        return self.number // WARP_SIZE

    @property
    def coordinates(self) -> Axes:
        """Its place in the block."""
        return coordinates(self.number, self.block.shape)

    def meet(self, what: str, scope: str, given: Any = None) -> dict[int, Any]:
        """Wait until all threads of the block or warp are here; return what each has given."""
        return self.block.meet(self, what, scope, given)

    def memory(self, scope: str, make: Callable[[], Memory]) -> Memory:
        """Return memory that the threads of a block or warp allocate together."""
        place = _place()
        count = self.seen[place] = self.seen.get(place, 0) + 1
        key = place, count, self.warp if scope == "warp" else -1
        if key not in self.block.memories:
            self.block.memories[key] = make()
        return self.block.memories[key]


class _Cancelled(BaseException):
    """Another thread of the block has failed."""


class _Block:
    """One block: its threads and who runs next."""

    def __init__(self, function: Callable[[], Any], place: Axes, grid: Axes, shape: Axes) -> None:
        self.function, self.place, self.grid, self.shape = function, place, grid, shape
        self.threads = [Thread(self, n) for n in range(shape[0] * shape[1] * shape[2])]
        self.memories: dict[Any, Memory] = {}
        self.results: dict[int, dict[int, Any]] = {}
        self.error: BaseException | None = None
        self.finished = threading.Semaphore(0)
        self.trace = sys.gettrace()

    def run(self) -> None:
        """Run all threads; raise what the first one that failed has raised."""
        outer = current_thread()
        self._work(0)
        try:
            self.finished.acquire()
        except BaseException as error:  # an interrupt: the others end at their next meeting
            self.error = self.error or error
            self.finished.acquire()
        _LOCAL.thread = outer
        if self.error is not None:
            raise self.error

    def _work(self, number: int) -> None:
        """Run threads that have not begun, from `number` on, until one that waits can go on."""
        while True:
            self._run(self.threads[number])
            following = self._following(number)
            if following is None:
                self.finished.release()
                return
            if following.baton is not None:
                following.baton.release()
                return
            number = following.number

    def _run(self, thread: Thread) -> None:
        _LOCAL.thread = thread
        thread.state = "running"
        try:
            if self.error is None:
                thread.result = self.function()
        except _Cancelled:
            pass
        except BaseException as error:
            self.error = self.error or error
        thread.state = "done"

    def _following(self, number: int) -> Thread | None:
        """Return who runs next; None where all are done. Those that wait in vain are cancelled."""
        if self.error is None:
            for k in chain(range(number + 1, len(self.threads)), range(number + 1)):
                thread: Thread = self.threads[k]
                if thread.state != "done" and thread.is_ready:
                    return thread
        waiting: list[Thread] = [t for t in self.threads if t.state == "waiting"]
        if waiting and self.error is None:
            try:
                self.error = _divergent(self)
            except Exception as error:  # whatever happens, nobody waits for ever
                self.error = error
        return waiting[0] if waiting else None

    def _start(self, number: int) -> None:
        """Let a new thread of the operating system go on."""

        def work() -> None:
            sys.settrace(self.trace)
            self._work(number)

        try:
            context = contextvars.copy_context()  # what is set for the caller holds here too
            name = f"block thread {number}"
            threading.Thread(target=context.run, args=(work,), daemon=True, name=name).start()
        except RuntimeError:
            self.error = KernelError(
                f"python: could not start thread {number} of {len(self.threads)} of a block; "
                "try a smaller block"
            )

    # meetings
    def meet(self, thread: Thread, what: str, scope: str, given: Any) -> dict[int, Any]:
        """Wait until every thread of the block or warp has come to the same place."""
        thread.what, thread.place, thread.given = what, _place(), given
        thread.state, thread.is_ready = "waiting", False
        self._gather(self._members(thread, scope))
        following = self._following(thread.number)
        if following is not thread:
            self._pass(thread, following)
        if self.error is not None:
            thread.state = "running"
            raise _Cancelled
        thread.state = "running"
        return self.results.pop(thread.number)

    def _members(self, thread: Thread, scope: str) -> Sequence[Thread]:
        if scope == "block":
            return self.threads
        return self.threads[thread.warp * WARP_SIZE : (thread.warp + 1) * WARP_SIZE]

    def _gather(self, members: Sequence[Thread]) -> None:
        """Let the members go on with what all have given, if they all wait at one place."""
        first = members[0]
        if any(t.state != "waiting" or t.is_ready for t in members):
            return
        if all((t.what, t.place) == (first.what, first.place) for t in members):
            values = {t.number: t.given for t in members}
            for t in members:
                t.is_ready = True
                self.results[t.number] = values

    def _pass(self, thread: Thread, following: Thread | None) -> None:
        """Give the baton to `following` and wait until it comes back."""
        assert following is not None
        thread.baton = threading.Semaphore(0)
        if following.baton is not None:
            following.baton.release()
        else:
            self._start(following.number)
        if self.error is None or following.state == "waiting":
            thread.baton.acquire()


@functools.cache
def _first(code: CodeType, at: int) -> int:
    """Return the first instruction of the same span of source.

    From Python 3.13 on a call may be compiled once for each way through its arguments.
    """
    positions = list(code.co_positions())
    return 2 * positions.index(positions[at // 2])


def _place() -> Place | None:
    """Return the innermost place in what a thread runs that is not the language, and its callers.

    So two calls of a function are two places, as they are in the kernel that is traced from them.
    """
    calls: list[tuple[CodeType, int]] = []
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code is not _Block._run.__code__:
        if not frame.f_globals.get("__name__", "").startswith(_LANGUAGE):
            calls.append((frame.f_code, _first(frame.f_code, frame.f_lasti)))
        frame = frame.f_back
    place: Place | None = None
    for code, at in reversed(calls):
        place = code, at, place
    return place


def _divergent(block: _Block) -> KernelError:
    """Return the error of threads that wait for others which are elsewhere."""
    places: dict[Any, list[Thread]] = {}
    for thread in block.threads:
        key = (thread.what, thread.place) if thread.state == "waiting" else None
        places.setdefault(key, []).append(thread)
    first = next(key[0] for key in places if key is not None)
    lines = [
        f"{first}: not all threads that should meet reach it in block {block.place}; "
        "try moving it out of the condition"
    ]
    for key, threads in places.items():
        shown = ", ".join(str(t.number) for t in threads[:8]) + (", ..." if threads[8:] else "")
        if key is None:
            lines.append(f"threads {shown} have ended")
            continue
        lines.append(f"threads {shown} wait at {key[0]}:")
        if key[1] is not None:
            lines.append(caret(located(key[1])))
    return KernelError("\n".join(lines))
