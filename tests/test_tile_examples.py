"""The talk's tile examples: in Python, the interpreter, C and OpenCL, and compiled as CUDA."""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import tensorlib
from tensorlib.lang.target import Target, targeting
from tensorlib.layouts.hardware import mma
from tensorlib.passes.instructions import instructions
from tensorlib.registry import REGISTRY
from tensorlib.tests.cuda_compiler import compile_cuda
from tensorlib.tests.opencl_device import compile_opencl

EXAMPLES = Path(tensorlib.__file__).parents[1] / "examples"
pytestmark = pytest.mark.skipif(
    not (EXAMPLES / "staging.py").exists(), reason="needs the source tree, not a regular install"
)
F32 = np.float32
Arrays = list[Any]


@cache
def example(name: str) -> ModuleType:
    """Return an example's module."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Case:
    """A kernel of an example, its launch, its arguments and what float64 says of the first."""

    file: str
    kernel: str
    arguments: Callable[[], Arrays]
    expected: Callable[[Arrays], Any]
    grid: Any = None
    block: Any = None
    tolerance: float = 0.0
    out: int = 0  # the number of the argument that is written

    def __str__(self) -> str:
        return f"{self.file}-{self.kernel}-{self.grid}"

    @property
    def function(self) -> Any:
        return getattr(example(self.file), self.kernel)

    @property
    def launch(self) -> dict[str, Any]:
        return {} if self.grid is None else {"grid": self.grid, "block": self.block}


def reals(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).standard_normal(shape).astype(F32)


def wholes(*shape: int, seed: int = 0) -> Any:
    """Return numbers that tf32 holds exactly, with exact products and sums."""
    return np.random.default_rng(seed).integers(-8, 9, shape).astype(F32)


def zeros(*shape: int) -> Any:
    return np.zeros(shape, F32)


def of_blocks(x: Any) -> Any:
    return example("tile_layout").blocks(x)


def in_two_steps(a: Arrays) -> Any:
    """Sums of tiles of every other row."""
    x = a[1]
    order = [half * 8 + first + 2 * i for half in (0, 1) for first in (0, 1) for i in range(4)]
    return of_blocks(x[order])


def product(a: Arrays) -> Any:
    return a[1].astype(np.float64) @ a[2].astype(np.float64)


def neighbours(a: Arrays) -> Any:
    rows = a[1].astype(np.float64).reshape(-1, 32)
    return (np.roll(rows, 1, axis=1) + rows + np.roll(rows, -1, axis=1)).reshape(-1)


def owners(a: Arrays) -> Any:
    atom = mma("m16n8k8.tf32")
    places = [[atom.owner("a", i, j) for j in range(8)] for i in range(16)]
    return [[thread * 4 + value for thread, value in line] for line in places]


CASES = [
    Case("tile_layout", "tile_sums", lambda: [zeros(4, 4), reals(16, 32)],
         lambda a: of_blocks(a[1]), tolerance=1e-5),
    Case("tile_layout", "every_other_row", lambda: [zeros(4, 4), reals(16, 32)],
         in_two_steps, tolerance=1e-5),
    Case("tile_layout", "transposed_tiles", lambda: [zeros(4, 4), reals(16, 32)],
         lambda a: of_blocks(a[1]).T, tolerance=1e-5),
    Case("tf32_fragments", "multiplied", lambda: [zeros(16, 8), wholes(16, 8), wholes(8, 8)],
         product, 1, 32),
    Case("tf32_fragments", "multiplied",
         lambda: [zeros(16, 8), reals(16, 8), reals(8, 8, seed=1)], product, (1, 1), 32,
         tolerance=0.02),
    Case("tf32_fragments", "owners", lambda: [zeros(16, 8)], owners, 1, 32),
    Case("fragment_matmul", "matmul", lambda: [zeros(16, 16), wholes(16, 48), wholes(48, 16)],
         product, (1, 1), 32),
    Case("fragment_matmul", "matmul", lambda: [zeros(16, 32), wholes(16, 16), wholes(16, 32)],
         product, (1, 2), 32),
    Case("tiled_matmul", "matmul", lambda: [zeros(35, 11), wholes(35, 21), wholes(21, 11)],
         product, (1, 2), 64),
    Case("staging", "transposed", lambda: [zeros(24, 16), reals(16, 24)],
         lambda a: a[1].T, (3, 2), 16),
    Case("staging", "smoothed", lambda: [zeros(96), reals(96)], neighbours, 1, 32, tolerance=1e-6),
    Case("sum_reduction", "sum_reduction", lambda: [reals(300), zeros(1)],
         lambda a: [a[0].astype(np.float64).sum()], 3, 128, 1e-4, 1),
    Case("sum_reduction", "sum_reduction", lambda: [wholes(77), zeros(1)],
         lambda a: [a[0].sum()], 4, 32, out=1),
    Case("sum_reduction", "sum_reduction", lambda: [wholes(77), zeros(1)],
         lambda a: [a[0].sum()], 2, 50, out=1),
]  # fmt: skip


def check(case: Case, found: Arrays) -> None:
    expected = np.asarray(case.expected(case.arguments()), np.float64)
    np.testing.assert_allclose(found[case.out], expected, rtol=0, atol=case.tolerance)


def ran(case: Case, run: Callable[..., None]) -> Arrays:
    arguments = case.arguments()
    run(*arguments, **case.launch)
    return arguments


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_way_gives_the_same_and_what_float64_gives(case: Case) -> None:
    kernel = case.function
    ways = [kernel.python, kernel.interpret]
    ways += [] if "c" in REGISTRY.unavailable() else [kernel]
    results = [ran(case, run) for run in ways]
    check(case, results[0])
    assert len({found[case.out].tobytes() for found in results}) == 1


GOLDEN = {f"{c.file}.{c.kernel}": c for c in reversed(CASES)}  # the first case of each kernel


@pytest.mark.parametrize("name", GOLDEN)
@pytest.mark.parametrize("form", ["ir", "c"])
def test_golden_text(name: str, form: str) -> None:
    """TENSORLIB_UPDATE_GOLDEN=1 writes the files anew; read the difference before you keep it."""
    case = GOLDEN[name]
    arguments = case.arguments()
    with targeting(Target("c", 32)):
        if form == "ir":
            found = case.function.ir(*arguments, block=case.block)
        else:
            found = case.function.source("c", *arguments, block=case.block)
    found = re.sub(r"(// \w+\.py):\d+", r"\1", found)  # numbers of lines move with the files
    path = Path(__file__).with_name("golden") / "tiles" / f"{name}.{form}"
    if os.environ.get("TENSORLIB_UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(found, encoding="utf-8")
    assert found == path.read_text(encoding="utf-8")


def test_on_an_opencl_device() -> None:
    with targeting(Target("opencl", 16)):
        kernels = [case.function.trace(*case.arguments(), block=case.block) for case in CASES]
    for kernel in kernels:
        instructions(kernel, "opencl")
    for case, run in zip(CASES, compile_opencl(kernels), strict=True):
        arguments = tuple(case.arguments())
        grid = case.grid if isinstance(case.grid, tuple) else (case.grid or 1,)
        run(case.function.values(arguments), grid, case.block or 1)
        check(case, list(arguments))
        interpreted = ran(case, case.function.interpret)
        if case.kernel != "sum_reduction" or case.tolerance == 0:  # atomics come in any order
            assert arguments[case.out].tobytes() == interpreted[case.out].tobytes()


@pytest.mark.parametrize("architecture", ["sm_75", "sm_80"])
def test_as_cuda(architecture: str) -> None:
    with targeting(Target("cuda", 16, frozenset({architecture}))):
        for name in dict.fromkeys((case.file, case.kernel) for case in CASES):
            case = next(c for c in CASES if (c.file, c.kernel) == name)
            source = case.function.source("cuda", *case.arguments(), block=case.block)
            has_product = case.kernel in ("matmul", "multiplied")
            assert ("mma.sync" in source) == (has_product and architecture == "sm_80")
            compile_cuda(source, architecture)


def test_the_picture_of_the_fragments(tmp_path: Path) -> None:
    file = tmp_path / "fragments.svg"
    example("tf32_fragments").main(str(file))
    picture = file.read_text(encoding="utf-8")
    assert picture.startswith("<svg")
    for text in ("A (M × K): 16 × 8", "B (K × N): 8 × 8", "C (M × N): 16 × 8"):
        assert text in picture
