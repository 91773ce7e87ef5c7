"""OpenCL C of kernels: golden text, and the interpreter's bits on a device, for every IR row.

TENSORLIB_UPDATE_GOLDEN=1 writes the golden files anew; read the difference before you keep it.
"""

from __future__ import annotations

import re

import numpy as np
import pytest

from tensorlib.dtypes import DType
from tensorlib.ir import Kernel, interpret, text, verify
from tensorlib.ir.core import walk
from tensorlib.ir.grid_ops import SHUFFLE_MODES
from tensorlib.ir.types import Placement, VectorType
from tensorlib.lang.trace import trace
from tensorlib.passes import run_passes
from tensorlib.passes.split import split
from tensorlib.printers import for_opencl, print_opencl
from tensorlib.simd import SIMD
from tensorlib.tests.compiled_kernels import copied, differences, types_of
from tensorlib.tests.device_cases import (
    DTYPES,
    DeviceCase,
    agree,
    checked_case,
    grid_cases,
    outside_case,
    random_cases,
    random_grid_cases,
    row_case,
    spec_cases,
)
from tensorlib.tests.meeting_cases import atomic_case, copy_case, exchange_case, vote_case
from tensorlib.tests.opencl_device import compile_opencl
from tensorlib.tests.random_specs import KINDS
from tensorlib.tests.test_printers_c import KERNELS, built, compare
from tensorlib.tile import Tile, TileType

# --- text ---


@pytest.mark.parametrize("name", KERNELS)
def test_golden_opencl(name: str) -> None:
    compare(f"{name}.cl", print_opencl(built(name)))


def test_a_kernel_of_blocks_says_its_block_and_shares_local_memory() -> None:
    (case,) = (c for c in grid_cases() if c.name == "block_sums")
    source = print_opencl(case.kernel)
    assert "__kernel __attribute__((reqd_work_group_size(16, 1, 1)))\nvoid block_sums(" in source
    assert re.search(r"__local float shared\d+\[16\]", source)
    assert "barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);" in source


def test_printing_leaves_the_kernel_as_it_was() -> None:
    for case in (row_case(DType.int8, 32), *random_cases(range(5))):
        before = text(case.kernel)
        assert print_opencl(case.kernel) == print_opencl(case.kernel)
        assert text(case.kernel) == before


def test_doubles_are_asked_for_only_where_they_are_used() -> None:
    extension = "#pragma OPENCL EXTENSION cl_khr_fp64 : enable"
    assert extension not in print_opencl(built("half_silu"))
    assert extension in print_opencl(row_case(DType.float64, 1).kernel)


# --- wide vectors ---


@pytest.mark.parametrize("lanes", [8, 16])
def test_split_kernels_write_the_same_bits(lanes: int) -> None:
    cases = [*random_cases(range(20)), row_case(DType.uint16, 16), row_case(DType.float32, 32)]
    for case in cases:
        made = split(case.kernel, lanes)
        verify(made)
        values = [v for o in walk(made.body) for v in (*o.operands, *o.results)]
        assert all(v.type.width <= lanes for v in values if isinstance(v.type, VectorType))
        got = copied(case.data)
        given = [got[p.name] for p in made.parameters]
        interpret(made, [g.value if isinstance(g, SIMD) else g for g in given])
        assert not differences(case.seen(case.expected()), case.seen(got)), case.name


def test_a_kernel_of_narrow_vectors_is_not_split() -> None:
    kernel = built("scale_add")
    assert split(kernel, 8) is kernel


# --- on a device ---


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_row_agrees(dtype: DType) -> None:
    agree([row_case(dtype, 1), row_case(dtype, 4)], compile_opencl)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_row_agrees_at_other_widths(dtype: DType) -> None:
    agree([row_case(dtype, width) for width in (2, 8, 16, 32, 64)], compile_opencl)


def test_random_kernels_agree() -> None:
    assert agree(random_cases(range(16)), compile_opencl, together=16)


@pytest.mark.slow
@pytest.mark.parametrize("start", range(1000, 1600, 50))
def test_many_random_kernels_agree(start: int) -> None:
    assert agree(random_cases(range(start, start + 50)), compile_opencl, together=25)


@pytest.mark.parametrize("kind", KINDS)
def test_the_librarys_kernels_agree_on_several_threads(kind: str) -> None:
    assert agree(spec_cases(kind, 2), compile_opencl)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_many_of_the_librarys_kernels_agree(kind: str) -> None:
    assert agree(spec_cases(kind, 60), compile_opencl)


def test_one_block_of_each_kernel_agrees() -> None:
    cases = {case.kernel.name: case for case in reversed(grid_cases())}  # the smallest of each
    assert agree(cases.values(), compile_opencl, together=15)


@pytest.mark.slow
def test_kernels_of_all_blocks_agree() -> None:
    assert agree(grid_cases(), compile_opencl, together=20)


# PoCL 3.0 gets wrong numbers from a barrier in one branch of an `if`, in a loop of barriers in a
# branch that all threads take. Emulated CUDA agrees, and so does OpenCL without blocks.
WRONG_IN_POCL = {111}


def test_random_kernels_of_blocks_agree() -> None:
    assert agree(random_grid_cases(range(4)), compile_opencl)


