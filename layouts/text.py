"""Layouts as text: `(4,(2,2)):(1,(8,4))`, printed and parsed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from tensorlib.errors import LayoutError
from tensorlib.layouts.basis import E
from tensorlib.layouts.dim import Dim, Size

__all__ = ["parsed", "shape_text"]

_TOKEN = re.compile(r"\s*(\d+|[A-Za-z_]\w*|//|[-+*%@(),:])")
_LEVELS = (("+", "-"), ("*", "//", "%"))


def shape_text(shape: Any) -> str:
    """Return `(4,(2,2))` for a nested tuple; a tuple of one keeps its comma: `(4,)`."""
    if not isinstance(shape, tuple):
        return str(shape).replace(" ", "")
    inner = ",".join(map(shape_text, shape))
    return f"({inner},)" if len(shape) == 1 else f"({inner})"


def parsed(text: str, symbols: Mapping[str, Size] | None = None) -> tuple[Any, Any]:
    """Return the shape and the stride (None where there is no colon) that the text spells.

    `(4)` is a tuple of one, as CuTe prints it. Raises LayoutError pointing at the fault.
    """
    reader = _Reader(text, {} if symbols is None else symbols)
    shape = reader.shape()
    stride = reader.shape() if reader.accept(":") else None
    if reader.peek():
        raise reader.fault("the end")
    return shape, stride


class _Reader:
    """A recursive-descent reader over the tokens of one text."""

    def __init__(self, text: str, symbols: Mapping[str, Size]) -> None:
        self.text, self.symbols, self.place = text, symbols, 0
        self.tokens: list[tuple[str, int]] = []
        position, end = 0, len(text.rstrip())
        while position < end:
            match = _TOKEN.match(text, position)
            self.tokens.append(
                (match[1], match.start(1)) if match else (text[position:end], position)
            )
            position = match.end() if match else end

    def peek(self) -> str:
        return self.tokens[self.place][0] if self.place < len(self.tokens) else ""

    def accept(self, *wanted: str) -> str:
        token = self.peek()
        if not token or token not in wanted:
            return ""
        self.place += 1
        return token

    def fault(self, needed: str) -> LayoutError:
        at = self.tokens[self.place][1] if self.place < len(self.tokens) else len(self.text)
        got = repr(self.peek()) if self.peek() else "the end"
        return LayoutError(
            f"Layout.parse: got {got} at position {at} of {self.text!r}, needed {needed}"
        )

    def shape(self) -> Any:
        if self.peek() != "(":
            return self.size()
        start = self.place
        parts = self.parts()
        if len(parts) == 1 and self.peek() in ("+", "-", "*", "//", "%", "@"):
            self.place = start  # the parentheses belong to an expression
            return self.size()
        return parts

    def parts(self) -> tuple[Any, ...]:
        self.accept("(")
        found: list[Any] = []
        while not self.accept(")"):
            found.append(self.shape())
            if not self.accept(",") and self.peek() != ")":
                raise self.fault("',' or ')'")
        return tuple(found)

    def size(self, level: int = 0) -> Size:
        if level == len(_LEVELS):
            return self.factor()
        value = self.size(level + 1)
        while op := self.accept(*_LEVELS[level]):
            right = self.size(level + 1)
            value = {
                "+": lambda a, b: a + b,
                "-": lambda a, b: a - b,
                "*": lambda a, b: a * b,
                "//": lambda a, b: a // b,
                "%": lambda a, b: a % b,
            }[op](value, right)
        return value

    def factor(self) -> Size:
        if self.accept("-"):
            return -self.factor()
        value, path = self.atom(), []
        while self.accept("@"):  # 5@1@0 is 5 * E(0, 1)
            if not self.peek().isdecimal():
                raise self.fault("the place of a basis element")
            path.append(int(self.tokens[self.place][0]))
            self.place += 1
        return cast(Size, value * E(*reversed(path))) if path else value

    def atom(self) -> Size:
        if self.accept("("):
            value = self.size()
            if not self.accept(")"):
                raise self.fault("')'")
            return value
        token = self.peek()
        if token.isdecimal():
            self.place += 1
            return int(token)
        if token.isidentifier():
            self.place += 1
            return self.symbols[token] if token in self.symbols else Dim(token)
        raise self.fault("a number, a name or '('")
