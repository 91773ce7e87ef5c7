"""Names of Python that a target's language knows: kernels, parameters and locals take any."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tensorlib.dtypes import DType
from tensorlib.ir import Kernel, parse
from tensorlib.lang.trace import trace
from tensorlib.passes import run_passes
from tensorlib.printers import PRELUDE, print_c, print_cuda, print_opencl
from tensorlib.printers.naming import MACROS, entry_name
from tensorlib.simd import SIMDType, apply
from tensorlib.tests.cuda_compiler import compile_cuda
from tensorlib.tests.opencl_device import build_opencl
from tensorlib.tile import Tile, TileType

# Each is a keyword, a type, a builtin, a macro or a printer's own word somewhere.
TEXT = """
exp half kernel float4 register int main printf min max threadIdx __global__ double uint local
global image2d_t template new this constexpr abs barrier bool char class clamp convert_int3 cosf
delete dim3 fault fma fract free get_global_id inline int64_t load longjmp malloc namespace
operator private select sin simd size_t sizeof splat sqrt static store switch tl_fault uint32_t
union unsigned volatile warpSize vload4 atomic_add M_PI_2 NAN INFINITY f32x4 thread lane warp
votes worker args linux errno xor and not typename __shfl_sync blockIdx fmod fmodf pow powf read
write open mad24 as_float uchar ulong4 mix step sign event_t sampler_t native_exp
work_group_barrier shared1 v1 kernel0
"""
WORDS = TEXT.split()
TYPES = {"out": TileType(DType.float32, (64,), (1,)), "x": TileType(DType.float32, (64,), (1,))}


def named_kernels() -> list[Kernel]:
    """Kernels that call functions of the printers, each with a word for its name."""

    def kernel(out: Tile, x: Tile, i: Any) -> None:
        value = x.load[4](i)
        out.store[4](i, (value < 0.5).select(apply("sqrt", value), apply("floor", value)))
        out[i] = (i // 3 % 5).cast(x.dtype) + x[i].fma(x[i], 1.5)

    types = {**TYPES, "i": SIMDType(DType.int64)}
    return [run_passes(trace(kernel, types, name=word)) for word in WORDS]


def kernel_of_words() -> Kernel:
    """A kernel whose parameters and locals all have a word for a name."""
    first = len(WORDS)
    parameters = ", ".join(f"%{n}.{word}: int64" for n, word in enumerate(WORDS))
    sums = [
        f"  %{first + n}.{word}: int64 = add %{n}.{word} %{n}.{word}"
        for n, word in enumerate(WORDS)
    ]
    out = 2 * first
    stores = [f"  store %{out}.out %{n}.{word} %{first + n}.{word}" for n, word in enumerate(WORDS)]
    lines = [f"kernel of_words({parameters}, %{out}.out: pointer<int64>) {{", *sums, *stores, "}"]
    return parse("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def every() -> list[Kernel]:
    return [*named_kernels(), kernel_of_words()]


def test_c_takes_every_name(every: list[Kernel], tmp_path: Path) -> None:
    compiler = shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("no C compiler")
    path = tmp_path / "kernels.c"
    includes = "".join(f"#include <{n}.h>\n" for n in ("math", "stdio", "stdlib", "string", "time"))
    path.write_text(includes + PRELUDE + "".join(map(print_c, every)))
    command = [compiler, "-Wall", "-Werror", "-Wno-unused", "-Wno-psabi", "-c", path, "-o", "x.o"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:3000]


def test_opencl_takes_every_name(every: list[Kernel]) -> None:
    names = [entry_name(kernel.name, "opencl") for kernel in every]
    assert len(build_opencl("".join(map(print_opencl, every)), names)) == len(every)


def test_cuda_takes_every_name(every: list[Kernel]) -> None:
    cubin, log = compile_cuda("".join(map(print_cuda, every)), "sm_80")
    assert b"exp_" in cubin
    assert not log


def test_other_names_stay() -> None:
    for name in (
        "scale_add",
        "matmul",
        "softmax_l",
        "expand",
        "global_sum",
        "half2",
        "x",
        "loader",
    ):
        for language in ("c", "cuda", "opencl"):
            is_vector = name == "half2" and language != "c"
            assert entry_name(name, language) == (f"{name}_" if is_vector else name)
    assert entry_name("<lambda>", "c") == "_lambda_"
    assert entry_name("exp", "opencl") == "exp_"


def test_names_that_differ_in_c_only_by_their_numbers_stay_apart() -> None:
    kernel = parse(
        "kernel k(%0.x: pointer<int64>, %1.x: int64, %2.x_1: int64, %3.tl_fault: int64) {\n"
        "  store %0.x %1.x %2.x_1\n  store %0.x %1.x %3.tl_fault\n}\n"
    )
    for source in (print_c(kernel), print_cuda(kernel), print_opencl(kernel)):
        assert "x_[x_1_] = x_1_2_;" in source
        assert "x_[x_1_] = tl_fault_3_;" in source


def test_locals_are_no_macros() -> None:
    kernel = parse("kernel k(%0.out: pointer<int64>, %1.M_PI: int64) {\n" + "".join(
        f"  %{n}.M_PI: int64 = add %{n - 1}.M_PI %{n - 1}.M_PI\n" for n in range(2, 7)
    ) + "  store %0.out %6.M_PI %5.M_PI\n}\n")  # fmt: skip
    source = print_opencl(kernel)
    assert "M_PI_3 = " in source
    assert not any(f"{macro} = " in source for macro in MACROS)
