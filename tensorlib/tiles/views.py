"""Views of a tile: sub-tiles, threads' shares, vectors, other orders of axes; nothing is moved.

The layout algebra works on the tile's layout, in which sizes and strides that are known at run time
are Dims; in what comes out they become scalars again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tensorlib.dtypes import DType
from tensorlib.errors import KernelError, LayoutError
from tensorlib.ir.builder import fail
from tensorlib.layouts.algebra import coalesce, composition
from tensorlib.layouts.composed import ComposedLayout
from tensorlib.layouts.dim import Dim
from tensorlib.layouts.divide import zipped_divide
from tensorlib.layouts.inverse import right_inverse
from tensorlib.layouts.layout import Layout, make_layout
from tensorlib.layouts.shape import idx2crd
from tensorlib.simd import SIMD, SIMDType
from tensorlib.tiles.access import offset_of, times
from tensorlib.tiles.coordinates import check_counted_from_start, check_whole

if TYPE_CHECKING:
    from tensorlib.ir.types import Placement
    from tensorlib.tile import Tile

__all__ = [
    "Shaped",
    "distributed",
    "grouped",
    "layout_of",
    "of_layout",
    "permuted",
    "placed_over",
    "reshaped",
    "row",
    "sub_tile",
    "tile_layout",
    "vectorised",
    "window",
]


class Shaped:
    """`t.tile` or `t.slice`, waiting for a shape in brackets."""

    __slots__ = ("function", "tile")

    def __init__(self, tile: Tile, function: Callable[..., Tile]) -> None:
        self.tile, self.function = tile, function

    def __getitem__(self, shape: Any) -> Callable[..., Tile]:
        sizes = shape if isinstance(shape, tuple) else (shape,)
        _count(self.function.__name__, "sizes", sizes, self.tile)

        def at(*coordinates: Any, **keywords: Any) -> Tile:
            return self.function(self.tile, sizes, coordinates, **keywords)

        return at


_NAMES = {"sub_tile": "tile", "window": "slice"}


def _count(where: str, what: str, given: Sequence[Any], tile: Tile) -> None:
    if len(given) != tile.rank:
        where = _NAMES.get(where, where)
        raise fail(f"{where}: got {len(given)} {what} {given}, needed {tile.rank} for {tile!r}")


# --- the layout of a tile ---


def layout_of(tile: Tile) -> tuple[Layout, Mapping[str, SIMD]]:
    """Return the tile's layout, and what each Dim of it is at run time."""
    values: dict[str, SIMD] = {}
    shape = _symbolic(tile.shape, "n", values)
    stride = _symbolic(tile.stride, "s", values)
    return Layout(shape, stride), values


def _symbolic(nested: Any, letter: str, values: dict[str, SIMD]) -> Any:
    if isinstance(nested, tuple):
        return tuple(_symbolic(part, letter, values) for part in nested)
    if not isinstance(nested, SIMD):
        return nested
    if not nested.is_traced:
        return int(nested)
    name = f"{letter}{len(values)}"
    values[name] = nested
    return Dim(name)


def _bound(nested: Any, values: Mapping[str, SIMD]) -> Any:
    """Return a nest in which Dims are the scalars that they stand for."""
    if isinstance(nested, tuple):
        return tuple(_bound(part, values) for part in nested)
    return nested.evaluate(values) if isinstance(nested, Dim) else nested


def of_layout(tile: Tile, layout: Any, values: Mapping[str, SIMD], offset: Any, **new: Any) -> Tile:
    """Return the view of a tile with this layout."""
    shape, stride = _modes(layout, values)
    return tile.viewed(shape, stride, _sum(tile.offset, _bound(offset, values)), **new)


def _modes(layout: Layout, values: Mapping[str, SIMD]) -> tuple[Any, Any]:
    """Return shape and stride of a layout's modes, with scalars for its Dims."""
    shape, stride = _bound(layout.shape, values), _bound(layout.stride, values)
    return (shape, stride) if isinstance(shape, tuple) else ((shape,), (stride,))


def _sum(a: Any, b: Any) -> Any:
    """Return a + b, without recording what is known."""
    if isinstance(a, int) and a == 0:
        return b
    return a if isinstance(b, int) and b == 0 else a + b


def _said(where: str, error: Exception) -> KernelError:
    """Return a layout's error as one of the user's line."""
    return fail(f"{where}: {error}")


# --- tiles of it ---


def tile_layout(tile: Tile, tiler: Sequence[Any]) -> tuple[Layout, Mapping[str, SIMD]]:
    """Return the layout (tile, tiles), and what its Dims are: `zipped_divide` by the tiler."""
    layout, values = layout_of(tile)
    try:
        return zipped_divide(layout, tuple(tiler)), values
    except LayoutError as error:
        raise _said("tile", error) from None


