"""Copies, arithmetic and reductions of tiles: every placement, one thread or many, every way."""

from __future__ import annotations

from operator import add
from typing import Any

import numpy as np
import pytest

import tensorlib as tl
from tensorlib.lang.awaiting import awaited
from tensorlib.layouts import Layout
from tensorlib.tests.test_tile_views import agree
from tensorlib.tile import Tile

F32 = np.float32


def reals(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).standard_normal(shape).astype(F32)


# --- arithmetic in registers ---


@tl.kernel
def arithmetic(out: Tile, x: Tile, y: Tile, scale: tl.Scalar) -> None:
    a, b = x.tile[2, 4](0, 0).copy[tl.REGISTER](), y.tile[2, 4](0, 0).copy[tl.REGISTER]()
    c = (a + b) * scale - 2.0 * a / b
    c += a
    c += 0.5
    d = Tile[tl.float32, (2, 4), tl.REGISTER](1.5)
    out.tile[2, 4](0, 0).copy_from(c * d - (1.0 - b) + (3.0 + a))


def test_arithmetic_goes_element_by_element() -> None:
    x, y = reals(2, 4), reals(2, 4, seed=1)
    out = agree(arithmetic, np.zeros((2, 4), F32), x, y, 0.25)
    c = (x + y) * F32(0.25) - F32(2) * x / y + x + F32(0.5)
    assert (out == c * F32(1.5) - (1 - y) + (3 + x)).all()


@tl.kernel
def outer(out: Tile, x: Tile, y: Tile) -> None:
    """The talk's micro-kernel: a cache of vectors, by rows of a and vectors of b."""
    c_cache = Tile[tl.float32, (4, 8), tl.REGISTER](0).vectorize[8]
    for k in range(x.shape[1]):
        b = y.tile[1, 8](k, 0)
        for m in tl.unroll(range(4)):
            c_cache[m, 0] += x[m, k] * b.load[8](0, 0)
    out.vectorize[8].tile[4, 1](0, 0).copy_from(c_cache + c_cache)


def test_a_cache_of_vectors() -> None:
    x, y = reals(4, 5), reals(5, 8, seed=1)
    out = agree(outer, np.zeros((4, 8), F32), x, y)
    np.testing.assert_allclose(out, 2 * x.astype(np.float64) @ y, rtol=1e-5, atol=1e-6)


# --- products ---


