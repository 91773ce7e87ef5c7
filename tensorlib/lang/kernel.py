"""`KernelFunction`: a Python function as a kernel, to look at in every form and to run by hand."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tensorlib.dtypes import DType, as_dtype
from tensorlib.errors import KernelError
from tensorlib.ir import Kernel, current_builder, interpret, text
from tensorlib.ir.effects import writes
from tensorlib.lang.rewrite import rewritten
from tensorlib.lang.target import current_target
from tensorlib.lang.trace import trace
from tensorlib.layouts.dim import Dim, Size
from tensorlib.passes import run_passes
from tensorlib.printers import PRELUDE, print_c
from tensorlib.simd import SIMDType
from tensorlib.tile import Tile, TileType

__all__ = ["KernelFunction", "written"]

PRINTERS: dict[str, Callable[[Kernel], str]] = {"c": lambda kernel: PRELUDE + print_c(kernel)}


class KernelFunction:
    """A function over tiles and scalars; its keyword-only parameters are compile-time values.

    Arguments given as arrays become tiles (C-contiguous, any rank), numbers become scalars: ints
    int64, floats the dtype of the first float array. `bind(width=8)` or brackets set parameters.
    """

    def __init__(
        self, function: Callable[..., Any], parameters: Mapping[str, Any] | None = None
    ) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.parameters = dict(parameters or {})
        self.name = getattr(function, "__name__", "kernel")
        kinds = inspect.signature(function).parameters.values()
        keyword = inspect.Parameter.KEYWORD_ONLY
        self.compile_time = [p.name for p in kinds if p.kind is keyword]
        self.arguments = [p.name for p in kinds if p.kind is not keyword]
        self._traced: dict[Any, Kernel] = {}

    def bind(self, **parameters: Any) -> KernelFunction:
        """Return the kernel with these compile-time parameters; raises KernelError for others."""
        wrong = [name for name in parameters if name not in self.compile_time]
        if wrong:
            known = ", ".join(self.compile_time) or "none"
            raise KernelError(f"{self.name}: got parameter {wrong[0]!r}, needed one of: {known}")
        return type(self)(self.function, {**self.parameters, **parameters})

    def __getitem__(self, values: Any) -> KernelFunction:
        """`kernel[BM, BN]`: the compile-time parameters in the order of their definition."""
        given = values if isinstance(values, tuple) else (values,)
        if len(given) > len(self.compile_time):
            raise KernelError(
                f"{self.name}: got {len(given)} values in brackets, "
                f"needed at most {len(self.compile_time)}"
            )
        return self.bind(**dict(zip(self.compile_time, given, strict=False)))

    def __call__(self, *arguments: Any) -> Any:
        """Inside another kernel: record this one there."""
        if current_builder() is None:
            raise KernelError(f"{self.name}: no launcher here; try .python() or .interpret()")
        return rewritten(self.function)(*arguments, **self.parameters)

    # every way to see and run it
    def trace(self, *arguments: Any) -> Kernel:
        """Return the IR of the kernel for arguments of these types (arrays, numbers, types)."""
        types = self._types(arguments)
        key = (tuple(types.items()), _key(self.parameters), current_target())
        if key not in self._traced:
            kernel = trace(self.function, types, self.parameters, name=self.name)
            self._traced[key] = run_passes(kernel)
        return self._traced[key]

    def ir(self, *arguments: Any) -> str:
        """Return the text of the IR."""
        return text(self.trace(*arguments))

    def source(self, target: str, *arguments: Any) -> str:
        """Return the generated source for a target: "c"."""
        if target not in PRINTERS:
            raise KernelError(
                f"{self.name}: got target {target!r}, needed one of: {', '.join(PRINTERS)}"
            )
        return PRINTERS[target](self.trace(*arguments))

    def interpret(self, *arguments: Any) -> None:
        """Run the IR in the interpreter, which checks every access; arrays are written in place."""
        kernel = self.trace(*arguments)
        values = self.values(arguments)
        interpret(kernel, [values[p.name] for p in kernel.parameters])

    def python(self, *arguments: Any) -> None:
        """Run the function itself, in Python: step through it in a debugger."""
        types = self._types(arguments)
        given = [
            Tile.over(a, name) if isinstance(a, np.ndarray) else types[name](a)
            for name, a in zip(self.arguments, arguments, strict=True)
        ]
        self.function(*given, **self.parameters)

    # arguments
    def values(self, arguments: tuple[Any, ...]) -> dict[str, Any]:
        """Return the value of each kernel argument by its name: arrays, sizes, numbers."""
        found: dict[str, Any] = {}
        for name, argument in zip(self.arguments, self._checked(arguments), strict=True):
            found[name] = argument
            if isinstance(argument, np.ndarray):
                for axis, (size, stride) in enumerate(
                    zip(argument.shape, argument.strides, strict=True)
                ):
                    found[f"{name}_n{axis}"] = size
                    found[f"{name}_stride{axis}"] = stride // argument.itemsize
        return found

    def _checked(self, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        if len(arguments) != len(self.arguments):
            raise KernelError(
                f"{self.name}: got {len(arguments)} arguments, "
                f"needed {len(self.arguments)}: {', '.join(self.arguments)}"
            )
        for name, argument in zip(self.arguments, arguments, strict=True):
            if isinstance(argument, np.ndarray) and not argument.flags.c_contiguous:
                raise KernelError(
                    f"{self.name}: {name} is not C-contiguous; try np.ascontiguousarray({name})"
                )
        return arguments

    def _types(self, arguments: tuple[Any, ...]) -> dict[str, Any]:
        pairs = list(zip(self.arguments, self._checked(arguments), strict=True))
        tiles = [a.dtype for _, a in pairs if isinstance(a, (np.ndarray, TileType))]
        floats = [as_dtype(d) for d in tiles if as_dtype(d).is_float]
        number = floats[0] if floats else DType.float64
        return {name: _type(self.name, name, a, number) for name, a in pairs}

    def __repr__(self) -> str:
        bound = ", ".join(f"{k}={v!r}" for k, v in self.parameters.items())
        return (
            f"<kernel {self.name}({', '.join(self.arguments)}){f' with {bound}' if bound else ''}>"
        )


def _type(kernel: str, name: str, argument: Any, number: DType) -> TileType | SIMDType:
    """Return the type of an argument."""
    if isinstance(argument, (TileType, SIMDType)):
        return argument
    if isinstance(argument, np.ndarray):
        rank = argument.ndim
        shape: tuple[Size, ...] = tuple(Dim(f"{name}_n{axis}") for axis in range(rank))
        outer: list[Size] = [Dim(f"{name}_stride{axis}") for axis in range(rank - 1)]
        return TileType(as_dtype(argument.dtype), shape, (*outer, 1)[:rank])
    if isinstance(argument, np.generic):
        return SIMDType(as_dtype(argument.dtype))
    if isinstance(argument, bool):
        return SIMDType(DType.bool)
    if isinstance(argument, int):
        return SIMDType(DType.int64)
    if isinstance(argument, float):
        return SIMDType(number)
    got = type(argument).__name__
    raise KernelError(f"{kernel}: {name} is a {got}, needed an array, a tensor or a number")


def _key(parameters: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return a key of compile-time values: by value where they hash, else by identity."""
    found: list[Any] = []
    for name, value in parameters.items():
        try:
            hash(value)
            found.append((name, type(value), value))
        except TypeError:
            found.append((name, id(value)))
    return tuple(found)


def written(kernel: Kernel) -> set[str]:
    """Return the names of the pointers that a kernel stores through."""
    pointers = set().union(*(writes(o) for o in kernel.body.operations))
    return {p.name for p in kernel.parameters if p in pointers}
