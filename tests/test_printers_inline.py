"""Integer arithmetic and loads in the text of their readers: where they are, and their bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tensorlib.ir import Kernel, interpret, parse
from tensorlib.ir.core import Place
from tensorlib.printers import print_c, print_cuda
from tensorlib.printers.walker import noted
from tensorlib.tests.compiled_kernels import compile_kernel
from tensorlib.tests.opencl_device import compile_opencl

CONSTANTS = """\
  %20: int64 = const {type=int64, value=0}
  %21: int64 = const {type=int64, value=3}
  %22: int64 = const {type=int64, value=8}
"""
STORE = "  store %0.out %20 %"
LOAD = "int64 = load %1.x %"
WORD = "{type=int64}"


def kernel(body: str) -> Kernel:
    """Return a kernel over two arrays and three numbers."""
    head = "kernel k(%0.out: pointer<int64>, %1.x: pointer<int64>, %2.a: int64, %3.b: int64"
    return parse(f"{head}, %4.c: int64) {{\n{CONSTANTS}{body}}}\n")


def arithmetic(*rows: str) -> str:
    """Return lines of IR: `6 add 5 4.c` names the result, the row and its operands."""
    lines = []
    for row in rows:
        result, name, a, b = row.split()
        lines.append(f"  %{result}: int64 = {name} %{a} %{b}\n")
    return "".join(lines)


def body_of(source: str) -> list[str]:
    """Return the lines of a function in C that are not about its arguments."""
    lines = source[source.index("if (worker) return;") :].splitlines()
    return [line.strip() for line in lines[1:-2]]


# A second operation reads the first one; what C has between `out_[0] =` and `;`.
TREES = {
    "left sum": ("5 add 2.a 3.b", "6 subtract 5 4.c", "a_ + b_ - c_"),
    "right sum": ("5 add 2.a 3.b", "6 subtract 4.c 5", "c_ - (a_ + b_)"),
    "right difference": ("5 subtract 2.a 3.b", "6 add 4.c 5", "c_ + (a_ - b_)"),
    "sum in a product": ("5 add 2.a 3.b", "6 multiply 5 4.c", "(a_ + b_) * c_"),
    "product in a sum": ("5 multiply 2.a 3.b", "6 add 4.c 5", "c_ + a_ * b_"),
    "right product": ("5 multiply 2.a 3.b", "6 multiply 4.c 5", "c_ * (a_ * b_)"),
    "shift": ("5 shift_right 2.a 21", "6 add 5 4.c", "(int64_t)(a_ >> 3) + c_"),
    "shift left": (
        "5 shift_left 2.a 21", "6 multiply 4.c 5", "c_ * (int64_t)((uint64_t)a_ << 3)",
    ),
    "shifted sum": ("5 add 2.a 3.b", "6 shift_right 5 21", "(int64_t)((a_ + b_) >> 3)"),
    "left-shifted sum": (
        "5 add 2.a 3.b", "6 shift_left 5 21", "(int64_t)((uint64_t)(a_ + b_) << 3)",
    ),
    "division": ("5 floor_divide 2.a 22", "6 add 5 4.c", "(a_ >> 3) + c_"),
    "divided sum": ("5 add 2.a 3.b", "6 floor_divide 5 22", "(a_ + b_) >> 3"),
    "remainder": ("5 floor_modulo 2.a 22", "6 multiply 5 4.c", "(a_ & 7) * c_"),
    "and of a sum": ("5 add 2.a 3.b", "6 and 5 4.c", "(a_ + b_) & c_"),
    "or of an and": ("5 and 2.a 3.b", "6 or 4.c 5", "c_ | (a_ & b_)"),
    "xor of a product": ("5 multiply 2.a 3.b", "6 xor 5 4.c", "(a_ * b_) ^ c_"),
}  # fmt: skip
NUMBERS = ((2**62 + 5, 2**62 + 9, -7), (-9, 4, 3), (-(2**63), -1, 2**63 - 1))


def tree(name: str) -> Kernel:
    return kernel(f"{arithmetic(*TREES[name][:2])}{STORE}6\n")


def interpreted(made: Kernel, numbers: tuple[int, ...]) -> list[int]:
    out = np.zeros(8, np.int64)
    interpret(made, [out, np.arange(5, 13), *numbers])
    return out.tolist()


def arguments(numbers: tuple[int, ...]) -> dict[str, Any]:
    return {
        "out": np.zeros(8, np.int64),
        "x": np.arange(5, 13),
        **dict(zip("abc", numbers, strict=True)),
    }


@pytest.mark.parametrize("name", TREES)
def test_parentheses_stand_where_c_needs_them(name: str) -> None:
    lines = body_of(print_c(tree(name)))
    assert lines == [f"out_[0] = {TREES[name][2]};"]


@pytest.mark.parametrize("name", TREES)
def test_the_bits_are_the_interpreters(name: str) -> None:
    run = compile_kernel(tree(name))
    for numbers in NUMBERS:
        data = arguments(numbers)
        run(data, 1)
        assert data["out"].tolist() == interpreted(tree(name), numbers)


def test_the_bits_are_the_interpreters_in_opencl() -> None:
    made = [tree(name) for name in TREES]
    for kernel_, run in zip(made, compile_opencl(made), strict=True):
        for numbers in NUMBERS:
            data = arguments(numbers)
            run(data)
            assert data["out"].tolist() == interpreted(kernel_, numbers), print_c(kernel_)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("left sum", "out_[0] = (uint64_t)a_ + b_ - c_;"),
        ("product in a sum", "out_[0] = (uint64_t)c_ + (uint64_t)a_ * b_;"),
        ("division", "out_[0] = (uint64_t)(a_ >> 3) + c_;"),
        ("divided sum", "out_[0] = v1 >> 3;"),  # a shift of a signed number
    ],
)
def test_cuda_reads_what_is_unsigned_where_that_gives_the_same_bits(name: str, text: str) -> None:
    assert text in print_cuda(tree(name))


def test_a_name_of_the_source_keeps_its_line() -> None:
    made = kernel(f"{arithmetic('5.at add 2.a 3.b', '6 add 5.at 4.c')}{STORE}6\n")
    assert body_of(print_c(made))[0] == "const int64_t at_1 = a_ + b_;"


def test_what_is_read_twice_has_a_line() -> None:
    made = kernel(f"{arithmetic('5 add 2.a 3.b', '6 multiply 5 5')}{STORE}6\n")
    assert body_of(print_c(made))[:2] == [
        "const int64_t v1 = a_ + b_;", "out_[0] = v1 * v1;",
    ]  # fmt: skip


def test_what_another_block_reads_has_a_line() -> None:
    made = kernel(
        f"{arithmetic('5 add 2.a 3.b')}  for %20 %21 %21 (%6: int64) {{\n"
        f"{arithmetic('7 add 5 6')}  store %0.out %7 %6\n    yield\n  }} -> ()\n"
    )
    assert body_of(print_c(made))[0] == "const int64_t v1 = a_ + b_;"
    assert "out_[v1 + i2] = i2;" in print_c(made)


def test_an_index_and_an_element_stand_in_their_statement() -> None:
    rows = arithmetic("5 add 2.a 3.b", "6 floor_modulo 5 22")
    made = kernel(
        f"{rows}  %7: {LOAD}6 {WORD}\n{arithmetic('8 floor_modulo 4.c 22')}  store %0.out %8 %7\n"
    )
    assert body_of(print_c(made)) == ["out_[c_ & 7] = x_[(a_ + b_) & 7];"]
    data = arguments((2, 9, 4))
    compile_kernel(made)(data, 1)
    assert data["out"].tolist() == interpreted(made, (2, 9, 4))


def test_a_load_stays_in_front_of_a_store() -> None:
    made = kernel(
        f"  %5: {LOAD}20 {WORD}\n  store %1.x %20 %2.a\n{STORE}5\n",
    )
    assert body_of(print_c(made)) == [
        "const int64_t v1 = x_[0];", "x_[0] = a_;", "out_[0] = v1;",
    ]  # fmt: skip


def test_a_condition_reads_sums() -> None:
    made = kernel(
        f"{arithmetic('5 add 2.a 3.b')}  %6: bool = less %5 %4.c\n"
        f"  if %6 () {{\n  {STORE}4.c\n    yield\n  }} and () {{\n    yield\n  }} -> ()\n"
    )
    assert body_of(print_c(made))[0] == "if (a_ + b_ < c_) {"


def test_an_address_adds_the_index_as_a_whole() -> None:
    made = kernel(
        f"{arithmetic('5 subtract 2.a 3.b')}  %6: int64x4 = load %1.x %5 {{type=int64x4}}\n"
        f"{arithmetic('7 multiply 2.a 21')}  store %0.out %7 %6\n"
    )
    assert "x_ + (a_ - b_))" in print_c(made)
    assert "out_ + a_ * 3)" in print_c(made)


def test_lines_end_in_time() -> None:
    rows = [f"{n} add {n - 1} {'2.a' if n % 2 else '3.b'}" for n in range(31, 80)]
    made = kernel(f"{arithmetic('30 add 2.a 3.b', *rows)}{STORE}79\n")
    lines = body_of(print_c(made))
    assert max(map(len, lines)) <= 100
    assert 2 < len(lines) < 10
    data = arguments((3, 4, 5))
    compile_kernel(made)(data, 1)
    assert data["out"].tolist() == interpreted(made, (3, 4, 5))


def place(line: int) -> Place:
    """Return a place in a line of a file."""
    code = compile("\n" * (line - 1) + "x", "f.py", "exec")
    lines = [position[0] for position in code.co_positions()]
    return code, 2 * lines.index(line), None


def test_the_comment_of_what_is_inlined_goes_with_it() -> None:
    made = kernel(f"{arithmetic('5 add 2.a 3.b', '6 add 5 4.c', '7 multiply 6 6')}{STORE}7\n")
    for line, operation in enumerate(made.body.operations, 1):
        operation.place = place(line)
    with noted():
        lines = body_of(print_c(made))
    assert lines == [
        "// f.py:5", "const int64_t v1 = a_ + b_ + c_;", "// f.py:7", "out_[0] = v1 * v1;",
    ]  # fmt: skip
