"""`KernelFunction`: a Python function as a kernel, to look at in every form and to run by hand."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from types import FunctionType
from typing import Any

import numpy as np

from tensorlib.dtypes import DType, as_dtype
from tensorlib.errors import KernelError
from tensorlib.ir import Kernel, current_builder, interpret, text
from tensorlib.ir.builder import fail
from tensorlib.ir.effects import writes
from tensorlib.ir.grid_interpreter import interpret_grid
from tensorlib.lang.atomic import as_annotated
from tensorlib.lang.awaiting import awaited
from tensorlib.lang.extent import Axes, block_shape, launch_shapes
from tensorlib.lang.nested import is_nested, parts_of, spread
from tensorlib.lang.rewrite import rewritten
from tensorlib.lang.shown import KernelMethod, kernel_html
from tensorlib.lang.target import Block, Target, current_target, targeting
from tensorlib.lang.threads import run_grid
from tensorlib.lang.trace import trace
from tensorlib.layouts.dim import Dim, Size
from tensorlib.layouts.layout import Layout
from tensorlib.passes import for_workers, run_passes
from tensorlib.passes.checked import FAULTS
from tensorlib.passes.instructions import instructions
from tensorlib.passes.legalise import legalised
from tensorlib.passes.registration import generation
from tensorlib.printers import PRELUDE, for_opencl, print_c, print_cuda, print_opencl
from tensorlib.printers.walker import noted
from tensorlib.simd import SIMD, SIMDType
from tensorlib.tile import Tile, TileType

__all__ = ["KernelFunction", "written"]


MOST_BOUND = 256  # kernels that one is bound to
_CONSTANT = {int, float, bool, str, bytes, type(None), DType}


def _legal(kernel: Kernel) -> Kernel:
    return legalised(kernel, current_target().vector_bytes)


PRINTERS: dict[str, Callable[[Kernel], str]] = {
    "c": lambda kernel: PRELUDE + print_c(_legal(for_workers(kernel))),
    "cuda": print_cuda,
    "opencl": lambda kernel: print_opencl(for_opencl(kernel)),
}


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
        self.arguments, self.compile_time = _names(function)
        self._traced: dict[Any, Kernel] = {}
        self._flat: dict[Any, KernelFunction] = {}  # by what its arguments are made of
        self._kernels: dict[Any, KernelFunction] = {}  # by compile-time parameters

    @KernelMethod
    def bind(self, **parameters: Any) -> KernelFunction:
        """Return the kernel with these compile-time parameters; raises KernelError for others.

        For numbers, texts, types, layouts and tuples of them it is the same kernel each time, which
        is compiled once. Without any it is a copy, which is traced anew.
        """
        wrong = [name for name in parameters if name not in self.compile_time]
        if wrong:
            known = ", ".join(self.compile_time) or "none"
            raise KernelError(f"{self.name}: got parameter {wrong[0]!r}, needed one of: {known}")
        if not parameters or not all(map(_is_constant, parameters.values())):
            return self._bound(parameters)
        key = _key(parameters), repr(parameters)  # the text tells -0.0 from 0.0, in tuples too
        made = self._kernels.get(key)
        if made is None:
            if len(self._kernels) >= MOST_BOUND:
                self._kernels.clear()
            made = self._kernels[key] = self._bound(parameters)
        return made

    def _bound(self, parameters: Mapping[str, Any]) -> KernelFunction:
        return type(self)(self.function, {**self.parameters, **parameters})

    def __getitem__(self, values: Any) -> KernelFunction:
        """`kernel[BM, BN]`: the compile-time parameters in the order of their definition."""
        given = values if isinstance(values, tuple) else (values,)
        if len(given) > len(self.compile_time):
            raise KernelError(
                f"{self.name}: got {len(given)} values in brackets, "
                f"needed at most {len(self.compile_time)}"
            )
        made: KernelFunction = self.bind(**dict(zip(self.compile_time, given, strict=False)))
        return made

    def __call__(self, *arguments: Any, grid: Axes | None = None, block: Axes | None = None) -> Any:
        """Inside another kernel: run or record this one there, in the same threads."""
        if grid is not None or block is not None:
            raise fail(f"{self.name}: a kernel that a kernel calls runs in its threads, not a grid")
        if current_builder() is None:
            if not any(isinstance(a, (Tile, SIMD)) for a in arguments):
                raise KernelError(f"{self.name}: no launcher here; try .python() or .interpret()")
            return self.function(*arguments, **self.parameters)
        return rewritten(self.function)(*arguments, **self.parameters)

    # every way to see and run it
    def trace(self, *arguments: Any, block: Axes | None = None) -> Kernel:
        """Return the IR of the kernel for arguments of these types (arrays, numbers, types).

        With `block`, the kernel is what each thread of such a block runs.
        """
        if any(map(is_nested, arguments)):
            flat, parts = self.spread(arguments)
            return flat.trace(*parts, block=block)
        types, shape = self._types(arguments), block_shape(self.name, block)
        key = (
            tuple(types.items()), _key(self.parameters), current_target(), shape, generation()
        )  # fmt: skip
        if key not in self._traced:
            self._traced[key] = run_passes(self._recorded(types, shape), is_new=True)
        return self._traced[key]

    def recorded(self, *arguments: Any, block: Axes | None = None) -> Kernel:
        """Return the IR as it was recorded, before any pass."""
        if any(map(is_nested, arguments)):
            flat, parts = self.spread(arguments)
            return flat.recorded(*parts, block=block)
        return self._recorded(self._types(arguments), block_shape(self.name, block))

    def _recorded(self, types: dict[str, Any], shape: Block | None) -> Kernel:
        return trace(self.function, types, self.parameters, name=self.name, block=shape)

    def ir(self, *arguments: Any, block: Axes | None = None) -> str:
        """Return the text of the IR."""
        return text(self.trace(*arguments, block=block))

    def source(self, target: str, *arguments: Any, block: Axes | None = None) -> str:
        """Return the generated source for a target: "c", "cuda" or "opencl".

        Within `targeting(...)` for that target, its vectors and features are used. A comment names
        each line of Python in front of what it became.
        """
        if target not in PRINTERS:
            raise KernelError(
                f"{self.name}: got target {target!r}, needed one of: {', '.join(PRINTERS)}"
            )
        known = current_target()
        with targeting(known if known.name == target else Target(target, 16)), noted():
            kernel = self.trace(*arguments, block=block)
            instructions(kernel, target, current_target().features)
            return PRINTERS[target](kernel)

    def interpret(
        self, *arguments: Any, grid: Axes | None = None, block: Axes | None = None
    ) -> None:
        """Run the IR in the interpreter, which checks every access; arrays are written in place."""
        shapes = launch_shapes(self.name, grid, block)
        kernel = self.trace(*arguments, block=block)
        values = self.values(arguments)
        given = [values[p.name] for p in kernel.parameters]
        if shapes is None:
            interpret(kernel, given)
        else:
            interpret_grid(kernel, given, shapes[0])

    def python(self, *arguments: Any, grid: Axes | None = None, block: Axes | None = None) -> None:
        """Run the function itself, in Python: step through it in a debugger.

        The threads of a block run one at a time, each until it waits for others.
        """
        if any(map(is_nested, arguments)):
            flat, parts = self.spread(arguments)
            flat.python(*parts, grid=grid, block=block)
            return
        shapes, types = launch_shapes(self.name, grid, block), self._types(arguments)
        given = {
            name: Tile.over(a, name) if isinstance(a, np.ndarray) else types[name](a)
            for name, a in zip(self.arguments, arguments, strict=True)
        }
        values = as_annotated(self.function, given).values()

        def run() -> None:
            awaited(self.function(*values, **self.parameters))

        if shapes is None:
            run()
        else:
            run_grid(run, *shapes)

    # arguments
    def spread(self, arguments: tuple[Any, ...]) -> tuple[KernelFunction, tuple[Any, ...]]:
        """Return the kernel of all parts of dataclasses and tuples, and the parts."""
        self._checked(arguments)
        names = tuple(
            n for a, v in zip(self.arguments, arguments, strict=True) for n, _ in parts_of(a, v)
        )
        key = tuple(map(type, arguments)), names
        function, parts = spread(self.function, self.arguments, arguments)
        if key not in self._flat:
            self._flat[key] = type(self)(function, self.parameters)
        return self._flat[key], parts

    def values(self, arguments: tuple[Any, ...]) -> dict[str, Any]:
        """Return the value of each kernel argument by its name: arrays, sizes, numbers."""
        if any(map(is_nested, arguments)):
            flat, parts = self.spread(arguments)
            return flat.values(parts)
        found: dict[str, Any] = {}
        for name, argument in zip(self.arguments, self._checked(arguments), strict=True):
            found[name] = argument
            if isinstance(argument, int) and not -(1 << 63) <= argument < 1 << 63:
                raise KernelError(
                    f"{self.name}: {name} is {argument}, which does not fit int64; "
                    "try a NumPy scalar of another dtype"
                )
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
        self._check_names(pairs)
        tiles = [a.dtype for _, a in pairs if isinstance(a, (np.ndarray, TileType))]
        floats = [as_dtype(d) for d in tiles if as_dtype(d).is_float]
        number = floats[0] if floats else DType.float64
        return {name: _type(self.name, name, a, number) for name, a in pairs}

    def _check_names(self, pairs: Sequence[tuple[str, Any]]) -> None:
        """Sizes and strides are arguments of the compiled kernel, with names of their own."""
        for name, argument in pairs:
            if not isinstance(argument, (np.ndarray, TileType)):
                continue
            taken = _hidden(name, len(argument.shape)).intersection(self.arguments)
            if taken:
                raise KernelError(
                    f"{self.name}: got an argument called {min(taken)}, which is what the compiled "
                    f"kernel calls something of {name}'s own; try another name"
                )

    def _repr_html_(self) -> str:
        """A notebook shows the source, and the IR of what the kernel was traced for."""
        return kernel_html(repr(self), self.function, self._traced.values())

    def __repr__(self) -> str:
        bound = ", ".join(f"{k}={v!r}" for k, v in self.parameters.items())
        return (
            f"<kernel {self.name}({', '.join(self.arguments)}){f' with {bound}' if bound else ''}>"
        )


def _names(function: Callable[..., Any]) -> tuple[list[str], list[str]]:
    """Return the names of the arguments of a function, and of its keyword-only parameters."""
    code = function.__code__ if isinstance(function, FunctionType) else None
    more = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS
    if code is None or code.co_flags & more or function.__dict__:  # which may name another one
        kinds = inspect.signature(function).parameters.values()
        keyword = [p.name for p in kinds if p.kind is inspect.Parameter.KEYWORD_ONLY]
        return [p.name for p in kinds if p.name not in keyword], keyword
    names, count = code.co_varnames, code.co_argcount
    return list(names[:count]), list(names[count : count + code.co_kwonlyargcount])


def _type(kernel: str, name: str, argument: Any, number: DType) -> TileType | SIMDType:
    """Return the type of an argument."""
    if isinstance(argument, (TileType, SIMDType)):
        return argument
    if isinstance(argument, np.ndarray):
        return _tile_type(name, as_dtype(argument.dtype), argument.ndim)
    if isinstance(argument, np.generic):
        return SIMDType(as_dtype(argument.dtype))
    if isinstance(argument, bool):
        return SIMDType(DType.bool)
    if isinstance(argument, int):
        return SIMDType(DType.int64)
    if isinstance(argument, float):
        return SIMDType(number)
    got = type(argument).__name__
    raise KernelError(
        f"{kernel}: {name} is a {got}, needed an array, a tensor or a number; a parameter behind "
        "the * takes any value, by .bind"
    )


@functools.lru_cache
def _tile_type(name: str, dtype: DType, rank: int) -> TileType:
    """Return the type of a contiguous array whose sizes and strides are arguments."""
    shape: tuple[Size, ...] = tuple(Dim(f"{name}_n{axis}") for axis in range(rank))
    outer: list[Size] = [Dim(f"{name}_stride{axis}") for axis in range(rank - 1)]
    return TileType(dtype, shape, (*outer, 1)[:rank])


def _is_constant(value: Any) -> bool:
    """Tell what equal values can stand for, now and later: nothing of it can change."""
    if type(value) is tuple:
        return all(map(_is_constant, value))
    return type(value) in _CONSTANT or isinstance(value, (type, Enum, Layout))


def _hidden(name: str, rank: int) -> set[str]:
    """Return the names of what a compiled kernel is given along with an array."""
    axes = {f"{name}_{part}{axis}" for part in ("n", "stride") for axis in range(rank)}
    return {f"{name}_size", FAULTS, *axes}


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
