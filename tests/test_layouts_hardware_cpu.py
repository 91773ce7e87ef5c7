"""AMX tiles, VNNI and BF16 lanes, Arm's dot and matrix products against their manuals' code."""

from __future__ import annotations

import numpy as np
import pytest

from tensorlib.errors import LayoutError
from tensorlib.layouts import Layout
from tensorlib.layouts.hardware import amx, lane_dot, register_product, vnni_packed
from tensorlib.tests.instruction_models import (
    SIGNED,
    arm_dot,
    arm_matrix,
    extended,
    tdp,
    vdpbf16ps,
    vpdpbusd,
)

AMX = [("bf16", "bf16"), ("f16", "f16"), ("s8", "s8"), ("s8", "u8"), ("u8", "s8"), ("u8", "u8")]
DOTS = {
    "vpdpbusd": vpdpbusd,
    "vpdpwssd": vdpbf16ps,
    "vdpbf16ps": vdpbf16ps,
    "sdot": arm_dot,
    "udot": arm_dot,
    "bfdot": arm_dot,
}


RANGES = {"s8": (-128, 128), "u8": (0, 256), "s16": (-(1 << 15), 1 << 15)}  # floats: -8 ... 7


def random_matrices(atom, seed=0):
    """A, B, C over the whole range of their dtypes."""
    (m, n, k), make = atom.shape, np.random.default_rng(seed).integers
    ranges = [RANGES.get(dtype, (-8, 8)) for dtype in (atom.a_dtype, atom.b_dtype)]
    return make(*ranges[0], (m, k)), make(*ranges[1], (n, k)), make(-8, 8, (m, n))


def as_read(atom, source: int, dtype: str, values: np.ndarray) -> np.ndarray:
    """The registers' raw bits, as the instruction extends its first or second source."""
    if dtype not in RANGES:
        return values
    bits = int(dtype[1:])
    return extended(values & ((1 << bits) - 1), bits, SIGNED[atom.name.split(".")[0]][source])


def flat(tv: Layout, matrix: np.ndarray) -> np.ndarray:
    """The registers of all threads, one after the other, as the layout gathers them."""
    threads, values = (mode.size for mode in tv.modes)
    return matrix.flatten("F")[tv.table()].reshape(values, threads).T.reshape(-1)


def scattered(tv: Layout, held: np.ndarray, shape) -> np.ndarray:
    threads, values = (mode.size for mode in tv.modes)
    matrix = np.zeros(shape[0] * shape[1], held.dtype)
    matrix[tv.table()] = held.reshape(threads, values).T.reshape(-1)
    return matrix.reshape(shape, order="F")


# --- AMX ---


@pytest.mark.parametrize(("a_dtype", "b_dtype"), AMX)
@pytest.mark.parametrize(("m", "n", "k"), [(16, 16, None), (3, 5, 4), (16, 1, 8), (1, 16, None)])
def test_amx_computes_the_product(a_dtype, b_dtype, m, n, k) -> None:
    atom = amx(a_dtype, b_dtype, m=m, n=n, k=k)
    a, b, c = random_matrices(atom)
    size = 1 if a_dtype in ("s8", "u8") else 2
    src1 = as_read(atom, 0, a_dtype, flat(atom.a, a))
    src2 = as_read(atom, 1, b_dtype, flat(atom.b, b))
    tiles = flat(atom.c, c), src1, src2
    assert all(len(tile) * each <= 1024 for tile, each in zip(tiles, (4, size, size), strict=True))
    result = tdp(m, atom.shape[2] * size, n * 4, size, *tiles)
    assert np.array_equal(scattered(atom.c, result, c.shape), a @ b.T + c)


@pytest.mark.parametrize(("dtype", "size"), [("bf16", 2), ("s8", 1)])
def test_places_in_amx_tiles_are_those_of_the_manual(dtype: str, size: int) -> None:
    """A: row m, element k; B: row k / group, element group n + k % group; C: row m, element n."""
    atom, group, row = amx(dtype), 4 // size, 64 // size
    for k in range(64 // size):
        for m in range(16):
            assert atom.owner("a", m, k) == (0, m * row + k)
        for n in range(16):
            assert atom.owner("b", n, k) == (0, (k // group) * row + group * n + k % group)
    for m in range(16):
        for n in range(16):
            assert atom.owner("c", m, n) == (0, 16 * m + n)


def test_amx_instructions_by_their_operands() -> None:
    assert [amx(*row).name.split(".")[0] for row in AMX] == [
        "TDPBF16PS",
        "TDPFP16PS",
        "TDPBSSD",
        "TDPBSUD",
        "TDPBUSD",
        "TDPBUUD",
    ]
    assert amx("bf16").spec.endswith("/x86/tdpbf16ps")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"a_dtype": "f32"}, "amx: got f32 x f32, needed one of bf16 x bf16, f16 x f16, s8 x s8"),
        ({"a_dtype": "s8", "m": 17}, r"got m=17, n=16, k=64 of s8, needed m and n in 1..16"),
        ({"a_dtype": "bf16", "k": 33}, r"k=33 of bf16, .* k a multiple of 2 in 2..32"),
        ({"a_dtype": "bf16", "k": 34}, r"k=34 of bf16, .* k a multiple of 2 in 2..32"),
    ],
)
def test_amx_refuses_what_does_not_exist(arguments, message: str) -> None:
    with pytest.raises(LayoutError, match=message):
        amx(**arguments)


