"""Recorded functions: the graph of one run on placeholders, compiled, and how it is called."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, cast

from tensorlib.backend import Buffer, Device, KernelBackend
from tensorlib.graph.compile import BoundPlan, copied_storage, state_storage
from tensorlib.graph.hoist import hoisted
from tensorlib.graph.host import contiguous_strides
from tensorlib.graph.node import CAPTURING, Node, Recording, Storage, data_node, topological
from tensorlib.graph.plan import PlanningBackend
from tensorlib.graph.realise import realise
from tensorlib.graph.schedule import Externals, scheduled
from tensorlib.layouts.dim import Dim, compiled
from tensorlib.registry import REGISTRY
from tensorlib.tensor import Tensor

__all__ = ["Recorded", "Recording", "recorded"]


class Recorded(Protocol):
    """A function that was recorded; called with its arguments, their tensors and the symbols."""

    def __call__(
        self, args: Sequence[Any], tensors: Sequence[Tensor], values: Mapping[str, int]
    ) -> Any: ...


def recorded(
    fn: Callable[..., Any],
    inside: Sequence[Any],
    inputs: Sequence[Node | None],
    symbols: Sequence[str],
    device: Device | None,
) -> Recorded:
    """Run `fn` once on the arguments `inside`, of which `inputs` are the placeholders.

    A backend that runs whole operations gains nothing from a plan: there the function stays as it
    is.
    """
    target = device or REGISTRY.default()
    backend = REGISTRY.backend(target.backend)
    if not isinstance(backend, KernelBackend):
        return _Direct(fn)
    recording = Recording()
    token = CAPTURING.set(recording)
    try:
        result = fn(*inside)
    finally:
        CAPTURING.reset(token)
    return _Planned(result, recording, inputs, symbols, cast(PlanningBackend, backend), target)


class _Direct:
    """The function itself."""

    def __init__(self, fn: Callable[..., Any]) -> None:
        self.fn = fn

    def __call__(
        self, args: Sequence[Any], tensors: Sequence[Tensor], values: Mapping[str, int]
    ) -> Any:
        return self.fn(*args)


class _Planned:
    """One plan, and how arguments become its inputs and its outputs become results."""

    def __init__(
        self,
        result: Any,
        recording: Recording,
        inputs: Sequence[Node | None],
        symbols: Sequence[str],
        backend: PlanningBackend,
        device: Device,
    ) -> None:
        self._symbols, self._device = tuple(symbols), device
        outputs = [leaf.node for leaf in _leaves(result) if isinstance(leaf, Tensor)]
        nodes = [*dict.fromkeys((*outputs, *recording.updates))]
        hoisted(nodes)
        self._kept, self._states = _data(nodes), _written(nodes)
        self._inputs = [n is not None for n in inputs]
        self._dtypes = [n.dtype for n in inputs if n is not None]
        names = [n.attributes["name"] for n in inputs if n is not None]
        made = scheduled(nodes, Externals(self._kept, names), self._symbols)
        addresses = [cast(Any, buffer).address for buffer in self._kept]
        self._plan = BoundPlan(made, backend, device, addresses)
        self._describe(result, dict(zip(nodes, made.results, strict=True)))

    def _describe(self, result: Any, places: Mapping[Node, int | None]) -> None:
        """Note how to make the result: from new buffers, memory of states, and sizes."""
        sizes: list[Any] = []

        def described(leaf: Any) -> Any:
            if isinstance(leaf, Dim):
                place = len(sizes)
                sizes.append(leaf)
                return lambda buffers, found: found[place]
            if not isinstance(leaf, Tensor):
                return lambda buffers, found: leaf
            output = places[leaf.node]
            if output is None:
                state = _state_node(leaf.node)
                return lambda buffers, found: Tensor(state)
            start = len(sizes)
            sizes.extend(leaf.shape)
            return _maker(output, start, len(sizes), leaf.dtype, self._device)

        self._template = _mapped(result, described)
        self._evaluate = compiled(sizes, self._symbols) if sizes else lambda values: ()

    def __call__(
        self, args: Sequence[Any], tensors: Sequence[Tensor], values: Mapping[str, int]
    ) -> Any:
        if any(map(len, self._states)):
            realise(_pending(self._states))
        given = [t.node for t, wanted in zip(tensors, self._inputs, strict=True) if wanted]
        storages = [_ready(node) for node in given]
        addresses = [
            cast(Any, s.buffer).address + (dtype.nbytes(s.offset) if s.offset else 0)
            for s, dtype in zip(storages, self._dtypes, strict=True)
        ]
        numbers = [values[symbol] for symbol in self._symbols]
        buffers = self._plan.run(addresses, numbers)
        found = self._evaluate(numbers)
        if callable(self._template):
            return self._template(buffers, found)
        return _mapped(self._template, lambda make: make(buffers, found))


def _maker(place: int, start: int, stop: int, dtype: Any, device: Device) -> Callable[..., Tensor]:
    def make(buffers: Sequence[Buffer], found: Sequence[int]) -> Tensor:
        shape = tuple(found[start:stop])
        storage = Storage(buffers[place], device, 0, contiguous_strides(shape))
        return Tensor(data_node(shape, dtype, storage))

    return make


def _ready(node: Node) -> Storage:
    """Return the storage of an argument, computed and contiguous."""
    if node.storage is None:
        realise((node,))
    storage = node.storage
    assert storage is not None
    if storage.strides != contiguous_strides(node.shape):
        return copied_storage(node, REGISTRY.backend(node.device.backend))
    return storage


# --- results ---


def _mapped(result: Any, function: Callable[[Any], Any]) -> Any:
    """Apply `function` to the leaves of nested tuples, lists and dicts."""
    if isinstance(result, tuple) and hasattr(result, "_fields"):
        return type(result)(*[_mapped(r, function) for r in result])
    if isinstance(result, tuple | list):
        return type(result)([_mapped(r, function) for r in result])
    if isinstance(result, dict):
        return {key: _mapped(value, function) for key, value in result.items()}
    return function(result)


def _leaves(result: Any) -> Iterator[Any]:
    if isinstance(result, tuple | list):
        for item in result:
            yield from _leaves(item)
    elif isinstance(result, dict):
        for item in result.values():
            yield from _leaves(item)
    else:
        yield result


# --- states ---


def _data(nodes: Iterable[Node]) -> list[Buffer]:
    """The buffers of all data that the graph reads."""
    storages = (n.storage for n in topological(nodes) if n.storage is not None)
    return list({id(s.buffer): s.buffer for s in storages}.values())


def _written(nodes: Iterable[Node]) -> list[Any]:
    """The pending readers of each state that gets updated: they have to run before."""
    updates = (n for n in topological(nodes) if n.op == "update")
    states = {id(s): s for n in updates for s in n.inputs[0].states}
    return [s.readers for s in states.values() if s.readers is not None]


def _pending(states: Iterable[Iterable[Node]]) -> list[Node]:
    """The readers that can be computed: not those of a function that is being recorded."""
    readers = [node for readers in states for node in list(readers) if node.storage is None]
    return [n for n in readers if all(i.op != "input" for i in topological([n]))]


def _state_node(update: Node) -> Node:
    return data_node(cast("tuple[int, ...]", update.shape), update.dtype, state_storage(update))
