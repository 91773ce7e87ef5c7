"""Direct sums of linear layouts, and their division."""

from __future__ import annotations

from collections.abc import Iterator

from tensorlib.errors import LayoutError
from tensorlib.layouts.linear import Dims, LinearLayout, stacked, unstacked

__all__ = ["divide_left", "divide_right", "product"]


def product(low: LinearLayout, high: LinearLayout) -> LinearLayout:
    """Return the direct sum: `low` acts on the low bits of every input, `high` on the high bits.

    Outputs of `high` lie above those of `low`. Inputs and outputs of one name become one;
    associative, and a layout without dimensions changes nothing. Raises LayoutError where the
    names come in contrary order.

    >>> product(LinearLayout.strided(4), LinearLayout.strided(2))
    {index: [1, 2, 4]} -> {offset: 8}
    >>> product(LinearLayout({"lane": [1]}), LinearLayout({"lane": [2], "warp": [1]}))
    {lane: [1, 4], warp: [2]} -> {offset: 8}
    """
    low_ins, high_ins, low_outs, high_outs = map(dict, (low.ins, high.ins, low.outs, high.outs))
    ins = tuple(
        (name, low_ins.get(name, 1) * high_ins.get(name, 1))
        for name in _united(low, high, list(low_ins), list(high_ins))
    )
    outs = tuple(
        (name, low_outs.get(name, 1) * high_outs.get(name, 1))
        for name in _united(low, high, list(low_outs), list(high_outs))
    )
    rows: dict[str, list[int]] = {name: [] for name, _ in ins}
    for name, fields in _fields(low):
        rows[name].append(stacked({out: fields.get(out, 0) for out, _ in outs}, outs))
    for name, fields in _fields(high):
        moved = {out: fields.get(out, 0) * low_outs.get(out, 1) for out, _ in outs}
        rows[name].append(stacked(moved, outs))
    return LinearLayout.of((column for row in rows.values() for column in row), ins, outs)


def _fields(layout: LinearLayout) -> Iterator[tuple[str, dict[str, int]]]:
    """Yield the input's name and the outputs by name, for every column."""
    columns = iter(layout.columns)
    for name, size in layout.ins:
        for _ in range(size.bit_length() - 1):
            yield name, unstacked(next(columns), layout.outs)


def _united(a: LinearLayout, b: LinearLayout, first: list[str], second: list[str]) -> list[str]:
    """Return all names in an order that agrees with both."""
    found: list[str] = []
    rest = second
    for name in first:
        if name in rest:
            place = rest.index(name)
            if any(other in first for other in rest[:place]):
                raise LayoutError(f"product: got {a} and {b}; their names come in contrary order")
            found += rest[:place]
            rest = rest[place + 1 :]
        found.append(name)
    return found + rest


def divide_left(whole: LinearLayout, low: LinearLayout) -> LinearLayout:
    """Return `high` with `product(low, high) == whole`; it has all dimensions of `whole`.

    Raises LayoutError where there is none: say a vector of four elements does not divide a
    layout, because its lowest bits are not the vector's.

    >>> divide_left(LinearLayout({"i": [1, 2, 8]}), LinearLayout.strided(4, name="i"))
    {i: [2]} -> {offset: 4}
    """
    ins, outs = _quotients(whole, low)
    columns: list[int] = []
    inner = {name: iter(row) for name, row in _rows(low).items()}
    sizes = dict(low.outs)
    for name, fields in _fields(whole):
        expected = next(inner.get(name, iter(())), None)
        if expected is not None:
            if {k: v for k, v in fields.items() if v} != {k: v for k, v in expected.items() if v}:
                raise _refused(whole, low)
            continue
        if any(fields[out] % size for out, size in sizes.items()):
            raise _refused(whole, low)
        columns.append(stacked({k: v // sizes.get(k, 1) for k, v in fields.items()}, outs))
    return LinearLayout.of(columns, ins, outs)


def divide_right(whole: LinearLayout, high: LinearLayout) -> LinearLayout:
    """Return `low` with `product(low, high) == whole`; it has all dimensions of `whole`.

    >>> divide_right(LinearLayout({"i": [2, 1, 4]}), LinearLayout({"i": [1]}))
    {i: [2, 1]} -> {offset: 4}
    """
    ins, outs = _quotients(whole, high)
    columns: list[int] = []
    left = {name: size.bit_length() - 1 for name, size in ins}
    outer = {name: iter(row) for name, row in _rows(high).items()}
    sizes = dict(outs)
    for name, fields in _fields(whole):
        if left[name]:
            left[name] -= 1
            if any(value >= sizes[out] for out, value in fields.items()):
                raise _refused(whole, high)
            columns.append(stacked(fields, outs))
            continue
        expected = {out: value * sizes[out] for out, value in next(outer[name]).items()}
        if {k: v for k, v in fields.items() if v} != {k: v for k, v in expected.items() if v}:
            raise _refused(whole, high)
    return LinearLayout.of(columns, ins, outs)


def _rows(layout: LinearLayout) -> dict[str, list[dict[str, int]]]:
    rows: dict[str, list[dict[str, int]]] = {name: [] for name, _ in layout.ins}
    for name, fields in _fields(layout):
        rows[name].append(fields)
    return rows


def _quotients(whole: LinearLayout, part: LinearLayout) -> tuple[Dims, Dims]:
    """Return the dimensions that are left when those of the part are divided out."""
    found: list[Dims] = []
    for dims, others in ((whole.ins, part.ins), (whole.outs, part.outs)):
        sizes, names = dict(others), list(dict(dims))
        order = [names.index(name) for name, _ in others if name in names]
        if len(order) < len(others) or order != sorted(order):
            raise _refused(whole, part)
        found.append(tuple((name, size // sizes.get(name, 1)) for name, size in dims))
        if any(size == 0 for _, size in found[-1]):
            raise _refused(whole, part)
    return found[0], found[1]


def _refused(whole: LinearLayout, part: LinearLayout) -> LayoutError:
    return LayoutError(f"divide: got {whole} and {part}; the first is no product with the second")
