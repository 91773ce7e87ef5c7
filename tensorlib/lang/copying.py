"""`copy_async`: copies between tiles that go on while their thread does; `await` waits for one."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any

import numpy as np

from tensorlib.ir.builder import current_builder, fail
from tensorlib.ir.core import Value
from tensorlib.ir.types import Placement
from tensorlib.simd import SIMD, lift
from tensorlib.tile import Tile, element

__all__ = ["Copy", "copy_async"]


class Copy:
    """A copy on its way: `await` it, and its destination can be read; the value is that tile."""

    __slots__ = ("land", "target", "tokens")

    def __init__(
        self, target: Tile, tokens: Iterable[SIMD], land: Callable[[], None] | None = None
    ) -> None:
        self.target, self.tokens, self.land = target, tuple(tokens), land

    def __await__(self) -> Generator[None, None, Tile]:
        builder = current_builder()
        if self.land is not None:
            self.land()
        elif builder is not None:
            for token in self.tokens:
                builder.emit("await_copy", [lift(token)])
        return self.target
        yield  # which makes this a generator, as `await` needs it

    def __tree__(self) -> tuple[list[Any], Any]:
        """What a loop carries of a copy: its destination and the tokens."""

        def make(parts: list[Any]) -> Copy:
            return Copy(parts[0], parts[1:], self.land)

        return [self.target, *self.tokens], make

    def __repr__(self) -> str:
        return f"<copy to {self.target!r}, to be awaited>"


def copy_async(target: Tile, source: Tile) -> Copy:
    """Begin to copy `source` into `target`, two tiles of one shape, known when tracing, and dtype.

    One of them lies in memory that threads share, and so does the other. The elements are on their
    way until the thread awaits the copy: `tile = await copy_async(shared, tile)`.

    >>> target, source = np.zeros(2), np.ones(2)
    >>> copy = copy_async(Tile.over(target), Tile.over(source))
    >>> target
    array([0., 0.])
    >>> from tensorlib.lang.awaiting import awaited
    >>> awaited(copy)
    Tile[float64, (2):(1), global]
    >>> target
    array([1., 1.])
    """
    _check(target, source)
    runs = [(element(target, at), element(source, at), n) for at, n in _runs(target, source)]
    builder = current_builder()
    if builder is None:
        return Copy(target, (), _landing(target, runs))
    tokens: list[Value] = []
    for to, origin, count in runs:
        tokens += builder.emit("copy_async", [*to, *origin], {"count": count})
    return Copy(target, map(SIMD.of, tokens))


def _check(target: Tile, source: Tile) -> None:
    for name, tile in (("target", target), ("source", source)):
        if not isinstance(tile, Tile):
            raise fail(f"copy_async: got a {type(tile).__name__} as {name}, needed a tile")
        if tile.placement is Placement.REGISTER:
            raise fail(f"copy_async: got a {name} in registers; try load and store")
        if not all(isinstance(n, int) for n in tile.shape):
            raise fail(f"copy_async: got {tile!r}, needed a known shape; try .tile[M, N](m, n)")
    if target.shape != source.shape or target.dtype is not source.dtype:
        raise fail(f"copy_async: got {target!r} and {source!r}, needed one shape and dtype")


def _runs(target: Tile, source: Tile) -> Iterator[tuple[tuple[int, ...], int]]:
    """Yield coordinates, and how many elements from there on lie side by side in both tiles."""
    shape: tuple[int, ...] = tuple(int(n) for n in target.shape)
    if 0 in shape:
        return
    axes, count = len(shape), 1
    while axes and all(_is(t.stride[axes - 1], count) for t in (target, source)):
        axes -= 1
        count *= shape[axes]
    for at in itertools.product(*map(range, shape[:axes])):
        yield (*at, *(0 for _ in shape[axes:])), count


def _is(stride: Any, count: int) -> bool:
    return isinstance(stride, int) and stride == count


Run = tuple[tuple[Any, Any], tuple[Any, Any], int]


def _landing(target: Tile, runs: list[Run]) -> Callable[[], None]:
    """Read the elements now; return what writes them, once."""
    dtype = target.dtype
    moved = [
        (to, np.atleast_1d(memory.load(dtype, at, count, dtype.itemsize)))
        for to, (memory, at), count in runs
    ]

    def land() -> None:
        for (memory, at), elements in moved:
            memory.store(elements, dtype, at, dtype.itemsize)
        moved.clear()

    return land
