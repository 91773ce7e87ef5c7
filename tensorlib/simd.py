"""`SIMD[dtype, width]`: a vector that computes when it holds an array, and records when it is
traced.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from tensorlib.dtypes import DType, as_dtype
from tensorlib.errors import DTypeError, KernelError
from tensorlib.ir import meaning
from tensorlib.ir.builder import current_builder, fail
from tensorlib.ir.core import Value
from tensorlib.ir.ops import ROWS
from tensorlib.ir.types import VectorType

__all__ = ["SIMD", "SIMDType", "Scalar", "apply"]

Number = bool | int | float


class SIMDType:
    """What `SIMD[dtype, width]` is: call it with one number to fill, or with one a lane.

    >>> SIMD["float32", 4](1, 2, 3, 4).reduce_add()
    SIMD[float32, 1](10.0)
    """

    __slots__ = ("dtype", "width")

    def __init__(self, dtype: DType, width: int = 1) -> None:
        if width < 1 or width & (width - 1):
            raise KernelError(f"SIMD: got width {width}, needed a power of two")
        if dtype.is_packed or dtype.kind == "complex":
            raise DTypeError(f"SIMD: got dtype {dtype.name}, needed a bool, integer or float dtype")
        self.dtype, self.width = dtype, width

    def __call__(self, *values: Number | SIMD) -> SIMD:
        if len(values) == 1:
            return self._fill(values[0])
        if len(values) != self.width:
            raise KernelError(f"{self!r}: got {len(values)} values, needed 1 or {self.width}")
        if any(isinstance(v, SIMD) for v in values):
            scalar = SIMDType(self.dtype)
            return SIMD.join(*(scalar(v) for v in values))
        return SIMD(meaning.array(values, self.dtype, self.width), self.dtype, self.width)

    def _fill(self, value: Number | SIMD) -> SIMD:
        if isinstance(value, SIMD):
            return value.cast(self.dtype).splat(self.width)
        if not isinstance(value, (bool, int, float, np.generic, np.ndarray)):
            raise fail(f"{self!r}: got {type(value).__name__}, needed a number or a SIMD value")
        if isinstance(value, int) and self.dtype.is_integer:
            bits = self.dtype.bits
            if not -(1 << (bits - 1)) <= value < 1 << bits:
                raise fail(f"{self!r}: got {value}, which does not fit {bits} bits")
        return SIMD(meaning.array(value, self.dtype, self.width), self.dtype, self.width)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SIMDType) and (self.dtype, self.width) == (
            other.dtype,
            other.width,
        )

    def __hash__(self) -> int:
        return hash((self.dtype, self.width))

    def __repr__(self) -> str:
        return f"SIMD[{self.dtype.name}, {self.width}]"


class _Bracketed(type):
    """Gives the classes their brackets; a metaclass, so that type checkers know what comes out."""

    def __getitem__(cls, parameters: Any) -> SIMDType:
        dtype, width = parameters if isinstance(parameters, tuple) else (parameters, 1)
        return SIMDType(as_dtype(dtype), width)


class SIMD(metaclass=_Bracketed):
    """`width` lanes of `dtype`. Operators work lane by lane; Python numbers take the dtype.

    Comparison gives a mask (`SIMD[bool, width]`); a scalar (width 1) spreads over a vector.
    Integer `//` and `%` floor, `x // 0 == 0`; nothing here is undefined, see `ir.meaning`.
    """

    __slots__ = ("dtype", "value", "width")

    dtype: DType
    width: int
    value: Any  # an array of shape () or (width,), or an ir.Value while tracing

    def __init__(self, value: Any, dtype: DType, width: int) -> None:
        self.value, self.dtype, self.width = value, dtype, width

    @classmethod
    def of(cls, value: Value) -> SIMD:
        """Wrap a traced value."""
        kind = value.type
        assert isinstance(kind, VectorType)
        return cls(value, kind.dtype, kind.width)

    @property
    def is_traced(self) -> bool:
        """Whether this records into a kernel instead of holding numbers."""
        return isinstance(self.value, Value)

    @property
    def type(self) -> VectorType:
        """The IR type of this value."""
        return VectorType(self.dtype, self.width)

    # arithmetic
    def __add__(self, other: Any) -> SIMD:
        return _binary("add", self, other)

    def __radd__(self, other: Any) -> SIMD:
        return _binary("add", other, self)

    def __sub__(self, other: Any) -> SIMD:
        return _binary("subtract", self, other)

    def __rsub__(self, other: Any) -> SIMD:
        return _binary("subtract", other, self)

    def __mul__(self, other: Any) -> SIMD:
        return _binary("multiply", self, other)

    def __rmul__(self, other: Any) -> SIMD:
        return _binary("multiply", other, self)

    def __truediv__(self, other: Any) -> SIMD:
        return _binary("divide", self, other)

    def __rtruediv__(self, other: Any) -> SIMD:
        return _binary("divide", other, self)

    def __floordiv__(self, other: Any) -> SIMD:
        return _binary("floor_divide", self, other)

    def __rfloordiv__(self, other: Any) -> SIMD:
        return _binary("floor_divide", other, self)

    def __mod__(self, other: Any) -> SIMD:
        return _binary("floor_modulo", self, other)

    def __rmod__(self, other: Any) -> SIMD:
        return _binary("floor_modulo", other, self)

    def __pow__(self, exponent: int) -> SIMD:
        """Multiply repeatedly, by squaring; the exponent is a Python whole number from 0."""
        if not isinstance(exponent, int) or exponent < 0:
            raise fail(f"**: got exponent {exponent!r}, needed a Python int from 0; try math.pow")
        result: SIMD | None = None
        power = self
        while exponent:
            if exponent & 1:
                result = power if result is None else result * power
            exponent >>= 1
            power = power * power if exponent else power
        return result if result is not None else SIMDType(self.dtype, self.width)(1)

    def __neg__(self) -> SIMD:
        return apply("negative", self)

    def __pos__(self) -> SIMD:
        return self

    def __abs__(self) -> SIMD:
        return apply("absolute", self) if self.dtype.kind != "unsigned" else self

    # bits
    def __and__(self, other: Any) -> SIMD:
        return _binary("and", self, other)

    def __rand__(self, other: Any) -> SIMD:
        return _binary("and", other, self)

    def __or__(self, other: Any) -> SIMD:
        return _binary("or", self, other)

    def __ror__(self, other: Any) -> SIMD:
        return _binary("or", other, self)

    def __xor__(self, other: Any) -> SIMD:
        return _binary("xor", self, other)

    def __rxor__(self, other: Any) -> SIMD:
        return _binary("xor", other, self)

    def __invert__(self) -> SIMD:
        return apply("not", self)

    def __lshift__(self, other: Any) -> SIMD:
        return _binary("shift_left", self, other)

    def __rlshift__(self, other: Any) -> SIMD:
        return _binary("shift_left", other, self)

    def __rshift__(self, other: Any) -> SIMD:
        return _binary("shift_right", self, other)

    def __rrshift__(self, other: Any) -> SIMD:
        return _binary("shift_right", other, self)

    # comparison
    def __eq__(self, other: object) -> SIMD:  # type: ignore[override]
        return _binary("equal", self, other)

    def __ne__(self, other: object) -> SIMD:  # type: ignore[override]
        return _binary("not_equal", self, other)

    def __lt__(self, other: Any) -> SIMD:
        return _binary("less", self, other)

    def __le__(self, other: Any) -> SIMD:
        return _binary("less_equal", self, other)

    def __gt__(self, other: Any) -> SIMD:
        return _binary("greater", self, other)

    def __ge__(self, other: Any) -> SIMD:
        return _binary("greater_equal", self, other)

    __hash__ = None  # type: ignore[assignment]

    # one lane at a time
    def min(self, other: Any) -> SIMD:
        """Return the smaller of each lane; NaN where either is NaN."""
        return _binary("minimum", self, other)

    def max(self, other: Any) -> SIMD:
        """Return the larger of each lane; NaN where either is NaN."""
        return _binary("maximum", self, other)

    def clamp(self, low: Any, high: Any) -> SIMD:
        """Return each lane limited to [low, high]."""
        return self.max(low).min(high)

    def fma(self, factor: Any, addend: Any) -> SIMD:
        """Return self * factor + addend, rounded once."""
        a, b = _match("fma", self, factor)
        a, c = _match("fma", a, addend)
        b, c = _match("fma", b, c)
        return apply("fma", a, b, c)

    def sqrt(self) -> SIMD:
        return apply("sqrt", self)

    def floor(self) -> SIMD:
        return apply("floor", self)

    def ceil(self) -> SIMD:
        return apply("ceil", self)

    def trunc(self) -> SIMD:
        return apply("trunc", self)

    def round(self) -> SIMD:
        """Round to the nearest whole number, ties to even."""
        return apply("round", self)

    def select(self, a: Any, b: Any) -> SIMD:
        """Take lanes of `a` where this mask is true, else of `b`.

        >>> SIMD["bool", 2](True, False).select(SIMD["int32", 2](1), SIMD["int32", 2](2))
        SIMD[int32, 2](1, 2)
        """
        if self.dtype is not DType.bool:
            raise fail(f"select: got a {self.dtype.name} value, needed a bool mask")
        if not isinstance(a, SIMD) and not isinstance(b, SIMD):
            raise fail("select: got two Python numbers, needed a SIMD value to give the dtype")
        a, b = _match("select", a, b)
        width = max(self.width, a.width)
        return apply("select", self.splat(width), a.splat(width), b.splat(width))

    # conversion
    def cast(self, dtype: Any) -> SIMD:
        """Convert to `dtype`; floats saturate into integers, NaN gives 0."""
        target = as_dtype(dtype)
        return self if target is self.dtype else apply("cast", self, dtype=target)

    def bitcast(self, dtype: Any) -> SIMD:
        """Return the same bits seen as `dtype`; the width changes with the size of an element."""
        target = as_dtype(dtype)
        return self if target is self.dtype else apply("bitcast", self, dtype=target)

    def splat(self, width: int) -> SIMD:
        """Return a scalar repeated over `width` lanes; a vector of that width as it is."""
        if self.width == width:
            return self
        if self.width != 1:
            raise fail(f"splat: got width {self.width}, needed a scalar or width {width}")
        return apply("splat", self, width=width)

    # lanes
    def __getitem__(self, lane: int) -> SIMD:
        if not isinstance(lane, int) or not 0 <= lane < self.width:
            raise fail(f"lane: got {lane!r}, needed a Python int from 0 to {self.width - 1}")
        return self.shuffle(lane)

    def shuffle(self, *indices: int) -> SIMD:
        """Return the lanes named by Python ints.

        >>> SIMD["int32", 4](5, 6, 7, 8).shuffle(3, 0)
        SIMD[int32, 2](8, 5)
        """
        return self if self.width == len(indices) == 1 else apply("shuffle", self, indices=indices)

    def slice(self, width: int, offset: int = 0) -> SIMD:
        """Return `width` lanes from lane `offset` on."""
        return self.shuffle(*range(offset, offset + width))

    @staticmethod
    def join(*parts: SIMD) -> SIMD:
        """Lay vectors of one dtype side by side; their number is a power of two."""
        if len(parts) == 1:
            return parts[0]
        lanes = sum(p.width for p in parts)
        return apply("shuffle", *parts, indices=tuple(range(lanes)))

    def interleave(self, other: SIMD) -> SIMD:
        """Return self[0], other[0], self[1], other[1], ..."""
        order = tuple(i + side for i in range(self.width) for side in (0, self.width))
        return apply("shuffle", self, other, indices=order)

    def deinterleave(self) -> tuple[SIMD, SIMD]:
        """Return the even lanes and the odd lanes."""
        lanes = range(0, self.width, 2)
        return self.shuffle(*lanes), self.shuffle(*(i + 1 for i in lanes))

    def split(self) -> tuple[SIMD, SIMD]:
        """Return the lower and the upper half."""
        half = self.width // 2
        return self.slice(half), self.slice(half, half)

    def rotate(self, by: int) -> SIMD:
        """Rotate lanes to the left: lane i of the result is lane (i + by) % width."""
        return self.shuffle(*((i + by) % self.width for i in range(self.width)))

    # reductions: by halves, lanes [0, w/2) with [w/2, w), the same order everywhere
    def reduce_add(self) -> SIMD:
        return self._reduce("reduce_add")

    def reduce_multiply(self) -> SIMD:
        return self._reduce("reduce_multiply")

    def reduce_min(self) -> SIMD:
        return self._reduce("reduce_minimum")

    def reduce_max(self) -> SIMD:
        return self._reduce("reduce_maximum")

    def reduce_and(self) -> SIMD:
        return self._reduce("reduce_and")

    def reduce_or(self) -> SIMD:
        return self._reduce("reduce_or")

    def reduce_xor(self) -> SIMD:
        return self._reduce("reduce_xor")

    def _reduce(self, name: str) -> SIMD:
        return self if self.width == 1 else apply(name, self)

    # back to Python
    def numpy(self) -> Any:
        """Return the lanes as an array; a traced value has none."""
        self._concrete("numpy()")
        return self.value.copy()

    def __bool__(self) -> bool:
        if self.is_traced and self.width == 1:
            raise fail(
                "bool: this condition is known at run time only; try select, or `if` in a function "
                "whose source can be read"
            )
        if self.width != 1:
            raise fail(f"bool: got {self.width} lanes; try reduce_or(), reduce_and() or select")
        return bool(self.value)

    def __int__(self) -> int:
        self._concrete("int()")
        return int(self.value)

    def __float__(self) -> float:
        self._concrete("float()")
        return float(self.value)

    def __index__(self) -> int:
        if self.is_traced:
            raise fail("index: a loop index is known at run time only; try unroll(...) in the loop")
        if not self.dtype.is_integer:
            raise TypeError(f"index: got {self!r}, needed an integer scalar")
        return int(self.value)

    def _concrete(self, where: str) -> None:
        if self.is_traced:
            raise fail(f"{where}: this value is known at run time only")
        if self.width != 1 and where != "numpy()":
            raise fail(f"{where}: got {self.width} lanes, needed a scalar")

    def __repr__(self) -> str:
        kind = f"SIMD[{self.dtype.name}, {self.width}]"
        if self.is_traced:
            return f"<traced {kind}>"
        return f"{kind}({', '.join(map(str, np.atleast_1d(self.value).tolist()))})"


class Scalar(SIMD):
    """The annotation of a scalar kernel parameter; `Scalar[dtype]` is `SIMD[dtype, 1]`."""

    __slots__ = ()


def apply(name: str, *operands: SIMD, **attributes: Any) -> SIMD:
    """Apply IR op `name`: record it where an operand is traced, else compute its NumPy meaning."""
    if any(isinstance(o.value, Value) for o in operands):
        builder = current_builder()
        if builder is None:
            raise KernelError(f"{name}: a traced value was used outside the kernel that traced it")
        values = [lift(o) for o in operands]
        try:
            return SIMD.of(builder.value(name, *values, **attributes))
        except KernelError as error:
            raise fail(str(error)) if "\n  File" not in str(error) else error from None
    try:
        kind = ROWS[name].types(name, [o.type for o in operands], attributes)[0]
    except KernelError as error:
        raise fail(str(error)) from None
    kind = cast(VectorType, kind)
    numpy = ROWS[name].numpy
    assert numpy is not None
    return SIMD(numpy(*(o.value for o in operands), **attributes), kind.dtype, kind.width)


def lift(operand: SIMD) -> Value:
    """Return the IR value of a SIMD, a constant where it holds numbers."""
    if isinstance(operand.value, Value):
        return operand.value
    builder = current_builder()
    assert builder is not None
    return builder.constant(operand.value, operand.type)


def _binary(name: str, left: Any, right: Any) -> SIMD:
    if not isinstance(
        left if not isinstance(left, SIMD) else right, (SIMD, bool, int, float, np.generic)
    ):
        return cast(SIMD, NotImplemented)
    a, b = _match(name, left, right)
    return apply(name, a, b)


def _match(name: str, left: Any, right: Any) -> tuple[SIMD, SIMD]:
    """Give a Python number the dtype of its partner, and a scalar its width."""
    if not isinstance(left, SIMD):
        left = _weak(name, left, right)
    elif not isinstance(right, SIMD):
        right = _weak(name, right, left)
    if left.width != right.width and 1 in (left.width, right.width):
        width = max(left.width, right.width)
        left, right = left.splat(width), right.splat(width)
    if left.dtype is not right.dtype or left.width != right.width:
        raise fail(
            f"{name}: got {left.type} and {right.type}, needed one dtype and width; "
            f"try .cast({left.dtype.name})"
        )
    return left, right


def _weak(name: str, number: Any, partner: SIMD) -> SIMD:
    if isinstance(number, (float, np.floating)) and partner.dtype.kind != "float":
        raise fail(
            f"{name}: got {number!r} with a {partner.dtype.name} value; cast that to a float dtype"
        )
    return SIMDType(partner.dtype, partner.width)(number)
