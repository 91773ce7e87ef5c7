"""Chooses how wide the lanes of masks are that are joined or carried, so that loops convert none.

A comparison makes lanes as wide as what it compares, and a choice wants those of what it chooses.
What stands between them (logic on masks, loops and branches that carry them) has one width, that of
most of its makers and readers, of which those in a loop weigh more than those outside.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from tensorlib.ir.core import Block, Kernel, Operation, Value, walk
from tensorlib.printers.walker import is_mask, vector

__all__ = ["lane_bits", "subtracted"]

_LOGIC = {"and", "or", "xor", "not", "shuffle", "select", "splat"}
_LOGIC |= {"equal", "not_equal", "less", "less_equal", "greater", "greater_equal"}
_INNER = 16  # how much more what stands in a loop weighs


def lane_bits(kernel: Kernel) -> dict[int, int]:
    """Return the lane bits of masks that are not made by comparing numbers, by id."""
    found = _Joined()
    found.block(kernel.body, 1)
    return {key: found.bits(key) for key in found.parents}


def subtracted(kernel: Kernel, uses: Counter[int]) -> set[int]:
    """Return, by id, the casts of masks to numbers that are only added: C subtracts the mask."""
    found: set[int] = set()
    for operation in walk(kernel.body):
        if operation.name in ("add", "subtract"):
            number = operation.operands[1]
            made = number.operation
            if made is not None and made.name == "cast" and uses[id(number)] == 1:
                is_vector = is_mask(made.operands[0].type) and vector(number).dtype.is_integer
                found |= {id(made)} if is_vector else set()
    return found


class _Joined:
    """Sets of masks of one width, and the widths that are asked for, with weights."""

    def __init__(self) -> None:
        self.parents: dict[int, int] = {}
        self.votes: defaultdict[int, Counter[int]] = defaultdict(Counter)
        self.fixed: dict[int, int] = {}  # the bits of masks that can have no others

    def root(self, key: int) -> int:
        while (parent := self.parents.setdefault(key, key)) != key:
            self.parents[key] = key = self.parents[parent]
        return key

    def bits(self, key: int) -> int:
        votes = self.votes[self.root(key)]
        return max(votes, key=lambda bits: (votes[bits], bits)) if votes else 32

    def join(self, mask: Value, others: Iterable[Value], weight: int) -> None:
        """Give masks one width; those that others were compared from ask for theirs."""
        key = self.root(id(mask))
        for other in others:
            if other.operation is not None and other.operation.name == "const":
                continue
            if id(other) in self.fixed:
                self.votes[key][self.fixed[id(other)]] += weight
            elif (root := self.root(id(other))) != key:
                self.parents[root] = key
                self.votes[key].update(self.votes.pop(root, {}))

    def block(self, block: Block, weight: int) -> None:
        for operation in block.operations:
            if operation.blocks:
                self.control(operation, weight)
            elif operation.results and is_mask(operation.results[0].type):
                self.made(operation, weight)
            else:
                self.read(operation, weight)

    def made(self, operation: Operation, weight: int) -> None:
        """A mask: joined with the masks it is made of, or as wide as the numbers it is made of."""
        (result,), name = operation.results, operation.name
        masks = [o for o in operation.operands if is_mask(o.type)]
        if name in _LOGIC and (masks or name in ("splat", "shuffle")):
            self.join(result, masks, weight)
        elif name not in ("const", "load", "masked_load", "gather", "masked_gather"):
            self.fixed[id(result)] = vector(operation.operands[0]).dtype.bits
        elif name != "const":
            self.fixed[id(result)] = 8

    def read(self, operation: Operation, weight: int) -> None:
        """What chooses, converts or stores wants lanes of one width."""
        wanted = 0
        if operation.name in ("select", "cast"):
            dtype = vector(operation.results[0]).dtype
            wanted = dtype.bits if operation.name == "select" or dtype.is_integer else 32
        elif operation.name == "store":
            wanted = 8
        for mask in operation.operands:
            if wanted and id(mask) in self.parents and is_mask(mask.type):
                self.votes[self.root(id(mask))][wanted] += weight

    def control(self, operation: Operation, weight: int) -> None:
        """What a loop or branch carries is one mask, however often it is assigned."""
        first = {"for": 3, "while": 0, "if": 1}.get(operation.name)
        inner = weight * (_INNER if operation.name in ("for", "while") else 1)
        for number, result in enumerate(operation.results):
            if is_mask(result.type) and first is None:
                self.fixed[id(result)] = 32  # an instruction gives such
            elif is_mask(result.type) and first is not None:
                self.join(result, operation.operands[first + number :][:1], weight)
                self.join(result, _parameters(operation, number), weight)
        for block in operation.blocks:
            self.block(block, inner)
            for number, result in enumerate(operation.results):
                ends = block.operations[-1].operands
                if is_mask(result.type) and first is not None and len(ends) > number:
                    self.join(result, [ends[number]], inner)


def _parameters(operation: Operation, number: int) -> list[Value]:
    if operation.name == "if":
        return []
    counters = 1 if operation.name == "for" else 0
    return [block.parameters[counters + number] for block in operation.blocks]
