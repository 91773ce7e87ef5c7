"""Random kernels write the same bits in plain Python, in the interpreter and as compiled C, which
has no undefined behaviour.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tensorlib.backends.c.toolchain import Toolchain
from tensorlib.tests.c_kernels import found_toolchain
from tensorlib.tests.c_programs import case, inputs, outputs, program
from tensorlib.tests.compiled_kernels import agree, differences
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
    cases = [case(seeded_kernel(seed), seed) for seed in seeds]
    source = program(cases)
    said = build(toolchain, source, tmp_path / "kernels", SANITIZE)
    assert not said, said[:4000]
    done = subprocess.run(
        [tmp_path / "kernels"], input=inputs(cases), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()[:4000]
    for (kernel, data, expected), got in zip(cases, outputs(done.stdout, cases), strict=True):
        assert not differences(expected, got), kernel.name
        assert got is not data


def test_generated_c_is_clean(tmp_path: Path) -> None:
    """No warning, no undefined behaviour, no access outside arrays."""
    check_sanitized(tmp_path, range(100, 116))


@pytest.mark.slow
@pytest.mark.parametrize("start", range(1000, 2000, 50))
def test_much_generated_c_is_clean(tmp_path: Path, start: int) -> None:
    check_sanitized(tmp_path, range(start, start + 50))
