"""Instructions against `tensor-layouts`, which copies them from CUTLASS by hand."""

from __future__ import annotations

import pytest

from tensorlib.layouts import Layout
from tensorlib.layouts.hardware import amx, ldmatrix, mma, stmatrix, wgmma

pytestmark = pytest.mark.slow

MMA = {
    "SM80_16x8x8_F16F16F16F16_TN": "m16n8k8.f16.f16",
    "SM80_16x8x16_F16F16F16F16_TN": "m16n8k16.f16.f16",
    "SM80_16x8x8_F32F16F16F32_TN": "m16n8k8.f16",
    "SM80_16x8x16_F32F16F16F32_TN": "m16n8k16.f16",
    "SM80_16x8x8_F32BF16BF16F32_TN": "m16n8k8.bf16",
    "SM80_16x8x16_F32BF16BF16F32_TN": "m16n8k16.bf16",
    "SM80_16x8x4_F32TF32TF32F32_TN": "m16n8k4.tf32",
    "SM80_16x8x8_F32TF32TF32F32_TN": "m16n8k8.tf32",
    "SM80_8x8x4_F64F64F64F64_TN": "m8n8k4.f64",
    "SM80_8x8x16_S32S8S8S32_TN": "m8n8k16.s8",
    "SM80_16x8x16_S32S8S8S32_TN": "m16n8k16.s8",
    "SM80_16x8x32_S32S8S8S32_TN": "m16n8k32.s8",
    "SM89_16x8x32_F32E4M3E4M3F32_TN": "m16n8k32.e4m3",
    "SM89_16x8x32_F16E5M2E5M2F16_TN": "m16n8k32.e5m2.f16",
    "SM90_16x8x4_F64F64F64F64_TN": "m16n8k4.f64",
    "SM90_16x8x8_F64F64F64F64_TN": "m16n8k8.f64",
    "SM90_16x8x16_F64F64F64F64_TN": "m16n8k16.f64",
}
WGMMA = {
    "SM90_64x8x16_F16F16F16_SS": wgmma(8, "f16", "f16"),
    "SM90_64x24x16_F16F16F16_SS": wgmma(24, "f16", "f16"),
    "SM90_64x256x16_F32F16F16_SS": wgmma(256, "f16"),
    "SM90_64x128x16_F32BF16BF16_SS": wgmma(128, "bf16"),
    "SM90_64x64x8_F32TF32TF32_SS": wgmma(64, "tf32"),
    "SM90_64x256x32_S32S8S8_SS": wgmma(256, "s8"),
    "SM90_64x64x32_F16E4M3E4M3_SS": wgmma(64, "e4m3", "f16"),
}
MATRICES = {
    "SM75_U32x1_LDSM_N": ldmatrix(1),
    "SM75_U32x2_LDSM_N": ldmatrix(2),
    "SM75_U32x4_LDSM_N": ldmatrix(4),
    "SM75_U16x2_LDSM_T": ldmatrix(1, transpose=True),
    "SM75_U16x4_LDSM_T": ldmatrix(2, transpose=True),
    "SM75_U16x8_LDSM_T": ldmatrix(4, transpose=True),
    "SM90_U32x4_STSM_N": stmatrix(4),
    "SM90_U16x8_STSM_T": stmatrix(4, transpose=True),
}


def theirs(layout) -> Layout:
    return Layout.parse(str(layout))


def named(name: str):
    return getattr(pytest.importorskip("tensor_layouts.atoms_nv"), name)


@pytest.mark.parametrize("name", MMA)
def test_fragments_of_mma_agree(name: str) -> None:
    peer, atom = named(name), mma(MMA[name])
    assert tuple(peer.shape_mnk) == atom.shape
    pairs = zip(
        (peer.a_layout, peer.b_layout, peer.c_layout), (atom.a, atom.b, atom.c), strict=True
    )
    for layout, tv in pairs:
        assert theirs(layout).table().tolist() == tv.table().tolist()


@pytest.mark.parametrize("name", WGMMA)
def test_fragments_of_wgmma_agree(name: str) -> None:
    peer, atom = named(name), WGMMA[name]
    assert tuple(peer.shape_mnk) == atom.shape
    assert theirs(peer.a_layout) is atom.a
    assert theirs(peer.b_layout) is atom.b
    assert theirs(peer.c_layout).table().tolist() == atom.c.table().tolist()


@pytest.mark.parametrize("name", MATRICES)
def test_matrix_copies_agree(name: str) -> None:
    """Theirs are in bits; an element is 16 of them."""
    peer, atom = named(name), MATRICES[name]
    for layout, tv in (
        (peer.src_layout_bits, atom.source),
        (peer.dst_layout_bits, atom.destination),
    ):
        bits = theirs(layout).table().reshape(-1, 32)[::16]
        assert (bits // 16).reshape(-1).tolist() == tv.table().tolist()


@pytest.mark.parametrize("name", ["AMX_16x16x32_F32BF16BF16F32", "AMX_16x16x64_S32S8S8S32"])
def test_amx_has_the_same_tiles(name: str) -> None:
    """Theirs count values columns first and say so; ours lie as the tile registers do."""
    peer = getattr(pytest.importorskip("tensor_layouts.atoms_amx"), name)
    atom = amx("bf16" if "BF16" in name else "s8")
    assert tuple(peer.shape_mnk) == atom.shape
    for layout, tv in ((peer.a_layout, atom.a), (peer.b_layout, atom.b), (peer.c_layout, atom.c)):
        assert sorted(theirs(layout).table().tolist()) == sorted(tv.table().tolist())
        assert theirs(layout).table().tolist() != tv.table().tolist()
