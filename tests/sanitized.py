"""The test suite with all generated C under AddressSanitizer and UBSan, in one command.

`python -m tensorlib.tests.sanitized ARGUMENTS` is `python -m pytest ARGUMENTS` in an environment
where CC compiles with the sanitizers, whose libraries are loaded before Python. What they report
is printed at the end, and fails the run. Needs gcc on Linux.
"""

from __future__ import annotations

import ast
import functools
import importlib
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import settings

__all__ = ["UNSANITIZED", "compiles_nothing", "environment", "libraries", "main", "unsanitized"]

# gcc's `undefined` leaves out the conversion of a float that does not fit an integer. The level
# of optimisation is the last one named: what is undefined is so at -O1, in half the time.
FLAGS = (
    "-fsanitize=address,undefined,float-cast-overflow",
    "-fno-sanitize-recover=all", "-fno-omit-frame-pointer", "-O1",
)  # fmt: skip

IN_PYTHON = "runs for long, and compiles nothing"

# Seen with gcc 12: a thread that ends takes a lock of its allocator for a moment; a child forked
# just then has no such thread, and waits for the lock for ever.
FORKS = "forks after threads, which AddressSanitizer's allocator is not ready for"

# File, or function in it, and why it can't run so.
UNSANITIZED = {
    "test_sanitizers.py": "starts sanitized processes of its own",
    "test_passes_grid.py::test_grid_kernels_run_clean_under_sanitizers":
    "starts a sanitized process of its own",
    "test_lang_random.py::test_random_kernels_agree_with_another_compiler":
    "compares with a compiler that CC does not name",
    "test_llama_gguf_malformed.py": "limits its memory, of which AddressSanitizer asks terabytes; "
    "what it runs is Python",
    "test_backend_c_runtime.py::test_a_fault_in_a_worker_is_reported_with_the_python_stack":
    "AddressSanitizer reports the fault in its own way",
    "test_backend_c_runtime.py::test_a_forked_child_starts_its_own_workers": FORKS,
    "test_backend_c_runtime.py::test_a_fork_while_another_thread_is_in_a_call": FORKS,
    "test_quick.py::test_a_forked_child_calls_on": FORKS,
    "test_graph_long.py::test_the_meaning_of_plans_knows_long_rows": IN_PYTHON,
    "test_kernels_random.py::test_interpreter_computes_the_meaning": IN_PYTHON,
    "test_passes.py::test_passes_change_nothing_the_second_time": IN_PYTHON,
    "test_passes.py::test_what_a_pass_says_it_left_alone_is_as_it_was": IN_PYTHON,
    "test_fetch.py": "fetches files, and compiles nothing",
    "test_house.py": IN_PYTHON,
    "test_layouts_code.py": "compiles programs of its own, which are sanitized anyway",
    "test_layouts_dim.py": "compiles a text of its own with a compiler that CC does not name",
    "test_layouts_draw.py": IN_PYTHON,
    "test_layouts_layout.py": IN_PYTHON,
    "test_explain.py::test_the_text_has_every_section": "counts instructions: here are more",
}  # fmt: skip

# Functions of the tests that use other compilers; where a test calls one, the rest is skipped.
FOREIGN = {
    "cuda_compiler.compile_cuda": "NVIDIA's compiler finds no library by AddressSanitizer's dlopen",
    "opencl_device.opencl_device": "OpenCL finds no drivers by AddressSanitizer's dlopen",
    "cuda_emulator.compile_emulated": "fibers of C++ for CUDA, which AddressSanitizer can't follow",
}

MOST_EXAMPLES = 25  # of a law that does not say how many

# Imports that lead to none of these lead to no C. The last rows load or start anything by name;
# layouts do the first, but only with modules of theirs, and import nothing (tests/test_house.py).
COMPILES = {
    "tensorlib", "tensorlib.registry", "tensorlib.backends.c",
    "cffi", "ctypes", "importlib", "multiprocessing", "runpy", "subprocess",
}  # fmt: skip


def libraries() -> list[str]:
    """Return the paths of the sanitizers' libraries, empty where gcc has none."""
    gcc = shutil.which("gcc")
    if gcc is None or sys.platform != "linux":
        return []
    found = []
    for name in ("libasan.so", "libubsan.so"):
        command = [gcc, f"-print-file-name={name}"]
        path = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        found.append(path)
    return found if all(os.path.isabs(path) for path in found) else []


def compiler() -> str:
    """Return what CC must be: gcc itself is not slowed down by the sanitizer's malloc."""
    script = f'unset LD_PRELOAD; exec gcc "$@" {" ".join(FLAGS)}'
    return shlex.join(["sh", "-c", script, "gcc"])


