"""The values that loops and branches carry: which of them change, and with which type."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from types import FunctionType
from typing import Any

from tensorlib.dtypes import DType
from tensorlib.errors import KernelError
from tensorlib.ir.builder import Builder, fail
from tensorlib.ir.core import Block, Value
from tensorlib.ir.types import Type, VectorType
from tensorlib.lang.pytree import flatten
from tensorlib.lang.refusal import origin
from tensorlib.lang.slots import Slots, is_mutable
from tensorlib.lang.undefined import Undefined, unset
from tensorlib.simd import SIMD, lift
from tensorlib.tile import Tile

__all__ = [
    "EMPTY",
    "Carried",
    "Parts",
    "Scope",
    "State",
    "are_others",
    "came_from",
    "is_number",
    "lifted",
    "number_type",
    "other_memory",
    "zeros_like",
]

Values = tuple[Any, ...]


class Scope:
    """The names that bodies of a statement assign: `get` reads their values, `put` sets them."""

    __slots__ = ("changed", "get", "names", "put")

    def __init__(
        self,
        names: Sequence[str],
        get: Callable[[], Values],
        put: Callable[[Values], None],
        changed: Sequence[str] = (),
    ) -> None:
        self.names, self.get, self.put = names, get, put
        self.changed = changed  # names of which the bodies assign elements


EMPTY = Scope((), lambda: (), lambda state: None)


class _Global:
    """A name of a module, read and set as a cell is."""

    __slots__ = ("module", "name")

    def __init__(self, module: dict[str, Any], name: str) -> None:
        self.module, self.name = module, name

    @property
    def cell_contents(self) -> Any:
        if self.name not in self.module:
            raise ValueError(self.name)
        return self.module[self.name]

    @cell_contents.setter
    def cell_contents(self, value: Any) -> None:
        self.module[self.name] = value


def scope_of(body: FunctionType, names: Sequence[str], changed: Sequence[str] = ()) -> Scope:
    """Return the Scope of names that `body` declares as nonlocal or global: its cells hold them."""
    cells = dict(zip(body.__code__.co_freevars, body.__closure__ or (), strict=True))
    places: list[Any] = [cells.get(n) or _Global(body.__globals__, n) for n in names]

    def get() -> Values:
        try:
            return tuple([place.cell_contents for place in places])
        except ValueError:  # some have no value yet
            return tuple(_content(p, n) for p, n in zip(places, names, strict=True))

    def put(values: Values) -> None:
        for place, value in zip(places, values, strict=True):
            place.cell_contents = value

    return Scope(names, get, put, changed)


def _content(place: Any, name: str) -> Any:
    try:
        return place.cell_contents
    except ValueError:
        return Undefined(name)


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


def lifted(leaf: Any, kind: VectorType, name: str, before: Any = None) -> Value:
    """Return the IR value of a leaf; it must have the type that is carried, as `before` has."""
    if is_number(leaf):
        leaf = SIMD[kind.dtype, kind.width](leaf)
    if not isinstance(leaf, SIMD) or leaf.type is not kind:
        got = leaf.type if isinstance(leaf, SIMD) else type(leaf).__name__
        raise KernelError(f"{fail(_KEPT.format(name, kind, got))}{came_from(before, leaf)}")
    return lift(leaf)


_FIXED = "; at run time it keeps its places: try unroll(...), or stack_allocation"
_KEPT = (
    "{} is {} before this statement and {} after it; "
    "a carried name keeps its type: try SIMD[...](...) before, or .cast in it"
)


def came_from(*leaves: Any) -> str:
    """Return lines that say where traced values were made, one after the other."""
    traced = [x for x in leaves if isinstance(x, SIMD) and isinstance(x.value, Value)]
    return "".join(origin(x.type, x.value.operation) for x in traced)


class _Promote(Exception):
    """What is carried was not known before the body was traced."""


def _is_opaque(value: Any) -> bool:
    return isinstance(value, Tile) or is_mutable(value)


# Types of which every value is one leaf, and never changes.
LEAVES = frozenset({SIMD, Undefined, bool, int, float, str, type(None)})


class Parts:
    """The values of names and slots at one moment, taken apart into leaves."""

    def __init__(self, values: Sequence[Any], whole: set[int]) -> None:
        self.counts: list[int] = []
        self.leaves: list[Any] = []
        self._rebuilds: list[Callable[[Iterator[Any]], Any]] = []
        for i, value in enumerate(values):
            if type(value) in LEAVES:  # what most are
                self.leaves.append(value)
                self.counts.append(1)
                self._rebuilds.append(next)
                continue
            found, rebuild = flatten(value, None if i in whole else _is_opaque)
            self.leaves += found
            self.counts.append(len(found))
            self._rebuilds.append(rebuild)

    def made(self, leaves: Sequence[Any]) -> list[Any]:
        """Return values like these of other leaves."""
        rest = iter(leaves)
        return [rebuild(rest) for rebuild in self._rebuilds]


class State:
    """What a statement's bodies may change: the names they assign, and slots they can reach.

    Lists, objects and tiles are one leaf, since they are the same object after as before. A value
    at a position in `whole` is assigned others: it is taken apart and made anew.
    """

    def __init__(self, scope: Scope | None) -> None:
        self.scope = scope or EMPTY
        self.slots = Slots()
        self.names = [*self.scope.names, *self.slots.names]  # one for each value
        self.whole: set[int] = set()
        self.before = self.read()
        self.parts = Parts(self.before, self.whole)

    def read(self) -> list[Any]:
        """Return the values that names and slots have now."""
        return [*self.scope.get(), *self.slots.read()]

    def write(self, values: Sequence[Any]) -> None:
        """Give names and slots these values."""
        count = len(self.scope.names)
        self.slots.write(values[count:])
        self.scope.put(tuple(values[:count]))

    def restored(self) -> _Restored:
        """Set everything as it was before, behind the block."""
        return _Restored(self)

    def changes(self) -> bool:
        """Whether names or slots hold others than before; raises KernelError for new slots."""
        self.slots.check("and, or")
        return any(a is not b for a, b in zip(self.before, self.read(), strict=True))

    def widen(self, left: Sequence[Any], right: Sequence[Any]) -> bool:
        """Take apart from now on what are different lists or tiles; return whether any are."""
        pairs = enumerate(zip(left, right, strict=True))
        found = {i for i, (a, b) in pairs if i not in self.whole and are_others(a, b)}
        self.whole |= found
        return bool(found)

    def leaf_names(self) -> list[str]:
        """Return a name for each leaf."""
        return [
            name if count == 1 else f"{name}_{k}"
            for name, count in zip(self.names, self.parts.counts, strict=True)
            for k in range(count)
        ]


class _Restored:
    """Written out, as every branch and loop takes it: a generator's takes several times as long."""

    __slots__ = ("state",)

    def __init__(self, state: State) -> None:
        self.state = state

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        self.state.write(self.state.before)


