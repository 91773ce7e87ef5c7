"""Laws of `Dim`: it means what Python's integers mean, and equal polynomials are one object."""

from __future__ import annotations

import ast
import copy
import ctypes
import operator
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tensorlib.errors import LayoutError
from tensorlib.layouts.dim import (
    Dim,
    c_text,
    compiled,
    dim_equal,
    dim_max,
    dim_min,
    divides,
    evaluate,
    is_static,
    known_nonnegative,
    known_positive,
)
from tensorlib.layouts.shape import ceil_div
from tensorlib.tests.c_expressions import read

DIVISORS = {"a": 1, "b": 1, "n": 8}  # every symbol with its promise
SYMBOLS = {name: Dim(name, divisible_by=d) for name, d in DIVISORS.items()}
MEANING: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
    "%": operator.mod,
    "max": max,
    "min": min,
}
SYMBOLIC = {**MEANING, "max": dim_max, "min": dim_min}

# An expression is a name, a number, or (op, left, right): the tests' own tree, evaluated below.
leaves = st.sampled_from(sorted(DIVISORS)) | st.integers(-12, 12)
trees = st.recursive(
    leaves, lambda inner: st.tuples(st.sampled_from(sorted(MEANING)), inner, inner), max_leaves=7
)
polynomials = st.recursive(
    leaves, lambda inner: st.tuples(st.sampled_from("+-*"), inner, inner), max_leaves=8
)
values = st.fixed_dictionaries(
    {name: st.integers(0, 40).map(d.__mul__) for name, d in DIVISORS.items()}
)


def worth(tree: Any, names: dict[str, Any], meaning: dict[str, Any]) -> Any:
    if isinstance(tree, tuple):
        op, left, right = tree
        return meaning[op](worth(left, names, meaning), worth(right, names, meaning))
    return names[tree] if isinstance(tree, str) else tree


def both(tree: Any, names: dict[str, int]) -> tuple[Any, int]:
    """The Dim of a tree and its plain value; trees that divide by zero are left out."""
    try:
        return worth(tree, SYMBOLS, SYMBOLIC), worth(tree, names, MEANING)
    except ZeroDivisionError:
        assume(False)
        raise


def value(size: Any, names: dict[str, int]) -> int:
    result = size.evaluate(names) if isinstance(size, Dim) else size
    assert isinstance(result, int)
    return result


def expanded(tree: Any) -> Counter[tuple[str, ...]]:
    """The coefficients of a polynomial tree, found without Dim."""
    if isinstance(tree, str):
        return Counter({(tree,): 1})
    if isinstance(tree, int):
        return Counter({(): tree})
    op, left, right = tree[0], expanded(tree[1]), expanded(tree[2])
    result: Counter[tuple[str, ...]] = Counter()
    if op == "*":
        for x, c in left.items():
            for y, d in right.items():
                result[tuple(sorted(x + y))] += c * d
    else:
        for x, c in left.items():
            result[x] += c
        for y, d in right.items():
            result[y] += d if op == "+" else -d
    return Counter({m: c for m, c in result.items() if c})


