"""The builder folds constants exactly and shares equal values, but never values that only look
equal.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorlib.dtypes import DType
from tensorlib.errors import KernelError
from tensorlib.ir import INDEX, Builder, Placement, VectorType, walk
from tensorlib.ir.builder import constant_of, current_builder
from tensorlib.ir.ops import ROWS
from tensorlib.lang.trace import trace
from tensorlib.simd import SIMD
from tensorlib.tests.compiled_kernels import same
from tensorlib.tests.random_kernels import DTYPES, hostile
from tensorlib.tile import Tile, TileType

F32x2 = VectorType(DType.float32, 2)


def test_equal_pure_values_are_one() -> None:
    builder = Builder()
    with builder.block([INDEX, INDEX]) as block:
        a, b = block.parameters
        assert builder.value("add", a, b) is builder.value("add", a, b)
        assert builder.value("add", a, b) is not builder.value("add", b, a)
        assert builder.constant(3) is builder.constant(3)


def test_values_that_look_equal_are_not_shared() -> None:
    builder = Builder()
    with builder.block():
        pairs: list[tuple[object, object, VectorType]] = [
            ((0.0, 1.0), (-0.0, 1.0), F32x2),
            (0.0, -0.0, VectorType(DType.float64)),
        ]
        for left, right, kind in pairs:
            a, b = builder.constant(left, kind), builder.constant(right, kind)
            assert a is not b
            assert np.signbit(constant_of(b)).any()
        one = builder.constant(1, VectorType(DType.int8))
        assert one is not builder.constant(1, VectorType(DType.int16))
        assert one is not builder.constant(True, VectorType(DType.bool))


def test_loads_are_not_shared() -> None:
    builder = Builder()
    with builder.block() as block:
        attributes = {"dtype": DType.float32, "size": 2, "placement": Placement.REGISTER}
        pointer = builder.emit("alloc", (), attributes)[0]
        zero = builder.constant(0)
        kind = VectorType(DType.float32)
        loads = [builder.emit("load", [pointer, zero], {"type": kind})[0] for _ in range(2)]
        assert loads[0] is not loads[1]
    assert [o.name for o in block.operations].count("load") == 2


@pytest.mark.parametrize(
    ("name", "number", "result"),
    [("add", 0, "x"), ("subtract", 0, "x"), ("multiply", 1, "x"), ("multiply", 0, "number"),
     ("floor_divide", 1, "x"), ("shift_left", 0, "x")],
)  # fmt: skip
def test_neutral_operands_of_integers(name: str, number: int, result: str) -> None:
    builder = Builder()
    with builder.block([INDEX]) as block:
        x, other = block.parameters[0], builder.constant(number)
        assert builder.value(name, x, other) is (x if result == "x" else other)
        if name in ("add", "multiply"):
            assert builder.value(name, other, x) is (x if result == "x" else other)


def test_neutral_operands_of_floats_are_computed() -> None:
    builder = Builder()
    kind = VectorType(DType.float32)
    with builder.block([kind]) as block:
        x, zero = block.parameters[0], builder.constant(0.0, kind)
        assert builder.value("add", x, zero) is not x  # -0.0 + 0.0 is 0.0
        assert builder.value("multiply", x, zero) is not zero  # NaN * 0.0 is NaN


_NAMES = """
    add subtract multiply divide floor_divide floor_modulo float_modulo minimum maximum and or xor
    shift_left shift_right equal not_equal less less_equal greater greater_equal
"""
BINARY = _NAMES.split()


@given(st.sampled_from(BINARY), st.sampled_from(DTYPES), st.integers(0, 2**32))
def test_folding_is_the_numpy_meaning(name: str, dtype: DType, seed: int) -> None:
    rng = np.random.default_rng(seed)
    kind = VectorType(dtype, 4)
    a, b = hostile(dtype, 4, rng), hostile(dtype, 4, rng)
    builder = Builder()
    with builder.block():
        left, right = builder.constant(a, kind), builder.constant(b, kind)
        try:
            folded = constant_of(builder.value(name, left, right))
        except KernelError:  # not for this dtype
            return
    meaning = ROWS[name].numpy
    assert meaning is not None
    expected = meaning(constant_of(left), constant_of(right))
    assert folded is not None
    assert same(np.array(folded), np.array(expected))


@given(st.sampled_from(DTYPES), st.integers(0, 2**32))
def test_constants_keep_their_bits(dtype: DType, seed: int) -> None:
    data = hostile(dtype, 8, np.random.default_rng(seed))
    builder = Builder()
    with builder.block():
        value = builder.constant(data, VectorType(dtype, 8))
        assert same(np.array(constant_of(value)), data)


def test_big_whole_numbers_are_exact() -> None:
    builder = Builder()
    with builder.block():
        kind = VectorType(DType.uint64, 2)
        value = builder.constant((126, 2**64 - 128), kind)
        assert constant_of(value).tolist() == [126, 2**64 - 128]


def test_a_value_of_a_closed_block_is_refused() -> None:
    builder = Builder()
    with builder.block([INDEX]) as outer:
        with builder.block() as inner:
            made = builder.value("add", outer.parameters[0], outer.parameters[0])
        with pytest.raises(KernelError, match="computed inside a loop or branch, and has ended"):
            builder.value("negative", made)
        builder.inline(inner)
        assert builder.value("negative", made).type is INDEX


def test_no_builder_is_left_behind() -> None:
    builder = Builder()
    with pytest.raises(ZeroDivisionError), builder.active(), builder.block():
        raise ZeroDivisionError
    assert current_builder() is None
    assert builder.blocks == []


def test_a_generator_is_called_from_more_than_one_place() -> None:
    def lanes(x: Tile) -> Iterator[SIMD]:
        for lane in (0, 1):
            yield x[lane]

    def kernel(out: Tile, x: Tile) -> None:
        pulled = lanes(x)
        first = next(pulled)
        second = next(pulled)
        out[0] = first + second

    tile = TileType(DType.float32, (2,), (1,))
    traced = trace(kernel, {"out": tile, "x": tile})
    found = [o.location for o in walk(traced.body) if o.name == "load"]
    assert all(at is not None and at.caller is not None for at in found)
    line = kernel.__code__.co_firstlineno
    assert [at.caller.line - line for at in found if at and at.caller] == [2, 3]


def test_a_function_is_called_from_more_than_one_place() -> None:
    def half(x: SIMD) -> SIMD:
        return x * 0.5

    def kernel(out: Tile, x: Tile) -> None:
        value = half(x[0])
        out[0] = half(value)

    tile = TileType(DType.float32, (2,), (1,))
    traced = trace(kernel, {"out": tile, "x": tile})
    found = [o.location for o in walk(traced.body) if o.name == "multiply"]
    line = kernel.__code__.co_firstlineno
    assert [at.caller.line - line for at in found if at and at.caller] == [1, 2]


def test_numbers_of_one_value_are_told_apart() -> None:
    def kernel(out: Tile, x: Tile) -> None:
        out[0] = x[0] * 0.0
        out[1] = x[0] * -0.0
        out[2] = x[0] * 0
        out[3] = x[0] * True

    tile = TileType(DType.float32, (4,), (1,))
    traced = trace(kernel, {"out": tile, "x": tile})
    for _ in range(2):  # what is kept of the first time changes nothing
        factors = [constant_of(o.operands[1]) for o in walk(traced.body) if o.name == "multiply"]
        assert [str(float(f)) for f in factors] == ["0.0", "-0.0", "0.0", "1.0"]
        traced = trace(kernel, {"out": tile, "x": tile})
