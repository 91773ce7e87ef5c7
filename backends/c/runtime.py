"""The compiled runtime, loaded through cffi: calls of kernels and of whole plans over the pool."""

from __future__ import annotations

import functools
import os
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tensorlib.backends.c.objects import ObjectCalls, imported, missing, object_calls
from tensorlib.backends.c.toolchain import Toolchain
from tensorlib.cache import DiskCache
from tensorlib.errors import BackendError
from tensorlib.knobs import knob

__all__ = ["Program", "ProgramStep", "Runtime", "kernel_cache", "load_runtime", "runtime"]

SOURCES = ("runtime.c", "allocator.c")
OBJECTS = "objects.c"
MODULE = "_tensorlib_c_runtime"
LIBRARIES = ("-lpthread", "-ldl")


@dataclass(frozen=True, slots=True, eq=False)
class Runtime:
    """The functions of runtime.c and allocator.c.

    `mode` is api (an extension module) or abi (through libffi, slower).
    `ffi` and `lib` are cffi's own; what is called often may go through `lib` directly.
    `toolchain` is the compiler that built it. `objects` is the quickest way into a kernel, or None
    where `without_objects` says why there is none; calls go another way then, to the same results.
    """

    ffi: Any
    lib: Any
    mode: str
    toolchain: Toolchain
    objects: ObjectCalls | None
    without_objects: str

    def open(self, path: Path) -> int:
        """Load a shared object and return its handle; raises BackendError."""
        handle = self.lib.tl_open(os.fsencode(path))
        self.check(0 if handle else -1)
        return int(self.ffi.cast("uintptr_t", handle))

    def symbol(self, library: int, name: str) -> int:
        """Return the address of a function in an opened library; raises BackendError."""
        address = self.lib.tl_symbol(self.ffi.cast("void *", library), name.encode())
        self.check(0 if address else -1)
        return int(self.ffi.cast("uintptr_t", address))

    def function(self, address: int) -> Any:
        """Return the cdata that `call` takes for the kernel at `address`; make it once."""
        return self.ffi.cast("kernel_fn", address)

    def words(self, values: int | Iterable[int]) -> Any:
        """Return a C array of 64-bit argument words: so many zeros, or these integers."""
        if not isinstance(values, int):
            values = [value & 0xFFFF_FFFF_FFFF_FFFF for value in values]
        return self.ffi.new("uint64_t[]", values)

    def call(self, function: Any, words: Any, workers: int) -> None:
        """Run one kernel over `workers` threads, the caller among them; raises BackendError."""
        if self.lib.tl_call(function, words, workers):
            self.check(-1)

    def check(self, status: int) -> None:
        """Raise what the runtime recorded in this thread unless `status` is 0."""
        if status:
            text = self.ffi.string(self.lib.tl_error()).decode(errors="replace")
            raise BackendError(f"c runtime: {text}")


class ProgramStep(NamedTuple):
    """One kernel of a program: `arguments` index the words that `run` is given.

    A serial step runs on the calling thread alone, with one worker.
    """

    kernel: int
    arguments: Sequence[int]
    serial: bool = False


class Program:
    """A fixed list of steps that one foreign call runs, with a barrier after each.

    Raises BackendError for a step of more than 128 argument words.
    """

    __slots__ = ("_indices", "_runtime", "_steps", "length", "needed_words")

    def __init__(self, runtime: Runtime, steps: Sequence[ProgramStep]) -> None:
        indices: list[int] = []
        rows: list[tuple[Any, int, int, int]] = []
        for step in steps:
            first, count = len(indices), len(step.arguments)
            if count > 128:
                raise BackendError(f"c program: got a step of {count} words, needed at most 128")
            rows.append((runtime.function(step.kernel), first, count, int(step.serial)))
            indices.extend(step.arguments)
        if min(indices, default=0) < 0:
            raise BackendError(
                f"c program: got the argument index {min(indices)}, needed 0 or more"
            )
        self._runtime, self.length = runtime, len(rows)
        self._steps = runtime.ffi.new("tl_step[]", rows)
        self._indices = runtime.ffi.new("int32_t[]", indices)
        self.needed_words = max(indices, default=-1) + 1

    def run(self, words: Any, workers: int) -> None:
        """Run all steps over `words`, a C array made by `Runtime.words`; raises BackendError."""
        self._check_words(words)
        lib = self._runtime.lib
        if lib.tl_run(self._steps, self.length, self._indices, words, workers):
            self._runtime.check(-1)

    def run_timed(self, words: Any, workers: int) -> list[int]:
        """Run all steps and return the nanoseconds that each took."""
        self._check_words(words)
        times = self._runtime.ffi.new("int64_t[]", max(1, self.length))
        steps, indices = self._steps, self._indices
        lib = self._runtime.lib
        self._runtime.check(lib.tl_run_timed(steps, self.length, indices, words, workers, times))
        return list(times[0 : self.length])

    def _check_words(self, words: Any) -> None:
        if len(words) < self.needed_words:
            raise BackendError(
                f"c program: got {len(words)} argument words, needed {self.needed_words}"
            )


