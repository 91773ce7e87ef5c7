"""How the lanes of a SIMD value change places: every method here is one `shuffle`, or two."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Self

__all__ = ["Moves"]


class Moves:
    """The methods of SIMD that move lanes by Python ints."""

    __slots__ = ()

    if TYPE_CHECKING:
        width: int

        def shuffle(self, *indices: int, other: Self | None = None) -> Self: ...
        def __getitem__(self, lane: int) -> Self: ...

    def __iter__(self) -> Iterator[Self]:
        return (self[lane] for lane in range(self.width))

    def slice(self, width: int, offset: int = 0) -> Self:
        """Return `width` lanes from lane `offset` on."""
        return self.shuffle(*range(offset, offset + width))

    def interleave(self, other: Self) -> Self:
        """Return self[0], other[0], self[1], other[1], ..."""
        order = (i + side for i in range(self.width) for side in (0, self.width))
        return self.shuffle(*order, other=other)

    def deinterleave(self) -> tuple[Self, Self]:
        """Return the even lanes and the odd lanes."""
        even = range(0, self.width, 2)
        return self.shuffle(*even), self.shuffle(*(i + 1 for i in even))

    def split(self) -> tuple[Self, Self]:
        """Return the lower and the upper half."""
        half = self.width // 2
        return self.slice(half), self.slice(half, half)

    def reversed(self) -> Self:
        """Return the lanes from the last to the first."""
        return self.shuffle(*range(self.width - 1, -1, -1))

    def rotate_left(self, by: int) -> Self:
        """Rotate lanes: lane i of the result is lane (i + by) % width; also called `rotate`.

        >>> from tensorlib.simd import SIMD
        >>> SIMD["int32", 4](5, 6, 7, 8).rotate_left(1)
        SIMD[int32, 4](6, 7, 8, 5)
        """
        return self.shuffle(*((i + by) % self.width for i in range(self.width)))

    rotate = rotate_left

    def rotate_right(self, by: int) -> Self:
        """Rotate lanes: lane i of the result is lane (i - by) % width."""
        return self.rotate_left(-by)
