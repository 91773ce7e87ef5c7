"""The longest right inverse of a table: a search over all layouts, where modes can't tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["first_missing", "longest"]

STEPS = 4096  # the most modes tried


def first_missing(offsets: NDArray[np.int64]) -> int:
    """Return the least number >= 0 that is not among the offsets.

    >>> first_missing(np.array([3, 0, 1, -1]))
    2
    """
    present = np.unique(offsets[offsets >= 0])
    gaps = np.flatnonzero(present != np.arange(present.size))
    return int(gaps[0]) if gaps.size else present.size


class longest:
    """The modes of the longest layout R with `offsets[R(i)] == i`; negative offsets don't count.

    A mode (t, e) of R repeats what lies before it at t starts, e apart. So the search keeps, for
    the modes chosen so far, the indices from which all of them run on, and tries every next mode;
    only a prefix below the first missing offset can be reached.

    >>> longest(np.array([0, 1, 2, 3, 3, 4, 5, 6])).modes
    [(3, 1), (2, 4)]
    """

    __slots__ = ("limit", "modes", "offsets", "order", "ranked", "reached", "steps")

    def __init__(self, offsets: NDArray[np.int64], reached: int = 1) -> None:
        self.offsets = offsets
        self.order = np.argsort(offsets, kind="stable")
        self.ranked = offsets[self.order]
        self.limit = first_missing(offsets)
        self.modes: list[tuple[int, int]] | None = [] if reached == 1 else None
        self.reached = reached
        self.steps = 0
        self._extend(1, offsets >= 0, [])

    def _extend(self, size: int, starts: NDArray[np.bool_], modes: list[tuple[int, int]]) -> None:
        low, high = np.searchsorted(self.ranked, [size, size + 1])
        for step in map(int, self.order[low:high]):
            merges = bool(modes) and step == modes[-1][0] * modes[-1][1]
            if starts[step] and not merges:
                self._try_runs(size, starts, modes, step)

    def _try_runs(
        self, size: int, starts: NDArray[np.bool_], modes: list[tuple[int, int]], step: int
    ) -> None:
        for count in range(self._run(size, starts, step), 1, -1):
            whole = size * count
            if self.limit // whole * whole <= self.reached:
                continue
            self.steps += 1
            if self.steps > STEPS:
                return
            if whole > self.reached:
                self.reached, self.modes = whole, [*modes, (count, step)]
            if 2 * whole <= self.limit and self.reached < self.limit:
                inner = self._repeated(size, starts, step, count)
                self._extend(whole, inner, [*modes, (count, step)])

    def _run(self, size: int, starts: NDArray[np.bool_], step: int) -> int:
        """Return how often the step can be taken from index 0."""
        places = self.offsets[::step][: self.limit // size]
        good = starts[::step][: places.size] & (places == np.arange(places.size) * size)
        breaks = np.flatnonzero(~good)
        return int(breaks[0]) if breaks.size else int(places.size)

    def _repeated(
        self, size: int, starts: NDArray[np.bool_], step: int, count: int
    ) -> NDArray[np.bool_]:
        """Return the indices from which `count` steps run on, by doubling."""
        done = 1
        result = starts
        while done < count:
            more = min(done, count - done)
            shift = more * step
            inner = np.zeros_like(result)
            ahead, behind = self.offsets[shift:], self.offsets[: max(self.offsets.size - shift, 0)]
            inner[: behind.size] = (
                result[: behind.size] & result[shift:] & (ahead == behind + more * size)
            )
            result, done = inner, done + more
        return result
