"""What a layout costs on memory: bank conflicts, sectors, cache lines and vector widths.

Threads of a layout are its mode 0, the other modes are each thread's values, in order; a layout of
rank 1 is one value a thread. A second layout, `threads`, may arrange them: thread t's value v is
then element `layout(threads(t, v))`. Anything with a shape, a size and a call on int64 arrays
does: Layout and ComposedLayout.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tensorlib.errors import LayoutError
from tensorlib.layouts.access import (
    WARP,
    Indexed,
    access_starts,
    arranged,
    checked_powers,
    first_of_its_kind,
    served_at_once,
    spread,
    values_by_thread,
)
from tensorlib.layouts.dim_facts import divides
from tensorlib.layouts.layout import Layout, merged
from tensorlib.layouts.symbolic import Dim, Size

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "CacheLines",
    "Coalescing",
    "bank_conflicts",
    "cache_lines",
    "coalescing",
    "vector_width",
]

WIDEST = 16  # bytes that one thread reads or writes at once


def bank_conflicts(
    layout: Indexed,
    *,
    element_bytes: int = 4,
    banks: int = 32,
    bank_bytes: int = 4,
    threads: int | Indexed | None = None,
    vector: int = 1,
) -> int:
    """Return how often the worst access of a warp has to be served: 1 is free of conflicts.

    That is the most distinct words that one bank is asked for at once; threads that want the same
    word share it. A thread's access is `vector` values, contiguous and aligned; the only value of a
    thread is the first of them. `threads` is how many access together (32), or an arrangement.
    Accesses of 8 bytes are served by half warps, of 16 bytes by quarter warps.
    Raises LayoutError for symbols, and for accesses that no thread can make.
    Source: CUDA C++ Programming Guide, "Shared Memory": 32 banks of successive 32-bit words; for
    the halves and quarters its edition 4.2, compute capability 2.x, 64-bit and 128-bit accesses.

    >>> bank_conflicts(Layout(32, 32)), bank_conflicts(Layout(32, 33)), bank_conflicts(Layout(32))
    (32, 1, 1)
    >>> bank_conflicts(Layout(8, 64), element_bytes=2, vector=8)
    8
    """
    where = "bank_conflicts"
    warp, offsets = arranged(where, layout, threads)
    starts = access_starts(where, layout, offsets, element_bytes, vector)
    width = vector * element_bytes
    if width > WIDEST:
        raise LayoutError(f"{where}: got accesses of {width} bytes, needed at most {WIDEST}")
    together = max(1, banks * bank_bytes // max(width, bank_bytes))
    words = served_at_once(starts, warp, together) * element_bytes // bank_bytes
    words = spread(words, max(1, width // bank_bytes))
    first = first_of_its_kind(words)
    request = np.arange(len(words))[:, None]
    counts = np.bincount((request * banks + words % banks)[first])
    return int(counts.max(initial=0))


@dataclass(frozen=True, slots=True)
class Coalescing:
    """How many sectors the accesses of a layout's warps touch, and how many would do."""

    accesses: int
    sectors: int
    needed: int
    sector_bytes: int

    @property
    def efficiency(self) -> float:
        """needed / sectors: 1.0 is as good as it gets."""
        return self.needed / self.sectors if self.sectors else 1.0

    def __str__(self) -> str:
        return (
            f"{self.accesses} accesses touch {self.sectors} sectors of {self.sector_bytes} bytes, "
            f"{self.needed} would do: {self.efficiency:.0%}"
        )


