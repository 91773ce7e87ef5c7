"""`FusedTile`: a tile of which each element is computed where a kernel reads or writes it.

A user's kernel that fuses gets these for its operands and its result. To the kernel they are tiles
that know how to load and store at whole coordinates; views of them would need memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from tensorlib.dtypes import DType
from tensorlib.ir.builder import fail
from tensorlib.ir.types import Placement
from tensorlib.kernels.expression import Expression
from tensorlib.kernels.operands import leaf_at
from tensorlib.kernels.scalar import value
from tensorlib.simd import SIMD, SIMDType
from tensorlib.tile import Tile
from tensorlib.tiles.access import Access

__all__ = ["FusedTile"]


class FusedTile(Tile):
    """An operand: `load` gives `expression` over what lies in `loads`, at the same coordinates.

    With `memory` a result: `store` writes `expression`, whose main part is the value, to it.
    """

    __slots__ = ("_expression", "_loads", "_memory", "_name", "_scalars")

    def __init__(
        self,
        name: str,
        memory: Tile | None,
        dtype: DType,
        shape: Sequence[Any],
        expression: Expression,
        loads: Sequence[Tile],
        scalars: Sequence[SIMD],
    ) -> None:
        self._name, self._memory, self._expression = name, memory, expression
        self._loads, self._scalars = loads, scalars
        self.dtype, self.shape, self.placement = dtype, tuple(shape), Placement.GLOBAL
        self.lanes, self.edges, self.swizzle = (1, 1), (), None

    def _refused(self, what: str) -> NoReturn:
        raise fail(
            f"fuses: {self._name} is {what}, needed load[width] of operands and store[width] of "
            "the result at whole coordinates, without masks; try fuses=False"
        )

    @property
    def load(self) -> Access:
        """`t.load[width](i, j)`: elements along the last axis, computed."""
        return Access(self, _load)

    @property
    def store(self) -> Access:
        """`t.store[width](i, j, value)`: compute what comes after from the value, and write it."""
        return Access(self, _store)

    def __getitem__(self, coordinates: Any) -> Any:
        return _load(self, 1, *_tuple(coordinates))

    def __setitem__(self, coordinates: Any, value: Any) -> None:
        _store(self, 1, *_tuple(coordinates), value)

    def viewed(self, shape: Sequence[Any], stride: Sequence[Any], offset: Any, **new: Any) -> Tile:
        """Refuse: a view has no memory to show."""
        self._refused("seen through a view")

    def __tree__(self) -> tuple[list[Any], Any]:
        self._refused("carried by a loop")

    def __getattr__(self, name: str) -> Any:
        """Refuse what only memory has."""
        if name not in ("pointer", "offset", "stride"):
            raise AttributeError(name)
        self._refused(f"used by its {name}")

    def at(self, width: int, where: tuple[Any, ...], main: SIMD | None) -> SIMD:
        """Return the expression at `width` coordinates from `where` on along the last axis."""
        if len(where) != len(self.shape) or any(isinstance(c, slice | tuple) for c in where):
            self._refused(f"accessed at {len(where)} coordinates of {len(self.shape)}")
        leaf = leaf_at(self._loads, self._scalars, where, width, main)
        return value(self._expression, leaf, width)


def _load(tile: FusedTile, width: int, *where: Any, **options: Any) -> SIMD:
    if tile._memory is not None:
        tile._refused("the result, and read")
    if options:
        tile._refused(f"loaded with {', '.join(options)}")
    return tile.at(width, where, None)


def _store(tile: FusedTile, width: int, *arguments: Any, **options: Any) -> None:
    if tile._memory is None:
        tile._refused("an operand, and written")
    if options:
        tile._refused(f"stored with {', '.join(options)}")
    *where, given = arguments
    main = given if isinstance(given, SIMD) else SIMDType(tile.dtype, width)(given)
    if main.dtype is not tile.dtype:
        raise fail(
            f"store: got {main.dtype.name} for a tile of {tile.dtype.name}; "
            f"try .cast({tile.dtype.name})"
        )
    tile._memory.store[width](*where, tile.at(width, tuple(where), main.splat(width)))


def _tuple(coordinates: Any) -> tuple[Any, ...]:
    return coordinates if isinstance(coordinates, tuple) else (coordinates,)
