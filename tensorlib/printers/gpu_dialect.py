"""What the printers of OpenCL C and CUDA C share in naming: types, literals and the questions that
each of the two answers in its own way.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol, cast

import ml_dtypes
import numpy as np

from tensorlib.dtypes import DType
from tensorlib.ir.core import Value
from tensorlib.ir.types import VectorType
from tensorlib.printers.walker import Dialect, Walker

__all__ = ["GpuDialect", "constant_of", "gpu", "kept_as", "number_text", "scalar_constant"]


class GpuDialect(Dialect, Protocol):
    """A dialect for devices: text of what OpenCL C has built in and CUDA C gets from templates."""

    def scalar(self, dtype: DType) -> str:
        """Return the type of an element in memory; halves are kept as their bits."""

    def literal(self, value: Any, dtype: DType) -> str:
        """Return a scalar constant, exact for floats."""

    def lane(self, text: str, number: int) -> str:
        """Return one lane of a vector."""

    def low_and_high(self, walker: Walker, text: str, width: int) -> tuple[str, str]:
        """Return the halves of a vector of `width` lanes."""

    def joined(self, walker: Walker, kind: VectorType, lanes: Sequence[tuple[str, int]]) -> str:
        """Return a vector of lanes, each of a named value by number (-1 for a scalar)."""

    def joined_mask(self, walker: Walker, bits: int, lanes: Sequence[str]) -> str:
        """Return a mask of conditions."""

    def filled(self, walker: Walker, kind: VectorType, scalar: str) -> str:
        """Return a vector, or a mask, whose lanes are all the value of a scalar."""

    def choose(self, walker: Walker, kind: VectorType, test: str, a: str, b: str) -> str:
        """Return `a` in the lanes where `test` holds, else `b`."""

    def wrapped(self, walker: Walker, kind: VectorType, sign: str, operands: Sequence[str]) -> str:
        """Return `a sign b`, or `sign a`, of integers or floats; integers wrap."""

    def shifted(self, walker: Walker, kind: VectorType, a: str, sign: str, count: int) -> str:
        """Return `a` shifted by a known count of its bits or less."""

    def operator(self, walker: Walker, sign: str, kind: VectorType) -> str:
        """Return how to spell a comparison or an operation on bits, of values or masks."""

    def function(self, walker: Walker, name: str, kind: VectorType, extra: str = "") -> str:
        """Return how to call a function on values of `kind`, declaring it where that is needed."""

    def converted(
        self, walker: Walker, text: str, source: VectorType, target: VectorType, saturate: bool
    ) -> str:
        """Return numbers of another dtype; floats saturate in integers and NaN gives 0."""

    def mask_to_numbers(self, walker: Walker, value: Value, target: VectorType) -> str:
        """Return the lanes of a mask as numbers 0 and 1 of an integer or 32-bit float dtype."""

    def reinterpreted(
        self, walker: Walker, text: str, source: VectorType, target: VectorType
    ) -> str:
        """Return the same bits as another type."""

    def loaded(self, walker: Walker, kind: VectorType, pointer: Value, at: str) -> str:
        """Return what memory holds, bools as bytes; `kind` is no scalar of the pointer's dtype."""

    def stored(self, walker: Walker, kind: VectorType, pointer: Value, at: str, value: str) -> str:
        """Return the statement that writes what `loaded` reads."""

    def prefetched(self, walker: Walker, pointer: Value, at: str) -> str:
        """Return the statement that asks for memory ahead of time; empty where there is none."""

    def fault(self, walker: Walker) -> str:
        """Return the function that keeps the first failed check: (faults, site, index)."""

    def private(self, element: str, name: str, size: int) -> str:
        """Return the declaration of an array of one thread's own."""


def gpu(walker: Walker) -> GpuDialect:
    """Return the dialect of a walker that prints for a device."""
    return cast(GpuDialect, walker.dialect)


def kept_as(dtype: DType) -> DType:
    """Return the dtype that values are kept in: halves as their bits."""
    return DType.uint16 if dtype.is_float and dtype.bits == 16 else dtype


def constant_of(value: Value) -> Any:
    """Return the number that a constant has in all lanes; None for other values."""
    if value.operation is None or value.operation.name != "const":
        return None
    number = value.operation.attributes["value"]
    return None if isinstance(number, tuple) else number


def scalar_constant(value: Value, lane: int) -> Any:
    """Return the number of one lane of a constant; None for other values."""
    if value.operation is None or value.operation.name != "const":
        return None
    number = value.operation.attributes["value"]
    return number[lane] if isinstance(number, tuple) else number


def number_text(value: Any, dtype: DType, long: str) -> str:
    """Return a finite number as C text; `long` is the suffix of 64-bit integers."""
    if dtype.is_float and dtype.bits == 16:
        half = np.float16 if dtype is DType.float16 else ml_dtypes.bfloat16
        with np.errstate(over="ignore"):
            return str(int(np.array(value, half).view(np.uint16)))
    if dtype.is_float:
        return _float(float(value), dtype)
    return _integer(int(value), dtype, long)


def _integer(value: int, dtype: DType, long: str) -> str:
    unsigned = "u" if dtype.kind == "unsigned" and dtype.bits >= 32 else ""
    small = -(2**31) < value < 2**31 if not unsigned else dtype.bits < 64
    suffix = unsigned + ("" if small or dtype.bits < 64 else long)
    if value == -(2 ** (dtype.bits - 1)):
        return f"({value + 1}{suffix} - 1)"
    return f"({value}{suffix})" if value < 0 else f"{value}{suffix}"


def _float(value: float, dtype: DType) -> str:
    assert math.isfinite(value)
    # The shortest decimal that reads back as the same float.
    text = str(np.float32(value)) if dtype is DType.float32 else repr(value)
    text = text if any(c in text for c in ".e") else text + ".0"
    text += "f" if dtype is DType.float32 else ""
    return f"({text})" if text.startswith("-") else text
