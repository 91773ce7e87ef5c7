"""CUDA C of kernels: golden text, the interpreter's bits on a host that plays the device, and
machine code without a device.

TENSORLIB_UPDATE_GOLDEN=1 writes the golden files anew; read the difference before you keep it.
"""

from __future__ import annotations

import re

import numpy as np
import pytest

import tensorlib as tl
from tensorlib.dtypes import DType
from tensorlib.errors import KernelError
from tensorlib.ir import text
from tensorlib.ir.grid_ops import SHUFFLE_MODES
from tensorlib.ir.types import Placement
from tensorlib.printers import dynamic_shared_bytes, print_cuda
from tensorlib.printers.cuda_copies import later_copies
from tensorlib.tests.compiled_kernels import copied
from tensorlib.tests.cuda_compiler import compile_cuda, operation_codes
from tensorlib.tests.cuda_emulator import compile_emulated
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
from tensorlib.tests.meeting_cases import (
    atomic_case,
    copy_case,
    exchange_case,
    staged_case,
    vote_case,
)
from tensorlib.tests.random_specs import KINDS
from tensorlib.tests.test_printers_c import KERNELS, built, compare
from tensorlib.tile import Tile

WIDTHS = (1, 4, 16, 32)
ARCHITECTURES = ("sm_80", "sm_90")
OTHERS = ("sm_75", "sm_89", "sm_100", "sm_120")
MODES = SHUFFLE_MODES


def grid_case(name: str) -> DeviceCase:
    return next(case for case in grid_cases() if case.name == name)


# --- text ---


@pytest.mark.parametrize("name", KERNELS)
def test_golden_cuda(name: str) -> None:
    compare(f"{name}.cu", print_cuda(built(name)))


def test_a_kernel_of_blocks_says_its_block_and_shares_memory() -> None:
    source = print_cuda(grid_case("block_sums").kernel)
    assert 'extern "C" __global__ void __launch_bounds__(16) block_sums(' in source
    assert re.search(r"__shared__ __align__\(16\) float shared\d+\[16\];", source)
    assert "__syncthreads();" in source


def test_known_distances_are_written_as_cudas_shuffles() -> None:
    assert "__shfl_down_sync(warp, " in print_cuda(
        exchange_case(DType.float32, 1, 64, MODES).kernel
    )
    # In a part of a warp the lane might not be there.
    assert "__shfl_down_sync" not in print_cuda(exchange_case(DType.float32, 1, 40, MODES).kernel)


def test_printing_leaves_the_kernel_as_it_was() -> None:
    for case in (row_case(DType.int8, 32), *random_cases(range(5))):
        before = text(case.kernel)
        assert print_cuda(case.kernel) == print_cuda(case.kernel)
        assert text(case.kernel) == before


# --- copies in flight ---


def test_an_await_leaves_later_copies_in_flight() -> None:
    kernel = copy_case(DType.float32, 4, 0).kernel
    assert list(later_copies(kernel.body).values()) == [1, 0]
    source = print_cuda(kernel)
    assert source.index("await_copies<1>();") < source.index("await_copies<0>();")


def test_a_carried_copy_waits_for_the_youngest_that_it_may_be() -> None:
    """The loop awaits a copy before it begins the next one."""
    kernel = grid_case("double_buffered").kernel
    assert list(later_copies(kernel.body).values()) == [0, 0]


def test_a_ring_of_three_keeps_one_copy_in_flight() -> None:
    kernel = staged_case(5).kernel
    assert sorted(later_copies(kernel.body).values()) == [0, 1, 1]
    agree([staged_case(5), staged_case(0)], compile_emulated)


# --- on the host ---


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_row_agrees(dtype: DType) -> None:
    agree([row_case(dtype, 1), row_case(dtype, 4)], compile_emulated)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_row_agrees_at_other_widths(dtype: DType) -> None:
    agree([row_case(dtype, width) for width in (2, 8, 16, 32, 64)], compile_emulated)


def test_random_kernels_agree() -> None:
    agree(random_cases(range(16)), compile_emulated, together=16)


@pytest.mark.slow
@pytest.mark.parametrize("start", range(1000, 1100, 25))
def test_many_random_kernels_agree(start: int) -> None:
    agree(random_cases(range(start, start + 25)), compile_emulated, together=25)


@pytest.mark.parametrize("kind", KINDS)
def test_the_librarys_kernels_agree_on_several_threads(kind: str) -> None:
    agree(spec_cases(kind, 3), compile_emulated)


def test_one_block_of_each_kernel_agrees() -> None:
    cases = {case.kernel.name: case for case in grid_cases()}
    agree(cases.values(), compile_emulated, together=40)


@pytest.mark.slow
def test_kernels_of_all_blocks_agree() -> None:
    agree(grid_cases(), compile_emulated, together=40)


def test_random_kernels_of_blocks_agree() -> None:
    agree(random_grid_cases(range(4)), compile_emulated)


@pytest.mark.slow
@pytest.mark.parametrize("start", range(100, 150, 10))
def test_many_random_kernels_of_blocks_agree(start: int) -> None:
    agree(random_grid_cases(range(start, start + 10)), compile_emulated)


