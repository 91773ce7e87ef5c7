"""Kernels from everywhere: a file, `python -c`, a prompt, a notebook's cells, code of `exec`."""

from __future__ import annotations

import linecache
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tensorlib as tl
from tensorlib.errors import KernelError
from tensorlib.ir import text
from tensorlib.lang.trace import trace
from tensorlib.passes import run_passes
from tensorlib.registry import REGISTRY
from tensorlib.simd import SIMD
from tensorlib.tile import Tile

F32 = np.float32

KERNEL = """\
import numpy as np, tensorlib as tl
@tl.kernel
def clipped(out: tl.Tile, x: tl.Tile) -> None:
    for i in range(out.size):
        if x[i] > 2.0:
            out[i] = 2.0
        else:
            out[i] = x[i]

x = np.arange(5, dtype=np.float32)
out = np.zeros_like(x)
"""
RUN = "clipped.interpret(out, x); print(out.tolist())\n"
EXPLICIT = """\
import numpy as np, tensorlib as tl
@tl.kernel
def clipped(out: tl.Tile, x: tl.Tile) -> None:
    tl.loop(out.size, lambda i: out.store(i, tl.cond(x[i] > 2.0, lambda: 2.0, lambda: x[i])))

x = np.arange(5, dtype=np.float32)
out = np.zeros_like(x)
"""
EXPECTED = "[0.0, 1.0, 2.0, 2.0, 2.0]"
NO_COUNT = (
    "index: this value is known at run time only, and the source of this function can't be "
    "read; try tl.loop(count, body)"
)
SUGGESTION = (
    "bool: this condition is known at run time only, and the source of this function can't "
    "be read; try tl.cond(condition, then, otherwise) and tl.loop(count, body)"
)


def python(*words: str, entered: str = "") -> str:
    done = subprocess.run(
        [sys.executable, *words], input=entered, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "clipped.py"
    path.write_text(KERNEL + RUN)
    assert python(str(path)).strip() == EXPECTED


def test_a_command() -> None:
    assert EXPECTED in python("-c", EXPLICIT + RUN)
    shown = python("-c", KERNEL + RUN)
    assert (EXPECTED in shown) == (sys.version_info >= (3, 13))  # which keeps its source
    assert (NO_COUNT in shown) == (sys.version_info < (3, 13))


def test_the_bare_prompt() -> None:
    """From standard input nothing is kept, whatever the version."""
    assert EXPECTED in python("-i", "-q", entered=EXPLICIT + RUN)
    shown = python("-i", "-q", entered=KERNEL + RUN)
    assert NO_COUNT in shown or EXPECTED in shown
    assert EXPECTED in python("-", entered=EXPLICIT + RUN)


def test_a_cell_of_a_notebook() -> None:
    """IPython keeps the source of a cell in `linecache`, under a name of its own."""
    name = "<ipython-input-7-0123456789ab>"
    lines = KERNEL.splitlines(keepends=True)
    linecache.cache[name] = len(KERNEL), None, lines, name
    space: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(KERNEL, name, "exec"), space)
    space["clipped"].interpret(space["out"], space["x"])
    assert str(space["out"].tolist()) == EXPECTED


def test_ipython_itself() -> None:
    pytest.importorskip("IPython")
    assert EXPECTED in python(
        "-m", "IPython", "--no-banner", "--colors=NoColor", "-c", KERNEL + RUN
    )


def test_a_notebook_shows_source_and_ir() -> None:
    kernel = tl.kernel(stored)
    assert "<summary>IR" not in kernel._repr_html_()
    kernel.ir(np.zeros(4, F32), np.zeros(4, F32))
    shown = kernel._repr_html_()
    assert shown.startswith("<code>&lt;kernel stored(out, x)&gt;</code><details open>")
    assert "if x[i] &gt; 0.0:" in shown
    assert "<summary>IR for out: pointer&lt;float32&gt;, out_n0: int64, x: " in shown
    space: dict[str, Any] = {}
    exec("def kernel(out):\n    out[0] = 1.0\n", space)
    assert tl.kernel(space["kernel"])._repr_html_() == "<code>&lt;kernel kernel(out)&gt;</code>"


