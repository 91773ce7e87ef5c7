"""Which graphs become which kernels, and that every plan means what NumPy means."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tensorlib.dtypes import DType
from tensorlib.graph.compile import run_nodes
from tensorlib.graph.node import Node
from tensorlib.ops.packed import pack
from tensorlib.tests.plan_backend import (
    PlanBackend,
    Planned,
    data,
    floats,
    meaning,
    node,
    number,
    same,
    span,
    wide,
)

F32, F64, I64 = DType.float32, DType.float64, DType.int64


def check(*outputs: Node, steps: list[str] | None = None) -> Planned:
    plan = Planned(outputs)
    expected = meaning(outputs)
    same(plan(), expected)
    same(plan(), expected)  # again, over used memory
    if steps is not None:
        assert plan.steps == steps
    return plan


def normed(x: Node, weight: Node) -> Node:
    mean = node("mean", node("multiply", x, x), axes=(1,), keepdims=True)
    scale = node("rsqrt", node("add", mean, number(1e-5, mean.shape)))
    scaled = node("multiply", x, wide(scale, x.shape))
    return node("multiply", scaled, wide(weight, x.shape))


# --- what fuses ---


def test_a_chain_of_elementwise_operations_is_one_kernel_of_rank_one() -> None:
    x, y = floats(4, 6), floats(4, 6, seed=1)
    chain = node("add", node("multiply", node("silu", x), y), number(0.3, (4, 6)))
    plan = check(chain, steps=["elementwise"])
    assert str(plan.specs[0]) == (
        "elementwise1 float32[1] = add(multiply(silu(load0:float32), load1:float32), "
        "cast_float32(scalar0:float64)); load0: float32[1]; load1: float32[1]"
    )


def test_movements_between_elementwise_operations_cost_no_kernel() -> None:
    x = floats(3, 4)
    turned = node("permute_dims", node("exp", x), axes=(1, 0))
    cut = node("slice", turned, starts=(3, 1), steps=(-1, 1), shape=(4, 2))
    flat = node("reshape", node("negative", cut), shape=(8,))
    check(flat, steps=["elementwise"])


def test_a_residual_add_is_done_by_the_matmul() -> None:
    x, w, r = floats(5, 8), floats(6, 8, seed=1), floats(5, 6, seed=2)
    product = node("matmul", x, node("permute_dims", w, axes=(1, 0)))
    check(node("add", r, product), steps=["matmul"])


def test_swiglu_is_two_matmuls() -> None:
    x, a, b = floats(5, 8), floats(8, 6, seed=1), floats(8, 6, seed=2)
    gate = node("silu", node("matmul", x, a))
    check(node("multiply", gate, node("matmul", x, b)), steps=["matmul", "matmul"])


def test_scale_and_mask_are_done_by_the_softmax() -> None:
    scores = floats(2, 3, 4)
    scaled = node("multiply", scores, number(0.125, (2, 3, 4)))
    columns = node("reshape", span(0, 1, 4), shape=(1, 4))
    rows = node("reshape", span(1, 1, 3), shape=(3, 1))
    seen = node("less_equal", wide(columns, (3, 4)), wide(rows, (3, 4)))
    masked = node("where", wide(seen, (2, 3, 4)), scaled, number(float("-inf"), (2, 3, 4)))
    check(node("softmax", masked, axis=2), steps=["softmax"])


def test_rms_norm_is_one_kernel() -> None:
    plan = check(normed(floats(5, 8), floats(8, seed=1)), steps=["reduce"])
    assert plan.specs[0].spread is not None


def test_a_reduction_of_a_whole_large_array_is_not_spread() -> None:
    x = floats(200, 100)
    total = node("sum", x, axes=(0, 1), keepdims=True)
    check(node("divide", x, wide(total, (200, 100))), steps=["reduce", "elementwise"])


def test_a_reduction_takes_what_comes_before_and_after_it() -> None:
    x = floats(4, 5)
    total = node("sum", node("exp", x), axes=(0,), keepdims=False)
    check(node("log", total), steps=["reduce"])


def test_expensive_values_with_two_users_are_computed_once() -> None:
    x = floats(40, 50)
    costly = node("exp", x)
    both = node("matmul", costly, node("permute_dims", costly, axes=(1, 0)))
    check(both, node("sum", costly, axes=(0,), keepdims=False),
          steps=["elementwise", "matmul", "reduce"])  # fmt: skip


def test_cheap_values_are_computed_by_each_user() -> None:
    x = floats(4, 5)
    half = node("multiply", x, number(0.7, (4, 5)))
    total = node("sum", half, axes=(0,), keepdims=False)
    check(total, node("max", half, axes=(1,), keepdims=False), steps=["reduce", "reduce"])


def test_widening_casts_are_done_by_the_matmul() -> None:
    x = floats(4, 8)
    w = data(np.random.default_rng(1).standard_normal((8, 6)).astype(np.float16))
    plan = check(node("matmul", x, node("cast", w, dtype=F32)), steps=["matmul"])
    assert plan.specs[0].b.dtype is DType.float16


def test_cheap_work_on_the_left_operand_is_done_by_the_matmul() -> None:
    x, w = floats(4, 8), floats(8, 6, seed=1)
    plan = check(node("matmul", node("negative", x), w), steps=["matmul"])
    assert str(plan.specs[0].prologue) == "negative(load0:float32)"


@pytest.mark.parametrize("dtype", [DType.q4_0, DType.q4_1, DType.q8_0])
def test_packed_weights_stay_packed_in_matmul_and_take(dtype: DType) -> None:
    blocks = pack(np.random.default_rng(0).standard_normal((6, 64)).astype(np.float32), dtype)
    w = data(blocks, dtype=dtype, shape=(6, 64))
    x, rows = floats(3, 64, seed=1), data(np.array([5, -1, 0, 2]))
    product = node("matmul", x, node("permute_dims", w, axes=(1, 0)))
    check(product, node("take", w, rows, axis=0), steps=["matmul", "take"])


def test_packed_weights_in_other_orders_are_decoded_first() -> None:
    blocks = pack(np.random.default_rng(0).standard_normal((32, 64)).astype(np.float32), DType.q8_0)
    w = data(blocks, dtype=DType.q8_0, shape=(32, 64))
    turned = node("permute_dims", w, axes=(1, 0))
    check(node("matmul", floats(3, 32), w), steps=["elementwise", "take", "matmul"])
    rows = data(np.array([3, 40]))
    check(node("take", turned, rows, axis=0), steps=["elementwise", "take", "take"])
    decoded = node("cast", turned, dtype=F32)
    check(node("add", decoded, floats(64, 32)), steps=["elementwise", "take"])


def test_packed_tensors_are_decoded_by_taking_their_rows() -> None:
    blocks = pack(np.random.default_rng(0).standard_normal((2, 96)).astype(np.float32), DType.q4_0)
    for shape in ((2, 96), (192,), (2, 1, 96)):
        w = data(blocks, dtype=DType.q4_0, shape=shape)
        plan = check(node("cast", w, dtype=F64), steps=["elementwise", "take"])
        assert plan.specs[1].x.dtype is DType.q4_0
    narrow = node("cast", data(blocks, dtype=DType.q4_0, shape=(2, 96)), dtype=DType.float16)
    check(node("negative", narrow), steps=["elementwise", "take"])


def test_products_of_packed_weights_in_float64_decode_them_first() -> None:
    blocks = pack(np.random.default_rng(0).standard_normal((6, 64)).astype(np.float32), DType.q8_0)
    w = node("cast", data(blocks, dtype=DType.q8_0, shape=(6, 64)), dtype=F64)
    x = data(np.random.default_rng(1).standard_normal((3, 64)))
    plan = check(node("matmul", x, node("permute_dims", w, axes=(1, 0))))
    assert plan.steps == ["elementwise", "take", "matmul"]


def test_permuted_views_of_packed_weights_are_read_as_rows() -> None:
    blocks = pack(np.random.default_rng(0).standard_normal((6, 64)).astype(np.float32), DType.q4_1)
    w = data(blocks, dtype=DType.q4_1, shape=(6, 64))
    turned = node("permute_dims", w, axes=(1, 0))
    x = floats(3, 64, seed=1)
    expected = meaning([node("matmul", x, turned), node("cast", turned, dtype=F32)])
    run_nodes([turned], PlanBackend())
    assert turned.op == "data"
    plan = Planned([node("matmul", x, turned), node("cast", turned, dtype=F32)])
    assert plan.specs[0].b.strides == (1, None)
    assert plan.specs[-1].x.strides[-1] == 1
    same(plan(), expected)


def test_batches_join_the_rows_where_the_right_operand_does_not_vary() -> None:
    plan = check(node("matmul", floats(2, 3, 8), floats(8, 6, seed=1)), steps=["matmul"])
    assert plan.specs[0].batch_rank == 0


def test_grouped_query_attention_reads_each_key_head_in_place() -> None:
    q, k = floats(2, 3, 5, 8), floats(2, 1, 7, 8, seed=1)
    plan = check(node("matmul", q, node("permute_dims", k, axes=(0, 1, 3, 2))), steps=["matmul"])
    assert plan.specs[0].batch_rank == 1  # the groups became rows


def test_a_matmul_writes_straight_into_a_permuted_result() -> None:
    x, w = floats(2, 5, 8), floats(2, 8, 4, seed=1)
    heads = node("permute_dims", node("matmul", x, w), axes=(1, 0, 2))
    flat = node("reshape", heads, shape=(5, 8))
    check(node("matmul", flat, floats(8, 3, seed=2)), steps=["matmul", "matmul"])


def test_concat_parts_are_computed_into_their_place() -> None:
    x, y = floats(3, 4), floats(3, 4, seed=1)
    joined = node("concat", node("exp", x), node("matmul", x, floats(4, 4)), y, axis=1)
    check(joined, node("sum", joined, axes=(0,), keepdims=False))
    assert Planned([joined]).steps == ["elementwise", "matmul", "elementwise"]


def test_a_reshape_that_strides_cannot_express_stores_its_input() -> None:
    x = floats(3, 4)
    turned = node("permute_dims", x, axes=(1, 0))
    check(node("sum", node("reshape", turned, shape=(2, 6)), axes=(1,), keepdims=False),
          steps=["elementwise", "reduce"])  # fmt: skip


def test_long_chains_are_cut() -> None:
    x = floats(4)
    for _ in range(120):
        x = node("sin", x)
    assert len(Planned([x]).steps) == 3
    check(x)


def test_kernels_of_too_many_operands_are_split() -> None:
    def turned(k: int) -> Node:
        return node("permute_dims", floats(2, 2, 2, seed=k), axes=(2, 0, 1) if k % 2 else (1, 2, 0))

    total = floats(2, 2, 2)
    for k in range(5):
        term = turned(4 * k)
        for j in range(1, 7):
            term = node("add", term, turned(100 * k + j))
        total = node("add", total, node("multiply", term, node("tanh", term)))
    plan = check(total)
    assert max(len(s.parameters) for s in plan.specs) <= 128
    assert len(plan.steps) > 1


def test_norms_on_a_residual_stream_stay_whole() -> None:
    x, weight = floats(5, 8), floats(8, seed=1)
    for k in range(12):
        w = floats(8, 8, seed=k)
        x = node("add", x, node("matmul", normed(x, weight), w))
    assert Planned([x]).steps == ["reduce", "matmul"] * 12


def test_long_chains_of_shared_values_are_cut() -> None:
    x = floats(4)
    for _ in range(400):
        x = node("multiply", x, node("sigmoid", x))
    check(x)


def test_shared_parts_do_not_explode() -> None:
    x = floats(4)
    for _ in range(60):
        x = node("multiply", node("add", x, x), number(0.5, (4,)))
    check(x)


# --- corners ---


@pytest.mark.parametrize("op", ["sum", "prod", "max", "min", "mean", "any", "all"])
@pytest.mark.parametrize("axes", [(0,), (1,), (0, 2), (0, 1, 2), ()])
@pytest.mark.parametrize("dtype", [np.float32, np.int32, np.bool_, np.float16])
def test_reductions(op: str, axes: tuple[int, ...], dtype: Any) -> None:
    x = np.random.default_rng(0).integers(0, 3, (3, 4, 2)).astype(dtype)
    source = data(x)
    if op == "mean" and np.dtype(dtype).kind in "ib":
        source = node("cast", source, dtype=F64)
    check(node(op, source, axes=axes, keepdims=False), node(op, source, axes=axes, keepdims=True))


@pytest.mark.parametrize("op", ["argmax", "argmin"])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_positions(op: str, axis: int) -> None:
    x = np.random.default_rng(0).integers(0, 3, (3, 4, 2)).astype(np.float32)
    x[1, 2, 0] = np.nan
    found = node(op, data(x), axes=(axis,), keepdims=False)
    check(found, node("add", found, number(1, found.shape, I64)))


def test_empty_and_single_element_tensors() -> None:
    empty = data(np.zeros((0, 3), np.float32))
    check(node("exp", empty), node("sum", empty, axes=(0,), keepdims=False))
    check(node("matmul", empty, floats(3, 2)), node("matmul", floats(2, 0), floats(0, 3)))
    one = data(np.array(3, np.float32))
    check(node("negative", one), node("softmax", node("reshape", one, shape=(1, 1)), axis=1))


def test_outputs_may_be_inputs_constants_views_or_equal() -> None:
    x = floats(2, 3)
    turned = node("permute_dims", x, axes=(1, 0))
    check(x, turned, turned, number(2.5, (2, 2)), span(3, -2, 4), wide(span(0, 1, 3), (2, 3)))


def test_ranges_of_floats_are_computed_in_float64() -> None:
    check(span(0.1, 0.3, 7, F32), span(2, 0.5, 5, F64), steps=["elementwise", "elementwise"])


def test_constants_that_must_be_exact() -> None:
    x = data(np.array([2**40, -5]))
    check(
        node("add", x, number(2**53 + 1, (2,), I64)),
        node("multiply", x, number(-(2**62), (2,), I64)),
    )
    y = data(np.array([2**63 + 1], np.uint64))
    check(node("bitwise_xor", y, number(2**64 - 3, (1,), DType.uint64)))
    check(node("add", floats(2), number(-0.0, (2,))), node("add", floats(2), number(0.1, (2,))))


def test_take_of_the_middle_axis_of_a_view() -> None:
    x = node("permute_dims", floats(2, 5, 3), axes=(2, 1, 0))
    rows = data(np.array([[0, -1], [4, 2]], np.int32))
    picked = node("take", x, rows, axis=1)
    check(node("multiply", picked, number(3.5, picked.shape)), steps=["take"])


def test_half_precision_is_rounded_after_every_operation() -> None:
    x = data(np.random.default_rng(0).standard_normal((4, 8)).astype(np.float16))
    square = node("matmul", x, node("permute_dims", x, axes=(1, 0)))
    check(node("add", square, number(0.1, (4, 4), DType.float16)), steps=["matmul"])
    check(node("softmax", x, axis=0), node("mean", x, axes=(1,), keepdims=False))
