"""Products of tiles against NumPy: sums and factors in every placement, layout, order and dtype."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tensorlib as tl
from tensorlib.dtypes import DType
from tensorlib.layouts import ComposedLayout, Layout, Swizzle, row_major
from tensorlib.layouts.hardware import mma, tiled_mma
from tensorlib.tests.test_tile_views import agree, ways
from tensorlib.tile import Tile
from tensorlib.tiles.product import accumulator_of

PLACES = [tl.GLOBAL, tl.SHARED, tl.WARP, tl.REGISTER]
DTYPES = [
    "int8", "uint8", "int16", "int32", "int64", "uint32", "float16", "bfloat16", "float32",
    "float64", "float8_e4m3fn", "float8_e5m2",
]  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A product: its sizes, dtype, where sum and factors are, and in which order of axes."""

    sizes: tuple[int, int, int]
    dtype: str
    places: tuple[Any, Any, Any]  # of the sum, A and B
    turned: tuple[bool, bool]  # whether A and B are given transposed
    is_swizzled: bool
    threads: int


@st.composite
def cases(draw: st.DrawFn) -> Case:
    sizes = draw(st.tuples(st.integers(1, 6), st.integers(1, 9), st.integers(1, 7)))
    places = draw(st.tuples(*[st.sampled_from(PLACES)] * 3))
    turned = draw(st.tuples(st.booleans(), st.booleans()))
    own = places[1:] == (tl.REGISTER, tl.REGISTER)  # then each thread has a product of its own
    threads = 1 if own else draw(st.sampled_from([1, 3, 32]))
    return Case(sizes, draw(st.sampled_from(DTYPES)), places, turned, draw(st.booleans()), threads)


def kernel_of(case: Case) -> Any:
    """Return a kernel that adds a product to what `c` has, twice."""
    m, n, k = case.sizes

    def layout(shape: tuple[int, ...]) -> Any:
        swizzle = Swizzle(1, 0, 2)
        return ComposedLayout(swizzle, 0, row_major(shape)) if case.is_swizzled else None

    @tl.kernel
    async def kernel(c: Tile, a: Tile, b: Tile) -> None:
        factors = []
        for x, place, is_turned, shape in tl.unroll(
            zip((a, b), case.places[1:], case.turned, ((m, k), (k, n)), strict=True)
        ):
            tile = x.slice[shape[::-1] if is_turned else shape](0, 0)
            if place is tl.REGISTER:
                tile = tile.copy[tl.REGISTER]()
            elif place is not tl.GLOBAL:
                tile = await tile.copy[place](layout=layout(tile.shape))
            factors.append(tile.transpose() if is_turned else tile)
        target = c.slice[m, n](0, 0)
        total = target
        if case.places[0] is not tl.GLOBAL:
            total = Tile[c.dtype, (m, n), case.places[0]](1)
        for _ in range(2):
            total += factors[0] @ factors[1]
        if case.places[0] is tl.REGISTER:
            if tl.thread_id() == 0:
                target.copy_from(total)
        elif case.places[0] is not tl.GLOBAL:
            target.copy_from(total)

    return kernel


def check(case: Case, run_all: bool) -> None:
    (m, n, k), dtype = case.sizes, DType.by_name[case.dtype]
    rng = np.random.default_rng(0)
    least = 0 if dtype.kind == "unsigned" else -3
    a, b = (rng.integers(least, 4, s).astype(dtype.numpy) for s in ((m, k), (k, n)))
    product = a.astype(np.float64) @ b.astype(np.float64)
    expected = (1 + 2 * product).astype(accumulator_of(dtype).numpy)
    factors = [x.T.copy() if t else x for x, t in zip((a, b), case.turned, strict=True)]
    kernel = kernel_of(case)
    for run in ways(kernel) if run_all else [kernel.python]:
        c = np.ones((m, n), expected.dtype)
        run(c, *factors, grid=1, block=case.threads)
        assert c.tobytes() == expected.tobytes(), (case, run)


@settings(max_examples=40, deadline=None)
@given(cases())
def test_products_are_numpys(case: Case) -> None:
    check(case, run_all=False)


@settings(max_examples=15, deadline=None)
@given(cases())
def test_products_agree_in_every_way(case: Case) -> None:
    check(case, run_all=True)


# --- sizes of the launch ---


@tl.kernel
def panels(c: Tile, a: Tile, b: Tile, *, M: int = 2, N: int = 4) -> None:
    """How far a product goes along K may be known at run time only."""
    depth = a.shape[1]
    for i in range(c.shape[0] // M):
        for j in range(c.shape[1] // N):
            acc = Tile[c.dtype, (M, N), tl.REGISTER](0)
            acc += a.slice[M, depth](i * M, 0) @ b.slice[depth, N](0, j * N)
            c.tile[M, N](i, j).copy_from(acc)


@pytest.mark.parametrize("depth", [0, 1, 7])
def test_a_product_goes_as_far_as_there_is(depth: int) -> None:
    rng = np.random.default_rng(1)
    a, b = (rng.integers(-4, 5, s).astype(np.float32) for s in ((4, depth), (depth, 8)))
    assert (agree(panels, np.ones((4, 8), np.float32), a, b) == a @ b).all()


# --- tiles of a block in other layouts ---


@tl.kernel
async def swizzled(c: Tile, a: Tile, b: Tile, *, tiled: Any, shape: Any, layouts: Any) -> None:
    m, n, k = shape
    left = await a.tile[m, k](0, 0).copy[tl.SHARED](layout=layouts[0], other=0)
    right = await b.tile[n, k](0, 0).copy[tl.SHARED](layout=layouts[1], other=0)
    acc = Tile[c.dtype, tl.fragment(tiled, "c", (m, n))](0)
    acc += left @ right.transpose()
    c.tile[m, n](0, 0).copy_from(acc, masked=True)


@pytest.mark.parametrize("groups", [(1, 1, 1), (1, 2, 1), (2, 1, 1)])
def test_warps_multiply_swizzled_padded_and_turned_tiles(groups: tuple[int, int, int]) -> None:
    tiled = tiled_mma(mma("m16n8k8.f16"), groups, (32, 16, None))
    shape = (32, 16, 16)
    layouts = (
        ComposedLayout(Swizzle(2, 1, 3), 0, row_major((32, 16))),
        Layout((16, 16), (18, 1)),
    )
    rng = np.random.default_rng(2)
    a, b = (rng.integers(-4, 5, s).astype(np.float16) for s in ((29, 13), (14, 13)))
    kernel = swizzled.bind(tiled=tiled, shape=shape, layouts=layouts)
    found = agree(kernel, np.zeros((29, 14), np.float32), a, b, grid=1, block=tiled.threads)
    assert (found == a.astype(np.float64) @ b.T.astype(np.float64)).all()
