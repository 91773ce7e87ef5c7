"""Random kernels of a grid as Python source: threads that part and meet in every legal way."""

from __future__ import annotations

import itertools
import linecache
import random
from typing import Any

import tensorlib as tl
from tensorlib.ir.types import Placement

__all__ = ["seeded_grid_kernel"]

_NUMBER = itertools.count()
_HEAD = """
def kernel(out, x, total, n):
    t, lane, threads = tl.thread_id(), tl.lane_id(), tl.block_dim()
    i = tl.block_id() * threads + t
    lanes = (threads - tl.warp_id() * 32).min(32)
    shared = tl.stack_allocation[tl.int32, SHARED](threads)
    warp = tl.stack_allocation[tl.int32, WARP](32)
    own = tl.stack_allocation[tl.int32, REGISTER](4)
    for j in tl.unroll(range(4)):
        own[j] = j * 3
    a, b, c = x[i], x[i] * 3 + 1, t.cast(tl.int32)
    u = (tl.block_id() + n).cast(tl.int32)
    w = tl.warp_id().cast(tl.int32) + u
    f = a.cast(tl.float32)
"""
_TAIL = """
    out[i] = a ^ b * 3 + c * 5 + u * 7 + w * 11 + f.cast(tl.int32) + own[1]
"""


def seeded_grid_kernel(seed: int) -> Any:
    """Return the kernel of a seed; its source can be found. Arguments: out, x, total, n."""
    source = _Source(random.Random(seed)).text()
    filename = f"<random grid kernel {next(_NUMBER)}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    space: dict[str, Any] = {
        "tl": tl, "__name__": "random_grid_kernel", **{p.name: p for p in Placement}
    }  # fmt: skip
    exec(compile(source, filename, "exec"), space)
    return tl.kernel(space["kernel"])


