"""The backend protocol: what a device has to offer so that tensors can live and be computed on it.

A backend has the required core (`Backend`) and at least one level: whole operations by name
(`OpBackend`), or compiled kernels (`KernelBackend`); it may run a whole plan as one program
(`PlanBackend`).
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol, cast, runtime_checkable

import numpy as np

from tensorlib.dtypes import DType
from tensorlib.layouts.dim import Size

__all__ = [
    "API_VERSION",
    "Backend",
    "BackendInfo",
    "Buffer",
    "Compiling",
    "Device",
    "Executable",
    "Features",
    "HostMemory",
    "KernelBackend",
    "OpBackend",
    "PlanBackend",
    "PlanExecutable",
    "Readable",
    "Spec",
    "Threaded",
    "kernel_level",
    "lends",
    "op_level",
    "readable",
]

API_VERSION = 1


# --- what a backend says about itself ---


@dataclass(frozen=True, slots=True)
class Device:
    """A device of one backend: `Device("c", "cpu", 0)`, printed as `c:0`."""

    backend: str
    kind: str = "cpu"
    index: int = 0

    def __str__(self) -> str:
        return f"{self.backend}:{self.index}"


@dataclass(frozen=True, slots=True)
class Features:
    """What a device can do: bytes of a vector register, memory spaces, instruction sets, dtypes,
    cores.
    """

    vector_bytes: int = 16
    memory_spaces: tuple[str, ...] = ("global",)
    instruction_sets: tuple[str, ...] = ()
    dtypes: tuple[DType, ...] = ()
    cores: int = 1


def _always() -> str:
    return ""


@dataclass(frozen=True, slots=True)
class BackendInfo:
    """Cheap metadata, read without importing what the backend needs.

    `available` returns "" where the backend can run here, else the reason and what to install. Of
    those that are, the highest `priority` is the default. An `expected` backend is one that every
    machine should have: when it is unavailable a warning says why.
    """

    name: str
    device_kinds: tuple[str, ...]
    dtypes: tuple[DType, ...]
    priority: int
    needs: str = ""
    available: Callable[[], str] = _always
    expected: bool = False


@dataclass(frozen=True, slots=True)
class Spec:
    """Shape and dtype of an operand, as `can_run` sees it."""

    shape: tuple[Size, ...]
    dtype: DType


@runtime_checkable
class Buffer(Protocol):
    """Memory of a device; its backend knows the rest. Freed when the last reference goes."""

    @property
    def nbytes(self) -> int: ...


class Backend(Protocol):
    """The required core. Every buffer that `allocate` returns is 64-byte aligned raw bytes."""

    name: str
    api_version: int

    def devices(self) -> Sequence[Device]:
        """Return the devices present, the default one first."""
        ...

    def features(self, device: Device) -> Features: ...

    def allocate(self, nbytes: int, device: Device) -> Buffer:
        """Return memory of `nbytes` bytes with any contents; MemoryError where there is none
        left.
        """
        ...

    def copy_in(self, buffer: Buffer, source: np.ndarray[Any, Any], offset: int = 0) -> None:
        """Copy the bytes of the C-contiguous `source` into `buffer` from byte `offset` on."""
        ...

    def copy_out(self, buffer: Buffer, target: np.ndarray[Any, Any], offset: int = 0) -> None:
        """Fill the C-contiguous `target` with the bytes of `buffer` from byte `offset` on."""
        ...

    def synchronise(self, device: Device) -> None:
        """Wait until everything launched on `device` is done."""
        ...


@runtime_checkable
class HostMemory(Protocol):
    """Optional: the device shares the host's memory, so arrays can be lent without a copy."""

    def borrow(self, source: np.ndarray[Any, Any]) -> Buffer:
        """Return a buffer over the memory of the C-contiguous `source`, which it keeps alive."""
        ...

    def peek(self, buffer: Any, offset: int, nbytes: int) -> bytes:
        """Return `nbytes` bytes of `buffer` from `offset` on: the quick way to a single number."""
        ...


@runtime_checkable
class Threaded(Protocol):
    """Optional: so many threads share the work of a kernel, the caller's among them."""

    threads: int


@runtime_checkable
class Compiling(Protocol):
    """Optional: `progress(done, total)` is told while kernels compile."""

    progress: Callable[[int, int], None] | None


@runtime_checkable
class Readable(Protocol):
    """Optional: shows what it makes of a kernel, for `kernel.assembly` and `tensorlib explain`."""

    def source(self, kernel: Any) -> str:
        """Return the text that is compiled; may change the kernel."""
        ...

    def assembly(self, kernel: Any) -> str:
        """Return the instructions, with comments `# file.py:12` before those of a line."""
        ...


@runtime_checkable
class OpBackend(Protocol):
    """Op level: whole operations of `tensorlib.ops`, by name, over the backend's own arrays.

    A buffer at this level is the backend's array and carries shape, dtype and strides. `run("data",
    raw, shape=, dtype=)` makes one from raw bytes of `allocate` or `borrow`; `run("update", state,
    value, axis=, start=)` writes into `state` itself.
    """

    def can_run(self, op: str, *specs: Spec) -> bool: ...

    def run(self, op: str, *buffers: Any, **attributes: Any) -> Any: ...


# --- kernel level ---


class Executable(Protocol):
    """A compiled kernel."""

    @property
    def name(self) -> str: ...


@runtime_checkable
class KernelBackend(Protocol):
    """Kernel level: IR in, executables out."""

    def compile(self, kernel: Any, device: Device) -> Executable: ...

    def launch(
        self,
        executable: Any,
        grid: tuple[int, ...],
        block: tuple[int, ...],
        arguments: Sequence[Any],
    ) -> None: ...


# --- plans ---


class PlanExecutable(Protocol):
    """A plan made ready; the table of words holds its addresses, sizes and numbers."""

    def run(self, words: array[int]) -> None:
        """Run all steps, in order, each over the words that it names."""
        ...


@runtime_checkable
class PlanBackend(Protocol):
    """Optional: a whole plan (`tensorlib.graph.plan.KernelPlan`) as one program and one call."""

    def compile_plan(self, plan: Any, device: Device) -> PlanExecutable: ...


# --- which of the optional protocols a backend keeps ---


@cache
def _offers(kind: type, protocol: type) -> bool:
    """Whether a class keeps an optional protocol; looked up once, the check is slow."""
    return issubclass(kind, protocol)


def lends(backend: Backend) -> HostMemory | None:
    """Return `backend` as one over host memory, None where it isn't."""
    return cast(HostMemory, backend) if _offers(type(backend), HostMemory) else None


def readable(backend: Backend) -> Readable | None:
    """Return `backend` as one that shows what it makes of kernels, None where it doesn't."""
    return cast(Readable, backend) if _offers(type(backend), Readable) else None


def op_level(backend: Backend) -> OpBackend | None:
    """Return `backend` as one that runs whole operations, None where it doesn't."""
    return cast(OpBackend, backend) if _offers(type(backend), OpBackend) else None


def kernel_level(backend: Backend) -> KernelBackend | None:
    """Return `backend` as one that compiles kernels, None where it doesn't."""
    return cast(KernelBackend, backend) if _offers(type(backend), KernelBackend) else None
