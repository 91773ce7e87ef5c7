"""`tl.kernel`: the decorator that makes a Python function a kernel which runs when it is called."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from tensorlib.backend import Device, HostMemory, kernel_level, lends, readable
from tensorlib.errors import BackendError, KernelError, caret
from tensorlib.graph.host import contiguous_strides
from tensorlib.ir import PointerType, current_builder
from tensorlib.ir.ops import broken_assertion
from tensorlib.lang.extent import Axes, launch_shapes
from tensorlib.lang.kernel import KernelFunction, written
from tensorlib.lang.nested import is_nested
from tensorlib.lang.target import Target, is_targeted, targeting
from tensorlib.passes import run_passes
from tensorlib.passes.checked import FAULTS, Checked, checked
from tensorlib.passes.registration import generation
from tensorlib.quick import Quick, quick_call
from tensorlib.registry import REGISTRY
from tensorlib.tensor import Tensor
from tensorlib.tile import Tile

__all__ = ["LaunchedKernel", "default_device", "kernel"]

Shape = tuple[int, int, int]
_PLAIN = {np.ndarray, Tensor, int, float}
_NO_GRID: tuple[Shape, Shape] = (1, 1, 1), (1, 1, 1)


@dataclass(slots=True, eq=False)
class _Ready:
    """A kernel compiled for some types: its parameters by name, which of them it writes, and the
    short way into it.
    """

    backend: Any
    host: HostMemory
    executable: Any
    order: list[tuple[str, bool]]
    written: set[str]
    checks: Checked | None
    quick: Quick | None = None


class LaunchedKernel(KernelFunction):
    """A kernel that runs on the default device when called.

    NumPy arrays are used where they lie and written in place. Tensors can be read; they are values,
    so writing needs an array, or `tl.state`. Every access is checked: one out of bounds ends the
    kernel and raises KernelError with its line. `k.unchecked` is the kernel without these checks,
    which can crash the process; `.interpret` finds more than they do. What a native instruction
    reads or writes by itself is not checked. Calls like the one before go to the same device: a
    change of TENSORLIB_BACKEND is seen by kernels that have not run yet.
    """

    def __init__(
        self, function: Callable[..., Any], parameters: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(function, parameters)
        self._ready: dict[Any, _Ready] = {}
        self._quick: tuple[int, Quick, _Ready] | None = None
        self.is_unchecked = False
        self._unchecked: LaunchedKernel | None = None

    @property
    def unchecked(self) -> LaunchedKernel:
        """The kernel compiled without bounds checks: for code that is proven, and measured."""
        if self._unchecked is None:
            self._unchecked = LaunchedKernel(self.function, self.parameters)
            self._unchecked.is_unchecked = True
        return self._unchecked

    def _bound(self, parameters: Mapping[str, Any]) -> LaunchedKernel:
        made = cast(LaunchedKernel, super()._bound(parameters))
        made.is_unchecked = self.is_unchecked
        return made

    def __call__(self, *arguments: Any, grid: Axes | None = None, block: Axes | None = None) -> Any:
        """Run the kernel: arrays are written in place, numbers are taken as they are.

        `grid` and `block` are the shapes of blocks and of threads in each, for kernels that ask for
        them. Inside another kernel it is recorded there, in the same threads. Raises KernelError
        for arguments that do not fit, and for an access out of bounds, with its line.
        """
        if current_builder() is not None:
            return super().__call__(*arguments, grid=grid, block=block)
        if self._quick is not None:
            made_for, quick, ready = self._quick
            if made_for == generation():
                ran = quick(arguments, grid, block)
                if ran is True:
                    return None
                if ran:
                    raise self._quick_fault(ready, arguments, ran)
        return self._launched(arguments, grid, block)

    def _launched(self, arguments: tuple[Any, ...], grid: Axes | None, block: Axes | None) -> Any:
        """Run the kernel for arguments that are not like those of the call before."""
        if any(is_nested(a) for a in arguments if type(a) not in _PLAIN):
            flat, parts = self.spread(arguments)
            cast(LaunchedKernel, flat).is_unchecked = self.is_unchecked
            return flat(*parts, grid=grid, block=block)
        shapes = launch_shapes(self.name, grid, block)
        blocks, threads = shapes or _NO_GRID
        given = tuple(map(_array, arguments))
        key = (REGISTRY.default(), block and threads, generation(), *map(_signature, given))
        ready = self._ready.get(key)
        if ready is None:
            if any(isinstance(a, Tile) for a in given):  # called by a kernel that runs in Python
                return super().__call__(*arguments, grid=grid, block=block)
            ready = self._ready[key] = self._prepared(given, block)
        self._check_memory(ready.written, arguments, given)
        ran = ready.quick is not None and ready.quick(given, *(shapes or (None, None)))
        if not ran:
            self._run(ready, given, blocks, threads)
            ready.quick = self._quickened(ready, given)
        elif ran is not True:
            raise self._quick_fault(ready, given, ran)
        # Tensors take this way each time: whether they are realised is not seen in C.
        is_quick = ready.quick is not None and not any(isinstance(a, Tensor) for a in arguments)
        self._quick = (generation(), cast(Quick, ready.quick), ready) if is_quick else None
        return None

    def _run(self, ready: _Ready, given: tuple[Any, ...], blocks: Shape, threads: Shape) -> None:
        """Launch by the protocol that every backend has; raises KernelError for a fault."""
        values = self.values(given)
        if ready.checks is not None:
            values[FAULTS] = np.zeros(2, np.int64)
            for name, pointer in ready.checks.sizes.items():
                values[name] = values[pointer].size
        lend = ready.host.borrow
        words = [lend(values[n]) if is_memory else values[n] for n, is_memory in ready.order]
        ready.backend.launch(ready.executable, blocks, threads, words)
        if ready.checks is not None and values[FAULTS][0]:
            raise self._fault(ready.checks, values)

    def _quickened(self, ready: _Ready, given: tuple[Any, ...]) -> Quick | None:
        """Return the short way for calls like this one, where the backend has one."""
        calls = getattr(ready.backend, "packed_call", None)
        if calls is None:
            return None
        offered = functools.partial(calls, ready.executable)
        kernel = ready.executable.kernel
        made = quick_call(self.arguments, given, kernel, ready.written, offered)
        return made or ready.quick

    def _quick_fault(
        self, ready: _Ready, given: tuple[Any, ...], fault: tuple[int, int]
    ) -> KernelError:
        assert ready.checks is not None
        values = dict(zip(self.arguments, given, strict=True))
        return self._fault(ready.checks, {**values, FAULTS: np.array(fault)})

    def _prepared(self, given: tuple[Any, ...], block: Axes | None) -> _Ready:
        """Trace and compile for arguments of these types."""
        device, backend, host, target = default_device()
        with targeting(target):
            traced = self.trace(*given, block=block)
        checks = None if self.is_unchecked else checked(traced)
        made = traced if checks is None else checks.kernel
        order = [(p.name, isinstance(p.type, PointerType)) for p in made.parameters]
        executable = backend.compile(made, device)
        return _Ready(backend, host, executable, order, written(traced), checks)

    def source(self, target: str, *arguments: Any, block: Axes | None = None) -> str:
        """Return the generated source for a target: "c", "cuda" or "opencl".

        C is for the vectors and features of the default device, or those that `targeting(...)`
        names. A comment names each line of Python in front of what it became.
        """
        if target != "c" or is_targeted() or REGISTRY.default().backend != target:
            return super().source(target, *arguments, block=block)
        with targeting(default_device()[3]):
            return super().source(target, *arguments, block=block)

    def assembly(self, *arguments: Any, block: Axes | None = None) -> str:
        """Return the assembly of what a call with such arguments runs on the default device.

        Comments name the lines of Python; `.unchecked.assembly(...)` is without bounds checks.
        Raises BackendError where the device has no assembly to show.
        """
        _, backend, _, target = default_device()
        shows = readable(backend)
        if shows is None:
            raise BackendError(f"{self.name}: backend {backend.name} has no assembly to show")
        with targeting(target):
            traced = run_passes(self.recorded(*map(_array, arguments), block=block), is_new=True)
        return shows.assembly(traced if self.is_unchecked else checked(traced).kernel)

    def _fault(self, checks: Checked, values: Mapping[str, Any]) -> KernelError:
        """Return the error of the access that ended the kernel."""
        site, index = values[FAULTS].tolist()
        access, pointer = checks.sites[site - 1]
        where = f"\n{caret(access.location)}" if access.location else ""
        if access.name == "assert":
            return KernelError(f"{self.name}: {broken_assertion(access.attributes)}{where}")
        name = pointer.name or "memory"
        made = pointer.operation
        size = made.attributes["size"] if made is not None else values[name].size
        return KernelError(
            f"{self.name}: {name}: access from element {index} is outside its {size} elements; "
            f"try .interpret to see more{where}"
        )

    def _check_memory(
        self, stored: set[str], arguments: tuple[Any, ...], given: tuple[Any, ...]
    ) -> None:
        for name, argument, array in zip(self.arguments, arguments, given, strict=True):
            if isinstance(array, np.ndarray) and not array.flags.aligned:
                raise KernelError(
                    f"{self.name}: {name} is not aligned to elements of {array.itemsize} bytes; "
                    f"try {name}.copy()"
                )
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


def default_device() -> tuple[Device, Any, HostMemory, Target]:
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
