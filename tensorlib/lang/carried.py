"""The values that loops and branches carry: which of them change, and with which type."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tensorlib.dtypes import DType
from tensorlib.ir.builder import Builder, fail
from tensorlib.ir.core import Block, Value
from tensorlib.ir.types import Type, VectorType
from tensorlib.lang.pytree import flatten
from tensorlib.lang.slots import Slots, is_mutable
from tensorlib.lang.undefined import Undefined, unset
from tensorlib.simd import SIMD, lift
from tensorlib.tile import Tile

__all__ = ["EMPTY", "Carried", "Scope", "State", "is_number", "lifted", "number_type", "zeros_like"]

State = tuple[Any, ...]


class Scope:
    """The names that the bodies of a statement assign: `get` reads their values, `put` sets them."""

    __slots__ = ("changed", "get", "names", "put")

    def __init__(
        self,
        names: Sequence[str],
        get: Callable[[], State],
        put: Callable[[State], None],
        changed: Sequence[str] = (),
    ) -> None:
        self.names, self.get, self.put = names, get, put
        self.changed = changed  # names of which the bodies assign elements


EMPTY = Scope((), lambda: (), lambda state: None)


def is_number(value: Any) -> bool:
    """Whether a value is a Python number, which takes a dtype when a loop changes it."""
    return isinstance(value, (bool, int, float))


def number_type(*values: Any) -> VectorType:
    """Return the type that Python numbers take together."""
    if any(isinstance(v, float) for v in values):
        return VectorType(DType.float64)
    return VectorType(DType.bool if all(isinstance(v, bool) for v in values) else DType.int64)


def zeros_like(value: Any) -> Any:
    """Return `value` with zeros for its SIMD leaves: for a result that nobody has asked for yet."""
    leaves, rebuild = flatten(value)
    return rebuild(iter([SIMD[x.dtype, x.width](0) if isinstance(x, SIMD) else x for x in leaves]))


def lifted(leaf: Any, kind: VectorType, name: str) -> Value:
    """Return the IR value of a leaf; it must have the type that is carried."""
    if is_number(leaf):
        leaf = SIMD[kind.dtype, kind.width](leaf)
    if not isinstance(leaf, SIMD) or leaf.type is not kind:
        got = leaf.type if isinstance(leaf, SIMD) else type(leaf).__name__
        raise fail(
            f"{name} is {kind} before this statement and {got} after it; "
            f"a carried name keeps its type: try SIMD[...](...) before, or .cast in it"
        )
    return lift(leaf)


class _Promote(Exception):
    """What is carried was not known before the body was traced."""


class Snapshot:
    """The state before a statement: the names' values and every slot that can be reached.

    `whole` are the positions of names whose values are taken apart: those that are assigned another
    list or tile. Other lists, dicts and objects are the same object after as before.
    """

    def __init__(self, scope: Scope) -> None:
        self.scope, self.before = scope, scope.get()
        self.slots = Slots()
        self.whole: set[int] = set()

    def leaves(self, state: State, slots: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """Return the leaves of names and slots, and the functions that rebuild each."""
        leaves: list[Any] = []
        rebuilds = []
        for i, value in enumerate([*state, *slots]):
            found, rebuild = flatten(value, None if i in self.whole else _is_opaque)
            leaves += found
            rebuilds.append((len(found), rebuild))
        return leaves, rebuilds

    def names(self, counts: Sequence[int]) -> list[str]:
        """Return a name for each leaf."""
        whole = [*self.scope.names, *self.slots.names]
        return [
            name if count == 1 else f"{name}_{k}"
            for name, count in zip(whole, counts, strict=True)
            for k in range(count)
        ]

    def set(self, leaves: Sequence[Any], rebuilds: Sequence[Any]) -> None:
        """Set names and slots to what the leaves make."""
        rest = iter(leaves)
        values = [rebuild(rest) for _, rebuild in rebuilds]
        count = len(self.before)
        self.slots.write(values[count:])
        self.scope.put(tuple(values[:count]))

    @contextmanager
    def restored(self) -> Iterator[None]:
        """Set everything as it was before, behind the block."""
        try:
            yield
        finally:
            self.slots.write(self.slots.values)
            self.scope.put(self.before)

    def widen(self, before: Sequence[Any], after: Sequence[Any]) -> bool:
        """Take apart what was assigned another list, object or tile; whether there was any."""
        found = {
            i
            for i, (a, b) in enumerate(zip(before, after, strict=True))
            if i not in self.whole
            and not _same_opaques(a, b)
        }
        self.whole |= found
        return bool(found)


def _is_opaque(value: Any) -> bool:
    return isinstance(value, Tile) or is_mutable(value)


def _same_opaques(a: Any, b: Any) -> bool:
    """Whether the lists, objects and tiles in two values are the same objects."""
    if isinstance(a, Undefined) or isinstance(b, Undefined) or unset in (a, b):
        return True
    left, right = (flatten(x, _is_opaque)[0] for x in (a, b))
    return len(left) != len(right) or all(
        x is y or not (_is_opaque(x) and _is_opaque(y)) for x, y in zip(left, right, strict=True)
    )
