"""Random kernels write the same bits in plain Python, in the interpreter and as compiled C, which
has no undefined behaviour.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tensorlib.backends.c.toolchain import Toolchain
from tensorlib.ir import Kernel
from tensorlib.lang.trace import trace
from tensorlib.passes import run_passes
from tensorlib.printers import PRELUDE, print_c
from tensorlib.simd import SIMD
from tensorlib.tests.c_kernels import found_toolchain
from tensorlib.tests.compiled_kernels import agree, copied, differences, run_python, types_of
from tensorlib.tests.random_kernels import RandomKernel, random_kernels, seeded_kernel

QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]
SANITIZE = ("-fsanitize=undefined,address", "-fno-sanitize-recover=all")


@settings(max_examples=40, suppress_health_check=QUIET)
@given(random_kernels(), st.integers(0, 2**32))
def test_random_kernels_agree(kernel: RandomKernel, seed: int) -> None:
    print(kernel.source)
    agree(kernel.function(), kernel.data(seed))


@pytest.mark.slow
@settings(max_examples=1500, suppress_health_check=QUIET)
@given(random_kernels(statements=8), st.integers(0, 2**32))
def test_many_random_kernels_agree(kernel: RandomKernel, seed: int) -> None:
    print(kernel.source)
    agree(kernel.function(), kernel.data(seed))


AGREE = """
from tensorlib.tests.compiled_kernels import agree
from tensorlib.tests.random_kernels import seeded_kernel
for seed in range(12):
    kernel = seeded_kernel(seed)
    agree(kernel.function(), kernel.data(seed))
"""


def agree_with(**environment: str) -> None:
    """Compare a few kernels in a process that has these environment variables."""
    found_toolchain()
    command = [sys.executable, "-c", AGREE]
    variables = {**os.environ, **environment}
    done = subprocess.run(command, capture_output=True, text=True, env=variables, check=False)
    assert done.returncode == 0, done.stderr


def test_random_kernels_agree_without_fma_and_f16c() -> None:
    agree_with(TENSORLIB_CPU_FEATURES="baseline")


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_random_kernels_agree_with_another_compiler(compiler: str) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    agree_with(CC=compiler)


# --- sanitizers ---


def program(kernels: list[tuple[Kernel, dict[str, Any]]]) -> str:
    """Return a C program that reads arguments, calls each kernel and writes the arrays."""
    text = [PRELUDE, "#include <stdio.h>\n#include <stdlib.h>\n"]
    text += [print_c(kernel, f"kernel{i}") for i, (kernel, _) in enumerate(kernels)]
    text.append("int main(void) {\n")
    for i, (kernel, data) in enumerate(kernels):
        text.append(f"  {{ uint64_t args[{max(1, len(kernel.parameters))}];\n")
        for k, p in enumerate(kernel.parameters):
            size = data[p.name].nbytes if isinstance(data[p.name], np.ndarray) else 0
            text.append(
                f"    args[{k}] = (uintptr_t)malloc({size}); "
                f"if (fread((void *)(uintptr_t)args[{k}], 1, {size}, stdin) != {size}) return 2;\n"
                if size
                else f"    if (fread(args + {k}, 1, 8, stdin) != 8) return 2;\n"
            )
        text.append(f"    kernel{i}(args, 0, 1);\n")
        for k, p in enumerate(kernel.parameters):
            if isinstance(data[p.name], np.ndarray):
                pointer = f"(void *)(uintptr_t)args[{k}]"
                text.append(f"    fwrite({pointer}, 1, {data[p.name].nbytes}, stdout);\n")
                text.append(f"    free({pointer});\n")
        text.append("  }\n")
    return "".join([*text, "  return 0;\n}\n"])


def raw(value: Any) -> bytes:
    if isinstance(value, SIMD):
        return np.asarray(value.value).tobytes().ljust(8, b"\0")
    return bytes(value.tobytes())


def build(toolchain: Toolchain, source: str, target: Path, extra: tuple[str, ...]) -> str:
    """Compile a program with warnings; return what the compiler says about it."""
    flags = [f for f in toolchain.flags if f not in ("-shared", "-dynamiclib", "-O3")]
    quiet = ("-Wno-psabi", "-Wno-unused-variable", "-Wno-unused-parameter")
    quiet += ("-Wno-type-limits", "-Wno-tautological-compare")  # random code compares anything
    command = [*toolchain.command, *flags, "-O1", *extra, "-Wall", "-Wextra", *quiet]
    command += ["-x", "c", "-", "-o", str(target), "-lm"]
    done = subprocess.run(command, input=source, capture_output=True, text=True, check=False)
    return done.stderr if done.returncode == 0 else f"error: {done.stderr}"


def check_sanitized(tmp_path: Path, seeds: range) -> None:
    toolchain = found_toolchain()
    if build(toolchain, "int main(void) { return 0; }\n", tmp_path / "try", SANITIZE):
        pytest.skip("the compiler has no sanitizers")
    cases = []
    for seed in seeds:
        kernel = seeded_kernel(seed)
        data = kernel.data(seed)
        expected = copied(data)
        run_python(kernel.function(), expected)
        traced = run_passes(trace(kernel.function(), types_of(data)))
        cases.append((traced, data, expected))
    source = program([(kernel, data) for kernel, data, _ in cases])
    said = build(toolchain, source, tmp_path / "kernels", SANITIZE)
    assert not said, said[:4000]
    stdin = b"".join(raw(data[p.name]) for kernel, data, _ in cases for p in kernel.parameters)
    done = subprocess.run([tmp_path / "kernels"], input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()[:4000]
    at = 0
    for kernel, data, expected in cases:
        got = copied(data)
        for p in kernel.parameters:
            if isinstance(got[p.name], np.ndarray):
                size = got[p.name].nbytes
                got[p.name] = np.frombuffer(done.stdout[at : at + size], got[p.name].dtype)
                at += size
        assert not differences(expected, got)


def test_generated_c_is_clean(tmp_path: Path) -> None:
    """No warning, no undefined behaviour, no access outside arrays."""
    check_sanitized(tmp_path, range(100, 116))


@pytest.mark.slow
@pytest.mark.parametrize("start", range(1000, 2000, 50))
def test_much_generated_c_is_clean(tmp_path: Path, start: int) -> None:
    check_sanitized(tmp_path, range(start, start + 50))