def other_memory(where: str, name: str) -> KernelError:
    """Return the error of a name that holds a tile of one memory, and then of another."""
    return fail(
        f"{where}: {name} is a tile of one memory before and of another after; a name keeps its "
        "memory: try copy_from, one tile with an axis more, or fragments, which are values"
    )


def are_others(a: Any, b: Any) -> bool:
    """Whether two values hold different lists, objects or tiles in the same place."""
    if a is b or type(a) in LEAVES or type(b) in LEAVES:
        return False
    left, right = (flatten(x, _is_opaque)[0] for x in (a, b))
    return len(left) == len(right) and any(
        x is not y and _is_opaque(x) and _is_opaque(y) for x, y in zip(left, right, strict=True)
    )


class Carried:
    """The state as a loop sees it: leaves that change become parameters of its blocks."""

    def __init__(self, scope: Scope | None) -> None:
        self.state = State(scope)
        self.scope = self.state.scope
        self._promoted: dict[tuple[int, int], VectorType] = {}
        self._settle_types()

    def _settle_types(self) -> None:
        """Carry the SIMD values of names that the body assigns, and what is known to change."""
        state = self.state
        state.parts = Parts(state.before, state.whole)
        self.leaves, self.types = state.parts.leaves, []
        self.places = [(i, k) for i, count in enumerate(state.parts.counts) for k in range(count)]
        assigned = len(self.scope.names)
        names = state.names
        for (i, k), leaf in zip(self.places, self.leaves, strict=True):
            likely = i < assigned or names[i].partition("_")[0] in self.scope.changed
            known = leaf.type if isinstance(leaf, SIMD) and likely else None
            self.types.append(self._promoted.get((i, k), known))
        self.kinds = [t for t in self.types if t is not None]

    types: list[VectorType | None]  # of each leaf; None for what is not carried
    kinds: list[VectorType]  # of what is carried

    def changing(self) -> list[str]:
        """Return the names of which something is carried."""
        names = self.state.names
        found = {
            i: None for (i, _), t in zip(self.places, self.types, strict=True) if t is not None
        }
        return [names[i] for i in found]

    def enter(self, values: Sequence[Value]) -> None:
        """Set names and slots to their values, with block parameters for carried leaves."""
        for value, name in zip(values, self._carried_names(), strict=True):
            value.name = name
        self.state.write(self._with(values))

    def _carried_names(self) -> list[str]:
        if not self.kinds:
            return []
        pairs = zip(self.state.leaf_names(), self.types, strict=True)
        return [re.sub(r"\W", "_", name) for name, kind in pairs if kind is not None]

    def _with(self, values: Sequence[Value]) -> list[Any]:
        rest = iter(values)
        leaves = [
            leaf if kind is None else SIMD.of(next(rest))
            for leaf, kind in zip(self.leaves, self.types, strict=True)
        ]
        return self.state.parts.made(leaves)

    def settle(
        self, builder: Builder, extra: Sequence[Type], body: Callable[[Block], None]
    ) -> Block:
        """Trace the body until what it carries no longer changes."""
        while True:
            with builder.block([*extra, *self.kinds]) as block:
                self.enter(block.parameters[len(extra) :])
                body(block)
                try:
                    outputs = self._leave()
                except _Promote:
                    self.state.write(self.state.before)  # what is taken apart is as it was
                    self._settle_types()
                    continue
                builder.emit("yield", outputs)
            return block

    def _leave(self) -> list[Value]:
        """Return the values that the body yields; raises _Promote to trace once more."""
        state = self.state
        state.slots.check("loop")
        after = self._kept(state.read())
        if state.widen(state.before, after):
            raise _Promote
        parts = Parts(after, state.whole)
        for name, a, b in zip(state.names, state.parts.counts, parts.counts, strict=True):
            if a != b:
                raise fail(f"loop: {name} changes its structure, from {a} values to {b}{_FIXED}")
        promoted = [self._promote(i, leaf) for i, leaf in enumerate(parts.leaves)]
        if any(promoted):
            raise _Promote
        return self._lifted(parts.leaves)

    def _kept(self, after: list[Any]) -> list[Any]:
        """A name without a value before the loop stays local to its body; `unset` takes a type."""
        before = self.state.before
        for i, (old, new) in enumerate(zip(before, after, strict=True)):
            if old is unset and new is not unset:
                before[i] = zeros_like(new)
                raise _Promote
        pairs = zip(before, after, strict=True)
        return [old if isinstance(old, Undefined) else new for old, new in pairs]

    def _promote(self, position: int, leaf: Any) -> bool:
        """Carry a leaf that the body changes, with the type that it gets."""
        before, place = self.leaves[position], self.places[position]
        if self.types[position] is not None or leaf is before or _is_equal(leaf, before):
            return False
        if isinstance(before, SIMD) and isinstance(leaf, SIMD):
            self._promoted[place] = before.type
        elif is_number(before) and isinstance(leaf, SIMD):
            self._promoted[place] = leaf.type
        elif is_number(before) and is_number(leaf):
            self._promoted[place] = number_type(before, leaf)
        else:
            name = self.state.leaf_names()[position]
            if isinstance(before, Value):
                raise other_memory("loop", name.removesuffix("_0"))
            raise fail(
                f"loop: {name} changes from {before!r} to {leaf!r} in the loop; "
                "only numbers and SIMD values can change in a run-time loop: try one before it"
            )
        return True

    def _lifted(self, leaves: Sequence[Any]) -> list[Value]:
        if not self.kinds:
            return []
        rows = zip(leaves, self.types, self.state.leaf_names(), self.leaves, strict=True)
        return [lifted(x, kind, name, old) for x, kind, name, old in rows if kind is not None]

    def initial(self) -> list[Value]:
        """Return the carried values before the loop."""
        return self._lifted(self.leaves)

    def finish(self, results: Sequence[Value]) -> None:
        """Give names and slots the values that they have after the loop."""
        self.enter(results)


def _is_equal(a: Any, b: Any) -> bool:
    """Whether two compile-time values are the same, so that nothing needs to be carried."""
    if type(a) is not type(b) or isinstance(a, SIMD):
        return False
    try:
        return bool(a == b)
    except Exception:
        return False