OPERATORS: dict[type, Callable[[Any, Any], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}


def read_back(node: Any, names: dict[str, int]) -> int:
    """The value of printed text, by Python's own grammar."""
    if isinstance(node, ast.BinOp):
        left, right = read_back(node.left, names), read_back(node.right, names)
        return OPERATORS[type(node.op)](left, right)
    if isinstance(node, ast.UnaryOp):
        return -read_back(node.operand, names)
    if isinstance(node, ast.Call):
        return int(MEANING[node.func.id](*[read_back(x, names) for x in node.args]))  # type: ignore[attr-defined]
    return names[node.id] if isinstance(node, ast.Name) else int(node.value)


@given(trees, values)
@settings(max_examples=600)
def test_normal_form_keeps_the_value(tree: Any, names: dict[str, int]) -> None:
    size, expected = both(tree, names)
    assert value(size, names) == expected


@given(trees, values)
@settings(max_examples=300)
def test_compiled_computes_what_evaluate_computes(tree: Any, names: dict[str, int]) -> None:
    size, expected = both(tree, names)
    function = compiled([size, 7, size], sorted(names))
    assert function([names[name] for name in sorted(names)]) == (expected, 7, expected)


@given(trees, values)
@settings(max_examples=300)
def test_text_reads_back_as_python(tree: Any, names: dict[str, int]) -> None:
    size, expected = both(tree, names)
    assert read_back(ast.parse(str(size), mode="eval").body, names) == expected


@given(polynomials, polynomials)
@settings(max_examples=400)
def test_equality_is_complete_for_polynomials(left: Any, right: Any) -> None:
    a, b = worth(left, SYMBOLS, MEANING), worth(right, SYMBOLS, MEANING)
    assert (a == b) == (expanded(left) == expanded(right))
    assert (a == b) == (hash(a) == hash(b) and a is b) or is_static(a)


@given(polynomials)
def test_a_polynomial_minus_itself_rearranged_is_zero(tree: Any) -> None:
    size = worth(tree, SYMBOLS, MEANING)
    assert (size + 1) * (size - 1) - size * size == -1


@given(trees, values)
@settings(max_examples=300)
def test_proofs_of_sign_and_divisibility_hold(tree: Any, names: dict[str, int]) -> None:
    size, expected = both(tree, names)
    assert not known_nonnegative(size) or expected >= 0
    assert not known_positive(size) or expected > 0
    for k in (2, 3, 8):
        assert not divides(k, size) or expected % k == 0


@given(trees, trees, values)
@settings(max_examples=300)
def test_decided_comparisons_hold(left: Any, right: Any, names: dict[str, int]) -> None:
    (a, x), (b, y) = both(left, names), both(right, names)
    for op in (operator.lt, operator.le, operator.gt, operator.ge):
        try:
            answer = op(a, b)
        except LayoutError:
            continue
        assert answer == op(x, y)
    assert not dim_equal(a, b) or x == y


@given(trees, values)
def test_substitution_is_evaluation_in_two_steps(tree: Any, names: dict[str, int]) -> None:
    size, expected = both(tree, names)
    x = Dim("x")
    inner = {name: x + number for name, number in names.items()}
    replaced = size.evaluate(inner) if isinstance(size, Dim) else size
    assert value(replaced, {"x": 0}) == expected


@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")
@settings(max_examples=3, deadline=None)
@given(st.lists(st.tuples(trees, values), min_size=60, max_size=60))
def test_c_text_means_the_same(cases: list[tuple[Any, dict[str, int]]]) -> None:
    import tempfile

    lines: list[str] = []
    wanted: list[int] = []
    for tree, names in cases:
        try:
            size, expected = worth(tree, SYMBOLS, SYMBOLIC), worth(tree, names, MEANING)
        except ZeroDivisionError:
            continue
        arguments = ", ".join(f"long {name} = {number}" for name, number in names.items())
        reads = "".join(f"(void){name};" for name in names)
        arguments = arguments.replace(", ", "; ")
        lines.append(f"{{ {arguments}; {reads} out[{len(wanted)}] = {c_text(size)}; }}")
        wanted.append(expected)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "t.c")
        source.write_text("void f(long *out) {\n" + "\n".join(lines) + "\n}\n")
        shared = str(Path(folder, "t.so"))
        subprocess.run(["cc", "-shared", "-fPIC", "-o", shared, str(source)], check=True)
        out = (ctypes.c_long * len(wanted))()
        ctypes.CDLL(shared).f(out)
    assert list(out) == wanted


class Traced:
    """A stand-in for a traced scalar: arithmetic records text, nothing else is allowed."""

    def __init__(self, text: str) -> None:
        self.text = text

    def _binary(self, op: str, other: Any, swapped: bool = False) -> Traced:
        mine, theirs = self.text, getattr(other, "text", str(other))
        left, right = (theirs, mine) if swapped else (mine, theirs)
        return Traced(f"({left} {op} {right})")

    def __add__(self, other: Any) -> Traced:
        return self._binary("+", other)

    def __radd__(self, other: Any) -> Traced:
        return self._binary("+", other, swapped=True)

    def __mul__(self, other: Any) -> Traced:
        return self._binary("*", other)

    def __floordiv__(self, other: Any) -> Traced:
        return self._binary("//", other)

    def __mod__(self, other: Any) -> Traced:
        return self._binary("%", other)


