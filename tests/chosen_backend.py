"""The backends that the tensor and layer tests run on: TENSORLIB_TEST_BACKEND, else `reference`."""

from __future__ import annotations

import os

import pytest

__all__ = ["backend"]

NAMES = os.environ.get("TENSORLIB_TEST_BACKEND", "reference").split(",")


@pytest.fixture(autouse=True, params=NAMES)
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Make the backend under test the default one."""
    name: str = request.param
    monkeypatch.setenv("TENSORLIB_BACKEND", name)
    return name
