"""The Mandelbrot example: complex SIMD values, early exit, the same counts however it is run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorlib as tl
from tensorlib import ComplexSIMD
from tensorlib.tests import every_way

pytestmark = pytest.mark.skipif(not every_way.EXAMPLES.exists(), reason="needs the source tree")


@pytest.fixture(scope="module")
def example() -> Any:
    return every_way.example("mandelbrot")


def escape_times(height: int, width: int, dtype: str, iterations: int) -> np.ndarray:
    """Count the steps in plain NumPy, one point at a time, with the rounding of the example."""
    number = np.dtype(dtype).type
    left, bottom = number(-2.0), number(-1.12)
    dx, dy = number((0.7 + 2.0) / width), number(2.24 / height)
    counts = np.zeros((height, width), np.int32)
    for row in range(height):
        for column in range(width):
            c = complex(left + dx * number(column), bottom + dy * number(row))
            z, n = 0j, 0
            while n < iterations and abs(z) <= 2:
                z, n = z * z + c, n + 1
            counts[row, column] = n
    return counts


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("columns", [24, 37])
def test_every_way_gives_the_same_counts(example: Any, dtype: str, columns: int) -> None:
    number = np.dtype(dtype).type
    steps = (example.RIGHT - example.LEFT) / columns, (example.TOP - example.BOTTOM) / 16
    arguments = [number(v) for v in (example.LEFT, example.BOTTOM, *steps)]
    kernel = example.mandelbrot.bind(iterations=40, width=16)
    compiled = every_way.run_every_way(kernel, np.zeros((16, columns), np.int32), *arguments)[0]
    agreeing = (compiled == escape_times(16, columns, dtype, 40)).mean()
    assert agreeing > 0.97  # double rounding differs at the border of the set


def test_the_loop_and_its_exit_are_in_the_printed_c(example: Any) -> None:
    number = np.float32
    arguments = [np.zeros((4, 64), np.int32), *map(number, (-2, -1, 0.1, 0.1))]
    source = example.mandelbrot.bind(iterations=1000).source("c", *arguments)
    assert "< 1000" in source
    assert "tl_any_" in source
    assert source.count("tl_fma_") < 40  # the body once, not a thousand times


def test_the_picture_has_the_set_inside(example: Any) -> None:
    counts = example.picture(32, 48, iterations=50)
    assert counts.shape == (32, 48)
    assert counts[16, 36] == 50  # the origin
    assert counts[0, 0] < 5
    assert (counts == escape_times(32, 48, "float32", 50)).mean() > 0.97


def test_complex_arithmetic_is_that_of_numpy() -> None:
    rng = np.random.default_rng(3)
    a, b = (rng.standard_normal(4) + 1j * rng.standard_normal(4) for _ in range(2))

    def simd(x: np.ndarray) -> ComplexSIMD:
        return ComplexSIMD["float64", 4](
            tl.SIMD["float64", 4](*x.real), tl.SIMD["float64", 4](*x.imag)
        )

    def close(got: ComplexSIMD, expected: np.ndarray) -> None:
        np.testing.assert_allclose(got.re.numpy() + 1j * got.im.numpy(), expected, rtol=1e-13)

    x, y = simd(a), simd(b)
    close(x + y, a + b)
    close(x - y, a - b)
    close(x * y, a * b)
    close(-x, -a)
    close(x.conj(), a.conj())
    close(x.squared_add(y), a * a + b)
    close(2.0 * x + 1.0, 2 * a + 1)
    close(x * 0.5 - 3.0, a * 0.5 - 3)
    np.testing.assert_allclose(x.squared_norm().numpy(), abs(a) ** 2, rtol=1e-13)
    np.testing.assert_allclose(x.norm().numpy(), abs(a), rtol=1e-13)
    assert x[2].re.numpy() == a[2].real
