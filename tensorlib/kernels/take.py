"""Gather along one axis: rows of an embedding, packed or not, at indices known at run time.

Elements are copied, or decoded exactly; what an index outside the axis would give is never read.
"""

from __future__ import annotations

import math
from typing import Any

from tensorlib.dtypes import DType
from tensorlib.ir import Kernel
from tensorlib.kernels.operands import (
    along,
    coordinates,
    element_number,
    leaf_at,
    operand,
    product,
    sizes,
    trace_spec,
)
from tensorlib.kernels.quantised import BLOCK, decode_block
from tensorlib.kernels.scalar import lanes_of, value
from tensorlib.kernels.specs import TakeSpec
from tensorlib.lang.control import parallel, unroll
from tensorlib.layouts.dim import Dim
from tensorlib.simd import SIMD
from tensorlib.tile import Tile

__all__ = ["build"]


def build(spec: TakeSpec) -> Kernel:
    """Return the kernel of `spec`."""
    shape = sizes("n", spec.rank)
    arguments: dict[str, Any] = {
        "n": shape,
        "size": Dim("size"),
        "out": operand("out", spec.store, shape),
        "x": operand("x", spec.x, shape),
        "indices": operand("indices", spec.indices, shape),
        "load": tuple(operand(f"load{k}", a, shape) for k, a in enumerate(spec.loads)),
        "axis_stride": Dim("axis_stride"),
    }
    return trace_spec(spec, take_packed if spec.x.dtype.is_packed else take, arguments)


def _index(indices: Tile, where: list[Any], size: SIMD) -> SIMD:
    """The index at a coordinate, counted from the end where negative."""
    j = indices[tuple(where)].cast(DType.int64)
    return (j < 0).select(j + size, j)


def _moved(x: Tile, displacement: SIMD) -> Tile:
    return Tile(x.pointer, x.dtype, x.shape, x.stride, x.offset + displacement, x.placement)


def take(
    n: tuple[SIMD, ...],
    size: SIMD,
    out: Tile,
    x: Tile,
    indices: Tile,
    load: tuple[Tile, ...],
    axis_stride: SIMD,
    scalar: tuple[SIMD, ...],
    *,
    spec: TakeSpec,
) -> None:
    """The outer axes are one parallel loop; vectors along the last where one index serves them."""
    shared = spec.rank > 0 and spec.indices.strides[-1] == 0 and spec.store.strides[-1] == 1
    width = lanes_of(spec.epilogue, dtypes=(x.dtype,)) if shared else 1
    missing = math.nan if x.dtype.is_float else 0

    def store(where: list[Any], lanes: int) -> None:
        j = _index(indices, where, size)
        main = SIMD[x.dtype, lanes](missing)
        if (j >= 0) & (j < size):
            main = _moved(x, j * axis_stride).load[lanes](*where)
        leaf = leaf_at(load, scalar, where, lanes, main)
        out.store[lanes](*where, value(spec.epilogue, leaf, lanes))

    if spec.rank == 0:
        store([], 1)
    else:
        for row in parallel(range(product(n[:-1]))):
            along(coordinates(row, n[:-1]), 0, n[-1], width, store)


def take_packed(
    n: tuple[SIMD, ...],
    size: SIMD,
    out: Tile,
    x: Tile,
    indices: Tile,
    load: tuple[Tile, ...],
    axis_stride: SIMD,
    scalar: tuple[SIMD, ...],
    *,
    spec: TakeSpec,
) -> None:
    """Rows of packed blocks, decoded as they are copied."""
    dtype = spec.x.dtype
    width = min(lanes_of(spec.epilogue, dtypes=(DType.float32,)), BLOCK // 2)
    for row in parallel(range(product(n[:-1]))):
        outer = coordinates(row, n[:-1])
        for first in range(0, n[-1], BLOCK):
            where = [*outer, first]
            j = _index(indices, where, size)
            parts = [SIMD[DType.float32, width](math.nan) for _ in range(0, BLOCK, width)]
            if (j >= 0) & (j < size):
                block = element_number(_moved(x, j * axis_stride), where) // BLOCK
                parts = decode_block(dtype, x, block * dtype.block_bytes, width)
            for k in unroll(range(len(parts))):
                where = [*outer, first + k * width]
                leaf = leaf_at(load, scalar, where, width, parts[k])
                out.store[width](*where, value(spec.epilogue, leaf, width))
