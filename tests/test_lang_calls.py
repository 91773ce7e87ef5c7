"""Calls inside kernels: defaults, keywords, stars, partial, methods, closures, nested values."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np
import pytest

import tensorlib as tl
from tensorlib.registry import REGISTRY
from tensorlib.simd import SIMD
from tensorlib.tile import Tile

F32 = np.float32


def every_way(kernel: Any) -> list[Any]:
    return [kernel.python, kernel.interpret, *([] if "c" in REGISTRY.unavailable() else [kernel])]


def clip(v: SIMD, low: float = 0.0, *, high: float = 1.0) -> SIMD:
    if v < low:
        return v * 0.0 + low
    if v > high:
        return v * 0.0 + high
    return v


def largest(*values: SIMD, **more: SIMD) -> SIMD:
    found = values[0]
    for v in (*values[1:], *more.values()):
        if v > found:  # noqa: PLR1730
            found = v
    return found


class Scaled:
    factor = 2.0

    def __init__(self, offset: float) -> None:
        self.offset = offset

    def __call__(self, v: SIMD) -> SIMD:
        return self.moved(v) * self.factor

    def moved(self, v: SIMD) -> SIMD:
        return v + self.offset if v > 0.0 else v - self.offset

    @classmethod
    def twice(cls, v: SIMD) -> SIMD:
        return v * cls.factor if v > 0.0 else v

    @staticmethod
    def halved(v: SIMD) -> SIMD:
        return v * 0.5 if v > 0.0 else v


class Pair(NamedTuple):
    low: Any
    high: Any


def call(function: Any, *arguments: Any, **keywords: Any) -> Any:
    return function(*arguments, **keywords)


CASES = {
    "defaults": (lambda v: clip(v), lambda v: min(max(v, 0.0), 1.0)),  # noqa: PLW0108
    "keywords": (lambda v: clip(v, high=2.0), lambda v: min(max(v, 0.0), 2.0)),
    "positions": (lambda v: clip(v, -1.0), lambda v: min(max(v, -1.0), 1.0)),
    "stars": (
        lambda v: clip(*[v, -1.0], **{"high": 2.0}),
        lambda v: min(max(v, -1.0), 2.0),
    ),
    "gathered": (lambda v: largest(v, -v, w=v * 0.5), lambda v: max(v, -v, v * 0.5)),
    "partial": (
        lambda v: functools.partial(clip, low=-2.0)(v, high=2.0),
        lambda v: min(max(v, -2.0), 2.0),
    ),
    "handed on": (lambda v: call(clip, v, high=0.5), lambda v: min(max(v, 0.0), 0.5)),
    "objects": (lambda v: Scaled(1.0)(v), lambda v: 2 * (v + 1.0 if v > 0 else v - 1.0)),  # noqa: PLW0108
    "class methods": (lambda v: Scaled.twice(v), lambda v: 2 * v if v > 0 else v),  # noqa: PLW0108
    "static methods": (lambda v: Scaled.halved(v), lambda v: v / 2 if v > 0 else v),  # noqa: PLW0108
    "bound methods": (
        lambda v: call(Scaled(0.5).moved, v),
        lambda v: v + 0.5 if v > 0 else v - 0.5,
    ),
    "min and max": (lambda v: min(max(v, -1.0, -v), 2.0), lambda v: min(max(v, -1.0, -v), 2.0)),
    "max of a list": (lambda v: v * max([1.0, 3.0], key=abs), lambda v: v * 3.0),
    "default of a lambda": (
        lambda v, low=-0.5: low * 2.0 + v if v > low else v,
        lambda v: v - 1.0 if v > -0.5 else v,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_calls(name: str) -> None:
    function, meaning = CASES[name]

    def body(out: Tile, x: Tile) -> None:
        for i in range(x.size):
            out[i] = function(x[i])

    x = np.array([-3, -1, -0.25, 0, 0.25, 1, 3], F32)
    for run in every_way(tl.kernel(body)):
        out = np.zeros_like(x)
        run(out, x)
        np.testing.assert_array_equal(out, [meaning(float(v)) for v in x])


def test_closures_reach_names_of_functions_around() -> None:
    def body(out: Tile, x: Tile) -> None:
        total = SIMD[tl.float32, 1](0)

        def add(v: SIMD) -> None:
            nonlocal total
            if v > 0.0:
                total = total + v

        for i in range(x.size):
            add(x[i])
        out[0] = total

    x = np.array([1, -2, 3, 4], F32)
    for run in every_way(tl.kernel(body)):
        out = np.zeros(1, F32)
        run(out, x)
        assert out[0] == 8


def test_nested_values_are_carried() -> None:
    def body(out: Tile, x: Tile) -> None:
        bounds, history = Pair(x[0], x[0]), [(x[0], {"sum": x[0]})]
        for i in range(1, x.size):
            v = x[i]
            bounds = Pair(bounds.low.min(v), bounds.high.max(v))
            last, sums = history[0]
            history[0] = (v, {"sum": sums["sum"] + last * v})
        out[0], out[1], out[2], out[3] = *bounds, history[0][0], history[0][1]["sum"]

    x = np.array([1, -2, 3, 4], F32)
    for run in every_way(tl.kernel(body)):
        out = np.zeros(4, F32)
        run(out, x)
        np.testing.assert_array_equal(out, [-2, 4, 4, 1 - 2 - 6 + 12])


def test_tiles_are_carried_and_chosen() -> None:
    def body(out: Tile, x: Tile, y: Tile) -> None:
        a, b = x, y
        for i in range(x.size):
            if x[i] > 0.0:
                out[i] = a[i]
            else:
                out[i] = b[i] * 10.0

    x, y = np.array([1, -2, 3, -4], F32), np.array([5, 6, 7, 8], F32)
    for run in every_way(tl.kernel(body)):
        out = np.zeros(4, F32)
        run(out, x, y)
        np.testing.assert_array_equal(out, [1, 60, 3, 80])


@pytest.mark.parametrize("depth", [0, 1, 5])
def test_recursion_over_tuples(depth: int) -> None:
    def tree_sum(values: tuple[SIMD, ...]) -> SIMD:
        if len(values) == 1:
            return values[0]
        half = len(values) // 2
        return tree_sum(values[:half]) + tree_sum(values[half:])

    def body(out: Tile, x: Tile) -> None:
        out[0] = tree_sum(tuple(x[i] for i in range(2**depth)))

    x = np.arange(32, dtype=F32)
    for run in every_way(tl.kernel(body)):
        out = np.zeros(1, F32)
        run(out, x)
        assert out[0] == x[: 2**depth].sum()


def test_min_keeps_the_first_as_python_does() -> None:
    def body(out: Tile, x: Tile) -> None:
        out[0] = min(x[0], x[1])
        out[1] = max(x[1], x[0])
        out[2] = max(x[0], x[1])

    x = np.array([np.nan, 1], F32)
    for run in every_way(tl.kernel(body)):
        out = np.zeros(3, F32)
        run(out, x)
        np.testing.assert_array_equal(out, [np.nan, 1, np.nan])
