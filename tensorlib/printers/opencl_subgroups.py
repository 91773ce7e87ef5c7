"""OpenCL C of warps where a device has sub-groups of as many lanes: without local memory, and
without barriers of the whole block, so that warps may go apart.
"""

from __future__ import annotations

from tensorlib.dtypes import DType
from tensorlib.ir.core import Kernel, Operation
from tensorlib.ir.grid_ops import WARP_SIZE
from tensorlib.ir.types import VectorType
from tensorlib.printers.gpu_grid import block_threads
from tensorlib.printers.opencl_types import type_name
from tensorlib.printers.walker import Emit, Walker, is_mask, vector

__all__ = ["EXTENSIONS", "OPERATIONS", "SOURCES", "declare_lanes"]

EXTENSIONS = ("cl_khr_subgroups", "cl_khr_subgroup_shuffle", "cl_khr_subgroup_ballot")
# Which lane gives a lane its value, by the mode of a shuffle.
SOURCES = {"down": "lane + {0}", "up": "lane - {0}", "xor": "lane ^ {0}", "index": "{0}"}
_BARRIERS = {
    "warp": "sub_group_barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);",
    "block": "barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);",
}
_VOTES = {
    "any": "sub_group_any({0})",
    "all": "sub_group_all({0})",
    "ballot": "sub_group_ballot({0}).x",
}


def declare_lanes(walker: Walker, kernel: Kernel) -> None:
    """Declare which lane a thread is, and how many its warp has."""
    walker.line(f"const uint lane = thread & {WARP_SIZE - 1}, warp = thread - lane;")
    threads, text = block_threads(kernel), str(WARP_SIZE)
    if threads % WARP_SIZE:
        text = f"min({WARP_SIZE}u, {threads} - warp)"
    walker.line(f"const uint lanes = {text};")


def _barrier(walker: Walker, operation: Operation) -> None:
    walker.line(_BARRIERS[operation.attributes["scope"]])


def _warp_shuffle(walker: Walker, operation: Operation) -> None:
    """Exchange scalars: a vector's lanes one by one, bools as bytes."""
    (value, offset), (result,) = operation.operands, operation.results
    source = SOURCES[operation.attributes["mode"]].format(walker.use(offset))
    name = walker.temporary(source, VectorType(DType.uint32))
    at = walker.temporary(f"{name} < lanes ? {name} : lane", VectorType(DType.uint32))
    kind = vector(value)
    if kind.width == 1:
        byte = "(uchar)" if kind.dtype is DType.bool else ""
        walker.define(result, f"sub_group_shuffle({byte}{walker.use(value)}, {at})")
        return
    kind = kind.of(DType.int8) if is_mask(kind) else kind
    text = walker.mask(value, 8) if is_mask(value.type) else walker.use(value)
    text = text if text.isidentifier() else walker.temporary(text, kind)
    lanes = (f"sub_group_shuffle({text}.s{lane:x}, {at})" for lane in range(kind.width))
    walker.define(result, f"({type_name(kind)})({', '.join(lanes)})", 8)


def _warp_vote(walker: Walker, operation: Operation) -> None:
    text = _VOTES[operation.attributes["mode"]].format(walker.use(operation.operands[0]))
    walker.define(operation.results[0], text)


OPERATIONS: dict[str, Emit] = {
    "barrier": _barrier,
    "warp_shuffle": _warp_shuffle,
    "warp_vote": _warp_vote,
}
