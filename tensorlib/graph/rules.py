"""The library's simplifications: exact rewriting rules, in the table to which users add theirs.

A rule of the library never changes a result by a single bit, NaN and the sign of zero included.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorlib.dtypes import DType
from tensorlib.graph.node import Node
from tensorlib.graph.rule_table import RULES, Make, graph_rule, register_rule
from tensorlib.layouts.dim import Dim, Size
from tensorlib.ops import OPS

__all__ = ["RULES", "graph_rule", "lossless"]

# --- constants ---

ELEMENTWISE = tuple(name for name, op in OPS.items() if op.kind == "elementwise")
MOVEMENTS = tuple(name for name, op in OPS.items() if op.kind == "movement")


def _number(node: Node) -> Any:
    """The value of a constant node, None where it is none or is symbolic."""
    while node.op in ("broadcast_to", "reshape"):
        node = node.inputs[0]
    if node.op != "constant" or isinstance(node.attributes["value"], Dim):
        return None
    return node.attributes["value"]


def _constant(value: Any, like: Node, make: Make) -> Node:
    attributes = {"value": value, "shape": like.shape, "dtype": like.dtype}
    return make("constant", (), attributes, like.shape, like.dtype)


@register_rule(*ELEMENTWISE)
def fold_constants(node: Node, make: Make) -> Node | None:
    """op(constants) is a constant, for ops whose NumPy meaning is exact."""
    row = OPS[node.op]
    numbers = [_number(i) for i in node.inputs]
    kinds = {d.kind for d in (node.dtype, *(i.dtype for i in node.inputs))}
    if any(n is None for n in numbers) or not kinds <= row.exact or row.meaning is None:
        return None
    meaning = OPS["constant"].meaning
    assert meaning is not None
    arrays = [np.array(meaning(n, (), i.dtype)) for n, i in zip(numbers, node.inputs, strict=True)]
    result = np.asarray(row.meaning(*arrays, **node.attributes))
    python = {"bool": bool, "float": float}.get(node.dtype.kind, int)
    return _constant(python(result[()]), node, make)


@register_rule(*MOVEMENTS)
def move_constant(node: Node, make: Make) -> Node | None:
    """A moved constant is a constant of another shape."""
    source = node.inputs[0]
    return _constant(source.attributes["value"], node, make) if source.op == "constant" else None


# --- arithmetic with neutral elements ---


def _is(node: Node, *values: float) -> bool:
    number = _number(node)
    if number is None or node.dtype.kind == "complex":
        return False
    return any(
        number == v and (v != 0 or not node.dtype.is_float or np.signbit(number) == np.signbit(v))
        for v in values
    )


@register_rule("multiply")
def multiply_by_one(node: Node, make: Make) -> Node | None:
    """x * 1 and 1 * x are x."""
    x, y = node.inputs
    return x if _is(y, 1) else y if _is(x, 1) else None


@register_rule("add")
def add_zero(node: Node, make: Make) -> Node | None:
    """x + -0.0 is x for floats (0.0 would turn -0.0 into 0.0); x + 0 is x for integers."""
    x, y = node.inputs
    zero = -0.0 if node.dtype.is_float else 0
    return x if _is(y, zero) else y if _is(x, zero) else None


@register_rule("subtract")
def subtract_zero(node: Node, make: Make) -> Node | None:
    """x - 0 is x, also for x = -0.0."""
    x, y = node.inputs
    return x if _is(y, 0.0) else None


@register_rule("divide", "floor_divide")
def divide_by_one(node: Node, make: Make) -> Node | None:
    """x / 1 is x; x // 1 too for integers."""
    x, y = node.inputs
    return x if _is(y, 1) and (node.op == "divide" or node.dtype.is_integer) else None


@register_rule("negative", "bitwise_invert", "logical_not")
def undo_twice(node: Node, make: Make) -> Node | None:
    """An involution applied twice is nothing."""
    source = node.inputs[0]
    return source.inputs[0] if source.op == node.op else None


