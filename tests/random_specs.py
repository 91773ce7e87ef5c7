"""Random kernel specs of every kind, and random calls of them, whose results are exact.

Sums run over small whole numbers, so that every order of adding gives the same bits; what comes
before and after them, and everything else, uses the operations that are exact by the op table.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from random import Random

import numpy as np

from tensorlib.dtypes import DType
from tensorlib.kernels.expression import Apply, Expression, Leaf
from tensorlib.kernels.specs import (
    Access,
    ElementwiseSpec,
    MatmulSpec,
    ReduceSpec,
    SoftmaxSpec,
    Spec,
    TakeSpec,
)
from tensorlib.tests.random_expressions import (
    DTYPES,
    INDEX,
    SIGNED,
    Writer,
    blocks,
    factors,
    hostile,
    random_store,
    whole,
)
from tensorlib.tests.spec_calls import Array, Call, Memory, Operand, axes_of

__all__ = ["KINDS", "random_call", "random_spec", "sums_floats"]

PACKED = [d for d in DType.by_name.values() if d.is_packed]
FLOATS = [d for d in DTYPES if d.is_float]
INTEGERS = [d for d in DTYPES if d.is_integer]


# --- specs ---


def random_spec(random: Random, kind: str) -> Spec:
    """Return a spec of one of KINDS."""
    return KINDS[kind](random)


def _elementwise(random: Random) -> Spec:
    axes = ["n"] * random.randint(0, 4)
    dtype = random.choice(DTYPES)
    store = random_store(random, dtype, axes)
    loads = [store] if random.random() < 0.2 else []
    writer = Writer(random, loads, axes)
    value = writer.expression(dtype, random.randint(0, 3))
    return ElementwiseSpec(len(axes), value, tuple(loads), tuple(writer.scalars), store)


def _reduce(random: Random) -> Spec:
    op = random.choice(["sum", "sum", "prod", "max", "min", "any", "all", "argmax", "argmin"])
    outer, inner = ["n"] * random.randint(0, 2), ["m"] * random.randint(1, 2)
    accumulate = DType.bool if op in ("any", "all") else random.choice(_accumulators(op))
    inexact = accumulate.is_float and op in ("sum", "prod")
    loads: list[Access] = []
    scalars: list[DType] = []
    first = Writer(random, loads, [*outer, *inner], gentle=inexact, scalars=scalars)
    prologue: Expression
    if op == "prod" and inexact:
        prologue = first._load(accumulate)
    else:
        prologue = first.expression(accumulate, random.randint(0, 2))
    main = INDEX if op.startswith("arg") else accumulate
    after: list[Access] = []
    dtype = random.choice([main, random.choice(DTYPES)])
    last = Writer(random, after, outer, main=main, zeros=False, scalars=scalars)
    epilogue = last.expression(dtype, random.randint(0, 2))
    spread, store = None, random_store(random, dtype, outer)
    if random.random() < 0.3:
        dtype = random.choice(DTYPES)
        over = Writer(random, loads, [*outer, *inner], main=epilogue.dtype, zeros=False,
                      scalars=scalars)  # fmt: skip
        spread = over.expression(dtype, random.randint(1, 2))
        store = random_store(random, dtype, [*outer, *inner])
    return ReduceSpec(
        op, len(outer), len(inner), accumulate, prologue, epilogue, spread,
        tuple(loads), tuple(after), tuple(scalars), store,
    )  # fmt: skip


def _accumulators(op: str) -> list[DType]:
    if op in ("sum", "prod"):
        return [DType.float32, DType.float64, DType.int64, DType.uint64, DType.int32]
    return [d for d in DTYPES if d is not DType.bool]


def _softmax(random: Random) -> Spec:
    axes = [*["n"] * random.randint(0, 3), "m"]
    accumulate = random.choice([DType.float32, DType.float64])
    scalars: list[DType] = []
    first = Writer(random, [], axes, gentle=True, scalars=scalars)
    prologue = first.expression(accumulate, random.randint(0, 2))
    if random.random() < 0.5:  # a mask, as attention has it
        least = Leaf("constant", 0, accumulate, -float("inf"))
        mask = first.expression(DType.bool, 1)
        prologue = Apply("where", (mask, prologue, least), accumulate)
    dtype = random.choice([accumulate, *FLOATS])
    main = Leaf("main", 0, accumulate)
    epilogue: Expression = main if dtype is accumulate else Apply("cast", (main,), dtype)
    if random.random() < 0.4:
        load = Apply("cast", (first._load(DType.float32),), dtype)
        epilogue = Apply("multiply", (epilogue, load), dtype)
    store = random_store(random, dtype, axes)
    return SoftmaxSpec(
        len(axes) - 1, accumulate, prologue, epilogue, tuple(first.loads), tuple(scalars), store
    )


def _take(random: Random) -> Spec:
    packed = random.random() < 0.3
    axes = ["n"] * random.randint(1 if packed else 0, 3)
    dtype = random.choice(PACKED if packed else DTYPES)
    owners = [random.random() < 0.5 for _ in axes]  # which axes belong to the indices
    if packed:
        owners[-1] = False
    x = [0 if mine else None for mine in owners]
    at = [None if mine else 0 for mine in owners]
    for strides in (x, at):
        free = [k for k, s in enumerate(strides) if s is None]
        if free and (random.random() < 0.7 or (packed and strides is x)):
            strides[free[-1]] = 1
    main = DType.float32 if packed else dtype
    writer = Writer(random, [], axes, main=main)
    result = random.choice([main, random.choice(DTYPES)])
    epilogue = writer.expression(result, random.randint(0, 2))
    store = random_store(random, result, axes)
    return TakeSpec(
        len(axes), Access(dtype, tuple(x)), Access(random.choice(INTEGERS), tuple(at)),
        epilogue, tuple(writer.loads), tuple(writer.scalars), store,
    )  # fmt: skip


def _matmul(random: Random) -> Spec:
    batch = ["b"] * random.randint(0, 2)
    side = random.choice(["none", "none", "none", "a", "b", "b"])
    accumulate = random.choice([DType.float32, DType.float32, DType.float64, *(
        [DType.int64, DType.int32, DType.uint8] if side == "none" else [])])  # fmt: skip
    plain = SIGNED if accumulate.is_float else [accumulate, DType.int8]
    kinds = {s: random.choice(PACKED if side == s else plain) for s in "ab"}
    a = _matrix(random, batch, kinds["a"], 1, random.random() < 0.7 or side == "a")
    b = _matrix(random, batch, kinds["b"], 0, random.random() < 0.5 or side == "b")
    scalars: list[DType] = []
    element = DType.float32 if side == "a" else kinds["a"]
    prologue: Expression | None = None
    if random.random() < 0.3:
        before = Writer(random, [Access(element, ())], [], gentle=True, most=1, scalars=scalars)
        prologue = before.expression(accumulate, 2)
    axes = [*batch, "M", "N"]
    result = random.choice([accumulate, random.choice(DTYPES)])
    store = random_store(random, result, axes)
    loads = [store] if random.random() < 0.2 else []
    after = Writer(random, loads, axes, main=accumulate, zeros=False, scalars=scalars)
    epilogue = after.expression(result, random.randint(0, 2))
    return MatmulSpec(
        len(batch), accumulate, a, b, prologue, epilogue, tuple(loads), tuple(scalars), store
    )


def _matrix(random: Random, batch: list[str], dtype: DType, inner: int, along: bool) -> Access:
    """An operand of matmul: `inner` is the place of k, `along` whether k has stride 1."""
    strides: list[int | None] = [random.choice([None, 0]) for _ in batch]
    last: list[int | None] = [None, None]
    if along:
        last[inner] = 1
    elif random.random() < 0.8:
        last[1 - inner] = 1
    return Access(dtype, (*strides, *last))


KINDS: dict[str, Callable[[Random], Spec]] = {
    "elementwise": _elementwise,
    "reduce": _reduce,
    "softmax": _softmax,
    "take": _take,
    "matmul": _matmul,
}


# --- calls ---


def sums_floats(spec: Spec) -> bool:
    """Whether the spec adds or multiplies up floats, so that its data must be whole numbers."""
    if isinstance(spec, ReduceSpec):
        return spec.accumulate.is_float and spec.op in ("sum", "prod")
    return isinstance(spec, (MatmulSpec, SoftmaxSpec)) and spec.accumulate.is_float


def random_call(random: Random, spec: Spec, large: bool = False) -> Call:
    """Return a call of `spec`: sizes, strides of all signs, and data."""
    sizes = _sizes(random, spec, large)
    rng = np.random.default_rng(random.randint(0, 2**32))
    memories: list[Memory] = []
    operands: dict[str, Operand] = {}
    for name, (access, shape) in axes_of(spec, sizes).items():
        in_place = "load" in name and access == spec.store and shape == operands["out"].shape
        if in_place and random.random() < 0.5:
            operands[name] = operands["out"]
            continue
        extra = 1
        if name == "x":
            extra = sizes["size"]
        offset, strides, count = _layout(random, access, shape, name == "out", extra)
        operands[name] = Operand(access, shape, len(memories), offset, strides)
        memories.append(_memory(spec, name, access.dtype, count, rng, sizes))
    scalars = [_scalar(spec, d, rng) for d in spec.scalars]
    call = Call(spec, sizes, operands, memories, scalars)
    if isinstance(spec, TakeSpec):
        call.strides = {"axis_stride": _axis_stride(random, call)}
    return call


def _sizes(random: Random, spec: Spec, large: bool) -> dict[str, int]:
    names = [p.name for p in spec.parameters if p.kind == "size"]
    most = max(len(names), 1)
    small = [0, 1, 2, 3, 5, 7, 8, 9, 17] if most > 2 else [0, 1, 2, 3, 7, 8, 9, 16, 17, 31, 33, 70]
    choices = [*small, 13, 64, 65] if large and most < 4 else small
    found = {name: random.choice(choices) for name in names}
    if large and names and random.random() < 0.3:
        found[random.choice(names)] = random.choice([129, 257, 1000])
    if isinstance(spec, ReduceSpec) and spec.op in ("max", "min", "argmax", "argmin"):
        found |= {name: max(n, 1) for name, n in found.items() if name.startswith("m")}
    packed = _packed_sizes(random, spec, large)
    found |= packed
    while prod(found.values()) > (60_000 if large else 500):
        longest = max(found.keys() - packed.keys(), key=lambda name: (found[name], name))
        found[longest] //= 2
    return found


def _packed_sizes(random: Random, spec: Spec, large: bool) -> dict[str, int]:
    """The sizes of axes that packed blocks lie along: whole blocks."""
    if isinstance(spec, MatmulSpec) and any(x.dtype.is_packed for x in (spec.a, spec.b)):
        return {"K": random.choice([32, 64, 96, 576] if large else [32, 64])}
    if isinstance(spec, TakeSpec) and spec.x.dtype.is_packed:
        return {f"n{spec.rank - 1}": random.choice([32, 64])}
    return {}


def _layout(
    random: Random, access: Access, shape: tuple[int, ...], injective: bool, copies: int = 1
) -> tuple[int, tuple[int, ...], int]:
    """Return offset, strides and number of elements of memory for an operand.

    With `copies` there is room to displace it that many times, see `_axis_stride`.
    """
    unit = access.dtype.block_elements
    order = list(range(len(shape)))
    random.shuffle(order)
    order.sort(key=lambda k: access.strides[k] != 1)
    strides = [0] * len(shape)
    running = 1
    for axis in order:
        fixed, n = access.strides[axis], max(shape[axis], 1)
        if fixed is not None:
            strides[axis] = fixed
            running = max(running, n) if fixed else running
            continue
        step = -(-running // unit) * unit + unit * random.choice([0, 0, 1, 3])
        strides[axis] = step * random.choice([1, 1, -1])
        running = step * n
        if not injective and random.random() < 0.2:
            strides[axis] = unit * random.choice([0, 0, 1, -1, 2])
    reach = [(max(n, 1) - 1) * s for n, s in zip(shape, strides, strict=True)]
    low, high = sum(min(r, 0) for r in reach), sum(max(r, 0) for r in reach)
    offset = -(low // unit) * unit + unit * random.choice([0, 0, 1, 5])
    count = 0 if 0 in shape else offset + high + 1
    count = -(-count // unit) * unit
    return offset, tuple(strides), count * max(copies, 1) if copies else 0


def _axis_stride(random: Random, call: Call) -> int:
    """A displacement that keeps x inside its memory, which was made for `size` of them."""
    x, size = call.operands["x"], max(call.sizes["size"], 1)
    dtype = x.access.dtype
    nbytes = call.memories[x.memory].nbytes
    elements = nbytes // dtype.block_bytes * dtype.block_elements
    step = elements // size // dtype.block_elements * dtype.block_elements
    if step and random.random() < 0.3:  # backwards, from the last
        operand = Operand(x.access, x.shape, x.memory, x.offset + (size - 1) * step, x.strides)
        call.operands = {**call.operands, "x": operand}
        return -step
    return step


def _memory(
    spec: Spec, name: str, dtype: DType, count: int, rng: np.random.Generator, sizes: dict[str, int]
) -> Memory:
    if dtype.is_packed:
        memory = Memory(dtype.nbytes(count), 2)
        memory.bytes[:] = blocks(dtype, count, rng)
        return memory
    memory = Memory(count * dtype.itemsize, dtype.itemsize)
    memory.bytes[:] = _data(spec, name, dtype, count, rng, sizes).view(np.uint8)
    return memory


def _data(
    spec: Spec, name: str, dtype: DType, count: int, rng: np.random.Generator, sizes: dict[str, int]
) -> Array:
    if name == "indices":
        limits = np.iinfo(dtype.numpy)
        most = sizes["size"] + 2
        low, high = max(-most, int(limits.min)), min(most, int(limits.max))
        found = rng.integers(low, high + 1, count).astype(dtype.numpy)
        return np.where(rng.random(count) < 0.05, hostile(dtype, count, rng), found)
    if isinstance(spec, ReduceSpec) and spec.op == "prod" and spec.accumulate.is_float:
        return factors(dtype, count, rng)
    summed = name in ("a", "b", "out") or name.startswith("load")
    if sums_floats(spec) and summed:
        return whole(dtype, count, rng)
    return hostile(dtype, count, rng)


def _scalar(spec: Spec, dtype: DType, rng: np.random.Generator) -> int | float:
    make = whole if sums_floats(spec) else hostile
    return make(dtype, 1, rng)[0].item()  # type: ignore[no-any-return]
