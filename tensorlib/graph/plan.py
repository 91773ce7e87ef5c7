"""Plans: kernels in order, over one table of 64-bit words that hold all their arguments.

The graph compiler makes a `KernelPlan`; a backend's `compile_plan(plan, device)` compiles the
kernels and returns an executable whose `run(words)` runs all steps, in order, with a barrier after
each. `words` is an `array.array("q")` with one word for each entry of `plan.values`:

* an `Address` is the address of a buffer (plus the bytes from which on it is used),
* a Size is the int64 it evaluates to,
* a float is the bits of a float64.

Argument k of a step's kernel is the word number `step.arguments[k]`, for k in the order of
`step.spec.parameters`. The array stays the same object for the life of an executable; only its
content changes: the first `plan.dynamic` words from call to call, the others when memory moves.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from tensorlib.backend import Backend, Device
from tensorlib.graph.assemble import Argument, Lowered, Report
from tensorlib.graph.memory import Slots
from tensorlib.graph.vertex import Vertex
from tensorlib.kernels.expression import number_key
from tensorlib.kernels.specs import Spec
from tensorlib.layouts.dim import Dim, Size

__all__ = ["Address", "KernelPlan", "PlanRunner", "PlanningBackend", "Step", "Value", "planned"]


@dataclass(frozen=True, slots=True)
class Address:
    """The address of buffer number `index` of a role.

    Roles: `input` (given at every call), `output` (new at every call), `constant` (weights and
    states: the same at every call), `slot` (temporary memory) and `fault` (two int64 for each step
    of a user's kernel, where it reports an access out of bounds).
    """

    role: str
    index: int

    def __str__(self) -> str:
        return f"{self.role}{self.index}"


Value: TypeAlias = "Address | Size | float"


@dataclass(frozen=True, slots=True)
class Step:
    """One kernel call; `spec.build()` is the kernel, `arguments` are indices into `plan.values`."""

    spec: Spec
    arguments: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class KernelPlan:
    """A graph as one list of kernel calls; see the module's text for the table of values.

    `output_bytes` and `slot_bytes` are the sizes of these buffers; a slot has to hold the greatest
    of several.
    """

    values: tuple[Value, ...]
    dynamic: int
    steps: tuple[Step, ...]
    output_bytes: tuple[Size, ...]
    slot_bytes: tuple[tuple[Size, ...], ...]
    symbols: tuple[str, ...] = ()

    def __str__(self) -> str:
        """One line a step: its spec, and its arguments by name."""
        lines = [
            f"plan: {len(self.steps)} steps, {len(self.values)} values ({self.dynamic} dynamic), "
            f"{len(self.output_bytes)} outputs, {len(self.slot_bytes)} slots"
        ]
        for number, step in enumerate(self.steps):
            names = [p.name for p in step.spec.parameters]
            values = [self.values[k] for k in step.arguments]
            given = " ".join(f"{n}={v}" for n, v in zip(names, values, strict=True))
            lines.append(f"{number:4d}  {step.spec}\n        {given}")
        return "\n".join(lines)


class PlanRunner(Protocol):
    """A compiled plan."""

    def run(self, words: array[int]) -> None:
        """Run all steps over the table of words."""
        ...


class PlanningBackend(Backend, Protocol):
    """A kernel-level backend that runs whole plans; its buffers have an `address`."""

    def compile_plan(self, plan: Any, device: Device) -> PlanRunner:
        """Compile the kernels of a `KernelPlan`; see the module's text for what `run` takes."""
        ...


@dataclass(frozen=True, slots=True)
class Buffers:
    """Where the memory of vertices comes from: the address of each, and the bytes of outputs."""

    addresses: dict[Vertex, Address]
    output_bytes: tuple[Size, ...]
    slots: Slots


def planned(lowered: Sequence[Lowered], buffers: Buffers, symbols: Sequence[str]) -> KernelPlan:
    """Return the plan of the kernels in this order."""
    table = _Table(buffers)
    rows = [[table.key(a) for a in call.arguments] for call in lowered]
    values, dynamic, place = table.ordered()
    steps = [
        Step(call.spec, tuple([place[key] for key in row]))
        for call, row in zip(lowered, rows, strict=True)
    ]
    slots = tuple(buffers.slots.sizes)
    return KernelPlan(values, dynamic, tuple(steps), buffers.output_bytes, slots, tuple(symbols))


class _Table:
    """The unique values of a plan."""

    def __init__(self, buffers: Buffers) -> None:
        self.buffers = buffers
        self.values: dict[object, Value] = {}
        self.reports: dict[Vertex, Address] = {}

    def key(self, argument: Argument) -> object:
        """Note the value of an argument and return its key."""
        if isinstance(argument, Vertex):
            value: Value = self.buffers.addresses[argument]
        elif isinstance(argument, Report):
            number = len(self.reports)
            value = self.reports.setdefault(argument.vertex, Address("fault", number))
        else:
            value = argument
        key: object = value if isinstance(value, Address | Dim) else number_key(value)
        self.values.setdefault(key, value)
        return key

    def ordered(self) -> tuple[tuple[Value, ...], int, dict[object, int]]:
        """Return the values, the ones that change first; how many those are; places by key."""

        def rank(item: tuple[object, Value]) -> int:
            value = item[1]
            if isinstance(value, Address):
                return 0 if value.role in ("input", "output") else 2
            return 1 if isinstance(value, Dim) else 3

        items = sorted(self.values.items(), key=rank)
        dynamic = sum(rank(item) < 2 for item in items)
        places = {key: k for k, (key, _) in enumerate(items)}
        return tuple(value for _, value in items), dynamic, places
