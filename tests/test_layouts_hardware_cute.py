"""Atoms, tiles and descriptors against what CuTe itself prints.

That is CUTLASS 4.2, its headers compiled for the host. Tiled layouts are compared as functions: the
(thread, value) tables are equal, grouping may differ.
"""

from __future__ import annotations

import pytest

from tensorlib.layouts import Layout, local_tile, row_major
from tensorlib.layouts.hardware import (
    TiledMMA,
    descriptor,
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

TF32, F16 = mma("m16n8k8.tf32"), mma("m16n8k16.f16")
PERMUTED = (32, Layout((2, 4, 4), (1, 8, 2)), 16)

# make_tiled_mma(atom, groups, tile): get_layoutA_TV(), get_layoutB_TV(), get_layoutC_TV(), then
# partition_C and partition_A of a row-major 128 x 128 matrix by thread 37, with their offsets.
PRODUCTS = {
    "2x2": (
        tiled_mma(TF32, (2, 2, 1)),
        "((4,8,2,2),((2,2),(1,1))):((32,1,16,0),((8,128),(0,0)))",
        "((4,8,2,2),(2,(1,1))):((16,1,0,8),(64,(0,0)))",
        "((4,8,2,2),((2,2),(1,1))):((64,1,16,256),((32,8),(0,0)))",
        ("((2,2),4,8):((1,1024),4096,16)", 2178),
        ("((2,2),4,16):((1024,4),4096,8)", 2177),
    ),
    "row-major groups": (
        tiled_mma(TF32, row_major(2, 2, 1)),
        "(((4,8),2,2),((2,2),(1,1))):(((32,1),0,16),((8,128),(0,0)))",
        "(((4,8),2,2),(2,(1,1))):(((16,1),8,0),(64,(0,0)))",
        "(((4,8),2,2),((2,2),(1,1))):(((64,1),256,16),((32,8),(0,0)))",
        ("((2,2),4,8):((1,1024),4096,16)", 138),
        ("((2,2),4,16):((1024,4),4096,8)", 129),
    ),
    "split K": (
        tiled_mma(F16, (1, 2, 2)),
        "((4,8,2,2),((2,2,2),(1,1))):((32,1,0,256),((16,8,128),(0,0)))",
        "((4,16,2),((2,2),(1,1))):((32,1,256),((16,128),(0,0)))",
        None,  # see test_split_k_repeats_c
        ("((2,2),8,8):((1,1024),2048,16)", 138),
        ("((2,2,2),8,4):((1,1024,8),2048,32)", 130),
    ),
    "larger tile": (
        tiled_mma(F16, (2, 2, 1), (64, 32, 16)),
        "((4,8,2,2),((2,2,2),(2,1))):((128,1,16,0),((64,8,512),(32,0)))",
        "((4,8,2,2),((2,2),(2,1))):((64,1,0,8),((32,256),(16,0)))",
        "((4,8,2,2),((2,2),(2,2))):((128,1,16,512),((64,8),(32,1024)))",
        ("((2,2),4,8):((1,1024),4096,16)", 2178),
        ("((2,2,2),4,8):((1,1024,8),4096,16)", 2178),
    ),
    "permuted N": (
        tiled_mma(F16, (2, 2, 1), PERMUTED),
        "((4,8,2,2),((2,2,2),(1,1))):((64,1,16,0),((32,8,256),(0,0)))",
        "((4,2,4,2,2),((2,2),(2,1))):((64,1,8,0,2),((32,256),(4,0)))",
        "((4,8,2,2),((2,2),(1,2))):((256,1,16,64),((32,8),(0,128)))",
        ("((2,2),4,(2,4)):((1,1024),4096,(4,32))", 2184),
        ("((2,2,2),4,8):((1,1024,8),4096,16)", 2178),
    ),
    "permuted M": (
        tiled_mma(TF32, (2, 1, 1), (Layout((16, 2, 2), (1, 32, 16)),)),
        "((4,8,2),((2,2),(2,1))):((64,1,32),((8,256),(16,0)))",
        "((4,8,2),(2,(1,1))):((8,1,0),(32,(0,0)))",
        "((4,8,2),((2,2),(2,1))):((128,1,32),((64,8),(16,0)))",
        None,
        None,
    ),
    "larger K": (
        tiled_mma(mma("m16n8k32.s8"), (2, 1, 1), (None, None, 64)),
        "((4,8,2),((4,2,2),(1,2))):((128,1,16),((32,8,512),(0,1024)))",
        "((4,8,2),((4,2),(1,2))):((32,1,0),((8,128),(0,256)))",
        "((4,8,2),((2,2),(1,1))):((64,1,16),((32,8),(0,0)))",
        None,
        None,
    ),
}
WARPS = tiled_mma(F16, (2, 2, 1), (32, 32, 16))
# make_tiled_copy_A and its likes: get_layoutS_TV(), get_layoutD_TV()
COPIES = {
    "ldmatrix.x4 A": (
        tiled_copy_for(ldmatrix(4), WARPS, "a"),
        "((16,2,2,2),(8,1)):((1,256,16,0),(32,0))",
        "((4,8,2,2),((2,2,2),1)):((64,1,16,0),((32,8,256),0))",
    ),
    "ldmatrix.x4 B": (
        tiled_copy_for(ldmatrix(4), WARPS, "b"),
        "((8,2,2,2,2),(8,1)):((1,256,16,0,8),(32,0))",
        "((4,8,2,2),((2,2,2),1)):((64,1,0,8),((32,256,16),0))",
    ),
    "ldmatrix.x2.trans B": (
        tiled_copy_for(ldmatrix(2, transpose=True), tiled_mma(F16), "b"),
        "((16,2),(8,1)):((8,0),(1,0))",
        "((4,8),((2,2),1)):((16,1),((8,64),0))",
    ),
    "stmatrix.x2 C": (
        tiled_copy_for(stmatrix(2), tiled_mma(F16, (2, 2, 1)), "c"),
        "((4,8,2,2),((2,2),1)):((64,1,16,256),((32,8),0))",
        "((16,2,2,2),(8,1)):((1,0,16,256),(32,0))",
    ),
    "stmatrix.x4 C": (
        tiled_copy_for(stmatrix(4), PRODUCTS["larger tile"][0], "c"),
        "((4,8,2,2),((2,2,2),2)):((128,1,16,512),((64,8,32),1024))",
        "((16,2,2,2),(8,2)):((1,32,16,512),(64,1024))",
    ),
    "stmatrix.x4.trans C": (
        tiled_copy_for(stmatrix(4, transpose=True), PRODUCTS["larger tile"][0], "c"),
        "((4,8,2,2),((2,2,2),2)):((128,1,16,512),((64,8,32),1024))",
        "((8,2,2,2,2),(8,2)):((64,8,32,16,512),(1,1024))",
    ),
    "vectors": (
        tiled_copy(universal_copy(128, 32), row_major(16, 8), Layout((1, 4))),
        "((8,16),(4,1)):((64,1),(16,0))",
        "((8,16),(4,1)):((64,1),(16,0))",
    ),
}
# retile_S or retile_D of a compact fragment of this shape
WORD = universal_copy(32, 16)
RETILED = (
    (stmatrix(4), "larger tile", ((2, 2), 4, 6), "((8,2),2,3):((1,16),8,32)"),
    (WORD, "larger tile", ((2, 2), 4, 6), "((2,(4,2)),2,3):((1,(2,16)),8,32)"),
    (WORD, "permuted N", ((2, 2), 4, (2, 3)), "((2,(2,2)),4,3):((1,(2,16)),4,32)"),
)

# tile_to_shape(GMMA::Layout_..._Atom, 128 x 64), then make_gmma_desc of its first instruction
SHARED = (
    # bits, major, swizzle, the tile, rows and columns of the instruction, LBO, SBO, layout type
    (16, "k", 0, "((8,16),(8,8)):((8,64),(1,1024))", (64, 16), 2048, 128, 0),
    (16, "k", 32, "((8,16),(16,4)):((16,128),(1,2048))", (64, 16), 16, 256, 3),
    (16, "k", 64, "((8,16),(32,2)):((32,256),(1,4096))", (64, 16), 16, 512, 2),
    (16, "k", 128, "((8,16),(64,1)):((64,512),(1,0))", (64, 16), 16, 1024, 1),
    (16, "mn", 0, "((8,16),(8,8)):((1,64),(8,1024))", (64, 16), 2048, 128, 0),
    (16, "mn", 32, "((16,8),(8,8)):((1,128),(16,1024))", (64, 16), 256, 2048, 3),
    (16, "mn", 64, "((32,4),(8,8)):((1,256),(32,1024))", (64, 16), 512, 2048, 2),
    (16, "mn", 128, "((64,2),(8,8)):((1,512),(64,1024))", (64, 16), 0, 2048, 1),
    (16, "mn", 128, "((64,2),(8,8)):((1,512),(64,1024))", (128, 16), 1024, 2048, 1),
    (32, "k", 128, "((8,16),(32,2)):((32,256),(1,4096))", (64, 8), 16, 1024, 1),
    (8, "k", 64, "((8,16),(64,1)):((64,512),(1,0))", (64, 32), 16, 512, 2),
)
# MMA_Traits: ALayout, BLayout, CLayout
ATOMS = (
    (mma("m16n8k16.s8"), "((4,8),(4,2)):((64,1),(16,8))", "((4,8),4):((32,1),8)", "16x8"),
    (
        mma("m16n8k32.s8"),
        "((4,8),(4,2,2)):((64,1),(16,8,256))",
        "((4,8),(4,2)):((32,1),(8,128))",
        "16x8",
    ),
    (mma("m8n8k4.f64"), "((4,8),1):((8,1),0)", "((4,8),1):((8,1),0)", "((4,8),2):((16,1),8)"),
    (mma("m16n8k4.tf32"), "((4,8),2):((16,1),8)", "((4,8),1):((8,1),0)", "16x8"),
    (
        wgmma(16, "f16", a_in_registers=True),
        "((4,8,4),(2,2,2)):((128,1,16),(64,8,512))",
        "(128,(16,16)):(0,(1,16))",
        "64x16",
    ),
    (
        wgmma(16, "tf32", a_in_registers=True),
        "((4,8,4),(2,2)):((64,1,16),(8,256))",
        "(128,(16,8)):(0,(1,16))",
        "64x16",
    ),
    (
        wgmma(16, "s8", a_in_registers=True),
        "((4,8,4),(4,2,2)):((256,1,16),(64,8,1024))",
        "(128,(16,32)):(0,(1,16))",
        "64x16",
    ),
)
ACCUMULATORS = {
    "16x8": "((4,8),(2,2)):((32,1),(16,8))",
    "64x16": "((4,8,4),(2,2,2)):((128,1,16),(64,8,512))",
}


def same(found: Layout, text: str) -> bool:
    wanted = Layout.parse(text)
    sizes = [mode.size for mode in found.modes] == [mode.size for mode in wanted.modes]
    return sizes and found.table().tolist() == wanted.table().tolist()


@pytest.mark.parametrize("name", PRODUCTS)
def test_tiled_products_are_cutes(name: str) -> None:
    tiled, a, b, c, part_c, part_a = PRODUCTS[name]
    assert isinstance(tiled, TiledMMA)
    assert same(tiled.a, a)
    assert same(tiled.b, b)
    assert c is None or same(tiled.c, c)
    for operand, part in (("c", part_c), ("a", part_a)):
        if part is not None:
            values, offset = tiled.partition(operand, row_major(128, 128), 37)
            assert offset == part[1]
            assert same(values, part[0])


def test_split_k_repeats_c() -> None:
    """Two groups along K hold partial sums of the same elements; CuTe's layout leaves the tile."""
    tiled = PRODUCTS["split K"][0]
    cute = Layout.parse("((4,8,4),((2,2),(1,1))):((32,1,128),((16,8),(0,0)))")
    assert cute.cosize > 16 * 16 == tiled.c.cosize
    for thread in range(64):
        for value in range(4):
            assert tiled.c(thread, value) == tiled.c(thread + 64, value) == cute(thread, value)


@pytest.mark.parametrize("name", COPIES)
def test_tiled_copies_are_cutes(name: str) -> None:
    copy, source, destination = COPIES[name]
    assert same(copy.layout("source"), source)
    assert same(copy.layout("destination"), destination)


@pytest.mark.parametrize(("atom", "name", "shape", "text"), RETILED)
def test_retiled_fragments_are_cutes(atom, name: str, shape, text: str) -> None:
    copy = tiled_copy_for(atom, PRODUCTS[name][0], "c")
    assert str(copy.retile(Layout(shape))) == text


@pytest.mark.parametrize(("atom", "a", "b", "c"), ATOMS)
def test_atoms_are_cutes(atom, a: str, b: str, c: str) -> None:
    assert str(atom.a) == a
    assert str(atom.b) == b
    assert str(atom.c) == ACCUMULATORS.get(c, c)


@pytest.mark.parametrize(
    ("bits", "major", "swizzle", "text", "block", "leading", "stride", "mode"), SHARED
)
def test_shared_tiles_and_descriptors_are_cutes(
    bits, major, swizzle, text, block, leading, stride, mode
) -> None:
    tile = shared_tile((128, 64), bits, major, swizzle)
    assert str(tile.inner) == text
    part, _ = local_tile(tile.inner, block, (0, 0))
    found = descriptor(tile.over(part), bits, major, swizzle)
    assert (found.leading, found.stride) == (leading, stride)
    assert found.encode(0) >> 62 == mode
