# ruff: noqa: E501  (one row an error)
"""Tiles: coordinates to elements, sub-tiles, strided and masked access, and every error sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorlib.dtypes import DType
from tensorlib.errors import KernelError
from tensorlib.ir import Placement, walk
from tensorlib.lang.control import unroll
from tensorlib.lang.trace import trace
from tensorlib.layouts.dim import Dim
from tensorlib.simd import SIMD
from tensorlib.tests.compiled_kernels import agree, types_of
from tensorlib.tile import Tile, TileType, stack_allocation

F32, U8 = DType.float32, DType.uint8


def over(*shape: int) -> tuple[np.ndarray[Any, Any], Tile]:
    x = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    return x, Tile.over(x, "x")


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.data())
def test_elements_are_where_numpy_has_them(shape: list[int], data: st.DataObject) -> None:
    x, tile = over(*shape)
    where = tuple(data.draw(st.integers(0, n - 1)) for n in shape)
    assert float(tile[where]) == x[where]
    tile[where] = -1.0
    assert x[where] == -1.0
    assert (tile.rank, tile.size, tile.shape) == (len(shape), x.size, tuple(shape))


def test_sub_tiles() -> None:
    x, tile = over(6, 8)
    part = tile.tile[3, 4](1, 1)
    assert [[float(part[i, j]) for j in range(4)] for i in range(3)] == x[3:, 4:].tolist()
    inner = part.tile[1, 2](2, 1)
    assert inner.load[2](0, 0).numpy().tolist() == x[5, 6:].tolist()
    assert repr(inner) == "Tile[float32, (1,2):(8,1), global]"


def test_loads_follow_the_stride_of_the_last_axis() -> None:
    x, tile = over(4, 8)
    across = Tile(tile.pointer, F32, (8, 4), (1, 8))
    assert across.load[4](3, 0).numpy().tolist() == x[:, 3].tolist()
    spread = Tile(tile.pointer, F32, (4, 8), (8, 0))
    assert spread.load[4](2, 1).numpy().tolist() == [x[2, 0]] * 4
    across.store[2](0, 1, SIMD[F32, 2](-1, -2))
    assert x[1:3, 0].tolist() == [-1, -2]


def test_masks_in_every_kind_of_access() -> None:
    def kernel(out: Tile, x: Tile, n: SIMD) -> None:
        iota = SIMD[DType.int64, 4](0, 1, 2, 3)
        for i in range(0, n, 4):
            mask = iota + i < n
            v = x.load[4](i, mask=mask, other=SIMD[F32, 1](7))
            out.store[4](i, v, mask=mask)
            across = Tile(x.pointer, F32, (4,), (2,), i)
            out.store[4](16, across.load[4](0, mask=iota < 2, other=-1))
            Tile(out.pointer, F32, (4,), (3,), 20).store[4](0, v, mask=iota != 1)
            same = Tile(x.pointer, F32, (4,), (0,), i)
            out.store[4](12, same.load[4](0, mask=iota > 2, other=9))
        out.store[4](8, x.load[4](100, mask=n > 100, other=3))
        out.store[4](200, x.load[4](0), mask=n > 100)

    for n in (1, 3, 4, 7):
        data = {"out": np.zeros(32, np.float32), "x": np.arange(12, dtype=np.float32)}
        agree(kernel, {**data, "n": SIMD[DType.int64, 1](n)})


def test_bytes_are_read_as_other_dtypes_at_any_address() -> None:
    def kernel(out: Tile, x: Tile) -> None:
        for i in range(5):
            out.store[4](0, out.load[4](0) + x.load[F32, 4](i))
            out[i + 4] = x.load[DType.float16, 1](i).cast(F32)
        mask = SIMD["bool", 4](True, False, True, True)
        out.store[4](12, x.load[F32, 4](1, mask=mask, other=5.0))

    x = np.frombuffer(np.arange(10, dtype=np.float32).tobytes(), np.uint8).copy()
    agree(kernel, {"out": np.zeros(16, np.float32), "x": x})


def test_local_memory() -> None:
    def kernel(out: Tile, x: Tile) -> None:
        t = stack_allocation[F32](2, 4)
        for row in unroll(range(2)):
            t.store[4](row, 0, x.load[4](row * 4))
        for i in range(4):
            u = stack_allocation[DType.bool, Placement.REGISTER](4)
            u.store[4](0, t.load[4](0, 0) > 1.0)
            out[i] = u[i].select(t[1, i], t[0, i])
        t.prefetch(0, 0)
        x.prefetch(3)

    agree(kernel, {"out": np.zeros(4, np.float32), "x": np.arange(8, dtype=np.float32)})


def test_sizes_and_strides_are_arguments() -> None:
    n, m = Dim("n"), Dim("m")

    def kernel(out: Tile, x: Tile) -> None:
        rows, columns = out.shape
        for i in range(rows):
            for j in range(columns):
                out[i, j] = x[j, i]

    types = {
        "out": TileType(F32, (n, m), (m, 1)),
        "x": TileType(F32, (m, n), (Dim("s"), 1), Dim("offset")),
    }
    kernel_ir = trace(kernel, types, order=["x", "out", "n", "m", "s", "offset", "unused"])
    names = [p.name for p in kernel_ir.parameters]
    assert names == ["x", "out", "n", "m", "s", "offset", "unused"]
    assert "gather" not in [o.name for o in walk(kernel_ir.body)]


ERRORS: list[tuple[Callable[[Tile], Any], str]] = [
    (lambda t: t[1], "index: got 1 coordinates, needed 2 for Tile[float32, (4,8):(8,1), global]"),
    (lambda t: t.tile[4](0), "tile: got 1 sizes (4,), needed 2 for Tile[float32, (4,8):(8,1), global]"),
    (lambda t: t.tile[2, 2](0), "tile: got 1 coordinates, needed 2"),
    (lambda t: t.load[3](0, 0), "load: got width 3 of float32, needed a power of two of numbers"),
    (lambda t: t.load[U8, 4](0, 0), "load: got a tile of float32 accessed as uint8; only a tile of uint8 is read as another dtype"),
    (lambda t: t.store[4](0, 0, SIMD["float64", 4](1)), "store: got float64 for a tile of float32; try .cast(float32)"),
    (lambda t: t.store[4](0, 0, SIMD[F32, 2](1)), "splat: got width 2, needed a scalar or width 4"),
    (lambda t: t.load[4](0, 0, mask=SIMD["bool", 2](True)), "load: got a mask of boolx2, needed bool and width 4"),
    (lambda t: t.store[4](0, 0, 1.0, mask=SIMD["int8", 4](1)), "store: got a mask of int8x4, needed bool and width 4"),
    (lambda t: t.load[4](0, 0, mask=True, other=SIMD["int8", 1](1)), "load: got other of int8, needed float32x4; try .cast(float32)"),
    (lambda t: t.bytes(), "bytes: got a tile of float32, needed uint8"),
    (lambda t: stack_allocation[F32](-1), "stack_allocation: got float32 (-1,), needed numbers and whole sizes"),
    (lambda t: stack_allocation["q8_0"](4), "stack_allocation: got q8_0 (4,), needed numbers and whole sizes"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "message"), ERRORS, ids=[m[:40] for _, m in ERRORS])
def test_errors_come_in_both_modes(call: Callable[[Tile], Any], message: str) -> None:
    x, tile = over(4, 8)
    for run in (
        lambda: call(tile),
        lambda: trace(lambda x: (call(x), None)[1], types_of({"x": x})),
    ):
        with pytest.raises(KernelError) as caught:
            run()
        assert str(caught.value).splitlines()[0] == message


def test_an_index_is_int64() -> None:
    def kernel(x: Tile, n: SIMD) -> None:
        x[n] = 1.0

    from tensorlib.simd import SIMDType

    with pytest.raises(KernelError, match=r"index: got <traced SIMD\[int32, 1\]>, needed an int64"):
        trace(kernel, {"x": TileType(F32, (4,), (1,)), "n": SIMDType(DType.int32)})


def test_a_strided_view_of_bytes_is_not_read_as_another_dtype() -> None:
    t = Tile.over(np.zeros(16, np.uint8))
    with pytest.raises(KernelError, match="load: got a tile with stride 2 read as float32; needed"):
        Tile(t.pointer, U8, (8,), (2,)).load[F32, 2](0)


def test_an_array_is_contiguous() -> None:
    with pytest.raises(KernelError, match=r"Tile.over: x is not C-contiguous; try np.ascontig"):
        Tile.over(np.zeros((4, 4)).T, "x")
