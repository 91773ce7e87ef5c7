"""The C runtime over hand-written kernels: calls, programs, fork, threads, many processes."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from tensorlib.backends.c.library import KernelLibrary
from tensorlib.backends.c.runtime import (
    Program,
    ProgramStep,
    Runtime,
    has_python_header,
    kernel_cache,
    load_runtime,
    runtime,
)
from tensorlib.backends.c.toolchain import Toolchain
from tensorlib.cache import DiskCache
from tensorlib.errors import BackendError
from tensorlib.tests.c_kernels import (
    KERNELS,
    PRELUDE,
    bits,
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


@pytest.fixture(scope="module", params=["api", "abi"])
def used(request: pytest.FixtureRequest, toolchain: Toolchain, cache: DiskCache) -> Runtime:
    if request.param == "api" and not has_python_header():
        pytest.skip("Python.h is not installed")
    return load_runtime(toolchain, cache, api=request.param == "api")


@pytest.fixture(scope="module")
def address(used: Runtime, toolchain: Toolchain, cache: DiskCache) -> dict[str, int]:
    return KernelLibrary(used, toolchain, cache, threads=2).load(KERNELS, PRELUDE)


# ---- calls --------------------------------------------------------------------------------------


def test_the_mode_is_what_was_asked_for(used: Runtime, request: pytest.FixtureRequest) -> None:
    assert used.mode == request.node.callspec.params["used"]


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_a_kernel_over_workers(used: Runtime, address: Mapping[str, int], workers: int) -> None:
    x, y = np.random.default_rng(0).standard_normal((2, 1024), np.float32)
    out = np.zeros_like(x)
    words = used.words([data(out), data(x), data(y), x.size, bits(1.5)])
    used.call(used.function(address["scale_add"]), words, workers)
    np.testing.assert_array_equal(out, np.float32(1.5) * x + y)


def test_every_worker_runs_once_whatever_the_size_was_before(
    used: Runtime, address: Mapping[str, int]
) -> None:
    marks = np.zeros(1024, np.int64)
    function, words = used.function(address["mark"]), used.words([data(marks)])
    for workers in (2, 5, 1, 3, 2, 7, 2, 2):
        marks[:] = 0
        used.call(function, words, workers)
        assert marks.tolist() == [workers] * workers + [0] * (1024 - workers)
    assert used.lib.tl_pool_size() == 7


def test_workers_sleep_and_wake(used: Runtime, address: Mapping[str, int]) -> None:
    marks = np.zeros(2, np.int64)
    function, words = used.function(address["mark"]), used.words([data(marks)])
    for pause in (0.0, 0.0001, 0.001, 0.01, 0.0002, 0.00019, 0.00021) * 3:
        threading.Event().wait(pause)
        used.call(function, words, 2)
    assert marks.tolist() == [2 * 21, 2 * 21]


@pytest.mark.parametrize("workers", [0, -1, 1025])
def test_workers_out_of_range(used: Runtime, address: Mapping[str, int], workers: int) -> None:
    with pytest.raises(BackendError, match="c runtime: workers: needed a number from 1 to 1024"):
        used.call(used.function(address["mark"]), used.words(1), workers)


def test_a_null_kernel_is_refused(used: Runtime) -> None:
    with pytest.raises(BackendError, match="c runtime: call: its kernel is NULL"):
        used.call(used.function(0), used.words(1), 1)
    with pytest.raises(BackendError, match="c runtime: step: its kernel is NULL"):
        Program(used, [ProgramStep(0, [])]).run(used.words(1), 1)


def test_opening_what_is_no_library(used: Runtime, tmp_path: Path) -> None:
    with pytest.raises(BackendError, match=r"c runtime: dlopen: .*nothing.so"):
        used.open(tmp_path / "nothing.so")


def test_words_take_negative_integers(used: Runtime) -> None:
    assert list(used.words([-1, 2])) == [2**64 - 1, 2]
    assert list(used.words(3)) == [0, 0, 0]


# ---- programs -----------------------------------------------------------------------------------


def rotation(used: Runtime, address: Mapping[str, int], steps: int) -> Program:
    """Rotate one array into another and back: words are array, array, size, shift."""
    rows = [(0, 1, 2, 3), (1, 0, 2, 3)]
    return Program(used, [ProgramStep(address["rotate"], rows[i % 2]) for i in range(steps)])


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_a_step_sees_all_of_the_step_before(
    used: Runtime, address: Mapping[str, int], workers: int
) -> None:
    arrays = np.zeros((2, 61), np.int64)
    arrays[1] = np.arange(61)
    program = rotation(used, address, 300)
    program.run(used.words([data(arrays[0]), data(arrays[1]), 61, 17]), workers)
    np.testing.assert_array_equal(arrays[1], np.roll(np.arange(61), -17 * 300) + 300)


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_serial_steps_run_on_the_caller_alone_and_in_order(
    used: Runtime, address: Mapping[str, int], workers: int
) -> None:
    arrays, marks = np.zeros((2, 8), np.int64), np.zeros(8, np.int64)
    rows, serial = [(0, 1, 2, 3), (1, 0, 2, 3)], [1, 1, 0, 1, 0, 0, 1, 1, 1, 0] * 20
    steps = [ProgramStep(address["rotate"], rows[i % 2], bool(s)) for i, s in enumerate(serial)]
    steps.insert(101, ProgramStep(address["mark"], [4], True))
    words = used.words([data(arrays[0]), data(arrays[1]), 8, 3, data(marks)])
    Program(used, steps).run(words, workers)
    np.testing.assert_array_equal(arrays[1], np.roll(np.zeros(8), -3 * 200) + 200)
    assert marks.tolist() == [1] + [0] * 7


@pytest.mark.parametrize("workers", [1, 2])
def test_timed_steps_give_the_same_result_and_a_time_each(
    used: Runtime, address: Mapping[str, int], workers: int
) -> None:
    arrays = np.zeros((2, 4096), np.int64)
    program = rotation(used, address, 6)
    words = used.words([data(arrays[0]), data(arrays[1]), 4096, 1])
    times = program.run_timed(words, workers)
    assert len(times) == 6
    assert min(times) > 0
    assert arrays[1].tolist() == [6] * 4096


def test_an_empty_program_does_nothing(used: Runtime) -> None:
    program = Program(used, [])
    program.run(used.words(0), 2)
    assert program.run_timed(used.words(0), 2) == []


def test_programs_check_their_words(used: Runtime, address: Mapping[str, int]) -> None:
    mark = address["mark"]
    with pytest.raises(
        BackendError, match="c program: got a step of 129 words, needed at most 128"
    ):
        Program(used, [ProgramStep(mark, [0] * 129)])
    with pytest.raises(
        BackendError, match="c program: got the argument index -1, needed 0 or more"
    ):
        Program(used, [ProgramStep(mark, [0, -1])])
    with pytest.raises(BackendError, match="c program: got 2 argument words, needed 3"):
        Program(used, [ProgramStep(mark, [2])]).run(used.words(2), 1)


def test_a_step_of_128_words_runs(used: Runtime, address: Mapping[str, int]) -> None:
    marks = np.zeros(2, np.int64)
    Program(used, [ProgramStep(address["mark"], [0] * 128)]).run(used.words([data(marks)]), 2)
    assert marks.tolist() == [2, 2]


def test_python_threads_take_turns(used: Runtime, address: Mapping[str, int]) -> None:
    program = rotation(used, address, 40)
    failures: list[object] = []

    def run(workers: int) -> None:
        arrays = np.zeros((2, 64), np.int64)
        words = used.words([data(arrays[0]), data(arrays[1]), 64, 5])
        for _ in range(50):
            program.run(words, workers)
        if arrays[1].tolist() != [2000] * 64:
            failures.append(arrays[1])

    threads = [threading.Thread(target=run, args=(workers,)) for workers in (2, 3, 1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert failures == []


# ---- processes ----------------------------------------------------------------------------------


def test_a_forked_child_starts_its_own_workers(toolchain: Toolchain, cache: DiskCache) -> None:
    script = """
        import os, warnings
        warnings.simplefilter("ignore")
        assert marks(3) == [3, 3, 3, 0, 0, 0, 0, 0]
        for _ in range(3):
            child = os.fork()
            if child == 0:
                fresh = run.lib.tl_pool_size() == 1
                right = marks(2) == [2, 2, 0, 0, 0, 0, 0, 0] and run.lib.tl_pool_size() == 2
                grandchild = os.fork()
                if grandchild == 0:
                    os._exit(marks(4) != [4] * 4 + [0] * 4)
                _, status = os.waitpid(grandchild, 0)
                os._exit(not (fresh and right and status == 0))
            assert marks(3) == [3, 3, 3, 0, 0, 0, 0, 0]
            assert os.waitpid(child, 0) == (child, 0)
    """
    output_of(python(script, cache.folder))


def test_a_fork_while_another_thread_is_in_a_call(toolchain: Toolchain, cache: DiskCache) -> None:
    script = """
        import os, threading, warnings
        warnings.simplefilter("ignore")
        stop = threading.Event()
        def busy():
            while not stop.is_set():
                marks(2)
                run.lib.tl_free(run.lib.tl_alloc(100), 100)
        thread = threading.Thread(target=busy)
        thread.start()
        for _ in range(20):
            child = os.fork()
            if child == 0:
                address_ = run.lib.tl_alloc(100)
                os._exit(address_ == 0 or marks(2) != [2, 2, 0, 0, 0, 0, 0, 0])
            assert os.waitpid(child, 0) == (child, 0)
        stop.set()
        thread.join()
    """
    output_of(python(script, cache.folder))


def test_the_interpreter_ends_while_threads_are_in_calls(
    toolchain: Toolchain, cache: DiskCache
) -> None:
    script = """
        import threading, time
        def busy():
            while True:
                marks(2)
        for _ in range(2):
            threading.Thread(target=busy, daemon=True).start()
        time.sleep(0.05)
        print("end")
    """
    assert output_of(python(script, cache.folder)) == "end\n"


def test_a_dropped_runtime_does_not_take_its_workers_code_away(
    toolchain: Toolchain, cache: DiskCache
) -> None:
    script = """
        import gc, time
        for _ in range(5):
            run = load_runtime(toolchain, cache, api=False)
            library = KernelLibrary(run, toolchain, cache)
            address = library.load(KERNELS, PRELUDE)
            assert marks(3) == [3, 3, 3, 0, 0, 0, 0, 0]
            del run, library
            gc.collect()
            time.sleep(0.001)
        print("end")
    """
    assert output_of(python(script, cache.folder)) == "end\n"


def test_a_fault_in_a_worker_is_reported_with_the_python_stack(
    toolchain: Toolchain, cache: DiskCache
) -> None:
    script = """
        import faulthandler, resource
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        faulthandler.enable(file=sys.stdout)
        fault = "KERNEL(fault) { if (worker) *(volatile int *)8 = 1; }"
        function = run.function(library.load({"fault": fault}, PRELUDE)["fault"])
        run.call(function, run.words(1), 2)
    """
    process = python(script, cache.folder)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == -signal.SIGSEGV
    assert "Fatal Python error: Segmentation fault" in output


def test_the_caller_keeps_its_affinity_and_its_signals(
    toolchain: Toolchain, cache: DiskCache
) -> None:
    script = """
        import os, signal
        allowed = getattr(os, "sched_getaffinity", lambda _: {0, 1})(0)
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [])
        count = max(2, min(len(allowed), 8))
        assert sum(marks(count)) == count * count
        assert getattr(os, "sched_getaffinity", lambda _: allowed)(0) == allowed
        assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == blocked
    """
    output_of(python(script, cache.folder))


@pytest.mark.skipif(sys.platform != "linux", reason="affinity is Linux'")
def test_workers_are_pinned_only_when_they_fill_the_mask(
    toolchain: Toolchain, cache: DiskCache
) -> None:
    script = """
        import os
        allowed = os.sched_getaffinity(0)
        def masks():
            others = [int(t) for t in os.listdir("/proc/self/task") if int(t) not in before]
            return [os.sched_getaffinity(t) for t in others]
        before = {int(t) for t in os.listdir("/proc/self/task")}
        if len(allowed) > 1:
            marks(len(allowed)) if len(allowed) <= 8 else None
            if len(allowed) <= 8:
                pinned = masks()
                assert len(pinned) == len(allowed) - 1 and all(len(m) == 1 for m in pinned), pinned
                assert len(set().union(*pinned)) == len(pinned)
        if len(allowed) < 8:
            marks(len(allowed) + 1)
            assert all(mask == allowed for mask in masks()), masks()
    """
    output_of(python(script, cache.folder))


def test_sixteen_processes_start_cold_at_once(toolchain: Toolchain, tmp_path: Path) -> None:
    script = """
        assert marks(2) == [2, 2, 0, 0, 0, 0, 0, 0]
        print("compiles", library.counters.compiles)
    """
    folder = tmp_path / "cache"
    processes = [python(script, folder) for _ in range(16)]
    for process in processes:
        output_of(process)
    assert output_of(python(script, folder)) == "compiles 0\n"
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


def test_stdout_is_left_alone(toolchain: Toolchain, tmp_path: Path) -> None:
    assert output_of(python("", tmp_path / "cold")) == ""


def test_without_a_compiler_the_runtime_names_the_package(cache: DiskCache) -> None:
    script = """
        import os
        from tensorlib.backends.c.runtime import runtime
        from tensorlib.errors import BackendError
        os.environ["PATH"] = ""
        os.environ.pop("CC", None)
        for _ in range(2):
            try:
                runtime()
            except BackendError as error:
                print(error)
    """
    output = output_of(python(script, cache.folder))
    assert output.count("C compiler: found none of cc, gcc, clang that works; try `apt inst") == 2


def test_the_runtime_of_the_process_is_one(toolchain: Toolchain) -> None:
    assert runtime() is runtime()
    assert runtime().mode == ("api" if has_python_header() else "abi")
    assert kernel_cache().folder.name == "kernels"
