"""Brute force over random operands: no wrong answer, and no refusal where an answer exists."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from tensorlib.tests.layout_laws import CHECKS

FEW = 400
MANY = 200_000


def swept(name: str, count: int, seed: int) -> str:
    """Check so many random operands; print the counts, and fail with the first that is wrong."""
    rng = random.Random(f"{name} {seed}")
    counts: Counter[str] = Counter()
    examples: dict[str, object] = {}
    for _ in range(count):
        operands, verdict = CHECKS[name](rng)
        counts[verdict] += 1
        examples.setdefault(verdict, operands)
    kinds = ("right", "refused", "wrong", "missed", "unjudged")
    line = ", ".join(f"{kind} {counts[kind]}" for kind in kinds if counts[kind] or kind == "wrong")
    print(f"\n{name}: {line}")
    assert not counts["wrong"], f"{name}: wrong for {examples['wrong']}"
    assert not counts["missed"], f"{name}: refused, and an answer exists, for {examples['missed']}"
    return line


@pytest.mark.parametrize("name", CHECKS)
def test_a_few_random_operands(name: str) -> None:
    swept(name, FEW, 0)


@pytest.mark.slow
@pytest.mark.parametrize("name", CHECKS)
def test_many_random_operands(name: str) -> None:
    swept(name, MANY, 1)
