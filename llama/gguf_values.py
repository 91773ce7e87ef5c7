"""Metadata of a GGUF file: a bounds-checked cursor, and values that are decoded when asked for."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tensorlib.errors import GGUFError

__all__ = ["Buffer", "Cursor", "Metadata", "read_metadata"]

Buffer = mmap.mmap | bytes

# Bounds on what a header may ask of us: far above every model known, far below what hurts.
MOST_KEYS = 2**16
MOST_STRINGS = 2**21  # in all string arrays together
LONGEST_KEY = 2**16 - 1  # bytes, as the format says
LONGEST_STRING = 2**24  # bytes
LONGEST_ARRAY = 2**26  # bytes of a string array

U32 = struct.Struct("<I")
U64 = struct.Struct("<Q")


@dataclass(frozen=True, slots=True)
class ValueType:
    """One type of metadata value; `number` is None for strings and arrays."""

    name: str
    number: struct.Struct | None = None
    numpy: str = ""


VALUE_TYPES: tuple[ValueType, ...] = (
    ValueType("UINT8", struct.Struct("<B"), "<u1"),
    ValueType("INT8", struct.Struct("<b"), "<i1"),
    ValueType("UINT16", struct.Struct("<H"), "<u2"),
    ValueType("INT16", struct.Struct("<h"), "<i2"),
    ValueType("UINT32", U32, "<u4"),
    ValueType("INT32", struct.Struct("<i"), "<i4"),
    ValueType("FLOAT32", struct.Struct("<f"), "<f4"),
    ValueType("BOOL", struct.Struct("<B"), "<u1"),
    ValueType("STRING"),
    ValueType("ARRAY"),
    ValueType("UINT64", U64, "<u8"),
    ValueType("INT64", struct.Struct("<q"), "<i8"),
    ValueType("FLOAT64", struct.Struct("<d"), "<f8"),
)
BOOL, STRING, ARRAY = (
    next(row for row in VALUE_TYPES if row.name == name) for name in ("BOOL", "STRING", "ARRAY")
)


class Cursor:
    """A position in the bytes of a file; every read is checked against the end."""

    __slots__ = ("buffer", "path", "position", "size")

    def __init__(self, buffer: Buffer, path: str, position: int = 0) -> None:
        self.buffer, self.path, self.position, self.size = buffer, path, position, len(buffer)

    def error(self, field: str, got: str, needed: str, at: int | None = None) -> GGUFError:
        """Return the error that `field`, at byte `at` (default: here), is not what it must be."""
        where = self.position if at is None else at
        return GGUFError(f"{self.path}: {field} at byte {where}: got {got}, needed {needed}")

    def take(self, count: int, field: str) -> int:
        """Step over `count` bytes and return where they start."""
        start = self.position
        if count > self.size - start:
            raise self.error(
                field,
                f"only {max(0, self.size - start)} bytes before the end of the file",
                f"{count}; the file is damaged or cut short: try downloading it again",
            )
        self.position = start + count
        return start

    def number(self, kind: struct.Struct, field: str) -> Any:
        return kind.unpack_from(self.buffer, self.take(kind.size, field))[0]

    def text(self, longest: int, field: str, encoding: str = "utf-8") -> str:
        """Read a 64-bit length and that many bytes of text."""
        start = self.position
        length = self.number(U64, field)
        if length > longest:
            raise self.error(field, f"a length of {length} bytes", f"at most {longest}", start)
        at = self.take(length, field)
        try:
            return str(self.buffer[at : at + length], encoding)
        except UnicodeDecodeError:
            needed = "ASCII text" if encoding == "ascii" else "UTF-8 text"
            raise self.error(field, "bytes that are not text", needed, at) from None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value lies: its type, its element type, the count of an array, its first byte."""

    type: ValueType
    element: ValueType
    count: int
    at: int


class Metadata(Mapping[str, Any]):
    """The key-value pairs of a file: Python scalars and strings, tuples of str, NumPy arrays.

    A value is decoded when it is first asked for, and raises GGUFError where it is not text or
    not a boolean. Arrays of numbers are read-only copies, arrays of strings are tuples.
    """

    __slots__ = ("_buffer", "_path", "_places", "_values")

    def __init__(self, buffer: Buffer, path: str, places: dict[str, _Place]) -> None:
        self._buffer: Buffer | None = buffer
        self._path, self._places = path, places
        self._values: dict[str, Any] = {}

    def __getitem__(self, key: str) -> Any:
        if key not in self._values:
            self._values[key] = self._decoded(key, self._places[key])
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, key: object) -> bool:
        return key in self._places

    def __repr__(self) -> str:
        return f"<Metadata of {self._path}: {len(self)} keys>"

    def count(self, key: str) -> int:
        """Return the length of the array at `key` without decoding it; a scalar's is 1."""
        return self._places[key].count

    def type_name(self, key: str) -> str:
        """Return the type of the value at `key` by the format's name: UINT32, STRING, ARRAY ..."""
        return self._places[key].type.name

    def close(self) -> None:
        """Let go of the file; values that were asked for before stay."""
        self._buffer = None

    def _decoded(self, key: str, place: _Place) -> Any:
        if self._buffer is None:
            raise GGUFError(
                f"{self._path}: got key {shown(key)} after close(), needed an open file"
            )
        cursor = Cursor(self._buffer, self._path, place.at)
        field = f"key {shown(key)}"
        if place.type is STRING:
            return cursor.text(LONGEST_STRING, field)
        if place.type is ARRAY:
            strings = place.element is STRING
            return (_strings if strings else _numbers)(cursor, place, field)
        value = cursor.number(_number(place.type), field)
        return _truth(cursor, value, field, place.at) if place.type is BOOL else value


