"""Objects of Python whose state no kernel can carry: sets, deques, arrays, iterators, generators,
and lists that a module holds.

What changes one of them while a loop or branch of run time is recorded does so once, however often
the kernel comes there. Two marks of an object tell whether it has changed in between.
"""

from __future__ import annotations

import functools
import itertools
import operator
from array import array
from collections import deque
from types import GeneratorType
from typing import Any

__all__ = ["has_state", "mark"]

_COLLECTIONS = (list, set, deque, bytearray, array)
_OF_OTHERS = (enumerate, zip, map, filter)  # they take from iterators of their own
_SHOWN = (itertools.count, itertools.repeat)  # their text says how far they are
_PLAIN = (bool, int, float, str, bytes, type(None))
MOST = 4096  # elements that are compared; of more it is their number


def has_state(value: Any) -> bool:
    """Whether `value` is an object that can change, and `mark` tells."""
    kind: Any = type(value)
    return _have_state(kind)


@functools.lru_cache(maxsize=1024)
def _have_state(kind: Any) -> bool:
    if issubclass(kind, (*_COLLECTIONS, *_OF_OTHERS, *_SHOWN, GeneratorType)):
        return True
    return hasattr(kind, "__next__") and hasattr(kind, "__length_hint__")


def mark(value: Any) -> Any:
    """Return what is another once the object has changed.

    >>> numbers = iter([1, 2, 3])
    >>> before = mark(numbers)
    >>> next(numbers), mark(numbers) == before
    (1, False)
    """
    if isinstance(value, _COLLECTIONS):
        return len(value), [*map(id, value)] if len(value) <= MOST else None
    if isinstance(value, _SHOWN):
        return repr(value)
    if isinstance(value, _OF_OTHERS):
        return [*map(_part, value.__reduce__()[1])]
    if isinstance(value, GeneratorType):
        frame = value.gi_frame
        return frame and (frame.f_lasti, [*map(_part, frame.f_locals.values())])
    return operator.length_hint(value, -1)


def _part(value: Any) -> Any:
    if isinstance(value, _PLAIN):
        return repr(value)
    return mark(value) if has_state(value) else id(value)
