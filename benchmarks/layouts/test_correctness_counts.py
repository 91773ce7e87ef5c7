"""How often the libraries are right, wrong, or refuse, on the same random pairs of layouts."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tensorlib import layouts as tl
from tensorlib.tests import layout_laws as laws
from tensorlib.tests.layout_oracles import (
    Pair,
    at,
    complement_offsets,
    left_invertible,
    longest_right_inverse,
    modes_of,
    offsets_of,
    random_layout,
    table,
)

pycute = pytest.importorskip("pycute")
tensor_layouts = pytest.importorskip("tensor_layouts")

PAIRS = 4000
LIBRARIES: dict[str, tuple[Any, dict[str, str]]] = {
    "pycute": (pycute, {}),
    "tensor-layouts": (tensor_layouts, {"composition": "compose"}),
    "tensorlib": (tl, {}),
}
Judge = Callable[[Any, Any, Any], str]


def judged_complement(a: Pair, target: int, answer: Any) -> str:
    expected = complement_offsets(modes_of(a), target)
    if answer is None:
        return "refused" if expected is None else "missed"
    return "right" if offsets_of(answer) == expected else "wrong"


def judged_left_inverse(a: Pair, _: None, answer: Any) -> str:
    modes, offsets = modes_of(a), table(modes_of(a))
    if answer is None:
        return "missed" if left_invertible(modes) else "refused"
    back = modes_of((answer.shape, answer.stride))
    indices = [at(back, offset) for offset in offsets]
    if len(set(offsets)) == len(offsets):
        return "right" if indices == list(range(len(offsets))) else "wrong"
    return "right" if [at(modes, index) for index in indices] == offsets else "wrong"


def judged_right_inverse(a: Pair, _: None, answer: Any) -> str:
    places: dict[int, list[int]] = {}
    for index, offset in enumerate(table(modes_of(a))):
        places.setdefault(offset, []).append(index)
    if answer is None:
        return "missed"
    found = offsets_of(answer)
    if any(index not in places.get(i, []) for i, index in enumerate(found)):
        return "wrong"
    return "right" if len(found) == longest_right_inverse(places) else "short"


def pair_and_pair(rng: random.Random) -> tuple[Pair, Pair]:
    return _not_empty(rng, 36), _not_empty(rng, 12)


def _not_empty(rng: random.Random, most: int) -> Pair:
    pair = random_layout(rng, most, 24)
    return pair if table(modes_of(pair)) else _not_empty(rng, most)


def pair_and_target(rng: random.Random) -> tuple[Pair, int]:
    return _not_empty(rng, 24), rng.randint(1, 120)


def pair_alone(rng: random.Random) -> tuple[Pair, None]:
    return _not_empty(rng, 24), None


OPERATIONS: dict[str, tuple[Callable[[random.Random], tuple[Any, Any]], Judge]] = {
    "composition": (pair_and_pair, laws.judged_composition),
    "complement": (pair_and_target, judged_complement),
    "logical_divide": (pair_and_pair, laws.judged_divide),
    "logical_product": (pair_and_pair, laws.judged_product),
    "left_inverse": (pair_alone, judged_left_inverse),
    "right_inverse": (pair_alone, judged_right_inverse),
}


def answered(library: str, name: str, a: Pair, b: Any) -> Any:
    """The library's answer; None where it raises anything at all."""
    module, names = LIBRARIES[library]
    operands = [module.Layout(*x) if isinstance(x, tuple) else x for x in (a, b) if x is not None]
    try:
        answer = getattr(module, names.get(name, name))(*operands)
        return tl.Layout(answer.shape, answer.stride)
    except Exception:
        return None


@pytest.mark.parametrize("name", OPERATIONS)
def test_counts(name: str) -> None:
    drawn, judge = OPERATIONS[name]
    rng = random.Random(name)
    counts: dict[str, Counter[str]] = {library: Counter() for library in LIBRARIES}
    for _ in range(PAIRS):
        a, b = drawn(rng)
        for library in LIBRARIES:
            counts[library][judge(a, b, answered(library, name, a, b))] += 1
    print(f"\n{name}, {PAIRS} random operands")
    for library, kinds in counts.items():
        shown = ("right", "wrong", "refused", "missed", "short")
        print(f"  {library:15}" + "".join(f"{kind:>10} {kinds[kind]:5}" for kind in shown))
    assert not counts["tensorlib"]["wrong"]
    assert not counts["tensorlib"]["missed"]
    assert not counts["tensorlib"]["short"]
