"""`tl.kernel`: the decorator that makes a Python function a kernel which runs when it is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tensorlib.backend import Device, HostMemory, kernel_level, lends
from tensorlib.errors import BackendError, KernelError
from tensorlib.graph.host import contiguous_strides
from tensorlib.ir import PointerType, current_builder
from tensorlib.lang.kernel import KernelFunction, written
from tensorlib.lang.target import Target, targeting
from tensorlib.registry import REGISTRY
from tensorlib.tensor import Tensor

__all__ = ["LaunchedKernel", "kernel"]


@dataclass(frozen=True, slots=True)
class _Ready:
    """A kernel compiled for some types: its parameters by name, and which of them it writes."""

    backend: Any
    host: HostMemory
    executable: Any
    order: list[tuple[str, bool]]
    written: set[str]


class LaunchedKernel(KernelFunction):
    """A kernel that runs on the default device when called.

    NumPy arrays are used where they lie and written in place. Tensors can be read; they are values,
    so writing needs an array, or `tl.state`. Compiled code does not check its accesses: run
    `.interpret` on small arrays to find one that is out of bounds.
    """

    def __init__(
        self, function: Callable[..., Any], parameters: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(function, parameters)
        self._ready: dict[Any, _Ready] = {}

    def __call__(self, *arguments: Any) -> Any:
        if current_builder() is not None:
            return super().__call__(*arguments)
        given = tuple(map(_array, arguments))
        key = (REGISTRY.default(), *map(_signature, given))
        ready = self._ready.get(key)
        if ready is None:
            ready = self._ready[key] = self._prepared(given)
        self._check_writes(ready.written, arguments, given)
        values = self.values(given)
        lend = ready.host.borrow
        words = [lend(values[n]) if is_memory else values[n] for n, is_memory in ready.order]
        ready.backend.launch(ready.executable, (1,), (1,), words)
        return None

    def _prepared(self, given: tuple[Any, ...]) -> _Ready:
        """Trace and compile for arguments of these types."""
        device, backend, host, target = _device()
        with targeting(target):
            traced = self.trace(*given)
        order = [(p.name, isinstance(p.type, PointerType)) for p in traced.parameters]
        executable = backend.compile(traced, device)
        return _Ready(backend, host, executable, order, written(traced))

    def _check_writes(
        self, stored: set[str], arguments: tuple[Any, ...], given: tuple[Any, ...]
    ) -> None:
        for name, argument, array in zip(self.arguments, arguments, given, strict=True):
            if name not in stored:
                continue
            if isinstance(argument, Tensor) and not argument.node.states:
                raise KernelError(
                    f"{self.name}: writes into {name}, a tensor; tensors are values: "
                    "pass a NumPy array or tl.state(shape)"
                )
            if not array.flags.writeable:
                raise KernelError(f"{self.name}: writes into {name}, which is read-only")


def kernel(function: Callable[..., Any]) -> LaunchedKernel:
    """Return `function` as a kernel: call it with arrays, see `KernelFunction` for more.

    >>> import numpy as np, tensorlib as tl
    >>> @tl.kernel
    ... def double(out: tl.Tile, x: tl.Tile) -> None:
    ...     for i in tl.parallel(range(out.size)):
    ...         out[i] = x[i] * 2.0
    >>> out = np.zeros(3, np.float32)
    >>> double.python(out, np.array([1, 2, 3], np.float32))
    >>> out
    array([2., 4., 6.], dtype=float32)
    """
    return LaunchedKernel(function)


def _signature(argument: Any) -> Any:
    """Return what the compiled kernel depends on."""
    if isinstance(argument, np.ndarray):
        return argument.dtype, argument.ndim
    return type(argument)


def _device() -> tuple[Device, Any, HostMemory, Target]:
    """Return the default device, its backend in two roles, and what kernels may ask of it."""
    device = REGISTRY.default()
    found = REGISTRY.backend(device.backend)
    backend, host = kernel_level(found), lends(found)
    if backend is None or host is None:
        raise BackendError(
            f"kernel: backend {found.name} does not run kernels; try .python() or .interpret(), "
            "or install a C compiler"
        )
    features = found.features(device)
    target = Target(found.name, features.vector_bytes, frozenset(features.instruction_sets))
    return device, backend, host, target


def _array(argument: Any) -> Any:
    """Return a tensor's memory as an array; anything else as it is."""
    if not isinstance(argument, Tensor):
        return argument
    storage = argument.realise().node.storage
    assert storage is not None
    shape = tuple(int(n) for n in argument.shape)
    buffer: Any = storage.buffer
    if not hasattr(buffer, "view") or storage.strides != contiguous_strides(shape):
        return np.ascontiguousarray(argument.numpy())
    offset = storage.offset * argument.dtype.itemsize
    return buffer.view(argument.dtype, shape, offset)
