"""`SIMD[dtype, width]`: a vector that computes when it holds an array, and records when it is
traced.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, cast

import numpy as np

from tensorlib.dtypes import DType, as_dtype
from tensorlib.errors import DTypeError, KernelError
from tensorlib.ir import meaning
from tensorlib.ir.builder import current_builder, fail
from tensorlib.ir.core import Value
from tensorlib.ir.ops import ROWS
from tensorlib.ir.types import VectorType
from tensorlib.lang import arithmetic, codes, lanes
from tensorlib.lang.bits import Bits
from tensorlib.lang.moves import Moves
from tensorlib.lang.python_side import PythonSide
from tensorlib.lang.refusal import advice, different

__all__ = ["SIMD", "SIMDType", "Scalar", "apply"]

Number = bool | int | float
Binary = Callable[["SIMD", Any], "SIMD"]


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
        if self.dtype.is_coded or any(isinstance(v, SIMD) for v in values):
            return SIMD.join(*map(SIMDType(self.dtype), values))
        return SIMD(meaning.array(values, self.dtype, self.width), self.dtype, self.width)

    def _fill(self, value: Number | SIMD) -> SIMD:
        if isinstance(value, SIMD):
            return value.cast(self.dtype).splat(self.width)
        if not isinstance(value, (bool, int, float, np.generic, np.ndarray)):
            raise fail(f"{self!r}: got {type(value).__name__}, needed a number or a SIMD value")
        if self.dtype.is_coded:
            return SIMDType(DType.float32, self.width)(value).cast(self.dtype)
        if isinstance(value, int) and self.dtype.is_integer:
            bits = self.dtype.bits
            if not -(1 << (bits - 1)) <= value < 1 << bits:
                raise fail(f"{self!r}: got {value}, which does not fit {bits} bits")
        return SIMD(meaning.array(value, self.dtype, self.width), self.dtype, self.width)

    def __eq__(self, other: object) -> bool:
        same = isinstance(other, SIMDType) and self.dtype is other.dtype
        return same and self.width == other.width  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash((self.dtype, self.width))

    def __repr__(self) -> str:
        return f"SIMD[{self.dtype.name}, {self.width}]"


class _Bracketed(type):
    """Gives the classes their brackets; a metaclass, so that type checkers know what comes out."""

    def __getitem__(cls, parameters: Any) -> SIMDType:
        dtype, width = parameters if isinstance(parameters, tuple) else (parameters, 1)
        return SIMDType(as_dtype(dtype), width)


def _operators(name: str) -> tuple[Binary, Binary]:
    """Return the methods of an operator, with self on the left and on the right."""

    def left(self: SIMD, other: Any) -> SIMD:
        return _binary(name, self, other)

    def right(self: SIMD, other: Any) -> SIMD:
        return _binary(name, other, self)

    return left, right


def _method(name: str) -> Callable[[SIMD], SIMD]:
    """Return the method of an operation on one value."""
    return lambda self: apply(name, self)


def _reduction(name: str) -> Callable[..., SIMD]:
    """Return the method that folds by halves until `width` lanes are left, one if not said."""

    def reduction(self: SIMD, width: int = 1) -> SIMD:
        if width != 1:
            return lanes.reduce(self, functools.partial(_binary, name[7:]), width)
        return self if self.width == 1 else apply(name, self)

    return reduction


class SIMD(Bits, Moves, PythonSide, metaclass=_Bracketed):
    """`width` lanes of `dtype`. Operators work lane by lane; Python numbers take the dtype.

    Comparison gives a mask (`SIMD[bool, width]`); a scalar (width 1) spreads over a vector.
    `//` and `%` floor, so that `x == (x // y) * y + x % y` and `x % y` has the sign of y; of
    integers `x // 0` and `x % 0` are 0, of floats as in NumPy. Nothing here is undefined, see
    `ir.meaning`. `v[i]` and `v.insert(x, i)` take a lane number known at run time too.
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
        if type(self.value) is Value:
            return cast(VectorType, self.value.type)  # a SIMD is no pointer
        return VectorType(self.dtype, self.width)

    # operators: of the number's own side, and of the other
    __add__, __radd__ = _operators("add")
    __sub__, __rsub__ = _operators("subtract")
    __mul__, __rmul__ = _operators("multiply")
    __truediv__, __rtruediv__ = _operators("divide")
    __floordiv__, __rfloordiv__ = _operators("floor_divide")
    __mod__, __rmod__ = _operators("floor_modulo")
    __and__, __rand__ = _operators("and")
    __or__, __ror__ = _operators("or")
    __xor__, __rxor__ = _operators("xor")
    __lshift__, __rlshift__ = _operators("shift_left")
    __rshift__, __rrshift__ = _operators("shift_right")
    __neg__, __invert__ = map(_method, ("negative", "not"))
    __lt__, __gt__ = _operators("less")[0], _operators("greater")[0]
    __le__, __ge__ = _operators("less_equal")[0], _operators("greater_equal")[0]

    def __eq__(self, other: object) -> SIMD:  # type: ignore[override]
        return _binary("equal", self, other)

    def __ne__(self, other: object) -> SIMD:  # type: ignore[override]
        return _binary("not_equal", self, other)

    __hash__ = None  # type: ignore[assignment]

    def __divmod__(self, other: Any) -> tuple[SIMD, SIMD]:
        return self // other, self % other

    def __pow__(self, exponent: Any) -> SIMD:
        """Multiply repeatedly for a Python int; other exponents of floats are `math.pow`'s."""
        if isinstance(exponent, (float, SIMD)) and self.dtype.is_float:
            return arithmetic.power(*_match("pow", self, exponent))
        return arithmetic.whole_power(self, exponent)

    def __rpow__(self, base: Any) -> SIMD:
        return arithmetic.power(*_match("pow", base, self))

    def __pos__(self) -> SIMD:
        return self

    def __abs__(self) -> SIMD:
        return apply("absolute", self) if self.dtype.kind != "unsigned" else self

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

    def copysign(self, sign: SIMD) -> SIMD:
        """Return |self| with the signs of `sign`, also of zeros."""
        return arithmetic.copysign(*_match("copysign", self, sign))

    sqrt, floor, ceil, trunc = map(_method, ("sqrt", "floor", "ceil", "trunc"))

    def round(self) -> SIMD:
        """Round to the nearest whole number, ties to even."""
        return apply("round", self)

    def select(self, a: Any, b: Any) -> SIMD:
        """Take lanes of `a` where this mask is true, else of `b`.

        >>> SIMD["bool", 2](True, False).select(SIMD["int32", 2](1), SIMD["int32", 2](2))
        SIMD[int32, 2](1, 2)
        """
        lanes.mask("select", self)
        if not isinstance(a, SIMD) and not isinstance(b, SIMD):
            raise fail("select: got two Python numbers, needed a SIMD value to give the dtype")
        a, b = _match("select", a, b)
        width = max(self.width, a.width)
        return apply("select", self.splat(width), a.splat(width), b.splat(width))

    # conversion
    def cast(self, dtype: Any) -> SIMD:
        """Convert to `dtype`; floats saturate into integers, NaN gives 0."""
        target = as_dtype(dtype)
        if target is self.dtype:
            return self
        source = codes.decoded(self, DType.float32) if self.dtype.is_coded else self
        if target.is_coded:
            return codes.encoded(source, target)
        return source if source.dtype is target else apply("cast", source, dtype=target)

    def bitcast(self, dtype: Any) -> SIMD:
        """Return the same bits seen as `dtype`; the width changes with the size of an element."""
        target = as_dtype(dtype)
        return self if target is self.dtype else apply("bitcast", self, dtype=target)

    def to_bits(self) -> SIMD:
        """Return the bits of each lane as an unsigned integer; a mask has none."""
        return self.bitcast(f"uint{self.dtype.bits}")

    from_bits = staticmethod(lambda dtype, bits: bits.bitcast(dtype))

    def splat(self, width: int) -> SIMD:
        """Return a scalar repeated over `width` lanes; a vector of that width as it is."""
        if self.width == width:
            return self
        if self.width != 1:
            raise fail(f"splat: got width {self.width}, needed a scalar or width {width}")
        return apply("splat", self, width=width)

    # lanes
    def __getitem__(self, lane: Any) -> SIMD:
        """Return one lane; of a lane number known at run time too: outside the width that is 0."""
        if isinstance(lane, SIMD):
            return lanes.lane(self, lane)
        if not isinstance(lane, int) or not 0 <= lane < self.width:
            raise fail(f"lane: got {lane!r}, needed a Python int from 0 to {self.width - 1}")
        return self.shuffle(lane)

    def insert(self, value: Any, offset: Any = 0) -> SIMD:
        """Return these lanes with those of `value` put in from lane `offset` on.

        >>> SIMD["int32", 4](5, 6, 7, 8).insert(SIMD["int32", 2](1, 2), 1)
        SIMD[int32, 4](5, 1, 2, 8)
        """
        return lanes.insert(self, value, offset)

    def shuffle(self, *indices: int, other: SIMD | None = None) -> SIMD:
        """Return the lanes named by Python ints; those of `other` count from the width on.

        >>> SIMD["int32", 4](5, 6, 7, 8).shuffle(3, 0)
        SIMD[int32, 2](8, 5)
        """
        if other is not None:
            return apply("shuffle", self, other, indices=indices)
        return self if self.width == len(indices) == 1 else apply("shuffle", self, indices=indices)

    def join(self, *others: SIMD) -> SIMD:
        """Lay vectors of one dtype side by side; their number is a power of two."""
        if not others:
            return self
        width = self.width + sum(p.width for p in others)
        return apply("shuffle", self, *others, indices=tuple(range(width)))

    def shift_left(self, by: int) -> SIMD:
        """Move lanes: lane i of the result is lane i + by, or 0 past the end; not a shift of bits.

        >>> SIMD["int32", 4](5, 6, 7, 8).shift_left(1)
        SIMD[int32, 4](6, 7, 8, 0)
        """
        return lanes.shifted(self, by)

    def shift_right(self, by: int) -> SIMD:
        """Move lanes: lane i of the result is lane i - by, or 0 before the start."""
        return lanes.shifted(self, -by)

    # reductions: by halves, lanes [0, w/2) with [w/2, w), the same order everywhere
    def reduce(self, function: Callable[[SIMD, SIMD], SIMD], width: int = 1) -> SIMD:
        """Fold by halves with `function` until `width` lanes are left.

        >>> SIMD["int32", 4](5, 6, 7, 8).reduce(lambda a, b: a * 10 + b, 2)
        SIMD[int32, 2](57, 68)
        """
        return lanes.reduce(self, function, width)

    reduce_add = _reduction("reduce_add")
    reduce_multiply = reduce_mul = _reduction("reduce_multiply")
    reduce_min, reduce_max = _reduction("reduce_minimum"), _reduction("reduce_maximum")
    reduce_and, reduce_or = _reduction("reduce_and"), _reduction("reduce_or")
    reduce_xor = _reduction("reduce_xor")

    def any(self) -> SIMD:
        """Whether a lane of this mask is true."""
        return lanes.mask("any", self).reduce_or()

    def all(self) -> SIMD:
        """Whether every lane of this mask is true."""
        return lanes.mask("all", self).reduce_and()

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
    for operand in operands:
        if type(operand.value) is Value:
            return _recorded(name, operands, attributes, 4)
    try:
        kind = ROWS[name].types(name, [o.type for o in operands], attributes)[0]
    except KernelError as error:
        raise fail(f"{error}{advice(name, operands)}") from None
    kind = cast(VectorType, kind)
    numpy = ROWS[name].numpy
    assert numpy is not None
    return SIMD(numpy(*(o.value for o in operands), **attributes), kind.dtype, kind.width)


