"""Runs CUDA C of kernels on the host: compiled as C++ with `cuda_emulator.h`, called by ctypes."""

from __future__ import annotations

import ctypes
import functools
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tensorlib.dtypes import DType
from tensorlib.ir import Kernel
from tensorlib.ir.types import PointerType
from tensorlib.printers import print_cuda
from tensorlib.printers.cuda import parameter_type
from tensorlib.simd import SIMD

__all__ = ["compile_emulated"]

HEADER = Path(__file__).with_name("cuda_emulator.h")
FLAGS = ("-std=c++17", "-O0", "-fPIC", "-shared", "-ffp-contract=off", "-fno-strict-aliasing")
# Shifts of negative numbers and unaligned vectors are what CUDA defines and C++17 does not.
SANITIZE = (
    "-fsanitize=undefined", "-fno-sanitize=shift-base", "-fsanitize-undefined-trap-on-error",
)  # fmt: skip

Data = Mapping[str, Any]  # arrays, SIMD scalars and numbers, by parameter
Run = Callable[..., None]


def compile_emulated(
    kernels: Sequence[Kernel],
    sanitize: bool = False,
    printed: Callable[[Kernel, str], str] = print_cuda,
    headers: Sequence[Path] = (HEADER,),
) -> list[Run]:
    """Return a function for each kernel that runs it on arrays in place; skips without g++.

    With `sanitize`, undefined behaviour ends the process. `printed` gives the text of a kernel of a
    name, `headers` what its language is built from.
    """
    compiler = shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        pytest.skip("no C++ compiler")
    names = [f"kernel{n}" for n in range(len(kernels))]
    parts = [f'#include "{header}"\n' for header in headers]
    parts += map(printed, kernels, names)
    parts += map(_entry, kernels, names)
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder, "kernels.so")
        command = [
            compiler,
            *FLAGS,
            *(SANITIZE if sanitize else ()),
            "-x",
            "c++",
            "-",
            "-o",
            str(library),
        ]
        done = subprocess.run(
            command, input="".join(parts), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[:4000]
        loaded = ctypes.CDLL(str(library))
    entries = [getattr(loaded, f"enter_{name}") for name in names]
    return [functools.partial(_run, *pair) for pair in zip(kernels, entries, strict=True)]


def _entry(kernel: Kernel, name: str) -> str:
    """Return the function that launches a kernel with pointers to its arguments."""
    texts = [f"*({parameter_type(p).strip()} *)a[{n}]" for n, p in enumerate(kernel.parameters)]
    return (
        f"static void call_{name}(void **a) {{ {name}({', '.join(texts)}); }}\n"
        f'extern "C" int enter_{name}(void **a, const unsigned *shape) '
        f"{{ return launch(call_{name}, a, shape); }}\n"
    )


def _run(
    kernel: Kernel, entry: Any, data: Data, grid: Sequence[int] = (1,), block: Any = 1
) -> None:
    """Run a kernel over `grid` blocks; a kernel of blocks knows its own."""
    shape = kernel.attributes.get("block", block)
    local = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
    sizes = (ctypes.c_uint * 6)(*(*grid, 1, 1)[:3], *(*local, 1, 1)[:3])
    kept = [_argument(data[p.name], p.type) for p in kernel.parameters]
    pointers = (ctypes.c_void_p * len(kept))(*(k.ctypes.data for k in kept))
    assert entry(pointers, sizes) == 0, "threads wait for others that do not come"


def _argument(value: Any, kind: Any) -> np.ndarray[Any, Any]:
    """Return the bytes of an argument: an address, or a number."""
    if isinstance(kind, PointerType):
        return np.array([value.ctypes.data], np.uint64)
    number = value.value if isinstance(value, SIMD) else value
    assert isinstance(kind.dtype, DType)
    return np.array([number], kind.dtype.numpy)
