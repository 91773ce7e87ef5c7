"""Runs kernels, printed as OpenCL C, on the first OpenCL device: PoCL's processor where nothing
else is found.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from tensorlib.ir import Kernel
from tensorlib.ir.types import PointerType
from tensorlib.passes.grid import GRID_PARAMETERS
from tensorlib.printers import OPENCL_OPTIONS, for_opencl, print_opencl
from tensorlib.simd import SIMD

__all__ = ["build_opencl", "compile_opencl", "opencl_device", "run_text"]

Data = Mapping[str, Any]  # arrays, SIMD scalars and numbers, by parameter
Run = Callable[..., None]


@functools.cache
def _queue() -> Any:
    """A queue on the first device that can run every kernel; text where there is none."""
    try:
        import pyopencl
    except ImportError:
        return "pyopencl is not installed"
    try:
        devices = [d for p in pyopencl.get_platforms() for d in p.get_devices()]
    except pyopencl.Error as error:
        return f"no OpenCL platform: {error}"
    fit = [d for d in devices if d.double_fp_config and "cl_khr_int64" in d.extensions]
    if not fit:
        return f"no OpenCL device with float64 and 64-bit atomics among {devices}"
    return pyopencl.CommandQueue(pyopencl.Context([fit[0]]))


def opencl_device() -> Any:
    """Return the device, or skip the test with what is missing."""
    queue = _queue()
    if isinstance(queue, str):
        pytest.skip(queue)
    return queue.device


def compile_opencl(kernels: Sequence[Kernel]) -> list[Run]:
    """Return a function for each kernel that runs it on arrays in place; builds one program."""
    kernels = [for_opencl(kernel) for kernel in kernels]
    names = [f"kernel{n}" for n in range(len(kernels))]
    made = build_opencl("\n".join(map(print_opencl, kernels, names)), names)
    return [functools.partial(_run, *pair) for pair in zip(kernels, made, strict=True)]


def build_opencl(source: str, names: Sequence[str]) -> list[Any]:
    """Return the kernels of these names in a program; skips without a device."""
    opencl_device()
    import pyopencl

    program = pyopencl.Program(_queue().context, source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", pyopencl.CompilerWarning)
            program.build(list(OPENCL_OPTIONS), cache_dir=False)
    except pyopencl.RuntimeError as error:
        raise AssertionError(f"{error}\n{source}") from None
    return [pyopencl.Kernel(program, name) for name in names]


def _run(kernel: Kernel, made: Any, data: Data, grid: Sequence[int] = (1,), block: Any = 1) -> None:
    """Run a kernel over `grid` blocks; a kernel of blocks knows its own."""
    import pyopencl

    queue, flags = _queue(), pyopencl.mem_flags
    shape = kernel.attributes.get("block", block)
    local = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
    blocks = (*grid, 1, 1)[: len(local)]
    data = {**dict(zip(GRID_PARAMETERS, (*grid, 1, 1), strict=False)), **data}
    buffers: dict[int, tuple[Any, Any]] = {}  # by address: parameters may share an array
    arguments: list[Any] = []
    for p in kernel.parameters:
        value = data[p.name]
        if isinstance(p.type, PointerType):
            raw = value.reshape(-1).view(np.uint8)
            if raw.ctypes.data not in buffers:
                buffer = pyopencl.Buffer(queue.context, flags.READ_WRITE, max(1, raw.nbytes))
                if raw.nbytes:
                    pyopencl.enqueue_copy(queue, buffer, raw)
                buffers[raw.ctypes.data] = buffer, raw
            arguments.append(buffers[raw.ctypes.data][0])
        else:
            number = value.value if isinstance(value, SIMD) else value
            array = np.array(number, p.type.dtype.numpy)
            bits = array.view(f"u{array.itemsize}") if p.type.dtype.bits <= 16 else array
            arguments.append(bits[()])
    size = [n * m for n, m in zip(blocks, local, strict=True)]
    made(queue, size, local, *arguments)
    for buffer, raw in buffers.values():
        if raw.nbytes:
            pyopencl.enqueue_copy(queue, raw, buffer)


def run_text(made: Any, out: Any, number: int) -> None:
    """Run a kernel of (array, int) on one block, a thread an element; the array is written."""
    import pyopencl

    buffer = pyopencl.Buffer(_queue().context, pyopencl.mem_flags.READ_WRITE, out.nbytes)
    pyopencl.enqueue_copy(_queue(), buffer, out)
    made(_queue(), [out.size], [out.size], buffer, np.int32(number))
    pyopencl.enqueue_copy(_queue(), out, buffer)
