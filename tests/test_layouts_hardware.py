"""`MMAAtom` and `CopyAtom`: laws that every instruction obeys, and what breaks them."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import tensorlib.layouts
from tensorlib.errors import LayoutError
from tensorlib.layouts import ComposedLayout, CopyAtom, Dim, Layout, MMAAtom, Swizzle, row_major
from tensorlib.layouts.hardware import (
    amx,
    cp_async,
    lane_dot,
    ldmatrix,
    mma,
    mma_names,
    register_product,
    stmatrix,
    universal_copy,
    wgmma,
)

ATOMS = {
    atom.name: atom
    for atom in (
        *map(mma, mma_names()),
        *(wgmma(n, "bf16", a_in_registers=n % 16 == 0) for n in range(8, 257, 8)),
        wgmma(32, "tf32"),
        wgmma(32, "s8", a_in_registers=True),
        amx("bf16"),
        amx("s8"),
        amx("u8", "s8", m=5, n=3, k=12),
        lane_dot("vpdpbusd"),
        lane_dot("vdpbf16ps", 8),
        lane_dot("sdot"),
        register_product("smmla"),
        register_product("bfmmla"),
    )
}
OPERANDS = ("a", "b", "c")
atoms = pytest.mark.parametrize("atom", ATOMS.values(), ids=ATOMS)
SMALL = ["m16n8k8.tf32", "m16n8k16.bf16", "m8n8k4.f64", "TDPBF16PS.m16n16k32", "vpdpbusd.m1n16k4"]


# --- laws ---


@atoms
def test_every_element_has_equally_many_owners(atom: MMAAtom) -> None:
    for operand in OPERANDS:
        tv, (rows, columns) = atom.tv(operand), atom.block(operand)
        counts = np.bincount(tv.table(), minlength=rows * columns)
        assert set(counts) == {atom.copies(operand)}
        assert tv.mode(0).size == atom.threads
        assert len(counts) == rows * columns


@atoms
def test_accumulators_have_one_owner(atom: MMAAtom) -> None:
    assert atom.copies("c") == 1


@atoms
def test_the_owner_of_an_element_holds_it(atom: MMAAtom) -> None:
    for operand in OPERANDS:
        rows, columns = atom.block(operand)
        row, column = np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
        thread, value = atom.owner(operand, row, column)
        assert thread.min() >= 0
        assert thread.max() < atom.threads
        tv = atom.tv(operand)
        held = tv(thread + atom.threads * value)
        assert np.array_equal(np.broadcast_to(held, row.shape), row + rows * column)


@atoms
def test_the_row_major_twin_counts_columns_first(atom: MMAAtom) -> None:
    for operand in OPERANDS:
        rows = atom.block(operand)[0]
        columns = atom.block(operand)[1]
        index = atom.tv(operand).table()
        twin = (index % rows) * columns + index // rows
        assert np.array_equal(atom.row_major(operand).table(), twin)


@atoms
def test_registers_are_counted_in_order(atom: MMAAtom) -> None:
    for operand in OPERANDS:
        kept = atom.registers(operand)
        assert kept.table().tolist() == list(range(atom.tv(operand).mode(1).size))


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("arrange", [Layout, row_major])
def test_partition_finds_every_tile(name: str, arrange) -> None:
    atom = ATOMS[name]
    for operand, partition in zip(
        OPERANDS, (atom.partition_a, atom.partition_b, atom.partition_c), strict=True
    ):
        rows, columns = atom.block(operand)
        matrix = arrange((3 * rows, 2 * columns))
        tv = atom.tv(operand)
        for thread in range(atom.threads):
            values, offset = partition(matrix, thread)
            for value in range(tv.mode(1).size):
                index = tv(thread, value)
                for i in range(3):
                    for j in range(2):
                        wanted = matrix(i * rows + index % rows, j * columns + index // rows)
                        assert values(value, i, j) + offset == wanted


def test_partition_keeps_further_modes() -> None:
    stages = Layout((16, 8, 3), (8, 1, 128))
    values, offset = ATOMS["m16n8k8.tf32"].partition_a(stages, 0)
    assert offset == 0
    assert str(values) == "((2,2),1,1,3):((64,4),0,0,128)"


def test_partition_of_a_swizzled_matrix_addresses_the_same_elements() -> None:
    matrix = ComposedLayout(Swizzle(2, 1, 3), 64, row_major(32, 16))
    atom = ATOMS["m16n8k8.tf32"]
    for thread in range(32):
        values, offset = atom.partition_a(matrix, thread)
        assert offset == 0
        for value in range(4):
            index = atom.a(thread, value)
            assert values(value, 1, 1) == matrix(16 + index % 16, 8 + index // 16)


def test_partition_of_symbolic_matrices() -> None:
    rows = Dim("m", divisible_by=16)
    values, offset = ATOMS["m16n8k8.tf32"].partition_a(row_major(rows, 64), 5)
    assert str(values) == "((2,2),m//16,8):((512,4),1024,8)"
    assert offset == 65


def test_partition_takes_an_array_of_threads() -> None:
    _, offsets = ATOMS["m16n8k8.tf32"].partition_c(row_major(16, 8), np.arange(32))
    assert offsets.tolist() == [8 * (t // 4) + 2 * (t % 4) for t in range(32)]


# --- refusals ---


def test_partition_needs_whole_tiles() -> None:
    message = r"m16n8k8.tf32.partition_a: got \(24,8\):\(1,24\), needed sizes that are multiples"
    with pytest.raises(LayoutError, match=message):
        ATOMS["m16n8k8.tf32"].partition_a(Layout((24, 8)), 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"a": Layout(128)}, r"m16n8k8.tf32.a: got 128:1, needed modes \(thread, value\)"),
        ({"b": Layout((32, 2), (1, 33))}, r"got .*, needed indices into a tile of \(8, 8\)"),
        ({"b": Layout((32, 2), (2, 0))}, r"got .*; element 1 has 0 owners, another has 2"),
        ({"c": Layout((16, 8))}, r"m16n8k8.tf32.c: got \(16,8\):\(1,16\), needed 32 threads"),
    ],
)
def test_an_atom_that_breaks_a_law_is_refused(change, message: str) -> None:
    with pytest.raises(LayoutError, match=message):
        replace(ATOMS["m16n8k8.tf32"], **change)


def test_a_layout_that_leaves_elements_out_has_no_inverse() -> None:
    from tensorlib.layouts.hardware.operand import inverse

    with pytest.raises(LayoutError, match=r"inverse: got \(4,2\):\(1,4\), needed an owner for"):
        inverse(Layout((4, 2)), (4, 4))


# --- copies ---

COPIES = {
    atom.name: atom
    for atom in (
        *(ldmatrix(count, transpose=flag) for count in (1, 2, 4) for flag in (False, True)),
        *(stmatrix(count, transpose=flag) for count in (1, 2, 4) for flag in (False, True)),
        *(cp_async(size, 16) for size in (4, 8, 16)),
        universal_copy(128, 32),
        universal_copy(8, 8),
    )
}


@pytest.mark.parametrize("atom", COPIES.values(), ids=COPIES)
def test_both_sides_of_a_copy_move_the_same_elements(atom: CopyAtom) -> None:
    for side in ("source", "destination"):
        assert sorted(set(atom.tv(side).table().tolist())) == list(range(atom.elements))
        assert atom.tv(side).mode(0).size == atom.threads
    assert sorted(atom.tv(atom.anchor).table().tolist()) == list(range(atom.elements))


@pytest.mark.parametrize("atom", COPIES.values(), ids=COPIES)
def test_from_anchor_names_the_same_element(atom: CopyAtom) -> None:
    anchor = atom.tv(atom.anchor)
    for side in ("source", "destination"):
        moved = anchor(atom.from_anchor(side).table())
        assert np.array_equal(np.broadcast_to(moved, atom.tv(side).size), atom.tv(side).table())


def test_vectors_of_plain_copies() -> None:
    assert cp_async(8, 16).vector_bits("source") == 64
    assert universal_copy(128, 32).values("destination") == 4


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cp_async(2, 16), "cp_async: got 2 bytes, needed 4, 8 or 16"),
        (lambda: cp_async(4, 64), "cp.async: got a vector of 32 bits, needed a multiple of 64"),
        (lambda: universal_copy(0, 8), "universal_copy: got a vector of 0 bits, needed a multiple"),
        (
            lambda: replace(ldmatrix(1), source=Layout((16, 8), (8, 1))),
            r"ldmatrix.x1.source: got .*, needed indices into a tile of \(64, 1\)",
        ),
        (
            lambda: replace(ldmatrix(1), source=Layout((8, 8), (8, 1))),
            "ldmatrix.x1.source: got .*, needed 32 threads",
        ),
        (
            lambda: CopyAtom("twice", Layout((2, 4)), Layout((2, 4), (0, 1)), 8, ""),
            r"twice.destination: got .*; element 4 has 0 owners, another has 2",
        ),
    ],
)
def test_copies_that_do_not_exist_are_refused(call, message: str) -> None:
    with pytest.raises(LayoutError, match=message):
        call()


# --- the package ---


def test_importing_layouts_does_not_load_hardware() -> None:
    code = (
        "import sys, tensorlib.layouts as l; before = 'tensorlib.layouts.hardware' in sys.modules;"
        "l.MMAAtom; print(before, 'tensorlib.layouts.hardware' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


def test_names_resolve_in_layouts() -> None:
    assert tensorlib.layouts.tiled_mma.__name__ == "tiled_mma"
    assert tensorlib.layouts.tiled_copy.__name__ == "tiled_copy"
    with pytest.raises(AttributeError, match=r"'tensorlib.layouts' has no attribute 'tiled_sort'"):
        _ = tensorlib.layouts.tiled_sort
