"""The matrix products of the examples against float64, in every way to run them."""

from __future__ import annotations

import numpy as np
import pytest

from tensorlib.tests.every_way import EXAMPLES, example, run_every_way

pytestmark = pytest.mark.skipif(not EXAMPLES.exists(), reason="needs the source tree")


def matrices(m: int, n: int, k: int) -> list[np.ndarray]:
    rng = np.random.default_rng(m * n * k)
    return [rng.standard_normal(s).astype(np.float32) for s in ((m, k), (k, n))]


def close(c: np.ndarray, a: np.ndarray, b: np.ndarray) -> None:
    exact = a.astype(np.float64) @ b.astype(np.float64)
    bound = a.shape[1] * np.finfo(np.float32).eps * (abs(a) @ abs(b)).max()
    assert abs(c - exact).max() <= bound


@pytest.mark.parametrize(("m", "n", "k"), [(4, 16, 1), (8, 32, 7), (4, 16, 0)])
def test_the_micro_kernel(m: int, n: int, k: int) -> None:
    a, b = matrices(m, n, k)
    c = run_every_way(example("micro_kernel").matmul, np.full((m, n), 7, np.float32), a, b)[0]
    close(c, a, b) if k else np.testing.assert_array_equal(c, 0)


def test_the_micro_kernel_keeps_its_tile_in_registers_and_prefetches() -> None:
    a, b = matrices(8, 32, 8)
    source = example("micro_kernel").matmul.source("c", np.zeros((8, 32), np.float32), a, b)
    assert source.count("__builtin_prefetch") == 2  # one a vector of the next row
    assert "local" not in source  # no array stands for the tile
    assert source.count("for (int64_t") == 3


@pytest.mark.parametrize(
    ("levels", "m", "n", "k"),
    [
        (((8, 8, 8), (4, 8, 4)), 16, 8, 16),
        (((4, 4, 2),), 4, 8, 6),
        (((16, 16, 8), (8, 8, 8), (2, 4, 2)), 16, 16, 8),
    ],
)
def test_the_recursive_product(levels: tuple, m: int, n: int, k: int) -> None:
    a, b = matrices(m, n, k)
    kernel = example("recursive_matmul").matmul.bind(levels=levels)
    c = run_every_way(kernel, np.zeros((m, n), np.float32), a, b)[0]
    close(c, a, b)