SOME = (DType.bool, DType.uint8, DType.float16, DType.float32, DType.int64)


def test_every_atomic_agrees() -> None:
    agree([atomic_case(dtype, Placement.GLOBAL) for dtype in DTYPES], compile_emulated, 13)


def test_atomics_on_memory_of_the_block_agree() -> None:
    cases = [atomic_case(dtype, Placement.SHARED) for dtype in SOME]
    agree([*cases, atomic_case(DType.float32, Placement.REGISTER)], compile_emulated)


@pytest.mark.slow
@pytest.mark.parametrize("placement", [Placement.SHARED, Placement.REGISTER])
def test_every_atomic_on_memory_of_the_block_agrees(placement: Placement) -> None:
    agree([atomic_case(dtype, placement) for dtype in DTYPES], compile_emulated, together=13)


def test_lanes_exchange_values() -> None:
    cases = [exchange_case(dtype, 1, 64, MODES) for dtype in SOME[::2]]
    cases.append(exchange_case(DType.float32, 4, 40, MODES))
    agree([*cases, *map(vote_case, (7, 40, 64))], compile_emulated)


@pytest.mark.slow
def test_lanes_exchange_values_of_every_dtype() -> None:
    cases = [exchange_case(dtype, w, 40, MODES) for dtype in DTYPES for w in (1, 2)]
    agree(cases, compile_emulated)


def test_copies_agree() -> None:
    shapes = ((DType.float32, 4, 0), (DType.float32, 3, 1), (DType.uint8, 16, 5))
    agree([copy_case(*shape) for shape in shapes], compile_emulated)


@pytest.mark.slow
def test_printed_code_has_no_undefined_behaviour() -> None:
    agree(random_cases(range(60)), lambda kernels: compile_emulated(kernels, sanitize=True), 20)


def test_checks_that_hold_change_nothing() -> None:
    agree([checked_case(seed) for seed in range(6)], compile_emulated)


@pytest.mark.parametrize(("index", "width"), [(16, 1), (-1, 1), (14, 4), (2**40, 4)])
def test_a_check_that_fails_ends_the_kernel(index: int, width: int) -> None:
    case = outside_case(index, width)
    (run,) = compile_emulated([case.kernel])
    got = copied(case.data)
    run(got)
    assert got["out"].tolist() == [1.0] * width
    site, at = got["faults"]
    assert (site > 0, at) == (True, index)


# --- machine code ---


def compiled(case: DeviceCase, architecture: str = "sm_80", *options: str) -> tuple[bytes, str]:
    return compile_cuda(print_cuda(case.kernel), architecture, options)


def check_compiles(cases: list[DeviceCase], architecture: str) -> None:
    for case in cases:
        cubin, log = compiled(case, architecture)
        assert cubin.startswith(b"\x7fELF"), case.name
        assert not log, f"{case.name}: {log}"


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("name", KERNELS)
def test_kernels_compile_without_spills(name: str, architecture: str) -> None:
    case = DeviceCase(name, built(name), {})
    _, log = compiled(case, architecture, "--ptxas-options=-v")
    assert "0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads" in log
    assert "warning" not in log


def test_random_kernels_compile() -> None:
    check_compiles([*random_cases(range(4)), *spec_cases("elementwise", 1)], "sm_80")


GRID = ("vectors", "voted_45", "warps_apart_64", "sum_reduction_100", "double_buffered", "bits")


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_kernels_of_blocks_compile(architecture: str) -> None:
    check_compiles([grid_case(name) for name in GRID], architecture)


def test_atomics_and_exchanges_of_some_dtypes_compile() -> None:
    cases = [atomic_case(dtype, Placement.SHARED) for dtype in SOME]
    cases += [exchange_case(dtype, 4, 40, MODES) for dtype in SOME[:2]]
    check_compiles(cases, "sm_80")


@pytest.mark.parametrize("architecture", OTHERS)
def test_kernels_compile_for_other_architectures(architecture: str) -> None:
    cases = [grid_case(name) for name in ("double_buffered", "warps_apart_64")]
    check_compiles([*cases, *random_cases(range(2)), *random_grid_cases([0])], architecture)


# --- much shared memory ---


def sharing(kibibytes: int) -> DeviceCase:
    """Threads that hand on values through two arrays, the second of which needs to be aligned."""

    def handed(out: Tile, x: Tile) -> None:
        t = tl.thread_id()
        bytes_ = tl.stack_allocation[tl.uint8, Placement.SHARED](kibibytes * 1024 - 512 - 13)
        wide = tl.stack_allocation[tl.float32, Placement.SHARED](128)
        bytes_[t], bytes_[t + kibibytes * 1000] = t.cast(tl.uint8), (t * 2).cast(tl.uint8)
        wide.store[4](t * 4, x.load[4](t * 4))
        tl.barrier()
        far = (31 - t) % 32
        number = (bytes_[far] + bytes_[far + kibibytes * 1000]).cast(tl.float32)
        out.store[4](t * 4, wide.load[4](far * 4) + number)

    x = np.arange(128, dtype=np.float32)
    kernel, arguments = tl.kernel(handed), (np.zeros_like(x), x)
    made = kernel.trace(*arguments, block=32)
    return DeviceCase(f"sharing {kibibytes}", made, kernel.values(arguments))


