"""`Swizzle`: a field of an offset's bits is XORed onto another, to spread columns over banks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorlib.errors import LayoutError
from tensorlib.layouts.dim import Dim, known_nonnegative
from tensorlib.layouts.division import whole_and_rest

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Swizzle", "make_swizzle", "swizzle_between"]

_TEXT = re.compile(r"\s*Sw<\s*(\d+)\s*,\s*(\d+)\s*,\s*(-?\d+)\s*>\s*")
_INT64 = (1 << 63) - 1


@dataclass(frozen=True, slots=True, repr=False)
class Swizzle:
    """The function x -> x ^ ((x & yyy) >> shift) on offsets x >= 0; a negative shift goes left.

    Of an offset 0b..YYY...ZZZ...., `base` low bits stay, the `bits` bits ZZZ become ZZZ ^ YYY, and
    YYY lies `shift` bits above ZZZ (below it for a negative shift). Bijective on every aligned
    block of `size` offsets, and its own inverse. Raises LayoutError unless bits and base are >= 0
    and |shift| >= bits. Source: CuTe's `Swizzle<bits, base, shift>`.

    >>> s = Swizzle(3, 0, 3)
    >>> s, s(19), s(s(19)), [s(8 + i) for i in range(8)]
    (Sw<3,0,3>, 17, 19, [9, 8, 11, 10, 13, 12, 15, 14])
    """

    bits: int
    base: int
    shift: int

    def __post_init__(self) -> None:
        whole = all(isinstance(x, int) for x in (self.bits, self.base, self.shift))
        if not whole or self.bits < 0 or self.base < 0 or abs(self.shift) < self.bits:
            raise LayoutError(
                f"Swizzle: got {self}, needed ints: bits >= 0, base >= 0, |shift| >= bits"
            )

    @classmethod
    def parse(cls, text: str) -> Swizzle:
        """Return the swizzle that `str` prints as `text`.

        >>> Swizzle.parse("Sw<3,4,3>") == Swizzle(3, 4, 3)
        True
        """
        match = _TEXT.fullmatch(text)
        if match is None:
            raise LayoutError(f"Swizzle.parse: got {text!r}, needed text like 'Sw<3,4,3>'")
        return cls(int(match[1]), int(match[2]), int(match[3]))

    @property
    def yyy(self) -> int:
        """The mask of the bits that are read."""
        return ((1 << self.bits) - 1) << (self.base + max(self.shift, 0))

    @property
    def zzz(self) -> int:
        """The mask of the bits that change."""
        return ((1 << self.bits) - 1) << (self.base + max(-self.shift, 0))

    @property
    def size(self) -> int:
        """The period: `s(x + s.size) == s(x) + s.size`, and s permutes 0 ... size - 1."""
        return 1 << (self.bits + self.base + abs(self.shift))

    def __call__(self, offset: Any) -> Any:
        """Return the swizzled offset: an int, an integer array, a Dim or a traced scalar."""
        if isinstance(offset, int):
            if offset < 0:
                raise LayoutError(f"{self}: got the offset {offset}, needed one >= 0")
            return offset ^ self.moved(offset & self.yyy)
        if isinstance(offset, Dim):
            return self._of_symbol(offset)
        if isinstance(offset, (np.ndarray, np.integer)):
            return self._of_array(offset)
        return offset ^ self.moved(offset & self.yyy) if self.bits else offset

    def moved(self, field: Any) -> Any:
        """Return YYY bits at the place of ZZZ."""
        return field >> self.shift if self.shift >= 0 else field << -self.shift

    def _of_symbol(self, offset: Dim) -> Any:
        """What the period does not divide must be a number: s(q * size + r) == q * size + s(r)."""
        rest = whole_and_rest(offset, self.size)[1] if self.bits else 0
        if not isinstance(rest, int) or not known_nonnegative(offset):
            raise LayoutError(
                f"{self}: got the offset {offset}, needed it >= 0 and known modulo {self.size}"
            )
        return offset - rest + self(rest)

    def _of_array(self, offset: Any) -> Any:
        offset = np.asarray(offset, np.int64)[()]
        if (offset < 0).any():
            raise LayoutError(f"{self}: got the offset {offset.min()}, needed offsets >= 0")
        if self.zzz > _INT64 and (offset & (self.yyy & _INT64)).any():
            raise LayoutError(f"{self}: got offsets that it moves past int64; try Python ints")
        return offset ^ self.moved(offset & (self.yyy & _INT64))

    def upcast(self, count: int) -> Swizzle:
        """Return the swizzle of blocks of `count` elements: `upcast(n)(x // n) == s(x) // n`.

        Raises LayoutError unless the count is a power of two and blocks stay together.

        >>> Swizzle(3, 4, 3).upcast(8), Swizzle(3, 1, 3).upcast(8)
        (Sw<3,1,3>, Sw<1,0,3>)
        """
        lost = max(0, _power(self, "upcast", count) - self.base)  # low bits inside a block
        if lost and self.bits and self.shift < 0 and self.zzz >= count:
            raise LayoutError(f"upcast: got {self} and {count}; bits inside a block move blocks")
        if lost >= self.bits:
            return Swizzle(0, max(0, self.base - count.bit_length() + 1), self.shift)
        return Swizzle(self.bits - lost, max(0, self.base + 1 - count.bit_length()), self.shift)

    def downcast(self, count: int) -> Swizzle:
        """Return the swizzle of parts of an element: `downcast(n)(n * x + r) == n * s(x) + r`.

        >>> Swizzle(3, 1, 3).downcast(8)
        Sw<3,4,3>
        """
        return Swizzle(self.bits, self.base + _power(self, "downcast", count), self.shift)

    def __matmul__(self, other: Any) -> Any:
        from tensorlib.layouts.composed_algebra import composition

        return composition(self, other)

    def __str__(self) -> str:
        return f"Sw<{self.bits},{self.base},{self.shift}>"

    __repr__ = __str__


def _power(swizzle: Swizzle, where: str, count: int) -> int:
    if count < 1 or count & (count - 1):
        raise LayoutError(f"{where}: got {swizzle} and {count}, needed a power of two")
    return count.bit_length() - 1


def make_swizzle(yyy: int, zzz: int) -> Swizzle:
    """Return the swizzle with these masks: the bits it reads and the bits it changes.

    Raises LayoutError unless both are runs of equally many bits that don't overlap.

    >>> make_swizzle(0b1000, 0b0100), make_swizzle(0b11000000, 0b00000110)
    (Sw<1,2,1>, Sw<2,1,5>)
    """
    read, changed = _lowest_bit(yyy), _lowest_bit(zzz)
    bits, shift = yyy.bit_count(), read - changed
    found = Swizzle(bits, min(read, changed), shift) if abs(shift) >= bits else None
    if yyy < 0 or zzz < 0 or found is None or (found.yyy, found.zzz) != (yyy, zzz):
        raise LayoutError(
            f"make_swizzle: got masks {yyy:#b} and {zzz:#b}, needed two runs of equally many bits"
        )
    return found


def _lowest_bit(mask: int) -> int:
    return (mask & -mask).bit_length() - 1 if mask else 0


def swizzle_between(
    before: Sequence[int] | NDArray[Any], after: Sequence[int] | NDArray[Any]
) -> Swizzle | None:
    """Return the least swizzle s with s(before[i]) == after[i] for every i, or None.

    Offsets are >= 0. Least is fewest bits, then smallest |shift|, reading upwards first.

    >>> swizzle_between([0, 8, 16, 9], [0, 9, 18, 8])
    Sw<2,0,3>
    """
    old, new = np.asarray(before, np.int64), np.asarray(after, np.int64)
    changed = old ^ new
    if not changed.any():
        return Swizzle(0, 0, 0)
    needed = int(np.bitwise_or.reduce(changed))
    low, high = _lowest_bit(needed), needed.bit_length()
    zzz = (1 << high) - (1 << low)
    reach = int(np.bitwise_or.reduce(old)).bit_length()
    for shift in range(high - low, max(reach, high) + 1):
        if np.array_equal((old >> shift) & zzz, changed):
            return Swizzle(high - low, low, shift)
        if shift <= low and np.array_equal((old << shift) & zzz, changed):
            return Swizzle(high - low, low - shift, -shift)
    return None