@register_rule("abs")
def absolute_of_sign(node: Node, make: Make) -> Node | None:
    """abs(abs(x)) and abs(-x) are abs(x)."""
    source = node.inputs[0]
    if source.op not in ("abs", "negative") or node.dtype is not source.inputs[0].dtype:
        return None
    return make("abs", source.inputs)


@register_rule("where")
def choose_known(node: Node, make: Make) -> Node | None:
    """A constant condition, or one value on both sides, decides."""
    condition, x, y = node.inputs
    chosen = _number(condition)
    if chosen is not None:
        return x if chosen else y
    return x if x is y else None


# --- casts ---


def lossless(source: DType, target: DType) -> bool:
    """True when every value of `source` has its exact equal in `target`, by kind and width.

    >>> lossless(DType.float16, DType.float32), lossless(DType.int8, DType.uint16)
    (True, False)
    """
    if source is target:
        return True
    if source.kind == target.kind == "float":
        return target.bits > source.bits
    if source.kind == "bool":
        return target.is_integer or target.is_float
    if source.kind == target.kind or (source.kind, target.kind) == ("unsigned", "signed"):
        return source.is_integer and target.bits > source.bits
    return False


@register_rule("cast")
def drop_cast(node: Node, make: Make) -> Node | None:
    """A cast to the own dtype is nothing; a detour over a wider dtype is left out."""
    source = node.inputs[0]
    if source.dtype is node.dtype:
        return source
    if source.op != "cast" or not lossless(source.inputs[0].dtype, source.dtype):
        return None
    return make("cast", source.inputs, {"dtype": node.dtype})


@register_rule("cast")
def cast_before_permuting(node: Node, make: Make) -> Node | None:
    """cast(permute_dims(packed)) is permute_dims(cast(packed)): blocks are decoded along rows."""
    source = node.inputs[0]
    if not source.dtype.is_packed or source.op != "permute_dims":
        return None
    decoded = make("cast", source.inputs, node.attributes)
    return make("permute_dims", (decoded,), source.attributes)


@register_rule("take")
def take_before_casting(node: Node, make: Make) -> Node | None:
    """take(cast(x)) is cast(take(x)): only what is taken gets converted."""
    x, indices = node.inputs
    if x.op != "cast" or x.inputs[0].dtype.is_packed:
        return None
    taken = make("take", (x.inputs[0], indices), node.attributes)
    return make("cast", (taken,), {"dtype": node.dtype})


# --- movements ---


@register_rule(*MOVEMENTS)
def drop_movement(node: Node, make: Make) -> Node | None:
    """A movement that moves nothing is nothing."""
    source, attributes = node.inputs[0], node.attributes
    if source.shape != node.shape:
        return None
    if node.op in ("reshape", "broadcast_to"):
        return source
    if node.op == "permute_dims":
        return source if list(attributes["axes"]) == list(range(len(node.shape))) else None
    still = all(isinstance(s, int) and s == 0 for s in attributes["starts"])
    return source if still and all(s == 1 for s in attributes["steps"]) else None


@register_rule("reshape")
def join_reshapes(node: Node, make: Make) -> Node | None:
    source = node.inputs[0]
    return make("reshape", source.inputs, node.attributes) if source.op == "reshape" else None


@register_rule("broadcast_to")
def join_broadcasts(node: Node, make: Make) -> Node | None:
    source = node.inputs[0]
    if source.op != "broadcast_to":
        return None
    return make("broadcast_to", source.inputs, node.attributes)


@register_rule("permute_dims")
def join_permutations(node: Node, make: Make) -> Node | None:
    source = node.inputs[0]
    if source.op != "permute_dims":
        return None
    axes = tuple(source.attributes["axes"][a] for a in node.attributes["axes"])
    return make("permute_dims", source.inputs, {"axes": axes})


