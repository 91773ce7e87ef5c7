"""Random weights to start from, reproducible by seed."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from tensorlib.creation import asarray
from tensorlib.tensor import Tensor

__all__ = ["Seed", "generator", "normal", "uniform"]

Seed: TypeAlias = "int | np.random.Generator | None"


def generator(seed: Seed) -> np.random.Generator:
    """Return the generator of `seed`; one that is passed is used, so that layers can share it."""
    return np.random.default_rng(seed)


def uniform(shape: tuple[int, ...], bound: float, dtype: Any, seed: Seed) -> Tensor:
    """Return numbers drawn evenly from [-bound, bound)."""
    return asarray(generator(seed).uniform(-bound, bound, shape), dtype=dtype)


def normal(shape: tuple[int, ...], deviation: float, dtype: Any, seed: Seed) -> Tensor:
    """Return numbers drawn from the normal distribution of mean 0."""
    return asarray(generator(seed).normal(0.0, deviation, shape), dtype=dtype)
