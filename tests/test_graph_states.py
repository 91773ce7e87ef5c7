"""Updates in place: order of reads and writes, overlaps, and results that alias their state."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorlib.dtypes import DType
from tensorlib.errors import ShapeError
from tensorlib.graph.node import Node
from tensorlib.layouts.dim import Dim
from tensorlib.tests.plan_backend import (
    DEVICE,
    Planned,
    array_of,
    data,
    meaning,
    node,
    placeholder,
    same,
)

F32 = DType.float32


def state(*shape: int, seed: int = 0) -> Node:
    return data(np.random.default_rng(seed).standard_normal(shape).astype(np.float32))


def update(target: Node, value: Node, start: Any, axis: int = 0) -> Node:
    return node("update", target, value, axis=axis, start=start)


def part(x: Node, start: Any, size: Any) -> Node:
    rest = (0,) * (len(x.shape) - 1)
    shape = (size, *x.shape[1:])
    return node("slice", x, starts=(start, *rest), steps=(1, *(1 for _ in rest)), shape=shape)


def add(x: Node, value: float) -> Node:
    attributes = {"value": value, "shape": x.shape, "dtype": x.dtype}
    return node("add", x, Node("constant", (), attributes, x.shape, x.dtype, DEVICE))


def check(outputs: list[Node], states: list[Node]) -> Planned:
    """Outputs that read states have the values of node-by-node evaluation; states hold the last."""
    expected = meaning(outputs)
    plan = Planned(outputs)
    found = plan()
    for actual, wanted in zip(found, expected, strict=True):
        if actual is not None:
            same([actual], [wanted])
    last = {id(s): e for s, e in zip(states, expected, strict=False)}
    for s in states:
        same([array_of(s)], [last[id(s)]])
    return plan


def test_an_update_writes_the_computed_value_into_the_state() -> None:
    s, v = state(6, 3), state(2, 3, seed=1)
    written = update(s, node("exp", v), 2)
    plan = check([written], [s])
    assert plan.steps == ["elementwise"]
    assert plan.plan.results == (None,)


def test_readers_of_the_result_see_the_new_values() -> None:
    s, v = state(6, 3), state(2, 3, seed=1)
    written = update(s, v, 2)
    check(
        [written, node("sum", written, axes=(0,), keepdims=False), add(part(written, 1, 3), 1.0)],
        [s],
    )


def test_readers_of_the_old_state_run_before_the_write() -> None:
    s, v = state(6, 3), state(2, 3, seed=1)
    written = update(s, v, 2)
    check([written, node("exp", s), node("sum", part(s, 1, 4), axes=(0,), keepdims=False)], [s])


def test_a_reader_of_the_old_state_that_needs_the_new_one_gets_a_copy() -> None:
    s, v = state(6, 3), state(2, 3, seed=1)
    written = update(s, v, 2)
    check([written, node("subtract", written, s)], [s])
    total = node("sum", written, axes=(0,), keepdims=True)
    s2 = state(6, 3, seed=5)
    written2 = update(s2, v, 0)
    total = node("sum", written2, axes=(0,), keepdims=True)
    mixed = node("multiply", node("broadcast_to", total, shape=(6, 3)), s2)
    check([written2, mixed], [s2])


def test_a_shift_within_the_state_does_not_overtake_itself() -> None:
    s = state(8, 3)
    check([update(s, part(s, 0, 6), 1)], [s])
    s = state(8, 3, seed=2)
    check([update(s, add(part(s, 2, 6), 1.0), 1)], [s])


def test_a_matmul_of_the_state_into_the_state() -> None:
    s = state(4, 4)
    check([update(s, node("matmul", s, s), 0)], [s])


def test_two_states_swap() -> None:
    a, b = state(4, 3), state(4, 3, seed=1)
    check([update(a, b, 0), update(b, a, 0)], [a, b])


def test_updates_of_updates_write_in_order() -> None:
    s = state(6, 3)
    first = update(s, state(2, 3, seed=1), 0)
    between = node("exp", first)
    second = update(first, state(3, 3, seed=2), 1)
    plan = Planned([second, between, node("negative", second)])
    expected = meaning([second, between, node("negative", second)])
    found = plan()
    same(found[1:], expected[1:])
    same([array_of(s)], expected[:1])


def test_an_output_that_a_later_update_overwrites_is_copied() -> None:
    s = state(4, 3)
    first = update(s, state(2, 3, seed=1), 0)
    second = update(first, state(2, 3, seed=2), 1)
    expected = meaning([first, second])
    found = Planned([first, second])()
    same(found[:1], expected[:1])
    assert found[1] is None
    same([array_of(s)], expected[1:])


def test_two_updates_of_one_state_both_write() -> None:
    s = state(6, 3)
    v, w = state(2, 3, seed=1), state(2, 3, seed=2)
    expected = meaning([update(update(s, v, 0), w, 3)])
    assert Planned([update(s, v, 0), update(s, w, 3)])() == [None, None]
    same([array_of(s)], expected)


def test_updates_of_values_that_are_no_states_leave_them_alone() -> None:
    x, v, w = state(6, 3), state(2, 3, seed=1), state(2, 3, seed=2)
    value = node("exp", x)
    outputs = [update(value, v, 0), update(value, w, 1), node("negative", value)]
    same(Planned(outputs)(), meaning(outputs))


def test_updates_on_another_axis_and_through_a_view() -> None:
    s, v = state(3, 6), state(3, 2, seed=1)
    check([update(s, v, 4, axis=1)], [s])
    s, expected = state(4, 5, seed=3), None
    turned = node("permute_dims", s, axes=(1, 0))
    written = update(turned, state(2, 4, seed=4), 1)
    (expected,) = meaning([written])
    assert Planned([written])() == [None]
    same([array_of(s)], [expected.T])


def test_a_cache_appended_at_a_symbolic_position() -> None:
    t, p = Dim("T"), Dim("P")
    cache = data(np.zeros((2, 8, 4), np.float32))
    keys = placeholder("keys", (2, t, 4), F32)
    written = update(cache, keys, p, axis=1)
    seen = node("slice", written, starts=(0, 0, 0), steps=(1, 1, 1), shape=(2, p + t, 4))
    plan = Planned([node("sum", seen, axes=(1,), keepdims=False), written], T=0, P=0)
    whole = np.random.default_rng(0).standard_normal((2, 8, 4)).astype(np.float32)
    for start, count in ((0, 3), (3, 1), (4, 1), (5, 3)):
        found = plan({"keys": whole[:, start : start + count]}, T=count, P=start)
        same(found[:1], [whole[:, : start + count].sum(1)])
    same([array_of(cache)], [whole])
    assert len(plan.backend.plans) == 1


def test_positions_outside_the_state_are_refused() -> None:
    t, p = Dim("T"), Dim("P")
    cache = data(np.zeros((8, 4), np.float32))
    plan = Planned([update(cache, placeholder("keys", (t, 4), F32), p)], T=0, P=0)
    rows = np.ones((3, 4), np.float32)
    message = (
        "update: positions P to P \\+ T of axis 0 of size 8: got T = 3, P = 6, "
        "needed indices inside the axis"
    )
    with pytest.raises(ShapeError, match=message):
        plan({"keys": rows}, T=3, P=6)
    assert not array_of(cache).any()
    plan({"keys": rows}, T=3, P=5)
    assert array_of(cache)[5:].all()


def test_slices_outside_their_axis_are_refused() -> None:
    t, p = Dim("T"), Dim("P")
    x = placeholder("x", (t,), F32)
    plan = Planned([node("slice", x, starts=(p,), steps=(1,), shape=(2,))], T=0, P=0)
    message = (
        "slice: 2 elements from P, step 1, of an axis of size T: got T = 3, P = 2, "
        "needed indices inside the axis"
    )
    with pytest.raises(ShapeError, match=message):
        plan({"x": np.ones(3, np.float32)}, T=3, P=2)
    same(plan({"x": np.arange(4, dtype=np.float32)}, T=4, P=2), [np.array([2, 3], np.float32)])


def reading(kind: str, read: Node, other: Node) -> Node:
    if kind == "add":
        return node("add", read, other)
    if kind == "exp":
        return node("tanh", read)
    if kind == "part":
        return part(read, 1, 4)
    square = node("matmul", read, node("permute_dims", other, axes=(1, 0)))
    return node("matmul", square, read)


@st.composite
def programs(draw: Any) -> tuple[list[Node], Node]:
    """Interleaved reads and writes of one state, each over any version so far."""
    s = state(6, 2)
    newest, values = s, [state(2, 2, seed=k) for k in range(3)]
    versions, reads = [s], list[Node]()
    for _ in range(draw(st.integers(1, 5))):
        if draw(st.booleans()):
            source = draw(st.sampled_from([*values, *reads]))
            value = part(source, 0, 2)
            newest = update(newest, value, draw(st.integers(0, 4)))
            versions.append(newest)
        else:
            read = draw(st.sampled_from(versions))
            other = draw(st.sampled_from([*versions, *(r for r in reads if r.shape == (6, 2))]))
            kind = draw(st.sampled_from(("add", "exp", "matmul", "part")))
            reads.append(reading(kind, read, other))
    return [newest, *reads], s


@settings(max_examples=200, deadline=None)
@given(programs())
def test_any_order_of_reads_and_writes_means_the_same(program: tuple[list[Node], Node]) -> None:
    outputs, s = program
    expected = meaning(outputs)
    found = Planned(outputs)()
    for actual, wanted in zip(found, expected, strict=True):
        if actual is not None:
            same([actual], [wanted])
    if outputs[0].op == "update":
        same([array_of(s)], expected[:1])
