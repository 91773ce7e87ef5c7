"""A session of IPython: kernels defined in cells, defined again, completed, shown, and refused."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tensorlib as tl

interactiveshell = pytest.importorskip("IPython.core.interactiveshell")
completer = pytest.importorskip("IPython.core.completer")

SCALE = """\
import numpy as np, tensorlib as tl

@tl.kernel
def scale_add(out: tl.Tile, x: tl.Tile, a: tl.Scalar, *, width: int = 4) -> None:
    for i in range(0, out.size, width):
        out.store[width](i, a * x.load[width](i))

x, out = np.arange(8, dtype=np.float32), np.zeros(8, np.float32)
"""
AGAIN = """\
@tl.kernel
def scale_add(out: tl.Tile, x: tl.Tile, a: tl.Scalar) -> None:
    for i in range(out.size):
        if x[i] > 3.0:
            out[i] = -1.0
        else:
            out[i] = a * x[i]
"""
OUTSIDE = """\
@tl.kernel
def outside(out: tl.Tile, x: tl.Tile) -> None:
    for i in range(out.size):
        out[i] = x[i + 1]
"""
CLIPPED = """\
import tensorlib as tl

def clip(v):
    return 2.0 if v > 2.0 else v

@tl.kernel
def clipped(out: tl.Tile, x: tl.Tile) -> None:
    for i in range(out.size):
        out[i] = clip(x[i])
"""


class Session:
    """A notebook: runs cells one after the other."""

    def __init__(self) -> None:
        self.shell = interactiveshell.InteractiveShell()

    def run(self, cell: str) -> Any:
        done = self.shell.run_cell(cell, store_history=True, silent=False)
        done.raise_error()
        return done.result

    def refused(self, cell: str) -> Exception:
        error = self.shell.run_cell(cell).error_in_exec
        assert isinstance(error, Exception)
        return error

    def completed(self, text: str) -> set[str]:
        """Return what is offered for the text before the cursor."""
        with completer.provisionalcompleter():
            return {c.text for c in self.shell.Completer.completions(text, len(text))}


@pytest.fixture(scope="module")
def session(tmp_path_factory: Any) -> Iterator[Session]:
    folder = str(tmp_path_factory.mktemp("ipython"))
    before = os.environ.get("IPYTHONDIR")
    os.environ["IPYTHONDIR"] = folder
    made = Session()
    made.run(SCALE)
    yield made
    made.shell.history_manager.enabled = False
    os.environ.pop("IPYTHONDIR")
    if before is not None:
        os.environ["IPYTHONDIR"] = before


def test_a_kernel_of_a_cell_runs_and_is_defined_again(session: Session) -> None:
    session.run(SCALE)
    ways = "scale_add.python", "scale_add.interpret", "scale_add"
    for way in ways:
        assert session.run(f"{way}(out, x, 2.0); out.tolist()") == [0, 2, 4, 6, 8, 10, 12, 14]
    session.run(AGAIN)
    for way in ways:
        assert session.run(f"{way}(out, x, 2.0); out.tolist()") == [0, 2, 4, 6, -1, -1, -1, -1]
    session.run(SCALE)


def test_names_are_completed(session: Session) -> None:
    wanted = {"assembly", "bind", "interpret", "ir", "python", "source", "unchecked"}
    assert wanted <= session.completed("scale_add.")
    assert session.completed("tl.vec") == {"vectorize"}
    assert session.completed("tl.SI") == {"SIMD"}
    assert "layouts" in session.completed("tl.lay")
    assert {"cast", "clamp", "interleave", "reduce_add"} <= session.completed("tl.SIMD.")
    assert {"reduce_add", "reversed"} <= session.completed("tl.SIMD['int8', 4](1).re")
    assert "width=" in session.completed("scale_add.bind(wi")
    assert "out=" in session.completed("scale_add(ou")


def test_signatures_name_parameters(session: Session) -> None:
    kernel = session.shell.user_ns["scale_add"]
    assert isinstance(kernel, type(tl.kernel(lambda: None)))
    assert list(inspect.signature(kernel).parameters) == ["out", "x", "a", "width"]
    assert str(inspect.signature(kernel.bind)) == "(*, width: int = 4)"
    assert list(kernel.bind(width=2).parameters.items()) == [("width", 2)]
    assert "compile-time parameters" in kernel.bind.__doc__
    assert "compile-time parameters" in type(kernel).bind.__doc__


def test_errors_show_the_cell_and_not_the_library(
    session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    session.run(OUTSIDE)
    capsys.readouterr()
    error = session.refused("outside(out, x)")
    printed = capsys.readouterr().out
    assert "outside: x: access from element 8 is outside its 8 elements" in str(error)
    lines = [line.rstrip() for line in printed.splitlines()]
    assert lines[-2:] == ["    out[i] = x[i + 1]", "             ^^^^^^^^"]
    assert "    outside(out, x)" in lines
    assert "launch.py" not in printed
    assert len(lines) < 12


def test_an_error_of_tracing_shows_the_cell(session: Session) -> None:
    cell = OUTSIDE.replace("outside", "twice").replace("x[i + 1]", "x[i, 0]")
    error = session.refused(f"{cell}\ntwice(out, x)")
    assert str(error).splitlines()[-2:] == ["    out[i] = x[i, 0]", "             ^^^^^^^"]
    assert "in twice" in str(error)


def test_files_that_are_run_and_magics(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "clipped.py"
    path.write_text(CLIPPED)
    session.run(f"%run {path}")
    assert session.run("clipped(out, x); out.tolist()") == [0, 1, 2, 2, 2, 2, 2, 2]
    session.run("%timeit -n1 -r1 -q clipped(out, x)")
    session.run("out[:] = 0\n%time clipped(out, x)")
    assert session.run("out.tolist()") == [0, 1, 2, 2, 2, 2, 2, 2]


def shown(session: Session, expression: str) -> dict[str, Any]:
    """Return what a notebook shows of a value, by kind."""
    found, _ = session.shell.display_formatter.format(session.run(expression))
    return dict(found)


def test_values_are_shown(session: Session) -> None:
    session.run("scale_add.ir(out, x, 2.0)")
    page = shown(session, "scale_add")
    assert page["text/plain"] == "<kernel scale_add(out, x, a)>"
    assert "<summary>Python" in page["text/html"]
    assert "<summary>IR for out: pointer&lt;float32&gt;" in page["text/html"]
    layout = shown(session, "from tensorlib.layouts import Layout; Layout((4, 8))")
    assert layout["image/svg+xml"].startswith("<svg")
    assert layout["text/plain"] == "(4,8):(1,4)"
    vector = shown(session, "tl.SIMD['float32', 2](1, 2)")
    assert vector["text/plain"] == "SIMD[float32, 2](1.0, 2.0)"
    assert shown(session, "tl.arange(3)")["text/plain"] == "tensor([0, 1, 2], dtype=int64)"


def test_an_object_is_described(session: Session) -> None:
    found = session.shell.object_inspect("scale_add")
    assert found["definition"].startswith("scale_add(")
    assert "width: int = 4" in " ".join(found["definition"].split())
