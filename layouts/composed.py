"""`ComposedLayout`: a swizzle or a layout applied to the offsets of a layout."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from tensorlib.errors import LayoutError
from tensorlib.layouts.dim import Dim, Size, dim_equal
from tensorlib.layouts.layout import TABLE_LIMIT, Layout, extended_modes, from_modes
from tensorlib.layouts.recognise import recognised
from tensorlib.layouts.shape import unflatten_tuple
from tensorlib.layouts.swizzle import Swizzle
from tensorlib.layouts.text import parsed, shape_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["AnyLayout", "ComposedLayout", "Outer", "is_identity", "tabulated"]


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class ComposedLayout:
    """The function c -> outer(offset + inner(c)), with the shape of `inner`.

    The offset stays inside: a swizzle does not move over a sum. `outer` is a Swizzle, a Layout or
    another ComposedLayout (called with an index), `inner` a Layout or ComposedLayout. The offset
    may be a Dim or a traced scalar. Where every part takes it, a coordinate may be an array or a
    traced scalar too. Source: CuTe's `ComposedLayout`.

    >>> smem = ComposedLayout(Swizzle(3, 0, 3), 0, Layout((8, 8), (8, 1)))
    >>> smem, smem(1, 0), smem(1, 1), smem[1, None]
    (Sw<3,0,3> o 0 o (8,8):(8,1), 9, 8, Sw<3,0,3> o 8 o (8,):(1,))
    """

    outer: Outer
    offset: Any  # Size, or a traced scalar
    inner: AnyLayout
    _hash: int = field(init=False)  # of the parts, once asked for

    def __post_init__(self) -> None:
        if not isinstance(self.outer, (Swizzle, Layout, ComposedLayout)):
            raise LayoutError(
                f"ComposedLayout: got the outer function {self.outer!r}, needed a Swizzle or layout"
            )
        if not isinstance(self.inner, (Layout, ComposedLayout)):
            raise LayoutError(
                f"ComposedLayout: got the inner function {self.inner!r}, needed a layout"
            )

        if isinstance(self.offset, np.integer):
            object.__setattr__(self, "offset", int(self.offset))

    @classmethod
    def parse(cls, text: str, symbols: Mapping[str, Size] | None = None) -> ComposedLayout:
        """Return the composed layout that `str` prints as `text`; names become Dims.

        >>> ComposedLayout.parse("Sw<3,4,3> o 0 o (8,64):(64,1)").outer
        Sw<3,4,3>
        """
        parts = _parts(text)
        if len(parts) != 3:
            raise LayoutError(
                f"ComposedLayout.parse: got {text!r}, needed 'outer o offset o inner', parts of "
                "parts in brackets"
            )
        outer, inner = (_parsed(part, symbols) for part in (parts[0], parts[2]))
        return cls(outer, parsed(parts[1], symbols)[0], inner)  # type: ignore[arg-type]

    @property
    def shape(self) -> Any:
        """The shape of the inner layout."""
        return self.inner.shape

    @property
    def stride(self) -> Any:
        """Raises LayoutError: a composed layout has no strides."""
        raise LayoutError(f"stride: got {self}, which has no strides; try affine()")

    @property
    def size(self) -> Size:
        """The number of coordinates."""
        return self.inner.size

    @property
    def rank(self) -> int:
        """The number of top-level modes."""
        return self.inner.rank

    @property
    def depth(self) -> int:
        """How deep the shape nests."""
        return self.inner.depth

    @property
    def is_static(self) -> bool:
        """True when every size, stride and offset is a number."""
        return isinstance(self.offset, int) and all(
            isinstance(part, Swizzle) or part.is_static for part in (self.outer, self.inner)
        )

    @property
    def cosize(self) -> int:
        """One past the greatest offset, from the table; 0 where there is no coordinate."""
        offsets = tabulated("cosize", self)
        return int(offsets.max()) + 1 if offsets.size else 0

    def mode(self, index: int) -> ComposedLayout:
        """Return the function of top-level mode `index`, the others at 0."""
        return self.over(self.inner.mode(index))

    @property
    def modes(self) -> tuple[ComposedLayout, ...]:
        """The top-level modes. Their offsets don't add up: the outer function is not additive."""
        return tuple(map(self.over, self.inner.modes))

    def over(self, inner: AnyLayout) -> ComposedLayout:
        """Return outer(offset + inner(c)) for another inner layout."""
        return ComposedLayout(self.outer, self.offset, inner)

    def with_shape(self, shape: Any) -> ComposedLayout:
        """Return the function of another shape: `l.with_shape(s)(i) == l(i)` for every index.

        >>> ComposedLayout(Swizzle(1, 0, 2), 0, Layout(8)).with_shape((2, 4))
        Sw<1,0,2> o 0 o (2,4):(1,2)
        """
        found: ComposedLayout = self @ Layout(shape)
        return found

    def flatten(self) -> ComposedLayout:
        """Return the same function with a shape of depth <= 1."""
        return self.over(self.inner.flatten())

    def __call__(self, *coordinate: Any) -> Any:
        """Return the offset of an index or coordinate: `l(i)`, `l(i, j)`, `l(((i, j), k))`."""
        inside = self.inner(*coordinate)
        if not (isinstance(self.offset, int) and self.offset == 0):
            inside = self.offset + inside
        return self.outer(inside)

    def table(self) -> NDArray[np.int64]:
        """Return the offsets of all indices, in order: int64, shape (size,).

        >>> ComposedLayout(Swizzle(1, 0, 1), 2, Layout(4)).table().tolist()
        [3, 2, 4, 5]
        """
        if not self.is_static:
            raise LayoutError(f"table: got {self}, needed sizes and strides without symbols")
        inside = self.inner.table()
        if not inside.size:
            return inside
        steps = self.outer.flat_stride if isinstance(self.outer, Layout) else ()
        reach = max(abs(int(inside.min())), abs(int(inside.max()))) + abs(self.offset)
        if reach * (1 + sum(abs(int(step)) for step in steps)) >= 1 << 62:
            raise LayoutError(f"table: got {self}, needed offsets that fit int64")
        whole: NDArray[np.int64] = self.outer(inside + self.offset)
        if np.shape(whole) != inside.shape:  # strides of 0 alone
            whole = np.broadcast_to(np.asarray(whole, np.int64), inside.shape).copy()
        return whole

    def __getitem__(self, key: Any) -> ComposedLayout:
        """Return mode `key` for an int, else the modes kept by `None`, where they begin.

        >>> ComposedLayout(Swizzle(2, 0, 2), 0, Layout((4, 4)))[None, 3]
        Sw<2,0,2> o 12 o (4,):(1,)
        """
        if isinstance(key, int):
            return self.mode(key)
        kept = self.sliced(key)
        if not kept.shape:
            raise LayoutError(f"slice: got {key} for {self}, needed a None; try l(...)")
        return kept

    def sliced(self, coordinate: Any) -> ComposedLayout:
        """Return the modes where the coordinate is None; the rest of it is in the offset."""
        from tensorlib.layouts import slicing

        if isinstance(self.inner, ComposedLayout):
            return self.over(self.inner.sliced(coordinate))
        kept, start = slicing.slice_and_offset(coordinate, self.inner)
        return self.over(kept).moved(start)

    def moved(self, start: Any) -> ComposedLayout:
        """Return outer(offset + start + inner(c))."""
        if isinstance(start, int) and start == 0:
            return self
        nothing = isinstance(self.offset, int) and self.offset == 0
        return ComposedLayout(self.outer, start if nothing else self.offset + start, self.inner)

    def affine(self) -> tuple[Layout, int]:
        """Return (layout, start) with `start + layout(c) == self(c)` for every coordinate c.

        That is so where the swizzle reads or changes bits that stay fixed, and in other cases: the
        table decides. Raises LayoutError where there is no such layout.

        >>> ComposedLayout(Swizzle(2, 0, 2), 0, Layout((4, 4)))[None, 3].affine()
        ((4,):(-1,), 15)
        """
        offsets = tabulated("affine", self)
        if isinstance(self.inner, ComposedLayout) or not offsets.size:
            flat = Layout(self.shape)
        else:
            flat = self.inner
        start = int(offsets[0]) if offsets.size else 0
        found = _additive(flat, offsets - start)
        if found is None:
            raise LayoutError(f"affine: got {self}; its offsets are no layout's")
        return found, start

    def simplify(self) -> AnyLayout:
        """Return the same function in its plainest form: a Layout where one equals it.

        A Layout is found where the sizes are numbers, or the outer function is the identity.

        >>> ComposedLayout(Swizzle(2, 4, 3), 0, Layout((4, 4))).simplify()
        (4,4):(1,4)
        """
        inner = self.inner.simplify() if isinstance(self.inner, ComposedLayout) else self.inner
        plain = self.over(inner)
        if isinstance(self.outer, ComposedLayout) and is_identity(self.outer.inner):
            plain = ComposedLayout(self.outer.outer, self.outer.offset + self.offset, inner)
        if is_identity(plain.outer) and isinstance(plain.offset, int) and plain.offset == 0:
            return inner
        try:
            found, start = plain.affine()
        except LayoutError:
            return plain
        return plain if start else found

    def __matmul__(self, other: Any) -> Any:
        from tensorlib.layouts.composed_algebra import composition

        return composition(self, other)

    def __eq__(self, other: object) -> bool:
        """True for equal parts; a traced offset is equal to itself alone."""
        if not isinstance(other, ComposedLayout):
            return NotImplemented
        return self is other or self._parts() == other._parts()

    def __hash__(self) -> int:
        try:
            return self._hash
        except AttributeError:
            object.__setattr__(self, "_hash", hash(self._parts()))
            return self._hash

    def _parts(self) -> tuple[Any, ...]:
        known = isinstance(self.offset, (int, Dim))
        return self.outer, known, self.offset if known else id(self.offset), self.inner

    def __reduce__(self) -> tuple[Any, ...]:
        return ComposedLayout, (self.outer, self.offset, self.inner)

    def __iter__(self) -> Iterator[ComposedLayout]:
        return iter(self.modes)

    def __len__(self) -> int:
        return self.rank

    def __str__(self) -> str:
        outer, inner = (
            f"({part})" if isinstance(part, ComposedLayout) else str(part)
            for part in (self.outer, self.inner)
        )
        return f"{outer} o {shape_text(self.offset)} o {inner}"

    __repr__ = __str__

    def _repr_svg_(self) -> str | None:
        """The picture that notebooks show; None where there is none to draw."""
        from tensorlib.layouts import draw

        svg: Any = draw.layout_svg
        try:
            return str(svg(self))
        except LayoutError:
            return None


