"""Basis elements: strides whose sums are coordinates, `1@0` and `1@1`, instead of offsets."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NoReturn

from tensorlib.errors import LayoutError

__all__ = ["Basis", "Coordinate", "E"]

Path = tuple[int, ...]


class Basis:
    """A sum of scaled basis elements; each is 1 at one place of a nested coordinate, else 0.

    `E(0)` is (1, 0, ...), `E(0, 1)` is ((0, 1), 0, ...). They add, and scale by numbers, Dims,
    arrays and traced scalars; `coordinate` is what a sum stands for. Text is CuTe's, the path
    innermost first: `5 * E(0, 1)` prints as `5@1@0`. They have no order and no remainder, so
    whatever needs those raises LayoutError.

    >>> 3 * E(0) + E(1), 5 * E(0, 1), (7 * E(0, 0) + 4 * E(0, 1) + 23 * E(1)).coordinate
    (3@0+1@1, 5@1@0, ((7, 4), 23))
    """

    __array_ufunc__ = None  # array * E(0) asks Basis
    __slots__ = ("terms",)

    terms: tuple[tuple[Path, Any], ...]  # sorted by path; a factor may be zero

    def __new__(cls, terms: dict[Path, Any]) -> Basis:
        """Return the sum of factor * E(*path). Raises LayoutError where one path begins another."""
        paths = sorted(terms)
        for shorter, longer in pairwise(paths):
            if longer[: len(shorter)] == shorter:
                raise LayoutError(
                    f"Basis: got {_term(shorter, 1)} and {_term(longer, 1)}, "
                    "needed places of one nested coordinate"
                )
        found = object.__new__(cls)
        object.__setattr__(found, "terms", tuple((path, terms[path]) for path in paths))
        return found

    @property
    def nonzero(self) -> Basis:
        """The same sum without the terms whose factor is the number 0."""
        kept = {path: factor for path, factor in self.terms if not _is_zero(factor)}
        return self if len(kept) == len(self.terms) else Basis(kept)

    @property
    def coordinate(self) -> Coordinate:
        """The nested coordinate, as long as its last place that is named."""
        return _nested(dict(self.terms))

    def __mul__(self, factor: Any) -> Basis:
        if isinstance(factor, Basis):
            raise LayoutError(f"Basis: got {self} * {factor}, needed a number as one factor")
        return Basis({path: _scaled(factor, own) for path, own in self.terms})

    __rmul__ = __mul__

    def __add__(self, other: Any) -> Basis:
        if not isinstance(other, Basis):
            if isinstance(other, int) and other == 0:
                return self
            raise LayoutError(f"Basis: got {self} + {other}, needed two sums of basis elements")
        terms = dict(self.terms)
        for path, factor in other.terms:
            terms[path] = terms[path] + factor if path in terms else factor
        return Basis(terms)

    __radd__ = __add__

    def __neg__(self) -> Basis:
        return self * -1

    def __sub__(self, other: Any) -> Basis:
        return self.__add__(-other)

    def __rsub__(self, other: Any) -> Basis:
        return (-self).__add__(other)

    def _refused(self, other: object) -> NoReturn:
        raise LayoutError(
            f"Basis: got {self} and {other}, needed numbers; coordinates have no order, "
            "quotient or remainder"
        )

    __lt__ = __le__ = __gt__ = __ge__ = _refused
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __divmod__ = __rdivmod__ = _refused

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Basis):
            return self.nonzero.terms == other.nonzero.terms
        return isinstance(other, int) and other == 0 and not self.nonzero.terms

    def __hash__(self) -> int:
        return hash(self.nonzero.terms or 0)

    def __str__(self) -> str:
        text = "+".join(_term(path, factor) for path, factor in self.nonzero.terms) or "0"
        return text.replace("+-", "-")

    __repr__ = __str__

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(f"Basis: {name} is frozen; build a new one with + and *")

    def __reduce__(self) -> tuple[Any, ...]:
        return Basis, (dict(self.terms),)


def E(*path: int) -> Basis | int:
    """Return the basis element that is 1 at `path` and 0 elsewhere; without a path the number 1.

    >>> E(1), E(0, 1).coordinate, E()
    (1@1, ((0, 1),), 1)
    """
    if any(type(place) is not int or place < 0 for place in path):
        raise LayoutError(f"E: got path {path}, needed ints >= 0")
    return Basis({path: 1}) if path else 1


class Coordinate(tuple[Any, ...]):
    """A nested coordinate that adds place by place; missing places count as 0.

    It is what a layout with basis strides returns, and equals the plain tuple. It is as long as
    the last place that the strides name: a mode of size 1 that an operation drops takes its place
    along.

    >>> Coordinate((4, 8)) + (1, 2), Coordinate((1,)) + (0, 7), Coordinate(()) + ((0, 5), 2)
    ((5, 10), (1, 7), ((0, 5), 2))
    """

    __slots__ = ()

    def __add__(self, other: Any) -> Coordinate:
        if isinstance(other, int) and other == 0:
            return self
        if not isinstance(other, tuple):
            raise LayoutError(f"Coordinate: got {self} + {other}, needed a coordinate")
        longer, shorter = (self, other) if len(self) >= len(other) else (other, self)
        sums = map(_sum, longer, shorter)
        return Coordinate((*sums, *longer[len(shorter) :]))

    __radd__ = __add__


def _sum(a: Any, b: Any) -> Any:
    """Add two places: two numbers or two coordinates; 0 is the coordinate of zeros too."""
    if isinstance(a, tuple):
        return Coordinate(a) + b
    return Coordinate(b) + a if isinstance(b, tuple) else a + b


def _nested(terms: dict[Path, Any]) -> Coordinate:
    inner: dict[int, dict[Path, Any]] = {}
    for path, factor in terms.items():
        inner.setdefault(path[0], {})[path[1:]] = factor
    places = range(1 + max(inner, default=-1))
    return Coordinate(_place(inner.get(place, {(): 0})) for place in places)


def _place(terms: dict[Path, Any]) -> Any:
    return terms[()] if () in terms else _nested(terms)


def _is_zero(factor: Any) -> bool:
    return isinstance(factor, int) and factor == 0


def _scaled(factor: Any, own: Any) -> Any:
    return factor if isinstance(own, int) and own == 1 else factor * own


def _term(path: Path, factor: Any) -> str:
    text = str(factor)
    plain = text.removeprefix("-").isalnum() or text.isidentifier()
    return (text if plain else f"({text})") + "".join(f"@{place}" for place in reversed(path))
