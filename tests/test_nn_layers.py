"""Every layer against NumPy in float64, and what modules say and check."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorlib as tl
from tensorlib import nn
from tensorlib.errors import ModelError, ShapeError
from tensorlib.tests import nn_reference as reference
from tensorlib.tests.chosen_backend import backend  # noqa: F401

WIDTH, HIDDEN, TIME = 32, 48, 7
RTOL = {"float64": 1e-12, "float32": 2e-5, "bfloat16": 5e-2, "float16": 5e-3}


def sample(*shape: int, dtype: str = "float32", seed: int = 0) -> tl.Tensor:
    return tl.asarray(np.random.default_rng(seed).normal(size=shape), dtype=dtype)


def near(got: tl.Tensor, want: Any, dtype: str = "float32") -> None:
    """The error is bounded relative to the largest value."""
    assert got.dtype.name == dtype
    assert got.shape == want.shape
    error = np.abs(reference.wide(got) - want).max()
    assert error <= RTOL[dtype] * np.abs(want).max()


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16", "float16"])
@pytest.mark.parametrize("bias", [False, True])
def test_linear(dtype: str, bias: bool) -> None:
    layer = nn.Linear.random(WIDTH, HIDDEN, bias=bias, dtype=dtype, seed=1)
    x = sample(2, TIME, WIDTH, dtype=dtype)
    near(layer(x), reference.linear(layer, reference.wide(x)), dtype)
    assert (layer.inputs, layer.outputs) == (WIDTH, HIDDEN)


def packed(rows: int, columns: int) -> tuple[tl.Tensor, Any]:
    """Random q8_0 blocks, and what they stand for."""
    whole = np.random.default_rng(5).integers(-127, 128, (rows * columns // 32, 32)).astype(np.int8)
    scale = np.full((len(whole), 1), 1 / 64, np.float16)
    blocks = np.concatenate([scale.view(np.uint8), whole.view(np.uint8)], axis=1)
    weight = tl.from_packed(blocks, "q8_0", (rows, columns))
    return weight, whole.astype(np.float64).reshape(rows, columns) / 64


def test_packed_weights() -> None:
    weight, values = packed(16, 64)
    x = sample(TIME, 64)
    near(nn.Linear(weight)(x), reference.wide(x) @ values.T)
    near(nn.Linear(weight)(x.astype("float64")), reference.wide(x) @ values.T, "float64")
    near(nn.Embedding(weight)([3, 1, 3]), values[[3, 1, 3]])
    assert np.array_equal(weight.astype("float64").numpy(), values)
    assert repr(nn.Linear(weight)) == "Linear(weight=q8_0(16, 64))"
    assert repr(weight) == "tensor(<not shown>, shape=(16, 64), dtype=q8_0)"


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
def test_embedding(dtype: str) -> None:
    layer = nn.Embedding.random(10, WIDTH, dtype=dtype, seed=1)
    ids = np.array([[1, 9], [0, -1]])
    near(layer(tl.asarray(ids)), reference.wide(layer.weight)[ids], dtype)


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16", "float16"])
def test_rms_norm(dtype: str) -> None:
    layer = nn.RMSNorm(sample(WIDTH, seed=2, dtype=dtype), epsilon=1e-3)
    x = sample(TIME, WIDTH, dtype=dtype) * 100
    near(layer(x), reference.rms_norm(layer, reference.wide(x)), dtype)


@pytest.mark.parametrize("interleaved", [False, True])
@pytest.mark.parametrize("position", [0, 5])
def test_rope(interleaved: bool, position: int) -> None:
    layer = nn.RoPE(8, context=16, theta=100.0, interleaved=interleaved)
    x = sample(2, 3, TIME, 8)
    near(layer(x, position), reference.rope(layer, reference.wide(x), position))


def test_rope_keeps_lengths_and_depends_on_distance_alone() -> None:
    layer = nn.RoPE(8, context=64, dtype="float64")
    q, k = sample(1, 8, dtype="float64"), sample(1, 8, dtype="float64", seed=1)
    near((layer(q, 3) ** 2).sum(axis=-1), (reference.wide(q) ** 2).sum(-1), "float64")
    near(layer(q, 30) @ layer(k, 20).mT, reference.wide(layer(q, 12) @ layer(k, 2).mT), "float64")


def test_rope_with_given_turns() -> None:
    layer = nn.RoPE(4, context=8, turns=[0.0, 0.0])
    x = sample(2, 4)
    near(layer(x, 5), reference.wide(x))


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("kv_heads", [1, 2, 4])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_attention(kv_heads: int, causal: bool, dtype: str) -> None:
    rope = nn.RoPE(8, context=TIME, dtype=dtype)
    layer = nn.Attention.random(
        WIDTH, heads=4, kv_heads=kv_heads, rope=rope, causal=causal, dtype=dtype, seed=1
    )
    x = sample(TIME, WIDTH, dtype=dtype)
    near(layer(x), reference.attention(layer, reference.wide(x)), dtype)


def test_attention_without_rope_over_a_batch() -> None:
    layer = nn.Attention.random(WIDTH, heads=4, kv_heads=2, head_dim=6, seed=1)
    x = sample(3, TIME, WIDTH)
    want = np.stack([reference.attention(layer, row) for row in reference.wide(x)])
    near(layer(x), want)


def test_feed_forward() -> None:
    layer = nn.FeedForward.random(WIDTH, HIDDEN, seed=1)
    x = sample(TIME, WIDTH)
    near(layer(x), reference.feed_forward(layer, reference.wide(x)))


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
def test_transformer_block(dtype: str) -> None:
    rope = nn.RoPE(8, context=TIME, dtype=dtype)
    layer = nn.TransformerBlock.random(
        WIDTH, HIDDEN, heads=4, kv_heads=2, rope=rope, dtype=dtype, seed=1
    )
    x = sample(TIME, WIDTH, dtype=dtype)
    near(layer(x), reference.block(layer, reference.wide(x)), dtype)


def test_random_weights_are_reproducible() -> None:
    one, other = (nn.FeedForward.random(8, 16, seed=3) for _ in range(2))
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        assert np.array_equal(a.numpy(), b.numpy())
    assert not np.array_equal(one.w1.weight.numpy(), one.w3.weight.numpy())


# --- modules ---


class Stack(nn.Module):
    def __init__(self, *layers: nn.Module) -> None:
        self.layers = list(layers)
        self.scale = tl.ones(1)
        self._hidden = tl.zeros(1)

    def __call__(self, x: tl.Tensor) -> tl.Tensor:
        for layer in self.layers:
            x = layer(x)
        return x * self.scale


def test_parameters_are_found_in_lists_and_children() -> None:
    module = Stack(nn.Linear.random(2, 3, bias=True, seed=0), nn.RMSNorm.ones(3))
    names = [name for name, _ in module.named_parameters()]
    assert names == ["scale", "layers.0.weight", "layers.0.bias", "layers.1.weight"]
    assert len(list(module.parameters())) == 4
    assert repr(module) == (
        "Stack(\n  scale=float64(1,)\n"
        "  (layers.0): Linear(weight=float32(3, 2), bias=float32(3,))\n"
        "  (layers.1): RMSNorm(weight=float32(3,), epsilon=1e-05)\n)"
    )


def test_state_dict_round_trips() -> None:
    one, other = (Stack(nn.Linear.random(2, 3, seed=s), nn.Linear.random(3, 2)) for s in (0, 1))
    other.load_state_dict(one.state_dict())
    x = sample(4, 2)
    assert np.array_equal(one(x).numpy(), other(x).numpy())
    other.load_state_dict({"layers.0.weight": np.zeros((3, 2), np.float32)}, strict=False)
    assert not other.state_dict()["layers.0.weight"].any()


def test_state_dicts_are_checked_before_anything_changes() -> None:
    module = nn.FeedForward.random(2, 3, seed=0)
    state = module.state_dict()
    weight = module.w1.weight
    message = r"load_state_dict: missing \['w1.weight'\], left over \['extra'\]; try strict=False"
    with pytest.raises(ModelError, match=message):
        module.load_state_dict({"extra": weight, **{k: state[k] for k in state if k[1] != "1"}})
    message = r"load_state_dict: got shape \(3, 2\) for w2.weight, needed \(2, 3\)"
    with pytest.raises(ShapeError, match=message):
        module.load_state_dict({**state, "w2.weight": weight})
    assert module.w1.weight is weight


def test_a_module_computes_in_call() -> None:
    with pytest.raises(NotImplementedError, match="Module does not define __call__"):
        nn.Module()()


ERRORS: list[tuple[Any, str]] = [
    (lambda: nn.Linear(tl.zeros(3)), r"Linear: got \(3,\), needed weight \(outputs, inputs\)"),
    (lambda: nn.Linear(tl.zeros((3, 2)), tl.zeros(2)), r"Linear: got \(3, 2\) and \(2,\), needed"),
    (lambda: nn.Embedding(tl.zeros(3)), r"Embedding: got weight \(3,\), needed \(rows, width\)"),
    (lambda: nn.RMSNorm(tl.zeros((3, 1))), r"RMSNorm: got weight \(3, 1\), needed \(width,\)"),
    (lambda: nn.RoPE(5, 8), "RoPE: got head_dim 5, needed an even number"),
    (lambda: nn.RoPE(4, 8)(tl.zeros((2, 6))), "RoPE: got heads of size 6, needed 4"),
    (
        lambda: nn.RoPE(4, 8)(tl.zeros((2, 4)), 7),
        "RoPE: got positions 7 to 9, needed them inside 0",
    ),
    (
        lambda: nn.Attention(*[nn.Linear.random(8, 8)] * 4, heads=3),
        "Attention: got 3 heads and 3 kv_heads for wq 8 and",
    ),
    (lambda: nn.Attention.random(32, heads=4, kv_heads=3), "Attention: got 4 heads and 3 kv_heads"),
]


@pytest.mark.parametrize(("call", "sentence"), ERRORS, ids=range(len(ERRORS)))
def test_error_sentences(call: Any, sentence: str) -> None:
    with pytest.raises(ShapeError, match=sentence):
        call()
