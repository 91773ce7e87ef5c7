"""What the kernels of the examples become, kept as text: IR, and C with the lines of Python.

TENSORLIB_UPDATE_GOLDEN=1 writes the files anew; read the difference before you keep it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tensorlib.lang.target import Target, targeting
from tensorlib.tests.every_way import EXAMPLES, example

pytestmark = pytest.mark.skipif(not EXAMPLES.exists(), reason="needs the source tree")
GOLDEN = Path(__file__).parent / "golden" / "examples"


def zeros(*shape: int) -> np.ndarray:
    return np.zeros(shape, np.float32)


POINT = tuple(map(np.float32, (-2, -1, 0.1, 0.1)))
# file, kernel, arguments, compile-time parameters, threads of a block
CASES: dict[str, tuple[str, str, tuple[Any, ...], dict[str, Any], int | None]] = {
    "mandelbrot": ("mandelbrot", "mandelbrot", (np.zeros((4, 16), np.int32), *POINT), {}, None),
    "micro_kernel": ("micro_kernel", "matmul", (zeros(4, 16), zeros(4, 3), zeros(3, 16)), {}, None),
    "recursive_matmul": (
        "recursive_matmul",
        "matmul",
        (zeros(8, 8), zeros(8, 8), zeros(8, 8)),
        {"levels": ((8, 8, 8), (2, 8, 2))},
        None,
    ),
    "shuffle_down": ("shuffle_down", "warp_sums", (zeros(2), zeros(64)), {}, 64),
    "swish": ("swish", "swish_into", (zeros(2, 16), zeros(2, 16)), {}, None),
    "fill": ("fill", "add_tables", (np.zeros(16, np.int64),) * 2, {}, None),
    "sum_of_squares": ("simd_parameters", "sum_of_squares", (zeros(1), zeros(16)), {}, None),
}


def compare(name: str, got: str) -> None:
    """Compare without numbers of lines, which move with the files that they count."""
    path, got = GOLDEN / name, re.sub(r"(// \w+\.py):\d+", r"\1", got)
    if os.environ.get("TENSORLIB_UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(got, encoding="utf-8")
    assert path.exists(), f"{name} is missing; set TENSORLIB_UPDATE_GOLDEN=1 to write it"
    assert got == path.read_text(encoding="utf-8"), f"{name} differs; TENSORLIB_UPDATE_GOLDEN=1"


@pytest.mark.parametrize("name", CASES)
def test_golden(name: str) -> None:
    file, kernel, arguments, parameters, block = CASES[name]
    function = getattr(example(file), kernel).bind(**parameters)
    launch = {"block": block} if block else {}
    with targeting(Target("c", 32)):
        compare(f"{name}.ir", function.ir(*arguments, **launch))
        compare(f"{name}.c", function.source("c", *arguments, **launch))
