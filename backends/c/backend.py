"""`CBackend`: memory, kernels and plans on the CPU."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tensorlib.backend import API_VERSION, Device, Features
from tensorlib.backends.c.assembly import assembly
from tensorlib.backends.c.calls import packed_call
from tensorlib.backends.c.features import cpu_features, thread_count
from tensorlib.backends.c.info import INFO
from tensorlib.backends.c.library import KernelLibrary
from tensorlib.backends.c.memory import Borrowed, Memory
from tensorlib.backends.c.plan import PlanProgram
from tensorlib.backends.c.runtime import kernel_cache, runtime
from tensorlib.backends.c.toolchain import Toolchain
from tensorlib.errors import BackendError
from tensorlib.ir import Kernel, PointerType
from tensorlib.passes import for_workers
from tensorlib.passes.instructions import instructions
from tensorlib.passes.legalise import legalised
from tensorlib.printers import PRELUDE, print_c
from tensorlib.printers.walker import noted

__all__ = ["CBackend", "CompiledKernel"]

Buffer = Memory | Borrowed
PLACEHOLDER = "KERNEL_NAME"


@dataclass(frozen=True, slots=True)
class CompiledKernel:
    """A loaded kernel: its C symbol, its address, and the IR whose parameters it takes."""

    name: str
    address: int
    kernel: Kernel


class CBackend:
    """A kernel-level backend that runs whole plans by one foreign call.

    `threads` is the size of the pool, the caller's thread among them; `progress(done, total)` is
    told while kernels compile.
    """

    name = "c"
    api_version = API_VERSION

    def __init__(self) -> None:
        self.cpu = cpu_features()
        self.threads = thread_count()
        self.runtime = runtime()
        self.library = KernelLibrary(
            self.runtime, Toolchain.find(), kernel_cache(), threads=self.threads
        )
        self._printed: dict[int, tuple[Kernel, str, str]] = {}

    @property
    def progress(self) -> Callable[[int, int], None] | None:
        return self.library.progress

    @progress.setter
    def progress(self, report: Callable[[int, int], None] | None) -> None:
        self.library.progress = report

    # the required core
    def devices(self) -> Sequence[Device]:
        return (Device("c"),)

    def features(self, device: Device) -> Features:
        names = tuple(sorted(self.cpu.names))
        return Features(
            vector_bytes=self.cpu.vector_bytes,
            instruction_sets=names,
            dtypes=INFO.dtypes,
            cores=self.threads,
        )

    def allocate(self, nbytes: int, device: Device) -> Buffer:
        return Memory(nbytes)

    def borrow(self, source: np.ndarray[Any, Any]) -> Buffer:
        return Borrowed(source)

    def copy_in(self, buffer: Any, source: np.ndarray[Any, Any], offset: int = 0) -> None:
        buffer.view(np.uint8, (source.nbytes,), offset)[:] = source.reshape(-1).view(np.uint8)

    def copy_out(self, buffer: Any, target: np.ndarray[Any, Any], offset: int = 0) -> None:
        target.reshape(-1).view(np.uint8)[:] = buffer.view(np.uint8, (target.nbytes,), offset)

    def peek(self, buffer: Any, offset: int, nbytes: int) -> bytes:
        """Return bytes of `buffer`, without going through NumPy."""
        if offset < 0 or nbytes < 0 or offset + nbytes > buffer.nbytes:
            raise BackendError(f"peek: got bytes {offset} to {offset + nbytes} of {buffer.nbytes}")
        ffi = self.runtime.ffi
        return bytes(ffi.buffer(ffi.cast("char *", buffer.address + offset), nbytes))

    def synchronise(self, device: Device) -> None:
        """Every call is done when it returns."""

    # kernel level
    def compile(self, kernel: Kernel, device: Device) -> CompiledKernel:
        return self.compile_all([kernel])[0]

    def compile_all(self, kernels: Sequence[Kernel]) -> list[CompiledKernel]:
        """Compile several kernels side by side; those known already cost nothing."""
        printed = [self._print(kernel) for kernel in kernels]
        addresses = self.library.load(dict(printed), PRELUDE)
        pairs = zip(printed, kernels, strict=True)
        return [CompiledKernel(name, addresses[name], kernel) for (name, _), kernel in pairs]

    def _print(self, kernel: Kernel) -> tuple[str, str]:
        """Return symbol and C text; the symbol ends in a hash of the text."""
        known = self._printed.get(id(kernel))
        if known is None:
            text = self.source(kernel, PLACEHOLDER)
            digest = hashlib.sha256(text.encode()).hexdigest()[:16]
            name = f"{kernel.name}_{digest}"
            # The kernel is kept, so that its id is not used again.
            known = kernel, name, text.replace(PLACEHOLDER, name)
            self._printed[id(kernel)] = known
        return known[1], known[2]

    def source(self, kernel: Kernel, name: str = "") -> str:
        """Return the C text of a kernel for this CPU, but for the prelude.

        The passes that prepare it change the kernel, but its wide vectors stay as they are.
        """
        ready = for_workers(kernel)
        instructions(ready, "c", self.cpu.names)
        return print_c(legalised(ready, self.cpu.vector_bytes), name)

    def assembly(self, kernel: Kernel) -> str:
        """Return the instructions of a kernel, with the lines of Python that they stem from."""
        with noted():
            text = PRELUDE + self.source(kernel, "kernel")
        return assembly(self.library.toolchain, text, "kernel")

    def launch(
        self,
        executable: CompiledKernel,
        grid: tuple[int, ...],
        block: tuple[int, ...],
        arguments: Sequence[Any],
    ) -> None:
        """Run one kernel: buffers, ints and floats in the order of its parameters.

        A kernel of blocks and threads takes the sizes of the grid as well.
        """
        parameters = executable.kernel.parameters
        if len(arguments) != len(parameters):
            raise BackendError(
                f"{executable.name}: got {len(arguments)} arguments, needed {len(parameters)}"
            )
        pairs = zip(parameters, arguments, strict=True)
        words = [_word(p.type, a) for p, a in pairs]
        if "block" in executable.kernel.attributes:
            words += (*grid, 1, 1)[:3]
        words = self.runtime.words(words)
        self.runtime.call(self.runtime.function(executable.address), words, self.threads)

    def packed_call(self, executable: CompiledKernel, formats: str) -> Any:
        """Return the quickest call of a kernel without a grid, see `calls.packed_call`."""
        return packed_call(self.runtime, executable.address, formats, self.threads)

    # plans
    def compile_plan(self, plan: Any, device: Device) -> PlanProgram:
        """Compile what is missing of the plan's kernels, and return the plan as one program."""
        return PlanProgram(self, plan)


def _word(kind: Any, argument: Any) -> int:
    """Return one argument as the 8-byte word that a kernel reads."""
    if isinstance(kind, PointerType):
        return int(argument.address)
    return scalar_word(argument, kind.dtype.name)


def scalar_word(value: float, dtype: str) -> int:
    """Return a scalar as a word: integers as they are, floats by their bits."""
    if dtype == "float64":
        return int(struct.unpack("<Q", struct.pack("<d", value))[0])
    if dtype == "float32":
        return int(struct.unpack("<I", struct.pack("<f", value))[0])
    if dtype in ("float16", "bfloat16"):
        raise BackendError(f"scalar: got a {dtype} parameter; pass float32 and cast in the kernel")
    return int(value)
