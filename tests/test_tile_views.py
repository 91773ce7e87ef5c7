"""Views of tiles are NumPy's: any rank and nesting, sizes that are numbers or known at run time."""

from __future__ import annotations

import gc
import itertools
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tensorlib as tl
from tensorlib.errors import KernelError
from tensorlib.lang.trace import trace
from tensorlib.layouts import ComposedLayout, Layout, Swizzle
from tensorlib.registry import REGISTRY
from tensorlib.simd import SIMD
from tensorlib.tests.compiled_kernels import agree as agree_static
from tensorlib.tile import Tile, TileType

Array = np.ndarray[Any, Any]
F32 = tl.float32


def over(*shape: int) -> tuple[Array, Tile]:
    x = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    return x, Tile.over(x, "x")


def read(tile: Tile) -> Array:
    """Return the elements of a tile of known shape, one by one."""
    sizes = [mode.size for mode in tile.layout.modes]
    found = [float(tile[at]) for at in itertools.product(*map(range, sizes))]
    return np.array(found, np.float32).reshape(sizes)


def ways(kernel: Any) -> list[Callable[..., None]]:
    found = [kernel.python, kernel.interpret]
    return found if "c" in REGISTRY.unavailable() else [*found, kernel]


def agree(kernel: Any, *arguments: Any, **launch: Any) -> Any:
    """Return the first argument, after all ways have written the same bits to it."""
    results = []
    for run in ways(kernel):
        out = arguments[0].copy()
        run(out, *arguments[1:], **launch)
        results.append(out)
    assert all(out.tobytes() == results[0].tobytes() for out in results)
    return results[0]


# --- tiles ---


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3)), min_size=1, max_size=3), st.data())
def test_tiles_of_any_rank(axes: list[tuple[int, int]], data: st.DataObject) -> None:
    x, tile = over(*(count * size for count, size in axes))
    sizes = tuple(size for _, size in axes)
    at = tuple(data.draw(st.integers(0, count - 1)) for count, _ in axes)
    where = tuple(slice(c * n, (c + 1) * n) for c, n in zip(at, sizes, strict=True))
    expected = x[where]
    assert (read(tile.tile[sizes](*at)) == expected).all()
    begin = [c * n for c, n in zip(at, sizes, strict=True)]
    assert (read(tile.slice[sizes](*begin)) == expected).all()
    found = tile._compute_tile_layout(*sizes)
    assert (read(tile.tile[sizes](*at, layout=found)) == expected).all()


@settings(max_examples=25)
@given(st.permutations([0, 1, 2]))
def test_axes_in_any_order(order: list[int]) -> None:
    x, tile = over(2, 3, 4)
    assert (read(tile.transpose(*order)) == x.transpose(order)).all()
    assert (read(tile.transpose()) == x.T).all()
    assert (read(tile.transpose(tuple(order))) == x.transpose(order)).all()
    assert (read(tile.transpose(*(axis - 3 for axis in order))) == x.transpose(order)).all()


@pytest.mark.parametrize("shape", [(24,), (4, 6), (2, 3, 4), (6, 2, 2), (24, 1), (3, -1)])
def test_reshape_is_in_row_major_order(shape: tuple[int, ...]) -> None:
    x, tile = over(4, 6)
    assert (read(tile.reshape(*shape)) == x.reshape(shape)).all()
    assert (read(tile.reshape(shape)) == x.reshape(shape)).all()
    assert (read(tile.transpose().reshape(24)) == x.T.reshape(24)).all()
    assert (read(tile.transpose().reshape(2, 3, 4)) == x.T.reshape(2, 3, 4)).all()


def test_rows_and_columns() -> None:
    x, tile = over(3, 4, 5)
    assert (read(tile[1, :, 2]) == x[1, :, 2]).all()
    assert (read(tile[:, 3, :]) == x[:, 3]).all()


def test_threads_hold_disjoint_shares_of_all() -> None:
    x, tile = over(8, 12)
    threads = Layout((4, 3), (3, 1))
    shares = [read(tile.distribute(threads, t)) for t in range(12)]
    assert (
        sorted(np.concatenate([s.reshape(-1) for s in shares]).tolist()) == x.reshape(-1).tolist()
    )
    assert (shares[5] == x[1::4, 2::3]).all()