def test_names_are_completed() -> None:
    assert {"alias", "cond", "kernel", "loop", "vectorize", "unroll"} <= set(dir(tl))
    assert {"assembly", "bind", "interpret", "ir", "python", "source"} <= set(
        dir(tl.kernel(stored))
    )


def test_code_without_source_is_told_what_to_do() -> None:
    space: dict[str, Any] = {}
    exec("def kernel(out, x):\n    if x[0] > 0.0:\n        out[0] = 1.0\n", space)
    with pytest.raises(KernelError) as caught:
        tl.kernel(space["kernel"]).ir(np.zeros(1, F32), np.zeros(1, F32))
    first, *rest = str(caught.value).splitlines()
    assert first == SUGGESTION
    assert rest == ['  File "<string>", line 2, in kernel']


# --- the functions record what the statements record ---


def total(out: Tile, x: Tile) -> None:
    s = SIMD[tl.float32, 1](0)
    for i in range(out.size):
        s = s + x[i]
    out[0] = s


def total_by_loop(out: Tile, x: Tile) -> None:
    out[0] = tl.loop(out.size, lambda i, s: s + x[i], SIMD[tl.float32, 1](0))


def pair(out: Tile, x: Tile) -> None:
    a, b = SIMD[tl.float32, 1](0), SIMD[tl.float32, 1](1)
    for i in range(1, out.size, 2):
        a, b = b, a + x[i]
    out[0] = a
    out[1] = b


def pair_by_loop(out: Tile, x: Tile) -> None:
    zero, one = SIMD[tl.float32, 1](0), SIMD[tl.float32, 1](1)
    a, b = tl.loop((1, out.size, 2), lambda i, a, b: (b, a + x[i]), zero, one)
    out[0] = a
    out[1] = b


def doubled(out: Tile, x: Tile) -> None:
    v = x[0]
    while v < 100.0:
        v = v * 2.0
    out[0] = v


def doubled_by_loop(out: Tile, x: Tile) -> None:
    out[0] = tl.loop(lambda v: v < 100.0, lambda v: v * 2.0, x[0])


def chosen(out: Tile, x: Tile) -> None:
    out[0] = x[1] + 1.0 if x[0] > 0.0 else x[1] - 1.0


def chosen_by_cond(out: Tile, x: Tile) -> None:
    out[0] = tl.cond(x[0] > 0.0, lambda: x[1] + 1.0, lambda: x[1] - 1.0)


def stored(out: Tile, x: Tile) -> None:
    for i in range(out.size):
        if x[i] > 0.0:
            out[i] = x[i]


def stored_by_cond(out: Tile, x: Tile) -> None:
    def keep() -> None:
        out[i_now[0]] = x[i_now[0]]

    i_now: list[Any] = [0]

    def body(i: SIMD) -> None:
        tl.cond(x[i] > 0.0, lambda: out.store(i, x[i]), lambda: None)

    tl.loop(out.size, body)


@pytest.mark.parametrize(
    ("statements", "functions"),
    [
        (total, total_by_loop),
        (pair, pair_by_loop),
        (doubled, doubled_by_loop),
        (chosen, chosen_by_cond),
        (stored, stored_by_cond),
    ],
)
def test_loop_and_cond_are_the_statements(
    statements: Callable[..., None], functions: Callable[..., None]
) -> None:
    x = np.linspace(-1, 3, 7, dtype=F32)
    irs, results = [], []
    for function in (statements, functions):
        kernel = tl.kernel(function)
        irs.append(re.sub(r"(%\d+)\.\w+|_by_\w+", r"\1", kernel.ir(x, x)))
        for run in (kernel.python, kernel.interpret):
            out = np.zeros_like(x)
            run(out, x + 2)
            results.append(out.tobytes())
    assert irs[0] == irs[1]
    assert len(set(results)) == 1


def test_a_body_returns_as_many_values_as_it_gets() -> None:
    def kernel(out: Tile, x: Tile) -> None:
        tl.loop(4, lambda i, a, b: a, x[0], x[1])

    with pytest.raises(KernelError, match="loop: the body returns SIMD, needed a tuple of 2"):
        tl.kernel(kernel).ir(np.zeros(4, F32), np.zeros(4, F32))

    def other(out: Tile, x: Tile) -> None:
        tl.loop(4, lambda i, a, b: (a, b, a), x[0], x[1])

    with pytest.raises(KernelError, match="loop: the body returns 3 values, needed a tuple of 2"):
        tl.kernel(other).ir(np.zeros(4, F32), np.zeros(4, F32))


