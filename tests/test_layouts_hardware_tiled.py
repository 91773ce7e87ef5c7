"""Tiled products and copies: covers, replication, vector widths, and whole matrix products."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from tensorlib.errors import LayoutError
from tensorlib.layouts import ComposedLayout, Dim, Layout, Swizzle, make_ordered_layout, row_major
from tensorlib.layouts.hardware import (
    amx,
    cp_async,
    lane_dot,
    ldmatrix,
    mma,
    shared_tile,
    stmatrix,
    tiled_copy,
    tiled_copy_for,
    tiled_mma,
    universal_copy,
    wgmma,
)

TF32, F16, S8 = mma("m16n8k8.tf32"), mma("m16n8k16.f16"), mma("m16n8k32.s8")
GROUPS = {"a": 1, "b": 0, "c": 2}  # the mode of the groups that repeats an operand

TILED = {
    "one": tiled_mma(TF32),
    "2x2": tiled_mma(TF32, (2, 2, 1)),
    "2x2 row-major groups": tiled_mma(TF32, row_major(2, 2, 1)),
    "rank 2": tiled_mma(F16, (4, 2)),
    "split K": tiled_mma(F16, (1, 2, 2)),
    "larger tile": tiled_mma(F16, (2, 2, 1), (64, 32, 16)),
    "larger K": tiled_mma(S8, (2, 1, 1), (None, None, 64)),
    "permuted N": tiled_mma(F16, (2, 2, 1), (32, Layout((2, 4, 4), (1, 8, 2)), None)),
    "permuted M": tiled_mma(TF32, (2, 1, 1), (Layout((16, 2, 2), (1, 32, 16)), None, None)),
    "wgmma": tiled_mma(wgmma(16, "bf16"), (2, 1, 1)),
    "amx 2x2": tiled_mma(amx("bf16"), (1, 1, 1), (32, 32, 32)),
    "lanes": tiled_mma(lane_dot("vpdpbusd"), (1, 1, 1), (4, 32, 8)),
}
tiles = pytest.mark.parametrize("tiled", TILED.values(), ids=TILED)


# --- laws of tiled products ---


@tiles
def test_every_element_is_held_by_the_groups_that_repeat_it(tiled) -> None:
    groups = [mode.size for mode in tiled.threads_vmnk.modes][1:]
    for operand, axis in GROUPS.items():
        rows, columns = tiled.block(operand)
        counts = np.bincount(tiled.tv(operand).table(), minlength=rows * columns)
        assert len(counts) == rows * columns
        assert set(counts) == {tiled.atom.copies(operand) * groups[axis]}
        assert tiled.copies(operand) == counts[0]


@tiles
def test_the_threads_are_numbered_without_gaps(tiled) -> None:
    assert sorted(tiled.threads_vmnk.table().tolist()) == list(range(tiled.threads))
    for operand in GROUPS:
        assert tiled.tv(operand).mode(0).size == tiled.threads


@tiles
def test_partition_agrees_with_the_layout_of_the_tile(tiled) -> None:
    for operand in GROUPS:
        rows, columns = tiled.block(operand)
        matrix = row_major(rows, columns)
        indices = np.sort(tiled.tv(operand).table().reshape(-1, tiled.threads).T)
        for thread in range(0, tiled.threads, 7):
            values, offset = tiled.partition(operand, matrix, thread)
            places = values.table() + offset
            assert np.array_equal(np.sort(places // columns + rows * (places % columns)),
                                  indices[thread])  # fmt: skip


@tiles
def test_the_tiled_product_is_the_product(tiled) -> None:
    """Every atom of every thread group, on fragments that the partitions address."""
    m, n, k = (2 * size for size in tiled.shape)
    make = np.random.default_rng(3).integers
    a, b = make(-8, 8, (m, k)), make(-8, 8, (n, k))
    c = np.zeros(m * n, np.int64)
    parts = {
        "a": (row_major(m, k), a.reshape(-1)),
        "b": (Layout((n, k)), b.flatten("F")),
        "c": (row_major(m, n), c),
    }
    for group in itertools.product(*(range(mode.size) for mode in tiled.threads_vmnk.modes[1:])):
        run_group(tiled, group, parts)
    assert np.array_equal(c.reshape(m, n), a @ b.T)


def run_group(tiled, group, parts):
    """Run all atoms of the threads of one group: places (thread, value, row tile, column tile)."""
    threads = [tiled.threads_vmnk(v, *group) for v in range(tiled.atom.threads)]
    places = {}
    for operand, (layout, _) in parts.items():
        held = []
        for thread in threads:
            values, offset = tiled.partition(operand, layout, thread)
            sizes = [mode.size for mode in values.modes]
            held.append((values.table() + offset).reshape(sizes, order="F"))
        places[operand] = np.array(held)
    (_, memory_a), (_, memory_b), (_, memory_c) = parts["a"], parts["b"], parts["c"]
    for i in range(places["a"].shape[2]):
        for j in range(places["b"].shape[2]):
            for step in range(places["a"].shape[3]):
                a = assembled(tiled.atom, "a", memory_a[places["a"][:, :, i, step]])
                b = assembled(tiled.atom, "b", memory_b[places["b"][:, :, j, step]])
                sums = (a @ b.T).flatten("F")[tiled.atom.c.table()]
                add = sums.reshape(-1, tiled.atom.threads).T
                memory_c[places["c"][:, :, i, j]] += add


def assembled(atom, operand, registers):
    """The matrix that an atom makes of its registers; copies agree or the test is wrong."""
    rows, columns = atom.block(operand)
    matrix = np.full(rows * columns, 99)
    table = atom.tv(operand).table()
    flat = registers.T.reshape(-1)
    matrix[table] = flat
    assert np.array_equal(matrix[table], flat)
    return matrix.reshape((rows, columns), order="F")


def test_values_of_permuted_columns_lie_side_by_side() -> None:
    """With columns 8 j + 2 p + v at 2 j + 8 p + v, each thread stores runs of 8, not of 2."""
    plain = tiled_mma(F16, (1, 1, 1), (16, 32, 16))
    permuted = tiled_mma(F16, (1, 1, 1), (16, Layout((2, 4, 4), (1, 8, 2)), 16))
    for tiled, run in ((plain, 2), (permuted, 8)):
        values, offset = tiled.partition("c", row_major(16, 32), 1)
        row = sorted(p for p in (values.table() + offset).tolist() if p < 32)
        assert len(row) == 8
        assert row[:run] == list(range(row[0], row[0] + run))
        assert run == 8 or row[run] > row[0] + run


def test_one_thread_of_a_tiled_product() -> None:
    one = TILED["2x2"].get_slice(37)
    tiled, matrix = TILED["2x2"], row_major(64, 64)
    assert one.partition_a(matrix) == tiled.partition("a", matrix, 37)
    assert one.partition_b(matrix) == tiled.partition("b", matrix, 37)
    assert one.partition_c(matrix) == tiled.partition("c", matrix, 37)
    assert tiled.name == "m16n8k8.tf32 x (2, 2, 1)"


def test_symbolic_matrices() -> None:
    rows = Dim("m", divisible_by=32)
    values, offset = TILED["2x2"].partition("c", row_major(rows, 64), 37)
    assert str(values) == "((2,2),m//32,4):((1,512),2048,16)"
    assert offset == 1090


def test_known_tile() -> None:
    """The arrangement of four warps that CuTe prints for (2, 2, 1)."""
    tiled = TILED["2x2"]
    assert str(tiled.c) == "((4,8,2,2),((2,2),1,1)):((64,1,16,256),((32,8),0,0))"
    assert str(tiled.a) == "((4,8,2,2),((2,2),1,1)):((32,1,16,0),((8,128),0,0))"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((2, 2, 1, 1),), r"tiled_mma: got groups .*, needed a bijection over \(m, n, k\)"),
        ((Layout((2, 2, 1), (1, 4, 0)),), r"tiled_mma: got groups .*, needed a bijection"),
        (((2, 2, 1), (48, None, None)), r"tiled_mma: got M of 48, needed a multiple of 32"),
        (((2, 2, 1), (None, 0, None)), r"tiled_mma: got N of 0, needed a multiple of 16"),
        (((1, 1, 1), (Layout(16, 2),)), r"tiled_mma: got 16:2 along M, needed a permutation"),
        (
            ((1, 1, 1), (None, Layout((3, 8), (8, 1)))),
            r"m16n8k8.tf32 x \(1, 1, 1\).b: got \(24,8\):\(1,24\); .* leaves no layout",
        ),
    ],
)
def test_tiles_that_do_not_exist_are_refused(arguments, message: str) -> None:
    with pytest.raises(LayoutError, match=message):
        tiled_mma(TF32, *arguments)


def test_a_tile_must_divide_the_matrix() -> None:
    message = r"m16n8k8.tf32 x \(2, 2, 1\).c: got \(48,16\):\(1,48\), needed sizes that are mult"
    with pytest.raises(LayoutError, match=message):
        TILED["2x2"].partition("c", Layout((48, 16)), 0)


# --- laws of tiled copies ---

COPIES = {
    "vectors": tiled_copy(universal_copy(128, 32), Layout((16, 8), (8, 1)), Layout((1, 4))),
    "columns": tiled_copy(universal_copy(64, 16), Layout((8, 16)), Layout((4, 1))),
    "blocks": tiled_copy(universal_copy(32, 16), Layout((32, 4), (4, 1)), row_major(2, 4)),
    "cp.async": tiled_copy(cp_async(16, 16), Layout((16, 8), (8, 1)), Layout((1, 8))),
    "ldmatrix a": tiled_copy_for(ldmatrix(4), tiled_mma(F16, (2, 2, 1)), "a"),
    "ldmatrix x2 a": tiled_copy_for(ldmatrix(2), tiled_mma(F16, (2, 2, 1)), "a"),
    "ldmatrix b": tiled_copy_for(ldmatrix(4), tiled_mma(F16, (2, 2, 1), (32, 32, 16)), "b"),
    "ldmatrix.trans b": tiled_copy_for(ldmatrix(2, transpose=True), tiled_mma(F16), "b"),
    "stmatrix c": tiled_copy_for(stmatrix(2), tiled_mma(F16, (2, 2, 1)), "c"),
}
copying = pytest.mark.parametrize("copy", COPIES.values(), ids=COPIES)


def whole(copy):
    rows, columns = copy.block
    return row_major(2 * rows, 3 * columns)


@copying
def test_registers_of_a_copy_cover_the_matrix_once(copy) -> None:
    matrix, places = whole(copy), []
    for thread in range(copy.threads):
        values, offset = copy.partition(copy.atom.anchor, matrix, thread)
        places += (values.table() + offset).tolist()
    times = copy.tv.size // (copy.block[0] * copy.block[1])
    assert sorted(places) == sorted(list(range(matrix.size)) * times)


@copying
def test_both_sides_of_an_atom_name_the_same_elements(copy) -> None:
    """The threads of one atom together read what they together get."""
    matrix, group = whole(copy), copy.atom.threads
    for start in range(0, copy.threads, group):
        sides = []
        for side in ("source", "destination"):
            parts = [copy.partition(side, matrix, t) for t in range(start, start + group)]
            sides.append({int(p) for values, offset in parts for p in values.table() + offset})
        assert sides[0] == sides[1]


@copying
def test_the_copy_brings_each_thread_its_registers(copy) -> None:
    """Element i of the atom's source side lands as element i of its destination side."""
    matrix, group = whole(copy), copy.atom.threads
    atom = copy.atom
    for start in range(0, copy.threads, group):
        named = {}
        for thread in range(group):
            values, offset = copy.partition("source", matrix, start + thread)
            for v in range(atom.values("source")):
                named[int(atom.source(thread, v))] = values(((v, 0), 1, 2)) + offset
        for thread in range(group):
            values, offset = copy.partition("destination", matrix, start + thread)
            for v in range(atom.values("destination")):
                place = values(((v, 0), 1, 2)) + offset
                assert place == named[int(atom.destination(thread, v))]