def test_a_vectorised_tile_has_lanes_for_elements() -> None:
    x, tile = over(4, 8)
    rows, columns = tile.vectorize[4], tile.vectorize[2, 1]
    assert (rows.shape, columns.shape) == ((4, 2), (2, 8))
    assert rows[3, 1].numpy().tolist() == x[3, 4:].tolist()
    assert columns[1, 5].numpy().tolist() == x[2:4, 5].tolist()
    rows[0, 1] = rows[0, 1] * -1
    assert x[0].tolist() == [0, 1, 2, 3, -4, -5, -6, -7]
    assert repr(rows) == "Tile[float32 of 4 lanes, (4,2):(8,4), global]"
    assert tile.vectorize[1] is tile
    assert rows.fill(7)[2, 0].numpy().tolist() == [7] * 4
    assert (x == 7).all()


# --- nested layouts ---


NESTED = [
    Layout(((2, 2), (4, 2)), ((1, 8), (2, 16))),
    Layout((4, (2, 4)), (8, (4, 1))),
    Layout(((2, 3), 4), ((12, 4), 1)),
    Layout(24),
]


@pytest.mark.parametrize("layout", NESTED, ids=str)
def test_a_tile_of_any_layout_is_its_function(layout: Layout) -> None:
    memory = np.arange(layout.cosize, dtype=np.float32)
    tile = Tile[F32, layout, tl.GLOBAL](Tile.over(memory))
    sizes = [mode.size for mode in layout.modes]
    expected = [[layout(*at)] for at in itertools.product(*map(range, sizes))]
    assert (read(tile).reshape(-1, 1) == memory[expected]).all()
    assert tile.layout == (layout if layout.rank > 1 else Layout((24,), (1,)))
    assert tile.size == layout.size


def test_coordinates_may_be_nested_as_the_layout_is() -> None:
    layout = NESTED[0]
    tile = Tile[F32, layout, tl.GLOBAL](Tile.over(np.arange(layout.cosize, dtype=np.float32)))
    assert float(tile[(1, 1), (2, 1)]) == layout(((1, 1), (2, 1)))
    assert float(tile[(1, 0), 5]) == layout((1, 0), 5)


@pytest.mark.parametrize("start", [0, 2, 3, 4])
def test_vectors_follow_a_nested_axis(start: int) -> None:
    layout = Layout((2, (4, 2)), (4, (1, 8)))
    memory = np.arange(16, dtype=np.float32)
    tile = Tile[F32, layout, tl.GLOBAL](Tile.over(memory))
    expected = [float(layout(1, start + i)) for i in range(4)]
    assert tile.load[4](1, start).numpy().tolist() == expected
    tile.store[4](1, start, tile.load[4](1, start) + 100)
    assert memory[[int(e) for e in expected]].tolist() == [e + 100 for e in expected]


def test_tiles_of_a_nested_layout() -> None:
    layout = Layout(((2, 4), 6), ((1, 12), 2))
    memory = np.arange(layout.cosize, dtype=np.float32)
    tile = Tile[F32, layout, tl.GLOBAL](Tile.over(memory))
    whole = read(tile)
    for m, n in itertools.product(range(2), range(3)):
        assert (read(tile.tile[4, 2](m, n)) == whole[4 * m :, 2 * n :][:4, :2]).all()
    spread = tile.tile[Layout(4, 2), 2](1, 0)
    assert (read(spread) == whole[1::2, :2]).all()


def nested(out: Tile, x: Tile, n: SIMD) -> None:
    for i in range(n):
        row = x.tile[2, 4](i, 1)
        for j in range(2):
            out.store[4](i * 8 + j * 4, row.load[4](j, 0))


def test_nested_tiles_and_gathers_agree_in_every_mode() -> None:
    def kernel(out: Tile, x: Tile, n: SIMD) -> None:
        layout = Layout(((2, 4), (2, 4)), ((1, 16), (2, 4)))
        nested(out, Tile[F32, layout, tl.GLOBAL](x), n)

    x = np.arange(64, dtype=np.float32)
    agree_static(kernel, {"out": np.zeros(32, np.float32), "x": x, "n": SIMD["int64", 1](4)})