@pytest.mark.slow
@pytest.mark.parametrize("start", range(100, 200, 10))
def test_many_random_kernels_of_blocks_agree(start: int) -> None:
    seeds = [seed for seed in range(start, start + 10) if seed not in WRONG_IN_POCL]
    assert agree(random_grid_cases(seeds), compile_opencl)


SOME = (DType.bool, DType.int8, DType.float16, DType.uint32, DType.int64, DType.float64)


def test_every_atomic_agrees() -> None:
    agree([atomic_case(dtype, Placement.GLOBAL) for dtype in DTYPES], compile_opencl, together=13)


@pytest.mark.parametrize("placement", [Placement.SHARED, Placement.REGISTER])
def test_atomics_on_memory_of_the_block_agree(placement: Placement) -> None:
    agree([atomic_case(dtype, placement) for dtype in SOME[2::3]], compile_opencl)


@pytest.mark.slow
@pytest.mark.parametrize("placement", [Placement.SHARED, Placement.REGISTER])
def test_every_atomic_on_memory_of_the_block_agrees(placement: Placement) -> None:
    agree([atomic_case(dtype, placement) for dtype in DTYPES], compile_opencl, together=13)


@pytest.mark.parametrize("mode", SHUFFLE_MODES)
def test_lanes_exchange_values(mode: str) -> None:
    number = SHUFFLE_MODES.index(mode)
    agree([exchange_case(SOME[number], 1 + 3 * (number % 2), 40, [mode])], compile_opencl)


@pytest.mark.slow
@pytest.mark.parametrize("mode", SHUFFLE_MODES)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_lanes_exchange_values_of_every_dtype(dtype: DType, mode: str) -> None:
    agree([exchange_case(dtype, w, n, [mode]) for w, n in ((1, 64), (2, 40))], compile_opencl)


def test_lanes_vote() -> None:
    agree(map(vote_case, (7, 40)), compile_opencl)


def test_copies_agree() -> None:
    shapes = ((DType.float32, 4, 0), (DType.float32, 3, 1), (DType.uint8, 16, 5))
    agree([copy_case(*shape) for shape in shapes], compile_opencl)


def test_a_parallel_loop_is_shared_out_among_all_threads() -> None:
    """Every thread leaves its mark where it alone writes, whatever the launch."""
    rng = np.random.default_rng(0)
    x, y = (rng.standard_normal(1003).astype(np.float32) for _ in range(2))
    data = {"out": np.zeros_like(x), "x": x, "y": y, "a": 1.5, "size": x.size}
    for grid, block in (((1,), 1), ((3,), 1), ((7,), 5), ((64,), 32)):
        case = DeviceCase("scale_add", built("scale_add"), data, grid, block)
        agree([case], compile_opencl)


def test_checks_that_hold_change_nothing() -> None:
    agree([checked_case(seed) for seed in range(6)], compile_opencl)


@pytest.mark.parametrize(("index", "width"), [(16, 1), (-1, 1), (14, 4), (2**40, 4)])
def test_a_check_that_fails_ends_the_kernel(index: int, width: int) -> None:
    case = outside_case(index, width)
    (run,) = compile_opencl([case.kernel])
    got = copied(case.data)
    run(got)
    assert got["out"].tolist() == [1.0] * width
    site, at = got["faults"]
    assert (site > 0, at) == (True, index)


# --- warps that go apart ---


def apart(name: str) -> Kernel:
    return next(c.kernel for c in grid_cases() if c.name == name)


def test_only_kernels_whose_warps_go_apart_lose_their_blocks() -> None:
    for name in ("warp_sums_64", "shuffled_45", "warps_apart_8", "sum_reduction_64", "copied"):
        kernel = apart(name)
        assert for_opencl(kernel) is kernel, name
    for name in ("warps_apart_64", "warp_maxima_64"):
        made = for_opencl(apart(name))
        assert "block" not in made.attributes
        assert [p.name for p in made.parameters[-3:]] == ["grid_x", "grid_y", "grid_z"]


def test_warps_that_go_apart_agree() -> None:
    agree([c for c in grid_cases() if c.name == "warps_apart_64"], compile_opencl)


def test_a_scalar_parameter_has_the_type_of_its_dtype() -> None:
    types = {d.name: d for d in (DType.float16, DType.bool, DType.uint64, DType.float32)}

    def kernel(out: Tile, float16: SIMD, bool: SIMD, uint64: SIMD, float32: SIMD) -> None:
        out[0] = float16.cast(DType.float32) + float32 + uint64.cast(DType.float32)
        out[1] = bool.cast(DType.float32)

    arguments = {name: SIMD(np.array(1, d.numpy), d, 1) for name, d in types.items()}
    out = TileType(DType.float32, (2,), (1,))
    made = run_passes(trace(kernel, {"out": out, **types_of(arguments)}))
    source = print_opencl(made)
    wanted = "__global float *out_, const ushort float16_, const uchar bool_, const ulong uint64_"
    assert f"kernel({wanted}, const float float32_)" in source
    agree([DeviceCase("scalars", made, {"out": np.zeros(2, np.float32), **arguments})],
          compile_opencl)  # fmt: skip
