"""Left inverses of tables: a complete search over layouts, where strides don't divide each other.

A layout of sizes t1, t2, ... has T1 = t1, T2 = t1*t2, ... and is the function

    x -> x * e + sum(x // T * defect[T] for T in T1, T2, ...)

where `defect` says by how much a carry out of the digits below T misses the next stride. So a left
inverse is a chain of numbers, each a multiple of the one before, and integers that solve a linear
system: one equation for every offset. T says nothing about offsets below it, so the search takes
the offsets in order of magnitude, and puts a new T into the chain where an equation can't hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from tensorlib.errors import LayoutError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["left_modes"]

STEPS = 1000  # the most chains tried
Column: TypeAlias = "NDArray[np.int64]"


def left_modes(offsets: NDArray[np.int64]) -> list[tuple[int, int]] | None:
    """Return the modes of a layout L' with `offsets[L'(x)] == x` for every x of the offsets.

    None where there is none with values below the size. Raises LayoutError where the search is
    too long. The last mode is the one that goes on past the end, also to negative numbers.

    >>> left_modes(np.array([0, 3, 5, 8]))
    [(2, 0), (4, 1), (2, 3)]
    """
    found = _Search(offsets).run()
    return None if found is None else _modes(*found, offsets)


@dataclass(frozen=True, slots=True)
class Lattice:
    """The integer solutions of the equations so far: point + any integer sum of the basis."""

    point: tuple[int, ...]
    basis: tuple[tuple[int, ...], ...]

    def restricted(self, row: list[int], value: int) -> Lattice | None:
        """Return the solutions x with row . x == value as well; None where there are none."""
        missing = value - _dot(row, self.point)
        slopes = [_dot(row, vector) for vector in self.basis]
        if not any(slopes):
            return None if missing else self
        basis = [list(vector) for vector in self.basis]
        pivot = _eliminate(slopes, basis)
        if missing % slopes[pivot]:
            return None
        times = missing // slopes[pivot]
        point = tuple(p + times * b for p, b in zip(self.point, basis[pivot], strict=True))
        del basis[pivot]
        return Lattice(point, tuple(map(tuple, basis)))

    def widened(self) -> Lattice:
        """Return the lattice with one more unknown, which is free."""
        unit = (*[0] * len(self.point), 1)
        return Lattice((*self.point, 0), (*((*vector, 0) for vector in self.basis), unit))


def _dot(a: list[int], b: tuple[int, ...]) -> int:
    return sum(x * y for x, y in zip(a, b, strict=True))


def _eliminate(slopes: list[int], basis: list[list[int]]) -> int:
    """Change the basis until one vector alone has a slope, by Euclid's algorithm; return it."""
    while True:
        live = [k for k, slope in enumerate(slopes) if slope]
        pivot = min(live, key=lambda k: abs(slopes[k]))
        if len(live) == 1:
            return pivot
        for k in live:
            if k != pivot:
                times = slopes[k] // slopes[pivot]
                slopes[k] -= times * slopes[pivot]
                basis[k] = [a - times * b for a, b in zip(basis[k], basis[pivot], strict=True)]


@dataclass(slots=True)
class _Node:
    """A chain with its columns, and the lattice before every offset where it changed."""

    chain: tuple[int, ...]
    columns: tuple[Column, ...]
    trail: list[tuple[int, Lattice]] = field(default_factory=list)


class _Search:
    """Depth first over chains; `choices` are the indices of every offset, ordered by magnitude."""

    def __init__(self, table: NDArray[np.int64]) -> None:
        values = np.unique(table)
        magnitudes = np.where(values < 0, -values - 1, values)
        order = np.argsort(magnitudes, kind="stable")
        self.table = table
        self.offsets: Column = values[order]
        self.magnitudes: Column = magnitudes[order]
        places: dict[int, list[int]] = {}
        for index, offset in enumerate(table.tolist()):
            places.setdefault(offset, []).append(index)
        self.choices = [places[offset] for offset in self.offsets.tolist()]
        self.steps = 0

    def run(self) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
        below = -(self.offsets < 0).astype(np.int64)
        root = _Node((), (self.offsets, below))
        basis = ((1, 0), (0, 1)) if below.any() else ((1, 0),)
        return self._from(root, 0, Lattice((0, 0), basis))

    def _from(
        self, node: _Node, place: int, lattice: Lattice
    ) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
        trail = [*node.trail, (place, lattice)]
        while place < len(self.offsets):
            if not lattice.basis:
                place = self._first_wrong(node, place, lattice)
                if place == len(self.offsets):
                    break
            options = self._options(node, place, lattice)
            if len(options) != 1 or len(self.choices[place]) != 1:
                return self._branch(_Node(node.chain, node.columns, trail), place, options)
            place, lattice = place + 1, options[0]
            trail.append((place, lattice))
        return node.chain, lattice.point

    def _options(self, node: _Node, place: int, lattice: Lattice) -> list[Lattice]:
        row = [int(column[place]) for column in node.columns]
        found = (lattice.restricted(row, index) for index in self.choices[place])
        return [option for option in found if option is not None]

    def _branch(
        self, node: _Node, place: int, options: list[Lattice]
    ) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
        for option in options:
            found = self._from(node, place + 1, option)
            if found is not None:
                return found
        for number in self._numbers(node, place):
            self.steps += 1
            if self.steps > STEPS:
                raise LayoutError(f"needed at most {STEPS} steps of search to decide it")
            found = self._with(node, number)
            if found is not None:
                return found
        return None

    def _numbers(self, node: _Node, place: int) -> Iterator[int]:
        last = node.chain[-1] if node.chain else 1
        top = int(self.magnitudes[place]) // last
        return (last * times for times in range(top, 1, -1))

    def _with(self, node: _Node, number: int) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
        """Put a number into the chain, and take up the search where it begins to matter."""
        start = int(np.searchsorted(self.magnitudes, number))
        column = self.magnitudes // number * np.where(self.offsets < 0, -1, 1)
        kept = [(at, lattice.widened()) for at, lattice in node.trail if at <= start]
        widened = _Node((*node.chain, number), (*node.columns, column), kept[:-1])
        lattice = kept[-1][1]
        if len(self.choices) == len(self.table) and self._useless(widened, start, lattice):
            return None
        return self._from(widened, start, lattice)

    def _useless(self, node: _Node, start: int, lattice: Lattice) -> bool:
        """True where offsets below twice the new number, which no later one can change, leave no
        solution, or only some without it."""
        for place in range(start, int(np.searchsorted(self.magnitudes, 2 * node.chain[-1]))):
            if not lattice.basis:
                break
            options = self._options(node, place, lattice)
            if not options:
                return True
            lattice = options[0]
        return not lattice.point[-1] and not any(vector[-1] for vector in lattice.basis)

    def _first_wrong(self, node: _Node, place: int, lattice: Lattice) -> int:
        """Return the first offset that the only solution left takes to a wrong index."""
        size = len(self.table)
        columns = [column[place:] for column in node.columns]
        terms = list(zip(lattice.point, columns, strict=True))
        if sum(abs(p) * int(np.abs(c).max()) for p, c in terms) >= 1 << 62:
            raise LayoutError("needed offsets that fit int64")
        index = sum(c * p for p, c in terms)
        good = (index >= 0) & (index < size)
        good &= self.table[np.clip(index, 0, size - 1)] == self.offsets[place:]
        wrong = np.flatnonzero(~good)
        return place + int(wrong[0]) if wrong.size else len(self.offsets)


def _modes(
    chain: tuple[int, ...], point: tuple[int, ...], offsets: NDArray[np.int64]
) -> list[tuple[int, int]]:
    """Return the modes of the solution; a negative end needs a mode that only it reaches."""
    step, below, *defects = point
    modes: list[tuple[int, int]] = []
    before = 1
    for number, defect in zip(chain, defects, strict=True):
        modes.append((number // before, step))
        step = number // before * step + defect
        before = number
    top = max(int(np.abs(offsets).max()) // before + 1, 1)
    modes.append((top, step))
    if below != sum(defects) and offsets.min() < 0:
        modes.append((1, top * step + below - sum(defects)))
    return modes
