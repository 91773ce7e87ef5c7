"""`Atomic`: one element of a tile that several threads change at the same time."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tensorlib.dtypes import DType
from tensorlib.ir.builder import current_builder, fail
from tensorlib.ir.interpreter import Memory
from tensorlib.ir.ops import ROWS
from tensorlib.simd import SIMD, SIMDType, lift
from tensorlib.tile import Tile, element

__all__ = ["Atomic", "as_annotated"]

_BITS = ("and", "or", "xor")


def _operand(place: Atomic, operator: str, value: Any) -> SIMD:
    """Return a value of the tile's dtype; raise for operators that the dtype does not have."""
    dtype = place.tile.dtype
    wrong = dtype.is_float if operator in _BITS else dtype is DType.bool
    if wrong and operator not in ("exchange", "compare_exchange"):
        raise fail(f"Atomic: got a tile of {dtype.name}, which has no atomic {operator}")
    if isinstance(value, SIMD) and (value.dtype is not dtype or value.width != 1):
        raise fail(f"Atomic: got {value.type}, needed a scalar {dtype.name}; try .cast or a loop")
    return SIMDType(dtype)(value)


def _updated(place: Atomic, operator: str, value: Any) -> SIMD:
    operand, tile = _operand(place, operator, value), place.tile
    pointer, index = element(tile, place.index)
    builder = current_builder()
    if builder is not None:
        operands = [pointer, index, lift(operand)]
        return SIMD.of(builder.emit("atomic", operands, {"operator": operator})[0])
    old = _loaded(tile, pointer, index)
    meaning = ROWS[operator].numpy if operator != "exchange" else None
    new = meaning(old, operand.value) if meaning is not None else operand.value
    pointer.store(np.asarray(new), tile.dtype, index, tile.dtype.itemsize)
    return SIMD(old, tile.dtype, 1)


def _less(place: Atomic, value: Any) -> SIMD:
    return _updated(place, "add", -_operand(place, "add", value))


def _compared(place: Atomic, expected: Any, value: Any) -> SIMD:
    old, new = (_operand(place, "compare_exchange", v) for v in (expected, value))
    pointer, index = element(place.tile, place.index)
    builder = current_builder()
    if builder is not None:
        operands = [pointer, index, lift(old), lift(new)]
        return SIMD.of(builder.emit("atomic_compare_exchange", operands)[0])
    found = _loaded(place.tile, pointer, index)
    if found.tobytes() == np.asarray(old.value).tobytes():
        pointer.store(new.value, place.tile.dtype, index, place.tile.dtype.itemsize)
    return SIMD(found, place.tile.dtype, 1)


def _loaded(tile: Tile, pointer: Memory, index: int) -> Any:
    return pointer.load(tile.dtype, index, 1, tile.dtype.itemsize)


class _Method:
    """A method of a place that can also be called with the tile and the index of one."""

    def __init__(self, function: Callable[..., SIMD], meaning: str) -> None:
        self.function, self.__doc__ = function, meaning

    def __get__(self, place: Atomic | None, owner: type) -> Callable[..., SIMD]:
        """`Atomic(tile, i).add(v)`, or in one call `Atomic.add(tile, i, v)`."""
        if place is None:
            return lambda tile, index, *values: self.function(Atomic(tile, index), *values)
        return functools.partial(self.function, place)


def _update(operator: str, meaning: str) -> _Method:
    """Return a method that changes the element by an operator."""
    return _Method(
        lambda place, value: _updated(place, operator, value),
        f"{meaning}; return the element as it was.",
    )


class Atomic:
    """`Atomic(tile, i, j)`: an element that threads change one after the other, in any order.

    `Atomic(t, i).fetch_add(v)` or `Atomic.fetch_add(t, i, v)` adds and returns the element as it
    was; `a += v` adds. In the short form the index is a tuple where the tile has more axes.
    `compare_exchange(expected, value)` stores the value where the element has the bits of
    `expected`. A kernel's parameter that is annotated `Atomic` takes an array, for its first
    element.

    >>> import numpy as np
    >>> counts = np.zeros(2, np.int32)
    >>> int(Atomic.add(Tile.over(counts), 1, 5)), counts.tolist()
    (0, [0, 5])
    """

    __slots__ = ("index", "tile")

    def __init__(self, tile: Tile, *index: Any) -> None:
        if len(index) == 1 and isinstance(index[0], tuple):
            index = index[0]
        if not isinstance(tile, Tile):
            raise fail(f"Atomic: got a {type(tile).__name__}, needed a tile and an index")
        self.tile, self.index = tile, index

    add = fetch_add = _update("add", "Add to the element")
    sub = fetch_sub = _Method(_less, "Subtract from the element; return it as it was.")
    min = fetch_min = _update("minimum", "Keep the smaller")
    max = fetch_max = _update("maximum", "Keep the larger")
    fetch_and = _update("and", "Keep the bits that both have")
    fetch_or = _update("or", "Set the bits of the value")
    fetch_xor = _update("xor", "Flip the bits of the value")
    exchange = _update("exchange", "Store the value")
    compare_exchange = _Method(
        _compared, "Store a value where the element is another; return the element as it was."
    )
    load = _Method(lambda place: _compared(place, 0, 0), "Return the element as it is now.")

    def __iadd__(self, value: Any) -> Atomic:
        _updated(self, "add", value)
        return self

    def __repr__(self) -> str:
        return f"Atomic({self.tile!r}, {self.index})"


def as_annotated(function: Callable[..., Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments with an Atomic of its first element for each tile that is annotated so.

    >>> import numpy as np
    >>> def count(total: Atomic) -> None:
    ...     total += 1
    >>> as_annotated(count, {"total": Tile.over(np.zeros(1, np.int32))})
    {'total': Atomic(Tile[int32, (1):(1), global], (0,))}
    """
    annotations = getattr(function, "__annotations__", {})
    found = dict(given)
    for name, value in given.items():
        kind = annotations.get(name)
        named = isinstance(kind, str) and kind.rpartition(".")[2] == "Atomic"
        if isinstance(value, Tile) and (kind is Atomic or named):
            found[name] = Atomic(value, *(0 for _ in value.shape))
    return found
