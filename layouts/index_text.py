"""Index arithmetic as text: values with bounds, written as briefly as C, CUDA and OpenCL allow."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from tensorlib.errors import LayoutError
from tensorlib.layouts.dim_code import c_text, python_text, wrapped
from tensorlib.layouts.dim_facts import known_nonnegative
from tensorlib.layouts.symbolic import Dim, Size

__all__ = ["LANGUAGES", "Language", "Value", "Writer"]

BITS, SUM, PRODUCT, ATOM = range(4)  # how tightly text binds; bitwise text is always enclosed
INT32, INT64 = (1 << 31) - 1, (1 << 63) - 1
_POSTFIX = re.compile(r"\w+(\.\w+|\[[^][]*\]|\([^()]*\))*")  # i, 7, blockIdx.x, get_local_id(0)


@dataclass(frozen=True, slots=True)
class Language:
    """How one language writes integers: a 64-bit literal's ending and type, and division."""

    suffix: str
    wide: str  # empty where integers have no width
    quotient: str


LANGUAGES = {
    "c": Language("LL", "long long", "/"),
    "cuda": Language("LL", "long long", "/"),
    "opencl": Language("L", "long", "/"),  # there `long` has 64 bits, `long long` is reserved
    "python": Language("", "", "//"),
}


@dataclass(frozen=True, slots=True)
class Value:
    """Text of an integer, how tightly it binds, its bounds (None: unknown) and its width.

    The bounds are for names below their size; `sinks`: past it the value may be negative.
    """

    text: str
    binds: int = ATOM
    low: int | None = 0
    high: int | None = None
    wide: bool = True
    sinks: bool = False

    def within(self, binds: int) -> str:
        """Return the text, enclosed unless it binds at least so tightly."""
        return self.text if self.binds >= binds else f"({self.text})"

    @property
    def signed(self) -> bool:
        """True where the value may be negative."""
        return self.sinks or self.low is None or self.low < 0


