"""NumPy's functions of SIMD values: they do what the language does, the same in every way to run.

`np.exp(v)` is the language's own `exp`, whose last bit may differ from NumPy's; `np.where(m, a, b)`
is `m.select(a, b)`. What the language has no word for is refused.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tensorlib.ir.builder import fail
from tensorlib.lang import math
from tensorlib.simd import SIMD

__all__ = ["called", "function_called", "of_simd"]


def called(function: Any, method: str, given: Sequence[Any], keywords: dict[str, Any]) -> Any:
    """Return what a ufunc gives for SIMD values and numbers."""
    name = f"np.{function.__name__}"
    if method != "__call__" or any(v is not None for v in keywords.values()):
        what = f"{name}.{method}" if method != "__call__" else f"{name} with {', '.join(keywords)}"
        raise fail(f"{what}: got SIMD values; try operators, .select and .reduce_add() of theirs")
    ours = _UFUNCS.get(function)
    if ours is None:
        raise fail(f"{name}: got SIMD values, for which the language has no such function")
    return ours(*(_number(name, value) for value in given))


def of_simd(name: str, *operands: Any) -> Any:
    """Return what the function of tensors called `name` gives where an operand is a SIMD value."""
    function = _OF_TENSORS.get(name) or _UFUNCS.get(getattr(np, name, None))
    if function is None:
        raise fail(
            f"{name}: got a SIMD value, needed a tensor; try a method of SIMD, such as "
            ".reduce_add() for sum"
        )
    return function(*(_number(name, value) for value in operands))


def _number(name: str, value: Any) -> Any:
    """Return an operand as a SIMD value or a Python number."""
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and not value.ndim):
        return value.item()
    if isinstance(value, np.ndarray):
        raise fail(
            f"{name}: got an array of shape {value.shape} with a SIMD value; try "
            "SIMD[dtype, width](*array)"
        )
    return value


def function_called(function: Any, given: Sequence[Any], keywords: dict[str, Any]) -> Any:
    """Return what one of NumPy's other functions gives; of known values what NumPy computes."""
    ours = _FUNCTIONS.get(function)
    if ours is not None and not keywords:
        return ours(*given)
    name = f"np.{function.__name__}"
    if any(isinstance(v, SIMD) and v.is_traced for v in given):
        raise fail(f"{name}: got values that are known at run time only; try a method of SIMD")
    return function(*(v.numpy() if isinstance(v, SIMD) else v for v in given), **keywords)


def _both(function: Callable[[SIMD, SIMD], Any]) -> Callable[[Any, Any], Any]:
    """Return a function of two values, of which one may be a Python number."""

    def of_both(a: Any, b: Any) -> Any:
        if not isinstance(a, SIMD):
            a = SIMD[b.dtype, b.width](a)
        if not isinstance(b, SIMD):
            b = SIMD[a.dtype, a.width](b)
        return function(a, b)

    return of_both


def _where(mask: Any, a: Any, b: Any) -> Any:
    return mask.select(a, b) if isinstance(mask, SIMD) else np.where(mask, a, b)


_UFUNCS: dict[Any, Callable[..., Any]] = {
    # operators
    np.add: operator.add,
    np.subtract: operator.sub,
    np.multiply: operator.mul,
    np.true_divide: operator.truediv,
    np.floor_divide: operator.floordiv,
    np.remainder: operator.mod,
    np.divmod: divmod,
    np.power: operator.pow,
    np.negative: operator.neg,
    np.positive: operator.pos,
    np.absolute: abs,
    np.fabs: abs,
    np.invert: operator.invert,
    np.bitwise_and: operator.and_,
    np.bitwise_or: operator.or_,
    np.bitwise_xor: operator.xor,
    np.left_shift: operator.lshift,
    np.right_shift: operator.rshift,
    np.less: operator.lt,
    np.less_equal: operator.le,
    np.greater: operator.gt,
    np.greater_equal: operator.ge,
    np.equal: operator.eq,
    np.not_equal: operator.ne,
    # methods
    np.maximum: _both(SIMD.max),
    np.minimum: _both(SIMD.min),
    np.copysign: _both(SIMD.copysign),
    np.sqrt: SIMD.sqrt,
    np.floor: SIMD.floor,
    np.ceil: SIMD.ceil,
    np.trunc: SIMD.trunc,
    np.rint: SIMD.round,
    np.sign: SIMD.sign,
    np.isnan: SIMD.isnan,
    np.isinf: SIMD.isinf,
    np.isfinite: SIMD.isfinite,
    np.square: lambda x: x * x,
    np.reciprocal: lambda x: 1.0 / x,
    # functions
    np.exp: math.exp,
    np.exp2: math.exp2,
    np.expm1: math.expm1,
    np.log: math.log,
    np.log2: math.log2,
    np.log10: math.log10,
    np.log1p: math.log1p,
    np.sin: math.sin,
    np.cos: math.cos,
    np.tan: math.tan,
    np.arcsin: math.asin,
    np.arccos: math.acos,
    np.arctan: math.atan,
    np.arctan2: _both(math.atan2),
    np.sinh: math.sinh,
    np.cosh: math.cosh,
    np.tanh: math.tanh,
    np.cbrt: math.cbrt,
    np.hypot: _both(math.hypot),
}
_OF_TENSORS: dict[str, Callable[..., Any]] = {  # those that NumPy calls otherwise
    "bitwise_invert": operator.invert,
    "bitwise_left_shift": operator.lshift,
    "bitwise_right_shift": operator.rshift,
    "logical_and": operator.and_,
    "logical_not": operator.invert,
    "logical_or": operator.or_,
    "logical_xor": operator.xor,
    "pow": operator.pow,
    "round": SIMD.round,
    "rsqrt": math.rsqrt,
    "sigmoid": math.sigmoid,
    "silu": math.silu,
    "where": _where,
}
_FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.where: _where,
    np.clip: SIMD.clamp,
    np.round: SIMD.round,
    np.sum: SIMD.reduce_add,
    np.prod: SIMD.reduce_mul,
    np.max: SIMD.reduce_max,
    np.min: SIMD.reduce_min,
    np.any: SIMD.any,
    np.all: SIMD.all,
}