def read_metadata(cursor: Cursor, count: int) -> Metadata:
    """Step over `count` key-value pairs and return them; no value is decoded yet."""
    if count > MOST_KEYS:
        raise cursor.error("header", f"{count} keys", f"at most {MOST_KEYS}", 16)
    places: dict[str, _Place] = {}
    strings = 0
    for index in range(count):
        at = cursor.position
        key = cursor.text(LONGEST_KEY, f"key {index}", "ascii")
        if not key:
            raise cursor.error(f"key {index}", "an empty name", "at least one letter", at)
        if key in places:
            raise cursor.error(f"key {shown(key)}", "a second value", "each key once", at)
        place = places[key] = _step_over(cursor, f"key {shown(key)}", MOST_STRINGS - strings)
        strings += place.count if place.type is ARRAY and place.element is STRING else 0
    return Metadata(cursor.buffer, cursor.path, places)


def shown(text: str) -> str:
    """Return text of a file as an error may show it: quoted, escaped, and not too long."""
    return ascii(text if len(text) <= 80 else text[:77] + "...")


def _step_over(cursor: Cursor, field: str, most_strings: int) -> _Place:
    kind = _value_type(cursor, field)
    if kind is STRING:
        at = cursor.position
        _check_length(cursor, cursor.number(U64, field), field, at)
        return _Place(kind, STRING, 1, at)
    if kind is ARRAY:
        return _step_over_array(cursor, field, most_strings)
    return _Place(kind, kind, 1, cursor.take(_number(kind).size, field))


def _check_length(cursor: Cursor, length: int, field: str, at: int) -> None:
    if length > LONGEST_STRING:
        raise cursor.error(field, f"a length of {length} bytes", f"at most {LONGEST_STRING}", at)
    cursor.take(length, field)


def _step_over_array(cursor: Cursor, field: str, most_strings: int) -> _Place:
    at = cursor.position
    element = _value_type(cursor, field)
    if element is ARRAY:
        raise cursor.error(field, "an array of arrays", "an array of scalars or strings", at)
    count = cursor.number(U64, field)
    start = cursor.position
    if element is not STRING:
        cursor.take(count * _number(element).size, field)
    elif count > most_strings:
        needed = f"at most {MOST_STRINGS} in the file"
        raise cursor.error(field, f"an array of {count} strings", needed, at)
    else:
        _step_over_strings(cursor, count, field)
    return _Place(ARRAY, element, count, start)


def _step_over_strings(cursor: Cursor, count: int, field: str) -> None:
    start = position = cursor.position
    buffer, length = cursor.buffer, U64.unpack_from
    try:
        for _ in range(count):
            position += 8 + length(buffer, position)[0]
    except (struct.error, OverflowError):
        position = cursor.size + 1  # the last length led past the end
    if position > cursor.size:
        needed = f"{count} strings; the file is damaged or cut short: try downloading it again"
        raise cursor.error(field, "the end of the file inside an array", needed, start)
    if position - start > LONGEST_ARRAY:
        got = f"an array of {position - start} bytes of strings"
        raise cursor.error(field, got, f"at most {LONGEST_ARRAY}", start)
    cursor.position = position


def _value_type(cursor: Cursor, field: str) -> ValueType:
    at = cursor.position
    number: int = cursor.number(U32, field)
    if number >= len(VALUE_TYPES):
        needed = f"one from 0 to {len(VALUE_TYPES) - 1}"
        raise cursor.error(field, f"value type {number}", needed, at)
    return VALUE_TYPES[number]


def _number(kind: ValueType) -> struct.Struct:
    assert kind.number is not None, kind
    return kind.number


def _strings(cursor: Cursor, place: _Place, field: str) -> tuple[str, ...]:
    """Decode strings whose extents were checked when the file was opened."""
    position, buffer, length, texts = cursor.position, cursor.buffer, U64.unpack_from, []
    try:
        for _ in range(place.count):
            start = position + 8
            position = start + length(buffer, position)[0]
            texts.append(str(buffer[start:position], "utf-8"))
    except UnicodeDecodeError:
        got = f"bytes that are not text in string {len(texts)}"
        raise cursor.error(field, got, "UTF-8 text", start) from None
    return tuple(texts)


def _numbers(cursor: Cursor, place: _Place, field: str) -> Any:
    array = np.frombuffer(cursor.buffer, place.element.numpy, place.count, place.at).copy()
    if place.element is BOOL:
        _truth(cursor, int(array.max(initial=0)), field, place.at)
        array = array.astype(np.bool_)
    array.flags.writeable = False
    return array


def _truth(cursor: Cursor, value: int, field: str, at: int) -> bool:
    if value > 1:
        raise cursor.error(field, f"the boolean {value}", "0 or 1", at)
    return value == 1
