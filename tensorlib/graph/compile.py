"""Plans at work: bound to memory and run, for pending nodes and for captured functions."""

from __future__ import annotations

import struct
import sys
import threading
from array import array
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, cast

from tensorlib.backend import Backend, Buffer, Device
from tensorlib.errors import ShapeError
from tensorlib.graph.faults import Faults
from tensorlib.graph.memory import layout
from tensorlib.graph.node import Node, Storage, topological
from tensorlib.graph.plan import Address, PlanningBackend
from tensorlib.graph.rules import RULES
from tensorlib.graph.schedule import Externals, Scheduled, scheduled
from tensorlib.graph.several import with_siblings
from tensorlib.graph.simplify import attributes_key
from tensorlib.graph.vertex import is_view
from tensorlib.graph.view import View, moved
from tensorlib.knobs import knob
from tensorlib.layouts.dim import Size, compiled
from tensorlib.passes.registration import generation

__all__ = ["BoundPlan", "copied_storage", "run_nodes", "state_storage", "storage_view"]

PLANS_KEPT = 512


class BoundPlan:
    """A plan compiled for a device, with its table of words and its temporary memory.

    `constants` are the addresses of the plan's constant buffers.
    """

    def __init__(
        self,
        made: Scheduled,
        backend: PlanningBackend,
        device: Device,
        constants: Sequence[int] = (),
    ) -> None:
        self.plan, self.results, self.backend, self.device = (
            made.plan,
            made.results,
            backend,
            device,
        )
        if knob("TENSORLIB_DEBUG") >= 1:
            print(made.plan, file=sys.stderr)
        self._guards, self._evaluated = made.guards, _Sizes(made)
        self._words = array("q", [_word(value) for value in made.plan.values])
        self._slots = self._places("slot")
        moving = made.plan.values[: made.plan.dynamic]
        self._order = [(v.role == "output", v.index) for v in moving if isinstance(v, Address)]
        for k, index in self._places("constant"):
            self._words[k] = constants[index]
        self._faults = Faults(made.plan, backend, device)
        for k, index in self._places("fault"):
            self._words[k] = self._faults.address(index)
        self._arena: Buffer | None = None
        self._capacities = [-1] * len(made.plan.slot_bytes)
        self._lock = threading.Lock()
        self._executable = backend.compile_plan(made.plan, device)

    def _places(self, role: str) -> list[tuple[int, int]]:
        """Where the addresses of a role lie in the table: (word, number of the buffer)."""
        values = enumerate(self.plan.values)
        return [(k, v.index) for k, v in values if isinstance(v, Address) and v.role == role]

    def run(
        self, addresses: Sequence[int] = (), values: Sequence[int] = (), keep: bool = True
    ) -> list[Buffer]:
        """Run the plan; return new buffers with the outputs.

        `addresses` are those of the inputs, `values` those of the symbols. Without `keep` the
        temporary memory is given back. Raises ShapeError where a value takes a slice or update out
        of its axis.
        """
        sizes, slots, outputs, guards = self._evaluated(values)
        if guards and min(guards) < 0:
            self._refuse(guards, values)
        made = [self.backend.allocate(nbytes or 1, self.device) for nbytes in outputs]
        own = [cast(Any, buffer).address for buffer in made]
        head = [own[k] if is_output else addresses[k] for is_output, k in self._order]
        with self._lock:
            if slots and any(n > c for n, c in zip(slots, self._capacities, strict=True)):
                self._grow(slots)
            head.extend(sizes)
            self._words[: len(head)] = array("q", head)
            self._executable.run(self._words)
            self._faults.check()
            if not keep:
                self._arena, self._capacities = None, [-1] * len(self._capacities)
        return made

    def _grow(self, slots: Sequence[int]) -> None:
        """Make room for these sizes, and a little more where they come from symbols."""
        wanted = [
            c if n <= c else n + n // 4 if self.plan.symbols else n
            for n, c in zip(slots, self._capacities, strict=True)
        ]
        offsets, total = layout(wanted)
        self._arena, self._capacities = None, [-1] * len(slots)  # the old one may go first
        self._arena = self.backend.allocate(total or 1, self.device)
        self._capacities = wanted
        start = cast(Any, self._arena).address
        for k, slot in self._slots:
            self._words[k] = start + offsets[slot]

    def _refuse(self, guards: Sequence[int], values: Sequence[int]) -> None:
        given = ", ".join(f"{n} = {v}" for n, v in zip(self.plan.symbols, values, strict=True))
        for (_, what), value in zip(self._guards, guards, strict=True):
            if value < 0:
                raise ShapeError(f"{what}: got {given}, needed indices inside the axis")


