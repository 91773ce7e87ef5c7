"""`tensorlib explain`: every section is there, in text, HTML and JSON; errors are one line."""

from __future__ import annotations

import argparse
import json
import re
import shlex
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tensorlib as tl
from tensorlib.cli import main
from tensorlib.errors import BackendError
from tensorlib.ir import parse, text
from tensorlib.launch import default_device
from tensorlib.passes import run_passes
from tensorlib.passes.trail import Trail
from tensorlib.registry import REGISTRY
from tensorlib.tools.explain import configure, explained
from tensorlib.tools.explain_assembly import counts, inner_loops, vector_bytes
from tensorlib.tools.explain_page import page

needs_c = pytest.mark.skipif("c" in REGISTRY.unavailable(), reason="no C compiler")
Captured = pytest.CaptureFixture[str]

SOURCE = '''\
import tensorlib as tl


def scaled(x, i, a):
    return a * x.load[8](i)


@tl.kernel
def scale(out: tl.Tile, x: tl.Tile, a: tl.Scalar, *, label: str = "<b>&'") -> None:
    """Says <script>alert(1)</script>."""
    for i in range(0, out.size, 8):
        out.store[8](i, scaled(x, i, a))


def plain(out, x):
    for i in range(out.size):
        out[i] = x[i] + 1.0


@tl.kernel
def wrong(out: tl.Tile) -> None:
    for i in range(out.size):
        lost(out, i)


def lost(out, i):
    out[i, 0] = 1.0


@tl.kernel
def numbered(out: tl.Tile) -> None:
    i = tl.block_id(0) * 4 + tl.thread_id(0)
    out[i] = 1.0


number = 3
'''
ARGUMENTS = "float32(64), float32(64), 2.0"


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "kernels.py"
    path.write_text(SOURCE)
    return str(path)


