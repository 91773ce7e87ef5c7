"""Which dtype an operation computes in: the Array API's promotion table, with NumPy's mixed kinds.

Within a kind the table is the standard's. Beyond it, as NumPy does: bool with a number gives the
number's dtype, uint64 with a signed integer gives float64, an integer with a float gives the
smallest float that holds both (int8 + float32 -> float32, int32 + float32 -> float64); bfloat16
with float16 gives float32. Python scalars are weak: they take the dtype of the tensor, unless their
kind is higher.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from tensorlib.dtypes import DType
from tensorlib.errors import DTypeError

__all__ = ["domain_dtype", "promote", "require_unpacked", "weak_dtype"]

_RANK = {"bool": 0, "unsigned": 1, "signed": 1, "float": 2, "complex": 3}
_SIGNED = {8: DType.int8, 16: DType.int16, 32: DType.int32, 64: DType.int64}
_HOLDS = {8: DType.float16, 16: DType.float32, 32: DType.float64, 64: DType.float64}
_COMPLEX = {32: DType.complex64, 64: DType.complex128}
_WEAK_RANK = {bool: 0, int: 1, float: 2, complex: 3}
_WEAK_DEFAULT = {
    bool: DType.bool,
    int: DType.int64,
    float: DType.float64,
    complex: DType.complex128,
}


@cache
def promote(a: DType, b: DType) -> DType:
    """Return the dtype in which `a` and `b` meet.

    >>> promote(DType.int8, DType.uint8), promote(DType.float16, DType.bfloat16)
    (tensorlib.int16, tensorlib.float32)
    """
    if a is b:
        return a
    require_unpacked("promote", (a, b))
    _require_uncoded("promote", a, b)
    low, high = sorted((a, b), key=lambda d: (_RANK[d.kind], d.bits))
    if low.kind == "bool":
        return high
    if high.is_integer:
        return _integers(low, high)
    if high.kind == "float":
        return _floats(low, high)
    return _complexes(low, high)


def _integers(a: DType, b: DType) -> DType:
    if a.kind == b.kind:
        return a if a.bits > b.bits else b
    signed, unsigned = (a, b) if a.kind == "signed" else (b, a)
    if signed.bits > unsigned.bits:
        return signed
    return _SIGNED[2 * unsigned.bits] if unsigned.bits < 64 else DType.float64


def _floats(low: DType, high: DType) -> DType:
    if low.kind == "float":
        return high if high.bits > low.bits else DType.float32  # float16 with bfloat16
    if low.bits == 8:  # both 16-bit floats hold every 8-bit integer
        return high
    needed = _HOLDS[low.bits]
    return high if high.bits >= needed.bits else needed


def _complexes(low: DType, high: DType) -> DType:
    if low.kind == "complex":
        return high
    part = _floats(*sorted((low, DType.float32), key=lambda d: (_RANK[d.kind], d.bits)))
    return DType.complex128 if part is DType.float64 else high


def weak_dtype(dtype: DType | None, scalar: Any) -> DType:
    """Return the dtype that a Python scalar takes beside tensors of `dtype` (None: beside none).

    >>> weak_dtype(DType.float32, 2), weak_dtype(DType.int8, 1.5)
    (tensorlib.float32, tensorlib.float64)
    """
    kind = type(scalar)
    if kind not in _WEAK_RANK:
        raise DTypeError(f"scalar: got {scalar!r}, needed a bool, int, float or complex")
    if dtype is not None:
        _require_uncoded("scalar", dtype)
    if dtype is None or _RANK[dtype.kind] < _WEAK_RANK[kind]:
        if kind is complex and dtype is not None and dtype.kind == "float":
            return _COMPLEX[max(32, dtype.bits)]
        dtype = _WEAK_DEFAULT[kind]
    if kind is int and dtype.is_integer:
        _check_range(dtype, scalar)
    return dtype


def _check_range(dtype: DType, value: int) -> None:
    limits = np.iinfo(dtype.numpy)
    if not limits.min <= value <= limits.max:
        raise DTypeError(
            f"scalar: got {value}, outside {dtype.name} ({limits.min} to {limits.max}); "
            "try astype of a wider dtype"
        )


def require_unpacked(where: str, dtypes: Sequence[DType]) -> None:
    """Raise DTypeError where one of `dtypes` is packed."""
    for dtype in dtypes:
        if dtype.is_packed:
            raise DTypeError(
                f"{where}: got packed dtype {dtype.name}; packed tensors serve matmul, take and "
                "permute_dims, for the rest try astype(float32)"
            )


def _require_uncoded(where: str, *dtypes: DType) -> None:
    for dtype in dtypes:
        if dtype.is_coded:
            raise DTypeError(
                f"{where}: got dtype {dtype.name}, whose codes compute nothing; try astype(float32)"
            )


_DOMAINS: dict[str, tuple[str, ...]] = {
    "any": ("bool", "signed", "unsigned", "float", "complex"),
    "number": ("signed", "unsigned", "float", "complex"),
    "float": ("bool", "signed", "unsigned", "float", "complex"),
    "real": ("bool", "signed", "unsigned", "float"),
    "integer": ("signed", "unsigned"),
    "bits": ("bool", "signed", "unsigned"),
    "bool": ("bool", "signed", "unsigned", "float", "complex"),
}
_NEEDED = {
    "number": "a number; try astype(int64)",
    "real": "a real dtype",
    "integer": "an integer dtype; try astype(int64)",
    "bits": "an integer dtype or bool; try astype(int64)",
}


@cache
def domain_dtype(where: str, domain: str, dtype: DType) -> DType:
    """Return the dtype in which op `where` of `domain` computes operands of `dtype`.

    >>> domain_dtype("exp", "float", DType.int32), domain_dtype("logical_and", "bool", DType.int8)
    (tensorlib.float64, tensorlib.bool)
    """
    require_unpacked(where, (dtype,))
    _require_uncoded(where, dtype)
    if dtype.kind not in _DOMAINS[domain]:
        raise DTypeError(f"{where}: got dtype {dtype.name}, needed {_NEEDED[domain]}")
    if domain == "bool":
        return DType.bool
    if domain == "float" and _RANK[dtype.kind] < 2:
        return DType.float64
    return dtype
