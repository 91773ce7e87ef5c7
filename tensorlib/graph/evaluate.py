"""The meaning of kernel specs and plans: NumPy over the memory that the words point to.

Compiled kernels are tested against this. It is slow, and reads and writes memory by address.
"""

from __future__ import annotations

import ctypes
import struct
from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tensorlib.dtypes import DType, as_dtype
from tensorlib.graph.plan import KernelPlan
from tensorlib.ir.interpreter import Memory
from tensorlib.kernels.concrete import folded
from tensorlib.kernels.custom import run_in_python
from tensorlib.kernels.custom_spec import CustomSpec
from tensorlib.kernels.expression import Apply, Expression, Leaf, evaluate
from tensorlib.kernels.fold import neutral
from tensorlib.kernels.specs import (
    Access,
    ElementwiseSpec,
    MatmulSpec,
    ReduceSpec,
    RowwiseSpec,
    ScanSpec,
    SoftmaxSpec,
    Spec,
    TakeSpec,
)
from tensorlib.ops import OPS
from tensorlib.ops.packed import unpack
from tensorlib.simd import SIMD
from tensorlib.tile import Tile

__all__ = ["Evaluator", "run_spec"]

Array = np.ndarray[Any, Any]


class Evaluator:
    """Runs a plan by the meaning of its specs; what a backend's `compile_plan` may return."""

    def __init__(self, plan: KernelPlan) -> None:
        self.plan = plan
        self.runs = 0

    def run(self, words: array[int]) -> None:
        """Run all steps over the table of words."""
        self.runs += 1
        for step in self.plan.steps:
            run_spec(step.spec, [words[k] for k in step.arguments])


def run_spec(spec: Spec, words: Sequence[int]) -> None:
    """Run one kernel on its argument words."""
    assert len(words) == len(spec.parameters), spec
    _MEANINGS[type(spec)](spec, _Arguments(spec, words))


class _Arguments:
    """The arguments of one call, by name."""

    def __init__(self, spec: Spec, words: Sequence[int]) -> None:
        names = [p.name for p in spec.parameters]
        self.words = dict(zip(names, words, strict=True))
        self.scalars = [self._scalar(k, dtype) for k, dtype in enumerate(spec.scalars)]

    def _scalar(self, k: int, dtype: DType) -> Array:
        word = self.words[f"scalar{k}"]
        if dtype is DType.float64:
            return np.array(struct.unpack("<d", struct.pack("<q", word))[0])
        return np.array(word, np.int64)

    def sizes(self, letter: str, rank: int) -> tuple[int, ...]:
        return tuple(self.words[f"{letter}{k}"] for k in range(rank))

    def operand(self, name: str, access: Access, shape: tuple[int, ...], shift: int = 0) -> Array:
        """Return the elements of an operand as a view of its memory; decoded where packed."""
        strides = [
            self.words[f"{name}_stride{k}"] if s is None else s
            for k, s in enumerate(access.strides)
        ]
        offset = self.words[f"{name}_offset"] + shift
        return _strided(self.words[f"{name}_pointer"], access.dtype, offset, shape, strides)

    def operands(
        self, accesses: Sequence[Access], shape: tuple[int, ...], name: str = "load"
    ) -> list[Array]:
        return [self.operand(f"{name}{k}", a, shape) for k, a in enumerate(accesses)]

    def value(
        self,
        expression: Expression,
        shape: tuple[int, ...],
        loads: Sequence[Array],
        main: Any = None,
    ) -> Array:
        """Return the expression at all coordinates of `shape`."""

        def leaf(found: Leaf) -> Array:
            if found.kind == "load":
                result = loads[found.index]
            elif found.kind == "scalar":
                result = self.scalars[found.index]
            elif found.kind == "main":
                result = main
            elif found.kind == "iota":
                rest = (1,) * (len(shape) - found.index - 1)
                result = np.arange(shape[found.index], dtype=np.int64).reshape(-1, *rest)
            else:
                result = np.array(found.value, found.dtype.numpy)
            assert result.dtype == found.dtype.numpy, (found, result.dtype)
            return np.broadcast_to(result, shape)

        return evaluate(expression, leaf, _applied)


def _applied(node: Apply, arguments: tuple[Array, ...]) -> Array:
    meaning = OPS[node.op].meaning
    assert meaning is not None
    attributes = {"dtype": node.dtype} if node.op == "cast" else {}
    result = np.asarray(meaning(*arguments, **attributes))
    assert result.dtype == node.dtype.numpy, (node, result.dtype)
    return result


