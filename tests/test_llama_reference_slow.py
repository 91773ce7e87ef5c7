"""Slow: makes the references again, with the packages of the extra `oracle`, and compares."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from tensorlib.llama.pretokenize import PRETOKENIZERS
from tensorlib.tests import make_reference

pytestmark = pytest.mark.slow

TOLERANCE = 2e-3


def stored(name: str) -> dict[str, Any]:
    file, _ = make_reference.REFERENCES[name]
    found: dict[str, Any] = json.loads((make_reference.DATA / file).read_text())
    return found


def made(name: str, path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        make_reference.written(make_reference.REFERENCES[name][1](path))
    )
    return found


@pytest.mark.parametrize("name", ["tokenizer", "words", "chat"])
def test_references_come_out_again(name: str, default_model: Path) -> None:
    pytest.importorskip("transformers")
    assert made(name, default_model)["rows"] == stored(name)["rows"]


def test_greedy_reference_comes_out_again(default_model: Path) -> None:
    pytest.importorskip("transformers")
    again, before = made("greedy", default_model), stored("greedy")
    assert again["logit_ids"] == before["logit_ids"]
    for new, old in zip(again["rows"], before["rows"], strict=True):
        assert new["prompt_ids"] == old["prompt_ids"]
        assert new["logits"] == pytest.approx(old["logits"], abs=TOLERANCE)
        unsure = (i for i, gap in enumerate(old["gaps"]) if gap <= 2 * TOLERANCE)
        sure = next(unsure, len(old["ids"]))
        assert new["ids"][:sure] == old["ids"][:sure]


@pytest.mark.parametrize("name", ["smollm", "llama-bpe"])
def test_every_assigned_character_is_cut_as_by_hugging_face(name: str) -> None:
    pytest.importorskip("tokenizers")
    splitter, words = make_reference.splitters_by_name()[name], PRETOKENIZERS[name].words
    wrong = []
    for c in filter(assigned, map(chr, range(0x110000))):
        text = f"a{c}b {c}{c} 1{c}\n{c} !{c}'s{c}"
        spans = [stop - start for _, (start, stop) in splitter.pre_tokenize_str(text)]
        if [len(word) for word in words(text)] != spans:
            wrong.append(c)
    assert not wrong


def assigned(character: str) -> bool:
    """Unassigned characters differ with the Unicode version; surrogates are no text."""
    return unicodedata.category(character) not in ("Cn", "Cs", "Co")
