"""What the threads of a warp do together: shuffles, votes, and reductions made of shuffles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorlib.dtypes import DType
from tensorlib.ir.builder import current_builder, fail
from tensorlib.ir.grid_interpreter import source_lane
from tensorlib.ir.grid_ops import WARP_SIZE
from tensorlib.ir.types import VectorType
from tensorlib.lang.grid import lane_id, recording, running, threads_of_block, warp_id
from tensorlib.lang.pytree import flatten
from tensorlib.lang.rewrite import rewritten
from tensorlib.simd import SIMD, lift

__all__ = [
    "WARP_SIZE",
    "all_lanes",
    "any_lane",
    "ballot",
    "shuffle_down",
    "shuffle_index",
    "shuffle_up",
    "shuffle_xor",
    "warp_max",
    "warp_min",
    "warp_reduce",
    "warp_sum",
]

# --- shuffles ---


def shuffle_down(value: Any, distance: Any) -> Any:
    """Return the `value` that the lane `distance` further up has; its own where there is none.

    `value` is a SIMD value, or a tuple, list or dataclass of them.

    >>> from tensorlib.lang.threads import run_grid
    >>> [int(v) for v in run_grid(lambda: shuffle_down(lane_id(), 1), (1, 1, 1), (4, 1, 1))]
    [1, 2, 3, 3]
    """
    return _shuffled("shuffle_down", "down", value, distance)


def shuffle_up(value: Any, distance: Any) -> Any:
    """Return the `value` that the lane `distance` further down has; its own where there is none.

    >>> from tensorlib.lang.threads import run_grid
    >>> [int(v) for v in run_grid(lambda: shuffle_up(lane_id(), 1), (1, 1, 1), (4, 1, 1))]
    [0, 0, 1, 2]
    """
    return _shuffled("shuffle_up", "up", value, distance)


def shuffle_xor(value: Any, mask: Any) -> Any:
    """Return the `value` of the lane whose number is this lane's with the bits of `mask` flipped.

    Its own where there is no such lane.

    >>> from tensorlib.lang.threads import run_grid
    >>> [int(v) for v in run_grid(lambda: shuffle_xor(lane_id(), 1), (1, 1, 1), (4, 1, 1))]
    [1, 0, 3, 2]
    """
    return _shuffled("shuffle_xor", "xor", value, mask)


def shuffle_index(value: Any, lane: Any) -> Any:
    """Return the `value` that lane number `lane` has; its own where there is no such lane.

    >>> from tensorlib.lang.threads import run_grid
    >>> [int(v) for v in run_grid(lambda: shuffle_index(lane_id(), 2), (1, 1, 1), (4, 1, 1))]
    [2, 2, 2, 2]
    """
    return _shuffled("shuffle_index", "index", value, lane)


def _shuffled(where: str, mode: str, value: Any, lane: Any) -> Any:
    leaves, rebuild = flatten(value)
    if not leaves or not all(isinstance(leaf, SIMD) for leaf in leaves):
        kinds = ", ".join(type(leaf).__name__ for leaf in leaves) or "nothing"
        raise fail(f"{where}: got {kinds}, needed SIMD values")
    by = _lane(where, lane)
    return rebuild(iter([_shuffle(where, mode, leaf, by) for leaf in leaves]))


def _lane(where: str, lane: Any) -> SIMD:
    """Return a number of lanes as an int32 scalar."""
    if isinstance(lane, SIMD) and lane.dtype.is_integer and lane.width == 1:
        return lane.cast(DType.int32)
    if isinstance(lane, (int, np.integer)) and not isinstance(lane, bool):
        return SIMD[DType.int32, 1](int(lane))
    got = lane.type if isinstance(lane, SIMD) else type(lane).__name__
    raise fail(f"{where}: got a lane of type {got}, needed a whole number")


def _shuffle(where: str, mode: str, value: SIMD, by: SIMD) -> SIMD:
    builder = recording(where)
    if builder is not None:
        operands = [lift(value), lift(by)]
        return SIMD.of(builder.emit("warp_shuffle", operands, {"mode": mode})[0])
    thread = running(where)
    found = thread.meet(where, "warp", value)
    first = thread.warp * WARP_SIZE
    source = source_lane(mode, thread.number - first, int(by), len(found))
    given: SIMD = found[first + source]
    if given.type is not value.type:
        raise fail(f"{where}: got {value.type} and {given.type} in one warp, needed one type")
    return given


def any_lane(condition: Any) -> SIMD:
    """Return whether `condition` holds in any lane of the warp.

    >>> from tensorlib.lang.threads import run_grid
    >>> [bool(v) for v in run_grid(lambda: any_lane(lane_id() == 1), (1, 1, 1), (3, 1, 1))]
    [True, True, True]
    """
    return _vote("any_lane", "any", condition)


def all_lanes(condition: Any) -> SIMD:
    """Return whether `condition` holds in every lane of the warp.

    >>> from tensorlib.lang.threads import run_grid
    >>> [bool(v) for v in run_grid(lambda: all_lanes(lane_id() == 1), (1, 1, 1), (3, 1, 1))]
    [False, False, False]
    """
    return _vote("all_lanes", "all", condition)


def ballot(condition: Any) -> SIMD:
    """Return a uint32 with bit i set where `condition` holds in lane i.

    >>> from tensorlib.lang.threads import run_grid
    >>> [int(v) for v in run_grid(lambda: ballot(lane_id() != 1), (1, 1, 1), (3, 1, 1))]
    [5, 5, 5]
    """
    return _vote("ballot", "ballot", condition)


def _vote(where: str, mode: str, condition: Any) -> SIMD:
    if isinstance(condition, (bool, np.bool_)):
        condition = SIMD[DType.bool, 1](bool(condition))
    if not isinstance(condition, SIMD) or condition.type is not VectorType(DType.bool):
        got = condition.type if isinstance(condition, SIMD) else type(condition).__name__
        raise fail(f"{where}: got a condition of type {got}, needed a scalar bool")
    builder = recording(where)
    if builder is not None:
        return SIMD.of(builder.emit("warp_vote", [lift(condition)], {"mode": mode})[0])
    found = running(where).meet(where, "warp", bool(condition))
    bits = sum(1 << lane for lane, (_, held) in enumerate(sorted(found.items())) if held)
    if mode == "ballot":
        return SIMD(np.asarray(bits, np.uint32), DType.uint32, 1)
    holds = bits != 0 if mode == "any" else all(found.values())
    return SIMD(np.asarray(holds), DType.bool, 1)


# --- made of shuffles ---


def warp_sum(value: Any) -> Any:
    """Return the sum of `value` over the lanes of the warp, in every lane; added by halves.

    >>> from tensorlib.lang.threads import run_grid
    >>> [int(v) for v in run_grid(lambda: warp_sum(lane_id()), (1, 1, 1), (5, 1, 1))]
    [10, 10, 10, 10, 10]
    """
    return warp_reduce(value, lambda a, b: a + b)


def warp_max(value: Any) -> Any:
    """Return the largest `value` of the lanes of the warp, in every lane; NaN where one is NaN.

    >>> from tensorlib.lang.threads import run_grid
    >>> [int(v) for v in run_grid(lambda: warp_max(lane_id()), (1, 1, 1), (3, 1, 1))]
    [2, 2, 2]
    """
    return warp_reduce(value, lambda a, b: a.max(b))


def warp_min(value: Any) -> Any:
    """Return the smallest `value` of the lanes of the warp, in every lane; NaN where one is NaN.

    >>> from tensorlib.lang.threads import run_grid
    >>> [int(v) for v in run_grid(lambda: warp_min(lane_id() + 4), (1, 1, 1), (3, 1, 1))]
    [4, 4, 4]
    """
    return warp_reduce(value, lambda a, b: a.min(b))


def warp_reduce(value: Any, function: Callable[[Any, Any], Any]) -> Any:
    """Fold `value` over the lanes of the warp by halves: lanes [0, 16) with [16, 32), and so on.

    Every lane gets the result. `function(a, b)` must not care about the order of a and b. The last
    warp of a block may have fewer lanes; those that are missing are left out.

    >>> from tensorlib.lang.threads import run_grid
    >>> def multiply(a, b):
    ...     return a * b
    >>> found = run_grid(lambda: warp_reduce(lane_id() + 1, multiply), (1, 1, 1), (4, 1, 1))
    >>> list(map(int, found))
    [24, 24, 24, 24]
    """
    if current_builder() is not None:
        function = rewritten(function)
    threads = threads_of_block("warp_reduce")
    is_whole = threads % WARP_SIZE == 0 or (threads < WARP_SIZE and not threads & (threads - 1))
    offset = min(WARP_SIZE, 1 << (threads - 1).bit_length()) // 2
    lanes = None if is_whole else _lanes(threads)
    while offset:
        if lanes is None:
            value = function(value, shuffle_xor(value, offset))
        else:
            value = _folded(value, function, offset, lanes)
        offset //= 2
    return value if lanes is None else shuffle_index(value, 0)


def _lanes(threads: int) -> SIMD:
    """Return how many lanes this thread's warp has."""
    return (threads - warp_id() * WARP_SIZE).min(WARP_SIZE)


def _folded(value: Any, function: Callable[[Any, Any], Any], offset: int, lanes: SIMD) -> Any:
    """Fold in the lane `offset` further up, where there is one."""
    is_there = lane_id() + offset < lanes
    both = function(value, shuffle_down(value, offset))
    old, rebuild = flatten(value)
    new, _ = flatten(both)
    return rebuild(iter([is_there.select(n, o) for n, o in zip(new, old, strict=True)]))