def _strided(
    address: int, dtype: DType, offset: int, shape: tuple[int, ...], strides: Sequence[int]
) -> Array:
    if 0 in shape:
        return np.empty(shape, np.float32 if dtype.is_packed else dtype.numpy)
    reach = [(n - 1) * s for n, s in zip(shape, strides, strict=True)]
    low, high = sum(min(r, 0) for r in reach), sum(max(r, 0) for r in reach)
    first, count = offset + low, high - low + 1
    if dtype.is_packed:
        assert first % dtype.block_elements == 0, "a packed operand starts inside a block"
        count = -(-count // dtype.block_elements) * dtype.block_elements
        span = unpack(_bytes(address + dtype.nbytes(first), dtype.nbytes(count)), dtype, (count,))
    else:
        span = _bytes(address + first * dtype.itemsize, count * dtype.itemsize).view(dtype.numpy)
    steps = tuple(s * span.itemsize for s in strides)
    return np.ndarray(shape, span.dtype, span, -low * span.itemsize, steps)


def _bytes(address: int, count: int) -> Array:
    memory: Any = (ctypes.c_uint8 * count).from_address(address)
    return np.frombuffer(memory, np.uint8)


def _elementwise(spec: ElementwiseSpec, given: _Arguments) -> None:
    shape = given.sizes("n", spec.rank)
    value = given.value(spec.expression, shape, given.operands(spec.loads, shape))
    given.operand("out", spec.store, shape)[...] = value


_FOLDS: dict[str, Callable[..., Any]] = {
    "sum": np.sum, "prod": np.prod, "max": np.max, "min": np.min,
    "any": np.any, "all": np.all, "argmax": np.argmax, "argmin": np.argmin,
}  # fmt: skip


def _reduce(spec: ReduceSpec, given: _Arguments) -> None:
    outer, inner = given.sizes("n", spec.outer_rank), given.sizes("m", spec.inner_rank)
    shape = (*outer, *inner)
    if spec.partial is not None:
        main = np.array(given.operand("partial", spec.partial, (*outer, 1))[..., 0])
        after = given.operands(spec.epilogue_loads, outer, "epilogue_load")
        given.operand("out", spec.store, outer)[...] = given.value(
            spec.epilogue, outer, after, main
        )
        return
    loads = given.operands(spec.loads, shape)
    elements = given.value(spec.prologue, shape, loads)
    assert elements.dtype == spec.accumulate.numpy
    main = _folded(spec, elements.reshape(*outer, int(np.prod(inner, dtype=np.int64))))
    if spec.stage == "blocks":  # in place of all blocks, what they are joined to
        given.operand("out", spec.store, (*outer, 1))[..., 0] = main
        return
    after = given.operands(spec.epilogue_loads, outer, "epilogue_load")
    value = given.value(spec.epilogue, outer, after, main)
    if spec.spread is not None:
        value = value.reshape(*outer, *[1] * len(inner))
        value = given.value(spec.spread, shape, loads, value)
    out = given.operand("out", spec.store, outer if spec.spread is None else shape)
    out[...] = value


def _folded(spec: ReduceSpec, rows: Array) -> Array:
    if spec.op not in _FOLDS:
        return folded(spec.op, rows)
    if rows.shape[-1] == 0 and spec.op in ("argmax", "argmin"):
        return np.zeros(rows.shape[:-1], np.int64)
    if rows.shape[-1] == 0:
        return np.full(rows.shape[:-1], neutral(spec.op, spec.accumulate), rows.dtype)
    with np.errstate(all="ignore"):
        options = {"dtype": rows.dtype} if spec.op in ("sum", "prod") else {}
        return np.asarray(_FOLDS[spec.op](rows, axis=-1, **options))


def _matmul(spec: MatmulSpec, given: _Arguments) -> None:
    batch = given.sizes("b", spec.batch_rank)
    m, n, k = (given.words[name] for name in "MNK")
    a = given.operand("a", spec.a, (*batch, m, k))
    b = given.operand("b", spec.b, (*batch, k, n))
    prologue = spec.prologue
    left = _cast(a, spec.accumulate) if prologue is None else given.value(prologue, a.shape, [a])
    assert left.dtype == spec.accumulate.numpy
    with np.errstate(all="ignore"):
        main = np.matmul(left, _cast(b, spec.accumulate))
    shape = (*batch, m, n)
    value = given.value(spec.epilogue, shape, given.operands(spec.loads, shape), main)
    given.operand("out", spec.store, shape)[...] = value


def _cast(x: Array, dtype: DType) -> Array:
    return x.astype(dtype.numpy)


def _softmax(spec: SoftmaxSpec, given: _Arguments) -> None:
    shape = (*given.sizes("n", spec.outer_rank), given.words["m0"])
    loads = given.operands(spec.loads, shape)
    x = given.value(spec.prologue, shape, loads)
    assert x.dtype == spec.accumulate.numpy
    meaning = OPS["softmax"].meaning
    assert meaning is not None
    value = given.value(spec.epilogue, shape, loads, meaning(np.array(x), axis=-1))
    given.operand("out", spec.store, shape)[...] = value


def _take(spec: TakeSpec, given: _Arguments) -> None:
    shape = given.sizes("n", spec.rank)
    size, stride = given.words["size"], given.words["axis_stride"]
    index = given.operand("indices", spec.indices, shape).astype(np.int64)
    index = np.where(index < 0, index + size, index)
    dtype = np.dtype(np.float32) if spec.x.dtype.is_packed else spec.x.dtype.numpy
    main = np.full(shape, np.nan if dtype.kind not in "iub" else 0, dtype)
    for j in np.unique(index[(index >= 0) & (index < size)]):
        row = given.operand("x", spec.x, shape, int(j) * stride)
        main[index == j] = row[index == j]
    value = given.value(spec.epilogue, shape, given.operands(spec.loads, shape), main)
    given.operand("out", spec.store, shape)[...] = value


def _scan(spec: ScanSpec, given: _Arguments) -> None:
    shape = (*given.sizes("n", spec.outer_rank), given.words["m0"])
    loads = given.operands(spec.loads, shape)
    x = given.value(spec.prologue, shape, loads)
    if spec.stage == "totals":  # the whole scan follows from the elements alone
        return
    meaning = OPS[spec.op].meaning
    assert meaning is not None
    options = {"associative": True} if spec.stage else {}
    main = np.asarray(meaning(np.array(x), axis=-1, exclusive=spec.exclusive, **options))
    value = given.value(spec.epilogue, shape, loads, main)
    given.operand("out", spec.store, shape)[...] = value


def _rowwise(spec: RowwiseSpec, given: _Arguments) -> None:
    outer = given.sizes("n", spec.outer_rank)
    shape = (*outer, given.words["m0"])
    loads = given.operands(spec.loads, shape)
    rows = [np.array(given.value(part, shape, loads)) for part in spec.inputs]
    meaning = OPS[spec.op].meaning
    assert meaning is not None
    main = np.asarray(meaning(*rows, axis=-1))
    after = shape if spec.is_row else outer
    if not spec.is_row and spec.loads:
        loads = [load[..., 0] for load in loads] if shape[-1] else loads
    value = given.value(spec.epilogue, after, loads, main)
    given.operand("out", spec.store, after)[...] = value


def _custom(spec: CustomSpec, given: _Arguments) -> None:
    words = given.words
    sizes = [
        [words[f"{name}_n{k}"] for k in range(rank)]
        for name, rank in zip(spec.names, spec.ranks, strict=True)
    ]
    places = [*[k for k, tile in enumerate(spec.tiles) if tile is not None], *spec.places]
    found: dict[str, Any] = {"sizes": sizes}
    for (name, access), place in zip(spec.operands, places, strict=True):
        found[name] = _tile(name, access, sizes[place], words)
    scalars = [SIMD(x, as_dtype(x.dtype), 1) for x in given.scalars]
    grid = None
    if spec.block is not None:
        grid = words["grid_x"], words["grid_y"], words["grid_z"]
    run_in_python(spec, found, scalars, grid)


def _tile(name: str, access: Access, shape: Sequence[int], words: Mapping[str, int]) -> Tile:
    """Return a tile over the memory that words point to, with its end known."""
    strides = [words[f"{name}_stride{k}"] if s is None else s for k, s in enumerate(access.strides)]
    count = max(words[f"{name}_size"], 0) if 0 not in shape else 0
    memory = np.empty(0, np.uint8)
    if count:
        memory = _bytes(words[f"{name}_pointer"], count * access.dtype.itemsize)
    offset = words[f"{name}_offset"]
    return Tile(Memory(memory, name), access.dtype, shape, strides, offset)


_MEANINGS: dict[type, Callable[[Any, _Arguments], None]] = {
    ElementwiseSpec: _elementwise,
    ReduceSpec: _reduce,
    MatmulSpec: _matmul,
    SoftmaxSpec: _softmax,
    TakeSpec: _take,
    ScanSpec: _scan,
    RowwiseSpec: _rowwise,
    CustomSpec: _custom,
}
