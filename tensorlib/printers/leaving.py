"""Finds in a `while` loop that flags end what C says better: a counted `for`, and `break`.

    while %0 %f (%i, %broken) {             for (int64_t i = 0; i < n; i += 1) {
      yield (%i < %n) & !%broken              if (x[i] == wanted)
    } and (%i, %broken) {                       break;
      if %6 { yield %true }        becomes    ...
      else { ... yield %broken }            }
      yield %i + 1 ...
    }

A flag is a bool that the loop carries, that is false before it and whose being set ends it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tensorlib.dtypes import DType
from tensorlib.ir.core import Block, Kernel, Operation, Value, walk
from tensorlib.ir.ops import ROWS
from tensorlib.ir.types import VectorType

__all__ = ["Break", "Leaving", "leaving", "read_once", "uses_of"]

_BOOL = VectorType(DType.bool)
_READERS = ("if", "not", "and", "or")


@dataclass(slots=True)
class Break:
    """A branch of an `if` that leaves: what each value carried by the loop is then."""

    branch: int
    values: dict[int, Value]  # by its position among what the loop carries


@dataclass(slots=True)
class Leaving:
    """A `while` loop as C has it.

    `flags` are positions of carried values that are false as long as the loop runs, `tested` those
    of them that must be looked at when the body has run. The value at `counter` counts from its
    initial value by `step` while it is below `stop`. `steps` are what else comes first in each
    iteration: operations, and values without which the loop ends.
    """

    flags: list[int] = field(default_factory=list)
    tested: list[int] = field(default_factory=list)
    counter: int | None = None
    stop: Value | None = None
    step: Value | None = None
    steps: list[Operation | Value] = field(default_factory=list)
    breaks: dict[int, Break] = field(default_factory=dict)  # by the id of an `if`
    false: set[int] = field(default_factory=set)  # ids of values that are false where they are read
    silent: set[int] = field(default_factory=set)  # ids of operations that C does not need

    def written_where_read(self, uses: Counter[int]) -> set[int]:
        """Return the conditions among the steps that nothing else reads, made by one of them."""
        values = [s for s in self.steps if isinstance(s, Value) and uses[id(s)] == 1]
        made = {id(s) for s in self.steps if isinstance(s, Operation)}
        return {
            id(v)
            for v in values
            if id(v.operation) in made and v.operation and ROWS[v.operation.name].effect == "pure"
        }

    def read_on_leaving(self, loop: Operation) -> Counter[int]:
        """Return how often branches that leave hand on each value that nobody reads then."""
        found: Counter[int] = Counter()
        for branch in (o for o in walk(loop.blocks[1]) if id(o) in self.breaks):
            leave = self.breaks[id(branch)]
            needed = set(map(id, leave.values.values()))
            ends = branch.blocks[leave.branch].operations[-1].operands
            found.update(id(v) for v in ends if id(v) not in needed)
        return found


def uses_of(kernel: Kernel) -> Counter[int]:
    """Return how often each value of a kernel is read, by id."""
    return Counter([id(o) for operation in walk(kernel.body) for o in operation.operands])


def read_once(kernel: Kernel, uses: Counter[int]) -> set[int]:
    """Return the conditions that are written where they are read: once, in their own block."""
    found: set[int] = set()
    blocks = [(kernel.body, False)]
    for block, is_head in blocks:
        made: set[int] = set()  # bools that nothing else reads
        for operation in block.operations:
            name = operation.name
            if name in _READERS or (is_head and name == "yield"):
                values = operation.operands[:1] if name == "if" else operation.operands
                found.update(id(v) for v in values if id(v) in made)
            for number, nested in enumerate(operation.blocks):
                blocks.append((nested, name == "while" and number == 0))
            for result in operation.results:
                if result.type is _BOOL and uses[id(result)] == 1 and ROWS[name].effect == "pure":
                    made.add(id(result))
    return found


def leaving(
    operation: Operation, uses: Counter[int], is_false: Callable[[Value], bool]
) -> Leaving | None:
    """Return how C says a `while` loop; None where it has no flags, or conditions of another form.

    `is_false` tells values that are known to be false in front of the loop.
    """
    head, body = operation.blocks
    found = Leaving()
    flags: set[int] = set()
    if not _take_apart(head, set(map(id, head.parameters)), uses, found, flags):
        return None
    found.flags = [p for p, v in enumerate(head.parameters) if id(v) in flags]
    if not flags or not all(is_false(operation.operands[p]) for p in found.flags):
        return None
    found.false = {id(block.parameters[p]) for block in operation.blocks for p in found.flags}
    _count(found, operation, uses)
    ends = dict(enumerate(body.operations[-1].operands))
    for position in found.flags:
        if not _breaks(found, operation, body, ends, position, uses, set()):
            found.tested.append(position)
    return found


def _take_apart(
    block: Block, parameters: set[int], uses: Counter[int], found: Leaving, flags: set[int]
) -> bool:
    """Find the steps in front of an iteration, and the flags that must not be set."""
    conditions: list[Value] = []
    last: Operation | None = None
    pending = [(block.operations[-1].operands[0], True)]
    while pending:
        value, wanted = pending.pop()
        made = value.operation
        is_own = made is not None and uses[id(value)] == 1 and made in block.operations
        if id(value) in parameters and not wanted:
            flags.add(id(value))
        elif made is None or not is_own:
            if not wanted:
                return False
            conditions.append(value)
        elif made.name == "not":
            found.silent.add(id(made))
            pending.append((made.operands[0], not wanted))
        elif made.name == ("and" if wanted else "or"):
            found.silent.add(id(made))
            pending += [(o, wanted) for o in reversed(made.operands)]
        elif wanted and made.name == "if" and last is None and _is_and(made):
            found.silent.add(id(made))
            last = made
            pending.append((made.operands[0], True))
        elif wanted:
            conditions.append(value)
        else:
            return False
    found.steps += [o for o in block.operations[:-1] if id(o) not in found.silent]
    found.steps += conditions
    return last is None or _take_apart(last.blocks[0], parameters, uses, found, flags)


def _is_and(branch: Operation) -> bool:
    """Whether an `if` says `a and b`: its other side is false."""
    return len(branch.results) == 1 and _is_constant(
        branch.blocks[1].operations[-1].operands[0], False
    )


def _count(found: Leaving, operation: Operation, uses: Counter[int]) -> None:
    """Find the counter: compared with a limit in front, stepped at the end, read only inside."""
    head, body = operation.blocks
    inner = _made_in(operation)
    for condition in [s for s in found.steps if isinstance(s, Value)]:
        test = condition.operation
        if test is None or test.name != "less" or uses[id(condition)] != 1:
            continue
        item, stop = test.operands
        positions = [p for p, v in enumerate(head.parameters) if v is item]
        if not positions or id(stop) in inner or uses[id(operation.results[positions[0]])]:
            continue
        position, following = positions[0], body.operations[-1].operands[positions[0]]
        last = following.operation
        if last not in body.operations or last.name != "add" or uses[id(following)] != 1:
            continue
        if last.operands[0] is body.parameters[position] and id(last.operands[1]) not in inner:
            found.counter, found.stop, found.step = position, stop, last.operands[1]
            found.silent |= {id(test), id(last)}
            found.steps = [s for s in found.steps if s is not test and s is not condition]
            return


def _made_in(loop: Operation) -> set[int]:
    """Return the values, but for constants, that a loop makes anew in each iteration."""
    inner = [o for block in loop.blocks for o in walk(block)]
    blocks = [*loop.blocks, *(block for o in inner for block in o.blocks)]
    parameters = {id(p) for block in blocks for p in block.parameters}
    return parameters | {id(r) for o in inner if o.name != "const" for r in o.results}


def _breaks(
    found: Leaving,
    loop: Operation,
    block: Block,
    ends: dict[int, Value],
    position: int,
    uses: Counter[int],
    late: set[int],
) -> bool:
    """Note the branches that set a flag as the last thing of `block`; False where others may.

    `ends` are what the loop carries on from the end of the block, `late` what is not known by then.
    """
    flag = ends[position]
    if id(flag) in found.false or _is_constant(flag, False):
        return True
    branch = flag.operation
    if branch is None or branch.name != "if" or branch not in block.operations:
        return False
    behind = block.operations[block.operations.index(branch) + 1 : -1]
    if id(branch) in found.breaks or any(
        ROWS[o.name].effect not in ("pure", "read") for o in behind
    ):
        return False
    late = late | {id(r) for o in behind if o.name != "const" for r in o.results}
    sides = [_after(ends, branch, side) for side in branch.blocks]
    setting = [_is_constant(side[position], True) for side in sides]
    if all(setting):
        return False
    for number, (side, sets) in enumerate(zip(sides, setting, strict=True)):
        inner = branch.blocks[number]
        if not sets and not _breaks(found, loop, inner, side, position, uses, late):
            return False
        needed = {p: v for p, v in side.items() if uses[id(loop.results[p])]}
        if sets and late & set(map(id, needed.values())):
            return False
        if sets:
            found.breaks[id(branch)] = Break(number, needed)
    found.false.add(id(flag))
    return True


def _after(ends: dict[int, Value], branch: Operation, side: Block) -> dict[int, Value]:
    """Return what the loop carries on where the branch is this side."""
    yielded = side.operations[-1].operands
    of = {id(r): v for r, v in zip(branch.results, yielded, strict=True)}
    return {position: of.get(id(v), v) for position, v in ends.items()}


def _is_constant(value: Value, wanted: bool) -> bool:
    made = value.operation
    if made is None or made.name != "const" or value.type != _BOOL:
        return False
    return bool(made.attributes["value"]) is wanted
