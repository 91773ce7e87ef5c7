"""What a kernel may ask of the device that it is being built for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from tensorlib.dtypes import DType, as_dtype

__all__ = ["Target", "current_target", "simdwidthof", "targeting"]


@dataclass(frozen=True, slots=True)
class Target:
    """The device that kernels are traced for: its name and the bytes of a vector register."""

    name: str = "c"
    vector_bytes: int = 32


_CURRENT: ContextVar[Target] = ContextVar("target", default=Target())  # noqa: B039


def current_target() -> Target:
    """Return the target of the kernel being built; 32-byte vectors where nothing was said."""
    return _CURRENT.get()


@contextmanager
def targeting(target: Target) -> Iterator[None]:
    """Build kernels for `target` within the block."""
    token = _CURRENT.set(target)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def simdwidthof(dtype: DType | str) -> int:
    """Return how many elements of `dtype` a vector register of the target holds.

    >>> simdwidthof("float32")
    8
    """
    return max(1, current_target().vector_bytes * 8 // as_dtype(dtype).bits)