@pytest.mark.parametrize("group", [2, 4])
def test_vnni_packing_is_block_by_groups_by_columns_by_group(group: int) -> None:
    n, k = 48, 64
    packed = vnni_packed(n, k, group)
    matrix = np.arange(n * k).reshape(n, k)
    blocks = matrix.reshape(n // 16, 16, k // group, group).transpose(0, 2, 1, 3)
    memory = np.zeros(n * k, np.int64)
    memory[packed.table()] = matrix.flatten("F")
    assert np.array_equal(memory, blocks.reshape(-1))


@pytest.mark.parametrize(("dtype", "group"), [("bf16", 2), ("s8", 4)])
def test_tiles_of_packed_b_are_runs_of_memory(dtype: str, group: int) -> None:
    atom = amx(dtype)
    n, k = 48, 3 * atom.shape[2]
    values, offset = atom.partition_b(vnni_packed(n, k, group), 0)
    assert offset == 0
    assert values.mode(0).table().tolist() == list(range(16 * atom.shape[2]))
    starts = sorted(values(0, i, j) for i in range(3) for j in range(3))
    assert starts == [i * 16 * atom.shape[2] for i in range(9)]


def test_packing_needs_whole_blocks() -> None:
    message = r"vnni_packed: got n=20, k=64, needed multiples of 16 and 2; try padding"
    with pytest.raises(LayoutError, match=message):
        vnni_packed(20, 64, 2)


# --- lanes ---


@pytest.mark.parametrize("name", DOTS)
def test_dot_products_of_lanes(name: str) -> None:
    for lanes in (4,) if name in ("sdot", "udot", "bfdot") else (4, 8, 16):
        atom = lane_dot(name, lanes)
        a, b, c = random_matrices(atom)
        assert atom.copies("a") == lanes
        broadcast = a.reshape(-1)[atom.a.table().reshape(-1, lanes)[:, 0]]
        src1 = as_read(atom, 0, atom.b_dtype, flat(atom.b, b))
        src2 = as_read(atom, 1, atom.a_dtype, broadcast)
        result = DOTS[name](flat(atom.c, c), src1, src2)
        assert np.array_equal(scattered(atom.c, result, c.shape), a @ b.T + c)


def test_lanes_read_packed_b_side_by_side() -> None:
    """One vector load feeds the instruction: lane l, byte v is byte 4 l + v."""
    atom = lane_dot("vpdpbusd")
    packed = vnni_packed(32, 64, 4)
    for lane in range(16):
        values, offset = atom.partition_b(packed, lane)
        assert [offset + values((v, 1, 3)) for v in range(4)] == [
            1 * 16 * 64 + 3 * 64 + 4 * lane + v for v in range(4)
        ]


def test_signs_of_vpdpbusd() -> None:
    """The operand that may be broadcast from memory, src2, is the signed one."""
    atom = lane_dot("vpdpbusd", 8)
    assert (atom.a_dtype, atom.b_dtype, atom.c_dtype) == ("s8", "u8", "s32")
    assert atom.name == "vpdpbusd.m1n8k4"


@pytest.mark.parametrize("name", ["smmla", "ummla", "usmmla", "bfmmla"])
def test_products_of_registers(name: str) -> None:
    atom = register_product(name)
    a, b, c = random_matrices(atom)
    src1 = as_read(atom, 0, atom.a_dtype, flat(atom.a, a))
    src2 = as_read(atom, 1, atom.b_dtype, flat(atom.b, b))
    result = arm_matrix(flat(atom.c, c), src1, src2)
    assert np.array_equal(scattered(atom.c, result, c.shape), a @ b.T + c)
    assert name.upper() in atom.spec


def test_unknown_lane_instructions_are_refused() -> None:
    with pytest.raises(LayoutError, match=r"lane_dot: got 'vpdpbssd', needed one of vpdpbusd, vpd"):
        lane_dot("vpdpbssd")
    with pytest.raises(LayoutError, match=r"lane_dot: got 16 lanes for sdot, needed one of 4"):
        lane_dot("sdot", 16)
    with pytest.raises(LayoutError, match=r"register_product: got 'mmla', needed one of smmla"):
        register_product("mmla")
