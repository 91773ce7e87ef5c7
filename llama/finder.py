"""Finding some texts within another: special tokens in a prompt."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

__all__ = ["TextFinder"]


class TextFinder:
    """Finds the keys of `ids` in a text: at each place the longest, leftmost place first.

    >>> list(TextFinder({"<a>": 1, "<a><b>": 2}).cut("x<a><b><a>y"))
    [('x', None), ('<a><b>', 2), ('<a>', 1), ('y', None)]
    """

    def __init__(self, ids: Mapping[str, int]) -> None:
        self._ids = {text: number for text, number in ids.items() if text}
        self._lengths = sorted({len(text) for text in self._ids}, reverse=True)
        self._head = min(self._lengths, default=0)
        self._heads = {text[: self._head] for text in self._ids}
        letters = "".join(sorted({re.escape(text[0]) for text in self._ids}))
        self._first = re.compile(f"[{letters}]") if letters else None

    def cut(self, text: str) -> Iterator[tuple[str, int | None]]:
        """Yield (a key, its id) and (the text between, None), in order, none empty."""
        start = 0
        for at, length in self.found(text):
            if at < start:
                continue
            if start < at:
                yield text[start:at], None
            start = at + length
            yield text[at:start], self._ids[text[at:start]]
        if start < len(text):
            yield text[start:], None

    def found(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield every place where a key begins and the length of the longest, overlaps included."""
        size, heads = self._head, self._heads
        for match in self._first.finditer(text) if self._first else ():
            at = match.start()
            if text[at : at + size] in heads and (length := self._length(text, at)):
                yield at, length

    def _length(self, text: str, at: int) -> int:
        return next((n for n in self._lengths if text[at : at + n] in self._ids), 0)
