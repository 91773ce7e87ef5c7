"""Packed block formats: frozen blocks of ggml, the definition written as a loop, every error."""

from __future__ import annotations

import struct

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorlib.dtypes import DType
from tensorlib.errors import DTypeError, ShapeError
from tensorlib.ops.packed import BLOCK_FORMATS, pack, row_bytes, unpack

Floats = npt.NDArray[np.float32]
FORMATS = list(BLOCK_FORMATS)
by_format = pytest.mark.parametrize("dtype", FORMATS, ids=lambda dtype: dtype.name)

# One random row, and for each format the block and the decoded row that ggml makes of it.
ROW = (
    "a5db713ac36f653eb28952be5ffe2abff597aebe69653ebfdbc2383d21a9803fdf01bdbe2a43eebe6f19bc3e6c0b893e"
    "92eaa13d5ea632bf23b9b3bc8b7f053f6b0b81bf76b9afbe7384b6bf5c9777bf7bceb0bfcc8c34be885973bfbe54503e"
    "09c5f03d1f900fbee39bf1bfabdbcebeb2fe14bde80aae3d9ee492bf0f75b7be"
)
GGML = {
    DType.q4_0: (
        "8d33487927452775489c86760a698885386a",
        "0000000000a0713e00a071be003835bf00a071be003835bf0000000000a0713f00a0f1be00a0f1be00a0f13e00a0713e"
        "00000000003835bf0000000000a0f13e00a071bf00a071be0038b5bf00a071bf0038b5bf00a071be00a071bf00a0713e"
        "0000000000a071be00a0f1bf00a0f1be0000000000000000000497bf00a0f1be",
    ),
    DType.q4_1: (
        "2c328dbf5a8b295638965abfa8970c8baaa64a8c",
        "0000283d00806f3e00801bbe00003bbf0080b0be00003bbf0000283d00b0803f0080b0be00a009bf0080da3e00806f3e"
        "0000283d00003bbf0000283d0080da3e00606cbf0080b0be0040c0bf00606cbf0090a7bf00801bbe00606cbf00806f3e"
        "0000283d00801bbe00a0f1bf0080b0be0000283d0000283d00e08ebf0080b0be",
    ),
    DType.q8_0: (
        "9c23000ff2d3e9ce0344e7e1191205d1ff23bce9a0bfa3f4c00e08f781e5fe06b3e8",
        "000000000048643e001055be00362bbf0004afbe003c3ebf00a0363d005c813f003cbebe00e4ebbe003cbe3e00f8883e"
        "0030983d00d232bf008073bc002a053f005c81bf0004afbe00a0b6bf004e77bf00ebb0bf00a036be008073bf0010553e"
        "0080f33d00f808be0099f1bf0074cdbe0080f3bc00a0b63d007b92bf00a0b6be",
    ),
}


def floats(text: str) -> Floats:
    return np.frombuffer(bytes.fromhex(text), "<f4")


def decoded(block: bytes, dtype: DType) -> list[np.float32]:
    """Return the elements of one block, straight from the definition of its format."""
    scale = np.float32(struct.unpack_from("<e", block)[0])
    if dtype is DType.q8_0:
        return [np.float32(quant) * scale for quant in struct.unpack_from("<32b", block, 2)]
    nibbles = block[4 if dtype is DType.q4_1 else 2 :]
    quants = [byte & 15 for byte in nibbles] + [byte >> 4 for byte in nibbles]
    if dtype is DType.q4_0:
        return [np.float32(quant - 8) * scale for quant in quants]
    minimum = np.float32(struct.unpack_from("<e", block, 2)[0])
    return [np.float32(quant) * scale + minimum for quant in quants]


def block_bytes(dtype: DType) -> st.SearchStrategy[bytes]:
    """Blocks of finite scale and minimum, any quants."""
    halves = 2 if dtype is DType.q4_1 else 1
    header = st.lists(st.floats(width=16, allow_nan=False, allow_infinity=False), min_size=halves)
    quants = st.binary(min_size=dtype.block_bytes, max_size=dtype.block_bytes)
    return st.builds(
        lambda h, q: struct.pack(f"<{halves}e", *h[:halves]) + q[2 * halves :], header, quants
    )


@by_format
def test_a_block_is_what_ggml_packs(dtype: DType) -> None:
    assert pack(floats(ROW), dtype).tobytes().hex() == GGML[dtype][0]


@by_format
def test_a_block_decodes_to_the_bits_of_ggml(dtype: DType) -> None:
    block, row = GGML[dtype]
    values = unpack(np.frombuffer(bytes.fromhex(block), np.uint8), dtype, (32,))
    assert values.astype("<f4").tobytes().hex() == row


