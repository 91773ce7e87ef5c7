"""Fragments: every instruction's product is the matrix product, in every mode and spelling."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorlib as tl
from tensorlib.errors import KernelError
from tensorlib.ir import text
from tensorlib.ir.core import walk
from tensorlib.ir.instructions import INSTRUCTIONS
from tensorlib.lang.target import Target, targeting
from tensorlib.lang.trace import trace
from tensorlib.layouts import Layout, MMAAtom
from tensorlib.layouts.hardware import mma, mma_names, register_product, tiled_mma
from tensorlib.simd import SIMD
from tensorlib.tests.cuda_compiler import compile_cuda
from tensorlib.tests.test_tile_views import agree, ways
from tensorlib.tile import Tile
from tensorlib.tiles.matrix_instruction import instruction_of, number_type, tf32
from tensorlib.tiles.ptx import ptx

F32 = np.float32


def product_kernel(atom: MMAAtom, shape: tuple[int, int, int] | None = None) -> Any:
    """Return a kernel for c = a @ b of one tile."""
    m, n, k = shape or atom.shape
    a_layout, b_layout = tl.fragment(atom, "a", (m, k)), tl.fragment(atom, "b", (k, n))
    c_layout = tl.fragment(atom, "c", (m, n))

    @tl.kernel
    def product(c: Tile, a: Tile, b: Tile) -> None:
        acc = c.tile[m, n](0, 0).copy[tl.REGISTER](layout=c_layout)
        acc += a.tile[m, k](0, 0).copy[tl.REGISTER](layout=a_layout) @ b.tile[k, n](0, 0).copy[
            tl.REGISTER
        ](layout=b_layout)
        c.store(0, 0, acc)

    return product


def whole_numbers(atom: MMAAtom, shape: tuple[int, int, int], seed: int = 0) -> list[Any]:
    """Return c, a and b of small whole numbers, whose products are exact in every dtype."""
    rng, (m, n, k) = np.random.default_rng(seed), shape
    least = 0 if atom.a_dtype.startswith("u") else -4
    names = (atom.c_dtype, (m, n)), (atom.a_dtype, (m, k)), (atom.b_dtype, (k, n))
    return [
        rng.integers(max(least, 0) if name[0] == "u" else least, 5, size)
        .astype(number_type(name).numpy)
        for name, size in names
    ]  # fmt: skip


@pytest.mark.parametrize("name", mma_names())
def test_every_instruction_of_a_warp_multiplies(name: str) -> None:
    atom = mma(name)
    c, a, b = whole_numbers(atom, atom.shape)
    expected = c.astype(np.float64) + a.astype(np.float64) @ b.astype(np.float64)
    kernel = product_kernel(atom)
    out = c.copy()
    kernel.python(out, a, b, grid=1, block=32)
    assert (out.astype(np.float64) == expected).all()
    if name in (
        "m16n8k8.tf32",
        "m16n8k16.f16",
        "m16n8k32.e4m3",
        "m16n8k16.e5m2.f16",
        "m16n8k16.bf16",
        "m8n8k16.s8",
        "m8n8k4.f64",
    ):
        assert agree(kernel, c, a, b, grid=1, block=32).tobytes() == out.tobytes()


def test_an_instruction_is_repeated_over_a_larger_tile() -> None:
    atom, shape = mma("m16n8k8.tf32"), (32, 16, 16)
    c, a, b = whole_numbers(atom, shape, seed=1)
    out = agree(product_kernel(atom, shape), c, a, b, grid=1, block=32)
    assert (out == c + a @ b).all()


def test_an_instruction_of_one_thread_needs_no_grid() -> None:
    atom = MMAAtom(
        "fma", (4, 2, 2), Layout((1, 8)), Layout((1, 4)), Layout((1, 8)), "f32", "f32", "f32", 1, ""
    )
    c, a, b = whole_numbers(atom, (8, 4, 4), seed=2)
    assert (agree(product_kernel(atom, (8, 4, 4)), c, a, b) == c + a @ b).all()
    arm = register_product("smmla")
    c, a, b = whole_numbers(arm, arm.shape)
    assert (agree(product_kernel(arm), c, a, b) == c + a.astype(np.int32) @ b).all()


def test_products_are_rounded_as_tf32_and_fused_along_k() -> None:
    atom = mma("m16n8k8.tf32")
    rng = np.random.default_rng(3)
    a, b = (rng.standard_normal(s).astype(F32) for s in ((16, 8), (8, 8)))
    c = np.zeros((16, 8), F32)
    out = agree(product_kernel(atom), c, a, b, grid=1, block=32)
    short = [tf32(SIMD(x.reshape(-1), tl.float32, x.size)).numpy().reshape(x.shape) for x in (a, b)]
    total = np.zeros((16, 8), F32)
    for k in range(8):  # products of 11 by 11 bits are exact in float64, and so is this sum
        exact = short[0][:, k : k + 1].astype(np.float64) * short[1][k].astype(np.float64)
        total = (exact + total).astype(F32)
    np.testing.assert_allclose(out, total, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(out, a.astype(np.float64) @ b, rtol=0, atol=8 * 2 * 4 * 2**-11)


@pytest.mark.parametrize(
    ("x", "bits"),
    [
        (1.0, 0x3F800000),
        (1 + 2**-11, 0x3F802000),  # a tie goes away from zero
        (-1 - 2**-11, 0xBF802000),
        (1 + 2**-12, 0x3F800000),
        (3.4028235e38, 0x7F800000),
        (float("inf"), 0x7F800000),
        (0.0, 0),
    ],
)
def test_tf32_has_ten_bits(x: float, bits: int) -> None:
    assert int(tf32(SIMD["float32", 1](x)).bitcast("uint32")) == bits
    assert np.isnan(float(tf32(SIMD["float32", 1](float("nan")))))


def test_what_a_product_means_is_one_loop_however_many_instructions_it_is() -> None:
    atom = mma("m16n8k8.tf32")
    lines = {}
    for shape in ((16, 8, 8), (16, 16, 32)):
        kernel = product_kernel(atom, shape).trace(*whole_numbers(atom, shape), block=32)
        lines[shape] = len(text(kernel).splitlines())
        assert sum(o.name == "for" for o in walk(kernel.body)) == 1
        assert sum(o.name == "instruction" for o in walk(kernel.body)) == 0
    assert lines[16, 8, 8] < 100
    assert lines[16, 16, 32] < 250


def test_a_newer_device_has_the_instructions_of_older_ones() -> None:
    levels = ("m16n8k8.tf32", "sm_90"), ("m16n8k8.f16", "sm_80"), ("m8n8k16.s8", "sm_75")
    for name, level in levels:
        atom = mma(name)
        arguments = whole_numbers(atom, atom.shape)
        assert "mma.sync" in cuda_source(product_kernel(atom), *arguments, features=level)
    fp8 = mma("m16n8k32.e4m3")
    arguments = whole_numbers(fp8, fp8.shape)
    source = cuda_source(product_kernel(fp8), *arguments, features="sm_80")
    assert "mma.sync" not in source
    compile_cuda(source, "sm_80")


# --- the threads of a block, and tiles in memory ---

TILED = tiled_mma(mma("m16n8k8.tf32"), (2, 1, 1))


@tl.kernel
async def by_a_block(c: Tile, a: Tile, b: Tile, *, atom: Any, K: int) -> None:
    m, n = atom.shape[:2]
    left = await a.tile[m, K](0, 0).copy[tl.SHARED](other=0)
    right = await b.tile[K, n](0, 0).copy[tl.SHARED](other=0)
    acc = Tile[number_type(atom.atom.c_dtype), tl.fragment(atom, "c", (m, n))](1)
    acc += left @ right
    c.tile[m, n](0, 0).copy_from(acc, masked=True)


TILED_ATOMS = ["m16n8k8.tf32", "m16n8k8.f16.f16", "m8n8k16.s8", "m16n8k16.e5m2"]


@pytest.mark.parametrize("name", TILED_ATOMS)
def test_warps_of_a_block_share_a_product_of_shared_tiles(name: str) -> None:
    tiled = tiled_mma(mma(name), (2, 1, 1))
    depth = tiled.shape[2] * 2
    shape = (tiled.shape[0] - 5, 7, depth - 3)
    c, a, b = whole_numbers(tiled.atom, shape)
    kernel = by_a_block.bind(atom=tiled, K=depth)
    out = agree(kernel, c, a, b, grid=1, block=64)
    expected = 1 + a.astype(np.float64) @ b.astype(np.float64)
    assert (out.astype(np.float64) == expected).all()
    level = "sm_89" if "e5m2" in name else "sm_80"
    with targeting(Target("cuda", 16, frozenset({level}))):
        source = kernel.source("cuda", c, a, b, block=64)
        assert source.count("mma.sync") == 2
        compile_cuda(source, level)
        if name == "m16n8k8.tf32":  # what the instruction means, over fragments of the tiles
            again = c.copy()
            kernel.interpret(again, a, b, grid=1, block=64)
            assert again.tobytes() == out.tobytes()


@tl.kernel
def held(out: Tile, x: Tile) -> None:
    kind = tl.fragment(TILED, "c")
    mine = x.tile[32, 8](0, 0).copy[tl.REGISTER](layout=kind, other=-1.0)
    total = mine.reduce("max")
    out.tile[32, 8](0, 0).copy_from(mine + mine, masked=True)
    tl.barrier()
    if tl.thread_id() == 0:
        out[0, 0] = total


def test_a_fragment_of_a_block_is_a_value_too() -> None:
    x = np.random.default_rng(5).standard_normal((30, 5)).astype(F32)
    out = agree(held, np.zeros((30, 5), F32), x, grid=1, block=64)
    expected = x + x
    expected[0, 0] = x.max()
    assert (out == expected).all()
    message = r"reduce: got fragment\(.*, 'a', .*\), which several warps hold; needed operand 'c'"
    wide = tl.fragment(tiled_mma(mma("m16n8k8.tf32"), (1, 2, 1)), "a")
    with pytest.raises(KernelError, match=message):
        trace(lambda: (Tile[tl.float32, wide](0).reduce("add"), None)[1], {}, block=(64, 1, 1))


@tl.kernel
def in_memory(c: Tile, own: Tile, a: Tile, b: Tile, *, shape: tuple[int, int, int]) -> None:
    """A product of tiles where they lie: shared out to threads, and by each thread for itself."""
    m, n, k = shape
    left, right = a.tile[m, k](0, 0), b.tile[k, n](0, 0)
    target = c.tile[m, n](0, 0)
    target += left @ right
    alone = left @ right.copy[tl.REGISTER]()
    if tl.thread_id() == 0:
        own.tile[m, n](0, 0).copy_from(alone + own.tile[m, n](0, 0).copy[tl.REGISTER]())


@pytest.mark.parametrize("threads", [1, 5, 32])
@pytest.mark.parametrize("shape", [(3, 5, 4), (1, 8, 7), (4, 4, 1)])
def test_tiles_in_memory_multiply_where_they_lie(shape: Any, threads: int) -> None:
    m, n, k = shape
    rng = np.random.default_rng(6)
    a, b, c = (rng.integers(-4, 5, s).astype(F32) for s in ((m, k), (k, n), (m, n)))
    own = c + 1
    kernel = in_memory.bind(shape=shape)
    for run in ways(kernel):
        outs = c.copy(), own.copy()
        run(*outs, a, b, grid=1, block=threads)
        assert (outs[0] == c + a @ b).all()
        assert (outs[1] == own + a @ b).all()


@tl.kernel
async def alone(c: Tile, a: Tile, b: Tile, *, shape: tuple[int, int, int]) -> None:
    m, n, k = shape
    for i in range(c.shape[0] // m):
        for j in range(c.shape[1] // n):
            target = c.tile[m, n](i, j)
            target += a.tile[m, k](i, 0) @ b.tile[k, n](0, j)
            product = await (a.tile[m, k](i, 0) @ b.tile[k, n](0, j))
            target.copy_from(target.copy[tl.REGISTER]() + product)


def test_one_thread_goes_along_k_in_a_loop() -> None:
    rng = np.random.default_rng(7)
    a, b = (rng.standard_normal(s).astype(F32) for s in ((6, 40), (40, 16)))
    kernel = alone.bind(shape=(3, 8, 40))
    out = agree(kernel, np.zeros((6, 16), F32), a, b)
    np.testing.assert_allclose(out, 2 * (a.astype(np.float64) @ b), rtol=1e-4, atol=1e-5)
    assert len(kernel.ir(out, a, b).splitlines()) < 120
    shown = Tile.over(a) @ Tile.over(b)
    assert repr(shown) == "<product of shape (6, 16) in float32>"


# --- fragments as values ---


@tl.kernel
def values(out: Tile, x: Tile, steps: tl.Scalar) -> None:
    kind = tl.fragment(mma("m16n8k8.tf32"), "a")
    first = x.tile[16, 8](0, 0).copy[tl.REGISTER](layout=kind, other=0.0)
    second = Tile[tl.float32, kind](1)
    for _ in range(steps):
        first, second = second, first  # a loop carries what they hold
    total = (first + second * 2.0 - second).map(lambda v: v.max(0.0))
    best = total.reduce("max")
    out.tile[16, 8](0, 0).copy_from(first, masked=True)
    out.tile[16, 8](1, 0).copy_from(total, masked=True)
    tl.barrier()
    if tl.thread_id() == 0:
        out[16, 0] = best


def test_fragments_are_values_that_loops_carry() -> None:
    x = np.random.default_rng(4).standard_normal((11, 7)).astype(F32)
    for steps in (2, 3):
        out = agree(values, np.zeros((32, 8), F32), x, steps, grid=1, block=32)
        padded = np.pad(x, ((0, 5), (0, 1)))
        assert (out[:16] == (padded if steps == 2 else 1)).all()
        first, second = (padded, np.ones_like(padded))[:: 1 if steps == 2 else -1]
        total = np.maximum(first + second * F32(2) - second, 0)
        total[0, 0] = total.max()
        assert (out[16:] == total).all()


def test_what_a_fragment_prints() -> None:
    kind = tl.fragment(mma("m16n8k8.tf32"), "b", (16, 16))
    assert repr(kind) == "fragment(m16n8k8.tf32, 'b', (16, 16))"
    zeros = Tile[tl.float32, kind]()
    assert repr(zeros) == f"<fragment of float32: {kind}>"
    assert [v.numpy().tolist() for v in zeros.values] == [[0.0, 0.0]] * 4


# --- the instruction where the device has it ---


def cuda_source(kernel: Any, *arguments: Any, features: str = "sm_80") -> str:
    with targeting(Target("cuda", 16, frozenset({features}))):
        return str(kernel.source("cuda", *arguments, block=32))


@pytest.mark.parametrize("name", mma_names())
def test_the_spelling_of_every_instruction_compiles(name: str) -> None:
    atom = mma(name)
    (level,) = INSTRUCTIONS[instruction_of(atom).row.name].requires["cuda"]
    expected = {"f64": "sm_80" if atom.shape[0] == 8 else "sm_90", "e4m3": "sm_89", "e5m2": "sm_89"}
    turing = name.startswith(("m16n8k8.f16", "m8n8k16."))
    assert level == ("sm_75" if turing else expected.get(atom.a_dtype, "sm_80"))
    source = cuda_source(product_kernel(atom), *whole_numbers(atom, atom.shape), features=level)
    kinds = ".".join(("row.col", atom.c_dtype, atom.a_dtype, atom.b_dtype, atom.c_dtype))
    assert f"mma.sync.aligned.{name.partition('.')[0]}.{kinds} " in source
    compile_cuda(source, level)


def test_a_device_without_it_runs_the_meaning() -> None:
    atom = mma("m16n8k8.tf32")
    source = cuda_source(product_kernel(atom), *whole_numbers(atom, atom.shape), features="sm_70")
    assert "mma.sync" not in source
    assert "__syncwarp" in source
    compile_cuda(source, "sm_75")


def test_operands_find_their_instruction_by_their_layouts() -> None:
    a, b = Layout(((4, 8), (2, 2)), ((16, 1), (8, 64))), Layout(((4, 8), 2), ((8, 1), 32))
    c = Layout(((4, 8), (2, 2)), ((32, 1), (16, 8)))
    mine = MMAAtom("mine", (16, 8, 8), a, b, c, "tf32", "tf32", "f32", 32, "mine")
    arguments = whole_numbers(mine, (16, 8, 8))
    assert "mma.sync.aligned.m16n8k8" in cuda_source(product_kernel(mine), *arguments)
    turned = Layout(((8, 4), (2, 2)), ((1, 16), (8, 64)))
    other = MMAAtom("m16n8k8.tf32", (16, 8, 8), turned, b, c, "tf32", "tf32", "f32", 32, "mine")
    assert "mma.sync" not in cuda_source(product_kernel(other), *arguments)
    out = agree(product_kernel(other), *arguments, grid=1, block=32)
    assert (out == arguments[0] + arguments[1] @ arguments[2]).all()
    assert ptx(other) == ""  # whatever it calls itself
    assert "mma.sync" in cuda_source(product_kernel(mma("m16n8k8.tf32")), *arguments)
