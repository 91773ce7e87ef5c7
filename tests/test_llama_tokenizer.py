"""Text to token ids and back: equal to Hugging Face, lossless, whole in a stream, never fooled."""

from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorlib.errors import ModelError
from tensorlib.llama import pretokenize
from tensorlib.llama.finder import TextFinder
from tensorlib.llama.pretokenize import PRETOKENIZERS
from tensorlib.llama.tokenizer import Tokenizer
from tensorlib.llama.vocabulary import BYTE_TEXT, TokenType, Vocabulary

DATA = Path(__file__).parent / "data"
NORMAL, UNKNOWN, CONTROL, USER = 1, 2, 3, 4

ROWS: list[dict[str, Any]] = json.loads((DATA / "tokenizer_smollm2.json").read_text())["rows"]
WORDS: list[dict[str, Any]] = json.loads((DATA / "words.json").read_text())["rows"]
GREEDY: list[dict[str, Any]] = json.loads((DATA / "greedy_smollm2.json").read_text())["rows"]


# Bytes of which the default model has no token: rare controls, and what UTF-8 never uses.
MISSING = b"\x04\x06\x13\x14\x16\x1d\xc0\xc1\xf1\xf2\xf5\xf6\xf7\xf8\xf9\xfa\xfb\xfc\xfd\xfe\xff"


# The default model


def test_ids_equal_hugging_face(default_tokenizer: Tokenizer) -> None:
    wrong = [row["text"] for row in ROWS if default_tokenizer.encode(row["text"]) != row["ids"]]
    assert not wrong
    assert len(ROWS) > 400


def test_plain_ids_equal_hugging_face(default_tokenizer: Tokenizer) -> None:
    def plain(row: dict[str, Any]) -> list[int]:
        return list(row.get("plain", row["ids"]))

    wrong = [r["text"] for r in ROWS if default_tokenizer.encode(r["text"], False) != plain(r)]
    assert not wrong
    assert sum("plain" in row for row in ROWS) > 50


@pytest.mark.parametrize("row", GREEDY, ids=lambda row: row["prompt"][:20])
def test_prompt_ids_of_the_greedy_reference(
    row: dict[str, Any], default_tokenizer: Tokenizer
) -> None:
    assert default_tokenizer.encode(row["prompt"]) == row["prompt_ids"]


def test_texts_come_back(default_tokenizer: Tokenizer) -> None:
    symbols = default_tokenizer._vocabulary.byte_symbols()
    whole = [r["text"] for r in ROWS if all(symbols[b] >= 0 for b in r["text"].encode())]
    assert len(whole) > 400
    for text in whole:
        assert default_tokenizer.decode(default_tokenizer.encode(text)) == text
        assert default_tokenizer.decode(default_tokenizer.encode(text, False)) == text


def test_bytes_without_a_token_are_dropped(default_tokenizer: Tokenizer) -> None:
    symbols = default_tokenizer._vocabulary.byte_symbols()
    assert bytes(byte for byte, number in enumerate(symbols) if number < 0) == MISSING
    assert default_tokenizer.encode("\x04") == []
    assert default_tokenizer.encode("\u0378\x04\x06") == default_tokenizer.encode("\u0378")


def test_facts_of_the_default_model(default_tokenizer: Tokenizer) -> None:
    assert len(default_tokenizer) == 49152
    assert default_tokenizer.bos_id == 1
    assert default_tokenizer.eos_id == 2
    assert default_tokenizer.end_ids == {2}
    assert default_tokenizer.add_bos is False
    assert default_tokenizer.special_ids == set(range(17))
    assert default_tokenizer.token_text(2) == "<|im_end|>"


@given(st.text(max_size=40))
def test_any_text_comes_back_but_for_dropped_bytes(text: str) -> None:
    tokenizer = every_byte()
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert tokenizer.decode_bytes(ids) == text.encode()


