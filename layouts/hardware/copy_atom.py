"""`CopyAtom`: one copy instruction, who reads what and who gets what as layouts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from tensorlib.errors import LayoutError
from tensorlib.layouts.algebra import coalesce, composition
from tensorlib.layouts.hardware.operand import copies
from tensorlib.layouts.inverse import right_inverse
from tensorlib.layouts.layout import Layout

__all__ = ["CopyAtom", "Side"]

Side: TypeAlias = Literal["source", "destination"]


@dataclass(frozen=True, slots=True)
class CopyAtom:
    """A copy instruction that moves the elements 0, 1, ... of `bits` bits each.

    `source` and `destination` are layouts (thread, value) -> element: what a thread names or reads,
    and what it gets. `anchor` is the side that a tiled copy is arranged by: the registers. `spec`
    says where the manual defines it. Raises LayoutError unless both sides move the same elements,
    and the anchor has one owner for each.

    >>> from tensorlib.layouts.hardware import ldmatrix
    >>> atom = ldmatrix(1)
    >>> atom.source, atom.destination, atom.threads, atom.values("destination")
    (((8,4),8):((8,0),1), (32,2):(2,1), 32, 2)
    """

    name: str
    source: Layout
    destination: Layout
    bits: int
    spec: str
    anchor: Side = "destination"

    def __post_init__(self) -> None:
        self.verify()

    @property
    def threads(self) -> int:
        """How many threads run it together."""
        return int(self.tv(self.anchor).mode(0).size)

    @property
    def elements(self) -> int:
        """How many elements it moves."""
        return int(self.tv(self.anchor).size)

    def tv(self, side: Side) -> Layout:
        """Return the (thread, value) layout of a side."""
        return self.source if side == "source" else self.destination

    def values(self, side: Side) -> int:
        """Return how many elements one thread has on this side."""
        return int(self.tv(side).mode(1).size)

    def vector_bits(self, side: Side) -> int:
        """Return how many bits of one thread lie side by side: the width of its access.

        >>> from tensorlib.layouts.hardware import ldmatrix
        >>> ldmatrix(4).vector_bits("source"), ldmatrix(4).vector_bits("destination")
        (128, 32)
        """
        values = coalesce(self.tv(side).mode(1))
        first, step = values.flat_shape[0], values.flat_stride[0]
        return self.bits * int(first) if step == 1 else self.bits

    def verify(self) -> None:
        """Check the laws: both sides move all elements, as many as the anchor has places."""
        for side in SIDES:
            where, tv = f"{self.name}.{side}", self.tv(side)
            copies(where, tv, (self.elements, 1))
            if tv.mode(0).size != self.threads:
                raise LayoutError(f"{where}: got {tv}, needed {self.threads} threads")

    def from_anchor(self, side: Side) -> Layout:
        """Return (thread, value) of a side -> thread + threads * value of the anchor's side.

        >>> from tensorlib.layouts.hardware import ldmatrix
        >>> ldmatrix(1).from_anchor("source")
        ((8,4),(2,4)):((4,0),(32,1))
        """
        anchor = right_inverse(self.tv(self.anchor))
        return composition(anchor, self.tv(side))


SIDES: tuple[Side, ...] = ("source", "destination")
