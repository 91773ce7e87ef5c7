"""A choice between a vector of integers and its sum becomes a sum, with the same bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorlib as tl
from tensorlib.ir import Kernel, walk
from tensorlib.lang.target import Target, targeting
from tensorlib.tests.every_way import run_every_way


@tl.kernel
def chosen(out: tl.Tile, x: tl.Tile, y: tl.Tile) -> None:
    a, b = x.load[8](0), y.load[8](0)
    mask = a < b
    out.store[8](0, mask.select(a + 1, a))
    out.store[8](8, mask.select(b + a, a))
    out.store[8](16, mask.select(a - b, a))
    out.store[8](24, mask.select(b - a, a))
    out.store[8](32, mask.select(a - 1, a))


def names(kernel: Kernel) -> list[str]:
    return [o.name for o in walk(kernel.body)]


def arguments(dtype: str) -> list[Any]:
    rng = np.random.default_rng(1)
    kind = np.dtype(dtype)
    if kind.kind == "f":
        numbers = np.concatenate([rng.standard_normal(12), [np.inf, np.nan, -0.0, 0.0]])
    else:
        edges = np.iinfo(kind)
        numbers = rng.integers(edges.min, edges.max, 16, dtype=kind, endpoint=True)
    x, y = numbers[:8].astype(kind), numbers[8:].astype(kind)
    return [np.zeros(40, kind), x, y]


@pytest.mark.parametrize(
    "dtype", ["int8", "uint8", "int16", "uint32", "int32", "int64", "uint64", "float32", "float64"]
)
def test_bits_stay_the_same(dtype: str) -> None:
    given = arguments(dtype)
    got, x, y = run_every_way(chosen, *given)
    with np.errstate(all="ignore"):
        sums = [x + x.dtype.type(1), y + x, x - y, y - x, x - x.dtype.type(1)]
    expected = np.concatenate([np.where(x < y, s, x) for s in sums])
    np.testing.assert_array_equal(got, expected)


def test_integers_are_added() -> None:
    kernel = chosen.trace(*arguments("int32"))
    assert names(kernel).count("select") == 3  # two masked numbers, and b - a, which stays
    assert names(kernel).count("cast") == 2
    with targeting(Target("c", 32)):
        source = chosen.source("c", *arguments("int32"))
    assert source.count("| (~") == 1


def test_floats_are_chosen() -> None:
    """-0.0 + 0.0 is 0.0: a sum would change it."""
    assert names(chosen.trace(*arguments("float32"))).count("select") == 5


def test_scalars_are_chosen() -> None:
    @tl.kernel
    def scalar(out: tl.Tile, x: tl.Tile) -> None:
        a = x[0]
        out[0] = (a < 3).select(a + 1, a)

    assert "select" in names(scalar.trace(np.zeros(1, np.int64), np.zeros(1, np.int64)))
