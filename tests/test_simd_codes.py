# ruff: noqa: E501  (one row an error)
"""Coded dtypes: float8, float4, formats that users register, and two 4-bit numbers in a byte."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tensorlib as tl
from tensorlib.dtypes import DType, as_dtype, register_dtype
from tensorlib.errors import DTypeError, KernelError, TensorlibError
from tensorlib.ir import interpret, parse, text
from tensorlib.ir.interpreter import Memory
from tensorlib.lang import math as m
from tensorlib.lang.packed import float4_block, float4_codes, pack_halves, unpack_halves
from tensorlib.lang.trace import trace
from tensorlib.passes import run_passes
from tensorlib.simd import SIMD, SIMDType
from tensorlib.tests.compiled_kernels import agree, compile_kernel, same
from tensorlib.tests.random_kernels import hostile
from tensorlib.tile import Tile, TileType

F8, F32, F64, U8 = DType.float8_e4m3fn, DType.float32, DType.float64, DType.uint8
CODED = [d for d in DType.by_name.values() if d.is_coded and d.name.startswith("float")]
Array = np.ndarray[Any, Any]


def every(dtype: DType) -> Array:
    return np.arange(256, dtype=np.uint8).view(dtype.numpy)


def cast(x: Array, target: DType) -> Array:
    return np.asarray(SIMD(x, as_dtype(x.dtype), x.size).cast(target).numpy())


def nearest(x: float, dtype: DType) -> Fraction:
    """Return the number of `dtype` nearest to a positive one in its range, ties to even codes."""
    known = [Fraction(float(v)) for v in every(dtype)[:128].astype(np.float32) if np.isfinite(v)]
    best = min(range(len(known)), key=lambda i: (abs(known[i] - Fraction(x)), i % 2))
    return known[best]


# --- meaning ---


@pytest.mark.parametrize("dtype", CODED)
def test_every_code_means_what_it_does_in_numpy(dtype: DType) -> None:
    codes = every(dtype)
    if dtype is DType.float4_e2m1fn:
        codes = codes[:16]
    for target in (F32, F64, DType.float16, DType.bfloat16):
        with np.errstate(all="ignore"):
            expected = codes.astype(np.float32).astype(target.numpy)
        assert same(cast(codes, target), expected)


@pytest.mark.parametrize("dtype", CODED)
@pytest.mark.parametrize("source", [DType.float16, DType.bfloat16, F32])
def test_casts_round_as_numpy_does(source: DType, dtype: DType) -> None:
    bits = np.arange(0, 1 << 16, dtype=np.uint32)
    if source is F32:  # the halves of float32, and what is next to them
        bits = np.concatenate([bits << 16, (bits << 16) | 1, (bits << 16) | 0x8000])
        bits = np.concatenate([bits, bits[: 1 << 16] | 0xFFFF])
        x = bits.view(np.float32)
    else:
        x = bits.astype(np.uint16).view(source.numpy)
    with np.errstate(all="ignore"):
        expected = x.astype(np.float32).astype(dtype.numpy).view(np.uint8)
    got = cast(x, dtype).view(np.uint8)
    differ = got != expected
    wide = x.astype(np.float32)
    differ &= ~np.isnan(wide)
    assert not differ.any(), (x[differ][:5], got[differ][:5], expected[differ][:5])


@given(st.sampled_from([DType.float8_e4m3fn, DType.float8_e5m2, DType.float4_e2m1fn]), st.data())
def test_wide_numbers_are_rounded_once(dtype: DType, data: Any) -> None:
    codes = every(dtype)[: 8 if dtype is DType.float4_e2m1fn else 0x78].astype(np.float64)
    code = data.draw(st.integers(0, len(codes) - 2))
    tie = (codes[code] + codes[code + 1]) / 2
    x = data.draw(st.sampled_from([tie, np.nextafter(tie, 0), np.nextafter(tie, 9e9)]))
    got = SIMD[F64, 1](float(x)).cast(dtype).cast(F64)
    assert Fraction(float(got)) == nearest(float(x), dtype)


@pytest.mark.parametrize("dtype", CODED)
def test_whole_numbers_and_masks(dtype: DType) -> None:
    for source in (DType.int8, DType.uint16, DType.int64):
        x = np.arange(0, 64).astype(source.numpy)
        with np.errstate(all="ignore"):
            expected = x.astype(np.float32).astype(dtype.numpy)
        assert same(cast(x, dtype), expected)
    one = SIMD["bool", 2](True, False).cast(dtype)
    assert float(one[0].cast(F32)) == 1.0
    assert one[0].cast("bool").numpy()
    assert SIMD[dtype, 1](1.0).cast("int32").numpy() == 1


def test_small_scales_are_numpys() -> None:
    x = SIMD[F32, 8](
        2.0**-127, 1.49 * 2.0**-127, 1.5 * 2.0**-127, 2.0**-126, 2.0**-149, 0, -1, 3e38
    )
    codes = x.cast(DType.float8_e8m0fnu).to_bits().numpy().tolist()
    assert codes == [0, 1, 1, 1, 0, 255, 255, 255]


def test_codes_cast_to_codes() -> None:
    x = SIMD(every(F8), F8, 256).cast(DType.float8_e5m2)
    with np.errstate(all="ignore"):
        expected = every(F8).astype(np.float32).astype(DType.float8_e5m2.numpy)
    assert same(x.numpy(), expected)


# --- kernels ---


@pytest.mark.parametrize("dtype", CODED)
def test_codes_in_a_kernel_three_ways(dtype: DType) -> None:
    def kernel(out: Tile, x: Tile, numbers: Tile, s: SIMD) -> None:
        best = x.load[8](0)
        for i in range(0, 64, 8):
            codes = x.load[8](i, mask=x.load[8](i).cast(bool), other=1.5)
            out.store[8](i, (codes.cast("float32") * 1.25 + s.cast("float32")).cast(dtype))
            if (codes.cast("float32") > 1.0).any():
                best = codes.interleave(best).slice(8)
            numbers.store[8](i, best.cast("float32"))
        out.store[8](64, SIMD[dtype, 8](0.0, -0.0, 1.0, 2.0, 0.3, 448.0, 1e9, float("nan")))

    rng = np.random.default_rng(0)
    data: dict[str, Any] = {"out": hostile(dtype, 72, rng), "x": hostile(dtype, 64, rng)}
    data["numbers"] = np.zeros(64, np.float32)
    data["s"] = SIMD[dtype, 1](2.0)
    kernel_ir = agree(kernel, data)
    assert dtype.name not in text(kernel_ir)


def test_codes_are_seen_in_the_text_of_a_kernel() -> None:
    def kernel(out: Tile, x: Tile) -> None:
        out.store[4](0, x.load[4](0).reversed())

    tile = TileType(F8, (4,), (1,))
    traced = trace(kernel, {"out": tile, "x": tile})
    assert "float8_e4m3fnx4 = load" in text(traced)
    assert text(parse(text(traced))) == text(traced)


# --- a format of a user's own: sign, and the logarithm in eighths, 8 bits (0 is zero) ---


def decode(code: SIMD) -> SIMD:
    low = (code & 127).cast(F32)
    size = (low == 0.0).select(0.0, m.exp2((low - 64.0) / 8.0))
    return (code > 127).select(-size, size)


def encode(x: SIMD) -> SIMD:
    near = (m.log2(abs(x)) * 8.0).round() + 64.0
    code = near.clamp(1.0, 127.0).cast(U8)
    code = (abs(x) < 2.0**-8).select(0, code)
    return code | (x < 0.0).select(SIMD[U8, x.width](128), 0)


LOG8 = register_dtype("log8", decode, encode)


def test_a_format_of_ones_own_three_ways() -> None:
    assert as_dtype("log8") is LOG8
    assert LOG8.itemsize == 1

    def kernel(out: Tile, x: Tile, total: Tile) -> None:
        sum = SIMD[F32, 8](0.0)
        for i in range(0, 256, 8):
            numbers = x.load[8](i).cast(F32)
            sum = sum + numbers
            out.store[8](i, (numbers * -2.0).cast(LOG8))
        total.store[8](0, sum)

    coded, plain = TileType(LOG8, (256,), (1,)), TileType(F32, (8,), (1,))
    codes = np.arange(256, dtype=np.uint8)
    results: list[tuple[Array, Array]] = []

    def run(call: Callable[[dict[str, Array]], None]) -> None:
        data = {"out": np.zeros(256, np.uint8), "x": codes, "total": np.zeros(8, np.float32)}
        call(data)
        results.append((data["out"], data["total"]))

    def python(data: dict[str, Array]) -> None:
        tiles = {k: Tile(Memory(data[k], k), LOG8, (256,), (1,)) for k in ("out", "x")}
        kernel(**tiles, total=Tile.over(data["total"]))

    traced = trace(kernel, {"out": coded, "x": coded, "total": plain})
    run(python)
    run(lambda data: interpret(traced, list(data.values())))
    run_passes(traced)
    run(lambda data: interpret(traced, list(data.values())))
    run(compile_kernel(traced))
    for out, total in results[1:]:
        assert out.tobytes() == results[0][0].tobytes()
        assert total.tobytes() == results[0][1].tobytes()
    doubled = (codes & 127).astype(int) + 8
    expected = np.where((codes & 127) == 0, 0, np.minimum(doubled, 127) | (~codes & 128))
    assert results[0][0].tolist() == expected.tolist()


def test_a_format_of_ones_own_over_bytes() -> None:
    def kernel(out: Tile, x: Tile) -> None:
        halves = x.load["log8", 8](0).cast("float32") * 0.5
        out.store[8](0, halves.cast("log8").to_bits())

    agree(kernel, {"out": np.zeros(8, np.uint8), "x": np.arange(60, 68, dtype=np.uint8)})


# --- 4 bits ---


@given(st.integers(0, 2**32), st.sampled_from([1, 2, 8]))
def test_halves_of_bytes_and_back(seed: int, width: int) -> None:
    raw = np.random.default_rng(seed).integers(0, 256, width, dtype=np.uint8)
    x = SIMD(raw if width > 1 else raw.reshape(()), U8, width)
    bytes_ = raw.tolist()
    nibbles = list(itertools.chain(*((b & 15, b >> 4) for b in bytes_)))
    assert unpack_halves(x).numpy().tolist() == nibbles
    assert unpack_halves(x, "int8").numpy().tolist() == [n - 16 * (n > 7) for n in nibbles]
    for dtype in ("uint8", "int8", "float4_e2m1fn"):
        assert np.atleast_1d(pack_halves(unpack_halves(x, dtype)).numpy()).tolist() == bytes_


def blocks(scale: DType) -> Iterator[Array]:
    rng = np.random.default_rng(3)
    size = 32 if scale is DType.float8_e8m0fnu else 16
    for power in (-20, -3, 0, 5):
        yield (rng.normal(size=size) * 2.0**power).astype(np.float32)
    yield np.zeros(size, np.float32)


@pytest.mark.parametrize("scale", [DType.float8_e8m0fnu, DType.float8_e4m3fn])
def test_float4_blocks(scale: DType) -> None:
    """Each number is within half a step of its float4, whose largest step is a third of it."""
    for x in blocks(scale):
        codes, factor = float4_codes(SIMD(x, F32, x.size), scale)
        assert (codes.width, factor.dtype) == (x.size // 2, scale)
        back = float4_block(codes, factor).numpy()
        largest = np.abs(x).max()
        if scale is DType.float8_e8m0fnu and largest:
            assert float(factor.cast(F32)) == 2.0 ** (np.floor(np.log2(largest)) - 2)
        if scale is DType.float8_e8m0fnu or largest > 2.0**-6:  # beyond, NVFP4 needs another scale
            assert np.abs(back - x).max() <= largest / 3.9


@pytest.mark.parametrize("scale", [DType.float8_e8m0fnu, DType.float8_e4m3fn])
def test_hello_fp4_three_ways(scale: DType) -> None:
    """A dot product of float4 blocks with their scales, and the blocks written anew."""
    size = 32 if scale is DType.float8_e8m0fnu else 16

    def kernel(total: Tile, out: Tile, new: Tile, x: Tile, scales: Tile, y: Tile) -> None:
        sum = SIMD["float32", size](0.0)
        for block in range(4):
            numbers = float4_block(x.load[size // 2](block * (size // 2)), scales[block])
            sum = numbers.fma(y.load[size](block * size), sum)
            codes, factor = float4_codes(numbers * 3.0, scale)
            out.store[size // 2](block * (size // 2), codes)
            new[block] = factor
        total[0] = sum.reduce_add()

    rng = np.random.default_rng(5)
    data: dict[str, Any] = {
        "total": np.zeros(1, np.float32), "out": np.zeros(2 * size, np.uint8),
        "new": np.zeros(4, np.uint8).view(scale.numpy),
        "x": rng.integers(0, 256, 2 * size, dtype=np.uint8),
        "scales": np.array([0.5, 2.0, 1.0, 4.0], np.float32).astype(scale.numpy),
        "y": rng.normal(size=4 * size).astype(np.float32),
    }  # fmt: skip
    agree(kernel, data)


# --- errors ---

X, BYTES = SIMD[F8, 2](1.0), SIMD[U8, 2](1)
ERRORS: list[tuple[Callable[[], Any], str]] = [
    (lambda: X + X, "add: got float8_e4m3fnx2, whose codes compute nothing; try .cast(float32)"),
    (lambda: X * 2.0, "multiply: got float8_e4m3fnx2, whose codes compute nothing; try .cast(float32)"),
    (lambda: X == X, "equal: got float8_e4m3fnx2, whose codes compute nothing; try .cast(float32)"),
    (lambda: -X, "negative: got (float8_e4m3fnx2), needed a dtype of kind signed or unsigned or float"),
    (lambda: m.exp(X), "exp: got a float8_e4m3fn value, needed a float; try .cast(float32)"),
    (lambda: register_dtype("float32", decode, encode), "register_dtype: got name 'float32', which is taken; try another"),
    (lambda: register_dtype("log6", decode, encode, 6), "register_dtype: got 6 bits, needed 8, 16 or 32"),
    (lambda: unpack_halves(X), "unpack_halves: got float8_e4m3fnx2 as uint8, needed uint8 as uint8, int8 or float4_e2m1fn"),
    (lambda: unpack_halves(BYTES, F8), "unpack_halves: got uint8x2 as float8_e4m3fn, needed uint8 as uint8, int8 or float4_e2m1fn"),
    (lambda: pack_halves(X), "pack_halves: got float8_e4m3fnx2, needed 2 lanes or more of uint8, int8 or float4_e2m1fn"),
    (lambda: float4_block(BYTES, X), "float4_block: got a scale of float8_e4m3fnx2, needed one float8_e8m0fnu (MXFP4) or float8_e4m3fn (NVFP4)"),
    (lambda: float4_codes(BYTES, F8), "float4_codes: got uint8x2, needed 2 lanes or more of float32"),
    (lambda: float4_codes(SIMD[F32, 2](1), U8), "float4_codes: got a scale of uint8, needed float8_e8m0fnu (MXFP4) or float8_e4m3fn (NVFP4)"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "message"), ERRORS, ids=[m[:40] for _, m in ERRORS])
def test_errors(call: Callable[[], Any], message: str) -> None:
    with pytest.raises((KernelError, DTypeError)) as caught:
        call()
    assert str(caught.value).splitlines()[0] == message
    assert isinstance(caught.value, TensorlibError)


# --- tensors ---


def test_tensors_hold_and_cast_codes() -> None:
    x = tl.asarray(np.array([1.0, 3.3, -500.0], np.float32))
    codes = x.astype(F8)
    assert codes.dtype is F8
    assert np.array_equal(codes.astype(F32).numpy(), [1.0, 3.25, np.nan], equal_nan=True)
    assert np.array_equal(tl.full((3,), 1.5, dtype=F8).numpy(), np.full(3, 1.5, F8.numpy))
    for call, where in (
        (lambda: codes + codes, "add"), (lambda: tl.exp(codes), "exp"), (lambda: codes * 2, "scalar"),
        (lambda: codes + x, "promote"),
    ):  # fmt: skip
        with pytest.raises(DTypeError) as caught:
            call()
        assert str(caught.value) == (
            f"{where}: got dtype float8_e4m3fn, whose codes compute nothing; try astype(float32)"
        )


@pytest.mark.parametrize("dtype", CODED)
@pytest.mark.parametrize("size", [64, 1 << 16])
def test_tensors_cast_with_the_bits_of_kernels(dtype: DType, size: int) -> None:
    """Few elements go through NumPy, many through a kernel."""
    known = every(dtype)[: 8 if dtype is DType.float4_e2m1fn else 128].astype(np.float64)
    known = known[np.isfinite(known)]
    ties = (known[1:] + known[:-1]) / 2
    x = np.concatenate([np.nextafter(ties, -9e99), ties, np.nextafter(ties, 9e99), -ties])
    x = np.resize(x, size)
    assert same(tl.asarray(x).astype(dtype).numpy(), cast(x, dtype))


def test_tensors_know_no_format_of_ones_own() -> None:
    with pytest.raises(DTypeError) as caught:
        tl.asarray([1.0]).astype(LOG8)
    assert str(caught.value) == (
        "cast: got dtype log8, which kernels alone know; keep its codes as uint8, and try "
        "tl.elementwise of its decode and encode"
    )


def test_the_ir_casts_no_codes() -> None:
    kernel = "kernel k(%0: float8_e5m2x4) {\n  %1: float32x4 = cast %0 {dtype=float32}\n}\n"
    with pytest.raises(KernelError, match="casts of codes are traced as arithmetic on them"):
        run_passes(parse(kernel))
    assert SIMDType(F8).dtype is F8
