"""`tl.elementwise`: users' functions over SIMD values on tensors and over index spaces."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
import pytest

import tensorlib as tl
from tensorlib.backend import kernel_level
from tensorlib.dtypes import DType
from tensorlib.errors import BackendError, DTypeError, KernelError, ShapeError
from tensorlib.graph.schedule import Externals, scheduled
from tensorlib.lang.math import exp
from tensorlib.ops.user import function_key
from tensorlib.registry import REGISTRY
from tensorlib.tests.plan_backend import Planned, data, meaning, node, same

needs_compiler = pytest.mark.skipif(
    kernel_level(REGISTRY.backend(REGISTRY.default().backend)) is None,
    reason="needs a backend that compiles kernels",
)


def steps(*tensors: tl.Tensor) -> list[str]:
    """The kinds of the kernels that compute pending tensors."""
    nodes = [t.node for t in tensors]
    found, stack = {}, list(nodes)
    while stack:
        n = stack.pop()
        stack += n.inputs
        if n.storage is not None:
            found[id(n.storage.buffer)] = n.storage.buffer
    made = scheduled(nodes, Externals(list(found.values()), moving=True), ())
    return [type(s.spec).__name__.removesuffix("Spec").lower() for s in made.plan.steps]


def numbers(*shape: int, dtype: Any = np.float32, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


@tl.elementwise
def swish(vec: tl.SIMD) -> tl.SIMD:
    return vec / (1 + exp(-vec))


def swished(x: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        return x / (1 + np.exp(-x))


# --- on tensors ---

SHAPES = [(), (0,), (1,), (3, 0), (7,), (5, 1, 3), (2000,), (33, 65)]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_function_computes_every_element(shape: tuple[int, ...]) -> None:
    x = numbers(*shape)
    found = swish(tl.asarray(x)).numpy()
    assert found.shape == shape
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, swished(x), rtol=1e-6)


def test_infinities_and_nan_go_through_the_function() -> None:
    x = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0], np.float64)
    found = swish(tl.asarray(np.tile(x, 400))).numpy()[:5]
    np.testing.assert_array_equal(found, swished(x))
    np.testing.assert_array_equal(swish(x).numpy(), swished(x))


@needs_compiler
def test_it_fuses_with_its_neighbours_into_one_kernel() -> None:
    x, y = tl.asarray(numbers(50, 60)), tl.asarray(numbers(60, seed=1))
    result = tl.sqrt(swish(x * 2 + y) ** 2) - 1
    assert steps(result) == ["elementwise"]
    assert steps(swish(x * 2).sum(axis=1)) == ["reduce"]
    assert steps(swish(tl.softmax(x))) == ["softmax"]
    assert steps(swish(x @ x.T)) == ["matmul"]
    expected = abs(swished(x.numpy() * 2 + y.numpy())) - 1
    np.testing.assert_allclose(result.numpy(), expected, rtol=1e-4, atol=1e-6)


@needs_compiler
def test_a_transposed_operand_is_read_where_it_lies() -> None:
    x = numbers(40, 50)
    both = tl.elementwise(lambda a, b: a - b, tl.asarray(x).T, tl.asarray(x.T.copy()))
    assert steps(both) == ["elementwise"]
    np.testing.assert_array_equal(both.numpy(), np.zeros((50, 40), np.float32))


def test_operands_are_broadcast_and_promoted() -> None:
    a, b = np.arange(6, dtype=np.int32).reshape(2, 3), np.ones((3,), np.int8)
    found = tl.elementwise(lambda x, y, z: x * z + y, a, tl.asarray(b), 2)
    assert found.dtype is DType.int32
    np.testing.assert_array_equal(found.numpy(), a * 2 + 1)
    assert tl.elementwise(lambda x, y: x + y, a, 0.5).dtype is DType.float64
    assert tl.elementwise(lambda x, y: x + y, np.float32([1]), 1).dtype is DType.float32


def test_the_result_has_the_dtype_that_the_function_returns() -> None:
    x = tl.asarray(numbers(9))
    assert tl.elementwise(lambda v: v > 0, x).dtype is DType.bool
    assert tl.elementwise(lambda v: v.cast(DType.int8), x).dtype is DType.int8


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_the_function_sees_the_dtype_of_the_operands(dtype: str) -> None:
    x = tl.asarray(numbers(1500)).astype(dtype)
    found = swish(x)
    assert found.dtype is DType.by_name[dtype]
    expected = swished(x.astype("float64").numpy())
    np.testing.assert_allclose(found.astype("float64").numpy(), expected, rtol=2e-2, atol=1e-2)


@needs_compiler
def test_few_elements_give_the_bits_of_many(monkeypatch: pytest.MonkeyPatch) -> None:
    x = numbers(101)
    small = swish(x).numpy()
    monkeypatch.setenv("TENSORLIB_SMALL", "0")
    np.testing.assert_array_equal(swish(x).numpy(), small)
    np.testing.assert_array_equal(swish(np.tile(x, 50)).numpy()[:101], small)


@pytest.mark.parametrize("width", [1, 2, 4, 32])
def test_width_is_the_most_lanes_that_the_function_gets(width: int) -> None:
    seen = set()

    def triple(v: tl.SIMD) -> tl.SIMD:
        seen.add(v.width)
        return v * 3

    x = numbers(2001)
    np.testing.assert_array_equal(tl.elementwise(triple, x, width=width).numpy(), x * 3)
    assert max(seen) == width
    np.testing.assert_allclose(
        tl.elementwise(triple, tl.asarray(x), width=width).sum().numpy(), (x * 3).sum(), rtol=1e-4
    )
    assert max(seen) == width


def test_a_function_of_single_values_may_branch() -> None:
    def collatz(n: tl.SIMD) -> tl.SIMD:
        count = n * 0
        while n > 1:
            n = n // 2 if n % 2 == 0 else n * 3 + 1
            count = count + 1
        return count

    steps_to_one = [0, 0, 1, 7, 2, 5, 8, 16, 3]
    assert tl.elementwise(collatz, np.arange(9), width=1).tolist() == steps_to_one
    many = tl.elementwise(collatz, np.tile(np.arange(9), 300), width=1)
    assert many.tolist() == steps_to_one * 300


def test_closures_and_globals_are_taken_as_they_are_at_the_call() -> None:
    factor = 2.0

    def times(v: tl.SIMD) -> tl.SIMD:
        return v * factor

    x = numbers(2000)
    first = tl.elementwise(times, x)
    factor = 3.0
    second = tl.elementwise(times, x)
    np.testing.assert_array_equal(first.numpy(), x * 2)
    np.testing.assert_array_equal(second.numpy(), x * 3)


def test_equal_functions_share_one_row() -> None:
    def times(k: float) -> Any:
        return tl.elementwise(lambda v: v * k)

    assert times(2.0).row() is times(2.0).row()
    assert times(2.0).row() is not times(2).row()
    assert times(0.0).row() is not times(-0.0).row()
    assert tl.elementwise(functools.partial(pow_of, k=2)).row().name == "pow_of#1"


def pow_of(v: tl.SIMD, k: int) -> tl.SIMD:
    return v**k


def test_keys_of_recursive_functions_end() -> None:
    def down(n: int) -> int:
        return n if n == 0 else down(n - 1)

    assert function_key(down) == function_key(down)


def test_partial_functions_and_recursion_at_compile_time() -> None:
    def power(v: tl.SIMD, n: int) -> tl.SIMD:
        return v if n == 1 else v * power(v, n - 1)

    x = numbers(1999)
    found = tl.elementwise(functools.partial(power, n=3), tl.asarray(x)).numpy()
    np.testing.assert_array_equal(found, x * (x * x))


def test_a_function_inside_a_compiled_function_takes_symbolic_sizes() -> None:
    @tl.compile(dynamic={"x": {0: "N"}})
    def f(x: tl.Tensor) -> tl.Tensor:
        return swish(x) + x.shape[0]

    for n in (1, 3, 1000):
        x = numbers(n)
        np.testing.assert_allclose(f(tl.asarray(x)).numpy(), swished(x) + n, rtol=1e-5)
    assert f.plans == 1


def test_it_runs_on_the_target_that_is_named() -> None:
    found = tl.elementwise(lambda v: v + 1, numbers(3), target="reference")
    assert str(found.device) == "reference:0"
    np.testing.assert_array_equal(found.numpy(), numbers(3) + 1)
    x = tl.asarray(numbers(3), device="reference")
    with pytest.raises(BackendError, match="got a tensor on reference:0 and target c:0, needed"):
        tl.elementwise(lambda v: v, x, target=tl.Device("c"))


def test_the_meaning_of_plans_knows_users_functions() -> None:
    x = data(numbers(6, 7))
    found = node("add", node(swish.row().name, x), x)
    plan = Planned([found])
    same(plan(), meaning([found]))
    assert plan.steps == ["elementwise"]
    assert "add(swish#" in str(plan.specs[0])


# --- over index spaces ---


@tl.kernel
def swish_into(C: tl.Tile, A: tl.Tile) -> None:
    def do_swish(coords: tuple[tl.SIMD, ...], width: int) -> None:
        vec = A.load[width](*coords)
        C.store[width](*coords, swish(vec))

    tl.elementwise(do_swish, width=tl.simdwidthof(A.dtype))(A.shape)


@pytest.mark.parametrize("shape", [(0,), (1,), (37,), (4, 19), (2, 3, 9)])
def test_an_index_space_inside_a_kernel_in_python_and_the_interpreter(
    shape: tuple[int, ...],
) -> None:
    A = numbers(*shape)
    for run in (swish_into.python, swish_into.interpret):
        C = np.zeros_like(A)
        run(C, A)
        np.testing.assert_allclose(C, swished(A), rtol=1e-6)


@needs_compiler
@pytest.mark.parametrize("shape", [(0,), (1,), (37,), (4, 19), (2, 3, 9)])
def test_an_index_space_compiled_inside_and_outside_a_kernel(shape: tuple[int, ...]) -> None:
    A, C = numbers(*shape), numbers(*shape)
    swish_into(C, A)
    np.testing.assert_allclose(C, swished(A), rtol=1e-6)
    D = np.zeros_like(A)

    def do_swish(coords, width):
        D.store[width](*coords, swish(A.load[width](*coords)))

    tl.elementwise(do_swish, width=8)(A.shape)
    np.testing.assert_array_equal(D, C)


@needs_compiler
def test_the_function_of_an_index_space_may_be_a_kernel_with_its_width_in_brackets() -> None:
    x, out = numbers(101), np.zeros(101, np.float32)

    @tl.kernel
    def negate(coords, *, width: int = 1):
        out.store[width](*coords, -x.load[width](*coords))

    tl.elementwise(negate, width=4)(x.shape)
    np.testing.assert_array_equal(out, -x)
    x = numbers(101, seed=2)  # another array under the name
    tl.elementwise(negate, width=4)(x.shape)
    np.testing.assert_array_equal(out, -x)


# --- errors ---


def test_errors_are_raised_at_the_call_with_the_users_line() -> None:
    with pytest.raises(KernelError, match=r"exp: got a int64 value(.|\n)*exp\(-vec\)\)\n *\^+$"):
        swish(tl.asarray([1, 2]))
    with pytest.raises(ShapeError, match=r"f: got shapes \(2,\) and \(3,\)(.|\n)*def f\(a, b\)"):

        def f(a, b):
            return a + b

        tl.elementwise(f, np.ones(2), np.ones(3))


@pytest.mark.parametrize(
    ("function", "operands", "error", "message"),
    [
        (lambda v: v, (), KernelError, "lambda: got no operands, needed at least one tensor"),
        (lambda v: v, ("x",), DTypeError, "lambda: got str, needed a tensor, an array or a number"),
        (lambda v: 1.0, (1.0,), DTypeError, "lambda returned float for 1 lanes, needed a SIMD"),
        (lambda v: v, (1.0, 2.0), KernelError, "lambda was given 2 values: too many positional"),
    ],
)
def test_error(function: Any, operands: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        tl.elementwise(function)(*operands)


def test_complex_operands_are_refused() -> None:
    with pytest.raises(DTypeError, match="lambda: got dtype complex64, needed a real dtype"):
        tl.elementwise(lambda v: v, np.complex64([1]), target="reference")


def test_a_vector_of_another_width_is_refused() -> None:
    with pytest.raises(DTypeError, match=r"returned float64x2 for 4 lanes, needed a SIMD value of"):
        tl.elementwise(lambda v: v if v.width == 1 else v.slice(2), np.ones(5))


def test_tensors_are_operands_not_closures() -> None:
    a = tl.asarray([1.0])
    message = "closes over a, a Tensor; pass it as an operand(.|\n)*test_user_functions.py"
    with pytest.raises(KernelError, match=message):
        tl.elementwise(lambda v: v + a, np.ones(2))


def test_refused_arguments() -> None:
    with pytest.raises(KernelError, match="elementwise: got width 3, needed a power of two"):
        tl.elementwise(lambda v: v, width=3)
    with pytest.raises(KernelError, match="elementwise: got float, needed a function"):
        tl.elementwise(math.pi)
    with pytest.raises(KernelError, match="lambda has no parameter width; over an index space it"):
        tl.elementwise(lambda coords: None)((3,))
    with pytest.raises(KernelError, match="lambda closes over no array; outside a kernel those"):
        tl.elementwise(lambda coords, width: None)((3,))


@needs_compiler
def test_another_target_for_an_index_space_is_refused() -> None:
    x = np.zeros(3)

    def f(coords, width):
        x.store[width](*coords, x.load[width](*coords))

    with pytest.raises(BackendError, match="got target reference, needed the default device"):
        tl.elementwise(f, target="reference")((3,))


# --- formats of one's own ---


def quarters() -> DType:
    """Return a format of a user; not registered before a test asks, others list all dtypes."""
    known = DType.by_name.get("quarters_of_a_user")
    return known or tl.register_dtype(
        "quarters_of_a_user", lambda code: code.cast("float32") / 4, lambda x: (x * 4).cast("uint8")
    )


@pytest.mark.parametrize("device", [None, "reference"])
@pytest.mark.parametrize("count", [5, 3000])
def test_tensors_of_codes_are_decoded_computed_with_and_encoded(
    device: str | None, count: int
) -> None:
    own = quarters()
    assert own.code is not None
    decode, encode = (tl.elementwise(f) for f in own.code)
    codes = np.resize(np.array([0, 1, 2, 5, 200], np.uint8), count)
    t = tl.asarray(codes, device=device)
    np.testing.assert_array_equal(decode(t).numpy(), codes.astype(np.float32) / 4)
    np.testing.assert_array_equal(encode(decode(t) + 1.5).numpy(), codes + 6)

    @tl.op(shapes=lambda x: x)
    def next_one(out: tl.Tile, x: tl.Tile) -> None:
        for i in tl.parallel(range(out.size)):
            number = x[i].bitcast(own).cast("float32") + 1.0
            out[i] = number.cast(own).bitcast("uint8")

    np.testing.assert_array_equal(next_one(t).numpy(), codes + 4)


@needs_compiler
def test_codes_are_decoded_in_the_kernel_that_computes_with_them() -> None:
    own = quarters()
    assert own.code is not None
    decode, encode = (tl.elementwise(f) for f in own.code)
    codes = tl.asarray(np.arange(100, dtype=np.uint8))
    assert steps(encode(tl.sqrt(decode(codes)) * 2)) == ["elementwise"]
