"""Functions of Python and NumPy over SIMD values: they mean the same every way, or say why not."""

from __future__ import annotations

import collections
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorlib as tl
from tensorlib.dtypes import DType
from tensorlib.errors import KernelError
from tensorlib.lang import math as ours
from tensorlib.lang.trace import trace
from tensorlib.simd import SIMD
from tensorlib.tests.every_way import run_every_way
from tensorlib.tile import Tile, TileType

F64, I64 = DType.float64, DType.int64
X = np.linspace(-3.0, 4.0, 8)


@tl.kernel
def by_numpy(out: Tile, x: Tile) -> None:
    v, half = x.load[8](0), np.float64(0.5)
    made = [
        np.exp(v), np.tanh(v), np.sqrt(abs(v)), np.maximum(v, 0.0), np.minimum(1.0, v),
        np.where(v > 0, v, -v), np.clip(v, -1.0, 1.0), np.hypot(3.0, v), np.arctan2(v, 2.0),
        half * v, np.add(half, v), np.float32(2) ** v, np.floor(v), np.rint(v), np.sign(v),
        np.square(v), np.copysign(2.0, v), np.array(3.0) - v, np.round(v), np.power(v, 3),
    ]  # fmt: skip
    for number, value in enumerate(made):
        out.store[8](8 * number, value)
    mask = np.isnan(v) | np.isinf(v) | np.less(1.0, v)
    out.store[8](8 * len(made), mask.select(v, 0.0))
    out[8 * len(made) + 8] = np.sum(v) + np.max(v) * np.min(v)


def test_numpys_functions_mean_the_languages() -> None:
    out, _ = run_every_way(by_numpy, np.zeros(169 + 8), X)
    rows = out[:168].reshape(21, 8)
    exact = {2: np.sqrt(abs(X)), 3: np.maximum(X, 0), 4: np.minimum(1, X), 5: abs(X)}
    exact |= {6: np.clip(X, -1, 1), 9: X / 2, 10: 0.5 + X, 12: np.floor(X), 13: np.rint(X)}
    exact |= {14: np.sign(X), 15: X * X, 16: np.copysign(2, X), 17: 3 - X, 18: np.round(X)}
    exact |= {20: np.where(X > 1, X, 0)}
    for number, expected in exact.items():
        assert rows[number].tolist() == expected.tolist(), number
    near = {0: np.exp(X), 1: np.tanh(X), 7: np.hypot(3, X), 8: np.arctan2(X, 2), 11: 2.0**X}
    for number, expected in near.items():
        np.testing.assert_allclose(rows[number], expected, rtol=1e-14)
    assert out[168] == X.sum() + X.max() * X.min()
    v = SIMD[F64, 8](*X)
    assert np.exp(v).numpy().tolist() == ours.exp(v).numpy().tolist()


@tl.kernel
def by_tensors_names(out: Tile, x: Tile) -> None:
    v = x.load[8](0)
    made = [
        tl.exp(v), tl.silu(v), tl.sigmoid(v), tl.abs(v), tl.maximum(v, 0.0), tl.minimum(1.0, v),
        tl.where(v > 0, v, 0.0), tl.where(tl.logical_not(tl.isnan(v)), tl.square(v), v),
        tl.round(v), tl.pow(v, 2), tl.rsqrt(tl.abs(v) + 1.0), tl.add(1.0, v),
    ]  # fmt: skip
    for number, value in enumerate(made):
        out.store[8](8 * number, value)


def test_functions_of_tensors_take_lanes() -> None:
    out, _ = run_every_way(by_tensors_names, np.zeros(96), X)
    v = SIMD[F64, 8](*X)
    exact = [ours.exp(v), ours.silu(v), ours.sigmoid(v), abs(v), v.max(0.0), v.min(1.0)]
    exact += [(v > 0).select(v, 0.0), v * v, v.round(), v * v, ours.rsqrt(abs(v) + 1.0), v + 1.0]
    assert out.tolist() == [x for row in exact for x in row.numpy().tolist()]
    with pytest.raises(KernelError) as caught:
        tl.sum(v)
    assert str(caught.value).splitlines()[0] == (
        "sum: got a SIMD value, needed a tensor; try a method of SIMD, such as .reduce_add() for sum"  # noqa: E501
    )


