"""Every example of the documentation's pages runs and prints what the page says."""

from __future__ import annotations

import doctest
import re
from pathlib import Path
from typing import Any

import pytest

import tensorlib

DOCS = Path(tensorlib.__file__).parents[1] / "docs"
ALL = sorted(DOCS.rglob("*.md"))
PAGES = [p for p in ALL if "\n>>> " in p.read_text(encoding="utf-8")]
EXAMPLES = DOCS.parent / "examples"
pytestmark = pytest.mark.skipif(not DOCS.exists(), reason="needs the source tree")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_of(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS)
    names: dict[str, Any] = {}
    told: list[str] = []
    for match in re.finditer(r"^```python\n(.*?)^```$", text, flags=re.S | re.M):
        if ">>> " not in match[1]:
            continue
        line = text[: match.start()].count("\n") + 1
        example = doctest.DocTestParser().get_doctest(match[1], {}, page.name, str(page), line)
        example.globs = names  # every block goes on with the names of the ones before it
        runner.run(example, out=told.append, clear_globs=False)
    assert not told, "".join(told)
    assert runner.summarize(verbose=False).attempted


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.name)
def test_links_of(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.S | re.M)
    text = re.sub(r"`[^`]*`", "", text)
    for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text):
        assert (page.parent / target).exists(), f"{page.name}: {target} is not there"


@pytest.mark.parametrize("page", sorted((DOCS / "examples").glob("*.md")), ids=lambda p: p.stem)
def test_page_of_an_example(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert (EXAMPLES / f"{page.stem}.py").exists()
    assert page.name in (DOCS / "examples.md").read_text(encoding="utf-8")
    for language, file, shown in re.findall(r"^```(\w+) file=(\S+)\n(.*?)^```$", text, re.S | re.M):
        source = (DOCS.parent / file).read_text(encoding="utf-8")
        assert shown in source, f"{page.name}: {file} has no such {language}:\n{shown}"
    for command in re.findall(r"^\$ python (examples/\S+)", text, re.M):
        assert (DOCS.parent / command).exists(), command
    for tests in re.findall(r"`(tests/\w+\.py)`", text):
        assert (DOCS.parent / tests).exists(), tests
