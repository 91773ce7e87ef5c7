"""The short way into a compiled kernel: for arguments like those of a call before."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tensorlib.dtypes import DType, as_dtype
from tensorlib.ir import Kernel, PointerType, VectorType
from tensorlib.ir.core import walk
from tensorlib.passes.checked import FAULTS

__all__ = ["Quick", "quick_call"]

# Called with arguments, grid and block. True: the kernel ran; False: they need the long way;
# (site, index): a check ended the kernel.
Quick = Callable[[tuple[Any, ...], Any, Any], Any]

C_CONTIGUOUS, ALIGNED, WRITEABLE = 0x1, 0x100, 0x400  # NumPy's flags of an array

Argument = tuple[str, Any, int, int, int]  # letter, kind, rank, flags, itemsize
Word = tuple[str, int, int]  # letter, argument, axis

_PARTS = {"n": "z", "stride": "t", "size": "c"}
_FORMATS = {DType.int64: "q", DType.float32: "f", DType.float64: "d"}


def quick_call(
    names: Sequence[str],
    arguments: Sequence[Any],
    kernel: Kernel,
    written: set[str],
    calls: Callable[[str], Any],
) -> Quick | None:
    """Return a function that calls `kernel` with arguments like these, or None if they are unusual.

    It looks at class, dtype, rank and flags of each argument. `calls(formats)` is what the backend
    offers for it, see `backends.c.calls`: it reads the objects itself, or is given what a function
    reads that is written as source here, so that a call does only what these arguments need.
    """
    kinds = {p.name: p.type for p in kernel.parameters}
    rows = [_argument(a, kinds.get(n), n in written) for n, a in zip(names, arguments, strict=True)]
    words = [_word(p.name, p.type, names) for p in kernel.parameters]
    shape = kernel.attributes.get("block")
    if shape:
        words += [("g", 0, axis) for axis in range(3)]
    known = [row for row in rows if row is not None]
    sources = [word for word in words if word is not None]
    if len(known) < len(rows) or len(sources) < len(words):
        return None
    formats = "".join(_format(word, kinds, names) for word in sources)
    offered = calls(formats)
    serial = not shape and not any(o.attributes.get("parallel") for o in walk(kernel.body))
    made: Quick | None = offered.objects(shape or (0, 0, 0), known, sources, serial)
    if made is not None or shape or any(row[0] not in "aif" for row in known):
        return made
    packed = offered.packed(serial)
    return None if packed is None else _generated(known, sources, packed)


def _argument(argument: Any, kind: Any, is_written: bool) -> Argument | None:
    """Return what an argument must be to be like this one, in the letters of objects.c."""
    if type(argument) is np.ndarray:
        flags = C_CONTIGUOUS | ALIGNED | (WRITEABLE if is_written else 0)
        usual = argument.flags.aligned and isinstance(kind, PointerType) and argument.itemsize > 0
        return ("a", argument.dtype, argument.ndim, flags, argument.itemsize) if usual else None
    if not isinstance(kind, VectorType):
        return None
    dtype = kind.dtype
    if type(argument) is float and dtype in (DType.float32, DType.float64):
        return "f", float, 0, 0, dtype.itemsize
    if type(argument) is int and dtype is DType.int64:
        return "i", int, 0, 0, 8
    if type(argument) is bool and dtype is DType.bool:
        return "b", bool, 0, 0, 1
    if not isinstance(argument, np.generic) or as_dtype(argument.dtype) is not dtype:
        return None
    if argument.dtype.kind not in "biuf" or dtype is DType.float16:
        return None
    letter = {"i": "n", "f": "r"}.get(argument.dtype.kind, "u")
    return letter, type(argument), 0, 0, argument.itemsize


def _word(name: str, kind: Any, names: Sequence[str]) -> Word | None:
    """Return where a word of the kernel comes from, in the letters of objects.c."""
    if name == FAULTS:
        return "!", 0, 0
    if name in names:
        return "d" if isinstance(kind, PointerType) else "v", names.index(name), 0
    part = re.fullmatch(r"(.*)_(n|stride|size)(\d*)", name)
    if part is None or part[1] not in names:
        return None
    return _PARTS[part[2]], names.index(part[1]), int(part[3] or 0)


def _format(word: Word, kinds: dict[str, Any], names: Sequence[str]) -> str:
    """Return the letter of one word for calls that are given what Python read."""
    letter, place, _ = word
    if letter == "v":
        return _FORMATS.get(kinds[names[place]].dtype, "q")
    return {"d": "*", "!": "!"}.get(letter, "q")


# ---- calls that are given what Python read ----


def _generated(arguments: list[Argument], words: list[Word], packed: Any) -> Quick:
    space = {"packed": packed, "ndarray": np.ndarray, "StructError": struct.error}
    space |= {f"d{i}": row[1] for i, row in enumerate(arguments)}
    numbers = "".join(f"{_text(w, arguments)}, " for w in words if w[0] not in "d!")
    arrays = "".join(f"a{place}, " for letter, place, _ in words if letter == "d")
    given = "".join(f"a{i}, " for i in range(len(arguments)))
    source = f"""
def quick(arguments, grid, block):
    if len(arguments) != {len(arguments)} or grid is not None or block is not None:
        return False
    {given or "_"} = arguments
    if not ({" and ".join(map(_test, range(len(arguments)), arguments)) or "True"}):
        return False
    try:
        return packed(({numbers}), ({arrays}))
    except StructError:
        return False
"""
    exec(compile(source, "<quick call>", "exec"), space)
    made: Quick = space["quick"]
    return made


def _test(place: int, row: Argument) -> str:
    """Return the condition under which an argument is as its row says."""
    letter, _, rank, flags, _ = row
    if letter != "a":
        return f"a{place}.__class__ is d{place}"
    kind = "carray" if flags & WRITEABLE else "c_contiguous"
    return (
        f"a{place}.__class__ is ndarray and a{place}.dtype is d{place} "
        f"and a{place}.ndim == {rank} and a{place}.flags.{kind} and a{place}.flags.aligned"
    )


def _text(word: Word, arguments: list[Argument]) -> str:
    """Return one number of the call as source."""
    letter, place, axis = word
    return {
        "v": f"a{place}",
        "z": f"a{place}.shape[{axis}]",
        "t": f"a{place}.strides[{axis}] // {arguments[place][4]}",
        "c": f"a{place}.size",
    }[letter]
