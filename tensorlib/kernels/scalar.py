"""What each elementwise op computes on SIMD values, and expressions evaluated with them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tensorlib.dtypes import DType
from tensorlib.errors import BackendError
from tensorlib.kernels.expression import Apply, Expression, Leaf, evaluate
from tensorlib.lang import math as m
from tensorlib.simd import SIMD, apply

__all__ = ["SCALAR", "value"]


def value(expression: Expression, leaf: Callable[[Leaf], SIMD], width: int) -> SIMD:
    """Return `expression` as a SIMD value of `width` lanes; `leaf` gives loads, iotas and main."""

    def at(part: Leaf) -> SIMD:
        if part.kind == "constant":
            return SIMD[part.dtype, width](part.value)  # type: ignore[arg-type]
        return leaf(part).splat(width)

    def combine(part: Apply, arguments: tuple[SIMD, ...]) -> SIMD:
        if part.op == "cast":
            return arguments[0].cast(part.dtype)
        if part.op not in SCALAR:
            raise BackendError(
                f"{part.op}: no kernel computes this operation yet; try backend reference"
            )
        return SCALAR[part.op](*arguments)

    return evaluate(expression, at, combine)


def _sign(x: SIMD) -> SIMD:
    if x.dtype.kind == "unsigned":
        return (x != 0).cast(x.dtype)
    positive = (x > 0).select(SIMD[x.dtype, x.width](1), 0)
    signed = (x < 0).select(SIMD[x.dtype, x.width](-1), positive)
    return (x != x).select(x, signed) if x.dtype.is_float else signed


def _float_floor_divide(x: SIMD, y: SIMD) -> SIMD:
    """NumPy's: from the exact remainder, so that x == q * y + r to the last bit it can be."""
    remainder = _float_remainder(x, y)
    quotient = ((x - remainder) / y).round()
    quotient = (y == 0.0).select(x / y, quotient)
    return (abs(x) == math.inf).select(SIMD[x.dtype, x.width](math.nan), quotient)


def _float_remainder(x: SIMD, y: SIMD) -> SIMD:
    """The remainder with the sign of the divisor."""
    remainder = apply("float_modulo", x, y)
    wrong = (remainder != 0.0) & ((remainder < 0.0) != (y < 0.0))
    signed_zero = (y < 0.0).select(SIMD[x.dtype, x.width](-0.0), 0.0)
    return wrong.select(remainder + y, (remainder == 0.0).select(signed_zero, remainder))


def _floor_divide(x: SIMD, y: SIMD) -> SIMD:
    return _float_floor_divide(x, y) if x.dtype.is_float else x // y


def _remainder(x: SIMD, y: SIMD) -> SIMD:
    return _float_remainder(x, y) if x.dtype.is_float else x % y


def _pow(x: SIMD, y: SIMD) -> SIMD:
    return m.pow(x, y) if x.dtype.is_float else _integer_pow(x, y)


def _integer_pow(x: SIMD, y: SIMD) -> SIMD:
    """Square and multiply over the bits of y; the graph refuses negative exponents."""
    result = SIMD[x.dtype, x.width](1)
    for _ in range(x.dtype.bits):
        result = ((y & 1) != 0).select(result * x, result)
        x, y = x * x, y >> 1
    return result


def _logical(function: Callable[..., SIMD]) -> Callable[..., SIMD]:
    return lambda *xs: function(*(x.cast(DType.bool) for x in xs))


def _rounded(method: str) -> Callable[[SIMD], SIMD]:
    return lambda x: getattr(x, method)() if x.dtype.is_float else x


def _is_infinite(x: SIMD) -> SIMD:
    return abs(x) == math.inf if x.dtype.is_float else x != x


def _is_finite(x: SIMD) -> SIMD:
    return abs(x) < math.inf if x.dtype.is_float else x == x


SCALAR: dict[str, Callable[..., Any]] = {
    # one operand
    "negative": lambda x: -x,
    "positive": lambda x: x,
    "abs": abs,
    "exp": m.exp,
    "log": m.log,
    "sqrt": SIMD.sqrt,
    "rsqrt": m.rsqrt,
    "silu": m.silu,
    "sigmoid": m.sigmoid,
    "tanh": m.tanh,
    "sin": m.sin,
    "cos": m.cos,
    "floor": _rounded("floor"),
    "ceil": _rounded("ceil"),
    "trunc": _rounded("trunc"),
    "round": _rounded("round"),
    "square": lambda x: x * x,
    "reciprocal": lambda x: 1.0 / x,
    "sign": _sign,
    "isnan": lambda x: x != x,
    "isinf": _is_infinite,
    "isfinite": _is_finite,
    "logical_not": _logical(lambda x: ~x),
    "bitwise_invert": lambda x: ~x,
    # two operands
    "add": lambda x, y: x | y if x.dtype is DType.bool else x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x & y if x.dtype is DType.bool else x * y,
    "divide": lambda x, y: x / y,
    "floor_divide": _floor_divide,
    "remainder": _remainder,
    "pow": _pow,
    "maximum": lambda x, y: x | y if x.dtype is DType.bool else x.max(y),
    "minimum": lambda x, y: x & y if x.dtype is DType.bool else x.min(y),
    "equal": lambda x, y: x == y,
    "not_equal": lambda x, y: x != y,
    "less": lambda x, y: x < y,
    "less_equal": lambda x, y: x <= y,
    "greater": lambda x, y: x > y,
    "greater_equal": lambda x, y: x >= y,
    "logical_and": _logical(lambda x, y: x & y),
    "logical_or": _logical(lambda x, y: x | y),
    "logical_xor": _logical(lambda x, y: x ^ y),
    "bitwise_and": lambda x, y: x & y,
    "bitwise_or": lambda x, y: x | y,
    "bitwise_xor": lambda x, y: x ^ y,
    "bitwise_left_shift": lambda x, y: x << y,
    "bitwise_right_shift": lambda x, y: x >> y,
    # three
    "where": lambda c, x, y: c.select(x, y),
}
