"""What each pass changes in a kernel, as differences of its text."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from tensorlib.ir.core import Kernel, Operation, walk
from tensorlib.ir.text import text

__all__ = ["Change", "Trail"]


@dataclass(frozen=True, slots=True)
class Change:
    """The name of a pass and the lines of a unified difference, without a head."""

    name: str
    lines: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join([f"# after {self.name}", *self.lines])


class Trail:
    """Follows a kernel through passes: a value keeps its number for as long as it lives."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel, self.changes = kernel, list[Change]()
        self._names: dict[int, str] = {}
        self._held: list[list[Operation]] = []  # so that no id is used again
        self._before = self._text()

    def after(self, name: str) -> Change | None:
        """Note what has changed since the last call, under the name of a pass; None for nothing."""
        before, self._before = self._before, self._text()
        if before == self._before:
            return None
        lines = difflib.unified_diff(
            before.splitlines(), self._before.splitlines(), lineterm="", n=1
        )
        change = Change(name, tuple(lines)[2:])
        self.changes.append(change)
        return change

    def follow(self, kernel: Kernel) -> None:
        """Go on with another kernel, that one made of the last."""
        self.kernel, self._names = kernel, {}
        self._before = self._text()

    def _text(self) -> str:
        self._held.append(list(walk(self.kernel.body)))
        return text(self.kernel, self._names)