def sub_tile(
    tile: Tile, sizes: tuple[Any, ...], coordinates: tuple[Any, ...], layout: Layout | None = None
) -> Tile:
    """Return the tile at a coordinate over the tiles of this shape."""
    if len(coordinates) != len(sizes):
        raise fail(f"tile: got {len(coordinates)} coordinates, needed {len(sizes)}")
    flat = not any(isinstance(n, tuple) for n in (*tile.shape, *sizes))
    if layout is None and flat and not any(isinstance(n, Layout) for n in sizes):
        check_whole(coordinates)
        start = [times(c, n) for c, n in zip(coordinates, sizes, strict=True)]
        return window(tile, sizes, start)
    values: Mapping[str, SIMD] = {}
    if layout is None:
        layout, values = tile_layout(tile, sizes)
    if layout.rank != 2 or layout.mode(1).rank != len(coordinates):
        raise fail(f"tile: got layout {layout}, needed modes (tile, tiles) of {len(sizes)} axes")
    shape, stride = _modes(layout.mode(0), values)
    origin = of_layout(tile, layout.mode(1), values, 0, lanes=(1, 1), swizzle=None)
    return tile.viewed(shape, stride, offset_of(origin, coordinates), edges=_unknown(tile))


def _unknown(tile: Tile) -> Any:
    """Return the edges of a view in which those of the tile, where it has some, have no place."""
    return None if tile.edges or tile.edges is None else ()


def window(tile: Tile, sizes: tuple[Any, ...], start: Sequence[Any]) -> Tile:
    """Return the tile of this shape that begins at an element."""
    if len(start) != len(sizes):
        raise fail(f"slice: got {len(start)} coordinates, needed {len(sizes)}")
    if any(isinstance(n, tuple) for n in tile.shape):
        raise fail(f"slice: got {tile!r}, whose axes are nested; try .tile")
    origin = tile.viewed(tile.shape, tile.stride, tile.offset, swizzle=None)
    known = tile.edges or tuple((n,) for n in tile.shape)
    edges: Any = tuple((*edge, c) for edge, c in zip(known, start, strict=True))
    edges = None if tile.edges is None else edges
    return tile.viewed(sizes, tile.stride, offset_of(origin, start), edges=edges)


def row(tile: Tile, coordinates: tuple[Any, ...]) -> Tile:
    """Return the tile of the axes at which the coordinate is `:`."""
    _count("index", "coordinates", coordinates, tile)
    if any(isinstance(c, slice) and c != slice(None) for c in coordinates):
        raise fail("index: a part of an axis is a tile; try t.slice[M, N](i, j), or t[i, :]")
    start = [0 if isinstance(c, slice) else c for c in coordinates]
    check_counted_from_start(tile, start)
    origin = tile.viewed(tile.shape, tile.stride, tile.offset, swizzle=None)
    kept = [axis for axis, c in enumerate(coordinates) if isinstance(c, slice)]
    shape, stride = ([x[axis] for axis in kept] for x in (tile.shape, tile.stride))
    edges = tile.edges and _edges_of_row(tile, start, kept)
    return tile.viewed(shape, stride, offset_of(origin, start), edges=edges)


def _edges_of_row(tile: Tile, start: Sequence[Any], kept: list[int]) -> tuple[Any, ...]:
    """Return the edges along the axes that a row keeps; there is nothing of one past an edge."""
    extent = tile.extent
    first = extent[kept[0]]
    for axis in set(range(tile.rank)) - set(kept):
        is_there = start[axis] < extent[axis]
        if isinstance(is_there, SIMD):
            first = is_there.select(SIMDType(DType.int64)(first), 0)
        else:
            first = first if is_there else 0
    return ((first,), *(tile.edges[axis] for axis in kept[1:]))  # type: ignore[index]