def coalescing(
    layout: Indexed,
    *,
    element_bytes: int,
    threads: int | Indexed = WARP,
    sector_bytes: int = 32,
    vector: int = 1,
) -> Coalescing:
    """Return what a layout's accesses to global memory move, each of one warp: sectors.

    Needed are as many sectors as hold the distinct bytes of an access. Offset 0 begins a sector.
    `threads` and `vector` are those of `bank_conflicts`. On a CPU, `threads` may be the lanes of a
    gather and `sector_bytes` a cache line. Raises LayoutError as `bank_conflicts` does.
    Source: Nsight Compute, "Metrics Guide": a sector is an aligned 32-byte part of a cache line.

    >>> print(coalescing(Layout((32, 4), (4, 1)), element_bytes=4))
    4 accesses touch 64 sectors of 32 bytes, 16 would do: 25%
    >>> coalescing(Layout((32, 4), (4, 1)), element_bytes=4, vector=4).efficiency
    1.0
    """
    warp, offsets = arranged("coalescing", layout, threads)
    starts = access_starts("coalescing", layout, offsets, element_bytes, vector)
    width = vector * element_bytes
    requests = served_at_once(starts, warp, warp)
    distinct = first_of_its_kind(requests).sum(axis=1) * width
    sectors = spread(requests * element_bytes // sector_bytes, max(1, width // sector_bytes))
    touched = int(first_of_its_kind(sectors).sum())
    needed = int((-(-distinct // sector_bytes)).sum())
    return Coalescing(len(requests), touched, needed, sector_bytes)


@dataclass(frozen=True, slots=True)
class CacheLines:
    """How a walk over a layout, in the order of its indices, uses a CPU's cache lines."""

    lines: int  # distinct lines
    needed: int  # that hold as many bytes
    changes: int  # steps to another line: the loads, if only the latest line stayed
    crowding: int  # the most lines in one set: more than the cache has ways evict each other
    line_bytes: int

    def __str__(self) -> str:
        return (
            f"{self.lines} lines of {self.line_bytes} bytes, {self.needed} would do; "
            f"{self.changes} changes of line, {self.crowding} lines in the fullest set"
        )


def cache_lines(
    layout: Indexed, *, element_bytes: int, line_bytes: int = 64, sets: int = 64
) -> CacheLines:
    """Return how a walk in the order of indices uses a cache with `sets` sets of lines.

    Offset 0 begins a line. Raises LayoutError for symbols. 64 sets of 64 bytes are those of the
    first cache of most x86-64 and many arm64 cores.

    >>> print(cache_lines(Layout((64, 16), (1024, 1)), element_bytes=4))
    64 lines of 64 bytes, 64 would do; 1024 changes of line, 64 lines in the fullest set
    """
    checked_powers("cache_lines", element_bytes=element_bytes, line_bytes=line_bytes)
    _, offsets = arranged("cache_lines", layout, None)
    walk = offsets.T.reshape(-1) * element_bytes // line_bytes
    lines = np.unique(walk)
    needed = -(-len(np.unique(offsets)) * element_bytes // line_bytes)
    changes = int(np.count_nonzero(np.diff(walk))) + min(len(walk), 1)
    crowding = int(np.bincount(lines % sets).max(initial=0))
    return CacheLines(len(lines), needed, changes, crowding, line_bytes)


def vector_width(
    layout: Indexed,
    *,
    element_bytes: int,
    max_bytes: int = WIDEST,
    alignment: int | None = None,
    threads: Indexed | None = None,
) -> int:
    """Return how many values every thread can read at once: contiguous, aligned, all of them.

    A power of two of at most `max_bytes` bytes. A layout of rank 1 is here the values of a single
    thread. `alignment` is that of offset 0, in bytes (by default enough for any width). Sizes and
    strides of a Layout may be Dims: the width is then the widest that their divisibility proves.

    >>> from tensorlib.layouts import Dim
    >>> n = Dim("n", divisible_by=4)
    >>> vector_width(Layout((32, 8), (8, 1)), element_bytes=2)
    8
    >>> vector_width(Layout((32, n), (n, 1)), element_bytes=2)
    4
    """
    checked_powers("vector_width", element_bytes=element_bytes)
    fits = _fits_modes(layout) if threads is None and isinstance(layout, Layout) else None
    if fits is None:
        fits = _fits_table(values_by_thread("vector_width", layout, threads))
    aligned = max_bytes if alignment is None else alignment
    width = 1
    while 2 * width * element_bytes <= max_bytes and aligned % (2 * width * element_bytes) == 0:
        if not fits(2 * width):
            break
        width *= 2
    return width


def _fits_modes(layout: Layout) -> Callable[[int], bool]:
    """Decide a width from sizes and strides: contiguous values in front, all else divisible."""
    if not all(isinstance(stride, (int, Dim)) for stride in layout.flat_stride):
        raise LayoutError(f"vector_width: got {layout}, needed offsets that are numbers")
    leaves = list(zip(layout.flat_shape, layout.flat_stride, strict=True))
    count = len(layout.modes[0].flat_shape) if layout.rank > 1 else 0
    threads = leaves[:count]
    values = merged(leaves[count:])
    others = [stride for size, stride in (*threads, *values[1:]) if not _is(size, 1)]

    def fits(width: int) -> bool:
        contiguous = bool(values) and _is(values[0][1], 1) and divides(width, values[0][0])
        return contiguous and all(divides(width, stride) for stride in others)

    return fits


def _fits_table(offsets: NDArray[np.int64]) -> Callable[[int], bool]:
    def fits(width: int) -> bool:
        if offsets.shape[1] % width:
            return False
        groups = offsets.reshape(len(offsets), -1, width)
        contiguous = (groups == groups[..., :1] + np.arange(width)).all()
        return bool(contiguous and not (groups[..., 0] % width).any())

    return fits


def _is(size: Size, number: int) -> bool:
    return isinstance(size, int) and size == number
