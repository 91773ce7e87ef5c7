"""Simplification: what each rule does, and that none of them changes a bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorlib.dtypes import DType
from tensorlib.errors import ShapeError
from tensorlib.graph.node import Node, topological
from tensorlib.graph.rule_table import Make
from tensorlib.graph.rules import graph_rule, lossless
from tensorlib.graph.simplify import simplified
from tensorlib.tests.plan_backend import DEVICE, Planned, data, meaning, node

F16, F32, F64, I8, I32 = (
    DType.float16, DType.float32, DType.float64, DType.int8, DType.int32
)  # fmt: skip
HARD = [0.0, -0.0, 1.5, -2.0, float("inf"), float("-inf"), float("nan"), 1e-45, 3e38]


def hard(dtype: Any = np.float32) -> Node:
    if dtype == np.int32:
        return data(np.array([0, 1, -7, 2**31 - 1], dtype))
    with np.errstate(over="ignore"):
        return data(np.array(HARD).astype(dtype))


def number(value: Any, like: Node, dtype: DType | None = None) -> Node:
    attributes = {"value": value, "shape": like.shape, "dtype": dtype or like.dtype}
    return Node("constant", (), attributes, like.shape, dtype or like.dtype, DEVICE)


def ops(root: Node) -> list[str]:
    return [n.op for n in topological(simplified([root]))]


def bits(array: np.ndarray[Any, Any]) -> bytes:
    return np.where(array != array, np.array(np.nan, array.dtype), array).tobytes() \
        if array.dtype.kind == "f" else array.tobytes()  # fmt: skip


def check(root: Node, expected: list[str]) -> None:
    """The graph becomes these ops, of the same bits."""
    (new,) = simplified([root])
    assert [n.op for n in topological([new])] == expected
    (before,), (after,) = meaning([root]), meaning([new])
    assert bits(before) == bits(after)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, np.int32])
def test_neutral_elements_vanish(dtype: Any) -> None:
    x = hard(dtype)
    check(node("multiply", x, number(1, x)), ["data"])
    check(node("multiply", number(1, x), x), ["data"])
    check(node("subtract", x, number(0, x)), ["data"])
    if x.dtype.is_float:
        check(node("add", x, number(-0.0, x)), ["data"])
        check(node("divide", x, number(1.0, x)), ["data"])
    else:
        check(node("add", number(0, x), x), ["data"])
        check(node("floor_divide", x, number(1, x)), ["data"])


def test_the_sign_of_zero_is_kept() -> None:
    x = hard()
    check(node("add", x, number(0.0, x)), ["data", "constant", "add"])
    check(node("subtract", x, number(-0.0, x)), ["data", "constant", "subtract"])
    check(node("multiply", x, number(0.0, x)), ["data", "constant", "multiply"])


def test_involutions_and_absolute_values() -> None:
    x = hard()
    check(node("negative", node("negative", x)), ["data"])
    check(node("abs", node("negative", x)), ["data", "abs"])
    check(node("abs", node("abs", x)), ["data", "abs"])
    truth = node("isnan", x)
    check(node("logical_not", node("logical_not", truth)), ["data", "isnan"])


def test_known_choices_are_made() -> None:
    x = hard()
    y = node("negative", x)
    check(node("where", number(True, x, DType.bool), x, y), ["data"])
    check(node("where", number(False, x, DType.bool), x, y), ["data", "negative"])
    check(node("where", node("isnan", x), y, y), ["data", "negative"])


@pytest.mark.parametrize(("path", "left"), [
    ((F32,), 0), ((F64, F32), 0), ((F64, F16), 1), ((F64,), 1), ((F16, F32), 2), ((I32, F32), 2),
    ((DType.bool, F32), 2),
])  # fmt: skip
def test_detours_of_casts_are_left_out(path: tuple[DType, ...], left: int) -> None:
    x = hard()
    for dtype in path:
        x = node("cast", x, dtype=dtype)
    check(x, ["data", *["cast"] * left])


REAL = st.sampled_from([d for d in DType.by_name.values() if d.kind not in ("packed", "complex")])


@given(REAL, REAL)
def test_lossless_casts_come_back(source: DType, target: DType) -> None:
    if not lossless(source, target):
        return
    values = np.array([0, 1, 2, 3, 100]).astype(source.numpy)
    if source.kind == "signed":
        limits = np.iinfo(source.numpy)
        values = np.array([limits.min, -1, 0, limits.max], source.numpy)
    x = data(values)
    (back,) = meaning([node("cast", node("cast", x, dtype=target), dtype=source)])
    assert back.tobytes() == values.tobytes()


def test_movements_join() -> None:
    x = data(np.arange(24.0).reshape(2, 3, 4))
    turned = node("permute_dims", node("permute_dims", x, axes=(2, 0, 1)), axes=(1, 2, 0))
    check(turned, ["data"])
    check(node("reshape", node("reshape", x, shape=(4, 6)), shape=(2, 3, 4)), ["data"])
    wide = node("broadcast_to", node("broadcast_to", x, shape=(5, 2, 3, 4)), shape=(6, 5, 2, 3, 4))
    check(wide, ["data", "broadcast_to"])
    cut = node("slice", x, starts=(1, 2, 3), steps=(1, -1, -2), shape=(1, 3, 2))
    check(
        node("slice", cut, starts=(0, 1, 1), steps=(1, 1, -1), shape=(1, 2, 2)), ["data", "slice"]
    )
    check(node("slice", x, starts=(0, 0, 0), steps=(1, 1, 1), shape=(2, 3, 4)), ["data"])


def test_constants_fold_where_the_meaning_is_exact() -> None:
    x = hard()
    one = number(0.1, x)
    check(node("multiply", node("add", one, one), number(3.0, x)), ["constant"])
    check(node("cast", number(300, x, I32), dtype=I8), ["constant"])
    check(node("reshape", node("less", one, number(1.0, x)), shape=(3, 3)), ["constant"])
    assert ops(node("exp", one)) == ["constant", "exp"]


def test_constants_fold_to_the_sign_of_zero_and_to_nan() -> None:
    x = hard()
    check(node("negative", number(0.0, x)), ["constant"])
    check(node("divide", number(0.0, x), number(0.0, x)), ["constant"])


def test_equal_nodes_become_one() -> None:
    x = hard()
    both = node("add", node("exp", x), node("exp", data_again(x)))
    assert ops(both) == ["data", "exp", "add"]
    signs = node("add", node("multiply", x, number(0.0, x)), node("multiply", x, number(-0.0, x)))
    check(signs, ["data", "constant", "multiply", "constant", "multiply", "add"])


def data_again(x: Node) -> Node:
    other = Node("data", (), {}, x.shape, x.dtype, x.device)
    assert x.storage is not None
    other.realised(x.storage)
    return other


def test_joins_of_one_part_and_of_empty_parts() -> None:
    x, empty = data(np.ones((2, 3))), data(np.ones((0, 3)))
    check(node("concat", empty, x, empty, axis=0), ["data"])
    check(node("concat", x, empty, x, axis=0), ["data", "concat"])


def test_taking_comes_before_casting() -> None:
    x, rows = data(np.ones((5, 3), np.float16)), data(np.array([1, 2]))
    check(node("take", node("cast", x, dtype=F32), rows, axis=0), ["data", "data", "take", "cast"])


def test_users_register_rules() -> None:
    @graph_rule("sqrt")
    def root_of_square(found: Node, make: Make) -> Node | None:
        (source,) = found.inputs
        return make("abs", source.inputs) if source.op == "square" else None

    x = data(np.array([1.5, -2.0]))
    root = node("sqrt", node("square", x))
    with root_of_square:
        assert str(Planned([root]).specs[0].expression) == "abs(load0:float64)"
    assert str(Planned([root]).specs[0].expression) == "sqrt(square(load0:float64))"


def test_rules_must_keep_shape_and_dtype() -> None:
    @graph_rule("tanh")
    def narrow(found: Node, make: Make) -> Node | None:
        return make("cast", found.inputs, {"dtype": F16})

    message = "rule narrow: got float16\\[2\\] for tanh, needed float64\\[2\\]"
    with narrow, pytest.raises(ShapeError, match=message):
        simplified([node("tanh", data(np.array([1.5, -2.0])))])
