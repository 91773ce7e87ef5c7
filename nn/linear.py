"""`Linear`: the affine layer."""

from __future__ import annotations

from typing import Any

from tensorlib.dtypes import DType
from tensorlib.errors import ShapeError
from tensorlib.nn.initial import Seed, generator, uniform
from tensorlib.nn.module import Module
from tensorlib.ops.shapes import shape_text
from tensorlib.tensor import Tensor

__all__ = ["Linear"]


class Linear(Module):
    """y = x @ weight.T + bias.

    Shapes: x (..., inputs), weight (outputs, inputs), bias (outputs,), y (..., outputs). The weight
    has a float dtype or is packed; packed blocks are decoded inside the matmul.

    >>> layer = Linear.random(3, 2, seed=0)
    >>> layer(layer.weight).shape
    (2, 2)
    """

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        if weight.ndim != 2 or (bias is not None and bias.shape != weight.shape[:1]):
            got = shape_text(weight.shape)
            got += f" and {shape_text(bias.shape)}" if bias is not None else ""
            raise ShapeError(f"Linear: got {got}, needed weight (outputs, inputs), bias (outputs,)")
        self.weight, self.bias = weight, bias

    @classmethod
    def random(
        cls,
        inputs: int,
        outputs: int,
        *,
        bias: bool = False,
        dtype: Any = DType.float32,
        seed: Seed = None,
    ) -> Linear:
        """Return a layer drawn evenly from +-1/sqrt(inputs)."""
        bound, source = inputs**-0.5, generator(seed)
        weight = uniform((outputs, inputs), bound, dtype, source)
        return cls(weight, uniform((outputs,), bound, dtype, source) if bias else None)

    @property
    def inputs(self) -> int:
        """The size of the last axis that goes in."""
        return int(self.weight.shape[1])

    @property
    def outputs(self) -> int:
        """The size of the last axis that comes out."""
        return int(self.weight.shape[0])

    def __call__(self, x: Tensor) -> Tensor:
        y = x @ self.weight.mT  # (..., outputs)
        return y if self.bias is None else y + self.bias
