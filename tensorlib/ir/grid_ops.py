"""Rows of grid-shaped kernels: indices of blocks and threads, barriers, shuffles, atomics, copies.

A grid kernel has `attributes["block"]`, the threads of a block along three axes. Its body is what
each thread runs; blocks are independent, the threads of a block meet at barriers, and every
`WARP_SIZE` threads of a block (x fastest) are a warp.
"""

from __future__ import annotations

from tensorlib.dtypes import DType
from tensorlib.ir.row import Attributes, Row, Types, needed
from tensorlib.ir.types import INDEX, PointerType, Type, VectorType

__all__ = ["ATOMIC_OPERATORS", "GRID_ROWS", "SHUFFLE_MODES", "VOTE_MODES", "WARP_SIZE"]

WARP_SIZE = 32
SHUFFLE_MODES = ("down", "up", "xor", "index")
VOTE_MODES = ("any", "all", "ballot")
ATOMIC_OPERATORS = ("add", "minimum", "maximum", "and", "or", "xor", "exchange")


def _axis(name: str, operands: Types, attributes: Attributes) -> list[Type]:
    if operands or attributes["axis"] not in (0, 1, 2):
        raise needed(name, operands, f"axis 0, 1 or 2, not {attributes['axis']}")
    return [INDEX]


def _barrier(name: str, operands: Types, attributes: Attributes) -> list[Type]:
    if operands or attributes["scope"] not in ("block", "warp"):
        raise needed(name, operands, f"scope block or warp, not {attributes['scope']}")
    return []


def _shuffle(name: str, operands: Types, attributes: Attributes) -> list[Type]:
    """(value, lane or distance as int32) -> the value that another lane of the warp has."""
    if (
        len(operands) != 2
        or not isinstance(operands[0], VectorType)
        or operands[1] is not VectorType(DType.int32)
        or attributes["mode"] not in SHUFFLE_MODES
    ):
        raise needed(name, operands, f"(SIMD value, int32 scalar), one of {SHUFFLE_MODES}")
    return [operands[0]]


def _vote(name: str, operands: Types, attributes: Attributes) -> list[Type]:
    if tuple(operands) != (VectorType(DType.bool),) or attributes["mode"] not in VOTE_MODES:
        raise needed(name, operands, f"a scalar bool, one of {VOTE_MODES}")
    return [VectorType(DType.uint32 if attributes["mode"] == "ballot" else DType.bool)]


def _place(name: str, operands: Types) -> VectorType:
    """Return the type of an element of (pointer, int64 index, ...)."""
    if len(operands) < 2 or not isinstance(operands[0], PointerType) or operands[1] is not INDEX:
        raise needed(name, operands, "(pointer, int64 index, ...)")
    return VectorType(operands[0].dtype)


def _atomic(name: str, operands: Types, attributes: Attributes) -> list[Type]:
    """(pointer, index, value) -> the element as it was before."""
    kind, operator = _place(name, operands), attributes["operator"]
    whole = operator in ("and", "or", "xor") and kind.dtype.is_float
    if tuple(operands[2:]) != (kind,) or operator not in ATOMIC_OPERATORS or whole:
        raise needed(name, operands, f"(pointer, index, {kind}), one of {ATOMIC_OPERATORS}")
    return [kind]


def _compare_exchange(name: str, operands: Types, attributes: Attributes) -> list[Type]:
    """(pointer, index, expected, value) -> the element as it was before."""
    kind = _place(name, operands)
    if tuple(operands[2:]) != (kind, kind):
        raise needed(name, operands, f"(pointer, index, expected {kind}, value {kind})")
    return [kind]


def _copy_async(name: str, operands: Types, attributes: Attributes) -> list[Type]:
    """(pointer, index, source pointer, source index), `count` elements -> a token to await."""
    kind = _place(name, operands)
    if len(operands) != 4 or _place(name, operands[2:]) is not kind or attributes["count"] < 1:
        raise needed(name, operands, f"(pointer, index, pointer to {kind}, index) and a count >= 1")
    return [INDEX]


def _await(name: str, operands: Types, attributes: Attributes) -> list[Type]:
    if tuple(operands) != (INDEX,):
        raise needed(name, operands, "the token of a copy_async")
    return []


GRID_ROWS = [
    # who am I: attribute `axis`
    Row("block_id", _axis),
    Row("thread_id", _axis),
    Row("grid_dim", _axis),
    # threads that meet: attribute `scope` (block, warp); a barrier also orders memory
    Row("barrier", _barrier, effect="barrier"),
    # all lanes of a warp together; a source lane outside the warp gives the lane's own value
    Row("warp_shuffle", _shuffle, effect="barrier"),
    Row("warp_vote", _vote, effect="barrier"),
    # memory that several threads write; the result is the element as it was
    Row("atomic", _atomic, effect="write"),
    Row("atomic_compare_exchange", _compare_exchange, effect="write"),
    # what a copy wrote can be read behind the await of its token, by the thread that awaited
    Row("copy_async", _copy_async, effect="write"),
    Row("await_copy", _await, effect="barrier"),
]