@tl.kernel
def blocked(c: Tile, a: Tile, b: Tile, *, M: int = 4, N: int = 8, K: int = 2) -> None:
    for i in range(c.shape[0] // M):
        for j in range(c.shape[1] // N):
            acc = Tile[c.dtype, (M, N), tl.REGISTER](0)
            for k in range(a.shape[1] // K):
                a_tile = a.tile[M, K](i, k).copy[tl.REGISTER]()
                acc += a_tile @ b.tile[K, N](k, j).copy[tl.REGISTER]()
            c.tile[M, N](i, j).copy_from(acc)


def fused(a: Any, b: Any) -> Any:
    """The product in float32, added along K with fused multiply-adds."""
    total = np.zeros((a.shape[0], b.shape[1]), F32)
    for k in range(a.shape[1]):
        exact = a[:, k : k + 1].astype(np.longdouble) * b[k].astype(np.longdouble)
        total = (exact + total).astype(F32)
    return total


@pytest.mark.parametrize("block", [(4, 8, 2), (8, 2, 3), (1, 16, 6), (2, 1, 1)])
def test_products_are_fused_along_k(block: tuple[int, int, int]) -> None:
    a, b = reals(8, 6), reals(6, 16, seed=1)
    out = agree(blocked.bind(**dict(zip("MNK", block, strict=True))), np.zeros((8, 16), F32), a, b)
    if np.finfo(np.longdouble).nmant >= 63:
        assert (out == fused(a, b)).all()
    np.testing.assert_allclose(out, a.astype(np.float64) @ b, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "int8", "float64", "float8_e4m3fn"])
def test_narrow_numbers_are_added_in_wide_ones(dtype: str) -> None:
    kind = tl.DType.by_name[dtype].numpy
    rng = np.random.default_rng(2)
    a, b = (rng.integers(-9, 9, shape).astype(kind) for shape in ((4, 6), (6, 8)))
    wide = {"int8": np.int32, "float64": np.float64}.get(dtype, F32)
    out = agree(blocked, np.zeros((4, 8), wide), a, b)
    assert (out == a.astype(wide) @ b.astype(wide)).all()


@tl.kernel
async def kept(out: Tile, x: Tile) -> None:
    """A product is one of the numbers that its factors held when it was made."""
    a, b = x.tile[2, 2](0, 0).copy[tl.REGISTER](), x.tile[2, 2](0, 1).copy[tl.REGISTER]()
    p = a @ b
    a.fill(0)
    total = p + b
    out.tile[2, 2](0, 0).copy_from(total)
    out.tile[2, 2](0, 1).copy_from(p)
    out.tile[2, 2](0, 2).copy_from((await p) + p.tile())


def test_a_product_is_of_the_moment() -> None:
    x = np.arange(8, dtype=F32).reshape(2, 4)
    p = x[:, :2] @ x[:, 2:]
    out = agree(kept, np.zeros((2, 6), F32), x)
    assert (out == np.hstack([p + x[:, 2:], p, 2 * p])).all()
    t = Tile[tl.float32, (2, 2), tl.REGISTER](1)
    assert repr(t @ t) == "<product of shape (2, 2) in float32>"


# --- copies ---


@tl.kernel
async def staged(out: Tile, x: Tile, *, rows: int, columns: int, layout: Any = None) -> None:
    smem = x.tile[rows, columns](tl.block_id(), 0).copy[tl.SHARED](layout=layout)
    out.tile[rows, columns](tl.block_id(), 0).copy_from(await smem)


@pytest.mark.parametrize("threads", [1, 6, 8, 40])
@pytest.mark.parametrize("shape", [(4, 8), (3, 5), (1, 12), (8, 1)])
def test_a_block_brings_a_tile_whatever_its_size(threads: int, shape: tuple[int, int]) -> None:
    rows, columns = shape
    x = reals(2 * rows, columns)
    kernel = staged.bind(rows=rows, columns=columns)
    assert (agree(kernel, np.zeros_like(x), x, grid=2, block=threads) == x).all()


def test_a_copy_may_change_the_layout() -> None:
    x = reals(8, 6)
    for layout in (Layout((4, 6)), Layout(((2, 2), 6), ((12, 1), 2)), Layout((4, 6), (7, 1))):
        kernel = staged.bind(rows=4, columns=6, layout=layout)
        assert (agree(kernel, np.zeros_like(x), x, grid=2, block=(4, 2)) == x).all()


@tl.kernel
async def in_a_cluster(out: Tile, x: Tile) -> None:
    tile = await x.tile[2, 6](tl.block_id(), 0).copy[tl.CLUSTER]()
    out[tl.block_id(), tl.thread_id()] = tile.reduce("max") + tile[1, tl.thread_id()]


def test_a_cluster_of_one_block() -> None:
    x = reals(6, 6)
    out = agree(in_a_cluster, np.zeros((3, 6), F32), x, grid=3, block=6)
    assert (out == x.reshape(3, 12).max(1)[:, None] + x[1::2]).all()


@tl.kernel
async def ragged(out: Tile, x: Tile) -> None:
    i, j = tl.block_id(1), tl.block_id(0)
    tile = await x.tile[4, 4](i, j).copy[tl.SHARED](other=-1.0)
    total = tile.reduce("add")
    part = out.tile[4, 4](i, j)
    part.copy_from(tile, masked=True)
    if tl.thread_id() == 0:
        part[0, 0] = total


@pytest.mark.parametrize("shape", [(4, 8), (5, 6), (3, 1)])
def test_what_lies_past_an_edge_is_filled_in_and_left_out(shape: tuple[int, int]) -> None:
    x = np.arange(1, np.prod(shape) + 1, dtype=F32).reshape(shape)
    grid = (-(-shape[1] // 4), -(-shape[0] // 4))
    out = agree(ragged, np.zeros_like(x), x, grid=grid, block=6)
    padded = np.pad(x, [(0, -n % 4) for n in shape], constant_values=-1)
    expected = x.copy()
    for i in range(0, shape[0], 4):
        for j in range(0, shape[1], 4):
            expected[i, j] = padded[i : i + 4, j : j + 4].sum()
    assert (out == expected).all()


@tl.kernel
async def by_warps(out: Tile, x: Tile) -> None:
    w = tl.warp_id()
    own = await x.tile[1, 40](w, 0).copy[tl.WARP]()
    best = own.reduce("max")
    again = own.copy[tl.REGISTER]()
    if tl.lane_id() == 0:
        out[w, 0], out[w, 1] = best, again.reduce("min")


def test_a_warp_has_memory_of_its_own() -> None:
    x = reals(3, 40)
    out = agree(by_warps, np.zeros((3, 2), F32), x, grid=1, block=96)
    assert (out == np.stack([x.max(1), x.min(1)], 1)).all()


@tl.kernel
async def carried(out: Tile, x: Tile) -> None:
    """A copy on its way is carried by a loop: its destination and its tokens."""
    buffers = Tile[x.dtype, (2, 8), tl.SHARED]()
    coming = x.tile[1, 8](0, 0).copy[tl.SHARED](into=buffers.tile[1, 8](0, 0))
    total = x[0, 0] * 0.0
    for i in range(1, x.shape[0]):
        here = await coming
        coming = x.tile[1, 8](i, 0).copy[tl.SHARED](into=buffers.tile[1, 8](i % 2, 0))
        total = total + here[0, 7 - tl.thread_id()]
        tl.barrier()
    out[tl.thread_id()] = total + (await coming)[0, tl.thread_id()]


def test_a_copy_on_its_way_is_carried() -> None:
    x = np.arange(40, dtype=F32).reshape(5, 8)
    out = agree(carried, np.zeros(8, F32), x, grid=1, block=8)
    assert (out == x[:-1, ::-1].sum(0) + x[-1]).all()
    shown = repr(Tile.over(x).copy[tl.REGISTER]())
    assert shown == "Tile[float32, (5,8):(8,1), register]"


# --- reductions ---


@tl.kernel
async def reduced(out: Tile, x: Tile, *, size: int) -> None:
    smem = await x.tile[size](0).copy[tl.SHARED]()
    found = [
        smem.reduce("add"),
        await smem.reduce(lambda p, q: p.max(q)),
        (await x.tile[size](0).copy[tl.WARP]()).reduce(add),
        x.tile[size](0).copy[tl.REGISTER]().reduce("multiply"),
        x.load_tile[tl.WARP](tl.lane_id()).reduce(add),
        x.load_tile[tl.WARP](tl.lane_id(), width=2, other=-9.0).reduce("max"),
    ]
    for place, value in enumerate(found):
        out[place, tl.thread_id()] = value


@pytest.mark.parametrize("threads", [1, 7, 32, 64])
@pytest.mark.parametrize("size", [1, 5, 32, 70])
def test_all_elements_are_reduced_and_every_thread_has_the_result(threads: int, size: int) -> None:
    x = np.random.default_rng(3).choice([1, 2, -1, -2], size).astype(F32)
    kernel = reduced.bind(size=size)
    out = agree(kernel, np.zeros((6, threads), F32), x, grid=1, block=threads)
    lanes = min(threads, 32)
    expected = [x.sum(), x.max(), x.sum(), x.prod(), x[:lanes].sum()]
    pairs = np.pad(x, (0, max(0, 2 * lanes - size)), constant_values=-9)[: 2 * lanes]
    assert (out == np.array([*expected, pairs.max()], F32)[:, None]).all()


def test_a_reduction_is_there_at_once_and_may_be_awaited() -> None:
    total = Tile.over(np.arange(6, dtype=F32)).reduce("add")
    assert float(total) == 15
    assert float(awaited(total)) == 15
    assert float(Tile.over(np.arange(1, 6)).reduce(lambda a, b: a * b)) == 120
