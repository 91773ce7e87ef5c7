"""What the README and the examples show runs as it stands."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import tensorlib

ROOT = Path(tensorlib.__file__).parents[1]
pytestmark = pytest.mark.skipif(
    not (ROOT / "setup.cfg").exists(), reason="needs the source tree, not a regular install"
)
EXAMPLES = sorted(path.name for path in (ROOT / "examples").glob("*.py"))


def blocks(language: str) -> list[str]:
    """Return the README's blocks of code in a language."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def run(path: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, str(path), *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_readme_has_two_commands_and_three_examples() -> None:
    commands = [line for block in blocks("console") for line in block.splitlines()]
    assert commands == [
        "$ python3 -m venv .venv && .venv/bin/pip install '.[llama]' && "
        '.venv/bin/tensorlib generate "Why is the sky blue?"',
        "$ python3 -m venv .venv && .venv/bin/pip install -e '.[test]' && "
        ".venv/bin/python -m pytest -n auto",
    ]
    assert len(blocks("python")) == 3


def test_the_array_example_of_the_readme(tmp_path: Path) -> None:
    file = tmp_path / "readme_array.py"
    file.write_text(blocks("python")[0])
    shown = run(file)
    assert shown.startswith("(3, 2) tensorlib.float32\n")
    assert "[0.5 0.5]" in shown  # both columns are equal


def test_the_kernel_example_of_the_readme(tmp_path: Path) -> None:
    file = tmp_path / "readme_kernel.py"
    check = "assert (out == 2 * x + y).all()\n"
    lines = blocks("python")[1].splitlines(keepends=True)
    calls = [n for n, line in enumerate(lines) if line.startswith("scale_add")]
    runs = [n for n in calls if "source" not in lines[n]]
    assert len(runs) == 3
    for n in reversed(runs):  # after every way of running it, from an empty result
        lines.insert(n + 1, f"{check}out[:] = 0\n")
    file.write_text("".join(lines))
    run(file)


def test_the_layout_example_of_the_readme(tmp_path: Path) -> None:
    file = tmp_path / "readme_layouts.py"
    file.write_text(blocks("python")[2])
    assert run(file) == "((8,4),(4,8)):((32,1),(256,4))\n32\n1\n"


@pytest.mark.parametrize("name", EXAMPLES)
def test_example(name: str, default_model: Path) -> None:
    words = [str(default_model)] if "llama" in name else []
    assert run(ROOT / "examples" / name, *words)
