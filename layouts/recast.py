"""Layouts of the same memory in elements of another width: upcast, downcast and recast."""

from __future__ import annotations

from math import gcd
from typing import TypeAlias

from tensorlib.errors import LayoutError
from tensorlib.layouts.basis import Basis
from tensorlib.layouts.dim import Size, dim_equal, is_static
from tensorlib.layouts.layout import Layout
from tensorlib.layouts.memo import memoised
from tensorlib.layouts.overload import overloaded
from tensorlib.layouts.shape import unflatten_tuple

__all__ = ["downcast", "recast_layout", "upcast"]


Leaf: TypeAlias = tuple[Size, Size, int]  # size, stride, how many neighbours became one word


@memoised
@overloaded("composed_modes")
def upcast(layout: Layout, n: int) -> Layout:
    """Return the layout in words of n neighbouring elements: U(c // k) == L(c) // n.

    c is a coordinate by leaves and k the ratio of the leaves' sizes, whose product is n: the words
    are exactly the layout's elements. Leaves of stride 0 stay. Raises LayoutError where a word
    would hold elements that the layout lacks, or leaves would not divide.

    >>> upcast(Layout((32, 32), (32, 1)), 16)
    (32,2):(2,1)
    >>> upcast(Layout(((4, 8), (16, 2)), ((256, 16), (1, 128))), 16)
    ((4,8),(1,2)):((16,1),(1,8))
    """
    _checked("upcast", layout, n)
    if n == 1:
        return layout
    if isinstance(layout.size, int) and layout.size == 0:
        return Layout(
            layout.shape, unflatten_tuple(iter([0] * len(layout.flat_shape)), layout.shape)
        )
    pairs = zip(layout.flat_shape, layout.flat_stride, strict=True)
    leaves = [_joined(layout, n, size, stride) for size, stride in pairs]
    steps = [
        (stride, joined)
        for stride, (_, _, joined) in zip(layout.flat_stride, leaves, strict=True)
        if joined > 1 and isinstance(stride, int)
    ]
    reached = 1
    for stride, joined in sorted(steps):
        if stride != reached:
            raise _refused("upcast", layout, n, f"the words have a gap or overlap at {stride}")
        reached *= joined
    if reached != n:
        raise _refused("upcast", layout, n, f"only {reached} of {n} neighbours are there")
    return _layout(layout, [(size, stride) for size, stride, _ in leaves])


def _joined(layout: Layout, n: int, size: Size, stride: Size) -> Leaf:
    """Return the leaf in words: whole ones where n divides the stride, else parts of words."""
    if dim_equal(stride, 0):
        return (size, stride, 1)
    if dim_equal(size, 1):  # its stride says nothing; 1 would claim that it was joined
        whole = stride // n if stride % n == 0 else 0
        return (size, 0 if whole == 1 else whole, 1)
    if stride % n == 0:
        return (size, stride // n, 1)
    if not is_static(stride) or not 0 < stride < n or n % stride:
        raise _refused("upcast", layout, n, f"the stride {stride} leaves words in the middle")
    many = n // stride
    if size % many == 0:
        return (size // many, 1, many)
    if is_static(size) and many % size == 0:
        return (1, 1, size)
    raise _refused("upcast", layout, n, f"{many} does not divide the mode {size}:{stride}")


@memoised
@overloaded("composed_modes")
def downcast(layout: Layout, n: int) -> Layout:
    """Return the layout in the n parts of every element: D(n*c + r at one leaf) == n*L(c) + r.

    The leaf that holds the parts has stride 1; one of size 1 comes first, since that is what
    `upcast` makes of a leaf that it joins whole. `downcast(upcast(L, n), n)` is L where upcast
    joins one leaf and none has size 1. Raises LayoutError where no leaf can hold the parts.

    >>> downcast(Layout((32, 2), (2, 1)), 16), downcast(Layout((1, 8), (1, 1)), 4)
    ((32,32):(32,1), (4,8):(1,4))
    """
    _checked("downcast", layout, n)
    if n == 1:
        return layout
    leaves = list(zip(layout.flat_shape, layout.flat_stride, strict=True))
    holder = 0 if isinstance(layout.size, int) and layout.size == 0 else _holder(leaves)
    if holder is None:
        raise _refused("downcast", layout, n, "needed a mode of stride 1 to hold the parts")
    found = [(size, stride * n) for size, stride in leaves]
    found[holder] = (leaves[holder][0] * n, 1)
    return _layout(layout, found)


def _holder(leaves: list[tuple[Size, Size]]) -> int | None:
    """Return the leaf that can take the parts of an element: stride 1, or nothing to step over."""
    single = [place for place, (size, _) in enumerate(leaves) if dim_equal(size, 1)]
    unit = [place for place, (_, stride) in enumerate(leaves) if dim_equal(stride, 1)]
    best = [place for place in single if place in unit]
    return next(iter((*best, *unit, *single)), None)


@overloaded("composed_modes")
def recast_layout(layout: Layout, old_bits: int, new_bits: int) -> Layout:
    """Return the layout of elements of `old_bits` in elements of `new_bits` over the same memory.

    Where neither width divides the other it goes by their greatest common part. Raises LayoutError
    where `upcast` or `downcast` does.

    >>> recast_layout(Layout((8, 4)), 8, 32), recast_layout(Layout((2, 4)), 32, 8)
    ((2,4):(1,2), (8,4):(1,8))
    >>> recast_layout(Layout(4), 6, 8)
    3:1
    """
    for bits in (old_bits, new_bits):
        if type(bits) is not int or bits < 1:
            raise LayoutError(
                f"recast_layout: got {old_bits} and {new_bits} bits, needed ints >= 1"
            )
    part = gcd(old_bits, new_bits)
    return upcast(downcast(layout, old_bits // part), new_bits // part)


def _checked(where: str, layout: Layout, n: int) -> None:
    if type(n) is not int or n < 1:
        raise LayoutError(f"{where}: got the factor {n!r}, needed an int >= 1")
    if any(isinstance(stride, Basis) for stride in layout.flat_stride):
        raise _refused(where, layout, n, "needed strides that are numbers or Dims")


def _refused(where: str, layout: Layout, n: int, reason: str) -> LayoutError:
    return LayoutError(f"{where}: got {layout} by {n}; {reason}")


def _layout(like: Layout, leaves: list[tuple[Size, Size]]) -> Layout:
    shape = unflatten_tuple((size for size, _ in leaves), like.shape)
    return Layout(shape, unflatten_tuple((stride for _, stride in leaves), like.shape))
