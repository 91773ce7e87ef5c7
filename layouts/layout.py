"""`Layout`: a nested shape with a nested stride, a function from coordinates to offsets."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn
from weakref import WeakValueDictionary

import numpy as np

from tensorlib.errors import LayoutError
from tensorlib.layouts.dim import Dim, Size, dim_equal, is_static, known_nonnegative
from tensorlib.layouts.shape import (
    checked_shape,
    congruent,
    crd2idx,
    depth_of,
    digits,
    flatten_tuple,
    modes_of,
    offset_of_index,
    prefix_product,
    product,
    unflatten_tuple,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Layout", "col_major", "make_layout", "make_ordered_layout", "row_major"]

TABLE_LIMIT = 1 << 20  # the most offsets that are tabulated to decide a question
_lock = threading.Lock()
_layouts: WeakValueDictionary[tuple[Any, Any], Layout] = WeakValueDictionary()
_recent: dict[tuple[Any, Any], Layout] = {}  # keeps the latest alive, and finds them fast
_RECENT_CAP = 1 << 14


class Layout:
    """A shape and congruent strides; leaves are ints or Dims. Frozen, interned: `==` is identity.

    Without strides the leftmost mode is fastest. Calling it with an index, a coordinate, or any
    mixture gives the offset: plain arithmetic, so coordinates may be NumPy arrays or traced
    scalars. An index past the end goes on along the last mode. Raises LayoutError unless shape
    and stride nest alike and sizes are >= 0.

    >>> tv = Layout(((4, 8), (2, 2)), ((16, 1), (8, 64)))
    >>> tv, tv(5, 1), tv((1, 1), 1), tv(37)
    (((4,8),(2,2)):((16,1),(8,64)), 25, 25, 25)
    >>> tv.size, tv.cosize, tv.rank, tv.depth
    (128, 128, 2, 2)
    """

    __slots__ = ("__weakref__", "_rows", "flat_shape", "flat_stride", "shape", "size", "stride")

    shape: Any  # Shape
    stride: Any  # nested as shape is
    flat_shape: tuple[Size, ...]
    flat_stride: tuple[Size, ...]
    size: Size
    _rows: list[tuple[Size, Size, Size]] | None

    def __new__(cls, shape: Any, stride: Any = None) -> Layout:
        try:
            return _recent[shape, stride]
        except KeyError:
            found = _recent[shape, stride] = _interned(shape, stride)
        except TypeError:  # a list somewhere
            found = _interned(shape, stride)
        if len(_recent) > _RECENT_CAP:
            _recent.clear()
        return found

    @classmethod
    def parse(cls, text: str, symbols: Mapping[str, Size] | None = None) -> Layout:
        """Return the layout that `str` would print as `text`; names become Dims.

        >>> Layout.parse("(4,8):(1,4)") is Layout((4, 8)), Layout.parse("(n,8):(8,1)").size
        (True, 8*n)
        """
        from tensorlib.layouts.text import parsed

        return cls(*parsed(text, symbols))

    @staticmethod
    def from_table(offsets: Sequence[int] | NDArray[Any]) -> Layout:
        """Return the coalesced layout with exactly these offsets. See `from_table`."""
        from tensorlib.layouts.recognise import from_table

        return from_table(offsets)

    @property
    def rank(self) -> int:
        """The number of top-level modes."""
        return len(self.shape) if isinstance(self.shape, tuple) else 1

    @property
    def depth(self) -> int:
        """How deep the shape nests: 0 for a single integer."""
        return depth_of(self.shape)

    @property
    def cosize(self) -> Size:
        """One past the greatest offset, 0 for an empty layout; symbolic sizes count as >= 1."""
        if isinstance(self.size, int) and self.size == 0:
            return 0
        total: Size = 1
        for size, stride in zip(self.flat_shape, self.flat_stride, strict=True):
            if isinstance(stride, int):
                total = total + (size - 1) * max(stride, 0)
            elif known_nonnegative(stride):
                total = total + (size - 1) * stride
            else:
                raise LayoutError(f"cosize: got {self}, needed strides of known sign")
        return total

    @property
    def is_static(self) -> bool:
        """True when every size and stride is a number."""
        return not any(isinstance(leaf, Dim) for leaf in self.flat_shape + self.flat_stride)

    def mode(self, index: int) -> Layout:
        """Return top-level mode `index`; a layout of a single integer is its own mode 0."""
        if not -self.rank <= index < self.rank:
            raise LayoutError(f"mode: got {index} for {self}, needed an index below {self.rank}")
        return Layout(modes_of(self.shape)[index], modes_of(self.stride)[index])

    @property
    def modes(self) -> tuple[Layout, ...]:
        """The top-level modes."""
        return tuple(map(Layout, modes_of(self.shape), modes_of(self.stride)))

    def flatten(self) -> Layout:
        """Return the same function with a shape of depth <= 1.

        >>> Layout(((4, 8), 2)).flatten()
        (4,8,2):(1,4,32)
        """
        if not isinstance(self.shape, tuple):
            return self
        return Layout(self.flat_shape, self.flat_stride)

    def __call__(self, *coordinate: Any) -> Any:
        """Return the offset of an index or coordinate: `l(i)`, `l(i, j)`, `l(((i, j), k))`."""
        whole = coordinate[0] if len(coordinate) == 1 else coordinate
        if isinstance(whole, tuple):
            return crd2idx(whole, self.shape, self.stride)
        total = offset_of_index(whole, self._index_rows())
        return 0 if total is None else total

    def _index_rows(self) -> list[tuple[Size, Size, Size]]:
        if self._rows is None:
            if isinstance(self.size, int) and self.size == 0:
                raise LayoutError(f"Layout: got an index into {self}, which is empty")
            modes = extended_modes(self)
            sizes, strides = zip(*modes, strict=True) if modes else ((), ())
            object.__setattr__(self, "_rows", digits(sizes, strides))
        assert self._rows is not None
        return self._rows

    def table(self) -> NDArray[np.int64]:
        """Return the offsets of all indices, in order: int64, shape (size,).

        >>> Layout((2, 3), (3, 1)).table().tolist()
        [0, 3, 1, 4, 2, 5]
        """
        offsets = np.zeros(1, np.int64)
        for size, stride in static_modes("table", self):
            steps = np.arange(size, dtype=np.int64) * stride
            offsets = (steps[:, None] + offsets).reshape(-1)
        return offsets

    def __getitem__(self, key: Any) -> Layout:
        """Return mode `key` for an int, else the modes kept by `None`: `l[None, 3]`.

        The result starts at offset 0: `slice_and_offset` returns the offset too.

        >>> l = Layout(((2, 2), 8), ((1, 8), 2))
        >>> l[1], l[None, 3], l[(None, 1), None]
        (8:2, ((2,2),):((1,8),), (2,8):(1,2))
        """
        if isinstance(key, int):
            return self.mode(key)
        from tensorlib.layouts.slicing import slice_and_offset

        kept = slice_and_offset(key, self)[0]
        if not kept.shape:
            raise LayoutError(f"slice: got {key} for {self}, needed a None; try l(...)")
        return kept

    def __matmul__(self, other: Any) -> Layout:
        from tensorlib.layouts.algebra import composition

        return composition(self, other)

    def __iter__(self) -> Iterator[Layout]:
        return iter(self.modes)

    def __len__(self) -> int:
        return self.rank

    def __str__(self) -> str:
        from tensorlib.layouts.text import shape_text

        return f"{shape_text(self.shape)}:{shape_text(self.stride)}"

    __repr__ = __str__

    def _repr_svg_(self) -> str | None:
        """The picture that notebooks show; None where there is none to draw."""
        from tensorlib.layouts.draw import layout_svg

        try:
            return layout_svg(self)
        except LayoutError:
            return None

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(f"Layout: {name} is frozen; build a new Layout")

    def __reduce__(self) -> tuple[Any, ...]:
        return Layout, (self.shape, self.stride)


def _interned(shape: Any, stride: Any) -> Layout:
    shape = checked_shape("Layout", shape)
    stride = prefix_product(shape) if stride is None else checked_shape("Layout", stride)
    if not congruent(shape, stride):
        raise LayoutError(f"Layout: got shape {shape} and stride {stride}, needed the same nesting")
    sizes = flatten_tuple(shape)
    if any(isinstance(size, int) and size < 0 for size in sizes):
        raise LayoutError(f"Layout: got shape {shape}, needed sizes >= 0")
    with _lock:
        found = _layouts.get((shape, stride))
        if found is None:
            found = _layouts[shape, stride] = object.__new__(Layout)
            rows = (shape, stride, sizes, flatten_tuple(stride), product(sizes), None)
            for name, value in zip(_SLOTS, rows, strict=True):
                object.__setattr__(found, name, value)
    return found


_SLOTS = ("shape", "stride", "flat_shape", "flat_stride", "size", "_rows")


def static_modes(where: str, layout: Layout) -> list[tuple[int, int]]:
    """Return the flat modes as numbers. Raises LayoutError for symbols and past int64."""
    leaves = zip(layout.flat_shape, layout.flat_stride, strict=True)
    modes = [(s, d) for s, d in leaves if is_static(s) and is_static(d)]
    if len(modes) != len(layout.flat_shape):
        raise LayoutError(f"{where}: got {layout}, needed sizes and strides without symbols")
    if sum(abs(d) * max(s - 1, 0) for s, d in modes) >= 1 << 63:
        raise LayoutError(f"{where}: got {layout}, needed offsets that fit int64")
    return modes


def merged(modes: Iterable[tuple[Size, Size]]) -> list[tuple[Size, Size]]:
    """Return flat modes without size 1 and without neighbours that are one mode."""
    result: list[tuple[Size, Size]] = []
    for size, stride in modes:
        if isinstance(size, int) and size == 1:
            continue
        if result and dim_equal(stride, result[-1][0] * result[-1][1]):
            result[-1] = (result[-1][0] * size, result[-1][1])
        else:
            result.append((size, stride))
    return result


def extended_modes(layout: Layout) -> list[tuple[Size, Size]]:
    """Return merged modes that agree with the layout at every integer, also past its end.

    The last mode is unbounded, so it stays even where its size is 1.
    """
    pairs = list(zip(layout.flat_shape, layout.flat_stride, strict=True))
    if not pairs:
        return []
    modes = merged(pairs[:-1])
    size, stride = pairs[-1]
    if modes and dim_equal(stride, modes[-1][0] * modes[-1][1]):
        modes[-1] = (modes[-1][0] * size, modes[-1][1])
    else:
        modes.append((size, stride))
    return modes


def from_modes(modes: Sequence[tuple[Size, Size]]) -> Layout:
    """Return the layout of flat modes: one mode is not wrapped, none is 1:0."""
    if len(modes) == 1:
        return Layout(*modes[0])
    if not modes:
        return Layout(1, 0)
    return Layout(tuple(s for s, _ in modes), tuple(d for _, d in modes))


def make_layout(*modes: Layout) -> Layout:
    """Return the layout whose modes these are.

    >>> make_layout(Layout(4), Layout((2, 2), (8, 4)))
    (4,(2,2)):(1,(8,4))
    """
    return Layout(tuple(m.shape for m in modes), tuple(m.stride for m in modes))


def col_major(*shape: Any) -> Layout:
    """Return the compact layout with the leftmost mode fastest, nested as the shape is.

    >>> col_major(4, 8)
    (4,8):(1,4)
    """
    return Layout(shape[0] if len(shape) == 1 else shape)


def row_major(*shape: Any) -> Layout:
    """Return the compact layout with the rightmost mode fastest: NumPy's order.

    >>> row_major(4, 8), row_major((2, (3, 5)))
    ((4,8):(8,1), (2,(3,5)):(15,(5,1)))
    """
    whole = checked_shape("row_major", shape[0] if len(shape) == 1 else shape)
    backwards = prefix_product(tuple(reversed(flatten_tuple(whole))))
    return Layout(whole, unflatten_tuple(reversed(backwards), whole))


def make_ordered_layout(shape: Any, order: Any) -> Layout:
    """Return the compact layout in which the mode of least rank `order[i]` is fastest.

    Equal ranks go left to right. Raises LayoutError unless shape and order nest alike.

    >>> make_ordered_layout((2, 3, 5), (2, 0, 1))
    (2,3,5):(15,1,3)
    """
    shape, order = checked_shape("make_ordered_layout", shape), checked_shape("order", order)
    if not congruent(shape, order):
        raise LayoutError(f"make_ordered_layout: got {shape} and {order}, needed the same nesting")
    sizes, ranks = flatten_tuple(shape), flatten_tuple(order)
    strides: list[Size] = [0] * len(sizes)
    step: Size = 1
    for place in sorted(range(len(sizes)), key=lambda place: ranks[place]):
        strides[place] = step
        step = step * sizes[place]
    return Layout(shape, unflatten_tuple(iter(strides), shape))