@dataclass(frozen=True, slots=True)
class Writer:
    """Arithmetic on values in one language; Dims are written through `symbols` where given."""

    language: Language
    bits: int = 32
    symbols: Mapping[str, str] | None = None

    def name(self, text: str, size: Size | None) -> Value:
        """Return a name that counts below `size`; a name of unknown reach is wide enough."""
        high = size - 1 if isinstance(size, int) else None
        binds = ATOM if _POSTFIX.fullmatch(text) else BITS
        wide = self.bits == 64 or high is None or high > INT32 or not self.language.wide
        return Value(text, binds, 0, high, wide)

    def number(self, size: Size) -> Value:
        """Return a size as an operand: a literal, or the expression of a Dim."""
        if isinstance(size, Dim):
            text = c_text(size, self.symbols) if self.language.wide else python_text(size)
            return Value(wrapped(text), ATOM, 0 if known_nonnegative(size) else None)
        if self.language.wide and abs(size) > INT64:
            raise LayoutError(f"layout_expr: got the number {size}, needed one that fits int64")
        wide = abs(size) > INT32
        text = f"{size}{self.language.suffix}" if wide else str(size)
        return Value(text, ATOM if size >= 0 else PRODUCT, size, size, wide)

    def widened(self, value: Value) -> Value:
        """Return the value in 64 bits."""
        if value.text.isdecimal():
            return replace(value, text=value.text + self.language.suffix, wide=True)
        return replace(
            value, text=f"({self.language.wide}){value.within(ATOM)}", binds=ATOM, wide=True
        )

    def times(self, value: Value, factor: Size) -> Value:
        """Return value * factor for a factor > 0; a power of two shifts."""
        if isinstance(factor, int) and factor == 1:
            return value
        by = self.number(factor)
        low, high = _scaled(value.low, factor, by), _scaled(value.high, factor, by)
        if shift := self._shift(value, factor):
            if not value.wide and (shift > 30 or not _fits(low, high)):
                value = self.widened(value)
            return Value(f"{value.within(ATOM)} << {shift}", BITS, low, high, value.wide)
        by = by if value.wide or by.wide or _fits(low, high) else self.widened(by)
        text = f"{value.within(PRODUCT)} * {by.text}"
        return Value(text, PRODUCT, low, high, value.wide or by.wide, value.sinks)

    def _shift(self, value: Value, factor: Size) -> int:
        """How far to shift left, 0 for not: shifting a negative number is undefined in C."""
        return 0 if value.signed or not self.language.wide else _log2(factor)

    def over(self, value: Value, divisor: Size) -> Value:
        """Return value // divisor, rounded down, for a divisor > 0."""
        if isinstance(divisor, int) and divisor == 1:
            return value
        by = self.number(divisor)
        low, high = _divided(value.low, divisor), _divided(value.high, divisor)
        if shift := _log2(divisor):
            value = value if value.wide or shift < 31 else self.widened(value)
            text = f"{value.within(ATOM)} >> {shift}"
            return Value(text, BITS, low, high, value.wide, value.sinks)
        wide = value.wide or by.wide
        text = f"{value.within(PRODUCT)} {self.language.quotient} {by.text}"
        if value.signed and self.language.wide:
            text = f"({text} - ({value.within(PRODUCT)} % {by.text} < 0))"
            return Value(text, ATOM, low, high, wide, value.sinks)
        return Value(text, PRODUCT, low, high, wide, value.sinks)

    def modulo(self, value: Value, modulus: Size) -> Value:
        """Return value % modulus, in 0 ... modulus - 1, for a modulus > 0."""
        high = modulus - 1 if isinstance(modulus, int) else None
        if _log2(modulus):
            mask = self.number(high or 0)
            text = f"{value.within(ATOM)} & {mask.text}"
            return Value(text, BITS, 0, high, value.wide or mask.wide)
        by = self.number(modulus)
        wide = value.wide or by.wide
        text = f"{value.within(PRODUCT)} % {by.text}"
        if value.signed and self.language.wide:
            more = by if wide or _fits(0, 2 * (high or 0)) else self.widened(by)
            text = f"({text} + {more.text}) % {by.text}"
        return Value(text, PRODUCT, 0, high, wide)

    def in_place(self, value: Value, place: Size, modulus: Size) -> Value | None:
        """Return value // place % modulus * place where one mask does it; modulus 0 is none."""
        if not (isinstance(place, int) and isinstance(modulus, int) and self.language.wide):
            return None
        if not _log2(place) or (modulus and not _log2(modulus)):
            return None
        low, high = (_divided(bound, place) for bound in (value.low, value.high))
        low, high = (0, modulus - 1) if modulus else (low, high)
        mask = self.number((modulus - 1) * place if modulus else place - 1)
        text = f"{value.within(ATOM)} & {'' if modulus else '~'}{mask.text}"
        low, high = (None if bound is None else bound * place for bound in (low, high))
        sinks = value.sinks and not modulus
        return Value(text, BITS, low, high, value.wide or mask.wide, sinks)

    def swizzled(self, value: Value, mask: int, shift: int) -> Value:
        """Return value ^ ((value & mask) >> shift); a negative shift goes left."""
        by = self.number(mask)
        moved = Value(f"{value.within(ATOM)} & {by.text}", BITS, 0, mask, value.wide or by.wide)
        moved = self.over(moved, 1 << shift) if shift > 0 else self.times(moved, 1 << -shift)
        block = 1 << max(abs(value.low or 0), value.high or 0, moved.high or 0).bit_length()
        low = None if value.low is None else -block if value.low < 0 else 0
        high = None if value.high is None else block - 1
        text = f"{value.within(ATOM)} ^ {moved.within(ATOM)}"
        return Value(text, BITS, low, high, value.wide or moved.wide, value.sinks)

    def total(self, terms: Iterable[tuple[bool, Value]]) -> Value:
        """Return the sum of (negative, value) terms, a positive one first; 0 for none."""
        rows = list(terms)
        if not rows:
            return self.number(0)
        first = next((row for row in rows if not row[0]), rows[0])
        rows.remove(first)
        value = _negated(first[1]) if first[0] else first[1]
        for negative, term in rows:
            value = self._plus(value, term, negative)
        return value

    def _plus(self, left: Value, right: Value, negative: bool) -> Value:
        other = _negated(right) if negative else right
        low, high = _added(left.low, other.low), _added(left.high, other.high)
        if not (left.wide or right.wide or _fits(low, high)):
            right = self.widened(right)
        text = f"{left.within(SUM)} {'-' if negative else '+'} {right.within(PRODUCT)}"
        sinks = left.sinks or other.sinks
        return Value(text, SUM, low, high, left.wide or right.wide, sinks)


def _log2(size: Size) -> int:
    """The exponent of a power of two from 2 up, 0 for anything else."""
    if not isinstance(size, int) or size < 2 or size & (size - 1):
        return 0
    return size.bit_length() - 1


def _fits(low: int | None, high: int | None) -> bool:
    return low is None or high is None or (low >= -INT32 and high <= INT32)


def _scaled(bound: int | None, factor: Size, by: Value) -> int | None:
    if isinstance(factor, int):
        return None if bound is None else bound * factor
    return 0 if bound == 0 and not by.signed else None


def _divided(bound: int | None, divisor: Size) -> int | None:
    if bound is None or isinstance(divisor, Dim):
        return bound  # a Dim divides by 1 or more
    return bound // divisor


def _added(left: int | None, right: int | None) -> int | None:
    return None if left is None or right is None else left + right


def _negated(value: Value) -> Value:
    low = None if value.high is None else -value.high
    high = None if value.low is None else -value.low
    return Value(f"-{value.within(ATOM)}", PRODUCT, low, high, value.wide, sinks=True)
