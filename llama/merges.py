"""The merge loop of byte-pair encoding: a linked list of symbols and a queue of merge options.

`merged` is the loop of one word: options leave a heap lowest rank first, leftmost first, and the
outdated ones are passed over. `merged_long` gives the same for long words: it takes all options of
one rank at once, with NumPy, so that a megabyte without a space costs a fraction of a second.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from heapq import heapify, heappop, heappush
from itertools import pairwise

import numpy as np
import numpy.typing as npt

__all__ = ["Merges"]

_LONG = 16384  # symbols from which whole ranks are merged at once

_Array = npt.NDArray[np.int64]


class Merges:
    """Ranked merges: `pairs[left, right] == (rank, result)`, all of them token ids.

    Law: merging takes, again and again, the leftmost of the adjacent pairs of lowest rank.

    >>> Merges({(0, 0): (0, 1), (1, 1): (1, 2)}).merged([0, 0, 0, 0, 0])
    [2, 0]
    """

    def __init__(self, pairs: Mapping[tuple[int, int], tuple[int, int]]) -> None:
        self.pairs = pairs

    def __call__(self, symbols: Sequence[int]) -> list[int]:
        """Return `symbols` after every merge; long inputs go rank by rank where that is exact."""
        if len(symbols) >= _LONG and self.pairs and self._ordered:
            return self.merged_long(symbols)
        return self.merged(symbols)

    def merged(self, symbols: Sequence[int]) -> list[int]:
        """Return `symbols` after every merge, in O(n log n) steps."""
        tokens, count = list(symbols), len(symbols)
        length = [1] * count  # 0: merged into its left neighbour
        before, after = list(range(-1, count - 1)), list(range(1, count + 1))
        options = [
            (*self.pairs[pair], left, left + 1, 2)
            for left, pair in enumerate(pairwise(tokens))
            if pair in self.pairs
        ]
        heapify(options)
        while options:
            _, result, left, right, checksum = heappop(options)
            if not length[left] or not length[right] or length[left] + length[right] != checksum:
                continue  # outdated: one side has been merged since
            tokens[left], length[left], length[right] = result, checksum, 0
            following, preceding = after[right], before[left]
            after[left] = following
            if following < count:
                before[following] = left
            for first, second in ((preceding, left), (left, following)):
                if first < 0 or second >= count:
                    continue
                found = self.pairs.get((tokens[first], tokens[second]))
                if found is not None:
                    heappush(options, (*found, first, second, length[first] + length[second]))
        return [token for token, size in zip(tokens, length, strict=True) if size]

    def merged_long(self, symbols: Sequence[int]) -> list[int]:
        """Return `merged(symbols)`, a whole rank at a time; needs merges, and `_ordered` ones."""
        return _RankByRank(self, symbols).run()

    @cached_property
    def _table(self) -> tuple[_Array, _Array, _Array]:
        """The sorted keys left * span + right, and each one's rank and result."""
        rows = np.array([(*pair, *self.pairs[pair]) for pair in self.pairs], np.int64)
        keys = rows[:, 0] * self._span + rows[:, 1]
        order = np.argsort(keys)
        return keys[order], rows[order, 2], rows[order, 3]

    @cached_property
    def _span(self) -> int:
        return 1 + max(max(*pair, row[1]) for pair, row in self.pairs.items())

    @cached_property
    def _of_rank(self) -> dict[int, tuple[int, int, int]]:
        return {rank: (*pair, result) for pair, (rank, result) in self.pairs.items()}

    @cached_property
    def _ordered(self) -> bool:
        """Whether a token enters only merges that rank after each of its own making."""
        lowest: dict[int, int] = {}
        for (left, right), (rank, _) in self.pairs.items():
            lowest[left] = min(rank, lowest.get(left, rank))
            lowest[right] = min(rank, lowest.get(right, rank))
        return all(lowest.get(result, rank + 1) > rank for rank, result in self.pairs.values())


class _RankByRank:
    """One long word: arrays for the linked list, and the options in one bucket a rank."""

    def __init__(self, merges: Merges, symbols: Sequence[int]) -> None:
        self.merges = merges
        count = len(symbols)
        # One place more than symbols: the end of the list, before the first and after the last.
        self.tokens = np.append(np.asarray(symbols, np.int64), -1)
        self.before = np.arange(-1, count)
        self.before[0] = count
        self.after = np.arange(1, count + 2)
        self.after[count] = 0
        self.end = count
        self.buckets: dict[int, list[_Array]] = {}
        self.ranks: list[int] = []

    def run(self) -> list[int]:
        """Return the symbols that are left when no option is."""
        self.add(np.arange(self.end))
        while self.ranks:
            rank = heappop(self.ranks)
            places = np.sort(np.concatenate(self.buckets.pop(rank)), kind="stable")
            self.merge(self.valid(places, rank), self.merges._of_rank[rank][2])
        tokens: list[int] = self.tokens[:-1][self.tokens[:-1] >= 0].tolist()
        return tokens

    def add(self, places: _Array) -> None:
        """File the pairs that begin at `places` under their ranks."""
        keys, ranks, _ = self.merges._table
        right = self.tokens[self.after[places]]
        wanted = np.where(right < 0, -1, self.tokens[places] * self.merges._span + right)
        index = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        found = keys[index] == wanted
        self.file(places[found], ranks[index[found]])

    def file(self, places: _Array, ranks: _Array) -> None:
        """Put each place into the bucket of its rank."""
        order = np.argsort(ranks, kind="stable")
        places, ranks = places[order], ranks[order]
        starts = np.flatnonzero(np.diff(ranks, prepend=-1))
        for rank, group in zip(
            ranks[starts].tolist(), np.split(places, starts[1:]), strict=bool(len(starts))
        ):
            if rank not in self.buckets:
                self.buckets[rank] = []
                heappush(self.ranks, rank)
            self.buckets[rank].append(group)

    def valid(self, places: _Array, rank: int) -> _Array:
        """Return where the pair of `rank` still stands; of overlapping pairs the leftmost."""
        left, right, _ = self.merges._of_rank[rank]
        stands = (self.tokens[places] == left) & (self.tokens[self.after[places]] == right)
        places = places[stands]
        places = places[np.diff(places, prepend=-1) > 0]  # each once
        if left != right or len(places) < 2:
            return places
        fresh = np.append(True, self.after[places[:-1]] != places[1:])  # a run of pairs begins
        starts = np.flatnonzero(fresh)
        within = np.arange(len(places)) - starts[np.cumsum(fresh) - 1]
        first: _Array = places[within % 2 == 0]
        return first

    def merge(self, left: _Array, result: int) -> None:
        """Merge the pairs that begin at `left`, none overlapping, and add the new options."""
        right = self.after[left]
        following = self.after[right]
        self.tokens[left], self.tokens[right] = result, -1
        self.after[left] = following
        self.before[following] = left
        preceding = self.before[left]
        self.add(np.concatenate([preceding[preceding != self.end], left]))
