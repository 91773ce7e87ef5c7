"""Every error sentence of the tensor face, raised at the call."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest

import tensorlib as tl
from tensorlib.errors import DTypeError, IndexingError, ShapeError, TensorlibError
from tensorlib.layouts.dim import Dim
from tensorlib.tests.chosen_backend import backend  # noqa: F401

Call = Callable[[], Any]


def x() -> tl.Tensor:
    return tl.zeros((3, 4))


def grow(value: tl.Tensor, other: Any) -> None:
    value += other


ERRORS: list[tuple[type[Exception], Call, str]] = [
    (ShapeError, lambda: x() @ tl.zeros((7, 3)), "matmul: got shapes (3, 4) and (7, 3); the inner sizes 4 and 7 must be equal"),  # noqa: E501
    (ShapeError, lambda: x() @ tl.asarray(1.0), "matmul: got shapes (3, 4) and (); each needs at least one axis"),  # noqa: E501
    (ShapeError, lambda: tl.zeros(4) @ tl.zeros(3), "matmul: got shapes (4,) and (3,); the inner sizes 4 and 3 must be equal"),  # noqa: E501
    (ShapeError, lambda: x() + tl.zeros((3, 3)), "add: got shapes (3, 4) and (3, 3); sizes 4 and 3 on axis -1 must be equal or 1"),  # noqa: E501
    (ShapeError, lambda: x().reshape(5, -1), "reshape: got shape (3, 4) to (5, -1); 12 elements don't fill it, at most one size may be -1"),  # noqa: E501
    (ShapeError, lambda: tl.reshape(x(), (5,)), "reshape: got shape (3, 4) to (5,); 12 elements don't fill 5"),  # noqa: E501
    (ShapeError, lambda: tl.permute_dims(x(), (0, 0)), "permute_dims: got axes (0, 0) for shape (3, 4); needed each of 0 to 1 once"),  # noqa: E501
    (ShapeError, lambda: tl.zeros(3).mT, "matrix_transpose: got shape (3,), needed at least two axes"),  # noqa: E501
    (ShapeError, lambda: tl.squeeze(x(), 0), "squeeze: got shape (3, 4), needed size 1 on axis 0"),
    (ShapeError, lambda: tl.broadcast_to(x(), (3, 5)), "broadcast_to: got shape (3, 4) to (3, 5)"),
    (ShapeError, lambda: x().sum(axis=2), "sum: got axis 2, needed -2 to 1 for 2 axes"),
    (ShapeError, lambda: x().argmax(axis=cast(int, (0, 1))), "argmax: got axis (0, 1), needed one axis or None"),  # noqa: E501
    (ShapeError, lambda: tl.zeros((0,)).max(), "max: got shape (0,), needed at least one element"),
    (ShapeError, lambda: tl.concat([]), "concat: got no tensors, needed at least one"),
    (ShapeError, lambda: tl.concat([x(), tl.zeros(3)]), "concat: got shapes (3, 4) and (3,), needed one number of axes"),  # noqa: E501
    (ShapeError, lambda: tl.stack([x(), tl.zeros(3)]), "stack: got shapes (3, 4) and (3,), needed one shape"),  # noqa: E501
    (ShapeError, lambda: tl.take(x(), tl.asarray([0])), "take: got shape (3, 4) without axis, needed an axis"),  # noqa: E501
    (IndexingError, lambda: tl.take(x(), tl.asarray([0, 9]), axis=0), "take: got index 9, outside an axis of size 3"),  # noqa: E501
    (IndexingError, lambda: x()[3], "index: got 3, outside an axis of size 3"),
    (IndexingError, lambda: x()[0, 0, 0], "index: got 3 indices and 0 ellipses for shape (3, 4)"),
    (IndexingError, lambda: x()[..., ...], "index: got 0 indices and 2 ellipses for shape (3, 4)"),
    (IndexingError, lambda: x()[::0], "index: got a slice with step 0, needed another step"),
    (IndexingError, lambda: x()["a"], "index: got 'a', needed ints, slices, None, ..., one integer tensor or one bool mask"),  # noqa: E501
    (IndexingError, lambda: x()[tl.asarray([True])], "index: got a mask of shape (1,) for axes of shape (3,); they must be equal"),  # noqa: E501
    (IndexingError, lambda: tl.zeros((2, 3, 4))[0, :, [1]], "index: got an int and an index tensor apart from each other; try two steps, as in x[0][:, indices]"),  # noqa: E501
    (DTypeError, lambda: x()[tl.asarray([0]), tl.asarray([0])], "index: got dtype int64 and shape (1,), needed an integer tensor without axes"),  # noqa: E501
    (DTypeError, lambda: [1][tl.asarray(0.5)], "index: got dtype float64 and shape (), needed an integer tensor without axes"),  # noqa: E501
    (DTypeError, lambda: tl.take(x(), tl.asarray([0.5]), axis=0), "take: got indices of dtype float64, needed an integer dtype"),  # noqa: E501
    (DTypeError, lambda: x() & 1, "bitwise_and: got dtype float64, needed an integer dtype or bool; try astype(int64)"),  # noqa: E501
    (DTypeError, lambda: tl.asarray([True]) + tl.asarray([True]), "add: got dtype bool, needed a number; try astype(int64)"),  # noqa: E501
    (DTypeError, lambda: tl.add(x(), "a"), "add: got str, needed a tensor or a number; try tl.asarray"),  # noqa: E501
    (DTypeError, lambda: tl.where(x(), "a", 1), "where: got str, needed a tensor or a number; try tl.asarray"),  # noqa: E501
    (DTypeError, lambda: tl.exp("a"), "exp: got str, needed a tensor; try tl.asarray"),
    (DTypeError, tl.result_type, "result_type: got nothing, needed at least one tensor or dtype"),
    (DTypeError, lambda: len(tl.asarray(1)), "len: got a tensor without axes, needed at least one axis"),  # noqa: E501
    (DTypeError, lambda: tl.full(2, 0, dtype="q4_0"), "full: got packed dtype q4_0, needed an unpacked one"),  # noqa: E501
    (DTypeError, lambda: grow(tl.asarray([1]), 0.5), "+=: got a float64 result for a int64 tensor, which keeps its dtype; try writing it out, as in x = x + y"),  # noqa: E501
    (ShapeError, lambda: grow(tl.zeros(2), tl.zeros((3, 2))), "+=: got a result of shape (3, 2) for a tensor of shape (2,), which keeps its shape"),  # noqa: E501
    (ShapeError, lambda: bool(x()), "item: got shape (3, 4), needed exactly one element; try any() or all() for a truth value, numpy() for all elements"),  # noqa: E501
    (ShapeError, lambda: tl.zeros((2, -1)), "full: got shape (2, -1), needed sizes from 0"),
    (ShapeError, lambda: tl.arange(3, 9, 0), "arange: got step 0, needed another step"),
    (ShapeError, lambda: tl.state((Dim("n"),)), "state: got shape (n,), needed sizes that are numbers"),  # noqa: E501
    (ShapeError, lambda: tl.from_packed(bytes(18), "q4_0", (16,)), "from_packed: got shape (16,), needed a last axis in blocks of 32"),  # noqa: E501
    (ShapeError, lambda: tl.from_packed(bytes(17), "q4_0", (32,)), "from_packed: got 17 bytes, needed 18"),  # noqa: E501
    (ValueError, lambda: np.asarray(x(), copy=False), "array: got copy=False, but the elements must be copied to NumPy"),  # noqa: E501
    (TensorlibError, lambda: tl.asarray([1.0], copy=False), "asarray: got copy=False for data that must be copied; try copy=None"),  # noqa: E501
    (TensorlibError, lambda: tl.asarray(x(), dtype="int8", copy=False), "asarray: got copy=False with another dtype or device; try copy=None"),  # noqa: E501
    (TensorlibError, lambda: tl.update(x(), x(), 0), "update: got a tensor that is not mutable state; make one with tl.state(shape)"),  # noqa: E501
    (DTypeError, lambda: tl.from_packed(bytes(18), "q4_0", (32,)).numpy(), "numpy: got packed dtype q4_0; try astype(float32) first"),  # noqa: E501
    (DTypeError, lambda: tl.from_packed(bytes(18), "q4_0", (32,)) @ tl.zeros((32, 2), dtype="float32"), "matmul of a 1-D operand: got packed dtype q4_0"),  # noqa: E501
    (DTypeError, lambda: tl.from_packed(bytes(18), "q4_0", (32,)) + 1, "add: got packed dtype q4_0"),  # noqa: E501
]  # fmt: skip


@pytest.mark.parametrize(("error", "call", "sentence"), ERRORS, ids=[e[2][:50] for e in ERRORS])
def test_error_sentences(error: type[Exception], call: Call, sentence: str) -> None:
    with pytest.raises(error, match=re.escape(sentence)):
        call()


def test_unknown_operands_are_pythons_type_error() -> None:
    with pytest.raises(TypeError, match="unsupported operand"):
        x() + "a"
    with pytest.raises(TypeError, match="unsupported operand"):
        "a" @ x()


def test_unknown_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="module 'tensorlib' has no attribute 'fill'"):
        tl.fill  # noqa: B018
    assert "matmul" in dir(tl)
