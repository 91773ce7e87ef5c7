"""The text form of a kernel reads back as the same kernel; what is not a kernel is refused with its
line.
"""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorlib.dtypes import DType
from tensorlib.errors import KernelError
from tensorlib.ir import Block, Builder, Kernel, Placement, VectorType, parse, text, verify
from tensorlib.lang.trace import trace
from tensorlib.passes import run_passes
from tensorlib.tests.compiled_kernels import types_of
from tensorlib.tests.random_kernels import RandomKernel, random_kernels

SOURCE = """\
kernel scale(%0.x: pointer<float32>, %1.n: int64) {
  %2: int64 = const {type=int64, value=0}
  %3: int64 = const {type=int64, value=1}
  for %2 %1.n %3 (%4.i: int64) {
    %5: float32 = load %0.x %4.i {type=float32}
    %6: float32 = const {type=float32, value=-0.0}
    %7: float32 = add %5 %6
    store %0.x %4.i %7
    yield
  } -> ()
}
"""


def test_text_is_as_written() -> None:
    kernel = parse(SOURCE)
    verify(kernel)
    assert text(kernel) == SOURCE


@settings(max_examples=40)
@given(random_kernels(), st.integers(0, 2**32))
def test_random_kernels_read_back(kernel: RandomKernel, seed: int) -> None:
    traced = trace(kernel.function(), types_of(kernel.data(seed)))
    for each in (traced, run_passes(traced)):
        again = parse(text(each))
        verify(again)
        assert text(again) == text(each)


def test_constants_of_every_dtype_read_back() -> None:
    builder = Builder()
    values = {
        DType.bool: (True, False), DType.int8: (-128, 127), DType.uint64: (0, 2**64 - 1),
        DType.float16: (-0.0, 5.9604644775390625e-08), DType.bfloat16: (float("inf"), 1.5),
        DType.float32: (float("nan"), -float("inf")), DType.float64: (5e-324, -1.0),
    }  # fmt: skip
    with builder.active(), builder.block() as body:
        for dtype, pair in values.items():
            builder.constant(pair, VectorType(dtype, 2))
            builder.constant(pair[0], VectorType(dtype))
        attributes = {"dtype": DType.int16, "size": 4, "placement": Placement.SHARED}
        builder.emit("alloc", (), attributes)
    kernel = Kernel("constants", body)
    again = parse(text(kernel))
    verify(again)
    assert text(again) == text(kernel)


@pytest.mark.parametrize(
    ("line", "changed", "message"),
    [
        ("kernel scale(", "colonel scale(", "parse: line 1: got 'colonel scale(%0.x: pointer<"),
        ("= add %5 %6", "= add %5 %9", "parse: line 7: got '%7: float32 = add %5 %9'; %9 is not"),
        ("= add %5 %6", "is add", "parse: line 7: got '%7: float32 is add'; that is not an oper"),
        ("%6: float32 =", "%5: float32 =", "; %5 is defined twice"),
        ("%6: float32 =", "%6: float33 =", "; 'float33' is no dtype"),
        ("%6: float32 =", "%6: float32xq =", "parse: line 6: got '%6: float32xq = const"),
        ("value=-0.0", "value=-0.0.1", "parse: line 6: got"),
        ("  } -> ()", "  } ", "; needed '} -> (...)'"),
        ("\n}\n", "\n", "parse: the text ends after line 10, inside a block"),
    ],
)
def test_faults_name_their_line(line: str, changed: str, message: str) -> None:
    assert line in SOURCE
    with pytest.raises(KernelError, match=re.escape(message)):
        parse(SOURCE.replace(line, changed, 1))


@given(st.data())
def test_damaged_text_is_refused_or_read(data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(SOURCE) - 1))
    length = data.draw(st.integers(0, 30))
    junk = data.draw(st.text("%{}()=:>-x0 \n", max_size=5))
    damaged = SOURCE[:position] + junk + SOURCE[position + length :]
    try:
        kernel = parse(damaged)
        verify(kernel)
    except KernelError:
        return
    assert text(parse(text(kernel))) == text(kernel)


def test_an_empty_text_is_refused() -> None:
    with pytest.raises(KernelError, match="parse: the text ends after line 0"):
        parse("")


def test_names_do_not_matter() -> None:
    renamed = SOURCE.replace("%4.i", "%40.other").replace("%7", "%70")
    kernel = parse(renamed)
    assert [o.name for o in kernel.body.operations] == ["const", "const", "for"]
    assert isinstance(kernel.body, Block)


def test_an_assertion_keeps_its_message() -> None:
    said = "sizes differ: {n, m} (of 2) = 'x' ; inf \\ \n ü"
    kernel = parse("kernel k(%0.c: bool) {\n  assert %0.c\n}\n")
    kernel.body.operations[0].attributes["message"] = said
    again = parse(text(kernel))
    assert again.body.operations[0].attributes == {"message": said}
    assert text(again) == text(kernel)
