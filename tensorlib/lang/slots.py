"""The places in lists, dicts and objects that a body can change in place, wherever it can reach
them from.
"""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Sequence
from typing import Any

from tensorlib.ir.builder import fail
from tensorlib.lang.python_state import has_state, mark
from tensorlib.lang.pytree import flatten
from tensorlib.lang.undefined import Undefined
from tensorlib.simd import SIMD

__all__ = ["Slots", "is_mutable"]

_SKIPPED = (type, types.ModuleType, types.FunctionType, types.MethodType, types.BuiltinFunctionType)

_NEVER = frozenset(
    {
        SIMD, Undefined, bool, int, float, str, type(None),
        types.FunctionType, types.BuiltinFunctionType, types.ModuleType, type,
    }
)  # fmt: skip


def is_mutable(value: Any) -> bool:
    """Whether `value` is a list, a dict or an object with attributes of a user's class."""
    kind: Any = type(value)
    return _are_mutable(kind)


@functools.lru_cache(maxsize=1024)
def _are_mutable(kind: Any) -> bool:
    if issubclass(kind, (list, dict)):
        return True
    if not (kind.__dictoffset__ or _slots_of(kind)) or issubclass(kind, _SKIPPED):
        return False
    frozen = hasattr(kind, "__dataclass_fields__") and kind.__dataclass_params__.frozen
    is_test = kind.__module__.startswith("tensorlib.tests.")
    return not frozen and (is_test or not kind.__module__.startswith(("tensorlib.", "numpy")))


@functools.lru_cache(maxsize=1024)
def _slots_of(kind: Any) -> tuple[str, ...]:
    """Return the names in `__slots__` of a class and the classes that it is made of."""
    found = [vars(base).get("__slots__", ()) for base in kind.__mro__]
    names = [name for given in found for name in ((given,) if isinstance(given, str) else given)]
    return tuple(n for n in names if not n.startswith("__"))


class Slots:
    """Every place that the functions being traced can reach, with what it holds now.

    Containers are looked for in the local names of all functions up to the tracer, so that a list
    which a called function or a closure changes is carried as well.
    """

    def __init__(self) -> None:
        self.containers: list[tuple[Any, list[Any], str]] = []  # container, its keys, its name
        self.marks: list[tuple[Any, Any, str]] = []  # what only Python changes, its mark and name
        self._seen: set[int] = set()
        frames = _frames()
        for frame in frames:
            for name, value in frame.f_locals.items():
                if type(value) not in _NEVER:  # most are of these
                    self._add(name, value)
        for frame in frames:
            if frame.f_code.co_name.startswith("__body"):
                continue  # the function around it uses all that it does
            for name in _names(frame.f_code):  # a module's dict is taken for a memo
                value = frame.f_globals.get(name)
                if type(value) not in _NEVER and has_state(value):
                    self._watch(name, value)
        self.values = self.read()

    def _add(self, name: str, value: Any) -> None:
        if isinstance(value, tuple):
            for part in value:
                self._add(name, part)
        elif is_mutable(value) and id(value) not in self._seen:
            self._seen.add(id(value))
            items = _items(value)
            self.containers.append((value, [key for key, _ in items], name))
            for _, part in items:
                self._add(name, part)
        elif has_state(value):
            self._watch(name, value)

    def _watch(self, name: str, value: Any) -> None:
        """Remember how something is now that the kernel can't carry."""
        if id(value) not in self._seen:
            self._seen.add(id(value))
            self.marks.append((value, mark(value), name))

    @property
    def names(self) -> list[str]:
        """A name for each place, after the local name that it was reached from."""
        return [f"{name}_{key}" for container, keys, name in self.containers for key in keys]

    def read(self) -> list[Any]:
        """Return what the places hold."""
        return [_get(container, key) for container, keys, _ in self.containers for key in keys]

    def write(self, values: Sequence[Any]) -> None:
        """Set the places."""
        rest = iter(values)
        for container, keys, _ in self.containers:
            made = [(key, next(rest)) for key in keys]
            if isinstance(container, list):
                container[: len(made)] = [value for _, value in made]
            elif isinstance(container, dict):
                for key, value in made:
                    container[key] = value
            else:
                for key, value in made:
                    if getattr(container, key, None) is not value:
                        object.__setattr__(container, key, value)

    def check(self, where: str) -> None:
        """Raise KernelError where something has changed that the kernel can't change.

        That is a container with places lost, or new ones for traced values, a list with any new
        ones, and what only Python can change. A dict or an object may get plain values: a memo.
        """
        found = self.changed()
        if found:
            raise fail(f"{where}: {found}")

    def changed(self) -> str:
        """Return what has changed that the kernel can't change, as an error says it; else ""."""
        for container, keys, name in self.containers:
            now = _items(container)
            new = [value for key, value in now if key not in keys]
            is_other = len(now) - len(new) < len(keys) or (new and isinstance(container, list))
            if is_other or any(isinstance(x, SIMD) for value in new for x in flatten(value)[0]):
                return (
                    f"{name} changes its structure, from {len(keys)} values to {len(now)}"
                    "; at run time it keeps its places: try unroll(...), or stack_allocation"
                )
        for value, before, name in self.marks:
            if mark(value) != before:
                return (
                    f"{name} is a {type(value).__name__} of Python, which changes here once, while "
                    "the kernel is traced, not each time it runs; try unroll(...), or an array"
                )
        return ""


def _items(container: Any) -> list[tuple[Any, Any]]:
    if isinstance(container, list):
        return list(enumerate(container))
    if isinstance(container, dict):
        return list(container.items())
    kind: Any = type(container)
    names = [n for n in _slots_of(kind) if hasattr(container, n)]
    slots = [(name, getattr(container, name)) for name in names]
    return [*slots, *getattr(container, "__dict__", {}).items()]


def _get(container: Any, key: Any) -> Any:
    return container[key] if isinstance(container, (list, dict)) else getattr(container, key)


# By id, since to hash a code object takes as long as to walk it; each holds its code object.
_NAMES: dict[int, tuple[types.CodeType, tuple[str, ...]]] = {}


def _names(code: types.CodeType) -> tuple[str, ...]:
    """Return the names beside local ones that a function and those defined in it use."""
    known = _NAMES.get(id(code))
    if known is None:
        inner = [c for c in code.co_consts if isinstance(c, types.CodeType)]
        names = dict.fromkeys(name for c in inner for name in _names(c))
        known = _NAMES[id(code)] = code, tuple(names | dict.fromkeys(code.co_names))
    return known[1]


def _frames() -> list[types.FrameType]:
    """Return the frames of the functions being traced, the innermost first."""
    found: list[types.FrameType] = []
    frame: types.FrameType | None = sys._getframe(2)
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module == "tensorlib.lang.trace":
            break
        if not module.startswith("tensorlib.lang."):
            found.append(frame)
        frame = frame.f_back
    return found
