"""The merge loop of a tokenizer: unstructured host code, in the language of the kernels.

A heap holds the merges that are possible, lowest rank first; tokens are a linked list. What was
merged since makes an option outdated, which is noticed when it is taken. The library's own loop is
`tensorlib.llama.merges`, which learned nothing else; this one prints its steps.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import heappop, heappush

from tensorlib.llama.merges import Merges

WORD = "lowerlower"
RANKS = {("l", "o"): 0, ("e", "r"): 1, ("lo", "w"): 2, ("low", "er"): 3}


@dataclass(order=True)
class MergeOption:
    """A merge of two neighbours; `checksum` is the length they had together when it was found."""

    rank: int
    left: int
    right: int = field(compare=False)
    checksum: int = field(compare=False)


class TokenList:
    """Tokens by the place where they begin, each linked to its neighbours."""

    def __init__(self, text: str) -> None:
        self.texts = dict(enumerate(text))
        self.end = len(text)

    def next(self, place: int) -> int | None:
        following = place + len(self.texts[place])
        return following if following < self.end else None

    def prev(self, place: int) -> int | None:
        return max((p for p in self.texts if p < place), default=None)


def merged(text: str) -> list[str]:
    """Return the tokens of a word, printing each merge."""
    tokens, merge_options = TokenList(text), list[MergeOption]()

    def add(left: int | None, right: int | None) -> None:
        if left is None or right is None:
            return
        pair = tokens.texts[left], tokens.texts[right]
        if pair in RANKS:
            heappush(merge_options, MergeOption(RANKS[pair], left, right, len("".join(pair))))

    for place in range(len(text) - 1):
        add(place, place + 1)
    while merge_options:
        merge = heappop(merge_options)
        # Check whether the best merge is still valid
        if merge.left not in tokens.texts or merge.right not in tokens.texts:
            continue  # outdated merge option
        whole = tokens.texts[merge.left] + tokens.texts[merge.right]
        if len(whole) != merge.checksum:
            continue  # outdated merge option
        # Merge the right token into the left token, then
        # add any new valid merge options to the priority queue.
        tokens.texts[merge.left] = whole
        del tokens.texts[merge.right]
        print(f"rank {merge.rank}: {' '.join(tokens.texts[p] for p in sorted(tokens.texts))}")
        add(tokens.prev(merge.left), merge.left)
        add(merge.left, tokens.next(merge.left))
    return [tokens.texts[place] for place in sorted(tokens.texts)]


def main() -> None:
    found = merged(WORD)
    names = sorted({*WORD, *("".join(pair) for pair in RANKS)})
    ids = {name: number for number, name in enumerate(names)}
    table = Merges({(ids[a], ids[b]): (rank, ids[a + b]) for (a, b), rank in RANKS.items()})
    assert [names[i] for i in table([ids[letter] for letter in WORD])] == found
    print("tokens:", found)


if __name__ == "__main__":
    main()
