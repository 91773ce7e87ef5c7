"""The op table: what the graph and every backend both speak, one row an operation.

>>> OPS["matmul"].shape([(4, 8), (8, 3)], {})
(4, 3)
"""

from __future__ import annotations

from tensorlib.ops import contract, creation, elementwise, index, movement, part, reduce
from tensorlib.ops.packed_array import PackedArray
from tensorlib.ops.row import Array, Attributes, Op, Shape

__all__ = ["OPS", "Array", "Attributes", "Op", "PackedArray", "Shape"]

OPS: dict[str, Op] = {
    **elementwise.ROWS,
    **creation.ROWS,
    **movement.ROWS,
    **reduce.ROWS,
    **contract.ROWS,
    **index.ROWS,
    **part.ROWS,
}
