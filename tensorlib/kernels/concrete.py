"""Users' functions over SIMD values, run in Python on whole arrays: their NumPy meaning."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorlib.dtypes import DType, as_dtype
from tensorlib.ops import OPS
from tensorlib.simd import SIMD

__all__ = ["folded", "over_arrays", "scanned"]

Array = np.ndarray[Any, Any]


def over_arrays(
    function: Callable[..., SIMD],
    width: int | None,
    arrays: tuple[Array, ...],
    result: DType,
) -> Array:
    """Return `function` of every element of arrays of one shape.

    It computes vectors as wide as all elements together, or `width` of them where that is given.
    A compiled kernel gives the same bits, whatever its vectors are.

    >>> x = np.array([1.0, -2.0, 3.0])
    >>> over_arrays(lambda v: v * 2.0, None, (x,), DType.float64)
    array([ 2., -4.,  6.])
    """
    shape, count = arrays[0].shape, arrays[0].size
    out = np.empty(count, result.numpy)
    lanes = width or 1 << max(count - 1, 0).bit_length()
    flat = [np.ascontiguousarray(a).reshape(-1) for a in arrays]
    for start in range(0, count, lanes):
        parts = [_vector(a[start : start + lanes], lanes) for a in flat]
        with np.errstate(all="ignore"):
            value = function(*parts).splat(lanes)
        assert value.dtype is result, (value, result)
        out[start : start + lanes] = np.atleast_1d(value.numpy())[: count - start]
    return out.reshape(shape)


def _vector(elements: Array, lanes: int) -> SIMD:
    """Return elements as one vector, filled up with the last of them."""
    full = np.pad(elements, (0, lanes - elements.size), mode="edge") if elements.size else elements
    return SIMD(full.reshape(() if lanes == 1 else (lanes,)), as_dtype(elements.dtype), lanes)


def scanned(op: str, rows: Array, exclusive: bool = False, block: int = 0) -> Array:
    """Return the scan of `rows` along the last axis by the function of user row `op`; with `block`
    that of each so many elements, after what those before them give.
    """
    if not block:
        return _scanned(op, rows, exclusive)
    out, prefix = np.empty_like(rows), _start(op, rows)
    for first in range(0, rows.shape[-1], block):
        part = slice(first, first + block)
        elements = rows[..., part]
        before = np.broadcast_to(prefix[..., None], elements.shape)
        out[..., part] = _combined(op, before, _scanned(op, elements, exclusive))
        prefix = _combined(op, prefix, _scanned(op, elements, False)[..., -1])
    return out


def _scanned(op: str, rows: Array, exclusive: bool) -> Array:
    total = _start(op, rows)
    out = np.empty_like(rows)
    for i in range(rows.shape[-1]):
        before, total = total, _combined(op, total, rows[..., i])
        out[..., i] = before if exclusive else total
    return out


def folded(op: str, rows: Array) -> Array:
    """Return the fold of `rows` along the last axis by the function of user row `op`."""
    total = _start(op, rows)
    for i in range(rows.shape[-1]):
        total = _combined(op, total, rows[..., i])
    return total


def _start(op: str, rows: Array) -> Array:
    return np.full(rows.shape[:-1], OPS[op].identity, rows.dtype)


def _combined(op: str, a: Array, b: Array) -> Array:
    function = OPS[op].kernel
    assert function is not None, op
    return over_arrays(function, None, (a, b), as_dtype(a.dtype))