def test_a_copy_for_a_product_fills_its_fragments() -> None:
    for operand, atom in (("a", ldmatrix(4)), ("b", ldmatrix(4)), ("c", universal_copy(32, 16))):
        tiled = tiled_mma(F16, (2, 2, 1), (32, 32, 16))
        copy = tiled_copy_for(atom, tiled, operand)
        matrix = row_major(*copy.block)
        for thread in range(0, 128, 5):
            mine, at = tiled.partition(operand, matrix, thread)
            got, start = copy.partition("destination", matrix, thread)
            assert (mine.table() + at).tolist() == (got.table() + start).tolist()


def test_sources_of_ldmatrix_are_rows_of_sixteen_bytes() -> None:
    for name in ("ldmatrix a", "ldmatrix x2 a", "ldmatrix b"):
        copy = COPIES[name]
        values, _ = copy.partition("source", row_major(*copy.block), 3)
        assert values.mode(0).mode(0).table().tolist() == list(range(8))


def test_ldmatrix_from_a_swizzled_tile_reads_aligned_rows() -> None:
    tile, copy = shared_tile((64, 64), 16), COPIES["ldmatrix a"]
    for thread in range(128):
        values, offset = copy.get_slice(thread).partition_s(tile)
        assert offset == 0
        for i in range(2):
            for j in range(4):
                row = [values(((v, 0), i, j)) for v in range(8)]
                assert row == list(range(row[0], row[0] + 8))
                assert row[0] % 8 == 0


