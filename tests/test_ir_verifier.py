"""The verifier finds every kind of broken IR, and shows where."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tensorlib.dtypes import DType
from tensorlib.errors import VerifyError
from tensorlib.ir import INDEX, Kernel, Operation, Value, VectorType, parse, verify, walk
from tensorlib.ir.ops import ROWS

SOURCE = """\
kernel k(%0.p: pointer<float32>, %1.n: int64, %2.b: bool) {
  %3: int64 = const {type=int64, value=0}
  %4: int64 = const {type=int64, value=1}
  %5: float32 = const {type=float32, value=0.5}
  for %3 %1.n %4 %5 (%6.i: int64, %7.a: float32) {
    %8: float32 = load %0.p %6.i {type=float32}
    %9: float32 = add %7.a %8
    yield %9
  } -> (%10: float32)
  while %3 (%11: int64) {
    %12: bool = less %11 %1.n
    yield %12
  } and (%13: int64) {
    %14: int64 = add %13 %4
    yield %14
  } -> (%15: int64)
  if %2.b {types=[float32]} () {
    yield %10
  } and () {
    yield %5
  } -> (%16: float32)
  store %0.p %3 %16
}
"""
F32 = VectorType(DType.float32)


def find(kernel: Kernel, name: str) -> Operation:
    return next(o for o in walk(kernel.body) if o.name == name)


def swap(kernel: Kernel) -> None:
    top = kernel.body.operations
    top[0], top[-1] = top[-1], top[0]


def rename(kernel: Kernel) -> None:
    find(kernel, "add").name = "plus"


def retype(kernel: Kernel) -> None:
    find(kernel, "load").results[0].type = VectorType(DType.float64)


def operand_type(kernel: Kernel) -> None:
    find(kernel, "add").operands[1] = kernel.parameters[1]


def no_operands(kernel: Kernel) -> None:
    find(kernel, "load").operands = []


def no_attribute(kernel: Kernel) -> None:
    find(kernel, "load").attributes = {}


def two_results(kernel: Kernel) -> None:
    operation = find(kernel, "add")
    operation.results = [*operation.results, Value(F32, operation)]


def stolen_result(kernel: Kernel) -> None:
    find(kernel, "add").results[0].operation = find(kernel, "load")


def defined_twice(kernel: Kernel) -> None:
    body = find(kernel, "for").blocks[0]
    body.operations.insert(2, body.operations[1])


def same_parameter(kernel: Kernel) -> None:
    kernel.parameters.append(kernel.parameters[0])


def early_yield(kernel: Kernel) -> None:
    body = find(kernel, "for").blocks[0]
    body.operations.insert(0, Operation("yield", [body.parameters[1]], []))


def top_yield(kernel: Kernel) -> None:
    kernel.body.operations.append(Operation("yield", [], []))


def no_yield(kernel: Kernel) -> None:
    find(kernel, "for").blocks[0].operations.pop()


def yield_type(kernel: Kernel) -> None:
    body = find(kernel, "for").blocks[0]
    body.operations[-1].operands = [body.parameters[0]]


def parameter_type(kernel: Kernel) -> None:
    find(kernel, "for").blocks[0].parameters.pop()


def block_count(kernel: Kernel) -> None:
    find(kernel, "if").blocks.pop()


def stray_block(kernel: Kernel) -> None:
    find(kernel, "store").blocks = [find(kernel, "if").blocks[0]]


def bounds(kernel: Kernel) -> None:
    find(kernel, "for").operands[1] = kernel.parameters[2]


def condition(kernel: Kernel) -> None:
    find(kernel, "if").operands[0] = kernel.parameters[1]


def parallel(kernel: Kernel) -> None:
    find(kernel, "for").attributes["parallel"] = True


def leaked(kernel: Kernel) -> None:
    find(kernel, "store").operands[2] = find(kernel, "load").results[0]


def across_blocks(kernel: Kernel) -> None:
    head, body = find(kernel, "while").blocks
    body.operations[0].operands[0] = head.parameters[0]


def width(kernel: Kernel) -> None:
    operation = find(kernel, "const")
    operation.attributes["type"] = operation.results[0].type = VectorType(DType.int64, 3)


def untyped(kernel: Kernel) -> None:
    kernel.parameters[0].type = None  # type: ignore[assignment]


FAULTS: list[tuple[Callable[[Kernel], None], str]] = [
    (swap, "operand 1 of store is used before it is defined"),
    (rename, "plus is not a row of the op table"),
    (retype, "load has results (float64), needed (float32)"),
    (operand_type, "add: got (float32, int64), needed operands of one dtype and width; cast one"),
    (no_operands, "load: operands or attributes are missing or wrong"),
    (no_attribute, "load: operands or attributes are missing or wrong: KeyError('type')"),
    (two_results, "add has results (float32, float32), needed (float32)"),
    (stolen_result, "a result of add belongs to another operation"),
    (defined_twice, "<Value ?: float32> is defined twice"),
    (same_parameter, "<Value p: pointer<float32>> is defined twice"),
    (early_yield, "yield must end a nested block"),
    (top_yield, "yield must end a nested block"),
    (no_yield, "a block of for does not end in yield"),
    (yield_type, "for: a block yields (int64), needed (float32)"),
    (parameter_type, "for: a block has parameters (int64), needed (int64, float32)"),
    (block_count, "if needs 2 blocks, not 1"),
    (stray_block, "store has no blocks"),
    (bounds, "for needs int64 start, stop and step"),
    (condition, "if needs a scalar bool"),
    (parallel, "a parallel loop stands at the top and carries nothing"),
    (leaked, "operand 2 of store is used before it is defined"),
    (across_blocks, "operand 0 of add is used before it is defined"),
    (width, "const: got type int64x3, needed numbers and a power of two of lanes"),
    (untyped, "<Value p: None> has no type"),
]


def test_the_kernel_is_right() -> None:
    verify(parse(SOURCE))


@pytest.mark.parametrize(("break_it", "message"), FAULTS, ids=[f.__name__ for f, _ in FAULTS])
def test_a_fault_is_found(break_it: Callable[[Kernel], None], message: str) -> None:
    kernel = parse(SOURCE)
    break_it(kernel)
    with pytest.raises(VerifyError, match=re.escape(f"k: {message}")):
        verify(kernel)


def test_the_neighbourhood_is_shown() -> None:
    kernel = parse(SOURCE)
    rename(kernel)
    with pytest.raises(VerifyError) as caught:
        verify(kernel)
    assert str(caught.value).splitlines() == [
        "k: plus is not a row of the op table",
        "   load(pointer<float32>, int64) -> (float32)",
        ">> plus(float32, float32) -> (float32)",
        "   yield(float32) -> ()",
    ]


# Operands that no row can take: each type rule refuses, with an error and not a crash.
WRONG = {
    "const": "type=float32x3",
    "splat": "width=5",
    "shuffle": "indices=(0, 1, 2)",
    "cast": "dtype=q4_0",
    "bitcast": "dtype=complex64",
    "alloc": "dtype=float33",
}


@pytest.mark.parametrize("name", [n for n in ROWS if n not in ("for", "while", "if", "yield")])
def test_every_row_refuses_nonsense(name: str) -> None:
    kernel = parse("kernel k(%0: pointer<float32>, %1: float32x4) {\n}\n")
    pointer, value = kernel.parameters
    for operands in ([], [value], [value, value, pointer], [pointer] * 5):
        operation = Operation(name, list(operands), [INDEX, INDEX], {"indices": (9,), "width": 3})
        kernel.body.operations = [operation]
        with pytest.raises(VerifyError):
            verify(kernel)