def _recorded(
    name: str, operands: tuple[SIMD, ...], attributes: dict[str, Any], depth: int
) -> SIMD:
    builder = current_builder()
    if builder is None:
        raise KernelError(f"{name}: a traced value was used outside the kernel that traced it")
    values = [o.value if type(o.value) is Value else lift(o) for o in operands]
    try:
        value = builder.emit(name, values, attributes, None, depth)[0]
        kind: Any = value.type  # of one result, which is no pointer
        return SIMD(value, kind.dtype, kind.width)
    except KernelError as error:
        if "\n  File" in str(error):
            raise error from None
        raise fail(f"{error}{advice(name, operands)}") from None


def lift(operand: SIMD) -> Value:
    """Return the IR value of a SIMD, a constant where it holds numbers."""
    if isinstance(operand.value, Value):
        return operand.value
    builder = current_builder()
    assert builder is not None
    return builder.constant(operand.value, operand.type)


def _binary(name: str, left: Any, right: Any) -> SIMD:
    a, b = left, right
    if type(a) is not SIMD or type(b) is not SIMD or a.dtype is not b.dtype or a.width != b.width:
        other = right if isinstance(left, SIMD) else left
        if not isinstance(other, (SIMD, bool, int, float, np.generic)):
            return cast(SIMD, NotImplemented)
        a, b = _match(name, left, right)
    kind = a.dtype.kind
    if kind == "coded":
        raise fail(f"{name}: got {a.type}, whose codes compute nothing; try .cast(float32)")
    if kind == "float" and name in ("floor_divide", "floor_modulo"):
        return arithmetic.floored(name, a, b)
    if type(a.value) is Value or type(b.value) is Value:
        return _recorded(name, (a, b), {}, 5)  # a method called this
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
        raise different(name, left, right)
    return left, right


def _weak(name: str, number: Any, partner: SIMD) -> SIMD:
    if isinstance(number, (float, np.floating)) and partner.dtype.kind not in ("float", "coded"):
        raise fail(
            f"{name}: got {number!r} with a {partner.dtype.name} value; cast that to a float dtype"
        )
    if type(number) is float or type(number) is int:
        sign = math.copysign(1.0, number) if type(number) is float else 0
        if type(partner.value) is Value and partner.dtype.kind == "float":
            builder = current_builder()
            if builder is not None:
                value = builder.number(number, sign, partner.type)
                return SIMD(value, partner.dtype, partner.width)
        return _filled(partner.dtype, partner.width, number, sign)
    return SIMDType(partner.dtype, partner.width)(number)


@functools.lru_cache(maxsize=4096)
def _filled(dtype: DType, width: int, number: Number, sign: float) -> SIMD:
    """The lanes of a number, made once; the sign, 0 for ints, tells 0, 0.0 and -0.0 apart."""
    if dtype.kind == "float":
        return SIMD(meaning.array(number, dtype, width), dtype, width)
    return SIMDType(dtype, width)(number)