def test_vector_width_of_a_copy_in_memory() -> None:
    vectors, blocks = COPIES["vectors"], COPIES["blocks"]
    assert vectors.atom.vector_bits("source") == 128
    for side in ("source", "destination"):
        assert vectors.vector_bits(side, row_major(32, 64)) == 128
        assert vectors.vector_bits(side, Layout((32, 64))) == 32
        assert vectors.vector_bits(side, Layout((32, 64), (65, 1))) == 32
    assert blocks.vector_bits("source", row_major(64, 16)) == 32
    assert blocks.vector_bits("source", Layout((64, 16))) == 16
    assert COPIES["columns"].vector_bits("source", Layout((32, 16))) == 64


def test_swizzles_keep_the_rows_of_ldmatrix_together() -> None:
    for swizzle in (0, 32, 64, 128):
        tile = shared_tile((64, 64), 16, "k", swizzle)
        assert COPIES["ldmatrix a"].vector_bits("source", tile) == 128
    broken = ComposedLayout(Swizzle(3, 2, 3), 0, row_major(64, 64))
    assert COPIES["ldmatrix a"].vector_bits("source", broken) == 64


def test_vectors_of_a_plain_copy_lie_side_by_side() -> None:
    copy = COPIES["vectors"]
    values, offset = copy.get_slice(9).partition_d(row_major(32, 64))
    assert (offset, str(values)) == (68, "((4,1),2,2):((1,0),1024,32)")


