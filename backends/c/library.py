"""Kernels from C text to callable addresses: cached one by one, compiled many at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tensorlib.backends.c.runtime import Runtime
from tensorlib.backends.c.toolchain import Toolchain
from tensorlib.cache import DiskCache

__all__ = ["Counters", "KernelLibrary"]

# A compiler's start costs what some 4000 characters of kernels cost: less is not worth a unit.
UNIT_CHARACTERS = 4000


@dataclass(slots=True)
class Counters:
    """What a library has done: compiler runs, kernels compiled, shared objects loaded, time."""

    compiles: int = 0
    kernels: int = 0
    loads: int = 0
    compile_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class _Unit:
    """One translation unit: the kernels (key by symbol) that one compiler run builds."""

    key: str
    source: str
    kernels: dict[str, str]


class KernelLibrary:
    """Loads kernels by the text of their C function, through the disk cache.

    Each kernel has its own entry, keyed by its text, the prelude, compiler, flags and CPU,
    which names the shared object that holds it; so kernels are shared by all plans and
    processes, however they were grouped when they were compiled.
    """

    def __init__(
        self,
        runtime: Runtime,
        toolchain: Toolchain,
        cache: DiskCache,
        threads: int = 1,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self.runtime, self.toolchain, self.cache = runtime, toolchain, cache
        self.threads, self.progress = threads, progress
        self.counters = Counters()
        self._identity = toolchain.identity
        self._addresses: dict[str, int] = {}
        self._handles: dict[str, int] = {}
        self._lock = threading.RLock()

    def load(self, sources: Mapping[str, str], prelude: str) -> dict[str, int]:
        """Return the address of each kernel: `sources` maps a symbol to the C text defining it.

        `prelude` is the text before the kernels of every translation unit. What is missing is
        compiled in parallel; `progress(done, total)` counts those kernels. Raises CompileError.
        """
        with self._lock:
            common = self.cache.key("kernel", self._identity, prelude)
            keys = {s: self.cache.key(common, s, text) for s, text in sources.items()}
            missing = [symbol for symbol, key in keys.items() if not self._find(symbol, key)]
            if missing:
                units = self._units({s: sources[s] for s in missing}, keys, prelude)
                self._build(units, len(missing))
            return {symbol: self._addresses[key] for symbol, key in keys.items()}

    def _find(self, symbol: str, key: str) -> bool:
        """Load the kernel of this key from memory or disk; False where it must be compiled."""
        if key in self._addresses:
            return True
        entry = self.cache.get(key, ".kernel")
        unit = entry.read_text() if entry else ""
        path = self.cache.get(unit, ".so") if unit and unit not in self._handles else None
        if path is None and unit not in self._handles:
            return False
        self._addresses[key] = self.runtime.symbol(self._handle(unit, path), symbol)
        return True

    def _handle(self, unit: str, path: Path | None) -> int:
        if unit not in self._handles:
            assert path is not None
            self._handles[unit] = self.runtime.open(path)
            self.counters.loads += 1
        return self._handles[unit]

    def _units(self, sources: dict[str, str], keys: Mapping[str, str], prelude: str) -> list[_Unit]:
        """Share the kernels out over at most `threads` units of about equal length."""
        length = sum(map(len, sources.values()))
        count = max(1, min(self.threads, len(sources), -(-length // UNIT_CHARACTERS)))
        units = []
        for symbols in _shares(sources, count):
            text = "\n".join([prelude, *(sources[s] for s in symbols), ""])
            key = self.cache.key("unit", self._identity, text)
            units.append(_Unit(key, text, {s: keys[s] for s in symbols}))
        return units

    def _build(self, units: Sequence[_Unit], total: int) -> None:
        """Compile the units side by side and load them as they come."""
        from concurrent.futures import ThreadPoolExecutor, as_completed  # 5 ms of a warm start

        start, done = time.perf_counter(), 0
        self._report(0, total)
        with ThreadPoolExecutor(len(units)) as pool:
            running = {pool.submit(self._compile, unit): unit for unit in units}
            for future in as_completed(running):
                unit = running[future]
                self._publish(unit, future.result())
                done += len(unit.kernels)
                self._report(done, total)
        self.counters.compile_seconds += time.perf_counter() - start

    def _compile(self, unit: _Unit) -> Path:
        return self.cache.put(
            unit.key,
            ".so",
            lambda path: self.toolchain.compile(unit.source, path, self.toolchain.libraries),
        )

    def _publish(self, unit: _Unit, path: Path) -> None:
        """Count, load and index a compiled unit: an entry appears when its kernel is there."""
        self.counters.compiles += 1
        self.counters.kernels += len(unit.kernels)
        handle = self._handle(unit.key, path)
        for symbol, key in unit.kernels.items():
            self._addresses[key] = self.runtime.symbol(handle, symbol)
            self.cache.put(key, ".kernel", lambda file: file.write_text(unit.key))

    def _report(self, done: int, total: int) -> None:
        if self.progress is not None:
            self.progress(done, total)


def _shares(sources: Mapping[str, str], count: int) -> list[list[str]]:
    """Return `count` lists of symbols whose texts are about equally long, longest first."""
    shares: list[list[str]] = [[] for _ in range(count)]
    lengths = [0] * count
    for symbol in sorted(sources, key=lambda s: (-len(sources[s]), s)):
        shortest = lengths.index(min(lengths))
        shares[shortest].append(symbol)
        lengths[shortest] += len(sources[symbol])
    return shares
