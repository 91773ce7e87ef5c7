"""The normal forms of `//`, `%`, max and min of sizes: as little as possible stays undecided."""

from __future__ import annotations

from collections.abc import Callable
from math import gcd
from typing import Any

from tensorlib.layouts.dim_facts import known_nonnegative
from tensorlib.layouts.symbolic import (
    Atom,
    Dim,
    Monomial,
    Size,
    Terms,
    atom,
    interned,
    is_static,
    polynomial,
    terms_of,
)

__all__ = ["RULES", "whole_and_rest"]


def whole_and_rest(a: Size, b: Size) -> tuple[Size, Size]:
    """Return q, r with a == b*q + r, as much in q as polynomial division finds; b is not 0.

    >>> whole_and_rest(7 * Dim("n") + 3, 4), whole_and_rest(3, Dim("n"))
    ((n, 3*n + 3), (0, 3))
    """
    if isinstance(b, Dim):
        return _exact_part(a, b)
    return _split(a, b) if isinstance(a, Dim) else divmod(a, b)


def _quotient(a: Size, b: Size) -> Size:
    """a // b: the terms that b divides leave the floor; only the rest becomes an atom."""
    if isinstance(b, Dim):
        return _symbolic_quotient(a, b)
    if b <= 0:
        return _quotient(-a, -b) if b else 1 // 0
    whole, rest = _split(a, b)
    return whole + _small_quotient(*_reduced(rest, b)[:2])


def _remainder(a: Size, b: Size) -> Size:
    """a % b: multiples of b vanish, a common factor leaves the remainder."""
    if isinstance(b, Dim):
        _, rest = _exact_part(a, b)
        return 0 if rest == 0 else _small_remainder(rest, b)
    if b <= 0:
        return -_remainder(-a, -b) if b else 1 % 0
    _, rest = _split(_remainders_opened(a, b), b)
    rest, divisor, factor, offset = _reduced(rest, b)
    return _small_remainder(rest, divisor) * factor + offset


def _split(a: Size, b: int) -> tuple[Size, Size]:
    """Return q, r with a == b*q + r and every coefficient of r in [0, b)."""
    whole: Terms = {}
    rest: Terms = {}
    for monomial, coefficient in terms_of(a).items():
        q, r = divmod(coefficient, b)
        if q:
            whole[monomial] = q
        if r:
            rest[monomial] = r
    return polynomial(whole), polynomial(rest)


def _reduced(rest: Size, b: int) -> tuple[Size, int, int, int]:
    """Return r, k, g, s with rest == g*r + s, b == g*k, 0 <= s < g: then rest // b == r // k."""
    terms = terms_of(rest)
    factor = gcd(b, *(c for m, c in terms.items() if m))
    offset = terms.get((), 0) % factor
    reduced = polynomial({m: c // factor for m, c in terms.items() if c // factor})
    return reduced, b // factor, factor, offset


def _small_quotient(a: Size, b: int) -> Size:
    if b == 1 or isinstance(a, int):
        return a // b
    if _bounded(a, b):
        return 0
    inner = [m for m, c in a.terms.items() if c == 1 and len(m) == 1 and _floors(m[0])]
    if len(inner) == 1:  # (x//k + y) // b == (x + k*y) // (k*b)
        x, k = inner[0][0].arguments
        others = polynomial({m: c for m, c in a.terms.items() if m != inner[0]})
        return _quotient(x + others * k, k * b)
    return _apply("//", a, b)


def _small_remainder(a: Size, b: Size) -> Size:
    if isinstance(a, int) and isinstance(b, int):
        return a % b
    if isinstance(b, int) and (b == 1 or _bounded(a, b)):
        return 0 if b == 1 else a
    return _apply("%", a, b)


def _floors(a: Atom) -> bool:
    return a.op == "//" and isinstance(a.arguments[1], int)


def _bounded(a: Size, limit: int) -> bool:
    """True when 0 <= a < limit because every factor is a remainder by a number."""
    total = 0
    for monomial, coefficient in terms_of(a).items():
        high = coefficient
        for factor in monomial:
            if factor.op != "%" or not isinstance(factor.arguments[1], int):
                return False
            high *= factor.arguments[1] - 1
        if coefficient < 0:
            return False
        total += high
    return total < limit


def _remainders_opened(a: Size, b: int) -> Size:
    """Replace c * (x % k) by c * x where b divides c*k: they agree modulo b."""
    total: Size = 0
    for monomial, c in terms_of(a).items():
        inner = monomial[0] if len(monomial) == 1 else None
        if inner and inner.op == "%" and is_static(k := inner.arguments[1]) and c * k % b == 0:
            total = total + inner.arguments[0] * c
        else:
            total = total + polynomial({monomial: c})
    return total


def _apply(op: str, a: Size, b: Size) -> Size:
    good = known_nonnegative(b) and (op == "%" or known_nonnegative(a))
    return interned({(atom(op, (a, b), good),): 1})


def _symbolic_quotient(a: Size, b: Dim) -> Size:
    whole, rest = _exact_part(a, b)
    return whole if rest == 0 else whole + _apply("//", rest, b)


def _exact_part(a: Size, b: Dim) -> tuple[Size, Size]:
    """Return q, r with a == b*q + r by polynomial division; b's leading term divides none of r."""
    whole: Size = 0
    rest: Size = 0
    lead = max(b.terms, key=_order)
    while (terms := terms_of(a)) and isinstance(a, Dim):
        monomial = max(terms, key=_order)
        left = _monomial_quotient(monomial, lead)
        q, r = divmod(terms[monomial], b.terms[lead])
        if left is None or r:
            term = polynomial({monomial: terms[monomial]})
            a, rest = a - term, rest + term
        else:
            part = polynomial({left: q})
            a, whole = a - part * b, whole + part
    return whole, rest + a


def _order(monomial: Monomial) -> tuple[int, list[int]]:
    return len(monomial), [a.serial for a in monomial]


def _monomial_quotient(a: Monomial, b: Monomial) -> Monomial | None:
    left = list(a)
    for factor in b:
        if factor not in left:
            return None
        left.remove(factor)
    return tuple(left)


def _symbolic_extreme(op: str, a: Size, b: Size) -> Size:
    sign = 1 if op == "max" else -1
    kept: list[Size] = []
    for new in (*_parts(op, a), *_parts(op, b)):
        if not any(known_nonnegative((old - new) * sign) for old in kept):
            kept = [old for old in kept if not known_nonnegative((new - old) * sign)] + [new]
    if len(kept) == 1:
        return kept[0]
    kept.sort(key=lambda size: (str(size), id(size)))
    good = (any if op == "max" else all)(known_nonnegative(size) for size in kept)
    return interned({(atom(op, tuple(kept), good),): 1})


def _parts(op: str, size: Size) -> tuple[Size, ...]:
    terms = terms_of(size)
    if len(terms) == 1:
        (monomial, coefficient), *_ = terms.items()
        if coefficient == 1 and len(monomial) == 1 and monomial[0].op == op:
            return monomial[0].arguments
    return (size,)


RULES: dict[str, Callable[[Any, Any], Size]] = {
    "//": _quotient,
    "%": _remainder,
    "max": lambda a, b: _symbolic_extreme("max", a, b),
    "min": lambda a, b: _symbolic_extreme("min", a, b),
}
