"""OpenCL C of kernels: golden text, and the interpreter's bits on a device, for every IR row.

TENSORLIB_UPDATE_GOLDEN=1 writes the golden files anew; read the difference before you keep it.
"""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

import tensorlib as tl
from tensorlib.dtypes import DType
from tensorlib.errors import KernelError
from tensorlib.ir import Kernel, interpret, text, verify
from tensorlib.ir.core import walk
from tensorlib.ir.grid_ops import SHUFFLE_MODES
from tensorlib.ir.types import Placement, VectorType
from tensorlib.lang.trace import trace
from tensorlib.passes import run_passes
from tensorlib.passes.split import split
from tensorlib.printers import OPENCL_OPTIONS, OpenCLDevice, for_opencl, print_opencl
from tensorlib.printers.opencl_branches import open_ends
from tensorlib.simd import SIMD
from tensorlib.tests.compiled_kernels import copied, differences, types_of
from tensorlib.tests.cuda_emulator import HEADER, compile_emulated
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
from tensorlib.tests.opencl_device import build_opencl, compile_opencl, opencl_device, run_text
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
@pytest.mark.parametrize("start", range(1000, 1100, 25))
def test_many_random_kernels_agree(start: int) -> None:
    assert agree(random_cases(range(start, start + 25)), compile_opencl, together=25)


@pytest.mark.parametrize("kind", KINDS)
def test_the_librarys_kernels_agree_on_several_threads(kind: str) -> None:
    assert agree(spec_cases(kind, 2), compile_opencl)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_many_of_the_librarys_kernels_agree(kind: str) -> None:
    assert agree(spec_cases(kind, 12), compile_opencl)


def test_one_block_of_each_kernel_agrees() -> None:
    cases = {case.kernel.name: case for case in reversed(grid_cases())}  # the smallest of each
    assert agree(cases.values(), compile_opencl, together=15)


@pytest.mark.slow
def test_kernels_of_all_blocks_agree() -> None:
    assert agree(grid_cases(), compile_opencl, together=20)


def test_random_kernels_of_blocks_agree() -> None:
    assert agree(random_grid_cases(range(4)), compile_opencl)


@pytest.mark.slow
@pytest.mark.parametrize("start", range(100, 150, 10))
def test_many_random_kernels_of_blocks_agree(start: int) -> None:
    assert agree(random_grid_cases(range(start, start + 10)), compile_opencl)


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


# --- branches in which threads meet ---

# Valid OpenCL C: all threads reach the barrier, after which some of them write.
APART = """
__kernel void apart(__global int *out, int n) {
  const int t = get_local_id(0);
  if (n) {
    barrier(CLK_LOCAL_MEM_FENCE);
    if (t > 1) {
      out[t] = 1;
      if (t > 40) out[0] = 2;
    }
    END
  }
}
"""


@pytest.mark.parametrize("end", ["", "barrier(CLK_LOCAL_MEM_FENCE);"])
def test_pocl_needs_a_barrier_at_the_end_of_a_branch_in_which_threads_meet(end: str) -> None:
    """PoCL 3.0 writes nothing without it, which is why kernels are printed with one."""
    expected = [0, 0, *[1] * 30]
    if not end and "PoCL 3.0" in opencl_device().version + opencl_device().platform.version:
        expected = [0] * 32
    out = np.zeros(32, np.int32)
    (made,) = build_opencl(APART.replace("END", end), ["apart"])
    run_text(made, out, 3)
    assert out.tolist() == expected


def parting(out: Tile, x: Tile, n: SIMD) -> None:
    t = tl.thread_id()
    shared = tl.stack_allocation[tl.int32, Placement.SHARED](32)
    shared[t] = x[t]
    if n > 2:
        tl.barrier()
        if x[t] > 0:
            out[t] = shared[31 - t]
            if n > 9:
                out[t] = 7
    else:
        tl.barrier()
        out[t] = shared[0]


def test_a_branch_in_which_threads_meet_and_part_ends_in_a_barrier() -> None:
    x = np.arange(-3, 29, dtype=np.int32)
    kernel, arguments = tl.kernel(parting), (np.zeros_like(x), x, 3)
    made = kernel.trace(*arguments, block=32)
    lines = [line.strip() for line in print_opencl(made).splitlines()]
    barriers = [n for n, line in enumerate(lines) if line.startswith("barrier(")]
    assert len(barriers) == 3  # two of the kernel's own
    assert lines[barriers[1] + 1] == "} else {"
    assert len(open_ends(made)) == 1
    agree([DeviceCase("parting", made, kernel.values(arguments))], compile_opencl)


# --- devices that lack something ---

PLAIN = OpenCLDevice(frozenset())


def refused(kernel: Kernel, device: OpenCLDevice) -> str:
    with pytest.raises(KernelError) as error:
        print_opencl(kernel, device=device)
    return str(error.value)


def test_a_device_without_float64_refuses_kernels_that_compute_in_it() -> None:
    kernel = row_case(DType.float64, 1).kernel
    assert refused(kernel, PLAIN) == (
        f"print_opencl: {kernel.name}: got computation in float64, needed cl_khr_fp64, which the "
        "device lacks; try float32"
    )
    assert print_opencl(built("half_silu"), device=PLAIN) == print_opencl(built("half_silu"))


