"""Scalar functions as immutable trees: what a kernel computes for one element of its result."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TypeVar
from weakref import WeakValueDictionary

from tensorlib.dtypes import DType

__all__ = ["LEAF_KINDS", "Apply", "Expression", "Leaf", "evaluate", "leaves", "nodes"]

T = TypeVar("T")
Number = bool | int | float | complex

LEAF_KINDS = {
    "load": "the element of the load operand number `index`, converted to nothing: its own dtype",
    "scalar": "the run-time scalar argument number `index`; its dtype is int64 or float64",
    "iota": "the coordinate along the kernel's axis number `index`; its dtype is int64",
    "constant": "the number `value` in `dtype`, known when the kernel is built",
    "main": "the result of the kernel's main part (sum, product, softmax, gathered element)",
}


class Leaf:
    """A leaf of an expression; see LEAF_KINDS. Leaves are interned: compare with `is` or `==`.

    >>> Leaf("load", 0, DType.float32) is Leaf("load", 0, DType.float32)
    True
    >>> Leaf("constant", 0, DType.float32, 0.0) is Leaf("constant", 0, DType.float32, -0.0)
    False
    """

    __slots__ = ("__weakref__", "dtype", "index", "kind", "value")

    kind: str
    index: int
    dtype: DType
    value: Number

    def __new__(cls, kind: str, index: int, dtype: DType, value: Number = 0) -> Leaf:
        key = (kind, index, dtype, number_key(value))
        found = _LEAVES.get(key)
        if found is None:
            assert kind in LEAF_KINDS, kind
            found = object.__new__(cls)
            found.kind, found.index, found.dtype, found.value = kind, index, dtype, value
            _LEAVES[key] = found
        return found

    def __str__(self) -> str:
        if self.kind == "constant":
            return f"{self.dtype.name}({self.value!r})"
        if self.kind == "main":
            return f"main:{self.dtype.name}"
        return f"{self.kind}{self.index}:{self.dtype.name}"

    __repr__ = __str__

    def __reduce__(self) -> tuple[type[Leaf], tuple[object, ...]]:
        return Leaf, (self.kind, self.index, self.dtype, self.value)


class Apply:
    """An elementwise op (its name in the op table) on arguments; `dtype` is the result's.

    `cast` converts its one argument to `dtype`. Interned, like leaves: shared parts are shared.

    >>> x = Leaf("load", 0, DType.float32)
    >>> print(Apply("add", (x, Apply("exp", (x,), DType.float32)), DType.float32))
    add(load0:float32, exp(load0:float32))
    """

    __slots__ = ("__weakref__", "arguments", "dtype", "op")

    op: str
    arguments: tuple[Expression, ...]
    dtype: DType

    def __new__(cls, op: str, arguments: tuple[Expression, ...], dtype: DType) -> Apply:
        key = (op, arguments, dtype)
        found = _APPLIES.get(key)
        if found is None:
            found = object.__new__(cls)
            found.op, found.arguments, found.dtype = op, arguments, dtype
            _APPLIES[key] = found
        return found

    def __str__(self) -> str:
        return text(self)

    __repr__ = __str__

    def __reduce__(self) -> tuple[type[Apply], tuple[object, ...]]:
        return Apply, (self.op, self.arguments, self.dtype)


Expression = Leaf | Apply

_LEAVES: WeakValueDictionary[object, Leaf] = WeakValueDictionary()
_APPLIES: WeakValueDictionary[object, Apply] = WeakValueDictionary()


def number_key(value: Number) -> tuple[str, object]:
    """Return a key that tells 1, 1.0 and True, 0.0 and -0.0 apart, and equates equal NaNs."""
    kind = type(value).__name__
    if isinstance(value, float):
        return kind, struct.pack("<d", value)
    if isinstance(value, complex):
        return kind, struct.pack("<dd", value.real, value.imag)
    return kind, value


def nodes(expression: Expression) -> Iterator[Expression]:
    """Yield every part of `expression` once, arguments before the part that uses them."""
    seen: set[Expression] = set()
    stack: list[tuple[Expression, bool]] = [(expression, False)]
    while stack:
        part, done = stack.pop()
        if part in seen:
            continue
        if done or isinstance(part, Leaf):
            seen.add(part)
            yield part
            continue
        stack.append((part, True))
        stack.extend((a, False) for a in reversed(part.arguments))


def leaves(expression: Expression, kind: str | None = None) -> list[Leaf]:
    """Return the leaves of `expression`, each once, in order of first use; only `kind` if given."""
    found = (p for p in nodes(expression) if isinstance(p, Leaf))
    return [leaf for leaf in found if kind is None or leaf.kind == kind]


def evaluate(
    expression: Expression,
    leaf: Callable[[Leaf], T],
    apply: Callable[[Apply, tuple[T, ...]], T],
) -> T:
    """Return the value of `expression`: `leaf(leaf)` at leaves, `apply(node, arguments)` above.

    Each shared part is evaluated once, arguments first, so a tracer emits it once.

    >>> x = Leaf("load", 0, DType.float32)
    >>> evaluate(Apply("add", (x, x), DType.float32), lambda _: 3, lambda n, a: a[0] + a[1])
    6
    """
    values: dict[Expression, T] = {}
    for part in nodes(expression):
        if isinstance(part, Leaf):
            values[part] = leaf(part)
        else:
            values[part] = apply(part, tuple(values[a] for a in part.arguments))
    return values[expression]


def text(expression: Expression) -> str:
    """Return one line for `expression`; parts used twice are named: `t0 = ...; add(t0, t0)`."""
    uses = Counter(a for p in nodes(expression) if isinstance(p, Apply) for a in p.arguments)
    names: dict[Expression, str] = {}
    lines: list[str] = []
    for part in nodes(expression):
        if isinstance(part, Leaf):
            names[part] = str(part)
            continue
        op = f"cast_{part.dtype.name}" if part.op == "cast" else part.op
        names[part] = f"{op}({', '.join(names[a] for a in part.arguments)})"
        if uses[part] > 1:
            lines.append(f"t{len(lines)} = {names[part]}")
            names[part] = f"t{len(lines) - 1}"
    return "; ".join([*lines, names[expression]])
