"""Buffers of the C backend: aligned, reused, bounded, kept alive, MemoryError when out of it."""

from __future__ import annotations

import gc
import mmap
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest

from tensorlib.backends.c.memory import Borrowed, Memory
from tensorlib.backends.c.runtime import (
    runtime,
)
from tensorlib.backends.c.toolchain import Toolchain
from tensorlib.cache import DiskCache
from tensorlib.errors import BackendError
from tensorlib.tests.c_kernels import (
    data,
    found_toolchain,
    output_of,
    python,
)


@pytest.fixture(scope="module")
def toolchain() -> Toolchain:
    return found_toolchain()


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> DiskCache:
    return DiskCache(tmp_path_factory.mktemp("runtime") / "cache")


@pytest.mark.parametrize("nbytes", [0, 1, 63, 64, 65, 4097, 2**20, 2**21 - 1, 2**21, 5 * 2**20 + 3])
def test_memory_is_aligned_and_as_large_as_asked(toolchain: Toolchain, nbytes: int) -> None:
    memories = [Memory(nbytes) for _ in range(3)]
    for index, memory in enumerate(memories):
        assert (memory.nbytes, memory.address % 64, memory.writable) == (nbytes, 0, True)
        memory.view("uint8", (nbytes,))[:] = index + 1
    for index, memory in enumerate(memories):
        assert (memory.view("uint8", (nbytes,)) == index + 1).all()


@pytest.mark.parametrize("nbytes", [100, 3 * 2**20])
def test_freed_memory_is_used_again_for_about_its_size(toolchain: Toolchain, nbytes: int) -> None:
    runtime().lib.tl_trim()
    memory = Memory(nbytes)
    address = memory.address
    del memory
    kept = runtime().lib.tl_cached_bytes()
    assert nbytes <= kept <= max(2 * nbytes, 128)
    assert Memory(nbytes - 1).address == address
    runtime().lib.tl_trim()
    assert runtime().lib.tl_cached_bytes() == 0


def test_every_size_finds_its_class_again(toolchain: Toolchain) -> None:
    library = runtime().lib
    library.tl_trim()
    sizes = [2**power + delta for power in range(6, 25) for delta in (-1, 0, 1, 2 ** (power - 2))]
    blocks = [(library.tl_alloc(size), size) for size in sizes]
    for address, size in blocks:
        library.tl_free(address, size)
    assert library.tl_cached_bytes() >= sum(sizes)
    library.tl_trim()
    assert library.tl_cached_bytes() == 0


def test_what_is_kept_is_bounded(toolchain: Toolchain) -> None:
    library = runtime().lib
    for size in (200 << 20, 100 << 20, 50 << 20, 300 << 20):
        library.tl_free(library.tl_alloc(size), size)
        assert library.tl_cached_bytes() <= 256 << 20
    assert library.tl_cached_bytes() >= 150 << 20  # the two that fitted together
    library.tl_trim()


@pytest.mark.parametrize("nbytes", [1 << 47, 1 << 62, 1 << 63, 1 << 70])
def test_absurd_sizes_are_memory_errors(toolchain: Toolchain, nbytes: int) -> None:
    with pytest.raises(MemoryError, match=f"memory: {nbytes} bytes are not to be had"):
        Memory(nbytes)


def test_negative_sizes_are_refused(toolchain: Toolchain) -> None:
    with pytest.raises(BackendError, match="memory: got -1 bytes, needed 0 or more"):
        Memory(-1)


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS is enforced on Linux")
def test_memory_runs_out_in_a_small_process_and_kept_blocks_are_given_back(
    toolchain: Toolchain, cache: DiskCache
) -> None:
    script = """
        import os, resource
        os.environ["TENSORLIB_CACHE"] = sys.argv[1]
        from tensorlib.backends.c.memory import Memory
        Memory(1)
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + (300 << 20),) * 2)
        for _ in range(3):
            Memory(200 << 20)      # kept after it is freed ...
            Memory(150 << 20)      # ... and given back to make room for this one
            try:
                Memory(400 << 20)
            except MemoryError as error:
                print(error)
    """
    wanted = f"memory: {400 << 20} bytes are not to be had\n" * 3
    assert output_of(python(script, cache.folder)) == wanted


def test_a_view_keeps_the_memory_alive(toolchain: Toolchain) -> None:
    memory = Memory(4096)
    alive = weakref.ref(memory)
    view = memory.view("float32", (2, 3), offset=64, strides=(400, 8))
    view[:] = 7
    assert memory.view("float32", (1,), offset=64 + 400 + 16)[0] == 7
    del memory
    gc.collect()
    assert alive() is not None
    assert (view == 7).all()
    del view
    gc.collect()
    assert alive() is None


@pytest.mark.parametrize("dtype", ["bool", "bfloat16", "float16", "complex128", "uint64", "q4_0"])
def test_views_of_every_kind_of_dtype(toolchain: Toolchain, dtype: str) -> None:
    memory = Memory(64)
    memory.view("uint8", (64,))[:] = 0
    view = memory.view(dtype, (2, 2))
    assert view.shape == (2, 2)
    assert view.tobytes() == bytes(view.nbytes)


def test_views_stay_inside(toolchain: Toolchain) -> None:
    memory = Memory(64)
    for shape, offset, strides in [((17,), 0, None), ((16,), 4, None), ((2,), 0, (64,))]:
        wanted = r"view: got shape \(\d+,\) of float32 at byte \d, needed one within 64 bytes"
        with pytest.raises(BackendError, match=wanted):
            memory.view("float32", shape, offset, strides)


def test_borrowed_memory_is_the_owners() -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    for owner in (array, array.T):
        borrowed = Borrowed(owner)
        assert (borrowed.address, borrowed.nbytes, borrowed.writable) == (data(array), 24, True)
        view = borrowed.view("float32", (2, 3))
        assert np.shares_memory(view, array)
        np.testing.assert_array_equal(view, array)
    array.flags.writeable = False
    assert not Borrowed(array).writable
    assert not Borrowed(b"bytes").writable
    assert Borrowed(b"bytes").view("uint8", (5,)).tobytes() == b"bytes"


def test_a_borrowed_memory_map_stays_open(tmp_path: Path) -> None:
    file = tmp_path / "weights"
    file.write_bytes(bytes(range(100)))
    with file.open("rb") as handle:
        mapped = mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)
    view = Borrowed(mapped).view("uint16", (4,), offset=2)
    with pytest.raises(BufferError):
        mapped.close()
    assert view[0] == 2 + (3 << 8)


def test_borrowing_what_is_not_contiguous_is_refused() -> None:
    wanted = r"borrow: got an array of shape \(2,\) with strides \(16,\), needed a contiguous one"
    with pytest.raises(BackendError, match=wanted):
        Borrowed(np.arange(4.0)[::2])