# --- vectorize and alias ---


@tl.kernel
def doubling(out: Tile, x: Tile, *, widths: Any = 8, masked: bool = False) -> None:
    for steps in tl.vectorize[widths](x.size, masked=masked):
        for i in steps:
            v = x.load[steps.width](i, mask=steps.mask(i)) * 2.0
            out.store[steps.width](i, v, mask=steps.mask(i))


@pytest.mark.parametrize("widths", [1, 8, (16, 4), (4, 1)])
@pytest.mark.parametrize("masked", [False, True])
def test_vectorize_reaches_every_element_once(widths: Any, masked: bool) -> None:
    kernel = doubling.bind(widths=widths, masked=masked)
    runs = [kernel.python, kernel.interpret]
    runs += [] if "c" in REGISTRY.unavailable() else [kernel]
    for n in (0, 1, 7, 8, 35):
        x = np.arange(n, dtype=F32)
        for run in runs:
            out = np.full(n + 3, -1, F32)
            run(out, x)
            np.testing.assert_array_equal(out[:n], 2 * x)
            np.testing.assert_array_equal(out[n:], -1)


def test_a_known_count_leaves_no_empty_loop() -> None:
    assert [s.width for s in tl.vectorize[8](16)] == [8]
    assert [s.width for s in tl.vectorize[8](5)] == [1]
    assert [(s.start, s.stop, s.width) for s in tl.vectorize[8, 2](27)] == [
        (0, 24, 8),
        (24, 26, 2),
        (26, 27, 1),
    ]
    (first, last) = tl.vectorize[8](12, masked=True)
    assert first.mask(0) is None
    mask = last.mask(8)
    assert mask is not None
    assert mask.numpy().tolist() == [True] * 4 + [False] * 4


def test_a_parallel_vectorize() -> None:
    def kernel(out: Tile, x: Tile) -> None:
        for steps in tl.vectorize[8](x.size):
            for i in tl.parallel(steps):
                out.store[steps.width](i, x.load[steps.width](i))

    x = np.arange(20, dtype=F32)
    shown = tl.kernel(kernel).ir(x, x)
    assert shown.count("parallel=True") >= 1


@pytest.mark.parametrize("widths", [3, 0, (8, 3), 2.0])
def test_widths_are_powers_of_two(widths: Any) -> None:
    with pytest.raises(KernelError, match=r"vectorize: got widths .*, needed powers of two"):
        tl.vectorize[widths]


def test_widths_fall() -> None:
    message = r"vectorize: got widths \(4, 8\), needed the widest first"
    with pytest.raises(KernelError, match=message):
        tl.vectorize[4, 8]


def test_alias_runs_plain_python() -> None:
    def squares(n: int) -> list[int]:
        found = []
        for i in range(n):
            found.append(i * i)
        return found

    def kernel(out: Tile, x: Tile) -> None:
        for i, value in enumerate(tl.alias(squares, 4)):
            out[i] = x[i] + float(value)

    out = np.zeros(4, F32)
    tl.kernel(kernel).interpret(out, np.ones(4, F32))
    np.testing.assert_array_equal(out, [1, 2, 5, 10])


def test_alias_takes_no_traced_value() -> None:
    def kernel(out: Tile, x: Tile) -> None:
        tl.alias(abs, x[0])

    message = "alias: got a value that is known at run time only, needed compile-time values"
    with pytest.raises(KernelError, match=message):
        trace_of(kernel)


def trace_of(function: Callable[..., None]) -> str:
    kernel = tl.kernel(function)
    return text(run_passes(kernel.recorded(np.zeros(4, F32), np.zeros(4, F32))))


def test_trace_needs_no_decorator() -> None:
    kernel = trace(total, {"out": tile_type(), "x": tile_type()})
    assert text(kernel).startswith("kernel total(")


def tile_type() -> Any:
    from tensorlib.tile import TileType

    return TileType(tl.float32, (4,), (1,))
