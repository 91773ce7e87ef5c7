"""Small valid GGUF files, built in memory: any keys and tensors, and a tiny random Llama."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from tensorlib.dtypes import DType
from tensorlib.llama.config import LlamaConfig
from tensorlib.llama.gguf_tensors import TENSOR_TYPES
from tensorlib.llama.gguf_values import VALUE_TYPES
from tensorlib.ops.packed import pack

__all__ = [
    "TINY",
    "RawTensor",
    "Typed",
    "gguf_bytes",
    "tensor",
    "tiny_llama",
    "tiny_vocabulary",
]

TYPE_NUMBERS = {row.name: number for number, row in enumerate(VALUE_TYPES)}
TENSOR_NUMBERS = {row.dtype: row.number for row in TENSOR_TYPES.values() if row.dtype}


@dataclass(frozen=True)
class Typed:
    """A metadata value of a type that its Python value does not tell, as Typed("UINT64", 7)."""

    type: str
    value: Any


@dataclass(frozen=True)
class RawTensor:
    """A tensor as its directory entry states it; `offset` None: where it belongs."""

    shape: tuple[int, ...]  # NumPy order
    type: int
    data: bytes
    offset: int | None = None


def gguf_bytes(
    metadata: Mapping[str, Any] | Sequence[tuple[str, Any]] = (),
    tensors: Mapping[str, RawTensor] | Sequence[tuple[str, RawTensor]] = (),
    *,
    version: int = 3,
    alignment: int = 32,
) -> bytes:
    """Return a GGUF file; pairs instead of a mapping allow duplicates."""
    keys = list(metadata.items() if isinstance(metadata, Mapping) else metadata)
    entries = list(tensors.items() if isinstance(tensors, Mapping) else tensors)
    head = b"GGUF" + struct.pack("<IQQ", version, len(entries), len(keys))
    head += b"".join(_text(key) + _value(value) for key, value in keys)
    data = b""
    for name, tensor in entries:
        offset = len(data) if tensor.offset is None else tensor.offset
        head += _text(name) + struct.pack("<I", len(tensor.shape))
        head += struct.pack(f"<{len(tensor.shape)}Q", *tensor.shape[::-1])
        head += struct.pack("<IQ", tensor.type, offset)
        data = _padded(data + tensor.data, alignment)
    return _padded(head, alignment) + data if entries else head


def tensor(array: npt.NDArray[Any], dtype: DType = DType.float32) -> RawTensor:
    """Return `array` as a tensor of `dtype`, packed where it is a block format."""
    stored = pack(array, dtype) if dtype.is_packed else array.astype(dtype.numpy)
    return RawTensor(array.shape, TENSOR_NUMBERS[dtype], stored.tobytes())


# -- a tiny Llama --------------------------------------------------------------------------------

MERGES = ("Ġ t", "h e", "Ġt he", "i n", "Ġ a", "o n", "e r", "r e", "Ġa n", "Ġan d", "l l", "ll o")
SPECIALS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' "
    "+ message['content'] + '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def byte_letters() -> list[str]:
    """Return the letter that stands for each byte in a byte-level BPE vocabulary (GPT-2's)."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(byte if byte in printable else next(others)) for byte in range(256)]


def tiny_vocabulary() -> dict[str, Any]:
    """Return the tokenizer's keys: three special tokens, 256 bytes, a dozen merges."""
    tokens = [*SPECIALS, *byte_letters(), *(merge.replace(" ", "") for merge in MERGES)]
    return {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "smollm",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [3] * len(SPECIALS) + [1] * (len(tokens) - len(SPECIALS)),
        "tokenizer.ggml.merges": list(MERGES),
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.ggml.add_bos_token": False,
        "tokenizer.ggml.add_space_prefix": False,
        "tokenizer.chat_template": CHAT_TEMPLATE,
    }


TINY = LlamaConfig(
    dim=64,
    layers=2,
    heads=4,
    kv_heads=2,
    feed_forward_dim=96,
    vocabulary=len(tiny_vocabulary()["tokenizer.ggml.tokens"]),
    context=128,
    rms_epsilon=float(np.float32(1e-5)),
)


def llama_metadata(config: LlamaConfig) -> dict[str, Any]:
    """Return the keys of a file that holds a model of `config`."""
    return {
        "general.architecture": "llama",
        "general.name": "tiny",
        "llama.block_count": config.layers,
        "llama.context_length": config.context,
        "llama.embedding_length": config.dim,
        "llama.feed_forward_length": config.feed_forward_dim,
        "llama.attention.head_count": config.heads,
        "llama.attention.head_count_kv": config.kv_heads,
        "llama.attention.key_length": config.head_dim,
        "llama.attention.value_length": config.head_dim,
        "llama.rope.freq_base": config.rope_theta,
        "llama.rope.dimension_count": config.rope_dim,
        "llama.attention.layer_norm_rms_epsilon": config.rms_epsilon,
        "llama.vocab_size": config.vocabulary,
    }


def llama_tensors(
    config: LlamaConfig, seed: int, weights: DType, embedding: DType
) -> dict[str, RawTensor]:
    """Return random weights: matrices near 1/sqrt(inputs), norms near 1."""
    random = np.random.default_rng(seed)
    tensors = {}
    for name, shape in config.tensor_shapes().items():
        values = random.standard_normal(shape).astype(np.float32)
        if name == "rope_freqs.weight":
            tensors[name] = tensor(np.array(config.rope_factors, np.float32))
        elif len(shape) == 1:
            tensors[name] = tensor(1 + values / 8)
        else:
            dtype = embedding if name == "token_embd.weight" else weights
            tensors[name] = tensor(values / np.float32(np.sqrt(shape[-1])), dtype)
    return tensors


def tiny_llama(
    config: LlamaConfig = TINY,
    *,
    seed: int = 0,
    weights: DType = DType.q4_1,
    embedding: DType = DType.q8_0,
    metadata: Mapping[str, Any] | None = None,
    **changes: Any,
) -> bytes:
    """Return a GGUF file of a random Llama with a byte-level BPE vocabulary.

    `changes` replace fields of `config`, `metadata` adds or replaces keys (None removes one).
    """
    config = replace(config, **changes) if changes else config
    keys = llama_metadata(config) | tiny_vocabulary() | dict(metadata or {})
    kept = {key: value for key, value in keys.items() if value is not None}
    return gguf_bytes(kept, llama_tensors(config, seed, weights, embedding))


# -- encoding ------------------------------------------------------------------------------------


def _text(text: str | bytes) -> bytes:
    stored = text.encode() if isinstance(text, str) else text
    return struct.pack("<Q", len(stored)) + stored


def _padded(data: bytes, alignment: int) -> bytes:
    return data + bytes(-len(data) % alignment)


def _value(value: Any) -> bytes:
    kind, plain = (value.type, value.value) if isinstance(value, Typed) else (_guess(value), value)
    return struct.pack("<I", TYPE_NUMBERS[kind]) + _payload(kind, plain)


def _payload(kind: str, value: Any) -> bytes:
    if kind == "STRING":
        return _text(value)
    if kind == "ARRAY":
        element = _guess(value[0]) if len(value) else "INT32"
        element = "INT32" if element == "UINT32" else element
        items = b"".join(_payload(element, item) for item in value)
        return struct.pack("<IQ", TYPE_NUMBERS[element], len(value)) + items
    number = VALUE_TYPES[TYPE_NUMBERS[kind]].number
    assert number is not None
    return number.pack(value)


def _guess(value: Any) -> str:
    kinds = (
        (bool, "BOOL"),
        (int, "UINT32"),
        (float, "FLOAT32"),
        (str, "STRING"),
        (bytes, "STRING"),
    )
    return next((name for kind, name in kinds if isinstance(value, kind)), "ARRAY")
