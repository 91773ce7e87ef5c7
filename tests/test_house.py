"""The rules of the house, checked on its source: floors, sizes, packaging, imports."""

from __future__ import annotations

import ast
import configparser
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import tensorlib
from tensorlib.knobs import KNOBS

ROOT = Path(tensorlib.__file__).parents[1]
pytestmark = pytest.mark.skipif(
    not (ROOT / "setup.cfg").exists(), reason="needs the source tree, not a regular install"
)

# Folders of the source tree and the packages they install as.
FOLDERS = {
    "tensorlib": "tensorlib",
    "layouts": "tensorlib.layouts",
    "backends": "tensorlib.backends",
    "nn": "tensorlib.nn",
    "llama": "tensorlib.llama",
}

# Floor, and the modules that make up one room. A room imports rooms of lower floors only.
ROOMS: tuple[tuple[int, tuple[str, ...]], ...] = (
    (0, ("errors",)),
    (1, ("layouts",)),
    (2, ("knobs", "dtypes", "cache")),
    (3, ("ops",)),
    (3, ("ir",)),
    (4, ("passes", "printers")),
    (5, ("simd", "tile", "tiles", "lang")),
    (6, ("backend", "registry")),
    (7, ("backends.reference",)),
    (7, ("backends.c",)),
    (7, ("kernels",)),
    (8, ("graph",)),
    (
        9,
        (
            "tensor",
            "functions",
            "creation",
            "capture",
            "recording",
            "launch",
            "quick",
            "user_functions",
            "user_kernels",
            "user_ops",
            "user_rows",
            "cumulative",
            "linalg",
            "fft",
            "random",
            "interop",
        ),
    ),
    (10, ("nn",)),
    (11, ("llama",)),
    (12, ("cli", "tools", "testing", "__main__")),
    (13, ("",)),  # tensorlib itself, whose names resolve lazily; no room may import it
)

FILE_LINES, FUNCTION_LINES = 500, 60
FORBIDDEN_NAMES = ("Manager", "Helper", "Utils", "Base")
# Packages that belong to one room only.
OWNERS = {"cffi": "backends.c", "cupy": "backends.cuda", "pyopencl": "backends.opencl"}


