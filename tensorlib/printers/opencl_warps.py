"""Which kernels OpenCL without sub-groups can run as they are, and another form of the others."""

from __future__ import annotations

from collections.abc import Iterator

from tensorlib.ir.core import Block, Kernel, Operation, walk
from tensorlib.ir.grid_ops import WARP_SIZE
from tensorlib.passes.grid import without_grid
from tensorlib.passes.grid_uniform import differing
from tensorlib.passes.pipeline import run_passes
from tensorlib.printers.gpu_grid import block_threads
from tensorlib.printers.opencl_device import OpenCLDevice

__all__ = ["for_opencl"]

_EXCHANGES = ("warp_shuffle", "warp_vote")


def for_opencl(kernel: Kernel, device: OpenCLDevice | None = None) -> Kernel:
    """Return a kernel that `print_opencl` takes: nearly always `kernel` itself.

    Exchanges between lanes are printed with barriers, which all threads of a block must reach. So
    where a warp exchanges values in a branch or loop that another warp does not take, the result
    is a kernel without blocks, which runs all blocks of a grid; its last parameters are the sizes
    of the grid (`passes.grid.GRID_PARAMETERS`). A device whose sub-groups are warps runs all.
    """
    if device is not None and device.has_warps:
        return kernel
    return run_passes(without_grid(kernel)) if _goes_apart(kernel) else kernel


def _goes_apart(kernel: Kernel) -> bool:
    """Whether warps of a block exchange values where others may not come by."""
    if "block" not in kernel.attributes or block_threads(kernel) <= WARP_SIZE:
        return False
    if not any(map(_exchanges, walk(kernel.body))):
        return False
    differs = differing(kernel)
    return any(_differs(o, differs) for o in _around_exchanges(kernel.body))


def _exchanges(operation: Operation) -> bool:
    return operation.name in _EXCHANGES or operation.attributes.get("scope") == "warp"


def _around_exchanges(block: Block) -> Iterator[Operation]:
    """Yield the branches and loops in which values are exchanged."""
    for operation in block.operations:
        if any(_exchanges(o) for nested in operation.blocks for o in walk(nested)):
            yield operation
            for nested in operation.blocks:
                yield from _around_exchanges(nested)


def _differs(operation: Operation, differs: set[int]) -> bool:
    """Whether threads may go different ways at a branch or loop."""
    if operation.name == "while":
        decided = operation.blocks[0].operations[-1].operands
    else:
        decided = operation.operands[: 3 if operation.name == "for" else 1]
    return any(id(value) in differs for value in decided)
