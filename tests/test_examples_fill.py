"""The examples of compile-time values and of types as parameters, however they are run."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tensorlib as tl
from tensorlib.registry import REGISTRY

FOLDER = Path(tl.__file__).parents[1] / "examples"
pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason="needs the source tree")


def example(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"{name}_example", FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def every_way(kernel: Any) -> list[Any]:
    compiled = [] if "c" in REGISTRY.unavailable() else [kernel, kernel.unchecked]
    return [kernel.python, kernel.interpret, *compiled]


@pytest.mark.parametrize("count", [4, 16])
def test_a_table_filled_at_compile_time_and_at_run_time(count: int) -> None:
    module = example("fill")
    x = np.arange(32)
    for run in every_way(module.add_tables.bind(count=count)):
        out = np.zeros_like(x)
        run(out, x)
        np.testing.assert_array_equal(out, x + 2 * np.resize(np.arange(5, 5 + count), 32))


def test_the_table_of_compile_time_stands_in_the_code() -> None:
    x = np.arange(32)
    ir = example("fill").add_tables.bind(count=4).ir(x, x)
    assert "const {type=int64x4, value=(5, 6, 7, 8)}" in ir
    assert ir.count("for ") == 2  # the other is filled by a loop


def test_fill_is_plain_python_too() -> None:
    assert example("fill").fill([0] * 3, 7, 10) == [7, 8, 9]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("width", [1, 8, 32])
def test_types_are_parameters(dtype: str, width: int) -> None:
    kernel = example("simd_parameters").sum_of_squares[getattr(tl, dtype), width]
    x = np.linspace(-1, 1, 203, dtype=np.float32)
    found = []
    for run in every_way(kernel):
        out = np.zeros(1, dtype)
        run(out, x)
        found.append(out[0])
    assert len(set(found)) == 1
    np.testing.assert_allclose(found[0], (x.astype(np.float64) ** 2).sum(), rtol=2e-6)
    assert f"{dtype}x{width}" in kernel.ir(out, x) or width == 1


PAGE = FOLDER.parent / "docs" / "compile_time.md"


@pytest.mark.skipif("c" in REGISTRY.unavailable(), reason="no C compiler")
def test_the_page_runs(tmp_path: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    file = tmp_path / "page.py"
    file.write_text("\n".join(re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)))
    done = subprocess.run([sys.executable, file], capture_output=True, text=True, check=False)
    assert done.stdout == "".join(re.findall(r"^```text\n(.*?)^```", text, re.M | re.S)), (
        done.stderr
    )
