"""`tl.op`, `tl.reduce`, `tl.scan` and `tl.rowwise`: users' operations, checked against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorlib as tl
from tensorlib.dtypes import DType
from tensorlib.errors import DTypeError, KernelError, ShapeError
from tensorlib.kernels import generate
from tensorlib.lang.math import exp, rsqrt
from tensorlib.tests.plan_backend import Planned, data, meaning, node, same
from tensorlib.tests.test_user_functions import needs_compiler, numbers, steps

HOSTILE = [(0,), (1,), (7,), (3, 0), (0, 3), (1, 1), (5, 130), (131, 6), (2, 3, 5)]


def add(a: tl.SIMD, b: tl.SIMD) -> tl.SIMD:
    return a + b


def greatest(a: tl.SIMD, b: tl.SIMD) -> tl.SIMD:
    return a.max(b)


# --- kernels as operations ---


@tl.op(shapes=lambda x, k: (x[0], x[1] - 1))
def steps_of(out: tl.Tile, x: tl.Tile, k: tl.Scalar, *, sign: int = 1) -> None:
    """out[i, j] = (x[i, j + 1] - x[i, j]) * k."""
    for i in tl.parallel(range(out.shape[0])):
        for j in range(out.shape[1]):
            out[i, j] = (x[i, j + 1] - x[i, j]) * k * sign


@tl.op(shapes=lambda x, index: index, dtypes="float64")
def picked(out: tl.Tile, x: tl.Tile, index: tl.Tile) -> None:
    for i in tl.parallel(range(out.size)):
        out[i] = x[index[i].cast("int64")].cast(out.dtype)


@pytest.mark.parametrize("shape", [(1, 1), (3, 1), (0, 5), (4, 17)])
def test_a_kernel_is_an_operation(shape: tuple[int, int]) -> None:
    x = numbers(*shape)
    np.testing.assert_array_equal(steps_of(x, 2.0).numpy(), np.diff(x) * 2)
    np.testing.assert_array_equal(steps_of(x, 2.0, sign=-1).numpy(), np.diff(x) * -2)
    np.testing.assert_array_equal(steps_of[-1](x, 2.0).numpy(), np.diff(x) * -2)


def test_a_kernel_that_runs_by_itself_becomes_an_operation_too() -> None:
    @tl.kernel
    def doubled(out: tl.Tile, x: tl.Tile) -> None:
        for i in tl.parallel(range(out.size)):
            out[i] = x[i] * 2.0

    x = numbers(9)
    np.testing.assert_array_equal(tl.op(doubled, shapes=lambda x: x)(x).numpy(), x * 2)


def test_it_reads_views_where_they_lie() -> None:
    x = numbers(6, 9)
    t = tl.asarray(x)
    np.testing.assert_array_equal(steps_of(t.T, 1.0).numpy(), np.diff(x.T))
    np.testing.assert_array_equal(steps_of(t[::-1, 1::2], 1.0).numpy(), np.diff(x[::-1, 1::2]))
    wide = tl.broadcast_to(tl.asarray(x[0]), (4, 9))
    np.testing.assert_array_equal(steps_of(wide, 1.0).numpy(), np.diff([x[0]] * 4))


@needs_compiler
def test_it_is_a_step_of_a_plan_between_others() -> None:
    x = tl.asarray(numbers(40, 50))
    found = tl.sqrt(abs(steps_of(x * 2, 0.5) + 1)).sum()
    assert steps(found) == ["elementwise", "custom", "reduce"]
    expected = np.sqrt(abs(np.diff(numbers(40, 50) * 2) * np.float32(0.5) + 1)).sum()
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5)


def test_its_result_joins_and_updates_like_any_other() -> None:
    x = numbers(3, 5)
    both = tl.concat([steps_of(x, 1.0), tl.zeros((2, 4), dtype="float32")])
    np.testing.assert_array_equal(both.numpy(), np.vstack([np.diff(x), np.zeros((2, 4))]))
    casted = steps_of(tl.asarray(x).astype("float64") + tl.arange(5), 1.0)
    np.testing.assert_array_equal(casted.numpy(), np.diff(x.astype(np.float64) + np.arange(5)))


def test_it_reads_a_state_before_the_state_is_written() -> None:
    state = tl.state((2, 4))
    before = steps_of(state + 1, 1.0)
    tl.update(state, tl.asarray([[0.0, 1.0, 3.0, 6.0]], dtype=state.dtype), 1)
    after = steps_of(state, 1.0)
    tl.update(state, steps_of(tl.arange(10.0, dtype=state.dtype).reshape(2, 5) ** 2, 1.0), 0)
    assert before.tolist() == [[0.0] * 3] * 2
    assert after.tolist() == [[0.0] * 3, [1.0, 2.0, 3.0]]
    assert state.tolist() == [[1.0, 3.0, 5.0, 7.0], [11.0, 13.0, 15.0, 17.0]]


def test_symbolic_sizes_make_one_plan() -> None:
    @tl.compile(dynamic={"x": {0: "N", 1: "M"}, "k": "K"})
    def f(x: tl.Tensor, k: Any) -> Any:
        return steps_of(x + 1, 1.5), x.shape[1] * k

    for n, m in ((2, 3), (5, 1), (1, 40)):
        x = numbers(n, m)
        found, size = f(tl.asarray(x), 3)
        np.testing.assert_array_equal(found.numpy(), np.diff(x + 1) * np.float32(1.5))
        assert size == 3 * m
    assert f.plans == 1


def test_dtypes_may_differ() -> None:
    x, index = numbers(10, dtype=np.float16), np.array([3, 0, 9], np.int32)
    found = picked(x, index)
    assert found.dtype is DType.float64
    np.testing.assert_array_equal(found.numpy(), x[index])


@needs_compiler
def test_an_access_out_of_bounds_raises_with_its_line_and_leaves_the_plan_usable() -> None:
    x = tl.asarray(numbers(10))
    message = r"op picked: x: access from element 10 is outside(.|\n)*x\[index\[i\]"
    with pytest.raises(KernelError, match=message):
        picked(x, np.array([3, 10])).numpy()
    assert picked(x, np.array([3, 9])).tolist() == numbers(10)[[3, 9]].tolist()


@needs_compiler
def test_the_line_is_right_where_the_width_depends_on_the_target() -> None:
    @tl.op(shapes=lambda x: x)
    def wide(out: tl.Tile, x: tl.Tile) -> None:
        lanes = tl.simdwidthof(x.dtype)
        for k in tl.unroll(range(lanes)):
            out[k] = x[k]
        out[out.size] = x[0]

    with pytest.raises(KernelError, match=r"element 64 is outside(.|\n)*out\[out\.size\] = x\[0\]"):
        wide(numbers(64)).numpy()


@pytest.mark.parametrize("wrong", [3, -1])
def test_the_reference_backend_checks_too(wrong: int) -> None:
    x = tl.asarray(numbers(3), device="reference")
    with pytest.raises(KernelError, match="is outside its 3 elements"):
        picked(x, tl.asarray([wrong], device="reference")).numpy()


def test_the_meaning_of_plans_knows_users_kernels() -> None:
    x = data(numbers(4, 6))
    moved = node("permute_dims", x, axes=(1, 0))
    found = node(steps_of.row().name, moved, numbers=(None, 2.0))
    plan = Planned([node("negative", found)])
    same(plan(), meaning([node("negative", found)]))
    assert plan.steps == ["custom", "elementwise"]


def test_errors_of_operations() -> None:
    x = numbers(3, 4)
    with pytest.raises(KernelError, match="op steps_of: got 1 operands, needed 2: x, k"):
        steps_of(x)
    with pytest.raises(DTypeError, match="op steps_of: got str for x, needed a tensor, an array"):
        steps_of("x", 1.0)
    with pytest.raises(KernelError, match="op steps_of: got numbers alone, needed at least one"):
        steps_of(1.0, 1.0)
    with pytest.raises(KernelError, match=r"multiply: got float32 and int64(.|\n)*\* k \* sign"):
        steps_of(x, 1)
    with pytest.raises(KernelError, match="steps_of: got parameter 'width', needed one of: sign"):
        steps_of(x, 1.0, width=3)
    packed = tl.asarray(x.astype(np.complex64), device="reference")
    with pytest.raises(DTypeError, match="op steps_of: got dtype complex64 for x, needed a bool"):
        steps_of(packed, 1.0)


def test_errors_of_declarations() -> None:
    def copy(out: tl.Tile, x: tl.Tile) -> None:
        out[0] = x[0]

    def wrong(out: tl.Tile, x: tl.Tile) -> None:
        x[0] = x[1]

    def nothing(out: tl.Tile, x: tl.Tile) -> None:
        x[1] + 1.0

    x = numbers(3)
    with pytest.raises(ShapeError, match=r"op copy: shapes gave \(-1,\), needed the sizes of one"):
        tl.op(copy, shapes=lambda x: (-1,))(x)
    with pytest.raises(ShapeError, match=r"op copy: shapes gave \(\(1,\), \(2,\)\), needed the"):
        tl.op(copy, shapes=lambda x: ((1,), (2,)))(x)
    with pytest.raises(DTypeError, match="op copy: dtypes gave 'float33', needed a dtype"):
        tl.op(copy, shapes=lambda x: x, dtypes="float33")(x)
    with pytest.raises(KernelError, match="op wrong: writes into x, an operand, which is a value"):
        tl.op(wrong, shapes=lambda x: x)(x)
    with pytest.raises(KernelError, match="op nothing: writes nothing into out, its result"):
        tl.op(nothing, shapes=lambda x: x)(x)
    with pytest.raises(KernelError, match=r"op bare: got parameters \['out'\], needed the result"):

        def bare(out: tl.Tile) -> None: ...

        tl.op(bare, shapes=lambda: ())


# --- folds ---


@pytest.mark.parametrize("shape", HOSTILE)
@pytest.mark.parametrize("keepdims", [False, True])
def test_reduce_is_numpys(shape: tuple[int, ...], keepdims: bool) -> None:
    x = numbers(*shape)
    for axis in (None, 0, -1):
        found = tl.reduce(add, tl.asarray(x), identity=0, axis=axis, keepdims=keepdims)
        expected = x.sum(axis=axis, keepdims=keepdims)
        assert found.shape == expected.shape
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5, atol=1e-5)


def test_reduce_with_functions_of_ones_own() -> None:
    x = np.random.default_rng(0).integers(0, 1 << 40, (50, 70))
    found = tl.reduce(lambda a, b: a ^ b, x, identity=0, axis=0)
    np.testing.assert_array_equal(found.numpy(), np.bitwise_xor.reduce(x, axis=0))
    found = tl.reduce(lambda a, b: a | b, tl.asarray(x).T, identity=0, axis=0)
    np.testing.assert_array_equal(found.numpy(), np.bitwise_or.reduce(x, axis=1))
    y = numbers(70, 3)
    y[5, 1] = np.nan
    y[6, 2] = -np.inf
    found = tl.reduce(greatest, y, identity=-np.inf, axis=0)
    np.testing.assert_array_equal(found.numpy(), y.max(axis=0))


@needs_compiler
def test_reduce_fuses_with_what_is_before_and_after() -> None:
    x = tl.asarray(numbers(30, 40))
    total = tl.reduce(add, x * x, identity=0, axis=1, keepdims=True)
    assert steps(tl.sqrt(total) + 1) == ["reduce"]
    assert steps(x / tl.sqrt(total)) == ["reduce"]
    expected = numbers(30, 40) / np.linalg.norm(numbers(30, 40), axis=1, keepdims=True)
    np.testing.assert_allclose((x / tl.sqrt(total)).numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_floats_are_folded_in_float32(dtype: str) -> None:
    x = tl.full((5000,), 0.01).astype(dtype)
    expected = x.astype("float64").numpy().sum()
    found = tl.reduce(add, x, identity=0)
    assert found.dtype is DType.by_name[dtype]
    assert abs(float(found) - expected) < 0.005 * expected


def test_errors_of_folds() -> None:
    with pytest.raises(DTypeError, match="reduce: lambda of two float64 values returned bool"):
        tl.reduce(lambda a, b: a > b, np.ones(3), identity=0)
    with pytest.raises(ShapeError, match="got axis 1, needed -1 to 0"):
        tl.reduce(add, np.ones(3), identity=0, axis=1)
    with pytest.raises(KernelError, match="lambda was given 2 values: too many positional"):
        tl.reduce(lambda a: a, np.ones(3), identity=0)
    with pytest.raises(ShapeError, match=r"scan: got shape \(2, 2\) and no axis, needed an axis"):
        tl.scan(add, np.ones((2, 2)), identity=0)
    with pytest.raises(KernelError, match=r"got 70000, which does not fit 8 bits"):
        tl.reduce(add, np.ones(3, np.int8), identity=70000)


# --- scans ---


@pytest.mark.parametrize("shape", HOSTILE)
@pytest.mark.parametrize("exclusive", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
def test_scan_is_numpys(shape: tuple[int, ...], exclusive: bool, reverse: bool) -> None:
    x = numbers(*shape)
    for axis in (0, -1):
        options = {"axis": axis, "exclusive": exclusive, "reverse": reverse}
        found = tl.scan(add, tl.asarray(x), identity=0, **options).numpy()
        np.testing.assert_array_equal(found, cumulative(x, axis, exclusive, reverse))


def cumulative(x: np.ndarray, axis: int, exclusive: bool, reverse: bool) -> np.ndarray:
    """Return NumPy's cumulative sum: it adds one after the other, as the kernel does."""
    x = np.flip(x, axis) if reverse else x
    total = np.cumsum(x, axis=axis, dtype=x.dtype)
    if exclusive:
        first = np.zeros_like(np.take(total, [], axis=axis), shape=_one(total.shape, axis))
        total = np.concatenate([first, total], axis=axis).take(range(x.shape[axis]), axis=axis)
    return np.flip(total, axis) if reverse else total


