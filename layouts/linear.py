"""`LinearLayout`: a function whose bits are XORs of the index's bits, as swizzles' are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorlib.errors import LayoutError
from tensorlib.layouts.bits import Echelon, applied, echelon

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tensorlib.layouts.composed import AnyLayout

__all__ = ["Dims", "LinearLayout"]

Dims = tuple[tuple[str, int], ...]  # (name, size); sizes are powers of two, the first is lowest
TABLE_BITS = 30


@dataclass(frozen=True, slots=True, init=False, repr=False)
class LinearLayout:
    """A function of named coordinates, linear over bits: `L(x ^ y) == L(x) ^ L(y)`.

    `bases[name]` lists the values of L at 1, 2, 4, ... of that coordinate, the others at 0; a
    value is an int, or a tuple with an entry for every output. All sizes are powers of two. `outs`
    names the outputs and their sizes; by default there is one, "offset", just large enough.
    Several coordinates stand side by side in one index, the first in its lowest bits; so do
    outputs. Raises LayoutError unless the values fit. Source: Triton's LinearLayout, arXiv
    2505.23819.

    >>> swizzled = LinearLayout({"column": [1, 2], "row": [5, 10]})
    >>> swizzled, swizzled(3, 1), swizzled.table().tolist()[:8]
    ({column: [1, 2], row: [5, 10]} -> {offset: 16}, 6, [0, 1, 2, 3, 5, 4, 7, 6])
    """

    columns: tuple[int, ...]
    ins: Dims
    outs: Dims

    def __init__(
        self,
        bases: Mapping[str, Sequence[int | tuple[int, ...]]],
        outs: Mapping[str, int] | None = None,
    ) -> None:
        values = [value for row in bases.values() for value in row]
        if outs is None:
            if not all(isinstance(value, int) and value >= 0 for value in values):
                raise LayoutError(
                    f"LinearLayout: got bases {dict(bases)}, needed ints >= 0, or named outs"
                )
            outs = {"offset": 1 << max((int(v).bit_length() for v in values), default=0)}  # type: ignore[arg-type]
        ins = tuple((name, 1 << len(row)) for name, row in bases.items())
        dims = checked_dims("LinearLayout", outs)
        columns = tuple(_column(value, dims) for value in values)
        for name, field in zip(("columns", "ins", "outs"), (columns, ins, dims), strict=True):
            object.__setattr__(self, name, field)

    @classmethod
    def of(cls, columns: Iterable[int], ins: Dims, outs: Dims) -> LinearLayout:
        """Return the layout of stacked values: one int for every bit of the stacked inputs."""
        made = object.__new__(cls)
        for name, field in zip(
            ("columns", "ins", "outs"), (tuple(columns), ins, outs), strict=True
        ):
            object.__setattr__(made, name, field)
        return made

    @classmethod
    def strided(
        cls, size: int, stride: int = 1, *, name: str = "index", out: str = "offset"
    ) -> LinearLayout:
        """Return x -> x * stride for x below size, both powers of two; a stride of 0 repeats.

        >>> LinearLayout.strided(4), LinearLayout.strided(4, 2)
        ({index: [1, 2]} -> {offset: 4}, {index: [2, 4]} -> {offset: 8})
        """
        _bits("strided", name, size)
        if stride:
            _bits("strided", "stride", stride)
        values = [stride << k for k in range(size.bit_length() - 1)]
        return cls({name: values}, {out: max(1, size * stride)})

    @property
    def bases(self) -> dict[str, tuple[Any, ...]]:
        """The values at 1, 2, 4, ... of every coordinate: ints, tuples for several outputs."""
        rows: dict[str, tuple[Any, ...]] = {}
        start = 0
        for name, size in self.ins:
            end = start + size.bit_length() - 1
            fields = [tuple(unstacked(c, self.outs).values()) for c in self.columns[start:end]]
            rows[name] = tuple(f[0] if len(self.outs) == 1 else f for f in fields)
            start = end
        return rows

    @property
    def size(self) -> int:
        """The number of indices."""
        return 1 << len(self.columns)

    @property
    def cosize(self) -> int:
        """The number of values there are room for: the product of the outputs' sizes."""
        return 1 << bits_of(self.outs)

    def __call__(self, *coordinate: Any) -> Any:
        """Return the stacked value at an index, or at one coordinate for every input.

        Ints, integer arrays, and traced scalars with `& >> * ^`. Ints past the end are refused.
        """
        dims: Dims = (("index", self.size),) if len(coordinate) == 1 else self.ins
        if len(coordinate) != len(dims):
            raise LayoutError(f"{self}: got {len(coordinate)} coordinates, needed {len(dims)}")
        total: Any = None
        place = 0
        for x, (name, size) in zip(coordinate, dims, strict=True):
            if isinstance(x, int) and not 0 <= x < size:
                raise LayoutError(f"{self}: got {name} {x}, needed 0 ... {size - 1}")
            for k in range(size.bit_length() - 1):
                part = ((x >> k) & 1) * self.columns[place + k]
                total = part if total is None else total ^ part
            place += size.bit_length() - 1
        return 0 if total is None else total

    def apply(self, **coordinate: Any) -> dict[str, Any]:
        """Return the outputs by name at coordinates by name.

        >>> LinearLayout({"i": [(1, 1)], "j": [(0, 1)]}, {"row": 2, "column": 2}).apply(i=1, j=1)
        {'row': 1, 'column': 0}
        """
        if set(coordinate) != {name for name, _ in self.ins}:
            names = ", ".join(name for name, _ in self.ins)
            raise LayoutError(f"apply: got {', '.join(coordinate)}, needed {names}")
        return unstacked(self(*(coordinate[name] for name, _ in self.ins)), self.outs)

    def table(self) -> NDArray[np.int64]:
        """Return the stacked values at all indices, in order: int64, shape (size,)."""
        if len(self.columns) > TABLE_BITS or bits_of(self.outs) > 62:
            raise LayoutError(
                f"table: got {self}, needed at most 2**{TABLE_BITS} values of 62 bits"
            )
        values = np.zeros(1, np.int64)
        for column in self.columns:
            values = np.concatenate([values, values ^ column])
        return values

    def echelon(self) -> Echelon:
        """Return the reduced columns."""
        return echelon(self.columns)

    @property
    def rank(self) -> int:
        """The dimension of the image: it has 2**rank values."""
        return self.echelon().rank

    @property
    def is_injective(self) -> bool:
        """True when no two indices have the same value."""
        return self.rank == len(self.columns)

    @property
    def is_surjective(self) -> bool:
        """True when every value below `cosize` is reached."""
        return self.rank == bits_of(self.outs)

    @property
    def is_bijective(self) -> bool:
        """True when the layout has an inverse."""
        return self.is_injective and self.is_surjective

    def __matmul__(self, other: LinearLayout) -> LinearLayout:
        """Return self o other: `(a @ b)(x) == a(b(x))`; b's outputs are a's inputs, by name.

        A single output may go into a single input of another name. Raises LayoutError where names
        differ or an output has more values than the input takes.
        """
        dims = other.outs
        if len(dims) == len(self.ins) == 1:
            dims = ((self.ins[0][0], dims[0][1]),)
        sizes = dict(self.ins)
        if dict(dims).keys() != sizes.keys() or any(size > sizes[name] for name, size in dims):
            raise LayoutError(f"composition: got {self} and {other}; outputs must fit the inputs")
        moved = (stacked(unstacked(column, dims), self.ins) for column in other.columns)
        return LinearLayout.of((applied(self.columns, x) for x in moved), other.ins, self.outs)

    def __mul__(self, other: LinearLayout) -> LinearLayout:
        """Return the direct sum; see `tensorlib.layouts.linear_product.product`."""
        from tensorlib.layouts.linear_product import product

        return product(self, other)

    def divide_left(self, low: LinearLayout) -> LinearLayout:
        """Return `high` with `low * high == self`; LayoutError where there is none.

        >>> LinearLayout({"i": [1, 2, 8]}).divide_left(LinearLayout.strided(4, name="i"))
        {i: [2]} -> {offset: 4}
        """
        from tensorlib.layouts.linear_product import divide_left

        return divide_left(self, low)

    def divide_right(self, high: LinearLayout) -> LinearLayout:
        """Return `low` with `low * high == self`; LayoutError where there is none."""
        from tensorlib.layouts.linear_product import divide_right

        return divide_right(self, high)

    def inverse(self) -> LinearLayout:
        """Return L' with `L'(L(x)) == x` and `L(L'(y)) == y`. Raises LayoutError without one.

        >>> LinearLayout({"i": [1, 3]}).inverse()
        {offset: [1, 3]} -> {i: 4}
        """
        if not self.is_bijective:
            raise LayoutError(f"inverse: got {self}, needed a bijection; try pseudo_inverse()")
        return self.pseudo_inverse()

    def pseudo_inverse(self) -> LinearLayout:
        """Return P with `L(P(L(x))) == L(x)` and `P(L(P(y))) == P(y)`.

        P inverts on the right where L is surjective, on the left where it is injective. A value
        that L reaches goes to its least index.

        >>> LinearLayout({"i": [1, 1, 2]}).pseudo_inverse()
        {offset: [1, 4]} -> {i: 8}
        """
        rows = self.echelon()
        return LinearLayout.of(
            (rows.reduced(1 << k)[1] for k in range(bits_of(self.outs))), self.outs, self.ins
        )

    def solve(self, other: LinearLayout) -> LinearLayout:
        """Return C with `self @ C == other`, each value the least: Triton's invertAndCompose.

        With the layouts of registers and of shared memory over one tile, C says where in memory a
        register's element lies. Raises LayoutError where `other` has a value that self has not.

        >>> memory, registers = LinearLayout({"offset": [2, 1]}), LinearLayout({"lane": [1, 2]})
        >>> memory.solve(registers)
        {lane: [2, 1]} -> {offset: 4}
        """
        sizes = dict(self.outs)
        if dict(other.outs).keys() != sizes.keys() or any(n > sizes[d] for d, n in other.outs):
            raise LayoutError(f"solve: got {self} and {other}, needed the same outputs")
        rows = self.echelon()
        wanted = [stacked(unstacked(column, other.outs), self.outs) for column in other.columns]
        found = [x for x in map(rows.solve, wanted) if x is not None]
        if len(found) != len(wanted):
            raise LayoutError(f"solve: got {self} and {other}; the first lacks a value")
        return LinearLayout.of(found, other.ins, self.ins)

    def kernel(self) -> LinearLayout:
        """Return N, injective and as large as possible, with `L(N(i)) == 0` for every i.

        >>> LinearLayout({"i": [1, 1, 2]}).kernel()
        {kernel: [3]} -> {i: 8}
        """
        found = self.echelon().kernel
        return LinearLayout.of(found, (("kernel", 1 << len(found)),), self.ins)

    @property
    def free_variables(self) -> dict[str, int]:
        """The mask, for every input, of the bits that say nothing new: lower bits reach it all.

        >>> LinearLayout({"lane": [1, 0], "warp": [1, 2]}).free_variables
        {'lane': 2, 'warp': 1}
        """
        free = sum(1 << (x.bit_length() - 1) for x in self.echelon().kernel)
        return unstacked(free, self.ins)

    def select(self, ins: Sequence[str], outs: Sequence[str]) -> LinearLayout:
        """Return the layout of these inputs (the others at 0) and outputs, in this order."""
        known = [dict(self.ins), dict(self.outs)]
        if not all(
            set(names) <= dims.keys() for names, dims in zip((ins, outs), known, strict=True)
        ):
            raise LayoutError(f"select: got {list(ins)} and {list(outs)}, needed names of {self}")
        starts, place = {}, 0
        for name, size in self.ins:
            starts[name], place = place, place + size.bit_length() - 1
        chosen, kept = (
            tuple((name, dims[name]) for name in names)
            for names, dims in zip((ins, outs), known, strict=True)
        )
        columns = [
            stacked(unstacked(self.columns[starts[name] + k], self.outs), kept)
            for name, size in chosen
            for k in range(size.bit_length() - 1)
        ]
        return LinearLayout.of(columns, chosen, kept)

    def reshaped(
        self, ins: Mapping[str, int] | None = None, outs: Mapping[str, int] | None = None
    ) -> LinearLayout:
        """Return the same stacked function with other names and sizes.

        >>> LinearLayout.strided(8).reshaped(outs={"row": 2, "column": 4})
        {index: [(1, 0), (0, 1), (0, 2)]} -> {row: 2, column: 4}
        """
        new_ins = self.ins if ins is None else checked_dims("reshaped", ins)
        new_outs = self.outs if outs is None else checked_dims("reshaped", outs)
        if bits_of(new_ins) != bits_of(self.ins) or bits_of(new_outs) < _reach(self.columns):
            raise LayoutError(
                f"reshaped: got ins {dict(new_ins)} and outs {dict(new_outs)} for {self}, "
                "needed sizes with the same product"
            )
        return LinearLayout.of(self.columns, new_ins, new_outs)

    def to_layout(self) -> AnyLayout:
        """Return the same stacked function as a Layout, or else as Swizzle o 0 o Layout.

        Every input is a mode. Raises LayoutError where neither exists.

        >>> LinearLayout({"column": [1, 2], "row": [5, 10]}).to_layout()
        Sw<2,0,2> o 0 o (4,4):(1,4)
        """
        from tensorlib.layouts.linear_conversion import to_layout

        return to_layout(self)

    def __str__(self) -> str:
        def text(value: Any) -> str:
            return "[" + ", ".join(map(str, value)) + "]"

        ins = ", ".join(f"{name}: {text(row)}" for name, row in self.bases.items())
        return f"{{{ins}}} -> {{{', '.join(f'{name}: {size}' for name, size in self.outs)}}}"

    __repr__ = __str__


