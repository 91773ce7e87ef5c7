"""The arguments of a library kernel as tiles, and the leaves of its expressions at a coordinate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any

from tensorlib.dtypes import DType
from tensorlib.errors import DTypeError
from tensorlib.ir import Kernel
from tensorlib.kernels.expression import Leaf
from tensorlib.kernels.scalar import require_kernels
from tensorlib.kernels.specs import Access, Spec
from tensorlib.lang.trace import trace
from tensorlib.layouts.dim import Dim, Size
from tensorlib.simd import SIMD, SIMDType
from tensorlib.tile import Tile, TileType

__all__ = [
    "along",
    "coordinates",
    "element_number",
    "leaf_at",
    "operand",
    "product",
    "sizes",
    "trace_spec",
    "turned",
]

Index = Any  # int or an int64 scalar


# --- before tracing ---


def operand(name: str, access: Access, shape: Sequence[Size]) -> TileType:
    """Return the tile type of one operand: pointer `name`, its offset and free strides arguments.

    A packed operand is a tile of bytes; its offset and strides stay in elements. Raises DTypeError
    for complex dtypes, for which there are no kernels yet.
    """
    if access.dtype.kind == "complex":
        raise DTypeError(
            f"{name}: got dtype {access.dtype.name}, for which there are no kernels yet; "
            "try device='reference'"
        )
    strides: list[Size] = [
        Dim(f"{name}_stride{k}") if s is None else s for k, s in enumerate(access.strides)
    ]
    dtype = DType.uint8 if access.dtype.is_packed else access.dtype
    return TileType(dtype, tuple(shape), tuple(strides), Dim(f"{name}_offset"))


def sizes(letter: str, count: int) -> tuple[Size, ...]:
    """Return the Dims `n0`, `n1`, ... of a spec's sizes."""
    return tuple(Dim(f"{letter}{k}") for k in range(count))


def trace_spec(spec: Spec, function: Callable[..., Any], arguments: dict[str, Any]) -> Kernel:
    """Trace `function(spec=spec, **arguments)` into a kernel with the spec's parameters in order.

    Scalars arrive as the tuple `scalar`. Raises BackendError for an op that has no kernel.
    """
    for value in [getattr(spec, field.name) for field in fields(spec)]:
        for part in value if isinstance(value, tuple) else (value,):
            require_kernels(part)
    arguments["scalar"] = tuple(SIMDType(d) for d in spec.scalars)
    order = [p.name.removesuffix("_pointer") for p in spec.parameters]
    return trace(function, arguments, {"spec": spec}, name=function.__name__, order=order)


# --- in a kernel ---


def along(
    outer: list[Index],
    start: Index,
    stop: Index,
    lanes: int,
    body: Callable[[list[Index], int], None],
) -> None:
    """Cover [start, stop) of the axis after `outer`: `body(where, lanes)` with the coordinate of
    each whole vector, then `body(where, 1)` with that of each element that is left.
    """
    whole = start + (stop - start) // lanes * lanes
    for i in range(start, whole, lanes):
        body([*outer, i], lanes)
    if lanes > 1:
        for i in range(whole, stop):
            body([*outer, i], 1)


def turned(tile: Tile, axis: int) -> Tile:
    """Return the tile with `axis` as its last one, along which vectors are loaded and stored."""
    if tile.rank < 2 or axis % tile.rank == tile.rank - 1:
        return tile
    shape, stride = list(tile.shape), list(tile.stride)
    shape.append(shape.pop(axis))
    stride.append(stride.pop(axis))
    return Tile(tile.pointer, tile.dtype, shape, stride, tile.offset, tile.placement)


def leaf_at(
    loads: Sequence[Tile],
    scalars: Sequence[SIMD],
    where: Sequence[Index],
    lanes: int,
    main: SIMD | None = None,
    axis: int = -1,
) -> Callable[[Leaf], SIMD]:
    """Return the function that gives an expression's leaves at `lanes` coordinates along `axis`.

    The first of them is `where`, in the order of the spec's axes. A load that does not vary along
    `axis` gives a scalar, and so do iotas of other axes.
    """
    axis %= max(len(where), 1)
    moved = list(where)
    if moved:
        moved.append(moved.pop(axis))

    def leaf(part: Leaf) -> SIMD:
        if part.kind == "load":
            return turned(loads[part.index], axis).load[lanes if moved else 1](*moved)
        if part.kind == "scalar":
            return scalars[part.index]
        if part.kind == "main":
            assert main is not None
            return main
        start = SIMD[DType.int64, 1](where[part.index])
        if lanes == 1 or part.index != axis:
            return start
        return SIMD[DType.int64, lanes](*range(lanes)) + start

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


def element_number(tile: Tile, where: Sequence[Index]) -> Index:
    """Return which element is at a coordinate: strides of packed tiles count elements."""
    total: Index = tile.offset
    for c, s in zip(where, tile.stride, strict=True):
        total = total if isinstance(s, int) and s == 0 else total + c * s
    return total
