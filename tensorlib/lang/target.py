"""What a kernel may ask of the device that it is being built for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from tensorlib.dtypes import DType, as_dtype
from tensorlib.ir.instructions import offers

__all__ = [
    "Block",
    "Target",
    "current_block",
    "current_target",
    "in_blocks_of",
    "is_targeted",
    "simdwidthof",
    "target_has",
    "targeting",
]

Block = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Target:
    """The device that kernels are traced for: its printer, bytes of a vector register, features.

    Features are named as /proc/cpuinfo does, and `sm_80` and the like.
    """

    name: str = "c"
    vector_bytes: int = 32
    features: frozenset[str] = frozenset()


_CURRENT: ContextVar[Target] = ContextVar("target", default=Target())  # noqa: B039


def current_target() -> Target:
    """Return the target of the kernel being built; 32-byte vectors where nothing was said."""
    return _CURRENT.get()


def is_targeted() -> bool:
    """Return whether `targeting` names the target, here and now."""
    return _CURRENT.get(None) is not None


@contextmanager
def targeting(target: Target) -> Iterator[None]:
    """Build kernels for `target` within the block."""
    token = _CURRENT.set(target)
    try:
        yield
    finally:
        _CURRENT.reset(token)


_BLOCK: ContextVar[Block | None] = ContextVar("block", default=None)


def current_block() -> Block | None:
    """Return the threads of a block along three axes, for the kernel being traced; None without."""
    return _BLOCK.get()


@contextmanager
def in_blocks_of(block: Block | None) -> Iterator[None]:
    """Trace a kernel for blocks of this shape within the block."""
    token = _BLOCK.set(block)
    try:
        yield
    finally:
        _BLOCK.reset(token)


def target_has(*features: str) -> bool:
    """Return whether the device that the kernel is built for has all these features.

    >>> with targeting(Target("c", 64, frozenset({"avx512f", "avx512_vnni"}))):
    ...     target_has("avx512_vnni"), target_has("amx_int8")
    (True, False)
    """
    return all(offers(current_target().features, name) for name in features)


def simdwidthof(dtype: DType | str) -> int:
    """Return how many elements of `dtype` a vector register of the target holds.

    >>> simdwidthof("float32")
    8
    """
    return max(1, current_target().vector_bytes * 8 // as_dtype(dtype).bits)
