"""Cumulative sums and products: the library's own use of `tl.scan`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorlib.dtypes import as_dtype
from tensorlib.errors import ShapeError
from tensorlib.functions import concat
from tensorlib.graph.build import cast, constant
from tensorlib.layouts.dim import Size
from tensorlib.ops import OPS
from tensorlib.ops.shapes import axis_number, shape_text
from tensorlib.simd import SIMD
from tensorlib.tensor import Tensor
from tensorlib.user_functions import aligned
from tensorlib.user_ops import scan

__all__ = ["cumulative_prod", "cumulative_sum"]


def cumulative_sum(
    x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Tensor:
    """Return, at each place along `axis`, the sum of all elements up to it, added in that order.

    `axis` may be left out where there is one. The dtype is that of `sum`; `include_initial` puts
    the sum of nothing in front. float16 and bfloat16 are added in float32.

    >>> import tensorlib as tl
    >>> tl.cumulative_sum(tl.asarray([3, 1, 2]), include_initial=True)
    tensor([0, 3, 4, 6], dtype=int64)
    """
    return _cumulative("cumulative_sum", "sum", total, 0, x, axis, dtype, include_initial)


def cumulative_prod(
    x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Tensor:
    """Return, at each place along `axis`, the product of all elements up to it.

    Everything else is as in `cumulative_sum`; the product of nothing is 1.

    >>> import tensorlib as tl
    >>> tl.cumulative_prod(tl.asarray([3, 1, 2]))
    tensor([3, 3, 6], dtype=int64)
    """
    return _cumulative("cumulative_prod", "prod", product, 1, x, axis, dtype, include_initial)


def total(a: SIMD, b: SIMD) -> SIMD:
    """a + b."""
    return a + b


def product(a: SIMD, b: SIMD) -> SIMD:
    """a * b."""
    return a * b


def _cumulative(
    where: str,
    like: str,
    combine: Callable[[SIMD, SIMD], SIMD],
    identity: int,
    x: Any,
    axis: int | None,
    dtype: Any,
    include_initial: bool,
) -> Tensor:
    (node,) = aligned(where, [x])
    rank = len(node.shape)
    if axis is None and rank != 1:
        raise ShapeError(
            f"{where}: got shape {shape_text(node.shape)} and no axis, needed an axis; try axis=-1"
        )
    along = axis_number(where, axis or 0, rank)
    node = cast(node, OPS[like].dtype([node.dtype], {}) if dtype is None else as_dtype(dtype))
    exact = not node.dtype.is_float  # any order gives the same bits
    found = scan(combine, Tensor(node), identity=identity, axis=along, associative=exact)
    if not include_initial:
        return found
    shape: list[Size] = list(node.shape)
    shape[along] = 1
    first = constant(identity, tuple(shape), node.dtype, node.device)
    return concat([Tensor(first), found], axis=along)