@given(st.data())
def test_a_stream_says_what_decode_says(data: st.DataObject) -> None:
    tokenizer = every_byte()
    text = st.text(max_size=30).map(tokenizer.encode)
    noise = st.lists(st.integers(0, len(tokenizer) - 1), max_size=30)
    ids = data.draw(text | noise)
    stream = tokenizer.stream(special=True)
    pieces = [stream.push(number) for number in ids]
    assert "".join(pieces) + stream.finish() == tokenizer.decode(ids)


def test_a_stream_holds_back_half_a_character(default_tokenizer: Tokenizer) -> None:
    ids = default_tokenizer.encode("👨‍👩‍👧 字")
    stream = default_tokenizer.stream()
    pieces = [stream.push(number) for number in ids]
    assert "".join(pieces) == "👨‍👩‍👧 字"
    assert "" in pieces
    assert stream.finish() == ""


def test_a_stream_leaves_control_tokens_out(default_tokenizer: Tokenizer) -> None:
    ids = default_tokenizer.encode("a<|im_end|>b")
    stream, told = default_tokenizer.stream(), default_tokenizer.stream(special=True)
    assert [stream.push(i) for i in ids] == ["a", "", "b"]
    assert [told.push(i) for i in ids] == ["a", "<|im_end|>", "b"]
    assert default_tokenizer.decode(ids, special=False) == "ab"


def test_pieces_show_bytes_that_are_no_character(default_tokenizer: Tokenizer) -> None:
    ids = default_tokenizer.encode("the 字")
    assert default_tokenizer.pieces(ids) == ["the", " \\xe5", "\\xad", "\\x97"]
    assert b"".join(map(default_tokenizer.token_bytes, ids)) == "the 字".encode()


def test_a_megabyte_comes_back(default_tokenizer: Tokenizer) -> None:
    text = "a" * 1_000_000
    ids = default_tokenizer.encode(text)
    assert len(set(ids)) == 1
    assert default_tokenizer.decode(ids) == text


# Pre-tokenizers


@pytest.mark.parametrize("name", ["smollm", "gpt-2", "llama-bpe", "default"])
def test_words_equal_hugging_face(name: str) -> None:
    words = PRETOKENIZERS[name].words
    wrong = [r["text"] for r in WORDS if [len(word) for word in words(r["text"])] != r[name]]
    assert not wrong


@pytest.mark.parametrize("name", sorted(PRETOKENIZERS))
@given(text=st.text(max_size=60))
def test_words_join_to_the_text(name: str, text: str) -> None:
    words = PRETOKENIZERS[name].words(text)
    assert "".join(words) == text
    assert all(words)


def test_same_words_under_other_names() -> None:
    same = [("smollm", "starcoder"), ("smollm", "refact"), ("smollm", "command-r")]
    for name, other in [*same, ("llama-bpe", "llama3"), ("llama-bpe", "llama-v3")]:
        assert PRETOKENIZERS[name] is PRETOKENIZERS[other]


# Small vocabularies


@cache
def every_byte() -> Tokenizer:
    """A tokenizer with all bytes, a few merges and a control token."""
    tokens = [*BYTE_TEXT, "aa", "Ġa", "Ã©", "aaa", "<end>"]
    types = [NORMAL] * 260 + [CONTROL]
    return Tokenizer(tokens, ["a a", "Ġ a", "Ã ©", "aa a"], types, pre="smollm")


def letters(*more: str, merges: list[str] | None = None, **options: Any) -> Tokenizer:
    """A tokenizer of a to e, <s> (0) and `more`, all of it normal but <s>."""
    tokens = ["<s>", *"abcde", *more]
    types = [CONTROL] + [NORMAL] * (len(tokens) - 1)
    return Tokenizer(tokens, merges or [], types, **{"pre": "gpt-2"} | options)


