"""Layers of neural networks: one layer a file, made of plain tensors, usable on their own.

>>> import tensorlib as tl
>>> block = TransformerBlock.random(32, 64, heads=4, kv_heads=2, rope=RoPE(8, context=16), seed=0)
>>> block(tl.ones((5, 32), dtype=tl.float32)).shape
(5, 32)
"""

from __future__ import annotations

from tensorlib.nn.attention import Attention, attend
from tensorlib.nn.cache import KVCache
from tensorlib.nn.embedding import Embedding
from tensorlib.nn.feed_forward import FeedForward
from tensorlib.nn.linear import Linear
from tensorlib.nn.module import Module
from tensorlib.nn.norm import RMSNorm
from tensorlib.nn.rope import RoPE
from tensorlib.nn.transformer import TransformerBlock

__all__ = [
    "Attention",
    "Embedding",
    "FeedForward",
    "KVCache",
    "Linear",
    "Module",
    "RMSNorm",
    "RoPE",
    "TransformerBlock",
    "attend",
]
