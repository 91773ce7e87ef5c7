"""A stand-in for a language model: tokens are bytes, the answer is the prompt's own text."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from tensorlib.errors import ModelError
from tensorlib.llama import command

CONTEXT = 64
ROLE = 256  # the id of a special token


class FakeTokenizer:
    """Ids are bytes; the text `<|role|>` is one special token."""

    def encode(self, text: str, special: bool = True) -> list[int]:
        parts = text.split("<|role|>") if special else [text]
        ids = list(parts[0].encode())
        for part in parts[1:]:
            ids += [ROLE, *part.encode()]
        return ids

    def token_bytes(self, number: int) -> bytes:
        return b"<|role|>" if number == ROLE else bytes([number])

    def pieces(self, ids: list[int]) -> list[str]:
        return [self.token_bytes(number).decode("utf-8", "backslashreplace") for number in ids]

    def decode(self, ids: list[int]) -> str:
        return b"".join(map(self.token_bytes, ids)).decode("utf-8", "replace")


class FakeGeneration:
    """Yields the text of the prompt, one token a piece, over and over."""

    def __init__(self, prompt: list[int], text: str, asked: dict[str, Any]) -> None:
        self.prompt_tokens = prompt
        self.text, self.asked = text, asked
        self.tokens: list[int] = []
        self.finish_reason = ""
        self.timings: dict[str, float] = {}

    def __iter__(self) -> Iterator[str]:
        for k in range(self.asked["max_tokens"]):
            if k >= len(self.text):
                break
            if self.text[k] == "~":  # a model that hangs
                time.sleep(600)
            if self.text[k] == "^":  # a model with a defect
                raise KeyError("lost")
            self.tokens.append(ord(self.text[k]))
            yield self.text[k]
        self.finish_reason = "stop" if len(self.tokens) >= len(self.text) else "length"
        self.timings = {
            "load_s": 0.25,
            "compile_s": 0.5,
            "prefill_tok_s": 100.0,
            "decode_tok_s": float("nan") if len(self.tokens) < 2 else 50.0,
            "peak_rss_mb": 123.4,
        }


class FakeLlama:
    """What the command needs of a model."""

    def __init__(self, path: Path, options: dict[str, Any]) -> None:
        self.path, self.options = path, options
        self.tokenizer = FakeTokenizer()

    @classmethod
    def load(cls, path: Path, **options: Any) -> FakeLlama:
        return cls(path, options)

    def chat_ids(self, messages: list[dict[str, str]]) -> list[int]:
        return [ROLE, *messages[-1]["content"].encode(), ROLE]

    def generate(self, prompt: str | list[int], **asked: Any) -> FakeGeneration:
        ids = self.tokenizer.encode(prompt) if isinstance(prompt, str) else prompt
        if len(ids) > CONTEXT:
            raise ModelError(f"generate: got {len(ids)} prompt tokens, needed at most {CONTEXT}")
        if asked["top_p"] > 1:
            raise ModelError(f"generate: got top_p={asked['top_p']}, needed 0 < top_p <= 1")
        text = prompt if isinstance(prompt, str) else self.tokenizer.decode(ids[1:-1])
        return FakeGeneration(ids, text, asked)


def install() -> None:
    """Put the stand-in where the command finds its model; for processes of tests only."""
    command.read_tokenizer = lambda path: FakeTokenizer()  # type: ignore[assignment,return-value]
    module = ModuleType("tensorlib.llama.model")
    module.Llama = FakeLlama  # type: ignore[attr-defined]
    sys.modules[module.__name__] = module
