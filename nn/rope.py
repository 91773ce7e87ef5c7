"""`RoPE`: rotary position embedding."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorlib.backend import Device
from tensorlib.creation import asarray
from tensorlib.dtypes import DType, as_dtype
from tensorlib.errors import ShapeError
from tensorlib.layouts.dim import Size, is_static
from tensorlib.nn.module import Module
from tensorlib.tensor import Tensor

__all__ = ["RoPE", "frequencies"]


def frequencies(head_dim: int, theta: float = 10000.0) -> np.ndarray[Any, Any]:
    """Return theta ** (-2i / head_dim) for each pair i: the angle it turns by at every position."""
    return theta ** (-np.arange(0, head_dim, 2, dtype=np.float64) / head_dim)


class RoPE(Module):
    """Turn pair i of every head at position p by the angle p * frequency[i].

    (a, b) -> (a cos - b sin, b cos + a sin). Shapes: x and y (..., time, head_dim). Pairs are
    neighbours, (x[2i], x[2i+1]), as the paper and GGUF files have them; with interleaved=False they
    are (x[i], x[i + head_dim/2]), as Hugging Face has them. The tables, for `context` positions,
    are made once in float64. Su et al. 2021, "RoFormer", arXiv 2104.09864.

    >>> rope = RoPE(4, context=8)
    >>> rope(asarray([[1.0, 0.0, 0.0, 1.0]]), position=0)
    tensor([[1., 0., 0., 1.]], dtype=float64)
    """

    def __init__(
        self,
        head_dim: int,
        context: int,
        theta: float = 10000.0,
        *,
        interleaved: bool = True,
        turns: Any = None,
        dtype: Any = DType.float32,
        device: Device | str | None = None,
    ) -> None:
        """`turns` replaces the frequencies, of shape (head_dim / 2,), for scaled variants."""
        if head_dim % 2:
            raise ShapeError(f"RoPE: got head_dim {head_dim}, needed an even number")
        self.head_dim, self.context, self.theta = head_dim, context, theta
        self.interleaved = interleaved
        speed = frequencies(head_dim, theta) if turns is None else np.asarray(turns, np.float64)
        angle = np.arange(context)[:, None] * speed  # (context, pairs)
        axis = -1 if interleaved else -2  # where the two of a pair lie side by side
        cos, sin = np.cos(angle), np.sin(angle)

        def table(*parts: np.ndarray[Any, Any]) -> Tensor:
            rounded = [part.astype(as_dtype(dtype).numpy) for part in parts]
            return asarray(np.stack(rounded, axis), device=device).realise()

        self._cos, self._sin = table(cos, cos), table(-sin, sin)

    def describe(self) -> str:
        return (
            f"head_dim={self.head_dim}, context={self.context}, theta={self.theta}, "
            f"interleaved={self.interleaved}"
        )

    def __call__(self, x: Tensor, position: Size = 0) -> Tensor:
        """Return `x` turned, its first time step being at `position` (an int or a Dim)."""
        time, width = x.shape[-2:]
        if width != self.head_dim:
            raise ShapeError(f"RoPE: got heads of size {width}, needed {self.head_dim}")
        end = position + time
        if is_static(end) and is_static(position) and not 0 <= position <= end <= self.context:
            raise ShapeError(
                f"RoPE: got positions {position} to {end}, needed them inside 0 to {self.context}"
            )
        pair = (width // 2, 2) if self.interleaved else (2, width // 2)
        pairs = x.reshape(*x.shape[:-1], *pair)  # (..., time, pairs, 2) or (..., time, 2, pairs)
        other = pairs[..., ::-1] if self.interleaved else pairs[..., ::-1, :]
        cos, sin = self._cos[position:end], self._sin[position:end]
        return (pairs * cos + other * sin).astype(x.dtype).reshape(x.shape)
