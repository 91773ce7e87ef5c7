"""Control flow over traced values: what rewritten `for`, `while`, `if`, `and`, `or`, `not` call.

Each takes the names that the statement assigns and their values before it. On Python values it runs as Python
does; on traced ones it records an IR operation whose blocks are traced from the statement's body.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from tensorlib.dtypes import DType
from tensorlib.ir.builder import Builder, current_builder, fail
from tensorlib.ir.core import Block, Value
from tensorlib.ir.types import INDEX, VectorType
from tensorlib.lang.pytree import flatten
from tensorlib.simd import SIMD, lift

__all__ = [
    "Range",
    "Undefined",
    "and_",
    "choose",
    "defined",
    "not_",
    "or_",
    "parallel",
    "run_for",
    "run_if",
    "run_while",
    "runtime_range",
    "static",
    "static_iterable",
    "unroll",
]

State = tuple[Any, ...]
INDEX_SIMD = SIMD[DType.int64, 1]


class Undefined:
    """The value of a name that has none here; using it says so."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def _use(self, *_: Any) -> Any:
        raise fail(
            f"{self.name} is assigned inside a loop or branch only; give it a value before that"
        )

    __add__ = __radd__ = __sub__ = __mul__ = __rmul__ = __getitem__ = __call__ = __bool__ = _use
    __lt__ = __gt__ = __neg__ = __truediv__ = __getattr__ = _use


class Range:
    """`range(...)` of a kernel's `for`: a loop at run time, also over constants."""

    __slots__ = ("is_parallel", "start", "step", "stop")

    def __init__(self, *bounds: Any) -> None:
        if not 1 <= len(bounds) <= 3:
            raise fail(f"range: got {len(bounds)} arguments, needed 1 to 3")
        start, stop = (0, bounds[0]) if len(bounds) == 1 else bounds[:2]
        self.start, self.stop = start, stop
        self.step = bounds[2] if len(bounds) == 3 else 1
        self.is_parallel = False
        if isinstance(self.step, int) and self.step <= 0:
            raise fail(f"range: got step {self.step}, needed a positive step in a run-time loop")

    def python(self) -> range:
        """Return the Python range, where the bounds are known now."""
        return builtins.range(*(int(b) for b in (self.start, self.stop, self.step)))

    def __iter__(self) -> Iterator[int]:
        return iter(self.python())


def runtime_range(function: Any) -> Any:
    """Return what a `for` statement's call of `range` makes: a run-time loop for the built-in."""
    return Range if function is builtins.range else function


def parallel(iterable: Any) -> Any:
    """Mark a kernel's outermost `range` loop: its iterations are shared out among the threads."""
    if isinstance(iterable, Range):
        iterable.is_parallel = True
    return iterable


def unroll(iterable: Iterable[Any]) -> Iterable[Any]:
    """Run a loop at compile time: `for m in unroll(range(4))` traces its body four times."""
    return iterable.python() if isinstance(iterable, Range) else iterable


def defined(get: Callable[[], Any], name: str) -> Any:
    """Return the value of a name, or Undefined where it has none yet."""
    try:
        return get()
    except NameError:
        return Undefined(name)


def static(condition: Any) -> bool:
    """Return a condition that must be known at compile time, around return, break or continue."""
    if isinstance(condition, SIMD) and condition.is_traced:
        raise fail(
            "if: a branch with return, break or continue needs a condition known at compile time; "
            "try select, or a while loop with the condition in its head"
        )
    return bool(condition)


def static_iterable(iterable: Any) -> Any:
    """Return the iterable of a loop with break, continue or return: it must run at compile time."""
    if isinstance(iterable, Range) and current_builder() is not None:
        raise fail(
            "for: break, continue and return in a run-time loop are not supported yet; "
            "try while with the condition in its head, or unroll(range(...))"
        )
    return iterable


