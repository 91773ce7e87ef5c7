"""The Llama network as layers, and its weights read from a GGUF file without being unpacked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tensorlib.backend import Device
from tensorlib.creation import from_packed
from tensorlib.functions import argmax
from tensorlib.layouts.dim import Size
from tensorlib.llama.config import LlamaConfig
from tensorlib.llama.gguf import GGUF
from tensorlib.nn import (
    Attention,
    Embedding,
    FeedForward,
    KVCache,
    Linear,
    Module,
    RMSNorm,
    RoPE,
    TransformerBlock,
)
from tensorlib.nn.rope import frequencies
from tensorlib.tensor import Tensor

__all__ = ["LlamaNetwork", "load_network"]


class LlamaNetwork(Module):
    """logits = output(norm(blocks(embedding(tokens)))).

    `tokens` (time,) are integers; the result holds the logits after the last of them (vocabulary,)
    and the likeliest token, the lowest id at a tie. Touvron et al. 2023, arXiv 2302.13971.
    """

    def __init__(
        self,
        embedding: Embedding,
        blocks: Sequence[TransformerBlock],
        norm: RMSNorm,
        output: Linear,
    ) -> None:
        self.embedding, self.blocks = embedding, list(blocks)
        self.norm, self.output = norm, output

    def __call__(
        self, tokens: Tensor, position: Size, caches: Sequence[KVCache]
    ) -> tuple[Tensor, Tensor]:
        h = self.embedding(tokens)  # (time, dim)
        for block, cache in zip(self.blocks, caches, strict=True):
            h = block(h, position, cache)
        logits = self.output(self.norm(h[-1:])).reshape(-1)  # (vocabulary,)
        return logits, argmax(logits)


def load_network(file: GGUF, config: LlamaConfig, device: Device) -> LlamaNetwork:
    """Return the network over the file's memory map: packed weights are decoded inside kernels."""

    def tensor(name: str) -> Tensor:
        info = file.tensors[name]
        return from_packed(file.data(name), info.dtype, info.shape, device=device)

    def linear(name: str) -> Linear:
        return Linear(tensor(name))

    def norm(name: str) -> RMSNorm:
        return RMSNorm(tensor(name), epsilon=config.rms_epsilon)

    rope = _rope(config, device)

    def block(layer: int) -> TransformerBlock:
        at = f"blk.{layer}."
        names = ("attn_q", "attn_k", "attn_v", "attn_output")
        attention = Attention(
            *(linear(f"{at}{name}.weight") for name in names),
            heads=config.heads,
            kv_heads=config.kv_heads,
            rope=rope,
        )
        feed_forward = FeedForward(
            *(linear(f"{at}{name}.weight") for name in ("ffn_gate", "ffn_down", "ffn_up"))
        )
        norms = norm(f"{at}attn_norm.weight"), norm(f"{at}ffn_norm.weight")
        return TransformerBlock(norms[0], attention, norms[1], feed_forward)

    embedding = Embedding(tensor("token_embd.weight"))
    output = Linear(embedding.weight) if config.tied_embeddings else linear("output.weight")
    blocks = [block(layer) for layer in range(config.layers)]
    return LlamaNetwork(embedding, blocks, norm("output_norm.weight"), output)


def _rope(config: LlamaConfig, device: Device) -> RoPE:
    turns = frequencies(config.head_dim, config.rope_theta)
    if config.rope_factors is not None:
        turns = turns / np.asarray(config.rope_factors)
    return RoPE(config.head_dim, config.context, config.rope_theta, turns=turns, device=device)
