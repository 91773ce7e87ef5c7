"""Llama models: GGUF files, tokenizers, the network, sampling, generation, chat.

Names are imported when first used, so that the command line starts quickly.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tensorlib.llama.config import LlamaConfig as LlamaConfig
    from tensorlib.llama.generate import Generation as Generation
    from tensorlib.llama.gguf import GGUF as GGUF
    from tensorlib.llama.model import Llama as Llama
    from tensorlib.llama.sampling import Sampler as Sampler
    from tensorlib.llama.tokenizer import Tokenizer as Tokenizer

_MODULES = {
    "GGUF": "gguf",
    "Generation": "generate",
    "Llama": "model",
    "LlamaConfig": "config",
    "Sampler": "sampling",
    "Tokenizer": "tokenizer",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'tensorlib.llama' has no attribute {name!r}")
    value = getattr(import_module(f"tensorlib.llama.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(_MODULES)
