"""`Layout`: a nested shape with a nested stride, a function from coordinates to offsets."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, cast
from weakref import ReferenceType, ref

import numpy as np

from tensorlib.errors import LayoutError
from tensorlib.layouts.basis import Basis
from tensorlib.layouts.dim import Size, known_nonnegative
from tensorlib.layouts.flat import (
    TABLE_LIMIT,
    Digits,
    Row,
    extended_modes,
    last_apart,
    merged,
    static_modes,
)
from tensorlib.layouts.shape import (
    STRIDES,
    checked_shape,
    checked_stride,
    congruent,
    crd2idx,
    depth_of,
    digits,
    finished,
    flatten_tuple,
    is_exact,
    modes_of,
    offset_of_index,
    prefix_product,
    unflatten_tuple,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "TABLE_LIMIT",
    "Layout",
    "col_major",
    "extended_modes",
    "from_modes",
    "interned_layout",
    "make_layout",
    "make_ordered_layout",
    "merged",
    "row_major",
    "static_modes",
]

_lock = threading.Lock()
_layouts: dict[tuple[Any, Any], ReferenceType[Layout]] = {}
_sweep_at = [1 << 12]  # how many entries there are when the dead ones are looked for next
_recent: dict[tuple[Any, Any], Layout] = {}  # keeps the latest alive, and finds them fast
_RECENT_CAP = 1 << 14


class Layout:
    """A shape and congruent strides; leaves are ints or Dims. Frozen, interned: `==` is identity.

    Without strides the leftmost mode is fastest. Calling it with an index, a coordinate, or any
    mixture gives the offset: plain arithmetic, so coordinates may be NumPy arrays or traced
    scalars. An index past the end goes on along the last mode. Strides may also be basis elements
    (`make_identity_layout`): then a call gives a coordinate. Raises LayoutError unless shape and
    stride nest alike and sizes are >= 0.

    >>> tv = Layout(((4, 8), (2, 2)), ((16, 1), (8, 64)))
    >>> tv, tv(5, 1), tv((1, 1), 1), tv(37)
    (((4,8),(2,2)):((16,1),(8,64)), 25, 25, 25)
    >>> tv.size, tv.cosize, tv.rank, tv.depth
    (128, 128, 2, 2)
    """

    __slots__ = (
        "__weakref__",
        "_index_digits",
        "_mode_digits",
        "_rows",
        "flat_shape",
        "flat_stride",
        "shape",
        "size",
        "stride",
    )

    shape: Any  # Shape
    stride: Any  # nested as shape is
    flat_shape: tuple[Size, ...]
    flat_stride: tuple[Size, ...]  # or Basis
    size: Size
    _rows: list[Row] | None
    _index_digits: Digits | None
    _mode_digits: tuple[Digits, ...] | None

    def __new__(cls, shape: Any, stride: Any = None) -> Layout:
        try:
            found = _recent[shape, stride]
        except KeyError:
            found = _interned(shape, stride)
            if is_exact(shape) and (stride is None or is_exact(stride, STRIDES)):
                _recent[shape, stride] = found
                if len(_recent) > _RECENT_CAP:
                    _recent.clear()
            return found
        except TypeError:  # a list somewhere
            return _interned(shape, stride)
        if shape is found.shape and (stride is None or stride is found.stride):
            return found
        return found if _respelled(found, shape, stride) else _interned(shape, stride)

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
            if isinstance(stride, Basis):
                raise LayoutError(f"cosize: got {self}, needed strides that are numbers or Dims")
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
        return all(isinstance(leaf, int) for leaf in self.flat_shape + self.flat_stride)

    @property
    def is_injective(self) -> bool:
        """True when no two indices have the same offset. See `tensorlib.layouts.is_injective`."""
        from tensorlib.layouts.inverse import is_injective

        return is_injective(self)

    @property
    def is_bijective(self) -> bool:
        """True when the offsets are 0 ... size - 1. See `tensorlib.layouts.is_bijective`."""
        from tensorlib.layouts.inverse import is_bijective

        return is_bijective(self)

    @property
    def is_compact(self) -> bool:
        """True when the offsets are 0 ... size - 1, also for symbols. See `is_compact`."""
        from tensorlib.layouts.measure import is_compact

        return is_compact(self)

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
        total: Any = 0
        if whole.__class__ is int:  # the fast ways: Python ints for the whole or for every mode
            inner, divisor, stride = self._index_digits or self._prepared_index()
            for own, modulus, step in inner:
                total += whole // own % modulus * step
            total += whole // divisor * stride
            return total if total.__class__ is int else finished(total)
        if not isinstance(whole, tuple):
            return finished(offset_of_index(whole, self._index_rows()))
        modes = self._mode_digits
        if modes is None:
            modes = self._prepared_modes()
        if len(modes) != len(whole):
            return crd2idx(whole, self.shape, self.stride)
        for part, (inner, divisor, stride) in zip(whole, modes):  # noqa: B905 - strict costs time
            if part.__class__ is not int:
                return crd2idx(whole, self.shape, self.stride)
            if inner:
                for own, modulus, step in inner:
                    total += part // own % modulus * step
            total += part // divisor * stride
        return total if total.__class__ is int else finished(total)

    def _index_rows(self) -> list[Row]:
        if self._rows is None:
            if isinstance(self.size, int) and self.size == 0:
                raise LayoutError(f"Layout: got an index into {self}, which is empty")
            modes = extended_modes(self)
            if any(isinstance(stride, Basis) for stride in self.flat_stride):
                modes = list(zip(self.flat_shape, self.flat_stride, strict=True))  # all places
            sizes, strides = zip(*modes, strict=True) if modes else ((), ())
            object.__setattr__(self, "_rows", digits(sizes, strides))
        assert self._rows is not None
        return self._rows

    def _prepared_index(self) -> Digits:
        found = last_apart(self._index_rows())
        object.__setattr__(self, "_index_digits", found)
        return found

    def _prepared_modes(self) -> tuple[Digits, ...]:
        """Return the digits of every top-level mode; none for a shape that is a single integer."""
        if not isinstance(self.shape, tuple) or self.size == 0:
            return ()
        found = tuple(
            last_apart(digits(flatten_tuple(shape), flatten_tuple(stride)))
            for shape, stride in zip(self.shape, self.stride, strict=True)
        )
        object.__setattr__(self, "_mode_digits", found)
        return found

    def table(self) -> NDArray[np.int64]:
        """Return the offsets of all indices, in order: int64, shape (size,).

        >>> Layout((2, 3), (3, 1)).table().tolist()
        [0, 3, 1, 4, 2, 5]
        """
        modes = cast("list[tuple[int, int]]", merged(static_modes("table", self)))
        if not modes or self.size == 0:
            return np.zeros(int(self.size), np.int64)
        if int(self.size) >= 1 << 63:
            raise LayoutError(f"table: got {self}, needed a size that fits int64")
        offsets: NDArray[np.int64] | None = None
        for size, stride in modes:
            steps = np.arange(size, dtype=np.int64)
            if stride != 1:
                steps *= stride
            offsets = steps if offsets is None else (steps[:, None] + offsets).reshape(-1)
        assert offsets is not None
        return offsets

    def expr(self, names: Any, target: str = "c") -> str:
        """Return the offset as index text over `names`. See `tensorlib.layouts.code.layout_expr`.

        A name is that of the index; a tuple of names goes by mode.
        """
        from tensorlib.layouts.code import layout_expr

        return layout_expr(self, names, target)

    def compiled(self) -> Callable[..., Any]:
        """Return a fast function like this layout. See `tensorlib.layouts.code.compiled_layout`."""
        from tensorlib.layouts.code import compiled_layout

        return compiled_layout(self)

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

        kept: Layout = slice_and_offset(key, self)[0]
        if not kept.shape:
            raise LayoutError(f"slice: got {key} for {self}, needed a None; try l(...)")
        return kept

    def __matmul__(self, other: Any) -> Any:
        """Return composition(self, other): a composed layout where `other` is one or a swizzle."""
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


def _respelled(found: Layout, shape: Any, stride: Any) -> bool:
    """True when the arguments, which equal the layout's as keys, are its shape and stride.

    1.0 and True equal 1, so the leaves have to be looked at; not again for the same tuples.
    """
    if not is_exact(shape) or (stride is not None and not is_exact(stride, STRIDES)):
        return False
    object.__setattr__(found, "shape", shape)
    if stride is not None:
        object.__setattr__(found, "stride", stride)
    return True


def _interned(shape: Any, stride: Any) -> Layout:
    if shape.__class__ is not tuple or not is_exact(shape):
        shape = checked_shape("Layout", shape)
    if stride is None:
        stride = prefix_product(shape)
    elif stride.__class__ is not tuple or not is_exact(stride):
        stride = checked_stride("Layout", stride)
    sizes: list[Size] = []
    strides: list[Size] = []
    if not _gathered(shape, stride, sizes, strides):
        raise LayoutError(f"Layout: got shape {shape} and stride {stride}, needed the same nesting")
    if any(isinstance(size, int) and size < 0 for size in sizes):
        raise LayoutError(f"Layout: got shape {shape}, needed sizes >= 0")
    return interned_layout(shape, stride, tuple(sizes), tuple(strides))


def interned_layout(
    shape: Any, stride: Any, sizes: tuple[Size, ...], strides: tuple[Size, ...]
) -> Layout:
    """Return the one layout of a checked shape and stride, whose leaves are given too."""
    key = (shape, stride)
    with _lock:
        held = _layouts.get(key)
        found = held() if held is not None else None
        if found is None:
            found = _new(Layout)
            total: Size = 1
            for size in sizes:
                total = total * size
            rows = (shape, stride, sizes, strides, total, None, None, None)
            for put, value in zip(_SETTERS, rows):  # noqa: B905 - strict costs time
                put(found, value)
            _layouts[key] = ref(found)
            if len(_layouts) > _sweep_at[0]:
                _sweep()
    return found


def _sweep() -> None:
    """Drop the entries of layouts that are gone: a callback for each would cost at every birth."""
    for key in [key for key, held in _layouts.items() if held() is None]:
        del _layouts[key]
    _sweep_at[0] = max(1 << 12, 2 * len(_layouts))


def forget_recent() -> None:
    """Let go of the layouts made last: what is not held elsewhere has to be made again."""
    _recent.clear()


def _gathered(shape: Any, stride: Any, sizes: list[Size], strides: list[Size]) -> bool:
    """Add the leaves to the lists; False where shape and stride nest differently."""
    if shape.__class__ is not tuple or stride.__class__ is not tuple:
        sizes.append(shape)
        strides.append(stride)
        return shape.__class__ is not tuple and stride.__class__ is not tuple
    if len(shape) != len(stride):
        return False
    for part, step in zip(shape, stride):  # noqa: B905 - strict costs time
        if part.__class__ is tuple or step.__class__ is tuple:
            if not _gathered(part, step, sizes, strides):
                return False
        else:
            sizes.append(part)
            strides.append(step)
    return True


_new = object.__new__
_SLOTS = (
    *("shape", "stride", "flat_shape", "flat_stride", "size"),
    *("_rows", "_index_digits", "_mode_digits"),
)
_SETTERS = [getattr(Layout, name).__set__ for name in _SLOTS]  # __setattr__ refuses


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
