"""OpenCL C of vectors in memory, which need no alignment beyond that of their elements."""

from __future__ import annotations

from tensorlib.dtypes import DType
from tensorlib.ir.core import Value
from tensorlib.ir.types import VectorType
from tensorlib.printers.gpu_dialect import kept_as
from tensorlib.printers.gpu_memory import element_type
from tensorlib.printers.opencl_types import type_name
from tensorlib.printers.walker import Walker

__all__ = ["loaded", "stored"]


def loaded(walker: Walker, kind: VectorType, pointer: Value, at: str) -> str:
    """Return a vector, or a value of another dtype than that of the bytes pointed to."""
    place = f"{walker.use(pointer)} + {at}"
    if kept_as(element_type(pointer)).itemsize == kind.dtype.itemsize:
        text = f"vload{kind.width}(0, {place})" if kind.width > 1 else f"*({place})"
        same = element_type(pointer).kind in (kind.dtype.kind, "bool", "float")
        return text if same else f"as_{type_name(kind)}({text})"
    parts = [
        f"as_{type_name(part)}(vload{_bytes(part)}(0, {place}{offset}))"
        for part, offset, _ in _parts(kind)
    ]
    return parts[0] if len(parts) == 1 else f"({type_name(kind)})({', '.join(parts)})"


def stored(walker: Walker, kind: VectorType, pointer: Value, at: str, value: str) -> str:
    """Return the statement that writes what `loaded` reads."""
    place = f"{walker.use(pointer)} + {at}"
    if kept_as(element_type(pointer)).itemsize == kind.dtype.itemsize:
        own = kind.of(kept_as(element_type(pointer)))
        if own.dtype is DType.bool:
            own = kind.of(DType.uint8)
        value = value if own is kind else f"as_{type_name(own)}({value})"
        return (
            f"vstore{kind.width}({value}, 0, {place});"
            if kind.width > 1
            else (f"*({place}) = {value};")
        )
    if not value.isidentifier():
        value = walker.temporary(value, kind)
    texts = [
        f"vstore{_bytes(part)}(as_uchar{_bytes(part)}({value}{lanes}), 0, {place}{offset});"
        for part, offset, lanes in _parts(kind)
    ]
    return texts[0] if len(texts) == 1 else f"{{ {' '.join(texts)} }}"


def _bytes(kind: VectorType) -> int:
    return kind.width * kind.dtype.itemsize


def _parts(kind: VectorType) -> list[tuple[VectorType, str, str]]:
    """Return parts of at most 16 bytes: type, offset in bytes and lanes as text."""
    size = kind.dtype.itemsize
    count = min(kind.width, 16 // size)
    parts = []
    for first in range(0, kind.width, count):
        offset = f" + {first * size}" if first else ""
        lanes = "".join(f"{lane:x}" for lane in range(first, first + count))
        part = VectorType(kind.dtype, count)
        parts.append((part, offset, f".s{lanes}" if count < kind.width else ""))
    return parts