def explain(words: list[str], capsys: Captured) -> str:
    assert main(["explain", *words]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def refused(words: list[str], capsys: Captured) -> str:
    assert main(["explain", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err.rstrip("\n")


# --- the three forms ---


@needs_c
def test_the_text_has_every_section(file: str, capsys: Captured) -> None:
    shown = explain([f"{file}:scale", "--arguments", ARGUMENTS, "--unchecked", "--time"], capsys)
    titles = [line for line in shown.splitlines() if line.startswith("== ")]
    assert titles == [
        '== scale(out: tl.Tile, x: tl.Tile, a: tl.Scalar, *, label: str = "<b>&\'") -> None',
        "== Python, called with float32(64), float32(64), 2.0",
        "== IR, as it is recorded",
        "== passes",
        "== cost, read off the IR",
        "== c",
        "== assembly",
        "== time",
    ]
    assert "loop at kernels.py:11: 8 flop, 32 bytes read, 32 written, 0.125 flop/byte" in shown
    assert "the call: 64 flop, 256 bytes read, 256 written, 0.125 flop/byte" in shown
    assert "// kernels.py:5  return a * x.load[8](i)" in shown
    assert re.search(r"^# kernels.py:5$", shown, re.MULTILINE)
    assert re.search(r"^loop \S+: \d+ instructions, .*[12] stores", shown, re.MULTILINE)
    assert "us a call, the best of" in shown


@needs_c
def test_what_runs_is_shown_with_its_checks(file: str, capsys: Captured) -> None:
    shown = explain([f"{file}:scale", "--arguments", ARGUMENTS], capsys)
    assert "== c, with checks of bounds (without: --unchecked)" in shown
    assert "tl_fault(" in shown
    shown = explain([f"{file}:scale", "--arguments", ARGUMENTS, "--unchecked"], capsys)
    assert "tl_fault(" not in shown


@needs_c
def test_json_is_one_object(file: str, capsys: Captured) -> None:
    found = json.loads(
        explain([f"{file}:plain", "--arguments", "float64(8), float64(8)", "--json"], capsys)
    )
    assert found["name"] == "plain"
    assert found["arguments"] == ["float64(8)", "float64(8)"]
    assert found["cost"]["loops"] == [
        {"line": "kernels.py:16", "flops": 1, "bytes_read": 8, "bytes_written": 8}
    ]
    assert found["cost"]["call"]["flops"] == 8
    assert {row["line"] for row in found["ir"]} == {"", "kernels.py:16", "kernels.py:17"}
    assert found["assembly"]["counts"]["stores"] >= 1
    assert "\n".join(row["text"] for row in found["ir"]).startswith("kernel plain(")


class Page(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@needs_c
def test_the_page_is_complete_and_escaped(file: str, tmp_path: Path, capsys: Captured) -> None:
    target = tmp_path / "page.html"
    words = [f"{file}:scale", "--arguments", ARGUMENTS, "--html", str(target), "--time"]
    assert explain([*words, "--bind", "label=<i>"], capsys) == ""
    source = target.read_text(encoding="utf-8")
    shown = Page(source)
    assert shown.open == []
    assert [tag for tag, _ in shown.tags].count("script") == 1  # our own
    assert "Says <script>alert(1)</script>." in shown.text
    assert "label='<i>'" in shown.text
    assert not re.search(r"https?://|@import|src=|<link", source)  # nothing from elsewhere
    lines = {attributes["data-line"] for _, attributes in shown.tags if "data-line" in attributes}
    assert {"kernels.py:5", "kernels.py:11"} <= lines
    assert [tag for tag, _ in shown.tags].count("details") >= 7


def test_other_targets_are_shown_without_assembly(file: str, capsys: Captured) -> None:
    for target, mark in (("opencl", "__kernel void scale("), ("cuda", "__global__ void scale(")):
        shown = explain([f"{file}:scale", "--arguments", ARGUMENTS, "--target", target], capsys)
        assert mark in shown
        assert "// kernels.py:5  return a * x.load[8](i)" in shown
        assert "== assembly" not in shown


@needs_c
def test_a_kernel_of_blocks(file: str, capsys: Captured) -> None:
    words = [f"{file}:numbered", "--arguments", "float32(16)", "--grid", "4", "--block", "4"]
    shown = explain([*words, "--time"], capsys)
    assert "block=(4, 1, 1)" in shown
    assert "us a call" in shown


@needs_c
def test_a_function_of_a_module() -> None:
    found = explained(tl.kernel(explain_me), [np.zeros(4, np.float32)])
    assert found["python"][0]["text"] == "def explain_me(out: tl.Tile) -> None:"


def explain_me(out: tl.Tile) -> None:
    out[0] = 1.0


def test_a_module_is_found_by_name(capsys: Captured) -> None:
    words = [f"{__name__}:explain_me", "--arguments", "float32(4)", "--target", "cuda"]
    assert "explain_me" in explain(words, capsys)


# --- errors ---


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["scale"], "explain: got 'scale', needed FILE:FUNCTION, such as kernels.py:scale_add"),
        (["KERNELS:none"], "has no 'none'; it has the kernels numbered, scale, wrong"),
        (["KERNELS:number"], "explain: number is a int, needed a kernel or a function"),
        (["/nowhere/k.py:k"], "explain: /nowhere/k.py is no file"),
        (
            ["nowhere_at_all:k"],
            "No module named 'nowhere_at_all'; it is needed by 'nowhere_at_all'",
        ),
        (["KERNELS:scale"], "scale: got 0 arguments, needed 3: out, x, a"),
        (["KERNELS:scale", "--arguments", "float99(3)"], "explain: got argument float99(3) ("),
        (["KERNELS:scale", "--arguments", "float32(-3)"], "sizes are whole numbers from 0"),
        (["KERNELS:scale", "--arguments", "'a'"], "explain: got argument 'a'; needed such as"),
        (["KERNELS:scale", "--arguments", "(("], "explain: got arguments '((', needed such as"),
        (["KERNELS:scale", "--bind", "label"], "explain: got --bind 'label', needed NAME=VALUE"),
        (
            ["KERNELS:scale", "--bind", "wide=3"],
            "scale: got parameter 'wide', needed one of: label",
        ),
        (["KERNELS:scale", "--block", "x"], "explain: got 'x', needed sizes such as 8 or 8,4"),
        (
            ["KERNELS:wrong", "--arguments", "float32(4)"],
            "index: got 2 coordinates, needed 1 for Tile[float32, (?):(1), "
            "global] (at KERNELS:27, called from KERNELS:23)",
        ),
        (
            ["KERNELS:plain", "--arguments", "3, float32(4)"],
            "AttributeError: 'SIMD' object has no attribute 'size'; try .width, while kernel plain "
            "was traced (at KERNELS:16)",
        ),
    ],
)
def test_errors_are_one_line(words: list[str], sentence: str, file: str, capsys: Captured) -> None:
    shown = refused([word.replace("KERNELS", file) for word in words], capsys)
    assert sentence.replace("KERNELS", file) in shown


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("1 / 0", "can't be imported: ZeroDivisionError: division by zero"),
        ("def f(", "can't be imported: SyntaxError: "),
        ("import nothing_of_this_name", "No module named 'nothing_of_this_name'; it is needed by"),
    ],
)
def test_a_file_that_fails(source: str, sentence: str, tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "broken.py"
    path.write_text(source)
    assert sentence in refused([f"{path}:f"], capsys)


def test_a_file_of_another_kind(tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "kernels.txt"
    path.write_text(SOURCE)
    assert refused([f"{path}:scale"], capsys).endswith(f"explain: {path} is no file of Python")


# --- its parts ---

X86 = """\
kernel:
        pushq %rbx
        leaq 30(%r13), %r15
        vmovups %ymm1, 8(%rsp)
.L4:
        vmulps 32(%rax), %ymm2, %ymm0
        vfmadd231ps (%rbx,%rax), %ymm1, %ymm0
        vmovups %ymm0, (%r8,%rax)
        cmpq %rsi, (%rdi)
        addq $1, (%rdi)
        jg .L4
        call exp@PLT
        ret"""
ARM = """\
kernel:
        ldr q0, [x1, x3]
.L3:
        ld1 {v1.4s}, [x1], 16
        fmla v0.4s, v1.4s, v2.s[0]
        str q0, [x0, x3]
        str x0, [sp, 16]
        fadd v0.4s, v0.4s, v1.4s
        cmp x3, x2
        bne .L3
        bl exp
        ret"""


def test_instructions_are_counted() -> None:
    assert counts(X86.splitlines()) == {
        "instructions": 11,
        "loads": 4,
        "stores": 2,
        "stack": 1,
        "fma": 1,
        "float": 1,
        "branches": 1,
        "calls": 1,
    }
    assert counts(ARM.splitlines()) == {
        "instructions": 10,
        "loads": 2,
        "stores": 1,
        "stack": 1,
        "fma": 1,
        "float": 1,
        "branches": 1,
        "calls": 1,
    }
    assert vector_bytes(X86.splitlines()) == 32
    assert vector_bytes(ARM.splitlines()) == 16
    assert vector_bytes(["addss %xmm0, %xmm1", "movd %xmm0, %eax"]) == 0


def test_inner_loops_are_found() -> None:
    (loop,) = inner_loops(X86.splitlines())
    assert (loop["label"], loop["instructions"], loop["fma"]) == (".L4", 6, 1)
    (loop,) = inner_loops(ARM.splitlines())
    assert (loop["label"], loop["instructions"], loop["stores"]) == (".L3", 7, 1)


@needs_c
def test_assembly_names_the_lines_of_python() -> None:
    x = np.zeros(16, np.float32)
    shown = double.unchecked.assembly(x, x)
    line = double.function.__code__.co_firstlineno + 2
    name = Path(__file__).name
    assert shown.startswith("kernel:\n")
    assert f"# {name}:{line}\n" in shown
    assert not re.search(r"^\s*\.(loc|cfi|p2align|section)", shown, re.MULTILINE)
    assert len(double.assembly(x, x)) > len(shown)  # checks of bounds


@tl.kernel
def double(out: tl.Tile, x: tl.Tile) -> None:
    for i in range(0, out.size, 8):
        out.store[8](i, x.load[8](i) * 2.0)


def test_a_backend_without_assembly_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tensorlib.launch.readable", lambda backend: None)
    if "c" in REGISTRY.unavailable():
        pytest.skip("no C compiler")
    with pytest.raises(BackendError, match=r"^double: backend c has no assembly to show$"):
        double.assembly(np.zeros(8, np.float32), np.zeros(8, np.float32))
    assert default_device()[0].backend == "c"


@needs_c
def test_a_line_that_goes_on_hides_no_c(tmp_path: Path, capsys: Captured) -> None:
    """A backslash at the end of a comment would make the next line of C part of it."""
    path = tmp_path / "going_on.py"
    path.write_text("def going_on(out, x):\n    out[0] = \\\n        x[0] * x[1] + 1.0\n")
    words = [f"{path}:going_on", "--arguments", "float32(4), float32(4)", "--unchecked"]
    found = json.loads(explain([*words, "--json"], capsys))
    texts = [row["text"] for row in found["source"]]
    assert "  // going_on.py:2  out[0] =" in texts
    assert not [text for text in texts if text.endswith("\\")]
    assert found["assembly"]["counts"]["stores"] >= 1


def test_a_trail_keeps_the_numbers_of_values() -> None:
    kernel = parse(
        """
        kernel k(%0.x: pointer<float32>) {
          %1: int64 = const {type=int64, value=7}
          %2: int64 = const {type=int64, value=0}
          %3: float32 = load %0.x %2 {type=float32}
          store %0.x %2 %3
        }
        """
    )
    trail = Trail(kernel)
    run_passes(kernel, trail)
    (change,) = trail.changes
    assert str(change).splitlines()[0] == "# after dead"
    removed = [line for line in change.lines if line.startswith("-")]
    assert removed == ["-  %1: int64 = const {type=int64, value=7}"]
    assert not [line for line in change.lines if line.startswith("+")]
    assert "%1: int64 = const {type=int64, value=0}" in text(kernel)  # numbered afresh


def test_the_page_of_plain_data() -> None:
    found: dict[str, Any] = {
        "name": "<k>",
        "file": "<stdin>",
        "signature": "<k>()",
        "arguments": [],
        "parameters": {},
        "target": "c",
        "checked": False,
        "python": [],
        "ir": [{"text": "a < b", "line": 'x"y:1'}],
        "source": [],
        "passes": [{"name": "dead", "diff": ["-  <gone>", "+  &new"]}],
        "cost": {"loops": [], "call": None},
    }
    source = page(found)
    assert "<k>" not in source
    assert 'data-line="x&quot;y:1"' in source
    assert '<span class="line minus">-  &lt;gone&gt;</span>' in source


# --- its page ---

PAGE = Path(tl.__file__).parents[1] / "docs" / "explain.md"


@pytest.mark.skipif(not PAGE.exists(), reason="needs the source tree")
@needs_c
def test_what_the_page_shows_is_what_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.chdir(PAGE.parents[1])
    (example,) = re.findall(r"^```console\n\$ (.*?)\n(== .*?)^```", PAGE.read_text(), re.M | re.S)
    words = shlex.split(example[0].replace("\\\n", " "))
    assert words[:2] == ["tensorlib", "explain"]
    words.remove("--time")
    shown = explain(words[2:], capsys).splitlines()
    expected = example[1].replace("\nexamples/", f"\n{PAGE.parents[1]}/examples/").splitlines()
    end = shown.index("== passes")  # up to here it is the same on every machine
    assert shown[:end] == expected[:end]
    titles = [line for line in expected if line.startswith("== ")]
    assert titles[:-1] == [line for line in shown if line.startswith("== ")]


@pytest.mark.skipif(not PAGE.exists(), reason="needs the source tree")
def test_the_options_on_the_page_are_those_there_are() -> None:
    parser = argparse.ArgumentParser()
    configure(parser)
    options = {option for action in parser._actions for option in action.option_strings}
    assert set(re.findall(r"--[a-z]+", PAGE.read_text())) | {"--help"} == options - {"-h"}
