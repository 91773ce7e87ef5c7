"""Accesses of threads to memory: which offsets each thread of a layout asks for, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from tensorlib.errors import LayoutError
from tensorlib.layouts.shape import modes_of, product
from tensorlib.layouts.symbolic import Size, is_static

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "WARP",
    "Indexed",
    "access_starts",
    "arranged",
    "checked_powers",
    "first_of_its_kind",
    "served_at_once",
    "spread",
    "values_by_thread",
]

WARP = 32  # threads that access together


class Indexed(Protocol):
    """A function from indices to offsets."""

    @property
    def shape(self) -> Any: ...
    @property
    def size(self) -> Size: ...
    def __call__(self, *coordinate: Any) -> Any: ...


def arranged(
    where: str, layout: Indexed, threads: int | Indexed | None
) -> tuple[int, NDArray[np.int64]]:
    """Return how many threads access together, and all offsets: (threads, values)."""
    if threads is None or isinstance(threads, int):
        warp = WARP if threads is None else threads
        if warp < 1:
            raise LayoutError(f"{where}: got threads={threads}, needed at least 1")
        return warp, _table(where, layout)
    places = _table(where, threads)
    return WARP, np.broadcast_to(np.asarray(layout(places), np.int64), places.shape)


def values_by_thread(where: str, layout: Indexed, threads: Indexed | None) -> NDArray[np.int64]:
    """Return all offsets, (threads, values); a layout of rank 1 is one thread's."""
    offsets = arranged(where, layout, threads)[1]
    lone = threads is None and len(modes_of(layout.shape)) == 1
    return offsets.T if lone else offsets


def _table(where: str, layout: Indexed) -> NDArray[np.int64]:
    size = layout.size
    threads = product(modes_of(layout.shape)[0]) if layout.shape != () else 1
    unknown = f"{where}: got {layout}, needed sizes and strides without symbols"
    if not is_static(size) or not is_static(threads):
        raise LayoutError(unknown)
    try:
        table = np.asarray(layout(np.arange(size)) if size else 0, np.int64)
    except TypeError:  # an array times a Dim
        raise LayoutError(unknown) from None
    if table.shape not in ((), (size,)):
        raise LayoutError(f"{where}: got {layout}, needed offsets that are numbers")
    values = size // threads if threads else 0
    return np.broadcast_to(table, (size,)).reshape(values, threads).T


def access_starts(
    where: str, layout: Indexed, offsets: NDArray[np.int64], element_bytes: int, vector: int
) -> NDArray[np.int64]:
    """Return where each access begins: (threads, accesses)."""
    checked_powers(where, element_bytes=element_bytes, vector=vector)
    if vector == 1:
        return offsets
    starts = offsets if offsets.shape[1] == 1 else offsets[:, ::vector]
    if offsets.shape[1] > 1:
        whole = starts.shape[1] * vector == offsets.shape[1]
        every = (starts[..., None] + np.arange(vector)).reshape(len(starts), -1)
        if not whole or not np.array_equal(every, offsets):
            raise LayoutError(
                f"{where}: got vector={vector} for {layout}, needed every {vector} values of a "
                "thread contiguous; try vector_width"
            )
    if (starts % vector).any():
        wrong = int(starts[starts % vector != 0][0])
        raise LayoutError(
            f"{where}: got vector={vector} for {layout} with an access at offset {wrong}, needed "
            f"multiples of {vector}; try vector_width"
        )
    return starts


def checked_powers(where: str, **numbers: int) -> None:
    """Raise LayoutError unless every number is a power of two."""
    for name, number in numbers.items():
        if not isinstance(number, int) or number < 1 or number & (number - 1):
            raise LayoutError(f"{where}: got {name}={number}, needed a power of two")


def served_at_once(starts: NDArray[np.int64], warp: int, together: int) -> NDArray[np.int64]:
    """Return rows of what is served at once; the last thread fills up rows that are too short."""
    count = len(starts)
    firsts = [
        (first, min(first + together, begin + warp, count))
        for begin in range(0, count, warp)
        for first in range(begin, min(begin + warp, count), together)
    ]
    length = min(together, warp, max(count, 1))
    rows = np.array(
        [np.minimum(np.arange(first, first + length), end - 1) for first, end in firsts], np.int64
    ).reshape(-1, length)
    requests = starts[rows].transpose(0, 2, 1)
    return requests.reshape(requests.shape[0] * requests.shape[1], length)


def spread(units: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return rows with `count` successive units in place of each."""
    return (units[..., None] + np.arange(count)).reshape(len(units), units.shape[1] * count)


def first_of_its_kind(rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """True where a row's entry did not occur before in the row."""
    order = np.argsort(rows, axis=1, kind="stable")
    ordered = np.take_along_axis(rows, order, axis=1)
    fresh = np.ones(rows.shape, bool)
    fresh[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    found = np.empty_like(fresh)
    np.put_along_axis(found, order, fresh, axis=1)
    return found
