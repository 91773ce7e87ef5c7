"""The C backend: kernels printed as C, compiled by gcc or clang, run on one pool of threads.

Names are imported when first used: its metadata (`info`) is read without loading it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tensorlib.backends.c.backend import CBackend as CBackend
    from tensorlib.backends.c.backend import CompiledKernel as CompiledKernel


def __getattr__(name: str) -> Any:
    if name not in ("CBackend", "CompiledKernel"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.backend"), name)
