"""An oracle for generated C: its integer expressions, with C's types and undefined cases."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable

__all__ = ["Number", "Undefined", "read"]


class Undefined(Exception):
    """The expression has no defined value in C."""


LEVELS = [["&&"], ["^"], ["&"], ["!=", "<", ">"], ["<<", ">>"], ["+", "-"], ["*", "/", "%"]]
TOKEN = re.compile(r"\s*(\d+(?:LL|L)?|\w+|<<|>>|!=|&&|.)")
Number = tuple[int, int]  # value, bits


def truncated(a: int, b: int) -> int:
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


MEANING: dict[str, Callable[[int, int], int]] = {
    "&&": lambda a, b: int(bool(a) and bool(b)),
    "^": operator.xor,
    "&": operator.and_,
    "!=": lambda a, b: int(a != b),
    "<": lambda a, b: int(a < b),
    ">": lambda a, b: int(a > b),
    "<<": operator.lshift,
    ">>": operator.rshift,
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": truncated,
    "%": lambda a, b: a - truncated(a, b) * b,
}


def applied(op: str, left: Number, right: Number) -> Number:
    bits = left[1] if op in ("<<", ">>") else max(left[1], right[1])
    if op in ("<<", ">>") and (not 0 <= right[0] < bits or (op == "<<" and left[0] < 0)):
        raise Undefined(f"{left} {op} {right}")
    return checked(MEANING[op](left[0], right[0]), 32 if op in ("&&", "!=", "<", ">") else bits)


def checked(value: int, bits: int) -> Number:
    if not -(1 << (bits - 1)) <= value < 1 << (bits - 1):
        raise Undefined(f"{value} in {bits} bits")
    return value, bits


class Reader:
    """Evaluates one C expression; `names` gives values with their bits."""

    def __init__(self, text: str, names: dict[str, Number], target: str) -> None:
        self.tokens, self.names, self.target = TOKEN.findall(text), names, target

    def value(self) -> int:
        result = self.chosen()
        assert not self.tokens, self.tokens
        return result[0]

    def accept(self, *wanted: str) -> str:
        return self.tokens.pop(0) if self.tokens and self.tokens[0] in wanted else ""

    def chosen(self) -> Number:
        condition = self.level(0)
        if not self.accept("?"):
            return condition
        yes = self.chosen()
        assert self.accept(":")
        no = self.chosen()
        return (yes if condition[0] else no)[0], max(yes[1], no[1])

    def level(self, depth: int) -> Number:
        if depth == len(LEVELS):
            return self.unary()
        left = self.level(depth + 1)
        while op := self.accept(*LEVELS[depth]):
            left = applied(op, left, self.level(depth + 1))
        return left

    def unary(self) -> Number:
        if self.accept("-"):
            value, bits = self.unary()
            return checked(-value, bits)
        if self.accept("~"):
            value, bits = self.unary()
            return ~value, bits
        if self.accept("("):
            if self.accept("long"):
                assert bool(self.accept("long")) == (self.target != "opencl")
                assert self.accept(")")
                return self.unary()[0], 64
            inner = self.chosen()
            assert self.accept(")")
            return inner
        return self.leaf(self.tokens.pop(0))

    def leaf(self, token: str) -> Number:
        if token in self.names:
            return self.names[token]
        digits = token.rstrip("L")
        assert token[len(digits) :] in (["", "L"] if self.target == "opencl" else ["", "LL"])
        value = int(digits)
        return value, 64 if token != digits or value >= 1 << 31 else 32


def read(text: str, target: str = "c", **names: Number) -> int:
    """Return the value of an expression; `names` gives values with their bits."""
    return Reader(text, names, target).value()
