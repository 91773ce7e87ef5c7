"""Runs one kernel in every way there is and compares the bits: what the tests of examples share."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

import tensorlib as tl
from tensorlib.ir import Kernel
from tensorlib.lang.target import Target, targeting
from tensorlib.passes.instructions import instructions
from tensorlib.printers import print_cuda
from tensorlib.tests.compiled_kernels import same
from tensorlib.tests.cuda_compiler import compile_cuda
from tensorlib.tests.opencl_device import compile_opencl

__all__ = ["EXAMPLES", "compiles_as_cuda", "example", "run_every_way", "runs_on_opencl"]

EXAMPLES = Path(tl.__file__).parents[1] / "examples"
OPENCL, CUDA = Target("opencl", 16), Target("cuda", 16, frozenset({"sm_80"}))


def example(name: str) -> ModuleType:
    """Return a file of the folder `examples` as a module."""
    known = sys.modules.get(f"{name}_example")
    if known is not None:
        return known
    spec = importlib.util.spec_from_file_location(f"{name}_example", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_every_way(kernel: Any, *arguments: Any, **launch: Any) -> list[Any]:
    """Run compiled C, interpreter, Python and OpenCL; return the arguments after C.

    The CUDA C must compile. `launch` is grid and block of a grid-shaped kernel.
    """
    compiled, interpreted, plain = (copies(arguments) for _ in range(3))
    kernel(*compiled, **launch)
    kernel.interpret(*interpreted, **launch)
    kernel.python(*plain, **launch)
    check(compiled, interpreted, "C and interpreter")
    check(compiled, plain, "C and Python")
    check(compiled, runs_on_opencl(kernel, *arguments, **launch), "C and OpenCL")
    compiles_as_cuda(kernel, *arguments, **launch)
    return compiled


def copies(arguments: tuple[Any, ...]) -> list[Any]:
    return [a.copy() if isinstance(a, np.ndarray) else a for a in arguments]


def check(a: list[Any], b: list[Any], what: str) -> None:
    for number, (x, y) in enumerate(zip(a, b, strict=True)):
        if isinstance(x, np.ndarray):
            assert same(x, y), f"{what} differ in argument {number}:\n{x}\n{y}"


def traced(kernel: Any, target: Target, arguments: tuple[Any, ...], block: Any) -> Kernel:
    """Return the kernel traced for a target, with the instructions that the target has."""
    with targeting(target):
        made: Kernel = kernel.trace(*arguments, **({"block": block} if block else {}))
    instructions(made, target.name, target.features)
    return made


def runs_on_opencl(kernel: Any, *arguments: Any, grid: Any = 1, block: Any = None) -> list[Any]:
    """Return the arguments after the kernel ran on an OpenCL device; skips without one."""
    given = copies(arguments)
    (run,) = compile_opencl([traced(kernel, OPENCL, arguments, block)])
    run(kernel.values(tuple(given)), grid if isinstance(grid, tuple) else (grid,))
    return given


def compiles_as_cuda(kernel: Any, *arguments: Any, grid: Any = 1, block: Any = None) -> str:
    """Return the CUDA C of a kernel, which NVRTC compiles for sm_80 without a word."""
    source = print_cuda(traced(kernel, CUDA, arguments, block))
    _, log = compile_cuda(source, "sm_80")
    assert not log, log
    return source
