"""The scalar function of a group: one expression over views of what lies in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tensorlib.dtypes import DType
from tensorlib.graph.vertex import HEAVY, Vertex
from tensorlib.graph.view import View
from tensorlib.kernels.expression import Apply, Expression, Leaf, evaluate, number_key
from tensorlib.layouts.dim import Dim, Size
from tensorlib.ops import OPS

__all__ = ["NeedsMemory", "Number", "Read", "Scalars", "Scope", "applied", "converted", "rebuilt"]

Number = Size | float


@dataclass(frozen=True, slots=True)
class Read:
    """What a load of an expression stands for: the element of `source` at `view`.

    Where `source` is None the load is the int64 number `offset + sum(c[k] * strides[k])` itself:
    ranges and what movements make of them are affine in the coordinates.
    """

    source: Vertex | None
    view: View


class NeedsMemory(Exception):
    """`vertex` has to lie in memory of its own, for its user `user` to be expressed by strides."""

    def __init__(self, vertex: Vertex, user: Vertex) -> None:
        super().__init__(vertex, user)
        self.vertex, self.user = vertex, user


class Scalars:
    """The run-time scalars of a kernel, each once."""

    def __init__(self) -> None:
        self.values: list[Number] = []
        self.dtypes: list[DType] = []
        self._known: dict[object, int] = {}

    def leaf(self, value: Number) -> Leaf:
        """Return the leaf that stands for `value`: int64, or float64 for a float."""
        dtype = DType.float64 if isinstance(value, float) else DType.int64
        key = value if isinstance(value, Dim) else number_key(value)
        index = self._known.setdefault(key, len(self.values))
        if index == len(self.values):
            self.values.append(value)
            self.dtypes.append(dtype)
        return Leaf("scalar", index, dtype)

    def add(self, value: Number) -> None:
        """Add a scalar that is one of a user's kernel's own, even where its value is known."""
        self.values.append(value)
        self.dtypes.append(DType.float64 if isinstance(value, float) else DType.int64)


class Scope:
    """One part of a kernel being made: the expressions of vertices over one coordinate space.

    `location(vertex)` says where a stored vertex lies (None for one that is computed here);
    `main` is the heavy vertex whose result the expressions may use, as `main_value`.
    """

    def __init__(
        self,
        location: Callable[[Vertex], View | None],
        scalars: Scalars,
        main: Vertex | None = None,
        main_value: Expression | None = None,
    ) -> None:
        self.location, self.scalars, self.main, self.main_value = (
            location,
            scalars,
            main,
            main_value,
        )
        self.reads: list[Read] = []
        self._known: dict[Read, int] = {}
        self._made: dict[Vertex, Expression] = {}

    @property
    def met(self) -> Iterable[Vertex]:
        """The vertices whose values were asked for."""
        return self._made

    def expression(self, root: Vertex) -> Expression:
        """Return the value of `root`, computed here even where `root` is a stored vertex."""
        return self._computed(root)

    def value(self, vertex: Vertex) -> Expression:
        """Return the value of `vertex`: a load where it is stored, else computed."""
        found = self._made.get(vertex)
        if found is None:
            view = None if vertex is self.main else self.location(vertex)
            made = self._computed(vertex) if view is None else self._load(vertex, view)
            found = self._made[vertex] = made
        return found

    def _load(self, vertex: Vertex, view: View) -> Expression:
        dtype = DType.float32 if vertex.dtype.is_packed else vertex.dtype
        return self._read(Read(vertex, view), dtype)

    def _read(self, read: Read, dtype: DType) -> Expression:
        index = self._known.setdefault(read, len(self.reads))
        if index == len(self.reads):
            self.reads.append(read)
        return Leaf("load", index, dtype)

    def _computed(self, vertex: Vertex) -> Expression:
        if vertex is self.main and self.main_value is not None:
            return self.main_value
        assert vertex.kind not in HEAVY, vertex
        if vertex.op == "constant":
            return self._constant(vertex.attributes["value"], vertex.dtype)
        if vertex.op == "arange":
            return self._range(vertex)
        if vertex.is_movement:
            return self._moved(self.value(vertex.inputs[0]), vertex)
        arguments = tuple([self.value(i) for i in vertex.inputs])
        if vertex.op == "copy":
            return arguments[0]
        return applied(vertex.op, arguments, vertex.dtype)

    def _constant(self, value: Number, dtype: DType) -> Expression:
        """Common numbers are part of the kernel; others are arguments, so kernels are shared."""
        if isinstance(value, Dim) or (dtype.kind in _LIFTED and not _is_common(value)):
            return converted(self.scalars.leaf(value), dtype)
        return Leaf("constant", 0, dtype, _exact(value, dtype))

    def _range(self, vertex: Vertex) -> Expression:
        start, step, n = (vertex.attributes[k] for k in ("start", "step", "n"))
        if not isinstance(start, float) and not isinstance(step, float):
            read = Read(None, View(start, (n,), (step,)))
            return converted(self._read(read, DType.int64), vertex.dtype)
        index = self._read(Read(None, View(0, (n,), (1,))), DType.int64)
        steps = applied(
            "multiply", (converted(index, DType.float64), self._wide(step)), DType.float64
        )
        return converted(applied("add", (self._wide(start), steps), DType.float64), vertex.dtype)

    def _wide(self, value: Number) -> Expression:
        return converted(self.scalars.leaf(value), DType.float64)

    def _moved(self, expression: Expression, movement: Vertex) -> Expression:
        """Push a movement to the loads; `main` and scalars stay as they are."""

        def leaf(found: Leaf) -> Expression:
            if found.kind != "load":
                return found
            read = self.reads[found.index]
            view = movement.moved(read.view)
            if view is None:
                raise NeedsMemory(movement.inputs[0], movement)
            return self._read(Read(read.source, view), found.dtype)

        return rebuilt(expression, leaf)


_LIFTED = ("float", "signed", "unsigned")
_COMMON = (0, 1, 2, -1, 0.5)


def _is_common(value: int | float) -> bool:
    if value in _COMMON or value != value or value in (float("inf"), float("-inf")):
        return True
    return isinstance(value, int) and not -(2**63) <= value < 2**63


def _exact(value: Any, dtype: DType) -> Any:
    """`value` as the op table converts it to `dtype`, as a Python number."""
    meaning = OPS["constant"].meaning
    assert meaning is not None
    python = {"bool": bool, "float": float, "coded": float, "complex": complex}.get(dtype.kind, int)
    return python(meaning(value, (), dtype)[()])


def rebuilt(expression: Expression, leaf: Callable[[Leaf], Expression]) -> Expression:
    """Return `expression` with every leaf replaced by `leaf(leaf)`."""
    return evaluate(expression, leaf, lambda node, arguments: Apply(node.op, arguments, node.dtype))


def applied(op: str, arguments: tuple[Expression, ...], dtype: DType) -> Expression:
    """Return op(arguments); a cast to the own dtype is left out."""
    if op == "cast":
        return converted(arguments[0], dtype)
    return Apply(op, arguments, dtype)


def converted(expression: Expression, dtype: DType) -> Expression:
    """Return `expression` in `dtype`."""
    return expression if expression.dtype is dtype else Apply("cast", (expression,), dtype)
