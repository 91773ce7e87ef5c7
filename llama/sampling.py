"""Choosing the next token from a row of logits: greedy, temperature, top-k, top-p."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from tensorlib.errors import ModelError

__all__ = ["Sampler"]

LARGEST_SEED = 2**64 - 1


class Sampler:
    """Draws token ids; the same seed and logits give the same ids.

    temperature: 0 takes the likeliest token, the lowest id at a tie; else logits are divided by it.
    top_k: draw among the k likeliest tokens; 0 for all.
    top_p: draw among the likeliest tokens that together have this probability; 1 for all.
    seed: from 0 to 2**64 - 1; None for another one each time.

    As in llama.cpp top_k comes first, then top_p over the probabilities at temperature 1 of what
    is left, then temperature. Source of top-p: Holtzman et al., arXiv:1904.09751.

    Raises:
        ModelError: a value outside these ranges.

    >>> Sampler().sample(np.array([0.0, 2.0, 1.0], np.float32))
    1
    """

    def __init__(
        self,
        temperature: float = 0.0,
        top_k: int = 0,
        top_p: float = 1.0,
        seed: int | None = None,
    ) -> None:
        self.temperature = _number("temperature", temperature)
        if self.temperature < 0:
            raise _wrong("temperature", temperature, "a finite number from 0")
        self.top_p = _number("top_p", top_p)
        if not 0 < self.top_p <= 1:
            raise _wrong("top_p", top_p, "a number above 0, at most 1")
        self.top_k = _whole("top_k", top_k)
        self.seed = None if seed is None else _whole("seed", seed)
        if self.seed is not None and self.seed > LARGEST_SEED:
            raise _wrong("seed", seed, "a whole number from 0 to 2**64 - 1")
        self._random = np.random.Generator(np.random.PCG64(self.seed))

    def sample(self, logits: npt.NDArray[np.floating[Any]]) -> int:
        """Return a token id for `logits`, a vector with an entry a token.

        Entries of -inf are never drawn. ModelError where it is empty, or holds NaN or +inf.
        """
        row = np.asarray(logits)
        best = _best(row)
        if self.temperature == 0:
            return best
        tokens = self._kept(row, np.arange(len(row)))
        weights = _exponentials(row[tokens], self.temperature)
        sums = np.cumsum(weights)
        place = int(np.searchsorted(sums, self._random.random() * sums[-1], side="right"))
        return int(tokens[min(place, len(tokens) - 1)])

    def _kept(self, row: npt.NDArray[Any], tokens: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the ids that may be drawn; sorted, likeliest first, where they were chosen."""
        tokens = tokens[row[tokens] > -np.inf]
        if 0 < self.top_k < len(tokens):
            least = np.partition(row[tokens], len(tokens) - self.top_k)[len(tokens) - self.top_k]
            tokens = _sorted(row, tokens[row[tokens] >= least])[: self.top_k]
        if self.top_p == 1:
            return tokens
        shares = _exponentials(row[tokens], 1.0)
        # Tokens below this share have less than 1 - top_p together: the rest is enough to sort.
        enough = shares >= (1 - self.top_p) / len(tokens) * shares.sum()
        tokens = _sorted(row, tokens[enough])
        sums = np.cumsum(_exponentials(row[tokens], 1.0)) / shares.sum()
        return tokens[: int(np.searchsorted(sums, self.top_p)) + 1]


def _best(row: npt.NDArray[Any]) -> int:
    """Return the lowest id of the largest entry, after the checks of `sample`."""
    if row.ndim != 1 or not len(row) or row.dtype.kind != "f":
        got = f"{row.dtype} of shape {row.shape}"
        raise ModelError(f"sample: got logits {got}; needed a vector of floating-point numbers")
    best = int(np.argmax(row))
    if not np.isfinite(row[best]):
        raise ModelError(f"sample: got a logit of {row[best]} for token {best}; needed finite ones")
    return best


def _exponentials(row: npt.NDArray[Any], temperature: float) -> npt.NDArray[np.float64]:
    """Return exp((row - max) / temperature) in float64."""
    shifted = row.astype(np.float64)
    with np.errstate(over="ignore"):  # a tiny temperature leaves the largest alone
        scaled: npt.NDArray[np.float64] = np.exp((shifted - shifted.max()) / temperature)
    return scaled


def _sorted(row: npt.NDArray[Any], tokens: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return `tokens` likeliest first, lower ids first at a tie."""
    return tokens[np.argsort(-row[tokens], kind="stable")]


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise _wrong(name, value, "a number")
    number = float(value)
    if not math.isfinite(number):
        raise _wrong(name, value, "a finite number")
    return number


def _whole(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
        raise _wrong(name, value, "a whole number from 0")
    return int(value)


def _wrong(name: str, value: object, needed: str) -> ModelError:
    return ModelError(f"sampling: got {name}={value!r}; needed {needed}")
