"""Linear algebra over bits (the field F2): a vector is an int, a matrix the ints of its columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import xor

__all__ = ["Echelon", "applied", "echelon"]


def applied(columns: Sequence[int], x: int) -> int:
    """Return the matrix times the vector x: the XOR of the columns at x's bits.

    >>> applied([1, 2, 12], 0b101)
    13
    """
    return reduce(xor, (column for k, column in enumerate(columns) if x >> k & 1), 0)


@dataclass(frozen=True, slots=True)
class Echelon:
    """The columns reduced by each other, in order.

    `rows` maps a leading bit to (vector, combination): the vector has this leading bit and is the
    matrix times the combination, a vector over independent columns. `kernel` has one combination
    with product 0 for every other column, whose bit leads it.
    """

    rows: dict[int, tuple[int, int]]
    kernel: tuple[int, ...]

    @property
    def rank(self) -> int:
        """The dimension of the image."""
        return len(self.rows)

    def reduced(self, vector: int, combination: int = 0) -> tuple[int, int]:
        """Return what the columns can't express of the vector, and the combination subtracted."""
        rest, place = vector, vector.bit_length()
        while place:
            place -= 1
            if rest >> place & 1 and place in self.rows:
                rest ^= self.rows[place][0]
                combination ^= self.rows[place][1]
        return rest, combination

    def solve(self, vector: int) -> int | None:
        """Return the least x with matrix times x == vector, or None.

        Least, because only independent columns take part: whatever the kernel adds to x sets a
        higher bit that is clear in it.

        >>> echelon([1, 1, 2]).solve(3), echelon([1, 1, 2]).solve(4)
        (5, None)
        """
        rest, combination = self.reduced(vector)
        return None if rest else combination


def echelon(columns: Sequence[int]) -> Echelon:
    """Return the echelon form of a matrix: its rank, its kernel and its solutions.

    >>> echelon([1, 2, 3]).rank, echelon([1, 2, 3]).kernel
    (2, (7,))
    """
    found = Echelon({}, ())
    kernel: list[int] = []
    for k, column in enumerate(columns):
        rest, combination = found.reduced(column, 1 << k)
        if rest:
            found.rows[rest.bit_length() - 1] = (rest, combination)
        else:
            kernel.append(combination)
    return Echelon(found.rows, tuple(kernel))
