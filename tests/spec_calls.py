"""One call of a kernel spec over guarded memory, run by its NumPy meaning, interpreter and C."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pytest

from tensorlib.backends.c import CBackend, CompiledKernel
from tensorlib.dtypes import DType
from tensorlib.errors import BackendError
from tensorlib.graph.evaluate import run_spec
from tensorlib.ir import Kernel, interpret
from tensorlib.kernels.specs import (
    Access,
    ElementwiseSpec,
    MatmulSpec,
    ReduceSpec,
    SoftmaxSpec,
    Spec,
)
from tensorlib.ops.packed import pack

__all__ = ["Call", "Operand", "axes_of", "c_backend", "compiled", "plain_call", "same"]

Array = np.ndarray[Any, Any]
GUARD, POISON = 128, 0xA5
THREADS = (1, 2, 3)


def same(a: Array, b: Array) -> bool:
    """Whether arrays agree bit for bit, but for the bits of NaNs."""
    if a.dtype.kind not in "fV":
        return a.tobytes() == b.tobytes()
    with np.errstate(invalid="ignore"):  # a signalling NaN
        left, right = (np.where(x != x, x.dtype.type(0), x) for x in (a, b))
        return bool(np.array_equal(a != a, b != b)) and left.tobytes() == right.tobytes()


class Memory:
    """Bytes of one buffer between poisoned guards, aligned to `alignment` bytes and no more."""

    def __init__(self, nbytes: int, alignment: int = 1) -> None:
        self.nbytes, self.alignment = nbytes, alignment
        whole = np.full(nbytes + 2 * GUARD + 64, POISON, np.uint8)
        shift = -int(whole.ctypes.data) % 64
        self.raw = whole[shift : shift + nbytes + 2 * GUARD]
        self.start = GUARD - 64 + alignment

    @property
    def bytes(self) -> Array:
        """The bytes between the guards."""
        return self.raw[self.start : self.start + self.nbytes]

    @property
    def address(self) -> int:
        return int(self.raw.ctypes.data) + self.start

    def copy(self) -> Memory:
        made = Memory(self.nbytes, self.alignment)
        made.raw[:] = self.raw
        return made


@dataclass
class Operand:
    """One operand of a call: where its elements lie in `memory` (an index into the call's)."""

    access: Access
    shape: tuple[int, ...]
    memory: int
    offset: int
    strides: tuple[int, ...]

    def positions(self) -> Array:
        """The element number of each coordinate."""
        total = np.full(self.shape, self.offset, np.int64)
        for axis, (n, s) in enumerate(zip(self.shape, self.strides, strict=True)):
            total += (np.arange(n) * s).reshape(-1, *[1] * (len(self.shape) - axis - 1))
        return total


@dataclass
class Call:
    """A spec with its sizes, operands (`out` first), scalars and memory."""

    spec: Spec
    sizes: Mapping[str, int]
    operands: Mapping[str, Operand]
    memories: list[Memory]
    scalars: Sequence[int | float] = ()
    strides: Mapping[str, int] = field(default_factory=dict)  # those of no operand

    @property
    def out(self) -> Operand:
        return self.operands["out"]

    def arguments(self, memories: Sequence[Memory]) -> list[Any]:
        """The arguments in order: Memory for pointers, else numbers."""
        return [self._argument(p.name, p.kind, memories) for p in self.spec.parameters]

    def _argument(self, name: str, kind: str, memories: Sequence[Memory]) -> Any:
        if name in self.sizes or name in self.strides:
            return {**self.sizes, **self.strides}[name]
        if name.startswith("scalar"):
            return self.scalars[int(name.removeprefix("scalar"))]
        operand, _, part = name.rpartition("_")
        found = self.operands[operand]
        if kind == "pointer":
            return memories[found.memory]
        return found.offset if kind == "offset" else found.strides[int(part[6:])]

    def copies(self) -> list[Memory]:
        return [memory.copy() for memory in self.memories]

    # three ways to run it; each returns the memories after the call
    def by_meaning(self) -> list[Memory]:
        memories = self.copies()
        with np.errstate(all="ignore"):
            run_spec(self.spec, [_word(a) for a in self.arguments(memories)])
        return memories

    def by_interpreter(self, kernel: Kernel | None = None) -> list[Memory]:
        memories, kernel = self.copies(), kernel or self.spec.build()
        given: list[Any] = []
        for parameter, argument in zip(kernel.parameters, self.arguments(memories), strict=True):
            is_memory = isinstance(argument, Memory)
            given.append(argument.bytes.view(parameter.type.dtype.numpy) if is_memory else argument)
        interpret(kernel, given)
        return memories

    def by_c(self, executable: CompiledKernel, workers: int = 1) -> list[Memory]:
        memories, runtime = self.copies(), c_backend().runtime
        words = runtime.words([_word(a) for a in self.arguments(memories)])
        runtime.call(runtime.function(executable.address), words, workers)
        return memories

    # what they gave
    def result(self, memories: Sequence[Memory]) -> Array:
        """The elements of the result."""
        data = memories[self.out.memory].bytes.view(self.out.access.dtype.numpy)
        return np.array(data[self.out.positions()])

    def check_untouched(self, memories: Sequence[Memory]) -> None:
        """Assert that nothing but elements of the result has changed, the guards included."""
        for number, (before, after) in enumerate(zip(self.memories, memories, strict=True)):
            old, new = before.raw.copy(), after.raw.copy()
            if number == self.out.memory:
                size = self.out.access.dtype.itemsize
                first = before.start + self.out.positions().reshape(-1, 1) * size
                written = first + np.arange(size)
                old[written], new[written] = 0, 0
            assert old.tobytes() == new.tobytes(), f"{self.spec}: wrote outside of the result"

    def check(self, executable: CompiledKernel, threads: Sequence[int] = THREADS) -> Array:
        """Run in C; assert equal bits for every number of threads; return the result."""
        results = []
        for count in threads:
            after = self.by_c(executable, count)
            self.check_untouched(after)
            results.append(self.result(after))
        assert all(same(r, results[0]) for r in results), f"{self.spec}: threads change the result"
        return results[0]


def _word(argument: Any) -> int:
    """One argument as a signed word."""
    if isinstance(argument, Memory):
        return argument.address
    if isinstance(argument, float):
        return int(struct.unpack("<q", struct.pack("<d", argument))[0])
    return int(argument)


def axes_of(spec: Spec, sizes: Mapping[str, int]) -> dict[str, tuple[Access, tuple[int, ...]]]:
    """Return each operand's access and shape by name, the result first."""
    if isinstance(spec, MatmulSpec):
        return _matmul_axes(spec, sizes)
    if isinstance(spec, ReduceSpec):
        outer = tuple(sizes[f"n{k}"] for k in range(spec.outer_rank))
        whole = outer + tuple(sizes[f"m{k}"] for k in range(spec.inner_rank))
        found = {"out": (spec.store, outer if spec.spread is None else whole)}
        found |= {f"load{k}": (a, whole) for k, a in enumerate(spec.loads)}
        return found | {f"epilogue_load{k}": (a, outer) for k, a in enumerate(spec.epilogue_loads)}
    if isinstance(spec, SoftmaxSpec):
        shape = (*(sizes[f"n{k}"] for k in range(spec.outer_rank)), sizes["m0"])
    else:
        shape = tuple(sizes[f"n{k}"] for k in range(spec.rank))
    found = {"out": (spec.store, shape)}
    if not isinstance(spec, (ElementwiseSpec, SoftmaxSpec)):
        found |= {"x": (spec.x, shape), "indices": (spec.indices, shape)}
    return found | {f"load{k}": (a, shape) for k, a in enumerate(spec.loads)}


def _matmul_axes(
    spec: MatmulSpec, sizes: Mapping[str, int]
) -> dict[str, tuple[Access, tuple[int, ...]]]:
    batch = tuple(sizes[f"b{k}"] for k in range(spec.batch_rank))
    m, n, k = sizes["M"], sizes["N"], sizes["K"]
    found = {"out": (spec.store, (*batch, m, n))}
    found |= {"a": (spec.a, (*batch, m, k)), "b": (spec.b, (*batch, k, n))}
    return found | {f"load{i}": (a, (*batch, m, n)) for i, a in enumerate(spec.loads)}


# --- C ---


@cache
def c_backend() -> CBackend:
    """The C backend of this test run; skips where there is no compiler."""
    try:
        return CBackend()
    except BackendError as error:
        pytest.skip(str(error))


def compiled(specs: Sequence[Spec]) -> dict[Spec, CompiledKernel]:
    """Compile the kernels of specs, side by side."""
    backend = c_backend()
    unique = list(dict.fromkeys(specs))
    executables = backend.compile_all([spec.build() for spec in unique])
    return dict(zip(unique, executables, strict=True))


# --- calls over whole arrays ---


def plain_call(
    spec: Spec, sizes: Mapping[str, int], arrays: Mapping[str, Array], **rest: Any
) -> Call:
    """Return the call over copies of arrays (by operand name, of its full rank or broadcast).

    Strides are the arrays' own, 0 where an axis is broadcast; `out` is made, row-major. An array
    for a packed operand is quantised along its axis of stride 1.
    """
    memories: list[Memory] = []
    operands: dict[str, Operand] = {}
    for name, (access, shape) in axes_of(spec, sizes).items():
        array = arrays.get(name, np.zeros(shape, np.uint8))
        order = _memory_order(access)
        turned = np.transpose(array, order)
        content = _content(turned, access.dtype) if name in arrays else None
        nbytes = turned.size * access.dtype.itemsize if content is None else content.nbytes
        memory = Memory(nbytes, 2 if access.dtype.is_packed else access.dtype.itemsize)
        if content is not None:
            memory.bytes[:] = content.reshape(-1).view(np.uint8)
        strides = [0] * len(shape)
        running = 1
        for axis in reversed(order):
            strides[axis] = running if array.shape[axis] != 1 or shape[axis] == 1 else 0
            running *= array.shape[axis]
        operands[name] = Operand(access, shape, len(memories), 0, tuple(strides))
        memories.append(memory)
    return Call(spec, sizes, operands, memories, **rest)


def _memory_order(access: Access) -> list[int]:
    """The axes as they lie in memory: the one of stride 1 last."""
    axes = list(range(len(access.strides)))
    ones = [k for k in axes if access.strides[k] == 1]
    return sorted(axes, key=lambda k: k in ones)


def _content(array: Array, dtype: DType) -> Array:
    whole = np.ascontiguousarray(array)
    return pack(whole, dtype) if dtype.is_packed else whole.astype(dtype.numpy)
