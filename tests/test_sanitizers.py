"""Generated C under AddressSanitizer and UBSan, in a process of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FLAGS = "-fsanitize=address,undefined -fno-sanitize-recover=undefined"

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

OUT_OF_BOUNDS = """
import numpy as np
from tensorlib import DType
from tensorlib.backends.c import CBackend
from tensorlib.kernels.expression import Leaf
from tensorlib.kernels.specs import Access, ElementwiseSpec

x = Access(DType.float32, (1,))
spec = ElementwiseSpec(1, Leaf("load", 0, DType.float32), (x,), (), x)
backend = CBackend()
(device,) = backend.devices()
kernel = backend.compile(spec.build(), device)
source, target = backend.allocate(64, device), backend.allocate(64, device)
backend.launch(kernel, (1,), (1,), [4096, target, 0, source, 0])
print("not noticed")
"""


def sanitizers() -> list[str]:
    """Return the paths of the sanitizers' libraries, empty where gcc has none."""
    gcc = shutil.which("gcc")
    if gcc is None or sys.platform != "linux":
        return []
    found = []
    for name in ("libasan.so", "libubsan.so"):
        command = [gcc, f"-print-file-name={name}"]
        path = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        found.append(path)
    return found if all(os.path.isabs(path) for path in found) else []


def run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script whose kernels are compiled with sanitizers."""
    environment = {
        **os.environ,
        "CC": f"gcc {FLAGS}",
        "LD_PRELOAD": " ".join(sanitizers()),
        "ASAN_OPTIONS": "detect_leaks=0",
        "TENSORLIB_CACHE": str(folder / "cache"),
    }
    return subprocess.run(
        [sys.executable, "-c", script, str(folder)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


needs_sanitizers = pytest.mark.skipif(not sanitizers(), reason="gcc has no sanitizers here")


@needs_sanitizers
def test_models_of_several_shapes_run_clean(tmp_path: Path) -> None:
    done = run(MODELS, tmp_path)
    assert done.returncode == 0, done.stderr[-4000:]
    assert done.stdout == "clean\n"


@needs_sanitizers
def test_an_access_out_of_bounds_would_be_noticed(tmp_path: Path) -> None:
    done = run(OUT_OF_BOUNDS, tmp_path)
    assert done.returncode != 0
    assert "AddressSanitizer" in done.stderr
