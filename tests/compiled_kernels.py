"""Runs one kernel every way: plain Python, interpreter, and C compiled through the C backend's
library.
"""

from __future__ import annotations

import functools
import hashlib
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from tensorlib.backends.c.library import KernelLibrary
from tensorlib.backends.c.runtime import has_python_header, kernel_cache, load_runtime
from tensorlib.backends.c.toolchain import Toolchain
from tensorlib.dtypes import as_dtype
from tensorlib.errors import BackendError
from tensorlib.ir import Kernel, interpret, parse, text
from tensorlib.lang.trace import trace
from tensorlib.passes import run_passes
from tensorlib.printers import PRELUDE, print_c
from tensorlib.simd import SIMD, SIMDType
from tensorlib.tile import Tile, TileType

Array = np.ndarray[Any, Any]
Data = Mapping[str, Any]  # arrays, and SIMD scalars

__all__ = ["agree", "compile_kernel", "run_python", "same", "types_of", "words_of"]


def types_of(data: Data) -> dict[str, Any]:
    """Return the kernel types of arguments: static row-major tiles, and scalars."""
    return {name: _type(value) for name, value in data.items()}


def _type(value: Any) -> Any:
    if isinstance(value, SIMD):
        return SIMDType(value.dtype, value.width)
    strides = tuple(s // value.itemsize for s in value.strides)
    return TileType(as_dtype(value.dtype), value.shape, strides)


def run_python(function: Callable[..., Any], data: Data) -> None:
    """Call the plain Python function on tiles over the arrays, which it writes."""
    tiles = {k: v if isinstance(v, SIMD) else Tile.over(v, k) for k, v in data.items()}
    function(**tiles)


@functools.cache
def _library() -> KernelLibrary | None:
    """The library of this test run, over a fresh cache; None where no compiler is found."""
    try:
        toolchain = Toolchain.find()
    except BackendError:
        return None
    cache = kernel_cache()
    runtime = load_runtime(toolchain, cache, api=has_python_header())
    return KernelLibrary(runtime, toolchain, cache)


def compile_kernel(kernel: Kernel) -> Callable[[Data, int], None]:
    """Return a function that runs `kernel` (after its passes) as C; skips without a compiler."""
    library = _library()
    if library is None:
        pytest.skip("no C compiler")
    source = print_c(kernel, "kernel")
    name = "kernel_" + hashlib.sha256(source.encode()).hexdigest()[:16]
    source = print_c(kernel, name)
    address = library.load({name: source}, PRELUDE)[name]

    def run(data: Data, workers: int = 1) -> None:
        runtime = library.runtime
        words = runtime.words(words_of(kernel, data))
        runtime.call(runtime.function(address), words, workers)

    return run


def words_of(kernel: Kernel, data: Data) -> list[int]:
    """Return the 8-byte words of the arguments, in the kernel's order."""
    return [_word(data[p.name]) for p in kernel.parameters]


def _word(value: Any) -> int:
    if isinstance(value, np.ndarray):
        return int(value.ctypes.data)
    if isinstance(value, SIMD):
        return int.from_bytes(np.asarray(value.value).tobytes(), "little", signed=False)
    if isinstance(value, float):
        return int.from_bytes(struct.pack("<d", value), "little")
    return int(value)


def copied(data: Data) -> dict[str, Any]:
    return {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in data.items()}


def same(a: Array, b: Array) -> bool:
    """Whether arrays agree bit for bit, but for the bits of NaNs."""
    if a.dtype == np.bool_ or as_dtype(a.dtype).is_integer:
        return a.tobytes() == b.tobytes()
    with np.errstate(invalid="ignore"):
        left, right = (np.where(x != x, x.dtype.type(0), x) for x in (a, b))
        return bool(np.array_equal(a != a, b != b)) and left.tobytes() == right.tobytes()


def differences(expected: Data, got: Data) -> list[str]:
    found = []
    for name, value in expected.items():
        if isinstance(value, np.ndarray) and not same(value, got[name]):
            a, b = value.reshape(-1), got[name].reshape(-1)
            where = [i for i in range(a.size) if not same(a[i : i + 1], b[i : i + 1])]
            found.append(f"{name}{where[:8]}: {a[where[:8]]!r} != {b[where[:8]]!r}")
    return found


def agree(function: Callable[..., Any], data: Data, workers: Sequence[int] = (1,)) -> Kernel:
    """Assert that Python, interpreter (before and after the passes) and C write the same bits."""
    expected = copied(data)
    run_python(function, expected)
    kernel = trace(function, types_of(data))
    _check("interpreter", kernel, expected, data, _interpreted(kernel))
    assert text(parse(text(kernel))) == text(kernel)
    run_passes(kernel)
    _check("interpreter after passes", kernel, expected, data, _interpreted(kernel))
    run = compile_kernel(kernel)
    for count in workers:
        _check(f"C with {count}", kernel, expected, data, functools.partial(run, workers=count))
    return kernel


def _interpreted(kernel: Kernel) -> Callable[[Data], None]:
    def run(data: Data) -> None:
        arguments = [data[p.name] for p in kernel.parameters]
        interpret(kernel, [a.value if isinstance(a, SIMD) else a for a in arguments])

    return run


def _check(
    way: str, kernel: Kernel, expected: Data, data: Data, run: Callable[[Data], None]
) -> None:
    got = copied(data)
    run(got)
    found = differences(expected, got)
    assert not found, f"Python and {way} differ: {found}\n{text(kernel)}"
