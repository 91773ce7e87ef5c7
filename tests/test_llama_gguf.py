"""GGUF files: what is read from good ones, and what is said of files that are something else."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from tensorlib.dtypes import DType
from tensorlib.errors import GGUFError, ModelError
from tensorlib.llama.gguf import GGUF, SIGNATURES
from tensorlib.llama.gguf_tensors import TENSOR_TYPES
from tensorlib.ops.packed import pack
from tensorlib.tests.gguf_files import RawTensor, Typed, gguf_bytes, tensor, tiny_llama

MATRIX = np.arange(128, dtype=np.float32).reshape(2, 64)
VECTOR = tensor(np.arange(8, dtype=np.float32))
TINY_FILE = tiny_llama()
SMALL_FILE = gguf_bytes(
    {"general.architecture": "llama", "a.flag": True, "a.list": ["x", "yz"], "a.numbers": [1, 2]},
    {"one": VECTOR, "two": tensor(MATRIX, DType.q8_0), "three": VECTOR},
)


# -- good files ----------------------------------------------------------------------------------

VALUES: dict[str, tuple[Any, Any]] = {
    "u8": (Typed("UINT8", 200), 200),
    "i8": (Typed("INT8", -3), -3),
    "u16": (Typed("UINT16", 60000), 60000),
    "i16": (Typed("INT16", -30000), -30000),
    "u32": (Typed("UINT32", 2**32 - 1), 2**32 - 1),
    "i32": (Typed("INT32", -(2**31)), -(2**31)),
    "f32": (Typed("FLOAT32", 0.25), 0.25),
    "yes": (True, True),
    "no": (False, False),
    "text": ("naïve ✓", "naïve ✓"),
    "empty": ("", ""),
    "u64": (Typed("UINT64", 2**64 - 1), 2**64 - 1),
    "i64": (Typed("INT64", -(2**63)), -(2**63)),
    "f64": (Typed("FLOAT64", 0.1), 0.1),
    "texts": (["a", "", "ß"], ("a", "", "ß")),
}


@pytest.mark.parametrize("version", [2, 3])
def test_values_are_python_scalars_and_tuples_of_text(version: int) -> None:
    file = GGUF(gguf_bytes({key: stored for key, (stored, _) in VALUES.items()}, version=version))
    assert file.version == version
    assert dict(file.metadata) == {key: value for key, (_, value) in VALUES.items()}
    assert list(file.metadata) == list(VALUES)
    assert {key: type(value) for key, value in file.metadata.items()} == {
        key: type(value) for key, (_, value) in VALUES.items()
    }


@pytest.mark.parametrize(
    ("items", "dtype"), [([1, -2], "int32"), ([0.5, 2.0], "float32"), ([True, False], "bool")]
)
def test_arrays_of_numbers_are_read_only_arrays(items: list[Any], dtype: str) -> None:
    array = GGUF(gguf_bytes({"k": items})).metadata["k"]
    assert array.dtype == dtype
    assert array.tolist() == items
    assert not array.flags.writeable


def test_metadata_tells_counts_and_types_without_decoding() -> None:
    metadata = GGUF(gguf_bytes({"k": ["a", "b"], "n": 7, "e": []})).metadata
    assert [metadata.count(key) for key in ("k", "n", "e")] == [2, 1, 0]
    assert [metadata.type_name(key) for key in ("k", "n")] == ["ARRAY", "UINT32"]
    assert "k" in metadata
    assert "other" not in metadata
    assert metadata.get("other", 5) == 5
    assert repr(metadata) == "<Metadata of <bytes>: 3 keys>"


def test_tensors_have_shapes_in_numpy_order_and_aligned_offsets() -> None:
    file = GGUF(SMALL_FILE, "small.gguf")
    assert repr(file) == "<GGUF small.gguf: 4 keys, 3 tensors>"
    info = file.tensors["two"]
    assert (info.name, info.shape, info.dtype) == ("two", (2, 64), DType.q8_0)
    assert info.nbytes == 2 * 68
    assert all(info.offset % 32 == 0 for info in file.tensors.values())
    assert list(file.tensors) == ["one", "two", "three"]


@pytest.mark.parametrize(
    ("dtype", "numpy"),
    [
        (DType.float32, np.float32),
        (DType.float16, np.float16),
        (DType.bfloat16, ml_dtypes.bfloat16),
    ],
    ids=str,
)
def test_data_of_floats_has_their_shape_and_dtype(dtype: DType, numpy: Any) -> None:
    data = GGUF(gguf_bytes({}, {"t": tensor(MATRIX, dtype)})).data("t")
    assert data.dtype == numpy
    np.testing.assert_array_equal(data.astype(np.float32), MATRIX)


@pytest.mark.parametrize("dtype", [DType.q4_0, DType.q4_1, DType.q8_0], ids=str)
def test_data_of_packed_tensors_is_bytes_a_row(dtype: DType) -> None:
    cube = np.stack([MATRIX, -MATRIX, MATRIX / 2])
    data = GGUF(gguf_bytes({}, {"t": tensor(cube, dtype)})).data("t")
    np.testing.assert_array_equal(data, pack(cube, dtype).reshape(6, -1))


def test_data_is_a_read_only_view_that_outlives_the_file(tmp_path: Path) -> None:
    path = tmp_path / "small.gguf"
    path.write_bytes(SMALL_FILE)
    with GGUF.open(path) as file:
        first, second = file.data("one"), file.data("one")
        numbers = file.metadata["a.numbers"]
    assert np.shares_memory(first, second)
    assert not first.flags.writeable
    assert first.tolist() == list(range(8))
    assert file.metadata["a.numbers"] is numbers
    with pytest.raises(GGUFError, match=r"got data\('one'\) after close\(\), needed an open file$"):
        file.data("one")
    with pytest.raises(GGUFError, match=r"got key 'a.flag' after close\(\), needed an open file$"):
        _ = file.metadata["a.flag"]


def test_a_scalar_tensor_and_a_file_without_tensors_open() -> None:
    assert GGUF(gguf_bytes({}, {"t": RawTensor((), 0, bytes(4))})).data("t").shape == ()
    assert not GGUF(gguf_bytes({"k": 1})).tensors


def test_the_alignment_of_the_file_is_used() -> None:
    data = gguf_bytes({"general.alignment": 64}, {"a": VECTOR, "b": VECTOR}, alignment=64)
    file = GGUF(data)
    assert file.alignment == 64
    assert file.data("b").tolist() == list(range(8))


# -- names and types that are not there ----------------------------------------------------------


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(GGUFError, match=r"^<bytes>: got no tensor named 'tow'; try 'two'$"):
        GGUF(SMALL_FILE).data("tow")
    with pytest.raises(GGUFError, match=r"^<bytes>: got no tensor named 'tow'$"):
        GGUF(gguf_bytes()).data("tow")
    with pytest.raises(KeyError):
        _ = GGUF(SMALL_FILE).metadata["tow"]


@pytest.mark.parametrize(
    "row", [row for row in TENSOR_TYPES.values() if row.dtype is None], ids=lambda row: row.name
)
def test_a_file_with_other_types_opens_but_their_data_is_refused(row: Any) -> None:
    other = RawTensor((2, row.block_elements), row.number, bytes(2 * row.block_bytes))
    file = GGUF(gguf_bytes({}, {"other": other, "one": VECTOR}))
    assert file.data("one").tolist() == list(range(8))
    message = (
        rf"^tensor 'other': got type {row.name}, needed one of F32, F16, BF16, Q4_0, Q4_1, Q8_0; "
        "try a file quantised to Q4_1 or Q8_0$"
    )
    with pytest.raises(GGUFError, match=message):
        file.data("other")


# -- files that are something else, or nothing ---------------------------------------------------


@pytest.mark.parametrize("row", SIGNATURES, ids=lambda row: str(row[1]))
def test_another_kind_of_file_is_recognised(row: tuple[int, bytes, str, str]) -> None:
    place, signature, kind, advice = row
    needed = rf"got what looks like {kind}, needed b'GGUF'; try to {advice}"
    with pytest.raises(GGUFError, match=re.escape(needed)):
        GGUF(bytes(place) + signature + bytes(64))


def test_bytes_that_are_nothing_known_are_shown() -> None:
    message = (
        r"^x: start of the file at byte 0: got b'\\x01abc', needed b'GGUF': a GGUF file starts"
    )
    with pytest.raises(GGUFError, match=message):
        GGUF(b"\x01abcdefgh", "x")


def test_a_path_without_a_model_is_explained(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no.gguf: got no such file, needed the path of a .gguf"):
        GGUF.open(tmp_path / "no.gguf")
    with pytest.raises(ModelError, match=r": got a folder, needed the path of a .gguf file$"):
        GGUF.open(tmp_path)
    with pytest.raises(
        ModelError, match=r": got 'embedded null byte', needed a .gguf file that can"
    ):
        GGUF.open("a\0b")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(
        ModelError, match=r": got a device or pipe, needed the path of a .gguf file$"
    ):
        GGUF.open(tmp_path / "pipe")
    (tmp_path / "empty.gguf").touch()
    with pytest.raises(
        GGUFError, match=r": got an empty file, needed a .gguf file; try to download"
    ):
        GGUF.open(tmp_path / "empty.gguf")


def test_a_file_that_may_not_be_read_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> os.stat_result:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "stat", refuse)
    with pytest.raises(
        ModelError, match=r"^m.gguf: got 'Permission denied', needed a .gguf file that"
    ):
        GGUF.open("m.gguf")


@pytest.mark.slow
def test_the_gguf_package_reads_the_same(tmp_path: Path) -> None:
    gguf = pytest.importorskip("gguf")
    path = tmp_path / "tiny.gguf"
    path.write_bytes(TINY_FILE)
    ours, reader = GGUF.open(path), gguf.GGUFReader(path)
    for name in ours.metadata:
        value = reader.get_field(name).contents()
        assert np.array_equal(ours.metadata[name], value)
    for theirs in reader.tensors:
        np.testing.assert_array_equal(ours.data(theirs.name), theirs.data)
        assert ours.tensors[theirs.name].offset == theirs.data_offset
    assert len(reader.tensors) == len(ours.tensors)
