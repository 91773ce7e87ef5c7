"""Nodes that pick, join and write: brackets, take, concat, stack and update."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce as fold
from typing import Any, TypeAlias

import numpy as np

from tensorlib.dtypes import DType
from tensorlib.errors import IndexingError, ShapeError, TensorlibError
from tensorlib.graph.build import apply, cast, is_known
from tensorlib.graph.host import from_numpy, to_numpy
from tensorlib.graph.node import CAPTURING, Node
from tensorlib.graph.realise import realise
from tensorlib.graph.shaping import expand_dims, reshape, slice_
from tensorlib.layouts.dim import Dim, Size, is_static
from tensorlib.ops.promotion import promote
from tensorlib.ops.shapes import axis_number, shape_text

__all__ = ["Key", "basic", "concat", "stack", "take", "update"]

Key: TypeAlias = Any  # an int, Dim, slice, None, Ellipsis, or a tuple of them


def basic(x: Node, key: tuple[Key, ...]) -> Node:
    """Return `x[key]` for ints, Dims, slices, None and at most one ...: a view, no elements move.

    Ints outside their axis raise IndexingError; slices are clamped as Python does. Bounds of
    symbolic slices count from the front and must lie inside their axis.
    """
    items = _completed(key, x.shape)
    sizes = iter(x.shape)
    parts = [_NEW if item is None else _part(item, next(sizes)) for item in items]
    walked = [part for part in parts if part is not _NEW]
    x = slice_(x, [p.start for p in walked], [p.step for p in walked], [p.size for p in walked])
    return reshape(x, [part.size for part in parts if not part.is_point])


@dataclass(frozen=True, slots=True)
class _Part:
    """What one index takes of its axis; a point takes the axis away."""

    size: Size
    start: Size = 0
    step: int = 1
    is_point: bool = False


_NEW = _Part(1)


def _completed(key: tuple[Key, ...], shape: tuple[Size, ...]) -> list[Key]:
    """Replace the ellipsis, or the end, of `key` by whole axes."""
    used = sum(item is not None and item is not Ellipsis for item in key)
    dots = [place for place, item in enumerate(key) if item is Ellipsis]
    if used > len(shape) or len(dots) > 1:
        raise IndexingError(
            f"index: got {used} indices and {len(dots)} ellipses for shape {shape_text(shape)}"
        )
    place = dots[0] if dots else len(key)
    rest = [slice(None)] * (len(shape) - used)
    return [*key[:place], *rest, *key[place + 1 :]]


def _part(item: Key, n: Size) -> _Part:
    """Return what one index takes of an axis of size `n`."""
    if isinstance(item, slice):
        return _range(item, n)
    if isinstance(item, Dim):
        return _Part(1, item, 1, True)
    if isinstance(item, bool) or not hasattr(item, "__index__"):
        raise IndexingError(
            f"index: got {item!r}, needed ints, slices, None, ..., "
            "one integer tensor or one bool mask"
        )
    index = item.__index__()
    if is_static(n) and not -n <= index < n:
        raise IndexingError(f"index: got {index}, outside an axis of size {n}")
    return _Part(1, index if index >= 0 else n + index, 1, True)


def _range(item: slice, n: Size) -> _Part:
    step = 1 if item.step is None else item.step.__index__()
    if step == 0:
        raise IndexingError("index: got a slice with step 0, needed another step")
    if is_static(n) and not isinstance(item.start, Dim) and not isinstance(item.stop, Dim):
        reach = range(*item.indices(n))
        return _Part(len(reach), reach.start if reach else 0, step)
    return _symbolic_range(item, n, step)


def _symbolic_range(item: slice, n: Size, step: int) -> _Part:
    """Bounds with symbols are taken as they are; negative numbers count from the end."""
    first, last = (0, n) if step > 0 else (n - 1, -1)
    start = first if item.start is None else _from_front(item.start, n)
    stop = last if item.stop is None else _from_front(item.stop, n)
    distance = stop - start if step > 0 else start - stop
    stride = abs(step)
    return _Part((distance + stride - 1) // stride, start, step)


def _from_front(bound: Size, n: Size) -> Size:
    return n + bound if isinstance(bound, int) and bound < 0 else bound


def take(x: Node, indices: Node, axis: int | None) -> Node:
    """Return the elements `indices` along `axis`, which None may stand for when there is one axis.

    Negative indices count from the end. Others outside the axis raise IndexingError, but inside a
    compiled function they give NaN, or 0 for integers.
    """
    if axis is None and len(x.shape) != 1:
        raise ShapeError(f"take: got shape {shape_text(x.shape)} without axis, needed an axis")
    axis = axis_number("take", axis or 0, len(x.shape))
    node = apply("take", (x, indices), axis=axis)
    if is_known(indices):
        _check_bounds(indices, x.shape[axis])
    return node


def _check_bounds(indices: Node, n: Size) -> None:
    if not is_static(n):
        return
    realise((indices,))
    values = to_numpy(indices)
    if values.size and not (-n <= int(values.min()) and int(values.max()) < n):
        wrong = values[(values < -n) | (values >= n)].flat[0]
        raise IndexingError(f"take: got index {wrong}, outside an axis of size {n}")


def picked(x: Node, indices: Node, axis: int) -> Node:
    """Return `x[..., indices, ...]`: integers pick along `axis`, a bool mask picks where it is
    True.
    """
    if indices.dtype is not DType.bool:
        return take(x, indices, axis)
    rank = len(indices.shape)
    covered = x.shape[axis : axis + rank]
    if covered != indices.shape:
        raise IndexingError(
            f"index: got a mask of shape {shape_text(indices.shape)} for axes of shape "
            f"{shape_text(covered)}; they must be equal"
        )
    realise((indices,))  # the shape of the result depends on the data
    found = from_numpy(np.flatnonzero(to_numpy(indices)), x.device)
    flat = reshape(x, (*x.shape[:axis], -1, *x.shape[axis + rank :]))
    return apply("take", (flat, found), axis=axis)


def concat(nodes: Sequence[Node], axis: int | None) -> Node:
    """Return the tensors one after the other along `axis` (None: flattened first)."""
    if not nodes:
        raise ShapeError("concat: got no tensors, needed at least one")
    if axis is None:
        nodes, axis = [reshape(n, (-1,)) for n in nodes], 0
    rank = len(nodes[0].shape)
    if any(len(n.shape) != rank for n in nodes):
        got = " and ".join(shape_text(n.shape) for n in nodes)
        raise ShapeError(f"concat: got shapes {got}, needed one number of axes")
    axis = axis_number("concat", axis, rank)
    dtype = fold(promote, (n.dtype for n in nodes))
    if len(nodes) == 1:
        return nodes[0]
    return apply("concat", tuple(cast(n, dtype) for n in nodes), axis=axis)


def stack(nodes: Sequence[Node], axis: int) -> Node:
    """Return tensors of one shape side by side along a new axis, which is `axis` of the result."""
    for node in nodes:
        if node.shape != nodes[0].shape:
            got = " and ".join(shape_text(n.shape) for n in (nodes[0], node))
            raise ShapeError(f"stack: got shapes {got}, needed one shape")
    axis = axis_number("stack", axis, len(nodes[0].shape) + 1) if nodes else 0
    return concat([expand_dims(n, axis) for n in nodes], axis)


def update(state: Node, value: Node, start: Size, axis: int) -> Node:
    """Write `value` into mutable `state` at [start : start + len) of `axis`; return the state after
    it.

    Outside a compiled function the write happens now, after every pending reader of the state.
    """
    axis = axis_number("update", axis, len(state.shape))
    if not state.states:
        raise TensorlibError(
            "update: got a tensor that is not mutable state; make one with tl.state(shape)"
        )
    recording = CAPTURING.get()
    if recording is not None:
        node = apply("update", (state, value), axis=axis, start=start)
        recording.updates.append(node)  # it happens even if nobody uses its result
        return node
    readers = [node for s in state.states for node in s.readers or () if node.storage is None]
    realise(readers)
    node = apply("update", (state, value), axis=axis, start=start)
    realise((node,))
    return node
