"""Agreement with pycute and tensor-layouts, wherever enumeration says that they are right."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from tensorlib import layouts as tl
from tensorlib.tests import layout_laws as laws
from tensorlib.tests.layout_oracles import (
    Pair,
    at,
    complement_offsets,
    modes_of,
    offsets_of,
    random_layout,
    table,
)

pytestmark = pytest.mark.slow
PAIRS = 5000
NAMES = {"tensor_layouts": {"composition": "compose"}}


@pytest.fixture(params=["pycute", "tensor_layouts"])
def peer(request: pytest.FixtureRequest) -> Any:
    return pytest.importorskip(request.param)


def asked(library: Any, name: str, *operands: Any) -> Any:
    """The library's answer as our Layout, None where it raises or has no such operation."""
    function = getattr(library, NAMES.get(library.__name__, {}).get(name, name), None)
    layouts = [library.Layout(*x) if isinstance(x, Nest) else x for x in operands]
    try:
        answer = function(*layouts)
        return tl.Layout(answer.shape, answer.stride)
    except Exception:
        return None


class Nest(tuple[Any, Any]):
    """A pair (shape, stride) that stands for a layout, not for a tuple of tilers."""

    __slots__ = ()


def drawn(rng: random.Random, most: int) -> Nest:
    pair = Nest(random_layout(rng, most, 24))
    return pair if table(modes_of(pair)) else drawn(rng, most)


def compared(peer: Any, name: str, draw: Callable[..., tuple[Any, ...]], judge: Any) -> None:
    """Where the judge says "right" of the peer's answer, ours has the same offsets."""
    rng = random.Random(name)
    agreed = 0
    for _ in range(PAIRS):
        operands = draw(rng)
        theirs = asked(peer, name, *operands)
        if theirs is None or judge(*operands, theirs) != "right":
            continue
        agreed += 1
        ours = asked(tl, name, *operands)
        assert ours is not None, f"{name}{operands}: {theirs} is right"
        assert offsets_of(ours) == offsets_of(theirs), f"{name}{operands}: {ours} or {theirs}"
    print(f"\n{name}: {peer.__name__} right, and we agree, in {agreed} of {PAIRS}")
    assert agreed > PAIRS // 4


def test_composition(peer: Any) -> None:
    compared(
        peer, "composition", lambda rng: (drawn(rng, 36), drawn(rng, 12)), laws.judged_composition
    )


def test_coalesce(peer: Any) -> None:
    def judge(pair: Pair, answer: Any) -> str:
        return "right" if offsets_of(answer) == table(modes_of(pair)) else "wrong"

    compared(peer, "coalesce", lambda rng: (drawn(rng, 48),), judge)


def test_complement(peer: Any) -> None:
    def judge(pair: Pair, target: int, answer: Any) -> str:
        expected = complement_offsets(modes_of(pair), target)
        return "right" if offsets_of(answer) == expected else "wrong"

    compared(peer, "complement", lambda rng: (drawn(rng, 24), rng.randint(1, 120)), judge)


@pytest.mark.parametrize("name", ["logical_divide", "zipped_divide", "tiled_divide"])
def test_division(peer: Any, name: str) -> None:
    def judge(a: Pair, b: Pair, answer: Any) -> str:
        whole = asked(peer, "logical_divide", a, b)
        return "wrong" if whole is None else laws.judged_divide(a, b, whole)

    compared(peer, name, lambda rng: (drawn(rng, 36), drawn(rng, 12)), judge)


@pytest.mark.parametrize("name", ["logical_product", "zipped_product", "tiled_product"])
def test_product(peer: Any, name: str) -> None:
    def judge(a: Pair, b: Pair, answer: Any) -> str:
        whole = asked(peer, "logical_product", a, b)
        return "wrong" if whole is None else laws.judged_product(a, b, whole)

    compared(peer, name, lambda rng: (drawn(rng, 16), drawn(rng, 12)), judge)


def test_left_inverse_on_the_image(peer: Any) -> None:
    rng = random.Random("left")
    agreed = 0
    for _ in range(PAIRS):
        pair = drawn(rng, 24)
        offsets = table(modes_of(pair))
        theirs = asked(peer, "left_inverse", pair)
        if theirs is None or len(set(offsets)) < len(offsets):
            continue
        inverse = modes_of((theirs.shape, theirs.stride))
        if [at(inverse, offset) for offset in offsets] == list(range(len(offsets))):
            ours = tl.left_inverse(tl.Layout(*pair))
            agreed += 1
            assert [ours(offset) for offset in offsets] == list(range(len(offsets)))
    assert agreed > PAIRS // 4


def test_right_inverse_where_theirs_is_as_long(peer: Any) -> None:
    rng = random.Random("right")
    for _ in range(PAIRS):
        pair = drawn(rng, 24)
        theirs, ours = asked(peer, "right_inverse", pair), tl.right_inverse(tl.Layout(*pair))
        assert theirs.size <= ours.size
        distinct = len(set(table(modes_of(pair)))) == len(table(modes_of(pair)))
        if distinct and theirs.size == ours.size:
            assert offsets_of(theirs) == offsets_of(ours)


def test_nullspace_and_common_layouts() -> None:
    peer = pytest.importorskip("tensor_layouts")
    rng = random.Random("common")
    for _ in range(PAIRS):
        a, b = drawn(rng, 32), drawn(rng, 32)
        assert asked(peer, "nullspace", a) == tl.nullspace(tl.Layout(*a))
        theirs = asked(peer, "max_common_layout", a, b)
        ours = tl.max_common_layout(tl.Layout(*a), tl.Layout(*b))
        if theirs is not None and _common(a, b, theirs):
            assert theirs.size <= ours.size


def _common(a: Pair, b: Pair, result: Any) -> bool:
    indices = offsets_of(result)
    last = min(len(table(modes_of(a))), len(table(modes_of(b))))
    return all(
        at(modes_of(a), index) == at(modes_of(b), index) == i and index < last
        for i, index in enumerate(indices)
    )


@pytest.mark.parametrize("name", ["blocked_product", "raked_product", "flat_divide"])
def test_arrangements(name: str) -> None:
    peer = pytest.importorskip("tensor_layouts")
    rng = random.Random(name)
    agreed = 0
    for _ in range(PAIRS):
        a = Nest(((rng.randint(1, 4) * 2, rng.randint(1, 3) * 3), (1, 0)))
        a = Nest((a[0], rng.choice(((1, a[0][0]), (a[0][1], 1)))))
        b: Any = Nest(((2, 3), rng.choice(((1, 2), (3, 1)))))
        operands = (a, (2, 3)) if name == "flat_divide" else (a, b)
        theirs, ours = asked(peer, name, *operands), asked(tl, name, *operands)
        if theirs is not None:
            agreed += 1
            assert offsets_of(theirs) == offsets_of(ours)
    assert agreed > PAIRS // 4
