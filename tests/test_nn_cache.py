"""The KV cache: decoding step by step, in chunks and with symbolic sizes equals the full pass."""

from __future__ import annotations

import numpy as np
import pytest

import tensorlib as tl
from tensorlib import nn
from tensorlib.errors import ShapeError
from tensorlib.graph.node import CAPTURING, Recording, input_node, topological
from tensorlib.layouts.dim import Dim
from tensorlib.tests import nn_reference as reference
from tensorlib.tests.chosen_backend import backend  # noqa: F401

WIDTH, TIME, CONTEXT = 16, 9, 12


def made(dtype: str = "float64") -> tuple[nn.TransformerBlock, tl.Tensor]:
    rope = nn.RoPE(4, context=CONTEXT, dtype=dtype)
    layer = nn.TransformerBlock.random(
        WIDTH, 24, heads=4, kv_heads=2, rope=rope, dtype=dtype, seed=1
    )
    x = np.random.default_rng(0).normal(size=(TIME, WIDTH))
    return layer, tl.asarray(x, dtype=dtype)


@pytest.mark.parametrize("chunks", [[1] * TIME, [TIME], [4, 5], [6, 1, 1, 1], [1, 8]])
def test_steps_equal_the_full_pass(chunks: list[int]) -> None:
    layer, x = made()
    cache = nn.KVCache(2, 4, CONTEXT, "float64")
    got, position = [], 0
    for size in chunks:
        got.append(layer(x[position : position + size], position, cache).numpy())
        position += size
    np.testing.assert_allclose(np.concatenate(got), layer(x).numpy(), rtol=1e-12, atol=1e-13)


def test_an_earlier_position_overwrites_what_came_after() -> None:
    layer, x = made()
    cache = nn.KVCache(2, 4, CONTEXT, "float64")
    layer(x, 0, cache).numpy()
    got = layer(x[:3] * 2, 3, cache)
    want = layer(tl.concat([x[:3], x[:3] * 2]))[3:]
    np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-12, atol=1e-13)


def test_a_batch_has_its_own_axis() -> None:
    layer, x = made()
    both = tl.stack([x, -x])
    cache = nn.KVCache(2, 4, CONTEXT, "float64", batch=2)
    first, second = layer(both[:, :5], 0, cache), layer(both[:, 5:], 5, cache)
    got = np.concatenate([first.numpy(), second.numpy()], axis=1)
    np.testing.assert_allclose(got, layer(both).numpy(), rtol=1e-12, atol=1e-13)


def test_a_half_precision_cache_rounds_keys_and_values_only() -> None:
    layer, x = made("float32")
    cache = nn.KVCache(2, 4, CONTEXT, "float16")
    got = layer(x, 0, cache)
    assert got.dtype is tl.float32
    np.testing.assert_allclose(got.numpy(), layer(x).numpy(), atol=5e-3)


def test_append_returns_views_up_to_the_end() -> None:
    cache = nn.KVCache(1, 2, 4)
    keys = tl.asarray(np.arange(4).reshape(1, 2, 2), dtype="float32")
    seen, values = cache.append(keys, keys + 10, 1)
    assert seen.tolist() == [[[0, 0], [0, 1], [2, 3]]]
    assert values.tolist() == [[[0, 0], [10, 11], [12, 13]]]
    assert cache.keys.tolist() == [[[0, 0], [0, 1], [2, 3], [0, 0]]]
    assert repr(cache) == "KVCache((1, 4, 2), float32)"
    message = "KVCache: got positions 3 to 5, needed them inside 0 to 4; try a larger context"
    with pytest.raises(ShapeError, match=message):
        cache.append(keys, keys, 3)


@pytest.mark.parametrize(("time", "position"), [(1, 0), (1, 5), (4, 0), (3, 5)])
def test_symbolic_time_and_position(time: int, position: int) -> None:
    """One captured graph serves every length and position."""
    layer, x = made()
    cache = nn.KVCache(2, 4, CONTEXT, "float64")
    if position:
        layer(x[:position], 0, cache).numpy()
    n, p = Dim("n"), Dim("p")
    token = CAPTURING.set(Recording())
    try:
        place = tl.Tensor(input_node("x", (n, WIDTH), tl.float64, x.device))
        captured = layer(place, p, cache)
    finally:
        CAPTURING.reset(token)
    assert captured.shape == (n, WIDTH)
    chunk = x[position : position + time].numpy()
    got = reference.evaluate(captured, {"x": chunk}, {"n": time, "p": position})
    want = layer(x).numpy()[position : position + time]
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("chunks", [[1] * TIME, [4, 1, 1, 3]])
def test_a_compiled_step_serves_every_length_and_position(chunks: list[int]) -> None:
    layer, x = made("float32")
    cache = nn.KVCache(2, 4, CONTEXT)

    @tl.compile(dynamic={"part": {0: "n"}, "position": "p"})
    def step(part: tl.Tensor, position: int) -> tl.Tensor:
        return layer(part, position, cache)

    got, position = [], 0
    for size in chunks:
        got.append(step(x[position : position + size], position).numpy())
        position += size
    assert step.plans == 1
    np.testing.assert_allclose(np.concatenate(got), layer(x).numpy(), rtol=1e-4, atol=1e-5)


def test_a_decode_step_needs_no_mask() -> None:
    layer, x = made()
    cache = nn.KVCache(2, 4, CONTEXT, "float64")
    token = CAPTURING.set(Recording())
    try:
        place = tl.Tensor(input_node("x", (1, WIDTH), tl.float64, x.device))
        captured = layer(place, Dim("p"), cache)
    finally:
        CAPTURING.reset(token)
    assert "where" not in {node.op for node in topological([captured.node])}