@cache
def sources() -> dict[str, Path]:
    """Every module of the library by its name without `tensorlib.`, in order."""
    found = {}
    for folder, package in FOLDERS.items():
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = [package, *path.relative_to(ROOT / folder).with_suffix("").parts]
            name = ".".join(parts).removesuffix(".__init__")
            found[name.removeprefix("tensorlib").removeprefix(".")] = path
    return found


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def room(module: str) -> tuple[int, tuple[str, ...]]:
    """Return floor and room of a module; the longest matching name counts."""
    for floor, names in ROOMS:
        if any(module == name or (name and module.startswith(f"{name}.")) for name in names):
            return floor, names
    if module == "backends":
        return 7, ("backends",)
    raise AssertionError(f"{module} is in no room; give it one in ROOMS")


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and full name of everything that a file imports, wherever in the file."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: import from the full name"
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def imported_rooms(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and module, without `tensorlib.`, of every import from this library."""
    for line, name in imports(path):
        if name.split(".")[0] != "tensorlib":
            continue
        inner = name.removeprefix("tensorlib").removeprefix(".")
        while inner and inner not in sources():  # a name inside a module
            inner = inner.rpartition(".")[0]
        yield line, inner


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Yield name with its line, and length in lines, of every function in a file."""
    for node in ast.walk(tree(path)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            assert node.end_lineno is not None
            yield f"{node.lineno}:{node.name}", node.end_lineno - node.lineno + 1


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def lines(path: Path) -> int:
    return path.read_text(encoding="utf-8").count("\n")


# --- floors ---


def test_rooms_import_lower_floors_only(capsys: pytest.CaptureFixture[str]) -> None:
    seen: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    upward = []
    for module, path in sources().items():
        floor, home = room(module)
        for line, name in imported_rooms(path):
            other_floor, other = room(name)
            if other != home:
                seen.setdefault(home, set()).add(other)
            if other != home and other_floor >= floor:
                upward.append(
                    f"{shown(path)}:{line}: floor {floor} imports {name!r} ({other_floor})"
                )
    with capsys.disabled():
        print("\n" + floors(seen))
    assert not upward, "\n".join(upward)


def floors(seen: dict[tuple[str, ...], set[tuple[str, ...]]]) -> str:
    """Return the rooms as text, the highest first, each with the rooms it imports."""
    rows = []
    for floor, names in reversed(ROOMS):
        below = sorted(other[0] for other in seen.get(names, ()))
        rows.append(f"{floor:>3}  {'/'.join(names) or 'tensorlib':<52} <- {' '.join(below) or '-'}")
    return "\n".join(rows)


def test_an_upward_import_is_found() -> None:
    assert room("layouts.dim") < room("ir.core") < room("graph.node") < room("cli")
    assert room("simd") == room("lang.tracing")
    with pytest.raises(AssertionError, match="is in no room"):
        room("attic")


def test_rooms_are_imported_under_their_full_name() -> None:
    bare = set(FOLDERS) - {"tensorlib"} | {"tests"}
    wrong = [
        f"{shown(path)}:{line}: import {name}"
        for folder in (*FOLDERS, "tests", "examples", "benchmarks")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for line, name in imports(path)
        if name.split(".")[0] in bare
    ]
    assert not wrong, "\n".join(wrong)


def test_foreign_packages_stay_in_their_room() -> None:
    wrong = [
        f"{shown(path)}:{line}: {name}"
        for module, path in sources().items()
        for line, name in imports(path)
        if (owner := OWNERS.get(name.split(".")[0])) and not module.startswith(owner)
    ]
    assert not wrong, "\n".join(wrong)


# --- sizes and names ---


def test_files_are_short(capsys: pytest.CaptureFixture[str]) -> None:
    sizes = {shown(path): lines(path) for path in sources().values()}
    with capsys.disabled():
        longest = ", ".join(f"{p} {n}" for p, n in sorted(sizes.items(), key=lambda i: -i[1])[:3])
        middle = statistics.median(n for n in sizes.values() if n > 1)
        print(f"\nfiles: {len(sizes)}, median {middle:g} lines, longest {longest}")
    assert {p: n for p, n in sizes.items() if n > FILE_LINES} == {}


def test_functions_are_short(capsys: pytest.CaptureFixture[str]) -> None:
    sizes = {
        f"{shown(path)}:{name}": length
        for path in sources().values()
        for name, length in functions(path)
    }
    with capsys.disabled():
        longest = ", ".join(f"{p} {n}" for p, n in sorted(sizes.items(), key=lambda i: -i[1])[:3])
        nine_tenths = statistics.quantiles(sizes.values(), n=10)[-1]
        print(
            f"\nfunctions: {len(sizes)}, median {statistics.median(sizes.values()):g} lines, "
            f"90th percentile {nine_tenths:g}, longest {longest}"
        )
    assert {p: n for p, n in sizes.items() if n > FUNCTION_LINES} == {}


def test_every_file_opens_with_a_sentence() -> None:
    without = [
        shown(p) for p in sources().values() if not (ast.get_docstring(tree(p)) or "").strip()
    ]
    assert not without, without


def test_names_say_what_things_are() -> None:
    wrong = [
        f"{shown(path)}: {node.name}"
        for path in sources().values()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef) and node.name.endswith(FORBIDDEN_NAMES)
    ]
    assert not wrong, wrong


# --- settings, dependencies, headers ---


def test_every_environment_variable_is_a_knob() -> None:
    used = {
        name
        for path in sources().values()
        for name in re.findall(r"TENSORLIB_[A-Z_]*[A-Z]", path.read_text(encoding="utf-8"))
    }
    assert used - KNOBS.keys() == set()


def test_every_knob_is_documented() -> None:
    text = (ROOT / "docs" / "command_line.md").read_text(encoding="utf-8")
    assert [name for name in KNOBS if f"| `{name}` |" not in text] == []


def test_every_dependency_has_its_reason() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    wanted = [*setup()["options"]["install_requires"].splitlines()]
    for packages in setup()["options.extras_require"].values():
        wanted += packages.splitlines()
    names = {line.split(" ")[0] for line in wanted if line and not line.startswith("%")}
    assert [name for name in sorted(names) if name not in text] == []


def test_no_immintrin() -> None:
    headers = [
        shown(path)
        for path in [*sources().values(), *(ROOT / "backends").rglob("*.[ch]")]
        if re.search(r"#\s*include\s*<(immintrin|arm_neon|x86intrin)\.h>", path.read_text("utf-8"))
    ]
    assert not headers, headers


# --- packaging ---


@cache
def setup() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def listed(option: str) -> list[str]:
    return [line for line in setup()["options"][option].splitlines() if line]


def test_setup_lists_every_package() -> None:
    present = {
        ".".join([package, *path.parent.relative_to(ROOT / folder).parts])
        for folder, package in {**FOLDERS, "tests": "tensorlib.tests"}.items()
        for path in (ROOT / folder).rglob("__init__.py")
    }
    assert sorted(listed("packages")) == sorted(present)


def test_setup_maps_every_folder() -> None:
    mapped = dict(line.split(" = ") for line in listed("package_dir"))
    assert mapped == {
        package: folder for folder, package in {**FOLDERS, "tests": "tensorlib.tests"}.items()
    }


def test_every_folder_with_modules_is_a_package() -> None:
    without = {
        shown(path.parent)
        for folder in (*FOLDERS, "tests")
        for path in (ROOT / folder).rglob("*.py")
        if not (path.parent / "__init__.py").exists()
    }
    assert not without, without


# --- what an import loads ---


def loaded(statement: str) -> set[str]:
    """Return the modules that `statement` adds to a fresh interpreter."""
    code = f"import sys; before = set(sys.modules); {statement}; print(*set(sys.modules) - before)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


HEAVY = {"cffi", "_cffi_backend", "jinja2", "regex", "tqdm", "torch", "pytest", "hypothesis"}


def ours(modules: set[str]) -> set[str]:
    return {name for name in modules if name.split(".")[0] == "tensorlib"}


def test_importing_tensorlib_loads_nothing_else() -> None:
    modules = loaded("import tensorlib")
    assert ours(modules) == {"tensorlib"}
    assert not {name.split(".")[0] for name in modules} & {*HEAVY, "numpy", "ml_dtypes"}


def test_importing_layouts_loads_no_other_room() -> None:
    modules = ours(loaded("import tensorlib.layouts"))
    rooms = {name.split(".")[1] for name in modules if "." in name}
    assert rooms <= {"errors", "layouts"}


@pytest.mark.parametrize(
    "module", ["tensorlib.graph", "tensorlib.kernels", "tensorlib.nn", "tensorlib.llama"]
)
def test_importing_a_room_loads_no_backend_and_no_extra(module: str) -> None:
    modules = loaded(f"import {module}")
    assert not {name.split(".")[0] for name in modules} & HEAVY
    assert not {name for name in modules if name.startswith("tensorlib.backends.")}