def run_for(iterable: Any, body: Callable[..., State], names: Sequence[str], state: State) -> State:
    """Run or record a `for` statement; `body(item, *state)` returns the state after it."""
    builder = current_builder()
    if not isinstance(iterable, Range) or builder is None:
        for item in iterable:
            state = body(item, *state)
        return state
    bounds = [_bound(b) for b in (iterable.start, iterable.stop, iterable.step)]
    carried = _Carried(names, state)

    def trace(block: Block, types: list[VectorType]) -> list[Value]:
        item, *values = block.parameters
        return carried.returned(body(INDEX_SIMD(SIMD.of(item)), *carried.given(values)))

    block = carried.settle(builder, trace, [INDEX])
    attributes = {"parallel": True} if iterable.is_parallel else {}
    results = builder.emit("for", [*bounds, *carried.initial(builder)], attributes, [block])
    return carried.after(results)


def run_while(
    condition: Callable[..., Any], body: Callable[..., State], names: Sequence[str], state: State
) -> State:
    """Run or record a `while` statement; recorded when its condition is a traced scalar."""
    builder = current_builder()
    if builder is None or not _is_traced(builder, condition, state):
        while static(condition(*state)):
            state = body(*state)
        return state
    carried = _Carried(names, state)

    def trace(block: Block, types: list[VectorType]) -> list[Value]:
        return carried.returned(body(*carried.given(block.parameters)))

    block = carried.settle(builder, trace, [])
    with builder.block([p.type for p in block.parameters]) as head:
        test = condition(*carried.given(head.parameters))
        builder.emit("yield", [_scalar_condition(test, "while")])
    results = builder.emit("while", carried.initial(builder), {}, [head, block])
    return carried.after(results)


def run_if(
    condition: Any,
    then: Callable[..., State],
    otherwise: Callable[..., State],
    names: Sequence[str],
    state: State,
) -> State:
    """Run one branch, or record both where the condition is a traced scalar."""
    if not (isinstance(condition, SIMD) and condition.is_traced):
        return then(*state) if condition else otherwise(*state)
    builder = current_builder()
    assert builder is not None
    test = _scalar_condition(condition, "if")
    then_block, then_state = _branch(builder, then, state)
    else_block, else_state = _branch(builder, otherwise, state)
    then_state, else_state = _without_locals(names, state, then_state, else_state)
    then_leaves, rebuild = flatten(then_state)
    else_leaves, _ = flatten(else_state)
    if len(then_leaves) != len(else_leaves):
        raise fail(f"if: the branches give {', '.join(names)} different structures")
    merged, types = _merge(names, then_leaves, else_leaves)
    for block, leaves in ((then_block, then_leaves), (else_block, else_leaves)):
        _yield(builder, block, [leaves[i] for i in merged], types)
    results = builder.emit("if", [test], {"types": types}, [then_block, else_block])
    leaves = list(then_leaves)
    for i, result in zip(merged, results, strict=True):
        leaves[i] = SIMD.of(result)
    return tuple(rebuild(iter(leaves)))


def _without_locals(
    names: Sequence[str], before: State, left: State, right: State
) -> tuple[State, State]:
    """A name without a value before, which one branch only gives a number or SIMD value, is local."""
    kept: list[tuple[Any, Any]] = []
    for name, old, a, b in zip(names, before or (None,) * len(left), left, right, strict=True):
        local = isinstance(old, Undefined) and not (_is_value(a) and _is_value(b))
        kept.append((Undefined(name), Undefined(name)) if local else (a, b))
    return tuple(a for a, _ in kept), tuple(b for _, b in kept)


def _is_value(value: Any) -> bool:
    return all(isinstance(leaf, (SIMD, bool, int, float)) for leaf in flatten(value)[0])


