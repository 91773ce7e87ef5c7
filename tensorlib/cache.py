"""A disk cache of built files: private, atomic, shared by processes, checked before every use."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import mmap
import os
import re
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tensorlib.errors import CacheError
from tensorlib.knobs import knob

__all__ = ["DiskCache"]

# A process that was killed leaves its temporary file behind; another sweeps it a day later.
STALE_SECONDS = 24 * 3600
# Digests accepted for one entry: concurrent writers may have built it slightly differently.
KEPT_DIGESTS = 4


class DiskCache:
    """Files named by a key, in a folder that belongs to the user alone.

    An entry is `<key><suffix>`; beside it `<key><suffix>.sha256` lists the digests that were
    recorded for it. `get` returns an entry only when its bytes still have a recorded digest, so
    a truncated, altered or symlinked entry reads as missing and the next `put` replaces it.
    Both files appear by rename: any number of processes may read and write at once, and one
    that is killed at any moment leaves every entry whole. The folder is `TENSORLIB_CACHE`
    unless given. Raises CacheError where others could write to it.

    >>> cache = DiskCache(tempfile.mkdtemp())
    >>> key = cache.key("silu", b"source", 3)
    >>> cache.get(key, ".txt") is None
    True
    >>> path = cache.put(key, ".txt", lambda file: file.write_text("built"))
    >>> cache.get(key, ".txt").read_text()
    'built'
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        chosen = Path(knob("TENSORLIB_CACHE") if folder is None else folder)
        self.folder = Path(os.path.realpath(chosen.expanduser()))
        self._swept = False
        self._prepare()

    @staticmethod
    def key(*parts: object) -> str:
        """Return the sha256 (64 hexadecimal digits) of `parts`; where one ends matters."""
        digest = hashlib.sha256()
        for part in parts:
            data = part if isinstance(part, bytes) else str(part).encode()
            digest.update(b"%d:" % len(data))
            digest.update(data)
        return digest.hexdigest()

    def path(self, key: str, suffix: str) -> Path:
        """Return where the entry is or would be; only `get` says that it can be used."""
        if not re.fullmatch(r"[0-9A-Za-z_-]+(\.[0-9A-Za-z_]+)*", key + suffix):
            raise CacheError(f"cache: got the name {key + suffix!r}, needed letters and digits")
        return self.folder / (key + suffix)

    def get(self, key: str, suffix: str) -> Path | None:
        """Return the path of an entry whose content is as recorded, else None."""
        path = self.path(key, suffix)
        try:
            return path if _digest(path) in _recorded(path) else None
        except OSError:
            return None

    def put(self, key: str, suffix: str, write: Callable[[Path], object]) -> Path:
        """Build an entry with `write(temporary_path)`, publish it atomically, return its path.

        Raises CacheError where the disk is full or the folder can't be written; what `write`
        raises otherwise passes through and leaves no entry.
        """
        path = self.path(key, suffix)
        try:
            self._prepare()
            self._sweep()
            with self._temporary(suffix) as temporary:
                write(temporary)
                temporary.chmod(0o600)
                self._record(path, _digest(temporary))
                os.replace(temporary, path)
        except CacheError:
            raise
        except OSError as error:
            raise self._failure(error) from error
        return path

    def _record(self, path: Path, digest: str) -> None:
        """List `digest` first beside the entry, before the entry itself changes."""
        try:
            known = _recorded(path)
        except OSError:
            known = []
        lines = [digest, *(d for d in known if d != digest)][:KEPT_DIGESTS]
        with self._temporary(".sha256") as temporary:
            temporary.write_text("\n".join(lines) + "\n")
            os.replace(temporary, _record_path(path))

    @contextlib.contextmanager
    def _temporary(self, suffix: str) -> Iterator[Path]:
        handle, name = tempfile.mkstemp(prefix=".", suffix=suffix, dir=self.folder)
        os.close(handle)
        try:
            yield Path(name)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name)

    def _sweep(self) -> None:
        """Remove temporary files that a killed process left, once per object."""
        if self._swept:
            return
        self._swept = True
        limit = time.time() - STALE_SECONDS
        with os.scandir(self.folder) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    if entry.name.startswith(".") and entry.stat().st_mtime < limit:
                        os.unlink(entry.path)

    def _prepare(self) -> None:
        """Make the folder, 0700, and refuse one that others could change."""
        try:
            missing = [p for p in (self.folder, *self.folder.parents) if not p.exists()]
            for folder in reversed(missing):
                folder.mkdir(mode=0o700, exist_ok=True)
            self._check()
        except CacheError:
            raise
        except OSError as error:
            raise self._failure(error) from error

    def _check(self) -> None:
        status = self.folder.stat()
        if not stat.S_ISDIR(status.st_mode):
            raise self._refusal("is not a folder")
        if status.st_uid != os.geteuid():
            raise self._refusal(f"belongs to user {status.st_uid}, not to you ({os.geteuid()})")
        if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise self._refusal("can be written by others", f"chmod go-w {self.folder}")
        for parent in self.folder.parents:
            mode = parent.stat().st_mode
            if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
                raise self._refusal(f"lies in {parent}, which can be written by others")

    def _refusal(self, why: str, remedy: str = "") -> CacheError:
        remedy = remedy or "TENSORLIB_CACHE=a folder of your own"
        return CacheError(f"cache: the folder {self.folder} {why}; try {remedy}")

    def _failure(self, error: OSError) -> CacheError:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            why = "the disk is full"
            remedy = "freeing space, or TENSORLIB_CACHE=a folder on another disk"
        else:
            why = error.strerror or str(error)
            remedy = "TENSORLIB_CACHE=a folder that you can write"
        return CacheError(f"cache: can't write to {self.folder}: {why}; try {remedy}")


def _record_path(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")


def _recorded(path: Path) -> list[str]:
    """Return the digests recorded for an entry; raises OSError where there is no record."""
    with _opened(_record_path(path)) as handle:
        return os.read(handle, KEPT_DIGESTS * 65).decode("ascii", "replace").split()


def _digest(path: Path) -> str:
    """Return the sha256 of a regular file; raises OSError for a symlink and other things."""
    with _opened(path) as handle:
        if os.fstat(handle).st_size == 0:
            return hashlib.sha256().hexdigest()
        with mmap.mmap(handle, 0, access=mmap.ACCESS_READ) as view:
            return hashlib.sha256(view).hexdigest()


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
            raise OSError(errno.EPERM, "not a regular file of this user", str(path))
        yield handle
    finally:
        os.close(handle)
