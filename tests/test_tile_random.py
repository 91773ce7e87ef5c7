"""Random programs of tiles against NumPy: ranks 1 to 4, ragged edges, every dtype and placement."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import tensorlib as tl
from tensorlib.dtypes import DType
from tensorlib.errors import KernelError
from tensorlib.layouts import ComposedLayout, Layout, Swizzle, row_major
from tensorlib.tests.test_tile_views import ways
from tensorlib.tile import Tile

Array = np.ndarray[Any, Any]
Step = tuple[Any, ...]
DTYPES = [
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16",
    "bfloat16", "float32", "float64", "float8_e4m3fn", "float8_e5m2", "float8_e8m0fnu",
    "float4_e2m1fn",
]  # fmt: skip
NUMBERS = [name for name in DTYPES if name != "bool" and not DType.by_name[name].is_coded]


@dataclass(frozen=True)
class Program:
    """Views of an array, one of another, and what becomes of the last."""

    shape: tuple[int, ...]
    dtype: str
    steps: tuple[Step, ...]
    is_ragged: bool
    placement: Any
    layout: Any  # of the copy
    fold: tuple[str, int] | None  # an operator and an axis
    threads: int

    @property
    def fill(self) -> Any:
        """What is read past an edge."""
        return True if self.dtype == "bool" else 1


# --- random programs ---


@st.composite
def programs(draw: st.DrawFn, dtypes: list[str] = DTYPES) -> Program:
    rank = draw(st.integers(1, 4))
    shape = tuple(draw(st.integers(1, 6 if rank < 3 else 4)) for _ in range(rank))
    sizes = tuple(draw(st.integers(1, n + 1)) for n in shape)
    at = tuple(draw(st.integers(0, (n - 1) // m)) for n, m in zip(shape, sizes, strict=True))
    steps: list[Step] = [("tile", sizes, at)]
    ends = [(c + 1) * m for c, m in zip(at, sizes, strict=True)]
    is_ragged = any(e > n for e, n in zip(ends, shape, strict=True))
    current = sizes
    for _ in range(draw(st.integers(0, 4))):
        step, current = draw(st.sampled_from(list(STEPS.values())))(draw, current, is_ragged)
        steps.append(step)
    dtype = draw(st.sampled_from(dtypes))
    placement = draw(st.sampled_from([tl.REGISTER, tl.SHARED, tl.WARP]))
    folds = [None, *itertools.product(["add", "max"], range(len(current)))]
    fold = draw(st.sampled_from(folds)) if dtype in NUMBERS else None
    layout = draw(st.sampled_from(layouts(current)))
    threads = 1 if placement is tl.REGISTER else draw(st.sampled_from([1, 3, 32]))
    return Program(shape, dtype, tuple(steps), is_ragged, placement, layout, fold, threads)


def layouts(shape: tuple[int, ...]) -> list[Any]:
    """Return layouts for a copy: in order, turned around, padded, and swizzled."""
    padded = [1]
    for n in reversed(shape[1:]):
        padded.insert(0, padded[0] * n + 1)
    swizzled = ComposedLayout(Swizzle(2, 0, 2), 0, row_major(shape))
    return [None, Layout(shape), Layout(shape, tuple(padded)), swizzled]


def sliced(draw: Any, shape: tuple[int, ...], _: bool) -> tuple[Step, tuple[int, ...]]:
    sizes = tuple(draw(st.integers(1, n)) for n in shape)
    at = tuple(draw(st.integers(0, n - m)) for n, m in zip(shape, sizes, strict=True))
    return ("slice", sizes, at), sizes


def tiled(draw: Any, shape: tuple[int, ...], _: bool) -> tuple[Step, tuple[int, ...]]:
    sizes = tuple(draw(st.sampled_from(divisors(n))) for n in shape)
    at = tuple(draw(st.integers(0, n // m - 1)) for n, m in zip(shape, sizes, strict=True))
    return ("tile", sizes, at), sizes


def transposed(draw: Any, shape: tuple[int, ...], _: bool) -> tuple[Step, tuple[int, ...]]:
    order = tuple(draw(st.permutations(range(len(shape)))))
    return ("transpose", order), tuple(shape[axis] for axis in order)


def rows(draw: Any, shape: tuple[int, ...], _: bool) -> tuple[Step, tuple[int, ...]]:
    if len(shape) == 1:
        return ("transpose", (0,)), shape
    axis = draw(st.integers(0, len(shape) - 1))
    at = tuple(draw(st.integers(0, n - 1)) if a == axis else None for a, n in enumerate(shape))
    return ("row", at), tuple(n for a, n in enumerate(shape) if a != axis)


def shares(draw: Any, shape: tuple[int, ...], _: bool) -> tuple[Step, tuple[int, ...]]:
    threads = tuple(draw(st.sampled_from(divisors(n))) for n in shape)
    thread = draw(st.integers(0, math.prod(threads) - 1))
    return ("distribute", threads, thread), tuple(
        n // m for n, m in zip(shape, threads, strict=True)
    )


def reshaped(draw: Any, shape: tuple[int, ...], is_ragged: bool) -> tuple[Step, tuple[int, ...]]:
    if is_ragged:  # an edge has no place in another shape
        return ("transpose", tuple(range(len(shape)))), shape
    size, found = math.prod(shape), []
    for _ in range(draw(st.integers(0, 2))):
        found.append(draw(st.sampled_from(divisors(size))))
        size //= found[-1]
    return ("reshape", (*found, size)), (*found, size)


def divisors(n: int) -> list[int]:
    return [m for m in range(1, n + 1) if n % m == 0]


STEPS = {
    "slice": sliced, "tile": tiled, "transpose": transposed, "row": rows, "distribute": shares,
    "reshape": reshaped,
}  # fmt: skip


def viewed(tile: Any, steps: tuple[Step, ...]) -> Any:
    """Return the view of a tile."""
    for name, *parts in steps:
        if name in ("tile", "slice"):
            tile = getattr(tile, name)[parts[0]](*parts[1])
        elif name == "row":
            tile = tile[tuple(slice(None) if c is None else c for c in parts[0])]
        elif name == "distribute":
            tile = tile.distribute(row_major(parts[0]), parts[1])
        elif name == "reshape":
            tile = tile.reshape(*parts[0])
        else:
            tile = tile.transpose(*parts[0])
    return tile


def view_of_array(x: Array, steps: tuple[Step, ...]) -> Array:
    """Return the view of an array with NumPy."""
    for name, *parts in steps:
        if name in ("tile", "slice"):
            pairs = list(zip(parts[1], parts[0], strict=True))
            starts = [c if name == "slice" else c * n for c, n in pairs]
            x = x[tuple(slice(s, s + n) for s, n in zip(starts, parts[0], strict=True))]
        elif name == "row":
            x = x[tuple(slice(None) if c is None else c for c in parts[0])]
        elif name == "distribute":
            at = np.unravel_index(parts[1], parts[0])
            x = x[tuple(slice(int(c), None, n) for c, n in zip(at, parts[0], strict=True))]
        elif name == "reshape":
            moved = x.reshape(parts[0])
            assume(np.shares_memory(moved, x))  # a view can't be had of all arrays
            x = moved
        else:
            x = x.transpose(parts[0])
    return x


def write(target: Any, source: Any) -> None:
    """Store every element; a tile without axes as one with one."""
    for at in itertools.product(*map(range, source.shape)):
        target[at or 0] = source[at]


def kernel_of(program: Program) -> Any:
    """Return a kernel that copies a view, folds it, and writes the copy back through the view."""
    other = program.fill if program.is_ragged else None

    @tl.kernel
    async def kernel(out: Tile, folded: Tile, back: Tile, x: Tile) -> None:
        view = viewed(x, program.steps)
        own = view.copy[program.placement](layout=program.layout, other=other)
        if program.placement is not tl.REGISTER:
            own = await own
        line = (
            Tile[out.dtype, 1](program.fill) if program.fold is None else own.reduce(*program.fold)
        )
        if tl.thread_id() == 0:
            write(out, own)
            write(folded, line)
        viewed(back, program.steps).copy_from(own, masked=program.is_ragged)

    return kernel


def values(program: Program, shape: tuple[int, ...], seed: int) -> Array:
    """Return numbers with exact sums, or any codes."""
    rng, dtype = np.random.default_rng(seed), DType.by_name[program.dtype]
    if dtype.is_coded:
        most = 16 if program.dtype == "float4_e2m1fn" else 256
        return rng.integers(0, most, shape).astype(np.uint8).view(dtype.numpy)
    return rng.integers(0, 2 if program.dtype == "bool" else 5, shape).astype(dtype.numpy)


def expected_of(program: Program, x: Array, back: Array) -> tuple[Array, Array, Array]:
    """Return what a kernel writes: the copy, the folded copy, and the array written back."""
    sizes, at = program.steps[0][1:]
    ends = [max(n, (c + 1) * m) for n, m, c in zip(x.shape, sizes, at, strict=True)]
    whole = np.full(ends, program.fill, x.dtype)
    written = np.zeros(ends, x.dtype)
    inside = tuple(slice(n) for n in x.shape)
    whole[inside], written[inside] = x, back
    own = view_of_array(whole, program.steps).copy()
    view_of_array(written, program.steps)[...] = own
    fold = np.full(1, program.fill, x.dtype)
    if program.fold is not None:
        name, axis = program.fold
        fold = own.max(axis) if name == "max" else own.sum(axis, dtype=x.dtype)
    return own, np.atleast_1d(fold), written[inside]


def check(program: Program, run_all: bool) -> None:
    kernel = kernel_of(program)
    x, back = values(program, program.shape, 0), values(program, program.shape, 1)
    expected = expected_of(program, x, back)
    found = ways(kernel)
    for run in found if run_all else found[:1]:
        given = [np.zeros_like(e) for e in expected[:2]] + [back.copy()]
        run(*given, x, grid=1, block=program.threads)
        for got, wanted in zip(given, expected, strict=True):
            assert got.tobytes() == np.ascontiguousarray(wanted).tobytes(), (program, run)


# --- without elements, and by vectors ---


@tl.kernel
def nothing(out: Tile, x: Tile) -> None:
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            out[0] += x[i, j]
    edge = x.tile[2, 2](0, 0).copy[tl.REGISTER](other=7.0)
    out.store[2](1, edge.load[2](1, 0))
    x.tile[2, 2](0, 0).copy_from(edge, masked=True)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_an_array_without_elements_is_one_edge(shape: tuple[int, ...]) -> None:
    for run in ways(nothing):
        out = np.zeros(3, np.float32)
        run(out, np.zeros(shape, np.float32))
        assert out.tolist() == [0, 7, 7]


@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0, 4), (1, 2, 3, 0)])
def test_views_without_elements(shape: tuple[int, ...]) -> None:
    tile = Tile.over(np.zeros(shape, np.float32))
    assert tile.transpose().shape == shape[::-1]
    assert tile.reshape(5, 0).shape == (5, 0)
    assert tile.copy[tl.REGISTER]().fill(1).shape == shape
    assert tile.copy_from(tile).size == 0
    assert not tile.mask[4](*[0] * len(shape)).any()
    with pytest.raises(KernelError, match=r"reduce: got .*, needed an element"):
        tile.reduce("add")
    axis = shape.index(0)
    with pytest.raises(KernelError, match=rf"reduce: got axis {axis} of .*, needed an axis with"):
        tile.reduce("add", axis)
    if len(shape) > 1:
        assert tile.reduce("add", (axis + 1) % len(shape)).size == 0


@tl.kernel
def by_vectors(out: Tile, x: Tile, *, order: tuple[int, ...], width: int) -> None:
    """Every run of `width` elements along the last axis of the turned tile, doubled."""
    turned, target = x.transpose(*order), out
    lines = turned.shape[0] * turned.shape[1]
    for line in range(lines):
        i, j = line // turned.shape[1], line % turned.shape[1]
        for k in range(0, turned.shape[2], width):
            mask = turned.slice[1, 1, width](i, j, k).mask[width](0, 0, 0)
            value = turned.load[width](i, j, k, mask=mask, other=0)
            target.store[width](line, k, value + value, mask=mask)


@settings(max_examples=12, deadline=None)
@given(
    st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 9)),
    st.permutations([0, 1, 2]),
    st.sampled_from([1, 2, 4, 8]),
    st.sampled_from(["int8", "int16", "float16", "bfloat16", "float32", "float64"]),
)
def test_vectors_of_strided_and_ragged_axes(
    shape: tuple[int, ...], order: list[int], width: int, dtype: str
) -> None:
    size = math.prod(shape)
    x = (np.arange(size) % 31).astype(DType.by_name[dtype].numpy).reshape(shape)
    expected = np.ascontiguousarray(x.transpose(order)).reshape(-1, shape[order[-1]])
    kernel = by_vectors.bind(order=tuple(order), width=width)
    for run in ways(kernel):
        out = np.zeros_like(expected)
        run(out, x)
        assert out.tobytes() == (expected + expected).tobytes()


# --- programs ---


@settings(max_examples=60, deadline=None)
@given(programs())
def test_programs_of_tiles_are_numpys(program: Program) -> None:
    check(program, run_all=False)


@settings(max_examples=20, deadline=None)
@given(programs())
def test_programs_of_tiles_agree_in_every_way(program: Program) -> None:
    check(program, run_all=True)
