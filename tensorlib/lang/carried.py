"""The values that loops and branches carry: which of them change, with which type, and who else holds them."""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tensorlib.dtypes import DType
from tensorlib.ir.builder import Builder, fail
from tensorlib.ir.core import Block, Value
from tensorlib.ir.types import Type, VectorType
from tensorlib.lang.pytree import flatten, is_container, refilled
from tensorlib.lang.undefined import Undefined, unset
from tensorlib.simd import SIMD, lift

__all__ = ["Carried", "Scope", "Watched", "is_number", "lifted", "number_type", "zeros_like"]

State = tuple[Any, ...]


class Scope:
    """The names that the bodies of a statement assign: `get` reads their values, `put` sets them."""

    __slots__ = ("get", "names", "put")

    def __init__(
        self, names: Sequence[str], get: Callable[[], State], put: Callable[[State], None]
    ) -> None:
        self.names, self.get, self.put = names, get, put

    @contextmanager
    def restored(self) -> Iterator[State]:
        """Give the state before the block, and set it again after the block."""
        before = self.get()
        try:
            yield before
        finally:
            self.put(before)


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
    """The type of a carried value was not known before the body was traced."""


class Carried:
    """The state of a scope as a loop sees it: leaves that change become parameters of its blocks."""

    def __init__(self, scope: Scope | None) -> None:
        self.scope = scope or EMPTY
        self.names = self.scope.names
        self.before = self.scope.get()
        self.copies: State = ()
        self._take(self.before)

    def _take(self, state: State) -> None:
        self.leaves, self.rebuild = flatten(state)
        self.types: list[VectorType | None] = [
            x.type if isinstance(x, SIMD) else None for x in self.leaves
        ]

    @property
    def kinds(self) -> list[VectorType]:
        """The types of what is carried."""
        return [t for t in self.types if t is not None]

    def enter(self, values: Sequence[Value]) -> State:
        """Set the names to copies of their values, with block parameters for carried leaves."""
        for value, name in zip(values, self._carried_names(), strict=True):
            value.name = name
        copies = self._with(values)
        self.scope.put(copies)
        return copies

    def _with(self, values: Sequence[Value]) -> State:
        rest = iter(values)
        leaves = [
            leaf if kind is None else SIMD.of(next(rest))
            for leaf, kind in zip(self.leaves, self.types, strict=True)
        ]
        return tuple(self.rebuild(iter(leaves)))

    def settle(
        self, builder: Builder, extra: Sequence[Type], body: Callable[[Block], None]
    ) -> Block:
        """Trace the body until the types of what it carries no longer change."""
        while True:
            watched = Watched(self.names)
            with builder.block([*extra, *self.kinds]) as block:
                self.copies = self.enter(block.parameters[len(extra) :])
                body(block)
                watched.check()
                try:
                    outputs = self.leave()
                except _Promote:
                    continue
                builder.emit("yield", outputs)
            return block

    def _carried_names(self) -> list[str]:
        kinds = enumerate(self.types)
        return [re.sub(r"\W", "_", self._leaf_name(i)) for i, kind in kinds if kind is not None]

    def leave(self) -> list[Value]:
        """Return the values that the body yields; raises _Promote to trace once more."""
        state = self._kept(self.scope.get())
        leaves, _ = flatten(state)
        if len(leaves) != len(self.leaves):
            changed = next(
                n
                for n, a, b in zip(self.names, self.copies, state, strict=True)
                if len(flatten(a)[0]) != len(flatten(b)[0])
            )
            raise fail(f"loop: {changed} changes its structure in the loop")
        promoted = [self._promote(i, leaf) for i, leaf in enumerate(leaves)]
        if any(promoted):
            raise _Promote
        return self._lifted(leaves)

    def _kept(self, state: State) -> State:
        """A name without a value before the loop stays local to its body; `unset` takes a type."""
        if any(b is unset and s is not unset for b, s in zip(self.before, state, strict=True)):
            filled = [
                zeros_like(s) if b is unset else b for b, s in zip(self.before, state, strict=True)
            ]
            self.before = tuple(filled)
            self._take(self.before)
            raise _Promote
        return tuple(
            b if isinstance(b, Undefined) else s for b, s in zip(self.before, state, strict=True)
        )

    def _promote(self, position: int, leaf: Any) -> bool:
        """A Python number that the body changes becomes a carried value of the type it gets."""
        before = self.leaves[position]
        if self.types[position] is not None or leaf is before:
            return False
        if is_number(before) and isinstance(leaf, SIMD):
            self.types[position] = leaf.type
        elif is_number(before) and is_number(leaf):
            if type(leaf) is type(before) and leaf == before:
                return False
            self.types[position] = number_type(before, leaf)
        elif type(leaf) is type(before) and not isinstance(leaf, SIMD) and _is_equal(leaf, before):
            return False
        else:
            raise fail(
                f"loop: {self._leaf_name(position)} changes from {before!r} to {leaf!r} in the "
                "loop; only numbers and SIMD values can change in a run-time loop"
            )
        return True

    def _leaf_name(self, position: int) -> str:
        for name, value in zip(self.names, self.before, strict=True):
            count = len(flatten(value)[0])
            if position < count:
                return name if count == 1 and not is_container(value) else f"{name}{position}"
            position -= count
        return "a value"

    def _lifted(self, leaves: Sequence[Any]) -> list[Value]:
        return [
            lifted(leaf, kind, self._leaf_name(i))
            for i, (leaf, kind) in enumerate(zip(leaves, self.types, strict=True))
            if kind is not None
        ]

    def changing(self) -> list[str]:
        """Return the names of which something is carried."""
        found, start = [], 0
        for name, value in zip(self.names, self.before, strict=True):
            count = len(flatten(value)[0])
            if any(self.types[start : start + count]):
                found.append(name)
            start += count
        return found

    def initial(self) -> list[Value]:
        """Return the carried values before the loop."""
        return self._lifted(self.leaves)

    def after(self, results: Sequence[Value], kept: State) -> State:
        """Return the state after the loop; what the body changed in place changes in place.

        `kept` is the state that the body left.
        """
        for result, name in zip(results, self._carried_names(), strict=True):
            result.name = name
        final = self._with(results)
        return tuple(
            refilled(old, new) if left is copy and is_container(old) else new
            for old, new, left, copy in zip(self.before, final, kept, self.copies, strict=True)
        )


