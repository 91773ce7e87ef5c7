"""What each elementwise op computes on SIMD values, and expressions evaluated with them.

Rows that the op table calls exact agree with their NumPy meaning bit for bit; the others have the
error bounds of `tensorlib.lang.math`. float16 and bfloat16 are computed in float32 and rounded
once for each op.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from tensorlib.dtypes import DType
from tensorlib.errors import BackendError
from tensorlib.kernels.expression import Apply, Expression, Leaf, evaluate, nodes
from tensorlib.lang import math as m
from tensorlib.lang.target import simdwidthof
from tensorlib.ops import OPS
from tensorlib.simd import SIMD

__all__ = ["SCALAR", "in_pieces", "lanes_of", "require_kernels", "value"]


def value(expression: Expression, leaf: Callable[[Leaf], SIMD], width: int) -> SIMD:
    """Return `expression` as a SIMD value of `width` lanes; `leaf` gives loads, iotas and main."""

    def at(part: Leaf) -> SIMD:
        if part.kind == "constant":
            return SIMD[part.dtype, width](part.value)
        return leaf(part).splat(width)

    def combine(part: Apply, arguments: tuple[SIMD, ...]) -> SIMD:
        if part.op == "cast":
            return arguments[0].cast(part.dtype)
        if part.op in SCALAR:
            return SCALAR[part.op](*arguments)
        row = OPS[part.op]
        return in_pieces(row.kernel, arguments, row.width)

    return evaluate(expression, at, combine)


def require_kernels(expression: Any) -> None:
    """Raise BackendError where an op of an expression can't be computed in a kernel."""
    if not isinstance(expression, Apply):
        return
    for part in nodes(expression):
        if isinstance(part, Leaf) or part.op == "cast" or part.op in SCALAR:
            continue
        if part.op not in OPS or OPS[part.op].kernel is None:
            raise BackendError(f"{part.op}: has no kernel; try device='reference'")


def in_pieces(function: Any, arguments: Sequence[SIMD], most: int | None) -> SIMD:
    """Return a user's function of values; of at most `most` lanes at once where that is given."""
    width = arguments[0].width
    if most is None or width <= most:
        return function(*arguments).splat(width)
    starts = range(0, width, most)
    parts = [function(*[x.slice(most, s) for x in arguments]).splat(most) for s in starts]
    return SIMD.join(*parts)


# Computed in float64 inside, whatever the dtype.
_WIDE = ("tanh", "pow")


def lanes_of(*expressions: Expression | None, dtypes: Sequence[DType] = ()) -> int:
    """Return how many lanes fill a vector register with the widest dtype that is computed with.

    >>> x = Leaf("load", 0, DType.float32)
    >>> lanes_of(x), lanes_of(x, dtypes=[DType.float64]), lanes_of(Apply("pow", (x, x), x.dtype))
    (8, 4, 4)
    """
    parts = [part for e in expressions if e is not None for part in nodes(e)]
    rows = [OPS[p.op] for p in parts if isinstance(p, Apply) and p.op in OPS]
    wanted = [row.width for row in rows if row.width is not None]
    if wanted:
        return min(wanted)
    return min(simdwidthof(d) for d in (DType.int8, *dtypes, *map(_computed_in, parts)))


def _computed_in(part: Expression) -> DType:
    if isinstance(part, Leaf) or not part.dtype.is_float:
        return part.dtype
    if part.op in _WIDE:
        return DType.float64
    return DType.float32 if part.dtype.bits == 16 else part.dtype


def _sign(x: SIMD) -> SIMD:
    if x.dtype.kind == "unsigned":
        return (x != 0).cast(x.dtype)
    positive = (x > 0).select(SIMD[x.dtype, x.width](1), 0)
    signed = (x < 0).select(SIMD[x.dtype, x.width](-1), positive)
    return (x != x).select(x, signed) if x.dtype.is_float else signed


def _pow(x: SIMD, y: SIMD) -> SIMD:
    if x.dtype.is_float:
        return m.pow(x, y)
    if x.dtype.kind == "unsigned":
        return _positive_pow(x, y)
    one = SIMD[x.dtype, x.width](1)
    odd_sign = ((y & 1) != 0).select(-one, 1)
    inverse = (x == 1).select(one, (x == -1).select(odd_sign, 0))  # 1 / x**-y without its fraction
    return (y < 0).select(inverse, _positive_pow(x, y.max(0)))


def _positive_pow(x: SIMD, y: SIMD) -> SIMD:
    """Square and multiply over the bits of y, while one of the lanes has some left."""
    result = SIMD[x.dtype, x.width](1)
    while (y != 0).reduce_or():
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
    "floor_divide": lambda x, y: x // y,
    "remainder": lambda x, y: x % y,
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