def test_a_parameter_may_have_a_nested_layout_with_sizes_of_the_launch() -> None:
    def kernel(x: Tile) -> None:
        x[(0, 1), 2] = x[1, 0]

    n = tl.Dim("n")
    kind = TileType.of("float32", Layout(((2, n), 8), ((1, 2), 2 * n)))
    made = trace(kernel, {"x": kind})
    assert [p.name for p in made.parameters] == ["n", "x"] or [p.name for p in made.parameters] == [
        "x",
        "n",
    ]


def test_swizzled_memory_holds_what_was_stored() -> None:
    @tl.kernel
    def through(out: Tile, x: Tile) -> None:
        layout = ComposedLayout(Swizzle(3, 0, 3), 0, Layout((8, 8), (8, 1)))
        smem = Tile[F32, layout, tl.SHARED]()
        t = tl.thread_id()
        for j in range(8):
            smem[t, j] = x[t, j]
        tl.barrier()
        for j in range(8):
            out[t, j] = smem[j, t]
        out.store[4](t, 0, out.load[4](t, 0) + smem.load[4](t, 4))

    x = np.arange(64, dtype=np.float32).reshape(8, 8)
    expected = x.T.copy()
    expected[:, :4] += x[:, 4:]
    assert (agree(through, np.zeros_like(x), x, grid=1, block=8) == expected).all()
    layout = ComposedLayout(Swizzle(3, 0, 3), 0, Layout((8, 8), (8, 1)))
    kind = Tile[F32, layout, tl.REGISTER]
    assert repr(kind()) == "Tile[float32, Sw<3,0,3> o (8,8):(8,1), register]"
    assert repr(kind) == "Tile[float32, Sw<3,0,3> o 0 o (8,8):(8,1), register]"


# --- sizes of the launch ---