def _is_equal(a: Any, b: Any) -> bool:
    try:
        return bool(a == b)
    except Exception:
        return False


class Watched:
    """Containers that a run-time body may reach but does not carry: changing them is an error."""

    def __init__(self, carried: Sequence[str]) -> None:
        self.seen: list[tuple[str, Any, list[Any]]] = []
        known: set[int] = set()
        frame: types.FrameType | None = sys._getframe(2)
        while frame is not None and not frame.f_globals.get("__name__") == "tensorlib.lang.trace":
            if not frame.f_globals.get("__name__", "").startswith("tensorlib.lang."):
                for name, value in frame.f_locals.items():
                    if _is_mutable(value) and id(value) not in known and name not in carried:
                        known.add(id(value))
                        self.seen.append((name, value, _contents(value)))
            frame = frame.f_back

    def check(self) -> None:
        """Raise KernelError for a container that holds something else than before."""
        for name, value, contents in self.seen:
            now = _contents(value)
            if len(now) != len(contents) or any(
                a is not b for a, b in zip(now, contents, strict=True)
            ):
                raise fail(
                    f"loop: {name} is changed by a function that the run-time loop calls; "
                    "assign its elements in the loop itself, or return the new values"
                )


def _is_mutable(value: Any) -> bool:
    if isinstance(value, (list, dict)):
        return True
    kind = type(value)
    module = getattr(kind, "__module__", "builtins")
    plain = isinstance(value, (type, types.ModuleType, types.FunctionType))
    return not plain and hasattr(value, "__dict__") and not module.startswith("tensorlib.")


def _contents(value: Any) -> list[Any]:
    if isinstance(value, (list, dict)):
        return flatten(value)[0]
    return flatten(vars(value))[0]
