"""`RMSNorm`: scale to unit root mean square."""

from __future__ import annotations

from typing import Any

from tensorlib.creation import ones
from tensorlib.dtypes import DType
from tensorlib.errors import ShapeError
from tensorlib.functions import rsqrt
from tensorlib.nn.module import Module
from tensorlib.ops.shapes import shape_text
from tensorlib.tensor import Tensor

__all__ = ["RMSNorm"]


class RMSNorm(Module):
    """y = x * rsqrt(mean(x^2) + epsilon) * weight, the mean over the last axis.

    Shapes: x and y (..., width), weight (width,). Halves are computed in float32; y has the dtype
    of x. Zhang and Sennrich 2019, "Root Mean Square Layer Normalization", arXiv 1910.07467.
    """

    def __init__(self, weight: Tensor, epsilon: float = 1e-5) -> None:
        if weight.ndim != 1:
            raise ShapeError(f"RMSNorm: got weight {shape_text(weight.shape)}, needed (width,)")
        self.weight, self.epsilon = weight, epsilon

    @classmethod
    def ones(cls, width: int, *, epsilon: float = 1e-5, dtype: Any = DType.float32) -> RMSNorm:
        """Return a norm whose weight is 1 everywhere."""
        return cls(ones((width,), dtype=dtype), epsilon)

    def describe(self) -> str:
        return f"{super().describe()}, epsilon={self.epsilon}"

    def __call__(self, x: Tensor) -> Tensor:
        wide = x if x.dtype.bits >= 32 else x.astype(DType.float32)
        scale = rsqrt((wide * wide).mean(axis=-1, keepdims=True) + self.epsilon)  # (..., 1)
        return (wide * scale * self.weight).astype(x.dtype)
