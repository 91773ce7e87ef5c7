"""Calls of kernels whose arguments C itself reads out of Python's objects: see objects.c.

They are there where the runtime is an extension module of a CPython with the GIL, and where NumPy's
arrays and numbers are found to lie in memory as objects.c reads them.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import struct
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tensorlib.errors import BackendError

__all__ = ["MODULE", "ObjectCalls", "array_rule", "imported", "missing", "object_calls"]

MODULE = "_tensorlib_c_objects"
C_CONTIGUOUS, ALIGNED, WRITEABLE = 0x1, 0x100, 0x400  # NumPy's flags
NUMBERS = (
    "bool_", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float32", "float64",
)  # fmt: skip

ArgumentRule = tuple[str, object, int, int, int]  # letter, kind, rank, flags, itemsize
WordRule = tuple[str, int, int]  # letter, argument, axis


def missing() -> str:
    """Return why this Python can't have such calls, "" where it can."""
    if sys.implementation.name != "cpython":
        return f"Python is {sys.implementation.name}, needed CPython"
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        return "Python has no GIL"
    return ""


def imported(name: str, path: Path) -> Any:
    """Return the module called `name` of the shared object at `path`, which may hold several."""
    loader = importlib.machinery.ExtensionFileLoader(name, str(path))
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


class ObjectCalls:
    """Makes functions that call one kernel with a tuple of arguments like those of its rules."""

    __slots__ = ("_module",)

    def __init__(self, module: Any) -> None:
        self._module = module

    def quick(
        self,
        address: int,
        workers: int,
        block: Sequence[int],
        arguments: Sequence[ArgumentRule],
        words: Sequence[WordRule],
    ) -> Any:
        """Return a function of (arguments, grid, block) that runs the kernel at `address`.

        It returns True when the kernel ran, False where the arguments are not like their rules, and
        (site, index) of the first fault; it raises BackendError. `block` is zeros for a kernel
        without a grid. The letters of rules are explained in objects.c; a rule that would read
        outside an object raises ValueError.
        """
        return self._module.quick_call(
            address, workers, tuple(block), np.ndarray, BackendError, tuple(arguments), tuple(words)
        )


def object_calls(path: Path) -> tuple[ObjectCalls | None, str]:
    """Return the calls of the extension at `path`, or None and why they can't be had."""
    reason = missing()
    if reason:
        return None, reason
    module = imported(MODULE, path)
    reason = disproved(module)
    return (None, reason) if reason else (ObjectCalls(module), "")


def array_rule(array: np.ndarray[Any, Any], is_written: bool) -> ArgumentRule:
    """Return what an argument must be to be like this array."""
    flags = C_CONTIGUOUS | ALIGNED | (WRITEABLE if is_written else 0)
    return "a", array.dtype, array.ndim, flags, array.itemsize


# ---- the proof ----


def disproved(module: Any) -> str:
    """Return in what NumPy's objects differ from what objects.c reads, "" if in nothing.

    Addresses that lie in an array are followed only when everything around them is right.
    """
    calls = ObjectCalls(module)
    for array in _arrays():
        if module.fields(array) != _fields(array):
            return "NumPy's arrays are laid out in another way"
    for array in _arrays():
        letters = [("d", 0), ("c", 0), *((c, axis) for c in "zt" for axis in range(array.ndim))]
        if _echo(calls, module, ("a", array.dtype, array.ndim, 0, array.itemsize), array, letters):
            continue
        return "NumPy's shapes are laid out in another way"
    for name in NUMBERS:
        if not all(_number_is_read(calls, module, value) for value in _values(name)):
            return f"NumPy's {name} is laid out in another way"
    return ""


def _arrays() -> Iterator[np.ndarray[Any, Any]]:
    yield np.zeros(())
    yield np.arange(5, dtype=np.float32)
    yield np.zeros((2, 3, 7), np.int16)
    yield np.zeros((2, 3, 7), np.uint8)[1:, ::-1, ::2].T
    fixed = np.zeros((3, 0), np.complex128)
    fixed.flags.writeable = False
    yield fixed


def _fields(array: np.ndarray[Any, Any]) -> tuple[int, ...]:
    base = 0 if array.base is None else id(array.base)
    address = int(array.__array_interface__["data"][0])
    return address, array.ndim, base, id(array.dtype), array.flags.num


def _values(name: str) -> Iterator[Any]:
    kind = getattr(np, name)
    if kind is np.bool_:
        yield from (kind(False), kind(True))
    elif issubclass(kind, np.integer):
        info = np.iinfo(kind)
        yield from (kind(n) for n in (info.min, 0, 1, 77, info.max))
    else:
        yield from (kind(x) for x in (0.0, -0.0, 1.5, -3e30, np.inf))


def _number_is_read(calls: ObjectCalls, module: Any, value: Any) -> bool:
    letter = {"i": "n", "f": "r"}.get(value.dtype.kind, "u")
    return _echo(calls, module, (letter, type(value), 0, 0, value.itemsize), value, [("v", 0)])


def _echo(
    calls: ObjectCalls,
    module: Any,
    rule: ArgumentRule,
    argument: Any,
    letters: Sequence[tuple[str, int]],
) -> bool:
    """Whether a call hands over the words of an argument as Python itself gives them."""
    heard = np.zeros(1 + len(letters), np.uint64)
    rules = [array_rule(heard, is_written=True), rule]
    words = [("d", 0, 0), ("c", 0, 0), *((letter, 1, axis) for letter, axis in letters)]
    call = calls.quick(module.echo_address(), 1, (0, 0, 0), rules, words)
    ran = call((heard, argument), None, None)
    said = [_word(argument, letter, axis) & (1 << 64) - 1 for letter, axis in letters]
    return ran is True and heard[1:].tolist() == said


def _word(argument: Any, letter: str, axis: int) -> int:
    if letter == "d":
        return int(argument.__array_interface__["data"][0])
    if letter == "c":
        return int(argument.size)
    if letter == "z":
        return int(argument.shape[axis])
    if letter == "t":
        return int(argument.strides[axis]) // int(argument.itemsize)
    if argument.dtype.kind != "f":
        return int(argument)
    code, word = ("=f", "=I") if argument.itemsize == 4 else ("=d", "=Q")
    return int(struct.unpack(word, struct.pack(code, argument))[0])
