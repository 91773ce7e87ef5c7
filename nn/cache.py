"""`KVCache`: the keys and values of the positions so far, for one attention layer."""

from __future__ import annotations

from typing import Any

from tensorlib.backend import Device
from tensorlib.creation import state
from tensorlib.dtypes import DType
from tensorlib.errors import ShapeError
from tensorlib.functions import update
from tensorlib.layouts.dim import Size, is_static
from tensorlib.tensor import Tensor

__all__ = ["KVCache"]


class KVCache:
    """Mutable keys and values, each (kv_heads, context, head_dim), or with a batch axis before.

    >>> cache = KVCache(kv_heads=1, head_dim=2, context=8)
    >>> keys, values = cache.append(cache.keys[:, :3], cache.values[:, :3], position=0)
    >>> keys.shape
    (1, 3, 2)
    """

    def __init__(
        self,
        kv_heads: int,
        head_dim: int,
        context: int,
        dtype: Any = DType.float32,
        *,
        batch: int | None = None,
        device: Device | str | None = None,
    ) -> None:
        shape = (*(() if batch is None else (batch,)), kv_heads, context, head_dim)
        self.context = context
        self.keys = state(shape, dtype=dtype, device=device)
        self.values = state(shape, dtype=dtype, device=device)

    def append(self, keys: Tensor, values: Tensor, position: Size) -> tuple[Tensor, Tensor]:
        """Write keys and values (..., kv_heads, time, head_dim) from `position` on.

        Returns those of all positions up to the last one written, as views of the cache.
        """
        end = position + keys.shape[-2]
        if is_static(end) and is_static(position) and not 0 <= position <= end <= self.context:
            raise ShapeError(
                f"KVCache: got positions {position} to {end}, "
                f"needed them inside 0 to {self.context}; try a larger context"
            )
        seen = _written(self.keys, keys, position)[..., :end, :]  # (..., kv_heads, end, head_dim)
        return seen, _written(self.values, values, position)[..., :end, :]

    def __repr__(self) -> str:
        shape = ", ".join(map(str, self.keys.shape))
        return f"KVCache(({shape}), {self.keys.dtype.name})"


def _written(target: Tensor, value: Tensor, position: Size) -> Tensor:
    return update(target, value.astype(target.dtype), position, axis=-2)
