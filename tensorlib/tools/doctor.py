"""`tensorlib doctor`: what works on this machine and, where something does not, why."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import sys
import warnings
from collections.abc import Callable, Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tensorlib.errors import BackendError, TensorlibError
from tensorlib.knobs import KNOBS, knob

if TYPE_CHECKING:
    from tensorlib.registry import Registry

__all__ = ["configure", "report", "text"]

# Packages and what installs them: the core's dependencies, then those of extras.
PACKAGES: dict[str, str] = {
    "tensorlib": "",
    "numpy": "",
    "cffi": "",
    "ml_dtypes": "",
    "jinja2": "llama",
    "regex": "llama",
    "tqdm": "llama",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `tensorlib doctor`."""
    parser.set_defaults(run=_run)
    parser.add_argument("--json", action="store_true", help="print one object")


def report() -> dict[str, Any]:
    """Return all findings as plain data: one entry a section, `{"error": ...}` where it failed.

    >>> sorted(report())
    ['backends', 'cache', 'compiler', 'knobs', 'models', 'processor', 'versions']
    """
    return {name: _guarded(find) for name, (find, _) in SECTIONS.items()}


def text(findings: dict[str, Any]) -> str:
    """Return the findings of `report` for a reader, one headed block a section."""
    blocks = []
    for name, found in findings.items():
        lines = [f"  error: {found['error']}"] if _failed(found) else SECTIONS[name][1](found)
        blocks.append("\n".join([name, *(lines or ["  none"])]))
    return "\n".join(blocks)


def _run(arguments: argparse.Namespace) -> int:
    findings = report()
    print(json.dumps(findings, indent=1) if arguments.json else text(findings))
    return 0


def _guarded(section: Callable[[], Any]) -> Any:
    """One broken part must not hide the others."""
    try:
        return section()
    except (TensorlibError, OSError, ImportError) as error:
        return {"error": str(error)}


def _failed(found: Any) -> bool:
    return isinstance(found, dict) and found.keys() == {"error"}


# --- the sections ---


def _versions() -> dict[str, str | None]:
    found: dict[str, str | None] = {"python": f"{platform.python_version()} ({sys.executable})"}
    found["system"] = f"{platform.system()} {platform.release()} {platform.machine()}"
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


def _version_lines(found: dict[str, str | None]) -> list[str]:
    return _rows(
        (name, value or f"not installed; try pip install 'tensorlib[{PACKAGES[name]}]'")
        for name, value in found.items()
    )


def _backends() -> dict[str, Any]:
    """Every backend, the preferred one first: its devices, or why it can't serve."""
    from tensorlib.registry import Registry

    registry = Registry()  # a fresh one tells of broken backends again
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = {name: _backend(registry, name) for name in registry.infos()}
        default = _default(registry)
    return {"default": default, "found": found, "broken": [str(w.message) for w in told]}


def _default(registry: Registry) -> str:
    try:
        return str(registry.default())
    except BackendError as error:
        return f"none: {error}"


def _backend(registry: Registry, name: str) -> dict[str, Any]:
    try:
        devices = [str(device) for device in registry.backend(name).devices()]
    except BackendError as error:
        return {"devices": [], "reason": str(error)}
    return {"devices": devices, "reason": ""}


def _backend_lines(found: dict[str, Any]) -> list[str]:
    states = found["found"].items()
    return _rows(
        [
            *((name, state["reason"] or " ".join(state["devices"])) for name, state in states),
            *(("broken", line) for line in found["broken"]),
            ("default", found["default"]),
        ]
    )


def _processor() -> dict[str, Any]:
    from tensorlib.backends.c.features import ROWS, cpu_features, thread_count

    cpu = cpu_features()
    known = [row[0] for row in ROWS.get(cpu.machine, []) if row[0] in cpu.names]
    return {
        "model": cpu.model,
        "machine": cpu.machine,
        "threads": thread_count(),
        "vector_bytes": cpu.vector_bytes,
        "features": known,
        "forced": cpu.forced,
    }


