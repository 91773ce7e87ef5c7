"""`pdb` in a kernel that runs in Python; kernels in zip archives, doctests, rewritten modules."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np

import tensorlib as tl

KERNEL = """\
import numpy as np, tensorlib as tl

def clip(v):
    if v > 2.0:
        return v * 0.0 + 2.0
    return v

@tl.kernel
def clipped(out: tl.Tile, x: tl.Tile, *, width: int = 4) -> None:
    for i in range(0, out.size, width):
        v = x.load[width](i)
        total = v.reduce_add()
        out[i] = clip(total)

x = np.arange(8, dtype=np.float32)
out = np.zeros_like(x)
"""
RUN = "clipped.python(out, x); print(out.tolist())\n"


def python(*words: str, entered: str = "", folder: Path | None = None) -> str:
    done = subprocess.run(
        [sys.executable, *words],
        input=entered,
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
    return done.stdout + done.stderr


def test_a_debugger_steps_through_a_kernel_and_shows_its_values(tmp_path: Path) -> None:
    path = tmp_path / "kernel.py"
    path.write_text(KERNEL + RUN)
    typed = [
        "break 12", "continue", "p v", "p i", "p x", "next", "p total", "step", "step", "p v",
        "where", "return", "clear", "y", "p f'{total:.2f}'", "quit",
    ]  # fmt: skip
    said = python("-m", "pdb", str(path), entered="\n".join(typed) + "\nquit\n")
    lines = [line.removeprefix("(Pdb) ") for line in said.splitlines()]
    expected = [
        "-> total = v.reduce_add()",
        "SIMD[float32, 4](0.0, 1.0, 2.0, 3.0)",
        "0",
        "Tile[float32, (8):(1), global]",
        "-> out[i] = clip(total)",
        "SIMD[float32, 1](6.0)",
        "-> def clip(v):",
        "-> if v > 2.0:",
        "SIMD[float32, 1](6.0)",
        "-> return v * 0.0 + 2.0",
    ]
    rest = iter(lines)
    assert all(line in rest for line in expected), said  # in this order


def test_a_breakpoint_in_a_kernel_stops_there(tmp_path: Path) -> None:
    path = tmp_path / "kernel.py"
    path.write_text((KERNEL + RUN).replace("    total = v", "    breakpoint()\n        total = v"))
    said = python(str(path), entered="p v.max(2.0)\nquit\n")
    assert "SIMD[float32, 4](2.0, 2.0, 2.0, 3.0)" in said


def test_a_module_in_a_zip_archive(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "kernels.zip", "w") as archive:
        archive.writestr("zipped.py", KERNEL)
    program = f"""
import sys; sys.path.insert(0, {str(tmp_path / "kernels.zip")!r})
from zipped import clipped, out, x
clipped.interpret(out, x); print(out.tolist())
try: clipped.ir(out.reshape(2, 4), x)
except tl.errors.KernelError as error: print(error)
"""
    said = python("-c", "import tensorlib as tl" + program)
    assert "[2.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0]" in said
    assert "    out[i] = clip(total)\n    ^^^^^^" in said


def test_a_doctest(tmp_path: Path) -> None:
    path = tmp_path / "described.py"
    path.write_text('''"""
>>> import numpy as np, tensorlib as tl
>>> @tl.kernel
... def clipped(out: tl.Tile, x: tl.Tile) -> None:
...     for i in range(out.size):
...         if x[i] > 2.0:
...             out[i] = 2.0
...         else:
...             out[i] = x[i]
>>> out, x = np.zeros(4), np.arange(4.0)
>>> clipped.interpret(out, x)
>>> out.tolist()
[0.0, 1.0, 2.0, 2.0]
"""
''')
    assert python("-m", "doctest", str(path)) == ""


def test_a_module_whose_assertions_pytest_rewrites(tmp_path: Path) -> None:
    path = tmp_path / "test_kernel.py"
    checks = """
@tl.kernel
def checked(out: tl.Tile, x: tl.Tile) -> None:
    for i in range(out.size):
        assert x[i] >= 0.0, f"at {i}"
        out[i] = clip(x[i])

def test_clipped():
    for run in checked.python, checked.interpret:
        run(out, x)
        assert out.tolist() == [0, 1, 2, 2, 2, 2, 2, 2]
"""
    path.write_text(KERNEL + checks)
    said = python("-m", "pytest", "-q", "-p", "no:cacheprovider", str(path), folder=tmp_path)
    assert "1 passed" in said, said


def test_a_scalar_formats_like_a_number_in_python_mode() -> None:
    heard: list[str] = []

    def kernel(out: tl.Tile, x: tl.Tile) -> None:
        heard.append(f"{x[1]:.2f} {x[1]}")
        out[0] = x[1]

    tl.kernel(kernel).python(np.zeros(2), np.array([0.0, 1.5]))
    assert heard == ["1.50 SIMD[float64, 1](1.5)"]
