"""Loops that are left early: C has a `for` and a `break` for them, and does what Python does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorlib as tl
from tensorlib import SIMD
from tensorlib.tests.every_way import run_every_way

X = np.array([1, 4, 2, 7, 3, 7, 5, 0], np.float32)


@tl.kernel
def first_large(out: tl.Tile, x: tl.Tile, limit: tl.Scalar) -> None:
    for i in range(x.size):
        if x[i] > limit:
            out[0] = i
            break
    else:
        out[0] = -1


@tl.kernel
def until_zero(out: tl.Tile, x: tl.Tile, limit: tl.Scalar) -> None:
    i = 0
    while i < x.size and x[i] > 0.0:
        if x[i] > limit:
            break
        if x[i] == 2.0:
            i = i + 2
            continue
        out[i] = i
        i = i + 1
    out[x.size - 1] = i


def place(x: Any, limit: Any) -> Any:
    for i in range(x.size // 4):
        for j in range(4):
            if x[i * 4 + j] > limit:
                return i * 10 + j
    return -1


@tl.kernel
def nested_return(out: tl.Tile, x: tl.Tile, limit: tl.Scalar) -> None:
    out[0] = place(x, limit)


@tl.kernel
def sometimes(out: tl.Tile, x: tl.Tile, limit: tl.Scalar) -> None:
    """A branch leaves sometimes; what follows runs where it did not."""
    for i in range(x.size):
        if x[i] > 3.0:
            out[i] = 5
            if x[i] > limit:
                break
            out[i] = 6
        else:
            out[i] = 1
        out[i] = out[i] + 10


@tl.kernel
def swapped(out: tl.Tile, x: tl.Tile, limit: tl.Scalar) -> None:
    """What is carried changes places, also in the iteration that leaves."""
    a, b, count = x[0], x[1], 0
    for i in range(x.size):
        a, b = b, a
        if a + b * 2.0 > limit + x[i]:
            a, b = b, a + 1.0
            count = count + 100
            break
        count = count + 1
        a = a + x[i]
    out[0] = a.cast(tl.int64)
    out[1] = b.cast(tl.int64)
    out[2] = count


@tl.kernel
def both_sides(out: tl.Tile, x: tl.Tile, limit: tl.Scalar) -> None:
    total = 0.0 * x[0]
    last = 0
    for i in range(x.size):
        if x[i] < 3.0:
            if x[i] == 0.0:
                break
            total = total + 1.0
        else:
            last = i
            if total > limit:
                total = -total
                break
            total = total + x[i]
    out[0] = total.cast(tl.int64)
    out[1] = last


@tl.kernel
def two_loops(out: tl.Tile, x: tl.Tile, limit: tl.Scalar) -> None:
    """The flag of an outer loop is set by what an inner one found."""
    for i in range(x.size):
        found = 0
        for j in range(i, x.size):
            if x[j] > limit:
                found = j
                break
        if found > 3:
            out[i] = found
            break
        out[i] = -found


@tl.kernel
def compared_again(out: tl.Tile, x: tl.Tile, limit: tl.Scalar) -> None:
    """A condition that is carried is read after what it was computed from has changed."""
    i = 0
    going = x[0] < limit
    while going:
        out[i] = i
        i = i + 1
        going = (i < x.size - 1) & (x[i] < limit)
    out[x.size - 1] = i


KERNELS = [
    first_large, until_zero, nested_return, sometimes, swapped, both_sides, two_loops,
    compared_again,
]  # fmt: skip


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.name)
@pytest.mark.parametrize("limit", [0.5, 3.5, 6.0, 100.0])
def test_every_way_agrees(kernel: Any, limit: float) -> None:
    run_every_way(kernel, np.zeros(8, np.int64), X, np.float32(limit))


def body(kernel: Any) -> str:
    source = kernel.source("c", np.zeros(8, np.int64), X, np.float32(1))
    return str(source[source.index(f"void {kernel.name}") :])


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.name)
def test_nothing_is_left_of_flags_that_c_does_not_need(kernel: Any) -> None:
    flags = [line for line in body(kernel).splitlines() if "broken" in line]
    used_after = {"first_large": 3, "sometimes": 3}  # declared, set and read
    assert len(flags) == used_after.get(kernel.name, 0), flags


def test_a_break_is_a_break() -> None:
    text = body(first_large)
    assert "for (int64_t i_2 = 0; i_2 < x_n0_; i_2 += 1) {" in text
    assert "if (v3 > limit_) {" in text
    assert "      broken_1_1 = 1;\n      break;" in text
    assert "for (;;)" not in text


def test_conditions_of_a_while_are_tested_in_their_order() -> None:
    lines = [line.strip() for line in body(until_zero).splitlines()]
    start = lines.index("for (;;) {")
    inside = [line for line in lines[start + 1 :] if not line.startswith("//")]
    assert inside[0] == "if (!(i_1 < x_n0_)) break;"
    assert inside[2] == "if (!(v2 > 0.0f)) break;"
    assert inside[4] == "if (v3 > limit_) break;"
    assert len([line for line in lines if line.endswith("break;")]) == 3


def test_what_leaves_with_nothing_to_say_is_one_line() -> None:
    @tl.kernel
    def counted(out: tl.Tile, x: tl.Tile, limit: tl.Scalar) -> None:
        count = SIMD["int32", 4](0)
        inside = SIMD["bool", 4](True)
        for _ in range(100):
            if not inside.reduce_or():
                break
            inside = x.load[4](0) + count.cast("float32") < limit
            count = inside.select(count + 1, count)
        out.store[4](0, count.cast("int64"))

    text = body(counted)
    assert "if (!tl_any_i32x4(inside_2)) break;" in text
    assert "count_1 - inside_" in text
    out = np.zeros(8, np.int64)
    counted(out, X, np.float32(6.5))
    assert out[:4].tolist() == [6, 3, 5, 0]