def environment(reports: Path | None = None) -> dict[str, str]:
    """Return the environment of a process whose kernels are sanitized.

    AddressSanitizer's reports go to files whose names begin with `reports`, those of UBSan, and
    all without `reports`, to standard error. Python's own leaks are not looked for.
    """
    log = f":log_path={reports}" if reports else ""
    return {
        **os.environ,
        "CC": compiler(),
        "LD_PRELOAD": " ".join(libraries()),
        "ASAN_OPTIONS": f"detect_leaks=0{log}",
        "UBSAN_OPTIONS": "print_stacktrace=1",
    }


def main(arguments: Sequence[str]) -> int:
    """Run pytest with these arguments; return its exit status, or 1 where there are reports."""
    if not libraries():
        print("sanitized: found no gcc with sanitizers; try Linux and `apt install gcc`")
        return 1
    # Of pytest's two ways of capturing, this one lets through what UBSan writes before it ends.
    options = ["-p", "tensorlib.tests.sanitized", "--capture=sys"]
    with tempfile.TemporaryDirectory(prefix="tensorlib-sanitized-") as folder:
        status = subprocess.run(
            [sys.executable, "-m", "pytest", *options, *arguments],
            env=environment(Path(folder, "report")),
            check=False,
        ).returncode
        reports = sorted(Path(folder).iterdir())
        for report in reports:
            print(f"\n== {report.name}\n{report.read_text(errors='replace')}")
    return status or int(bool(reports))


# --- what pytest calls, here and in every worker ---


def pytest_configure() -> None:
    """Let no object be compiled without sanitizers, and skip what compilers of others do."""
    _refuse_other_objects()
    # Laws hold or not with sanitizers as without; here it is the code of each that counts.
    settings.register_profile("sanitized", settings.default, max_examples=MOST_EXAMPLES)
    settings.load_profile("sanitized")
    for row, reason in FOREIGN.items():
        module, _, function = row.partition(".")
        _skip_calls(importlib.import_module(f"tensorlib.tests.{module}"), function, reason)


def _skip_calls(module: ModuleType, function: str, reason: str) -> None:
    assert hasattr(module, function), function
    setattr(module, function, lambda *_, **__: pytest.skip(f"not sanitized: {reason}"))


def _refuse_other_objects() -> None:
    from tensorlib.backends.c.toolchain import Toolchain

    compile_object = Toolchain.compile

    @functools.wraps(compile_object)
    def checked(self: Toolchain, source: str, output: Path, extra: Sequence[str] = ()) -> None:
        compile_object(self, source, output, extra)
        if b"__asan_init" not in Path(output).read_bytes():
            raise RuntimeError(f"sanitized: {self.command} compiled without sanitizers")

    Toolchain.compile = checked  # type: ignore[method-assign]


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Skip what can't run sanitized, and what has no C."""
    for item in items:
        reason = unsanitized(item.nodeid, UNSANITIZED)
        if not reason and compiles_nothing(item.path):
            reason = "no import of the file leads to anything that compiles"
        if reason:
            item.add_marker(pytest.mark.skip(reason=f"not sanitized: {reason}"))


def unsanitized(test: str, rows: Mapping[str, str]) -> str:
    """Return why a test is left out, empty where it runs: rows name files or functions."""
    name = test.partition("[")[0].rpartition("/")[2]
    return rows.get(name) or rows.get(name.partition("::")[0], "")


# --- tests without C ---


@functools.cache
def compiles_nothing(file: Path) -> bool:
    """Tell whether no chain of imports leads from a file to what compiles or starts processes."""
    waiting, seen = [file], {file}
    while waiting:
        for name in _imports(waiting.pop()):
            path = _source(name)
            if name in COMPILES or _is_of_the_face(name, path):
                return False
            if path and path not in seen and not name.startswith("tensorlib.layouts"):
                seen.add(path)
                waiting.append(path)
    return True


def _is_of_the_face(name: str, path: Path | None) -> bool:
    """Tell names that `tensorlib` itself gives, which reach everything, from its modules."""
    return path is None and name.startswith("tensorlib.") and name.count(".") == 1


@functools.cache
def _imports(file: Path) -> list[str]:
    """Return the names of all modules that a file may load, and of what it takes from them."""
    nodes = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    return [name for node in nodes for name in _imported(node)]


def _imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield from _with_packages(alias.name)
            yield alias.name if alias.asname else alias.name.partition(".")[0]
    elif isinstance(node, ast.ImportFrom):
        for alias in node.names:
            yield from _with_packages(f"{node.module}.{alias.name}")


def _with_packages(name: str) -> Iterator[str]:
    """Yield a name and its packages, but for tensorlib itself, which alone loads nothing."""
    while name != "tensorlib" and name:
        yield name
        name = name.rpartition(".")[0]


@functools.cache
def _source(module: str) -> Path | None:
    """Return the file of a module of ours, None where the name is of something else."""
    try:
        spec = importlib.util.find_spec(module) if module.startswith("tensorlib.") else None
    except ModuleNotFoundError:
        return None
    return Path(spec.origin) if spec and spec.origin else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
