"""docs/tiles.md: its examples run, its links lead on, and it names the examples there are."""

from __future__ import annotations

import doctest
import re
from pathlib import Path
from typing import Any

import pytest

import tensorlib
from tensorlib.tests.test_docs_layouts import blocks

ROOT = Path(tensorlib.__file__).parents[1]
PAGE = ROOT / "docs" / "tiles.md"
pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="needs the source tree")


def test_every_example_of_the_page() -> None:
    flags = doctest.ELLIPSIS | doctest.REPORT_NDIFF
    runner = doctest.DocTestRunner(verbose=False, optionflags=flags)
    names: dict[str, Any] = {"__name__": "page"}
    told: list[str] = []
    for line, text in blocks(PAGE, "python"):
        example = doctest.DocTestParser().get_doctest(text, {}, PAGE.name, str(PAGE), line - 1)
        example.globs = names  # every block goes on with the names of the ones before it
        runner.run(example, out=told.append, clear_globs=False)
    assert runner.summarize(verbose=False).attempted > 40
    assert not told, "".join(told)


def test_links_and_files_are_there() -> None:
    text = PAGE.read_text(encoding="utf-8")
    headings = {
        re.sub(r"[^\w -]", "", words.lower()).replace(" ", "-")
        for words in re.findall(r"^#+ (.*)$", text, flags=re.M)
    }
    for link in re.findall(r"\[[^]]*\]\(([^)]+)\)", re.sub(r"`[^`]*`", "", text)):
        found = link[1:] in headings if link.startswith("#") else (PAGE.parent / link).exists()
        assert found, link
    named = re.findall(r"examples/(\w+)\.py", text)
    assert set(named) >= {
        "tile_layout", "tf32_fragments", "staging", "fragment_matmul", "tiled_matmul",
    }  # fmt: skip
    for name in named:
        assert (ROOT / "examples" / f"{name}.py").exists(), name
