"""Traces a Python function over typed arguments into a kernel of IR."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from inspect import isgenerator
from typing import Any

from tensorlib.errors import KernelError, SourceLocation, caret
from tensorlib.ir.builder import Builder
from tensorlib.ir.core import Kernel, Value
from tensorlib.ir.types import INDEX, PointerType, VectorType
from tensorlib.lang.atomic import as_annotated
from tensorlib.lang.awaiting import awaited
from tensorlib.lang.pytree import flatten
from tensorlib.lang.refusal import located_errors, origin
from tensorlib.lang.rewrite import rewritten
from tensorlib.lang.target import Block, in_blocks_of
from tensorlib.layouts.dim import Dim
from tensorlib.simd import SIMD, SIMDType
from tensorlib.tile import Tile, TileType

__all__ = ["trace"]


def trace(
    function: Callable[..., Any],
    arguments: Mapping[str, Any],
    parameters: Mapping[str, Any] | None = None,
    *,
    name: str = "",
    order: Sequence[str] = (),
    block: Block | None = None,
) -> Kernel:
    """Return the kernel that `function` records when called with `arguments` and `parameters`.

    `arguments` maps names to TileType, SIMDType, Dim or nests (tuples, dataclasses) of them; each
    symbol of a Dim is an int64 argument of the kernel. `parameters` are compile-time values.
    `order` names all kernel arguments in calling order; without it they come as first met.
    `block` is the shape of a block of threads, for a kernel that each thread of a grid runs.
    """
    signature = _Signature()
    builder = Builder()
    shown = name or function.__name__
    with in_blocks_of(block), builder.active(), builder.block() as body, located_errors(shown):
        bound = {key: signature.bind(key, value) for key, value in arguments.items()}
        given = as_annotated(function, bound)
        result = awaited(rewritten(function)(**given, **(parameters or {})))
    if result is not None:
        raise _returned(shown, function, result)
    body.parameters = signature.ordered(order)
    attributes = {"block": block} if block is not None else {}
    return Kernel(name or re.sub(r"\W", "_", function.__name__, flags=re.ASCII), body, attributes)


def _returned(name: str, function: Callable[..., Any], result: Any) -> KernelError:
    code = getattr(function, "__code__", None)
    where = ""
    if isinstance(result, SIMD) and isinstance(result.value, Value):
        where = origin(result.type, result.value.operation)
    elif code is not None:
        where = f"\n{caret(SourceLocation(code.co_filename, code.co_firstlineno, 0, 0, name))}"
    what = "a kernel can't yield" if isgenerator(result) else "a kernel returns nothing"
    return KernelError(f"{name}: {what}; store into a tile{where}")


class _Signature:
    """The kernel's arguments as they are met: pointers, scalars, and one int64 for each Dim."""

    def __init__(self) -> None:
        self.values: dict[str, Value] = {}

    def bind(self, name: str, value: Any) -> Any:
        """Return what the function sees for an argument of this type."""
        if type(value) in (TileType, SIMDType):
            return self._leaf(name, value)
        leaves, rebuild = flatten(value, lambda x: isinstance(x, (TileType, SIMDType)))
        if len(leaves) == 1 and leaves[0] is value:
            return self._leaf(name, value)
        # Argument names of nests are the leaf's own, or name.0, name.1, ...
        made = [self._leaf(f"{name}{i}", leaf) for i, leaf in enumerate(leaves)]
        return rebuild(iter(made))

    def _leaf(self, name: str, kind: Any) -> Any:
        if isinstance(kind, SIMDType):
            return SIMD.of(self._value(name, VectorType(kind.dtype, kind.width)))
        if isinstance(kind, TileType):
            return self._tile(name, kind)
        if isinstance(kind, Dim):
            return self._size(kind)
        return kind  # a compile-time value inside a nest

    def _tile(self, name: str, kind: TileType) -> Tile:
        pointer = self._value(name, PointerType(kind.dtype, kind.placement))
        sizes = [self._size(n) for n in (*kind.shape, *kind.stride, kind.offset)]
        rank = len(kind.shape)
        shape, stride, offset = sizes[:rank], sizes[rank:-1], sizes[-1]
        return Tile(pointer, kind.dtype, shape, stride, offset, kind.placement)

    def _size(self, size: Any) -> Any:
        if isinstance(size, tuple):  # of a nested layout
            return tuple(map(self._size, size))
        if isinstance(size, int):
            return size
        names = {n: SIMD.of(self._value(n, INDEX)) for n in sorted(size.symbols)}
        result: int | SIMD = size.evaluate(names)
        return result

    def _value(self, name: str, kind: Any) -> Value:
        if name not in self.values:
            is_plain = name.isascii() and name.isidentifier()
            self.values[name] = Value(kind, None, name if is_plain else re.sub(r"\W", "_", name))
        return self.values[name]

    def ordered(self, order: Sequence[str]) -> list[Value]:
        missing = [n for n in self.values if order and n not in order]
        assert not missing, f"arguments without a place: {missing}"
        for name in order:  # a size that the kernel does not use is an argument all the same
            self._value(name, INDEX)
        return [self.values[n] for n in order] if order else list(self.values.values())
