"""Instructions: a body that is the meaning, spellings that targets print, and what devices need."""

from __future__ import annotations

import numpy as np
import pytest

import tensorlib as tl
from tensorlib.backends.c.features import cpu_features
from tensorlib.errors import KernelError, VerifyError
from tensorlib.ir import INDEX, interpret, parse, text
from tensorlib.ir.instructions import INSTRUCTIONS, missing
from tensorlib.lang.instruction import instruction
from tensorlib.lang.target import Target, targeting
from tensorlib.passes.instructions import instructions
from tensorlib.simd import SIMD

F32 = np.float32


@instruction(c="{x} * {x} + {y}", cuda="__square_add({x}, {y})", portable=True)
def square_add(x: SIMD, y: SIMD) -> SIMD:
    return x * x + y


@instruction(c="__builtin_trap()", requires="a_feature_nobody_has", portable=True)
def impossible(x: SIMD) -> SIMD:
    return x + 1.0


@instruction(
    c="trap({x})", requires={"c": "a_feature_nobody_has", "cuda": ("sm_80",)}, cuda="f({x})"
)
def strict(x: SIMD) -> SIMD:
    return x + 1.0


@instruction(c="__builtin_prefetch({tile}, 0, {locality})", portable=True)
def hint(tile: tl.Tile, locality: int) -> None:
    tile.prefetch(*[0] * tile.rank)


@tl.kernel
def uses(out: tl.Tile, x: tl.Tile) -> None:
    for i in range(0, x.size, 4):
        hint(x.tile[4](i // 4), 3)
        a = x.load[4](i)
        out.store[4](i, square_add(a, 2.0 * a))


@tl.kernel
def uses_impossible(out: tl.Tile, x: tl.Tile) -> None:
    for i in range(x.size):
        out[i] = impossible(x[i])


@tl.kernel
def uses_strict(out: tl.Tile, x: tl.Tile) -> None:
    for i in range(x.size):
        out[i] = strict(x[i])


def arrays() -> tuple[np.ndarray, np.ndarray]:
    return np.zeros(8, F32), np.linspace(-3, 4, 8, dtype=F32)


def test_the_body_is_the_meaning_everywhere() -> None:
    expected = arrays()[1] ** 2 + 2 * arrays()[1]
    for run in (uses, uses.python, uses.interpret):
        out, x = arrays()
        run(out, x)
        np.testing.assert_array_equal(out, expected)


def test_the_spelling_is_what_a_target_prints() -> None:
    source = uses.source("c", *arrays())
    assert "__builtin_prefetch((x_ + " in source
    assert ", 0, 3);" in source
    assert " * v" in source or "a_" in source
    assert "square_add" in uses.ir(*arrays())


def test_the_ir_with_instructions_reads_back() -> None:
    kernel = uses.trace(*arrays())
    again = parse(text(kernel))
    assert text(again) == text(kernel)
    out, x = arrays()
    interpret(again, [{"out": out, "x": x}.get(p.name, np.int64(8)) for p in again.parameters])
    np.testing.assert_array_equal(out, x * x + 2 * x)


def test_a_portable_instruction_runs_its_body_where_the_device_lacks_it() -> None:
    out, x = arrays()
    uses_impossible(out, x)
    np.testing.assert_array_equal(out, x + 1)


def test_another_one_is_an_error_with_the_users_line() -> None:
    with pytest.raises(KernelError) as error:
        uses_strict(*arrays())
    message = str(error.value)
    assert "strict needs a_feature_nobody_has, which this device lacks" in message
    assert "try another way where tl.target_has(...) is false, or portable=True" in message
    assert "out[i] = strict(x[i])" in message
    out, x = arrays()
    uses_strict.interpret(out, x)
    np.testing.assert_array_equal(out, x + 1)


def test_what_is_missing_is_said() -> None:
    row = strict.row
    assert missing(row, "cuda", frozenset({"sm_80"})) == ""
    assert missing(row, "cuda", frozenset()).endswith("needs sm_80, which this device lacks")
    assert missing(row, "opencl", frozenset()).endswith("is spelled for c, cuda, not for opencl")
    assert INSTRUCTIONS[row.name] is row
    with targeting(Target("cuda", 16, frozenset({"sm_80"}))):
        assert strict.is_native
    assert not strict.is_native
    assert "strict for c, cuda" in repr(strict)


def test_a_kernel_can_ask_before_it_uses_an_instruction() -> None:
    with targeting(Target("c", 32, frozenset({"avx2"}))):
        assert tl.target_has("avx2")
        assert not tl.target_has("avx2", "amx_int8")


def test_wrong_declarations_and_bodies_are_refused() -> None:
    with pytest.raises(KernelError, match="instruction: got requires for 'metal', needed one of"):
        instruction(c="x", requires={"metal": "m1"})

    @instruction(c="x")
    def pair(x: SIMD) -> tuple[SIMD, SIMD]:
        return x, x

    @tl.kernel
    def bad(out: tl.Tile) -> None:
        pair(out[0])

    with pytest.raises(KernelError, match="got a tuple from the body, needed one SIMD value"):
        bad.ir(np.zeros(1, F32))


def test_a_name_nobody_registered_is_refused() -> None:
    source = """kernel k(%0.p: pointer<float32>) {
      instruction {arguments=(), name='nowhere.nothing', types=[]} () {
        yield
      } -> ()
    }"""
    with pytest.raises(
        KernelError, match=r"instruction: got nowhere.nothing, which is not registered"
    ):
        instructions(parse(source), "c")


def test_the_meaning_must_give_what_the_operation_says() -> None:
    source = """kernel k(%0.p: pointer<float32>) {
      instruction {arguments=(), name='a.b', types=[int64]} () {
        yield
      } -> (%1: int64)
    }"""
    from tensorlib.ir import verify

    assert INDEX.width == 1
    with pytest.raises(VerifyError, match=r"instruction: a block yields \(\), needed \(int64\)"):
        verify(parse(source))


def test_this_machine_says_what_it_has() -> None:
    names = cpu_features().names
    found: list[bool] = []

    @tl.kernel
    def asks(out: tl.Tile) -> None:
        found.append(tl.target_has(*names))
        out[0] = 1.0

    asks(np.zeros(1, F32))
    assert found == [True]
