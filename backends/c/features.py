"""What this CPU can do, found by asking it, and the compiler flags that say so."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tensorlib.errors import BackendError
from tensorlib.knobs import knob

__all__ = ["CpuFeatures", "cpu_features", "thread_count"]

# Names are those of Linux' /proc/cpuinfo. x86: name, gcc and clang flag, what it brings along.
X86_ROWS: list[tuple[str, str, tuple[str, ...]]] = [
    ("ssse3",        "-mssse3",      ()),
    ("sse4_1",       "-msse4.1",     ("ssse3",)),
    ("sse4_2",       "-msse4.2",     ("sse4_1", "popcnt")),
    ("popcnt",       "-mpopcnt",     ()),
    ("avx",          "-mavx",        ("sse4_2",)),
    ("f16c",         "-mf16c",       ("avx",)),
    ("fma",          "-mfma",        ("avx",)),
    ("avx2",         "-mavx2",       ("avx",)),
    ("bmi1",         "-mbmi",        ()),
    ("bmi2",         "-mbmi2",       ()),
    ("avx_vnni",     "-mavxvnni",    ("avx2",)),
    ("avx512f",      "-mavx512f",    ("avx2", "fma", "f16c")),
    ("avx512cd",     "-mavx512cd",   ("avx512f",)),
    ("avx512bw",     "-mavx512bw",   ("avx512f",)),
    ("avx512dq",     "-mavx512dq",   ("avx512f",)),
    ("avx512vl",     "-mavx512vl",   ("avx512f",)),
    ("avx512_vnni",  "-mavx512vnni", ("avx512f",)),
    ("avx512_bf16",  "-mavx512bf16", ("avx512bw",)),
    ("avx512_fp16",  "-mavx512fp16", ("avx512bw", "avx512vl")),
    ("amx_tile",     "-mamx-tile",   ()),
    ("amx_int8",     "-mamx-int8",   ("amx_tile",)),
    ("amx_bf16",     "-mamx-bf16",   ("amx_tile",)),
]  # fmt: skip

# arm64: name, extension of -march=armv8-a, what it brings along.
ARM_ROWS: list[tuple[str, str, tuple[str, ...]]] = [
    ("asimdhp",      "fp16",         ()),
    ("asimddp",      "dotprod",      ()),
    ("i8mm",         "i8mm",         ()),
    ("bf16",         "bf16",         ()),
    ("sve",          "sve",          ("asimdhp",)),
    ("sve2",         "sve2",         ("sve",)),
]  # fmt: skip

ROWS = {"x86_64": X86_ROWS, "arm64": ARM_ROWS}
MACHINES = {"amd64": "x86_64", "x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
MACOS_NAMES = {
    "avx1.0": "avx", "sse4.1": "sse4_1", "sse4.2": "sse4_2", "avx512vnni": "avx512_vnni",
    "feat_dotprod": "asimddp", "feat_fp16": "asimdhp", "feat_i8mm": "i8mm", "feat_bf16": "bf16",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class CpuFeatures:
    """The features that kernels may use: all that the CPU has, or the fewer that were forced.

    >>> CpuFeatures("x86_64", "any", frozenset({"avx2", "fma"}), forced=True).vector_bytes
    32
    """

    machine: str
    model: str
    names: frozenset[str]
    forced: bool = False

    @property
    def vector_bytes(self) -> int:
        """Bytes of the widest vector register: 64, 32 or 16."""
        return 64 if "avx512f" in self.names else 32 if "avx2" in self.names else 16

    @property
    def flags(self) -> tuple[str, ...]:
        """The gcc and clang flags that allow exactly these features."""
        if self.machine == "x86_64":
            wide = ("-mprefer-vector-width=512",) if "avx512f" in self.names else ()
            return (*self._x86_architecture(), *wide)
        if self.machine == "arm64":
            return self._arm_architecture()
        return ()

    def _x86_architecture(self) -> tuple[str, ...]:
        if not self.forced:
            return ("-march=native",)
        return ("-march=x86-64", *(flag for name, flag, _ in X86_ROWS if name in self.names))

    def _arm_architecture(self) -> tuple[str, ...]:
        if not self.forced:
            return ("-mcpu=native",)
        return ("+".join(["-march=armv8-a", *(e for n, e, _ in ARM_ROWS if n in self.names)]),)

    @property
    def identity(self) -> str:
        """What a cache key needs: native code of one CPU must not be loaded on another."""
        model = "" if self.forced else self.model
        return f"{self.machine} {model} {' '.join(sorted(self.names))}"


def cpu_features() -> CpuFeatures:
    """Return this CPU's features, or those of them that TENSORLIB_CPU_FEATURES names.

    Raises BackendError for a name that is unknown or that this CPU does not have.
    """
    machine = MACHINES.get(platform.machine().lower(), platform.machine().lower())
    model, names = _from_macos() if sys.platform == "darwin" else _from_linux()
    text = knob("TENSORLIB_CPU_FEATURES")
    if text is None:
        return CpuFeatures(machine, model, names)
    return CpuFeatures(machine, model, _forced(text, machine, names), forced=True)


def thread_count() -> int:
    """Return TENSORLIB_NUM_THREADS, else the number of CPUs that this process may use."""
    chosen: int | None = knob("TENSORLIB_NUM_THREADS")
    if chosen is not None:
        return chosen
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _forced(text: str, machine: str, present: frozenset[str]) -> frozenset[str]:
    known = {name: brings for name, _, brings in ROWS.get(machine, [])}
    wanted = {word.strip() for word in text.lower().split(",")} - {"baseline", ""}
    wrong = sorted(wanted - (known.keys() & present))
    if wrong:
        choice = ", ".join(["baseline", *(name for name in known if name in present)])
        raise BackendError(
            f"TENSORLIB_CPU_FEATURES: got {wrong[0]!r}, needed features of this CPU: {choice}"
        )
    return _closure(wanted, known)


def _closure(names: Iterable[str], brings: dict[str, tuple[str, ...]]) -> frozenset[str]:
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting.extend(brings[name])
    return frozenset(found)


def _from_linux() -> tuple[str, frozenset[str]]:
    try:
        return parse_cpuinfo(Path("/proc/cpuinfo").read_text())
    except OSError:
        return "", frozenset()


def parse_cpuinfo(text: str) -> tuple[str, frozenset[str]]:
    """Return model and feature names from the first processor in /proc/cpuinfo's text."""
    rows: dict[str, str] = {}
    for line in text.splitlines():
        name, _, value = line.partition(":")
        rows.setdefault(name.strip(), value.strip())
    arm = [rows.get(name, "") for name in ("CPU implementer", "CPU part", "CPU variant")]
    words = rows.get("flags") or rows.get("Features") or ""
    return rows.get("model name") or " ".join(filter(None, arm)), frozenset(words.split())


def _from_macos() -> tuple[str, frozenset[str]]:
    try:
        command = ["/usr/sbin/sysctl", "machdep.cpu", "hw.optional"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "", frozenset()
    return parse_sysctl(done.stdout)


def parse_sysctl(text: str) -> tuple[str, frozenset[str]]:
    """Return model and feature names, spelt as on Linux, from the text of macOS' sysctl."""
    model, names = "", set[str]()
    for line in text.splitlines():
        name, _, value = line.partition(": ")
        if name == "machdep.cpu.brand_string":
            model = value
        elif name in ("machdep.cpu.features", "machdep.cpu.leaf7_features"):
            names.update(value.lower().split())
        elif name.startswith("hw.optional.") and value.strip() == "1":
            names.add(name.rpartition(".")[2].lower())
    return model, frozenset(MACOS_NAMES.get(name, name) for name in names)
