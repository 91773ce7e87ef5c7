"""OpenCL C names of IR types, literals of its own, and functions declared for one width."""

from __future__ import annotations

import math
import re
from typing import Any

from tensorlib.dtypes import DType
from tensorlib.ir.types import VectorType
from tensorlib.printers.gpu_dialect import kept_as
from tensorlib.printers.opencl_functions import FUNCTIONS
from tensorlib.printers.walker import Walker

__all__ = [
    "LANES",
    "ORDER",
    "SCALAR",
    "floating",
    "function",
    "mask_reduction",
    "type_name",
    "unsigned_of",
]

LANES = 16  # of the widest vectors
SCALAR = {
    DType.bool: "uchar", DType.int8: "char", DType.int16: "short", DType.int32: "int",
    DType.int64: "long", DType.uint8: "uchar", DType.uint16: "ushort", DType.uint32: "uint",
    DType.uint64: "ulong", DType.float32: "float", DType.float64: "double",
}  # fmt: skip
ORDER = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def type_name(kind: VectorType) -> str:
    """Return the type of values: `float4`; bools are `bool` alone and bytes in vectors."""
    if kind.width == 1:
        return "bool" if kind.dtype is DType.bool else SCALAR[kept_as(kind.dtype)]
    return f"{SCALAR[kept_as(kind.dtype)]}{kind.width}"


def unsigned_of(kind: VectorType) -> str:
    """Return the unsigned type of the same size as an integer type."""
    return type_name(kind.of(DType.by_name[f"uint{kind.dtype.bits}"]))


def floating(value: Any, dtype: DType) -> str:
    """Return a literal of a float32 or float64 that is not finite, else nothing."""
    if not dtype.is_float or dtype.bits == 16 or math.isfinite(value):
        return ""
    text = "NAN" if math.isnan(value) else "INFINITY" if value > 0 else "(-INFINITY)"
    return text


def function(walker: Walker, name: str, kind: VectorType) -> str:
    """Return the name of a function on values of `kind`, after declaring what is not built in."""
    sign = "unsigned" if kind.dtype.kind == "unsigned" else "signed"
    row = FUNCTIONS.get(f"{name} {sign}") or FUNCTIONS.get(name)
    if row is None:
        return name
    known = f"tl_{name}_{type_name(kind)}"
    if known in walker.declarations:
        return known
    text = row.text.replace("NAME", known)
    for number, (need, dtype) in enumerate(row.needs):
        text = text.replace(f"HELPER{number}", function(walker, need, kind.of(dtype)))
    walker.declarations[known] = f"#ifndef {known}_\n#define {known}_\n{_typed(text, kind)}#endif\n"
    return known


def _typed(text: str, kind: VectorType) -> str:
    """Put types of one width in a function's text."""
    text = re.sub(r"\{(\w+)\}", lambda m: type_name(kind.of(DType.by_name[m[1]])), text)
    bits, lanes = kind.dtype.bits, str(kind.width) if kind.width > 1 else ""
    unsigned = type_name(kind.of(DType.by_name[f"uint{bits}"]))
    text = text.replace("AS_TYPE", f"as_{type_name(kind)}").replace("AS_UNSIGNED", f"as_{unsigned}")
    text = text.replace("UNSIGNED", unsigned).replace("TYPE", type_name(kind))
    text = text.replace("BITS", str(bits)).replace("halfN", f"half{lanes}")
    return f"static {text}"


def mask_reduction(walker: Walker, name: str, bits: int, width: int) -> str:
    """Return the function that folds a mask to a bool."""
    if name != "reduce_xor":
        return "any" if name == "reduce_or" else "all"
    kind = f"{SCALAR[DType.by_name[f'int{bits}']]}{width}"
    known = f"tl_xor_{kind}"
    lanes = " ^ ".join(f"a.s{lane:x}" for lane in range(width))
    text = f"static bool {known}({kind} a) {{ return ({lanes}) != 0; }}\n"
    walker.declarations[known] = f"#ifndef {known}_\n#define {known}_\n{text}#endif\n"
    return known
