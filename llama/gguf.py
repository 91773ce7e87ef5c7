"""GGUF model files over one memory map: metadata and tensors as read-only views, never a copy."""

from __future__ import annotations

import difflib
import mmap
import os
import stat
from collections.abc import Mapping
from types import MappingProxyType, TracebackType
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from tensorlib.errors import GGUFError, ModelError
from tensorlib.llama.gguf_tensors import TensorInfo, check_extents, read_tensors
from tensorlib.llama.gguf_values import U32, U64, Buffer, Cursor, Metadata, read_metadata, shown

__all__ = ["GGUF", "Metadata", "TensorInfo"]

MAGIC = b"GGUF"
VERSIONS = (2, 3)
DEFAULT_ALIGNMENT = 32

CONVERT = "convert it to GGUF with llama.cpp's convert_hf_to_gguf.py"
AGAIN = "download the file itself again"
UNPACK = "unpack it first"

# Where a signature stands, its bytes, what the file looks like, and what to try.
SIGNATURES: tuple[tuple[int, bytes, str, str], ...] = (
    (0,   b"PK\x03\x04",         "a PyTorch checkpoint or another zip archive", CONVERT),
    (0,   b"\x80\x02",           "a pickle (an old PyTorch checkpoint)",        CONVERT),
    (0,   b"\x80\x03",           "a pickle (an old PyTorch checkpoint)",        CONVERT),
    (0,   b"\x80\x04",           "a pickle (an old PyTorch checkpoint)",        CONVERT),
    (0,   b"\x80\x05",           "a pickle (an old PyTorch checkpoint)",        CONVERT),
    (8,   b'{"',                 "a safetensors file",                          CONVERT),
    (0,   b"\x89HDF",            "an HDF5 file",                                CONVERT),
    (0,   b"\x93NUMPY",          "a NumPy array",                               CONVERT),
    (0,   b"lmgg",               "a ggml file from before GGUF",                CONVERT),
    (0,   b"tjgg",               "a ggml file from before GGUF",                CONVERT),
    (0,   b"fmgg",               "a ggml file from before GGUF",                CONVERT),
    (0,   b"\x1f\x8b",           "a gzip archive",                              UNPACK),
    (0,   b"\x28\xb5\x2f\xfd",   "a zstd archive",                              UNPACK),
    (0,   b"\xfd7zXZ",           "an xz archive",                               UNPACK),
    (257, b"ustar",              "a tar archive",                               UNPACK),
    (0,   b"version https://git-lfs", "a Git LFS pointer, not the model",       AGAIN),
    (0,   b"<",                  "a web page",                                  AGAIN),
    (0,   b"{",                  "JSON text",                                   AGAIN),
)  # fmt: skip


