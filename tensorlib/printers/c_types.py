"""C names of IR types, typedefs of GNU vector types, and C literals."""

from __future__ import annotations

import math
from typing import Any

import ml_dtypes
import numpy as np

from tensorlib.dtypes import DType
from tensorlib.ir.types import VectorType
from tensorlib.printers.walker import Walker

__all__ = ["SCALAR", "SHORT", "declared", "literal", "mask_name", "scalar_memory", "vector_name"]

# dtype -> short name in identifiers. Halves are kept as their bits; bool memory is uint8.
SHORT = {
    DType.bool: "b8", DType.int8: "i8", DType.int16: "i16", DType.int32: "i32",
    DType.int64: "i64", DType.uint8: "u8", DType.uint16: "u16", DType.uint32: "u32",
    DType.uint64: "u64", DType.float16: "u16", DType.bfloat16: "u16", DType.float32: "f32",
    DType.float64: "f64",
}  # fmt: skip
SCALAR = {
    "b8": "uint8_t", "i8": "int8_t", "i16": "int16_t", "i32": "int32_t", "i64": "int64_t",
    "u8": "uint8_t", "u16": "uint16_t", "u32": "uint32_t", "u64": "uint64_t", "f32": "float",
    "f64": "double", "c8": "char",  # some builtins of gcc take char and no other 8-bit integer
}  # fmt: skip
_BYTES = {"8": 1, "16": 2, "32": 4, "64": 8}


def vector_name(short: str, width: int) -> str:
    """Return the C type of `width` lanes: `float`, `f32x8`."""
    return SCALAR[short] if width == 1 else f"{'u8' if short == 'b8' else short}x{width}"


def mask_name(bits: int, width: int) -> str:
    """Return the C type of a mask: signed lanes of `bits` that hold 0 or -1."""
    return vector_name(f"i{bits}", width)


def declared(walker: Walker, name: str) -> str:
    """Return the name of a C type, after declaring it if it is a vector."""
    if "x" in name and name not in walker.declarations:
        walker.declarations[name] = typedef(name)
    return name


def typedef(name: str) -> str:
    """Return the guarded typedefs of a vector type, and of its unaligned form for memory."""
    short, _, width = name.partition("x")
    size = _BYTES[short[1:]] * int(width)
    return (
        f"#ifndef TL_{name}\n#define TL_{name}\n"
        f"typedef {SCALAR[short]} {name} __attribute__((vector_size({size})));\n"
        f"typedef {SCALAR[short]} {name}_memory "
        f"__attribute__((vector_size({size}), aligned(1), may_alias));\n#endif\n"
    )


def scalar_memory(short: str) -> str:
    """Return the guarded typedef of an unaligned scalar read from bytes."""
    name = f"{short}_memory"
    return (
        f"#ifndef TL_{name}\n#define TL_{name}\n"
        f"typedef {SCALAR[short]} {name} __attribute__((aligned(1), may_alias));\n#endif\n"
    )


def literal(value: Any, kind: VectorType) -> str:
    """Return a scalar constant as C text, exact for floats."""
    dtype = kind.dtype
    if dtype is DType.bool:
        return str(int(bool(value)))
    if dtype.kind == "float" and dtype.bits == 16:
        return _half_bits(value, dtype)
    if dtype.kind == "float":
        return _float(float(value), dtype)
    value = int(value)
    if dtype.bits == 64:
        if dtype.kind == "unsigned":
            return f"UINT64_C({value})"
        if -(2**31) < value < 2**31:  # C converts it where it meets the other operand
            return f"({value})" if value < 0 else str(value)
        return f"(-INT64_C({-value - 1}) - 1)" if value < 0 else f"INT64_C({value})"
    return f"{value}u" if dtype.kind == "unsigned" and dtype.bits == 32 else _signed(value)


def _signed(value: int) -> str:
    if value == -(2**31):
        return f"({value + 1} - 1)"
    return f"({value})" if value < 0 else str(value)


def _half_bits(value: float, dtype: DType) -> str:
    kind = np.float16 if dtype is DType.float16 else ml_dtypes.bfloat16
    return str(int(np.array(value, dtype=kind).view(np.uint16)))


def _float(value: float, dtype: DType) -> str:
    suffix, builtin = ("f", "f") if dtype is DType.float32 else ("", "")
    if math.isnan(value):
        return f'__builtin_nan{builtin}("")'
    if math.isinf(value):
        return f"{'-' if value < 0 else ''}__builtin_inf{builtin}()"
    # The shortest decimal that reads back as the same float.
    text = str(np.float32(value)) if dtype is DType.float32 else repr(value)
    text = text if any(c in text for c in ".e") else text + ".0"
    return f"({text}{suffix})" if value < 0 or text.startswith("-") else f"{text}{suffix}"