def test_evaluate_takes_traced_scalars() -> None:
    n = Dim("n")
    assert evaluate((n * 3) // 4 + n, {"n": Traced("v")}).text in (
        "(((v * 3) // 4) + v)",
        "(v + ((v * 3) // 4))",
    )


def test_evaluate_takes_the_targets_max_and_min() -> None:
    n, m = Dim("n"), Dim("m")
    size = dim_max(n, m)
    assert isinstance(size, Dim)
    assert size.evaluate({"n": 2, "m": 3}, maximum=lambda a, b: (a, b)) in ((2, 3), (3, 2))


def test_contract_examples() -> None:
    n, m = Dim("n"), Dim("m")
    assert n * 2 == n + n
    assert (n == 1) is False  # type: ignore[comparison-overlap]
    assert (n + 1) - n == 1
    assert isinstance(n - n, int)
    assert n - n == 0
    assert (n * m + n) // (m + 1) == n
    assert (n * 8) // 8 == n
    assert (n * m * 6) // (m * 3) == 2 * n
    assert (n + 7) // 8 * 8 != n
    assert (n * 4 + 3) % 4 == 3
    assert (n // 2) // 3 == n // 6
    assert (n % 8) % 4 == n % 4
    assert (n % 4) // 4 == 0
    assert dim_equal(n // 4 * 4 + n % 4, n)
    assert cast(Dim, n * m + 1).symbols == frozenset({"n", "m"})
    assert str(n * n - 2 * n * m + 1) == "-2*m*n + n*n + 1"


def test_a_promised_divisor_is_used() -> None:
    n = Dim("n", divisible_by=8)
    assert n % 4 == 0
    assert (n // 4) * 4 == n
    assert str(n // 4) == "2*(n//8)"
    assert divides(8, n)
    assert not divides(16, n)


def test_max_and_min_settle_what_can_be_settled() -> None:
    n, m = Dim("n"), Dim("m")
    assert dim_max(n, n + 1) == n + 1
    assert dim_min(n, n + 1) == n
    assert dim_max(n, 0) == n
    assert dim_max(n, m) == dim_max(m, n)
    assert dim_max(dim_max(n, m), n) == dim_max(n, m)
    assert dim_max(n, m) >= n


def test_divisors_are_seen_through_max_min_and_remainders() -> None:
    n, m, k = Dim("n", divisible_by=8), Dim("m"), Dim("k", divisible_by=4)
    assert dim_max(n, 8) % 8 == 0
    assert dim_max(n, 8) // 8 * 8 == dim_max(n, 8)
    assert ceil_div(dim_min(n, 64), 8) * 8 == dim_min(n, 64)
    assert dim_max(n, k) % 4 == 0
    assert dim_max(dim_max(k, n), 6) == dim_max(k, dim_max(n, 6))
    assert (n % 16) % 8 == 0
    assert divides(8, n % 48)
    assert divides(4, n % k)
    assert not divides(8, n % m)
    assert (n * m) // (8 * m) == n // 8
    assert str(dim_max(n, 8)) == "max(8, n)"
    assert str(k // 8) == "k//8"


def test_comparisons_that_rounding_decides() -> None:
    n, m, p = Dim("n", divisible_by=8), Dim("m"), Dim("p")
    assert m % p < p
    assert m // p * p <= m
    assert m // p <= m
    assert ceil_div(p, 4) * 4 >= p
    assert ceil_div(p, 4) * 4 < p + 4
    assert ceil_div(p, 4) <= p
    assert ceil_div(p, 4) * 4 * m >= p * m
    assert m % 8 // 4 < 2
    assert n % 16 <= 8
    assert dim_max(m, p) * p >= m * p
    assert dim_max(m - 8, 0) <= m


@given(trees, values)
@settings(max_examples=200)
def test_c_text_reads_as_c_reads_it(tree: Any, names: dict[str, int]) -> None:
    size, expected = both(tree, names)
    numbers = {name: (number, 64) for name, number in names.items()}
    for target in ("c", "cuda", "opencl"):
        assert read(c_text(size), target, **numbers) == expected


def test_an_opencl_compiler_reads_c_text() -> None:
    opencl = pytest.importorskip("pyopencl")
    try:
        devices = [d for p in opencl.get_platforms() for d in p.get_devices()]
    except opencl.Error:
        devices = []
    if not devices:
        pytest.skip("needs an OpenCL device")
    n, m = Dim("n", divisible_by=8), Dim("m")
    sizes = [(m + 7) // 8 * n, dim_max(m, n - 9) % 5, (m - n) // 3, (m - n) % 7, dim_min(n, 12)]
    lines = [f"out[{place}] = {c_text(size)};" for place, size in enumerate(sizes)]
    source = "__kernel void f(__global long *out, long n, long m) {" + " ".join(lines) + "}"
    context = opencl.Context(devices[:1])
    queue = opencl.CommandQueue(context)
    out = np.zeros(len(sizes), np.int64)
    result = opencl.Buffer(context, opencl.mem_flags.COPY_HOST_PTR, hostbuf=out)
    program = opencl.Program(context, source).build()
    program.f(queue, (1,), None, result, np.int64(24), np.int64(11))
    opencl.enqueue_copy(queue, out, result)
    assert out.tolist() == [value(size, {"n": 24, "m": 11}) for size in sizes]


def test_a_dim_survives_copying() -> None:
    size = dim_max(Dim("n", divisible_by=4) // 8 + Dim("m") % 3, 5)
    rebuild, arguments = size.__reduce__()
    assert rebuild(*arguments) is size
    assert copy.deepcopy(size) is size


def test_numpy_integers_are_integers() -> None:
    n = Dim("n")
    three: Any = np.int64(3)
    assert three * n == n * 3
    assert n + three == n + 3
    with pytest.raises(TypeError):
        n + 1.0  # type: ignore[operator]


def test_undecidable_questions_name_the_size() -> None:
    n = Dim("n")
    with pytest.raises(LayoutError, match=r"Dim: got n < 4, needed an answer for every value; try"):
        bool(n < 4)
    with pytest.raises(LayoutError, match=r"Dim: got n != 0, needed an answer for every value"):
        bool(n)
    with pytest.raises(LayoutError, match=r"int: got the symbolic size n, needed a number; try"):
        int(n)
    with pytest.raises(LayoutError, match="symbolic size 2"):
        list(range(2 * n))


def test_other_errors_say_what_was_needed() -> None:
    n = Dim("n")
    with pytest.raises(LayoutError, match=r"Dim: got name '1x', needed an identifier"):
        Dim("1x")
    with pytest.raises(LayoutError, match=r"Dim: got divisible_by=0, needed an int >= 1"):
        Dim("n", divisible_by=0)
    with pytest.raises(LayoutError, match=r"evaluate: got values for \['m'\], needed one for 'n'"):
        n.evaluate({"m": 1})
    with pytest.raises(LayoutError, match=r"compiled: got names \['m'\], needed 'n' among them"):
        compiled([n], ["m"])
    with pytest.raises(LayoutError, match=r"c: got names for \['m'\], needed one for 'n'"):
        n.c({"m": "x"})
    with pytest.raises(ZeroDivisionError):
        n // 0


def test_c_text_is_plain_where_signs_are_known() -> None:
    n = Dim("n")
    assert c_text((n + 7) // 8 * 64, {"n": "s0"}) == "64*((s0 + 7)/8)"
    assert cast(Dim, n % 16).c({"n": "args[3]"}) == "(args[3])%16"
    assert c_text(12) == "12"
