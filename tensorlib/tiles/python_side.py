"""What Python and NumPy ask of a tile: its length, a loop over it, its truth, whether it equals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tensorlib.ir.builder import fail
from tensorlib.layouts.shape import flatten_tuple
from tensorlib.simd import SIMD

__all__ = ["PythonSide"]


class PythonSide:
    """The methods of Tile that Python and NumPy call by themselves.

    `len(t)` is the size of the first axis; what would take a tile for a sequence, a number or a
    condition raises KernelError. A tile is hashed by identity, which `t is other` asks for.

    >>> import numpy as np
    >>> from tensorlib.tile import Tile
    >>> len(Tile.over(np.zeros((3, 4))))
    3
    """

    __slots__ = ()

    if TYPE_CHECKING:
        shape: tuple[Any, ...]

    # sequences
    def __len__(self) -> int:
        if not self.shape:
            raise fail(f"len: got {self!r}, needed an axis")
        length = 1
        for n in flatten_tuple(self.shape[0]):
            if isinstance(n, SIMD) and n.is_traced:
                raise fail(
                    f"len: got {self!r}, whose first axis is known at run time only, and len() "
                    "is a Python int; try tile.shape[0]"
                )
            length *= int(n)
        return length

    def __iter__(self) -> Iterator[Any]:
        element = "tile[i]" if len(self.shape) == 1 else "tile[i, :]"
        raise fail(f"for: got {self!r}; try `for i in range(tile.shape[0])` and {element}")

    def __reversed__(self) -> Iterator[Any]:
        raise fail(f"reversed: got {self!r}; try `for i in reversed(range(tile.shape[0]))`")

    def __contains__(self, value: object) -> bool:
        raise fail(
            f"in: got {self!r}; try a loop over its elements, or a reduction such as "
            "(t.load[width](i) == value).any()"
        )

    # conditions
    def __bool__(self) -> bool:
        raise fail(
            f"bool: got {self!r}, which is neither true nor false; try an element as in "
            '`if t[i] > 0`, t.reduce("add") > 0, or `t is not None`'
        )

    def __eq__(self, other: object) -> bool:
        return self._compared("==", other)

    def __ne__(self, other: object) -> bool:
        return self._compared("!=", other)

    def __lt__(self, other: object) -> bool:
        return self._compared("<", other)

    def __le__(self, other: object) -> bool:
        return self._compared("<=", other)

    def __gt__(self, other: object) -> bool:
        return self._compared(">", other)

    def __ge__(self, other: object) -> bool:
        return self._compared(">=", other)

    __hash__ = object.__hash__  # a tile stays a key, found by identity

    def _compared(self, sign: str, other: object) -> bool:
        given = (
            repr(other)
            if isinstance(other, PythonSide)
            else f"a value of type {type(other).__name__}"
        )
        same = "; `tile is other` tells whether they are one" if sign in ("==", "!=") else ""
        raise fail(
            f"{sign}: got {self!r} and {given}, needed elements; try t[i] {sign} x, or "
            f"t.load[width](i) {sign} x for a mask{same}"
        )

    # arrays
    __array_ufunc__ = None  # a number of NumPy leaves its operators to the tile

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise fail(f"array: got {self!r}, whose elements NumPy can't ask for; try t[i] or t.load")
