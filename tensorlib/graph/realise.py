"""Realise: compute pending nodes on the backend of their device, and keep the results in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tensorlib.backend import Backend, Device, OpBackend, kernel_level, op_level
from tensorlib.errors import BackendError
from tensorlib.graph.node import Node, Storage, topological
from tensorlib.ops import OPS
from tensorlib.registry import REGISTRY

__all__ = ["realise", "refuse_placeholders"]


def realise(nodes: Iterable[Node]) -> None:
    """Give every one of `nodes` its storage; nodes that have one already are left alone.

    Raises BackendError for nodes of a captured function, whose values are not known yet.
    """
    by_device: dict[Device, list[Node]] = {}
    for node in nodes:
        if node.storage is None:
            by_device.setdefault(node.device, []).append(node)
    for device, pending in by_device.items():
        backend = REGISTRY.backend(device.backend)
        if kernel_level(backend) is not None:
            from tensorlib.graph.compile import run_nodes

            refuse_placeholders(topological(pending))
            run_nodes(pending, backend)
        else:
            _walk(pending, backend)


def refuse_placeholders(order: Sequence[Node]) -> None:
    """Raise BackendError where a node of `order` is a placeholder of a captured function."""
    for node in order:
        if node.op == "input":
            name = node.attributes["name"]
            raise BackendError(
                f"realise: got a value that depends on {name!r}, an argument of a function being "
                "compiled; its elements are not known yet; try returning the tensor instead"
            )


def _walk(nodes: list[Node], backend: Backend) -> None:
    """Run the pending nodes one by one, in order."""
    runner = op_level(backend)
    if runner is None:
        raise BackendError(f"backend {backend.name} has neither op level nor kernel level")
    order = topological(nodes)
    refuse_placeholders(order)
    order.reverse()
    while order:
        node = order.pop()  # popped, so that what is no longer needed is freed on the way
        if node.storage is None:
            node.realised(_computed(node, runner))


def _computed(node: Node, runner: OpBackend) -> Storage:
    sources = [i.storage for i in node.inputs if i.storage is not None]
    if node.op == "update":
        runner.run("update", *(s.buffer for s in sources), **node.attributes)
        return sources[0]
    result = runner.run(node.op, *(s.buffer for s in sources), **node.attributes)
    if OPS[node.op].kind == "movement":
        return sources[0].view(result)
    return Storage(result, node.device)
