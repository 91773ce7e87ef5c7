"""Long rows, shared out among workers: the bits of one kernel, whatever the number of threads."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorlib as tl
from tensorlib.graph import compile, lower_long
from tensorlib.kernels.fold import roundings
from tensorlib.kernels.scan import BLOCK
from tensorlib.lang.target import simdwidthof
from tensorlib.tests.plan_backend import Planned, data, meaning, node, same
from tensorlib.tests.test_user_functions import needs_compiler, numbers, steps

DTYPES = ["float32", "float16", "uint8", "bool"]


def add(a: tl.SIMD, b: tl.SIMD) -> tl.SIMD:
    return a + b


def in_one_kernel(monkeypatch: pytest.MonkeyPatch, result: Callable[[], tl.Tensor]) -> np.ndarray:
    """Return a result that is computed as if no row were long."""
    with monkeypatch.context() as patch:
        patch.setattr(lower_long, "LONG", 1 << 60)
        patch.setattr(compile, "_plans", type(compile._plans)())
        return result().numpy()


# --- reductions ---


@needs_compiler
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "shape", [(65_536,), (65_537,), (3, 70_001), (66_000, 3), (2, 4000, 33), (5, 2, 9000)]
)
def test_a_long_reduction_has_the_bits_of_one_kernel(
    dtype: str, shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    t = tl.asarray((numbers(*shape) * 3).astype(dtype))
    axes = {None, 0, len(shape) - 1, tuple(sorted({0, len(shape) - 1}))}
    for function in (tl.sum, tl.max):
        for axis in axes:
            for x in (t, t[::-1, ...])[: 2 if axis is None else 1]:

                def found(x: Any = x, axis: Any = axis, function: Any = function) -> tl.Tensor:
                    return function(x, axis=axis)

                expected = in_one_kernel(monkeypatch, found)
                assert found().numpy().tobytes() == expected.tobytes()


@needs_compiler
def test_a_long_sum_is_two_kernels_with_what_is_before_and_after() -> None:
    x = tl.asarray(numbers(100_000))
    assert steps(tl.sqrt(tl.sum(x * x) + 1)) == ["reduce", "reduce"]
    assert steps(tl.sum(x[:1000])) == ["reduce"]
    assert steps(tl.sum(tl.asarray(numbers(100_000).reshape(100, 1000)), axis=1)) == ["reduce"]
    wide = numbers(100_000).astype(np.float64)
    found = float(tl.sqrt(tl.sum(x * x) + 1))
    assert abs(found - np.sqrt((wide * wide).sum() + 1)) < 1e-6 * found


@needs_compiler
@pytest.mark.parametrize("n", [65_536, 1_000_003, 10_000_000])
def test_a_long_sum_stays_within_the_bound(n: int) -> None:
    """At most `roundings(n, lanes)` half ulps of sum(|x|)."""
    x = np.random.default_rng(n).standard_normal(n).astype(np.float32)
    wide = x.astype(np.float64)
    bound = roundings(n, simdwidthof("float32")) * 2.0**-24 * np.abs(wide).sum()
    assert abs(float(tl.sum(x)) - wide.sum()) <= bound + 2.0**-23 * abs(wide.sum())


def test_a_long_fold_of_a_user() -> None:
    x = np.random.default_rng(0).integers(0, 1 << 60, (2, 80_000))
    found = tl.reduce(lambda a, b: a ^ b, tl.asarray(x), identity=0, axis=1)
    np.testing.assert_array_equal(found.numpy(), np.bitwise_xor.reduce(x, axis=1))
    found = tl.reduce(lambda a, b: a ^ b, tl.asarray(x.T.copy()), identity=0, axis=0)
    np.testing.assert_array_equal(found.numpy(), np.bitwise_xor.reduce(x, axis=1))


def test_a_reduction_of_a_symbolic_size_makes_one_plan() -> None:
    @tl.compile(dynamic={"x": {0: "N"}})
    def f(x: tl.Tensor) -> Any:
        return tl.mean(x) * 2, tl.max(x + 1), tl.scan(add, x, identity=0, associative=True)

    for n in (1, 7, 1024, 1025, 100_000):
        x = np.round(numbers(n) * 8)
        mean, most, running = f(tl.asarray(x))
        np.testing.assert_allclose(float(mean), x.astype(np.float64).mean() * 2, rtol=1e-5)
        assert float(most) == x.max() + 1
        np.testing.assert_array_equal(running.numpy(), np.cumsum(x))
    assert f.plans == 1


def test_the_state_that_a_long_reduction_reads_is_written_after_it() -> None:
    state = tl.state((100_000,), dtype="float32")
    before = tl.sum(state + 1)
    tl.update(state, tl.ones((100_000,), dtype="float32"), 0)
    after = tl.sum(state + 1)
    assert (float(before), float(after)) == (100_000.0, 200_000.0)


def test_the_meaning_of_plans_knows_long_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lower_long, "LONG", 4000)  # the meaning is computed in Python
    monkeypatch.setattr(lower_long, "MOST_LANES", 4)
    x = data(numbers(2, 5000))
    pending = tl.zeros((2, 3000), dtype="float32")
    scan = tl.scan(add, pending, identity=0, axis=1).node.op
    outputs = [
        node("negative", node("max", x, axes=(1,), keepdims=False)),
        node("max", x, axes=(0, 1), keepdims=True),
        node("negative", node(scan, x, axis=1, exclusive=True, associative=True)),
    ]
    plan = Planned(outputs)
    same(plan(), meaning(outputs))
    assert sorted(plan.steps) == ["reduce"] * 4 + ["scan"] * 3
    stages = [spec.stage for spec in plan.specs]
    assert sorted(stages) == ["", "blocks", "blocks", "blocks", "join", "join", "totals"]
    assert "blocks of max0+1" in "".join(map(str, plan.specs))


def test_extremes_of_no_elements_are_neutral_in_the_meaning_of_plans() -> None:
    fold = tl.reduce(lambda a, b: a.max(b), tl.zeros((2, 3)), identity=-7, axis=1).node.op
    empty = data(np.zeros((3, 0), np.float32))
    (found,) = Planned([node(fold, empty, axes=(1,), keepdims=False)])()
    assert found.tolist() == [-7.0] * 3


# --- scans ---


@pytest.mark.parametrize("n", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 4 * BLOCK, 5 * BLOCK + 3])
@pytest.mark.parametrize("options", [{}, {"exclusive": True}, {"reverse": True}], ids=str)
def test_a_scan_in_blocks_is_what_it_says(n: int, options: Any) -> None:
    x = numbers(3, n)
    for axis, array in ((1, x), (0, np.ascontiguousarray(x.T))):
        found = tl.scan(
            add, tl.asarray(array), identity=0, axis=axis, associative=True, **options
        ).numpy()
        expected = in_blocks(x, **options)
        assert (found if axis else found.T).tobytes("C") == expected.tobytes()


def in_blocks(x: np.ndarray, exclusive: bool = False, reverse: bool = False) -> np.ndarray:
    """Return sums of blocks, each added to the sum of those before it."""
    x = x[:, ::-1] if reverse else x
    out, before = np.zeros_like(x), np.zeros((len(x), 1), x.dtype)
    for first in range(0, x.shape[1], BLOCK):
        total = np.cumsum(x[:, first : first + BLOCK], axis=1, dtype=x.dtype)
        own = np.hstack([np.zeros_like(before), total[:, :-1]]) if exclusive else total
        out[:, first : first + BLOCK] = before + own
        before = before + total[:, -1:]
    return np.ascontiguousarray(out[:, ::-1]) if reverse else out


@needs_compiler
@pytest.mark.parametrize("n", [65_536, 65_537, 100_001])
@pytest.mark.parametrize("exclusive", [False, True])
def test_a_long_scan_has_the_bits_of_one_kernel(
    n: int, exclusive: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = tl.asarray(numbers(n))

    def found() -> tl.Tensor:
        options = {"identity": 0, "associative": True, "exclusive": exclusive}
        return tl.scan(add, x * 2, **options) + 1

    assert steps(found()) == ["scan"] * 3
    expected = in_one_kernel(monkeypatch, found)
    assert found().numpy().tobytes() == expected.tobytes()
    wide = in_blocks(numbers(1, n) * 2, exclusive)[0] + 1
    np.testing.assert_array_equal(expected, wide)


def test_long_cumulative_sums_of_integers_are_numpys() -> None:
    x = np.random.default_rng(0).integers(-(1 << 62), 1 << 62, 70_000)
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(tl.cumulative_sum(tl.asarray(x)).numpy(), np.cumsum(x))


# --- threads ---

PROGRAM = """
import hashlib, numpy as np, tensorlib as tl
add = lambda a, b: a + b
x = np.random.default_rng(0).standard_normal(300_000).astype(np.float32)
t, m = tl.asarray(x), tl.asarray(x.reshape(100_000, 3))
found = [tl.sum(t), tl.sum(m, axis=0), tl.scan(add, t, identity=0, associative=True),
         tl.scan(add, m, identity=0, axis=0), tl.reduce(add, t, identity=0)]
print(hashlib.sha256(b"".join(f.numpy().tobytes() for f in found)).hexdigest())
"""


@needs_compiler
def test_the_number_of_threads_changes_no_bit() -> None:
    seen = set()
    for threads in ("1", "2", "5"):
        environment = {**os.environ, "TENSORLIB_NUM_THREADS": threads}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, check=True
        )
        seen.add(done.stdout)
    assert len(seen) == 1
    assert len(seen.pop().strip()) == 2 * hashlib.sha256().digest_size
