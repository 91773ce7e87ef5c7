"""Byte-level BPE: text to token ids and back, as the model file's lists say."""

from __future__ import annotations

import codecs
import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from reprlib import repr as short
from typing import Any

import numpy as np
import numpy.typing as npt

from tensorlib.errors import ModelError
from tensorlib.llama.finder import TextFinder
from tensorlib.llama.pretokenize import pretokenizer
from tensorlib.llama.vocabulary import (
    BYTE_TEXT,
    TokenType,
    Vocabulary,
    ranked_merges,
    required,
    token_id,
)

__all__ = ["StreamDecoder", "Tokenizer", "check_text"]

_CACHED_WORD = 64  # characters; longer words are too rare to keep
_CACHED_WORDS = 1 << 16
_NEVER = -1


class Tokenizer:
    """Turns text into token ids and ids into text.

    Text is cut at the special tokens written in it, the rest into words (`pre` names how), and
    the UTF-8 bytes of each word are merged by rank. Bytes without a token are dropped.
    `decode(encode(x)) == x` where every byte has a token and no BOS is added.

    Raises:
        ModelError: malformed lists, unknown `pre`, ids out of range, missing package regex.

    >>> tokenizer = Tokenizer(["<end>", "a", "b", "ab"], ["a b"], [3, 1, 1, 1], pre="gpt-2")
    >>> tokenizer.encode("abba<end>")
    [3, 2, 1, 0]
    >>> tokenizer.decode([3, 2])
    'abb'
    """

    def __init__(
        self,
        tokens: Sequence[str],
        merges: Sequence[str],
        token_types: Sequence[int] | npt.NDArray[np.integer[Any]] | None = None,
        *,
        pre: str = "default",
        bos_id: int | None = None,
        eos_id: int | None = None,
        end_ids: Iterable[int] = (),
        add_bos: bool | None = None,
    ) -> None:
        self._pretokenizer = pretokenizer(pre)
        self._vocabulary = Vocabulary(tokens, token_types)
        self._merges = ranked_merges(merges, self._vocabulary)
        self.bos_id = token_id("bos_token_id", bos_id, len(self))
        self.eos_id = token_id("eos_token_id", eos_id, len(self))
        ends = (self.eos_id, *(token_id("eot_token_id", i, len(self)) for i in end_ids))
        self.end_ids = frozenset(_present(ends))
        self.add_bos = _flag("add_bos_token", add_bos, self._pretokenizer.add_bos)
        self._symbols = self._vocabulary.byte_symbols()
        always = self._vocabulary.of_type(TokenType.USER_DEFINED)
        special = self._vocabulary.of_type(TokenType.CONTROL, TokenType.UNKNOWN)
        self.special_ids = frozenset(special.values())
        self._plain, self._special = TextFinder(always), TextFinder(always | special)
        self._words: dict[str, list[int]] = {}

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, Any]) -> Tokenizer:
        """Return the tokenizer of a GGUF file; ModelError where its keys don't make one."""
        key = "tokenizer.ggml."
        model = required(metadata, key + "model")
        if model != "gpt2":
            raise ModelError(
                f"tokenizer.ggml.model: got {short(model)}; needed 'gpt2', a byte-level BPE"
            )
        tokens = required(metadata, key + "tokens")
        ends = (metadata.get(f"{key}{name}_token_id") for name in ("eot", "eom"))
        return cls(
            tokens,
            required(metadata, key + "merges"),
            metadata.get(key + "token_type"),
            pre=metadata.get(key + "pre", "default"),
            bos_id=metadata.get(key + "bos_token_id"),
            eos_id=metadata.get(key + "eos_token_id"),
            end_ids=[i for i in ends if i is not None],
            add_bos=metadata.get(key + "add_bos_token"),
        )

    def __len__(self) -> int:
        """Return the number of tokens."""
        return len(self._vocabulary)

    def encode(self, text: str, special: bool = True, *, bos: bool | None = None) -> list[int]:
        """Return the token ids of `text`.

        special: control tokens written in the text become their ids; otherwise they are plain
        characters. bos: put the BOS token first; None leaves that to the model file.
        """
        check_text(text)
        ids = [self.bos_id] if bos is not False and self._wants_bos(bos) else []
        for piece, number in (self._special if special else self._plain).cut(text):
            if number is not None:
                ids.append(number)
                continue
            for word in self._pretokenizer.words(piece):
                ids += self._encode_word(word)
        return _present(ids)

    def decode(self, ids: Iterable[int], special: bool = True) -> str:
        """Return the text of `ids`; bytes that are not UTF-8 become U+FFFD."""
        return self.decode_bytes(ids, special).decode("utf-8", "replace")

    def decode_bytes(self, ids: Iterable[int], special: bool = True) -> bytes:
        """Return the bytes of `ids`; without `special` control tokens have none."""
        numbers = [self._checked(i) for i in ids]
        return b"".join(
            self._vocabulary.token_bytes(i) for i in numbers if special or i not in self.special_ids
        )

    def token_bytes(self, number: int) -> bytes:
        """Return the bytes of one token; ModelError outside of 0 to len(self) - 1."""
        return self._vocabulary.token_bytes(self._checked(number))

    def token_text(self, number: int) -> str:
        """Return the text of one token as the model file spells it."""
        return self._vocabulary.texts[self._checked(number)]

    def pieces(self, ids: Iterable[int]) -> list[str]:
        r"""Return each token's bytes as text; those that are no whole character show as \xNN."""
        return [self.token_bytes(i).decode("utf-8", "backslashreplace") for i in ids]

    def stream(self, special: bool = False) -> StreamDecoder:
        """Return a decoder that is fed one id after another."""
        return StreamDecoder(self, special)

    def special_texts(self) -> list[str]:
        """Return the texts that `encode` takes for special tokens only if asked to."""
        return [self._vocabulary.texts[i] for i in sorted(self.special_ids)]

    def cut(self, text: str) -> Iterator[tuple[str, int | None]]:
        """Yield `text` in pieces: each special token with its id, the text between with None."""
        return self._special.cut(text)

    def _encode_word(self, word: str) -> list[int]:
        found = self._words.get(word)
        if found is not None:
            return found
        found = self._merged(word.encode())
        if len(word) <= _CACHED_WORD:
            if len(self._words) >= _CACHED_WORDS:
                self._words.clear()
            self._words[word] = found
        return found

    def _merged(self, word: bytes) -> list[int]:
        if self._pretokenizer.whole_words:
            number = self._vocabulary.ids.get("".join(BYTE_TEXT[byte] for byte in word), _NEVER)
            if number != _NEVER and self._vocabulary.types[number] == TokenType.NORMAL:
                return [number]
        return self._merges([i for byte in word if (i := self._symbols[byte]) != _NEVER])

    def _wants_bos(self, bos: bool | None) -> bool:
        if bos and self.bos_id is None:
            raise ModelError("encode: got bos=True; the model file names no BOS token")
        return bool(bos) or (self.add_bos and self.bos_id is not None)

    def _checked(self, number: int) -> int:
        try:
            index = operator.index(number)
        except TypeError:
            index = _NEVER
        if not 0 <= index < len(self):
            got = short(number)
            raise ModelError(f"decode: got token id {got}; needed 0 to {len(self) - 1}")
        return index


