"""The merge loop of byte-pair encoding against its definition, and how many steps it takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorlib.llama import merges as merges_module
from tensorlib.llama.merges import Merges

Pairs = dict[tuple[int, int], tuple[int, int]]


def by_definition(pairs: Pairs, symbols: list[int]) -> list[int]:
    """Merge, again and again, the leftmost of the adjacent pairs of lowest rank."""
    tokens = list(symbols)
    while True:
        options = [
            (pairs[pair][0], place)
            for place in range(len(tokens) - 1)
            if (pair := (tokens[place], tokens[place + 1])) in pairs
        ]
        if not options:
            return tokens
        _, place = min(options)
        tokens[place : place + 2] = [pairs[tokens[place], tokens[place + 1]][1]]


@st.composite
def tables(draw: st.DrawFn, shuffled: bool) -> Pairs:
    """Merges over the letters a, b, c; several may make one text; ranks in order or shuffled."""
    texts = ["a", "b", "c"]
    pairs: dict[tuple[int, int], int] = {}
    for _ in range(draw(st.integers(0, 12))):
        left, right = (draw(st.integers(0, len(texts) - 1)) for _ in range(2))
        whole = texts[left] + texts[right]
        if whole not in texts:
            texts.append(whole)
        pairs.setdefault((left, right), texts.index(whole))
    ranks = draw(st.permutations(range(len(pairs)))) if shuffled else range(len(pairs))
    return {pair: (rank, pairs[pair]) for pair, rank in zip(pairs, ranks, strict=True)}


words = st.lists(st.integers(0, 2), max_size=60)


@contextmanager
def long_from(size: int) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merges_module, "_LONG", size)
        yield


@given(tables(shuffled=True), words)
def test_merged_is_the_definition(pairs: Pairs, symbols: list[int]) -> None:
    assert Merges(pairs).merged(symbols) == by_definition(pairs, symbols)


@given(tables(shuffled=False) | tables(shuffled=True), words)
def test_long_words_are_merged_alike(pairs: Pairs, symbols: list[int]) -> None:
    with long_from(0):
        assert Merges(pairs)(symbols) == by_definition(pairs, symbols)


@given(tables(shuffled=False), st.lists(st.integers(0, 1), min_size=1, max_size=200))
def test_a_rank_at_once_is_the_definition(pairs: Pairs, symbols: list[int]) -> None:
    merges = Merges(pairs)
    if pairs and merges._ordered:
        assert merges.merged_long(symbols) == by_definition(pairs, symbols)


def test_order_of_merges_is_noticed() -> None:
    ordered = {(0, 1): (0, 2), (2, 0): (1, 3)}
    assert Merges(ordered)._ordered
    assert not Merges({pair: (1 - rank, r) for pair, (rank, r) in ordered.items()})._ordered
    assert Merges({})._ordered


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 7, 8, 9, 1000, 1001])
def test_runs_of_one_symbol_merge_from_the_left(count: int) -> None:
    pairs = {(0, 0): (0, 1), (1, 0): (1, 2)}
    expected = [1] * (count // 2) + [0] * (count % 2)
    if count % 2 and count > 1:
        expected[-2:] = [2]
    assert Merges(pairs).merged([0] * count) == expected
    assert Merges(pairs).merged_long([0] * count) == expected


class Counting(dict[tuple[int, int], tuple[int, int]]):
    """A table that counts how often it is asked."""

    asked = 0

    def get(self, pair: Any, default: Any = None) -> Any:
        self.asked += 1
        return super().get(pair, default)


@pytest.mark.parametrize("count", [100, 1000, 10_000])
def test_lookups_grow_with_the_word_not_with_its_square(count: int) -> None:
    pairs = Counting({(i, i): (i, i + 1) for i in range(20)})
    assert len(Merges(pairs).merged([0] * count)) == bin(count).count("1")
    assert pairs.asked < 2 * count


def test_a_megabyte_of_one_letter_takes_a_round_a_rank(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = []
    merge = merges_module._RankByRank.merge
    monkeypatch.setattr(
        merges_module._RankByRank,
        "merge",
        lambda self, left, result: rounds.append(result) or merge(self, left, result),  # type: ignore[func-returns-value]
    )
    assert Merges({(i, i): (i, i + 1) for i in range(3)})([0] * 1_000_000) == [3] * 125_000
    assert rounds == [1, 2, 3]
