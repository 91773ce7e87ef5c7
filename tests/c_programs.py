"""Whole C programs of generated kernels: built for a sanitizer or for another machine, then run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorlib.ir import Kernel
from tensorlib.lang.trace import trace
from tensorlib.passes import run_passes
from tensorlib.printers import PRELUDE, print_c
from tensorlib.simd import SIMD
from tensorlib.tests.compiled_kernels import copied, run_python, types_of
from tensorlib.tests.random_kernels import RandomKernel

__all__ = ["case", "inputs", "outputs", "program"]

# A kernel, its arguments by name, and what they are after the kernel.
Case = tuple[Kernel, dict[str, Any], dict[str, Any]]


def case(made: RandomKernel, seed: int) -> Case:
    """Return a random kernel with its data and what plain Python makes of it."""
    data = made.data(seed)
    expected = copied(data)
    run_python(made.function(), expected)
    return run_passes(trace(made.function(), types_of(data))), data, expected


def program(cases: Sequence[Case]) -> str:
    """Return a C program that reads arguments, calls each kernel and writes the arrays."""
    text = [PRELUDE, "#include <stdio.h>\n#include <stdlib.h>\n"]
    text += [print_c(kernel, f"kernel{i}") for i, (kernel, *_) in enumerate(cases)]
    text.append("int main(void) {\n")
    for i, (kernel, data, _) in enumerate(cases):
        text.append(f"  {{ uint64_t args[{max(1, len(kernel.parameters))}];\n")
        for k, p in enumerate(kernel.parameters):
            size = data[p.name].nbytes if isinstance(data[p.name], np.ndarray) else 0
            text.append(
                f"    args[{k}] = (uintptr_t)malloc({size}); "
                f"if (fread((void *)(uintptr_t)args[{k}], 1, {size}, stdin) != {size}) return 2;\n"
                if size
                else f"    if (fread(args + {k}, 1, 8, stdin) != 8) return 2;\n"
            )
        text.append(f"    kernel{i}(args, 0, 1);\n")
        for k, p in enumerate(kernel.parameters):
            if isinstance(data[p.name], np.ndarray):
                pointer = f"(void *)(uintptr_t)args[{k}]"
                text.append(f"    fwrite({pointer}, 1, {data[p.name].nbytes}, stdout);\n")
                text.append(f"    free({pointer});\n")
        text.append("  }\n")
    return "".join([*text, "  return 0;\n}\n"])


def _raw(value: Any) -> bytes:
    if isinstance(value, SIMD):
        return np.asarray(value.value).tobytes().ljust(8, b"\0")
    return bytes(value.tobytes())


def inputs(cases: Sequence[Case]) -> bytes:
    """Return what the program reads: the arguments of all kernels."""
    return b"".join(_raw(data[p.name]) for kernel, data, _ in cases for p in kernel.parameters)


def outputs(written: bytes, cases: Sequence[Case]) -> list[dict[str, Any]]:
    """Return the arguments of each kernel as the program wrote them."""
    found, at = [], 0
    for kernel, data, _ in cases:
        got = copied(data)
        for p in kernel.parameters:
            if isinstance(got[p.name], np.ndarray):
                size = got[p.name].nbytes
                part = np.frombuffer(written[at : at + size], got[p.name].dtype)
                got[p.name] = part.reshape(got[p.name].shape)
                at += size
        found.append(got)
    return found
