"""The short way into a kernel gives what the long way gives, and stands back where it must."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import tensorlib as tl
from tensorlib.errors import KernelError

F32 = np.float32


@tl.kernel
def scale(out: tl.Tile, x: tl.Tile, a: tl.Scalar, n: tl.Scalar) -> None:
    for i in range(n):
        out[i] = a * x[i]


@tl.kernel
def rows(out: tl.Tile, x: tl.Tile) -> None:
    for i in range(x.shape[0]):
        total = tl.SIMD[x.dtype, 1](0)
        for j in range(x.shape[1]):
            total = total + x[i, j]
        out[i] = total


def arrays(n: int = 8) -> tuple[np.ndarray, np.ndarray]:
    return np.zeros(n, F32), np.arange(n, dtype=F32)


def test_the_second_call_takes_the_short_way_and_agrees() -> None:
    for size in (8, 3, 0, 100):
        for factor in (2.0, -0.5, float("inf")):
            out, x = arrays(size)
            scale(out, x, factor, size)
            with np.errstate(invalid="ignore"):
                np.testing.assert_array_equal(out, F32(factor) * x)
    assert scale._quick is not None


def test_sizes_and_strides_are_those_of_this_call() -> None:
    for shape in ((2, 3), (5, 7), (1, 1), (4, 0)):
        x = np.random.default_rng(1).standard_normal(shape)
        out = np.zeros(shape[0])
        rows(out, x)
        np.testing.assert_allclose(out, x.sum(1), rtol=1e-12, atol=1e-12)


def test_other_types_take_the_long_way() -> None:
    out, x = arrays()
    scale(out, x, 2.0, 8)
    wide, y = np.zeros(8), np.arange(8.0)
    scale(wide, y, 2.0, 8)
    np.testing.assert_array_equal(wide, 2 * y)
    scale(out, x, F32(3), np.int64(8))
    np.testing.assert_array_equal(out, 3 * x)
    rows(np.zeros(2), np.ones((2, 2)))
    with pytest.raises(KernelError, match="rows: x is not C-contiguous"):
        rows(np.zeros(2), np.ones((2, 2)).T[::-1])


def test_errors_are_those_of_the_long_way() -> None:
    out, x = arrays()
    scale(out, x, 2.0, 8)
    scale(out, x, 2.0, 8)
    with pytest.raises(KernelError, match="x: access from element 8 is outside its 8 elements"):
        scale(out, x, 2.0, 9)
    scale(out, x, 1.0, 8)
    np.testing.assert_array_equal(out, x)
    out.flags.writeable = False
    with pytest.raises(KernelError, match="writes into out, which is read-only"):
        scale(out, x, 2.0, 8)
    with pytest.raises(KernelError, match="got 3 arguments, needed 4"):
        scale(x, x, 2.0)


def test_a_number_that_does_not_fit_is_refused_as_before() -> None:
    out, x = arrays()
    scale(out, x, 2.0, 8)
    with pytest.raises(KernelError, match="scale: n is 1180591620717411303424, which does not fit"):
        scale(out, x, 2.0, 1 << 70)


def test_inside_another_kernel_it_is_recorded() -> None:
    out, x = arrays()
    scale(out, x, 2.0, 8)

    @tl.kernel
    def outer(out: tl.Tile, x: tl.Tile) -> None:
        scale(out, x, 5.0, 8)

    outer(out, x)
    np.testing.assert_array_equal(out, 5 * x)


def test_threads_share_a_kernel() -> None:
    out, x = arrays(1000)
    scale(out, x, 2.0, 1000)
    wrong: list[float] = []

    def run(factor: float) -> None:
        mine = np.zeros(1000, F32)
        for _ in range(200):
            scale(mine, x, factor, 1000)
            if not (mine == F32(factor) * x).all():
                wrong.append(factor)

    threads = [threading.Thread(target=run, args=(float(k),)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
