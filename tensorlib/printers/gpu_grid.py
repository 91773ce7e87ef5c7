"""Blocks of threads: their shape, and the memory that the threads of a block or a warp share."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tensorlib.dtypes import DType
from tensorlib.ir.core import Kernel, Operation, walk
from tensorlib.ir.grid_ops import WARP_SIZE
from tensorlib.ir.types import Placement, PointerType
from tensorlib.printers.gpu_dialect import gpu
from tensorlib.printers.walker import Walker

__all__ = [
    "block_shape",
    "block_threads",
    "declare_shared",
    "nothing",
    "operations_of",
    "shared_bytes",
]

# Rows that ask which lane or warp a thread is.
_IN_WARP = ("warp_shuffle", "warp_vote")


def block_shape(kernel: Kernel) -> tuple[int, int, int]:
    """Return the threads of a block along three axes."""
    given = kernel.attributes["block"]
    x, y, z = (*(given if isinstance(given, (tuple, list)) else (given,)), 1, 1)[:3]
    return int(x), int(y), int(z)


def block_threads(kernel: Kernel) -> int:
    """Return the number of threads of a block."""
    return math.prod(block_shape(kernel))


def operations_of(kernel: Kernel, *names: str) -> list[Operation]:
    """Return the operations of these names, wherever they stand."""
    return [o for o in walk(kernel.body) if o.name in names]


def shared_bytes(kernel: Kernel) -> int:
    """Return how many bytes the arrays of a block and its warps take, each at a multiple of 16."""
    return sum(-(-_elements(kernel, o) * _itemsize(o) // 16) * 16 for o in _shared(kernel))


def declare_shared(walker: Walker, kernel: Kernel, declaration: str, axes: Sequence[str]) -> None:
    """Declare at the head of the function what the threads of a block or a warp share.

    `declaration` is text over {element}, {name}, {size} and {offset}, in bytes; `axes` are a
    thread's numbers along x, y and z.
    """
    allocs, offset = _shared(kernel), 0
    if operations_of(kernel, *_IN_WARP) or any(_placement(o) is Placement.WARP for o in allocs):
        walker.line(f"const int thread = {_thread(kernel, axes)};")
    for operation in allocs:
        name, size = walker.fresh("shared"), _elements(kernel, operation)
        element = gpu(walker).scalar(operation.attributes["dtype"])
        walker.line(declaration.format(element=element, name=name, size=size, offset=offset))
        offset += -(-size * _itemsize(operation) // 16) * 16
        of_warp = size // _warps(kernel, operation)
        text = f"({name} + thread / {WARP_SIZE} * {of_warp})" if of_warp != size else name
        walker.names[id(operation.results[0])] = text


def _shared(kernel: Kernel) -> list[Operation]:
    """Return the allocations of what several threads see."""
    return [o for o in operations_of(kernel, "alloc") if _placement(o) is not Placement.REGISTER]


def _warps(kernel: Kernel, operation: Operation) -> int:
    """Return how many times an array is there: once a warp, or once."""
    return -(-block_threads(kernel) // WARP_SIZE) if _placement(operation) is Placement.WARP else 1


def _elements(kernel: Kernel, operation: Operation) -> int:
    return int(max(1, operation.attributes["size"])) * _warps(kernel, operation)


def _itemsize(operation: Operation) -> int:
    dtype: DType = operation.attributes["dtype"]
    return dtype.itemsize


def _placement(operation: Operation) -> Placement:
    kind = operation.results[0].type
    assert isinstance(kind, PointerType)
    return kind.placement


def _thread(kernel: Kernel, axes: Sequence[str]) -> str:
    """Return the number of a thread in its block; x is fastest."""
    x, y, z = block_shape(kernel)
    if z > 1:
        return f"{axes[0]} + {x} * ({axes[1]} + {y} * {axes[2]})"
    return f"{axes[0]} + {x} * {axes[1]}" if y > 1 else axes[0]


def nothing(walker: Walker, operation: Operation) -> None:
    """Write nothing: what the operation asks for is so anyway."""