def kernel_cache() -> DiskCache:
    """Return the cache of compiled code, a folder of its own inside TENSORLIB_CACHE."""
    return DiskCache(knob("TENSORLIB_CACHE") / "kernels")


@functools.cache
def runtime() -> Runtime:
    """Return the runtime of this process, compiled or taken from the cache at the first call.

    Raises BackendError without a C compiler, CacheError without a usable cache folder.
    """
    with _runtime_lock:  # two threads must not make two pools
        return _process_runtime()


_runtime_lock = threading.Lock()


@functools.cache
def _process_runtime() -> Runtime:
    return load_runtime(Toolchain.find(), kernel_cache(), api=has_python_header())


def has_python_header() -> bool:
    """Tell whether extension modules can be compiled here; without, cffi's ABI mode serves."""
    return os.path.isfile(os.path.join(sysconfig.get_path("include"), "Python.h"))


def load_runtime(toolchain: Toolchain, cache: DiskCache, *, api: bool) -> Runtime:
    """Compile or find the runtime and load it, as an extension module or through libffi."""
    source = "\n".join(map(_read, SOURCES))
    if not api:
        path = _library(toolchain, cache, source)
        ffi = _declared(source)
        # cffi would unload the library with its last reference, under the feet of the workers.
        flags = ffi.RTLD_NOW | ffi.RTLD_NODELETE
        reason = "Python.h is not installed"
        return Runtime(ffi, ffi.dlopen(str(path), flags), "abi", toolchain, None, reason)
    path = _extension(toolchain, cache, source)
    module = imported(MODULE, path)
    return Runtime(module.ffi, module.lib, "api", toolchain, *object_calls(path))


def _library(toolchain: Toolchain, cache: DiskCache, source: str) -> Path:
    key = cache.key("runtime", toolchain.identity, source)
    return cache.get(key, ".so") or cache.put(
        key, ".so", lambda path: toolchain.compile(source, path, LIBRARIES)
    )


def _extension(toolchain: Toolchain, cache: DiskCache, source: str) -> Path:
    import _cffi_backend  # type: ignore[import-untyped, unused-ignore]

    include = sysconfig.get_path("include")
    python = (sys.version, sysconfig.get_config_var("EXT_SUFFIX"), include)
    source += "" if missing() else _read(OBJECTS)
    key = cache.key("extension", toolchain.identity, source, _cffi_backend.__version__, *python)
    dynamic = ("-undefined", "dynamic_lookup") if sys.platform == "darwin" else ()
    options = (f"-I{include}", *dynamic, *LIBRARIES)
    return cache.get(key, ".so") or cache.put(
        key, ".so", lambda path: toolchain.compile(_extension_source(source), path, options)
    )


def _extension_source(source: str) -> str:
    ffi = _declared(source)
    ffi.set_source(MODULE, source, compiler_verbose=0)
    with tempfile.TemporaryDirectory(prefix="tensorlib-") as folder:
        path = os.path.join(folder, "module.c")
        ffi.emit_c_code(path)
        # cffi would hide all of Python.h but the limited API; the file's name has Python's version.
        return "#define _CFFI_NO_LIMITED_API\n" + Path(path).read_text()


def _declared(source: str) -> Any:
    """Return an FFI that knows the declarations between the marks of runtime.c."""
    from cffi import FFI  # type: ignore[import-untyped, unused-ignore]

    _, _, rest = source.partition("/* interface begins */")
    ffi = FFI()
    ffi.cdef(rest.partition("/* interface ends */")[0])
    return ffi


def _read(name: str) -> str:
    return Path(__file__).with_name(name).read_text()
