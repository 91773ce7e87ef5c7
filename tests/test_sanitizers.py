"""That sanitizers see what is wrong with generated C, and that a run of the suite fails by it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tensorlib.tests import sanitized
from tensorlib.tests.sanitized import (
    UNSANITIZED,
    compiles_nothing,
    environment,
    libraries,
    unsanitized,
)

TESTS = Path(__file__).parent

needs_sanitizers = pytest.mark.skipif(not libraries(), reason="gcc has no sanitizers here")


def run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script whose kernels are compiled with sanitizers."""
    return python("-c", script, str(folder))


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    variables = environment()
    return subprocess.run(
        command, env=variables, capture_output=True, text=True, timeout=300, check=False
    )


MODELS = """
import sys
from pathlib import Path
from tensorlib import DType
from tensorlib.llama import Llama
from tensorlib.tests.gguf_files import tiny_llama

shapes = [
    {},
    {"weights": DType.q4_0, "embedding": DType.q4_1, "seed": 1},
    {"weights": DType.float16, "embedding": DType.bfloat16, "seed": 2},
    {"heads": 8, "kv_heads": 1, "feed_forward_dim": 32, "seed": 3},
]
for number, shape in enumerate(shapes):
    path = Path(sys.argv[1]) / f"{number}.gguf"
    path.write_bytes(tiny_llama(**shape))
    model = Llama.load(path, backend="c", threads=1 + number % 2)
    for length in (1, 2, 7, 33):
        generation = model.generate(list(range(1, 1 + length)), max_tokens=3)
        list(generation)
print("clean")
"""


@needs_sanitizers
def test_models_of_several_shapes_run_clean(tmp_path: Path) -> None:
    done = run(MODELS, tmp_path)
    assert done.returncode == 0, done.stderr[-4000:]
    assert done.stdout == "clean\n"


# --- every kind of fault, each in a child of one process ---

FAULTS = """
import os
import time
import warnings

os.environ.update(OPENBLAS_NUM_THREADS="1", TENSORLIB_NUM_THREADS="1")
import numpy as np

import tensorlib as tl
from tensorlib.backends.c import CBackend
from tensorlib.backends.c.memory import Memory
from tensorlib.tests.c_kernels import PRELUDE

warnings.simplefilter("ignore")  # of a fork beside threads
backend, out, freed = CBackend(), np.zeros(4, np.int64), Memory(64)
address = freed.address
del freed

KERNELS = {
    "right": "*(int *)args[0] = 1;",
    "misaligned": "*(volatile int *)(args[0] + 1) = 1;",
    "shifted": "volatile int n = 40; *(int *)args[0] = 1 << n;",
    "divided": "volatile int n = 0; *(int *)args[0] = 1 / n;",
    "converted": "volatile float f = 1e20f; *(int *)args[0] = (int)f;",
    "indexed": "volatile int n = 7; int array[4] = {0}; *(int *)args[0] = array[n];",
    "of_the_stack": "int array[4] = {0}; int *volatile p = array; *(int *)args[0] = p[worker + 4];",
    "freed": "*(volatile int *)args[1] = 1;",
}
TEXTS = {name: f"KERNEL({name}) {{ {text} }}" for name, text in KERNELS.items()}
found = backend.library.load(TEXTS, PRELUDE)


def call(name):
    words = backend.runtime.words([out.ctypes.data, address])
    backend.runtime.call(backend.runtime.function(found[name]), words, 1)


@tl.kernel
def past(out: tl.Tile, x: tl.Tile) -> None:
    out[0] = x[x.size]


def past_our_memory():
    past.unchecked(out, Memory(40).view(np.int64, (5,)))


past.unchecked(out, np.zeros(9, np.int64)[:8])
calls = {name: (call, name) for name in KERNELS}
calls["past_an_array"] = past.unchecked, out, np.zeros(9, np.int64)
calls["past_our_memory"] = (past_our_memory,)
while len(os.listdir("/proc/self/task")) > 1:
    time.sleep(0.001)  # those that compiled are ending: see FORKS in tests/sanitized.py
for name, (function, *arguments) in calls.items():
    if os.fork() == 0:
        function(*arguments)
        os._exit(0)
    print(name, "ended" if os.wait()[1] else "unnoticed", flush=True)
"""
SAID = [
    "store to misaligned address",
    "shift exponent 40 is too large for 32-bit type",
    "division by zero",
    "1e+20 is outside the range of representable values of type 'int'",
    "index 7 out of bounds for type 'int [4]'",
    "stack-buffer-overflow",
    "use-after-poison",
    "heap-buffer-overflow",
]


