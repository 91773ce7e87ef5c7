"""What only Python can change is not changed once where the kernel would change it many times."""

from __future__ import annotations

import array
import collections
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorlib as tl
from tensorlib import SIMD, DType
from tensorlib.errors import KernelError
from tensorlib.lang.python_state import MOST, has_state, mark

STATES: list[tuple[Callable[[], Any], Callable[[Any], Any]]] = [
    (lambda: {1, 2}, lambda s: s.add(3)),
    (lambda: {1, 2}, lambda s: s.remove(1)),
    (lambda: collections.deque([1, 2]), lambda d: d.rotate()),
    (lambda: bytearray(b"ab"), lambda b: b.append(1)),
    (lambda: array.array("i", [1, 2]), lambda a: a.pop()),
    (lambda: iter([1, 2]), next),
    (lambda: iter((1, 2)), next),
    (lambda: iter(range(9)), next),
    (lambda: iter({1: 2}), next),
    (lambda: iter("ab"), next),
    (lambda: reversed([1, 2]), next),
    (itertools.count, next),
    (lambda: itertools.repeat(1, 4), next),
    (lambda: enumerate([1, 2]), next),
    (lambda: zip([1, 2], "ab", strict=True), next),
    (lambda: map(abs, [1, 2]), next),
    (lambda: filter(None, [1, 2]), next),
    (lambda: (k for k in [1, 2]), next),
    (lambda: (k * j for k in [1, 2] for j in [3, 4]), next),
    (lambda: iter([[1, 2]] * 3), next),
]
WORDS = "changes here once, while the kernel is traced, not each time it runs; try unroll"


@pytest.mark.parametrize(("make", "change"), STATES)
def test_a_mark_tells_a_change(make: Callable[[], Any], change: Callable[[Any], Any]) -> None:
    value = make()
    assert has_state(value)
    before = mark(value)
    assert mark(value) == before
    change(value)
    assert mark(value) != before
    for large in (set(range(2 * MOST)), collections.deque(range(2 * MOST))):
        before = mark(large)
        large.pop()
        assert mark(large) != before


def test_nothing_else_has_state() -> None:
    values: list[Any] = [
        1,
        "a",
        (1,),
        frozenset(),
        np.zeros(1),
        SIMD[DType.float32, 1](0),
        int,
        len,
    ]
    for value in values:
        assert not has_state(value)


def refused(kernel: Callable[..., None]) -> str:
    with pytest.raises(KernelError) as found:
        tl.kernel(kernel).trace(np.zeros(8, np.int64), 3)
    return str(found.value)


@pytest.mark.parametrize(("make", "change"), STATES)
def test_run_time_changes_no_python(make: Callable[[], Any], change: Callable[[Any], Any]) -> None:
    def in_a_loop(out: tl.Tile, n: tl.Scalar) -> None:
        held = make()
        for i in range(n):
            change(held)
            out[i] = 1

    def in_a_branch(out: tl.Tile, n: tl.Scalar) -> None:
        held = make()
        if n > 2:
            change(held)

    def on_a_side(out: tl.Tile, n: tl.Scalar) -> None:
        held = make()

        def changes() -> Any:
            change(held)
            return n < 5

        if n > 2 and changes():
            out[0] = 1

    def in_a_condition(out: tl.Tile, n: tl.Scalar) -> None:
        held, i = make(), 0

        def goes_on() -> Any:
            change(held)
            return i < n

        while goes_on():
            i += 1

    def before_it_breaks(out: tl.Tile, n: tl.Scalar) -> None:
        held, i = make(), n
        while True:
            change(held)
            if i > 2:
                break
            i += 1

    for kernel in (in_a_loop, in_a_branch, on_a_side, in_a_condition, before_it_breaks):
        message = refused(kernel)
        assert WORDS in message, kernel
        assert "held is a" in message, kernel


def test_a_list_grows_and_shrinks_at_compile_time_only() -> None:
    def grows(out: tl.Tile, n: tl.Scalar) -> None:
        held = [1]
        for _ in range(n):
            held.append(1)

    def shrinks(out: tl.Tile, n: tl.Scalar) -> None:
        held = [1]
        if n > 2:
            held.pop()

    assert "loop: held changes its structure, from 1 values to 2; at run time" in refused(grows)
    assert "if: held changes its structure, from 1 values to 0; at run time" in refused(shrinks)


COUNTED: list[int] = []
NUMBERS = itertools.count()
KNOWN: dict[int, int] = {}


def test_modules_hold_state_too() -> None:
    def counts(out: tl.Tile, n: tl.Scalar) -> None:
        for _ in range(n):
            COUNTED.append(1)

    def numbers(out: tl.Tile, n: tl.Scalar) -> None:
        def following() -> int:
            return next(NUMBERS)

        for i in range(n):
            out[i] = following()

    def remembers(out: tl.Tile, n: tl.Scalar) -> None:
        COUNTED.clear()
        for i in range(n):
            out[i] = KNOWN.setdefault(3, 9)

    assert "loop: COUNTED is a list of Python, which changes here once" in refused(counts)
    assert "loop: NUMBERS is a count of Python, which changes here once" in refused(numbers)
    tl.kernel(remembers).trace(np.zeros(8, np.int64), 3)
    assert not COUNTED


def test_a_memo_of_plain_values_may_grow() -> None:
    @tl.kernel
    def kernel(out: tl.Tile, n: tl.Scalar) -> None:
        known: dict[int, int] = {}

        def square(k: int) -> int:
            return known.setdefault(k, k * k)

        for i in range(n):
            out[i] = square(3) + square(4)

    out = np.zeros(4, np.int64)
    kernel(out, 3)
    assert out.tolist() == [25, 25, 25, 0]


def test_a_sum_of_vectors_runs_as_often_as_an_iterator_says() -> None:
    @tl.kernel
    def kernel(out: tl.Tile, x: tl.Tile) -> None:
        total, rest = SIMD[DType.float32, 8](0), iter([3, 2, 1, 0])
        while next(rest):
            total = total + x.load[8](0)
        while True:
            if next(rest, 1):
                break
        out.store[8](0, total)

    out, x = np.zeros(8, np.float32), np.arange(8, dtype=np.float32)
    for run in (kernel.python, kernel.interpret, kernel):
        run(out, x)
        assert (out == 3 * x).all()


def test_a_vector_that_is_known_at_first_is_recorded_from_the_first_time_on() -> None:
    @tl.kernel
    def kernel(out: tl.Tile, x: tl.Tile) -> None:
        left = SIMD[DType.int64, 4](3)
        while (left > 0).reduce_or():
            left = left - x.load[4](0)
        out.store[4](0, left)

    top = kernel.trace(np.zeros(4, np.int64), np.ones(4, np.int64)).body.operations
    assert "load" not in [operation.name for operation in top]
    out = np.zeros(4, np.int64)
    kernel(out, np.array([1, 2, 3, 4]))
    assert out.tolist() == [0, -3, -6, -9]
