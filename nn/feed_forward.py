"""`FeedForward`: the SwiGLU layer."""

from __future__ import annotations

from typing import Any

from tensorlib.dtypes import DType
from tensorlib.functions import silu
from tensorlib.nn.initial import Seed, generator
from tensorlib.nn.linear import Linear
from tensorlib.nn.module import Module
from tensorlib.tensor import Tensor

__all__ = ["FeedForward"]


class FeedForward(Module):
    """y = w2(silu(w1 x) * w3 x).

    Shapes: x and y (..., width), in between (..., hidden). Shazeer 2020, "GLU Variants Improve
    Transformer", arXiv 2002.05202.
    """

    def __init__(self, w1: Linear, w2: Linear, w3: Linear) -> None:
        self.w1, self.w2, self.w3 = w1, w2, w3

    @classmethod
    def random(
        cls, width: int, hidden: int, *, dtype: Any = DType.float32, seed: Seed = None
    ) -> FeedForward:
        """Return a layer of random weights."""
        source = generator(seed)
        sizes = (width, hidden), (hidden, width), (width, hidden)
        w1, w2, w3 = (Linear.random(i, o, dtype=dtype, seed=source) for i, o in sizes)
        return cls(w1, w2, w3)

    def __call__(self, x: Tensor) -> Tensor:
        return self.w2(silu(self.w1(x)) * self.w3(x))
