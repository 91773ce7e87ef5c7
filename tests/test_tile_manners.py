# ruff: noqa: E501, PLW0108  (one row an error, each a line of this file)
"""How a tile behaves where Python users expect an array: lengths, loops, truth, comparisons,
indices that are no whole numbers or that count from the end; in Python mode and traced.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorlib as tl
from tensorlib.errors import KernelError
from tensorlib.lang.trace import trace
from tensorlib.layouts import Layout
from tensorlib.simd import SIMD
from tensorlib.tests.compiled_kernels import types_of
from tensorlib.tile import Tile, TileType

F32, I32, F64 = tl.float32, tl.int32, tl.float64
Test = Callable[..., None]
SHOWN = "Tile[float32, (4,8):(8,1), global]"
TRY_INT = "needed an integer; try int(...) for a number, and `:` for a whole axis"
TRY_CAST = "try .cast(int64)"


def numbers() -> Any:
    return np.arange(32, dtype=np.float32).reshape(4, 8)


def in_python(call: Callable[[Tile], Any]) -> Any:
    return call(Tile.over(numbers(), "x"))


def traced(call: Callable[[Tile], Any]) -> Any:
    found = []
    trace(lambda x: found.append(call(x)), types_of({"x": numbers()}))
    return found[0]


def told(mode: Callable[..., Any], call: Callable[[Tile], Any]) -> str:
    """Return the sentence of an error, which shows the line of this file."""
    with pytest.raises(KernelError) as caught:
        mode(call)
    first, *rest = str(caught.value).splitlines()
    assert "test_tile_manners.py" in rest[0]
    assert "^" in rest[2]
    return first


BOTH = pytest.mark.parametrize("mode", [in_python, traced])


def refused(*rows: tuple[Callable[[Tile], Any], str]) -> Callable[[Test], Test]:
    """Run a test in both modes for each call and the error that it raises."""
    named = [pytest.param(*row, id=str(n)) for n, row in enumerate(rows)]
    calls = pytest.mark.parametrize(("call", "message"), named)
    return lambda test: BOTH(calls(test))


# --- a sequence ---


@BOTH
def test_a_tile_is_as_long_as_its_first_axis(mode: Any) -> None:
    found = mode(lambda t: (len(t), len(t.transpose()), len(t[1, :]), len(t.vectorize[4][0, :])))
    assert found == (4, 8, 8, 2)
    assert mode(lambda t: len(Tile[F32, Layout(((2, 2), 8)), tl.GLOBAL](t))) == 4
    assert all(type(n) is int for n in found)


def test_a_length_of_run_time_is_asked_of_the_shape() -> None:
    with pytest.raises(KernelError) as caught:
        trace(lambda x: (len(x), None)[1], {"x": TileType(F32, (tl.Dim("n"), 4), (4, 1))})
    assert str(caught.value).startswith(
        "len: got Tile[float32, (?,4):(4,1), global], whose first axis is known at run time only, "
        "and len() is a Python int; try tile.shape[0]\n"
    )


LOOP = f"for: got {SHOWN}; try `for i in range(tile.shape[0])` and tile[i, :]"


@refused(
    (lambda t: list(t), LOOP),
    (lambda t: [row for row in t], LOOP),  # noqa: C416
    (lambda t: list(enumerate(t)), LOOP),
    (lambda t: [*t], LOOP),
    (lambda t: dict(zip(t, t, strict=True)), LOOP),
    (
        lambda t: list(t[0, :]),
        "for: got Tile[float32, (8):(1), global]; try `for i in range(tile.shape[0])` and tile[i]",
    ),
    (
        lambda t: reversed(t),
        f"reversed: got {SHOWN}; try `for i in reversed(range(tile.shape[0]))`",
    ),
    (
        lambda t: 1.0 in t,
        f"in: got {SHOWN}; try a loop over its elements, or a reduction such as "
        "(t.load[width](i) == value).any()",
    ),
    (lambda t: len(Tile[F32, ()]()), "len: got Tile[float32, ():(), register], needed an axis"),
    (
        lambda t: np.asarray(t),
        f"array: got {SHOWN}, whose elements NumPy can't ask for; try t[i] or t.load",
    ),
)
def test_a_tile_is_no_sequence(mode: Any, call: Any, message: str) -> None:
    assert told(mode, call) == message


def over_rows(out: Tile, x: Tile) -> None:
    for row in x:
        out[0] = row


def over_pairs(out: Tile, x: Tile) -> None:
    for i, row in enumerate(x):
        out[i] = row


@pytest.mark.parametrize("function", [over_rows, over_pairs])
def test_a_loop_over_a_tile_says_what_to_write(function: Any) -> None:
    kernel, out, x = tl.kernel(function), np.zeros(8, np.float32), np.zeros(8, np.float32)
    for run in (kernel.python, kernel.interpret, kernel):
        with pytest.raises(KernelError) as caught:
            run(out, x)
        first, _, line, _ = str(caught.value).splitlines()[:4]
        assert first.startswith("for: got Tile[float32, (")
        assert first.endswith("global]; try `for i in range(tile.shape[0])` and tile[i]")
        assert line.strip().startswith("for ")


# --- a condition ---

TRUTH = (
    f"bool: got {SHOWN}, which is neither true nor false; try an element as in `if t[i] > 0`, "
    't.reduce("add") > 0, or `t is not None`'
)


def both(sign: str, other: str) -> str:
    same = "; `tile is other` tells whether they are one" if sign in ("==", "!=") else ""
    return (
        f"{sign}: got {SHOWN} and {other}, needed elements; try t[i] {sign} x, or "
        f"t.load[width](i) {sign} x for a mask{same}"
    )


@refused(
    (lambda t: bool(t), TRUTH),
    (lambda t: 1 if t else 0, TRUTH),
    (lambda t: not t, TRUTH),
    (lambda t: t and 1, TRUTH),
    (lambda t: t == t.transpose(), both("==", "Tile[float32, (8,4):(1,8), global]")),
    (lambda t: t == t, both("==", SHOWN)),
    (lambda t: t != 0.0, both("!=", "a value of type float")),
    (lambda t: t == None, both("==", "a value of type NoneType")),  # noqa: E711
    (lambda t: np.float32(1) == t, both("==", "a value of type float32")),
    (lambda t: t < 1, both("<", "a value of type int")),
    (lambda t: t <= 1.0, both("<=", "a value of type float")),
    (lambda t: t > 1.0, both(">", "a value of type float")),
    (lambda t: t >= t, both(">=", SHOWN)),
    (lambda t: 1.0 < t, both(">", "a value of type float")),  # noqa: SIM300
)
def test_a_tile_is_no_condition(mode: Any, call: Any, message: str) -> None:
    assert told(mode, call) == message


def where_it_is(out: Tile, x: Tile) -> None:
    if x:
        out[0] = 1.0


def where_equal(out: Tile, x: Tile) -> None:
    out[0] = 1.0 if out == x else 2.0


@pytest.mark.parametrize(("function", "sign"), [(where_it_is, "bool"), (where_equal, "==")])
def test_conditions_of_kernels_are_no_tiles(function: Any, sign: str) -> None:
    kernel, out, x = tl.kernel(function), np.zeros(8, np.float32), np.zeros(8, np.float32)
    for run in (kernel.python, kernel.interpret, kernel):
        with pytest.raises(KernelError, match=f"^{sign}: got Tile"):
            run(out, x)


@dataclasses.dataclass(frozen=True)
class Window:
    """Compared and hashed by its fields."""

    tile: Tile
    first: int


@BOTH
def test_identity_is_as_it_was(mode: Any) -> None:
    def of(t: Tile) -> tuple[bool, ...]:
        other = t.transpose()
        named = {t: "t", other: "other"}
        kept = named[t] == "t" and named[other] == "other" and len({t, other, t}) == 2
        one = Window(t, 1) == Window(t, 1) and hash(Window(t, 1)) == hash(Window(t, 1))
        return kept, one, t in (other, t)[1:], t is not other, hash(t) != hash(other)

    assert all(mode(of))


@tl.kernel
def halved(out: Tile, x: Tile, *, offset: Any) -> None:
    made = x.tile[8](0).copy[tl.REGISTER]()
    kept = Window(made, 1)
    for i in range(x.shape[0]):
        if x[i] > 3.0:
            kept = Window(made, 2)
        made[i] = made[i] * 0.5
    out.tile[8](0).copy_from(np.float32(2.0) * kept.tile * np.float32(0.5) + offset)


def test_loops_and_branches_carry_tiles_that_do_not_compare() -> None:
    x = np.arange(8, dtype=np.float32)
    for name in ("python", "interpret", "__call__"):
        out = np.zeros_like(x)
        getattr(halved.bind(offset=np.int64(1)), name)(out, x)
        assert out.tolist() == (x * 0.5 + 1).tolist()


# --- indices ---


@refused(
    (lambda t: t[1, 1.5], f"index: got 1.5 of type float, {TRY_INT}"),
    (lambda t: t[True, 1], f"index: got True of type bool, {TRY_INT}"),
    (lambda t: t[np.bool_(True), 1], f"index: got {np.bool_(True)!r} of type {np.bool_.__name__}, {TRY_INT}"),
    (lambda t: t[1, np.float32(2)], f"index: got {np.float32(2)!r} of type float32, {TRY_INT}"),
    (lambda t: t[..., 1], f"index: got Ellipsis of type ellipsis, {TRY_INT}"),
    (lambda t: t[None, 1], f"index: got None of type NoneType, {TRY_INT}"),
    (lambda t: t[[0, 1], 1], f"index: got [0, 1] of type list, {TRY_INT}"),
    (lambda t: t[np.array([0, 1]), 1], f"index: got array([0, 1]) of type ndarray, {TRY_INT}"),
    (lambda t: t[1.0, :], f"index: got 1.0 of type float, {TRY_INT}"),
    (lambda t: t.load[2](0.0, 0), f"index: got 0.0 of type float, {TRY_INT}"),
    (lambda t: t.store[2](0, 1.0, 2.0), f"index: got 1.0 of type float, {TRY_INT}"),
    (lambda t: t.tile[2, 2](0.5, 0), f"index: got 0.5 of type float, {TRY_INT}"),
    (lambda t: t.slice[2, 2](0, 0.5), f"index: got 0.5 of type float, {TRY_INT}"),
    (lambda t: Tile[F32, Layout(((2, 2), 8)), tl.GLOBAL](t)[(1, 0.5), 0], f"index: got 0.5 of type float, {TRY_INT}"),
    (lambda t: t[SIMD[F64](1.5), 1], f"index: got SIMD[float64, 1](1.5), needed an int64 scalar; {TRY_CAST}"),
    (lambda t: t[1, SIMD[I32](1)], f"index: got SIMD[int32, 1](1), needed an int64 scalar; {TRY_CAST}"),
    (lambda t: t[SIMD[F32, 2](0, 1), 1], f"index: got SIMD[float32, 2](0.0, 1.0), needed int64 lanes; {TRY_CAST}"),
)  # fmt: skip
def test_an_index_is_a_whole_number(mode: Any, call: Any, message: str) -> None:
    assert told(mode, call) == message


@tl.kernel
def looked_up(out: Tile, x: Tile, *, dtype: Any) -> None:
    out[0] = x[x[0].cast(dtype)]


@pytest.mark.parametrize("dtype", [F32, F64, I32, tl.bool])
def test_an_index_that_is_loaded_is_an_int64(dtype: Any) -> None:
    out, x = np.zeros(8, np.float32), np.full(8, 2.5, np.float32)
    kernel = looked_up.bind(dtype=dtype)
    for run, value in ((kernel.python, r"SIMD\[.*\)"), (kernel.interpret, r"<traced SIMD\[.*\]>")):
        with pytest.raises(KernelError) as caught:
            run(out, x)
        first = str(caught.value).splitlines()[0]
        assert re.fullmatch(f"index: got {value}, needed an int64 scalar; try .cast.int64.", first)
    looked_up.bind(dtype=tl.int64).python(out, x)
    assert out[0] == 2.5


def end(index: int, axis: int, shown: str = SHOWN) -> str:
    return (
        f"index: got {index} along axis {axis} of {shown}; tiles do not count from the end: "
        f"try tile.shape[{axis}] - {-index}"
    )


@refused(
    (lambda t: t[1, -1], end(-1, 1)),
    (lambda t: t[-2, 0], end(-2, 0)),
    (lambda t: t[np.int64(-1), 0], end(-1, 0)),
    (lambda t: t[-1, :], end(-1, 0)),
    (lambda t: t[1, :][-1], end(-1, 0, "Tile[float32, (8):(1), global]")),
    (lambda t: t.__setitem__((1, -1), 2.0), end(-1, 1)),
    (lambda t: t.load[2](1, -2), end(-2, 1)),
    (lambda t: t.store[2](1, -2, 0.0), end(-2, 1)),
    (lambda t: Tile[F32, 4](0)[-1], end(-1, 0, "Tile[float32, (4):(1), register]")),
    (lambda t: tl.Atomic(t, 1, -1).add(1.0), end(-1, 1)),
)
def test_a_tile_does_not_count_from_the_end(mode: Any, call: Any, message: str) -> None:
    assert told(mode, call) == message


@tl.kernel
def neighbours(out: Tile, m: Tile) -> None:
    part = m.slice[2, 4](1, 2)
    for i in tl.unroll(range(-1, 3)):
        out[i + 1] = part[i, -1] + part.load[2](i, -2).reduce_add()  # before where it was cut
    first = m.transpose()[0, 1] * 0.0 - 1.0
    at = first.cast(tl.int64)
    out[4] = m[1, at]  # of run time, from the row above
    iota = SIMD[tl.int64, 4](0, 1, 2, 3)
    out.store[4](5, m.load[4](0, -1, mask=iota > 0, other=9.0))
    m.prefetch(0, -1)
    m.slice[1, 1](1, -1)[0, 0] = 5.0


def test_what_lies_before_a_view_is_read() -> None:
    m = numbers()
    expected = [row[1] + row[0] + row[1] for row in m]
    for name in ("python", "interpret", "__call__"):
        out, given = np.zeros(9, np.float32), m.copy()
        getattr(neighbours, name)(out, given)
        assert out.tolist() == [*expected, m[0, 7], 9.0, *m[0, :3]]
        assert given[0, 7] == 5.0
