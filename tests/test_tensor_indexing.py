"""Brackets, take and masks select what NumPy selects."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import basic_indices

import tensorlib as tl
from tensorlib.layouts.dim import Dim
from tensorlib.tests.chosen_backend import backend  # noqa: F401

SHAPE = (3, 4, 5)
ARRAY = np.arange(60).reshape(SHAPE)


@given(basic_indices(SHAPE, allow_newaxis=True))
def test_basic_indices_agree_with_numpy(key: Any) -> None:
    got, want = tl.asarray(ARRAY)[key], np.asarray(ARRAY[key])
    assert got.shape == want.shape
    assert np.array_equal(got.numpy(), want)


@given(basic_indices(SHAPE), basic_indices((2, 2)))
def test_views_of_views(key: Any, again: Any) -> None:
    want = ARRAY.T[::-1][key] if ARRAY.T[::-1].shape == SHAPE else ARRAY[key]
    got = tl.asarray(ARRAY)[key]
    assert np.array_equal((got + 1).numpy(), want + 1)


KEYS: list[Any] = [
    [2, 0],
    np.array([[0, -1], [1, 1]]),
    (slice(None), np.array([3, 0])),
    (Ellipsis, np.array([4, 4, 0])),
    (0, np.array([1, 2])),
    (np.array([1, 2]), 0),
    (slice(None), np.array([1]), None, slice(0, 2)),
    (None, np.array([1, 0])),
    (slice(None, None, 2), slice(1, 3), [0]),
    ARRAY[:, 0, 0] > 10,
    ARRAY > 30,
    ARRAY[:, :, 0] % 2 == 0,
    (slice(None), ARRAY[0] % 3 == 0),
    (slice(None), np.zeros(4, bool)),
    [],
]


@pytest.mark.parametrize("key", KEYS, ids=range(len(KEYS)))
def test_index_arrays_and_masks_agree_with_numpy(key: Any) -> None:
    empty = isinstance(key, list) and not key
    want = ARRAY[np.array(key, int) if empty else key]
    got = tl.asarray(ARRAY)[key]
    assert got.shape == want.shape
    assert np.array_equal(got.numpy(), want)


def test_tensors_index() -> None:
    x = tl.asarray(ARRAY)
    assert np.array_equal(x[tl.asarray([1, 0])].numpy(), ARRAY[[1, 0]])
    assert np.array_equal(x[x > 50].numpy(), ARRAY[ARRAY > 50])
    assert np.array_equal(x[tl.asarray(1)].numpy(), ARRAY[1])
    assert np.array_equal(x[tl.argmax(x[:, 0, 0]), np.int64(2)].numpy(), ARRAY[2, 2])


@given(st.sampled_from([0, 1, 2, -1]), st.lists(st.integers(-3, 2), min_size=1, max_size=4))
def test_take_agrees_with_numpy(axis: int, indices: list[int]) -> None:
    want = np.take(ARRAY, indices, axis=axis)
    got = tl.take(tl.asarray(ARRAY), tl.asarray(indices), axis=axis)
    assert np.array_equal(got.numpy(), want)


def test_symbolic_slices() -> None:
    position, x = Dim("position"), tl.zeros((64, 4))
    assert x[position : position + 3].shape == (3, 4)
    assert x[: position + 1, 1:].shape == (position + 1, 3)
    assert x[:position][-2:].shape == (2, 4)
    assert x[position].shape == (4,)
    assert x[:position, 0].shape == (position,)
    assert x[:position][::-1].shape == (position, 4)
