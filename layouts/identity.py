"""Identity layouts: coordinates map to themselves, so that a tile of one tells where it lies."""

from __future__ import annotations

from typing import Any

from tensorlib.errors import LayoutError
from tensorlib.layouts.basis import Basis, Coordinate, E
from tensorlib.layouts.layout import Layout
from tensorlib.layouts.shape import checked_shape

__all__ = ["Basis", "Coordinate", "E", "elem_less", "make_identity_layout"]


def make_identity_layout(shape: Any) -> Layout:
    """Return the layout whose strides are basis elements: `l(coordinate) == coordinate`.

    An index gives its coordinate. Tiled as the data is, it says which elements of a ragged tile
    exist (`elem_less`).

    >>> l = make_identity_layout((4, 8))
    >>> l, l(1, 2), l(6), make_identity_layout((4, (2, 3)))
    ((4,8):(1@0,1@1), (1, 2), (2, 1), (4,(2,3)):(1@0,(1@0@1,1@1@1)))
    """
    shape = checked_shape("make_identity_layout", shape)
    return Layout(shape, _basis_like(shape, ()))


def _basis_like(shape: Any, path: tuple[int, ...]) -> Any:
    if isinstance(shape, tuple):
        return tuple(_basis_like(part, (*path, place)) for place, part in enumerate(shape))
    return E(*path)


def elem_less(coordinate: Any, bound: Any) -> Any:
    """True when every place of the coordinate is below the bound's: the predicate of a ragged tile.

    Leaves may be numbers, arrays or traced scalars, whose truths are joined by `&`. A coordinate
    that lacks the last places of the bound is 0 there. Raises LayoutError where they don't fit.

    >>> elem_less((3, 7), (4, 8)), elem_less((3, 8), (4, 8)), elem_less((1, (2, 2)), (4, (3, 2)))
    (True, False, False)
    """
    if not isinstance(coordinate, tuple) and not isinstance(bound, tuple):
        return coordinate < bound
    if coordinate.__class__ is int and coordinate == 0:
        coordinate = ()
    if not (isinstance(coordinate, tuple) and isinstance(bound, tuple)) or len(coordinate) > len(
        bound
    ):
        raise LayoutError(
            f"elem_less: got {coordinate} and {bound}, needed a bound for every place"
        )
    found: Any = True
    for part, limit in zip(
        (*coordinate, *[0] * (len(bound) - len(coordinate))), bound, strict=True
    ):
        less = elem_less(part, limit)
        found = less if found is True else found & less
    return found