@needs_sanitizers
def test_every_kind_of_fault_is_noticed(tmp_path: Path) -> None:
    script = tmp_path / "faults.py"
    script.write_text(FAULTS)
    done = python(str(script))
    assert done.returncode == 0, done.stderr[-4000:]
    outcome = dict(line.split() for line in done.stdout.splitlines())
    assert outcome.pop("right") == "unnoticed"
    assert len(outcome) == 9
    assert set(outcome.values()) == {"ended"}, outcome
    assert [words for words in SAID if words not in done.stderr] == []


# --- the command that CI runs ---

PLANTED = """
import subprocess
import sys

import numpy as np

import tensorlib as tl
from tensorlib.backends.c.toolchain import Toolchain
from tensorlib.tests.c_kernels import KERNELS, PRELUDE

OF_A_PROCESS = '''
from tensorlib.backends.c import CBackend
from tensorlib.backends.c.memory import Memory
from tensorlib.tests.c_kernels import KERNELS, PRELUDE
backend = CBackend()
mark = backend.library.load(KERNELS, PRELUDE)["mark"]
memory = Memory(4)
words = backend.runtime.words([memory.address])
backend.runtime.call(backend.runtime.function(mark), words, 1)
'''


@tl.kernel
def past(out: tl.Tile, x: tl.Tile) -> None:
    out[0] = x[x.size]


def test_right():
    past.unchecked(np.zeros(1), np.zeros(9)[:8])


def test_past_an_array():
    past.unchecked(np.zeros(1), np.zeros(9))


def test_a_process_that_nobody_asks():
    subprocess.run([sys.executable, "-c", OF_A_PROCESS])


def test_another_compiler(tmp_path, monkeypatch):
    monkeypatch.delenv("CC")
    Toolchain.find().compile(PRELUDE + KERNELS["mark"], tmp_path / "mark.so")
"""
WITHOUT_C = """
from tensorlib.layouts import Layout


def test_size():
    assert Layout(4).size() == 4
"""


@needs_sanitizers
def test_the_command_fails_by_what_is_planted(tmp_path: Path) -> None:
    (tmp_path / "test_planted.py").write_text(PLANTED)
    (tmp_path / "test_layouts.py").write_text(WITHOUT_C)
    options = ["-n", "1", "-rs", "-p", "no:cacheprovider"]
    done = python("-m", "tensorlib.tests.sanitized", *options, str(tmp_path))
    assert done.returncode == 1, done.stderr
    assert re.search(r"crashed while running '\S*planted.py::test_past_an_array'", done.stdout)
    assert "compiled without sanitizers" in done.stdout
    assert "not sanitized: no import of the file leads to anything that compiles" in done.stdout
    assert "2 failed, 2 passed, 1 skipped" in done.stdout
    reports = done.stdout.split("\n== report.")[1:]
    assert len(reports) == 2
    assert sum("AddressSanitizer: heap-buffer-overflow" in report for report in reports) == 1
    assert sum("AddressSanitizer: use-after-poison" in report for report in reports) == 1


def test_without_sanitizers_the_command_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sanitized, "libraries", list)
    assert sanitized.main([]) == 1
    said = "sanitized: found no gcc with sanitizers; try Linux and `apt install gcc`\n"
    assert capsys.readouterr().out == said


# --- what is left out ---


def test_rows_of_what_is_left_out_name_tests() -> None:
    for row, reason in UNSANITIZED.items():
        file, _, function = row.partition("::")
        tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
        names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert not function or function in names, row
        assert unsanitized(f"tests/{row}[1/2-[::]", UNSANITIZED) == reason
    assert unsanitized("tests/test_launch.py::test_anything", UNSANITIZED) == ""


def test_files_without_c_are_known_by_their_imports() -> None:
    without = {path.name for path in TESTS.glob("test_*.py") if compiles_nothing(path)}
    assert {"test_layouts_algebra.py", "test_ops_rules.py"} <= without
    for kind in ("backend_c", "cli", "doc", "example", "ir", "kernel", "lang", "launch", "llama"):
        assert not [name for name in without if name.startswith(f"test_{kind}")]
    for kind in ("nn", "passes", "printers", "quick", "simd", "tensor", "tile", "user"):
        assert not [name for name in without if name.startswith(f"test_{kind}")]