@tl.kernel
def views(out: Tile, x: Tile) -> None:
    t = tl.thread_id()
    mine = x.distribute(Layout((2, 4), (4, 1)), t)
    out[0, t] = mine[1, 0] + x.transpose()[1, 0] * 100.0
    wide = x.vectorize[2]
    out[1, t] = wide[t % 4, t % 2].reduce_add()
    flat = x.slice[2, 4](1, 0).reshape(8)
    out[2, t] = flat[t] + x.slice[4, 8](0, 0).reshape(4, 2, 4)[t % 4, 1, t // 4]
    out[3, t] = x[t % 4, :][t // 4] + x.tile[Layout(2, 1), 4](1, 1)[0, t % 4]


def test_views_of_what_is_known_at_run_time() -> None:
    x = np.arange(32, dtype=np.float32).reshape(4, 8)
    out = agree(views, np.zeros((4, 8), np.float32), x, grid=1, block=8)
    t = np.arange(8)
    assert (out[0] == x[2 + t // 4, t % 4] + 100).all()
    assert (out[1] == x[t % 4, t % 2 * 2] + x[t % 4, t % 2 * 2 + 1]).all()
    assert (out[2] == x[1:3, :4].reshape(8) + x.reshape(4, 2, 4)[t % 4, 1, t // 4]).all()
    assert (out[3] == x[t % 4, t // 4] + x[2, 4 + t % 4]).all()


@tl.kernel
def ragged(out: Tile, x: Tile, *, size: int = 4) -> None:
    for i in range((x.shape[0] + size - 1) // size):
        for j in range((x.shape[1] + size - 1) // size):
            tile = x.tile[size, size](i, j)
            inner = tile.tile[2, 4](1, 0)
            for k in range(2):
                mask = inner.mask[4](k, 0)
                value = inner.load[4](k, 0, mask=mask, other=-1.0)
                place = out.tile[size, size](i, j).tile[2, 4](1, 0)
                place.store[4](k, 0, value + 1.0, mask=place.mask[4](k, 0))
            own = tile.copy[tl.REGISTER](other=9.0)
            own += own
            out.tile[size, size](i, j).tile[2, 4](0, 0).copy_from(own.tile[2, 4](0, 0), masked=True)


@pytest.mark.parametrize("shape", [(4, 4), (5, 7), (7, 3), (1, 9)])
def test_masks_end_where_the_memory_does(shape: tuple[int, int]) -> None:
    x = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    out = agree(ragged, np.full_like(x, -5), x)
    rows = np.arange(shape[0])[:, None] % 4 < 2
    assert (out == np.where(rows, x + x, x + 1)).all()


@tl.kernel
def moving(out: Tile, x: Tile) -> None:
    """A tile that a loop assigns another part of, with the edges that this one has."""
    part = x.tile[4](0)
    for i in range((x.size + 3) // 4):
        part = x.tile[4](i)
        out.store[4](0, out.load[4](0) + part.load[4](0, mask=part.mask[4](0)))
    out[4] = part.load[4](0, mask=part.mask[4](0)).reduce_add()


def test_a_carried_tile_keeps_its_edges() -> None:
    x = np.arange(1, 7, dtype=np.float32)
    out = agree(moving, np.zeros(5, np.float32), x)
    assert out.tolist() == [1 + 5, 2 + 6, 3, 4, 11]


# --- types of the user ---


@dataclass(frozen=True)
class Window:
    tile: Tile
    total: SIMD


@tl.kernel
def carried(out: Tile, x: Tile) -> None:
    window = Window(x.tile[2](0), x[0] * 0.0)
    for i in range(x.size // 2):
        here = x.tile[2](i)
        window = Window(here, window.total + here[0] * here[1])
    out[0], out[1] = window.total, window.tile[1]


def test_a_dataclass_of_tiles_and_numbers_is_carried() -> None:
    x = np.arange(1, 7, dtype=np.float32)
    assert agree(carried, np.zeros(2, np.float32), x).tolist() == [2 + 12 + 30, 6]


@dataclass(frozen=True)
class Affine:
    """A function with numbers of its own, as users write them."""

    scale: Any
    shift: Any

    def __call__(self, value: SIMD) -> SIMD:
        return value.fma(self.scale, self.shift)


class Pair(NamedTuple):
    first: Any
    second: Any


@tl.kernel
def applied(out: Tile, pair: Pair, function: Affine, *, width: int = 4) -> None:
    for i in range(0, out.size, width):
        value = function(pair.first.load[width](i))
        out.store[width](i, value + pair.second.load[width](i))


@pytest.mark.parametrize("width", [1, 4])
def test_arguments_may_be_dataclasses_and_tuples(width: int) -> None:
    x = np.arange(8, dtype=np.float32)
    pair, function = Pair(x, x[::-1].copy()), Affine(2.0, 0.5)
    out = agree(applied.bind(width=width), np.zeros(8, np.float32), pair, function)
    assert (out == x * 2 + 0.5 + x[::-1]).all()
    other = agree(applied, np.zeros(8, np.float32), pair, Affine(np.float32(3), 1.0))
    assert (other == x * 3 + 1 + x[::-1]).all()
    names = [p.name for p in applied.trace(out, pair, function).parameters]
    assert [n for n in names if "_n" not in n] == [
        "out", "pair_first", "pair_second", "function_scale", "function_shift",
    ]  # fmt: skip


@tl.kernel
def counted(pair: Pair, here: tl.Atomic) -> None:
    here += pair.first[tl.thread_id()] * pair.second


def test_parts_are_arguments_of_a_grid_too() -> None:
    x = np.arange(8, dtype=np.float32)
    for run in ways(counted):
        total = np.zeros(1, np.float32)
        run(Pair(x, 2.0), total, grid=1, block=8)
        assert total[0] == 56


def test_no_argument_is_kept_alive() -> None:
    x = np.zeros(8, np.float32)
    pair, seen = Pair(x, x.copy()), weakref.ref(x)
    applied.trace(np.zeros(8, np.float32), pair, Affine(1.0, 1.0))
    del x, pair
    gc.collect()
    assert seen() is None


def test_a_part_is_named_in_errors() -> None:
    with pytest.raises(KernelError, match="applied: pair_second is a str, needed an array"):
        applied.trace(np.zeros(8, np.float32), Pair(np.zeros(8), "x"), Affine(1.0, 1.0))


def test_a_dataclass_of_types_is_a_parameter() -> None:
    def kernel(out: Tile, window: Window) -> None:
        out[0] = window.tile[1] + window.total

    window = Window(
        TileType(F32, (4,), (1,)),  # type: ignore[arg-type]
        tl.SIMD[F32, 1],  # type: ignore[arg-type]
    )
    made = trace(kernel, {"out": TileType(F32, (1,), (1,)), "window": window})
    assert [p.name for p in made.parameters] == ["out", "window0", "window1"]
