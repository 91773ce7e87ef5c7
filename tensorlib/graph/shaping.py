"""Nodes that show the same elements under another shape: reshape, permute, slice and their kin."""

from __future__ import annotations

from collections.abc import Sequence

from tensorlib.errors import ShapeError
from tensorlib.graph.build import apply, broadcast_to, constant
from tensorlib.graph.node import Node
from tensorlib.layouts.dim import Size
from tensorlib.ops import OPS, Shape
from tensorlib.ops.shapes import axis_number, axis_numbers, elements, shape_text

__all__ = [
    "broadcast_to",
    "expand_dims",
    "flip",
    "permute_dims",
    "reshape",
    "slice_",
    "squeeze",
    "transposed",
]


def _moved(op: str, x: Node, **attributes: object) -> Node:
    """Apply a movement; a constant stays a constant."""
    if x.op != "constant":
        return apply(op, (x,), **attributes)
    shape = OPS[op].shape([x.shape], attributes)
    return constant(x.attributes["value"], shape, x.dtype, x.device)


def reshape(x: Node, shape: Sequence[Size]) -> Node:
    """Return the elements in row-major order under `shape`, of which one size may be -1."""
    target = _filled_in(x.shape, tuple(shape))
    return x if target == x.shape else _moved("reshape", x, shape=target)


def _filled_in(shape: Shape, target: Shape) -> Shape:
    """Replace the one -1 of `target` by the size that is left."""
    unknown = [axis for axis, n in enumerate(target) if isinstance(n, int) and n < 0]
    if not unknown:
        return target
    known = elements(tuple(n for n in target if n != -1))
    count = elements(shape)
    if len(unknown) > 1 or target[unknown[0]] != -1 or known == 0 or count % known != 0:
        raise ShapeError(
            f"reshape: got shape {shape_text(shape)} to {shape_text(target)}; "
            f"{count} elements don't fill it, at most one size may be -1"
        )
    return tuple(count // known if n == -1 else n for n in target)


def permute_dims(x: Node, axes: Sequence[int]) -> Node:
    """Return `x` with axis `axes[k]` as its axis k."""
    rank = len(x.shape)
    wanted = tuple(axis_number("permute_dims", a, rank) for a in axes)
    if wanted == tuple(range(rank)):
        return x
    return _moved("permute_dims", x, axes=wanted)


def transposed(x: Node) -> Node:
    """Return `x` with its last two axes exchanged."""
    rank = len(x.shape)
    if rank < 2:
        raise ShapeError(
            f"matrix_transpose: got shape {shape_text(x.shape)}, needed at least two axes"
        )
    return permute_dims(x, (*range(rank - 2), rank - 1, rank - 2))


def slice_(x: Node, starts: Sequence[Size], steps: Sequence[int], shape: Sequence[Size]) -> Node:
    """Return `shape[k]` elements from `starts[k]` on, every `steps[k]`-th, on every axis k."""
    target = tuple(shape)
    if target == x.shape and all(s == 0 for s in starts) and all(s == 1 for s in steps):
        return x
    return _moved("slice", x, starts=tuple(starts), steps=tuple(steps), shape=target)


def flip(x: Node, axis: int | Sequence[int] | None) -> Node:
    """Return `x` with the order of the elements reversed along `axis` (None: along every one)."""
    axes = axis_numbers("flip", axis, len(x.shape))
    starts = [n - 1 if a in axes and n != 0 else 0 for a, n in enumerate(x.shape)]
    steps = [-1 if a in axes else 1 for a in range(len(x.shape))]
    return slice_(x, starts, steps, x.shape)


def squeeze(x: Node, axis: int | Sequence[int]) -> Node:
    """Return `x` without the axes `axis`, whose sizes must be 1."""
    axes = axis_numbers("squeeze", axis, len(x.shape))
    for a in axes:
        if x.shape[a] != 1:
            raise ShapeError(f"squeeze: got shape {shape_text(x.shape)}, needed size 1 on axis {a}")
    return reshape(x, [n for a, n in enumerate(x.shape) if a not in axes])


def expand_dims(x: Node, axis: int | Sequence[int]) -> Node:
    """Return `x` with new axes of size 1, which are `axis` of the result."""
    count = 1 if isinstance(axis, int) else len(axis)
    axes = axis_numbers("expand_dims", axis, len(x.shape) + count)
    sizes = iter(x.shape)
    rank = len(x.shape) + count
    return reshape(x, [1 if a in axes else next(sizes) for a in range(rank)])
