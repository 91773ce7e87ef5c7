"""Elementwise kernels: out[c] = f(loads[c]), fused from any number of operations.

Every operation rounds as its row of the op table says, so a fused kernel gives the bits that the
operations give one by one.
"""

from __future__ import annotations

from typing import Any

from tensorlib.ir import Kernel
from tensorlib.kernels import generate
from tensorlib.kernels.operands import leaf_at, operand, sizes, trace_spec
from tensorlib.kernels.scalar import lanes_of, value
from tensorlib.kernels.specs import ElementwiseSpec
from tensorlib.simd import SIMD
from tensorlib.tile import Tile

__all__ = ["build"]


def build(spec: ElementwiseSpec) -> Kernel:
    """Return the kernel of `spec`."""
    shape = sizes("n", spec.rank)
    arguments: dict[str, Any] = {
        "n": shape,
        "out": operand("out", spec.store, shape),
        "load": tuple(operand(f"load{k}", a, shape) for k, a in enumerate(spec.loads)),
    }
    return trace_spec(spec, elementwise, arguments)


def elementwise(
    n: tuple[SIMD, ...],
    out: Tile,
    load: tuple[Tile, ...],
    scalar: tuple[SIMD, ...],
    *,
    spec: ElementwiseSpec,
) -> None:
    """Whole vectors along the last axis, then single elements; the outer axes are one loop."""
    contiguous = spec.rank > 0 and spec.store.strides[-1] == 1
    width = lanes_of(spec.expression) if contiguous else 1

    def store(where: list[Any], lanes: int) -> None:
        leaf = leaf_at(load, scalar, where, lanes)
        out.store[lanes](*where, value(spec.expression, leaf, lanes))

    generate.elementwise(n, width, store)
