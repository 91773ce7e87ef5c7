"""A node of the lazy graph: one operation of the table over earlier nodes, or storage that holds
data.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from typing import Any
from weakref import WeakSet

from tensorlib.backend import Buffer, Device
from tensorlib.dtypes import DType
from tensorlib.layouts.dim import Size

__all__ = ["CAPTURING", "Node", "Recording", "Storage", "data_node", "input_node", "topological"]


class Recording:
    """What a function does besides its result while it is recorded: updates of states."""

    __slots__ = ("updates",)

    def __init__(self) -> None:
        self.updates: list[Node] = []


CAPTURING: ContextVar[Recording | None] = ContextVar("tensorlib_capturing", default=None)
"""While `tl.compile` records a function: what collects its `updates`. Nothing is realised then,
capped or run at once."""


class Storage:
    """Where the elements of a realised node lie.

    Kernel-level backends: element `i` lies at `offset + sum(i[k] * strides[k])` of `buffer`,
    counted in elements; a packed dtype has the strides of its logical shape, with contiguous rows.
    Op-level backends: `buffer` is the backend's own array of the node's shape, and `offset` and
    `strides` are not used.
    """

    __slots__ = ("buffer", "device", "offset", "readers", "strides")

    def __init__(
        self, buffer: Buffer, device: Device, offset: int = 0, strides: tuple[int, ...] = ()
    ) -> None:
        self.buffer, self.device, self.offset, self.strides = buffer, device, offset, strides
        self.readers: WeakSet[Node] | None = (
            None  # for mutable state: nodes that still have to read it
        )

    def view(self, buffer: Buffer, offset: int = 0, strides: tuple[int, ...] = ()) -> Storage:
        """Return a storage for a view of these elements; a write to mutable state waits for its
        readers.
        """
        storage = Storage(buffer, self.device, offset, strides)
        storage.readers = self.readers
        return storage

    def __repr__(self) -> str:
        return f"Storage(offset={self.offset}, strides={self.strides}, device={self.device})"


class Node:
    """One operation (`op`, a name of `tensorlib.ops.OPS`) over `inputs`, not computed until
    `storage` is set.

    `depth` is the longest chain of pending nodes up to this one; `states` are the mutable storages
    that it still has to read. Nodes are built by `tensorlib.graph.build`, which checks shapes and
    dtypes.
    """

    __slots__ = (
        "__weakref__", "attributes", "depth", "device", "dtype", "inputs", "op", "shape", "states",
        "storage",
    )  # fmt: skip

    op: str
    inputs: tuple[Node, ...]
    attributes: dict[str, Any]
    shape: tuple[Size, ...]
    dtype: DType
    device: Device
    storage: Storage | None
    depth: int
    states: tuple[Storage, ...]

    def __init__(
        self,
        op: str,
        inputs: tuple[Node, ...],
        attributes: dict[str, Any],
        shape: tuple[Size, ...],
        dtype: DType,
        device: Device,
    ) -> None:
        self.op, self.inputs, self.attributes = op, inputs, attributes
        self.shape, self.dtype, self.device = shape, dtype, device
        self.storage = None
        self.states = ()
        depth = 0
        for node in inputs:
            depth = max(depth, node.depth)
            if node.states:
                self._read(node.states)
        self.depth = depth + 1

    def _read(self, states: tuple[Storage, ...]) -> None:
        """Note that this pending node reads `states`, so that a write to them can wait for it."""
        self.states += tuple(s for s in states if s not in self.states)
        if CAPTURING.get() is not None:  # a recorded node reads when its plan runs, in its order
            return
        for state in states:
            if state.readers is not None:
                state.readers.add(self)

    def realised(self, storage: Storage) -> None:
        """Turn this node into a data node over `storage`; its inputs are let go."""
        self.op, self.inputs, self.attributes = "data", (), {}
        self.storage, self.depth = storage, 0
        for state in self.states:
            if state.readers is not None:
                state.readers.discard(self)
        self.states = () if storage.readers is None else (storage,)

    def become_state(self) -> None:
        """Declare the storage of this realised node mutable: `update` may write into it."""
        assert self.storage is not None, self
        self.storage.readers = WeakSet()
        self.states = (self.storage,)

    def __repr__(self) -> str:
        names = ", ".join(node.op for node in self.inputs)
        return f"{self.op}({names}) -> {self.dtype.name}{list(map(str, self.shape))}"


def data_node(shape: tuple[Size, ...], dtype: DType, storage: Storage) -> Node:
    """Return a node that is realised already."""
    node = Node("data", (), {}, shape, dtype, storage.device)
    node.realised(storage)
    return node


def input_node(name: str, shape: tuple[Size, ...], dtype: DType, device: Device) -> Node:
    """Return a placeholder, bound when the captured graph is called."""
    return Node("input", (), {"name": name}, shape, dtype, device)


def topological(roots: Iterable[Node]) -> list[Node]:
    """Return every node that `roots` need, themselves included, inputs before their users.

    Realised nodes are listed as leaves. The order is deterministic and needs no recursion.
    """
    order: list[Node] = []
    seen: set[int] = set()
    stack: list[tuple[Node, Iterator[Node]]] = []

    def visit(node: Node) -> None:
        if id(node) not in seen:
            seen.add(id(node))
            stack.append((node, iter(node.inputs)))

    for root in roots:
        visit(root)
        while stack:
            node, rest = stack[-1]
            following = next(rest, None)
            if following is None:
                order.append(node)
                stack.pop()
            else:
                visit(following)
    return order