class GGUF:
    """An open GGUF file, version 2 or 3, little endian.

    `metadata` maps keys to values that are decoded when asked for, `tensors` maps names to
    TensorInfo. Opening reads the header alone and checks that every tensor lies inside the file;
    malformed bytes raise GGUFError. The file must not be shortened while it is open.

    Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md

    >>> import struct
    >>> empty = GGUF(b"GGUF" + struct.pack("<IQQ", 3, 0, 0), "empty.gguf")
    >>> empty.version, len(empty.metadata), len(empty.tensors)
    (3, 0, 0)
    """

    __slots__ = ("_buffer", "alignment", "metadata", "path", "tensors", "version")

    path: str
    version: int
    alignment: int
    metadata: Metadata
    tensors: Mapping[str, TensorInfo]

    def __init__(self, buffer: Buffer, path: str = "<bytes>") -> None:
        cursor = Cursor(buffer, path)
        self.path = path
        self._buffer: Buffer | None = buffer
        self.version = _version(cursor)
        tensors = cursor.number(U64, "header")
        self.metadata = read_metadata(cursor, cursor.number(U64, "header"))
        self.alignment = _alignment(cursor, self.metadata)
        directory = read_tensors(cursor, tensors)
        self.tensors = MappingProxyType(check_extents(cursor, directory, self.alignment))

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> GGUF:
        """Map the file at `path`; ModelError where it can't be read, GGUFError where malformed."""
        name = os.fspath(path)
        return cls(_mapped(name), name)

    def data(self, name: str) -> npt.NDArray[Any]:
        """Return a read-only view of the tensor `name`.

        float32, float16 and bfloat16 tensors have their shape and dtype, packed ones are uint8 of
        shape (rows, bytes of a row). GGUFError: no such tensor, type not supported, file closed.
        """
        if self._buffer is None:
            raise GGUFError(f"{self.path}: got data({name!r}) after close(), needed an open file")
        info = self.tensors.get(name)
        if info is None:
            near = difflib.get_close_matches(name, self.tensors, n=1, cutoff=0.0)
            hint = f"; try {shown(near[0])}" if near else ""
            raise GGUFError(f"{self.path}: got no tensor named {name!r}{hint}")
        dtype = info.dtype
        flat = np.frombuffer(self._buffer, np.uint8, info.nbytes, info.offset)
        if dtype.is_packed:
            width = dtype.nbytes(info.shape[-1])
            return flat.reshape(-1, width)
        return flat.view(dtype.numpy).reshape(info.shape)

    def close(self) -> None:
        """Let go of the file; views that were handed out stay valid, and keep it mapped."""
        self._buffer = None
        self.metadata.close()

    def __enter__(self) -> GGUF:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<GGUF {self.path}: {len(self.metadata)} keys, {len(self.tensors)} tensors>"


def _mapped(path: str) -> mmap.mmap:
    """Return the regular file at `path` as a read-only memory map."""
    with _opened(path) as file:
        if os.fstat(file.fileno()).st_size == 0:
            raise GGUFError(f"{path}: got an empty file, needed a .gguf file; try to {AGAIN}")
        try:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except OSError as error:
            raise _unreadable(path, error) from None


def _opened(path: str) -> BinaryIO:
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISREG(mode):
            return open(path, "rb")
    except FileNotFoundError:
        raise ModelError(f"{path}: got no such file, needed the path of a .gguf file") from None
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None
    kind = "a folder" if stat.S_ISDIR(mode) else "a device or pipe"
    raise ModelError(f"{path}: got {kind}, needed the path of a .gguf file")


def _unreadable(path: str, error: OSError | ValueError) -> ModelError:
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return ModelError(f"{path}: got {reason!r}, needed a .gguf file that can be read")


def _version(cursor: Cursor) -> int:
    """Read the magic and the version."""
    if cursor.buffer[:4] != MAGIC:
        raise cursor.error("start of the file", *_identified(cursor.buffer))
    cursor.take(4, "start of the file")
    version: int = cursor.number(U32, "version")
    if version & 0xFFFF == 0 and version:
        needed = "a little-endian one; try gguf_convert_endian.py of llama.cpp"
        raise cursor.error("version", "a big-endian file", needed, 4)
    if version not in VERSIONS:
        needed = "2 or 3; try a file made by a current llama.cpp"
        raise cursor.error("version", f"{version}", needed, 4)
    return version


def _identified(buffer: Buffer) -> tuple[str, str]:
    """Return what a file that is not GGUF looks like, and what was needed instead."""
    for at, signature, kind, advice in SIGNATURES:
        if buffer[at : at + len(signature)] == signature:
            return f"what looks like {kind}", f"{MAGIC!r}; try to {advice}"
    return f"{bytes(buffer[:4])!r}", f"{MAGIC!r}: a GGUF file starts with it"


def _alignment(cursor: Cursor, metadata: Metadata) -> int:
    key = "general.alignment"
    if key not in metadata:
        return DEFAULT_ALIGNMENT
    needed = "a UINT32 that is a power of two from 8"
    if metadata.type_name(key) != "UINT32":
        raise cursor.error(f"key '{key}'", f"a value of type {metadata.type_name(key)}", needed)
    alignment: int = metadata[key]
    if alignment < 8 or alignment & (alignment - 1):
        raise cursor.error(f"key '{key}'", f"{alignment}", needed)
    return alignment
