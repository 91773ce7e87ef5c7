r"""Pre-tokenizers: how a text is cut into words before byte-pair merging, one table row each.

A row's patterns apply in order: each cuts every piece of the one before into its matches and the
gaps between them. Names and patterns follow llama.cpp's `tokenizer.ggml.pre`, whose gaps stand for
the last branch `\s+` that Hugging Face writes out.

>>> PRETOKENIZERS["smollm"].words("It's 12 o'clock")
['It', "'s", ' ', '1', '2', ' o', "'", 'clock']
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from tensorlib.errors import ModelError

__all__ = ["PRETOKENIZERS", "Pretokenizer", "pretokenizer"]

_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)"
_LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_PUNCTUATION = r"[\p{P}\$\+<=>\^~\|`]+"


@dataclass(frozen=True, slots=True)
class Pretokenizer:
    """One way to cut text into words; `words` joined give the text back."""

    patterns: tuple[str, ...]
    whole_words: bool = False  # a word that is itself a token is taken without merging
    add_bos: bool = False  # where the model file does not say

    def words(self, text: str) -> list[str]:
        """Return the words of `text` in order, none empty."""
        pieces = [text] if text else []
        for pattern in self.patterns:
            split = _compiled(pattern).finditer
            pieces = [word for piece in pieces for word in _cut(piece, split(piece))]
        return pieces


_DIGITS_THEN_GPT2 = Pretokenizer((r"\p{N}", _GPT2))
_LLAMA_BPE = Pretokenizer((_LLAMA3,), whole_words=True, add_bos=True)

PRETOKENIZERS: dict[str, Pretokenizer] = {
    "default": Pretokenizer((_PUNCTUATION, _GPT2, r"\p{N}+", r"[0-9][0-9][0-9]")),
    "gpt-2": Pretokenizer((_GPT2,)),
    # digits one by one first
    "smollm": _DIGITS_THEN_GPT2,
    "starcoder": _DIGITS_THEN_GPT2,
    "refact": _DIGITS_THEN_GPT2,
    "command-r": _DIGITS_THEN_GPT2,
    # digits in threes, contractions in either case, line ends by themselves
    "llama-bpe": _LLAMA_BPE,
    "llama3": _LLAMA_BPE,
    "llama-v3": _LLAMA_BPE,
}


def pretokenizer(name: object) -> Pretokenizer:
    """Return the row of `name`; ModelError names the known ones where there is none."""
    row = PRETOKENIZERS.get(name) if isinstance(name, str) else None
    if row is None:
        known = ", ".join(sorted(PRETOKENIZERS))
        raise ModelError(f"tokenizer.ggml.pre: got {name!r}; needed one of {known}")
    return row


def _cut(piece: str, matches: Iterator[Any]) -> Iterator[str]:
    """Yield the matches within `piece` and the gaps between them, in order."""
    end = 0
    for match in matches:
        start, stop = match.span()
        if start > end:
            yield piece[end:start]
        yield piece[start:stop]
        end = stop
    if end < len(piece):
        yield piece[end:]


@cache
def _compiled(pattern: str) -> Any:
    try:
        regex = import_module("regex")
    except ImportError:
        raise ModelError(
            "tokenizer: the package regex is missing; try pip install 'tensorlib[llama]'"
        ) from None
    return regex.compile(pattern)
