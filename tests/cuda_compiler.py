"""Compiles CUDA C with NVRTC, which needs no driver and no device: `cubin(source, "sm_80")`."""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tensorlib.printers import CUDA_OPTIONS

__all__ = ["compile_cuda", "operation_codes"]

# Values that a kernel declares and nobody reads are no fault of it.
_QUIET = ("--diag-suppress=177,550",)


@functools.cache
def _nvrtc() -> Any:
    """NVRTC's library; None where it is not installed."""
    found = importlib.util.find_spec("nvidia")
    folders = list(found.submodule_search_locations or ()) if found else []
    paths = [p for f in folders for p in sorted(Path(f).glob("*/lib/libnvrtc.so.*"))]
    return ctypes.CDLL(str(paths[0])) if paths else None


def compile_cuda(source: str, architecture: str, options: Sequence[str] = ()) -> tuple[bytes, str]:
    """Return machine code and the compiler's log; skips without NVRTC, fails for an error.

    For an architecture like `sm_80` that is a cubin, for one like `compute_80` PTX.
    """
    nvrtc = _nvrtc()
    if nvrtc is None:
        pytest.skip("nvidia-cuda-nvrtc is not installed")
    program = ctypes.c_void_p()
    created = nvrtc.nvrtcCreateProgram(
        ctypes.byref(program), source.encode(), b"kernel.cu", 0, None, None
    )
    assert created == 0
    words = [f"--gpu-architecture={architecture}", *CUDA_OPTIONS, *_QUIET, *options]
    array = (ctypes.c_char_p * len(words))(*(word.encode() for word in words))
    try:
        status = nvrtc.nvrtcCompileProgram(program, len(words), array)
        log = _read(nvrtc, program, "ProgramLog").decode().strip("\0\n")
        assert status == 0, f"{log}\n{source}"
        what = "PTX" if architecture.startswith("compute") else "CUBIN"
        return _read(nvrtc, program, what), log
    finally:
        nvrtc.nvrtcDestroyProgram(ctypes.byref(program))


def _read(nvrtc: Any, program: ctypes.c_void_p, what: str) -> bytes:
    size = ctypes.c_size_t()
    assert getattr(nvrtc, f"nvrtcGet{what}Size")(program, ctypes.byref(size)) == 0
    buffer = ctypes.create_string_buffer(size.value)
    assert getattr(nvrtc, f"nvrtcGet{what}")(program, buffer) == 0
    return buffer.raw


def operation_codes(cubin: bytes) -> set[int]:
    """Return the nine bits that tell the operations of a cubin's code, from sm_70 on.

    Multiplication of float32 is 0x20, addition 0x21, fused 0x23; of float64 0x28, 0x29 and 0x2b.
    """
    (start,) = struct.unpack_from("<Q", cubin, 0x28)
    size, count, names = struct.unpack_from("<3H", cubin, 0x3A)
    heads = [struct.unpack_from("<IIQQQQ", cubin, start + size * n) for n in range(count)]
    texts = heads[names][4]
    codes = [
        cubin[offset : offset + length]
        for name, _, _, _, offset, length in heads
        if cubin[texts + name :].startswith(b".text.")
    ]
    return {struct.unpack_from("<H", c, n)[0] & 0x1FF for c in codes for n in range(0, len(c), 16)}
