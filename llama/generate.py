"""`Generation`: text that comes piece by piece, with its tokens and its figures."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tensorlib.llama.sampling import Sampler

if TYPE_CHECKING:
    from tensorlib.llama.model import Llama

__all__ = ["Generation", "peak_rss_mb"]


class Generation:
    """An iterator of pieces of text.

    `prompt_tokens` are the prompt's ids, `tokens` those made so far, without the end token. At the
    end `finish_reason` is "stop" (an end token) or "length" (max_tokens, or the context is full),
    and `timings` has load_s, compile_s, prefill_tok_s, decode_tok_s and peak_rss_mb (10**6 bytes).
    """

    def __init__(
        self, model: Llama, prompt_tokens: Sequence[int], sampler: Sampler, max_tokens: int
    ) -> None:
        self.prompt_tokens = list(prompt_tokens)
        self.tokens: list[int] = []
        self.finish_reason: str | None = None
        self.timings: dict[str, float] = {}
        self._model, self._sampler = model, sampler
        room = model.config.context - len(self.prompt_tokens)
        self._most = min(max_tokens, room)
        self._pieces = self._run()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        return next(self._pieces)

    def _run(self) -> Iterator[str]:
        """Yield text as soon as its characters are whole."""
        text = self._model.tokenizer.stream()
        for token in self._sampled():
            self.tokens.append(token)
            piece = text.push(token)
            if piece:
                yield piece
        rest = text.finish()
        if rest:
            yield rest

    def _sampled(self) -> Iterator[int]:
        """Yield token ids until the end token or the limit."""
        model, ends = self._model, self._model.tokenizer.end_ids
        self.finish_reason = None
        clock = _Clock()
        if self._most:
            token = self._next(model.prefill(self.prompt_tokens))
            clock.prefilled(len(self.prompt_tokens))
        for position in range(len(self.prompt_tokens), len(self.prompt_tokens) + self._most):
            if token in ends:
                self.finish_reason = "stop"
                break
            yield token
            if len(self.tokens) < self._most:
                start = time.perf_counter()
                token = self._next(model.step([token], position))
                clock.decoded(time.perf_counter() - start)
        self.finish_reason = self.finish_reason or "length"
        self.timings = {
            "load_s": model.load_s,
            "compile_s": model.compile_s,
            **clock.figures(),
            "peak_rss_mb": peak_rss_mb(),
        }

    def _next(self, result: tuple[object, object]) -> int:
        """Choose the next token from logits, or take the likeliest, found on the device."""
        logits, likeliest = result
        if self._sampler.temperature == 0:
            return int(likeliest)  # type: ignore[call-overload,no-any-return]
        return self._sampler.sample(logits.numpy())  # type: ignore[attr-defined]


class _Clock:
    """Tokens a second, of the prompt and of the steps after it."""

    def __init__(self) -> None:
        self.start = time.perf_counter()
        self.prefill_tokens = self.steps = 0
        self.prefill_s = self.decode_s = 0.0

    def prefilled(self, tokens: int) -> None:
        self.prefill_tokens, self.prefill_s = tokens, time.perf_counter() - self.start

    def decoded(self, seconds: float) -> None:
        self.steps += 1
        self.decode_s += seconds

    def figures(self) -> dict[str, float]:
        """Return tokens a second; NaN for what did not happen."""
        nothing = float("nan")
        return {
            "prefill_tok_s": self.prefill_tokens / self.prefill_s if self.prefill_s else nothing,
            "decode_tok_s": self.steps / self.decode_s if self.decode_s else nothing,
        }


def peak_rss_mb() -> float:
    """Return the most memory this process has had resident, in 10**6 bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e6