Outer: TypeAlias = Swizzle | Layout | ComposedLayout
AnyLayout: TypeAlias = Layout | ComposedLayout


def tabulated(where: str, layout: AnyLayout) -> NDArray[np.int64]:
    """Return the table, or raise LayoutError for symbols and for tables past the limit."""
    size = layout.size
    if not layout.is_static:
        raise LayoutError(f"{where}: got {layout}, needed sizes and strides without symbols")
    if not isinstance(size, int) or size > TABLE_LIMIT:
        raise LayoutError(f"{where}: got {layout}, needed at most {TABLE_LIMIT} offsets")
    return layout.table()


def is_identity(function: Outer) -> bool:
    """True for a function with f(i) == i for every index i >= 0."""
    if isinstance(function, Layout):
        modes = extended_modes(function)
        return len(modes) == 1 and dim_equal(modes[0][1], 1)
    return isinstance(function, Swizzle) and not function.bits


def _additive(layout: Layout, offsets: NDArray[np.int64]) -> Layout | None:
    """Return the layout with these offsets whose shape refines the layout's, or None."""
    parts: list[Layout] = []
    step = 1
    for size in layout.flat_shape:
        assert isinstance(size, int)
        modes = recognised(offsets[: step * size : step]) if size else []
        if modes is None:
            return None
        parts.append(from_modes(modes) if size else Layout(0, 0))
        step *= size
    shapes = unflatten_tuple((part.shape for part in parts), layout.shape)
    found = Layout(shapes, unflatten_tuple((part.stride for part in parts), layout.shape))
    return found if np.array_equal(found.table(), offsets) else None


def _parts(text: str) -> list[str]:
    """Split at the ` o ` that stand outside of brackets."""
    depth, start, found = 0, 0, []
    for match in re.finditer(r"[()]|\s+o\s+", text):
        if match[0] in "()":
            depth += 1 if match[0] == "(" else -1
        elif depth == 0 and match.start() >= start:
            found.append(text[start : match.start()])
            start = match.end()
    return [*found, text[start:]]


def _parsed(text: str, symbols: Mapping[str, Size] | None) -> Outer:
    text = text.strip()
    if text.startswith("Sw<"):
        return Swizzle.parse(text)
    if text.startswith("(") and text.endswith(")") and len(_parts(text[1:-1])) == 3:
        return ComposedLayout.parse(text[1:-1], symbols)
    return Layout.parse(text, symbols)
