"""Building nodes: dtypes are promoted, shapes broadcast and errors raised here, at the call."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, TypeAlias

import numpy as np

from tensorlib.backend import Device, kernel_level
from tensorlib.dtypes import DType
from tensorlib.errors import BackendError
from tensorlib.graph.host import from_numpy, require_dtype, to_numpy
from tensorlib.graph.node import CAPTURING, Node
from tensorlib.graph.realise import realise
from tensorlib.knobs import knob
from tensorlib.layouts.dim import Dim
from tensorlib.ops import OPS, Shape
from tensorlib.ops.promotion import domain_dtype, promote, weak_dtype
from tensorlib.ops.shapes import broadcast_shapes, is_static_shape
from tensorlib.registry import REGISTRY

__all__ = [
    "MAX_PENDING",
    "SMALL",
    "Operand",
    "apply",
    "arange",
    "binary",
    "broadcast_to",
    "cast",
    "constant",
    "same_device",
    "settled",
    "unary",
    "where",
]

MAX_PENDING = 256  # a longer chain of pending nodes is realised
SMALL = 1024  # elements up to which an exact operation runs at once, without a compiled kernel

Scalar: TypeAlias = bool | int | float | complex
Operand: TypeAlias = Node | Scalar | Dim


def apply(op: str, inputs: tuple[Node, ...], **attributes: Any) -> Node:
    """Return the node of `op` by its row of the table; attributes and dtypes must be final."""
    row = OPS[op]
    shape = row.shape([node.shape for node in inputs], attributes)
    dtype = row.dtype([node.dtype for node in inputs], attributes)
    return settled(Node(op, inputs, attributes, shape, dtype, same_device(op, inputs)))


def settled(node: Node) -> Node:
    """Realise `node` where its chain grew too long, or run it at once where it is small work."""
    if node.depth > MAX_PENDING:
        if CAPTURING.get() is None:
            realise((node,))
    elif node.depth == 1 and _is_small(node):
        _run_at_once(node)
    return node


def _is_small(node: Node) -> bool:
    """True for exact work on few elements that are there already; settled by shapes and dtypes."""
    if not _compiles(node.device) or not _few(node.shape) or CAPTURING.get() is not None:
        return False
    if node.states or not node.inputs:
        return False
    exact = OPS[node.op].exact
    for operand in (*node.inputs, node):
        if operand.dtype.kind not in exact or not _few(operand.shape):
            return False
    return bool(knob("TENSORLIB_SMALL"))


def _few(shape: Shape) -> bool:
    count = 1
    for n in shape:
        if isinstance(n, Dim):
            return False
        count *= n
    return count <= SMALL


@cache
def _compiles(device: Device) -> bool:
    return kernel_level(REGISTRY.backend(device.backend)) is not None


def _run_at_once(node: Node) -> None:
    """Compute `node` by its NumPy meaning; its result is bit-identical to the kernel's."""
    meaning = OPS[node.op].meaning
    assert meaning is not None, node
    arrays = [_host_array(n) for n in node.inputs]
    result = np.asarray(meaning(*arrays, **node.attributes))
    storage = from_numpy(result, node.device, lend=True).storage
    assert storage is not None, node
    node.realised(storage)


def _host_array(node: Node) -> np.ndarray[Any, Any]:
    if node.op == "constant":
        return np.asarray(OPS["constant"].meaning(**node.attributes))  # type: ignore[misc]
    return to_numpy(node)


def same_device(where: str, nodes: Sequence[Node]) -> Device:
    """Return the device of all `nodes`, or raise BackendError where they lie on several."""
    device = nodes[0].device
    for node in nodes:
        if node.device is not device and node.device != device:
            raise BackendError(
                f"{where}: got tensors on {device} and {node.device}, needed one device; "
                "try to_device"
            )
    return device


# --- leaves ---


def constant(value: Scalar, shape: Shape, dtype: DType, device: Device) -> Node:
    """Return a node of `value` everywhere; it costs no memory until it is realised."""
    require_dtype(dtype, device)
    attributes = {"value": value, "shape": shape, "dtype": dtype}
    node = Node("constant", (), attributes, shape, dtype, device)
    node.depth = 0  # as good as computed: it folds into whatever reads it
    return node