def _one(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    sizes = list(shape)
    sizes[axis] = 1
    return tuple(sizes)


def test_scan_of_a_view_and_a_running_maximum_with_nan() -> None:
    x = numbers(20, 30)
    x[3, 4] = np.nan
    t = tl.asarray(x).T[::-2]
    for axis in (0, 1):
        found = tl.scan(greatest, t, identity=-np.inf, axis=axis)
        np.testing.assert_array_equal(found.numpy(), np.maximum.accumulate(x.T[::-2], axis=axis))


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "int64", "float32", "float64"])
@pytest.mark.parametrize("shape", [(0,), (1,), (9,), (3, 5), (4, 0)])
def test_cumulative_sums_and_products_are_numpys(dtype: str, shape: tuple[int, ...]) -> None:
    x = (numbers(*shape) * 3).astype(dtype)
    ours, numpys = (tl.cumulative_sum, tl.cumulative_prod), (np.cumsum, np.cumprod)
    for axis in range(len(shape)):
        for own, his in zip(ours, numpys, strict=True):
            found, expected = own(tl.asarray(x), axis=axis).numpy(), his(x, axis=axis)
            assert found.dtype == expected.dtype
            np.testing.assert_array_equal(found, expected)
    longer = tl.cumulative_sum(tl.asarray(x), axis=0, include_initial=True, dtype="float64")
    assert longer.shape == (shape[0] + 1, *shape[1:])
    np.testing.assert_array_equal(longer.numpy()[1:], np.cumsum(x, axis=0, dtype=np.float64))
    assert not longer.numpy()[0].any()


