"""LlamaConfig: read from a file's metadata, every value checked, nothing unknown ignored."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tensorlib.dtypes import DType
from tensorlib.errors import GGUFError, ModelError
from tensorlib.llama.config import FIELDS, NEUTRAL, LlamaConfig
from tensorlib.llama.gguf import GGUF
from tensorlib.tests.gguf_files import (
    TINY,
    RawTensor,
    Typed,
    gguf_bytes,
    llama_metadata,
    llama_tensors,
    tensor,
    tiny_llama,
    tiny_vocabulary,
)


def config_of(data: bytes) -> LlamaConfig:
    return LlamaConfig.from_gguf(GGUF(data, "m.gguf"))


def with_tensors(changes: dict[str, RawTensor | None]) -> bytes:
    """Return the tiny Llama with tensors replaced, added or (None) removed."""
    tensors = llama_tensors(TINY, 0, DType.q4_1, DType.q8_0) | changes
    kept = {name: entry for name, entry in tensors.items() if entry is not None}
    return gguf_bytes(llama_metadata(TINY) | tiny_vocabulary(), kept)


def refused(data: bytes, message: str) -> None:
    with pytest.raises(ModelError, match=rf"^m\.gguf: {message}"):
        config_of(data)


# -- what is read --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "weights", [DType.float32, DType.bfloat16, DType.q4_0, DType.q8_0], ids=str
)
def test_the_configuration_of_a_file_is_the_one_it_was_made_from(weights: DType) -> None:
    assert config_of(tiny_llama(weights=weights)) == TINY


def test_a_configuration_is_a_value() -> None:
    assert hash(TINY) == hash(dataclasses.replace(TINY))
    with pytest.raises(dataclasses.FrozenInstanceError):
        TINY.dim = 3  # type: ignore[misc]


def test_sizes_that_are_not_given_follow_from_the_others() -> None:
    names = (
        "attention.head_count_kv",
        "attention.key_length",
        "attention.value_length",
        "rope.dimension_count",
        "rope.freq_base",
        "vocab_size",
    )
    without: dict[str, Any] = {f"llama.{name}": None for name in names}
    config = config_of(tiny_llama(kv_heads=4, metadata=without))
    assert (config.kv_heads, config.head_dim, config.rope_dim) == (4, 16, 16)
    assert config.vocabulary == TINY.vocabulary
    assert config.rope_theta == 10000.0
    assert (
        config_of(tiny_llama(metadata=without | {"tokenizer.ggml.tokens": None}, kv_heads=4))
        == config
    )


def test_the_heads_may_be_of_any_size() -> None:
    config = config_of(tiny_llama(head_dim=32, rope_dim=32))
    assert (config.query_dim, config.key_dim) == (128, 64)
    assert config.tensor_shapes()["blk.1.attn_output.weight"] == (64, 128)


def test_one_value_a_layer_is_read_where_all_are_equal() -> None:
    assert config_of(tiny_llama(metadata={"llama.attention.head_count": [4, 4]})) == TINY
    refused(
        tiny_llama(metadata={"llama.attention.head_count": [4, 2]}),
        r"llama.attention.head_count: got a value of type ndarray, needed a whole number from ",
    )


def test_an_output_matrix_unties_the_embedding() -> None:
    untied = config_of(tiny_llama(tied_embeddings=False))
    assert not untied.tied_embeddings
    assert untied.tensor_shapes()["output.weight"] == (TINY.vocabulary, TINY.dim)
    assert "output.weight" not in TINY.tensor_shapes()


def test_rope_factors_are_exposed() -> None:
    factors = (1.0, 1.0, 1.5, 2.0, 4.0, 8.0, 8.0, 8.0)
    assert config_of(tiny_llama(rope_factors=factors)).rope_factors == factors
    assert TINY.rope_factors is None


def test_tensor_shapes_are_those_of_the_file() -> None:
    file = GGUF(tiny_llama())
    assert TINY.tensor_shapes() == {name: info.shape for name, info in file.tensors.items()}


@pytest.mark.parametrize("row", NEUTRAL, ids=lambda row: row[0])
def test_values_that_change_nothing_are_accepted(row: tuple[str, tuple[Any, ...], str]) -> None:
    key, allowed, _ = row
    for value in allowed:
        assert config_of(tiny_llama(metadata={f"llama.{key}": value})) == TINY


# -- what is refused -----------------------------------------------------------------------------


def test_other_architectures_are_refused_by_name() -> None:
    refused(
        tiny_llama(metadata={"general.architecture": "gemma3"}),
        r"general.architecture: got the architecture 'gemma3', needed 'llama', the only one sup",
    )
    refused(
        tiny_llama(metadata={"general.architecture": None}),
        r"general.architecture: got no architecture, needed 'llama', the only one supported$",
    )


def test_a_part_of_a_model_is_refused() -> None:
    refused(
        tiny_llama(metadata={"split.count": 3}),
        r"split.count: got one of 3 parts, needed a whole model; try joining them with llama-g",
    )


OTHER_VALUES = {
    "expert_count": 8,
    "attention.causal": False,
    "attention.sliding_window": 4096,
    "rope.scaling.type": "yarn",
    "rope.scaling.factor": 4.0,
    "rope.scale_linear": 2.0,
    "rope.scaling.attn_factor": 0.5,
}


@pytest.mark.parametrize("row", NEUTRAL, ids=lambda row: row[0])
def test_features_that_are_not_supported_are_refused(row: tuple[str, tuple[Any, ...], str]) -> None:
    key, allowed, meaning = row
    needed = " or ".join(map(repr, allowed)) + f": {meaning} is not supported"
    for value in (OTHER_VALUES[key], [1, 2]):
        refused(
            tiny_llama(metadata={f"llama.{key}": value}), rf"llama\.{key}: got .*, needed {needed}$"
        )


@pytest.mark.parametrize("name", FIELDS)
def test_values_out_of_range_are_refused(name: str) -> None:
    field = FIELDS[name]
    kind = "a whole number" if field.kind is int else "a number"
    bounds = re.escape(f"needed {kind} from {field.minimum} to {field.maximum}")
    wrong = [field.minimum - 1, field.maximum + 1, "7", True, [1, 2]]
    if field.kind is int:
        wrong = [int(value) if isinstance(value, float) else value for value in wrong] + [7.5]
    else:
        wrong += [float("nan"), float("inf")]
    for value in wrong:
        stored = Typed("INT64", value) if type(value) is int else value
        stored = Typed("FLOAT64", value) if type(value) is float else stored
        refused(
            tiny_llama(metadata={f"llama.{field.key}": stored}),
            rf"llama\.{field.key}: got .*, {bounds}$",
        )


@pytest.mark.parametrize("name", [name for name, row in FIELDS.items() if row.default is None])
def test_values_that_are_missing_are_named(name: str) -> None:
    key = f"llama.{FIELDS[name].key}"
    refused(
        tiny_llama(metadata={key: None}), rf"{key}: got nothing, needed a (whole )?number from "
    )


def test_values_that_contradict_each_other_are_refused() -> None:
    refused(
        tiny_llama(metadata={"llama.vocab_size": 300}),
        r"tokenizer.ggml.tokens: got 271 tokens, needed 300 as in llama.vocab_size$",
    )
    refused(
        tiny_llama(metadata={"llama.attention.value_length": 8}),
        r"llama.attention.value_length: got 8, needed 16, the head size of the keys$",
    )
    refused(
        tiny_llama(metadata={"llama.attention.head_count_kv": 3}),
        r"LlamaConfig: got 4 heads and 3 kv_heads, needed a multiple of kv_heads as heads$",
    )
    refused(
        tiny_llama(metadata={"llama.rope.dimension_count": 8}),
        r"LlamaConfig: got head_dim 16 and rope_dim 8, needed two equal even numbers: partial ",
    )
    refused(
        tiny_llama(metadata={"llama.attention.head_count": 5, "llama.attention.key_length": None}),
        r"LlamaConfig: got dim 64 and 5 heads, needed a multiple of heads as dim$",
    )


MATRIX = np.zeros((64, 64), np.float32)


def test_tensors_must_be_those_of_the_configuration() -> None:
    refused(
        with_tensors({"blk.1.ffn_up.weight": None}),
        r"tensor 'blk.1.ffn_up.weight': got no such tensor, needed one of shape \(96, 64\)$",
    )
    refused(
        with_tensors({"blk.0.attn_k.weight": tensor(MATRIX)}),
        r"tensor 'blk.0.attn_k.weight': got shape \(64, 64\), needed \(32, 64\)$",
    )
    refused(
        with_tensors({"blk.0.attn_q.bias": tensor(MATRIX[0])}),
        r"tensor 'blk.0.attn_q.bias': got an unknown tensor, needed only those of a plain Llama: ",
    )
    refused(
        with_tensors({"token_embd.weight": tensor(MATRIX[0])}),
        r"tensor 'token_embd.weight': got shape \(64,\), needed \(271, 64\)$",
    )


def test_types_that_are_not_supported_are_refused() -> None:
    iq4_nl = RawTensor((64, 64), 20, bytes(64 * 36))
    with pytest.raises(
        GGUFError, match=r"^tensor 'blk.0.attn_q.weight': got type IQ4_NL, needed one"
    ):
        config_of(with_tensors({"blk.0.attn_q.weight": iq4_nl}))


def test_rope_factors_are_checked() -> None:
    where = r"tensor 'rope_freqs.weight': got shape"
    refused(
        with_tensors({"rope_freqs.weight": tensor(MATRIX)}),
        rf"{where} \(64, 64\) of type F32, needed a vector of floats$",
    )
    refused(
        with_tensors({"rope_freqs.weight": tensor(MATRIX[0], DType.q8_0)}),
        rf"{where} \(64,\) of type Q8_0, needed a vector of floats$",
    )
    refused(
        with_tensors({"rope_freqs.weight": tensor(MATRIX[0])}),
        r"rope_factors: got 64 factors, needed 8, half of rope_dim$",
    )
    refused(
        with_tensors({"rope_freqs.weight": tensor(MATRIX[0][:8])}),
        r"rope_factors: got a factor that is not, needed positive, finite numbers$",
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dim": 0}, r"^dim: got 0, needed a whole number from 2 to 1048576$"),
        ({"heads": 0, "head_dim": 16}, r"^heads: got 0, needed a whole number from 1 to 65536$"),
        ({"layers": True}, r"^layers: got a value of type bool, needed a whole number from 1 to"),
        ({"dim": 64.0}, r"^dim: got a value of type float, needed a whole number from 2 t"),
        ({"kv_heads": -2}, r"^kv_heads: got -2, needed a whole number from 1 to 65536$"),
        ({"head_dim": 15, "rope_dim": 15}, r"^LlamaConfig: got head_dim 15 and rope_dim 15, need"),
        ({"rms_epsilon": float("nan")}, r"^rms_epsilon: got nan, needed a number from 1e-12 to 1"),
        ({"rope_factors": (1.0,)}, r"^rope_factors: got 1 factors, needed 8, half of rope_dim$"),
    ],
)  # fmt: skip
def test_a_configuration_made_by_hand_is_checked_too(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        dataclasses.replace(TINY, **changes)


def test_the_default_model_is_read(default_model: Path) -> None:
    with GGUF.open(default_model) as file:
        config = LlamaConfig.from_gguf(file)
    assert config == LlamaConfig(
        dim=576,
        layers=30,
        heads=9,
        kv_heads=3,
        feed_forward_dim=1536,
        vocabulary=49152,
        context=8192,
        rope_theta=100000.0,
        rms_epsilon=float(np.float32(1e-5)),
    )