@by_format
@given(data=st.data())
def test_unpack_is_the_definition(dtype: DType, data: st.DataObject) -> None:
    blocks = data.draw(st.lists(block_bytes(dtype), min_size=1, max_size=4))
    stored = np.frombuffer(b"".join(blocks), np.uint8)
    needed = np.array([decoded(block, dtype) for block in blocks])
    with np.errstate(over="ignore"):
        got = unpack(stored.reshape(len(blocks), -1), dtype, (len(blocks), 32))
    np.testing.assert_array_equal(got, needed)


@by_format
@given(seed=st.integers(0, 2**32), size=st.floats(1e-3, 1e3))
def test_packing_moves_a_value_by_at_most_a_step(dtype: DType, seed: int, size: float) -> None:
    row = np.random.default_rng(seed).standard_normal((3, 64)).astype(np.float32) * np.float32(size)
    packed = pack(row, dtype)
    step = packed.reshape(-1, dtype.block_bytes)[:, :2].copy().view("<f2").astype(np.float32)
    moved = np.abs(unpack(packed, dtype, row.shape) - row).reshape(-1, 32)
    assert (moved <= np.abs(step) * np.float32(1.02) + np.abs(row).max() / 1000).all()


@by_format
@pytest.mark.parametrize("value", [0.0, 1.5, -2.0])
def test_a_block_of_equal_values_is_exact(dtype: DType, value: float) -> None:
    row = np.full(32, value, np.float32)
    np.testing.assert_allclose(unpack(pack(row, dtype), dtype, (32,)), row, rtol=1e-3)


def test_halves_round_away_from_zero() -> None:
    row = np.zeros(32, np.float32)
    row[:4] = 127.0, 0.5, -1.5, 0.49999997
    assert pack(row, DType.q8_0)[2:6].view(np.int8).tolist() == [127, 1, -2, 0]


@by_format
def test_packed_rows_keep_the_leading_axes(dtype: DType) -> None:
    array = np.ones((2, 3, 64), np.float32)
    packed = pack(array, dtype)
    assert packed.shape == (2, 3, 2 * dtype.block_bytes)
    assert unpack(packed.reshape(6, -1), dtype, (2, 3, 64)).shape == (2, 3, 64)


@by_format
def test_values_too_small_for_a_scale_become_the_zero_of_their_block(dtype: DType) -> None:
    row = np.full(32, 1e-42, np.float32)
    row[0] = -1e-42
    assert np.abs(unpack(pack(row, dtype), dtype, (32,))).max() <= 1e-6


def test_errors_name_what_was_needed() -> None:
    ones, block = np.ones(32, np.float32), np.zeros(20, np.uint8)
    with pytest.raises(DTypeError, match=r"^unpack: got dtype int8, needed a packed one: q4_0, q4"):
        unpack(block, DType.int8, (32,))
    with pytest.raises(
        DTypeError, match=r"^pack: got dtype float32, needed a packed one: q4_0, q4"
    ):
        pack(ones, DType.float32)
    with pytest.raises(DTypeError, match=r"^row_bytes: got dtype bool, needed a packed one"):
        row_bytes(32, DType.bool)
    with pytest.raises(DTypeError, match=r"^unpack: got data of dtype int8, needed uint8$"):
        unpack(block.view(np.int8), DType.q4_1, (32,))
    with pytest.raises(
        ShapeError, match=r"^unpack: got 20 bytes for q4_1 of shape \(2, 32\), needed 40$"
    ):
        unpack(block, DType.q4_1, (2, 32))
    with pytest.raises(
        ShapeError, match=r"^unpack: got shape \(\) for q4_1, needed at least one axis$"
    ):
        unpack(block, DType.q4_1, ())
    with pytest.raises(
        ShapeError, match=r"^pack: got a scalar, needed an array of at least one axis"
    ):
        pack(np.zeros((), np.float32), DType.q4_1)
    with pytest.raises(
        ShapeError,
        match=r"^row_bytes: got rows of 33 elements, needed a multiple of 32, the block of q8_0$",
    ):
        pack(np.ones((2, 33), np.float32), DType.q8_0)


@by_format
@pytest.mark.parametrize("value", [np.nan, np.inf, 3e38])
def test_values_without_a_scale_are_refused(dtype: DType, value: float) -> None:
    row = np.zeros(32, np.float32)
    row[3] = value
    message = (
        r"^pack: got values that are not finite or too large, needed ones whose .* fits float16$"
    )
    with pytest.raises(DTypeError, match=message):
        pack(row, dtype)


@pytest.mark.slow
@by_format
def test_rows_agree_with_the_gguf_package(dtype: DType) -> None:
    gguf = pytest.importorskip("gguf")
    kind = gguf.GGMLQuantizationType[dtype.name.upper()]
    random = np.random.default_rng(3)
    rows = random.standard_normal((2048, 256)).astype(np.float32)
    rows *= np.exp(random.uniform(-8, 8, (2048, 1))).astype(np.float32)
    packed = gguf.quantize(rows, kind)
    np.testing.assert_array_equal(pack(rows, dtype), packed)
    np.testing.assert_array_equal(unpack(packed, dtype, rows.shape), gguf.dequantize(packed, kind))
