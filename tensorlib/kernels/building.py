"""From a spec to its kernel: built once for each target, by the module that knows how."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tensorlib.lang.target import Target, current_target
from tensorlib.passes.registration import generation

if TYPE_CHECKING:
    from tensorlib.ir import Kernel

__all__ = ["BUILDERS", "built"]

# The module whose `build(spec)` makes the kernel, imported when the first one is built.
BUILDERS = {
    "ElementwiseSpec": "tensorlib.kernels.elementwise",
    "ReduceSpec":      "tensorlib.kernels.reduce",
    "MatmulSpec":      "tensorlib.kernels.matmul",
    "SoftmaxSpec":     "tensorlib.kernels.softmax",
    "TakeSpec":        "tensorlib.kernels.take",
    "ScanSpec":        "tensorlib.kernels.scan",
    "RowwiseSpec":     "tensorlib.kernels.rowwise",
    "CustomSpec":      "tensorlib.kernels.custom",
}  # fmt: skip


def built(spec: Any) -> Kernel:
    """Return the kernel of `spec` for the current target and the passes that are in use."""
    return _built(spec, current_target(), generation())


@lru_cache(maxsize=4096)
def _built(spec: Any, target: Target, passes: int) -> Kernel:
    kernel: Kernel = import_module(BUILDERS[type(spec).__name__]).build(spec)
    return kernel