@register_rule("slice")
def join_slices(node: Node, make: Make) -> Node | None:
    """Of elements start + c * step, take those with c = start' + c' * step'."""
    source = node.inputs[0]
    if source.op != "slice":
        return None
    outer, inner = node.attributes, source.attributes
    rows = list(zip(inner["starts"], inner["steps"], outer["starts"], outer["steps"], strict=True))
    attributes = {
        "starts": tuple(a + s * b for a, s, b, _ in rows),
        "steps": tuple(s * t for _, s, _, t in rows),
        "shape": tuple(node.shape),
    }
    return make("slice", source.inputs, attributes, node.shape, node.dtype)


@register_rule("concat")
def drop_empty_parts(node: Node, make: Make) -> Node | None:
    """A concat of one part is the part; parts of size 0 don't count."""
    axis = node.attributes["axis"]
    parts = [i for i in node.inputs if not _zero(i.shape[axis])] or list(node.inputs[:1])
    if len(parts) == 1:
        return parts[0]
    if len(parts) < len(node.inputs):
        return make("concat", parts, node.attributes)
    return None


def _zero(size: Size) -> bool:
    return isinstance(size, int) and size == 0


# --- matrix products ---


@register_rule("matmul")
def vectors_as_matrices(node: Node, make: Make) -> Node | None:
    """A 1-D operand of matmul becomes a row or a column, and the result loses that axis."""
    a, b = node.inputs
    if len(a.shape) > 1 and len(b.shape) > 1:
        return None
    if len(a.shape) == 1:
        a = make("reshape", (a,), {"shape": (1, *a.shape)})
    if len(b.shape) == 1:
        b = make("reshape", (b,), {"shape": (*b.shape, 1)})
    product = make("matmul", (a, b))
    return make("reshape", (product,), {"shape": tuple(node.shape)})


def _row_axis(node: Node) -> int:
    """The axis of a packed node along which its blocks lie."""
    if node.op == "permute_dims":
        return list(node.attributes["axes"]).index(_row_axis(node.inputs[0]))
    strides = node.storage.strides if node.storage is not None else ()
    return strides.index(1) if 1 in strides else len(node.shape) - 1


def _decoded(node: Node, make: Make) -> Node:
    return make("cast", (node,), {"dtype": DType.float32})


@register_rule("matmul")
def decode_other_orders(node: Node, make: Make) -> Node | None:
    """A packed operand whose blocks don't lie along the summed axis is decoded before."""
    a, b = node.inputs
    if a.dtype.is_packed and (_row_axis(a) != len(a.shape) - 1 or b.dtype.is_packed):
        return make("matmul", (_decoded(a, make), b))
    if b.dtype.is_packed and _row_axis(b) != len(b.shape) - 2:
        return make("matmul", (a, _decoded(b, make)))
    return None


@register_rule("matmul")
def decode_inside(node: Node, make: Make) -> Node | None:
    """A decoded operand whose blocks lie along the summed axis is decoded by the product."""
    a, b = node.inputs
    packed = _undecoded(a, make), _undecoded(b, make)
    if packed[0] is not None and _row_axis(packed[0]) == len(a.shape) - 1 and not b.dtype.is_packed:
        return make("matmul", (packed[0], b))
    if packed[1] is not None and _row_axis(packed[1]) == len(b.shape) - 2 and not a.dtype.is_packed:
        return make("matmul", (a, packed[1]))
    return None


def _undecoded(node: Node, make: Make) -> Node | None:
    """The packed node that `node` decodes to float32, None for anything else."""
    if node.op == "permute_dims":
        source = _undecoded(node.inputs[0], make)
        return source and make("permute_dims", (source,), node.attributes)
    decodes = node.op == "cast" and node.dtype is DType.float32 and node.inputs[0].dtype.is_packed
    return node.inputs[0] if decodes else None


@register_rule("take")
def decode_before_taking(node: Node, make: Make) -> Node | None:
    """Taking from packed rows needs whole rows; anything else is decoded before."""
    x, indices = node.inputs
    last = len(x.shape) - 1
    if not x.dtype.is_packed or (_row_axis(x) == last and node.attributes["axis"] != last):
        return None
    return make("take", (_decoded(x, make), indices), node.attributes)