def test_a_cumulative_sum_of_several_axes_needs_one_of_them() -> None:
    message = r"cumulative_sum: got shape \(2, 2\) and no axis, needed an axis; try axis=-1"
    with pytest.raises(ShapeError, match=message):
        tl.cumulative_sum(np.ones((2, 2)))


@needs_compiler
def test_scan_fuses_with_what_is_before_and_after() -> None:
    x = tl.asarray(numbers(30, 40))
    for axis in (0, 1):
        found = tl.scan(add, x * 2, identity=0, axis=axis) + 1
        assert steps(found) == ["scan"]
        expected = np.cumsum(numbers(30, 40) * 2, axis=axis) + 1
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5, atol=1e-5)


# --- functions of rows ---


@tl.rowwise
def rms_norm(row: tl.Row, weight: tl.Row) -> tl.Row:
    return row * rsqrt((row * row).mean() + 1e-5) * weight


@tl.rowwise
def log_free_softmax(row: tl.Row) -> tl.Row:
    powers = (row - row.max()).map(exp)
    return powers / powers.sum()


@tl.rowwise
def spread(row: tl.Row) -> tl.SIMD:
    return row.max() - row.min()


@pytest.mark.parametrize("shape", [(1,), (7,), (0, 3), (5, 130), (2, 3, 5)])
def test_rowwise_is_numpys(shape: tuple[int, ...]) -> None:
    x, w = numbers(*shape), numbers(shape[-1], seed=1)
    scale = np.sqrt((x * x).mean(axis=-1, keepdims=True) + 1e-5)
    np.testing.assert_allclose(rms_norm(tl.asarray(x), w).numpy(), x / scale * w, rtol=2e-6)
    np.testing.assert_allclose(
        log_free_softmax(tl.asarray(x)).numpy(), tl.softmax(tl.asarray(x)).numpy(), rtol=1e-5
    )
    np.testing.assert_array_equal(spread(tl.asarray(x)).numpy(), np.ptp(x, axis=-1))


