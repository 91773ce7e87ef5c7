"""Every environment variable that tensorlib reads: one typed row each, read when asked for."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tensorlib.errors import TensorlibError

__all__ = ["KNOBS", "Knob", "knob"]


@dataclass(frozen=True, slots=True)
class Knob:
    """One environment variable: its name, how its text is read, its default and what it does."""

    name: str
    read: Callable[[str], Any]
    default: Callable[[], Any]
    meaning: str


def _flag(text: str) -> bool:
    if text.lower() in ("1", "true", "yes", "on"):
        return True
    if text.lower() in ("0", "false", "no", "off", ""):
        return False
    raise ValueError("needed 0 or 1")


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError("needed a whole number from 1")
    return value


def _level(text: str) -> int:
    value = int(text or "0")
    if not 0 <= value <= 5:
        raise ValueError("needed a whole number from 0 to 5")
    return value


def _default_cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "tensorlib"


KNOBS: dict[str, Knob] = {
    k.name: k
    for k in (
        Knob("TENSORLIB_CACHE", Path, _default_cache, "folder of compiled kernels and models"),
        Knob("TENSORLIB_BACKEND", str, lambda: None, "backend to use, by name"),
        Knob("TENSORLIB_NUM_THREADS", _positive, lambda: None, "threads (default: affinity mask)"),
        Knob("TENSORLIB_SMALL", _flag, lambda: True, "run small eager operations through NumPy"),
        Knob("TENSORLIB_CPU_FEATURES", str, lambda: None, "compile for these features only"),
        Knob("TENSORLIB_DEBUG", _level, lambda: 0, "0 to 5: plan, timing, IR, source, passes"),
        Knob("TENSORLIB_BACKEND_AUTOLOAD", _flag, lambda: True, "load backends of other packages"),
        Knob("CC", str, lambda: None, "C compiler to use"),
    )
}


def knob(name: str) -> Any:
    """Return the value of the environment variable `name`, or its default when it is unset."""
    row = KNOBS[name]
    text = os.environ.get(name)
    if text is None or text == "":
        return row.default()
    try:
        return row.read(text)
    except ValueError as error:
        raise TensorlibError(f"{name}: got {text!r}; {error}; it sets: {row.meaning}") from None
