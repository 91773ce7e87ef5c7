"""What docs/extending.md shows runs as it stands, block after block."""

from __future__ import annotations

import linecache
import re
from pathlib import Path
from typing import Any

import pytest

import tensorlib
from tensorlib import errors
from tensorlib.tests.test_user_functions import needs_compiler

PAGE = Path(tensorlib.__file__).parents[1] / "docs" / "extending.md"
pytestmark = [
    pytest.mark.skipif(not PAGE.exists(), reason="needs the source tree"),
    needs_compiler,
]


def blocks() -> list[tuple[str, str, str]]:
    """Return language, error and text of every block of the page."""
    pattern = r"^```(\w+)(?: raises=(\w+))?\n(.*?)^```"
    return re.findall(pattern, PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_every_block_of_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {"__name__": "extending"}
    message = ""
    for number, (language, error, text) in enumerate(blocks()):
        file = f"<extending {number}>"
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        if language == "text" and message:
            assert text.strip() in message
        elif language == "python" and error:
            with pytest.raises(getattr(errors, error)) as caught:
                exec(compile(text, file, "exec"), names)
            message = str(caught.value)
        elif language == "python":
            exec(compile(text, file, "exec"), names)
    assert names["y"].numpy().shape == (10_000,)


def test_the_plan_that_the_page_shows(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = next(text for language, _, text in blocks() if language == "text")
    names: dict[str, Any] = {"__name__": "extending"}
    monkeypatch.setenv("TENSORLIB_DEBUG", "1")
    for number, (_, _, text) in enumerate(blocks()[:2]):
        file = f"<extending plan {number}>"
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        exec(compile(text, file, "exec"), names)
    names["y"].numpy()
    printed = re.sub(r"#\d+", "#1", capsys.readouterr().err)
    assert all(line in printed for line in shown.splitlines())
