"""NVIDIA's instructions: every lane and register against the formulas of the PTX manual."""

from __future__ import annotations

import numpy as np
import pytest

from tensorlib.errors import LayoutError
from tensorlib.layouts import Layout
from tensorlib.layouts.hardware import ldmatrix, mma, mma_names, stmatrix, wgmma
from tensorlib.tests.instruction_models import (
    PTX_MMA,
    WGMMA_A,
    d_wgmma,
    matrix_product,
)

WGMMA = [
    (dtype, n)
    for dtype in WGMMA_A
    for n in (8, 16, 24, 64, 96, 128, 248, 256)
    if dtype not in ("s8", "u8") or n <= 32 or n % 16 == 0
]


def formula(name: str):
    """The places of A, B and C; the type of C does not change them."""
    return PTX_MMA[".".join(name.split(".")[:2])]


def expected(place, rows, threads, values):
    """The index, rows fastest, of every (thread, value): what a TV layout's table must hold."""
    cells = [place(thread, i) for i in range(values) for thread in range(threads)]
    return [row + rows * column for row, column in cells]


def transposed(place):
    """The manual's B is (k, n), ours (n, k)."""
    return lambda lane, i: place(lane, i)[::-1]


def registers(tv: Layout, matrix: np.ndarray) -> np.ndarray:
    """Gather what each thread holds: (threads, values)."""
    threads, values = (mode.size for mode in tv.modes)
    return matrix.flatten("F")[tv.table()].reshape(values, threads).T


def scattered(tv: Layout, held: np.ndarray, shape) -> np.ndarray:
    """Put every thread's values where the layout says."""
    flat = np.full(shape[0] * shape[1], -1, held.dtype)
    flat[tv.table()] = held.T.reshape(-1)
    return flat.reshape(shape, order="F")


def random_matrices(shape, seed=0):
    m, n, k = shape
    make = np.random.default_rng(seed).integers
    return make(-8, 8, (m, k)), make(-8, 8, (n, k)), make(-8, 8, (m, n))


# --- mma.sync ---


def test_every_named_instruction_has_its_formula() -> None:
    assert {".".join(name.split(".")[:2]) for name in mma_names()} == set(PTX_MMA)


