"""docs/layouts.md: its examples run, its pictures are what the code draws, its links lead on."""

from __future__ import annotations

import doctest
import re
import runpy
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import tensorlib
from tensorlib import layouts
from tensorlib.cli import main

ROOT = Path(tensorlib.__file__).parents[1]
PAGE = ROOT / "docs" / "layouts.md"
PICTURES = ROOT / "docs" / "pictures"
pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="needs the source tree")


def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def blocks(path: Path, language: str) -> list[tuple[int, str]]:
    """Return line number and text of every fenced block of a file in a language."""
    text = path.read_text(encoding="utf-8")
    found = re.finditer(rf"^```{language}\n(.*?)^```$", text, flags=re.S | re.M)
    return [(text[: m.start()].count("\n") + 2, m[1]) for m in found]


def drawn() -> dict[str, Callable[[], str]]:
    pictures: dict[str, Callable[[], str]] = runpy.run_path(str(PICTURES / "draw.py"))["PICTURES"]
    return pictures


def test_every_example_of_the_page() -> None:
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.REPORT_NDIFF)
    names: dict[str, Any] = {}
    told: list[str] = []
    for line, text in blocks(PAGE, "python"):
        example = doctest.DocTestParser().get_doctest(text, {}, PAGE.name, str(PAGE), line - 1)
        assert example.examples, f"{PAGE.name}:{line} has no example"
        example.globs = names  # every block goes on with the names of the ones before it
        runner.run(example, out=told.append, clear_globs=False)
    assert runner.summarize(verbose=False).attempted > 100
    assert not told, "".join(told)


@pytest.mark.parametrize("path", [PAGE, PAGE.with_name("command_line.md")], ids=lambda p: p.name)
def test_every_command(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = blocks(path, "console")
    assert found
    for line, text in found:
        command, _, expected = text.partition("\n")
        assert command.startswith("$ tensorlib "), f"{path.name}:{line}"
        assert main(shlex.split(command)[2:]) == 0
        assert capsys.readouterr().out == expected, f"{path.name}:{line}"


def test_pictures_are_what_the_code_draws() -> None:
    files = {path.stem: path.read_text(encoding="utf-8") for path in PICTURES.glob("*.svg")}
    pictures = {name: draw() for name, draw in drawn().items()}
    assert sorted(files) == sorted(pictures)
    stale = [name for name in files if files[name] != pictures[name]]
    assert not stale, f"{stale} differ; run python docs/pictures/draw.py and look at them"


def test_the_page_shows_every_picture_and_says_what_it_is() -> None:
    shown = re.findall(r"!\[([^]]*)\]\(pictures/(\w+)\.svg\)", page())
    assert sorted(name for _, name in shown) == sorted(drawn())
    assert all(words for words, _ in shown)


def test_pictures_are_well_formed_and_small() -> None:
    for path in PICTURES.glob("*.svg"):
        root = ElementTree.fromstring(path.read_text(encoding="utf-8"))
        assert float(root.attrib["width"]) <= 1100, path.name
        assert path.stat().st_size < 80_000, path.name


def test_links_of_the_page_lead_somewhere() -> None:
    headings = {
        re.sub(r"[^\w -]", "", words.lower()).replace(" ", "-")
        for words in re.findall(r"^#+ (.*)$", page(), flags=re.M)
    }
    links = re.findall(r"(?<!!)\[[^]]+\]\(([^)]+)\)", page())
    assert {link[1:] for link in links if link.startswith("#")} <= headings
    for link in links:
        file, _, place = link.partition("#")
        if file:
            text = (PAGE.parent / file).read_text(encoding="utf-8")
            assert not place or f"## {place.replace('-', ' ')}" in text, link


def test_every_law_names_an_operation() -> None:
    table = page()[page().index("## All laws on one page") :]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    names = {name for row in rows for name in re.findall(r"`(\w+)", row)} - {"A"}
    assert len(names) > 20
    assert [name for name in sorted(names) if not hasattr(layouts, name)] == []
