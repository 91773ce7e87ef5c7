"""Malformed GGUF files: one row each, and that any bytes make a model or a clear error."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorlib.dtypes import DType
from tensorlib.errors import GGUFError
from tensorlib.llama import gguf_values
from tensorlib.llama.gguf import GGUF
from tensorlib.tests.gguf_files import RawTensor, gguf_bytes, tensor, tiny_llama
from tensorlib.tests.gguf_probe import Probe

VECTOR = tensor(np.arange(8, dtype=np.float32))
TINY_FILE = tiny_llama()
SMALL_FILE = gguf_bytes(
    {"general.architecture": "llama", "a.flag": True, "a.list": ["x", "yz"], "a.numbers": [1, 2]},
    {
        "one": VECTOR,
        "two": tensor(np.ones((2, 64), np.float32), DType.q8_0),
        "three": VECTOR,
    },
)


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Probe]:
    made = Probe(tmp_path_factory.mktemp("probe"))
    yield made
    made.close()


# -- malformed files: one row each ---------------------------------------------------------------

CUT = "the file is damaged or cut short: try downloading it again$"
HUGE = 2**64 - 1


def header(tensors: int = 0, keys: int = 0, rest: bytes = b"", version: int = 3) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, tensors, keys) + rest


def key(value_type: int, payload: bytes, name: bytes = b"k") -> bytes:
    stated = struct.pack("<Q", len(name)) + name + struct.pack("<I", value_type)
    return header(0, 1, stated + payload)


def array(element: int, count: int, payload: bytes = b"") -> bytes:
    return key(9, struct.pack("<IQ", element, count) + payload)


def entry(shape: tuple[int, ...] = (8,), kind: int = 0, **changes: Any) -> bytes:
    return gguf_bytes({}, {"t": replace(RawTensor(shape, kind, bytes(32)), **changes)})


MALFORMED: dict[str, tuple[bytes, str]] = {
    "no_header": (b"GGUF\3", r"version at byte 4: got only 1 bytes .*, needed 4; " + CUT),
    "no_counts": (header()[:12], r"header at byte 8: got only 4 bytes .*, needed 8; " + CUT),
    "version_1": (header(version=1), r"version at byte 4: got 1, needed 2 or 3; try a file "),
    "version_4": (header(version=4), r"version at byte 4: got 4, needed 2 or 3; try a file "),
    "big_endian": (
        b"GGUF" + struct.pack(">IQQ", 3, 0, 0),
        r"version at byte 4: got a big-endian file, needed a little-endian one; try gguf_conv",
    ),
    "huge_tensor_count": (
        header(HUGE),
        rf"header at byte 8: got {HUGE} tensors, needed at most 65536$",
    ),
    "huge_key_count": (
        header(0, HUGE),
        rf"header at byte 16: got {HUGE} keys, needed at most 65536$",
    ),
    "missing_keys": (header(0, 5), r"key 0 at byte 24: got only 0 bytes .*needed 8; "),
    "missing_tensors": (header(5), r"name of tensor 0 at byte 24: got only 0 bytes before the end"),
    "long_key": (
        header(0, 1, struct.pack("<Q", 70000) + bytes(70000)),
        r"key 0 at byte 24: got a length of 70000 bytes, needed at most 65535$",
    ),
    "huge_key": (
        header(0, 1, struct.pack("<Q", HUGE)),
        rf"key 0 at byte 24: got a length of {HUGE} bytes, needed at most 65535$",
    ),
    "empty_key": (key(4, bytes(4), b""), r"key 0 at byte 24: got an empty name, needed at"),
    "key_not_ascii": (
        key(4, bytes(4), b"\xc3\xa9"),
        r"key 0 at byte 32: got bytes that are not text, needed ASCII text$",
    ),
    "duplicate_key": (
        gguf_bytes([("k", 1), ("k", 2)]),
        r"key 'k' at byte 41: got a second value, needed each key once$",
    ),
    "unknown_value_type": (
        key(13, b""),
        r"key 'k' at byte 33: got value type 13, needed one from 0 to 12$",
    ),
    "negative_value_type": (
        key(2**32 - 1, b""),
        r"key 'k' at byte 33: got value type 4294967295, needed one from 0 to 12$",
    ),
    "huge_string": (
        key(8, struct.pack("<Q", HUGE)),
        rf"key 'k' at byte 37: got a length of {HUGE} bytes, needed at most 16777216$",
    ),
    "string_past_the_end": (
        key(8, struct.pack("<Q", 100) + b"abc"),
        r"key 'k' at byte 45: got only 3 bytes before the end of the file, needed 100; " + CUT,
    ),
    "nested_array": (
        array(9, 1, struct.pack("<IQ", 4, 0)),
        r"key 'k' at byte 37: got an array of arrays, needed an array of scalars or strings$",
    ),
    "huge_array": (
        array(10, HUGE),
        rf"key 'k' at byte 49: got only 0 bytes .*, needed {HUGE * 8}; ",
    ),
    "overflowing_array": (
        array(10, 2**61),
        rf"key 'k' at byte 49: got only 0 bytes .*, needed {2**64}; ",
    ),
    "huge_string_array": (
        array(8, HUGE),
        rf"key 'k' at byte 37: got an array of {HUGE} strings, needed at most 2097152 in the file$",
    ),
    "string_array_past_the_end": (
        array(8, 3, struct.pack("<Q", 1) + b"a"),
        r"key 'k' at byte 49: got the end of the file inside an array, needed 3 strings; " + CUT,
    ),
    "string_array_with_a_huge_length": (
        array(8, 2, struct.pack("<QQ", HUGE, 0)),
        r"key 'k' at byte 49: got the end of the file inside an array, needed 2 strings; " + CUT,
    ),
    "string_array_whose_last_length_leads_out": (
        array(8, 1, struct.pack("<Q", 1)),
        r"key 'k' at byte 49: got the end of the file inside an array, needed 1 strings; " + CUT,
    ),
    "unknown_element_type": (
        array(99, 0),
        r"key 'k' at byte 37: got value type 99, needed one from 0",
    ),
    "alignment_of_another_type": (
        gguf_bytes({"general.alignment": "32"}),
        r"key 'general.alignment' at byte .*: got a value of type STRING, needed a UINT32 ",
    ),
    **{
        f"alignment_{value}": (
            gguf_bytes({"general.alignment": value}),
            rf"key 'general.alignment' at byte .*: got {value}, needed a UINT32 that is a power ",
        )
        for value in (0, 1, 4, 24, 33, 2**32 - 1)
    },
    "long_name": (
        gguf_bytes({}, {"n" * 65: VECTOR}),
        r"name of tensor 0 at byte 24: got a length of 65 bytes, needed at most 64$",
    ),
    "name_not_text": (
        gguf_bytes({}, [(b"\xff\xfe", VECTOR)]),  # type: ignore[list-item]
        r"name of tensor 0 at byte 32: got bytes that are not text, needed UTF-8 text$",
    ),
    "duplicate_tensor": (
        gguf_bytes({}, [("t", VECTOR), ("t", VECTOR)]),
        r"tensor 't' at byte 57: got a second entry, needed each tensor once$",
    ),
    "five_dimensions": (
        entry((1, 1, 1, 1, 8)),
        r"tensor 't' at byte 33: got 5 dimensions, needed at most 4",
    ),
    "many_dimensions": (
        header(1, 0, struct.pack("<Q", 1) + b"t" + struct.pack("<I", 2**32 - 1)),
        r"tensor 't' at byte 33: got 4294967295 dimensions, needed at most 4$",
    ),
    "zero_size": (
        entry((0, 8)),
        r"tensor 't' at byte 33: got dimensions \(8, 0\), needed sizes from 1, ",
    ),
    "negative_size": (
        entry((2**64 - 1,)),
        r"tensor 't' at byte 33: got dimensions \(18446744073709551615,\)",
    ),
    "overflowing_sizes": (
        entry((2**32, 2**32, 2)),
        r"tensor 't' at byte 33: got dimensions \(2, 4294967296, 4294967296\), needed sizes from "
        r"1, and at most 9223372036854775807 elements$",
    ),
    "overflowing_bytes": (
        entry((2**61, 3)),
        r"tensor 't' at byte 96: got a file of 128 bytes, needed at least 27670116110564327520: ",
    ),
    "sizes_larger_than_the_data": (
        entry((4096,)),
        r"tensor 't' at byte 64: got a file of 96 bytes, needed at least 16448: it is damaged ",
    ),
    "unknown_tensor_type": (
        entry(kind=42),
        r"tensor 't' at byte 45: got tensor type 42, needed one that ggml defines; try a newer ",
    ),
    "removed_tensor_type": (
        entry(kind=4),
        r"tensor 't' at byte 45: got tensor type 4, needed one that ",
    ),
    "negative_tensor_type": (
        entry(kind=2**32 - 1),
        r"tensor 't' at byte 45: got tensor type 4294967295, needed one that ggml defines",
    ),
    "part_of_a_block": (
        entry((2, 33), 8),
        r"tensor 't' at byte 57: got rows of 33 elements, needed a multiple of 32, the block of Q8",
    ),
    "offset_past_the_end": (
        entry(offset=2**40),
        r"tensor 't' at byte 64: got the data offset 1099511627776, needed 0: after the tensor "
        r"before it, aligned to 32$",
    ),
    "overflowing_offset": (
        entry(offset=HUGE),
        rf"tensor 't' at byte 64: got the data offset {HUGE}, needed 0",
    ),
    "unaligned_offset": (
        gguf_bytes({}, {"a": VECTOR, "b": replace(VECTOR, offset=33)}),
        r"tensor 'b' at byte 96: got the data offset 33, needed 32: after the tensor ",
    ),
    "overlapping_tensors": (
        gguf_bytes({}, {"a": VECTOR, "b": replace(VECTOR, offset=0)}),
        r"tensor 'b' at byte 96: got the data offset 0, needed 32: after the tensor ",
    ),
    "data_section_past_the_end": (
        entry()[:60],
        r"tensor 't' at byte 64: got a file of 60 bytes, needed at least 96: it is damaged or "
        r"cut short; try downloading it again$",
    ),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_file_says_what_is_wrong_and_where(case: str, probe: Probe) -> None:
    data, message = MALFORMED[case]
    with pytest.raises(GGUFError, match=rf"^bad\.gguf: {message}"):
        GGUF(data, "bad.gguf")
    assert probe(data)[0].startswith("GGUFError: ")


BAD_VALUES: dict[str, tuple[bytes, str]] = {
    "text": (
        key(8, struct.pack("<Q", 2) + b"\xff\xfe"),
        r"key 'k' at byte 45: got bytes that are not text, needed UTF-8 text$",
    ),
    "text_in_array": (
        array(8, 2, struct.pack("<Q1sQ1s", 1, b"a", 1, b"\xff")),
        r"key 'k' at byte 66: got bytes that are not text in string 1, needed UTF-8 text$",
    ),
    "boolean": (key(7, b"\2"), r"key 'k' at byte 37: got the boolean 2, needed 0 or 1$"),
    "boolean_in_array": (
        array(7, 2, b"\1\3"),
        r"key 'k' at byte 49: got the boolean 3, needed 0 or 1$",
    ),
}


@pytest.mark.parametrize("case", BAD_VALUES)
def test_a_malformed_value_is_refused_when_asked_for(case: str, probe: Probe) -> None:
    data, message = BAD_VALUES[case]
    file = GGUF(data, "bad.gguf")
    with pytest.raises(GGUFError, match=rf"^bad\.gguf: {message}"):
        _ = file.metadata["k"]
    assert probe(data)[0].startswith("GGUFError: ")


def test_the_strings_of_an_array_are_bounded_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gguf_values, "LONGEST_ARRAY", 20)
    data = gguf_bytes({"k": ["abc", "de"]})
    with pytest.raises(GGUFError, match=r"got an array of 21 bytes of strings, needed at most 20$"):
        GGUF(data)
    monkeypatch.setattr(gguf_values, "MOST_STRINGS", 3)
    with pytest.raises(
        GGUFError, match=r"'b' at .*got an array of 2 strings, needed at most 3 in "
    ):
        GGUF(gguf_bytes({"a": ["", ""], "b": ["", ""]}))


def test_names_of_a_file_are_escaped_and_shortened_in_errors() -> None:
    twice = [("\n\x1b[31m", 1), ("\n\x1b[31m", 1)]
    with pytest.raises(GGUFError, match=re.escape(r"key '\n\x1b[31m' at byte")) as caught:
        GGUF(gguf_bytes(twice))
    assert str(caught.value).isprintable()
    with pytest.raises(GGUFError) as caught:
        GGUF(gguf_bytes([("k" * 60000, 1)] * 2))
    assert len(str(caught.value)) < 200


def test_large_hostile_headers_stay_within_the_limit_of_memory(probe: Probe) -> None:
    strings = array(8, 2**20, bytes(8 * 2**20))
    assert len(probe(strings)) == 1
    many = b"".join(struct.pack("<Q6sIB", 6, b"%06d" % i, 0, 0) for i in range(2**16))
    assert len(probe(header(0, 2**16, many))) == 1
    names = b"".join(struct.pack("<Q6sIQIQ", 6, b"%06d" % i, 1, 1, 0, 32 * i) for i in range(2**16))
    assert "needed at least" in probe(header(2**16, 0, names))[0]


# -- fuzzing -------------------------------------------------------------------------------------


def test_a_file_cut_short_anywhere_is_refused() -> None:
    for length in range(len(SMALL_FILE)):
        with pytest.raises(GGUFError):
            GGUF(SMALL_FILE[:length])
    GGUF(SMALL_FILE)


HEADER_BYTES = GGUF(TINY_FILE).tensors["token_embd.weight"].offset
HOSTILE = (0, 1, 2, 7, 8, 9, 255, 2**16, 2**24, 2**31 - 1, 2**31, 2**32 - 1, 2**61, 2**63, HUGE)
Change = tuple[Callable[..., bytes], tuple[Any, ...]]


def flipped(*bits: tuple[int, int]) -> bytes:
    changed = bytearray(TINY_FILE)
    for place, bit in bits:
        changed[place] ^= 1 << bit
    return bytes(changed)


def overwritten(*fields: tuple[int, int, int]) -> bytes:
    changed = bytearray(TINY_FILE)
    for place, number, width in fields:
        changed[place : place + width] = number.to_bytes(8, "little")[:width]
    return bytes(changed)


def swapped(first: int, second: int, width: int) -> bytes:
    changed = bytearray(TINY_FILE)
    changed[first : first + width] = TINY_FILE[second : second + width]
    changed[second : second + width] = TINY_FILE[first : first + width]
    return bytes(changed)


def cut(length: int) -> bytes:
    return TINY_FILE[:length]


def headed(tail: bytes) -> bytes:
    return b"GGUF\3\0\0\0" + tail


def changes() -> st.SearchStrategy[Change]:
    """A function and its arguments, which make the bytes: short to show, quick to shrink."""
    place, width = st.integers(0, HEADER_BYTES - 9), st.sampled_from([4, 8])
    bit = st.tuples(place, st.integers(0, 7))
    field = st.tuples(place, st.sampled_from(HOSTILE), width)
    return st.one_of(
        st.tuples(st.just(flipped), st.lists(bit, min_size=1, max_size=8).map(tuple)),
        st.tuples(st.just(overwritten), st.lists(field, min_size=1, max_size=3).map(tuple)),
        st.tuples(st.just(swapped), st.tuples(place, place, width)),
        st.tuples(st.just(cut), st.tuples(st.integers(0, len(TINY_FILE) - 1))),
        st.tuples(st.just(headed), st.tuples(st.binary(max_size=200))),
    )


@settings(max_examples=400, deadline=None)
@given(change=changes())
def test_any_bytes_make_a_model_or_an_error(change: Change, probe: Probe) -> None:
    make, arguments = change
    for error in probe(make(*arguments)):
        assert error.startswith(("GGUFError: ", "ModelError: "))


@pytest.mark.slow
@settings(max_examples=20000, deadline=None)
@given(change=changes())
def test_any_of_many_bytes_make_a_model_or_an_error(change: Change, probe: Probe) -> None:
    make, arguments = change
    for error in probe(make(*arguments)):
        assert error.startswith(("GGUFError: ", "ModelError: "))


def test_an_unharmed_file_makes_a_model(probe: Probe) -> None:
    assert probe(TINY_FILE) == []
