"""`Embedding`: a table of rows, looked up by number."""

from __future__ import annotations

from typing import Any

from tensorlib.creation import asarray
from tensorlib.dtypes import DType
from tensorlib.errors import ShapeError
from tensorlib.functions import take
from tensorlib.nn.initial import Seed, normal
from tensorlib.nn.module import Module
from tensorlib.ops.shapes import shape_text
from tensorlib.tensor import Tensor

__all__ = ["Embedding"]


class Embedding(Module):
    """y[...] = weight[ids[...]].

    Shapes: ids (...) of integers, weight (rows, width), y (..., width). The weight has a float
    dtype or is packed; packed rows come decoded as float32.

    >>> Embedding(asarray([[1.0, 2.0], [3.0, 4.0]]))([1, 1, 0])
    tensor([[3., 4.],
            [3., 4.],
            [1., 2.]], dtype=float64)
    """

    def __init__(self, weight: Tensor) -> None:
        if weight.ndim != 2:
            raise ShapeError(
                f"Embedding: got weight {shape_text(weight.shape)}, needed (rows, width)"
            )
        self.weight = weight

    @classmethod
    def random(
        cls, rows: int, width: int, *, dtype: Any = DType.float32, seed: Seed = None
    ) -> Embedding:
        """Return a table drawn from the normal distribution of deviation 0.02."""
        return cls(normal((rows, width), 0.02, dtype, seed))

    def __call__(self, ids: Any) -> Tensor:
        numbers = ids if isinstance(ids, Tensor) else asarray(ids, device=self.weight.device)
        return take(self.weight, numbers, axis=0)