def choose(condition: Any, then: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
    """`then if condition else otherwise`; records an `if` where the condition is traced."""
    return run_if(condition, lambda: (then(),), lambda: (otherwise(),), ("value",), ())[0]


def and_(left: Any, right: Callable[[], Any]) -> Any:
    """`left and right`; on traced masks and conditions, `&` of both."""
    return left & right() if _is_condition(left) else left and right()


def or_(left: Any, right: Callable[[], Any]) -> Any:
    """`left or right`; on traced masks and conditions, `|` of both."""
    return left | right() if _is_condition(left) else left or right()


def not_(value: Any) -> Any:
    """`not value`; on a traced mask or condition, its complement."""
    return ~value if _is_condition(value) else not value


def _is_condition(value: Any) -> bool:
    return isinstance(value, SIMD) and value.is_traced and value.dtype is DType.bool


class _Carried:
    """The names that a loop carries: which of their leaves change, and with which type."""

    def __init__(self, names: Sequence[str], state: State) -> None:
        self.names, self.before = names, state
        self.leaves, self.rebuild = flatten(state)
        self.types: list[VectorType | None] = [
            x.type if isinstance(x, SIMD) else None for x in self.leaves
        ]

    def settle(
        self,
        builder: Builder,
        trace: Callable[[Block, list[VectorType]], list[Value]],
        extra: list[VectorType],
    ) -> Block:
        """Trace the body until the types of what it carries no longer change."""
        while True:
            kinds = [t for t in self.types if t is not None]
            try:
                with builder.block([*extra, *kinds]) as block:
                    builder.emit("yield", trace(block, kinds))
            except _Promote:
                continue
            return block

    def given(self, values: Sequence[Value]) -> State:
        """Return the state inside the body: block parameters in place of carried leaves."""
        rest = iter(values)
        leaves = [
            leaf if kind is None else SIMD.of(next(rest))
            for leaf, kind in zip(self.leaves, self.types, strict=True)
        ]
        return tuple(self.rebuild(iter(leaves)))

    def returned(self, state: State) -> list[Value]:
        """Return the values that the body yields; raises _Promote to trace once more."""
        leaves, _ = flatten(self._keep_undefined(state))
        if len(leaves) != len(self.leaves):
            raise fail(f"loop: {', '.join(self.names)} change their structure in the loop")
        promoted = [self._promote(i, leaf) for i, leaf in enumerate(leaves)]
        if any(promoted):
            raise _Promote
        return [
            _lift(leaf, kind, self._name(i))
            for i, (leaf, kind) in enumerate(zip(leaves, self.types, strict=True))
            if kind is not None
        ]

    def _keep_undefined(self, state: State) -> State:
        """A name without a value before the loop stays local to its body."""
        return tuple(
            b if isinstance(b, Undefined) else s for b, s in zip(self.before, state, strict=True)
        )

    def _promote(self, position: int, leaf: Any) -> bool:
        """A Python number that the body changes becomes a carried value of the type it gets."""
        before = self.leaves[position]
        if self.types[position] is not None or leaf is before:
            return False
        is_number = isinstance(before, (bool, int, float))
        if is_number and isinstance(leaf, SIMD):
            self.types[position] = leaf.type
        elif is_number and isinstance(leaf, (bool, int, float)):
            if leaf == before:
                return False
            self.types[position] = VectorType(_number_dtype(before, leaf))
        else:
            raise fail(
                f"loop: {self._name(position)} changes from {before!r} to {leaf!r} in the loop; "
                "only numbers and SIMD values can change in a run-time loop"
            )
        return True

    def _name(self, position: int) -> str:
        for name, value in zip(self.names, self.before, strict=True):
            count = len(flatten(value)[0])
            if position < count:
                return name
            position -= count
        return "a value"

    def initial(self, builder: Builder) -> list[Value]:
        """Return the carried values before the loop."""
        return [
            _lift(leaf, kind, self._name(i))
            for i, (leaf, kind) in enumerate(zip(self.leaves, self.types, strict=True))
            if kind is not None
        ]

    def after(self, results: list[Value]) -> State:
        """Return the state after the loop."""
        return self.given(results)


class _Promote(Exception):
    """The type of a carried value was not known before the body was traced."""


def _number_dtype(*values: Any) -> DType:
    if any(isinstance(v, float) for v in values):
        return DType.float64
    return DType.bool if all(isinstance(v, bool) for v in values) else DType.int64


def _lift(leaf: Any, kind: VectorType, name: str) -> Value:
    """Return the IR value of a leaf; it must have the type that the loop carries."""
    if isinstance(leaf, (bool, int, float)):
        leaf = SIMD[kind.dtype, kind.width](leaf)
    if not isinstance(leaf, SIMD) or leaf.type != kind:
        got = leaf.type if isinstance(leaf, SIMD) else type(leaf).__name__
        raise fail(
            f"{name} is {kind} before this statement and {got} after it; "
            f"a carried name keeps its type: try SIMD[...](...) before, or .cast in it"
        )
    return lift(leaf)


def _bound(bound: Any) -> Value:
    if isinstance(bound, SIMD) and (bound.dtype is not DType.int64 or bound.width != 1):
        raise fail(f"range: got {bound!r}, needed int64 scalars; try .cast(int64)")
    if not isinstance(bound, (int, SIMD)):
        raise fail(f"range: got {type(bound).__name__} {bound!r}, needed whole numbers")
    return lift(INDEX_SIMD(bound))


def _is_traced(builder: Builder, condition: Callable[..., Any], state: State) -> bool:
    """Whether a while condition is known at run time only, tried in a block thrown away."""
    carried = _Carried([], state)
    kinds = [t for t in carried.types if t is not None]
    with builder.block(kinds) as block:
        test = condition(*carried.given(block.parameters))
    return isinstance(test, SIMD) and test.is_traced


def _scalar_condition(test: Any, where: str) -> Value:
    if not isinstance(test, SIMD) or test.dtype is not DType.bool or test.width != 1:
        got = test.type if isinstance(test, SIMD) else type(test).__name__
        raise fail(
            f"{where}: got a condition of type {got}, needed a scalar bool; "
            "try .reduce_or() or .reduce_and() for a branch, .select(a, b) to choose by lane"
        )
    return lift(test)


def _branch(builder: Builder, function: Callable[..., State], state: State) -> tuple[Block, State]:
    leaves, rebuild = flatten(state)
    with builder.block() as block:
        after = function(*rebuild(iter(leaves)))
    return block, after


def _merge(
    names: Sequence[str], left: list[Any], right: list[Any]
) -> tuple[list[int], list[VectorType]]:
    """Return which leaves differ between two branches, and the type each result has."""
    positions, types = [], []
    for i, (a, b) in enumerate(zip(left, right, strict=True)):
        if a is b or (type(a) is type(b) and isinstance(a, (bool, int, float)) and a == b):
            continue
        if isinstance(a, Undefined) or isinstance(b, Undefined):
            continue
        kinds = {x.type for x in (a, b) if isinstance(x, SIMD)}
        numbers = [x for x in (a, b) if isinstance(x, (bool, int, float))]
        if not kinds and len(numbers) == 2:
            kinds = {VectorType(_number_dtype(a, b))}
        if len(kinds) != 1:
            raise fail(f"if: the branches give {', '.join(names)} the types {_kind(a)}, {_kind(b)}")
        positions.append(i)
        types.append(kinds.pop())
    return positions, types


def _kind(leaf: Any) -> str:
    return str(leaf.type) if isinstance(leaf, SIMD) else type(leaf).__name__


def _yield(builder: Builder, block: Block, leaves: list[Any], types: list[VectorType]) -> None:
    builder.blocks.append(block)
    builder.known.append({})
    try:
        values = [_lift(x, t, "a value") for x, t in zip(leaves, types, strict=True)]
        builder.emit("yield", values)
    finally:
        builder.blocks.pop()
        builder.known.pop()