def test_bos_as_the_file_says() -> None:
    assert letters(bos_id=0, add_bos=True).encode("a") == [0, 1]
    assert letters(bos_id=0, add_bos=True).encode("") == [0]
    assert letters(bos_id=0, add_bos=False).encode("a") == [1]
    assert letters(bos_id=0, add_bos=True).encode("a", bos=False) == [1]
    assert letters(bos_id=0, add_bos=False).encode("a", bos=True) == [0, 1]
    assert letters(bos_id=0).encode("a") == [1]
    assert letters(bos_id=0, pre="llama-bpe").encode("a") == [0, 1]
    assert letters(add_bos=True).encode("a") == [1]
    with pytest.raises(ModelError, match="encode: got bos=True; the model file names no BOS token"):
        letters().encode("a", bos=True)


def test_whole_words_are_taken_without_merging() -> None:
    assert letters("ab", "abc", merges=["a b"], pre="llama-bpe").encode("abc") == [7]
    assert letters("ab", "abc", merges=["a b"], pre="gpt-2").encode("abc") == [6, 3]


def test_plain_text_never_makes_a_control_token() -> None:
    tokens, types = ["a", "b", "ab"], [NORMAL, NORMAL, CONTROL]
    for pre in ("gpt-2", "llama-bpe"):
        tokenizer = Tokenizer(tokens, ["a b"], types, pre=pre)
        assert tokenizer.encode("ab", special=False) == [0, 1]
        assert tokenizer.encode("ab") == [2]
    single = Tokenizer(["a", "b"], [], [CONTROL, NORMAL])
    assert single.encode("ab", special=False) == [1]


def test_user_defined_tokens_are_always_found() -> None:
    tokenizer = Tokenizer(["a", "é", "<s>"], [], [NORMAL, USER, CONTROL], pre="gpt-2")
    assert tokenizer.encode("aé<s>a", special=False) == [0, 1, 0]
    assert tokenizer.encode("aé<s>a") == [0, 1, 2, 0]
    assert tokenizer.decode([0, 1]) == "aé"
    assert list(tokenizer.cut("aé<s>")) == [("a", None), ("é", 1), ("<s>", 2)]


def test_unknown_tokens_are_special() -> None:
    tokenizer = Tokenizer(["a", "<unk>"], [], [NORMAL, UNKNOWN])
    assert tokenizer.special_texts() == ["<unk>"]
    assert tokenizer.encode("<unk>", special=False) == []
    assert tokenizer.encode("<unk>") == [1]


def test_token_types_may_be_left_out_or_be_an_array() -> None:
    assert Tokenizer(["a", "b"], []).encode("ab") == [0, 1]
    assert Tokenizer(["a", "b"], [], np.array([1, 3])).special_ids == {1}


def test_a_token_outside_the_byte_alphabet_is_its_own_text() -> None:
    assert Tokenizer(["a", "字"], []).decode([0, 1]) == "a字"


def test_byte_alphabet_is_that_of_gpt2() -> None:
    assert len(set(BYTE_TEXT)) == 256
    assert BYTE_TEXT[ord(" ")] == "Ġ"
    assert BYTE_TEXT[ord("\n")] == "Ċ"
    assert BYTE_TEXT[0x7F] == "ġ"
    assert BYTE_TEXT[0xAD] == "Ń"
    assert BYTE_TEXT[ord("a")] == "a"


def test_many_words_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tensorlib.llama.tokenizer._CACHED_WORDS", 4)
    tokenizer = letters()
    for word in ("a", "b", "c", "d", "e", "ab", "a" * 100):
        assert tokenizer.decode(tokenizer.encode(word)) == word
    assert len(tokenizer._words) <= 4


@given(st.lists(st.text("ab", min_size=1, max_size=4), unique=True), st.text("abc", max_size=30))
def test_special_texts_are_found_leftmost_longest(keys: list[str], text: str) -> None:
    finder = TextFinder({key: place for place, key in enumerate(keys)})
    expected: list[tuple[str, int | None]] = []
    at = 0
    while at < len(text):
        here = max((key for key in keys if text.startswith(key, at)), key=len, default="")
        if here:
            expected.append((here, keys.index(here)))
        elif expected and expected[-1][1] is None:
            expected[-1] = (expected[-1][0] + text[at], None)
        else:
            expected.append((text[at], None))
        at += len(here) or 1
    assert list(finder.cut(text)) == expected