def distributed(tile: Tile, threads: Layout, thread: Any) -> Tile:
    """Return what one thread of an arrangement holds, an element of each tile of its shape.

    `local_partition` of layouts, for strides and threads that are known at run time.
    """
    layout, values = layout_of(tile)
    if not isinstance(threads, Layout) or threads.rank != tile.rank:
        raise fail(f"distribute: got threads {threads}, needed a layout of {tile.rank} axes")
    sizes = tuple(mode.size for mode in threads.modes)
    for axis, (mode, part) in enumerate(zip(layout.modes, sizes, strict=True)):
        if isinstance(mode.size, int) and mode.size % part:
            raise fail(
                f"distribute: got {mode.size} elements along axis {axis} for {part} threads, which "
                f"don't divide them; {tile!r} is shared out by {threads}"
            )
    place = right_inverse(threads)
    if place.size != threads.size:
        raise fail(f"distribute: got threads {threads}, needed a number for each, from 0 on")
    try:
        tiles, rest = zipped_divide(layout, sizes).modes
    except LayoutError as error:
        raise _said("distribute", error) from None
    where = idx2crd(place(thread), sizes)
    origin = of_layout(tile, tiles, values, 0, lanes=(1, 1), swizzle=None)
    shape, stride = _modes(rest, values)
    edges: Any = _unknown(tile)
    if tile.edges:  # of n elements this thread has every `part`-th, from its place on
        own = zip(tile.extent, sizes, _each(where), strict=True)
        edges = tuple(((n - c + part - 1) // part,) for n, part, c in own)
    return tile.viewed(shape, stride, offset_of(origin, where), edges=edges)


def _each(coordinate: Any) -> tuple[Any, ...]:
    return coordinate if isinstance(coordinate, tuple) else (coordinate,)


# --- the same elements otherwise ---


def vectorised(tile: Tile, widths: Any) -> Tile:
    """Return the tile whose elements are lanes along one axis."""
    given = widths if isinstance(widths, tuple) else (*[1] * (tile.rank - 1), widths)
    _count("vectorize", "widths", given, tile)
    wide = [axis for axis, w in enumerate(given) if w != 1]
    if len(wide) > 1 or tile.lanes[0] > 1:
        raise fail(f"vectorize: got widths {given} for {tile!r}, needed lanes along one axis")
    if not wide:
        return tile
    (axis,) = wide
    size, stride, width = tile.shape[axis], tile.stride[axis], given[axis]
    if isinstance(size, tuple) or (isinstance(size, int) and size % width):
        raise fail(
            f"vectorize: got width {width} for an axis of {size} elements, which it doesn't "
            f"divide, in {tile!r}"
        )
    shape, strides = list(tile.shape), list(tile.stride)
    shape[axis], strides[axis] = size // width, stride * width
    edges = _unknown(tile)
    return tile.viewed(shape, strides, tile.offset, lanes=(width, stride), edges=edges)


def grouped(tile: Tile, group: int) -> Tile:
    """Return the tile of (K, N) of which this one keeps `group` neighbours along K together."""
    if tile.rank != 2 or any(isinstance(n, tuple) for n in tile.shape) or tile.lanes[0] > 1:
        raise fail(f"grouped: got {tile!r}, needed rows of groups: (K / {group}, N * {group})")
    (rows, columns), (down, along) = tile.shape, tile.stride
    if group < 1 or (isinstance(columns, int) and columns % group):
        raise fail(
            f"grouped: got groups of {group} for {tile!r}, needed rows of whole groups; try "
            "padding, or vnni_packed"
        )
    shape, stride = ((group, rows), columns // group), ((along, down), times(group, along))
    return tile.viewed(shape, stride, tile.offset, edges=_unknown(tile))


def permuted(tile: Tile, axes: tuple[int, ...]) -> Tile:
    """Return the tile with its axes in this order, or reversed."""
    order = axes or tuple(reversed(range(tile.rank)))
    order = tuple(axis + tile.rank if -tile.rank <= axis < 0 else axis for axis in order)
    if sorted(order) != list(range(tile.rank)):
        raise fail(f"transpose: got axes {axes}, needed each of {tuple(range(tile.rank))} once")
    shape, stride = ([x[axis] for axis in order] for x in (tile.shape, tile.stride))
    edges = tile.edges and tuple(tile.edges[axis] for axis in order)
    return tile.viewed(shape, stride, tile.offset, edges=edges)


def reshaped(tile: Tile, shape: tuple[Any, ...]) -> Tile:
    """Return the elements, counted in row-major order, with another shape; -1 is what is left."""
    layout, values = layout_of(tile)
    wanted = Layout(tuple(reversed(_whole(layout, shape))))
    if -1 not in shape and wanted.size != layout.size:
        raise fail(f"reshape: got shape {shape} for {tile!r}, which has {layout.size} elements")
    try:
        found = composition(coalesce(_reversed(layout)), wanted)
    except LayoutError as error:
        raise _said("reshape", error) from None
    return of_layout(tile, _reversed(found), values, 0, edges=_unknown(tile))


def _whole(layout: Layout, shape: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the shape with a number for -1."""
    known = 1
    for n in shape:
        known = known if n == -1 else known * n
    return tuple(layout.size // known if n == -1 else n for n in shape)


def _reversed(layout: Any) -> Layout:
    return make_layout(*reversed(layout.modes))


def placed_over(tile: Tile, dtype: DType, layout: Any, placement: Placement) -> Tile:
    """Return the memory of a tile seen through a layout."""
    if dtype is not tile.dtype or placement is not tile.placement:
        raise fail(
            f"Tile[...]: got {tile!r}, needed a tile of {dtype.name} in {placement.value} memory"
        )
    swizzle = layout.outer if isinstance(layout, ComposedLayout) else None
    inner = layout.inner if isinstance(layout, ComposedLayout) else layout
    found, _ = layout_of(tile)
    if inner.is_static and found.is_static and layout.cosize > found.cosize:
        raise fail(
            f"Tile[...]: got a layout {layout} of {layout.cosize} elements over {tile!r}, "
            f"which has {found.cosize}"
        )
    return of_layout(tile, inner, {}, 0, swizzle=swizzle)
