"""What one decode step costs: foreign calls, compiles and NumPy operations are counted."""

from __future__ import annotations

import sys
from collections import Counter
from types import FrameType
from typing import Any, cast

import pytest

from tensorlib.backends.c.backend import CBackend
from tensorlib.llama import Llama
from tensorlib.registry import REGISTRY
from tensorlib.tests.gguf_files import tiny_llama

pytestmark = pytest.mark.skipif(
    "c" in REGISTRY.unavailable(), reason="no C compiler, so there are no foreign calls to count"
)
STEPS = 5


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Llama:
    path = tmp_path_factory.mktemp("model") / "tiny.gguf"
    path.write_bytes(tiny_llama())
    model = Llama.load(path, backend="c")
    int(model.prefill([1, 2, 3])[1])
    int(model.step([4], 3)[1])
    return model


def calls_of(steps: Any) -> Counter[str]:
    """Count the built-in functions that `steps()` calls, by module and name."""
    found: Counter[str] = Counter()

    def record(frame: FrameType, event: str, function: Any) -> None:
        if event == "c_call":
            owner = getattr(function, "__self__", None)
            kind = type(owner).__module__ if owner is not None else ""
            module = getattr(function, "__module__", None) or kind or ""
            found[f"{module}.{getattr(function, '__qualname__', function)}"] += 1

    sys.setprofile(record)
    try:
        steps()
    finally:
        sys.setprofile(None)
    return found


def decode(model: Llama) -> None:
    token = 5
    for position in range(4, 4 + STEPS):
        token = int(model.step([token], position)[1])


def test_a_step_is_one_foreign_call_that_computes(model: Llama) -> None:
    calls = calls_of(lambda: decode(model))
    assert sum(n for name, n in calls.items() if name.endswith("tl_run")) == STEPS
    foreign = sum(n for name, n in calls.items() if ".tl_" in name)
    assert foreign <= 8 * STEPS, calls.most_common()  # the others take and give back memory


def test_a_step_calls_no_numpy(model: Llama) -> None:
    calls = calls_of(lambda: decode(model))
    numpy = {name: n for name, n in calls.items() if "numpy" in name}
    assert not numpy


def test_the_counter_sees_numpy(model: Llama) -> None:
    """The test above can fail: reading all logits does go through NumPy."""
    logits, _ = model.step([5], 4)
    calls = calls_of(logits.numpy)
    assert any("numpy" in name for name in calls)


def test_nothing_compiles_after_the_first_step(model: Llama) -> None:
    backend = cast(CBackend, REGISTRY.backend("c"))
    before = backend.library.counters.compiles, backend.library.counters.loads
    decode(model)
    model.prefill(list(range(1, 30)))  # another length is another value of a symbol
    assert (backend.library.counters.compiles, backend.library.counters.loads) == before
    assert model._step.plans == 1


def test_layers_share_their_kernels(model: Llama) -> None:
    """Kernels do not grow in number with the layers."""
    (recorded,) = cast(Any, model._step._recorded.values())
    steps = recorded._plan.plan.steps
    assert len({step.spec for step in steps}) < len(steps) * 0.8
    assert len(steps) > 10 * model.config.layers
