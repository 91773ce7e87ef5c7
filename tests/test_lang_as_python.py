"""Kernels are Python: a function gives the same over arrays, in Python mode, interpreted, as C."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorlib as tl
from tensorlib.ir import walk
from tensorlib.registry import REGISTRY
from tensorlib.tests import (
    plain_kernels_calls,
    plain_kernels_effects,
    plain_kernels_loops,
    plain_kernels_statements,
    plain_kernels_values,
)
from tensorlib.tests.every_way import run_every_way
from tensorlib.tests.plain_kernels import PLAIN, copies

NAMES = [function.__name__ for function, _ in PLAIN]
FILES = (
    plain_kernels_calls,
    plain_kernels_effects,
    plain_kernels_loops,
    plain_kernels_statements,
    plain_kernels_values,
)


def test_there_are_many_and_each_is_named_once() -> None:
    assert len(set(NAMES)) == len(NAMES) >= 100
    assert {function.__module__ for function, _ in PLAIN} == {file.__name__ for file in FILES}


@pytest.mark.parametrize(("function", "arguments"), PLAIN, ids=NAMES)
def test_python_gives_the_same(function: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    expected = copies(arguments)
    function(*expected)
    kernel = tl.kernel(function)
    ways = [kernel.python, kernel.interpret]
    for run in [*ways, kernel] if "c" not in REGISTRY.unavailable() else ways:
        given = copies(arguments)
        run(*given)
        for number, (found, wanted) in enumerate(zip(given, expected, strict=True)):
            if not isinstance(wanted, int):
                assert found.tolist() == wanted.tolist(), f"argument {number}"


EVERYWHERE = ("nest4", "match1", "in_range", "zip_range", "loopvar_after2", "nested_effects")


@pytest.mark.parametrize("name", EVERYWHERE)
def test_other_targets_give_the_same(name: str) -> None:
    function, arguments = PLAIN[NAMES.index(name)]
    run_every_way(tl.kernel(function), *arguments)


def count(kernel: Any, *arguments: Any) -> Callable[[str], int]:
    names = [operation.name for operation in walk(kernel.trace(*arguments).body)]
    return names.count


def test_a_loop_that_breaks_is_recorded_once() -> None:
    @tl.kernel
    def kernel(out: tl.Tile, x: tl.Tile) -> None:
        i = 0
        while True:
            if x[i] < 0:
                break
            out[i] = x[i]
            i += 1

    found = count(kernel, np.zeros(4), np.zeros(4))
    assert (found("while"), found("store")) == (1, 1)


def test_a_loop_whose_variable_nobody_reads_afterwards_computes_no_more() -> None:
    @tl.kernel
    def kernel(out: tl.Tile, x: tl.Tile) -> None:
        for i in range(x.size):
            out[i] = x[i]
        for i in range(x.size):
            out[i] = out[i] + sum([x[i] for i in (0, 1)])

    found = count(kernel, np.zeros(4), np.zeros(4))
    assert found("for") == 2
    assert found("select") + found("divide") + found("subtract") == 0


def test_a_side_without_effects_is_computed_anyway() -> None:
    def positive(v: Any) -> Any:
        return v > 0

    @tl.kernel
    def kernel(out: tl.Tile, n: tl.Scalar) -> None:
        if n < 5 and positive(n):
            out[0] = n

    found = count(kernel, np.zeros(4, np.int64), 3)
    assert (found("and"), found("if")) == (1, 1)