def test_up_to_48_kib_are_shared_without_asking() -> None:
    case = sharing(48)
    assert dynamic_shared_bytes(case.kernel) == 0
    assert "dynamic_shared" not in print_cuda(case.kernel, architecture="sm_75")
    check_compiles([case], "sm_80")
    agree([case], compile_emulated)


def test_more_is_asked_for_at_the_launch() -> None:
    case = sharing(100)
    assert dynamic_shared_bytes(case.kernel) == 100 * 1024
    check_compiles([case], "sm_80")
    agree([case, sharing(64)], compile_emulated, together=2)
    with pytest.raises(KernelError) as error:
        print_cuda(case.kernel, architecture="sm_75")
    assert str(error.value) == (
        "print_cuda: handed: got 102400 bytes that the threads of a block share, needed at most "
        "65536 on sm_75; try smaller tiles or fewer stages"
    )
    assert print_cuda(case.kernel, architecture="sm_90a") == print_cuda(case.kernel)


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_everything_compiles(architecture: str) -> None:
    cases = [*grid_cases(), *random_cases(range(20)), *random_grid_cases(range(8))]
    cases += [row_case(dtype, width) for dtype in DTYPES for width in WIDTHS]
    cases += [case for kind in KINDS for case in spec_cases(kind, 3)]
    cases += [
        atomic_case(dtype, p) for dtype in DTYPES for p in (Placement.GLOBAL, Placement.SHARED)
    ]
    shapes = ((1, 64), (2, 40))
    cases += [exchange_case(dtype, w, n, MODES) for dtype in DTYPES for w, n in shapes]
    check_compiles(cases, architecture)


def instructions(case: DeviceCase) -> str:
    """The kernel's PTX."""
    return compiled(case, "compute_80")[0].decode()


def test_four_floats_are_one_access() -> None:
    ptx = instructions(grid_case("vectors"))
    assert "ld.global.v4.f32" in ptx
    assert "st.global.v4.f32" in ptx
    assert "ld.global.f32" not in ptx


def sums_of_products(dtype: DType) -> DeviceCase:
    """A product and a sum of its own, as often as there are ways to write them."""

    def sums(out: Tile, x: Tile, y: Tile) -> None:
        out[0] = x[0] * y[0] + x[1]
        out[1] = x[1] - x[2] * y[2]
        out.store[4](2, x.load[4](2) * y.load[4](2) + y.load[4](2))
        out[6] = (x.load[8](0) * y.load[8](0)).reduce_add()

    arrays = [np.zeros(16, dtype.numpy) for _ in range(3)]
    return DeviceCase("sums", tl.kernel(sums).trace(*arrays), {})


def test_nothing_is_contracted() -> None:
    """Nor may it be later: only operations with a rounding of their own are left alone."""
    for dtype in (DType.float32, DType.float64):
        ptx = instructions(sums_of_products(dtype))
        suffix = f"f{dtype.bits}"
        assert f"mul.rn.{suffix}" in ptx
        assert f"add.rn.{suffix}" in ptx
        assert not re.findall(r"\b(?:fma|mad|(?:mul|add|sub)\.(?:ftz\.)?f)\S*", ptx)


@pytest.mark.parametrize(("dtype", "multiply"), [(DType.float32, 0x20), (DType.float64, 0x28)])
def test_nothing_is_contracted_in_machine_code(dtype: DType, multiply: int) -> None:
    add, fused = multiply + 1, multiply + 3
    case = sums_of_products(dtype)
    assert {multiply, add, fused} & operation_codes(compiled(case)[0]) == {multiply, add}
    assert fused in operation_codes(compiled(case, "sm_80", "--fmad=true")[0])


def test_single_precision_stays_single() -> None:
    ptx = instructions(row_case(DType.float32, 4)).replace("cvt.f64.f32", "")
    for name in ("sqrt.rn", "div.rn", "fma.rn", "cvt.rmi", "cvt.rpi", "cvt.rzi", "cvt.rni"):
        assert f"{name}.f32" in ptx, name
        assert f"{name}.f64" not in ptx, name


def test_an_fma_is_one_instruction() -> None:
    assert "fma.rn.f32" in instructions(DeviceCase("total", built("total"), {}))


def test_copies_pass_by_the_registers() -> None:
    ptx = instructions(copy_case(DType.float32, 4, 0))
    assert "cp.async.cg.shared.global" in ptx
    assert "cp.async.wait_group 1;" in ptx
    assert "cp.async" not in instructions(copy_case(DType.uint8, 1, 0)).replace(
        "cp.async.commit_group", "").replace("cp.async.wait_group", "")  # fmt: skip


def test_lanes_exchange_by_one_instruction() -> None:
    ptx = instructions(grid_case("warp_sums_64"))
    assert "shfl.sync" in ptx
    assert "bar.sync" not in ptx
