"""Opening a model never runs code: a lint over the whole library, and files that would like to."""

from __future__ import annotations

import ast
import importlib.util
import io
import os
import pickle
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tensorlib.errors import GGUFError
from tensorlib.llama.gguf import GGUF

PACKAGES = ("tensorlib", *(f"tensorlib.{room}" for room in ("layouts", "backends", "nn", "llama")))

# Modules that run code when they read data, or send objects to another process that way.
MODULES = {
    "pickle", "_pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib",
    "multiprocessing", "concurrent.futures.process", "code", "codeop", "runpy",
}  # fmt: skip
# Functions by the name they are called by: the whole name, or its end after a dot.
FUNCTIONS = {"eval", "exec", "compile", "__import__", "execfile"}
ATTRIBUTES = {
    "torch.load", "numpy.load", "np.load", "yaml.load", "os.system", "os.popen",
    "builtins.eval", "builtins.exec", "builtins.compile",
}  # fmt: skip
KEYWORDS = {"allow_pickle", "trust_remote_code"}

# Where generated Python is compiled, by module prefix: from a user's own source, or from numbers.
ALLOWED = {
    "tensorlib.lang": "the front end compiles the rewritten source of a user's kernel",
    "tensorlib.capture": "`compile` is the name of tl.compile, which records tensors",
    "tensorlib.llama.model": "calls tl.compile",
    "tensorlib.layouts.code": "compiles arithmetic on a layout's own numbers, for compiled_layout",
    "tensorlib.quick": "compiles the checks of a kernel's arguments, from their number and dtypes",
}


@cache
def sources() -> dict[str, Path]:
    """Every module of the library by its full name, tests left out."""
    found: dict[str, Path] = {}
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        folder = Path(spec.origin).parent  # not __path__, which may name the whole checkout
        for path in sorted(folder.rglob("*.py")):
            inner = path.relative_to(folder).with_suffix("").parts
            if "tests" not in inner[:1]:
                found[".".join((package, *inner)).removesuffix(".__init__")] = path
    return found


def dotted(node: ast.expr) -> str:
    """Return `a.b.c` as text; empty for anything that is not a plain dotted name."""
    if isinstance(node, ast.Attribute):
        inner = dotted(node.value)
        return f"{inner}.{node.attr}" if inner else ""
    return node.id if isinstance(node, ast.Name) else ""


def imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []


def offences(text: str) -> Iterator[str]:
    """Yield every construct in the source `text` that could run code out of data."""
    for node in ast.walk(ast.parse(text)):
        for name in imported(node):
            if name in MODULES or name.split(".")[0] in MODULES or name in ATTRIBUTES:
                yield f"import {name}"
        if isinstance(node, ast.Name) and node.id in FUNCTIONS:
            yield node.id
        if isinstance(node, ast.Attribute) and dotted(node) in ATTRIBUTES:
            yield dotted(node)
        if isinstance(node, ast.keyword) and node.arg in KEYWORDS:
            yield f"{node.arg}="
        if isinstance(node, ast.keyword) and node.arg == "shell":
            yield "shell="


def test_the_library_holds_nothing_that_runs_code_out_of_data() -> None:
    found = {
        f"{module}: {offence}"
        for module, path in sources().items()
        if not module.startswith(tuple(ALLOWED))
        for offence in offences(path.read_text(encoding="utf-8"))
    }
    assert not found, "\n".join(sorted(found))


def test_the_lint_sees_every_room() -> None:
    assert {"tensorlib.errors", "tensorlib.llama.gguf", "tensorlib.layouts"} <= sources().keys()
    assert not any(name.startswith("tensorlib.tests") for name in sources())


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "import pickle as p",
        "from pickle import loads",
        "def f():\n    import marshal",
        "from concurrent.futures.process import ProcessPoolExecutor",
        "from multiprocessing import shared_memory",
        "import multiprocessing.connection",
        "eval('1')",
        "run = exec",
        "f = compile('1', '', 'eval')",
        "__import__('os')",
        "import builtins\nbuiltins.exec('1')",
        "import torch\ntorch.load('model.pt')",
        "from torch import load",
        "np.load(path, allow_pickle=True)",
        "read(path, allow_pickle=flag)",
        "os.system('ls')",
        "subprocess.run('ls', shell=True)",
    ],
)
def test_the_lint_finds(text: str) -> None:
    assert list(offences(text))


@pytest.mark.parametrize(
    "text",
    [
        "import re\nre.compile('a')",
        "backend.compile(kernel, device)",
        "model.eval()",
        "tile.load(0)",
        "LlamaConfig.load",
        "subprocess.run(['gcc', '--version'])",
        "'pickle'",
    ],
)
def test_the_lint_lets_pass(text: str) -> None:
    assert list(offences(text)) == []


class Payload:
    """What a hostile checkpoint holds: an object that makes a folder when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.target),)


def zipped(data: bytes) -> bytes:
    """Return a PyTorch checkpoint: a zip archive whose data.pkl is `data`."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", data)
    return buffer.getvalue()


@pytest.mark.parametrize("name", ["model.pt", "pytorch_model.bin", "model.gguf"])
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_checkpoint_is_refused_and_not_run(tmp_path: Path, name: str, protocol: int) -> None:
    path, target = tmp_path / name, tmp_path / "ran"
    hostile = pickle.dumps(Payload(target), protocol=protocol)
    advice = r"needed b'GGUF'; try to convert it to GGUF with llama.cpp's convert_hf_to_gguf.py$"
    path.write_bytes(hostile)
    with pytest.raises(
        GGUFError, match=rf"{name}: .*looks like a pickle \(an old PyTor.*, {advice}"
    ):
        GGUF.open(path)
    path.write_bytes(zipped(hostile))
    with pytest.raises(
        GGUFError, match=rf"{name}: .*looks like a PyTorch checkpoint or .*, {advice}"
    ):
        GGUF.open(path)
    assert not target.exists()
    pickle.loads(hostile)
    assert target.exists(), "the payload is harmless, and proves nothing"


def test_a_safetensors_file_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(len(b'{"a":1}').to_bytes(8, "little") + b'{"a":1}')
    with pytest.raises(
        GGUFError, match=r"got what looks like a safetensors file, needed b'GGUF'; "
    ):
        GGUF.open(path)
