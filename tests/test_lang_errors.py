"""What the kernel language refuses: every sentence, with the user's line and a caret under it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tensorlib.dtypes import DType
from tensorlib.errors import KernelError
from tensorlib.lang.control import parallel
from tensorlib.lang.trace import trace
from tensorlib.simd import SIMD, SIMDType
from tensorlib.tests.compiled_kernels import agree, types_of
from tensorlib.tests.test_lang_control import F32, data
from tensorlib.tile import Tile


def error_of(function: Callable[..., None], line: str, **changes: Any) -> str:
    """Return the message of tracing, which must show `line` of the source."""
    with pytest.raises(KernelError) as caught:
        trace(function, types_of({**data(), **changes}))
    text = str(caught.value)
    assert line in text, text
    assert re.search(r"^ +\^+$", text, re.MULTILINE), text
    return text.splitlines()[0]


def test_a_parallel_loop_carries_nothing() -> None:
    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        total = SIMD[F32, 1](0)
        for i in parallel(range(16)):
            total = total + x[i]
        out[0] = total

    assert error_of(kernel, "in parallel(range(16)):") == (
        "parallel: total is carried from one iteration to the next; the iterations of a "
        "parallel loop don't know each other: try a plain range"
    )


def test_break_can_not_leave_a_parallel_loop() -> None:
    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        for i in parallel(range(16)):
            if k[i] == 2:
                break
            out[i] = x[i]

    assert error_of(kernel, "in parallel(range(16)):") == (
        "parallel: break and return can't leave a parallel loop; try a plain range"
    )


def test_a_carried_name_keeps_its_type() -> None:
    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        total = SIMD[F32, 1](0)
        for _ in range(16):
            total = total.cast(DType.float64) + 1.0

    assert error_of(kernel, "for _ in range(16):") == (
        "total is float32 before this statement and float64 after it; a carried name keeps its "
        "type: try SIMD[...](...) before, or .cast in it"
    )


def test_a_structure_does_not_change_in_a_loop() -> None:
    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        parts = [x[0]]
        for i in range(16):
            parts = [*parts, x[i]]

    assert error_of(kernel, "for i in range(16):") == (
        "loop: parts changes its structure, from 1 values to 2; at run time it keeps its places: "
        "try unroll(...), or stack_allocation"
    )


def test_only_numbers_change_in_a_loop() -> None:
    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        name = "a"
        for _ in range(16):
            name = name + "b"

    assert error_of(kernel, "for _ in range(16):") == (
        "loop: name changes from 'a' to 'ab' in the loop; "
        "only numbers and SIMD values can change in a run-time loop: try one before it"
    )


HELD: dict[str, SIMD] = {}


def test_a_value_does_not_leave_its_block() -> None:
    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        for i in range(16):
            HELD["last"] = x[i]
        out[0] = HELD["last"]

    assert error_of(kernel, 'out[0] = HELD["last"]') == (
        "this uses a value that is computed inside a loop or branch, and has ended with it; "
        "give a name a value before the loop or branch, and assign that name in it"
    )


def test_a_list_does_not_grow_in_a_loop() -> None:
    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        held = [x[0]]
        for i in range(16):
            held.append(x[i])

    assert error_of(kernel, "for i in range(16):") == (
        "loop: held changes its structure, from 1 values to 2; at run time it keeps its places: "
        "try unroll(...), or stack_allocation"
    )


def test_a_loop_that_may_not_run_gives_its_variable_no_value() -> None:
    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        for i in range(limit):
            out[i] = x[i]
        out[i] = 1.0

    assert error_of(kernel, "out[i] = 1.0") == (
        "i has no value if its loop never runs; give it one before the loop"
    )


def test_a_name_of_one_branch_has_no_value_after_it() -> None:
    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        if limit > 3:
            v = x[0]
        out[0] = v + 1.0

    assert error_of(kernel, "out[0] = v + 1.0") == (
        "v is assigned inside a loop or branch only; give it a value before that"
    )


def test_a_vector_is_no_condition() -> None:
    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        if x.load[4](0) > 0.0:
            out[0] = 1.0

    assert error_of(kernel, "if x.load[4](0) > 0.0:") == (
        "if: got a condition of type boolx4, needed a scalar bool; try .reduce_or() or "
        ".reduce_and() for a branch, .select(a, b) to choose by lane"
    )


def test_branches_give_one_type() -> None:
    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        v = x[0] if limit > 1 else k[0]
        out[0] = v

    assert error_of(kernel, "if limit > 1") == (
        "if: the branches give value the types float32 and int64; try .cast in one of them"
    )


def test_every_path_returns_a_value_or_none_does() -> None:
    def part(v: SIMD) -> Any:
        for i in range(4):
            if v > i:
                return v
        return None

    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        out[0] = part(limit).cast(F32)

    assert error_of(kernel, "return v") == (
        "if: the branches give the result the types NoneType and int64; try a number instead of "
        "None"
    )

    def falls(v: SIMD) -> Any:
        if v > 3:
            return v

    def other(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        out[0] = falls(limit).cast(F32)

    assert error_of(other, "return v") == (
        "return: some paths of this function return a value and others return none; try a return "
        "at its end"
    )


def test_exits_inside_with_need_compile_time_conditions() -> None:
    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        with np.errstate(all="ignore"):
            if limit > 2:
                return
        out[0] = 1.0

    assert error_of(kernel, "if limit > 2:") == (
        "if: a return, break or continue inside with, try or match needs a condition known at "
        "compile time; try moving it out of that statement"
    )

    def loop(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        for _ in range(16):
            with np.errstate(all="ignore"):
                break

    assert error_of(loop, "for _ in range(16):") == (
        "for: return, break and continue inside with, try or match can't leave a run-time loop; "
        "try moving them out of that statement, or unroll(range(...))"
    )


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ((0, 4, 0), "range: got step 0, needed any other"),
        ((1.5,), "range: got float 1.5, needed whole numbers"),
        ((1, 2, 3, 4), "range: got 4 arguments, needed 1 to 3"),
    ],
)
def test_bounds_of_range(bounds: tuple[Any, ...], message: str) -> None:
    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        for i in range(*bounds):
            out[i] = 1.0

    assert error_of(kernel, "for i in range(*bounds):") == message


def test_bounds_of_range_are_int64() -> None:
    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        for i in range(limit.cast(DType.int32)):
            out[i] = 1.0

    assert error_of(kernel, "for i in range(") == (
        "range: got <traced SIMD[int32, 1]>, needed int64 scalars; try .cast(int64)"
    )


def test_a_list_is_not_indexed_by_a_runtime_index() -> None:
    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        values = [1.0, 2.0]
        for i in range(2):
            out[i] = values[i]

    assert error_of(kernel, "out[i] = values[i]") == (
        "index: this value is known at run time only, and Python needs a number here; a list takes "
        "an index of unroll(range(...)), and `range` belongs in the head of a `for`"
    )


def test_a_kernel_returns_nothing() -> None:
    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> Any:
        return x[0]

    with pytest.raises(KernelError, match="kernel: a kernel returns nothing; store into a tile"):
        trace(kernel, types_of(data()))


def test_tracing_without_source_is_plain() -> None:
    space: dict[str, Any] = {}
    exec("def kernel(out, x):\n    out.store[4](0, x.load[4](0) + 1.0)\n", space)
    arrays = {"out": np.zeros(4, np.float32), "x": np.ones(4, np.float32)}
    agree(space["kernel"], arrays)


def test_a_failed_trace_leaves_captured_names_as_they_were() -> None:
    acc = [SIMD[F32, 1](0)]

    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        for i in range(16):
            acc[0] = acc[0] + x[i]
            out[i] = acc  # type: ignore[assignment]

    before = list(acc)
    with pytest.raises(KernelError):
        trace(kernel, types_of(data()))
    assert all(a is b for a, b in zip(acc, before, strict=True))


def test_types_are_kept_through_the_trace() -> None:
    kernel = trace(
        lambda out, n: out.store(0, n), {"out": types_of(data())["out"], "n": SIMDType(F32)}
    )
    assert [str(p.type) for p in kernel.parameters] == ["pointer<float32>", "float32"]
