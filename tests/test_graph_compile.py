"""`tl.compile` and pending nodes, over plans: one plan for all sizes, states, errors."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest

import tensorlib as tl
from tensorlib import nn
from tensorlib.capture import CompiledFunction, compile
from tensorlib.errors import DTypeError, ShapeError, TensorlibError
from tensorlib.graph.node import CAPTURING
from tensorlib.registry import REGISTRY
from tensorlib.tests.plan_backend import DEVICE, PlanBackend

Array = np.ndarray[Any, Any]


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> PlanBackend:
    """Make the test backend of plans the default one."""
    found = PlanBackend()
    monkeypatch.setitem(REGISTRY._backends, "plan", found)
    monkeypatch.setattr(REGISTRY, "default", lambda: DEVICE)
    monkeypatch.setenv("TENSORLIB_SMALL", "0")
    return found


def asarray(values: Any, dtype: Any = np.float32) -> tl.Tensor:
    return tl.asarray(np.asarray(values, dtype))


# --- pending nodes ---


def test_repeated_expressions_share_a_plan(backend: PlanBackend) -> None:
    def run(x: Array) -> Array:
        return (tl.exp(asarray(x)) + 1.5).numpy()

    x = np.arange(6, dtype=np.float32)
    np.testing.assert_allclose(run(x), np.exp(x) + 1.5, rtol=1e-6)
    count = len(backend.plans)
    np.testing.assert_allclose(run(x + 1), np.exp(x + 1) + 1.5, rtol=1e-6)
    assert len(backend.plans) == count
    run(x[:3])
    assert backend.plans[-1].steps[-1].spec is not None
    assert backend.plans[-1].steps[-1].spec == backend.plans[count - 1].steps[-1].spec


def test_pending_views_of_data_share_its_memory(backend: PlanBackend) -> None:
    x = asarray([[1, 2, 3], [4, 5, 6]])
    part = x[:, ::-1].T
    np.testing.assert_array_equal(part.numpy(), [[3, 6], [2, 5], [1, 4]])
    assert part.node.storage is not None
    assert x.node.storage is not None
    assert part.node.storage.buffer is x.node.storage.buffer
    assert not backend.plans


def test_states_are_updated_at_once_outside_of_compiled_functions(backend: PlanBackend) -> None:
    cache = tl.state((4,), dtype="float32")
    before = cache + 1
    tl.update(cache, asarray([5, 6]), 1)
    np.testing.assert_array_equal(cache.numpy(), [0, 5, 6, 0])
    np.testing.assert_array_equal(before.numpy(), [1, 1, 1, 1])


def test_the_plan_is_printed_for_debugging(
    backend: PlanBackend, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TENSORLIB_DEBUG", "1")
    tl.sqrt(asarray([1, 4])).realise()
    assert capsys.readouterr().err == (
        "plan: 1 steps, 4 values (2 dynamic), 1 outputs, 0 slots\n"
        "   0  elementwise1 float32[1] = sqrt(load0:float32); load0: float32[1]\n"
        "        n0=2 out_pointer=output0 out_offset=0 load0_pointer=input0 load0_offset=0\n"
    )


# --- compiled functions ---


def test_one_plan_serves_all_sizes(backend: PlanBackend) -> None:
    weight = asarray(np.random.default_rng(0).standard_normal((4, 3)))

    @compile(dynamic={"x": {0: "T"}, "position": "P"})
    def layer(x: Any, position: Any) -> Any:
        """A layer."""
        steps = tl.arange(position, position + x.shape[0]).astype("float32")
        return tl.softmax(x @ weight + steps.reshape(-1, 1), axis=0) * x.shape[0]

    for rows, start in ((3, 5), (1, 0), (1, 1), (4, 4), (0, 2)):
        x = np.random.default_rng(rows).standard_normal((rows, 4)).astype(np.float32)
        scores = x @ weight.numpy() + (start + np.arange(rows, dtype=np.float32))[:, None]
        powers = np.exp(scores - scores.max(axis=0, initial=-np.inf))
        expected = powers / powers.sum(axis=0) * rows if rows else scores
        found = layer(asarray(x), start)
        assert found.shape == (rows, 3)
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-4)
    assert layer.plans == len(backend.plans) == 1
    assert (layer.__name__, layer.__doc__) == ("layer", "A layer.")


def test_fixed_arguments_have_plans_of_their_own(backend: PlanBackend) -> None:
    @compile
    def scaled(x: Any, factor: float = 2.0, *, shift: int = 0) -> Any:
        return x * factor + shift

    with pytest.raises(TensorlibError, match="compile: got scaled with keyword-only parameters"):
        scaled(asarray([1]))

    @compile
    def grown(x: Any, factor: float = 2.0, names: tuple[Any, ...] = ()) -> Any:
        return x * factor + len(names)

    np.testing.assert_array_equal(grown(asarray([1, 2])).numpy(), [2, 4])
    np.testing.assert_array_equal(grown(asarray([3, 4])).numpy(), [6, 8])
    assert grown.plans == 1
    np.testing.assert_array_equal(grown(asarray([1, 2]), factor=3.0).numpy(), [3, 6])
    np.testing.assert_array_equal(grown(asarray([1, 2]), 3.0, ("a",)).numpy(), [4, 7])
    np.testing.assert_array_equal(grown(asarray([[1.0]])).numpy(), [[2]])
    assert grown.plans == 4


class Pair(NamedTuple):
    left: Any
    right: Any


def test_results_and_arguments_may_be_nested(backend: PlanBackend) -> None:
    @compile(dynamic={"x": {0: "T"}})
    def parts(x: Any, others: Any) -> Any:
        total = x + others["a"] * others["b"][0]
        return {"sum": total, "pair": Pair(x.shape[0], [total * 2, "text", x])}

    found = parts(asarray([1, 2]), {"a": asarray(3.0), "b": [asarray(2.0)]})
    np.testing.assert_array_equal(found["sum"].numpy(), [7, 8])
    assert found["pair"].left == 2
    doubled, text, same = found["pair"].right
    np.testing.assert_array_equal(doubled.numpy(), [14, 16])
    assert text == "text"
    np.testing.assert_array_equal(same.numpy(), [1, 2])


def test_methods_and_views_as_arguments(backend: PlanBackend) -> None:
    class Model:
        def __init__(self, factor: float) -> None:
            self.factor = factor

        @compile(dynamic={"x": {1: "N"}})
        def run(self, x: Any) -> Any:
            return x * self.factor

    first, second = Model(2.0), Model(3.0)
    x = asarray(np.arange(6).reshape(2, 3))
    np.testing.assert_array_equal(first.run(x).numpy(), x.numpy() * 2)
    np.testing.assert_array_equal(second.run(x[:, 1:]).numpy(), x.numpy()[:, 1:] * 3)
    np.testing.assert_array_equal(second.run(x[1:] + 1).numpy(), (x.numpy()[1:] + 1) * 3)
    np.testing.assert_array_equal(second.run(x[1:]).numpy(), x.numpy()[1:] * 3)
    np.testing.assert_array_equal(second.run(x.T).numpy(), x.numpy().T * 3)


def test_states_are_updated_in_place(backend: PlanBackend) -> None:
    cache = tl.state((6, 2), dtype="float32")

    @compile(dynamic={"rows": {0: "T"}, "position": "P"})
    def append(rows: Any, position: Any) -> Any:
        after = tl.update(cache, rows * 2, position)
        return after[: position + rows.shape[0]].sum(axis=0)

    rows = np.arange(12, dtype=np.float32).reshape(6, 2)
    for start, count in ((0, 3), (3, 1), (4, 2)):
        found = append(asarray(rows[start : start + count]), start)
        np.testing.assert_array_equal(found.numpy(), 2 * rows[: start + count].sum(axis=0))
    np.testing.assert_array_equal(cache.numpy(), rows * 2)
    assert append.plans == 1
    with pytest.raises(ShapeError, match="got T = 2, P = 5, needed indices inside the axis"):
        append(asarray(rows[:2]), 5)


def test_pending_readers_of_a_state_run_before_a_compiled_update(backend: PlanBackend) -> None:
    cache = tl.state((3,), dtype="float32")

    @compile(dynamic={"position": "P"})
    def put(value: Any, position: Any) -> Any:
        return tl.update(cache, value, position)

    before = cache + 1
    after = put(asarray([7]), 1)
    np.testing.assert_array_equal(before.numpy(), [1, 1, 1])
    np.testing.assert_array_equal(after.numpy(), [0, 7, 0])
    np.testing.assert_array_equal(put(asarray([8]), 2).numpy(), [0, 7, 8])


def test_a_state_as_argument_is_part_of_the_plan(backend: PlanBackend) -> None:
    @compile(dynamic={"position": "P"})
    def put(cache: Any, value: Any, position: Any) -> Any:
        return tl.update(cache, value, position)

    first, second = tl.state((2,), dtype="float32"), tl.state((2,), dtype="float32")
    put(first, asarray([1]), 0)
    put(second, asarray([2]), 1)
    put(first, asarray([3]), 1)
    np.testing.assert_array_equal(first.numpy(), [1, 3])
    np.testing.assert_array_equal(second.numpy(), [0, 2])
    assert put.plans == 2


def test_what_depends_on_constants_alone_is_computed_once(backend: PlanBackend) -> None:
    weight = asarray(np.arange(8))

    @compile
    def biased(x: Any) -> Any:
        return x + tl.exp(weight) * 2

    np.testing.assert_allclose(
        biased(asarray(np.ones(8))).numpy(), 1 + 2 * np.exp(np.arange(8)), rtol=1e-5
    )
    spec: Any = backend.plans[-1].steps[-1].spec
    assert str(spec.expression) == "add(load0:float32, load1:float32)"


def test_a_transformer_block_prefills_and_decodes_with_one_plan(backend: PlanBackend) -> None:
    rope = nn.RoPE(8, context=16)
    block = nn.TransformerBlock.random(32, 64, heads=4, kv_heads=2, rope=rope, seed=0)
    cache = nn.KVCache(2, 8, 16)

    @compile(dynamic={"x": {0: "T"}, "position": "P"})
    def step(x: Any, position: Any) -> Any:
        return block(x, position, cache)

    x = np.random.default_rng(0).standard_normal((7, 32)).astype(np.float32)
    expected = block(asarray(x)).numpy()
    found = [step(asarray(x[:4]), 0)]
    plans = len(backend.plans)
    found += [step(asarray(x[4:5]), 4), step(asarray(x[5:]), 5)]
    together = np.concatenate([part.numpy() for part in found])
    np.testing.assert_allclose(together, expected, rtol=1e-4, atol=1e-5)
    assert step.plans == 1
    assert len(backend.plans) == plans
    assert len(backend.plans[-1].steps) <= 16


# --- errors ---


def function() -> CompiledFunction:
    @compile(dynamic={"x": {0: "T"}, "y": {0: "T"}, "n": "N"})
    def f(x: Any, y: Any = None, n: Any = 1, other: Any = None) -> Any:
        return x * 2

    return f


def test_dynamic_must_name_parameters() -> None:
    message = "compile: got dynamic 'z', which is no parameter of <lambda>; it has x"
    with pytest.raises(TensorlibError, match=message):
        compile(lambda x: x, dynamic={"z": "T"})
    message = "compile: got dynamic 3 for 'x', needed the name of a symbol for an int"
    with pytest.raises(TensorlibError, match=message):
        compile(lambda x: x, dynamic={"x": 3})  # type: ignore[dict-item]


def test_arguments_must_fit_their_symbols(backend: PlanBackend) -> None:
    f, x = function(), asarray([1, 2])
    message = "f: got T = 3 from y, but T = 2 from an argument before it; one symbol has one value"
    with pytest.raises(ShapeError, match=message):
        f(x, asarray([1, 2, 3]))
    message = "f: got x with 0 axes, needed an axis 0 for the symbol T"
    with pytest.raises(ShapeError, match=message):
        f(asarray(1), x)
    message = "f: got int as x, needed a tensor for the symbol T; try tl.asarray"
    with pytest.raises(DTypeError, match=message):
        f(3, x)
    for wrong in (-1, 1.5, "text", True, x):
        with pytest.raises(DTypeError, match="as n, needed an int from 0 on for the symbol N"):
            f(x, x, wrong)
    message = "f: got ndarray as other, needed a tensor, a hashable value, or tuples, lists and"
    with pytest.raises(DTypeError, match=message):
        f(x, x, 1, np.ones(2))
    with pytest.raises(TypeError, match="missing a required argument: 'x'"):
        f()
    with pytest.raises(TensorlibError, match="compile: got <lambda> with \\*args or \\*\\*kwargs"):
        compile(lambda *args: args[0])(x)


def test_a_function_that_fails_leaves_nothing_behind(backend: PlanBackend) -> None:
    @compile
    def failing(x: Any) -> Any:
        raise KeyError("inside")

    with pytest.raises(KeyError, match="inside"):
        failing(asarray([1]))
    assert not CAPTURING.get()
    assert failing.plans == 0


def test_out_of_memory_leaves_the_plan_usable(
    backend: PlanBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    @compile(dynamic={"x": {0: "T"}})
    def twice(x: Any) -> Any:
        square = x @ x.mT
        return square @ square

    small = twice(asarray(np.eye(2))).numpy()
    allocate = backend.allocate

    def limited(nbytes: int, device: Any) -> Any:
        if nbytes > 4000:
            raise MemoryError("no more")
        return allocate(nbytes, device)

    monkeypatch.setattr(backend, "allocate", limited)
    large = tl.asarray(np.ones((40, 2), np.float32)).realise()
    with pytest.raises(MemoryError, match="no more"):
        twice(large)
    np.testing.assert_array_equal(twice(asarray(np.eye(2))).numpy(), small)


def test_on_backends_of_whole_operations_the_function_itself_runs() -> None:
    calls = []

    @compile(dynamic={"n": "N"})
    def shifted(x: Any, n: Any) -> Any:
        calls.append(n)
        return x + n

    x = tl.asarray(np.ones(2, np.float32), device="reference")
    np.testing.assert_array_equal(shifted(x, 3).numpy(), [4, 4])
    np.testing.assert_array_equal(shifted(x, 4).numpy(), [5, 5])
    assert calls == [3, 4]


def test_an_update_whose_result_is_not_used_happens() -> None:
    state = tl.state((4,), dtype="float32")

    @tl.compile
    def write(x: tl.Tensor) -> None:
        tl.update(state, x, 1)

    write(tl.asarray([5.0, 6.0], dtype="float32"))
    assert state.numpy().tolist() == [0.0, 5.0, 6.0, 0.0]
