"""`tensorlib doctor`: every section on this machine, and machines where parts are missing."""

from __future__ import annotations

import json
import os
import re
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from tensorlib.cli import main
from tensorlib.knobs import KNOBS
from tensorlib.llama.fetch import DEFAULT_MODEL
from tensorlib.tools import doctor

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TENSORLIB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def lines(capsys: Captured) -> dict[str, list[str]]:
    """Run the command and return the lines of every section."""
    assert main(["doctor"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    sections: dict[str, list[str]] = {}
    for line in out.splitlines():
        if line.startswith("  "):
            sections[list(sections)[-1]].append(line.strip())
        else:
            sections[line] = []
    return sections


def test_sections_and_their_order(capsys: Captured) -> None:
    assert list(lines(capsys)) == [
        "versions",
        "backends",
        "processor",
        "compiler",
        "cache",
        "models",
        "knobs",
    ]


def test_json_holds_the_same_sections(capsys: Captured) -> None:
    assert main(["doctor", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert list(shown) == list(doctor.SECTIONS)
    assert shown["versions"]["numpy"]
    assert shown["processor"]["threads"] >= 1
    assert shown["processor"]["vector_bytes"] in (16, 32, 64)
    assert shown["backends"]["found"]["reference"]["devices"] == ["reference:0"]


def test_backends_say_where_they_run_or_why_not(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ["c", "c:0"] in [line.split() for line in lines(capsys)["backends"]]
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("CC", raising=False)
    shown = lines(capsys)
    assert any(re.match(r"c +.*C compiler", line) for line in shown["backends"])
    assert any("apt install gcc" in line for line in shown["compiler"])
    assert doctor.report()["backends"]["default"] == "reference:0"
    monkeypatch.setenv("TENSORLIB_BACKEND", "abacus")
    default = lines(capsys)["backends"][-1]
    assert default.startswith("default      none: backend: got 'abacus', needed one of those")


def test_a_compiler_that_is_none(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    shown = lines(capsys)
    assert shown["compiler"][0].startswith("error: CC: got 'no-such-compiler'")
    assert ["CC", "no-such-compiler"] in [line.split() for line in shown["knobs"]]


def test_a_wrong_knob_shows_its_error(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENSORLIB_NUM_THREADS", "none")
    shown = lines(capsys)
    row = next(line for line in shown["knobs"] if line.startswith("TENSORLIB_NUM_THREADS"))
    assert "got 'none'" in row
    assert shown["processor"][0].startswith("error: TENSORLIB_NUM_THREADS: got 'none'")


def test_no_knob_is_set(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in KNOBS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/nowhere")
    shown = lines(capsys)
    assert shown["knobs"] == ["none"]
    assert shown["cache"][0].endswith("/nowhere/tensorlib")


def test_cache_and_its_size(capsys: Captured, cache: Path) -> None:
    empty = {"folder": str(cache), "files": 0, "bytes": 0}
    assert doctor.SECTIONS["cache"][0]() == empty
    assert not cache.exists()  # looking makes nothing
    cache.mkdir(mode=0o700)
    (cache / "x.so").write_bytes(bytes(2_000_000))
    found, shown = doctor.SECTIONS["cache"]
    assert shown(found()) == [f"  folder       {cache}", "  size         1 files, 2.0 MB"]


def test_a_cache_that_others_can_write(capsys: Captured, cache: Path) -> None:
    cache.mkdir()
    cache.chmod(0o777)
    (row,) = lines(capsys)["cache"]
    assert re.match(r"error: cache: the folder .* can be written by others", row)


def test_models(capsys: Captured, cache: Path, default_model: Path) -> None:
    fetched = cache / "models" / f"{DEFAULT_MODEL}.gguf"
    (row,) = lines(capsys)["models"]
    assert row.endswith("not fetched yet; the first use fetches it")
    fetched.parent.mkdir(parents=True)
    os.symlink(default_model, fetched)
    (row,) = lines(capsys)["models"]
    assert row.endswith(f"{fetched} (98.4 MB, sha256 is right)")
    fetched.unlink()
    fetched.write_bytes(b"GGUF")
    (row,) = lines(capsys)["models"]
    assert row.endswith(f"damaged; try rm {fetched}")


def test_a_missing_package_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        if name == "jinja2":
            raise PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setattr(doctor, "version", version)
    shown = doctor.text({"versions": doctor.report()["versions"]})
    assert "  jinja2       not installed; try pip install 'tensorlib[llama]'" in shown
    assert "  numpy        1.0" in shown
