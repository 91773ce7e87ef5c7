"""What a kernel asks and does as one thread of many: indices and barriers.

Inside a kernel called with `grid=` and `block=`, each thread runs the whole function. Indices are
int64 scalars, in plain Python as well; the shape of a block is known when a kernel is traced.

>>> import numpy as np, tensorlib as tl
>>> @tl.kernel
... def turned(out: tl.Tile, x: tl.Tile) -> None:
...     n, t = tl.block_dim(), tl.thread_id()
...     shared = tl.stack_allocation[x.dtype, tl.SHARED](n)
...     shared[t] = x[tl.block_id() * n + t]
...     tl.barrier()
...     out[tl.block_id() * n + t] = shared[n - 1 - t]
>>> out = np.zeros(6, np.int32)
>>> turned.python(out, np.arange(6, dtype=np.int32), grid=2, block=3)
>>> out
array([2, 1, 0, 5, 4, 3], dtype=int32)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorlib.dtypes import DType
from tensorlib.errors import KernelError
from tensorlib.ir.builder import Builder, current_builder, fail
from tensorlib.ir.grid_ops import WARP_SIZE
from tensorlib.ir.types import Placement
from tensorlib.lang.target import Block, current_block
from tensorlib.lang.threads import Thread, current_thread
from tensorlib.simd import SIMD

__all__ = [
    "CLUSTER",
    "GLOBAL",
    "REGISTER",
    "SHARED",
    "WARP",
    "barrier",
    "block_dim",
    "block_id",
    "grid_dim",
    "lane_id",
    "recording",
    "running",
    "thread_id",
    "threads_of_block",
    "warp_barrier",
    "warp_id",
]

CLUSTER, GLOBAL, REGISTER = Placement.CLUSTER, Placement.GLOBAL, Placement.REGISTER
SHARED, WARP = Placement.SHARED, Placement.WARP


# --- who am I ---


def block_id(axis: int = 0) -> SIMD:
    """Return the number of this thread's block in the grid along `axis`.

    >>> from tensorlib.lang.threads import run_grid
    >>> [int(v) for v in run_grid(block_id, (3, 1, 1), (2, 1, 1))]
    [0, 0, 1, 1, 2, 2]
    """
    return _index("block_id", axis, lambda thread: thread.block.place)


def thread_id(axis: int = 0) -> SIMD:
    """Return the number of this thread in its block along `axis`.

    >>> from tensorlib.lang.threads import run_grid
    >>> [int(v) for v in run_grid(thread_id, (2, 1, 1), (3, 1, 1))]
    [0, 1, 2, 0, 1, 2]
    """
    return _index("thread_id", axis, lambda thread: thread.coordinates)


def grid_dim(axis: int = 0) -> SIMD:
    """Return the number of blocks along `axis`.

    >>> from tensorlib.lang.threads import run_grid
    >>> [int(v) for v in run_grid(grid_dim, (3, 1, 1), (1, 1, 1))]
    [3, 3, 3]
    """
    return _index("grid_dim", axis, lambda thread: thread.block.grid)


def block_dim(axis: int = 0) -> int:
    """Return the number of threads of a block along `axis`: a Python int, in every mode.

    >>> from tensorlib.lang.threads import run_grid
    >>> run_grid(lambda: block_dim(1), (1, 1, 1), (2, 3, 1))
    [3, 3, 3, 3, 3, 3]
    """
    return _shape("block_dim")[_axis("block_dim", axis)]


def lane_id() -> SIMD:
    """Return the number of this thread in its warp.

    >>> from tensorlib.lang.threads import run_grid
    >>> [int(v) for v in run_grid(lane_id, (1, 1, 1), (2, 2, 1))]
    [0, 1, 2, 3]
    """
    return _linear("lane_id") % WARP_SIZE


def warp_id() -> SIMD:
    """Return the number of this thread's warp in the block; threads count along axis 0 first.

    >>> from tensorlib.lang.threads import run_grid
    >>> [int(v) for v in run_grid(warp_id, (1, 1, 1), (3, 1, 1))]
    [0, 0, 0]
    """
    return _linear("warp_id") // WARP_SIZE


def _linear(where: str) -> SIMD:
    """Return the number of this thread in its block."""
    shape = _shape(where)
    number = thread_id(0)
    for axis, size in ((1, shape[0]), (2, shape[0] * shape[1])):
        if shape[axis] > 1:
            number = number + thread_id(axis) * size
    return number


def threads_of_block(where: str) -> int:
    x, y, z = _shape(where)
    return x * y * z


def _shape(where: str) -> Block:
    """Return the shape of the block that is being traced or run."""
    thread = current_thread()
    if current_builder() is None and thread is not None:
        return thread.block.shape
    shape = current_block()
    if shape is None:
        raise _no_grid(where)
    return shape


def _no_grid(where: str) -> KernelError:
    return fail(f"{where}: no grid of threads runs here; call the kernel with grid= and block=")


def _axis(where: str, axis: Any) -> int:
    if isinstance(axis, bool) or axis not in (0, 1, 2):
        raise fail(f"{where}: got axis {axis!r}, needed 0, 1 or 2")
    return int(axis)


def _index(where: str, axis: Any, of: Callable[[Thread], Block]) -> SIMD:
    axis, builder = _axis(where, axis), recording(where)
    if builder is not None:
        return SIMD.of(builder.value(where, axis=axis))
    return SIMD(np.asarray(of(running(where))[axis], np.int64), DType.int64, 1)


def recording(where: str) -> Builder | None:
    """Return the builder of a grid kernel that is being traced, None in plain Python."""
    builder = current_builder()
    if builder is not None and current_block() is None:
        raise _no_grid(where)
    return builder


def running(where: str) -> Thread:
    thread = current_thread()
    if thread is None:
        raise _no_grid(where)
    return thread


# --- meetings ---


def barrier() -> None:
    """Wait until every thread of the block is here; what they wrote can be read behind it.

    >>> from tensorlib.lang.threads import run_grid
    >>> order = []
    >>> run_grid(lambda: (order.append(1), barrier(), order.append(2))[0], (1, 1, 1), (2, 1, 1))
    [None, None]
    >>> order
    [1, 1, 2, 2]
    """
    _barrier("barrier", "block")


def warp_barrier() -> None:
    """Wait until every thread of the warp is here.

    >>> from tensorlib.lang.threads import run_grid
    >>> run_grid(warp_barrier, (1, 1, 1), (2, 1, 1))
    [None, None]
    """
    _barrier("warp_barrier", "warp")


def _barrier(where: str, scope: str) -> None:
    builder = recording(where)
    if builder is not None:
        builder.emit("barrier", (), {"scope": scope})
    else:
        running(where).meet(where, scope)
