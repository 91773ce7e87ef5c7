"""`Attention`: multi-head and grouped-query attention, causal by default, with a KV cache."""

from __future__ import annotations

from math import inf, sqrt
from typing import Any

from tensorlib.creation import arange
from tensorlib.dtypes import DType
from tensorlib.errors import ShapeError
from tensorlib.functions import expand_dims, permute_dims, softmax, where
from tensorlib.layouts.dim import Size
from tensorlib.nn.cache import KVCache
from tensorlib.nn.initial import Seed, generator
from tensorlib.nn.linear import Linear
from tensorlib.nn.module import Module
from tensorlib.nn.rope import RoPE
from tensorlib.tensor import Tensor

__all__ = ["Attention", "attend"]


def attend(q: Tensor, k: Tensor, v: Tensor, *, causal: bool = True) -> Tensor:
    """Return softmax(q @ k.T / sqrt(head_dim)) @ v, where every key-value head serves a group.

    Shapes: q (..., heads, time, head_dim), k and v (..., kv_heads, keys, head_dim), result as q. If
    `causal`, the last query sees all keys, the one before it all but the last, and so on.
    """
    *batch, heads, time, width = q.shape
    kv_heads, keys = k.shape[-3:-1]
    q = q.reshape(*batch, kv_heads, heads // kv_heads, time, width)
    k, v = expand_dims(k, -3), expand_dims(v, -3)  # (..., kv_heads, 1, keys, head_dim)
    scores = q @ k.mT * (1.0 / sqrt(int(width)))  # (..., kv_heads, group, time, keys)
    if causal and time != 1:
        last = arange(keys - time, keys, device=q.device).reshape(time, 1)  # seen by each query
        scores = where(arange(keys, device=q.device) <= last, scores, -inf)
    mixed = softmax(scores, axis=-1) @ v  # (..., kv_heads, group, time, head_dim)
    return mixed.reshape(*batch, heads, time, width)


class Attention(Module):
    """y = wo(attend(rope(wq x), rope(wk x), wv x)).

    Shapes: x and y (..., time, width). With kv_heads == heads multi-head attention (Vaswani et al.
    2017, arXiv 1706.03762), with fewer grouped-query attention (Ainslie et al. 2023, arXiv
    2305.13245), with one multi-query attention.
    """

    def __init__(
        self,
        wq: Linear,
        wk: Linear,
        wv: Linear,
        wo: Linear,
        *,
        heads: int,
        kv_heads: int | None = None,
        rope: RoPE | None = None,
        causal: bool = True,
    ) -> None:
        self.wq, self.wk, self.wv, self.wo = wq, wk, wv, wo
        self.heads, self.kv_heads = heads, kv_heads or heads
        self.rope, self.causal = rope, causal
        if wq.outputs % heads or heads % self.kv_heads or wk.outputs % self.kv_heads:
            raise ShapeError(
                f"Attention: got {heads} heads and {self.kv_heads} kv_heads for wq "
                f"{wq.outputs} and wk {wk.outputs}; needed heads that divide wq and kv_heads that "
                "divide heads and wk"
            )

    @classmethod
    def random(
        cls,
        width: int,
        *,
        heads: int,
        kv_heads: int | None = None,
        head_dim: int | None = None,
        rope: RoPE | None = None,
        causal: bool = True,
        dtype: Any = DType.float32,
        seed: Seed = None,
    ) -> Attention:
        """Return a layer of random weights; head_dim is width / heads unless given."""
        source, size = generator(seed), head_dim or width // heads
        inner, shared = heads * size, (kv_heads or heads) * size
        sizes = (width, inner), (width, shared), (width, shared), (inner, width)
        wq, wk, wv, wo = (Linear.random(i, o, dtype=dtype, seed=source) for i, o in sizes)
        return cls(wq, wk, wv, wo, heads=heads, kv_heads=kv_heads, rope=rope, causal=causal)

    def describe(self) -> str:
        return f"heads={self.heads}, kv_heads={self.kv_heads}, causal={self.causal}"

    def __call__(self, x: Tensor, position: Size = 0, cache: KVCache | None = None) -> Tensor:
        """Return y; with `cache`, x continues at `position` what the cache holds."""
        q = _split(self.wq(x), self.heads)  # (..., heads, time, head_dim)
        k = _split(self.wk(x), self.kv_heads)
        v = _split(self.wv(x), self.kv_heads)
        if self.rope is not None:
            q, k = self.rope(q, position), self.rope(k, position)
        if cache is not None:
            k, v = cache.append(k, v, position)
        return self.wo(_joined(attend(q, k, v, causal=self.causal)))


def _split(x: Tensor, heads: int) -> Tensor:
    """(..., time, heads * head_dim) -> (..., heads, time, head_dim)"""
    *batch, time, width = x.shape
    return _swapped(x.reshape(*batch, time, heads, width // heads))


def _joined(x: Tensor) -> Tensor:
    """(..., heads, time, head_dim) -> (..., time, heads * head_dim)"""
    *batch, heads, time, width = x.shape
    return _swapped(x).reshape(*batch, time, heads * width)


def _swapped(x: Tensor) -> Tensor:
    """Exchange the second and third axis from the end."""
    rank = x.ndim
    return permute_dims(x, (*range(rank - 3), rank - 2, rank - 3, rank - 1))