def _bits(where: str, name: str, size: int) -> int:
    if size < 1 or size & (size - 1):
        raise LayoutError(f"{where}: got {name} of size {size}, needed a power of two")
    return size.bit_length() - 1


def checked_dims(where: str, sizes: Mapping[str, int]) -> Dims:
    """Return names with sizes, all powers of two. Raises LayoutError for others."""
    for name, size in sizes.items():
        _bits(where, name, size)
    return tuple(sizes.items())


def bits_of(dims: Dims) -> int:
    """Return how many bits the stacked dimensions have."""
    return sum(size.bit_length() - 1 for _, size in dims)


def _reach(columns: Sequence[int]) -> int:
    return max((column.bit_length() for column in columns), default=0)


def unstacked(value: Any, dims: Dims) -> dict[str, Any]:
    """Return the fields of a stacked value by name."""
    fields, place = {}, 0
    for name, size in dims:
        fields[name] = (value >> place) & (size - 1)
        place += size.bit_length() - 1
    return fields


def stacked(fields: Mapping[str, int], dims: Dims) -> int:
    """Return the fields side by side, the first of `dims` in the lowest bits."""
    value, place = 0, 0
    for name, size in dims:
        value |= fields[name] << place
        place += size.bit_length() - 1
    return value


def _column(value: Any, outs: Dims) -> int:
    entries = value if isinstance(value, tuple) else (value,)
    fits = len(entries) == len(outs) and all(
        isinstance(x, int) and 0 <= x < size for x, (_, size) in zip(entries, outs, strict=True)
    )
    if not fits:
        raise LayoutError(f"LinearLayout: got the basis {value}, needed a value in {dict(outs)}")
    return stacked(dict(zip(dict(outs), entries, strict=True)), outs)
