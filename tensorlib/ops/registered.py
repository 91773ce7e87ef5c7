"""`Registered`: a function that a user added to one of the library's tables."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

__all__ = ["Registered"]


class Registered:
    """A rule or a pass in its table; call it like the function itself.

    `remove()` takes it out, `add()` puts it back. In a `with` it is in the table inside only.

    >>> table = []
    >>> rule = Registered(abs, table.append, table.remove)
    >>> len(table), rule(-2)
    (1, 2)
    >>> with rule:
    ...     len(table)
    1
    >>> len(table)
    0
    """

    __name__: str

    def __init__(
        self,
        function: Callable[..., Any],
        add: Callable[[Any], None],
        remove: Callable[[Any], None],
    ) -> None:
        functools.update_wrapper(self, function)
        self.function, self._add, self._remove = function, add, remove
        self.is_active = False
        self.add()

    def add(self) -> None:
        """Put the function into its table, where it isn't there."""
        if not self.is_active:
            self._add(self.function)
            self.is_active = True

    def remove(self) -> None:
        """Take the function out of its table, where it is there."""
        if self.is_active:
            self._remove(self.function)
            self.is_active = False

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return self.function(*arguments, **keywords)

    def __enter__(self) -> Registered:
        self.add()
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()
