"""Matrix products with a prologue on a's elements and an epilogue on the result.

Three shapes of the same sum, chosen by what is contiguous; each element's sum runs over k in one order, whatever the block it
is computed in, so a row's result does not depend on the other rows:

* dot: rows of a and rows of b-transposed lie along k (x @ W.T, packed weights, q @ k.T);
* outer: rows of b lie along n (scores @ v): broadcast a[m, k] times a vector of b;
* scalar: any strides, one element at a time.

Error of a float sum: at most K ulp of sum(|a| * |b|), lanes divide K by their number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorlib.dtypes import DType
from tensorlib.ir import Kernel
from tensorlib.kernels.expression import Leaf
from tensorlib.kernels.operands import (
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

__all__ = ["build"]

# The register block: ROWS x 2 for many rows of a, 1 x COLUMNS for what is left.
ROWS, COLUMNS = 4, 4


def build(spec: MatmulSpec) -> Kernel:
    """Return the kernel of `spec`."""
    batch = sizes("b", spec.batch_rank)
    rows, columns, inner = Dim("M"), Dim("N"), Dim("K")
    result = [*batch, rows, columns]
    arguments: dict[str, Any] = {
        "batch": tuple(batch),
        "size": (rows, columns, inner),
        "out": operand("out", spec.store, result),
        "a": operand("a", spec.a, [*batch, rows, inner]),
        "b": operand("b", spec.b, [*batch, inner, columns]),
        "load": tuple(operand(f"load{k}", x, result) for k, x in enumerate(spec.loads)),
    }
    return trace_spec(spec, _shape_of(spec), arguments)


def _shape_of(spec: MatmulSpec) -> Callable[..., None]:
    """Return the kernel function that the operands' strides allow."""
    along_k = spec.a.strides[-1] == 1 and spec.b.strides[-2] == 1
    packed = spec.a.dtype.is_packed or spec.b.dtype.is_packed
    if along_k and spec.accumulate.is_float:
        return dot
    if spec.b.strides[-1] == 1 and spec.store.strides[-1] == 1 and not packed:
        return outer
    return sums


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
    rows, columns, inner = size
    blocks = (columns + (COLUMNS - 1)) // COLUMNS
    for task in parallel(range(product(batch) * blocks)):
        p = coordinates(task // blocks, batch)
        n = task % blocks * COLUMNS
        whole = rows // ROWS * ROWS
        for m in range(0, whole, ROWS):
            for half in unroll(range(0, COLUMNS, 2)):
                dot_block(p, m, n + half, ROWS, 2, size, out, a, b, load, scalar, spec=spec)
        for m in range(whole, rows):
            dot_block(p, m, n, 1, COLUMNS, size, out, a, b, load, scalar, spec=spec)


def dot_block(
    p: list[Any],
    m: SIMD,
    n: SIMD,
    height: int,
    width: int,
    size: tuple[SIMD, ...],
    out: Tile,
    a: Tile,
    b: Tile,
    load: tuple[Tile, ...],
    scalar: tuple[SIMD, ...],
    *,
    spec: MatmulSpec,
) -> None:
    """A block of height x width sums along k; columns past the last are computed, not stored."""
    _, columns, inner = size
    lanes = min(simdwidthof(spec.accumulate), BLOCK // 2)
    packed = spec.a.dtype.is_packed or spec.b.dtype.is_packed
    step = BLOCK if packed else lanes
    a_rows = [_Row(a, spec.a.dtype, [*p, m + r], -1) for r in range(height)]
    b_rows = [_Row(b, spec.b.dtype, [*p, (n + c).min(columns - 1)], -2) for c in range(width)]
    acc = [[SIMD[spec.accumulate, lanes](0) for _ in range(width)] for _ in range(height)]
    whole = inner // step * step
    for k in range(0, whole, step):
        x = [_converted(row.vectors(k, step, lanes), scalar, spec) for row in a_rows]
        for c in unroll(range(width)):
            w = [part.cast(spec.accumulate) for part in b_rows[c].vectors(k, step, lanes)]
            for r in unroll(range(height)):
                for i in unroll(range(step // lanes)):
                    acc[r][c] = x[r][i].fma(w[i], acc[r][c])
    rest = [[SIMD[spec.accumulate, 1](0) for _ in range(width)] for _ in range(height)]
    if not packed:  # packed rows are whole blocks
        for k in range(whole, inner):
            for r in unroll(range(height)):
                x1 = _converted(a_rows[r].vectors(k, 1, 1), scalar, spec)[0]
                for c in unroll(range(width)):
                    w1 = b_rows[c].vectors(k, 1, 1)[0].cast(spec.accumulate)
                    rest[r][c] = x1.fma(w1, rest[r][c])
    for c in unroll(range(width)):
        if n + c < columns:
            for r in unroll(range(height)):
                main = acc[r][c].reduce_add() + rest[r][c]
                where = [*p, m + r, n + c]
                leaf = leaf_at(load, scalar, where, 1, main)
                out.store(*where, value(spec.epilogue, leaf, 1))


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


def _converted(parts: list[SIMD], scalar: tuple[SIMD, ...], spec: MatmulSpec) -> list[SIMD]:
    """Apply the prologue to elements of a, or convert them."""
    if spec.prologue is None:
        return [part.cast(spec.accumulate) for part in parts]
    formula = spec.prologue
    return [value(formula, _element_leaf(part, scalar), part.width) for part in parts]


def _element_leaf(element: SIMD, scalar: tuple[SIMD, ...]) -> Callable[[Leaf], SIMD]:
    return lambda leaf: element if leaf.kind == "load" else scalar[leaf.index]


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
    """Blocks of ROWS rows by two vectors of columns are one parallel loop."""
    rows, columns, _ = size
    lanes = simdwidthof(DType.float32)
    panel = 2 * lanes
    down, across = (rows + (ROWS - 1)) // ROWS, (columns + (panel - 1)) // panel
    for task in parallel(range(product(batch) * down * across)):
        p = coordinates(task // (down * across), batch)
        m, n = task // across % down * ROWS, task % across * panel
        tall, wide = m + ROWS <= rows, n + panel <= columns
        last = (m + ROWS).min(rows)
        if tall & wide:
            outer_block(p, m, n, ROWS, 2, lanes, size, out, a, b, load, scalar, spec=spec)
        elif wide:
            for r in range(m, last):
                outer_block(p, r, n, 1, 2, lanes, size, out, a, b, load, scalar, spec=spec)
        else:
            for r in range(m, last):
                for c in range(n, columns):
                    outer_block(p, r, c, 1, 1, 1, size, out, a, b, load, scalar, spec=spec)


def outer_block(
    p: list[Any],
    m: SIMD,
    n: SIMD,
    height: int,
    vectors: int,
    lanes: int,
    size: tuple[SIMD, ...],
    out: Tile,
    a: Tile,
    b: Tile,
    load: tuple[Tile, ...],
    scalar: tuple[SIMD, ...],
    *,
    spec: MatmulSpec,
) -> None:
    """A block of height rows by vectors * lanes columns."""
    kind = spec.accumulate
    acc = [[SIMD[kind, lanes](0) for _ in range(vectors)] for _ in range(height)]
    for k in range(size[2]):
        w = [b.load[lanes](*p, k, n + v * lanes).cast(kind) for v in range(vectors)]
        for r in unroll(range(height)):
            x = _converted([a[(*p, m + r, k)]], scalar, spec)[0].splat(lanes)
            for v in unroll(range(vectors)):
                acc[r][v] = _multiply_add(x, w[v], acc[r][v])
    for r in unroll(range(height)):
        for v in unroll(range(vectors)):
            where = [*p, m + r, n + v * lanes]
            leaf = leaf_at(load, scalar, where, lanes, acc[r][v])
            out.store[lanes](*where, value(spec.epilogue, leaf, lanes))


def _multiply_add(x: SIMD, w: SIMD, acc: SIMD) -> SIMD:
    if x.dtype is DType.bool:
        return acc | (x & w)
    return x.fma(w, acc) if x.dtype.is_float else acc + x * w


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
    """Any strides and dtypes, one element at a time."""
    rows, columns, inner = size
    for task in parallel(range(product([*batch, rows, columns]))):
        *p, m, n = coordinates(task, [*batch, rows, columns])
        acc = SIMD[spec.accumulate, 1](0)
        for k in range(inner):
            x = _converted([_element(a, spec.a.dtype, [*p, m, k])], scalar, spec)[0]
            w = _element(b, spec.b.dtype, [*p, k, n]).cast(spec.accumulate)
            acc = _multiply_add(x, w, acc)
        where = [*p, m, n]
        leaf = leaf_at(load, scalar, where, 1, acc)
        out.store(*where, value(spec.epilogue, leaf, 1))


def _element(tile: Tile, dtype: DType, where: list[Any]) -> SIMD:
    if not dtype.is_packed:
        return tile[tuple(where)]
    return decode_element(dtype, tile, element_number(tile, where))
