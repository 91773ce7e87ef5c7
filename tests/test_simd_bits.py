"""SIMD's bits, signs and compressed access: against NumPy on hostile values, in every way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorlib as tl
from tensorlib.dtypes import DType, as_dtype
from tensorlib.errors import KernelError
from tensorlib.lang.gathering import compressed_load, compressed_store
from tensorlib.simd import SIMD
from tensorlib.tests.every_way import run_every_way
from tensorlib.tile import Tile

INTEGERS = [d for d in DType.by_name.values() if d.is_integer]
FLOATS = [DType.float16, DType.bfloat16, DType.float32, DType.float64]


def whole(dtype: DType) -> Any:
    edges = np.iinfo(dtype.numpy)
    some = np.random.default_rng(dtype.bits).integers(edges.min, edges.max, 12, dtype=dtype.numpy)
    return np.concatenate([np.array([edges.min, edges.max, 0, 1], dtype.numpy), some])


def real(dtype: DType) -> Any:
    least = 2.0 ** (-24 if dtype is DType.float16 else -133)
    values = [
        0.0,
        -0.0,
        1,
        -1,
        np.inf,
        -np.inf,
        np.nan,
        -np.nan,
        least,
        -least,
        3,
        -2.5,
        9,
        7,
        5,
        1,
    ]
    return np.array(values).astype(dtype.numpy)


def simd(x: Any) -> SIMD:
    return SIMD(x, as_dtype(x.dtype), x.size)


def text(x: Any, size: int) -> list[str]:
    """The bits of integers as text, the highest first."""
    return [format(int(v) & ((1 << size) - 1), f"0{size}b") for v in np.atleast_1d(x)]


@pytest.mark.parametrize("dtype", INTEGERS)
def test_bits_of_integers(dtype: DType) -> None:
    x, size = whole(dtype), dtype.bits
    v, bits = simd(x), text(x, dtype.bits)
    assert v.byte_swap().numpy().tolist() == x.byteswap().tolist()
    assert text(v.bit_reverse().numpy(), size) == [b[::-1] for b in bits]
    assert v.reduce_bit_count().numpy() == sum(b.count("1") for b in bits)
    for by in (0, 1, size - 1, size, -3):
        n = by % size
        assert text(v.rotate_bits_left(by).numpy(), size) == [b[n:] + b[:n] for b in bits]
        assert text(v.rotate_bits_right(by).numpy(), size) == [
            b[size - n :] + b[: size - n] for b in bits
        ]
    assert v.sign().numpy().tolist() == np.sign(x).tolist()
    assert v.isfinite().all()
    assert not (v.isnan() | v.isinf()).any()


@pytest.mark.parametrize("dtype", FLOATS)
def test_kinds_of_floats(dtype: DType) -> None:
    x = real(dtype)
    v = simd(x)
    for ours, theirs in (
        (SIMD.isnan, np.isnan),
        (SIMD.isinf, np.isinf),
        (SIMD.isfinite, np.isfinite),
    ):
        assert ours(v).numpy().tolist() == theirs(x).tolist()
    signs = v.sign().numpy()
    expected = np.where(x == 0, x, np.sign(x)).astype(dtype.numpy)
    assert [str(s) for s in signs] == [str(s) for s in expected]


def test_masks_count_their_lanes() -> None:
    assert SIMD["bool", 8](*[True, False] * 4).reduce_bit_count().numpy() == 4


@tl.kernel
def bits(out: Tile, x: Tile, *, width: int = 8) -> None:
    for i in range(0, x.size, width):
        v = x.load[width](i)
        out.store[width](i, v.byte_swap() ^ v.bit_reverse() ^ v.rotate_bits_left(3))
        out[i] = out[i] ^ v.reduce_bit_count().cast(x.dtype) ^ v[1].sign()


@pytest.mark.parametrize("dtype", [DType.int16, DType.uint64, DType.uint8])
def test_bits_every_way(dtype: DType) -> None:
    x = whole(dtype)
    run_every_way(bits, np.zeros_like(x), x)


@tl.kernel
def positive(out: Tile, count: Tile, x: Tile, *, width: int = 8) -> None:
    n = count[0]
    for i in range(0, x.size, width):
        v = x.load[width](i)
        n += compressed_store(out, n, v, mask=v > 0)
    count[0] = n


@tl.kernel
def spread(out: Tile, x: Tile, keep: Tile, *, width: int = 8) -> None:
    n = SIMD[tl.int64, 1](0)
    for i in range(0, out.size, width):
        mask = keep.load[width](i) != 0
        out.store[width](i, compressed_load(x, n, mask=mask, other=-1.0))
        n += mask.reduce_bit_count()


def test_compressed_access_every_way() -> None:
    x = np.random.default_rng(0).standard_normal(32).astype(np.float32)
    out, count, _ = run_every_way(positive, np.zeros_like(x), np.zeros(1, np.int64), x)
    assert out[: count[0]].tolist() == x[x > 0].tolist()
    assert not out[count[0] :].any()
    keep = (x > 0).astype(np.int8)
    back, *_ = run_every_way(spread, np.zeros_like(x), x[x > 0], keep)
    assert back.tolist() == np.where(x > 0, x, np.float32(-1)).tolist()


ERRORS: list[tuple[Callable[[], Any], str]] = [
    (lambda: SIMD["float32", 2](1).byte_swap(),
     "byte_swap: got float32 values, needed integers; try .to_bits()"),
    (lambda: SIMD["bool", 2](True).sign(), "sign: got a mask, needed numbers; try .cast"),
    (
        lambda: compressed_store(Tile.over(np.zeros(2)), 0, 1.0, mask=SIMD["int8", 2](1)),
        "compressed_store: got a mask of int8x2, needed bool",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("call", "message"), ERRORS)
def test_errors(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(KernelError) as caught:
        call()
    assert str(caught.value).splitlines()[0] == message
