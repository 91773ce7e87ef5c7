"""Between layouts and linear layouts: both ways, where the other form exists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tensorlib.errors import LayoutError
from tensorlib.layouts.composed import AnyLayout, ComposedLayout, Outer, tabulated
from tensorlib.layouts.layout import Layout, from_modes, merged, static_modes
from tensorlib.layouts.linear import LinearLayout, bits_of, checked_dims
from tensorlib.layouts.shape import product_each
from tensorlib.layouts.swizzle import Swizzle

__all__ = ["to_layout", "to_linear"]


def to_linear(
    function: Outer,
    ins: Sequence[str] | None = None,
    outs: Mapping[str, int] | None = None,
) -> LinearLayout:
    """Return the linear layout with the same table; a swizzle's covers one period.

    Inputs are the top-level modes, named `ins` ("mode0", "mode1", ...; "index" for a shape without
    modes). `outs` splits the offset, say into the row and column of a column-major tile. Raises
    LayoutError where sizes are no powers of two, or where adding the strides carries, so that no
    linear layout is the same function.

    >>> to_linear(Layout((4, 2), (2, 1)))
    {mode0: [2, 4], mode1: [1]} -> {offset: 8}
    >>> to_linear(Swizzle(1, 0, 1))
    {index: [1, 3]} -> {offset: 4}
    >>> to_linear(Layout((4, 2), (2, 1)), ["thread", "value"], {"row": 2, "column": 4})
    {thread: [(0, 1), (0, 2)], value: [(1, 0)]} -> {row: 2, column: 4}
    """
    if isinstance(function, Swizzle):
        columns = [function(1 << k) for k in range(function.size.bit_length() - 1)]
        sizes: tuple[Any, ...] = (function.size,)
        names = ["index"]
    else:
        columns = _columns(function)
        sizes = product_each(function.shape)
        nested = isinstance(function.shape, tuple)
        names = [f"mode{k}" for k in range(len(sizes))] if nested else ["index"]
    names = names if ins is None else list(ins)
    if len(set(names)) != len(sizes):
        raise LayoutError(f"to_linear: got names {names} for {function}, needed {len(sizes)}")
    reach = max((column.bit_length() for column in columns), default=0)
    dims = checked_dims("to_linear", {"offset": 1 << reach} if outs is None else outs)
    if bits_of(dims) < reach:
        raise LayoutError(f"to_linear: got outs {dict(dims)} for {function}, needed room for all")
    return LinearLayout.of(columns, tuple(zip(names, sizes, strict=True)), dims)


def _columns(layout: AnyLayout) -> list[int]:
    """Return the offsets at indices 1, 2, 4, ..., which must XOR to all others."""
    if isinstance(layout, Layout):
        return _plain_columns(layout)
    if isinstance(layout.outer, Swizzle) and isinstance(layout.offset, int) and not layout.offset:
        return [layout.outer(column) for column in _columns(layout.inner)]
    offsets = tabulated("to_linear", layout)
    if offsets.size & (offsets.size - 1) or not offsets.size:
        raise LayoutError(f"to_linear: got {layout} of size {offsets.size}, needed a power of two")
    columns = [int(offsets[1 << k]) for k in range(offsets.size.bit_length() - 1)]
    values = np.zeros(1, np.int64)
    for column in columns:
        values = np.concatenate([values, values ^ column])
    if (offsets < 0).any() or not np.array_equal(values, offsets):
        raise LayoutError(f"to_linear: got {layout}; its bits are no XORs of the index's bits")
    return columns


def _plain_columns(layout: Layout) -> list[int]:
    """Return size bits of every leaf times its stride; sums are XORs where no two share a bit."""
    columns: list[int] = []
    used = 0
    for size, stride in static_modes("to_linear", layout):
        if size < 1 or size & (size - 1) or (stride < 0 and size > 1):
            raise LayoutError(
                f"to_linear: got {layout}; mode {size}:{stride} needs a size that is a power of "
                "two and a stride >= 0"
            )
        for k in range(size.bit_length() - 1):
            if used & (stride << k):
                raise LayoutError(f"to_linear: got {layout}; adding mode {size}:{stride} carries")
            used |= stride << k
            columns.append(stride << k)
    return columns


def to_layout(linear: LinearLayout) -> AnyLayout:
    """Return the Layout, else the Swizzle o 0 o Layout, with the linear layout's table.

    A layout's offsets are sums: they are XORs exactly where no two basis values share a bit. A
    swizzle is its own inverse, so s o L == linear exactly where s o linear is a layout.
    """
    for swizzle in _swizzles(linear):
        columns = [swizzle(column) for column in linear.columns]
        if sum(column.bit_count() for column in columns) == _union(columns).bit_count():
            layout = _layout(columns, linear)
            return ComposedLayout(swizzle, 0, layout) if swizzle.bits else layout
    raise LayoutError(f"to_layout: got {linear}; no swizzle of a layout is the same function")


def _swizzles(linear: LinearLayout) -> Iterator[Swizzle]:
    """Yield the swizzles that change every bit shared by basis values, fewest bits first."""
    shared, seen = 0, 0
    for column in linear.columns:
        shared, seen = shared | (seen & column), seen | column
    yield Swizzle(0, 0, 0)
    width = bits_of(linear.outs)
    for bits in range(max(1, shared.bit_count()), width // 2 + 1):
        for base in range(width - 2 * bits + 1):
            for shift in range(bits, width - base - bits + 1):
                for swizzle in (Swizzle(bits, base, shift), Swizzle(bits, base, -shift)):
                    if not shared & ~swizzle.zzz:
                        yield swizzle


def _union(columns: Sequence[int]) -> int:
    whole = 0
    for column in columns:
        whole |= column
    return whole


def _layout(columns: Sequence[int], linear: LinearLayout) -> Layout:
    modes, place = [], 0
    for _, size in linear.ins:
        end = place + size.bit_length() - 1
        modes.append(from_modes(merged((2, column) for column in columns[place:end])))
        place = end
    if len(modes) == 1:
        return modes[0]
    return Layout(tuple(m.shape for m in modes), tuple(m.stride for m in modes))