def test_halves_need_no_float64() -> None:
    """Nor a type `half`: they are kept as their bits, and multiplied and added in float32."""

    def fused(out: Tile, x: Tile) -> None:
        for i in tl.unroll(range(0, 4096, 16)):
            a, b, c = (x.load[16](i + 4096 * k) for k in range(3))
            out.store[16](i, a.fma(b, c))

    bits = np.random.default_rng(6).integers(0, 2**16, 3 * 4096).astype(np.uint16)
    data = {"out": np.zeros(4096, np.float16), "x": bits.view(np.float16)}
    made = run_passes(trace(fused, types_of(data)))
    assert "double" not in print_opencl(made, device=PLAIN)
    agree([DeviceCase("halves", made, data)], compile_opencl)


def test_a_device_without_64_bit_atomics_refuses_kernels_with_them() -> None:
    made = atomic_case(DType.int64, Placement.GLOBAL).kernel
    assert refused(made, PLAIN) == (
        f"print_opencl: {made.name}: got an atomic of int64, needed cl_khr_int64_base_atomics, "
        "which the device lacks; try a dtype of 32 bits"
    )
    base = OpenCLDevice(frozenset({"cl_khr_int64_base_atomics"}))
    assert "needed cl_khr_int64_extended_atomics" in refused(made, base)
    both = OpenCLDevice(base.extensions | {"cl_khr_int64_extended_atomics"})
    assert "atom_cmpxchg" in print_opencl(made, device=both)
    for own in (atomic_case(DType.int64, Placement.REGISTER), checked_case(1)):
        assert "atom_" not in print_opencl(own.kernel)


def test_a_device_that_rounds_otherwise_refuses_divisions() -> None:
    device = OpenCLDevice(frozenset({"cl_khr_fp64"}), is_rounded=False)
    assert "got a division or square root, needed CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT" in refused(
        row_case(DType.float32, 1).kernel, device
    )


def test_a_kernel_may_share_no_more_memory_than_the_device_has() -> None:
    (case,) = (c for c in grid_cases() if c.name == "block_sums")
    assert refused(case.kernel, OpenCLDevice(frozenset(), 63)) == (
        "print_opencl: block_sums: got 64 bytes that the threads of a block share, needed at most "
        "63; try smaller tiles or fewer threads"
    )
    assert print_opencl(case.kernel, device=OpenCLDevice(frozenset(), 64))
    votes = vote_case(40).kernel  # two words of votes
    assert print_opencl(votes, device=OpenCLDevice(frozenset(), 8))
    assert "got 8 bytes" in refused(votes, OpenCLDevice(frozenset(), 7))


# --- sub-groups ---

WARPS = OpenCLDevice(
    frozenset({"cl_khr_subgroups", "cl_khr_subgroup_shuffle", "cl_khr_subgroup_ballot",
               "cl_khr_fp64", "cl_khr_int64_base_atomics", "cl_khr_int64_extended_atomics"}),
    lanes=32,
)  # fmt: skip


def emulated(device: OpenCLDevice | None, kernels: Sequence[Kernel]) -> list[Callable[..., None]]:
    headers = (HEADER, HEADER.with_name("opencl_emulator.h"))
    return compile_emulated(kernels, False, lambda k, n: print_opencl(k, n, device), headers)


def test_lanes_exchange_values_in_sub_groups() -> None:
    """Through no memory, and without waiting for other warps: they may go apart."""
    made = apart("warps_apart_64")
    assert for_opencl(made, WARPS) is made
    assert for_opencl(made, replace(WARPS, lanes=16)) is not made
    source = print_opencl(made, device=WARPS)
    assert "sub_group_" in source
    assert "exchange_" not in source
    assert "sub_group_" not in print_opencl(made, device=replace(WARPS, lanes=16))
    assert replace(WARPS, lanes=0).options == OPENCL_OPTIONS
    assert WARPS.options[0] == "-cl-std=CL3.0"


def test_random_kernels_of_blocks_agree_in_sub_groups() -> None:
    cases = [*random_grid_cases([0, 1, 2, 111]), *map(vote_case, (7, 40))]
    assert agree(cases, functools.partial(emulated, WARPS))


def test_random_kernels_of_blocks_agree_without_pocl() -> None:
    """The text that is run is the one that PoCL is given."""
    cases = random_grid_cases([0, 3, 111])
    cases = [case for case in cases if for_opencl(case.kernel) is case.kernel]
    assert agree(cases, functools.partial(emulated, None))


@pytest.mark.parametrize("mode", SHUFFLE_MODES)
def test_every_dtype_and_width_is_exchanged_in_sub_groups(mode: str) -> None:
    compiler = shutil.which("clang") or shutil.which("clang-14")
    if compiler is None:
        pytest.skip("no clang, which reads OpenCL C 3.0")
    cases = [exchange_case(dtype, w, 40, [mode]) for dtype in DTYPES for w in (1, 2)]
    cases += [vote_case(40), *(c for c in grid_cases() if "warp" in c.name)]
    source = "".join(print_opencl(c.kernel, f"k{n}", WARPS) for n, c in enumerate(cases))
    command = [compiler, "-x", "cl", "-cl-std=CL3.0", "-Xclang", "-finclude-default-header",
               "-target", "spir64", "-fsyntax-only", "-Wno-ignored-pragmas", "-"]  # fmt: skip
    done = subprocess.run(command, input=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:3000]


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
    assert f"kernel_({wanted}, const float float32_)" in source  # a word of OpenCL C
    agree([DeviceCase("scalars", made, {"out": np.zeros(2, np.float32), **arguments})],
          compile_opencl)  # fmt: skip
