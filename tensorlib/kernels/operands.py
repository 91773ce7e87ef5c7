"""The arguments of a library kernel as tiles, and the leaves of its expressions at a coordinate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tensorlib.dtypes import DType
from tensorlib.ir import Kernel
from tensorlib.kernels.expression import Leaf
from tensorlib.kernels.specs import Access, Spec
from tensorlib.lang.control import Range
from tensorlib.lang.trace import trace
from tensorlib.layouts.dim import Dim, Size
from tensorlib.simd import SIMD, SIMDType
from tensorlib.tile import Tile, TileType

__all__ = [
    "coordinates",
    "element_number",
    "lanes",
    "leaf_at",
    "operand",
    "product",
    "sizes",
    "trace_spec",
    "vectors",
]

Index = Any  # int or an int64 scalar


def operand(name: str, access: Access, shape: Sequence[Size]) -> TileType:
    """Return the tile type of one operand: pointer `name`, its offset and free strides arguments.

    A packed operand is a tile of bytes; its offset and strides stay in elements.
    """
    strides: list[Size] = [
        Dim(f"{name}_stride{k}") if s is None else s for k, s in enumerate(access.strides)
    ]
    dtype = DType.uint8 if access.dtype.is_packed else access.dtype
    return TileType(dtype, tuple(shape), tuple(strides), Dim(f"{name}_offset"))


def sizes(letter: str, count: int) -> list[Size]:
    """Return the Dims `n0`, `n1`, ... of a spec's sizes."""
    return [Dim(f"{letter}{k}") for k in range(count)]


def trace_spec(spec: Spec, function: Callable[..., Any], arguments: dict[str, Any]) -> Kernel:
    """Trace `function(spec=spec, **arguments)` into a kernel with the spec's parameters in order.

    Scalars arrive as the tuple `scalars`.
    """
    arguments["scalar"] = tuple(SIMDType(d) for d in spec.scalars)
    order = [p.name.removesuffix("_pointer") for p in spec.parameters]
    return trace(function, arguments, {"spec": spec}, name=function.__name__, order=order)


def lanes(tile: Tile, where: Sequence[Index], width: int) -> SIMD:
    """Load `width` elements along the last axis; a tile that does not vary there gives one."""
    if not where:
        return tile.load[1]()
    return tile.load[width](*where)


def leaf_at(
    loads: Sequence[Tile],
    scalars: Sequence[SIMD],
    where: Sequence[Index],
    width: int,
    main: SIMD | None = None,
    axes: Sequence[Index] | None = None,
) -> Callable[[Leaf], SIMD]:
    """Return the function that gives an expression's leaves at the coordinate `where`.

    `axes` are the coordinates that iota leaves count, where they are others than `where`; the last
    one of them runs over the lanes.
    """
    counted = where if axes is None else axes

    def leaf(part: Leaf) -> SIMD:
        if part.kind == "load":
            return lanes(loads[part.index], where, width)
        if part.kind == "scalar":
            return scalars[part.index]
        if part.kind == "main":
            assert main is not None
            return main
        start = SIMD[DType.int64, 1](counted[part.index])
        if width == 1 or part.index != len(counted) - 1:
            return start
        return SIMD[DType.int64, width](*range(width)) + start

    return leaf


def coordinates(flat: Index, shape: Sequence[Index]) -> list[Index]:
    """Return the row-major coordinate of a flat index."""
    found: list[Index] = []
    for n in reversed(shape[1:]):
        found.append(flat % n)
        flat = flat // n
    return [flat, *reversed(found)] if shape else []


def product(numbers: Sequence[Index]) -> Index:
    """Return the product, 1 of nothing."""
    total: Index = 1
    for n in numbers:
        total = n if isinstance(total, int) and total == 1 else total * n
    return total


def vectors(start: Index, stop: Index, width: int) -> tuple[Range, Range]:
    """Split [start, stop) into whole vectors of `width` and the elements after them."""
    count = stop if isinstance(start, int) and start == 0 else stop - start
    middle = start + count // width * width
    return Range(start, middle, width), Range(middle, stop)


def element_number(tile: Tile, where: Sequence[Index]) -> Index:
    """Return which element is at a coordinate: strides of packed tiles count elements, not bytes."""
    total: Index = tile.offset
    for c, s in zip(where, tile.stride, strict=True):
        total = total if isinstance(s, int) and s == 0 else total + c * s
    return total
