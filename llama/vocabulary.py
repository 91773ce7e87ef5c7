"""A model file's token list, checked: texts, types, merges, and each token's bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from reprlib import repr as short
from typing import Any

import numpy as np

from tensorlib.errors import ModelError
from tensorlib.llama.merges import Merges

__all__ = ["BYTE_TEXT", "TokenType", "Vocabulary", "ranked_merges", "token_id"]


class TokenType(IntEnum):
    """What `tokenizer.ggml.token_type` says of a token."""

    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    USER_DEFINED = 4
    UNUSED = 5
    BYTE = 6


def _byte_text() -> str:
    """Return GPT-2's printable stand-in for each byte: itself where printable, else from U+0100."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return "".join(chr(byte if byte in printable else next(others)) for byte in range(256))


BYTE_TEXT = _byte_text()  # character i stands for byte i in the texts of normal tokens
_BYTE_OF = {character: byte for byte, character in enumerate(BYTE_TEXT)}


class Vocabulary:
    """Distinct token texts and their types; `ids[texts[i]] == i`."""

    __slots__ = ("_bytes", "ids", "texts", "types")

    def __init__(self, tokens: Sequence[str], types: object = None) -> None:
        self.texts = _checked_texts(tokens)
        self.types = _checked_types(types, len(self.texts))
        self.ids = {text: number for number, text in enumerate(self.texts)}
        if len(self.ids) != len(self.texts):
            raise _twice(self.texts)
        self._bytes: dict[int, bytes] = {}

    def __len__(self) -> int:
        return len(self.texts)

    def of_type(self, *types: TokenType) -> dict[str, int]:
        """Return text -> id of the tokens that have one of `types`."""
        return {self.texts[i]: i for i, kind in enumerate(self.types) if kind in types}

    def token_bytes(self, number: int) -> bytes:
        """Return the bytes that token `number` stands for; needs 0 <= number < len(self)."""
        found = self._bytes.get(number)
        if found is None:
            found = self._bytes[number] = self._token_bytes(number)
        return found

    def _token_bytes(self, number: int) -> bytes:
        text = self.texts[number]
        if self.types[number] == TokenType.NORMAL and all(c in _BYTE_OF for c in text):
            return bytes(_BYTE_OF[c] for c in text)
        return text.encode("utf-8", "replace")

    def byte_symbols(self) -> list[int]:
        """Return the token id of each byte, -1 where none stands for it."""
        found = [self.ids.get(character, -1) for character in BYTE_TEXT]
        return [-1 if i >= 0 and self.types[i] == TokenType.CONTROL else i for i in found]


def ranked_merges(merges: Sequence[str], vocabulary: Vocabulary) -> Merges:
    """Return the merge loop of `merges`, lines of two token texts with a space between.

    A merge into a control token is left out: plain text never makes a control token.
    """
    pairs: dict[tuple[int, int], tuple[int, int]] = {}
    find, types, control = vocabulary.ids.get, vocabulary.types, int(TokenType.CONTROL)
    for rank, line in enumerate(_strings("merges", merges)):
        left, _, right = line.partition(" ")
        pair = (find(left, -1), find(right, -1))
        result = find(left + right, -1)
        if pair[0] < 0 or pair[1] < 0 or result < 0 or not left or not right:
            raise ModelError(
                f"tokenizer.ggml.merges[{rank}]: got {short(line)}; "
                "needed two tokens that together make a third"
            )
        if pair in pairs:
            raise ModelError(f"tokenizer.ggml.merges[{rank}]: got {short(line)} a second time")
        if types[result] != control:
            pairs[pair] = (rank, result)
    return Merges(pairs)


def token_id(name: str, value: object, count: int) -> int | None:
    """Return the special token id `value`, None where the file has none; ModelError outside."""
    if value is None:
        return None
    if not isinstance(value, int | np.integer) or isinstance(value, bool):
        raise ModelError(f"tokenizer.ggml.{name}: got {short(value)}; needed a token id")
    if not 0 <= value < count:
        raise ModelError(f"tokenizer.ggml.{name}: got {value}; needed 0 to {count - 1}")
    return int(value)


def required(metadata: Mapping[str, Any], key: str) -> Any:
    """Return `metadata[key]`; ModelError where the file has no such key."""
    if key not in metadata:
        raise ModelError(f"{key}: the model file has no such key; needed by its tokenizer")
    return metadata[key]


def _strings(name: str, values: object) -> Sequence[str]:
    if not isinstance(values, list | tuple) or not all(isinstance(v, str) for v in values):
        raise ModelError(f"tokenizer.ggml.{name}: got {_kind(values)}; needed a list of strings")
    return values


def _kind(values: object) -> str:
    if isinstance(values, list | tuple):
        wrong = next((v for v in values if not isinstance(v, str)), None)
        return f"a list with {short(wrong)}"
    return short(values)


def _checked_texts(tokens: object) -> tuple[str, ...]:
    texts = tuple(_strings("tokens", tokens))
    if not texts:
        raise ModelError("tokenizer.ggml.tokens: got an empty list; needed at least one token")
    return texts


def _checked_types(types: object, count: int) -> list[int]:
    if types is None:
        return [int(TokenType.NORMAL)] * count
    values = types.tolist() if isinstance(types, np.ndarray) else types
    if not isinstance(values, list | tuple) or set(map(type, values)) - {int}:
        raise ModelError(f"tokenizer.ggml.token_type: got {short(values)}; needed integers")
    if len(values) != count:
        raise ModelError(f"tokenizer.ggml.token_type: got {len(values)}; needed {count}, one each")
    wrong = set(values) - set(map(int, TokenType))
    if wrong:
        place = next(place for place, value in enumerate(values) if value in wrong)
        raise ModelError(
            f"tokenizer.ggml.token_type[{place}]: got {values[place]}; "
            f"needed {min(TokenType):d} to {max(TokenType):d}"
        )
    return list(values)


def _twice(texts: Sequence[str]) -> ModelError:
    first: dict[str, int] = {}
    for place, text in enumerate(texts):
        if first.setdefault(text, place) != place:
            return ModelError(
                f"tokenizer.ggml.tokens: got {short(text)} at {first[text]} and at {place}; "
                "needed distinct tokens"
            )
    raise AssertionError("called for distinct texts")
