"""Optimisations that users invent: rules of the graph and passes over the IR."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tensorlib as tl
from tensorlib.errors import KernelError, ShapeError, TensorlibError, VerifyError
from tensorlib.graph.rules import RULES
from tensorlib.graph.simplify import simplified
from tensorlib.ir import Kernel, Operation, walk
from tensorlib.passes import PASSES
from tensorlib.passes.registration import generation
from tensorlib.tests.test_user_functions import needs_compiler, numbers, swish

EXAMPLES = Path(tl.__file__).parents[1] / "examples"


def example(name: str) -> Any:
    """Import an example."""
    if not EXAMPLES.is_dir():
        pytest.skip("needs the source tree, not a regular install")
    found = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def ops(t: tl.Tensor) -> list[str]:
    """The ops of a tensor's graph after all rules, inputs first."""
    (root,) = simplified([t.node])
    order, stack = [], [root]
    while stack:
        n = stack.pop()
        order.append(n.op)
        stack += n.inputs
    return order[::-1]


# --- rules of the graph ---


def test_a_rule_of_a_user_rewrites_graphs_while_it_is_there() -> None:
    with example("user_rule").gate:
        x = tl.asarray(numbers(3000))
        for pending in (x * tl.sigmoid(x), tl.sigmoid(x) * x):
            assert ops(pending) == ["data", "silu"]
            expected = numbers(3000) / (1 + np.exp(-numbers(3000)))
            np.testing.assert_allclose(pending.numpy(), expected, rtol=1e-5)
        other = tl.asarray(numbers(3000, seed=1))
        assert "silu" not in ops(other * tl.sigmoid(x))
    assert "silu" not in ops(x * tl.sigmoid(x))


@needs_compiler
def test_plans_are_kept_for_each_set_of_rules() -> None:
    def halves() -> float:
        return float(tl.tanh(tl.full((3000,), 0.5))[0])

    plain = halves()

    @tl.graph_rule("tanh")
    def wrong_on_purpose(node: Any, make: Any) -> Any:
        return make("negative", node.inputs)

    assert plain == pytest.approx(np.tanh(0.5))
    assert halves() == -0.5
    wrong_on_purpose.remove()
    assert halves() == plain
    wrong_on_purpose.add()
    assert halves() == -0.5
    wrong_on_purpose.remove()


def test_a_higher_priority_is_tried_first() -> None:
    tried = []

    def noting(name: str) -> Any:
        def rule(node: Any, make: Any) -> None:
            tried.append(name)

        return rule

    first, late, early = (
        tl.graph_rule("sin")(noting("first")),
        tl.graph_rule("sin", priority=-1)(noting("late")),
        tl.graph_rule("sin", priority=5)(noting("early")),
    )
    second = tl.graph_rule("sin")(noting("second"))
    with first, late, early, second:
        simplified([tl.sin(tl.asarray(numbers(3))).node])
    assert tried == ["early", "first", "second", "late"]
    assert [rule.__name__ for rule in RULES.of("sin")] == ["fold_constants"]


def test_rules_of_the_library_and_of_users_are_in_one_table() -> None:
    @tl.graph_rule("multiply", priority=1)
    def own(node: Any, make: Any) -> None:
        return None

    names = [rule.__name__ for rule in RULES.of("multiply")]
    own.remove()
    assert names == ["own", "fold_constants", "multiply_by_one"]


def test_a_rule_may_use_operations_of_users() -> None:
    @tl.graph_rule("silu")
    def through_swish(node: Any, make: Any) -> Any:
        return make(swish, node.inputs)

    @tl.graph_rule(swish)
    def twice(node: Any, make: Any) -> Any:
        source = node.inputs[0]
        return source if source.op == node.op else None

    x = tl.asarray(numbers(3000))
    with through_swish, twice:
        assert ops(tl.silu(x)) == ["data", swish.row().name]
        assert ops(tl.silu(swish(x))) == ["data", swish.row().name]


