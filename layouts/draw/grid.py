"""The grid of a layout: mode 0 goes down, mode 1 to the right, the rest are slices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from tensorlib.errors import LayoutError
from tensorlib.layouts.dim import Dim
from tensorlib.layouts.draw.picture import CELL_LIMIT, checked_size
from tensorlib.layouts.layout import Layout, static_modes
from tensorlib.layouts.shape import flatten_tuple, idx2crd, modes_of, product
from tensorlib.layouts.swizzle import Swizzle

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Drawable", "Grid", "grid_of", "slices"]


class Drawable(Protocol):
    """What can be drawn: a Layout, or a ComposedLayout with its swizzle."""

    @property
    def shape(self) -> Any:
        """The nested shape."""

    def table(self) -> NDArray[Any]:
        """The offsets of all indices, in order."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Offsets by (row, column, slice), the shapes of both axes and of the modes beyond them."""

    offsets: NDArray[Any]  # (rows, columns, slices)
    row_shape: Any
    column_shape: Any
    rest: tuple[Any, ...]
    is_vector: bool


def grid_of(where: str, layout: Drawable, limit: int = CELL_LIMIT) -> Grid:
    """Return the grid of a layout; a vector is one row.

    Raises LayoutError for symbols, and for more cells than a picture can hold.
    """
    if isinstance(layout, Swizzle):
        raise LayoutError(f"{where}: got {layout}, needed a layout; try swizzle_svg")
    if isinstance(layout, Layout):
        static_modes(where, layout)
    elif any(isinstance(leaf, Dim) for leaf in flatten_tuple(layout.shape)):
        raise LayoutError(f"{where}: got {layout}, needed sizes without symbols")
    modes = modes_of(layout.shape)
    is_vector = len(modes) < 2
    modes = (1, *(modes or (1,))) if is_vector else modes
    sizes = [int(product(mode)) for mode in modes]
    slices = int(product(tuple(sizes[2:])))
    checked_size(where, sizes[0], sizes[1], slices, limit)
    offsets = layout.table().reshape(slices, sizes[1], sizes[0]).transpose(2, 1, 0)
    return Grid(offsets, modes[0], modes[1], modes[2:], is_vector)


def slices(grid: Grid) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield a name such as `(_,_,1)` and the offsets of every slice; a matrix is one without."""
    for index in range(grid.offsets.shape[2]):
        name = ""
        if grid.rest:
            place = idx2crd(index, tuple(int(product(mode)) for mode in grid.rest))
            name = f"(_,_,{','.join(map(str, place))})"
        yield name, grid.offsets[:, :, index]
