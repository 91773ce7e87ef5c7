"""Sampling: greedy, the sets that top-k and top-p leave, frequencies, seeds, bad values."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorlib.errors import ModelError
from tensorlib.llama.sampling import Sampler

Row = npt.NDArray[np.float32]

rows = st.lists(
    st.sampled_from([-np.inf, -50.0, -1.0, 0.0, 0.5, 0.5000001, 3.0]), min_size=1, max_size=12
).filter(lambda values: max(values) > -np.inf)


def row(*values: float) -> Row:
    return np.array(values, np.float32)


def shares(logits: Row, temperature: float = 1.0) -> npt.NDArray[np.float64]:
    weights = np.exp((logits.astype(np.float64) - logits.max()) / temperature)
    total: npt.NDArray[np.float64] = weights / weights.sum()
    return total


def allowed(logits: Row, top_k: int, top_p: float) -> set[int]:
    """The tokens that may be drawn, by definition, one after another."""
    order = sorted(range(len(logits)), key=lambda i: (-logits[i], i))
    order = [i for i in order if logits[i] > -np.inf][: top_k or None]
    weights = shares(logits)[order]
    total, kept = 0.0, []
    for token, share in zip(order, weights / weights.sum(), strict=True):
        kept.append(token)
        total += share
        if total >= top_p:
            break
    return set(kept) if top_p < 1 else set(order)


def draws(logits: Row, count: int, **options: Any) -> npt.NDArray[np.int64]:
    sampler = Sampler(**options)
    return np.array([sampler.sample(logits) for _ in range(count)])


@given(rows)
def test_greedy_is_the_lowest_of_the_largest(values: list[float]) -> None:
    assert Sampler().sample(row(*values)) == values.index(max(values))
    assert Sampler(temperature=0, top_k=3, top_p=0.5, seed=1).sample(row(*values)) == values.index(
        max(values)
    )


@given(rows, st.integers(0, 14), st.sampled_from([0.01, 0.3, 0.5, 0.9, 0.999, 1.0]), st.integers(0))
def test_draws_stay_among_the_allowed(
    values: list[float], top_k: int, top_p: float, seed: int
) -> None:
    logits = row(*values)
    sampler = Sampler(1.0, top_k, top_p, seed % 2**64)
    kept = set(sampler._kept(logits, np.arange(len(logits))).tolist())
    assert kept == allowed(logits, top_k, top_p)
    assert {sampler.sample(logits) for _ in range(10)} <= kept


@given(rows, st.floats(0.01, 5))
def test_top_k_of_one_is_greedy(values: list[float], temperature: float) -> None:
    logits = row(*values)
    assert Sampler(temperature, top_k=1, seed=0).sample(logits) == Sampler().sample(logits)


@given(rows)
def test_a_tiny_temperature_draws_among_the_largest(values: list[float]) -> None:
    drawn = Sampler(temperature=1e-300, seed=3).sample(row(*values))
    assert values[drawn] == max(values)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_frequencies_are_the_probabilities(temperature: float) -> None:
    logits = row(0.0, 1.0, 2.0, -1.0, -np.inf)
    drawn = draws(logits, 20_000, temperature=temperature, seed=7)
    found = np.bincount(drawn, minlength=5) / 20_000
    assert np.abs(found - shares(logits, temperature)).max() < 0.015
    assert found[4] == 0


def test_top_p_looks_at_probabilities_before_temperature() -> None:
    logits = row(2.0, 1.0, 0.0)  # 0.665, 0.245, 0.090
    assert set(draws(logits, 300, temperature=5.0, top_p=0.6, seed=1).tolist()) == {0}
    assert set(draws(logits, 300, temperature=5.0, top_p=0.7, seed=1).tolist()) == {0, 1}
    assert set(draws(logits, 300, temperature=5.0, top_p=0.95, seed=1).tolist()) == {0, 1, 2}


def test_ties_at_the_edge_of_top_k_go_to_lower_ids() -> None:
    logits = row(1.0, 0.0, 0.0, 0.0)
    assert set(draws(logits, 200, temperature=1.0, top_k=2, seed=5).tolist()) == {0, 1}


def test_the_same_seed_draws_the_same() -> None:
    logits = np.random.default_rng(0).normal(size=1000).astype(np.float32)
    options = {"temperature": 1.0, "top_k": 50, "top_p": 0.9}
    first = draws(logits, 50, seed=42, **options)
    assert (first == draws(logits, 50, seed=42, **options)).all()
    assert (first != draws(logits, 50, seed=43, **options)).any()
    assert (draws(logits, 50, **options) != draws(logits, 50, **options)).any()


def test_draws_of_a_seed_stay_what_they_are() -> None:
    logits = row(*np.linspace(-2, 2, 32))
    assert draws(logits, 8, temperature=1.0, seed=0).tolist() == [28, 22, 9, 5, 30, 31, 28, 29]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"temperature": -0.1}, "got temperature=-0.1; needed a finite number from 0"),
        ({"temperature": np.nan}, "got temperature=nan; needed a finite number"),
        ({"temperature": np.inf}, "got temperature=inf; needed a finite number"),
        ({"temperature": "1"}, "got temperature='1'; needed a number"),
        ({"temperature": True}, "got temperature=True; needed a number"),
        ({"top_k": -1}, "got top_k=-1; needed a whole number from 0"),
        ({"top_k": 1.5}, "got top_k=1.5; needed a whole number from 0"),
        ({"top_k": True}, "got top_k=True; needed a whole number from 0"),
        ({"top_p": 0.0}, "got top_p=0.0; needed a number above 0, at most 1"),
        ({"top_p": 1.01}, "got top_p=1.01; needed a number above 0, at most 1"),
        ({"top_p": np.nan}, "got top_p=nan; needed a finite number"),
        ({"top_p": None}, "got top_p=None; needed a number"),
        ({"seed": -1}, "got seed=-1; needed a whole number from 0"),
        ({"seed": 1.0}, "got seed=1.0; needed a whole number from 0"),
        ({"seed": 2**64}, f"got seed={2**64}; needed a whole number from 0 to 2**64 - 1"),
    ],
)
def test_bad_values(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ModelError) as caught:
        Sampler(**options)
    assert str(caught.value) == f"sampling: {sentence}"


@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize(
    ("logits", "sentence"),
    [
        (row(1, np.nan, 2), "got a logit of nan for token 1; needed finite ones"),
        (row(1, np.inf, 2), "got a logit of inf for token 1; needed finite ones"),
        (row(-np.inf, -np.inf), "got a logit of -inf for token 0; needed finite ones"),
        (
            row(),
            "got logits float32 of shape (0,); needed a vector of floating-point numbers",
        ),
        (
            np.zeros((1, 2), np.float32),
            "got logits float32 of shape (1, 2); needed a vector of floating-point numbers",
        ),
        (
            np.zeros(2, np.int64),
            "got logits int64 of shape (2,); needed a vector of floating-point numbers",
        ),
    ],
)
def test_bad_logits(logits: Any, sentence: str, temperature: float) -> None:
    with pytest.raises(ModelError) as caught:
        Sampler(temperature, seed=0).sample(logits)
    assert str(caught.value) == f"sample: {sentence}"


def test_numpy_scalars_are_numbers() -> None:
    sampler = Sampler(np.float32(0.5), np.int64(3), np.float64(0.5), np.uint32(9))  # type: ignore[arg-type]
    assert (sampler.temperature, sampler.top_k, sampler.top_p, sampler.seed) == (0.5, 3, 0.5, 9)
