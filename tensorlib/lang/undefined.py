"""What stands for a name that has no value: using it says why."""

from __future__ import annotations

from typing import Any

from tensorlib.ir.builder import fail

__all__ = ["Undefined", "unset"]

_OPERATORS = """
    add radd sub rsub mul rmul truediv rtruediv floordiv rfloordiv mod rmod pow rpow and rand or ror
    xor rxor lshift rshift lt le gt ge eq ne neg pos abs invert getitem setitem call bool iter len
    index int float contains enter
"""


class Undefined:
    """The value of a name that has none here; `why` completes the sentence that begins with it."""

    __slots__ = ("name", "why")

    name: str
    why: str

    def __init__(self, name: str, why: str = "") -> None:
        self.name = name
        self.why = why or "is assigned inside a loop or branch only; give it a value before that"

    def _use(self, *_: Any) -> Any:
        raise fail(f"{self.name} {self.why}")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._use()

    __hash__ = object.__hash__


for _name in _OPERATORS.split():
    setattr(Undefined, f"__{_name}__", Undefined._use)


class _Unset:
    """The value that a function returns, before it has returned."""

    __slots__ = ()


unset = _Unset()