def arange(start: Any, step: Any, n: Any, dtype: DType, device: Device) -> Node:
    """Return the node of `start + i * step` for i below `n`; start and n may be symbolic."""
    require_dtype(dtype, device)
    attributes = {"start": start, "step": step, "n": n, "dtype": dtype}
    return Node("arange", (), attributes, (n,), dtype, device)


# --- what the elementwise operations need around them ---


def cast(x: Node, dtype: DType) -> Node:
    """Return `x` with elements of `dtype`; itself where it has them."""
    if x.dtype is dtype:
        return x
    require_dtype(dtype, x.device)
    return apply("cast", (x,), dtype=dtype)


def broadcast_to(x: Node, shape: Shape) -> Node:
    """Return `x` repeated to `shape`; itself where it has it."""
    if x.shape == shape:
        return x
    if x.op == "constant":
        row = OPS["broadcast_to"]
        return constant(
            x.attributes["value"], row.shape([x.shape], {"shape": shape}), x.dtype, x.device
        )
    return apply("broadcast_to", (x,), shape=shape)


@cache
def _dtypes(op: str, dtype: DType) -> tuple[DType, DType]:
    """Return the dtype in which `op` computes operands of `dtype`, and that of its result."""
    row = OPS[op]
    inside = domain_dtype(op, row.domain, dtype)
    return inside, row.dtype([inside] * (row.arity or 1), {})


def unary(op: str, x: Node) -> Node:
    """Return the node of an elementwise `op` of one input."""
    inside, result = _dtypes(op, x.dtype)
    if inside is not x.dtype:
        x = cast(x, inside)
    node = Node(op, (x,), {}, x.shape, result, x.device)
    return settled(node) if node.depth == 1 or node.depth > MAX_PENDING else node


def binary(op: str, x1: Operand, x2: Operand) -> Node:
    """Return the node of an elementwise `op` of two inputs, of which one may be a Python scalar."""
    a, b = _pair(op, x1, x2)
    dtype = a.dtype if a.dtype is b.dtype else promote(a.dtype, b.dtype)
    inside, result = _dtypes(op, dtype)
    if inside is not a.dtype or inside is not b.dtype:
        a, b = cast(a, inside), cast(b, inside)
    if a.shape != b.shape:
        shape = broadcast_shapes(op, a.shape, b.shape)
        a, b = broadcast_to(a, shape), broadcast_to(b, shape)
    if a.device is not b.device:
        same_device(op, (a, b))
    node = Node(op, (a, b), {}, a.shape, result, a.device)
    return settled(node) if node.depth == 1 or node.depth > MAX_PENDING else node


def where(condition: Node, x1: Operand, x2: Operand) -> Node:
    """Return x1 where `condition` holds, else x2; both may be Python scalars."""
    if not isinstance(x1, Node) and not isinstance(x2, Node):
        x1 = _weak(x1, constant(0, (), weak_dtype(None, x2), condition.device))
    a, b = _pair("where", x1, x2)
    dtype = promote(a.dtype, b.dtype)
    condition, a, b = cast(condition, DType.bool), cast(a, dtype), cast(b, dtype)
    shape = broadcast_shapes("where", condition.shape, a.shape, b.shape)
    return apply("where", tuple(broadcast_to(n, shape) for n in (condition, a, b)))


def _pair(op: str, x1: Operand, x2: Operand) -> tuple[Node, Node]:
    if isinstance(x1, Node):
        return x1, x2 if isinstance(x2, Node) else _weak(x2, x1, op)
    assert isinstance(x2, Node), op
    return _weak(x1, x2, op), x2


def _weak(scalar: Scalar | Dim, beside: Node, op: str = "") -> Node:
    """Return a Python scalar as a constant of the shape and, where its kind allows, dtype of
    `beside`.
    """
    if isinstance(scalar, Dim):
        position = arange(scalar, 1, 1, weak_dtype(beside.dtype, 0), beside.device)
        return apply("reshape", (position,), shape=())
    dtype = beside.dtype
    if dtype.is_packed:
        domain_dtype(op, OPS[op].domain, dtype)
    return constant(scalar, beside.shape, weak_dtype(dtype, scalar), beside.device)


def is_known(node: Node) -> bool:
    """True where every size of `node` is a number and no compiled function is being captured."""
    return is_static_shape(node.shape) and CAPTURING.get() is None
