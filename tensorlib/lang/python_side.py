"""What Python and NumPy ask of a SIMD value: its truth, a number, an array, `round`, `np.exp`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from tensorlib.ir.builder import fail
from tensorlib.ir.core import Value
from tensorlib.lang.refusal import condition_refused, index_refused

if TYPE_CHECKING:
    from tensorlib.dtypes import DType

__all__ = ["PythonSide"]


class PythonSide:
    """The methods of SIMD that Python and NumPy call by themselves."""

    __slots__ = ()

    if TYPE_CHECKING:
        dtype: DType
        width: int
        value: Any

        def round(self) -> Self: ...
        def floor(self) -> Self: ...
        def ceil(self) -> Self: ...
        def trunc(self) -> Self: ...

    # numbers
    def __bool__(self) -> bool:
        if self.width != 1:
            raise fail(
                f"bool: got {self.width} lanes; try reduce_or(), reduce_and() or select, and "
                "&, |, ~ for and, or, not"
            )
        if isinstance(self.value, Value):
            raise condition_refused()
        return bool(self.value)

    def __int__(self) -> int:
        self._concrete("int()", ".cast(int64)")
        return int(self.value)

    def __float__(self) -> float:
        self._concrete("float()", ".cast(float64)")
        return float(self.value)

    def __index__(self) -> int:
        if isinstance(self.value, Value):
            raise index_refused()
        if not self.dtype.is_integer:
            raise TypeError(f"index: got {self!r}, needed an integer scalar")
        return int(self.value)

    def __round__(self, digits: int | None = None) -> Self:
        """`round(x)`, of the same dtype; ties go to the even neighbour."""
        if digits is not None:
            raise fail(f"round: got {digits} digits, needed none; try (x * 10.0**n).round()")
        return self.round() if self.dtype.is_float else self

    def __floor__(self) -> Self:
        return self.floor() if self.dtype.is_float else self

    def __ceil__(self) -> Self:
        return self.ceil() if self.dtype.is_float else self

    def __trunc__(self) -> Self:
        return self.trunc() if self.dtype.is_float else self

    def __format__(self, spec: str) -> str:
        """As Python formats a number, of a scalar that is known."""
        if not spec:
            return repr(self)
        self._concrete("format", "f'{x}'")
        return format(self.value.item(), spec)

    def _concrete(self, where: str, instead: str) -> None:
        if isinstance(self.value, Value):
            raise fail(f"{where}: this value is known at run time only; try {instead}")
        if self.width != 1:
            raise fail(f"{where}: got {self.width} lanes, needed a scalar; try v[i]")

    # arrays
    def numpy(self) -> Any:
        """Return the lanes as an array; a traced value has none."""
        if isinstance(self.value, Value):
            raise fail("numpy(): this value is known at run time only; try storing it into a tile")
        return self.value.copy()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if isinstance(self.value, Value):
            raise fail(
                "array: this value is known at run time only, and NumPy needs numbers; an array "
                "of Python's takes indices of unroll(range(...)): try giving it to the kernel"
            )
        return np.array(self.value, dtype)

    def __array_ufunc__(self, function: Any, method: str, *given: Any, **keywords: Any) -> Any:
        from tensorlib.lang.numpys import called  # it is written with SIMD itself

        return called(function, method, given, keywords)

    def __array_function__(self, function: Any, _: Any, given: Any, keywords: Any) -> Any:
        from tensorlib.lang.numpys import function_called

        return function_called(function, given, keywords)

    # what there isn't
    def __setitem__(self, lane: Any, value: Any) -> None:
        raise fail(f"lane: a SIMD value does not change; try v = v.insert(x, {lane!r})")

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"'SIMD' object has no attribute {name!r}{_instead(name)}")


def _instead(name: str) -> str:
    """Return what the language calls something that others call `name`."""
    from tensorlib.lang import math

    if name in math.__all__:
        return f"; try tensorlib.lang.math.{name}(x)"
    return f"; try {_NAMES[name]}" if name in _NAMES else ""


_NAMES = {
    "argmax": "a loop over lanes",
    "astype": ".cast(dtype)",
    "clip": ".clamp(low, high)",
    "count_leading_zeros": ".clz()",
    "count_trailing_zeros": ".ctz()",
    "dot": "(a * b).reduce_add()",
    "item": "int(x) or float(x)",
    "mean": ".reduce_add() / width",
    "ndim": ".width",
    "prod": ".reduce_mul()",
    "product": ".reduce_mul()",
    "shape": ".width",
    "size": ".width",
    "sum": ".reduce_add()",
    "to": ".cast(dtype)",
    "tolist": ".numpy()",
    "view": ".bitcast(dtype)",
    "where": "mask.select(a, b)",
}
