"""Matrix products with a prologue on a's elements and an epilogue on the result.

Three shapes of the same sum, chosen by what is contiguous; each element's sum runs over k in one
order, whatever the block it is computed in, so a row's result does not depend on the other rows:

* dot: rows of a and rows of b-transposed lie along k (x @ W.T, packed weights, q @ k.T);
* outer: rows of b lie along n (scores @ v): broadcast a[m, k] times a vector of b;
* sums: any strides, one element at a time.

Float products are added with fma. A sum over K elements passes through at most `roundings(K, L)`
of them, and its error is at most that many half ulps of sum(|a| * |b|): L is the lanes of a vector
in dot, 1 in the others. Integers wrap around.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tensorlib.dtypes import DType
from tensorlib.ir import Kernel
from tensorlib.kernels.expression import Leaf
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
from tensorlib.kernels.quantised import BLOCK, decode_block, decode_element
from tensorlib.kernels.scalar import value
from tensorlib.kernels.specs import MatmulSpec
from tensorlib.lang.control import parallel, unroll
from tensorlib.lang.target import simdwidthof
from tensorlib.layouts.dim import Dim
from tensorlib.simd import SIMD
from tensorlib.tile import Tile

__all__ = ["build", "roundings"]

# Register blocks. dot: 4 x 2 for many rows of a, 1 x 4 for what is left; outer: 4 rows x 2 vectors.
ROWS, PAIR, COLUMNS, VECTORS = 4, 2, 4, 2


def roundings(inner: int, lanes: int) -> int:
    """Return how many additions a product passes through at most in a sum of `inner`.

    >>> roundings(576, 8), roundings(576, 1)
    (75, 576)
    """
    return min(inner, inner // lanes + inner % lanes + int(math.log2(lanes)))


def build(spec: MatmulSpec) -> Kernel:
    """Return the kernel of `spec`."""
    batch = sizes("b", spec.batch_rank)
    rows, columns, inner = Dim("M"), Dim("N"), Dim("K")
    result = (*batch, rows, columns)
    arguments: dict[str, Any] = {
        "batch": batch,
        "size": (rows, columns, inner),
        "out": operand("out", spec.store, result),
        "a": operand("a", spec.a, (*batch, rows, inner)),
        "b": operand("b", spec.b, (*batch, inner, columns)),
        "load": tuple(operand(f"load{k}", x, result) for k, x in enumerate(spec.loads)),
    }
    return trace_spec(spec, _shape_of(spec), arguments)


def _shape_of(spec: MatmulSpec) -> Callable[..., None]:
    """Return the kernel function that the operands' strides allow."""
    along_k = spec.a.strides[-1] == 1 and spec.b.strides[-2] == 1
    if along_k and spec.accumulate.is_float:
        return dot
    if spec.b.strides[-1] == 1 and spec.store.strides[-1] == 1 and not _is_packed(spec):
        return outer
    return sums


def _is_packed(spec: MatmulSpec) -> bool:
    return spec.a.dtype.is_packed or spec.b.dtype.is_packed


@dataclass(frozen=True, slots=True)
class Product:
    """The operands of a matrix product: `size` is (M, N, K)."""

    size: tuple[SIMD, ...]
    out: Tile
    a: Tile
    b: Tile
    load: tuple[Tile, ...]
    scalar: tuple[SIMD, ...]
    spec: MatmulSpec

    def left(self, element: SIMD) -> SIMD:
        """What is multiplied, from elements of a: their prologue, or their conversion."""
        if self.spec.prologue is None:
            return element.cast(self.spec.accumulate)

        def leaf(part: Leaf) -> SIMD:
            return element if part.kind == "load" else self.scalar[part.index]

        return value(self.spec.prologue, leaf, element.width)

    def store(self, where: list[Any], main: SIMD) -> None:
        """Store the epilogue of neighbours along n."""
        leaf = leaf_at(self.load, self.scalar, where, main.width, main)
        self.out.store[main.width](*where, value(self.spec.epilogue, leaf, main.width))


# --- rows of a and of b-transposed along k ---


