"""Expressions and specs: interned, hashable, readable, and with their arguments in order."""

from __future__ import annotations

import pickle

import pytest

from tensorlib.dtypes import DType
from tensorlib.kernels.expression import Apply, Expression, Leaf, evaluate, leaves, nodes
from tensorlib.kernels.specs import (
    Access,
    ElementwiseSpec,
    MatmulSpec,
    ReduceSpec,
    SoftmaxSpec,
    Spec,
    TakeSpec,
)

F32, F64, I64 = DType.float32, DType.float64, DType.int64
X, Y = Leaf("load", 0, F32), Leaf("load", 1, F32)
MAIN = Leaf("main", 0, F32)


def add(a: Expression, b: Expression) -> Apply:
    return Apply("add", (a, b), F32)


def test_equal_expressions_are_one_object() -> None:
    assert add(X, Y) is add(Leaf("load", 0, F32), Leaf("load", 1, F32))
    assert add(X, Y) is not add(Y, X)
    assert pickle.loads(pickle.dumps(add(X, Y))) is add(X, Y)


@pytest.mark.parametrize(("a", "b"), [(0.0, -0.0), (1, 1.0), (1, True), (1j, 1.0)])
def test_constants_that_only_look_equal_differ(a: complex, b: complex) -> None:
    assert Leaf("constant", 0, F32, a) is not Leaf("constant", 0, F32, b)


def test_nan_constants_are_one() -> None:
    first, second = float("nan"), float("nan")
    assert first is not second
    assert Leaf("constant", 0, F32, first) is Leaf("constant", 0, F32, second)


def test_shared_parts_are_evaluated_and_printed_once() -> None:
    shared: Expression = X
    for _ in range(100):
        shared = add(shared, shared)
    calls: list[Apply] = []

    def count(part: Apply, given: tuple[int, ...]) -> int:
        calls.append(part)
        return sum(given)

    assert evaluate(shared, lambda leaf: 1, count) == 2**100
    assert len(calls) == 100
    assert len(str(shared)) < 3000
    assert str(add(add(X, Y), add(X, Y))) == ("t0 = add(load0:float32, load1:float32); add(t0, t0)")


def test_leaves_come_in_order_of_use() -> None:
    tree = add(Y, add(X, Leaf("constant", 0, F32, 1.0)))
    assert leaves(tree, "load") == [Y, X]
    assert list(nodes(tree))[-1] is tree


ROW = Access(F32, (None, 1))
COLUMN = Access(F32, (0, 1))
CUBE = Access(F32, (None, None, 1))


@pytest.mark.parametrize(
    ("spec", "names"),
    [
        (
            ElementwiseSpec(2, add(X, Y), (ROW, COLUMN), (F64, I64), ROW),
            "n0 n1 out_pointer out_offset out_stride0 load0_pointer load0_offset load0_stride0 "
            "load1_pointer load1_offset scalar0 scalar1",
        ),
        (
            ReduceSpec("sum", 1, 1, F32, X, add(MAIN, X), None, (ROW,), (Access(F32, (1,)),),
                       (), Access(F32, (1,))),
            "n0 m0 out_pointer out_offset load0_pointer load0_offset load0_stride0 "
            "epilogue_load0_pointer epilogue_load0_offset",
        ),
        (
            MatmulSpec(1, F32, CUBE, Access(DType.q4_1, (0, 1, None)), None, add(MAIN, X),
                       (CUBE,), (), CUBE),
            "b0 M N K out_pointer out_offset out_stride0 out_stride1 a_pointer a_offset a_stride0 "
            "a_stride1 b_pointer b_offset b_stride2 load0_pointer load0_offset load0_stride0 "
            "load0_stride1",
        ),
        (
            SoftmaxSpec(1, F32, X, MAIN, (ROW,), (F64,), ROW),
            "n0 m0 out_pointer out_offset out_stride0 load0_pointer load0_offset load0_stride0 "
            "scalar0",
        ),
        (
            TakeSpec(2, COLUMN, Access(I64, (1, 0)), MAIN, (), (F64,), ROW),
            "n0 n1 size out_pointer out_offset out_stride0 x_pointer x_offset indices_pointer "
            "indices_offset axis_stride scalar0",
        ),
    ],
)  # fmt: skip
def test_arguments_of_specs(spec: Spec, names: str) -> None:
    assert [p.name for p in spec.parameters] == names.split()
    assert all(p.dtype is I64 for p in spec.parameters if p.kind in ("size", "offset", "stride"))
    assert hash(spec) == hash(pickle.loads(pickle.dumps(spec)))
