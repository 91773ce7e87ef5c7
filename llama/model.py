"""`Llama`: a model file with its tokenizer and chat template, compiled into one plan."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tensorlib.backend import Compiling, Threaded
from tensorlib.capture import compile
from tensorlib.creation import asarray
from tensorlib.dtypes import DType
from tensorlib.errors import ModelError
from tensorlib.layouts.dim import Size
from tensorlib.llama.chat import ChatTemplate, encode_chat
from tensorlib.llama.config import LlamaConfig
from tensorlib.llama.generate import Generation
from tensorlib.llama.gguf import GGUF
from tensorlib.llama.network import LlamaNetwork, load_network
from tensorlib.llama.sampling import Sampler
from tensorlib.llama.tokenizer import Tokenizer
from tensorlib.nn import KVCache
from tensorlib.registry import REGISTRY
from tensorlib.tensor import Tensor

__all__ = ["Llama"]

PRECISIONS = ("f32", "fast")
# Prompts run in pieces of so many tokens, which bounds the memory of intermediate results.
CHUNK = 512


class Llama:
    """A Llama model ready to generate text.

    >>> from tensorlib.llama import Llama
    >>> model = Llama.load("model.gguf")                            # doctest: +SKIP
    >>> for piece in model.generate("The capital of France is"):    # doctest: +SKIP
    ...     print(piece, end="")
    """

    def __init__(
        self,
        network: LlamaNetwork,
        config: LlamaConfig,
        tokenizer: Tokenizer,
        template: Callable[[], ChatTemplate],
        caches: Sequence[KVCache],
    ) -> None:
        self.network, self.config, self.tokenizer = network, config, tokenizer
        self.caches = list(caches)
        self.load_s = self.compile_s = 0.0
        self._template = template
        self._device = network.embedding.weight.device
        self._token = np.zeros(1, np.int64)
        self._token_tensor = asarray(self._token, device=self._device, copy=False)
        self._step = compile(self._forward, dynamic={"tokens": {0: "T"}, "position": "P"})

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        backend: str | None = None,
        threads: int | None = None,
        precision: str = "fast",
        progress: Callable[[int, int], None] | None = None,
    ) -> Llama:
        """Return the model in the GGUF file at `path`, compiled.

        backend: a name (default: the best that works here); threads: how many of them share a
        kernel's work (default: the cores this process may use). precision: f32 computes in float32
        over exactly decoded weights; fast may round inside matmuls (both are the same today).
        progress(done, total) is told while kernels compile. Raises GGUFError, ModelError,
        BackendError.
        """
        start = time.perf_counter()
        if precision not in PRECISIONS:
            raise ModelError(f"precision: got {precision!r}, needed one of {', '.join(PRECISIONS)}")
        device = REGISTRY.device(backend)
        _configure(REGISTRY.backend(device.backend), threads, progress)
        file = GGUF.open(Path(path))
        config = LlamaConfig.from_gguf(file)
        tokenizer = Tokenizer.from_metadata(file.metadata)
        if len(tokenizer) != config.vocabulary:
            raise ModelError(
                f"{path}: the tokenizer has {len(tokenizer)} tokens, the model {config.vocabulary}"
            )
        caches = [
            KVCache(config.kv_heads, config.head_dim, config.context, device=device)
            for _ in range(config.layers)
        ]
        network = load_network(file, config, device)
        model = cls(network, config, tokenizer, lambda: _template(file.metadata), caches)
        model.load_s = time.perf_counter() - start
        model._compile()
        return model

    def _compile(self) -> None:
        """Compile the plan by one step; the next prompt overwrites what it leaves in the caches."""
        start = time.perf_counter()
        self.step([0], 0)[1].realise()
        self.compile_s = time.perf_counter() - start

    def _forward(self, tokens: Tensor, position: Size) -> tuple[Tensor, Tensor]:
        return self.network(tokens, position, self.caches)

    def step(self, tokens: Sequence[int], position: int) -> tuple[Tensor, Tensor]:
        """Run `tokens` from `position` on; return the logits after the last, and the likeliest.

        The caches must hold the positions before. Raises ModelError past the model's context.
        """
        end = position + len(tokens)
        if not tokens or position < 0 or end > self.config.context:
            raise ModelError(
                f"step: got positions {position} to {end}, needed at least one token and "
                f"positions inside the context of {self.config.context}"
            )
        if min(tokens) < 0 or max(tokens) >= self.config.vocabulary:
            raise ModelError(f"step: got token ids outside 0 to {self.config.vocabulary - 1}")
        logits, likeliest = self._step(self._ids(tokens), position)
        return logits.realise(), likeliest.realise()

    def _ids(self, tokens: Sequence[int]) -> Tensor:
        """Return token ids as a tensor; a single one goes into the same memory every time."""
        if len(tokens) > 1:
            return asarray(list(tokens), dtype=DType.int64, device=self._device)
        self._token[0] = tokens[0]
        return self._token_tensor

    def prefill(self, tokens: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Run a prompt from position 0, in pieces; return what the last `step` does."""
        result = None
        for start in range(0, len(tokens), CHUNK):
            result = self.step(tokens[start : start + CHUNK], start)
        if result is None:
            raise ModelError("generate: got an empty prompt, needed at least one token")
        return result

    def chat_ids(self, messages: Sequence[Mapping[str, Any]]) -> list[int]:
        """Return the ids of a chat as the model's template writes it, ready for the answer.

        Special tokens written in a message are plain characters. Raises ModelError.
        """
        return encode_chat(self.tokenizer, self._template(), messages)

    def generate(
        self,
        prompt: str | Sequence[int],
        max_tokens: int = 128,
        temperature: float = 0.0,
        top_k: int = 0,
        top_p: float = 1.0,
        seed: int | None = None,
    ) -> Generation:
        """Return an iterator of pieces of text that continue `prompt` (text or token ids).

        temperature 0 takes the likeliest token, lowest id at a tie; else see `Sampler`. The same
        seed gives the same tokens. Raises ModelError for values out of range, and for a prompt that
        leaves no room in the context.
        """
        if isinstance(max_tokens, bool) or not isinstance(max_tokens, int) or max_tokens < 0:
            raise ModelError(f"max_tokens: got {max_tokens!r}, needed a whole number from 0")
        sampler = Sampler(temperature, top_k, top_p, seed)
        ids = self.tokenizer.encode(prompt) if isinstance(prompt, str) else list(prompt)
        if not ids:
            raise ModelError("prompt: got no tokens, needed at least one; try a longer text")
        if len(ids) >= self.config.context:
            raise ModelError(
                f"prompt: got {len(ids)} tokens, needed fewer than the context of "
                f"{self.config.context}; try a shorter prompt"
            )
        return Generation(self, ids, sampler, max_tokens)


def _configure(
    backend: Any, threads: int | None, progress: Callable[[int, int], None] | None
) -> None:
    if threads is not None and threads < 1:
        raise ModelError(f"threads: got {threads}, needed a whole number from 1")
    if threads is not None and isinstance(backend, Threaded):
        backend.threads = threads
    if isinstance(backend, Compiling):
        backend.progress = progress


def _template(metadata: Mapping[str, Any]) -> ChatTemplate:
    return ChatTemplate.from_metadata(metadata)
