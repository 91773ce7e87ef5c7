"""Tensors compute what NumPy computes: operators, functions, folds, creation, conversion."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tensorlib as tl
from tensorlib.tests.chosen_backend import backend  # noqa: F401

OPERATORS: dict[str, Any] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
    "//": operator.floordiv, "%": operator.mod, "==": operator.eq, "!=": operator.ne,
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
BITS: dict[str, Any] = {
    "&": operator.and_, "|": operator.or_, "^": operator.xor, "<<": operator.lshift,
    ">>": operator.rshift,
}  # fmt: skip
IN_PLACE: dict[str, Any] = {
    "+": operator.iadd, "-": operator.isub, "*": operator.imul, "//": operator.ifloordiv,
    "%": operator.imod, "**": operator.ipow, "&": operator.iand, "|": operator.ior,
    "^": operator.ixor, "<<": operator.ilshift, ">>": operator.irshift,
}  # fmt: skip
DTYPES = ["int8", "uint8", "int32", "int64", "float16", "float32", "float64"]


def sample(shape: tuple[int, ...], dtype: Any, seed: int = 0) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).integers(1, 20, shape).astype(dtype)


def same(got: tl.Tensor, want: Any, rtol: float = 1e-6) -> None:
    want = np.asarray(want)
    assert got.shape == want.shape
    assert got.dtype is tl.DType.by_name[want.dtype.name]
    np.testing.assert_allclose(got.numpy(), want, rtol=rtol)


@pytest.mark.parametrize("sign", OPERATORS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_operators_agree_with_numpy(sign: str, dtype: str) -> None:
    a, b = sample((3, 4), dtype), sample((3, 4), dtype, 1)
    apply = OPERATORS[sign]
    want = apply(a, b)
    if sign == "/" and dtype == "int8":
        want = want.astype(np.float64)  # integers divide in float64, whatever their size
    same(apply(tl.asarray(a), tl.asarray(b)), want, 1e-3 if dtype == "float16" else 1e-6)


@pytest.mark.parametrize("sign", BITS)
def test_bit_operators_agree_with_numpy(sign: str) -> None:
    a, b = sample((9,), np.int32), sample((9,), np.int32, 1)
    same(BITS[sign](tl.asarray(a), tl.asarray(b)), BITS[sign](a, b))
    same(BITS[sign](3, tl.asarray(b)), BITS[sign](3, b))
    same(~tl.asarray(a), ~a)


@pytest.mark.parametrize("sign", [*OPERATORS, "**"])
def test_scalars_and_arrays_on_either_side(sign: str) -> None:
    a = sample((5,), np.float32)
    apply = OPERATORS.get(sign, operator.pow)
    x = tl.asarray(a)
    same(apply(x, 3), apply(a, 3), 1e-5)
    same(apply(2.5, x), apply(2.5, a), 1e-5)
    same(apply(x, a), apply(a, a), 1e-5)
    same(apply(a, x), apply(a, a), 1e-5)
    same(apply(x, np.float64(3)), apply(a, np.float64(3)), 1e-5)


@pytest.mark.parametrize("sign", IN_PLACE)
def test_in_place_operators_keep_the_dtype_and_the_tensor(sign: str) -> None:
    a = sample((4,), np.int16)
    x = before = tl.asarray(a)
    x = IN_PLACE[sign](x, 2)
    assert x is before
    same(x, IN_PLACE[sign](a.copy(), np.int16(2)))


def test_in_place_true_division_and_matmul() -> None:
    x = tl.asarray([[2.0, 4.0], [6.0, 8.0]], dtype="float32")
    y = x
    x /= 2
    x @= tl.eye(2, dtype="float32")
    assert x is y
    same(x, np.array([[1, 2], [3, 4]], np.float32))


def test_what_was_computed_before_an_in_place_operator_stays() -> None:
    x = tl.asarray([1.0, 2.0])
    double, first = x * 2, x[0]
    x += 100
    same(double, np.array([2.0, 4.0]))
    same(first, np.array(1.0))
    same(x, np.array([101.0, 102.0]))


SHAPES = st.sampled_from([(), (1,), (4,), (3, 1), (1, 4), (3, 4), (2, 3, 4), (2, 1, 1)])


@given(SHAPES, SHAPES, st.sampled_from(DTYPES), st.sampled_from(DTYPES))
def test_broadcasting_and_promotion_agree_with_numpy(
    left: tuple[int, ...], right: tuple[int, ...], one: str, other: str
) -> None:
    a, b = sample(left, one), sample(right, other, 1)
    same(tl.asarray(a) + tl.asarray(b), np.asarray(a + b), 1e-3)
    same(tl.where(tl.asarray(a) > 9, tl.asarray(a), tl.asarray(b)), np.where(a > 9, a, b), 1e-3)


UNARY = [
    "abs", "ceil", "exp", "floor", "isfinite", "log", "negative", "reciprocal", "round", "sign",
    "sin", "cos", "sqrt", "square", "tanh", "trunc",
]  # fmt: skip


@pytest.mark.parametrize("name", UNARY)
def test_functions_of_one_tensor(name: str) -> None:
    a = sample((3, 5), np.float32) / 7
    same(getattr(tl, name)(tl.asarray(a)), getattr(np, name)(a), 1e-5)


def test_functions_that_numpy_lacks() -> None:
    a = np.linspace(-20, 20, 41)
    x = tl.asarray(a)
    same(tl.sigmoid(x), 1 / (1 + np.exp(-a)))
    same(tl.silu(x), a / (1 + np.exp(-a)))
    same(tl.rsqrt(x + 21), 1 / np.sqrt(a + 21))
    powers = np.exp(a - a.max())
    same(tl.softmax(x), powers / powers.sum())
    same(tl.softmax(tl.asarray([1, 1])), np.array([0.5, 0.5]))
    same(tl.softmax(tl.asarray(3.0)), np.array(1.0))
    assert tl.isnan(tl.asarray([1.0, tl.nan])).tolist() == [False, True]
    assert tl.isinf(tl.asarray([1.0, -tl.inf])).tolist() == [False, True]


def test_logic() -> None:
    a, b = np.array([0, 1, 0, 2]), np.array([0, 0, 3.0, 4])
    for name in ("logical_and", "logical_or", "logical_xor"):
        same(getattr(tl, name)(tl.asarray(a), tl.asarray(b)), getattr(np, name)(a, b))
    same(tl.logical_not(tl.asarray(a)), np.logical_not(a))
    same(tl.maximum(tl.asarray(a), 1), np.maximum(a, 1))
    same(tl.minimum(tl.asarray(b), 1), np.minimum(b, 1))


FOLDS = ["sum", "prod", "mean", "max", "min", "argmax", "argmin", "any", "all"]


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [None, 0, 1, -1])
@pytest.mark.parametrize("name", FOLDS)
def test_folds_agree_with_numpy(name: str, axis: int | None, keepdims: bool) -> None:
    for dtype in ("int8", "float32", "bool"):
        a = (np.random.default_rng(4).integers(0, 3, (2, 3, 4)) * 2).astype(dtype)
        if dtype == "bool" and name in ("max", "min"):
            continue
        want = np.asarray(getattr(np, name)(a, axis=axis, keepdims=keepdims))
        same(getattr(tl, name)(tl.asarray(a), axis=axis, keepdims=keepdims), want)
        same(getattr(tl.asarray(a), name)(axis=axis, keepdims=keepdims), want)


def test_folds_over_several_axes_none_and_another_dtype() -> None:
    a = sample((2, 3, 4), np.float32)
    x = tl.asarray(a)
    same(x.sum(axis=(0, 2)), a.sum(axis=(0, 2)))
    same(x.max(axis=(-1, 0), keepdims=True), a.max(axis=(-1, 0), keepdims=True))
    same(x.sum(axis=()), a)
    same(tl.asarray(a[0, 0, 0]).sum(), a[0, 0, 0])
    same(x.sum(dtype=tl.float64), a.sum(dtype=np.float64))
    same(tl.sum(tl.asarray([True, True]), dtype="int8"), np.array(2, np.int8))
    same(tl.zeros((0, 3)).sum(axis=0), np.zeros(3))


MATRICES = [
    ((3, 4), (4, 5)), ((4,), (4, 5)), ((3, 4), (4,)), ((4,), (4,)), ((2, 1, 3, 4), (5, 4, 2)),
    ((0, 4), (4, 2)), ((3, 0), (0, 2)),
]  # fmt: skip


@pytest.mark.parametrize(("left", "right"), MATRICES)
def test_matmul_agrees_with_numpy(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    a, b = sample(left, np.float32), sample(right, np.float64, 1)
    same(tl.asarray(a) @ tl.asarray(b), a @ b)
    same(tl.asarray(b).__rmatmul__(a), a @ b)
    assert isinstance(a @ tl.asarray(b), tl.Tensor)
    same(tl.matmul(tl.asarray(a.astype(np.int8)), tl.asarray(b)), a.astype(np.int8) @ b)


def test_reshaping_functions_agree_with_numpy() -> None:
    a = sample((2, 3, 4), np.int64)
    x = tl.asarray(a)
    same(tl.reshape(x, (4, -1)), a.reshape(4, -1))
    same(x.reshape(6, 4), a.reshape(6, 4))
    same(x.reshape(-1), a.reshape(-1))
    same(tl.permute_dims(x, (2, 0, 1)), a.transpose(2, 0, 1))
    same(x.transpose(1, 0, 2), a.transpose(1, 0, 2))
    same(x.T, a.T)
    same(x.mT, a.swapaxes(1, 2))
    same(tl.matrix_transpose(x), a.swapaxes(1, 2))
    same(tl.broadcast_to(x, (5, 2, 3, 4)), np.broadcast_to(a, (5, 2, 3, 4)))
    same(tl.squeeze(x[:1], 0), a[0])
    same(x[:1].squeeze(0), a[0])
    same(tl.expand_dims(x, (0, -1)), a[None, ..., None])
    same(tl.flip(x), a[::-1, ::-1, ::-1])
    same(tl.flip(x, axis=1), a[:, ::-1])
    same(tl.concat([x, x + 0.5], axis=-1), np.concatenate([a, a + 0.5], axis=-1))
    same(tl.concat([x, x], axis=None), np.concatenate([a, a], axis=None))
    same(tl.concat([x]), a)
    same(tl.stack([x, -x], axis=2), np.stack([a, -a], axis=2))


def test_creation() -> None:
    same(tl.asarray([[1, 2], [3, 4]]), np.array([[1, 2], [3, 4]]))
    same(tl.asarray([1.5], dtype="float32"), np.array([1.5], np.float32))
    same(tl.asarray(3), np.array(3))
    same(tl.asarray(2.7, dtype="int8"), np.array(2, np.int8))
    same(tl.asarray(np.arange(3, dtype=">i4")), np.arange(3, dtype=np.int32))
    same(tl.zeros(3), np.zeros(3))
    same(tl.ones((2, 1), dtype=tl.int32), np.ones((2, 1), np.int32))
    same(tl.full((2,), True), np.full((2,), True))
    same(tl.full(2, 1.5), np.full(2, 1.5))
    same(tl.empty((0, 2)), np.empty((0, 2)))
    same(tl.arange(5), np.arange(5))
    same(tl.arange(7, 1, -2), np.arange(7, 1, -2))
    same(tl.arange(5, 1), np.arange(5, 1))
    same(tl.arange(0, 1, 0.25), np.arange(0, 1, 0.25))
    same(tl.arange(3, dtype="float32"), np.arange(3, dtype=np.float32))
    same(tl.linspace(0, 1, 5), np.linspace(0, 1, 5))
    same(tl.eye(2, 3, k=1), np.eye(2, 3, k=1))
    x = tl.ones((2, 2), dtype="float32")
    same(tl.zeros_like(x), np.zeros((2, 2), np.float32))
    same(tl.ones_like(x, dtype="int8"), np.ones((2, 2), np.int8))
    same(tl.full_like(x, 3), np.full((2, 2), 3, np.float32))
    same(tl.empty_like(x) * 0, np.zeros((2, 2), np.float32))
    same(tl.asarray(x, dtype="float64", copy=True), np.ones((2, 2)))
    same(tl.asarray(x, copy=True), np.ones((2, 2), np.float32))


def test_arrays_are_copied_in_and_out() -> None:
    a = np.arange(4.0)
    x = tl.asarray(a)
    a[0] = 100
    out = x.numpy()
    out[1] = 100
    same(x, np.arange(4.0))
    same(tl.asarray(a[::2], copy=None), a[::2])
    assert np.asarray(x, dtype=np.float32).dtype == np.float32
    lent = tl.asarray(np.arange(3.0), copy=False)
    same(lent, np.arange(3.0))


def test_python_conversions() -> None:
    assert float(tl.asarray([2.5])) == 2.5
    assert int(tl.asarray(7)) == 7
    assert bool(tl.asarray([[0]])) is False
    assert [10, 11, 12][tl.asarray(1)] == 11
    assert tl.asarray([1, 2]).tolist() == [1, 2]
    assert len(tl.zeros((3, 2))) == 3
    assert [t.tolist() for t in tl.asarray([[1, 2], [3, 4]])] == [[1, 2], [3, 4]]
    assert type(tl.asarray(True).item()) is bool


def test_attributes() -> None:
    x = tl.zeros((2, 3), dtype="bfloat16")
    assert (x.shape, x.ndim, x.size, x.dtype) == ((2, 3), 2, 6, tl.bfloat16)
    assert x.to_device(x.device) is x
    assert str(x.device).startswith(x.device.backend)
    with pytest.raises(TypeError, match="unhashable"):
        hash(x)


def test_text() -> None:
    assert repr(tl.asarray([[1.5, 2.0]])) == "tensor([[1.5, 2. ]], dtype=float64)"
    assert repr(tl.asarray([1.0], dtype="bfloat16")) == "tensor([1.], dtype=bfloat16)"
    assert repr(tl.zeros((0, 2), dtype="int8")) == "tensor([], shape=(0, 2), dtype=int8)"
    assert repr(tl.asarray([True])) == "tensor([ True], dtype=bool)"


def test_dtypes_convert() -> None:
    x = tl.asarray([1.7, -1.7, 300.0])
    assert x.astype("int8").tolist() == [1, -1, 127]
    assert tl.astype(x, tl.bool).tolist() == [True] * 3
    assert (x.astype(tl.bfloat16) + x.astype(tl.float16)).dtype is tl.float32
    assert tl.result_type(x, tl.complex64) is tl.complex128
    assert complex(x[0]) == 1.7
    same(tl.positive(x), x.numpy())


def test_complex_numbers_are_the_reference_backends() -> None:
    x = tl.asarray([3 + 4j], device="reference")
    same(x * 2, np.array([6 + 8j]))
    same(tl.abs(x), np.array([5.0]))
    same(tl.asarray([1.0], device="reference") + 1j, np.array([1 + 1j]))