def dot(
    batch: tuple[SIMD, ...],
    size: tuple[SIMD, ...],
    out: Tile,
    a: Tile,
    b: Tile,
    load: tuple[Tile, ...],
    scalar: tuple[SIMD, ...],
    *,
    spec: MatmulSpec,
) -> None:
    """Blocks of COLUMNS columns are one parallel loop; four rows at a time, then one by one."""
    this = Product(size, out, a, b, load, scalar, spec)
    rows, columns, _ = size
    blocks = (columns + (COLUMNS - 1)) // COLUMNS
    whole = rows // ROWS * ROWS
    for task in parallel(range(product(batch) * blocks)):
        p = coordinates(task // blocks, batch)
        n = task % blocks * COLUMNS
        for m in range(0, whole, ROWS):
            for half in range(0, COLUMNS, PAIR):
                dot_block(this, [*p, m, n + half], ROWS, PAIR)
        for m in range(whole, rows):
            dot_block(this, [*p, m, n], 1, COLUMNS)


def dot_block(this: Product, where: list[Any], height: int, width: int) -> None:
    """A block of height x width sums along k; columns past the last are computed, not stored."""
    *p, m, n = where
    spec, (_, columns, inner) = this.spec, this.size
    kind = spec.accumulate
    lanes = min(simdwidthof(kind), BLOCK // 2)
    step = BLOCK if _is_packed(spec) else lanes
    a_rows = [_Row(this.a, spec.a.dtype, [*p, m + r], -1) for r in range(height)]
    b_rows = [_Row(this.b, spec.b.dtype, [*p, (n + c).min(columns - 1)], -2) for c in range(width)]
    acc = [[SIMD[kind, lanes](0) for _ in range(width)] for _ in range(height)]
    whole = inner // step * step
    for k in range(0, whole, step):
        x = [[this.left(part) for part in row.vectors(k, step, lanes)] for row in a_rows]
        for c in unroll(range(width)):
            w = [part.cast(kind) for part in b_rows[c].vectors(k, step, lanes)]
            for r in unroll(range(height)):
                for i in unroll(range(step // lanes)):
                    acc[r][c] = x[r][i].fma(w[i], acc[r][c])
    rest = [[SIMD[kind, 1](0) for _ in range(width)] for _ in range(height)]
    if not _is_packed(spec):  # packed rows are whole blocks
        for k in range(whole, inner):
            for r in unroll(range(height)):
                x1 = this.left(a_rows[r].vectors(k, 1, 1)[0])
                for c in unroll(range(width)):
                    w1 = b_rows[c].vectors(k, 1, 1)[0].cast(kind)
                    rest[r][c] = x1.fma(w1, rest[r][c])
    for c in unroll(range(width)):
        if n + c < columns:
            for r in unroll(range(height)):
                this.store([*p, m + r, n + c], acc[r][c].reduce_add() + rest[r][c])


class _Row:
    """A row of an operand along k, at its other coordinates: vectors of it, decoded if packed."""

    def __init__(self, tile: Tile, dtype: DType, others: list[Any], axis: int) -> None:
        strides = list(tile.stride)
        strides.pop(axis)
        start: Any = tile.offset
        for c, s in zip(others, strides, strict=True):
            start = start if isinstance(s, int) and s == 0 else start + c * s
        self.tile, self.dtype = tile, dtype
        self.start = start // BLOCK * dtype.block_bytes if dtype.is_packed else start

    def vectors(self, k: Any, count: int, lanes: int) -> list[SIMD]:
        """Return `count` elements from k on, as vectors of `lanes`."""
        if self.dtype.is_packed:
            at = self.start + k // BLOCK * self.dtype.block_bytes
            return decode_block(self.dtype, self.tile, at, lanes)
        flat = Tile(self.tile.pointer, self.dtype, (0,), (1,), self.start, self.tile.placement)
        return [flat.load[lanes](k + i) for i in range(0, count, lanes)]


# --- rows of b along n ---


def outer(
    batch: tuple[SIMD, ...],
    size: tuple[SIMD, ...],
    out: Tile,
    a: Tile,
    b: Tile,
    load: tuple[Tile, ...],
    scalar: tuple[SIMD, ...],
    *,
    spec: MatmulSpec,
) -> None:
    """Blocks of ROWS rows by VECTORS vectors of columns are one parallel loop."""
    this = Product(size, out, a, b, load, scalar, spec)
    rows, columns, _ = size
    lanes = simdwidthof(spec.accumulate)
    panel = VECTORS * lanes
    down, across = (rows + (ROWS - 1)) // ROWS, (columns + (panel - 1)) // panel
    for task in parallel(range(product(batch) * down * across)):
        p = coordinates(task // (down * across), batch)
        m, n = task // across % down * ROWS, task % across * panel
        if (m + ROWS <= rows) & (n + panel <= columns):
            outer_block(this, [*p, m, n], ROWS, VECTORS, lanes)
        else:
            end = (n + panel).min(columns)
            for r in range(m, (m + ROWS).min(rows)):
                along([*p, r], n, end, lanes, lambda at, w: outer_block(this, at, 1, 1, w))


def outer_block(this: Product, where: list[Any], height: int, vectors: int, lanes: int) -> None:
    """A block of height rows by vectors * lanes columns."""
    *p, m, n = where
    kind = this.spec.accumulate
    acc = [[SIMD[kind, lanes](0) for _ in range(vectors)] for _ in range(height)]
    for k in range(this.size[2]):
        w = [this.b.load[lanes](*p, k, n + v * lanes).cast(kind) for v in range(vectors)]
        for r in unroll(range(height)):
            x = this.left(this.a[(*p, m + r, k)]).splat(lanes)
            for v in unroll(range(vectors)):
                acc[r][v] = _multiply_add(x, w[v], acc[r][v])
    for r in unroll(range(height)):
        for v in unroll(range(vectors)):
            this.store([*p, m + r, n + v * lanes], acc[r][v])


def _multiply_add(x: SIMD, w: SIMD, acc: SIMD) -> SIMD:
    if x.dtype is DType.bool:
        return acc | (x & w)
    return x.fma(w, acc) if x.dtype.is_float else acc + x * w


# --- any strides ---


def sums(
    batch: tuple[SIMD, ...],
    size: tuple[SIMD, ...],
    out: Tile,
    a: Tile,
    b: Tile,
    load: tuple[Tile, ...],
    scalar: tuple[SIMD, ...],
    *,
    spec: MatmulSpec,
) -> None:
    """One element at a time."""
    this = Product(size, out, a, b, load, scalar, spec)
    rows, columns, inner = size
    for task in parallel(range(product([*batch, rows, columns]))):
        *p, m, n = coordinates(task, [*batch, rows, columns])
        acc = SIMD[spec.accumulate, 1](0)
        for k in range(inner):
            x = this.left(_element(a, spec.a.dtype, [*p, m, k]))
            w = _element(b, spec.b.dtype, [*p, k, n]).cast(spec.accumulate)
            acc = _multiply_add(x, w, acc)
        this.store([*p, m, n], acc)


def _element(tile: Tile, dtype: DType, where: list[Any]) -> SIMD:
    if not dtype.is_packed:
        return tile[tuple(where)]
    return decode_element(dtype, tile, element_number(tile, where))
