"""Errors show who called the function at fault, and both lines where two values don't agree."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tensorlib as tl
from tensorlib.errors import KernelError, LayoutError, SourceLocation, caret
from tensorlib.layouts import Layout, composition
from tensorlib.registry import REGISTRY
from tensorlib.simd import SIMD
from tensorlib.tile import Tile

needs_c = pytest.mark.skipif("c" in REGISTRY.unavailable(), reason="no C compiler")
F32 = np.float32


def arrays() -> list[Any]:
    return [np.zeros(16, F32), np.ones(16, F32), 3]


def told(function: Callable[..., Any], kind: type[Exception] = KernelError) -> list[str]:
    """Return what the error of tracing a kernel says: its message, and code of the lines shown."""
    with pytest.raises(kind) as caught:
        tl.kernel(function).ir(*arrays())
    lines = "\n".join([str(caught.value), *getattr(caught.value, "__notes__", [])]).splitlines()
    return [line.strip() for line in lines if not line.lstrip().startswith(("^", "File "))]


# --- the chain of calls ---


def read_outside(x: Tile, i: SIMD) -> SIMD:
    if x[i] > 0.0:
        for _ in range(2):
            return x[i, 0]
    return x[0]


class Reader:
    def __init__(self, x: Tile) -> None:
        self.x = x

    def sum(self) -> SIMD:
        total = SIMD[tl.float32, 1](0)
        for i in range(4):
            total = total + read_outside(self.x, i)
        return total


def test_each_function_of_the_user_is_shown_once() -> None:
    def kernel(out: Tile, x: Tile, n: SIMD) -> None:
        for i in tl.parallel(range(4)):
            if n > 2:
                out[i] = Reader(x).sum()

    message, *lines = told(kernel)
    assert message.startswith("index: got 2 coordinates, needed 1 for Tile[float32, (")
    assert lines == [
        "return x[i, 0]",
        "called from",
        "total = total + read_outside(self.x, i)",
        "called from",
        "out[i] = Reader(x).sum()",
    ]


def test_a_call_names_file_line_and_function() -> None:
    def kernel(out: Tile, x: Tile, n: SIMD) -> None:
        read_outside(x, n)

    with pytest.raises(KernelError) as caught:
        tl.kernel(kernel).ir(*arrays())
    shown = str(caught.value).split("called from\n")[1]
    line = kernel.__code__.co_firstlineno + 1
    assert shown == (
        f'  File "{__file__}", line {line}, in kernel\n'
        "    read_outside(x, n)\n"
        "    ^^^^^^^^^^^^^^^^^^"
    )


def test_lambdas_and_kernels_are_callers_too() -> None:
    @tl.kernel
    def inner(out: Tile, x: Tile) -> None:
        out[0, 0] = x[0]

    def kernel(out: Tile, x: Tile, n: SIMD) -> None:
        call = lambda: inner(out, x)  # noqa: E731
        call()

    assert told(kernel)[1:] == [
        "out[0, 0] = x[0]",
        "called from",
        "call = lambda: inner(out, x)  # noqa: E731",
        "called from",
        "call()",
    ]


def test_a_long_chain_is_cut_in_the_middle() -> None:
    location = None
    for n in range(40):
        location = SourceLocation("/nowhere.py", n + 1, caller=location)
    assert location is not None
    shown = caret(location).splitlines()
    assert shown.count("called from") == 8
    assert "  ... 32 more calls" in shown
    assert (shown[0], shown[-1]) == (
        '  File "/nowhere.py", line 40',
        '  File "/nowhere.py", line 1',
    )


def store_at(out: Tile, i: SIMD) -> None:
    out[i] = 1.0


@tl.kernel
def beyond(out: Tile) -> None:
    for i in range(out.size + 1):
        store_at(out, i)


def test_the_interpreter_shows_the_callers() -> None:
    with pytest.raises(KernelError) as caught:
        beyond.interpret(np.zeros(4, F32))
    shown = str(caught.value)
    assert shown.startswith("out: access to elements [4, 5) is outside its 4 elements")
    assert "in store_at\n    out[i] = 1.0\n    ^^^^^^\ncalled from\n" in shown
    assert shown.endswith("    store_at(out, i)\n    ^^^^^^^^^^^^^^^^")


@needs_c
def test_a_compiled_kernel_shows_the_callers() -> None:
    with pytest.raises(KernelError) as caught:
        beyond(np.zeros(4, F32))
    shown = str(caught.value)
    assert shown.startswith("beyond: out: access from element 4 is outside its 4 elements; ")
    assert shown.endswith("    store_at(out, i)\n    ^^^^^^^^^^^^^^^^")


def test_outside_a_kernel_the_caller_is_pythons_own_affair() -> None:
    with pytest.raises(KernelError) as caught:
        SIMD[tl.float32, 2](1.0) + SIMD[tl.int32, 2](1)
    assert "called from" not in str(caught.value)


# --- both lines ---


def test_branches_show_where_their_values_come_from() -> None:
    def kernel(out: Tile, x: Tile, n: SIMD) -> None:
        v = x[1]
        if n > 1:  # noqa: SIM108
            v = x[0] * 2.0
        else:
            v = n + 1
        out[0] = v

    assert told(kernel) == [
        "if: the branches give v the types float32 and int64; try .cast in one of them",
        "if n > 1:  # noqa: SIM108",
        "float32 comes from",
        "v = x[0] * 2.0",
        "int64 comes from",
        "v = n + 1",
    ]


def test_loops_show_both_values_of_a_name() -> None:
    def kernel(out: Tile, x: Tile, n: SIMD) -> None:
        total = x[0]
        for _ in range(16):
            total = total.cast("float64")

    assert told(kernel) == [
        "total is float32 before this statement and float64 after it; a carried name keeps its "
        "type: try SIMD[...](...) before, or .cast in it",
        "for _ in range(16):",
        "float32 comes from",
        "total = x[0]",
        "float64 comes from",
        'total = total.cast("float64")',
    ]


# --- Python where a traced value stands ---


def test_functions_of_python_take_numbers() -> None:
    def kernel(out: Tile, x: Tile, n: SIMD) -> None:
        out[0] = math.exp(x[0])

    assert told(kernel) == [
        "math.exp: got a value that is known at run time only, needed a Python number; try "
        "tensorlib.lang.math.exp",
        "out[0] = math.exp(x[0])",
    ]


def test_match_on_structure_and_sets_need_values_known_now() -> None:
    def kernel(out: Tile, x: Tile, n: SIMD) -> None:
        match (n, 2):
            case (1, 2):
                out[0] = 1.0

    assert told(kernel) == [
        "bool: this condition is known at run time only, and Python needs one that is known now; "
        "try select, x != 0 for bool(x), or `if` in a function whose source can be read",
        "case (1, 2):",
    ]


def test_match_on_structure_is_fine() -> None:
    def kernel(out: Tile, x: Tile, n: SIMD) -> None:
        match (x[0], "twice"):
            case (v, "twice"):
                out[0] = v * 2.0

    out, x, n = arrays()
    tl.kernel(kernel).interpret(out, x, n)
    assert out[0] == 2


def test_tiles_are_not_iterated() -> None:
    def kernel(out: Tile, x: Tile, n: SIMD) -> None:
        for v in x:
            out[0] = v

    message, line = told(kernel)
    assert message.startswith("for: got Tile[float32, (")
    assert message.endswith("; try `for i in range(tile.shape[0])` and tile[i]")
    assert line == "for v in x:"


def test_lanes_are_iterated() -> None:
    def kernel(out: Tile, x: Tile, n: SIMD) -> None:
        total = 0.0
        for lane in x.load[4](0):
            total = total + lane
        out[0] = total

    out, x, n = arrays()
    for run in (tl.kernel(kernel).python, tl.kernel(kernel).interpret):
        run(out, x, n)
        assert out[0] == 4


def test_sizes_of_python_lists_are_known_now() -> None:
    def kernel(out: Tile, x: Tile, n: SIMD) -> None:
        values = [x[i] for i in range(n)]
        out[0] = values[0]

    assert told(kernel) == [
        "index: this value is known at run time only, and Python needs a number here; a list takes "
        "an index of unroll(range(...)), and `range` belongs in the head of a `for`",
        "values = [x[i] for i in range(n)]",
    ]


# --- what a kernel can't do ---


def test_a_kernel_returns_nothing() -> None:
    def kernel(out: Tile, x: Tile, n: SIMD) -> Any:
        return x[0]

    assert told(kernel) == [
        "kernel: a kernel returns nothing; store into a tile",
        "float32 comes from",
        "return x[0]",
    ]

    def other(out: Tile, x: Tile, n: SIMD) -> Any:
        return 3

    assert told(other) == [
        "other: a kernel returns nothing; store into a tile",
        "def other(out: Tile, x: Tile, n: SIMD) -> Any:",
    ]


def test_a_kernel_can_not_yield() -> None:
    def kernel(out: Tile, x: Tile, n: SIMD) -> Any:
        yield x[0]

    assert told(kernel) == [
        "kernel: a kernel can't yield; store into a tile",
        "def kernel(out: Tile, x: Tile, n: SIMD) -> Any:",
    ]


def test_a_generator_runs_at_compile_time() -> None:
    def pairs() -> Any:
        for i in range(3):
            yield i, i * i

    def kernel(out: Tile, x: Tile, n: SIMD) -> None:
        for i, value in pairs():
            out[i] = x[i] * value

    out, x, n = arrays()
    tl.kernel(kernel).interpret(out, x, n)
    np.testing.assert_array_equal(out[:3], [0, 1, 4])


def test_try_and_with_run_at_compile_time() -> None:
    def kernel(out: Tile, x: Tile, n: SIMD) -> None:
        try:
            for i in range(2):
                out[i] = x[i]
            raise ValueError
        except ValueError:
            if n > 2:
                out[3] = 1.0

    out, x, n = arrays()
    tl.kernel(kernel).interpret(out, x, n)
    np.testing.assert_array_equal(out[:4], [1, 1, 0, 1])


def test_recursion_ends_at_compile_time() -> None:
    def power(v: SIMD, n: int) -> SIMD:
        return v if n == 0 else v * power(v, n - 1)

    def kernel(out: Tile, x: Tile, n: SIMD) -> None:
        out[0] = power(x[0] + 1.0, 5)

    out, x, n = arrays()
    tl.kernel(kernel).interpret(out, x, n)
    assert out[0] == 64

    def endless(out: Tile, x: Tile, n: SIMD) -> None:
        out[0] = power(x[0], 1.5)

    lines = told(endless)
    assert lines[0] == (
        "endless: a function calls itself without an end; a condition that ends it must be known "
        "at compile time"
    )
    assert lines[-1] == "out[0] = power(x[0], 1.5)"
    assert any(line.startswith("... ") and line.endswith(" more calls") for line in lines)


def test_recursion_on_traced_values_never_ends() -> None:
    def count(n: SIMD) -> SIMD:
        return n if n < 1 else count(n - 1)

    def kernel(out: Tile, x: Tile, n: SIMD) -> None:
        out[0] = count(n).cast("float32")

    lines = told(kernel)
    assert lines[0].startswith("kernel: a function calls itself without an end; ")
    assert "return n if n < 1 else count(n - 1)" in lines


def test_layouts_that_do_not_divide() -> None:
    def kernel(out: Tile, x: Tile, n: SIMD) -> None:
        composition(Layout((4, 6), (1, 8)), Layout(6, 3))

    with pytest.raises(LayoutError) as caught:
        composition(Layout((4, 6), (1, 8)), Layout(6, 3))
    assert told(kernel) == [
        str(caught.value),
        "composition(Layout((4, 6), (1, 8)), Layout(6, 3))",
    ]


def test_errors_of_python_get_a_note() -> None:
    def pick(values: list[int]) -> int:
        return values[7]

    def kernel(out: Tile, x: Tile, n: SIMD) -> None:
        out[0] = x[pick([1])]

    assert told(kernel, IndexError) == [
        "list index out of range",
        "while kernel kernel was traced:",
        "return values[7]",
        "called from",
        "out[0] = x[pick([1])]",
    ]


@tl.instruction(c="__builtin_nothing({0})", requires=("no_such_feature",))
def missing(v: SIMD) -> SIMD:
    return v


@needs_c
def test_an_instruction_the_target_lacks_shows_the_callers() -> None:
    def use(v: SIMD) -> SIMD:
        return missing(v)

    def kernel(out: Tile, x: Tile, n: SIMD) -> None:
        out[0] = use(x[0])

    with pytest.raises(KernelError) as caught:
        tl.kernel(kernel)(*arrays())
    first, *rest = str(caught.value).splitlines()
    assert first.startswith("instruction: ")
    assert first.endswith(
        "; try another way where tl.target_has(...) is false, or portable=True to run its body"
    )
    shown = [line.strip() for line in rest if not line.lstrip().startswith(("^", "File "))]
    assert shown == ["return missing(v)", "called from", "out[0] = use(x[0])"]


# --- assert ---


@tl.kernel
def positive(out: Tile, x: Tile) -> None:
    assert out.rank == 1, "one axis"
    for i in tl.parallel(range(out.size)):
        check_positive(x[i])
        out[i] = x[i]


def check_positive(v: SIMD) -> None:
    assert v > 0.0, "x is positive"


@tl.kernel
def positive_in_blocks(out: Tile, x: Tile) -> None:
    i = tl.thread_id(0)
    tl.barrier()
    check_positive(x[i])
    out[i] = x[i]


def test_assertions_hold_in_python_and_in_the_interpreter() -> None:
    x, out = np.ones(8, F32), np.zeros(8, F32)
    positive.interpret(out, x)
    positive.python(out, x)
    positive_in_blocks.interpret(out, x, grid=1, block=8)
    x[5] = -1
    for run in (
        lambda: positive.interpret(out, x),
        lambda: positive_in_blocks.interpret(out, x, grid=1, block=8),
    ):
        with pytest.raises(KernelError) as caught:
            run()
        first, *rest = str(caught.value).splitlines()
        assert first == "assert: x is positive"
        assert rest[1] == '    assert v > 0.0, "x is positive"'
    with pytest.raises(AssertionError, match=r"^x is positive"):
        positive.python(out, x)


@needs_c
@pytest.mark.parametrize("level", ["0", "1"])
def test_compiled_kernels_check_assertions_in_debug_mode(
    level: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TENSORLIB_DEBUG", level)
    x, out = np.ones(8, F32), np.zeros(8, F32)
    x[5] = -1
    for kernel, sizes in ((positive, {}), (positive_in_blocks, {"grid": 1, "block": 8})):
        kernel.bind().unchecked(out, x, **sizes)
        np.testing.assert_array_equal(out, x)
        if level == "0":
            kernel.bind()(out, x, **sizes)
            continue
        with pytest.raises(KernelError) as caught:
            kernel.bind()(out, x, **sizes)
        first, *rest = str(caught.value).splitlines()
        assert first == f"{kernel.name}: assert: x is positive"
        assert rest[1] == '    assert v > 0.0, "x is positive"'
        assert "called from" in rest


def test_assertions_are_left_out_for_other_targets() -> None:
    x = np.ones(8, F32)
    for target in ("c", "opencl", "cuda"):
        assert "// test_lang_errors_chain.py" in positive.source(target, x, x)


def test_an_assertion_known_now_fails_now() -> None:
    x = np.ones((2, 4), F32)
    with pytest.raises(AssertionError, match=r"^one axis"):
        positive.ir(x, x)


def test_an_assertion_needs_one_condition() -> None:
    def kernel(out: Tile, x: Tile, n: SIMD) -> None:
        assert x.load[4](0) > 0.0

    assert told(kernel) == [
        "assert: got a condition of type boolx4, needed a scalar bool; try .reduce_or() or "
        ".reduce_and() for a branch, .select(a, b) to choose by lane",
        "assert x.load[4](0) > 0.0",
    ]


def test_the_file_is_named_as_python_names_it() -> None:
    assert Path(__file__).name == "test_lang_errors_chain.py"
