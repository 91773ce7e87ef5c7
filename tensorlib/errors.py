"""The error classes of tensorlib, and a caret drawn under the line of source that is at fault."""

from __future__ import annotations

import linecache
import traceback
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "BackendError",
    "CacheError",
    "CompileError",
    "DTypeError",
    "GGUFError",
    "IndexingError",
    "KernelError",
    "LayoutError",
    "ModelError",
    "ShapeError",
    "SourceLocation",
    "TensorlibError",
    "VerifyError",
    "caret",
]

_HERE = Path(__file__).parent


class TensorlibError(Exception):
    """Every error that tensorlib raises on purpose derives from this one."""


class ShapeError(TensorlibError, ValueError):
    """Shapes do not fit an operation."""


class DTypeError(TensorlibError, TypeError):
    """Dtypes do not fit an operation."""


class IndexingError(TensorlibError, IndexError):
    """An index lies outside its axis, or is of a form that is not supported."""


class LayoutError(TensorlibError, ValueError):
    """An operation of the layout algebra has no answer for these operands."""


class KernelError(TensorlibError):
    """A kernel can't be traced, verified or launched; the message shows the user's line."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows: the call, and the message, which has the lines of the kernel."""
        shown = []
        for frame in traceback.extract_tb(self.__traceback__):
            if Path(frame.filename).is_relative_to(_HERE):
                break
            if "IPython" not in Path(frame.filename).parts:
                shown.append(frame)
        listed = traceback.format_list(shown)
        words = ["Traceback (most recent call last):\n", *listed]
        return "".join([*words, *traceback.format_exception_only(self)]).splitlines()


class VerifyError(KernelError):
    """The IR broke one of its own rules: a defect of a pass or of the tracer."""


class BackendError(TensorlibError, RuntimeError):
    """A backend is missing, broken or refuses a request."""


class CompileError(BackendError):
    """The C compiler is missing or rejected generated source."""


class CacheError(TensorlibError, OSError):
    """The cache folder can't be used safely."""


class GGUFError(TensorlibError, ValueError):
    """The bytes are not a well-formed GGUF file, or hold something that is not supported."""


class ModelError(TensorlibError, ValueError):
    """A model is missing, damaged or asked for something it can't do."""


@dataclass(frozen=True, slots=True)
class SourceLocation:
    """A place in a Python file: line is 1-based, columns are 0-based and half open.

    `caller` is where the function around it was called from, if that is known.
    """

    filename: str
    line: int
    column: int = 0
    end_column: int = 0
    function: str = ""
    caller: SourceLocation | None = None


SHOWN_CALLS = 8  # of a longer chain of calls, half are the innermost and half the outermost


def caret(location: SourceLocation) -> str:
    """Return the source line at `location` with `^^^` under its columns, and who called it.

    Each caller follows behind a line "called from". A file that can't be read shows no line.
    """
    shown = [_line(location)]
    outer = location.caller
    while outer is not None:
        shown.append(f"called from\n{_line(outer)}")
        outer = outer.caller
    half = SHOWN_CALLS // 2
    if len(shown) > SHOWN_CALLS + 1:
        hidden = len(shown) - SHOWN_CALLS
        shown[half:-half] = [f"called from\n  ... {hidden} more calls"]
    return "\n".join(shown)


def _line(location: SourceLocation) -> str:
    text = linecache.getline(location.filename, location.line).rstrip("\n")
    where = f'  File "{location.filename}", line {location.line}'
    where += f", in {location.function}" if location.function else ""
    if not text:
        return where
    width = max(1, location.end_column - location.column)
    stripped = text.lstrip()
    offset = max(0, location.column - (len(text) - len(stripped)))
    marks = "^" * min(width, max(1, len(stripped) - offset))
    return f"{where}\n    {stripped}\n    {' ' * offset}{marks}"