RETILED = {
    "ldmatrix": (ldmatrix(2), tiled_mma(F16, (2, 2, 1)), "a"),
    "larger tile": (universal_copy(32, 16), TILED["larger tile"], "c"),
    "larger K": (universal_copy(128, 8), TILED["larger K"], "a"),
    "two atoms of N": (ldmatrix(4), tiled_mma(F16, (2, 2, 1), (32, 32, 16)), "b"),
    "permuted N": (stmatrix(4), TILED["permuted N"], "c"),
}


@pytest.mark.parametrize("name", RETILED)
def test_retile_finds_the_register_of_each_element(name: str) -> None:
    """What the product keeps in register r, the copy moves to and from register r."""
    atom, tiled, operand = RETILED[name]
    copy = tiled_copy_for(atom, tiled, operand)
    matrix = row_major(2 * copy.block[0], 3 * copy.block[1])
    for thread in (0, 1, 37, tiled.threads - 1):
        mine, at = tiled.partition(operand, matrix, thread)
        got, start = copy.partition(atom.anchor, matrix, thread)
        again = copy.retile(Layout(mine.shape))
        assert [mode.size for mode in again.modes] == [mode.size for mode in got.modes]
        assert sorted(again.table().tolist()) == list(range(mine.size))
        for index in range(mine.size):
            assert got(index) + start == mine(again(index)) + at


