"""The layers in NumPy float64, written from the papers; an evaluator of symbolic graphs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

import tensorlib as tl
from tensorlib.graph.host import to_numpy
from tensorlib.graph.node import topological
from tensorlib.layouts.dim import Dim
from tensorlib.ops import OPS

Array = np.ndarray[Any, Any]


def wide(x: tl.Tensor) -> Array:
    return x.astype("float64").numpy()


def linear(layer: Any, x: Array) -> Array:
    y: Array = x @ wide(layer.weight).T
    return y if layer.bias is None else y + wide(layer.bias)


def rms_norm(layer: Any, x: Array) -> Array:
    scale = np.sqrt((x**2).mean(-1, keepdims=True) + layer.epsilon)
    return np.asarray(x / scale * wide(layer.weight))


def rope(layer: Any, x: Array, position: int = 0) -> Array:
    """Multiply pairs, as complex numbers, by e^(i angle)."""
    time, width = x.shape[-2:]
    speed = layer.theta ** (-np.arange(0, width, 2) / width)
    turn = np.exp(1j * (position + np.arange(time))[:, None] * speed)
    y = np.empty_like(x)
    half = np.s_[..., : width // 2], np.s_[..., width // 2 :]
    first, second = (np.s_[..., ::2], np.s_[..., 1::2]) if layer.interleaved else half
    turned = (x[first] + 1j * x[second]) * turn
    y[first], y[second] = turned.real, turned.imag
    return y


def attention(layer: Any, x: Array) -> Array:
    """One query and one head at a time."""
    time = x.shape[-2]
    q, k, v = (
        linear(w, x).reshape(time, heads, -1).swapaxes(0, 1)
        for w, heads in (
            (layer.wq, layer.heads),
            (layer.wk, layer.kv_heads),
            (layer.wv, layer.kv_heads),
        )
    )
    if layer.rope is not None:
        q, k = rope(layer.rope, q), rope(layer.rope, k)
    out = np.zeros_like(q)
    for h in range(layer.heads):
        g = h * layer.kv_heads // layer.heads
        for t in range(time):
            end = t + 1 if layer.causal else time
            scores = k[g, :end] @ q[h, t] / np.sqrt(q.shape[-1])
            powers = np.exp(scores - scores.max())
            out[h, t] = powers / powers.sum() @ v[g, :end]
    return linear(layer.wo, out.swapaxes(0, 1).reshape(time, -1))


def feed_forward(layer: Any, x: Array) -> Array:
    gate = linear(layer.w1, x)
    return linear(layer.w2, gate / (1 + np.exp(-gate)) * linear(layer.w3, x))


def block(layer: Any, x: Array) -> Array:
    h = x + attention(layer.attention, rms_norm(layer.attention_norm, x))
    return h + feed_forward(layer.feed_forward, rms_norm(layer.feed_forward_norm, h))


def evaluate(x: tl.Tensor, inputs: Mapping[str, Array], symbols: Mapping[str, int]) -> Array:
    """Compute a captured tensor by the NumPy meanings, with `symbols` bound; states are copied."""
    values: dict[int, Any] = {}
    for node in topological([x.node]):
        if node.op == "data":
            values[id(node)] = to_numpy(node)
        elif node.op == "input":
            values[id(node)] = inputs[node.attributes["name"]]
        else:
            meaning = OPS[node.op].meaning
            assert meaning is not None
            attributes = {k: _bound(v, symbols) for k, v in node.attributes.items()}
            values[id(node)] = meaning(*(values[id(i)] for i in node.inputs), **attributes)
        assert values[id(node)].shape == _bound(node.shape, symbols)
    return np.asarray(values[id(x.node)])


def _bound(value: Any, symbols: Mapping[str, int]) -> Any:
    if isinstance(value, tuple):
        return tuple(_bound(v, symbols) for v in value)
    return value.evaluate(symbols) if isinstance(value, Dim) else value
