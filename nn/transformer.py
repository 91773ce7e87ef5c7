"""`TransformerBlock`: attention and feed-forward, each behind a norm and around a residual."""

from __future__ import annotations

from typing import Any

from tensorlib.dtypes import DType
from tensorlib.layouts.dim import Size
from tensorlib.nn.attention import Attention
from tensorlib.nn.cache import KVCache
from tensorlib.nn.feed_forward import FeedForward
from tensorlib.nn.initial import Seed, generator
from tensorlib.nn.module import Module
from tensorlib.nn.norm import RMSNorm
from tensorlib.nn.rope import RoPE
from tensorlib.tensor import Tensor

__all__ = ["TransformerBlock"]


class TransformerBlock(Module):
    """h = x + attention(attention_norm(x)); y = h + feed_forward(feed_forward_norm(h)).

    Shapes: x and y (..., time, width). The pre-norm block of Llama (Touvron et al. 2023, arXiv
    2302.13971).
    """

    def __init__(
        self,
        attention_norm: RMSNorm,
        attention: Attention,
        feed_forward_norm: RMSNorm,
        feed_forward: FeedForward,
    ) -> None:
        self.attention_norm, self.attention = attention_norm, attention
        self.feed_forward_norm, self.feed_forward = feed_forward_norm, feed_forward

    @classmethod
    def random(
        cls,
        width: int,
        hidden: int,
        *,
        heads: int,
        kv_heads: int | None = None,
        rope: RoPE | None = None,
        epsilon: float = 1e-5,
        dtype: Any = DType.float32,
        seed: Seed = None,
    ) -> TransformerBlock:
        """Return a block of random weights."""
        source = generator(seed)
        return cls(
            RMSNorm.ones(width, epsilon=epsilon, dtype=dtype),
            Attention.random(
                width, heads=heads, kv_heads=kv_heads, rope=rope, dtype=dtype, seed=source
            ),
            RMSNorm.ones(width, epsilon=epsilon, dtype=dtype),
            FeedForward.random(width, hidden, dtype=dtype, seed=source),
        )

    def __call__(self, x: Tensor, position: Size = 0, cache: KVCache | None = None) -> Tensor:
        h = x + self.attention(self.attention_norm(x), position, cache)
        return h + self.feed_forward(self.feed_forward_norm(h))
