"""The assembly of one C function: what the compiler makes of it, without directives."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tensorlib.backends.c.toolchain import Toolchain

__all__ = ["assembly"]

# A comment that the printer puts in front of what a line of Python became.
_NOTE = re.compile(r"^\s*// (.+:\d+)  ")
_LABEL = re.compile(r"^([.\w$]+):")
_NAME = re.compile(r"[.\w$]+")
_LINE = re.compile(r"^\.loc\s+\d+\s+(\d+)")


def assembly(toolchain: Toolchain, source: str, symbol: str) -> str:
    """Compile C text with the flags of a kernel and return what the function `symbol` became.

    Directives are left out; a comment names the line of Python wherever it changes, if the text
    has comments that say so. Raises CompileError where the compiler rejects the text.
    """
    body = _function(toolchain.assembly(source).splitlines(), symbol)
    used = {name for line in body if _is_code(line) for name in _NAME.findall(line)}
    notes = _notes(source)
    shown: list[str] = []
    now = last = ""
    for line in body:
        place, label = _LINE.match(line), _LABEL.match(line)
        if place:
            now = notes.get(int(place[1]), "")
        elif label and (label[1] in used or _is(label[1], symbol)):
            shown.append(f"{label[1]}:")
        elif _is_code(line):
            if now != last:
                last = now
                shown.append(f"# {now or 'the call'}")
            shown.append(f"        {_plain(line)}")
    return "\n".join([*shown, ""])


def _function(written: Sequence[str], symbol: str) -> list[str]:
    """Return the lines from a function's label to its end, stripped; cold parts are left out."""
    lines = [line.strip() for line in written]
    labels = [_LABEL.match(line) for line in lines]
    starts = [n for n, label in enumerate(labels) if label and _is(label[1], symbol)]
    assert starts, f"{symbol} is not in the assembly"
    ends = (".cfi_endproc", ".size\t", ".size ", ".section", ".globl")
    rest = range(starts[0] + 1, len(lines))
    end = next((n for n in rest if lines[n].startswith(ends)), len(lines))
    return lines[starts[0] : end]


def _is(label: str, symbol: str) -> bool:
    return label in (symbol, f"_{symbol}")  # macOS puts an underscore in front


def _is_code(line: str) -> bool:
    return bool(line) and line[0] not in "#./;@" and not _LABEL.match(line)


def _plain(line: str) -> str:
    return " ".join(line.split("#", maxsplit=1)[0].split()) if "\t" in line else line


def _notes(source: str) -> dict[int, str]:
    """Return for lines of C, from 1, the line of Python that the comment above them names."""
    found: dict[int, str] = {}
    current = ""
    for number, line in enumerate(source.splitlines(), 1):
        note = _NOTE.match(line)
        if note:
            current = note[1]
        elif line.startswith("}"):
            current = ""
        if current:
            found[number] = current
    return found
