"""Generated C runs on 64-bit Arm: cross-compiled and run under qemu, where both are installed.

On Debian: `apt install gcc-aarch64-linux-gnu qemu-user`.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tensorlib as tl
from tensorlib.backends.c.toolchain import FLAGS
from tensorlib.lang.target import Target, targeting
from tensorlib.passes.legalise import legalise
from tensorlib.simd import SIMD
from tensorlib.tests.c_programs import Case, case, inputs, outputs, program
from tensorlib.tests.compiled_kernels import copied, differences
from tensorlib.tests.random_kernels import seeded_kernel

COMPILER, EMULATOR = shutil.which("aarch64-linux-gnu-gcc"), shutil.which("qemu-aarch64")
EXAMPLES = Path(tl.__file__).parents[1] / "examples"
pytestmark = pytest.mark.skipif(
    not (COMPILER and EMULATOR), reason="needs aarch64-linux-gnu-gcc and qemu-aarch64"
)
NEON = Target("c", 16, frozenset({"asimd"}))


def check(cases: list[Case], folder: Path) -> None:
    """Build one program of all kernels, run it, and compare what it wrote bit for bit."""
    for kernel, _, _ in cases:
        legalise(kernel, NEON.vector_bytes)
    binary = folder / "kernels"
    assert COMPILER is not None
    assert EMULATOR is not None
    command = [COMPILER, *(f for f in FLAGS if f != "-fPIC"), "-static", "-Wno-psabi"]
    command += ["-x", "c", "-", "-o", str(binary), "-lm"]
    built = subprocess.run(
        command, input=program(cases), capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr[:4000]
    ran = subprocess.run([EMULATOR, binary], input=inputs(cases), capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr.decode()[:4000]
    for (kernel, _, expected), got in zip(cases, outputs(ran.stdout, cases), strict=True):
        assert not differences(expected, got), kernel.name


def example(name: str, kernel: str, *arguments: Any, **parameters: Any) -> Case:
    """Return a kernel of an example with what the interpreter makes of its arguments."""
    spec = importlib.util.spec_from_file_location(f"{name}_example", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    function = getattr(module, kernel).bind(**parameters)
    with targeting(NEON):
        data = {k: _scalar(v) for k, v in function.values(arguments).items()}
        traced = function.trace(*arguments)
        expected = copied(data)
        function.interpret(*[expected[name] for name in function.arguments])
    return traced, data, expected


def _scalar(value: Any) -> Any:
    return value if isinstance(value, np.ndarray) else SIMD[tl.int64, 1](value)


def test_random_kernels(tmp_path: Path) -> None:
    check([case(seeded_kernel(seed), seed) for seed in range(300, 316)], tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("start", range(3000, 3500, 50))
def test_many_random_kernels(start: int, tmp_path: Path) -> None:
    check([case(seeded_kernel(seed), seed) for seed in range(start, start + 50)], tmp_path)


def test_examples(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    a, b = (rng.standard_normal(shape).astype(np.float32) for shape in ((8, 16), (16, 16)))
    zeros = np.zeros((8, 16), np.float32)
    check(
        [
            example("recursive_matmul", "matmul", zeros, a, b, levels=((8, 8, 8), (4, 8, 4))),
            example("micro_kernel", "matmul", zeros, a, b, MR=4, NR=16),
        ],
        tmp_path,
    )