# Bad input


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "ab\ud800c",
            "encode: got the lone surrogate U+D800 at character 2; needed text that UTF-8 can "
            "hold; try text.encode('utf-8', 'replace').decode()",
        ),
        (b"ab", "encode: got b'ab'; needed a str"),
        (None, "encode: got None; needed a str"),
    ],
)
def test_text_that_is_none(text: Any, sentence: str) -> None:
    with pytest.raises(ModelError) as caught:
        letters().encode(text)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("number", [-1, 6, 2**70, 1.5, "a", None])
def test_ids_out_of_range(number: Any) -> None:
    tokenizer = letters()
    for call in (tokenizer.token_bytes, tokenizer.token_text, tokenizer.stream().push):
        with pytest.raises(ModelError) as caught:
            call(number)
        assert str(caught.value) == f"decode: got token id {number!r}; needed 0 to 5"
    with pytest.raises(ModelError, match="needed 0 to 5"):
        tokenizer.decode([1, number])


KEY = "tokenizer.ggml."
GOOD: dict[str, Any] = {
    KEY + "model": "gpt2",
    KEY + "pre": "smollm",
    KEY + "tokens": ["<s>", "a", "b", "ab"],
    KEY + "token_type": [3, 1, 1, 1],
    KEY + "merges": ["a b"],
    KEY + "bos_token_id": 0,
    KEY + "eos_token_id": 0,
    KEY + "eot_token_id": 3,
    KEY + "add_bos_token": True,
}


