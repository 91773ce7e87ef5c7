# ruff: noqa: E501, PLW0108  (one row an error, each a line of this file)
"""Every error sentence of tiles, with the user's line: layouts, coordinates, dtypes, placements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorlib as tl
from tensorlib.errors import KernelError
from tensorlib.lang.threads import run_grid
from tensorlib.lang.trace import trace
from tensorlib.layouts import Layout, MMAAtom
from tensorlib.layouts.hardware import mma, tiled_mma
from tensorlib.tests.compiled_kernels import types_of
from tensorlib.tile import Tile, TileType

F32, REGISTER, SHARED = tl.float32, tl.REGISTER, tl.SHARED
ATOM = mma("m16n8k8.tf32")
A, B, C = (tl.fragment(ATOM, operand) for operand in ("a", "b", "c"))
ONE = Layout((1, 1))
ODD = MMAAtom("odd", (1, 1, 1), ONE, ONE, ONE, "b1", "b1", "s32", 1, "")
SHOWN = "Tile[float32, (4,8):(8,1), global]"


def registers(*shape: int, dtype: Any = F32) -> Tile:
    made: Tile = Tile[dtype, shape, REGISTER](1)
    return made


# What is said of a tile `t` of (4, 8) float32 numbers.
ERRORS: list[tuple[Callable[[Tile], Any], str]] = [
    # coordinates and shapes
    (lambda t: t[1, 2, 3], f"index: got 3 coordinates, needed 2 for {SHOWN}"),
    (lambda t: t[1, :, 3], f"index: got 3 coordinates (1, slice(None, None, None), 3), needed 2 for {SHOWN}"),
    (lambda t: t[1, 2:4], "index: a part of an axis is a tile; try t.slice[M, N](i, j), or t[i, :]"),
    (lambda t: t[(1, 2), 3], f"index: got (1, 2) for an axis of {SHOWN} that is not nested, needed a number"),
    (lambda t: Tile[F32, Layout(((2, 2), 8)), tl.GLOBAL](t)[(1, 1, 1), 3], "index: crd2idx: got coordinate (1, 1, 1) for shape (2, 2)"),
    (lambda t: t.tile[2, 2, 2](0, 0, 0), f"tile: got 3 sizes (2, 2, 2), needed 2 for {SHOWN}"),
    (lambda t: t.tile[2, 2](1), "tile: got 1 coordinates, needed 2"),
    (lambda t: t.slice[2](1), f"slice: got 1 sizes (2,), needed 2 for {SHOWN}"),
    (lambda t: t.slice[2, 2](1), "slice: got 1 coordinates, needed 2"),
    (lambda t: t.mask[4](1), f"mask: got 1 coordinates, needed 2 for {SHOWN}"),
    (lambda t: t.vectorize[4].mask[4](1, 0), "mask: got Tile[float32 of 4 lanes, (4,2):(8,4), global]; try the mask of the tile that was vectorised"),
    (lambda t: t.transpose(0), "transpose: got axes (0,), needed each of (0, 1) once"),
    (lambda t: t.reshape(5, 7), f"reshape: got shape (5, 7) for {SHOWN}, which has 32 elements"),
    (lambda t: t.slice[4, 6](0, 0).reshape(3, 8), "reshape: composition: got (6,4):(1,8)"),
    # layouts that do not divide
    (lambda t: t.vectorize[3], f"vectorize: got width 3 for an axis of 8 elements, which it doesn't divide, in {SHOWN}"),
    (lambda t: t.vectorize[2, 2], f"vectorize: got widths (2, 2) for {SHOWN}, needed lanes along one axis"),
    (lambda t: t.vectorize[4].load[2](0, 0), "load: got width 2 of Tile[float32 of 4 lanes, (4,2):(8,4), global], whose elements have 4 lanes"),
    (lambda t: t.distribute(Layout((3, 2)), 0), f"distribute: got 4 elements along axis 0 for 3 threads, which don't divide them; {SHOWN} is shared out by (3,2):(1,3)"),
    (lambda t: t.distribute(Layout((2, 2), (1, 4)), 0), "distribute: got threads (2,2):(1,4), needed a number for each, from 0 on"),
    (lambda t: t.distribute(Layout(8), 0), "distribute: got threads 8:1, needed a layout of 2 axes"),
    (lambda t: t.tile[Layout(4, 2), 8](0, 0), "tile: logical_divide: got 4:8 and 4:2; its tiles fill 8 elements, needed 4"),
    (lambda t: t.tile[2, 2](0, 0, layout=Layout((4, 8))), "tile: got layout (4,8):(1,4), needed modes (tile, tiles) of 2 axes"),
    # making tiles
    (lambda t: Tile[F32], "Tile[...]: got 1 values, needed dtype, layout, placement"),
    (lambda t: Tile[F32, 4, "shared"], "Tile[...]: got placement 'shared', needed GLOBAL, SHARED, ..."),
    (lambda t: Tile[F32, "4:1"], "Tile[...]: got a str, needed a layout, a shape or a fragment"),
    (lambda t: Tile[F32, Layout(4, -1)](), "Tile[...]: got 4:-1, needed sizes and strides that are known and >= 0"),
    (lambda t: Tile[F32, Layout((tl.Dim("n"), 4))](), "Tile[...]: got (n,4):(1,n), needed sizes and strides that are known and >= 0"),
    (lambda t: Tile[F32, 4, tl.GLOBAL](), "Tile[...]: got float32 in global memory, needed numbers, and memory of the kernel's own: REGISTER, WARP, SHARED or CLUSTER"),
    (lambda t: Tile[F32, Layout(64), tl.GLOBAL](t), f"Tile[...]: got a layout 64:1 of 64 elements over {SHOWN}, which has 32"),
    (lambda t: Tile[tl.int32, Layout(8), tl.GLOBAL](t), f"Tile[...]: got {SHOWN}, needed a tile of int32 in global memory"),
    # dtypes and placements
    (lambda t: t + t, f"add: got {SHOWN}, needed tiles in registers; try .copy[REGISTER]() first"),
    (lambda t: registers(2) * registers(3), "multiply: got Tile[float32, (2):(1), register] and Tile[float32, (3):(1), register], needed one shape and dtype"),
    (lambda t: registers(2) - registers(2, dtype=tl.int32), "subtract: got Tile[float32, (2):(1), register] and Tile[int32, (2):(1), register], needed one shape and dtype"),
    (lambda t: registers(2).__iadd__(t), f"+=: got {SHOWN}, needed tiles in registers; try .copy[REGISTER]() first"),
    (lambda t: registers(2).__iadd__(registers(3)), "+=: got Tile[float32, (2):(1), register] and Tile[float32, (3):(1), register], needed one shape and dtype"),
    (lambda t: t.__iadd__(1.0), f"+=: got {SHOWN}, needed tiles in registers; try .copy[REGISTER]() first"),
    (lambda t: registers(2).__iadd__("x"), "+=: got a str, needed a tile, a product of tiles or a scalar"),
    (lambda t: t.copy[tl.GLOBAL], "copy: got placement global, needed REGISTER, WARP, SHARED or CLUSTER; memory of the device is an argument: try out.copy_from(tile)"),
    (lambda t: t.copy["shared"], "copy: got placement 'shared', needed REGISTER, WARP, SHARED or CLUSTER"),
    (lambda t: t.copy[SHARED](into=t), f"copy: got {SHOWN}, needed memory in shared"),
    (lambda t: t.copy_from(registers(8, 4)), f"copy: got Tile[float32, (8,4):(4,1), register] into {SHOWN}, needed one shape and dtype"),
    (lambda t: t.copy_from(registers(4, 8, dtype=tl.float16)), f"copy: got Tile[float16, (4,8):(8,1), register] into {SHOWN}, needed one shape and dtype"),
    (lambda t: t.copy_from(1.0), "copy_from: got a float, needed a tile or a fragment"),
    (lambda t: t.vectorize[2].copy_from(t.vectorize[1].slice[4, 4](0, 0)), "copy: got Tile[float32, (4,4):(8,1), global] into Tile[float32 of 2 lanes, (4,4):(8,2), global], needed as many lanes"),
    (lambda t: t.reduce("mean"), "reduce: got operator 'mean', needed a function or one of add, multiply, min, max"),
    (lambda t: t.load_tile[SHARED], "load_tile: got placement shared, needed WARP; try .tile and .copy"),
    (lambda t: t.load_tile[tl.WARP](0), f"load_tile: got {SHOWN}, needed one axis"),
    # products
    (lambda t: t @ t, "@: got shapes (4, 8) and (4, 8), needed (M, K) and (K, N); the inner sizes 8 and 4 must be equal"),
    (lambda t: registers(2, 3) @ registers(2, 3), "@: got shapes (2, 3) and (2, 3), needed (M, K) and (K, N); the inner sizes 3 and 2 must be equal"),
    (lambda t: registers(2, 3) @ 2.0, "@: got Tile[float32, (2,3):(3,1), register] and a float, needed two tiles or two fragments; try .copy[REGISTER](layout=tl.fragment(atom, 'a', shape))"),
    (lambda t: t @ Tile[F32, B](), f"@: got {SHOWN} and <fragment of float32: fragment(m16n8k8.tf32, 'b', (8, 8))>, needed two tiles or two fragments; try .copy"),
    (lambda t: registers(2, 3) @ registers(3, 2, dtype=tl.float64), "@: got Tile[float32, (2,3):(3,1), register] and Tile[float64, (3,2):(2,1), register], needed one dtype (or uint8 and int8), and single elements; try storing what .cast makes of one of them"),
    (lambda t: Tile[tl.bool, (2, 2), SHARED]() @ Tile[tl.bool, (2, 2), SHARED](), "@: got Tile[bool, (2,2):(2,1), shared] and Tile[bool, (2,2):(2,1), shared], needed numbers; try .cast(int8) of their elements"),
    (lambda t: registers(3, 3).__iadd__(t @ t.transpose()), "@: got Tile[float32, (3,3):(3,1), register] for a product of shape (4, 4) in float32, needed that shape and dtype"),
    (lambda t: Tile[F32, C]() + Tile[tl.float16, (16, 8), SHARED]() @ Tile[tl.float16, (8, 8), SHARED](), "@: got Tile[float16, (16,8):(8,1), shared] and Tile[float16, (8,8):(8,1), shared] to add to fragment(m16n8k8.tf32, 'c', (16, 8)), which multiplies float32 and float32; instructions for these: m16n8k8.f16, m16n8k8.f16.f16, m16n8k16.f16, m16n8k16.f16.f16"),
    (lambda t: Tile[F32, C]() + Tile[tl.int32, (16, 8), SHARED]() @ Tile[tl.int32, (8, 8), SHARED](), "instructions for these: none: cast them first"),
    (lambda t: Tile[F32, C]() + Tile[F32, (16, 12), SHARED]() @ Tile[F32, (12, 8), SHARED](), "@: got Tile[float32, (16,12):(12,1), shared] and Tile[float32, (12,8):(8,1), shared] to add to fragment(m16n8k8.tf32, 'c', (16, 8)), needed shapes (16, K) and (K, 8), K a multiple of 8, and a sum of operand 'c'; try tl.fragment(atom, 'c', (16, 8)), and tiles padded with other=0"),
    (lambda t: t.reduce("add", 2), f"reduce: got axis 2 of {SHOWN}, needed an axis with elements"),
    (lambda t: t.slice[2, 4](0, 0).reshape(8).mask[4](0), "mask: got Tile[float32, ((4,2)):((1,8)), global], a view in which an edge has no place; try the mask of the tile that it was made of, or copy that with other="),
    (lambda t: tl.fragment(tiled_mma(ATOM, (1, 1, 2)), "c"), "fragment: got m16n8k8.tf32 x (1, 1, 2), needed one group of threads along K"),
    (lambda t: t.slice[4, 8](0, 0).tile[4, 8](0, 0).copy[REGISTER](layout=tl.fragment(tiled_mma(ATOM, (2, 2, 1)), "c", (32, 16))), "needed shape (32, 16) for operand 'c'"),
    (lambda t: Tile[F32, 1024, SHARED]().reshape(64, 16).slice[32, 16](0, 0).copy[REGISTER](layout=tl.fragment(tiled_mma(ATOM, (2, 2, 1)), "c", (32, 16))), "fragment: got a block of 32 threads, needed the 128 of m16n8k8.tf32 x (2, 2, 1)"),
    (lambda t: Tile[F32, tl.fragment(tiled_mma(ATOM, (1, 1, 1)), "a")](0) @ t, "needed two fragments or two tiles; try .copy[REGISTER](layout=tl.fragment(atom, 'b', shape))"),
    (lambda t: registers(2, 2).__iadd__(registers(2, 3) @ registers(3, 4)), "@: got Tile[float32, (2,2):(2,1), register] for a product of shape (2, 4) in float32, needed that shape and dtype"),
    # fragments
    (lambda t: tl.fragment(ATOM, "d"), "fragment: got operand 'd', needed 'a', 'b' or 'c'"),
    (lambda t: tl.fragment(ATOM, "b", (16, 12)), "fragment: got shape (16, 12) for operand 'b' of m16n8k8.tf32, needed multiples of (8, 8)"),
    (lambda t: t.copy[REGISTER](layout=A), f"fragment: got {SHOWN}, needed shape (16, 8) for operand 'a' of m16n8k8.tf32; try .tile[16, 8](i, j)"),
    (lambda t: Tile[tl.float16, A](), "fragment: got float16 for operand 'a' of m16n8k8.tf32, needed float32"),
    (lambda t: Tile[F32, A, SHARED](), "Tile[...]: got a fragment in shared, needed REGISTER"),
    (lambda t: Tile[F32, A]() @ Tile[F32, A](), "@: got fragment(m16n8k8.tf32, 'a', (16, 8)) and fragment(m16n8k8.tf32, 'a', (16, 8)), needed operands 'a' (M, K) and 'b' (K, N) of one instruction; try tl.fragment(atom, 'a', (M, K)) and tl.fragment(atom, 'b', (K, N))"),
    (lambda t: Tile[F32, A]() @ t, f"@: got fragment(m16n8k8.tf32, 'a', (16, 8)) and {SHOWN}, needed two fragments or two tiles; try .copy[REGISTER](layout=tl.fragment(atom, 'b', shape))"),
    (lambda t: Tile[F32, A]() + Tile[F32, A]() @ Tile[F32, B](), "@: got fragment(m16n8k8.tf32, 'a', (16, 8)) to add fragment(m16n8k8.tf32, 'c', (16, 8)) to, needed one layout"),
    (lambda t: Tile[F32, A]() * Tile[F32, B](), "fragment: got <fragment of float32: fragment(m16n8k8.tf32, 'a', (16, 8))> and <fragment of float32: fragment(m16n8k8.tf32, 'b', (8, 8))>, needed one layout"),
    (lambda t: Tile[tl.float16, tl.fragment(mma("m16n8k8.f16"), "c", (16, 8))](), "fragment: got float16 for operand 'c' of m16n8k8.f16, needed float32"),
    (lambda t: t.tile[1, 1](0, 0).copy[REGISTER](layout=tl.fragment(ODD, "a")), "fragment: got numbers of type b1, needed one of tf32, f32, f16, bf16, f64, s8, u8, s32, u32, e4m3, e5m2"),
]  # fmt: skip


def with_line(error: KernelError, message: str) -> None:
    first, *rest = str(error).splitlines()
    assert message in first
    assert "test_tile_errors.py" in rest[0]
    assert "^" in rest[2]


@pytest.mark.parametrize(("call", "message"), ERRORS, ids=[f"{n}" for n in range(len(ERRORS))])
def test_errors_come_in_both_modes_with_the_line(call: Callable[[Tile], Any], message: str) -> None:
    x = np.zeros((4, 8), np.float32)
    with pytest.raises(KernelError) as caught:
        run_grid(lambda: call(Tile.over(x, "x")), (1, 1, 1), (32, 1, 1))
    with_line(caught.value, message)
    with pytest.raises(KernelError) as caught:
        trace(lambda x: (call(x), None)[1], types_of({"x": x}), block=(32, 1, 1))
    with_line(caught.value, message)


# --- what depends on the block ---


def of_blocks(call: Callable[[Tile], Any], threads: int) -> KernelError:
    kind = TileType(F32, (16, 64), (64, 1))
    with pytest.raises(KernelError) as caught:
        trace(lambda x: (call(x), None)[1], {"x": kind}, block=(threads, 1, 1))
    return caught.value


def test_a_warp_must_be_whole() -> None:
    message = "fragment: got a block of 48 threads, needed whole warps of 32 for m16n8k8.tf32"
    load = lambda x: x.tile[16, 8](0, 0).copy[REGISTER](layout=A)  # noqa: E731
    with_line(of_blocks(load, 48), message)
    copy = lambda x: x.tile[4, 8](0, 0).copy[tl.WARP]()  # noqa: E731
    with_line(of_blocks(copy, 48), "copy: got a block of 48 threads, needed whole warps")
    fold = lambda x: Tile[F32, 8, tl.WARP]().reduce("add")  # noqa: E731
    with_line(of_blocks(fold, 48), "reduce: got a block of 48 threads, needed whole warps")


def test_an_instruction_has_as_many_threads_as_a_warp() -> None:
    pair = MMAAtom(
        "pair", (2, 1, 1), Layout((2, 1)), Layout((2, 1), (0, 0)), Layout((2, 1)), "f32", "f32", "f32", 2, ""
    )  # fmt: skip
    load = lambda x: x.tile[2, 1](0, 0).copy[REGISTER](layout=tl.fragment(pair, "a"))  # noqa: E731
    with_line(of_blocks(load, 32), "fragment: got pair of 2 threads, needed 32")


def test_a_tile_of_unknown_shape_is_not_copied() -> None:
    kind = TileType(F32, (tl.Dim("n"),), (1,))
    with pytest.raises(KernelError) as caught:
        trace(lambda x: (x.copy[REGISTER](), None)[1], {"x": kind})
    shown = "copy: got Tile[float32, (?):(1), global], needed a known shape; try .tile[M, N](m, n)"
    with_line(caught.value, shown)


def test_threads_that_share_memory_are_a_grid() -> None:
    x = Tile.over(np.zeros(8, np.float32))
    message = "copy: no grid of threads runs here; call the kernel with grid= and block="
    with pytest.raises(KernelError, match=message):
        x.copy[SHARED]()


# --- tiles that loops and branches assign ---


@tl.kernel
def swapped(out: Tile, x: Tile) -> None:
    a, b = x.tile[4](0).copy[REGISTER](), x.tile[4](1).copy[REGISTER]()
    for _ in range(x.size):
        a, b = b, a
    out.tile[4](0).copy_from(a)


@tl.kernel
def chosen(out: Tile, x: Tile) -> None:
    a = x.tile[4](0).copy[REGISTER]()
    if x[0] > 1:
        a = x.tile[4](1).copy[REGISTER]()
    out.tile[4](0).copy_from(a)


@pytest.mark.parametrize(("kernel", "where"), [(swapped, "loop"), (chosen, "if")])
def test_a_name_keeps_its_memory(kernel: Any, where: str) -> None:
    message = (
        f"{where}: a is a tile of one memory before and of another after; a name keeps its "
        "memory: try copy_from, one tile with an axis more, or fragments, which are values"
    )
    with pytest.raises(KernelError) as caught:
        kernel.trace(np.zeros(8, np.float32), np.zeros(8, np.float32))
    with_line(caught.value, message)
