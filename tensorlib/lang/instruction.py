"""`@instruction`: a Python function as the meaning of a hardware instruction that targets spell."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tensorlib.dtypes import DType
from tensorlib.ir.builder import Builder, current_builder, fail
from tensorlib.ir.core import Value
from tensorlib.ir.instructions import InstructionRow, missing, register
from tensorlib.lang.rewrite import rewritten
from tensorlib.lang.target import current_target
from tensorlib.simd import SIMD, SIMDType, lift
from tensorlib.tile import Tile

__all__ = ["Instruction", "instruction"]

TARGETS = ("c", "cuda", "opencl")
Names = str | Sequence[str]


class Instruction:
    """A function over SIMD values, tiles and compile-time values that hardware has ready-made.

    Called with numbers, and in the interpreter, it runs its body; printed for a target it is the
    target's spelling. So the body is the instruction's meaning, and tests compare the two.
    """

    def __init__(self, function: Callable[..., Any], row: InstructionRow) -> None:
        functools.update_wrapper(self, function)
        self.function, self.row = function, row
        self._signature = inspect.signature(function)

    @property
    def is_native(self) -> bool:
        """Whether the target of the kernel being built spells it and has what it needs."""
        target = current_target()
        return not missing(self.row, target.name, target.features)

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        builder = current_builder()
        if builder is None:
            return self.function(*arguments, **keywords)
        bound = self._signature.bind(*arguments, **keywords)
        bound.apply_defaults()
        operands, texts = _operands(self.row.name, builder, bound.arguments)
        with builder.block() as body:
            result = rewritten(self.function)(*bound.args, **bound.kwargs)
            results = [] if result is None else [lift(_one(self.row.name, result))]
            builder.emit("yield", results)
        attributes = {"name": self.row.name, "arguments": texts, "types": [v.type for v in results]}
        made = builder.emit("instruction", operands, attributes, [body])
        return SIMD.of(made[0]) if made else None

    def __repr__(self) -> str:
        return f"<instruction {self.row.name} for {', '.join(self.row.spellings) or 'no target'}>"


def instruction(
    *,
    c: str = "",
    cuda: str = "",
    opencl: str = "",
    requires: Names | Mapping[str, Names] = (),
    headers: Names = (),
    portable: bool = False,
) -> Callable[[Callable[..., Any]], Instruction]:
    """Return a decorator that makes a function an instruction, its body being the meaning.

    `c`, `cuda` and `opencl` spell it: text in which `{name}` stands for an argument (a SIMD value
    by its name, a tile by the address of its first element, anything else by `str`) and `{type}`
    for the type of the result. A function that returns nothing is spelled as a statement.
    `requires` names features of the device (`"avx512_vnni"`, `"sm_80"`), for all targets or by
    target. Where a target lacks it, a `portable` instruction runs its body; others are an error.

    >>> @instruction(c="({type})_mm_rsqrt_ps((__m128){x})", headers="xmmintrin.h", portable=True)
    ... def fast_rsqrt(x: SIMD) -> SIMD:
    ...     return 1 / x.sqrt()
    >>> fast_rsqrt(SIMD["float32", 1](4.0))
    SIMD[float32, 1](0.5)
    """
    spellings = dict(zip(TARGETS, (c, cuda, opencl), strict=True))
    spellings = {target: text for target, text in spellings.items() if text}
    if isinstance(requires, Mapping):
        needs = {target: _names(names) for target, names in requires.items()}
        wrong = [target for target in needs if target not in TARGETS]
        if wrong:
            raise fail(f"instruction: got requires for {wrong[0]!r}, needed one of {TARGETS}")
    else:
        needs = {target: _names(requires) for target in spellings}

    def decorated(function: Callable[..., Any]) -> Instruction:
        name = f"{function.__module__}.{function.__qualname__}"
        row = InstructionRow(name, spellings, needs, _names(headers), portable)
        return Instruction(function, register(row))

    return decorated


def _names(names: Names) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


def _one(name: str, result: Any) -> SIMD:
    if not isinstance(result, SIMD):
        raise fail(f"{name}: got a {type(result).__name__} from the body, needed one SIMD value")
    return result


def _operands(
    name: str, builder: Builder, arguments: Mapping[str, Any]
) -> tuple[list[Value], tuple[str, ...]]:
    """Return the operands of the arguments, and for each argument what it is made of."""
    operands: list[Value] = []
    texts: list[str] = []
    for key, value in arguments.items():
        if isinstance(value, SIMD):
            operands.append(lift(value))
            texts.append(f"{key}=value")
        elif isinstance(value, Tile):
            if not isinstance(value.pointer, Value):
                raise fail(f"{name}: {key} is a tile outside this kernel")
            operands += [value.pointer, lift(SIMDType(DType.int64)(value.offset))]
            texts.append(f"{key}=address")
        else:
            texts.append(f"{key}=#{value}")
    return operands, tuple(texts)