def test_values_that_are_known_are_arrays_to_numpy() -> None:
    v = SIMD[F64, 4](4, 2, 3, 1)
    assert np.asarray(v).tolist() == [4, 2, 3, 1]
    assert np.sort(v).tolist() == [1, 2, 3, 4]
    assert math.floor(SIMD[F64, 1](2.5)).numpy() == round(SIMD[F64, 1](2.5)).numpy() == 2
    assert math.ceil(SIMD[I64, 1](2)).numpy() == math.trunc(SIMD[I64, 1](2)).numpy() == 2
    assert f"{v[1]:.1f} {v}" == "2.0 SIMD[float64, 4](4.0, 2.0, 3.0, 1.0)"


def traced(body: Callable[..., Any]) -> Callable[[], Any]:
    types = {"out": TileType(F64, (8,), (1,)), "x": TileType(F64, (8,), (1,))}
    return lambda: trace(body, {**types, "n": SIMD[I64, 1]})


def stops(out: Tile, x: Tile, n: SIMD) -> None:
    if n < 0:
        raise ValueError("negative")
    out[0] = x[n]


def counts(out: Tile, x: Tile, n: SIMD) -> None:
    found = np.zeros(3)
    for _ in range(n):
        found[0] += 1
    out[0] = found[0]


def queues(out: Tile, x: Tile, n: SIMD) -> None:
    waiting = collections.deque([0, 0])
    if n > 2:
        waiting[0] = 1
    out[0] = waiting[0] * x[0]


def asks(out: Tile, x: Tile, n: SIMD) -> None:
    heard: list[int] = [0]

    def heard_of(v: SIMD) -> SIMD:
        heard[0] += 1
        return v > 2

    out[0] = any(heard_of(n + k) for k in (1, 2)) and 1.0


def keeps(out: Tile, x: Tile, n: SIMD) -> None:
    held = np.zeros(2)
    held[0] = x[0]


