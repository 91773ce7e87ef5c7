"""The short way into a compiled kernel: for arguments like those of the call before."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tensorlib.dtypes import DType
from tensorlib.ir import Kernel, PointerType
from tensorlib.passes.checked import FAULTS

__all__ = ["Quick", "quick_call"]

# Runs the kernel and returns True; returns False where the arguments need the long way.
Quick = Callable[[Sequence[Any]], bool]
Fault = Callable[[int, int, Sequence[Any]], Exception]

_LETTERS = {DType.int64: "q", DType.float32: "f", DType.float64: "d"}
_CLASSES = {DType.int64: int, DType.float32: float, DType.float64: float}
_MOST_ARRAYS = 8


def quick_call(
    names: Sequence[str],
    arguments: Sequence[Any],
    kernel: Kernel,
    written: set[str],
    packed: Callable[[str], Any],
    fault: Fault,
) -> Quick | None:
    """Return a function that calls `kernel` with arguments like these, or None if they are unusual.

    It looks at class, dtype, rank and flags of each argument, and gives the words of the kernel to
    what `packed(formats)` returns, see `backends.c.calls`. It is written as source, so that a call
    does only what these arguments need.
    """
    found = [_spelled(p.name, p.type, names, arguments) for p in kernel.parameters]
    if None in found or not all(map(_is_usual, arguments)):
        return None
    words = [word for word in found if word is not None]
    formats = "".join(letter for letter, _ in words)
    if formats.count("*") > _MOST_ARRAYS:
        return None
    numbers = ", ".join(text for letter, text in words if letter not in "*!")
    arrays = ", ".join(text for letter, text in words if letter == "*")
    given = ", ".join(f"a{i}" for i in range(len(names)))
    space: dict[str, Any] = {"call": packed(formats), "fault": fault, "ndarray": np.ndarray}
    tests = [
        _test(i, n in written, a, space)
        for i, (n, a) in enumerate(zip(names, arguments, strict=True))
    ]
    source = f"""
def quick(arguments):
    if len(arguments) != {len(names)}:
        return False
    {given}{"," if names else "_ = ()"} = arguments
    if not ({" and ".join(tests) or "True"}):
        return False
    try:
        site, index = call(({numbers}{"," if numbers else ""}), ({arrays}{"," if arrays else ""}))
    except StructError:
        return False
    if site:
        raise fault(site, index, arguments)
    return True
"""
    space["StructError"] = struct.error
    exec(compile(source, "<quick call>", "exec"), space)
    made: Quick = space["quick"]
    return made


def _is_usual(argument: Any) -> bool:
    if isinstance(argument, np.ndarray):
        return type(argument) is np.ndarray and argument.dtype.kind in "biuf"
    return type(argument) in (int, float)


def _spelled(
    name: str, kind: Any, names: Sequence[str], arguments: Sequence[Any]
) -> tuple[str, str] | None:
    """Return letter and text of one word of the kernel's arguments, see `packed_call`."""
    if name == FAULTS:
        return "!", ""
    if name in names:
        place = names.index(name)
        if isinstance(kind, PointerType):
            return "*", f"a{place}"
        if kind.dtype not in _LETTERS or type(arguments[place]) is not _CLASSES[kind.dtype]:
            return None
        return _LETTERS[kind.dtype], f"a{place}"
    part = re.fullmatch(r"(.*)_(n|stride|size)(\d*)", name)
    if part is None or part[1] not in names:
        return None
    place = names.index(part[1])
    text = {
        "n": f"a{place}.shape[{part[3]}]",
        "stride": f"a{place}.strides[{part[3]}] // {getattr(arguments[place], 'itemsize', 1)}",
        "size": f"a{place}.size",
    }[part[2]]
    return "q", text


def _test(place: int, is_written: bool, argument: Any, space: dict[str, Any]) -> str:
    """Return the condition under which an argument is like the one that was given."""
    name = f"a{place}"
    if not isinstance(argument, np.ndarray):
        return f"{name}.__class__ is {type(argument).__name__}"
    space[f"d{place}"] = argument.dtype
    flags = "carray" if is_written else "c_contiguous"
    return (
        f"{name}.__class__ is ndarray and {name}.dtype is d{place} "
        f"and {name}.ndim == {argument.ndim} and {name}.flags.{flags}"
    )