def _processor_lines(found: dict[str, Any]) -> list[str]:
    forced = " (forced by TENSORLIB_CPU_FEATURES)" if found["forced"] else ""
    return _rows(
        (
            ("model", f"{found['model'] or 'unknown'} ({found['machine']})"),
            ("threads", found["threads"]),
            ("vectors", f"{found['vector_bytes']} bytes"),
            ("features", " ".join(found["features"]) + forced),
        )
    )


def _compiler() -> dict[str, Any]:
    from tensorlib.backends.c.runtime import runtime
    from tensorlib.backends.c.toolchain import Toolchain

    tools = Toolchain.find()
    made = runtime()
    return {
        "path": tools.path,
        "kind": tools.kind,
        "version": tools.version,
        "flags": " ".join(tools.flags),
        "calls": f"cffi in {made.mode} mode",
        "arguments": made.without_objects or "C reads Python's objects",
    }


def _cache() -> dict[str, Any]:
    from tensorlib.cache import DiskCache

    folder = Path(knob("TENSORLIB_CACHE")).expanduser()
    if not folder.exists():
        return {"folder": str(folder), "files": 0, "bytes": 0}
    folder = DiskCache(folder).folder  # raises CacheError where the folder is not safe to use
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return {"folder": str(folder), "files": len(sizes), "bytes": sum(sizes)}


def _cache_lines(found: dict[str, Any]) -> list[str]:
    size = f"{found['files']} files, {found['bytes'] / 1e6:.1f} MB"
    return _rows((("folder", found["folder"]), ("size", size)))


def _models() -> dict[str, Any]:
    """Known models: where each lies when it was fetched, and whether its bytes are still right."""
    from tensorlib.llama.fetch import MODELS, models_folder

    found: dict[str, Any] = {}
    for row in MODELS.values():
        path = models_folder() / f"{row.name}.gguf"
        found[row.name] = None
        if path.is_file():
            with open(path, "rb") as file:
                whole = hashlib.file_digest(file, "sha256").hexdigest() == row.sha256
            found[row.name] = {"path": str(path), "bytes": path.stat().st_size, "whole": whole}
    return found


def _model_lines(found: dict[str, Any]) -> list[str]:
    return _rows((name, _model_state(state)) for name, state in found.items())


def _model_state(state: dict[str, Any] | None) -> str:
    if state is None:
        return "not fetched yet; the first use fetches it"
    if not state["whole"]:
        return f"damaged; try rm {state['path']}"
    return f"{state['path']} ({state['bytes'] / 1e6:.1f} MB, sha256 is right)"


def _knobs() -> dict[str, dict[str, str]]:
    """The environment variables that are set, each with the error that reading it gives, if any."""
    found: dict[str, dict[str, str]] = {}
    for name in KNOBS:
        if value := os.environ.get(name):
            found[name] = {"value": value}
            try:
                knob(name)
            except TensorlibError as error:
                found[name]["error"] = str(error)
    return found


def _knob_lines(found: dict[str, dict[str, str]]) -> list[str]:
    return _rows((name, row.get("error", row["value"])) for name, row in found.items())


def _value_lines(found: dict[str, Any]) -> list[str]:
    return _rows(found.items())


def _rows(pairs: Iterable[tuple[str, object]]) -> list[str]:
    rows = list(pairs)
    width = max([12, *(len(name) for name, _ in rows)])
    return [f"  {name:<{width}} {value}" for name, value in rows]


# Section: what finds it, what shows it.
SECTIONS: dict[str, tuple[Callable[[], Any], Callable[[Any], list[str]]]] = {
    "versions":  (_versions, _version_lines),
    "backends":  (_backends, _backend_lines),
    "processor": (_processor, _processor_lines),
    "compiler":  (_compiler, _value_lines),
    "cache":     (_cache, _cache_lines),
    "models":    (_models, _model_lines),
    "knobs":     (_knobs, _knob_lines),
}  # fmt: skip