class StreamDecoder:
    """Text of ids as they come: a character is held back until its last byte is there.

    Law: the pushes and `finish` joined are `tokenizer.decode(ids, special)`.

    >>> stream = Tokenizer(["Ã", "©", "a"], [], pre="gpt-2").stream()
    >>> [stream.push(0), stream.push(1), stream.push(0), stream.finish()]
    ['', 'é', '', '\ufffd']
    """

    def __init__(self, tokenizer: Tokenizer, special: bool = False) -> None:
        self._tokenizer, self._special = tokenizer, special
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def push(self, number: int) -> str:
        """Return the text that token `number` completes, perhaps none."""
        return self._decoder.decode(self._tokenizer.decode_bytes([number], self._special))

    def finish(self) -> str:
        """Return what is left: U+FFFD where a character was cut off."""
        return self._decoder.decode(b"", True)


def _present(numbers: Iterable[int | None]) -> list[int]:
    return [number for number in numbers if number is not None]


def _flag(name: str, value: object, default: bool) -> bool:
    if value is not None and not isinstance(value, bool):
        raise ModelError(f"tokenizer.ggml.{name}: got {short(value)}; needed true or false")
    return default if value is None else value


def check_text(text: object) -> None:
    """Raise ModelError unless `text` is a str that UTF-8 can hold."""
    if not isinstance(text, str):
        raise ModelError(f"encode: got {short(text)}; needed a str")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        where, code = error.start, ord(text[error.start])
        raise ModelError(
            f"encode: got the lone surrogate U+{code:04X} at character {where}; "
            "needed text that UTF-8 can hold; try text.encode('utf-8', 'replace').decode()"
        ) from None
