"""The Llama against Hugging Face transformers on the same weights, and its own promises."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from tensorlib.backends.c.backend import CBackend
from tensorlib.errors import ModelError
from tensorlib.llama import Llama
from tensorlib.registry import REGISTRY
from tensorlib.tests.gguf_files import TINY, tiny_llama

REFERENCE = json.loads((Path(__file__).parent / "data" / "greedy_smollm2.json").read_text())
TOLERANCE = 2e-3


@pytest.fixture(scope="module")
def smollm(default_model: Path) -> Llama:
    return Llama.load(default_model, precision="f32")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Llama:
    path = tmp_path_factory.mktemp("model") / "tiny.gguf"
    path.write_bytes(tiny_llama())
    return Llama.load(path)


@pytest.mark.parametrize("row", REFERENCE["rows"], ids=lambda row: row["prompt"][:20])
def test_greedy_tokens_are_those_of_transformers(smollm: Llama, row: dict[str, Any]) -> None:
    """Equal ids wherever the gap between the two best logits is above twice the tolerance."""
    generation = smollm.generate(row["prompt"], max_tokens=len(row["ids"]))
    text = "".join(generation)
    assert generation.prompt_tokens == row["prompt_ids"]
    ends = smollm.tokenizer.end_ids
    expected = row["ids"][:-1] if row["ids"][-1] in ends else row["ids"]
    unsure = [i for i, gap in enumerate(row["gaps"]) if gap <= 2 * TOLERANCE]
    sure = min(unsure, default=len(expected))
    assert generation.tokens[:sure] == expected[:sure]
    assert text == smollm.tokenizer.decode(generation.tokens)


@pytest.mark.parametrize(
    "row", [r for r in REFERENCE["rows"] if r.get("logits")], ids=lambda row: row["prompt"][:20]
)
def test_logits_are_those_of_transformers(smollm: Llama, row: dict[str, Any]) -> None:
    logits, _ = smollm.prefill(row["prompt_ids"])
    got = logits.numpy()[REFERENCE["logit_ids"]]
    assert np.abs(got - np.array(row["logits"])).max() <= TOLERANCE


def test_decoding_step_by_step_gives_what_a_whole_prompt_gives(tiny: Llama) -> None:
    tokens = [1, 5, 2, 9, 200, 7, 7, 3]
    whole = tiny.prefill(tokens)[0].numpy()
    for position, token in enumerate(tokens):
        logits = tiny.step([token], position)[0]
    np.testing.assert_array_equal(logits.numpy(), whole)  # a row's numbers are its own


def test_a_chunk_boundary_changes_nothing(tiny: Llama) -> None:
    tokens = list(range(1, 40))
    whole = tiny.prefill(tokens)[0].numpy()
    tiny.step(tokens[:17], 0)
    pieces = tiny.step(tokens[17:], 17)[0].numpy()
    np.testing.assert_array_equal(pieces, whole)


@pytest.mark.skipif("c" in REGISTRY.unavailable(), reason="no C compiler")
def test_the_number_of_threads_changes_no_bit(tiny: Llama) -> None:
    backend = cast(CBackend, REGISTRY.backend("c"))
    before, found = backend.threads, []
    try:
        for threads in (1, 2, 3, 5):
            backend.threads = threads
            found.append(tiny.prefill(list(range(1, 30)))[0].numpy())
    finally:
        backend.threads = before
    for logits in found[1:]:
        np.testing.assert_array_equal(logits, found[0])


def test_backends_agree(tiny: Llama, tmp_path: Path) -> None:
    path = tmp_path / "tiny.gguf"
    path.write_bytes(tiny_llama())
    other = Llama.load(path, backend="reference")
    tokens = [3, 1, 4, 1, 5, 9, 2, 6]
    expected = other.prefill(tokens)[0].numpy()
    np.testing.assert_allclose(tiny.prefill(tokens)[0].numpy(), expected, rtol=1e-4, atol=1e-4)


def test_the_same_seed_gives_the_same_tokens(tiny: Llama) -> None:
    def run(seed: int) -> list[int]:
        generation = tiny.generate([1, 2, 3], max_tokens=12, temperature=1.0, seed=seed)
        list(generation)
        return generation.tokens

    assert run(7) == run(7)
    assert run(7) != run(8)


def test_figures_and_reasons_are_there_at_the_end(tiny: Llama) -> None:
    generation = tiny.generate([1, 2, 3], max_tokens=4)
    assert generation.finish_reason is None
    list(generation)
    assert generation.finish_reason in ("length", "stop")
    assert len(generation.tokens) <= 4
    names = ["load_s", "compile_s", "prefill_tok_s", "decode_tok_s", "peak_rss_mb"]
    assert list(generation.timings) == names
    assert all(generation.timings[n] > 0 for n in names if n != "decode_tok_s")


def test_generation_ends_where_the_context_is_full(tiny: Llama) -> None:
    prompt = [1] * (TINY.context - 3)
    generation = tiny.generate(prompt, max_tokens=100)
    list(generation)
    assert generation.finish_reason == "stop" or len(generation.tokens) == 3


def test_no_tokens_are_made_where_none_are_asked_for(tiny: Llama) -> None:
    generation = tiny.generate([1, 2], max_tokens=0)
    assert list(generation) == []
    assert (generation.tokens, generation.finish_reason) == ([], "length")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"prompt": ""}, "prompt: got no tokens, needed at least one"),
        ({"prompt": [1] * 4096}, "prompt: got 4096 tokens, needed fewer than the context of"),
        ({"prompt": [10**6]}, "token ids outside 0 to"),
        ({"prompt": "a", "max_tokens": -1}, "max_tokens: got -1, needed a whole number from 0"),
        ({"prompt": "a", "temperature": float("nan")}, "sampling: got temperature=nan"),
        ({"prompt": "a", "top_p": 0.0}, "sampling: got top_p=0.0"),
        ({"prompt": "a", "top_k": -1}, "sampling: got top_k=-1"),
        ({"prompt": "a", "seed": -1}, "sampling: got seed=-1"),
    ],
)
def test_bad_requests_are_refused(tiny: Llama, arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ModelError, match=sentence):
        list(tiny.generate(**arguments))


def test_a_precision_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="precision: got 'f16', needed one of f32, fast"):
        Llama.load(tmp_path / "none.gguf", precision="f16")


HOSTILE = '*/ " \\ \n#include "/etc/passwd" %s ${x} marker_of_a_file'


def test_generated_source_never_holds_a_string_of_the_file(tmp_path: Path) -> None:
    metadata = {"general.name": HOSTILE, HOSTILE.replace("\n", ""): HOSTILE}
    path = tmp_path / "marker_of_a_file.gguf"
    path.write_bytes(tiny_llama(metadata=metadata, seed=11, feed_forward_dim=160))
    model = Llama.load(path, backend="c")
    int(model.prefill([1, 2, 3])[1])
    backend = cast(CBackend, REGISTRY.backend("c"))
    sources = [text for _, _, text in backend._printed.values()]
    assert sources
    assert not [s for s in sources if "marker_of_a_file" in s or "passwd" in s]
