"""`View`: where the elements of a tensor lie in a buffer, and the movements that need no copy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from tensorlib.layouts.dim import Size, dim_equal

__all__ = ["View", "coalesced", "moved", "product"]


@dataclass(frozen=True, slots=True)
class View:
    """Element c of the tensor is element `offset + sum(c[k] * strides[k])` of the buffer.

    Sizes may be symbolic. A movement decides only what provably holds for all values of the
    symbols; a symbolic axis is never taken for one of size 1.

    >>> View.contiguous((2, 3)).permuted((1, 0))
    View(offset=0, shape=(3, 2), strides=(1, 3))
    """

    offset: Size
    shape: tuple[Size, ...]
    strides: tuple[Size, ...]

    @staticmethod
    def contiguous(shape: Sequence[Size], offset: Size = 0) -> View:
        """Return the row-major view of `shape`."""
        strides: list[Size] = []
        stride: Size = 1
        for size in reversed(shape):
            strides.append(stride)
            stride = stride * size
        return View(offset, tuple(shape), tuple(reversed(strides)))

    @property
    def is_contiguous(self) -> bool:
        """True when the elements provably lie in row-major order without gaps, from anywhere."""
        expected = View.contiguous(self.shape).strides
        axes = zip(self.shape, self.strides, expected, strict=True)
        return any(_is(n, 0) for n in self.shape) or all(
            _is(size, 1) or dim_equal(stride, wanted) for size, stride, wanted in axes
        )

    def permuted(self, axes: Sequence[int]) -> View:
        """Return the view whose axis k is this view's axis `axes[k]`."""
        shape, strides = self.shape, self.strides
        return View(self.offset, tuple(shape[a] for a in axes), tuple(strides[a] for a in axes))

    def broadcast(self, shape: Sequence[Size]) -> View:
        """Return the view of `shape`: axes are aligned at the right, axes of size 1 repeat."""
        missing = len(shape) - len(self.shape)
        strides: list[Size] = [0] * missing
        for old, new, stride in zip(self.shape, shape[missing:], self.strides, strict=True):
            strides.append(0 if _is(old, 1) and not _is(new, 1) else stride)
        return View(self.offset, tuple(shape), tuple(strides))

    def sliced(self, starts: Sequence[Size], steps: Sequence[int], shape: Sequence[Size]) -> View:
        """Return the view of the elements `starts + c * steps`, c within `shape`."""
        offset, strides = self.offset, []
        for start, step, stride in zip(starts, steps, self.strides, strict=True):
            offset = offset + start * stride
            strides.append(stride * step)
        return View(offset, tuple(shape), tuple(strides))

    def reshaped(self, shape: Sequence[Size]) -> View | None:
        """Return the view of `shape` with the same elements in row-major order.

        None when strides can't express it, or when that can't be proved.

        >>> View.contiguous((2, 6)).reshaped((3, 4))
        View(offset=0, shape=(3, 4), strides=(4, 1))
        >>> View.contiguous((2, 6)).permuted((1, 0)).reshaped((12,)) is None
        True
        """
        if any(_is(n, 0) for n in (*self.shape, *shape)):
            return View(self.offset, tuple(shape), (0,) * len(shape))
        sizes, (strides,), _ = coalesced(self.shape, [self.strides])
        split = _split(sizes, strides, shape)
        return None if split is None else View(self.offset, tuple(shape), split)


def moved(view: View, op: str, attributes: Mapping[str, Any]) -> View | None:
    """Return the view of a movement `op` over `view`; None where it needs a copy."""
    if op == "reshape":
        return view.reshaped(attributes["shape"])
    if op == "permute_dims":
        return view.permuted(attributes["axes"])
    if op == "broadcast_to":
        return view.broadcast(attributes["shape"])
    return view.sliced(attributes["starts"], attributes["steps"], attributes["shape"])


def product(sizes: Sequence[Size]) -> Size:
    """Return the product of `sizes`; 1 for none."""
    return prod(sizes)


def coalesced(
    shape: Sequence[Size],
    operands: Sequence[Sequence[Size]],
    barriers: Sequence[int] = (),
) -> tuple[tuple[Size, ...], list[tuple[Size, ...]], list[int]]:
    """Merge neighbouring axes that every operand walks as one; drop axes of size 1.

    `operands` are the strides of each. No axes are merged across `barriers` (k: between axes k-1
    and k). Returns the new shape, the new strides of each operand and, for each barrier, its
    position in the new shape. Row-major order stays:

    >>> coalesced((2, 3, 4), [(12, 4, 1), (0, 4, 1)])
    ((2, 12), [(12, 1), (0, 1)], [])
    """
    sizes: list[Size] = []
    merged: list[list[Size]] = [[] for _ in operands]
    places: list[int] = []
    joinable = False
    for axis, size in enumerate(shape):
        for _ in range(barriers.count(axis) if barriers else 0):
            places.append(len(sizes))
            joinable = False
        if _is(size, 1):
            continue
        own = [strides[axis] for strides in operands]
        if joinable and all(dim_equal(m[-1], s * size) for m, s in zip(merged, own, strict=True)):
            sizes[-1] = sizes[-1] * size
            for m, s in zip(merged, own, strict=True):
                m[-1] = s
        else:
            sizes.append(size)
            for m, s in zip(merged, own, strict=True):
                m.append(s)
        joinable = True
    places += [len(sizes)] * (len(barriers) - len(places))
    return tuple(sizes), [tuple(m) for m in merged], places


def _is(size: Size, value: int) -> bool:
    return isinstance(size, int) and size == value


def _split(
    sizes: Sequence[Size], strides: Sequence[Size], shape: Sequence[Size]
) -> tuple[Size, ...] | None:
    """Strides of `shape`, where each axis of (sizes, strides) splits into axes of `shape`."""
    result: list[Size] = []
    position = 0
    for size, stride in zip(sizes, strides, strict=True):
        part: list[Size] = []
        while not dim_equal(product(part), size):
            if position == len(shape):
                return None
            part.append(shape[position])
            position += 1
        inner = View.contiguous(part).strides
        result.extend(s * stride for s in inner)
    if not all(_is(size, 1) for size in shape[position:]):
        return None
    return (*result, *(0 for _ in shape[position:]))
