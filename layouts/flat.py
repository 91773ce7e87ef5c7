"""A layout as its flat modes: merged, extended past the end, as numbers, as digits of an index."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

from tensorlib.errors import LayoutError
from tensorlib.layouts.dim import Size, dim_equal

if TYPE_CHECKING:
    from tensorlib.layouts.layout import Layout

__all__ = [
    "TABLE_LIMIT",
    "Digits",
    "Row",
    "extended_modes",
    "last_apart",
    "merged",
    "static_modes",
]

TABLE_LIMIT = 1 << 20  # the most offsets that are tabulated to decide a question
Row: TypeAlias = tuple[Size, Size, Size]  # divisor, modulus, stride of one digit of an index
Digits: TypeAlias = tuple[tuple[Row, ...], Any, Any]  # inner rows, last divisor, last stride


def static_modes(where: str, layout: Layout) -> list[tuple[int, int]]:
    """Return the flat modes as numbers. Raises LayoutError for symbols and past int64."""
    leaves = zip(layout.flat_shape, layout.flat_stride, strict=True)
    modes = [(s, d) for s, d in leaves if isinstance(s, int) and isinstance(d, int)]
    if len(modes) != len(layout.flat_shape):
        raise LayoutError(
            f"{where}: got {layout}, needed sizes and strides without symbols or basis elements"
        )
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


def last_apart(rows: list[Row]) -> Digits:
    """Return (inner rows, divisor, stride): the last digit has no modulus."""
    if rows and rows[-1][1] == 0:
        return tuple(rows[:-1]), rows[-1][0], rows[-1][2]
    return tuple(rows), 1, 0
