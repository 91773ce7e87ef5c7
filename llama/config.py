"""The shape of a Llama: every hyperparameter, read from GGUF metadata and checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tensorlib.errors import ModelError
from tensorlib.llama.gguf import GGUF

__all__ = ["LlamaConfig"]

ARCHITECTURE = "llama"
TOKENS = "tokenizer.ggml.tokens"
ROPE_FACTORS = "rope_freqs.weight"


@dataclass(frozen=True, slots=True)
class _Field:
    """One hyperparameter: its key after `llama.`, its bounds; required where it has no default."""

    key: str
    kind: type
    minimum: float
    maximum: float
    default: float | None = None


FIELDS: dict[str, _Field] = {
    "dim":              _Field("embedding_length", int, 2, 2**20),
    "layers":           _Field("block_count", int, 1, 2**12),
    "heads":            _Field("attention.head_count", int, 1, 2**16),
    "kv_heads":         _Field("attention.head_count_kv", int, 1, 2**16, 0),
    "head_dim":         _Field("attention.key_length", int, 2, 2**16, 0),
    "feed_forward_dim": _Field("feed_forward_length", int, 1, 2**24),
    "vocabulary":       _Field("vocab_size", int, 1, 2**24, 0),
    "context":          _Field("context_length", int, 1, 2**31 - 1),
    "rope_theta":       _Field("rope.freq_base", float, 1e-3, 1e12, 10000.0),
    "rope_dim":         _Field("rope.dimension_count", int, 2, 2**16, 0),
    "rms_epsilon":      _Field("attention.layer_norm_rms_epsilon", float, 1e-12, 1.0),
}  # fmt: skip

# Keys whose other values would change the results: refused, never ignored.
#   key after `llama.`        values that change nothing  what another value asks for
NEUTRAL: tuple[tuple[str, tuple[Any, ...], str], ...] = (
    ("expert_count",             (0,),      "a mixture of experts"),
    ("attention.causal",         (True,),   "attention that is not causal"),
    ("attention.sliding_window", (0,),      "attention over a sliding window"),
    ("rope.scaling.type",        ("none", "linear"), "scaled rotary positions"),
    ("rope.scaling.factor",      (0.0, 1.0), "scaled rotary positions"),
    ("rope.scale_linear",        (0.0, 1.0), "scaled rotary positions"),
    ("rope.scaling.attn_factor", (1.0,),    "scaled rotary positions"),
)  # fmt: skip

# Tensors of a model and their shapes in fields and properties of LlamaConfig.
TOP_TENSORS: dict[str, tuple[str, ...]] = {
    "token_embd.weight":  ("vocabulary", "dim"),
    "output_norm.weight": ("dim",),
}  # fmt: skip
LAYER_TENSORS: dict[str, tuple[str, ...]] = {
    "attn_norm.weight":   ("dim",),
    "attn_q.weight":      ("query_dim", "dim"),
    "attn_k.weight":      ("key_dim", "dim"),
    "attn_v.weight":      ("key_dim", "dim"),
    "attn_output.weight": ("dim", "query_dim"),
    "ffn_norm.weight":    ("dim",),
    "ffn_gate.weight":    ("feed_forward_dim", "dim"),
    "ffn_up.weight":      ("feed_forward_dim", "dim"),
    "ffn_down.weight":    ("dim", "feed_forward_dim"),
}  # fmt: skip
OUTPUT = "output.weight"


@dataclass(frozen=True, slots=True, kw_only=True)
class LlamaConfig:
    """The hyperparameters of a Llama; raises ModelError where they do not fit each other.

    `rope_factors` holds one divisor of the rotary frequency per pair of elements (Llama 3.1's
    stretched context), or None. With `tied_embeddings` the output matrix is the embedding.

    >>> config = LlamaConfig(dim=64, layers=2, heads=4, kv_heads=2, feed_forward_dim=96,
    ...                      vocabulary=300, context=128, rms_epsilon=1e-5)
    >>> config.head_dim, config.query_dim, config.key_dim
    (16, 64, 32)
    """

    dim: int
    layers: int
    heads: int
    feed_forward_dim: int
    vocabulary: int
    context: int
    rms_epsilon: float
    kv_heads: int = 0  # 0: as many as heads
    head_dim: int = 0  # 0: dim / heads
    rope_dim: int = 0  # 0: head_dim
    rope_theta: float = 10000.0
    rope_factors: tuple[float, ...] | None = None
    tied_embeddings: bool = True

    def __post_init__(self) -> None:
        if not self.head_dim and self.heads and self.dim % self.heads:
            raise _mismatch(f"dim {self.dim} and {self.heads} heads", "a multiple of heads as dim")
        for name, value in (
            ("kv_heads", self.heads),
            ("head_dim", self.dim // max(self.heads, 1)),
        ):
            object.__setattr__(self, name, getattr(self, name) or value)
        object.__setattr__(self, "rope_dim", self.rope_dim or self.head_dim)
        _check(self)

    @property
    def query_dim(self) -> int:
        """Elements of all query heads of a token: heads * head_dim."""
        return self.heads * self.head_dim

    @property
    def key_dim(self) -> int:
        """Elements of all key heads (or all value heads) of a token: kv_heads * head_dim."""
        return self.kv_heads * self.head_dim

    def tensor_shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of every tensor that a file of this model must hold, by GGUF name."""
        named = dict(TOP_TENSORS)
        if not self.tied_embeddings:
            named[OUTPUT] = TOP_TENSORS["token_embd.weight"]
        for layer in range(self.layers):
            named |= {f"blk.{layer}.{name}": sizes for name, sizes in LAYER_TENSORS.items()}
        shapes = {
            name: tuple(getattr(self, size) for size in sizes) for name, sizes in named.items()
        }
        if self.rope_factors is not None:
            shapes[ROPE_FACTORS] = (self.rope_dim // 2,)
        return shapes

    @classmethod
    def from_gguf(cls, gguf: GGUF) -> LlamaConfig:
        """Read the configuration of the Llama in `gguf` and check it against the file's tensors.

        Raises ModelError where the file holds another architecture, a value out of range, a
        feature that is not supported, or tensors of other names or shapes; GGUFError where a
        tensor's type is not supported.
        """
        try:
            return _from_gguf(gguf)
        except ModelError as error:
            raise ModelError(f"{gguf.path}: {error}") from None


def _from_gguf(gguf: GGUF) -> LlamaConfig:
    metadata = gguf.metadata
    _check_kind(metadata)
    values = {name: _value(metadata, field) for name, field in FIELDS.items()}
    values["vocabulary"] = _vocabulary(gguf, values["vocabulary"])
    config = LlamaConfig(
        **values,
        rope_factors=_rope_factors(gguf),
        tied_embeddings=OUTPUT not in gguf.tensors,
    )
    _check_value_length(metadata, config)
    _check_tensors(gguf, config)
    return config


def _check_kind(metadata: Mapping[str, Any]) -> None:
    """Refuse other architectures, parts of a model, and features that are not supported."""
    architecture = metadata.get("general.architecture")
    if architecture != ARCHITECTURE:
        got = "no architecture" if architecture is None else f"the architecture {architecture!r}"
        raise _mismatch(got, f"{ARCHITECTURE!r}, the only one supported", "general.architecture")
    parts = metadata.get("split.count", 0)
    if parts not in (0, 1):
        needed = "a whole model; try joining them with llama-gguf-split --merge"
        raise _mismatch(f"one of {parts!r} parts", needed, "split.count")
    for suffix, allowed, meaning in NEUTRAL:
        key = f"{ARCHITECTURE}.{suffix}"
        if key in metadata and not _is_one_of(metadata[key], allowed):
            needed = f"{' or '.join(map(repr, allowed))}: {meaning} is not supported"
            raise _mismatch(repr(metadata[key]), needed, key)


def _is_one_of(value: Any, allowed: tuple[Any, ...]) -> bool:
    return isinstance(value, bool | int | float | str) and value in allowed


def _value(metadata: Mapping[str, Any], field: _Field) -> Any:
    """Return the number at the field's key; one value per layer is accepted where all are equal."""
    key = f"{ARCHITECTURE}.{field.key}"
    if key not in metadata:
        if field.default is None:
            raise _mismatch("nothing", _bounds(field), key)
        return field.default
    value = metadata[key]
    if isinstance(value, np.ndarray) and value.size and (value == value[0]).all():
        value = value[0].item()
    return field.kind(_checked(value, field, key))


def _checked(value: Any, field: _Field, where: str) -> Any:
    """Return `value`, a number within the bounds of its field."""
    accepted = (int,) if field.kind is int else (int, float)
    if isinstance(value, bool) or not isinstance(value, accepted):
        raise _mismatch(f"a value of type {type(value).__name__}", _bounds(field), where)
    if not field.minimum <= value <= field.maximum:
        raise _mismatch(f"{value}", _bounds(field), where)
    return value


def _bounds(field: _Field) -> str:
    kind = "a whole number" if field.kind is int else "a number"
    return f"{kind} from {field.minimum} to {field.maximum}"


def _vocabulary(gguf: GGUF, declared: int) -> int:
    """Return the number of tokens; the tokenizer's list and the metadata must agree on it."""
    tokens = gguf.metadata.count(TOKENS) if TOKENS in gguf.metadata else 0
    if tokens and declared and tokens != declared:
        raise _mismatch(f"{tokens} tokens", f"{declared} as in llama.vocab_size", TOKENS)
    embedding = gguf.tensors.get("token_embd.weight")
    rows = embedding.shape[0] if embedding and len(embedding.shape) == 2 else 1
    return tokens or declared or rows


def _rope_factors(gguf: GGUF) -> tuple[float, ...] | None:
    if ROPE_FACTORS not in gguf.tensors:
        return None
    info = gguf.tensors[ROPE_FACTORS]
    if len(info.shape) != 1 or info.dtype.is_packed or info.shape[0] > 2**15:
        got = f"shape {info.shape} of type {info.type.name}"
        raise _mismatch(got, "a vector of floats", f"tensor {ROPE_FACTORS!r}")
    return tuple(float(factor) for factor in gguf.data(ROPE_FACTORS))


def _check_value_length(metadata: Mapping[str, Any], config: LlamaConfig) -> None:
    key = f"{ARCHITECTURE}.attention.value_length"
    length = metadata.get(key, config.head_dim)
    if length != config.head_dim:
        raise _mismatch(f"{length!r}", f"{config.head_dim}, the head size of the keys", key)


def _check_tensors(gguf: GGUF, config: LlamaConfig) -> None:
    shapes = config.tensor_shapes()
    for name, shape in shapes.items():
        info = gguf.tensors.get(name)
        if info is None:
            raise _mismatch("no such tensor", f"one of shape {shape}", f"tensor {name!r}")
        if info.shape != shape:
            raise _mismatch(f"shape {info.shape}", f"{shape}", f"tensor {name!r}")
        _ = info.dtype  # raises where the type is not supported
    for name in gguf.tensors:
        if name not in shapes:
            needed = "only those of a plain Llama: what it stands for is not supported"
            raise _mismatch("an unknown tensor", needed, f"tensor {name!a}")


def _check(config: LlamaConfig) -> None:
    """Refuse values out of range and values that contradict each other."""
    for name, field in FIELDS.items():
        _checked(getattr(config, name), field, name)
    if config.heads % config.kv_heads:
        got = f"{config.heads} heads and {config.kv_heads} kv_heads"
        raise _mismatch(got, "a multiple of kv_heads as heads")
    if config.head_dim % 2 or config.rope_dim != config.head_dim:
        got = f"head_dim {config.head_dim} and rope_dim {config.rope_dim}"
        raise _mismatch(got, "two equal even numbers: partial rotation is not supported")
    _check_rope_factors(config)


def _check_rope_factors(config: LlamaConfig) -> None:
    factors = config.rope_factors
    if factors is None:
        return
    if len(factors) != config.rope_dim // 2:
        got = f"{len(factors)} factors"
        raise _mismatch(got, f"{config.rope_dim // 2}, half of rope_dim", "rope_factors")
    if not all(math.isfinite(factor) and factor > 0 for factor in factors):
        raise _mismatch("a factor that is not", "positive, finite numbers", "rope_factors")


def _mismatch(got: str, needed: str, where: str = "LlamaConfig") -> ModelError:
    return ModelError(f"{where}: got {got}, needed {needed}")