REFUSED: list[tuple[Callable[..., Any], str]] = [
    (lambda out, x, n: math.exp(x[0]), "math.exp: got a value that is known at run time only, needed a Python number; try tensorlib.lang.math.exp"),  # noqa: E501
    (lambda out, x, n: math.sqrt(x[0]), "math.sqrt: got a value that is known at run time only, needed a Python number; try x.sqrt()"),  # noqa: E501
    (lambda out, x, n: math.gcd(n, 2), "math.gcd: got a value that is known at run time only, needed a Python number"),  # noqa: E501
    (lambda out, x, n: int(x[0]), "int(): this value is known at run time only; try .cast(int64)"),
    (lambda out, x, n: f"{n:d}", "format: this value is known at run time only; try f'{x}'"),
    (lambda out, x, n: round(x[0], 1), "round: got 1 digits, needed none; try (x * 10.0**n).round()"),  # noqa: E501
    (lambda out, x, n: sorted([x[0], x[1]]), "sorted: got values known at run time only, needed whole numbers, and no key; try a.min(b) and a.max(b) for each pair to put in order"),  # noqa: E501
    (lambda out, x, n: min(x.load[2](0), x.load[2](2)), "min: got 2 lanes, needed scalars; try .min(other)"),  # noqa: E501
    (lambda out, x, n: np.arange(3)[n], "array: this value is known at run time only, and NumPy needs numbers; an array of Python's takes indices of unroll(range(...)): try giving it to the kernel"),  # noqa: E501
    (lambda out, x, n: np.frexp(x[0]), "np.frexp: got SIMD values, for which the language has no such function"),  # noqa: E501
    (lambda out, x, n: np.add.reduce(x.load[2](0)), "np.add.reduce: got SIMD values; try operators, .select and .reduce_add() of theirs"),  # noqa: E501
    (lambda out, x, n: np.arange(2) + x.load[2](0), "np.add: got an array of shape (2,) with a SIMD value; try SIMD[dtype, width](*array)"),  # noqa: E501
    (lambda out, x, n: np.sort(x.load[2](0)), "np.sort: got values that are known at run time only; try a method of SIMD"),  # noqa: E501
    (lambda out, x, n: x.load[2](0) and n, "and: got 2 lanes, needed a scalar condition; try &, which works by lane, or .reduce_or() and .reduce_and()"),  # noqa: E501
    (lambda out, x, n: not (x.load[2](0) > 0), "not: got 2 lanes, needed a scalar condition; try ~, which works by lane, or .reduce_or() and .reduce_and()"),  # noqa: E501
    (lambda out, x, n: 0 < x.load[2](0) < 1, "comparison: got 2 lanes, which a chain can't compare; try (a < b) & (b < c)"),  # noqa: E501
    (lambda out, x, n: (n > 0) + (n > 1), "add: got (bool, bool), needed a dtype of kind signed or unsigned or float; try .cast(int64) to count with a mask, or &, |, ^ and ~"),  # noqa: E501
    (lambda out, x, n: n * (n > 1), "multiply: got int64 and bool, needed one dtype and width; try .cast(int64)"),  # noqa: E501
    (lambda out, x, n: n + x[0], "add: got int64 and float64, needed one dtype and width; try .cast(float64)"),  # noqa: E501
    (lambda out, x, n: n.sqrt(), "sqrt: got (int64), needed a dtype of kind float; try .cast(float64)"),  # noqa: E501
    (lambda out, x, n: [*range(n)], "index: this value is known at run time only, and Python needs a number here; a list takes an index of unroll(range(...)), and `range` belongs in the head of a `for`"),  # noqa: E501
    (stops, "raise: got ValueError: negative in a branch on a value that is known at run time only, where a kernel can't raise; try assert, or a number in an output"),  # noqa: E501
    (counts, "assignment: found is a ndarray of Python, which changes while the kernel is traced, not in its loops and branches; try a list, or stack_allocation"),  # noqa: E501
    (queues, "assignment: waiting is a deque of Python, which changes while the kernel is traced, not in its loops and branches; try a list, or stack_allocation"),  # noqa: E501
    (keeps, "float(): this value is known at run time only; try .cast(float64)"),
    (asks, "or: the values that are asked change a list or object; try a `for`"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "message"), REFUSED, ids=[m[:30] for _, m in REFUSED])
def test_what_python_alone_can_do_is_refused(body: Callable[..., Any], message: str) -> None:
    with pytest.raises(KernelError) as caught:
        traced(body)()
    told = str(caught.value).splitlines()
    assert told[0] == message
    assert told[1].startswith(f'  File "{__file__}", line ')


def test_a_zip_of_a_range_of_run_time_takes_ranges_only() -> None:
    def mixed(out: Tile, x: Tile, n: SIMD) -> None:
        for i, v in zip(range(n), [1.0, 2.0], strict=False):
            out[i] = v

    with pytest.raises(KernelError, match=r"zip: got range, list, of which a range is known at"):
        traced(mixed)()


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("astype", ".cast(dtype)"),
        ("sum", ".reduce_add()"),
        ("exp", "tensorlib.lang.math.exp(x)"),
        ("shape", ".width"),
    ],
)
def test_names_of_others_are_told(name: str, instead: str) -> None:
    with pytest.raises(AttributeError) as caught:
        getattr(SIMD[F64, 2](1), name)
    assert str(caught.value) == f"'SIMD' object has no attribute {name!r}; try {instead}"


def test_a_lane_is_not_assigned() -> None:
    v = SIMD[F64, 2](1)
    with pytest.raises(KernelError, match=r"does not change; try v = v.insert\(x, 0\)"):
        v[0] = 2.0


def test_a_step_of_zero_fails_an_assertion() -> None:
    def kernel(out: Tile, n: SIMD) -> None:
        for i in range(0, 4, n):
            out[i] = 1.0

    run, out = tl.kernel(kernel), np.zeros(4)
    run.interpret(out, 2)
    assert out.tolist() == [1, 0, 1, 0]
    with pytest.raises(KernelError, match="assert: range: got step 0, needed another"):
        run.interpret(out, 0)
