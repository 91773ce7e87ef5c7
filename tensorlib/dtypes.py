"""Every dtype is one row here: name, kind, size, NumPy dtype; packed formats add their block, and
coded ones what their codes mean.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import ml_dtypes
import numpy as np

from tensorlib.errors import DTypeError

__all__ = ["Code", "DType", "as_dtype", "register_dtype"]

Code = tuple[Callable[[Any], Any], Callable[[Any], Any]]  # decode, encode: see `register_dtype`


class DType:
    """The type of a tensor's elements. Rows are interned: compare with `is` or `==`.

    `kind` is one of bool, signed, unsigned, float, complex, packed, coded. A packed dtype stores
    `block_elements` logical float32 elements in `block_bytes` bytes, along the last axis. A coded
    dtype keeps numbers as codes of `bits` bits: kernels load, move, store and cast them, and
    compute in what they cast them to.

    >>> DType.float32.itemsize, DType.q4_1.block_bytes
    (4, 20)
    """

    __slots__ = ("bits", "block_bytes", "block_elements", "code", "kind", "name", "numpy")

    by_name: ClassVar[dict[str, DType]] = {}

    # Filled from ROWS below; declared for type checkers.
    bool: ClassVar[DType]
    int8: ClassVar[DType]
    int16: ClassVar[DType]
    int32: ClassVar[DType]
    int64: ClassVar[DType]
    uint8: ClassVar[DType]
    uint16: ClassVar[DType]
    uint32: ClassVar[DType]
    uint64: ClassVar[DType]
    float16: ClassVar[DType]
    bfloat16: ClassVar[DType]
    float32: ClassVar[DType]
    float64: ClassVar[DType]
    float8_e4m3fn: ClassVar[DType]
    float8_e5m2: ClassVar[DType]
    float8_e8m0fnu: ClassVar[DType]
    float4_e2m1fn: ClassVar[DType]
    complex64: ClassVar[DType]
    complex128: ClassVar[DType]
    q4_0: ClassVar[DType]
    q4_1: ClassVar[DType]
    q8_0: ClassVar[DType]

    name: str
    kind: str
    bits: int
    numpy: np.dtype[Any]
    block_elements: int
    block_bytes: int
    code: Code | None

    def __init__(
        self,
        name: str,
        kind: str,
        bits: int,
        numpy: Any,
        block: tuple[int, int],
        code: Code | None = None,
    ) -> None:
        self.name, self.kind, self.bits, self.numpy = name, kind, bits, np.dtype(numpy)
        self.block_elements, self.block_bytes = block
        self.code = code

    @property
    def itemsize(self) -> int:
        """Bytes of one element; packed dtypes have none, see `block_bytes`."""
        if self.is_packed:
            raise DTypeError(f"itemsize: {self.name} is packed in blocks; use nbytes(elements)")
        return self.bits // 8

    @property
    def is_packed(self) -> bool_:
        return self.kind == "packed"

    @property
    def is_coded(self) -> bool_:
        return self.kind == "coded"

    @property
    def is_float(self) -> bool_:
        return self.kind == "float"

    @property
    def is_integer(self) -> bool_:
        return self.kind in ("signed", "unsigned")

    def nbytes(self, elements: int) -> int:
        """Return the bytes that `elements` elements take (whole blocks for packed dtypes)."""
        if self.is_packed:
            return -(-elements // self.block_elements) * self.block_bytes
        return elements * self.itemsize

    def __repr__(self) -> str:
        return f"tensorlib.{self.name}"

    def __reduce__(self) -> tuple[Any, ...]:
        return as_dtype, (self.name,)


bool_ = bool

#      name          kind        bits  numpy               block (elements, bytes)
ROWS: list[tuple[str, str, int, Any, tuple[int, int]]] = [
    ("bool",         "bool",      8, np.bool_,            (1, 1)),
    ("int8",         "signed",    8, np.int8,             (1, 1)),
    ("int16",        "signed",   16, np.int16,            (1, 2)),
    ("int32",        "signed",   32, np.int32,            (1, 4)),
    ("int64",        "signed",   64, np.int64,            (1, 8)),
    ("uint8",        "unsigned",  8, np.uint8,            (1, 1)),
    ("uint16",       "unsigned", 16, np.uint16,           (1, 2)),
    ("uint32",       "unsigned", 32, np.uint32,           (1, 4)),
    ("uint64",       "unsigned", 64, np.uint64,           (1, 8)),
    ("float16",      "float",    16, np.float16,          (1, 2)),
    ("bfloat16",     "float",    16, ml_dtypes.bfloat16,  (1, 2)),
    ("float32",      "float",    32, np.float32,          (1, 4)),
    ("float64",      "float",    64, np.float64,          (1, 8)),
    ("complex64",    "complex",  64, np.complex64,        (1, 8)),
    ("complex128",   "complex", 128, np.complex128,       (1, 16)),
    # Codes of the OCP formats (Micikevicius et al. 2022; OCP Microscaling 2023), one a byte.
    ("float8_e4m3fn",  "coded",   8, ml_dtypes.float8_e4m3fn,  (1, 1)),
    ("float8_e5m2",    "coded",   8, ml_dtypes.float8_e5m2,    (1, 1)),
    ("float8_e8m0fnu", "coded",   8, ml_dtypes.float8_e8m0fnu, (1, 1)),
    ("float4_e2m1fn",  "coded",   8, ml_dtypes.float4_e2m1fn,  (1, 1)),
    # GGUF blocks along the last axis: a float16 scale (and minimum), then the quants.
    ("q4_0",         "packed",    4, np.uint8,            (32, 18)),
    ("q4_1",         "packed",    4, np.uint8,            (32, 20)),
    ("q8_0",         "packed",    8, np.uint8,            (32, 34)),
]  # fmt: skip

for _row in ROWS:
    DType.by_name[_row[0]] = DType(*_row)
    setattr(DType, _row[0], DType.by_name[_row[0]])

_BY_NUMPY = {d.numpy: d for d in DType.by_name.values() if not d.is_packed}
_BY_PYTHON = {bool: DType.bool, int: DType.int64, float: DType.float64, complex: DType.complex128}


def as_dtype(value: Any) -> DType:
    """Return the DType named by a DType, a name, a NumPy dtype or a Python type.

    >>> as_dtype("float32") is as_dtype(np.float32) is DType.float32
    True
    """
    if isinstance(value, DType):
        return value
    if isinstance(value, str) and value in DType.by_name:
        return DType.by_name[value]
    if isinstance(value, type) and value in _BY_PYTHON:
        return _BY_PYTHON[value]
    try:
        return _BY_NUMPY[np.dtype(value)]
    except (KeyError, TypeError):
        known = ", ".join(DType.by_name)
        raise DTypeError(f"dtype: got {value!r}, needed one of {known}") from None


def register_dtype(
    name: str, decode: Callable[[Any], Any], encode: Callable[[Any], Any], bits: int = 8
) -> DType:
    """Add a coded dtype and return it: kernels load, store and cast it like the built-in ones.

    `decode` takes the codes of a SIMD value as unsigned integers of `bits` (8, 16 or 32) bits and
    returns its numbers as float32; `encode` is the way back, and rounds. Arrays hold the codes, so
    `dtype.numpy` is that unsigned integer. Raises DTypeError where the name is taken.

    >>> quarters = lambda code: code.cast("float32") / 4
    >>> steps = register_dtype("steps", quarters, lambda x: (x * 4).cast("uint8"))
    >>> from tensorlib.simd import SIMD
    >>> SIMD["steps", 2](0.5, 1.26).cast("float32")
    SIMD[float32, 2](0.5, 1.25)
    """
    if name in DType.by_name:
        raise DTypeError(f"register_dtype: got name {name!r}, which is taken; try another")
    if bits not in (8, 16, 32):
        raise DTypeError(f"register_dtype: got {bits} bits, needed 8, 16 or 32")
    made = DType(name, "coded", bits, f"uint{bits}", (1, bits // 8), (decode, encode))
    return DType.by_name.setdefault(name, made)