def test_metadata_makes_a_tokenizer() -> None:
    tokenizer = Tokenizer.from_metadata(GOOD)
    assert tokenizer.encode("ab<s>") == [0, 3, 0]
    assert (tokenizer.bos_id, tokenizer.eos_id, tokenizer.end_ids) == (0, 0, frozenset({0, 3}))
    short = {key: GOOD[KEY + key] for key in ("model", "tokens", "merges")}
    tokenizer = Tokenizer.from_metadata({KEY + key: value for key, value in short.items()})
    assert (tokenizer.bos_id, tokenizer.eos_id, tokenizer.end_ids) == (None, None, frozenset())
    assert tokenizer.encode("ab<s>") == [3]


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("model", ..., "tokenizer.ggml.model: the model file has no such key; needed by its "
                       "tokenizer"),
        ("tokens", ..., "tokenizer.ggml.tokens: the model file has no such key; needed by its "
                        "tokenizer"),
        ("merges", ..., "tokenizer.ggml.merges: the model file has no such key; needed by its "
                        "tokenizer"),
        ("model", "llama", "tokenizer.ggml.model: got 'llama'; needed 'gpt2', a byte-level BPE"),
        ("model", 7, "tokenizer.ggml.model: got 7; needed 'gpt2', a byte-level BPE"),
        ("pre", "nonsense", "tokenizer.ggml.pre: got 'nonsense'; needed one of command-r, "
                            "default, gpt-2, llama-bpe, llama-v3, llama3, refact, smollm, "
                            "starcoder"),
        ("pre", ["smollm"], "tokenizer.ggml.pre: got ['smollm']; needed one of command-r, "
                            "default, gpt-2, llama-bpe, llama-v3, llama3, refact, smollm, "
                            "starcoder"),
        ("tokens", 3, "tokenizer.ggml.tokens: got 3; needed a list of strings"),
        ("tokens", "ab", "tokenizer.ggml.tokens: got 'ab'; needed a list of strings"),
        ("tokens", ["a", 1], "tokenizer.ggml.tokens: got a list with 1; needed a list of strings"),
        ("tokens", [], "tokenizer.ggml.tokens: got an empty list; needed at least one token"),
        ("tokens", ["a", "b", "ab", "a"], "tokenizer.ggml.tokens: got 'a' at 0 and at 3; needed "
                                          "distinct tokens"),
        ("merges", ["a"], "tokenizer.ggml.merges[0]: got 'a'; needed two tokens that together "
                          "make a third"),
        ("merges", ["a b", "b a"], "tokenizer.ggml.merges[1]: got 'b a'; needed two tokens that "
                                   "together make a third"),
        ("merges", ["x y"], "tokenizer.ggml.merges[0]: got 'x y'; needed two tokens that together "
                            "make a third"),
        ("merges", [" ab"], "tokenizer.ggml.merges[0]: got ' ab'; needed two tokens that together "
                            "make a third"),
        ("merges", ["a b", "a b"], "tokenizer.ggml.merges[1]: got 'a b' a second time"),
        ("merges", [1], "tokenizer.ggml.merges: got a list with 1; needed a list of strings"),
        ("merges", None, "tokenizer.ggml.merges: got None; needed a list of strings"),
        ("token_type", [1, 1], "tokenizer.ggml.token_type: got 2; needed 4, one each"),
        ("token_type", 1, "tokenizer.ggml.token_type: got 1; needed integers"),
        ("token_type", [1.0, 1, 1, 1], "tokenizer.ggml.token_type: got [1.0, 1, 1, 1]; needed "
                                       "integers"),
        ("token_type", [1, True, 1, 1], "tokenizer.ggml.token_type: got [1, True, 1, 1]; needed "
                                        "integers"),
        ("token_type", [1, 1, 7, 1], "tokenizer.ggml.token_type[2]: got 7; needed 1 to 6"),
        ("token_type", [1, -2, 7, 1], "tokenizer.ggml.token_type[1]: got -2; needed 1 to 6"),
        ("bos_token_id", 4, "tokenizer.ggml.bos_token_id: got 4; needed 0 to 3"),
        ("bos_token_id", -1, "tokenizer.ggml.bos_token_id: got -1; needed 0 to 3"),
        ("bos_token_id", "a", "tokenizer.ggml.bos_token_id: got 'a'; needed a token id"),
        ("bos_token_id", True, "tokenizer.ggml.bos_token_id: got True; needed a token id"),
        ("eos_token_id", 2**32 - 1, "tokenizer.ggml.eos_token_id: got 4294967295; needed 0 to 3"),
        ("eot_token_id", 9, "tokenizer.ggml.eot_token_id: got 9; needed 0 to 3"),
        ("add_bos_token", "yes", "tokenizer.ggml.add_bos_token: got 'yes'; needed true or false"),
    ],
)  # fmt: skip
def test_hostile_metadata(key: str, value: Any, sentence: str) -> None:
    metadata = {**GOOD, KEY + key: value}
    if value is ...:
        del metadata[KEY + key]
    with pytest.raises(ModelError) as caught:
        Tokenizer.from_metadata(metadata)
    assert str(caught.value) == sentence


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.binary(),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted(GOOD)), junk, max_size=3))
def test_any_metadata_makes_a_tokenizer_or_a_model_error(junk: dict[str, Any]) -> None:
    try:
        tokenizer = Tokenizer.from_metadata({**GOOD, **junk})
    except ModelError:
        return
    assert tokenizer.decode(tokenizer.encode("ab")) in ("ab", "<s>ab", "a", "b", "")


def test_without_the_package_regex(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "regex", None)
    pretokenize._compiled.cache_clear()
    with pytest.raises(ModelError) as caught:
        letters().encode("a")
    assert str(caught.value) == (
        "tokenizer: the package regex is missing; try pip install 'tensorlib[llama]'"
    )


def test_token_bytes_of_every_type() -> None:
    vocabulary = Vocabulary(["Ġa"] + [f"Ġ{i}" for i in range(5)], [1, 2, 3, 4, 5, 6])
    assert [vocabulary.token_bytes(i) for i in range(2)] == [b" a", "Ġ0".encode()]
    assert vocabulary.of_type(TokenType.UNUSED, TokenType.BYTE) == {"Ġ3": 4, "Ġ4": 5}
