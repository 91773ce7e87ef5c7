"""Hand-written kernels for the tests of the C backend, and processes that load them."""

from __future__ import annotations

import struct
import subprocess
import sys
import textwrap
from typing import Any

import numpy.typing as npt
import pytest

from tensorlib.backends.c.toolchain import Toolchain
from tensorlib.errors import BackendError

PRELUDE = """
#include <stdint.h>
typedef float vf __attribute__((vector_size(16), aligned(4)));
#define SHARE(n) int64_t begin = (n) * worker / workers, end = (n) * (worker + 1) / workers
#define KERNEL(name) void name(const uint64_t *args, int64_t worker, int64_t workers)
"""

KERNELS = {
    # out = a * x + y over n floats (n divisible by 4), a in the low half of its word
    "scale_add": """
KERNEL(scale_add) {
    float *out = (float *)args[0], *x = (float *)args[1], *y = (float *)args[2];
    union { uint64_t word; float value; } a = {args[4]};
    SHARE((int64_t)args[3] / 4);
    for (int64_t i = begin * 4; i < end * 4; i += 4)
        *(vf *)(out + i) = a.value * *(vf *)(x + i) + *(vf *)(y + i);
}""",
    # out[i] = x[(i + shift) % n] + 1: reads what other workers wrote a step ago
    "rotate": """
KERNEL(rotate) {
    int64_t *out = (int64_t *)args[0], *x = (int64_t *)args[1], n = args[2], shift = args[3];
    SHARE(n);
    for (int64_t i = begin; i < end; i++) out[i] = x[(i + shift) % n] + 1;
}""",
    # marks[worker] += workers
    "mark": """
KERNEL(mark) { ((int64_t *)args[0])[worker] += workers; }""",
}

SETUP = (
    f"PRELUDE = {PRELUDE!r}\nKERNELS = {KERNELS!r}\n"
    + """
import sys
import numpy as np
from tensorlib.backends.c.library import KernelLibrary
from tensorlib.backends.c.runtime import Program, ProgramStep, load_runtime, has_python_header
from tensorlib.backends.c.toolchain import Toolchain
from tensorlib.cache import DiskCache

toolchain, cache = Toolchain.find(), DiskCache(sys.argv[1])
run = load_runtime(toolchain, cache, api=has_python_header())
library = KernelLibrary(run, toolchain, cache, threads=2)
address = library.load(KERNELS, PRELUDE)

def marks(workers):
    out = np.zeros(8, np.int64)
    run.call(run.function(address["mark"]), run.words([out.ctypes.data]), workers)
    return out.tolist()
"""
)


def found_toolchain() -> Toolchain:
    """Return the machine's compiler, or skip the test."""
    try:
        return Toolchain.find()
    except BackendError as error:
        pytest.skip(str(error))


def bits(value: float) -> int:
    return int.from_bytes(struct.pack("<f", value), "little")


def data(array: npt.NDArray[Any]) -> int:
    return int(array.ctypes.data)


def python(script: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SETUP + textwrap.dedent(script), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def output_of(process: subprocess.Popen[str]) -> str:
    try:
        output, _ = process.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
        raise AssertionError(f"no end after 120 s; it said: {output}") from None
    assert process.returncode == 0, output
    return output