def test_rows_of_no_elements() -> None:
    x = tl.zeros((3, 0))
    assert log_free_softmax(x).shape == (3, 0)
    assert spread(x).tolist() == [-np.inf] * 3
    assert tl.rowwise(lambda row: row.sum())(x).tolist() == [0.0] * 3


@needs_compiler
def test_a_row_is_one_kernel_with_what_is_before_and_after() -> None:
    x = tl.asarray(numbers(30, 40))
    assert steps(tl.silu(rms_norm(x * 2 + 1, x))) == ["rowwise"]
    assert steps(spread(x * 2) + 1) == ["rowwise"]
    found = tl.sqrt(spread(x.T * 2)).numpy()
    np.testing.assert_allclose(found, np.sqrt(np.ptp(numbers(30, 40) * 2, axis=0)), rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_rows_of_other_dtypes(dtype: str) -> None:
    x = numbers(4, 33, dtype=dtype)
    total = tl.rowwise(lambda row: row / row.sum())(x)
    assert total.dtype is DType.by_name[dtype]
    wide = x.astype(np.float64)
    np.testing.assert_allclose(
        total.astype("float64").numpy(), wide / wide.sum(-1, keepdims=True), rtol=3e-2
    )


def test_rows_compare_select_and_count() -> None:
    @tl.rowwise
    def clipped(row: tl.Row) -> tl.Row:
        limit = row.mean()
        return (row > limit).select(limit, row)

    x = numbers(3, 50)
    mean = x.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(clipped(x).numpy(), np.minimum(x, mean), rtol=1e-4, atol=1e-6)
    positive = tl.rowwise(lambda row: (row > 0).cast("int64").sum())
    assert positive(x).tolist() == (x > 0).sum(axis=1).tolist()
    assert tl.rowwise(lambda row: (row > 9).any())(x).tolist() == [False] * 3


def test_errors_of_functions_of_rows() -> None:
    with pytest.raises(ShapeError, match=r"spread: got shape \(\), needed at least one axis"):
        spread(1.0)
    with pytest.raises(KernelError, match="rowwise: lambda returned int, needed a row or a scalar"):
        tl.rowwise(lambda row: 3)(np.ones(4))
    with pytest.raises(KernelError, match="mean: got a row of int64, needed floats"):
        tl.rowwise(lambda row: row.mean())(np.arange(4))
    with pytest.raises(KernelError, match="map: got int, needed a SIMD value for each row"):
        tl.rowwise(lambda row: row.map(lambda x: 3))(np.ones(4))
    with pytest.raises(KernelError, match="spread: got no operands, needed at least one tensor"):
        spread()


def test_the_meaning_of_plans_knows_folds_scans_and_rows() -> None:
    x, pending = data(numbers(6, 7)), tl.zeros((2, 3000), dtype="float32")
    fold = tl.reduce(greatest, pending, identity=-9, axis=1).node.op
    total = node(fold, x, axes=(1,), keepdims=False)
    running = node(tl.scan(add, pending, identity=0, axis=1).node.op, x, axis=0, exclusive=True)
    scaled = node(rms_norm(pending, 1.0).node.op, x, x, axis=1, is_row=True)
    outputs = [node("negative", n) for n in (total, running, scaled)]
    plan = Planned(outputs)
    same(plan(), meaning(outputs))
    assert sorted(plan.steps) == ["reduce", "rowwise", "scan"]


# --- generators inside a kernel ---


@tl.kernel
def generated(total: tl.Tile, running: tl.Tile, squares: tl.Tile, x: tl.Tile) -> None:
    def put(where: list[tl.SIMD]) -> None:
        (i,) = where

        def element(inner: list[tl.SIMD], lanes: int) -> tl.SIMD:
            return x.load[lanes](i, *inner)

        total[i] = generate.reduce(greatest, element, x.shape[1:], x.dtype, identity=-9.0)
        generate.scan(
            add, lambda j: x[i, j], lambda j, v: running.store[1](i, j, v), x.shape[1], x[i, 0] * 0
        )

    generate.rowwise([x.shape[0]], put)


@tl.kernel
def squared(out: tl.Tile, x: tl.Tile) -> None:
    def put(i: tl.SIMD, j: tl.SIMD) -> None:
        out[i, j] = x[i, j] * x[i, j]

    generate.map(x.shape, put)


@pytest.mark.parametrize("shape", [(1, 1), (3, 7), (5, 300)])
def test_generators_inside_a_kernel(shape: tuple[int, int]) -> None:
    x = numbers(*shape)
    total, running, squares = np.zeros(shape[0], np.float32), np.zeros_like(x), np.zeros_like(x)
    generated.interpret(total, running, squares, x)
    squared.interpret(squares, x)
    np.testing.assert_array_equal(total, x.max(axis=1))
    np.testing.assert_array_equal(running, np.cumsum(x, axis=1))
    np.testing.assert_array_equal(squares, x * x)


def test_a_generated_fold_needs_where_to_start() -> None:
    @tl.kernel
    def endless(out: tl.Tile, x: tl.Tile) -> None:
        out[0] = generate.reduce(add, lambda w, lanes: x.load[lanes](*w), x.shape, x.dtype)

    with pytest.raises(KernelError, match="reduce: got a function without its identity, needed"):
        endless.ir(numbers(1), numbers(4))
