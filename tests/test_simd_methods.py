# ruff: noqa: E501  (one row an error)
"""SIMD's methods on lanes and bits: laws against NumPy, the same three ways, and their errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorlib.dtypes import DType
from tensorlib.errors import KernelError
from tensorlib.lang.gathering import gather, scatter
from tensorlib.simd import SIMD
from tensorlib.tests.compiled_kernels import agree, same
from tensorlib.tests.random_kernels import DTYPES, hostile
from tensorlib.tile import Tile

F32, I32, I64, U8, BOOL = DType.float32, DType.int32, DType.int64, DType.uint8, DType.bool
INTEGERS = [d for d in DTYPES if d.is_integer]
FLOATS = [d for d in DTYPES if d.is_float]
seeds = st.integers(0, 2**32)
widths = st.sampled_from([1, 2, 4, 8, 16])
Array = np.ndarray[Any, Any]


def vector(dtype: DType, width: int, seed: int) -> SIMD:
    data = hostile(dtype, width, np.random.default_rng(seed))
    return SIMD(data if width > 1 else data.reshape(()), dtype, width)


def lanes(x: SIMD) -> Array:
    return np.atleast_1d(x.numpy())


# --- lanes ---


@given(st.sampled_from(DTYPES), widths, seeds, st.integers(-20, 20))
def test_lanes_move(dtype: DType, width: int, seed: int, by: int) -> None:
    x, a = vector(dtype, width, seed), lanes(vector(dtype, width, seed))
    assert same(lanes(x.rotate_left(by)), np.roll(a, -by))
    assert same(lanes(x.rotate_right(by)), np.roll(a, by))
    assert same(lanes(x.reversed()), a[::-1].copy())
    zeros = np.zeros(abs(by), np.uint8).repeat(a.itemsize).view(a.dtype)
    moved = np.concatenate([zeros, a, zeros])
    start = abs(by)
    assert same(lanes(x.shift_left(by)), moved[start + by :][:width].copy())
    assert same(lanes(x.shift_right(by)), moved[start - by :][:width].copy())


@given(st.sampled_from(DTYPES), widths, widths, seeds, st.integers(0, 15))
def test_insert_and_lane(dtype: DType, width: int, part: int, seed: int, offset: int) -> None:
    x, y = vector(dtype, width, seed), vector(dtype, part, seed + 1)
    expected = lanes(x)
    if offset + part <= width:
        expected[offset : offset + part] = lanes(y)
        assert same(lanes(x.insert(y, offset)), expected)
        assert same(lanes(x.insert(y, offset).slice(part, offset)), lanes(y))
    at = SIMD[I64, 1](offset)
    expected = lanes(x)
    found = x[at]
    if offset < width:
        assert same(lanes(found), expected[offset : offset + 1])
        expected[offset] = lanes(y)[0]
    else:
        assert not lanes(found).view(np.uint8).any()
    assert same(lanes(x.insert(y[0], at)), expected)


@given(st.sampled_from(DTYPES), widths, seeds)
def test_two_vectors_shuffle_and_join(dtype: DType, width: int, seed: int) -> None:
    x, y = vector(dtype, width, seed), vector(dtype, width, seed + 1)
    both = np.concatenate([lanes(x), lanes(y)])
    order = np.random.default_rng(seed).integers(0, 2 * width, width).tolist()
    assert same(lanes(x.shuffle(*order, other=y)), both[order])
    assert same(lanes(x.join(y)), both)
    assert same(lanes(SIMD.join(x, y)), both)


@given(st.sampled_from(INTEGERS), widths, widths, seeds)
def test_reductions_to_fewer_lanes(dtype: DType, width: int, to: int, seed: int) -> None:
    to = min(to, width)
    x = vector(dtype, width, seed)
    rows = lanes(x).reshape(width // to, to)
    cases = [
        (x.reduce_add(to), np.add), (x.reduce_mul(to), np.multiply), (x.reduce_min(to), np.minimum),
        (x.reduce_max(to), np.maximum), (x.reduce_and(to), np.bitwise_and),
        (x.reduce_or(to), np.bitwise_or), (x.reduce_xor(to), np.bitwise_xor),
    ]  # fmt: skip
    for got, function in cases:
        assert np.array_equal(lanes(got), function.reduce(rows, axis=0, dtype=dtype.numpy))
    doubled = x.reduce(lambda a, b: a + b + b, to)
    assert doubled.width == to


def test_any_and_all() -> None:
    for values in ((True, False), (False, False), (True, True)):
        mask = SIMD[BOOL, 2](*values)
        assert (bool(mask.any()), bool(mask.all())) == (any(values), all(values))


# --- bits and numbers ---


@given(st.sampled_from(INTEGERS), seeds)
def test_bits_are_counted(dtype: DType, seed: int) -> None:
    x = vector(dtype, 8, seed)
    for value, ones, leading, trailing in zip(
        lanes(x).tolist(), lanes(x.popcount()), lanes(x.clz()), lanes(x.ctz()), strict=True
    ):
        text = format(value % (1 << dtype.bits), f"0{dtype.bits}b")
        assert ones == text.count("1")
        assert leading == len(text) - len(text.lstrip("0"))
        assert trailing == len(text) - len(text.rstrip("0"))


@given(st.sampled_from([d for d in DTYPES if d is not BOOL]), seeds)
def test_bits_and_back(dtype: DType, seed: int) -> None:
    x = vector(dtype, 4, seed)
    assert x.to_bits().dtype.kind == "unsigned"
    assert lanes(x.to_bits()).tobytes() == lanes(x).tobytes()
    assert lanes(SIMD.from_bits(dtype, x.to_bits())).tobytes() == lanes(x).tobytes()


@given(st.sampled_from(FLOATS), seeds)
def test_signs_are_copied(dtype: DType, seed: int) -> None:
    x, y = vector(dtype, 8, seed), vector(dtype, 8, seed + 1)
    got = lanes(x.copysign(y))
    assert same(np.abs(got), np.abs(lanes(x)))
    assert np.array_equal(np.signbit(got), np.signbit(lanes(y)))


@given(st.sampled_from([DType.float32, DType.float64, DType.float16]), seeds)
def test_floats_divide_as_in_numpy(dtype: DType, seed: int) -> None:
    x, y = vector(dtype, 8, seed), vector(dtype, 8, seed + 1)
    a, b = lanes(x), lanes(y)
    with np.errstate(all="ignore"):
        quotient, remainder = (f(a, b) for f in (np.floor_divide, np.remainder))
    assert same(lanes(divmod(x, y)[1]), remainder)
    if dtype is not DType.float16:  # of those NumPy rounds the quotient before it takes the floor
        assert same(lanes(x // y), quotient)


def test_powers() -> None:
    x = SIMD[F32, 2](4.0, 9.0)
    assert lanes(x**0.5).tolist() == [2.0, 3.0]
    assert lanes(x**-1).tolist() == [0.25, float(np.float32(1) / np.float32(9))]
    assert lanes(2.0**x).tolist() == [16.0, 512.0]
    assert lanes(x**x).tolist() == [256.0, float(np.float32(9**9))]


# --- memory ---


@given(seeds)
@settings(max_examples=20)
def test_gather_and_scatter_three_ways(seed: int) -> None:
    rng = np.random.default_rng(seed)
    places = rng.permutation(24)[:16].astype(np.int64)

    def kernel(out: Tile, x: Tile, at: Tile) -> None:
        for i in range(0, 16, 8):
            rows, columns = at.load[8](i) // 4, at.load[8](i) % 4
            mask = columns != 2
            found = gather(x, rows, columns, mask=mask, other=7)
            scatter(out, rows, columns, found + gather(x, rows, 0), mask=mask)
            scatter(out, 5, columns.slice(1), 9)

    data = {"out": np.zeros((6, 4), np.int32), "at": places}
    data["x"] = rng.integers(0, 99, (6, 4)).astype(np.int32)
    agree(kernel, data)


# --- errors ---

MASK, X, T = SIMD[BOOL, 2](True), SIMD[I32, 4](1), Tile.over(np.zeros(4, np.float32))
AT = SIMD[I64, 2](0)
ERRORS: list[tuple[Callable[[], Any], str]] = [
    (lambda: X[SIMD[F32, 1](1)], "lane: got float32, needed an integer scalar"),
    (lambda: X[SIMD[I32, 2](1)], "lane: got int32x2, needed an integer scalar"),
    (lambda: X.insert(SIMD[I32, 2](0), 3), "insert: got offset 3, needed a Python int from 0 to 2"),
    (lambda: X.insert(SIMD[F32, 1](0)), "insert: got float32, needed int32; try .cast"),
    (lambda: X.insert(X, SIMD[I64, 1](0)), "insert: got 4 lanes at a run-time offset, needed a scalar"),
    (lambda: X.reduce_add(3), "reduce: got width 3, needed a power of two up to 4"),
    (lambda: X.reduce_add(8), "reduce: got width 8, needed a power of two up to 4"),
    (X.any, "any: got a int32 value, needed a bool mask"),
    (X.all, "all: got a int32 value, needed a bool mask"),
    (lambda: X.copysign(X), "copysign: got int32 values, needed floats"),
    (MASK.popcount, "popcount: got bool values, needed integers; try .to_bits()"),
    (lambda: SIMD[F32, 1](0).clz(), "clz: got float32 values, needed integers; try .to_bits()"),
    (lambda: SIMD[F32, 1](0).ctz(), "ctz: got float32 values, needed integers; try .to_bits()"),
    (lambda: gather(T, X), "gather: got int32x4 coordinates, needed int64; try .cast(int64)"),
    (lambda: gather(T, AT, mask=SIMD[BOOL, 4](True)), "gather: got a mask of boolx4, needed bool and width 2"),
    (lambda: scatter(T, AT, X), "scatter: got int32 for a tile of float32; try .cast(float32)"),
    (lambda: scatter(T, AT, 1, mask=AT), "scatter: got a mask of int64x2, needed bool and width 2"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "message"), ERRORS, ids=[m[:40] for _, m in ERRORS])
def test_errors(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(KernelError) as caught:
        call()
    assert str(caught.value).splitlines()[0] == message