def test_retile_of_the_copys_own_fragment_changes_nothing() -> None:
    fragment = Layout((8, 3, 2))
    again = COPIES["ldmatrix x2 a"].retile(fragment)
    assert str(again) == "((4,2),3,2):((1,4),8,24)"
    assert again.table().tolist() == fragment.table().tolist()


@st.composite
def tiled_products(draw):
    """Groups of any sizes and order, tiles of several atoms, rows permuted by a random layout."""
    atom = draw(st.sampled_from((TF32, F16, S8, mma("m8n8k4.f64"), lane_dot("sdot"), amx("bf16"))))
    sizes = tuple(draw(st.integers(1, 3)) for _ in range(3))
    order = draw(st.permutations(range(3)))
    modes = []
    for part, count in zip(atom.shape, sizes, strict=True):
        size = part * count * draw(st.integers(1, 2))
        split = draw(st.sampled_from([d for d in range(1, size + 1) if size % d == 0]))
        permuted = Layout((split, size // split), (size // split, 1))
        modes.append(draw(st.sampled_from((None, size, permuted))))
    try:
        return tiled_mma(atom, make_ordered_layout(sizes, tuple(order)), tuple(modes))
    except LayoutError:  # atoms and groups cut the permutation where no layout can follow
        assert any(isinstance(mode, Layout) for mode in modes)
        reject()


@settings(max_examples=80, deadline=None)
@given(tiled_products(), st.data())
def test_any_tiled_product_covers_any_matrix(tiled, data) -> None:
    operand = data.draw(st.sampled_from(("a", "b", "c")))
    rows, columns = (size * data.draw(st.integers(1, 2)) for size in tiled.block(operand))
    counts = np.zeros(rows * columns, np.int64)
    for thread in range(tiled.threads):
        values, offset = tiled.partition(operand, row_major(rows, columns), thread)
        np.add.at(counts, values.table() + offset, 1)
    groups = [mode.size for mode in tiled.threads_vmnk.modes][1:]
    assert set(counts) == {tiled.atom.copies(operand) * groups[GROUPS[operand]]}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: tiled_copy(universal_copy(128, 32), Layout((32, 1)), Layout((1, 2))),
            r"tiled_copy\(universal_copy.16\): got 32 threads with 2 values, needed multiples of 1",
        ),
        (
            lambda: tiled_copy(ldmatrix(1), Layout((8, 2)), Layout((1, 2))),
            r"tiled_copy\(ldmatrix.x1\): got 16 threads with 2 values, needed multiples of 32",
        ),
        (
            lambda: tiled_copy(universal_copy(32, 32), Layout(32), Layout(2)),
            r"tiled_copy: got 32:1 and 2:1, needed modes \(row, column\)",
        ),
        (
            lambda: tiled_copy(universal_copy(32, 32), Layout((4, 8), (1, 5)), Layout((1, 2))),
            r"make_layout_tv|raked_product",
        ),
        (
            lambda: COPIES["vectors"].partition("source", Layout((24, 32)), 0),
            r"tiled_copy\(universal_copy.16\): got \(24,32\):\(1,24\), needed sizes that are mult",
        ),
        (
            lambda: COPIES["vectors"].retile(Layout((2, 2))),
            r"retile: got \(2,2\):\(1,2\), needed sizes that are multiples of \(4, 1\)",
        ),
        (
            lambda: COPIES["vectors"].retile(Layout((8, 2))),
            r"retile: got \(8,2\):\(1,8\), needed 4 values in its first mode",
        ),
    ],
)
def test_copies_that_do_not_fit_are_refused(call, message: str) -> None:
    with pytest.raises(LayoutError, match=message):
        call()
