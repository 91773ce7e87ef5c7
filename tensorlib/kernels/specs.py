"""Kernel specs: what the graph compiler asks of a library kernel, as frozen hashable values.

A spec says everything that is compiled into a kernel; what changes from call to call (sizes,
pointers, offsets, strides, scalars) are its arguments, in the order of `spec.parameters`.
`spec.build()` returns the kernel's IR. Specs know no shapes: one kernel serves every shape.

The order of arguments is the same for all specs:

1. sizes (int64), as named by the spec;
2. operands, the result `out` first, then the others as named by the spec; for each operand
   its pointer, its offset (int64, elements), then one int64 stride, in elements, for each axis
   whose `Access.strides` entry is None, named `{operand}_stride{axis}`;
3. scalars `scalar0`, `scalar1`, ... (int64 or float64).

The element of an operand at coordinates c is `pointer[offset + sum(c[k] * stride[k])]`. Sizes may
be 0. Strides may be negative or 0. Nothing is aligned to more than its element, and tails are the
kernel's. The result never overlaps another operand, except an exact in-place overlap: an operand
with the pointer, offset and strides of the result (each element is read before it is written).

Expressions (tensorlib.kernels.expression) refer to operands by leaves: `load k` is the element of
`loads[k]` in its own dtype; `iota k` the coordinate on axis k; `scalar k` the k-th scalar.
The value stored is converted nowhere: an expression's dtype equals the dtype of its store.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorlib.dtypes import DType
from tensorlib.kernels.building import built
from tensorlib.kernels.custom_spec import CustomSpec
from tensorlib.kernels.expression import Expression
from tensorlib.kernels.parameters import (
    Access,
    Parameter,
    given,
    names,
    numbered,
    parameter_list,
)

if TYPE_CHECKING:
    from tensorlib.ir import Kernel

__all__ = [
    "REDUCTIONS",
    "Access",
    "CustomSpec",
    "ElementwiseSpec",
    "MatmulSpec",
    "Parameter",
    "ReduceSpec",
    "RowwiseSpec",
    "ScanSpec",
    "SoftmaxSpec",
    "Spec",
    "TakeSpec",
]


@dataclass(frozen=True, slots=True)
class ElementwiseSpec:
    """out[c] = expression(loads[c], iota, scalars) for every c in (n0, ..., n{rank-1}).

    Axes were merged as far as all operands allow: contiguous operands of any shape give rank 1.
    Rank 0 is one element. The last axis is the fastest one of the store wherever the store has
    a stride of 1. Concat, update of a state and plain copies are this spec with a strided store.

    Sizes: n0 ... n{rank-1}. Operands: out, load0, load1, ... (axes of all: the rank axes).
    """

    rank: int
    expression: Expression
    loads: tuple[Access, ...]
    scalars: tuple[DType, ...]
    store: Access

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        sizes = names("n", self.rank)
        return parameter_list(sizes, [("out", self.store), *numbered(self.loads)], self.scalars)

    def build(self) -> Kernel:
        return built(self)

    def __str__(self) -> str:
        return f"elementwise{self.rank} {self.store} = {self.expression}{given(self.loads)}"


REDUCTIONS = ("sum", "prod", "max", "min", "any", "all", "argmax", "argmin")


@dataclass(frozen=True, slots=True)
class ReduceSpec:
    """Reduce the inner axes for each point of the outer axes.

    For every o in (n0, ..., n{outer_rank-1}), over every i in (m0, ..., m{inner_rank-1}):

        main   = op of prologue(loads[o, i], iota, scalars), over all i
        value  = epilogue(main, epilogue_loads[o], iota, scalars)
        out[o] = value                                      where spread is None
        out[o, i] = spread(value, loads[o, i], iota, scalars)      otherwise, for every i

    * `prologue` has the dtype `accumulate`, in which the reduction runs. The result `main` of
      sum, prod, max, min has this dtype; for any and all `accumulate` is bool; for argmax and
      argmin `main` is int64: the first index of the extreme element, counting i in row-major
      order. NaN counts as the greatest of maxima and the least of minima (NumPy: max, min give
      NaN, argmax and argmin the first NaN).
    * In `epilogue`, `main` is the reduction's result and `load k` is `epilogue_loads[k]`
      (axes: outer only). In `spread`, `main` is `value` and `load k` is `loads[k]`.
    * iota axes count the outer axes first, then the inner ones; an epilogue uses outer ones only.
    * Over no elements: sum 0, prod 1, any False, all True; max, min give the least and greatest
      value of `accumulate`; argmax, argmin 0.
    * A long reduction is two kernels, which give the same bits as one. In stage `blocks` the folds
      of all blocks of the inner elements (see `tensorlib.kernels.fold`) are stored, each in lanes
      as many as the target has, side by side in out[o]; there are no epilogue and spread. In stage
      `join` they are the operand `partial`, in place of the loads, and are folded in their order.
      Where the lanes of a vector are columns, the second stage is `join_columns`.
    * inner_rank is at least 1; outer_rank may be 0. RMSNorm is one such kernel: sum of squares,
      then rsqrt(main / n + eps), spread as value * x * weight.

    Sizes: n0 ... then m0 .... Operands: out (axes: outer; outer and inner with spread),
    load0 ... (axes: outer, inner), epilogue_load0 ... (axes: outer).
    """

    op: str
    outer_rank: int
    inner_rank: int
    accumulate: DType
    prologue: Expression
    epilogue: Expression
    spread: Expression | None
    loads: tuple[Access, ...]
    epilogue_loads: tuple[Access, ...]
    scalars: tuple[DType, ...]
    store: Access
    stage: str = ""
    partial: Access | None = None

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        sizes = names("n", self.outer_rank) + names("m", self.inner_rank)
        after = numbered(self.epilogue_loads, "epilogue_load")
        before = [("partial", self.partial)] if self.partial is not None else []
        operands = [("out", self.store), *before, *numbered(self.loads), *after]
        return parameter_list(sizes, operands, self.scalars)

    def build(self) -> Kernel:
        return built(self)

    def __str__(self) -> str:
        spread = f"; spread {self.spread}" if self.spread is not None else ""
        stage = f"{self.stage} of " if self.stage else ""
        return (
            f"{stage}{self.op}{self.outer_rank}+{self.inner_rank} {self.store} = "
            f"{self.epilogue}{spread}"
            f"; main = {self.op} {self.accumulate.name} {self.prologue}"
            f"{given(self.loads)}{given(self.epilogue_loads, 'epilogue_load')}"
        )


@dataclass(frozen=True, slots=True)
class MatmulSpec:
    """out[p, m, n] = epilogue(main, loads[p, m, n], iota, scalars), p over (b0, ...), where

        main = sum over k of f(a[p, m, k]) * accumulate(b[p, k, n])

    f is `prologue`, an expression of dtype `accumulate` whose only load is `load 0`, a's element,
    and which may use scalars but no iota; None means conversion of the element to `accumulate`.
    The sum runs in `accumulate` (float32, float64 or an integer dtype that wraps around).
    `epilogue` has `main` in `accumulate`; its `load k` is `loads[k]`; iota axes count p, m, n.
    Either a or b may be packed, with k-contiguous rows (stride 1 on k); a row along k starts on
    a block and K is a multiple of the block. Its elements decode to float32.

    Sizes: b0 ... b{batch_rank-1}, M, N, K. Operands: out (axes p, m, n), a (axes p, m, k),
    b (axes p, k, n), load0 ... (axes p, m, n).
    """

    batch_rank: int
    accumulate: DType
    a: Access
    b: Access
    prologue: Expression | None
    epilogue: Expression
    loads: tuple[Access, ...]
    scalars: tuple[DType, ...]
    store: Access

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        sizes = [*names("b", self.batch_rank), "M", "N", "K"]
        operands = [("out", self.store), ("a", self.a), ("b", self.b), *numbered(self.loads)]
        return parameter_list(sizes, operands, self.scalars)

    def build(self) -> Kernel:
        return built(self)

    def __str__(self) -> str:
        prologue = f"; a = {self.prologue}" if self.prologue is not None else ""
        return (
            f"matmul{self.batch_rank} {self.store} = {self.epilogue}; "
            f"main = {self.accumulate.name} {self.a} @ {self.b}{prologue}{given(self.loads)}"
        )


@dataclass(frozen=True, slots=True)
class SoftmaxSpec:
    """Softmax of rows: for every o in (n0, ..., n{outer_rank-1}) and i in range(m0):

        x[i]      = prologue(loads[o, i], iota, scalars)              in `accumulate`
        main[i]   = exp(x[i] - max(x)) / sum(exp(x - max(x)))         in `accumulate`
        out[o, i] = epilogue(main[i], loads[o, i], iota, scalars)

    A row whose maximum is NaN or infinite follows the formula (so all -inf gives NaN).
    `load k` is `loads[k]` in both expressions; iota axes count the outer axes, then i.

    Sizes: n0 ... n{outer_rank-1}, m0. Operands: out, load0, ... (axes of all: outer, i).
    """

    outer_rank: int
    accumulate: DType
    prologue: Expression
    epilogue: Expression
    loads: tuple[Access, ...]
    scalars: tuple[DType, ...]
    store: Access

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        sizes = [*names("n", self.outer_rank), "m0"]
        return parameter_list(sizes, [("out", self.store), *numbered(self.loads)], self.scalars)

    def build(self) -> Kernel:
        return built(self)

    def __str__(self) -> str:
        return (
            f"softmax{self.outer_rank} {self.store} = {self.epilogue}; main = softmax "
            f"{self.accumulate.name} {self.prologue}{given(self.loads)}"
        )


@dataclass(frozen=True, slots=True)
class TakeSpec:
    """Gather along one axis: for every c in (n0, ..., n{rank-1}):

        j      = indices[c], j += size where j < 0
        main   = x[c] displaced by j * axis_stride elements
        out[c] = epilogue(main, loads[c], iota, scalars)

    `size` is the length of x's gathered axis and `axis_stride` its stride in elements. Where j is
    outside 0 .. size-1, main is NaN (0 for integers, False for bool) and x is not read.
    `indices` has an integer dtype; x has stride 0 on the axes that belong to the indices, which in
    turn have stride 0 on the axes of x. x may be packed: then its stride 1 is on the last axis,
    n{rank-1}, axis_stride is a multiple of the block, and main is the decoded float32.

    Sizes: n0 ... n{rank-1}, then `size`. Operands: out, x, indices, load0, ... (axes: the rank
    axes). After the operands and before the scalars comes `axis_stride`.
    """

    rank: int
    x: Access
    indices: Access
    epilogue: Expression
    loads: tuple[Access, ...]
    scalars: tuple[DType, ...]
    store: Access

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        sizes = [*names("n", self.rank), "size"]
        operands = [("out", self.store), ("x", self.x), ("indices", self.indices)]
        before = parameter_list(sizes, [*operands, *numbered(self.loads)], ())
        stride = Parameter("axis_stride", "stride", DType.int64)
        return (*before, stride, *parameter_list([], [], self.scalars))

    def build(self) -> Kernel:
        return built(self)

    def __str__(self) -> str:
        return (
            f"take{self.rank} {self.store} = {self.epilogue}; main = {self.x} at {self.indices}"
            f"{given(self.loads)}"
        )


@dataclass(frozen=True, slots=True)
class ScanSpec:
    """Combine the elements of rows from the first on: for every o in (n0, ..., n{outer_rank-1}),

        x[i]      = prologue(loads[o, i], iota, scalars)              in `accumulate`
        main[i]   = op of x[0], ..., x[i] (exclusive: of the identity, x[0], ..., x[i-1])
        out[o, i] = epilogue(main[i], loads[o, i], iota, scalars)

    one after the other, in this order. `op` is a row of kind `scan`. Leaves, sizes and operands are
    those of SoftmaxSpec.

    Of an operator that is declared associative, rows are cut into blocks of `scan.BLOCK` elements:

        main[i] = op of (the totals of the blocks before, joined one after the other)
                  and (the elements of i's block up to i, joined one after the other)

    That is stage `blocked`. A long row gives the same bits by three kernels: stage `totals` stores
    the total of block k in out[o, k]; a plain exclusive scan joins these, and stage `blocks` has
    them as operand `prefix` (axes: outer, block), behind the result.
    """

    op: str
    exclusive: bool
    outer_rank: int
    accumulate: DType
    prologue: Expression
    epilogue: Expression
    loads: tuple[Access, ...]
    scalars: tuple[DType, ...]
    store: Access
    stage: str = ""
    prefix: Access | None = None

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        sizes = [*names("n", self.outer_rank), "m0"]
        before = [("prefix", self.prefix)] if self.prefix is not None else []
        operands = [("out", self.store), *before, *numbered(self.loads)]
        return parameter_list(sizes, operands, self.scalars)

    def build(self) -> Kernel:
        return built(self)

    def __str__(self) -> str:
        name = f"exclusive {self.op}" if self.exclusive else self.op
        name = f"{self.stage} of {name}" if self.stage else name
        return (
            f"scan{self.outer_rank} {self.store} = {self.epilogue}; main = {name} "
            f"{self.accumulate.name} {self.prologue}{given(self.loads)}"
        )


@dataclass(frozen=True, slots=True)
class RowwiseSpec:
    """A function of rows: for every o in (n0, ..., n{outer_rank-1}), over i in range(m0),

        main      = op of the rows inputs[0](loads[o, i], iota, scalars), inputs[1](...), ...
        out[o, i] = epilogue(main[i], loads[o, i], iota, scalars)     where main is a row
        out[o]    = epilogue(main, loads[o, 0], iota, scalars)        where it is a number

    `op` is a row of kind `rowwise`, whose kernel takes and returns `tensorlib.kernels.row.Row`s.
    Sizes: n0 ... n{outer_rank-1}, m0. Operands: out (axes: outer, and i for rows), load0, ...
    (axes: outer, i).
    """

    op: str
    outer_rank: int
    is_row: bool
    inputs: tuple[Expression, ...]
    epilogue: Expression
    loads: tuple[Access, ...]
    scalars: tuple[DType, ...]
    store: Access

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        sizes = [*names("n", self.outer_rank), "m0"]
        return parameter_list(sizes, [("out", self.store), *numbered(self.loads)], self.scalars)

    def build(self) -> Kernel:
        return built(self)

    def __str__(self) -> str:
        rows = ", ".join(map(str, self.inputs))
        return (
            f"rowwise{self.outer_rank} {self.store} = {self.epilogue}; main = {self.op}({rows})"
            f"{given(self.loads)}"
        )


Spec = (
    ElementwiseSpec
    | ReduceSpec
    | MatmulSpec
    | SoftmaxSpec
    | TakeSpec
    | ScanSpec
    | RowwiseSpec
    | CustomSpec
)
