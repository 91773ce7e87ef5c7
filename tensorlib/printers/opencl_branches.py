"""A barrier at the end of a branch in which threads have met, where they go apart after that.

    if (n) {                                     if (n) {
      barrier(CLK_LOCAL_MEM_FENCE);                barrier(CLK_LOCAL_MEM_FENCE);
      if (t > 1) {                                 if (t > 1) {
        out[t] = 1;                becomes           out[t] = 1;
        if (t > 20) other[t] = 1;                    if (t > 20) other[t] = 1;
      }                                            }
    }                                              barrier(CLK_LOCAL_MEM_FENCE);
                                                 }

PoCL makes loops over threads of what stands between barriers, and writes nothing for the left
kernel: it takes the way of the first thread for that of all where the end of such a branch is the
end of others too.
"""

from __future__ import annotations

from tensorlib.ir.core import Block, Kernel, Operation, walk
from tensorlib.printers.walker import Dialect, Walker

__all__ = ["LOCAL_BARRIER", "ClosingWalker", "open_ends"]

LOCAL_BARRIER = "barrier(CLK_LOCAL_MEM_FENCE);"
_MEETINGS = ("barrier", "warp_shuffle", "warp_vote")
# Rows that are printed with an `if`, or with a loop.
_PARTING = (
    "masked_load", "masked_gather", "masked_store", "masked_scatter", "scatter", "check",
    "atomic", "atomic_compare_exchange",
)  # fmt: skip


class ClosingWalker(Walker):
    """Writes blocks with a barrier behind those where threads met and then went apart."""

    def __init__(self, dialect: Dialect, kernel: Kernel, has_warps: bool = False) -> None:
        super().__init__(dialect, kernel)
        self.open = open_ends(kernel, has_warps)

    def block(self, block: Block) -> None:
        """Write the operations of a block."""
        super().block(block)
        if id(block) in self.open:
            self.line(LOCAL_BARRIER)


def open_ends(kernel: Kernel, has_warps: bool = False) -> set[int]:
    """Return the branches, by id, in which all threads of a block meet and then may go apart.

    Without sub-groups (`has_warps`) a warp meets by barriers of the block.
    """
    branches = (b for o in walk(kernel.body) if o.name == "if" for b in o.blocks)
    return {id(branch) for branch in branches if _is_open(branch, has_warps)}


def _is_open(branch: Block, has_warps: bool) -> bool:
    parted = False
    for operation in reversed(branch.operations):
        inner = (o for block in operation.blocks for o in walk(block))
        if any(_meets(o, has_warps) for o in (operation, *inner)):
            return parted
        parted |= bool(operation.blocks) or operation.name in _PARTING
    return False


def _meets(operation: Operation, has_warps: bool) -> bool:
    if has_warps:
        return operation.name == "barrier" and operation.attributes["scope"] == "block"
    return operation.name in _MEETINGS