class _Source:
    """Writes statements for threads that go together: all of the block, of the warp, or none.

    `u` is the same in a block, `w` in a warp; a, b, c and f are a thread's own.
    """

    def __init__(self, rng: random.Random) -> None:
        self.rng, self.count = rng, 0
        self.lines: list[str] = []
        self.loops: list[str] = []  # the level of each loop around

    def text(self) -> str:
        self.block("block", 1, 7)
        return _HEAD.lstrip() + "\n".join(self.lines) + _TAIL

    def line(self, depth: int, text: str) -> None:
        self.lines.append("    " * depth + text)

    def block(self, level: str, depth: int, most: int) -> None:
        for _ in range(self.rng.randint(1, most)):
            self.statement(level, depth)

    def statement(self, level: str, depth: int) -> None:
        simple = [self.assign, self.assign, self.register, self.atomic]
        if level != "thread":
            simple += [self.shuffle, self.shuffle, self.vote, self.through_warp]
        if level == "block":
            simple += [self.through_shared, self.through_shared]
        if depth < 4:
            simple += [self.branch, self.branch, self.loop, self.loop]
        if self.loops and self.rng.random() < 0.15:
            self.leave(level, depth)
        self.rng.choice(simple)(level, depth)

    # expressions
    def value(self, level: str = "thread") -> str:
        own = {"thread": ["a", "b", "c"], "warp": ["w", "u"], "block": ["u"]}[level]
        number = str(self.rng.randint(-5, 9))
        left, right = self.rng.choice(own), self.rng.choice([*own, number])
        return f"({left} {self.rng.choice('+-*&|^')} {right})"

    def condition(self, level: str) -> str:
        sign = self.rng.choice(["<", ">", "==", "!=", "<="])
        return f"{self.value(level)} {sign} {self.rng.randint(-3, 9)}"

    def level(self, level: str) -> str:
        """Return how far apart a branch in code of this level may take threads."""
        return self.rng.choice({"block": ["block", "warp", "thread"], "warp": ["warp", "thread"],
                                "thread": ["thread"]}[level])  # fmt: skip

    # statements
    def assign(self, level: str, depth: int) -> None:
        if self.rng.random() < 0.15:
            self.line(depth, f"f = f * 0.5 + ({self.value()} & 63).cast(tl.float32)")
        elif self.rng.random() < 0.2 and level != "thread":
            name, its = self.rng.choice([("u", "block"), ("w", "warp")])
            if level == "block" or its == "warp":
                self.line(depth, f"{name} = ({self.value(its)} & 15)")
        self.line(depth, f"{self.rng.choice('abc')} = {self.value()}")

    def register(self, level: str, depth: int) -> None:
        at = self.rng.choice(["(a & 3).cast(tl.int64)", "2", "(u & 3).cast(tl.int64)"])
        self.line(depth, f"own[{at}] = {self.value()}")
        self.line(depth, f"b = b + own[({self.value()} & 3).cast(tl.int64)]")

    def atomic(self, level: str, depth: int) -> None:
        method = self.rng.choice(["add", "min", "max", "fetch_xor", "fetch_or"])
        place = {"add": 0, "min": 1, "max": 2, "fetch_xor": 3, "fetch_or": 4}[method]
        self.line(depth, f"tl.Atomic.{method}(total, {place}, {self.value()})")

    def shuffle(self, level: str, depth: int) -> None:
        mode, name = self.rng.choice(["down", "up", "xor", "index"]), self.rng.choice("abcf")
        by = self.rng.choice([str(self.rng.randint(0, 33)), "w", "(a & 31)", "c"])
        self.line(depth, f"{name} = {name} + tl.shuffle_{mode}({name}, {by})")
        if name == "f":
            self.line(depth, "f = (f * 0.25).clamp(-1000.0, 1000.0)")

    def vote(self, level: str, depth: int) -> None:
        vote = self.rng.choice(["any_lane", "all_lanes", "ballot"])
        self.line(depth, f"c = c + tl.{vote}({self.condition('thread')}).cast(tl.int32)")

    def through_warp(self, level: str, depth: int) -> None:
        source = self.rng.choice(["(lane + 1) % lanes", "lanes - 1 - lane", "0"])
        for text in ("tl.warp_barrier()", f"warp[lane] = {self.value()}", "tl.warp_barrier()"):
            self.line(depth, text)
        self.line(depth, f"b = b ^ warp[{source}]")

    def through_shared(self, level: str, depth: int) -> None:
        source = self.rng.choice(["(t + 5) % threads", "threads - 1 - t", "0"])
        for text in ("tl.barrier()", f"shared[t] = {self.value()}", "tl.barrier()"):
            self.line(depth, text)
        self.line(depth, f"a = a + shared[{source}]")

    def leave(self, level: str, depth: int) -> None:
        """Leave a loop, together with all threads that are in it."""
        its = self.loops[-1]
        order = ["block", "warp", "thread"]
        if order.index(level) <= order.index(its):
            self.line(depth, f"if {self.condition(its)}:")
            self.line(depth + 1, self.rng.choice(["break", "continue"]))

    def branch(self, level: str, depth: int) -> None:
        its = self.level(level)
        self.line(depth, f"if {self.condition(its)}:")
        self.block(its, depth + 1, 3)
        if self.rng.random() < 0.6:
            self.line(depth, "else:")
            self.block(its, depth + 1, 3)

    def loop(self, level: str, depth: int) -> None:
        its = self.level(level)
        self.count += 1
        name = f"k{self.count}"
        self.loops.append(its)
        if self.rng.random() < 0.6:
            bound = f"({self.value(its)} & 3).cast(tl.int64)"
            self.line(depth, f"for {name} in range({self.rng.randint(0, 1)}, {bound}):")
            self.line(depth + 1, f"b = b + tl.SIMD[tl.int32]({name})")
        elif its == "warp" and self.rng.random() < 0.5:
            self.line(depth, f"{name} = a & 7")
            self.line(depth, f"while tl.any_lane({name} > 2):")
            self.line(depth + 1, f"{name} = {name} - 2")
        else:
            self.line(depth, f"{name} = {self.value(its)} & 3")
            self.line(depth, f"while {name} > 0:")
            self.line(depth + 1, f"{name} = {name} - 1")
        self.block(its, depth + 1, 3)
        self.loops.pop()
