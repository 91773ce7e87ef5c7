"""Temporary memory: what shares a slot never lives at the same time, and slots are large enough."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tensorlib.graph.memory import ALIGNMENT, Lifetime, assigned, layout
from tensorlib.layouts.dim import Dim
from tensorlib.tests.plan_backend import Planned, data, meaning, node, placeholder, same


@st.composite
def lifetimes(draw: Any) -> list[Lifetime]:
    made = []
    for _ in range(draw(st.integers(0, 12))):
        first = draw(st.integers(0, 9))
        last = draw(st.integers(first, 9))
        size = draw(st.sampled_from((0, 64, 100, 4096, Dim("T") * 64, Dim("T") * Dim("P"))))
        made.append(Lifetime(first, last, size))
    return made


@given(lifetimes())
def test_results_that_share_a_slot_do_not_overlap(lives: list[Lifetime]) -> None:
    slots = assigned(lives)
    for (j, a), (k, b) in combinations(enumerate(lives), 2):
        if slots.of[j] == slots.of[k]:
            assert a.last < b.first or b.last < a.first
    for life, slot in zip(lives, slots.of, strict=True):
        assert life.nbytes in slots.sizes[slot]


@given(st.lists(st.integers(0, 1000)))
def test_slots_lie_aligned_one_after_the_other(capacities: list[int]) -> None:
    offsets, total = layout(capacities)
    assert all(offset % ALIGNMENT == 0 for offset in offsets)
    ends = [o + c for o, c in zip(offsets, capacities, strict=True)]
    assert all(end <= start for end, start in zip(ends, [*offsets, total][1:], strict=True))


def chain(x: Any, length: int) -> Any:
    weight = data(np.eye(8, dtype=np.float32) * 0.5)
    for _ in range(length):
        x = node("exp", node("matmul", x, weight))
    return x


def test_a_long_chain_needs_two_slots() -> None:
    x = data(np.random.default_rng(0).standard_normal((4, 8)).astype(np.float32))
    plan = Planned([chain(x, 9)])
    assert len(plan.plan.plan.slot_bytes) == 2
    same(plan(), meaning([chain(x, 9)]))


def test_slots_grow_with_symbolic_sizes_and_keep_their_room() -> None:
    t = Dim("T")
    out = chain(placeholder("x", (t, 8), data(np.zeros(1, np.float32)).dtype), 5)
    plan = Planned([out], T=0)
    arenas = []
    for rows in (2, 1, 2, 7, 3):
        x = np.random.default_rng(rows).standard_normal((rows, 8)).astype(np.float32)
        same(plan({"x": x}, T=rows), meaning([out], {"T": rows}, {"x": x}))
        arenas.append(plan.plan._arena)
    assert arenas[0] is arenas[1] is arenas[2]
    assert arenas[3] is not arenas[2]
    assert arenas[4] is arenas[3]
