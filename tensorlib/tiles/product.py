"""`a @ b` of tiles in registers: outer products, one fused multiply-add for each step along K."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorlib.dtypes import DType
from tensorlib.ir.builder import fail
from tensorlib.ir.types import Placement
from tensorlib.simd import SIMD
from tensorlib.tiles.arithmetic import known_shape, loaded, places, static_shape, stored, wide

if TYPE_CHECKING:
    from tensorlib.tile import Tile

__all__ = ["Product", "accumulator_of", "product", "widened"]

# What products of a dtype are added in; other numbers are added in their own.
_ACCUMULATORS = {
    DType.float16: DType.float32,
    DType.bfloat16: DType.float32,
    DType.int8: DType.int32,
    DType.uint8: DType.int32,
}


def accumulator_of(dtype: DType) -> DType:
    """Return the dtype in which products of `dtype` are added.

    >>> accumulator_of(DType.bfloat16).name, accumulator_of(DType.float64).name
    ('float32', 'float64')
    """
    return DType.float32 if dtype.is_coded else _ACCUMULATORS.get(dtype, dtype)


def widened(a: SIMD, b: SIMD, addend: SIMD) -> SIMD:
    """Return a * b + addend in the addend's dtype: a fused multiply-add of floats."""
    a, b = a.cast(addend.dtype), b.cast(addend.dtype)
    return a.fma(b, addend) if addend.dtype.is_float else a * b + addend


# Dtypes of A and B of which instructions take groups along K.
_IN_GROUPS = {
    (DType.bfloat16, DType.bfloat16),
    (DType.int8, DType.int8),
    (DType.uint8, DType.int8),
}


class Product:
    """The product of two tiles as they were when it was made: `acc += a @ b`, `acc + a @ b`.

    Elements are numbers of this moment, so that a and b may change before the product is added.
    """

    __slots__ = ("columns", "dtype", "rows", "shape")

    def __init__(
        self, dtype: DType, shape: tuple[int, int], rows: list[list[SIMD]], columns: Any
    ) -> None:
        self.dtype, self.shape = dtype, shape
        self.rows, self.columns = rows, columns  # a[m][k], and b[k] as (column, lanes)

    def accumulate_into(self, tile: Tile) -> None:
        """Add to a tile of shape (M, N), element by element in the order of K."""
        self._check(tile)
        for m, row in enumerate(self.rows):
            for n, lanes in enumerate(self.columns[0]):
                total = loaded(tile, (m, n * lanes.width), lanes.width)
                for a, b in zip(row, self.columns, strict=True):
                    total = widened(a.splat(lanes.width), b[n], total)
                stored(tile, (m, n * lanes.width), total)

    def _check(self, tile: Tile) -> None:
        shape = static_shape("@", tile)
        if shape != self.shape or tile.dtype is not self.dtype:
            raise fail(
                f"@: got {tile!r} for a product of shape {self.shape} in {self.dtype.name}, "
                "needed that shape and dtype"
            )

    def tile(self) -> Tile:
        """Return the product as a tile in registers."""
        from tensorlib.tile import stack_allocation

        made: Tile = stack_allocation[self.dtype, Placement.REGISTER](*self.shape)
        self.accumulate_into(made.fill(0))
        return made

    def __add__(self, tile: Any) -> Any:
        made = self.tile().copy_from(tile)
        self.accumulate_into(made)
        return made

    __radd__ = __add__

    def __await__(self) -> Any:
        return self.tile()
        yield

    def __repr__(self) -> str:
        return f"<product of shape {self.shape} in {self.dtype.name}>"


def product(a: Any, b: Any) -> Any:
    """Return the product of two tiles in registers, (M, K) and (K, N)."""
    if not hasattr(b, "placement"):
        shown = repr(b) if hasattr(b, "type") else f"a {type(b).__name__}"
        raise fail(
            f"@: got {a!r} and {shown}, needed two tiles or two fragments; try "
            ".copy[REGISTER](layout=tl.fragment(atom, 'a', shape))"
        )
    _check(a, b)
    if (a.dtype, b.dtype) in _IN_GROUPS and isinstance(b.shape[0], tuple):
        from tensorlib.tiles.grouped_product import GroupedProduct, is_grouped

        if is_grouped(a, b):
            return GroupedProduct(a, b)
    if not a.placement is b.placement is Placement.REGISTER:
        from tensorlib.tiles.memory_product import MemoryProduct

        return MemoryProduct(a, b)
    (m, k), (_, n) = static_shape("@", a), static_shape("@", b)
    rows = [[a[i, j] for j in range(k)] for i in range(m)]
    width = wide((k, n), b) if b.lanes[0] == 1 else 1
    columns: list[list[SIMD]] = [[] for _ in range(k)]
    for i, j in places((k, n), width):
        columns[i].append(loaded(b, (i, j), width))
    return Product(accumulator_of(a.dtype), (m, n), rows, columns)


def _check(a: Tile, b: Tile) -> None:
    shapes = [known_shape(t) for t in (a, b)]
    inner = {*shapes[0][1:], *shapes[1][:1]} - {None}
    if [len(s) for s in shapes] != [2, 2] or len(inner) > 1:
        sizes = f"; the inner sizes {shapes[0][-1]} and {shapes[1][0]} must be equal"
        raise fail(f"@: got shapes {shapes[0]} and {shapes[1]}, needed (M, K) and (K, N){sizes}")
    is_mixed = (a.dtype, b.dtype) == (DType.uint8, DType.int8)
    if (a.dtype is not b.dtype and not is_mixed) or a.lanes[0] != 1 or b.lanes[0] != 1:
        raise fail(
            f"@: got {a!r} and {b!r}, needed one dtype (or uint8 and int8), and single elements; "
            "try storing what .cast makes of one of them"
        )
    if a.dtype is DType.bool:
        raise fail(f"@: got {a!r} and {b!r}, needed numbers; try .cast(int8) of their elements")
