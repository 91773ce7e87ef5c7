"""`tl.op` at large: several results, numbers, operands left out, grids, fused neighbours."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest

import tensorlib as tl
from tensorlib.dtypes import DType
from tensorlib.errors import DTypeError, KernelError, ShapeError, TensorlibError
from tensorlib.tests.plan_backend import Planned, data, meaning, node, same
from tensorlib.tests.test_user_functions import needs_compiler, numbers, steps

DEVICES = ["reference", None]


def tensor(x: Any, device: str | None) -> tl.Tensor:
    return tl.asarray(x, device=device)


# --- several results ---


@tl.op(shapes=lambda x: (x[:1], x[:1], x[:1]), dtypes=lambda x: (x, x, "int64"), outputs=3)
def extremes(low: tl.Tile, high: tl.Tile, at: tl.Tile, x: tl.Tile) -> None:
    """The least and the greatest element of each row, and where the greatest is."""
    for i in tl.parallel(range(x.shape[0])):
        least, most, place = x[i, 0], x[i, 0], tl.SIMD[DType.int64, 1](0)
        for j in range(x.shape[1]):
            place = (x[i, j] > most).select(j, place)
            least, most = least.min(x[i, j]), most.max(x[i, j])
        low[i] = least
        high[i] = most
        at[i] = place


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", ["float32", "int16"])
def test_an_operation_has_several_results(device: str | None, dtype: str) -> None:
    x = (numbers(7, 9) * 100).astype(dtype)
    low, high, at = extremes(tensor(x, device))
    assert (low.dtype.name, at.dtype.name, low.shape) == (dtype, "int64", (7,))
    np.testing.assert_array_equal(high.numpy(), x.max(axis=1))
    np.testing.assert_array_equal(low.numpy(), x.min(axis=1))
    np.testing.assert_array_equal(at.numpy(), x.argmax(axis=1))


@needs_compiler
def test_results_are_computed_together_and_once() -> None:
    x = tl.asarray(numbers(40, 50))
    low, high, _ = extremes(x * 2)
    assert steps(high - low) == ["elementwise", "custom", "elementwise"]
    np.testing.assert_array_equal((high - low).numpy(), np.ptp(numbers(40, 50) * 2, axis=1))
    high.realise()
    assert low.node.storage is not None
    del low
    gc.collect()
    np.testing.assert_array_equal(extremes(x)[2].numpy(), numbers(40, 50).argmax(axis=1))


@needs_compiler
@pytest.mark.parametrize("wanted", [(0,), (1,), (2,), (2, 0), (0, 1, 2), (1, 1)])
def test_any_of_the_results_can_be_left_unread(wanted: tuple[int, ...]) -> None:
    @tl.compile
    def f(x: tl.Tensor) -> list[tl.Tensor]:
        found = extremes(x)
        return [found[k] * 1 for k in wanted]

    x = numbers(6, 5)
    expected = [x.min(axis=1), x.max(axis=1), x.argmax(axis=1)]
    for a, k in zip(f(tl.asarray(x)), wanted, strict=True):
        np.testing.assert_array_equal(a.numpy(), expected[k])


def test_results_of_symbolic_sizes_join_update_and_feed_one_another() -> None:
    @tl.compile(dynamic={"x": {0: "N", 1: "M"}})
    def f(x: tl.Tensor) -> Any:
        low, high, at = extremes(x)
        again = extremes(tl.concat([low, high]).reshape(2, x.shape[0]))
        return tl.concat([low, high]), at.astype("float32") + again[0][0], low

    for n, m in ((1, 1), (3, 8), (9, 2)):
        x = numbers(n, m)
        both, at, low = f(tl.asarray(x))
        np.testing.assert_array_equal(both.numpy(), np.concatenate([x.min(1), x.max(1)]))
        np.testing.assert_array_equal(at.numpy(), x.argmax(1).astype(np.float32) + x.min())
        np.testing.assert_array_equal(low.numpy(), x.min(1))
    assert f.plans == 1


def test_a_result_is_written_into_a_state() -> None:
    state = tl.state((2, 4), dtype="float32")
    low, high, _ = extremes(tl.asarray(numbers(4, 6)))
    tl.update(state, low.reshape(1, 4), 0)
    tl.update(state, high.reshape(1, 4), 1)
    x = numbers(4, 6)
    np.testing.assert_array_equal(state.numpy(), [x.min(axis=1), x.max(axis=1)])


def test_the_meaning_of_plans_knows_several_results() -> None:
    x = data(numbers(4, 6))
    low, _, at = extremes(numbers(4, 6))
    row = low.node.inputs[0] if low.node.op == "part" else None
    assert row is not None
    owner = node(row.op, x, **row.attributes)
    found = [node("part", owner, **n.attributes) for n in (low.node, at.node)]
    plan = Planned(found)
    same(plan(), meaning(found))
    assert plan.steps == ["custom"]


def test_no_rule_rewrites_one_of_several_results() -> None:
    with pytest.raises(TensorlibError, match="graph_rule: got extremes, which has 3 results, need"):
        tl.graph_rule(extremes)


# --- numbers, and operands that are left out ---


@tl.op(shapes=lambda x, k, negated, bias: x)
def scaled(
    out: tl.Tile, x: tl.Tile, k: tl.Scalar = 2.0, negated: bool = False, bias: Any = None
) -> None:
    for i in tl.parallel(range(out.size)):
        total = x[i] * k
        if negated:
            total = -total
        if bias is not None:
            total = total + bias[i]
        out[i] = total


@pytest.mark.parametrize("device", DEVICES)
def test_operands_with_defaults_are_left_out(device: str | None) -> None:
    x, b = numbers(9), numbers(9, seed=1)
    t = tensor(x, device)
    np.testing.assert_array_equal(scaled(t).numpy(), x * 2)
    np.testing.assert_array_equal(scaled(t, 3.0).numpy(), x * 3)
    np.testing.assert_array_equal(scaled(t, negated=True).numpy(), -(x * 2))
    np.testing.assert_array_equal(scaled(t, negated=False).numpy(), x * 2)
    np.testing.assert_array_equal(scaled(t, bias=tensor(b, device)).numpy(), x * 2 + b)
    np.testing.assert_array_equal(scaled(x=t, k=0.5, bias=tensor(b, device)).numpy(), x / 2 + b)


@tl.op(shapes=lambda x, k: x)
def shifted(out: tl.Tile, x: tl.Tile, k: tl.Scalar) -> None:
    for i in tl.parallel(range(out.size)):
        out[i] = x[i] + k.cast(out.dtype)


@needs_compiler
def test_numbers_that_are_equal_but_not_the_same_are_told_apart() -> None:
    x = tl.asarray(np.zeros(3))
    assert [float(shifted(x, k)[0]) for k in (1, 1.0, True, 0, False, 2.5)] == [
        1.0, 1.0, 1.0, 0.0, 0.0, 2.5,
    ]  # fmt: skip
    assert np.signbit(scaled(tl.asarray(np.ones(3)), -0.0).numpy()).all()
    assert not np.signbit(scaled(tl.asarray(np.ones(3)), 0.0).numpy()).any()


def test_errors_of_operands_and_declarations_name_the_kernel() -> None:
    x = numbers(3)
    with pytest.raises(KernelError, match=r"got 0 operands, needed 4: x, k, negated, bias\n.*py"):
        scaled()
    with pytest.raises(KernelError, match="op scaled: got 3 operands, needed 4: x, k"):
        scaled(x, 1.0, k=2.0)
    with pytest.raises(DTypeError, match="op scaled: got NoneType for x, needed a tensor, an arr"):
        scaled(None)
    with pytest.raises(KernelError, match=r"got parameters \['low', 'high', 'at', 'x'\], needed 4"):
        tl.op(extremes.kernel, shapes=lambda: (), outputs=4)
    wrong = tl.op(extremes.kernel, shapes=lambda x: x, outputs=3)
    with pytest.raises(ShapeError, match=r"op extremes: shapes gave \(3, 4\), needed the sizes of"):
        wrong(numbers(3, 4))
    wrong = tl.op(extremes.kernel, shapes=lambda x: (x,) * 3, outputs=3, dtypes=["int8"])
    with pytest.raises(DTypeError, match=r"dtypes gave \['int8'\], needed a dtype, or 3 of them"):
        wrong(numbers(3, 4))

    @tl.op(shapes=lambda x: (x, x), outputs=2)
    def half_done(a: tl.Tile, b: tl.Tile, x: tl.Tile) -> None:
        a[0] = x[0]

    with pytest.raises(
        KernelError, match="op half_done: writes nothing into b, one of its results"
    ):
        half_done(x)


OPERANDS = {
    "0-d": np.float32(3),
    "empty": np.zeros((0, 3), np.float32),
    "empty rows": np.zeros((3, 0), np.float32),
    "view": np.ones((4, 6), np.float16)[::-1, ::2],
    "broadcast": np.broadcast_to(numbers(5), (3, 5)),
    "nan": np.nan * numbers(2, 3),
    "unsigned": np.array([[2**63, 5]], np.uint64),
    "big-endian": numbers(3, 4).astype(">f4"),
}


@tl.op(shapes=lambda x: x)
def doubled(out: tl.Tile, x: tl.Tile) -> None:
    def put(where, width):
        out[where] = x[where] + x[where]

    tl.elementwise(put, width=1)(out.shape)


@pytest.mark.parametrize("x", OPERANDS.values(), ids=OPERANDS)
@pytest.mark.parametrize("device", ["array", None, "reference"])
def test_operands_of_every_kind(x: Any, device: str | None) -> None:
    native = x.astype(x.dtype.newbyteorder("="))
    given = x if device == "array" else tl.asarray(x, device=device)
    for function in (doubled, tl.elementwise(lambda v: v + v, width=4)):
        found = function(given).numpy()
        assert found.dtype == native.dtype
        np.testing.assert_array_equal(found, native + native)
    total = tl.reduce(lambda a, b: a + b, given, identity=0).numpy()
    np.testing.assert_allclose(total, np.asarray(native).sum(dtype=native.dtype), rtol=1e-5)
    if x.ndim:
        for options in ({}, {"associative": True}):
            running = tl.scan(lambda a, b: a + b, given, identity=0, axis=-1, **options).numpy()
            expected = np.cumsum(native, axis=-1, dtype=native.dtype)
            np.testing.assert_allclose(running, expected, rtol=1e-2)
        squares = tl.rowwise(lambda a, b: (a * b).sum())(given, given).numpy()
        expected = (native * native).sum(axis=-1, dtype=native.dtype)
        np.testing.assert_allclose(squares, expected, rtol=1e-2)


def test_what_an_operation_closes_over_is_taken_as_it_is_at_the_call() -> None:
    factor = 2.0

    @tl.op(shapes=lambda x: x)
    def times(out: tl.Tile, x: tl.Tile) -> None:
        for i in tl.parallel(range(out.size)):
            out[i] = x[i] * factor

    def total(a: tl.SIMD, b: tl.SIMD) -> tl.SIMD:
        return a + b * factor

    x = np.ones(3, np.float32)
    first, folded = times(x), tl.scan(total, x, identity=0)
    factor = 3.0
    assert (first.tolist(), times(x).tolist()) == ([2.0] * 3, [3.0] * 3)
    assert (folded.tolist(), tl.scan(total, x, identity=0).tolist()) == ([2, 4, 6], [3, 6, 9])


def test_functions_that_are_let_go_are_freed() -> None:
    def kept() -> Any:
        def total(a: tl.SIMD, b: tl.SIMD) -> tl.SIMD:
            return a + b

        tl.reduce(total, np.ones(3), identity=0)
        return weakref.ref(total)

    function = kept()
    gc.collect()
    assert function() is None


# --- kernels of blocks and threads ---


@tl.op(shapes=lambda x: ((x[0] + 63) // 64,), grid=lambda out, x: out[0], block=64)
def block_sums(out: tl.Tile, x: tl.Tile) -> None:
    """The sum of each 64 elements, through shared memory."""
    shared = tl.stack_allocation[x.dtype, tl.SHARED](64)
    t = tl.thread_id(0)
    i = tl.block_id(0) * 64 + t
    shared[t] = tl.SIMD[x.dtype, 1](0)
    if i < x.size:
        shared[t] = x[i]
    tl.barrier()
    for k in tl.unroll([32, 16, 8, 4, 2, 1]):
        if t < k:
            shared[t] = shared[t] + shared[t + k]
        tl.barrier()
    if t == 0:
        out[tl.block_id(0)] = shared[0]


@pytest.mark.parametrize("n", [1, 63, 64, 200])
@pytest.mark.parametrize("device", DEVICES)
def test_a_grid_of_blocks_is_an_operation(n: int, device: str | None) -> None:
    x = np.arange(n, dtype=np.float32)
    found = (block_sums(tensor(x, device) * 2) + 1).numpy()
    padded = np.pad(x * 2, (0, -n % 64)).reshape(-1, 64)
    np.testing.assert_array_equal(found, padded.sum(axis=1) + 1)


def test_a_grid_takes_symbolic_sizes() -> None:
    @tl.compile(dynamic={"x": {0: "N"}})
    def f(x: tl.Tensor) -> tl.Tensor:
        return block_sums(x).sum()

    for n in (1, 64, 1000):
        assert float(f(tl.arange(n, dtype="float32"))) == n * (n - 1) / 2
    assert f.plans == 1


@needs_compiler
def test_a_fault_in_a_grid_raises_with_its_line() -> None:
    @tl.op(shapes=lambda x: x, grid=2, block=32)
    def over(out: tl.Tile, x: tl.Tile) -> None:
        i = tl.block_id(0) * 32 + tl.thread_id(0)
        out[i] = x[i]

    assert over(tl.asarray(numbers(64))).tolist() == numbers(64).tolist()
    with pytest.raises(KernelError, match=r"op over: x: access from element 40 (.|\n)*= x\[i\]"):
        over(tl.asarray(numbers(40))).numpy()


def test_errors_of_grids() -> None:
    with pytest.raises(KernelError, match="op block_sums: got block without grid; give both, or n"):
        tl.op(block_sums.kernel, shapes=lambda x: x, block=64)
    with pytest.raises(KernelError, match="block=2048, which is 2048 threads, needed at most 1024"):
        tl.op(block_sums.kernel, shapes=lambda x: x, block=2048, grid=1)
    wrong = tl.op(block_sums.kernel, shapes=lambda x: x, block=64, grid=lambda out, x: -1)
    with pytest.raises(ShapeError, match="op block_sums: grid gave -1, needed 1 to 3 ints from 0"):
        wrong(numbers(3))


# --- fused neighbours ---


@tl.op(shapes=lambda x, taps: (x[0], x[1] - taps[0] + 1), fuses=True)
def convolved(out: tl.Tile, x: tl.Tile, taps: tl.Tile, *, width: int = 8) -> None:
    def window(where, width):
        r, i = where
        total = tl.SIMD[out.dtype, width](0)
        for k in range(taps.shape[0]):
            total = total + x.load[width](r, i + k) * taps[k]
        out.store[width](r, i, total)

    tl.elementwise(window, width=width)(out.shape)


def smoothed(x: np.ndarray, taps: np.ndarray) -> np.ndarray:
    n = x.shape[1] - taps.size + 1
    return sum(x[:, k : k + n] * t for k, t in enumerate(taps))  # type: ignore[return-value]


TAPS = np.array([1, 2, 1], np.float32)


@pytest.mark.parametrize("shape", [(0, 5), (1, 3), (5, 40), (33, 65)])
def test_a_kernel_that_fuses_gives_what_it_gives_alone(shape: tuple[int, int]) -> None:
    x = np.round(numbers(*shape) * 8)
    np.testing.assert_array_equal(convolved(x, TAPS).numpy(), smoothed(x, TAPS))
    around = abs(convolved(tl.asarray(x) * 2 - 1, TAPS * 2.0)) + 1
    np.testing.assert_array_equal(around.numpy(), abs(smoothed(x * 2 - 1, TAPS * 2)) + 1)


@needs_compiler
def test_elementwise_neighbours_are_part_of_a_kernel_that_fuses() -> None:
    x, bias = tl.asarray(np.round(numbers(30, 40) * 8)), tl.asarray(np.arange(38, dtype=np.float32))
    t = tl.asarray(TAPS)
    plain = np.round(numbers(30, 40) * 8)
    result = (convolved(x * 2 + 1, t) + bias).astype("int32")
    assert steps(result) == ["custom"]
    np.testing.assert_array_equal(
        result.numpy(), (smoothed(plain * 2 + 1, TAPS) + np.arange(38)).astype(np.int32)
    )
    turned = (convolved(x.T, t) * 2).T
    assert steps(turned + 1) == ["custom"]
    np.testing.assert_array_equal((turned + 1).numpy(), (smoothed(plain.T, TAPS) * 2).T + 1)
    ranged = convolved(x + tl.arange(40, dtype="float32"), t) + tl.arange(
        30, dtype="float32"
    ).reshape(30, 1)
    assert steps(ranged) == ["custom"]
    np.testing.assert_array_equal(
        ranged.numpy(), smoothed(plain + np.arange(40), TAPS) + np.arange(30).reshape(30, 1)
    )


def test_a_kernel_that_fuses_takes_symbolic_sizes() -> None:
    @tl.compile(dynamic={"x": {0: "N", 1: "M"}})
    def f(x: tl.Tensor) -> tl.Tensor:
        return tl.sqrt(abs(convolved(x + 1, tl.asarray(TAPS)))) * x.shape[0]

    for shape in ((1, 3), (7, 20)):
        x = numbers(*shape)
        np.testing.assert_allclose(
            f(tl.asarray(x)).numpy(), np.sqrt(abs(smoothed(x + 1, TAPS))) * shape[0], rtol=1e-5
        )
    assert f.plans == 1


def test_the_meaning_of_plans_knows_kernels_that_fuse() -> None:
    x, t = data(numbers(4, 6)), data(TAPS)
    row = convolved.row().name
    outputs = [
        node("negative", node(row, node("multiply", x, x), t, numbers=(None, None))),
    ]
    plan = Planned(outputs)
    same(plan(), meaning(outputs))
    assert plan.steps == ["custom"]
    assert "negative(main" in str(plan.specs[0])


@needs_compiler
def test_an_access_out_of_bounds_of_a_fused_operand_raises() -> None:
    @tl.op(shapes=lambda x: x, fuses=True)
    def next_one(out: tl.Tile, x: tl.Tile) -> None:
        for i in tl.parallel(range(out.shape[0])):
            out[i] = x[i + 1]

    with pytest.raises(KernelError, match=r"op next_one: x: access from element 10 is outside"):
        (next_one(tl.asarray(numbers(10)) * 2) + 1).numpy()


@needs_compiler
def test_a_kernel_that_fuses_writes_into_states_and_joined_results_in_place() -> None:
    x = np.round(numbers(4, 10) * 8)
    state = tl.state((6, 8), dtype="float32")
    both = tl.concat([convolved(x, TAPS) * 2, tl.ones((2, 8), dtype="float32")])
    assert steps(both) == ["custom", "elementwise"]
    np.testing.assert_array_equal(both.numpy()[:4], smoothed(x, TAPS) * 2)

    @tl.compile
    def step(x: tl.Tensor) -> tl.Tensor:
        return tl.update(state, convolved(x, TAPS) + state[2:, :], 1).sum()

    found = [float(step(tl.asarray(x))) for _ in range(2)]
    first = np.zeros((6, 8))
    for total in found:
        first[1:5] = smoothed(x, TAPS) + first[2:]
        assert total == first.sum()
    np.testing.assert_array_equal(state.numpy(), first)


def test_what_a_kernel_that_fuses_cannot_do() -> None:
    def viewed(out: tl.Tile, x: tl.Tile) -> None:
        out.tile[1](0)[0] = x[0]

    def reading(out: tl.Tile, x: tl.Tile) -> None:
        out[0] = x[0]
        out[1] = out[0]

    def masked(out: tl.Tile, x: tl.Tile) -> None:
        out.store[4](0, x.load[4](0), mask=True)

    def cast(out: tl.Tile, x: tl.Tile) -> None:
        out[0] = x[0].cast("float64")

    for kernel, message in (
        (viewed, "fuses: out is .*, needed load.width. of operands and store.width."),
        (reading, "fuses: out is the result, and read, needed"),
        (masked, "fuses: out is stored with mask, needed"),
        (cast, "store: got float64 for a tile of float32; try .cast"),
    ):
        with pytest.raises(KernelError, match=message):
            (tl.op(kernel, shapes=lambda x: x, fuses=True)(numbers(9)) + 1).numpy()
    with pytest.raises(KernelError, match="got fuses=True and 3 results, needed one"):
        tl.op(extremes.kernel, shapes=lambda x: x, outputs=3, fuses=True)
