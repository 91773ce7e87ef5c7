"""Fixtures for every test: hypothesis profiles, and the default model."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tensorlib.llama.fetch import model_path
from tensorlib.llama.gguf import GGUF, Metadata
from tensorlib.llama.tokenizer import Tokenizer

settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("local"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.fixture(scope="session")
def default_model() -> Path:
    """The default model's file: TENSORLIB_TEST_MODEL, else from the cache, else fetched."""
    return model_path(os.environ.get("TENSORLIB_TEST_MODEL") or "smollm2-135m-instruct")


@pytest.fixture(scope="session")
def default_metadata(default_model: Path) -> Metadata:
    """The default model's metadata."""
    return GGUF.open(default_model).metadata


@pytest.fixture(scope="session")
def default_tokenizer(default_metadata: Metadata) -> Tokenizer:
    """The default model's tokenizer."""
    return Tokenizer.from_metadata(default_metadata)