@needs_compiler
def test_errors_of_rules() -> None:
    x = tl.asarray(numbers(3000))
    with pytest.raises(TensorlibError, match="got multiplY, needed the name of an op; did you"):
        tl.graph_rule("multiplY")
    with pytest.raises(TensorlibError, match="graph_rule: got no ops, needed the names of those"):
        tl.graph_rule()
    with pytest.raises(TensorlibError, match="graph_rule: got 3, needed the name of an op"):
        tl.graph_rule(3)
    with (
        tl.graph_rule("exp")(lambda node, make: 3),  # type: ignore[return-value]
        pytest.raises(TensorlibError, match="rule lambda: returned int, needed a node or None"),
    ):
        tl.exp(x).numpy()
    with (
        tl.graph_rule("exp")(lambda node, make: make("isnan", node.inputs)),
        pytest.raises(ShapeError, match=r"rule lambda: got bool\[3000\] for exp, needed float32"),
    ):
        tl.exp(x).numpy()


@needs_compiler
def test_rules_that_rewrite_one_another_for_ever_are_named() -> None:
    @tl.graph_rule("sin")
    def there(node: Any, make: Any) -> Any:
        return make("cos", node.inputs)

    @tl.graph_rule("cos")
    def back(node: Any, make: Any) -> Any:
        return make("sin", node.inputs)

    message = "rules there, back: got 100 rewritings inside one another, needed an end"
    with there, back, pytest.raises(TensorlibError, match=message):
        tl.sin(tl.asarray(numbers(3))).numpy()


# --- passes ---


@tl.kernel
def eighth(out: tl.Tile, x: tl.Tile) -> None:
    for i in tl.parallel(range(0, out.size, 4)):
        out.store[4](i, x.load[4](i) / 8.0 + x.load[4](i) / 3.0)


def names_of(kernel: Kernel) -> list[str]:
    return [operation.name for operation in walk(kernel.body)]


def test_a_pass_of_a_user_changes_kernels_while_it_is_there() -> None:
    x = numbers(100)
    out = np.zeros_like(x)
    with example("user_pass").multiply_by_reciprocal:
        changed = names_of(eighth.trace(out, x))
        eighth.interpret(out, x)
        np.testing.assert_array_equal(out, x / np.float32(8) + x / np.float32(3))
    plain = names_of(eighth.trace(out, x))
    assert (changed.count("divide"), changed.count("multiply")) == (1, 1)
    assert (plain.count("divide"), plain.count("multiply")) == (2, 0)


@needs_compiler
def test_compiled_kernels_and_plans_go_through_the_pass() -> None:
    x = numbers(4000)
    before = (tl.asarray(x) / 2.0 + 1).numpy()
    seen = []

    @tl.ir_pass(before="parallel")
    def watch(kernel: Kernel) -> None:
        seen.append(kernel.name)

    out = np.zeros_like(x)
    with watch:
        eighth(out, x)
        np.testing.assert_array_equal((tl.asarray(x) / 2.0 + 1).numpy(), before)
    assert {"eighth", "elementwise"} <= set(seen)
    count = len(seen)
    eighth(out, x)
    (tl.asarray(x) / 2.0 + 1).numpy()
    assert len(seen) == count


def test_passes_of_the_library_and_of_users_are_in_one_list() -> None:
    @tl.ir_pass
    def own(kernel: Kernel) -> None: ...

    names = [p.__name__ for p in PASSES]
    inside = generation()
    own.remove()
    own.remove()  # nothing to remove
    assert names[names.index("own") + 1] == "dead"
    assert "own" not in [p.__name__ for p in PASSES]
    assert inside != generation()
    with own:
        assert generation() == inside  # what was compiled then serves again


def test_errors_of_passes() -> None:
    with pytest.raises(KernelError, match="ir_pass p: got before='half_way', needed one of: "):

        @tl.ir_pass(before="half_way")
        def p(kernel: Kernel) -> None: ...

    x = numbers(4)
    with (
        tl.ir_pass(lambda kernel: 3),  # type: ignore[arg-type, return-value]
        pytest.raises(KernelError, match="ir_pass <lambda>: returned int, needed None, or whether"),
    ):
        eighth.ir(x, x)

    @tl.ir_pass
    def breaks(kernel: Kernel) -> None:
        used = next(o for o in walk(kernel.body) if o.name == "divide")
        used.operands[0] = Operation("load", [], [used.results[0].type]).results[0]

    with breaks, pytest.raises(VerifyError, match="ir_pass breaks: "):
        eighth.ir(x, x)


def test_a_registered_function_is_still_a_function() -> None:
    @tl.graph_rule("sqrt")
    def rule(node: Any, make: Any) -> Any:
        """What it does."""
        return node

    rule.remove()
    assert (rule.__name__, rule.__doc__, rule("n", None)) == ("rule", "What it does.", "n")