@pytest.mark.parametrize("name", mma_names())
def test_fragments_of_mma_are_those_of_the_manual(name: str) -> None:
    atom = mma(name)
    (m, n, k), (a, b, c) = atom.shape, formula(name)
    assert atom.threads == 32
    assert atom.a.table().tolist() == expected(a, m, 32, m * k // 32)
    assert atom.b.table().tolist() == expected(transposed(b), n, 32, n * k // 32)
    assert atom.c.table().tolist() == expected(c, m, 32, m * n // 32)


@pytest.mark.parametrize("name", mma_names())
def test_mma_of_gathered_fragments_scatters_to_the_product(name: str) -> None:
    atom = mma(name)
    a, b, c = random_matrices(atom.shape)
    held = registers(atom.a, a), registers(atom.b, b), registers(atom.c, c)
    result = matrix_product(atom.shape, formula(name), *held)
    assert np.array_equal(scattered(atom.c, result, c.shape), a @ b.T + c)


def test_the_fragments_of_tf32_are_the_known_ones() -> None:
    atom = mma("m16n8k8.tf32")
    assert str(atom.a) == "((4,8),(2,2)):((16,1),(8,64))"
    assert str(atom.b) == "((4,8),2):((8,1),32)"
    assert str(atom.c) == "((4,8),(2,2)):((32,1),(16,8))"
    assert str(atom.row_major("a")) == "((4,8),(2,2)):((1,8),(64,4))"
    assert str(atom.row_major("b")) == "((4,8),2):((1,8),4)"
    assert str(atom.row_major("c")) == "((4,8),(2,2)):((2,8),(1,64))"


def test_types_of_an_instruction() -> None:
    atom = mma("m16n8k16.f16.f16")
    assert (atom.a_dtype, atom.b_dtype, atom.c_dtype) == ("f16", "f16", "f16")
    assert mma("m16n8k16.f16").c_dtype == "f32"
    assert mma("m16n8k32.s8").c_dtype == "s32"
    assert "9.7.14.5.10" in mma("m16n8k32.s8").spec


def test_an_unknown_instruction_is_refused() -> None:
    with pytest.raises(LayoutError, match=r"mma: got 'm16n8k16.tf32', needed one of m16n8k16.bf16"):
        mma("m16n8k16.tf32")


# --- wgmma ---


@pytest.mark.parametrize(("dtype", "n"), WGMMA)
def test_accumulators_of_wgmma_are_those_of_the_manual(dtype: str, n: int) -> None:
    atom = wgmma(n, dtype)
    assert atom.shape[:2] == (64, n)
    assert atom.c.table().tolist() == expected(d_wgmma, 64, 128, n // 2)


@pytest.mark.parametrize("dtype", WGMMA_A)
def test_a_of_wgmma_in_registers_is_that_of_the_manual(dtype: str) -> None:
    atom = wgmma(8, dtype, a_in_registers=True)
    k = atom.shape[2]
    assert atom.a.table().tolist() == expected(WGMMA_A[dtype], 64, 128, 64 * k // 128)


@pytest.mark.parametrize("dtype", WGMMA_A)
def test_wgmma_of_gathered_fragments_scatters_to_the_product(dtype: str) -> None:
    atom = wgmma(24, dtype, a_in_registers=True)
    a, b, c = random_matrices(atom.shape, seed=1)
    d = a @ b.T + c
    whole = np.zeros_like(a)
    for thread, values in enumerate(registers(atom.a, a)):
        for i, value in enumerate(values):
            whole[WGMMA_A[dtype](thread, i)] = value
    assert np.array_equal(whole, a)
    held = np.array([[d[d_wgmma(t, i)] for i in range(12)] for t in range(128)])
    assert np.array_equal(scattered(atom.c, held, d.shape), d)


def test_operands_of_wgmma_in_shared_memory_are_seen_by_all_threads() -> None:
    atom = wgmma(64, "bf16")
    assert atom.copies("a") == atom.copies("b") == 128
    assert atom.copies("c") == 1
    assert atom.a(77, (3, 5)) == 3 + 64 * 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((8, "f64"), "wgmma: got 'f64', needed one of tf32, f16, bf16, e4m3, e5m2, s8, u8"),
        ((8, "bf16", "f16"), "wgmma: got C of f16 for bf16, needed f32"),
        ((12, "f16"), r"wgmma: got n=12 of f16, needed a multiple of 8 in 8..256"),
        ((40, "s8"), r"wgmma: got n=40 of s8, needed a multiple of 16 in 8..256"),
        ((264, "f16"), r"wgmma: got n=264 of f16, needed a multiple of 8 in 8..256"),
    ],
)
def test_wgmma_refuses_what_does_not_exist(arguments, message: str) -> None:
    with pytest.raises(LayoutError, match=message):
        wgmma(*arguments)


# --- ldmatrix, stmatrix ---


def loaded(count: int, transpose: bool, addresses: list[int], memory: np.ndarray):
    """What `ldmatrix` leaves in the registers, by the manual: (thread, value).

    Threads 8 j ... 8 j + 7 name the eight rows of matrix j. Thread t holds elements 2 (t % 4) and
    the next of row t / 4 of every matrix; with .trans the matrices are read as columns.
    """
    registers = np.zeros((32, 2 * count), memory.dtype)
    for j in range(count):
        rows = [memory[address : address + 8] for address in addresses[8 * j : 8 * j + 8]]
        matrix = np.array(rows).T if transpose else np.array(rows)
        for thread in range(32):
            registers[thread, 2 * j : 2 * j + 2] = matrix[thread // 4, 2 * (thread % 4) :][:2]
    return registers


@pytest.mark.parametrize("transpose", [False, True])
@pytest.mark.parametrize("count", [1, 2, 4])
def test_ldmatrix_moves_what_the_manual_says(count: int, transpose: bool) -> None:
    atom = ldmatrix(count, transpose=transpose)
    memory = np.random.default_rng(2).permutation(64 * count)
    addresses = [int(atom.source(thread, 0)) for thread in range(32)]
    assert all(
        atom.source(t, v) == addresses[t] + v and addresses[t] % 8 == 0
        for t in range(32)
        for v in range(8)
    )
    table = atom.destination.table().reshape(2 * count, 32).T
    assert np.array_equal(memory[table], loaded(count, transpose, addresses, memory))
    assert atom.vector_bits("source") == 128
    assert atom.vector_bits("destination") == (16 if transpose else 32)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_stmatrix_is_ldmatrix_backwards(count: int) -> None:
    load, store = ldmatrix(count, transpose=True), stmatrix(count, transpose=True)
    assert (store.source, store.destination) == (load.destination, load.source)
    assert store.anchor == "source"
    assert store.threads == 32


@pytest.mark.parametrize("make", [ldmatrix, stmatrix])
def test_only_one_two_or_four_matrices(make) -> None:
    with pytest.raises(LayoutError, match=r"matrix.x3: got 3 matrices, needed 1, 2 or 4"):
        make(3)


def test_ldmatrix_feeds_the_fragments_of_mma() -> None:
    """x4 over the quadrants of a 16 x 16 tile, rows first, is A of m16n8k16."""
    load, atom = ldmatrix(4), mma("m16n8k16.f16")
    for thread in range(32):
        for value in range(8):
            element = load.destination(thread, value)
            matrix, row, column = element // 64, element % 64 // 8, element % 8
            row, column = row + 8 * (matrix % 2), column + 8 * (matrix // 2)
            assert atom.a(thread, value) == row + 16 * column
