"""The C compiler: found once, named in cache keys, run as a subprocess without a shell."""

from __future__ import annotations

import contextlib
import errno
import os
import platform
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tensorlib.backends.c.features import CpuFeatures, cpu_features
from tensorlib.errors import BackendError, CompileError
from tensorlib.knobs import knob

__all__ = ["Toolchain"]

CANDIDATES = ("cc", "gcc", "clang")
INSTALL = (
    "`apt install gcc` (Debian, Ubuntu), `dnf install gcc` (Fedora) "
    "or `xcode-select --install` (macOS)"
)
# Nothing here can change a result: no reassociation, no contraction, no finite-math assumption.
# The rows after that give C the meaning that the IR defines: wrapping integers, untyped memory.
FLAGS = (
    "-O3", "-std=gnu11", "-pipe", "-fPIC",
    "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math",
    "-fwrapv", "-fno-strict-aliasing",
    # gcc 12 vectorises some loops and lanes wrongly; kernels say themselves what is a vector.
    "-fno-tree-vectorize",
)  # fmt: skip
SHOWN_LINES = 30


@dataclass(frozen=True, slots=True)
class Toolchain:
    """A C compiler with the flags for this CPU; `identity` tells it from every other.

    `kind` is gcc or clang, `version` the first line that the compiler prints about itself.
    """

    command: tuple[str, ...]
    path: str
    kind: str
    version: str
    features: CpuFeatures
    timeout: float = 300.0

    @classmethod
    def find(cls, features: CpuFeatures | None = None) -> Toolchain:
        """Return the compiler that CC names, else the first of cc, gcc, clang that works.

        Raises BackendError, naming the package to install, where there is none or CC is broken.
        """
        features = features or cpu_features()
        chosen = knob("CC")
        if chosen is not None:
            return _named(chosen, features)
        for name in CANDIDATES:
            with contextlib.suppress(BackendError):
                return _named(name, features)
        raise BackendError(
            f"C compiler: found none of {', '.join(CANDIDATES)} that works; try {INSTALL}"
        )

    @property
    def flags(self) -> tuple[str, ...]:
        """Every flag of a compilation but the file names."""
        shared = ("-dynamiclib",) if sys.platform == "darwin" else ("-shared",)
        arch = ("-arch", platform.machine()) if sys.platform == "darwin" else ()
        return (*FLAGS, *arch, *self.features.flags, *shared)

    @property
    def libraries(self) -> tuple[str, ...]:
        """What kernels are linked with: gcc's own helpers and the C library's mathematics.

        To find start files and all of libc takes gcc a fifth of a small kernel's time. Kernels need
        no start files; the few functions of libc that gcc calls for them, such as memcpy, are in
        every process that loads them.
        """
        if self.kind != "gcc" or sys.platform != "linux":
            return ("-lm",)
        return ("-nostdlib", "-lm", "-lgcc")

    @property
    def identity(self) -> str:
        """Compiler, version, flags and CPU as one line, for cache keys."""
        words = (*self.command, *self.flags, *self.libraries)
        return f"{self.path} | {self.version} | {' '.join(words)} | {self.features.identity}"

    def compile(self, source: str, output: Path, extra: Sequence[str] = ()) -> None:
        """Compile C text into the shared object `output`; `extra` are options and libraries.

        Raises CompileError with the compiler's first lines and where the source was kept.
        """
        self._compiled(source, [*self.flags, "-x", "c", "-", "-o", str(output), *extra])

    def assembly(self, source: str) -> str:
        """Return the assembly of C text under the same flags, with the lines it stems from."""
        flags = [flag for flag in self.flags if flag not in ("-shared", "-dynamiclib")]
        return self._compiled(source, [*flags, "-w", "-g1", "-S", "-x", "c", "-", "-o", "-"])

    def _compiled(self, source: str, options: Sequence[str]) -> str:
        """Run the compiler and return what it printed."""
        try:
            status, text = _run([*self.command, *options], source, self.timeout)
        except subprocess.TimeoutExpired:
            raise CompileError(
                f"{self.path}: no result after {self.timeout:g} s; {_keep(source)}"
            ) from None
        except OSError as error:
            raise CompileError(f"{self.path}: can't be run: {error.strerror}") from error
        if status != 0:
            raise self._failure(status, text, source)
        return text

    def _failure(self, status: int, text: str, source: str) -> Exception:
        if "No space left on device" in text:
            return OSError(errno.ENOSPC, "the compiler found no space left on the disk")
        lines = text.strip().splitlines() or ["(no output)"]
        shown = "\n".join(lines[:SHOWN_LINES])
        return CompileError(f"{self.path}: exit status {status}; {_keep(source)}\n{shown}")


def _named(name: str, features: CpuFeatures) -> Toolchain:
    """Return the compiler called `name`, which may carry options, or raise BackendError."""
    words = _words(name)
    path = shutil.which(words[0])
    if path is None:
        raise BackendError(
            f"CC: got {name!r}, which is not a program; try {INSTALL}, or CC=gcc, or CC unset"
        )
    path = os.path.abspath(path)
    version = _version([path, *words[1:]])
    kind = "clang" if "clang" in version else "gcc" if "Free Software" in version else ""
    if not kind:
        said = version.strip().splitlines() or ["nothing"]
        raise BackendError(
            f"CC: got {name!r}, needed gcc or clang; asked for --version it said {said[0]!r}; "
            f"try {INSTALL}, or CC unset"
        )
    command = (path, *words[1:])
    return Toolchain(command, os.path.realpath(path), kind, version.splitlines()[0], features)


def _words(name: str) -> list[str]:
    try:
        words = shlex.split(name)
    except ValueError:
        words = []
    return words or [name]


def _version(command: list[str]) -> str:
    try:
        status, text = _run([*command, "--version"], "", 20.0)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return text if status == 0 else ""


def _run(command: list[str], text: str, timeout: float) -> tuple[int, str]:
    """Run a compiler in a process group of its own, so that a stuck one ends with its children."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, "LC_ALL": "C"},
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(text, timeout=timeout)
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    return process.returncode, output


def _keep(source: str) -> str:
    """Save source that failed to compile; return the words that say where it is."""
    try:
        handle, name = tempfile.mkstemp(prefix="tensorlib-", suffix=".c")
        with open(handle, "w", encoding="utf-8") as file:
            file.write(source)
    except OSError as error:
        return f"its source could not be kept ({error.strerror})"
    return f"its source is kept in {name}"
