"""The lanes of masks in C: as wide as what is compared and chosen, so that loops convert none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorlib as tl
from tensorlib import SIMD
from tensorlib.dtypes import as_dtype
from tensorlib.lang.target import Target, targeting
from tensorlib.tests.every_way import run_every_way


@tl.kernel
def steps(out: tl.Tile, x: tl.Tile, *, width: int) -> None:
    """Carry a mask through a loop and a branch, and join it with others."""
    kind = x.dtype
    value = x.load[width](0)
    active = SIMD["bool", width](True)
    seen = SIMD["bool", width](False)
    for i in range(20):
        if not active.reduce_or():
            break
        value = active.select(value * value.cast(kind), value)
        active = active & (value < 100) & (value > 1)
        if i > 2:
            seen = seen | ~active
    out.store[width](0, seen.select(value, value + 1))


def loop(source: str) -> str:
    """Return the lines of the innermost loop."""
    lines = source.splitlines()
    start = max(n for n, line in enumerate(lines) if line.lstrip().startswith("for ("))
    depth = len(lines[start]) - len(lines[start].lstrip())
    stop = next(n for n in range(start, len(lines)) if lines[n] == " " * depth + "}")
    return "\n".join(lines[start:stop])


@pytest.mark.parametrize("dtype", ["float32", "float64", "int16", "int64", "uint8"])
@pytest.mark.parametrize("width", [8, 32])
def test_no_loop_converts_a_mask(dtype: str, width: int) -> None:
    x = np.linspace(0, 9, width).astype(dtype)
    out = np.zeros(width, x.dtype)
    with targeting(Target("c", 32)):
        source = steps.bind(width=width).source("c", out, x)
    assert "__builtin_convertvector" not in loop(source)
    bits = as_dtype(dtype).bits
    lanes = min(width, 256 // bits)
    assert f"i{bits}x{lanes} active" in source
    run_every_way(steps.bind(width=width), out, x)


@tl.kernel
def mixed(out: tl.Tile, x: tl.Tile, y: tl.Tile, flags: tl.Tile) -> None:
    """Masks of three widths meet: those in the loop say how wide the carried one is."""
    mask = (x.load[8](0) < 3.0) & (y.load[8](0) > 1.0)
    mask = mask & flags.load[8](0)
    total = SIMD["float64", 8](0.0)
    for i in range(4):
        a = y.load[8](i)
        mask = mask | (a > total)
        total = mask.select(total + a, total)
    out.store[8](0, total)
    out.store[8](8, mask.select(x.load[8](8), 0.0).cast("float64"))
    flags.store[8](8, mask ^ SIMD["bool", 8](flags[3]))


def test_masks_of_several_widths() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal(16).astype(np.float32) * 4, rng.standard_normal(16) * 4
    flags = rng.integers(0, 2, 16).astype(bool)
    arguments: list[Any] = [np.zeros(16), x, y, flags]
    with targeting(Target("c", 32)):
        inner = loop(mixed.source("c", *arguments))
    assert "__builtin_convertvector" not in inner
    run_every_way(mixed, *arguments)


def test_zero_in_place_of_what_a_mask_leaves_out_is_an_and() -> None:
    @tl.kernel
    def kept(out: tl.Tile, x: tl.Tile) -> None:
        a = x.load[4](0)
        out.store[4](0, (a > 1.0).select(a, 0.0))
        out.store[4](4, (a > 1.0).select(a, -0.0))

    out, x = np.zeros(8, np.float32), np.array([3, -5, np.nan, 1], np.float32)
    source = kept.source("c", out, x)
    assert source.count("| (~") == 1  # -0.0 has a bit
    (got, _) = run_every_way(kept, out, x)
    assert np.signbit(got).tolist() == [False] * 5 + [True] * 3
