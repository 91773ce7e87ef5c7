"""Plans of random graphs over symbolic sizes mean what NumPy makes of their nodes."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorlib.dtypes import DType
from tensorlib.graph.node import Node
from tensorlib.layouts.dim import Dim
from tensorlib.tests.plan_backend import (
    Planned,
    data,
    floats,
    meaning,
    node,
    number,
    placeholder,
    same,
    span,
    wide,
)

F32 = DType.float32

SYMBOLS = {"T": Dim("T"), "P": Dim("P")}
UNARY = ("negative", "abs", "sin", "tanh", "square", "sign", "floor", "isnan")
BINARY = ("add", "subtract", "multiply", "maximum", "less", "where")


class Builder:
    """Builds a random graph from a stream of choices."""

    def __init__(self, draw: Any, sources: list[Node]) -> None:
        self.draw, self.pool = draw, sources

    def pick(self, items: Any) -> Any:
        return self.draw(st.sampled_from(list(items)))

    def step(self) -> None:
        action = self.pick((
            self.unary, self.binary, self.binary, self.permute, self.slice, self.reshape,
            self.expand, self.reduce, self.matmul, self.softmax, self.concat, self.take,
        ))  # fmt: skip
        made = action(self.pick(self.pool))
        if made is not None:
            self.pool.append(made)

    def real(self, x: Node) -> Node:
        return x if x.dtype is F32 else node("cast", x, dtype=F32)

    def unary(self, x: Node) -> Node:
        return node(self.pick(UNARY), self.real(x))

    def binary(self, x: Node) -> Node:
        others = [y for y in self.pool if y.shape == x.shape]
        y = self.real(self.pick(others))
        x, op = self.real(x), self.pick(BINARY)
        if op == "where":
            return node("where", node("less", x, number(0.1, x.shape)), x, y)
        return node(op, x, self.pick((y, number(0.7, x.shape))))

    def permute(self, x: Node) -> Node:
        axes = self.draw(st.permutations(range(len(x.shape))))
        return node("permute_dims", x, axes=tuple(axes))

    def slice(self, x: Node) -> Node:
        starts, steps, shape = [], [], []
        for n in x.shape:
            step = self.pick((1, 1, -1, 2))
            count = n if not isinstance(n, int) else self.draw(st.integers(0 if n == 0 else 1, n))
            if step == 2:
                count = (count + 1) // 2
            starts.append(n - 1 if step == -1 else 0)
            steps.append(step)
            shape.append(count)
        return node("slice", x, starts=tuple(starts), steps=tuple(steps), shape=tuple(shape))

    def reshape(self, x: Node) -> Node | None:
        if len(x.shape) < 2:
            return node("reshape", x, shape=(1, *x.shape, 1))
        k = self.draw(st.integers(0, len(x.shape) - 2))
        merged = (*x.shape[:k], x.shape[k] * x.shape[k + 1], *x.shape[k + 2 :])
        return node("reshape", x, shape=merged)

    def expand(self, x: Node) -> Node | None:
        if len(x.shape) > 3:
            return None
        flat = node("reshape", x, shape=(*x.shape[:1], 1, *x.shape[1:]))
        return wide(flat, (*x.shape[:1], self.pick((2, SYMBOLS["P"])), *x.shape[1:]))

    def reduce(self, x: Node) -> Node | None:
        if not x.shape:
            return None
        axes = tuple(sorted(self.draw(st.sets(st.integers(0, len(x.shape) - 1), min_size=1))))
        keep = self.draw(st.booleans())
        made = node(self.pick(("sum", "mean")), self.real(x), axes=axes, keepdims=keep)
        return wide(made, x.shape) if keep else made

    def matmul(self, x: Node) -> Node | None:
        if len(x.shape) < 2 or len(x.shape) > 4:
            return None
        rank = len(x.shape)
        turned = node("permute_dims", self.real(x), axes=(*range(rank - 2), rank - 1, rank - 2))
        scaled = node("multiply", self.real(x), number(0.1, x.shape))
        return node("matmul", turned, scaled)

    def softmax(self, x: Node) -> Node | None:
        return node("softmax", self.real(x), axis=self.draw(st.integers(0, len(x.shape) - 1))) \
            if x.shape else None  # fmt: skip

    def concat(self, x: Node) -> Node | None:
        if not x.shape or len(x.shape) > 3:
            return None
        return node("concat", x, node("cast", self.unary(x), dtype=x.dtype), x,
                    axis=self.draw(st.integers(0, len(x.shape) - 1)))  # fmt: skip

    def take(self, x: Node) -> Node | None:
        fixed = [a for a, n in enumerate(x.shape) if isinstance(n, int) and n > 0]
        if not fixed or len(x.shape) > 3:
            return None
        rows = data(np.array([0, -1], np.int64))
        return node("take", x, rows, axis=self.pick(fixed))


@st.composite
def graphs(draw: Any) -> list[Node]:
    t, p = SYMBOLS["T"], SYMBOLS["P"]
    sources = [
        placeholder("x", (t, 4), F32), placeholder("y", (p, t), F32), floats(3, 4),
        span(p, 1, t), wide(span(0, 1, 4), (t, 4)), floats(2, 1, 3, seed=3),
    ]  # fmt: skip
    builder = Builder(draw, sources)
    for _ in range(draw(st.integers(1, 9))):
        builder.step()
    count = draw(st.integers(1, 3))
    return builder.pool[-count:]


@settings(max_examples=150, deadline=None)
@given(graphs(), st.integers(0, 1000))
def test_plans_of_random_symbolic_graphs_mean_what_their_nodes_mean(
    outputs: list[Node], seed: int
) -> None:
    plan = Planned(outputs, T=0, P=0)
    source = np.random.default_rng(seed)
    for t, p in ((3, 5), (1, 1), (4, 4), (1, 3), (7, 2)):
        x, y = (source.standard_normal(s).astype(np.float32) for s in ((t, 4), (p, t)))
        values, inputs = {"T": t, "P": p}, {"x": x, "y": y}
        with np.errstate(all="ignore"):
            same(plan(inputs, T=t, P=p), meaning(outputs, values, inputs))