class _Sizes:
    """All sizes that a call needs, evaluated at once: words, slots, outputs, guards."""

    def __init__(self, made: Scheduled) -> None:
        plan = made.plan
        words = [v for v in plan.values[: plan.dynamic] if not isinstance(v, Address)]
        parts: list[list[Any]] = [
            words,
            [size for sizes in plan.slot_bytes for size in sizes],
            list(plan.output_bytes),
            [size for size, _ in made.guards],
        ]
        self._cuts = [0]
        for part in parts:
            self._cuts.append(self._cuts[-1] + len(part))
        self._choices: list[tuple[int, int]] | None = None
        if any(len(sizes) > 1 for sizes in plan.slot_bytes):
            self._choices, first = [], 0
            for sizes in plan.slot_bytes:
                self._choices.append((first, first + len(sizes)))
                first += len(sizes)
        everything = [size for part in parts for size in part]
        self._evaluate = compiled(everything, plan.symbols) if everything else None

    def __call__(
        self, values: Sequence[int]
    ) -> tuple[Sequence[int], Sequence[int], Sequence[int], Sequence[int]]:
        if self._evaluate is None:
            return (), (), (), ()
        found = self._evaluate(values)
        _, a, b, c, d = self._cuts
        slots: Sequence[int] = found[a:b]
        if self._choices is not None:
            slots = [max(slots[i:j]) for i, j in self._choices]
        return found[:a], slots, found[b:c], found[c:d]


def _word(value: Any) -> int:
    """The word of a value; 0 for what is filled in later."""
    if isinstance(value, float):
        return int(struct.unpack("<q", struct.pack("<d", value))[0])
    return value if isinstance(value, int) else 0


# --- pending nodes ---

_plans: OrderedDict[Any, BoundPlan] = OrderedDict()
_plans_lock = threading.Lock()


def run_nodes(nodes: Sequence[Node], backend: Backend) -> None:
    """Compute pending nodes, all of one device, and give them their storage.

    Views of data become views of its memory, updates write into their state's. Plans are kept by
    the structure of the graph; kernels are shared between plans of all shapes.
    """
    wanted = dict.fromkeys(with_siblings(nodes))
    pending = [node for node in wanted if not _becomes_view(node)]
    if not pending:
        return
    for node, buffer in zip(pending, _run(pending, backend), strict=True):
        if buffer is None:
            node.realised(state_storage(node))
        else:
            node.realised(Storage(buffer, node.device, 0, _row_major(node.shape)))


def _run(pending: list[Node], backend: Backend) -> list[Buffer | None]:
    """Run the plan of the nodes; return the buffer of each, None for one that is a state."""
    order = topological(pending)
    key, buffers = _structure(order, pending)
    rules = RULES.generation, generation()
    plan = _plan((id(backend), pending[0].device, rules, key), pending, buffers, backend)
    made = plan.run([cast(Any, buffer).address for buffer in buffers], keep=False)
    return [None if k is None else made[k] for k in plan.results]


def _plan(key: Any, pending: list[Node], buffers: list[Buffer], backend: Backend) -> BoundPlan:
    with _plans_lock:
        found = _plans.get(key)
        if found is not None:
            _plans.move_to_end(key)
            return found
    made = scheduled(pending, Externals(buffers, moving=True), ())
    found = BoundPlan(made, cast(PlanningBackend, backend), pending[0].device)
    with _plans_lock:
        _plans[key] = found
        while len(_plans) > PLANS_KEPT:
            _plans.popitem(last=False)
    return found


def _structure(order: Sequence[Node], outputs: Sequence[Node]) -> tuple[Any, list[Buffer]]:
    """Return a key of the graph up to the addresses of its data, and the data's buffers."""
    place: dict[Node, int] = {}
    buffers: dict[int, tuple[int, Buffer]] = {}
    rows: list[Any] = []
    for k, node in enumerate(order):
        place[node] = k
        storage = node.storage
        if storage is None:
            inputs = tuple([place[i] for i in node.inputs])
            rows.append((node.op, inputs, attributes_key(node), node.shape, node.dtype))
            continue
        number, _ = buffers.setdefault(id(storage.buffer), (len(buffers), storage.buffer))
        rows.append((number, storage.offset, storage.strides, node.shape, node.dtype))
    key = (tuple(rows), tuple([place[node] for node in outputs]))
    return key, [buffer for _, buffer in buffers.values()]


def _becomes_view(node: Node) -> bool:
    """Realise a node that only moves data as a view of its memory; False where that can't be."""
    if not is_view(node):
        return node.storage is not None
    found = storage_view(node)
    if found is not None:
        node.realised(found)
    return found is not None


def storage_view(node: Node) -> Storage | None:
    """Return the storage of `node` as a view of the data that it moves, None where it computes."""
    path = []
    while node.storage is None:
        if not is_view(node):
            return None
        path.append(node)
        (node,) = node.inputs
    storage = node.storage
    view: View | None = View(storage.offset, node.shape, storage.strides)
    for movement in reversed(path):
        view = view and moved(view, movement.op, movement.attributes)
    if view is None:
        return None
    return storage.view(storage.buffer, view.offset, view.strides)  # type: ignore[arg-type]


def state_storage(node: Node) -> Storage:
    """Return the storage of the state that `node` updates, or is a view of."""
    while node.op == "update":
        node = node.inputs[0]
    found = storage_view(node)
    assert found is not None, node
    return found


def copied_storage(node: Node, backend: Backend) -> Storage:
    """Return a contiguous copy of a realised node."""
    shape = node.shape
    copy = Node("broadcast_to", (node,), {"shape": shape}, shape, node.dtype, node.device)
    (made,) = _run([copy], backend)
    assert made is not None
    return Storage(made, node.device, 0, _row_major(shape))


def _row_major(shape: Sequence[Size]) -> tuple[int, ...]:
    return cast("tuple[int, ...]", View.contiguous(shape).strides)
