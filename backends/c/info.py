"""What the C backend can do, without importing cffi or running a compiler."""

from __future__ import annotations

import shlex
import shutil
import sys

from tensorlib.backend import BackendInfo
from tensorlib.dtypes import DType
from tensorlib.knobs import knob

__all__ = ["INFO"]


def _available() -> str:
    """Return "" where a C compiler is on the path, else what to install."""
    if sys.platform not in ("linux", "darwin"):
        return f"the C backend runs on Linux and macOS, this is {sys.platform}"
    chosen = knob("CC")
    if chosen is not None:
        command = shlex.split(chosen)
        if command and shutil.which(command[0]):
            return ""
        return f"CC names {chosen!r}, which is not a program; unset CC or install it"
    if any(map(shutil.which, ("cc", "gcc", "clang"))):
        return ""
    hint = "xcode-select --install" if sys.platform == "darwin" else "apt install gcc"
    return f"no C compiler was found; try: {hint}"


_DTYPES = tuple(d for d in DType.by_name.values() if d.kind != "complex")

INFO = BackendInfo(
    "c", ("cpu",), _DTYPES, priority=10, needs="a C compiler", available=_available, expected=True
)
