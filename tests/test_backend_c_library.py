"""The kernel library: each kernel compiled once, found again, rebuilt when its entry is damaged."""

from __future__ import annotations

import dataclasses
import threading
from pathlib import Path

import numpy as np
import pytest

from tensorlib.backends.c.library import Counters, KernelLibrary
from tensorlib.backends.c.runtime import (
    Runtime,
    has_python_header,
    load_runtime,
)
from tensorlib.backends.c.toolchain import Toolchain
from tensorlib.cache import DiskCache
from tensorlib.errors import BackendError, CacheError, CompileError
from tensorlib.tests.c_kernels import (
    KERNELS,
    PRELUDE,
    data,
    found_toolchain,
)


@pytest.fixture(scope="module")
def toolchain() -> Toolchain:
    return found_toolchain()


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> DiskCache:
    return DiskCache(tmp_path_factory.mktemp("runtime") / "cache")


@pytest.fixture(scope="module", params=["api", "abi"])
def used(request: pytest.FixtureRequest, toolchain: Toolchain, cache: DiskCache) -> Runtime:
    if request.param == "api" and not has_python_header():
        pytest.skip("Python.h is not installed")
    return load_runtime(toolchain, cache, api=request.param == "api")


@pytest.fixture
def library(used: Runtime, toolchain: Toolchain, tmp_path: Path) -> KernelLibrary:
    """A library over an empty cache."""
    return KernelLibrary(used, toolchain, DiskCache(tmp_path / "kernels"), threads=2)


def test_kernels_are_compiled_once_and_found_again(library: KernelLibrary) -> None:
    first = library.load(KERNELS, PRELUDE)
    assert set(first) == set(KERNELS)
    assert (library.counters.compiles, library.counters.kernels) == (1, 3)
    assert library.load(KERNELS, PRELUDE) == first
    assert (library.counters.compiles, library.counters.loads) == (1, 1)
    other = KernelLibrary(library.runtime, library.toolchain, library.cache)
    assert other.load({"mark": KERNELS["mark"]}, PRELUDE) == {"mark": first["mark"]}
    assert dataclasses.replace(other.counters) == Counters(loads=1)


def test_only_what_is_missing_is_compiled(library: KernelLibrary) -> None:
    library.load({"mark": KERNELS["mark"]}, PRELUDE)
    library.load(KERNELS, PRELUDE)
    assert library.counters.kernels == 3
    assert library.counters.compiles == library.counters.loads == 2
    assert library.counters.compile_seconds > 0


def test_text_prelude_flags_and_features_are_in_the_key(library: KernelLibrary) -> None:
    mark = {"mark": KERNELS["mark"]}
    library.load(mark, PRELUDE)
    library.load(mark, PRELUDE + "\n")
    library.load({"mark": KERNELS["mark"] + "\n"}, PRELUDE)
    assert library.counters.compiles == 3
    here = library.toolchain
    features = dataclasses.replace(here.features, forced=True, names=here.features.names ^ {"fma"})
    flags = dataclasses.replace(here, command=(*here.command, "-DOTHER"))
    for toolchain in (dataclasses.replace(here, features=features), flags):
        other = KernelLibrary(library.runtime, toolchain, library.cache)
        other.load(mark, PRELUDE)
        assert other.counters.compiles == 1


def test_much_text_is_shared_out_over_the_threads(library: KernelLibrary) -> None:
    text = "KERNEL(k{0}) {{ ((int64_t *)args[0])[worker] = {0}; }} /* " + "x" * 2000 + " */\n"
    sources = {f"k{i}": text.format(i) for i in range(7)}
    seen: list[tuple[int, int]] = []
    library.progress = lambda done, total: seen.append((done, total))
    address = library.load(sources, PRELUDE)
    assert library.counters.compiles == 2
    assert seen[0] == (0, 7)
    assert seen[1] in ((3, 7), (4, 7))
    assert seen[2:] == [(7, 7)]
    out = np.zeros(1, np.int64)
    words = library.runtime.words([data(out)])
    for i in range(7):
        library.runtime.call(library.runtime.function(address[f"k{i}"]), words, 1)
        assert out[0] == i


def entries(library: KernelLibrary, suffix: str) -> list[Path]:
    return [path for path in library.cache.folder.iterdir() if path.name.endswith(suffix)]


@pytest.mark.parametrize("suffix", [".so", ".so.sha256", ".kernel", ".kernel.sha256"])
@pytest.mark.parametrize("damage", ["remove", "truncate", "plant"])
def test_a_damaged_cache_is_compiled_anew(library: KernelLibrary, suffix: str, damage: str) -> None:
    library.load(KERNELS, PRELUDE)
    for path in entries(library, suffix):
        whole = path.read_bytes()
        path.unlink()  # the loaded object stays mapped
        if damage != "remove":
            path.write_bytes(whole[:20] if damage == "truncate" else b"\x7fELF planted" * 9)
    other = KernelLibrary(library.runtime, library.toolchain, library.cache)
    address = other.load(KERNELS, PRELUDE)
    assert other.counters.kernels == 3
    marks = np.zeros(2, np.int64)
    words = library.runtime.words([data(marks)])
    library.runtime.call(library.runtime.function(address["mark"]), words, 2)
    assert marks.tolist() == [2, 2]
    third = KernelLibrary(library.runtime, library.toolchain, library.cache)
    third.load(KERNELS, PRELUDE)
    assert third.counters.compiles == 0


def test_text_without_its_symbol_is_an_error_and_is_not_indexed(library: KernelLibrary) -> None:
    for _ in range(2):
        with pytest.raises(BackendError, match=r"c runtime: dlsym: .*absent"):
            library.load({"absent": "KERNEL(present) {}"}, PRELUDE)
    assert entries(library, ".kernel") == []


def test_a_kernel_that_does_not_compile_is_an_error_and_leaves_the_library_usable(
    library: KernelLibrary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(CompileError, match=r"error: (?s:.*)undeclared_thing"):
        library.load({"bad": "KERNEL(bad) { undeclared_thing; }", **KERNELS}, PRELUDE)
    assert set(library.load(KERNELS, PRELUDE)) == set(KERNELS)


def test_a_compiler_on_a_full_disk_is_a_cache_error(library: KernelLibrary, tmp_path: Path) -> None:
    script = tmp_path / "full"
    script.write_text("#!/bin/sh\necho No space left on device\nexit 1\n")
    script.chmod(0o700)
    full = dataclasses.replace(library.toolchain, command=(str(script),))
    broken = KernelLibrary(library.runtime, full, library.cache)
    with pytest.raises(CacheError, match="the disk is full"):
        broken.load(KERNELS, PRELUDE)


def test_threads_load_at_once(library: KernelLibrary) -> None:
    found: list[dict[str, int]] = []
    threads = [
        threading.Thread(target=lambda: found.append(library.load(KERNELS, PRELUDE)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 4
    assert all(address == found[0] for address in found)
    assert library.counters.compiles == 1
